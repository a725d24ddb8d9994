"""A damaged item in each table that answers a citizen: the rest is answered, the answer says so, and it is counted.

An attribute is missing, is of another type, holds a word or a date that is none, or is kept as a later version may.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, Final

import pytest

from shared.aws_json import Json
from shared.domain.citizen import Vehicle
from shared.domain.plate import Plate
from shared.domain.text import digest
from shared.domain.violation import Violation
from shared.plate_crypto import PlateCrypto
from shared.stores.registry import Registry
from tests.support.asking import ASKED, TYPED, call, on_vehicle
from tests.support.build import NOON, OTHER_PLATE, PHONE, PLATE, SUB, registration, store, violation
from tests.support.functions import Functions
from tests.support.metrics import counted
from tests.support.payment_requests import payment_body

NOTE: Final = "Not everything could be shown: there may be more than stands here, try again later"
Damage = Json | None
"""What an attribute holds instead; None where it is missing."""
LATER: Final[Json] = {"M": {"value": {"S": "x"}}}


@pytest.fixture
def damage(functions: Functions) -> Callable[[str, Json, str, Damage], None]:
    """Damages an attribute of an item, whatever the store's own writes would say."""

    def change(table: str, key: Json, attribute: str, value: Damage) -> None:
        (item,) = [each for each in functions.tables.items(table) if key.items() <= each.items()]
        whole = dict(item)
        item.pop(attribute, None)
        item |= {attribute: value} if value else {}
        assert item != whole
        port = functions._fast()
        port("dynamodb", "PutItem", {"TableName": functions.tables[table], "Item": item})

    return change


@pytest.fixture
def unreadable(capsys: pytest.CaptureFixture[str]) -> Callable[[], float]:
    """Says how many items that cannot be read were counted since the last look."""
    return lambda: sum(counted(capsys.readouterr().out).get("ItemsUnreadable", []))


def key(pk: str, sk: str | None = None) -> Json:
    return {"pk": {"S": pk}, **({"sk": {"S": sk}} if sk else {})}


def linked(functions: Functions, sub: str = SUB, plate: Plate = PLATE, **fields: Any) -> str:
    """Link a vehicle with an id as the API gives it, and return that."""
    vehicle_id = digest(sub)[:32]
    functions.citizens.seen_in_person(sub, PHONE, "en")
    values = {"category": None, "relation": "self", "notify": False, "proven": False, **fields}
    functions.citizens.link(sub, Vehicle(vehicle_id, plate.key, **values), NOON)
    return vehicle_id


def proved(functions: Functions) -> str:
    """Link a vehicle by the number on its card, and return its id."""
    port = functions._fast()
    crypto = PlateCrypto.from_secret(port, os.environ["PLATE_KEY_SECRET"])
    Registry(port, functions.tables["Registry"], crypto).write([registration("AB12345")])
    reply = functions.link({**ASKED, "proof": {"type": "registration", "number": "AB-12345"}})
    assert reply.body["proven"]
    vehicle_id: str = reply.body["vehicle_id"]
    return vehicle_id


# ---------------------------------------------------------------- violations

VIOLATION: Final[Mapping[str, tuple[str, Damage]]] = {
    "no amount": ("amount", None),
    "an amount that is text": ("amount", {"S": "50000"}),
    "an amount of a later version": ("amount", LATER),
    "an amount with fils": ("amount", {"N": "50000.5"}),
    "no version": ("version", None),
    "no status": ("status", None),
    "an unknown category": ("category", {"S": "hovercraft"}),
    "a date that is none": ("occurred_at", {"N": "20261119"}),
    "no date": ("occurred_at", None),
    "a date in words": ("recorded_at", {"S": "yesterday"}),
    "a settlement of a later version": ("paid_by", LATER),
    "an amount due of another type": ("amount_due", {"S": "5"}),
    "a doubling of another type": ("doubled_at", {"N": "1"}),
}


@pytest.fixture
def three(functions: Functions) -> list[Violation]:
    full = {"category": "private", "amount_due": 60_000, "doubled_at": "2026-12-24T08:00:00+03:00"}
    subjects = [violation(amount=amount, **full) for amount in (60_000, 60_001, 60_002)]
    store(functions.violations, *subjects)
    return subjects


