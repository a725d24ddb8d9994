"""Who looked at a plate: one entry for each look, found by the plate alone, without its name or anybody's."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.plate_crypto import PlateCrypto
from shared.stores.people.who_looked import Day, Entry, What, WhoLooked
from tests.support.aws import Engine, Tables
from tests.support.build import NOON, OTHER_PLATE, PLATE, SUB

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
OTHER = "ur-another"


@pytest.fixture
def who_looked(engine: Engine, tables: Tables) -> WhoLooked:
    return WhoLooked(engine.fast(), tables["Citizens"], PlateCrypto(b"key"))


def look(
    who_looked: WhoLooked,
    what: What = What.LOOK_UP,
    who: str = OTHER,
    after: timedelta = timedelta(),
    done: str = "q1",
) -> None:
    who_looked.enter([who_looked.entry_action(PLATE.key, what, who, NOON + after, done)])


class TestEntries:
    def test_they_are_a_plates_newest_first(self, who_looked: WhoLooked) -> None:
        look(who_looked)
        look(who_looked, What.COUNTER, "clerk", MINUTE)
        who_looked.enter_once_a_day(OTHER_PLATE.key, SUB, NOON)
        assert list(who_looked.entries(PLATE.key, NOON)) == [
            Entry("2026-11-20T12:01:00+03:00", "counter", "clerk"),
            Entry("2026-11-20T12:00:00+03:00", "look_up", OTHER),
        ]
        assert [entry.who for entry in who_looked.entries(OTHER_PLATE.key, NOON)] == [SUB]

    def test_two_of_one_second_are_two(self, who_looked: WhoLooked) -> None:
        look(who_looked, done="q1")
        look(who_looked, done="q2")
        assert len(list(who_looked.entries(PLATE.key, NOON))) == 2

    def test_a_citizens_own_vehicle_is_one_a_day_and_the_first_stands(self, who_looked: WhoLooked) -> None:
        for minutes in range(3):
            who_looked.enter_once_a_day(PLATE.key, SUB, NOON + minutes * MINUTE)
        who_looked.enter_once_a_day(PLATE.key, OTHER, NOON + MINUTE)
        who_looked.enter_once_a_day(PLATE.key, SUB, NOON + DAY)
        found = sorted(who_looked.entries(PLATE.key, NOON + DAY))
        assert [(entry.at[:16], entry.who) for entry in found] == [
            ("2026-11-20T12:00", SUB),
            ("2026-11-20T12:01", OTHER),
            ("2026-11-21T12:00", SUB),
        ]

    def test_they_name_neither_plate_nor_person_and_end_after_a_year(
        self, who_looked: WhoLooked, tables: Tables
    ) -> None:
        look(who_looked)
        who_looked.enter_once_a_day(PLATE.key, SUB, NOON)
        kept = tables.items("Citizens")
        assert {int(item["expires"]["N"]) for item in kept} == {int((NOON + 366 * DAY).timestamp())}
        assert not any(name in str(kept) for name in (PLATE.key, PLATE.number, SUB, OTHER))
        assert list(who_looked.entries(PLATE.key, NOON + 367 * DAY)) == []

    def test_none_are_no_call(self, tables: Tables) -> None:
        WhoLooked(lambda *_: pytest.fail("it called"), tables["Citizens"], PlateCrypto(b"key")).enter([])


class TestDays:
    def days(
        self, who_looked: WhoLooked, since: str | None = None, before: str | None = None, limit: int = 9
    ) -> object:
        return who_looked.days(PLATE.key, SUB, since, before, limit, NOON + 5 * DAY)

    @pytest.fixture
    def looked(self, who_looked: WhoLooked) -> WhoLooked:
        look(who_looked)
        who_looked.enter_once_a_day(PLATE.key, OTHER, NOON + MINUTE)
        look(who_looked, What.COUNTER, "clerk", MINUTE)
        look(who_looked, What.OPERATOR, "operator", MINUTE, "o1")
        look(who_looked, What.PAYMENT, OTHER, DAY)
        look(who_looked, after=3 * DAY)
        return who_looked

    def test_citizens_and_staff_are_counted_apart(self, looked: WhoLooked) -> None:
        assert self.days(looked) == ([Day("2026-11-23", 1, 0), Day("2026-11-21", 1, 0), Day("2026-11-20", 2, 2)], False)

    def test_the_owners_own_and_an_investigators_are_not_in_it(self, looked: WhoLooked) -> None:
        before = self.days(looked)
        look(looked, What.INVESTIGATION, "operator", 2 * DAY)
        look(looked, who=SUB, after=2 * DAY, done="q2")
        looked.enter_once_a_day(PLATE.key, SUB, NOON)
        assert self.days(looked) == before

    def test_they_go_on_after_a_page(self, looked: WhoLooked) -> None:
        assert self.days(looked, limit=2) == ([Day("2026-11-23", 1, 0), Day("2026-11-21", 1, 0)], True)
        assert self.days(looked, before="2026-11-21") == ([Day("2026-11-20", 2, 2)], False)
        assert self.days(looked, limit=3)[1] is False  # type: ignore[index]

    def test_what_was_before_an_instant_is_left_out(self, looked: WhoLooked) -> None:
        assert self.days(looked, "2026-11-20T12:00:30+03:00") == (
            [Day("2026-11-23", 1, 0), Day("2026-11-21", 1, 0), Day("2026-11-20", 1, 2)],
            False,
        )
        assert self.days(looked, "2026-11-21T12:00:01+03:00") == ([Day("2026-11-23", 1, 0)], False)
