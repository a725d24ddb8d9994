"""Vehicles, choices, messages, quotas and proof, from event to answer, over real tables."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import pytest

from shared.aws_json import Call, Json
from shared.keyed import Keyed
from shared.stores.registry import Registry
from tests.build import OTHER_PLATE, PHONE, PLATE, SUB, registration, store, violation
from tests.functions import Functions, Reply, forget

TYPED = f"بغداد ز {PLATE.number}"
OWN = {"sub": "ur-owner", "phone_number": "+9647801234567"}
ASKED = {"plate": TYPED, "relation": "self"}
CARD = "AB-12345"


def call(functions: Functions, route: str, **request: Any) -> Reply:
    return functions.call("query.api", route, **request)


def on_vehicle(functions: Functions, method: str, vehicle_id: str, rest: str = "", **request: Any) -> Reply:
    path = {"vehicle_id": vehicle_id, **request.pop("path", {})}
    return call(functions, f"{method} /v1/vehicles/{{vehicle_id}}{rest}", path=path, **request)


def limit(monkeypatch: pytest.MonkeyPatch, **limits: int) -> None:
    for name, value in limits.items():
        monkeypatch.setenv(name, str(value))
    forget()


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
        }


class TestChange:
    def test_notify_and_relation_can_be_changed_apart(self, functions: Functions, linked: str) -> None:
        assert on_vehicle(functions, "PATCH", linked, body={"notify": False}).body["notify"] is False
        assert on_vehicle(functions, "PATCH", linked, body={"relation": "family"}).body["relation"] == "family"
        (mine,) = call(functions, "GET /v1/vehicles").body["items"]
        assert (mine["notify"], mine["relation"]) == (False, "family")
        follower = functions.citizens.follower(PLATE.key, SUB)
        assert follower is not None
        assert follower.notify is False

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

    def test_reading_them_is_audited(self, functions: Functions, linked: str) -> None:
        before = audits(functions)
        on_vehicle(functions, "GET", linked, "/violations")
        assert len(audits(functions)) == len(before) + 1


OTHERS = [
    ("PATCH", ""),
    ("DELETE", ""),
    ("GET", "/violations"),
    ("GET", "/followers"),
]


@pytest.mark.parametrize(("method", "rest"), OTHERS)
@pytest.mark.parametrize("whose", ["another", "nobody"])
def test_another_citizens_vehicle_does_not_exist(
    functions: Functions, linked: str, method: str, rest: str, whose: str
) -> None:
    vehicle_id = linked if whose == "another" else "0" * 32
    reply = on_vehicle(functions, method, vehicle_id, rest, body={}, claims=OWN)
    assert (reply.status, reply.body["code"]) == (404, "no_such_vehicle")


class TestMe:
    def test_a_new_citizen_has_the_calls_language_and_sms(self, functions: Functions) -> None:
        assert call(functions, "GET /v1/me").body == {"language": "en", "sms": True, "phone": "+964*******746"}

    def test_what_is_chosen_stays(self, functions: Functions) -> None:
        chosen = call(functions, "PATCH /v1/me", body={"language": "ckb", "sms": False}).body
        assert chosen == {"language": "ckb", "sms": False, "phone": "+964*******746"}
        assert functions.ask({"plate": TYPED}).body["sms"]["status"] == "off"
        assert call(functions, "GET /v1/me").body == chosen
        assert call(functions, "PATCH /v1/me", body={"sms": True}).body["language"] == "ckb"

    def test_the_sms_is_in_the_chosen_language(self, functions: Functions) -> None:
        call(functions, "PATCH /v1/me", body={"language": "ckb"})
        functions.ask({"plate": TYPED})
        functions.send_due()
        assert functions.phones.sent[0][1].startswith("غەرامە")

    @pytest.mark.parametrize("phone", [None, "+14155550100", "07"])
    def test_a_token_without_an_iraqi_mobile_has_no_phone(self, functions: Functions, phone: str | None) -> None:
        assert call(functions, "GET /v1/me", claims={"phone_number": phone}).body["phone"] is None


class TestMessages:
    def test_they_are_mine_newest_first_with_their_status(self, functions: Functions) -> None:
        for number in (101, 102, 103):
            functions.ask({"plate": f"11 {number}"})
            functions.clock.forward(minutes=1)
        functions.ask({"plate": TYPED}, claims=OWN)
        functions.send_due()
        first = call(functions, "GET /v1/messages", query={"limit": "2"}).body
        second = call(functions, "GET /v1/messages", query={"cursor": first["next_cursor"]}).body
        assert [each["plate"]["number"] for each in first["items"] + second["items"]] == ["103", "102", "101"]
        assert {each["status"] for each in first["items"]} == {"sent"}
        assert first["items"][0]["text"].startswith("Gharama: plate ending 103")
        assert second["next_cursor"] is None


class TestQuotas:
    def test_queries_are_refused_until_midnight_in_baghdad(
        self, functions: Functions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        limit(monkeypatch, QUERIES_A_DAY=2)
        assert [functions.ask({"plate": TYPED}).status for _ in range(2)] == [200, 200]
        reply = functions.ask({"plate": TYPED})
        assert (reply.status, reply.body["code"]) == (429, "quota_queries")
        assert reply.headers["retry-after"] == str(12 * 3600)
        functions.clock.forward(hours=12)
        assert functions.ask({"plate": TYPED}).status == 200

    def test_different_plates_are_refused_but_not_the_linked(
        self, functions: Functions, monkeypatch: pytest.MonkeyPatch, linked: str
    ) -> None:
        limit(monkeypatch, PLATES_A_DAY=2)
        statuses = [functions.ask({"plate": f"11 {number}"}).status for number in (1, 2, 3, 1)]
        assert statuses == [200, 200, 429, 200]
        assert functions.ask({"plate": "11 9"}).body["code"] == "quota_plates"
        assert functions.ask({"plate": TYPED}).status == 200

    @pytest.mark.parametrize(("text", "status"), [("جديد 5", 422), ("Baghdad A 12345", 409)])
    def test_a_text_that_is_not_one_plate_counts_as_a_query(
        self, functions: Functions, monkeypatch: pytest.MonkeyPatch, text: str, status: int
    ) -> None:
        limit(monkeypatch, QUERIES_A_DAY=2, PLATES_A_DAY=1)
        assert functions.ask({"plate": text}).status == status
        assert functions.ask({"plate": TYPED}).status == 200
        assert functions.ask({"plate": text}).body["code"] == "quota_queries"

    def test_links_are_refused(self, functions: Functions, monkeypatch: pytest.MonkeyPatch) -> None:
        limit(monkeypatch, LINKS_A_DAY=1, MOST_VEHICLES=2)
        assert functions.link(ASKED).status == 201
        reply = functions.link({"plate": "11 2", "relation": "self"})
        assert (reply.status, reply.body["code"]) == (429, "quota_links")
        assert functions.link(ASKED).status == 200
        functions.clock.forward(hours=12)
        assert functions.link({"plate": "11 2", "relation": "self"}).status == 201
        functions.clock.forward(hours=24)
        reply = functions.link({"plate": "11 3", "relation": "self"})
        assert (reply.status, reply.body["code"]) == (409, "vehicles_full")
        assert "retry-after" not in reply.headers

    def test_a_link_that_only_tells_of_several_categories_counts_as_a_look_up(
        self, functions: Functions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Or whether a plate has violations in several could be asked of every plate, without end."""
        limit(monkeypatch, PLATES_A_DAY=1)
        for plate in (PLATE, OTHER_PLATE):
            subjects = [violation(plate_key=plate.key, category=category) for category in ("hire", "private")]
            store(functions.violations, *subjects)
        other = {**ASKED, "plate": f"12 ز {OTHER_PLATE.number}"}
        assert [functions.link(asked).status for asked in (ASKED, ASKED, other)] == [409, 409, 429]