@pytest.mark.parametrize("kind", VIOLATION)
def test_the_other_violations_of_a_plate_are_answered(
    functions: Functions,
    three: list[Violation],
    damage: Callable[..., None],
    unreadable: Callable[[], float],
    kind: str,
) -> None:
    vehicle_id = linked(functions)
    damage("Violations", key(three[0].violation_no), *VIOLATION[kind])
    others = {each.violation_no for each in three[1:]}

    asked = functions.ask({"plate": TYPED})
    assert asked.status == 200
    assert {each["violation_no"] for each in asked.body["violations"]} == others
    assert (asked.body["incomplete"], asked.body["note"]) == (True, NOTE)
    totals = asked.body["totals"]
    assert (totals["count"], totals["amount"], totals["complete"]) == (2, 120_000, False)
    assert asked.body["sms"] == {"status": "incomplete", "parts": 0}
    assert functions.statuses() == []
    assert unreadable() == 1

    further = functions.read_on(asked.body["query_id"]).body
    assert ({each["violation_no"] for each in further["items"]}, further["note"]) == (others, NOTE)
    mine = on_vehicle(functions, "GET", vehicle_id, "/violations").body
    assert ({each["violation_no"] for each in mine["items"]}, mine["note"]) == (others, NOTE)
    assert mine["totals"] == totals
    again = functions.link(ASKED).body
    assert (again["totals"], again["incomplete"]) == (totals, True)
    assert unreadable() == 3


@pytest.mark.parametrize(
    "kind", ["no amount", "an amount with fils", "a settlement of a later version", "a date in words"]
)
def test_the_others_can_be_paid_and_the_damaged_one_cannot(
    functions: Functions,
    three: list[Violation],
    damage: Callable[..., None],
    unreadable: Callable[[], float],
    kind: str,
) -> None:
    linked(functions)
    damage("Violations", key(three[0].violation_no), *VIOLATION[kind])
    assert functions.pay(payment_body(*three)).errors == [("violations.0", "violation_not_found")]
    assert functions.pay(payment_body(*three[1:])).status == 201
    assert unreadable() == 1


def test_that_nothing_is_unpaid_is_never_said_of_what_cannot_be_read(
    functions: Functions, damage: Callable[..., None]
) -> None:
    subject = violation()
    store(functions.violations, subject)
    damage("Violations", key(subject.violation_no), "amount", None)
    for language, said in (("ar", "تعذر عرض كل شيء"), ("ckb", "هەموو شتێک پیشان نەدرا"), ("en", "Not everything")):
        body = functions.ask({"plate": TYPED}, headers={"accept-language": language}).body
        assert body["note"].startswith(said)
        assert (body["totals"]["count"], body["totals"]["complete"]) == (0, False)
    assert functions.statuses() == []


def test_what_cannot_be_told_of_is_left_out_of_its_page_and_counts_in_the_sum(
    functions: Functions, damage: Callable[..., None], unreadable: Callable[[], float]
) -> None:
    store(functions.violations, subject := violation(sector_governorate="11"), other := violation())
    damage("Violations", key(subject.violation_no), "sector_governorate", {"S": "99"})
    body = functions.ask({"plate": TYPED}).body
    assert [each["violation_no"] for each in body["violations"]] == [other.violation_no]
    assert (body["incomplete"], body["totals"]["amount"], body["totals"]["complete"]) == (True, 100_000, True)
    assert body["sms"]["status"] == "queued"
    assert unreadable() == 1


def test_a_whole_answer_says_nothing_of_it(functions: Functions, unreadable: Callable[[], float]) -> None:
    store(functions.violations, violation())
    body = functions.ask({"plate": TYPED}).body
    assert "incomplete" not in body
    assert body["note"] is None
    assert unreadable() == 0


def test_a_counter_hears_of_the_rest_and_never_that_a_damaged_one_is_unknown(
    functions: Functions, three: list[Violation], damage: Callable[..., None], unreadable: Callable[[], float]
) -> None:
    damage("Violations", key(three[0].violation_no), "paid_by", LATER)
    numbers = [*(each.violation_no for each in three), "nobody-has-it"]
    reply = functions.call(
        "pay.api", "POST /v1/settlements/check", body={"violations": numbers}, claims={"scope": "directorate"}
    )
    assert [each["status"] for each in reply.body["items"]] == ["other", "unpaid", "unpaid", "unknown"]
    assert unreadable() == 1


# ---------------------------------------------------------------- vehicles and followers

LINK: Final[Mapping[str, tuple[str, Damage]]] = {
    "no relation": ("relation", None),
    "a consent that is text": ("notify", {"S": "yes"}),
    "a proof of a later version": ("proven", LATER),
    "a category that is a number": ("category", {"N": "5"}),
    "an unknown category": ("category", {"S": "hovercraft"}),
}


