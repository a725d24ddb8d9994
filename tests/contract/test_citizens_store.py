"""The Citizens table: profiles, look-ups, vehicles and followers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from shared.aws_json import AwsError, Call, Json
from shared.domain.plate import Plate
from shared.domain.time import to_text
from shared.stores.citizens import Asked, Citizens, Follower, Vehicle
from shared.stores.items import transact
from shared.stores.profiles import Profile
from tests.aws import Engine, Tables
from tests.build import NOON, OTHER_PLATE, PHONE, PLATE, SUB, follow

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


@pytest.fixture
def citizens(engine: Engine, tables: Tables) -> Citizens:
    return Citizens(engine.fast(), tables["Citizens"])


def vehicle(vehicle_id: str = "v1", *, category: str | None = "private", notify: bool = True) -> Vehicle:
    return Vehicle(vehicle_id, PLATE.key, category, "self", notify)


class TestProfile:
    def test_nobody_has_a_profile_before_a_first_call(self, citizens: Citizens) -> None:
        assert citizens.profile(SUB) is None

    def test_the_last_token_and_language_count(self, citizens: Citizens) -> None:
        assert citizens.seen_in_person(SUB, None, "ckb") == Profile(None, "ckb")
        assert citizens.seen_in_person(SUB, PHONE, "en") == Profile(PHONE, "en")
        assert citizens.profile(SUB) == Profile(PHONE, "en")
        citizens.seen_in_person(SUB, None, "ar")
        assert citizens.profile(SUB) == Profile(None, "ar")

    def test_being_seen_does_not_switch_sms_on_again(self, engine: Engine, tables: Tables, citizens: Citizens) -> None:
        switched_off = {"pk": {"S": SUB}, "sk": {"S": "PROFILE"}, "sms": {"BOOL": False}}
        engine.fast()("dynamodb", "PutItem", {"TableName": tables["Citizens"], "Item": switched_off})
        assert citizens.seen_in_person(SUB, PHONE, "en") == Profile(PHONE, "en", sms=False)
        assert citizens.profile(SUB) == Profile(PHONE, "en", sms=False)


class TestQueries:
    def test_a_query_is_its_citizens_for_a_day(self, citizens: Citizens) -> None:
        first, second = Asked(PLATE.key, "private", proven=True), Asked(PLATE.key, None)
        kept = [citizens.query_action(SUB, "q1", first, NOON), citizens.query_action(SUB, "q2", second, NOON)]
        citizens.seen(SUB, PLATE.key, NOON, *kept)
        assert citizens.query(SUB, "q1", NOON + DAY - SECOND) == first
        assert citizens.query(SUB, "q2", NOON) == second
        assert citizens.query(SUB, "q1", NOON + DAY) is None
        assert citizens.query("another", "q1", NOON) is None
        assert citizens.query(SUB, "q3", NOON) is None


class TestAnswers:
    """Whether a look-up's answer goes out by SMS."""

    def goes_out(
        self, call: Call, citizens: Citizens, answer: str, after: timedelta, plate: Plate = PLATE, sub: str = SUB
    ) -> bool:
        try:
            transact(call, [citizens.answered_action(sub, plate.key, answer, NOON + after)])
        except AwsError as error:
            assert error.condition_failed  # noqa: PT017 (the one error that is an answer)
            return False
        return True

    @pytest.fixture
    def call(self, engine: Engine, citizens: Citizens) -> Call:
        """The port, after a first answer at noon."""
        call = engine.fast()
        assert self.goes_out(call, citizens, "one", timedelta())
        return call

    def test_the_same_answer_within_ten_minutes_goes_out_once(self, call: Call, citizens: Citizens) -> None:
        assert not self.goes_out(call, citizens, "one", timedelta())
        assert not self.goes_out(call, citizens, "one", 10 * MINUTE)

    def test_after_ten_minutes_it_goes_out_again(self, call: Call, citizens: Citizens) -> None:
        assert self.goes_out(call, citizens, "one", 10 * MINUTE + SECOND)

    def test_a_refused_one_does_not_make_the_ten_minutes_longer(self, call: Call, citizens: Citizens) -> None:
        assert not self.goes_out(call, citizens, "one", 9 * MINUTE)
        assert self.goes_out(call, citizens, "one", 11 * MINUTE)

    def test_another_answer_goes_out_at_once(self, call: Call, citizens: Citizens) -> None:
        assert self.goes_out(call, citizens, "two", timedelta())

    def test_another_plate_or_citizen_has_its_own_minutes(self, call: Call, citizens: Citizens) -> None:
        assert self.goes_out(call, citizens, "one", timedelta(), OTHER_PLATE)
        assert self.goes_out(call, citizens, "one", timedelta(), sub="another")

    def test_a_look_up_without_sms_keeps_the_minutes_of_the_one_before(self, call: Call, citizens: Citizens) -> None:
        citizens.seen(SUB, PLATE.key, NOON + MINUTE)
        assert not self.goes_out(call, citizens, "one", 2 * MINUTE)


