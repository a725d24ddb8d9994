"""The Citizens table: profiles, vehicles and followers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from shared.aws_json import Call, Json
from shared.domain.citizen import Follower, Profile, Vehicle
from shared.domain.time import to_text
from shared.stores.people.citizens import Citizens
from tests.support.aws import Engine, Tables
from tests.support.build import NOON, OTHER_PLATE, PHONE, PLATE, SUB, follow

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


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


class TestLinks:
    def test_a_link_is_kept_with_its_follower(self, citizens: Citizens) -> None:
        assert citizens.link(SUB, vehicle(), NOON) is None
        assert list(citizens.followers(PLATE.key)) == [
            Follower(SUB, "v1", "private", True, False, "self", to_text(NOON))
        ]
        assert list(citizens.followers(OTHER_PLATE.key)) == []

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
        assert keys == {SUB, f"VEHICLE#{winner}", "PROFILE", "UNPROVEN"}

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
