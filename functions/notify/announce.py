"""From changed violations to messages for the followers of their plates: every one told once, nobody told twice."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from operator import itemgetter
from typing import Any, Final

from notify.telling import Case, tell
from shared.domain.citizen import Follower
from shared.domain.message import Message
from shared.domain.text import digest
from shared.domain.time import to_text
from shared.stores.messaging.messages import MAX_VIOLATIONS, Messages, Telling
from shared.stores.messaging.news import (
    DISPUTE_KINDS,
    Concern,
    Group,
    News,
    concerns_of,
    grouped,
    markers,
    news_of,
    to_tell,
)
from shared.stores.people.citizens import Citizens
from shared.stores.violation_rows import held_of

_IN_TURN: Final = 100
"""Followers of a plate before another plate's."""
_Turn = tuple[Iterator[Follower], Group, list[Exception]]
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
    former = held.plate if held else before["plate"]["S"] if before else None
    category = image["category"]["S"] if "category" in image else None
    episode = image["episode"]["S"] if "episode" in image else None
    return news_of(told["S"], pk["S"], plate["S"], former, category, episode)


def announce(
    everything: Iterable[News], citizens: Citizens, messages: Messages, now: datetime, *, needs_proof: bool = False
) -> dict[str, Exception]:
    """One message for each follower, plate and kind, or more where there are more violations than one can tell of.

    needs_proof: nobody without proof is told. Returns the violations, by number, of which a follower could not be told
    because their item cannot be read, and why; all others are told of them all the same. Table calls: one Query a plate
    and kind, and those of :func:`telling.tell`.
    """
    untold: dict[str, Exception] = {}
    tell(_cases(everything, untold, citizens, now, needs_proof=needs_proof), messages, now)
    return untold


def _cases(
    everything: Iterable[News], untold: dict[str, Exception], citizens: Citizens, now: datetime, *, needs_proof: bool
) -> Iterator[Case]:
    """Followers with what is news to them, some of every plate in turn: the largest holds up no other."""
    turns: list[_Turn] = []
    for group in grouped(everything):
        unreadable: list[Exception] = []
        turns.append((citizens.followers(group.plate_key, unreadable), group, unreadable))
    while turns:
        others: list[_Turn] = []
        for turn in turns:
            followers, group, unreadable = turn
            left = _IN_TURN
            for follower in followers:
                if (follower.proven or not needs_proof) and (concerns := concerns_of(follower, group)):
                    yield Case(markers(concerns), partial(_plan, follower, group, concerns, now))
                left -= 1
                if not left:
                    others.append(turn)
                    break
            if unreadable:
                untold.update(dict.fromkeys(group.violations, unreadable[0]))
        turns = others


def _plan(
    follower: Follower, group: Group, concerns: Sequence[Concern], now: datetime, known: Container[str]
) -> list[Telling]:
    rest = to_tell(group.kind, concerns, known)
    parts = [rest[start : start + MAX_VIOLATIONS] for start in range(0, len(rest), MAX_VIOLATIONS)]
    return [Telling(_message(follower, group, part, now), [each.marker for each in part]) for part in parts]


def _message(follower: Follower, group: Group, part: Sequence[Concern], now: datetime) -> Message:
    numbers = tuple(each.violation_no for each in part)
    # Of a further dispute the same violations are told again.
    names = [group.violations[each].episode or "" for each in numbers] if group.kind in DISPUTE_KINDS else []
    return Message(
        message_id=digest(group.kind, follower.told_as, group.plate_key, *numbers, *names),
        sub=follower.sub,
        kind=group.kind,
        created_at=to_text(now),
        plate_key=group.plate_key,
        violations=numbers,
    )