def audits(functions: Functions) -> list[Json]:
    return [item for item in functions.tables.items("Citizens") if item["sk"]["S"].startswith("AUDIT#")]


class TestAudit:
    def test_every_look_up_is_kept_without_its_plate(self, functions: Functions) -> None:
        store(functions.violations, violation(category="hire"), violation(category="private"))
        functions.ask({"plate": TYPED})
        functions.ask({"plate": "11 5"})
        functions.ask({"plate": "11 5"})
        kept = audits(functions)
        assert len(kept) == 3
        assert len({item["plate"]["S"] for item in kept}) == 2
        a_year = functions.clock.at.timestamp() + 366 * 86_400
        assert {int(item["expires"]["N"]) for item in kept} == {int(a_year)}
        assert PLATE.number not in str(kept)


class Counted:
    def __init__(self, port: Call) -> None:
        self._port = port
        self.operations: list[str] = []

    def __call__(self, service: str, operation: str, request: Json) -> Json:
        self.operations.append(operation)
        return self._port(service, operation, request)


def test_the_calls_of_a_look_up_are_few(functions: Functions, monkeypatch: pytest.MonkeyPatch) -> None:
    port = Counted(functions._fast())
    monkeypatch.setattr("query.api.FastClient", lambda: port)
    functions.ask({"plate": TYPED})
    assert port.operations == ["GetSecretValue", "UpdateItem", "UpdateItem", "Query", "GetItem", "TransactWriteItems"]
    port.operations.clear()
    functions.ask({"plate": "11 7"})
    assert port.operations == ["UpdateItem", "Query", "TransactWriteItems"]
    port.operations.clear()
    functions.ask({"plate": "11 7"})
    assert port.operations == ["UpdateItem", "Query", "TransactWriteItems", "TransactWriteItems"]


