"""What is mine: a citizen reads out all that is kept of them, has it erased, and comes back as new."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Final

import pytest

from infra.openapi.operations import OPERATIONS
from query.mine import made, on_erasure
from query.mine.erasing import MAX_CALL, MAX_TELLING
from shared.aws_json import Call, Json
from shared.domain.payment import PaymentStatus
from shared.stores.privacy.kept import KINDS, Fate, kind_of
from tests.support import lambda_events as events
from tests.support.asking import ASKED, OWN, TYPED, call, on_vehicle
from tests.support.build import OTHER_PLATE, PHONE, PLATE, SUB, later, store, violation
from tests.support.functions import Functions, run
from tests.support.payment_requests import payment_body

NAME: Final = "Name-In-The-Token"
TABLES: Final = ("Citizens", "Messages", "Payments", "Registry", "Violations", "Settlements", "Files")


def key(item: Json) -> str:
    return " / ".join(item[name]["S"] for name in ("pk", "sk") if name in item)


def everything(functions: Functions) -> Iterator[tuple[str, Json]]:
    for table in TABLES:
        for item in functions.tables.items(table):
            yield table, item


def holding(functions: Functions, *texts: str) -> dict[tuple[str, str], Json]:
    """The items of all tables that hold one of these texts anywhere."""
    return {
        (table, key(item)): item for table, item in everything(functions) if any(t in json.dumps(item) for t in texts)
    }


def kinds(found: dict[tuple[str, str], Json]) -> set[str]:
    """Which kinds of items these are, by how the data model's page writes their keys."""
    named = {where: kind_of(where[0], item) for where, item in found.items()}
    assert None not in named.values(), [where for where, kind in named.items() if kind is None]
    return {kind.key for kind in named.values() if kind}


def visit(functions: Functions) -> str:
    """Make every call as one citizen, and have everything happen to them that writes; returns the payment's id."""
    proven = {"relation": "self", "notify": True}
    subjects = [violation(), violation(amount=25_000)]
    store(functions.violations, *subjects)
    asked = functions.ask({"plate": TYPED}).body
    functions.read_on(asked["query_id"])
    functions.ask({"plate": f"12 {OTHER_PLATE.number}"})
    vehicle = functions.link({**ASKED, **proven}).body["vehicle_id"]
    functions.link({"plate": "11 5005", "relation": "family", "proof": {"type": "registration", "number": "12345"}})
    on_vehicle(functions, "PATCH", vehicle, body={"relation": "family"})
    on_vehicle(functions, "GET", vehicle, "/violations")
    on_vehicle(functions, "GET", vehicle, "/followers")
    call(functions, "PATCH /v1/me", body={"language": "ckb"})
    call(functions, "GET /v1/vehicles")
    call(functions, "GET /v1/messages")
    functions.announce(functions.opened(violation()))
    functions.send_due()
    payment_id: str = functions.pay(payment_body(*subjects)).body["payment_id"]
    functions.gateway.says(payment_id)
    functions.callback(payment_id)
    functions.send_due()
    assert functions.payment(payment_id).body["status"] == PaymentStatus.PAID
    functions.announce(functions.opened(violation()))  # which waits to be sent
    return payment_id


def erase(functions: Functions) -> None:
    reply = functions.erase()
    assert (reply.status, "stays" in reply.body) == (202, True)
    functions.go_on_erasing(SUB)


@pytest.fixture
def known(functions: Functions) -> str:
    """The id of a vehicle that a citizen follows who looked up another plate."""
    functions.ask({"plate": f"12 {OTHER_PLATE.number}"})
    vehicle_id: str = functions.link({**ASKED, "notify": True}).body["vehicle_id"]
    return vehicle_id


@pytest.fixture
def visited(functions: Functions) -> str:
    return visit(functions)


