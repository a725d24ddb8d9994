"""From changed violations to messages for the followers of their plates: every one told once, nobody told twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from operator import itemgetter
from typing import Any, Final, NamedTuple

from shared.domain.citizen import Follower
from shared.domain.message import Message, MessageKind
from shared.domain.text import digest
from shared.domain.time import to_text
from shared.domain.violation import CANCELLED
from shared.stores.citizens import Citizens
from shared.stores.messaging.messages import MAX_VIOLATIONS, Messages, marker
from shared.stores.violation_rows import OPENED

UNREADABLE: Final = (LookupError, TypeError, AttributeError, ValueError)
"""What reading an item raises that this version does not know: no retry can mend it."""
_TRIES: Final = 5
_what_every_violation_has: Final = itemgetter(
    "pk", "plate", "tell", "amount", "code", "occurred_at", "recorded_at", "sector_code", "version", "status"
)


class News(NamedTuple):
    """Something to tell the followers of a plate, of those vehicles that have the category or none."""

    kind: MessageKind
    plate_key: str
    violation_no: str
    category: str | None


def news(record: dict[str, Any]) -> list[News]:
    """Read the news in a stream record of Violations: none, unless the very write that it records set ``tell``.

    A violation that moved to another plate is news there and cancelled here. Raises one of UNREADABLE for a record
    that is not a violation's, or of a kind that this version does not know. Only what says who is to be told is read:
    the text is written from the table when it is sent.
    """
    change = record["dynamodb"]
    image, before = change["NewImage"], change.get("OldImage")
    if before and before["version"] == image["version"]:
        return []  # not ingest's write: a hold or a settlement
    pk, plate, told, amount, *_ = _what_every_violation_has(image)
    int(amount["N"])
    tell, violation_no, plate_key = told["S"], pk["S"], plate["S"]
    category = image["category"]["S"] if "category" in image else None
    if tell == OPENED:
        opened = News(MessageKind.NEW_VIOLATION, plate_key, violation_no, category)
        if not before or before["plate"] == plate:
            return [opened]
        return [opened, News(MessageKind.CANCELLED, before["plate"]["S"], violation_no, category)]
    if tell != CANCELLED:
        raise ValueError("tell is neither opened nor cancelled")
    return [News(MessageKind.CANCELLED, before["plate"]["S"], violation_no, category)] if before else []


def announce(everything: Iterable[News], citizens: Citizens, messages: Messages, now: datetime) -> dict[str, Exception]:
    """One message for each follower, plate and kind, or more where there are more violations than one can tell of.

    Returns the violations, by number, of which not every follower could be told because an item of the plate's cannot
    be read, and why; the other plates' are told of all the same. Table calls: one Query a plate; one BatchGetItem and
    one TransactWriteItems a follower with something new.
    """
    untold: dict[str, Exception] = {}
    grouped: defaultdict[tuple[str, MessageKind], dict[str, str | None]] = defaultdict(dict)
    for kind, plate_key, violation_no, category in everything:
        grouped[plate_key, kind][violation_no] = category
    for (plate_key, kind), violations in grouped.items():
        try:
            for follower in citizens.followers(plate_key):
                if follower.notify:
                    _tell(follower, kind, plate_key, violations, messages, now)
        except UNREADABLE as error:
            untold.update(dict.fromkeys(violations, error))
    return untold


def _tell(
    follower: Follower,
    kind: MessageKind,
    plate_key: str,
    violations: dict[str, str | None],
    messages: Messages,
    now: datetime,
) -> None:
    concerning = [violation_no for violation_no, category in violations.items() if concerns(follower, category)]
    if kind == MessageKind.CANCELLED:
        known = messages.told(follower.sub, MessageKind.NEW_VIOLATION, concerning)
        concerning = [violation_no for violation_no in concerning if violation_no in known]
    for _ in range(_TRIES):
        told = messages.told(follower.sub, kind, concerning)
        rest = [violation_no for violation_no in concerning if violation_no not in told]
        parts = [tuple(rest[start : start + MAX_VIOLATIONS]) for start in range(0, len(rest), MAX_VIOLATIONS)]
        refused = [part for part in parts if not _put(_message(follower, kind, plate_key, part, now), messages, now)]
        if not refused:
            return
    raise RuntimeError("others keep telling of the same violations")


def _put(message: Message, messages: Messages, now: datetime) -> bool:
    markers = [marker(violation_no, message.sub, message.kind) for violation_no in message.violations]
    return messages.tell(message, markers, now)


def concerns(follower: Follower, category: str | None) -> bool:
    """True unless the violation's category and that of the follower's vehicle are both known and differ."""
    return follower.category is None or category in (follower.category, None)


def _message(
    follower: Follower, kind: MessageKind, plate_key: str, violations: tuple[str, ...], now: datetime
) -> Message:
    return Message(
        message_id=digest(kind, follower.sub, plate_key, *violations),
        sub=follower.sub,
        kind=kind,
        created_at=to_text(now),
        plate_key=plate_key,
        violations=violations,
    )
