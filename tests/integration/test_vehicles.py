"""A citizen's vehicles, from event to answer, over real tables: listed, changed, ended, and their violations."""

from __future__ import annotations

import pytest

from tests.support.asking import ASKED, OWN, call, entries, on_vehicle
from tests.support.build import OTHER_PLATE, PLATE, follower, store, violation
from tests.support.functions import Functions


@pytest.fixture
def linked(functions: Functions) -> str:
    vehicle_id: str = functions.link({**ASKED, "notify": True}).body["vehicle_id"]
    return vehicle_id


class TestList:
    def test_it_is_my_vehicles_page_by_page(self, functions: Functions) -> None:
        ids = {
            functions.link({"plate": f"11 {number}", "relation": "family"}).body["vehicle_id"] for number in range(1, 6)
        }
        found, cursor = [], ""
        while True:
            page = call(
                functions, "GET /v1/vehicles", query={"limit": "2", **({"cursor": cursor} if cursor else {})}
            ).body
            found += [each["vehicle_id"] for each in page["items"]]
            cursor = page["next_cursor"]
            if not cursor:
                break
        assert len(found) == 5
        assert set(found) == ids

    def test_it_is_nobody_elses(self, functions: Functions, linked: str) -> None:
        assert call(functions, "GET /v1/vehicles", claims=OWN).body == {"items": [], "next_cursor": None}
        (mine,) = call(functions, "GET /v1/vehicles").body["items"]
        assert mine == {
            "vehicle_id": linked,
            "plate": mine["plate"],
            "relation": "self",
            "notify": True,
            "proven": False,
            "proof_pending": False,
            "lapses_on": None,
        }


class TestChange:
    def test_notify_and_relation_can_be_changed_apart(self, functions: Functions, linked: str) -> None:
        assert on_vehicle(functions, "PATCH", linked, body={"notify": False}).body["notify"] is False
        assert on_vehicle(functions, "PATCH", linked, body={"relation": "family"}).body["relation"] == "family"
        (mine,) = call(functions, "GET /v1/vehicles").body["items"]
        assert (mine["notify"], mine["relation"]) == (False, "family")
        kept = follower(functions.citizens)
        assert kept is not None
        assert kept.notify is False

    def test_nothing_asked_is_nothing_changed(self, functions: Functions, linked: str) -> None:
        assert on_vehicle(functions, "PATCH", linked, body={}).body["notify"] is True


class TestUnlink:
    def test_it_ends_the_link_once(self, functions: Functions, linked: str) -> None:
        reply = on_vehicle(functions, "DELETE", linked)
        assert (reply.status, reply.body) == (204, None)
        assert on_vehicle(functions, "DELETE", linked).status == 404
        assert list(functions.citizens.followers(PLATE.key)) == []
        assert functions.link(ASKED).status == 201


class TestViolations:
    def test_they_are_the_vehicles_page_by_page_with_totals_of_all(self, functions: Functions, linked: str) -> None:
        store(functions.violations, *(violation() for _ in range(7)), violation(plate_key=OTHER_PLATE.key))
        first = on_vehicle(functions, "GET", linked, "/violations", query={"limit": "5"}).body
        assert first["totals"]["count"] == 7
        second = on_vehicle(functions, "GET", linked, "/violations", query={"cursor": first["next_cursor"]}).body
        numbers = [each["violation_no"] for each in first["items"] + second["items"]]
        assert len(set(numbers)) == 7
        assert second["next_cursor"] is None
        assert first["items"][0]["place"] is None

    def test_reading_them_is_kept_once_a_day(self, functions: Functions, linked: str) -> None:
        for _ in range(3):
            assert on_vehicle(functions, "GET", linked, "/violations").status == 200
        assert [item["what"]["S"] for item in entries(functions)] == ["vehicle"]
        functions.clock.forward(days=1)
        on_vehicle(functions, "GET", linked, "/violations")
        assert [item["what"]["S"] for item in entries(functions)] == ["vehicle", "vehicle"]


OTHERS = [
    ("PATCH", ""),
    ("DELETE", ""),
    ("GET", "/violations"),
    ("GET", "/followers"),
    ("GET", "/look-ups"),
]


@pytest.mark.parametrize(("method", "rest"), OTHERS)
@pytest.mark.parametrize("whose", ["another", "nobody"])
def test_another_citizens_vehicle_does_not_exist(
    functions: Functions, linked: str, method: str, rest: str, whose: str
) -> None:
    vehicle_id = linked if whose == "another" else "0" * 32
    reply = on_vehicle(functions, method, vehicle_id, rest, body={}, claims=OWN)
    assert (reply.status, reply.body["code"]) == (404, "no_such_vehicle")
