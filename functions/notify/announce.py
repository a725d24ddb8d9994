"""From changed violations to messages for the followers of their plates: every one told once, nobody told twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, NamedTuple

from shared.domain.message import CANCELLED, NEW_VIOLATION, identity
from shared.domain.time import to_text
from shared.domain.violation import Violation
from shared.stores.citizens import Citizens, Follower
from shared.stores.messages import MOST_VIOLATIONS, Message, Messages
from shared.stores.violations import OPENED, read

_TRIES: Final = 5


class News(NamedTuple):
    """Something to tell the followers of a plate. sequence: the stream record it came with."""

    kind: str
    plate_key: str
    violation: Violation
    sequence: str


def news(record: dict[str, Any]) -> list[News]:
    """What a stream record of Violations has to say: nothing, unless the very write it records set ``tell``.

    A violation that moved to another plate is news there and cancelled here. Raises KeyError, ValueError or TypeError
    for an image that is not a violation's.
    """
    change = record["dynamodb"]
    image, before = change["NewImage"], change.get("OldImage")
    if before and before["version"] == image["version"]:
        return []  # not ingest's write: a hold or a settlement
    violation = read(image)
    told: list[News] = []
    if image["tell"]["S"] == OPENED:
        told.append(News(NEW_VIOLATION, violation.plate_key, violation, change["SequenceNumber"]))
    if before and (image["tell"]["S"] != OPENED or before["plate"] != image["plate"]):
        told.append(News(CANCELLED, before["plate"]["S"], violation, change["SequenceNumber"]))
    return told


def announce(everything: Iterable[News], citizens: Citizens, messages: Messages, now: datetime) -> None:
    """One message for each follower, plate and kind, or more where there are more violations than one can tell of.

    Table calls: one Query a plate; one BatchGetItem and one TransactWriteItems a follower with something new.
    """
    grouped: defaultdict[tuple[str, str], dict[str, Violation]] = defaultdict(dict)
    for kind, plate_key, violation, _ in everything:
        grouped[plate_key, kind][violation.violation_no] = violation
    for (plate_key, kind), violations in grouped.items():
        for follower in citizens.followers(plate_key):
            if follower.notify:
                _tell(follower, kind, plate_key, violations, messages, now)


def _tell(
    follower: Follower, kind: str, plate_key: str, violations: dict[str, Violation], messages: Messages, now: datetime
) -> None:
    concerning = [
        violation_no
        for violation_no, violation in violations.items()
        if follower.category is None or violation.category in (follower.category, None)
    ]
    if kind == CANCELLED:
        # What still waits to be announced is dropped when its turn comes: nothing has to be taken back.
        heard = messages.heard(follower.sub, NEW_VIOLATION, concerning)
        concerning = [violation_no for violation_no in concerning if violation_no in heard]
    for _ in range(_TRIES):
        told = messages.told(follower.sub, kind, concerning)
        rest = [violation_no for violation_no in concerning if violation_no not in told]
        parts = [tuple(rest[start : start + MOST_VIOLATIONS]) for start in range(0, len(rest), MOST_VIOLATIONS)]
        refused = [part for part in parts if not messages.tell(_message(follower, kind, plate_key, part, now), now)]
        if not refused:
            return
    raise RuntimeError("others keep telling of the same violations")


def _message(follower: Follower, kind: str, plate_key: str, violations: tuple[str, ...], now: datetime) -> Message:
    return Message(
        message_id=identity(kind, follower.sub, plate_key, *violations),
        sub=follower.sub,
        kind=kind,
        created_at=to_text(now),
        plate_key=plate_key,
        violations=violations,
    )
