"""What citizens looked up: kept for its further pages and for paying, each as long as it should be."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.aws_json import Call
from shared.domain.plate import Plate
from shared.stores.items import is_made, transact
from shared.stores.people.look_ups import Asked, LookUps
from tests.support.aws import Engine, Tables
from tests.support.build import NOON, OTHER_PLATE, PLATE, SUB

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


@pytest.fixture
def look_ups(engine: Engine, tables: Tables) -> LookUps:
    return LookUps(engine.fast(), tables["Citizens"])


class TestQueries:
    def test_a_query_is_its_citizens_for_a_day(self, look_ups: LookUps) -> None:
        first, second = Asked(PLATE.key, "private"), Asked(PLATE.key, None)
        kept = [look_ups.query_action(SUB, "q1", first, NOON), look_ups.query_action(SUB, "q2", second, NOON)]
        look_ups.seen(SUB, PLATE.key, NOON, *kept)
        assert look_ups.query(SUB, "q1", NOON + DAY - SECOND) == first
        assert look_ups.query(SUB, "q2", NOON) == second
        assert look_ups.query(SUB, "q1", NOON + DAY) is None
        assert look_ups.query("another", "q1", NOON) is None
        assert look_ups.query(SUB, "q3", NOON) is None


class TestAnswers:
    """Whether a look-up's answer goes out by SMS."""

    def goes_out(
        self, call: Call, look_ups: LookUps, answer: str, after: timedelta, plate: Plate = PLATE, sub: str = SUB
    ) -> bool:
        return is_made(lambda: transact(call, [look_ups.answered_action(sub, plate.key, answer, NOON + after)]))

    @pytest.fixture
    def call(self, engine: Engine, look_ups: LookUps) -> Call:
        """The port, after a first answer at noon."""
        call = engine.fast()
        assert self.goes_out(call, look_ups, "one", timedelta())
        return call

    def test_the_same_answer_within_ten_minutes_goes_out_once(self, call: Call, look_ups: LookUps) -> None:
        assert not self.goes_out(call, look_ups, "one", timedelta())
        assert not self.goes_out(call, look_ups, "one", 10 * MINUTE)

    def test_after_ten_minutes_it_goes_out_again(self, call: Call, look_ups: LookUps) -> None:
        assert self.goes_out(call, look_ups, "one", 10 * MINUTE + SECOND)

    def test_a_refused_one_does_not_make_the_ten_minutes_longer(self, call: Call, look_ups: LookUps) -> None:
        assert not self.goes_out(call, look_ups, "one", 9 * MINUTE)
        assert self.goes_out(call, look_ups, "one", 11 * MINUTE)

    def test_another_answer_goes_out_at_once(self, call: Call, look_ups: LookUps) -> None:
        assert self.goes_out(call, look_ups, "two", timedelta())

    def test_another_plate_or_citizen_has_its_own_minutes(self, call: Call, look_ups: LookUps) -> None:
        assert self.goes_out(call, look_ups, "one", timedelta(), OTHER_PLATE)
        assert self.goes_out(call, look_ups, "one", timedelta(), sub="another")

    def test_a_look_up_without_sms_keeps_the_minutes_of_the_one_before(self, call: Call, look_ups: LookUps) -> None:
        look_ups.seen(SUB, PLATE.key, NOON + MINUTE)
        assert not self.goes_out(call, look_ups, "one", 2 * MINUTE)