@pytest.mark.parametrize("kind", LINK)
def test_the_other_vehicles_are_listed(
    functions: Functions, damage: Callable[..., None], unreadable: Callable[[], float], kind: str
) -> None:
    functions.link({**ASKED, "plate": "11 7"})
    vehicle_id = linked(functions, category="private")
    damage("Citizens", key(SUB, f"VEHICLE#{vehicle_id}"), *LINK[kind])
    body = call(functions, "GET /v1/vehicles").body
    assert [each["plate"]["number"] for each in body["items"]] == ["7"]
    assert (body["incomplete"], body["note"]) == (True, NOTE)
    assert unreadable() == 1


@pytest.mark.parametrize("kind", ["no relation", "a consent that is text", "a proof of a later version"])
def test_the_other_followers_are_listed_and_can_be_removed(
    functions: Functions, damage: Callable[..., None], unreadable: Callable[[], float], kind: str
) -> None:
    vehicle_id = proved(functions)
    other_id, _ = linked(functions, "another"), linked(functions, "damaged")
    damage("Citizens", key(f"P#{PLATE.key}", "damaged"), *LINK[kind])
    body = on_vehicle(functions, "GET", vehicle_id, "/followers").body
    assert {each["follower_id"] for each in body["items"]} == {vehicle_id, other_id}
    assert (body["incomplete"], body["note"]) == (True, NOTE)
    assert unreadable() == 1
    rest, path = "/followers/{follower_id}", {"follower_id": other_id}
    assert on_vehicle(functions, "DELETE", vehicle_id, rest, path=path).status == 204
    assert functions.link(ASKED, claims={"sub": "fourth"}).status == 201


def test_a_follower_whose_profile_is_damaged_is_listed_without_a_phone(
    functions: Functions, damage: Callable[..., None], unreadable: Callable[[], float]
) -> None:
    vehicle_id = proved(functions)
    linked(functions, "damaged")
    damage("Citizens", key("damaged", "PROFILE"), "phone", {"N": "5"})
    body = on_vehicle(functions, "GET", vehicle_id, "/followers").body
    assert [each["phone"] for each in body["items"] if not each["me"]] == [None]
    assert (body["incomplete"], unreadable()) == (True, 1)


def test_an_unknown_relation_is_told_as_other(functions: Functions, damage: Callable[..., None]) -> None:
    vehicle_id = proved(functions)
    for item in (key(SUB, f"VEHICLE#{vehicle_id}"), key(f"P#{PLATE.key}", SUB)):
        damage("Citizens", item, "relation", {"S": "employer"})
    assert [each["relation"] for each in call(functions, "GET /v1/vehicles").body["items"]] == ["other"]
    followers = on_vehicle(functions, "GET", vehicle_id, "/followers").body["items"]
    assert [each["relation"] for each in followers] == ["other"]


CARD: Final[Mapping[str, tuple[str, Damage]]] = {
    "no number": ("number", None),
    "a version of another type": ("version", {"N": "5"}),
    "a mark of a later version": ("first", LATER),
}


@pytest.mark.parametrize("kind", CARD)
def test_a_card_that_cannot_be_read_proves_nothing_and_ends_no_proof(
    functions: Functions, damage: Callable[..., None], unreadable: Callable[[], float], kind: str
) -> None:
    store(functions.violations, violation(place="by the bridge"))
    vehicle_id = proved(functions)
    (card,) = [item for item in functions.tables.items("Registry") if item["sk"]["S"].startswith("NUMBER#")]
    damage("Registry", key(card["pk"]["S"], card["sk"]["S"]), *CARD[kind])
    unreadable()
    body = functions.ask({"plate": TYPED}).body
    assert (body["violations"][0]["place"], body["incomplete"], body["totals"]["complete"]) == (None, True, True)
    assert [each["proven"] for each in call(functions, "GET /v1/vehicles").body["items"]] == [False]
    assert on_vehicle(functions, "GET", vehicle_id, "/followers").status == 403
    assert functions.link(ASKED, claims={"sub": "another"}).status == 201
    assert unreadable() >= 3
    port = functions._fast()
    port("dynamodb", "PutItem", {"TableName": functions.tables["Registry"], "Item": card})
    assert functions.ask({"plate": TYPED}).body["violations"][0]["place"] == "by the bridge"
    assert {item["kind"]["S"] for item in functions.tables.items("Messages") if "kind" in item} == {"query_result"}


# ---------------------------------------------------------------- profile and look-ups