# ---------------------------------------------------------------------- proof


@pytest.fixture
def registry(functions: Functions, monkeypatch: pytest.MonkeyPatch) -> Registry:
    monkeypatch.setenv("PROOF", "registration")
    forget()
    port = functions._fast()
    keyed = Keyed.from_secret(port, os.environ["PLATE_KEY_SECRET"])
    registry = Registry(port, functions.tables["Registry"], keyed)
    registry.write([registration("AB12345")])
    return registry


def prove(functions: Functions, number: str = CARD, **request: Any) -> Reply:
    return functions.link({**ASKED, "proof": {"type": "registration", "number": number}}, **request)


@pytest.mark.usefixtures("registry")
class TestProof:
    @pytest.mark.parametrize("number", [CARD, "ab 12345", "AB-١٢٣٤٥", "AB/12345"])
    def test_the_number_on_the_card_proves(self, functions: Functions, number: str) -> None:
        reply = prove(functions, number)
        assert (reply.status, reply.body["proven"]) == (201, True)

    def test_without_the_number_on_the_card_nothing_is_linked(self, functions: Functions) -> None:
        assert functions.link(ASKED).errors == [("proof", "missing")]
        assert prove(functions, "AB12346").errors == [("proof.number", "proof_wrong")]
        assert functions.citizens.vehicles(SUB) == []

    def test_proven_answers_tell_place_and_time_and_others_neither(self, functions: Functions) -> None:
        store(functions.violations, violation(place="by the bridge"))
        before = functions.ask({"plate": TYPED}).body["violations"][0]
        assert (before["place"], before["occurred_at"]) == (None, "2026-11-19")
        vehicle_id = prove(functions).body["vehicle_id"]
        page = on_vehicle(functions, "GET", vehicle_id, "/violations").body["items"]
        asked = functions.ask({"plate": TYPED}).body
        again = functions.read_on(asked["query_id"]).body["items"]
        for (shown,) in (page, asked["violations"], again):
            assert (shown["place"], shown["occurred_at"]) == ("by the bridge", "2026-11-19T08:00:00+03:00")
        (stranger,) = functions.ask({"plate": TYPED}, claims=OWN).body["violations"]
        assert (stranger["place"], stranger["occurred_at"]) == (None, "2026-11-19")

    def test_five_wrong_numbers_stop_that_citizen_for_that_plate_for_the_day(
        self, functions: Functions, registry: Registry
    ) -> None:
        registry.write([registration("CD67890", OTHER_PLATE)])
        assert [prove(functions, f"WRONG{n}").status for n in range(5)] == [422] * 5
        reply = prove(functions)
        assert (reply.status, reply.body["code"]) == (429, "quota_proofs")
        assert reply.headers["retry-after"] == str(12 * 3600)
        assert prove(functions, claims=OWN).status == 201
        other = {"plate": f"12 ز {OTHER_PLATE.number}", "relation": "self"}
        assert functions.link({**other, "proof": {"type": "registration", "number": "CD67890"}}).status == 201
        functions.clock.forward(hours=12)
        assert prove(functions).status == 201

    def test_right_numbers_are_no_wrong_tries(self, functions: Functions) -> None:
        assert [prove(functions).status for _ in range(7)] == [201] + [200] * 6

    def test_a_plate_that_many_try_raises_an_alarm_and_keeps_its_owner(
        self, functions: Functions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        counted: list[str] = []
        monkeypatch.setattr("query.vehicles.count", counted.append)
        for citizen in range(5):
            for number in range(4):
                prove(functions, f"WRONG{number}", claims={"sub": f"ur-{citizen}"})
        assert counted == ["SuspiciousProofs"]
        assert prove(functions, claims=OWN).status == 201

    def test_numbers_are_kept_as_fingerprints_only(self, functions: Functions) -> None:
        prove(functions, "WRONG1")
        kept = str(functions.tables.items("Registry"))
        for secret in ("AB12345", "WRONG1", PLATE.number):
            assert secret not in kept

    def test_a_newer_registration_replaces_an_older_and_not_the_reverse(
        self, functions: Functions, registry: Registry
    ) -> None:
        assert registry.write([registration("OLD1111", at="2026-10-01")]) == ["stale"]
        assert registry.write([registration("NEW2222", at="2026-11-02")]) == ["updated"]
        assert prove(functions).status == 422
        assert prove(functions, "NEW2222").status == 201

    def test_a_card_of_one_category_proves_no_other(self, functions: Functions, registry: Registry) -> None:
        registry.write([registration("CD67890", OTHER_PLATE, category="hire")])
        parts = {"family": "german", "governorate": "12", "letter": "ز", "number": OTHER_PLATE.number}
        proof = {"type": "registration", "number": "CD67890"}
        wrong, right = (
            functions.link({"plate": {**parts, "category": category}, "relation": "self", "proof": proof}).status
            for category in ("private", "hire")
        )
        assert (wrong, right) == (422, 201)

    def test_a_card_of_one_of_several_categories_links_the_vehicle_of_that_one(
        self, functions: Functions, registry: Registry
    ) -> None:
        registry.write(
            [registration(f"{name.upper()}1", category=name, at="2026-11-02") for name in ("hire", "private")]
        )
        store(functions.violations, violation(category="hire"), violation(category="private"))
        linked = prove(functions, "HIRE1").body
        assert (linked["plate"]["category"], linked["totals"]["count"]) == ("hire", 1)
        page = on_vehicle(functions, "GET", linked["vehicle_id"], "/violations").body
        assert [each["plate"]["category"] for each in page["items"]] == ["hire"]

    def test_an_owner_is_told_no_more_of_another_vehicle_of_the_same_number(
        self, functions: Functions, registry: Registry
    ) -> None:
        registry.write(
            [registration(f"{name.upper()}1", category=name, at="2026-11-02") for name in ("hire", "private")]
        )
        prove(functions, "HIRE1")
        store(functions.violations, violation(category="private", place="by the bridge"))
        parts = {"family": "german", "governorate": "11", "letter": "ز", "number": PLATE.number, "category": "private"}
        by_number, by_category = (functions.ask({"plate": plate}).body for plate in (TYPED, parts))
        again = functions.read_on(by_number["query_id"]).body["items"]
        for (shown,) in (by_number["violations"], by_category["violations"], again):
            assert (shown["place"], shown["occurred_at"]) == (None, "2026-11-19")
        store(functions.violations, violation(category="hire", place="in the tunnel"))
        (own,) = functions.ask({"plate": {**parts, "category": "hire"}}).body["violations"]
        assert own["place"] == "in the tunnel"

    def test_a_card_of_another_category_proves_no_link_of_before(
        self, functions: Functions, registry: Registry, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        registry.write(
            [registration(f"{name.upper()}1", category=name, at="2026-11-02") for name in ("hire", "private")]
        )
        monkeypatch.setenv("PROOF", "declared")
        forget()
        parts = {"family": "german", "governorate": "11", "letter": "ز", "number": PLATE.number}
        functions.link({"plate": {**parts, "category": "private"}, "relation": "self"})
        monkeypatch.setenv("PROOF", "registration")
        forget()
        assert prove(functions, "HIRE1").body["proven"] is False
        assert prove(functions, "PRIVATE1").body["proven"] is True


@pytest.mark.usefixtures("registry")
class TestOwner:
    @pytest.fixture
    def owned(self, functions: Functions) -> str:
        vehicle_id: str = prove(functions, claims=OWN).body["vehicle_id"]
        return vehicle_id

    def test_a_new_follower_is_told_by_sms_once(self, functions: Functions, owned: str) -> None:
        prove(functions)
        prove(functions)
        functions.send_due()
        ((phone, text),) = functions.phones.sent
        assert phone == OWN["phone_number"]
        assert text.startswith("Gharama: plate ending 418 is followed by another account since 20/11/2026")

    def test_the_owner_sees_who_follows_and_can_end_it(self, functions: Functions, owned: str) -> None:
        theirs = prove(functions).body["vehicle_id"]
        items = on_vehicle(functions, "GET", owned, "/followers", claims=OWN).body["items"]
        assert [(each["me"], each["phone"]) for each in sorted(items, key=lambda each: not each["me"])] == [
            (True, "+964*******567"),
            (False, "+964*******746"),
        ]
        remove: Callable[[], Reply] = lambda: on_vehicle(  # noqa: E731
            functions, "DELETE", owned, "/followers/{follower_id}", path={"follower_id": theirs}, claims=OWN
        )
        assert remove().status == 204
        assert remove().body["code"] == "no_such_follower"
        assert call(functions, "GET /v1/vehicles").body["items"] == []
        assert functions.citizens.follower(PLATE.key, SUB) is None

    def test_without_proof_nobody_is_shown(
        self, functions: Functions, monkeypatch: pytest.MonkeyPatch, owned: str
    ) -> None:
        monkeypatch.setenv("PROOF", "declared")
        forget()
        unproven = functions.link(ASKED).body["vehicle_id"]
        reply = on_vehicle(functions, "GET", unproven, "/followers")
        assert (reply.status, reply.body["code"]) == (403, "not_proven")
        monkeypatch.setenv("PROOF", "registration")
        forget()
        again = prove(functions)
        assert (again.status, again.body["vehicle_id"], again.body["proven"]) == (200, unproven, True)
        assert on_vehicle(functions, "GET", unproven, "/followers").status == 200


def test_the_description_is_served_to_anybody(functions: Functions) -> None:
    from query.api import handler
    from tests import lambda_events as events

    reply = handler(events.http("GET /v1/openapi.json"), events.context())
    assert reply["statusCode"] == 200
    assert json.loads(reply["body"])["openapi"] == "3.1.0"
    assert PHONE not in reply["body"]
