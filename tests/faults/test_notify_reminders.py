"""Reminders over two months, day by day, against a model that knows nothing of the code's own ideas."""

from __future__ import annotations

import calendar
import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import NamedTuple

import pytest

from notify.reminding import remind
from shared.domain.message import MessageKind, MessageStatus
from shared.domain.plate import OLD, Plate
from shared.domain.time import BAGHDAD, to_text
from shared.domain.violation import CANCELLED, DISPUTED, PAID, Violation, make_version
from shared.stores.items import transact
from tests.support.aws import Engine
from tests.support.build import follow, later, row, violation
from tests.support.notify_world import World, surviving, world

FIRST_RUN = datetime(2026, 12, 20, 9, tzinfo=BAGHDAD)
DAYS = 62
HOUR = timedelta(hours=1)


# ---------------------------------------------------------------- the model: dates and lists, nothing of the code


class Known(NamedTuple):
    """A violation as the model has it. changed: when what it ends as became so, if it did; disputed, it rises on."""

    number: str
    plate: str
    category: str | None
    recorded: datetime
    loaded: datetime
    changed: datetime | None
    end: str = ""

    def is_disputed(self, now: datetime) -> bool:
        return self.end == DISPUTED and self.changed is not None and self.changed <= now

    @property
    def rises(self) -> datetime:
        year, month = (self.recorded.year + self.recorded.month // 12, self.recorded.month % 12 + 1)
        day = min(self.recorded.day, calendar.monthrange(year, month)[1])
        return self.recorded.replace(year=year, month=month, day=day)


class Linked(NamedTuple):
    """A citizen and a plate."""

    sub: str
    plate: str
    category: str | None
    notify: bool
    since: datetime


Expected = dict[tuple[date, str, str], frozenset[str]]


def expected(runs: list[datetime], violations: list[Known], links: list[Linked]) -> Expected:
    """Which violations of a plate a citizen should be reminded of on which day.

    A week ahead, or as soon after as there is a run but not on the last two days; a day ahead, or on the day itself.
    """
    found: defaultdict[tuple[date, str, str], set[str]] = defaultdict(set)
    passed: set[tuple[date, int]] = set()
    for now in runs:
        for left in range(8):
            stage = (now.date() + timedelta(days=left), 7 if left > 1 else 1)
            if stage in passed:
                continue
            passed.add(stage)
            for known in violations:
                ended = known.changed is not None and known.changed <= now and known.end != DISPUTED
                if known.loaded > now or ended or known.rises <= now or known.rises.date() != stage[0]:
                    continue
                for link in links:
                    same = link.category is None or known.category is None or link.category == known.category
                    if link.plate == known.plate and link.notify and same and link.since <= now:
                        found[now.date(), link.sub, link.plate].add(known.number)
    return {key: frozenset(numbers) for key, numbers in found.items()}


# ---------------------------------------------------------------- two months


class Story:
    """What happens over the two months, by a seed."""

    def __init__(self, seed: int) -> None:
        chance = random.Random(seed)
        self.plates = [Plate(OLD, "11", None, str(1000 + number)) for number in range(8)]
        self.runs = [
            FIRST_RUN + timedelta(days=day) for day in range(DAYS) if chance.random() > 0.15 or day in (0, DAYS - 1)
        ]
        self.links = [
            Linked(
                f"ur-{number}",
                chance.choice(self.plates).key,
                chance.choice([None, None, "private", "hire"]),
                chance.random() > 0.15,
                self.some_time(chance, 0, 30) if chance.random() < 0.3 else FIRST_RUN - 2 * HOUR,
            )
            for number in range(10)
        ]
        self.violations = []
        for number in range(90):
            recorded = self.some_time(chance, -34, 55).replace(hour=chance.choice([0, 8, 9, 10, 23]))
            loaded = max(recorded, FIRST_RUN - HOUR) + timedelta(days=chance.choice([0, 0, 0, 1, 20, 26]))
            changed = loaded + timedelta(days=chance.randrange(30)) + HOUR / 2 if chance.random() < 0.4 else None
            category = chance.choice([None, "private", "hire"])
            plate = chance.choice(self.plates).key
            self.violations.append(Known(f"V{number}", plate, category, recorded, loaded, changed))
        ends = [PAID, CANCELLED, DISPUTED, "paid here"]
        self.violations = [known._replace(end=chance.choice(ends)) for known in self.violations]
        self.twice = {run for run in self.runs if chance.random() < 0.2}
        self.dies = {run: chance.randrange(60) for run in self.runs if chance.random() < 0.2}

    @staticmethod
    def some_time(chance: random.Random, first: int, last: int) -> datetime:
        return FIRST_RUN + timedelta(days=chance.randrange(first, last), hours=chance.randrange(-9, 14))

    def tell(self, here: World, engine: Engine) -> None:
        """Live through it, each change in its time."""
        changes: list[tuple[datetime, int, Known | Linked]] = []
        changes += [(known.loaded, 0, known) for known in self.violations]
        changes += [(known.changed, 1, known) for known in self.violations if known.changed]
        changes += [(link.since, 2, link) for link in self.links]
        changes.sort(key=lambda change: change[:2])
        for now in self.runs:
            while changes and changes[0][0] <= now:
                at, what, subject = changes.pop(0)
                self._happen(here, engine, at, what, subject)
            here.now = now
            if now in self.dies:
                here.port.fault = (len(here.port.calls) + self.dies[now], "dies after")
                with surviving():
                    here.remind()
                here.port.fault = None
            here.remind()
            if now in self.twice:
                here.now = now + timedelta(minutes=1)
                here.remind()
            here.send_due()

    def _happen(self, here: World, engine: Engine, at: datetime, what: int, subject: Known | Linked) -> None:
        if isinstance(subject, Linked):
            plate = Plate.from_key(subject.plate)
            phone = f"+96477000000{subject.sub[3:]:>02}"
            follow(here.citizens, subject.sub, plate, category=subject.category, notify=subject.notify, phone=phone)
            return
        recorded = violation(
            subject.number,
            plate_key=subject.plate,
            category=subject.category,
            recorded_at=to_text(subject.recorded),
            occurred_at=to_text(subject.recorded),
            version=make_version(None, to_text(subject.recorded), 2),
        )
        if what == 0:
            here.violations.write([row(recorded, origin="backlog")])
        elif subject.end == "paid here":
            call = engine.fast()
            transact(call, [here.violations.hold(recorded, "p")])
            transact(call, [here.violations.settle(recorded.violation_no, "p", 1, to_text(at), "GH")])
        else:
            ended = recorded._replace(status=subject.end, version=make_version(None, to_text(at), 2))
            here.violations.write([row(ended)])


@pytest.fixture
def here(emulator: Engine) -> Iterator[World]:
    with world(emulator) as made:
        yield made


def put(here: World) -> Expected:
    return {
        (
            datetime.fromisoformat(item["created_at"]["S"]).date(),
            item["sub"]["S"],
            item["plate"]["S"],
        ): frozenset(each["S"] for each in item["violations"]["L"])
        for item in here.all_messages()
        if item["kind"]["S"] == MessageKind.DOUBLING_SOON
    }


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_two_months_are_as_the_model_says(seed: int, here: World, emulator: Engine) -> None:
    story = Story(seed)
    story.tell(here, emulator)
    model = expected(story.runs, story.violations, story.links)
    assert len(model) > 20
    assert put(here) == model
    assert here.statuses() == {MessageStatus.SENT: len(model)}
    assert len(here.sender.sent) == len(model)
    runs, known = {run.date(): run for run in story.runs}, {each.number: each for each in story.violations}
    objected = sum(any(known[each].is_disputed(runs[day]) for each in told) for (day, *_), told in model.items())
    assert objected > 0
    assert sum("objection recorded" in text for _, text in here.sender.sent) == objected


# ---------------------------------------------------------------- single points


def due_in(days: int, at: datetime, **fields: object) -> Violation:
    """A violation whose amount rises so many days later, at noon."""
    rises = (at + timedelta(days=days)).replace(hour=12)
    year, month = (rises.year, rises.month - 1) if rises.month > 1 else (rises.year - 1, 12)
    recorded = to_text(rises.replace(year=year, month=month))
    return violation(recorded_at=recorded, version=make_version(None, recorded, 2), **fields)


class TestOneDay:
    @pytest.fixture(autouse=True)
    def morning(self, here: World) -> None:
        here.now = datetime(2026, 11, 20, 9, tzinfo=BAGHDAD)
        follow(here.citizens)

    @pytest.mark.parametrize(("days", "reminded"), [(0, 1), (1, 1), (7, 1), (8, 0)])
    def test_the_days_ahead(self, here: World, days: int, reminded: int) -> None:
        here.violations.write([row(due_in(days, here.now))])
        assert here.remind() == reminded

    def test_a_rise_that_is_past_is_not_spoken_of(self, here: World) -> None:
        here.violations.write([row(due_in(0, here.now))])
        here.now = here.now.replace(hour=12)
        assert here.remind() == 0

    def test_one_that_rises_before_it_is_sent_is_dropped(self, here: World) -> None:
        here.violations.write([row(due_in(0, here.now))])
        here.remind()
        here.now = here.now.replace(hour=12)
        here.send_due()
        assert here.statuses() == {MessageStatus.DROPPED: 1}

    def test_what_is_disputed_rises_all_the_same_and_its_reminder_says_so(self, here: World) -> None:
        here.violations.write([row(due_in(7, here.now, status=DISPUTED)), row(due_in(7, here.now, amount=7000))])
        assert here.remind() == 1
        here.send_due()
        ((_, text),) = here.sender.sent
        assert "reminder, plate ..418, objection recorded. 57,000 IQD may still rise from 27/11/2026." in text

    def test_one_that_is_disputed_before_it_is_sent_says_so(self, here: World) -> None:
        subject = due_in(7, here.now)
        here.violations.write([row(subject)])
        here.remind()
        here.violations.write([row(later(subject, status=DISPUTED))])
        here.send_due()
        ((_, text),) = here.sender.sent
        assert "objection recorded" in text

    def test_what_rises_on_two_days_is_one_sms(self, here: World) -> None:
        here.violations.write([row(due_in(1, here.now)), row(due_in(7, here.now, amount=7000))])
        assert here.remind() == 1
        here.send_due()
        ((_, text),) = here.sender.sent
        assert "57,000 IQD now" in text
        assert "107,000 from 21/11/2026" in text

    def test_more_than_a_message_can_hold_are_told_of_the_next_day(self, here: World) -> None:
        soon = [row(due_in(7, here.now)) for _ in range(100)]
        here.violations.write(soon)
        assert [here.remind(), here.remind()] == [1, 0]
        here.forward(days=1)
        assert here.remind() == 1
        told = here.told()
        assert len(told) == 100
        assert set(told.values()) == {1}

    def test_a_run_that_is_out_of_time_goes_on_where_it_was(self, here: World) -> None:
        plates = [Plate(OLD, "11", None, str(number)) for number in range(1, 13)]
        for plate in plates:
            follow(here.citizens, f"citizen-{plate.number}", plate)
            here.violations.write([row(due_in(7, here.now, plate_key=plate.key))])
        budget = iter([True] * 5)
        stores = here.remind_stores()
        first = remind((7, 1), stores, here.now, lambda: next(budget, False)).put
        assert 0 < first < len(plates)
        assert first + here.remind() == len(plates)

    @pytest.mark.parametrize("at", range(25))
    def test_a_run_that_dies_anywhere_puts_one_reminder(self, here: World, at: int) -> None:
        here.violations.write([row(due_in(7, here.now))])
        here.port.fault = (len(here.port.calls) + at, "dies after")
        with surviving():
            here.remind()
        here.port.fault = None
        here.remind()
        here.send_due()
        assert len(here.all_messages()) == len(here.sender.sent) == 1
