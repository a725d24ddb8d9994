"""Proof by the number on the registration card, and what a proven owner may see and do, over real tables."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from shared.access.grant import Access
from shared.plate_crypto import PlateCrypto
from shared.stores.registry import Registry
from tests.support.asking import ASKED, OWN, TYPED, call, entries, on_vehicle
from tests.support.build import OTHER_PLATE, PLATE, SUB, follower, registration, store, violation
from tests.support.functions import Functions, Reply, forget

CARD = "AB-12345"


@pytest.fixture
def registry(functions: Functions, monkeypatch: pytest.MonkeyPatch) -> Registry:
    proof_is(monkeypatch, "registration")
    port = functions._fast()
    crypto = PlateCrypto.from_secret(port, os.environ["PLATE_KEY_SECRET"])
    registry = Registry(port, functions.tables["Registry"], crypto)
    registry.write([registration("AB12345")])
    return registry


def register_both(registry: Registry) -> None:
    """Two vehicles of the number, each with a card of its own."""
    registry.write([registration(f"{name.upper()}1", category=name, at="2026-11-02") for name in ("hire", "private")])


def proof_is(monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    """What the deployment takes for proof, from now on."""
    monkeypatch.setenv("PROOF", mode)
    forget()


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

    def test_ten_tries_a_day_are_all_whatever_the_plate_and_the_number(
        self, functions: Functions, registry: Registry, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        counted: list[str] = []
        monkeypatch.setattr("query.vehicles.count", counted.append)
        registry.write([registration("CD67890", OTHER_PLATE)])
        assert prove(functions).status == 201
        plates = [{"plate": f"11 ز {number}", "relation": "self"} for number in range(1, 9)]
        proof = {"type": "registration", "number": "WRONG1"}
        assert [functions.link({**plate, "proof": proof}).status for plate in plates] == [422] * 8
        assert prove(functions, "WRONG2").status == 422
        assert set(counted) == {"ProofRefused"}
        other = {"plate": f"12 ز {OTHER_PLATE.number}", "relation": "self"}
        right, wrong = (
            functions.link({**other, "proof": {"type": "registration", "number": number}})
            for number in ("CD67890", "WRONG1")
        )
        assert right.body["code"] == wrong.body["code"] == "proofs_quota"
        assert right.status == wrong.status == 429
        assert right.headers["retry-after"] == str(12 * 3600)
        assert Counter(counted)["SuspiciousProofs"] == 2
        assert prove(functions, claims=OWN).status == 201
        functions.clock.forward(hours=12)
        assert functions.link({**other, "proof": {"type": "registration", "number": "CD67890"}}).status == 201

    def test_four_hundred_wrong_numbers_over_two_hundred_plates(
        self, functions: Functions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        counted: list[str] = []
        monkeypatch.setattr("query.vehicles.count", counted.append)
        said = [
            functions.link(
                {
                    "plate": f"11 ز {1000 + number // 2}",
                    "relation": "self",
                    "proof": {"type": "registration", "number": f"WRONG{number}"},
                }
            )
            for number in range(400)
        ]
        assert [(reply.status, reply.errors) for reply in said[:10]] == [(422, [("proof.number", "proof_wrong")])] * 10
        assert {(reply.status, reply.body["code"]) for reply in said[10:]} == {(429, "proofs_quota")}
        assert [item["what"]["S"] for item in entries(functions)].count("proof") == 10, "what was looked at"
        assert Counter(counted) == {"ProofRefused": 10, "SuspiciousProofs": 390}, "which rings"
        assert functions.citizens.vehicles(SUB) == []

    def test_each_try_is_audited(self, functions: Functions) -> None:
        for number in ("WRONG1", "WRONG2", CARD):
            prove(functions, number)
        assert [item["what"]["S"] for item in entries(functions)].count("proof") == 3

    @pytest.mark.parametrize("left", ["LINKS_A_DAY", "MAX_VEHICLES"])
    def test_what_would_refuse_the_right_number_refuses_the_wrong_one_alike(
        self, functions: Functions, monkeypatch: pytest.MonkeyPatch, left: str
    ) -> None:
        monkeypatch.setenv(left, "1")
        proof_is(monkeypatch, "optional")
        assert functions.link({"plate": "11 ز 1", "relation": "self"}).status == 201
        right, wrong = (prove(functions, number) for number in (CARD, "WRONG1"))
        assert right.status == wrong.status
        assert right.body["code"] == wrong.body["code"] in ("vehicles_full", "quota_links")

    def test_a_plate_that_many_try_raises_an_alarm_and_keeps_its_owner(
        self, functions: Functions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        counted: list[str] = []
        monkeypatch.setattr("query.vehicles.count", counted.append)
        for citizen in range(5):
            for number in range(4):
                prove(functions, f"WRONG{number}", claims={"sub": f"ur-{citizen}"})
        assert Counter(counted) == {"ProofRefused": 20, "SuspiciousProofs": 1}
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
        register_both(registry)
        store(functions.violations, violation(category="hire"), violation(category="private"))
        linked = prove(functions, "HIRE1").body
        assert (linked["plate"]["category"], linked["totals"]["count"]) == ("hire", 1)
        page = on_vehicle(functions, "GET", linked["vehicle_id"], "/violations").body
        assert [each["plate"]["category"] for each in page["items"]] == ["hire"]

    def test_an_owner_is_told_no_more_of_another_vehicle_of_the_same_number(
        self, functions: Functions, registry: Registry
    ) -> None:
        register_both(registry)
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
        register_both(registry)
        proof_is(monkeypatch, "optional")
        parts = {"family": "german", "governorate": "11", "letter": "ز", "number": PLATE.number}
        functions.link({"plate": {**parts, "category": "private"}, "relation": "self"})
        proof_is(monkeypatch, "registration")
        assert prove(functions, "HIRE1").body["proven"] is False
        assert prove(functions, "PRIVATE1").body["proven"] is True

    def test_a_card_proves_a_link_of_before_that_named_no_category_to_be_of_its_own(
        self, functions: Functions, registry: Registry, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        register_both(registry)
        proof_is(monkeypatch, "optional")
        before = functions.link(ASKED).body
        proof_is(monkeypatch, "registration")
        after = prove(functions, "HIRE1").body
        assert after["vehicle_id"] == before["vehicle_id"]
        assert (after["proven"], after["plate"]["category"]) == (True, "hire")
        (listed,) = call(functions, "GET /v1/vehicles").body["items"]
        assert listed == {name: value for name, value in after.items() if name != "totals"}
        kept = follower(functions.citizens)
        assert kept
        assert (kept.proven, kept.category) == (True, "hire")
        assert prove(functions, "PRIVATE1").body == after


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
        assert text.startswith("Gharama (Ur): another account now follows plate ..418. ")

    def test_one_who_ends_it_and_comes_back_is_told_of_once(self, functions: Functions, owned: str) -> None:
        for _ in range(3):
            vehicle_id = prove(functions).body["vehicle_id"]
            functions.send_due()
            functions.clock.forward(hours=2)
            assert on_vehicle(functions, "DELETE", vehicle_id).status == 204
        assert len(functions.phones.sent) == 1

    def test_the_owner_sees_who_follows_and_can_end_it(
        self, functions: Functions, owned: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        proof_is(monkeypatch, "optional")
        theirs = functions.link(ASKED).body["vehicle_id"]
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
        assert follower(functions.citizens) is None

    def test_another_who_has_proved_it_too_is_the_directorates_to_judge(self, functions: Functions, owned: str) -> None:
        theirs = prove(functions).body["vehicle_id"]
        path = {"follower_id": theirs}
        reply = on_vehicle(functions, "DELETE", owned, "/followers/{follower_id}", path=path, claims=OWN)
        assert (reply.status, reply.body["code"]) == (409, "follower_proven")
        assert functions.access() == Access.PROVEN
        (contested,) = [item for item in functions.tables.items("Citizens") if item["pk"]["S"] == "CONTESTED"]
        assert (contested["sub"]["S"], contested["other"]["S"]) == (OWN["sub"], SUB)

    def test_the_owner_may_end_their_own_link_here_too(self, functions: Functions, owned: str) -> None:
        path = {"follower_id": owned}
        reply = on_vehicle(functions, "DELETE", owned, "/followers/{follower_id}", path=path, claims=OWN)
        assert reply.status == 204
        assert functions.access(sub=OWN["sub"]) == Access.NONE

    def test_without_proof_nobody_is_shown(
        self, functions: Functions, monkeypatch: pytest.MonkeyPatch, owned: str
    ) -> None:
        proof_is(monkeypatch, "optional")
        unproven = functions.link(ASKED).body["vehicle_id"]
        reply = on_vehicle(functions, "GET", unproven, "/followers")
        assert (reply.status, reply.body["code"]) == (403, "not_proven")
        proof_is(monkeypatch, "registration")
        again = prove(functions)
        assert (again.status, again.body["vehicle_id"], again.body["proven"]) == (200, unproven, True)
        assert on_vehicle(functions, "GET", unproven, "/followers").status == 200