PROFILE: Final[Mapping[str, tuple[str, Damage]]] = {
    "an SMS switch that is text": ("sms", {"S": "no"}),
    "a language without texts": ("chosen_language", {"S": "xx"}),
    "a language that is a number": ("chosen_language", {"N": "5"}),
    "queries that are text": ("queries", {"S": "many"}),
    "queries of a later version": ("queries", LATER),
    "plates that are no set": ("plates", {"S": "x"}),
    "a day that is a number": ("day", {"N": "20261120"}),
    "vehicles of a later version": ("linked", LATER),
    "proofs of another type": ("pending", {"S": "x"}),
}


@pytest.mark.parametrize("kind", PROFILE)
def test_a_look_up_goes_on_with_a_damaged_profile(
    functions: Functions, damage: Callable[..., None], unreadable: Callable[[], float], kind: str
) -> None:
    store(functions.violations, violation())
    linked(functions, plate=OTHER_PLATE)
    functions.ask({"plate": "11 7"})
    call(functions, "PATCH /v1/me", body={"language": "en", "sms": True})
    damage("Citizens", key(SUB, "PROFILE"), *PROFILE[kind])
    unreadable()
    body = functions.ask({"plate": TYPED}).body
    assert (body["totals"]["amount"], body["totals"]["complete"]) == (50_000, True)
    is_readable = PROFILE[kind][0] not in ("sms", "chosen_language")
    assert body["sms"]["status"] == ("queued" if is_readable else "off")
    assert unreadable() >= (kind != "vehicles of a later version")
    assert functions.ask({"plate": TYPED}).status == 200


@pytest.mark.parametrize("kind", [kind for kind, (name, _) in PROFILE.items() if name in ("sms", "chosen_language")])
def test_what_a_citizen_chose_is_told_as_far_as_it_can_be_read(
    functions: Functions, damage: Callable[..., None], unreadable: Callable[[], float], kind: str
) -> None:
    call(functions, "PATCH /v1/me", body={"language": "en", "sms": True})
    name, value = PROFILE[kind]
    damage("Citizens", key(SUB, "PROFILE"), name.removeprefix("chosen_"), value)
    body = call(functions, "GET /v1/me").body
    assert (body["sms"], body["incomplete"], body["note"]) == (False, True, NOTE)
    assert unreadable() == 1
    chosen = call(functions, "PATCH /v1/me", body={"language": "en", "sms": True}).body
    assert chosen == {"language": "en", "sms": True, "phone": "+964*******746"}


def test_a_damaged_look_up_gives_no_right_and_the_others_do(
    functions: Functions, damage: Callable[..., None], unreadable: Callable[[], float]
) -> None:
    here, there = violation(), violation(plate_key=OTHER_PLATE.key)
    store(functions.violations, here, there)
    asked = functions.ask({"plate": TYPED}).body
    functions.ask({"plate": f"12 ز {OTHER_PLATE.number}"})
    damage("Citizens", key(SUB, f"SEEN#{PLATE.key}"), "expires", {"S": "tomorrow"})
    damage("Citizens", key(SUB, f"QUERY#{asked['query_id']}"), "plate", None)
    assert functions.pay(payment_body(here, there)).errors == [("violations.0", "violation_not_found")]
    assert functions.pay(payment_body(there)).status == 201
    assert functions.read_on(asked["query_id"]).status == 404
    assert unreadable() == 2


def test_a_feed_that_cannot_be_read_leaves_its_date_out(
    functions: Functions, damage: Callable[..., None], unreadable: Callable[[], float]
) -> None:
    functions.files.note_feed("2026-11-20T11:00:00+03:00")
    damage("Files", key("FEED", "FEED"), "as_of", None)
    body = functions.ask({"plate": TYPED}).body
    assert (body["as_of"], body["note"], body["totals"]["complete"]) == (None, NOTE, True)
    assert unreadable() == 1


# ---------------------------------------------------------------- messages and payments

MESSAGE: Final[Mapping[str, tuple[str, Damage]]] = {
    "no kind": ("kind", None),
    "a status of a later version": ("status", LATER),
    "a plate that is none": ("plate", {"S": "XX#1"}),
    "a plate of an unknown governorate": ("plate", {"S": "OLD#99#5"}),
    "a text that is a number": ("text", {"N": "5"}),
}


