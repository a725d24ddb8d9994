"""From changed violations to messages for the followers of their plates: every one told once, nobody told twice."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from operator import itemgetter
from typing import Any, Final

from shared.domain.citizen import Follower
from shared.domain.message import Message
from shared.domain.text import digest
from shared.domain.time import to_text
from shared.stores.citizens import Citizens
from shared.stores.messaging.messages import MAX_VIOLATIONS, Messages, marker
from shared.stores.messaging.news import Group, News, grouped, news_of, to_tell
from shared.stores.violation_rows import held_of

UNREADABLE: Final = (LookupError, TypeError, AttributeError, ValueError)
"""What reading an item raises that this version does not know: no retry can mend it."""
_TRIES: Final = 5
_what_every_violation_has: Final = itemgetter(
    "pk", "plate", "tell", "amount", "code", "occurred_at", "recorded_at", "sector_code", "version", "status"
)


def news(record: dict[str, Any]) -> list[News]:
    """Read the news in a stream record of Violations: none, unless the very write that it records set ``tell``.

    A violation that moved to another plate is news there and cancelled here: where news were held back, from where it
    was before them. Raises one of UNREADABLE for a record that is not a violation's, or of a kind that this version
    does not know. Only what says who is to be told is read: the text is written from the table when it is sent.
    """
    change = record["dynamodb"]
    image, before = change["NewImage"], change.get("OldImage")
    held = held_of(before) if before else None
    if before and before["version"] == image["version"] and not held:
        return []  # not ingest's write: a hold or a settlement
    pk, plate, told, amount, *_ = _what_every_violation_has(image)
    int(amount["N"])
    tell, violation_no, plate_key = told["S"], pk["S"], plate["S"]
    category = image["category"]["S"] if "category" in image else None
    former = held.plate if held else before["plate"]["S"] if before else None
    return news_of(tell, violation_no, plate_key, category, former)


def announce(everything: Iterable[News], citizens: Citizens, messages: Messages, now: datetime) -> dict[str, Exception]:
    """One message for each follower, plate and kind, or more where there are more violations than one can tell of.

    Returns the violations, by number, of which not every follower could be told because an item of the plate's cannot
    be read, and why; the other plates' are told of all the same. Table calls: one Query a plate; one BatchGetItem and
    one TransactWriteItems a follower with something new.
    """
    untold: dict[str, Exception] = {}
    for group in grouped(everything):
        try:
            for follower in citizens.followers(group.plate_key):
                _tell(follower, group, messages, now)
        except UNREADABLE as error:
            untold.update(dict.fromkeys(group.violations, error))
    return untold


def _tell(follower: Follower, group: Group, messages: Messages, now: datetime) -> None:
    for _ in range(_TRIES):
        rest = to_tell(follower, group, messages)
        parts = [tuple(rest[start : start + MAX_VIOLATIONS]) for start in range(0, len(rest), MAX_VIOLATIONS)]
        refused = [part for part in parts if not _put(_message(follower, group, part, now), messages, now)]
        if not refused:
            return
    raise RuntimeError("others keep telling of the same violations")


def _put(message: Message, messages: Messages, now: datetime) -> bool:
    markers = [marker(violation_no, message.sub, message.kind) for violation_no in message.violations]
    return messages.tell(message, markers, now)


def _message(follower: Follower, group: Group, violations: tuple[str, ...], now: datetime) -> Message:
    return Message(
        message_id=digest(group.kind, follower.sub, group.plate_key, *violations),
        sub=follower.sub,
        kind=group.kind,
        created_at=to_text(now),
        plate_key=group.plate_key,
        violations=violations,
    )
