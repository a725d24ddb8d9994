"""Who is to be reminded today that an amount rises soon. Safe to run twice or late: what was missed is caught up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from notify.telling import Case, tell
from shared.domain import fine
from shared.domain.citizen import Follower
from shared.domain.message import Message, MessageKind
from shared.domain.text import digest
from shared.domain.time import BAGHDAD, to_text
from shared.domain.violation import Violation
from shared.policies import RULES
from shared.stores.items import UNREADABLE
from shared.stores.messaging.messages import MAX_VIOLATIONS, Messages, Telling, marker
from shared.stores.messaging.news import is_concerned
from shared.stores.messaging.reminders import Reminders, Stage
from shared.stores.people.citizens import Citizens
from shared.stores.violation_rows import SHARDS
from shared.stores.violations import Violations


class Stores(NamedTuple):
    """What reminding reads and writes. needs_proof: nobody without proof is reminded."""

    messages: Messages
    citizens: Citizens
    violations: Violations
    reminders: Reminders
    needs_proof: bool = False


class Run(NamedTuple):
    """What a run came to. put: reminders. unreadable: why an item could not be read, one a plate or shard."""

    put: int
    unreadable: list[Exception]


def remind(days_ahead: Iterable[int], stores: Stores, now: datetime, may_go_on: Callable[[], bool]) -> Run:
    """Put the reminders that are due: one a plate, follower and day.

    days_ahead: so many days before an amount rises its followers hear of it. A stage that is done (each shard of it)
    is not looked at again, one that was missed is caught up until the next stage or the rise itself. may_go_on: asked
    before each plate; what is left then is due the next time. An item that cannot be read holds up nobody else's.
    """
    put, unreadable = 0, list[Exception]()
    reached = due_stages(days_ahead, now)
    by_day = {stage.day: stage for stage in reached}
    for shard, stages in enumerate(stores.reminders.undone(reached, SHARDS)):
        try:
            plates = _rising(stages, by_day, shard, stores.violations, now)
        except UNREADABLE as error:
            unreadable.append(error)
            continue
        reminding = _Shard(plates, stores, now, may_go_on)
        put += tell(reminding.cases(), stores.messages, now)
        unreadable += reminding.unreadable
        if reminding.interrupted:
            break
        if not reminding.unreadable and not reminding.left:
            stores.reminders.done(stages, shard, now)
    return Run(put, unreadable)


class _Shard:
    """The followers of a shard's plates. left: those who were not told all. interrupted: not all were come to."""

    def __init__(
        self,
        plates: Mapping[str, Mapping[Stage, list[Violation]]],
        stores: Stores,
        now: datetime,
        may_go_on: Callable[[], bool],
    ) -> None:
        self._plates = plates
        self._citizens = stores.citizens
        self._needs_proof = stores.needs_proof
        self._now = now
        self._may_go_on = may_go_on
        self.unreadable: list[Exception] = []
        self.left: set[tuple[str, str]] = set()
        self.interrupted = False

    def cases(self) -> Iterator[Case]:
        """Everybody to be reminded, plate by plate."""
        for plate_key, rising in self._plates.items():
            if not self._may_go_on():
                self.interrupted = True
                return
            for follower in self._citizens.followers(plate_key, self.unreadable):
                hears = follower.notify and (follower.proven or not self._needs_proof)
                if hears and (markers := _markers(follower, rising)):
                    once_a_day = marker(plate_key, follower.told_as, f"{MessageKind.DOUBLING_SOON}#{self._today}")
                    plan = partial(self._plan, follower, plate_key, markers, once_a_day)
                    yield Case([*markers, once_a_day], plan)

    @property
    def _today(self) -> str:
        return to_text(self._now)[:10]

    def _plan(
        self,
        follower: Follower,
        plate_key: str,
        markers: Mapping[str, Violation],
        once_a_day: str,
        known: Container[str],
    ) -> list[Telling]:
        """One message to a follower, soonest rises first, and none where they had today's."""
        self.left.discard((plate_key, follower.sub))
        rest = [pk for pk in markers if pk not in known]
        if not rest:
            return []
        if once_a_day in known or len(rest) > MAX_VIOLATIONS:
            self.left.add((plate_key, follower.sub))
        if once_a_day in known:
            return []
        rest = rest[:MAX_VIOLATIONS]
        message = Message(
            message_id=digest(MessageKind.DOUBLING_SOON, follower.told_as, plate_key, self._today),
            sub=follower.sub,
            kind=MessageKind.DOUBLING_SOON,
            created_at=to_text(self._now),
            plate_key=plate_key,
            violations=tuple(markers[pk].violation_no for pk in rest),
        )
        return [Telling(message, [*rest, once_a_day])]


def due_stages(days_ahead: Iterable[int], now: datetime) -> list[Stage]:
    """For each day on which an amount may rise, from today on: the last stage that its reminder should have reached."""
    ahead = sorted(days_ahead)
    today = now.astimezone(BAGHDAD).date()
    days = [today + timedelta(days=left) for left in range(ahead[-1] + 1)]
    return [Stage(day.isoformat(), next(one for one in ahead if one >= left)) for left, day in enumerate(days)]


def _rising(
    stages: Iterable[Stage], by_day: Mapping[str, Stage], shard: int, violations: Violations, now: datetime
) -> dict[str, dict[Stage, list[Violation]]]:
    """Find what the index has on the stages' days and still rises, by plate and by the stage that it has reached."""
    plates: defaultdict[str, dict[Stage, list[Violation]]] = defaultdict(dict)
    for found in stages:
        for violation in violations.get(violations.rising(found.day, shard)).values():
            rises = violation.owed or violation.is_disputed
            # The index may be behind, and the rules newer than it: the item itself says when it rises.
            doubles_at = fine.earliest(violation.facts, RULES, violation.held_price_until) if rises else None
            if doubles_at and to_text(now) < doubles_at and (stage := by_day.get(doubles_at[:10])):
                plates[violation.plate_key].setdefault(stage, []).append(violation)
    return plates


def _markers(follower: Follower, rising: Mapping[Stage, list[Violation]]) -> dict[str, Violation]:
    """The markers that a follower was reminded of each, with the violation, soonest rises first."""
    return {
        marker(
            violation.violation_no, follower.told_as, f"{MessageKind.DOUBLING_SOON}#{stage.ahead}#{stage.day}"
        ): violation
        for stage in sorted(rising)
        for violation in rising[stage]
        if is_concerned(follower, violation.category)
    }