@pytest.mark.parametrize("kind", MESSAGE)
def test_the_other_messages_are_listed(
    functions: Functions, damage: Callable[..., None], unreadable: Callable[[], float], kind: str
) -> None:
    for number in (101, 102, 103):
        functions.ask({"plate": f"11 {number}"})
        functions.clock.forward(minutes=1)
    (pk,) = [item["pk"] for item in functions.tables.items("Messages") if item["plate"]["S"].endswith("#102")]
    damage("Messages", {"pk": pk}, *MESSAGE[kind])
    unreadable()
    first = call(functions, "GET /v1/messages", query={"limit": "2"}).body
    second = call(functions, "GET /v1/messages", query={"limit": "2", "cursor": first["next_cursor"]}).body
    assert [each["plate"]["number"] for each in first["items"] + second["items"]] == ["103", "101"]
    assert (first["incomplete"], first["note"], "incomplete" in second) == (True, NOTE, False)
    assert unreadable() == 1


def test_a_message_of_an_unknown_status_is_told_as_other(functions: Functions, damage: Callable[..., None]) -> None:
    functions.ask({"plate": TYPED})
    (item,) = functions.tables.items("Messages")
    damage("Messages", {"pk": item["pk"]}, "status", {"S": "read"})
    assert [each["status"] for each in call(functions, "GET /v1/messages").body["items"]] == ["other"]


PAYMENT: Final[Mapping[str, tuple[str, Damage]]] = {
    "no amount": ("amount", None),
    "lines of a later version": ("lines", {"L": [{"M": {"no": {"S": "V1"}}}]}),
    "a line too short": ("lines", {"L": [{"L": [{"S": "V1"}]}]}),
    "a switch that is text": ("unanswered", {"S": "no"}),
}


@pytest.mark.parametrize("kind", PAYMENT)
def test_the_other_payments_are_listed(
    functions: Functions, damage: Callable[..., None], unreadable: Callable[[], float], kind: str
) -> None:
    linked(functions)
    subjects = [violation() for _ in range(3)]
    store(functions.violations, *subjects)
    made = [functions.pay(payment_body(each), f"key-{each.violation_no:0>8}").body["payment_id"] for each in subjects]
    damage("Payments", key(made[1], "PAYMENT"), *PAYMENT[kind])
    body = functions.call("pay.api", "GET /v1/payments").body
    assert {each["payment_id"] for each in body["items"]} == {made[0], made[2]}
    assert (body["incomplete"], body["note"]) == (True, NOTE)
    assert unreadable() == 1


def test_a_payment_of_an_unknown_status_is_told_as_other(functions: Functions, damage: Callable[..., None]) -> None:
    linked(functions)
    store(functions.violations, subject := violation())
    made = functions.pay(payment_body(subject)).body["payment_id"]
    damage("Payments", key(made, "PAYMENT"), "status", {"S": "disputed"})
    assert [each["status"] for each in functions.call("pay.api", "GET /v1/payments").body["items"]] == ["other"]
    assert functions.payment(made).body["status"] == "other"


# ---------------------------------------------------------------- erasing


DAMAGED_OF_A_PERSON: Final = [
    *((kind, "VEHICLE", *LINK[kind]) for kind in LINK),
    *((kind, "FOLLOWER", *LINK[kind]) for kind in LINK),
    *((kind, "PROFILE", *PROFILE[kind]) for kind in PROFILE),
]


@pytest.mark.parametrize(
    ("kind", "where", "attribute", "value"),
    DAMAGED_OF_A_PERSON,
    ids=[" of ".join(each[:2]) for each in DAMAGED_OF_A_PERSON],
)
def test_what_cannot_be_read_is_erased_with_the_rest(
    functions: Functions, damage: Callable[..., None], kind: str, where: str, attribute: str, value: Damage
) -> None:
    vehicle_id = linked(functions)
    functions.ask({"plate": "11 7"})
    keys = {
        "VEHICLE": key(SUB, f"VEHICLE#{vehicle_id}"),
        "FOLLOWER": key(f"P#{PLATE.key}", SUB),
        "PROFILE": key(SUB, "PROFILE"),
    }
    damage("Citizens", keys[where], attribute, value)
    assert functions.erase().status == 202
    functions.go_on_erasing(SUB)
    assert not [item for item in functions.tables.items("Citizens") if SUB in (item["pk"]["S"], item["sk"]["S"])]


def test_a_payment_that_cannot_be_read_may_be_owed(functions: Functions, damage: Callable[..., None]) -> None:
    subject = violation()
    store(functions.violations, subject)
    functions.ask({"plate": TYPED})
    payment_id = functions.pay(payment_body(subject)).body["payment_id"]
    functions.gateway.says(payment_id)
    functions.callback(payment_id)
    damage("Payments", key(payment_id, "PAYMENT"), *PAYMENT["no amount"])
    assert (functions.erase().status, functions.erase().body["code"]) == (409, "payment_live")