class TestExport:
    def test_it_is_all_that_the_tables_hold(self, functions: Functions, visited: str) -> None:
        exported = {
            (each["table"], " / ".join(filter(None, (each["item"]["pk"], each["item"].get("sk")))))
            for each in functions.export()
        }
        who = made.person(SUB).who
        held = holding(functions, SUB, who, PHONE, visited)
        untold = {kind.key for kind in KINDS if not kind.told}
        expected = {
            where for where, item in held.items() if (kind := kind_of(where[0], item)) and kind.key not in untold
        }
        ours = {where for where in expected if not where[1].startswith(("ORDER#", "DUE#"))}
        assert exported == ours
        assert {
            "<sub> / PROFILE",
            "<message id>",
            "CAP#CITIZEN#<who>#<day>",
            "RECEIPT#<receipt no> / RECEIPT",
        } <= kinds(held_only(held, ours))

    def test_its_pages_are_together_the_whole(self, functions: Functions, known: str) -> None:
        whole, paged = functions.export(), functions.export(limit=1)
        assert {json.dumps(each) for each in paged} == {json.dumps(each) for each in whole}

    def test_it_is_nobody_elses(self, functions: Functions, known: str) -> None:
        assert functions.export(claims=OWN) == []

    def test_a_cursor_of_another_list_is_refused(self, functions: Functions, known: str) -> None:
        functions.link({"plate": "11 5005", "relation": "family"})
        others = call(functions, "GET /v1/vehicles", query={"limit": "1"}).body["next_cursor"]
        for cursor in ("x", "AAAA", "é", others):
            reply = functions.call("query.mine.api", "GET /v1/me/export", query={"cursor": cursor})
            assert (reply.status, reply.errors) == (422, [("cursor", "cursor_invalid")])


def held_only(held: dict[tuple[str, str], Json], wanted: set[tuple[str, str]]) -> dict[tuple[str, str], Json]:
    return {where: item for where, item in held.items() if where in wanted}


