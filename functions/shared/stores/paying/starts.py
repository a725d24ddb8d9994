"""Which payments of a citizen are live, and what they began and let go today: ``pk=LIVE#<sub>`` of the Payments table.

``payments``: ids of those that are live; ``erasing``: that the citizen is being erased. Of the day ``day`` (Baghdad):
``started``: ids of the payments begun, but those that ended through no doing of theirs; ``let_go``: holds that ended
unpaid because they cancelled or let them expire, one ``<digest of the violation's number>#<payment's id, begun>``.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any, Final, NamedTuple

from shared.domain.payment import Payment, PaymentStatus
from shared.domain.text import digest
from shared.domain.time import to_text
from shared.stores.items import Item, pack, text

_SHOWN: Final = 10
"""Characters of a digest or an id in an entry: many of them lie in one item."""
NO_DOING_OF_THEIRS: Final = frozenset({"taken_over"})
"""Reasons of an end that count for nothing."""


class Today(NamedTuple):
    """What a citizen began and let go on a day. day: ISO; None before the first payment."""

    day: str | None = None
    started: int = 0
    let_go: frozenset[str] = frozenset()

    def times_let_go(self, violation_no: str, at: datetime) -> int:
        """How often a violation was let go on the day of an instant."""
        if self.day != to_text(at)[:10]:
            return 0
        return Counter(entry.partition("#")[0] for entry in self.let_go)[_short(violation_no)]


def today_of(item: Item) -> Today:
    """Read the item; {} where there is none."""
    return Today(
        text(item, "day"), len(item.get("started", {}).get("SS", ())), frozenset(item.get("let_go", {}).get("SS", ()))
    )


def joining(payment: Payment, known: Today, at: datetime, most_live: int, most_started: int) -> dict[str, Any]:
    """The update by which a payment becomes one of its citizen's live ones, and one of those begun today."""
    day, values = to_text(at)[:10], {":this": {"SS": [payment.payment_id]}, ":most": {"N": str(most_live)}}
    condition = "attribute_not_exists(erasing) AND (attribute_not_exists(payments) OR size(payments) < :most)"
    if known.day == day:
        change = "ADD payments :this, started :this"
        condition += " AND #day = :day AND (attribute_not_exists(started) OR size(started) < :starts)"
        values |= pack({":starts": most_started})
    else:
        change = "SET #day = :day, started = :this ADD payments :this REMOVE let_go"
        condition += " AND (attribute_not_exists(#day) OR #day <> :day)"
    return {
        "UpdateExpression": change,
        "ConditionExpression": condition,
        "ExpressionAttributeNames": {"#day": "day"},
        "ExpressionAttributeValues": {**values, **pack({":day": day})},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def leaving(before: Payment, after: Payment) -> dict[str, Any]:
    """The update by which a payment is live no more, and what of it counts for its citizen's day."""
    values: dict[str, Any] = {":this": {"SS": [before.payment_id]}}
    if after.status == PaymentStatus.FAILED or before.unanswered or after.reason in NO_DOING_OF_THEIRS:
        change = "DELETE payments :this, started :this"
    elif after.status in (PaymentStatus.CANCELLED, PaymentStatus.EXPIRED):
        change = "DELETE payments :this ADD let_go :let_go"
        entries = {f"{_short(line.violation_no)}#{before.payment_id[:_SHOWN]}" for line in before.lines}
        values[":let_go"] = {"SS": sorted(entries)}
    else:
        change = "DELETE payments :this"
    return {"UpdateExpression": change, "ExpressionAttributeValues": values}


def _short(violation_no: str) -> str:
    return digest(violation_no)[:_SHOWN]
