"""How far settled payments have been asked about again, by gateway, in the Payments table.

Key: ``pk=ASKED#<gateway>``, ``sk=ROUND``.
"""

from __future__ import annotations

from typing import NamedTuple

from shared.aws_json import Call
from shared.stores.items import Item, get_item, item_key, pack, text
from shared.stores.paying.payments import Position


class Round(NamedTuple):
    """One walk over a gateway's settled payments, oldest first. began, ended_at: stored texts.

    day: of whose payments it asks next; after: the payment of that day after which it goes on, None for its first.
    """

    gateway: str
    began: str
    day: str
    after: Position | None = None
    ended_at: str | None = None


class Rounds:
    """The table through the port."""

    def __init__(self, call: Call, table: str) -> None:
        self._call = call
        self._table = table

    def last(self, gateway: str) -> Round | None:
        """A gateway's newest round, or None before the first."""
        item = get_item(self._call, self._table, _key(gateway))
        if item is None:
            return None
        created_at, payment_id = text(item, "created_at_before"), text(item, "payment_before")
        after = (created_at, payment_id) if created_at and payment_id else None
        return Round(gateway, item["began"]["S"], item["day"]["S"], after, text(item, "ended_at"))

    def put(self, made: Round) -> None:
        """Keep how far a round is. One PutItem."""
        created_at, payment_id = made.after or (None, None)
        values = {"began": made.began, "day": made.day, "ended_at": made.ended_at}
        place = {"created_at_before": created_at, "payment_before": payment_id}
        item = {**_key(made.gateway), **pack({**values, **place})}
        self._call("dynamodb", "PutItem", {"TableName": self._table, "Item": item})


def _key(gateway: str) -> Item:
    return item_key(f"ASKED#{gateway}", "ROUND")
