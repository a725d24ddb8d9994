"""Who is to be reminded today that an amount rises soon. Safe to run twice or late: what was missed is caught up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from notify.announce import UNREADABLE
from shared.domain.citizen import Follower
from shared.domain.message import Message, MessageKind
from shared.domain.text import digest
from shared.domain.time import BAGHDAD, to_text
from shared.domain.violation import Violation
from shared.stores.citizens import Citizens
from shared.stores.messaging.messages import MAX_VIOLATIONS, Messages, marker
from shared.stores.messaging.news import concerns
from shared.stores.messaging.reminders import Reminders, Stage
from shared.stores.violation_rows import SHARDS
from shared.stores.violations import Violations


class Stores(NamedTuple):
    """What reminding reads and writes."""

    messages: Messages
    citizens: Citizens
    violations: Violations
    reminders: Reminders


class Run(NamedTuple):
    """What a run came to. put: reminders. unreadable: why an item could not be read, one a plate or shard."""

    put: int
    unreadable: list[Exception]


def remind(days_ahead: Iterable[int], stores: Stores, now: datetime, may_go_on: Callable[[], bool]) -> Run:
    """Put the reminders that are due: one a plate, follower and day.

    days_ahead: so many days before an amount rises its followers hear of it. A stage that is done (each shard of it)
    is not looked at again, one that was missed is caught up until the next stage or the rise itself. may_go_on: asked
    before each plate; what is left then is due the next time. An item that cannot be read holds up no other plate's.
    """
    put, unreadable = 0, list[Exception]()
    for shard, stages in enumerate(stores.reminders.undone(due_stages(days_ahead, now), SHARDS)):
        try:
            plates = _rising(stages, shard, stores.violations, now)
        except UNREADABLE as error:
            unreadable.append(error)
            continue
        complete = True
        for plate_key, rising in plates.items():
            if not may_go_on():
                return Run(put, unreadable)
            try:
                told = [
                    _tell(follower, plate_key, rising, stores.messages, now)
                    for follower in stores.citizens.followers(plate_key)
                    if follower.notify
                ]
            except UNREADABLE as error:
                unreadable.append(error)
                complete = False
            else:
                put += sum(one for one, _ in told)
                complete = complete and all(all_told for _, all_told in told)
        if complete:
            stores.reminders.done(stages, shard, now)
    return Run(put, unreadable)


def due_stages(days_ahead: Iterable[int], now: datetime) -> list[Stage]:
    """For each day on which an amount may rise, from today on: the last stage that its reminder should have reached."""
    ahead = sorted(days_ahead)
    today = now.astimezone(BAGHDAD).date()
    days = [today + timedelta(days=left) for left in range(ahead[-1] + 1)]
    return [Stage(day.isoformat(), next(one for one in ahead if one >= left)) for left, day in enumerate(days)]


def _rising(
    stages: Iterable[Stage], shard: int, violations: Violations, now: datetime
) -> dict[str, dict[Stage, list[Violation]]]:
    """Find what still rises on the stages' days, by plate."""
    plates: defaultdict[str, dict[Stage, list[Violation]]] = defaultdict(dict)
    for stage in stages:
        for violation in violations.get(violations.rising(stage.day, shard)).values():
            changes_at = violation.due(to_text(now)).changes_at
            # The index may be behind: the item itself says when it rises.
            if violation.owed and changes_at and changes_at[:10] == stage.day:
                plates[violation.plate_key].setdefault(stage, []).append(violation)
    return plates


def _tell(
    follower: Follower,
    plate_key: str,
    rising: Mapping[Stage, list[Violation]],
    messages: Messages,
    now: datetime,
) -> tuple[bool, bool]:
    """Put one message to a follower, soonest rises first. Returns whether, and whether nothing is left to tell."""
    today = to_text(now)[:10]
    once_a_day = marker(plate_key, follower.sub, f"{MessageKind.DOUBLING_SOON}#{today}")
    markers = {
        marker(
            violation.violation_no, follower.sub, f"{MessageKind.DOUBLING_SOON}#{stage.ahead}#{stage.day}"
        ): violation
        for stage in sorted(rising)
        for violation in rising[stage]
        if concerns(follower, violation.category)
    }
    known = messages.marked([*markers, once_a_day])
    rest = [pk for pk in markers if pk not in known]
    if not rest:
        return False, True
    if once_a_day in known:
        return False, False
    rest, left = rest[:MAX_VIOLATIONS], rest[MAX_VIOLATIONS:]
    message = Message(
        message_id=digest(MessageKind.DOUBLING_SOON, follower.sub, plate_key, today),
        sub=follower.sub,
        kind=MessageKind.DOUBLING_SOON,
        created_at=to_text(now),
        plate_key=plate_key,
        violations=tuple(markers[pk].violation_no for pk in rest),
    )
    told = messages.tell(message, [*rest, once_a_day], now)
    return told, told and not left