class TestMaySee:
    def test_a_stranger_may_see_nothing(self, citizens: Citizens) -> None:
        follow(citizens, "another")
        citizens.seen("another", PLATE.key, NOON)
        assert citizens.may_see(SUB, [PLATE.key, OTHER_PLATE.key], NOON) == set()
        assert citizens.may_see(SUB, [], NOON) == set()

    def test_a_look_up_counts_for_a_day(self, citizens: Citizens) -> None:
        citizens.seen(SUB, PLATE.key, NOON)
        assert citizens.may_see(SUB, [PLATE.key, OTHER_PLATE.key], NOON + DAY - SECOND) == {PLATE.key}
        assert citizens.may_see(SUB, [PLATE.key], NOON + DAY) == set()

    def test_a_look_up_with_sms_counts_too(self, engine: Engine, citizens: Citizens) -> None:
        transact(engine.fast(), [citizens.answered_action(SUB, PLATE.key, "one", NOON)])
        assert citizens.may_see(SUB, [PLATE.key], NOON + DAY - SECOND) == {PLATE.key}

    def test_a_link_counts_for_good(self, citizens: Citizens) -> None:
        follow(citizens)
        assert citizens.may_see(SUB, [PLATE.key, OTHER_PLATE.key], NOON + 1000 * DAY) == {PLATE.key}

    def test_many_plates_are_asked_about_at_once(self, citizens: Citizens) -> None:
        citizens.seen(SUB, PLATE.key, NOON)
        assert citizens.may_see(SUB, [PLATE.key, *(f"OLD#11#{n}" for n in range(80))], NOON) == {PLATE.key}


class TestLinks:
    def test_a_link_is_kept_with_its_follower(self, citizens: Citizens) -> None:
        assert citizens.link(SUB, vehicle(), NOON) is None
        follower = Follower(SUB, "v1", "private", True, False, "self", to_text(NOON))
        assert citizens.follower(PLATE.key, SUB) == follower
        assert list(citizens.followers(PLATE.key)) == [follower]
        assert list(citizens.followers(OTHER_PLATE.key)) == []
        assert citizens.follower(PLATE.key, "another") is None

    def test_linking_twice_is_linking_once(self, citizens: Citizens, tables: Tables) -> None:
        citizens.link(SUB, vehicle("v1", category=None, notify=False), NOON)
        before = tables.items("Citizens")
        assert citizens.link(SUB, vehicle("v2"), NOON) == vehicle("v1", category=None, notify=False)
        assert sorted(map(str, tables.items("Citizens"))) == sorted(map(str, before))

    def test_linking_from_several_threads_at_once_is_linking_once(self, engine: Engine, tables: Tables) -> None:
        stores = [Citizens(engine.fast(), tables["Citizens"]) for _ in range(8)]
        with ThreadPoolExecutor(len(stores)) as threads:
            known = list(threads.map(lambda pair: pair[1].link(SUB, vehicle(f"v{pair[0]}"), NOON), enumerate(stores)))
        assert known.count(None) == 1
        winner = f"v{known.index(None)}"
        assert {each.vehicle_id for each in known if each} == {winner}
        keys = {item["sk"]["S"] for item in tables.items("Citizens")}
        assert keys == {SUB, f"VEHICLE#{winner}", "PROFILE"}

    def test_followers_are_read_page_by_page(self, engine: Engine, tables: Tables) -> None:
        call = engine.fast()
        citizens = Citizens(_pages_of_two(call), tables["Citizens"])
        for number in range(5):
            follow(citizens, f"sub-{number}")
        assert [follower.sub for follower in citizens.followers(PLATE.key)] == [f"sub-{n}" for n in range(5)]


def _pages_of_two(call: Call) -> Call:
    def limited(service: str, operation: str, request: Json) -> Json:
        return call(service, operation, {**request, "Limit": 2} if operation == "Query" else request)

    return limited