class TestErasing:
    def test_nothing_names_the_person_but_where_the_list_says(
        self, functions: Functions, visited: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        who = made.person(SUB).who
        erase(functions)
        stays = {kind.key for kind in KINDS if kind.fate is Fate.STAYS}
        assert kinds(holding(functions, SUB, NAME)) <= stays
        assert kinds(holding(functions, PHONE)) <= {*stays, "<message id>"}
        (farewell,) = [item for where, item in holding(functions, PHONE).items() if where[0] == "Messages"]
        assert (farewell["kind"]["S"], farewell["sub"]["S"]) == ("erased", who)
        nameless = {kind.key for kind in KINDS if kind.fate is Fate.NAMELESS}
        assert kinds(holding(functions, who)) <= {*nameless, "<message id>"}
        output = capsys.readouterr()
        assert not [text for text in (SUB, PHONE, NAME) if text in output.out + output.err]

    def test_the_last_sms_says_so_in_their_language(self, functions: Functions, known: str) -> None:
        call(functions, "PATCH /v1/me", body={"language": "ckb"})
        functions.send_due()
        sent = len(functions.phones.sent)
        erase(functions)
        functions.send_due()
        ((phone, text),) = functions.phones.sent[sent:]
        assert phone == PHONE
        assert text.startswith("غەرامە-ئور: زانیارییەکانتان سڕانەوە")

    def test_a_follower_count_goes_with_the_link(self, functions: Functions, known: str) -> None:
        erase(functions)
        counts = [
            item["followers"]["N"] for item in functions.tables.items("Citizens") if item["sk"]["S"] == "UNPROVEN"
        ]
        assert counts == ["0"]
        assert list(functions.citizens.followers(PLATE.key)) == []

    def test_who_comes_back_is_new_but_for_the_quotas_of_the_day(self, functions: Functions, known: str) -> None:
        before = functions.citizens._get(SUB, "PROFILE")
        assert before is not None
        erase(functions)
        assert call(functions, "GET /v1/vehicles").body["items"] == []
        assert call(functions, "GET /v1/me").body["language"] == "en"
        assert functions.ask({"plate": "11 77"}).status == 200
        after = functions.citizens._get(SUB, "PROFILE")
        assert after is not None
        assert int(after["queries"]["N"]) == int(before["queries"]["N"]) + 1
        assert {*before["plates"]["SS"]} < {*after["plates"]["SS"]}
        assert "linked" not in after
        functions.link({"plate": "11 78", "relation": "self"})
        after = functions.citizens._get(SUB, "PROFILE")
        assert after is not None
        assert int(after["links"]["N"]) == int(before["links"]["N"]) + 1

    def test_linking_first_takes_the_counts_up_too(self, functions: Functions, known: str) -> None:
        erase(functions)
        for number in range(4):
            assert functions.link({"plate": f"11 {number + 1}", "relation": "self"}).status == 201
        assert functions.link({"plate": "11 9", "relation": "self"}).body["code"] == "quota_links"

    def test_the_next_day_counts_anew(self, functions: Functions, known: str) -> None:
        erase(functions)
        functions.clock.forward(days=1)
        functions.ask({"plate": "11 77"})
        profile = functions.citizens._get(SUB, "PROFILE")
        assert profile is not None
        assert profile["queries"]["N"] == "1"

    def test_what_they_were_told_once_is_not_told_again(self, functions: Functions, known: str) -> None:
        subject = violation()
        records = functions.opened(subject)
        functions.announce(records)
        erase(functions)
        functions.send_due()
        sent = len(functions.phones.sent)
        functions.link({**ASKED, "notify": True})
        functions.announce(records)
        functions.send_due()
        assert len(functions.phones.sent) == sent

    def test_nobody_without_sms_gets_one(self, functions: Functions, known: str) -> None:
        call(functions, "PATCH /v1/me", body={"sms": False})
        erase(functions)
        assert holding(functions, PHONE) == {}

    def test_who_is_not_known_can_be_erased(self, functions: Functions) -> None:
        erase(functions)
        assert [*everything(functions)] == []

    def test_their_payments_stay_theirs(self, functions: Functions, visited: str) -> None:
        erase(functions)
        assert [each["payment_id"] for each in functions.list_payments().body["items"]] == [visited]


EXEMPT: Final = {
    "GET /v1/health": "about nobody",
    "GET /v1/openapi.json": "about nobody",
    "GET /v1/gateways": "about nobody",
    "GET /v1/receipts/{receipt_no}": "about nobody",
    "POST /v1/callbacks/{gateway}": "the gateway's",
    "GET /v1/callbacks/{gateway}": "the gateway's",
    "POST /v1/settlements/check": "an act of office",
    "POST /v1/uploads": "an act of office",
    "GET /v1/uploads/{upload_id}": "an act of office",
}
"""Routes that answer also whom is being erased."""


MODULES: Final = {
    "DELETE /v1/me": "query.mine.api",
    "GET /v1/me/export": "query.mine.api",
    "GET /v1/payments/{payment_id}/receipt": "pay.receipts",
}


class TestWhileErasing:
    def test_every_call_is_refused_and_writes_nothing(self, functions: Functions, visited: str) -> None:
        query = functions.ask({"plate": TYPED}).body["query_id"]
        vehicle = call(functions, "GET /v1/vehicles").body["items"][0]["vehicle_id"]
        store(functions.violations, number := violation())
        assert functions.erase().status == 202
        before = sorted(json.dumps(item, sort_keys=True) for _, item in everything(functions))
        bodies: dict[str, object] = {
            "POST /v1/queries": {"plate": TYPED},
            "POST /v1/vehicles": {"plate": "11 8", "relation": "self"},
            "PATCH /v1/vehicles/{vehicle_id}": {"notify": False},
            "PATCH /v1/me": {"language": "ar"},
            "POST /v1/payments": payment_body(number),
        }
        path = {"query_id": query, "vehicle_id": vehicle, "follower_id": vehicle, "payment_id": visited}
        answers = {
            (route, key): functions.call(
                MODULES.get(route) or ("pay.api" if "/payments" in route else "query.api"),
                route,
                path={name: value for name, value in path.items() if f"{{{name}}}" in route},
                body=bodies.get(route),
                headers={"idempotency-key": key},
            )
            for route in OPERATIONS
            if route not in EXEMPT
            for key in ("key-00000001", "key-00000002")
        }
        allowed = [asked for asked, reply in answers.items() if (reply.status, reply.body["code"]) != (409, "erasing")]
        assert allowed == []
        assert sorted(json.dumps(item, sort_keys=True) for _, item in everything(functions)) == before

    def test_their_waiting_messages_are_dropped(self, functions: Functions, known: str) -> None:
        sent = len(functions.phones.sent)
        functions.erase()
        functions.send_due()
        assert len(functions.phones.sent) == sent
        assert "sms_off" in functions.reasons()

    def test_a_new_owner_is_not_told_to_them(self, functions: Functions, known: str) -> None:
        functions.erase()
        assert functions.citizens.profiles([SUB]) == {}


class TestMoneyUnderWay:
    def test_a_live_payment_keeps_them(self, functions: Functions, known: str) -> None:
        number = violation()
        store(functions.violations, number)
        payment = functions.pay(payment_body(number), key="key-00000002").body["payment_id"]
        reply = functions.erase()
        assert (reply.status, reply.body["code"]) == (409, "payment_live")
        functions.cancel(payment)
        assert functions.erase().status == 202

    def test_so_does_money_that_is_due_back(self, functions: Functions, known: str) -> None:
        number = violation()
        store(functions.violations, number)
        payment = functions.pay(payment_body(number), key="key-00000002").body["payment_id"]
        functions.cancel(payment)
        store(functions.violations, later(number, status="cancelled"))  # so that late money is due back
        functions.gateway.refund_refusal = RuntimeError("not today")
        functions.gateway.says(payment)
        functions.callback(payment)
        assert functions.payment(payment).body["status"] == PaymentStatus.REFUND_DUE
        assert functions.erase().body["code"] == "payment_live"

    def test_a_payment_that_begins_between_is_seen(self, functions: Functions, known: str) -> None:
        """Between the look at what they owe and the mark."""
        number = violation()
        store(functions.violations, number)
        between(functions, "TransactWriteItems", 1, lambda: functions.pay(payment_body(number), key="key-00000002"))
        assert functions.erase().body["code"] == "payment_live"
        functions.go_on_erasing(SUB)
        assert len(call(functions, "GET /v1/vehicles").body["items"]) == 1


class CutOffError(Exception):
    """The function was cut off."""


def between(functions: Functions, operation: str | None, number: int, act: Callable[[], object]) -> list[int]:
    """Have something happen before the so-many-th call of the erasure, of an operation or of all; returns the count."""
    seen = [0]
    plain = functions._fast()

    def counted(service: str, asked: str, request: Json) -> Json:
        if operation in (None, asked):
            seen[0] += 1
            if seen[0] == number:
                act()
        return plain(service, asked, request)

    set_port(counted)
    return seen


def set_port(port: Call) -> None:
    for each in made.stores():
        each._call = port  # type: ignore[attr-defined]


NEW_VISIT: Final = {
    "<sub> / PROFILE",
    "<sub> / QUERY#<query id>",
    "<sub> / SEEN#<plate key>",
    "<message id>",
}


class TestInterleavings:
    def test_a_look_up_between_any_two_calls_leaves_only_what_a_new_visit_writes(self, functions: Functions) -> None:
        number = 0
        while True:
            number += 1
            functions.clock.forward(days=3)
            sub = f"citizen-{number}"
            claims = {"sub": sub}
            functions.link({"plate": "11 5005", "relation": "self", "notify": True}, claims=claims)
            functions.ask({"plate": TYPED}, claims=claims)
            answers: list[int] = []

            def look_up(claims: dict[str, str] = claims, answers: list[int] = answers) -> None:
                answers.append(functions.ask({"plate": TYPED}, claims=claims).status)

            seen = between(functions, None, number, look_up)
            assert functions.erase(claims=claims).status == 202
            functions.go_on_erasing(sub)
            left = holding(functions, sub)
            if not answers:
                assert seen[0] < number
                break
            profile = left.get(("Citizens", f"{sub} / PROFILE"))
            assert kinds(left) <= (NEW_VISIT if profile and answers == [200] else set())
            assert profile is None or not {"erasing", "linked"} & profile.keys()
        assert number > 12

    def test_it_may_be_cut_off_between_any_two_calls(self, functions: Functions) -> None:
        def cut_off() -> None:
            raise CutOffError

        number = 0
        while True:
            number += 1
            functions.clock.forward(days=3)
            sub = f"citizen-{number}"
            claims = {"sub": sub}
            functions.link({"plate": "11 5005", "relation": "self"}, claims=claims)
            functions.ask({"plate": TYPED}, claims=claims)
            functions.erase(claims=claims)
            seen = between(functions, None, number, cut_off)
            for _ in range(5):
                functions.clock.forward(minutes=2)
                run("query.mine.on_erasure", events.records([events.queued(json.dumps({"sub": sub}))]))
            assert kinds(holding(functions, sub)) == set()
            counts = [i["followers"]["N"] for i in functions.tables.items("Citizens") if i["sk"]["S"] == "UNPROVEN"]
            assert counts == ["0"]
            if seen[0] < number:
                break
        assert number > 8

    def test_nothing_is_deleted_while_a_call_may_still_be_under_way(self, functions: Functions, known: str) -> None:
        functions.erase()
        functions.clock.forward(seconds=MAX_CALL.total_seconds() - 1)
        before = len([*everything(functions)])
        run("query.mine.on_erasure", events.records([events.queued(json.dumps({"sub": SUB}))]))
        assert len([*everything(functions)]) == before
        functions.clock.forward(seconds=1)
        run("query.mine.on_erasure", events.records([events.queued(json.dumps({"sub": SUB}))]))
        assert list(functions.citizens.followers(PLATE.key)) == []
        messages = functions.messages.of_citizen(SUB, 100, None)[0]
        functions.clock.forward(seconds=MAX_TELLING.total_seconds() - 1)
        run("query.mine.on_erasure", events.records([events.queued(json.dumps({"sub": SUB}))]))
        assert functions.messages.of_citizen(SUB, 100, None)[0] == messages != []
        functions.clock.forward(seconds=1)
        run("query.mine.on_erasure", events.records([events.queued(json.dumps({"sub": SUB}))]))
        assert functions.messages.of_citizen(SUB, 100, None)[0] == []

    def test_little_time_leaves_the_rest_for_later(self, functions: Functions, known: str) -> None:
        functions.erase()
        functions.clock.forward(minutes=1)
        context = events.context()
        context.get_remaining_time_in_millis = lambda: 10_000
        on_erasure.handler(events.records([events.queued(json.dumps({"sub": SUB}))]), context)
        assert len(made.stores().citizens.vehicles(SUB)) == 1
        functions.go_on_erasing(SUB)
        assert kinds(holding(functions, SUB)) <= {kind.key for kind in KINDS if kind.fate is Fate.STAYS}

    def test_the_queue_brings_it_back_when_it_is_due(self, functions: Functions, known: str) -> None:
        functions.erase()
        attributes = functions.sqs.get_queue_attributes(QueueUrl=functions.erasures, AttributeNames=["All"])[
            "Attributes"
        ]
        assert attributes["ApproximateNumberOfMessagesDelayed"] == "1"
        assert made.stores().erasures.erasing(SUB) is not None

    def test_twice_is_once(self, functions: Functions, known: str) -> None:
        erase(functions)
        functions.go_on_erasing(SUB)
        erase(functions)
        assert call(functions, "GET /v1/vehicles").body["items"] == []
