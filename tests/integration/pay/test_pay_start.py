"""Starting a payment: what is held, quoted and ordered, what the same key answers, and every way to be refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from pay.gateways import RefusedError, UnknownError
from pay.payments import start
from pay.payments.start import MAX_START_TIME
from shared.domain.violation import CANCELLED, DISPUTED, PAID, Violation
from shared.http import MAX_BODY_BYTES
from tests.support.aws import template
from tests.support.build import OTHER_PLATE, PLATE, follow, later, row, store, violation
from tests.support.functions import Functions, Reply
from tests.support.payment_requests import RETURN_URL, payment_body, state, status


class TestStarting:
    def test_a_payment_is_held_quoted_and_ordered(self, functions: Functions, subjects: list[Violation]) -> None:
        reply = functions.pay(payment_body(*subjects))
        payment_id = reply.body["payment_id"]
        assert reply.status == 201
        assert reply.body == {
            "payment_id": payment_id,
            "status": "pending",
            "gateway": "sandbox",
            "amount": 75_000,
            "currency": "IQD",
            "items": [
                {"violation_no": subject.violation_no, "amount": amount, "rule": "IQ-TRAFFIC-2019", "window": None}
                for subject, amount in zip(subjects, (50_000, 25_000), strict=True)
            ],
            "redirect_url": f"https://gateway.example/{payment_id}",
            "pay": {
                "url": f"https://gateway.example/{payment_id}",
                "qr": None,
                "code": None,
                "links": {"personal": None, "business": None, "corporate": None},
            },
            "closing": False,
            "note": None,
            "created_at": "2026-11-20T12:00:00+03:00",
            "expires_at": "2026-11-20T12:15:00+03:00",
            "paid_at": None,
            "receipt_no": None,
            "refund": None,
        }
        assert [state(functions, subject) for subject in subjects] == ["in_payment"] * 2
        order = functions.gateway.requests[payment_id]
        assert (order.amount, order.currency, order.return_url) == (75_000, "IQD", RETURN_URL)
        assert order.callback_url == "https://api.example/v1/callbacks/sandbox"
        assert PLATE.number not in order.description
        assert functions.payment(payment_id).body == reply.body

    def test_without_an_address_of_its_own_callbacks_come_to_the_apis(
        self, functions: Functions, subjects: list[Violation], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PUBLIC_URL", "")
        order = functions.gateway.requests[functions.pay(payment_body(*subjects)).body["payment_id"]]
        assert order.callback_url == "https://id.execute-api.me-south-1.amazonaws.com/v1/callbacks/sandbox"

    def test_the_quote_is_what_is_owed_now(self, functions: Functions, subjects: list[Violation]) -> None:
        functions.clock.forward(days=40)
        assert functions.pay(payment_body(*subjects)).body["amount"] == 150_000

    def test_a_look_up_is_enough_to_pay(self, functions: Functions) -> None:
        subject = violation()
        store(functions.violations, subject)
        functions.ask({"plate": f"11 ز {PLATE.number}", "sms": False})
        assert functions.pay(payment_body(subject)).status == 201

    def test_the_same_key_and_wish_is_the_same_payment(self, functions: Functions, subjects: list[Violation]) -> None:
        first = functions.pay(payment_body(*subjects))
        assert functions.pay(payment_body(*subjects)) == first
        assert len(functions.gateway.requests) == 1

    def test_the_same_key_from_several_threads_is_one_payment(
        self, functions: Functions, subjects: list[Violation]
    ) -> None:
        functions.payment("none")  # makes the client before the threads do
        with ThreadPoolExecutor(8) as threads:
            replies = list(threads.map(lambda _: functions.pay(payment_body(*subjects)), range(8)))
        assert len({reply.body["payment_id"] for reply in replies if reply.status == 201}) == 1
        assert {(reply.status, reply.body.get("code")) for reply in replies} <= {(201, None), (409, "still_starting")}
        assert len(functions.gateway.requests) == 1

    def test_the_same_key_while_the_first_call_runs_is_told_to_wait(
        self, functions: Functions, subjects: list[Violation]
    ) -> None:
        again: list[Reply] = []
        functions.gateway.while_ordering = lambda _: again.append(functions.pay(payment_body(*subjects)))
        first = functions.pay(payment_body(*subjects))
        assert [(reply.status, reply.body["code"], reply.headers["retry-after"]) for reply in again] == [
            (409, "still_starting", "5")
        ]
        assert first.status == 201
        assert functions.pay(payment_body(*subjects)) == first

    def test_a_start_that_died_is_waited_for_no_longer_than_it_can_run(
        self, functions: Functions, subjects: list[Violation]
    ) -> None:
        functions.gateway.refusal = KeyboardInterrupt()
        with pytest.raises(KeyboardInterrupt):
            functions.pay(payment_body(*subjects))
        functions.clock.forward(seconds=MAX_START_TIME.total_seconds() - 1)
        assert functions.pay(payment_body(*subjects)).body["code"] == "still_starting"
        functions.clock.forward(seconds=1)
        reply = functions.pay(payment_body(*subjects))
        assert (reply.status, reply.body["status"]) == (202, "created")

    def test_a_start_runs_no_longer_than_its_function(self) -> None:
        assert template()["Resources"]["PayApi"]["Properties"]["Timeout"] == MAX_START_TIME.total_seconds()

    def test_the_first_answer_is_given_again_also_where_it_was_a_refusal(
        self, functions: Functions, subjects: list[Violation]
    ) -> None:
        functions.gateway.refusal = RefusedError("http_422")
        first = functions.pay(payment_body(*subjects))
        again = functions.pay(payment_body(*subjects))
        assert (again.status, again.body["code"]) == (first.status, first.body["code"]) == (502, "gateway_refused")
        assert again.body["payment_id"] == first.body["payment_id"]
        functions.gateway.refusal = None
        assert functions.pay(payment_body(*subjects), "key-00000002").status == 201

    def test_an_answer_that_never_came_is_given_again_at_once(
        self, functions: Functions, subjects: list[Violation]
    ) -> None:
        functions.gateway.refusal = UnknownError("ReadTimeoutError")
        first = functions.pay(payment_body(*subjects))
        assert functions.pay(payment_body(*subjects)) == first
        assert first.status == 202

    def test_a_key_is_forgotten_after_a_day(self, functions: Functions, subjects: list[Violation]) -> None:
        first = functions.pay(payment_body(*subjects))
        functions.clock.forward(hours=23, minutes=59)
        assert functions.pay(payment_body(*subjects)).body["payment_id"] == first.body["payment_id"]
        functions.poll_gateways()
        functions.clock.forward(minutes=1)
        assert functions.pay(payment_body(*subjects)).body["payment_id"] != first.body["payment_id"]

    def test_a_citizen_has_three_live_payments_and_no_more(
        self, functions: Functions, subjects: list[Violation]
    ) -> None:
        more = [violation(), violation()]
        store(functions.violations, *more)
        made = [functions.pay(payment_body(each), f"key-{each.violation_no:0>8}") for each in (*subjects, more[0])]
        assert [reply.status for reply in made] == [201] * 3
        reply = functions.pay(payment_body(more[1]), "key-too-many")
        assert (reply.status, reply.body["code"]) == (409, "payments_full")
        assert state(functions, more[1]) == "unpaid"
        functions.gateway.says(made[0].body["payment_id"])
        functions.callback(made[0].body["payment_id"])
        assert functions.pay(payment_body(more[1]), "key-too-many").status == 201

    def test_of_many_at_once_three_are_made(self, functions: Functions) -> None:
        follow(functions.citizens)
        many = [violation() for _ in range(8)]
        store(functions.violations, *many)
        functions.payment("none")
        with ThreadPoolExecutor(8) as threads:
            replies = list(
                threads.map(lambda each: functions.pay(payment_body(each), f"key-{each.violation_no:0>8}"), many)
            )
        assert sorted(reply.status for reply in replies) == [201] * 3 + [409] * 5

    def test_fifty_violations_are_one_payment(self, functions: Functions) -> None:
        follow(functions.citizens)
        many = [violation() for _ in range(50)]
        store(functions.violations, *many)
        started = functions.pay(payment_body(*many)).body
        assert started["amount"] == 50 * 50_000
        functions.gateway.says(started["payment_id"])
        assert functions.callback(started["payment_id"]).status == 200
        found = functions.violations.get(each.violation_no for each in many).values()
        assert {each.paid_by for each in found} == {started["payment_id"]}

    def test_the_same_key_for_another_wish_is_refused(self, functions: Functions, subjects: list[Violation]) -> None:
        functions.pay(payment_body(subjects[0]))
        reply = functions.pay(payment_body(subjects[1]))
        assert (reply.status, reply.body["code"]) == (409, "key_reused")
        assert state(functions, subjects[1]) == "unpaid"

    def test_the_key_of_another_citizen_is_no_hindrance(self, functions: Functions, subjects: list[Violation]) -> None:
        functions.pay(payment_body(subjects[0]))
        follow(functions.citizens, "another")
        assert functions.pay(payment_body(subjects[1]), claims={"sub": "another"}).status == 201

    def test_a_refusing_gateway_ends_it_and_lets_the_violations_go(
        self, functions: Functions, subjects: list[Violation]
    ) -> None:
        functions.gateway.refusal = RefusedError("http_422")
        reply = functions.pay(payment_body(*subjects))
        assert (reply.status, reply.body["code"]) == (502, "gateway_refused")
        assert functions.payment(reply.body["payment_id"]).body["status"] == "failed"
        assert [state(functions, subject) for subject in subjects] == ["unpaid"] * 2

    def test_a_silent_gateway_leaves_it_to_be_found_out(self, functions: Functions, subjects: list[Violation]) -> None:
        functions.gateway.refusal = UnknownError("ReadTimeoutError")
        reply = functions.pay(payment_body(*subjects))
        assert (reply.status, reply.body["status"], reply.body["redirect_url"]) == (202, "created", None)
        assert state(functions, subjects[0]) == "in_payment"


class TestRefusals:
    @pytest.mark.parametrize(
        ("key", "code"),
        [(None, "key_missing"), ("", "key_missing"), ("short", "key_malformed"), ("x" * 65, "key_malformed"),
         ("key 000001", "key_malformed"), ("ключ-00000", "key_malformed")],
    )  # fmt: skip
    def test_a_key_is_needed(self, functions: Functions, subjects: list[Violation], key: str | None, code: str) -> None:
        reply = functions.pay(payment_body(*subjects), key)
        assert (reply.status, reply.body["code"]) == (400, code)

    @pytest.mark.parametrize(
        ("raw", "status", "code"),
        [
            ("{", 400, "body_not_json"),
            ("[]", 422, "body_not_object"),
            (" " * (MAX_BODY_BYTES + 1), 413, "body_too_large"),
        ],
    )
    def test_a_body_that_is_no_request_is_a_problem(
        self, functions: Functions, raw: str, status: int, code: str
    ) -> None:
        reply = functions.pay(None, raw=raw)
        assert (reply.status, reply.body["code"]) == (status, code)

    @pytest.mark.parametrize(
        ("change", "field", "code"),
        [
            ({"violations": []}, "violations", "empty"),
            ({"violations": ["V"] * 51}, "violations", "too_many"),
            ({"violations": ["V", "V"]}, "violations", "repeated"),
            ({"violations": "V"}, "violations", "wrong_type"),
            ({"violations": [5]}, "violations.0", "wrong_type"),
            ({"violations": ["V", ""]}, "violations.1", "empty"),
            ({"violations": ["x" * 33]}, "violations.0", "too_long"),
            ({"gateway": "paypal"}, "gateway", "gateway_unknown"),
            ({"gateway": None}, "gateway", "wrong_type"),
            ({"gateway": "x" * 21}, "gateway", "too_long"),
            ({"return_url": 5}, "return_url", "wrong_type"),
            ({"return_url": "x" * 501}, "return_url", "too_long"),
            ({"return_url": ""}, "return_url", "return_url_refused"),
            ({"return_url": "https://evil.example/"}, "return_url", "return_url_refused"),
            ({"return_url": "https://tf.ur.gov.iq.evil.example/"}, "return_url", "return_url_refused"),
            ({"return_url": "https://tf.ur.gov.iq@evil.example/"}, "return_url", "return_url_refused"),
            ({"return_url": "http://tf.ur.gov.iq/"}, "return_url", "return_url_refused"),
            ({"return_url": "//tf.ur.gov.iq/"}, "return_url", "return_url_refused"),
            ({"return_url": "https://[tf.ur.gov.iq/"}, "return_url", "return_url_refused"),
            ({"return_url": "javascript:alert(1)//https://tf.ur.gov.iq"}, "return_url", "return_url_refused"),
            ({"return_url": "https://tf.ur.gov.iq/\r\nset-cookie: a=b"}, "return_url", "return_url_refused"),
            ({"return_url": "https://tf.ur.gov.iq\\@evil.example/"}, "return_url", "return_url_refused"),
            ({"return_url": "https://tf.ur.gov.iq/\ta"}, "return_url", "return_url_refused"),
            ({"return_url": " https://tf.ur.gov.iq/"}, "return_url", "return_url_refused"),
        ],
    )
    def test_the_field_that_is_wrong_is_named(
        self, functions: Functions, subjects: list[Violation], change: dict[str, Any], field: str, code: str
    ) -> None:
        reply = functions.pay({**payment_body(*subjects), **change})
        assert (reply.status, reply.errors) == (422, [(field, code)])
        assert functions.tables.items("Payments") == []

    def test_a_closed_gateway_takes_no_new_payment(
        self, functions: Functions, subjects: list[Violation], started: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("GATEWAYS", "")
        functions.gateway.says(started)
        assert functions.callback(started).status == 200
        assert status(functions, started) == "paid"
        more = violation()
        store(functions.violations, more)
        reply = functions.pay(payment_body(more), "key-00000002")
        assert (reply.status, reply.errors) == (422, [("gateway", "gateway_closed")])

    def test_every_missing_field_is_named(self, functions: Functions) -> None:
        reply = functions.pay({})
        assert sorted(reply.errors) == [
            ("gateway", "missing"),
            ("return_url", "missing"),
            ("violations", "missing"),
        ]

    def test_each_violation_that_cannot_be_paid_is_named_with_its_reason(
        self, functions: Functions, subjects: list[Violation]
    ) -> None:
        ended = [violation(status=status) for status in (PAID, CANCELLED, DISPUTED, "appealed")]
        foreign = violation(plate_key=OTHER_PLATE.key)
        store(functions.violations, *ended, foreign)
        functions.pay(payment_body(subjects[1]), "key-00000002")
        reply = functions.pay(payment_body(subjects[0], *ended, foreign, violation(), subjects[1]))
        assert (reply.status, reply.body["code"]) == (422, "not_payable")
        assert reply.errors == [
            ("violations.1", "violation_paid"),
            ("violations.2", "violation_cancelled"),
            ("violations.3", "violation_disputed"),
            ("violations.4", "violation_other"),
            ("violations.5", "violation_not_found"),
            ("violations.6", "violation_not_found"),
            ("violations.7", "violation_in_payment"),
        ]
        assert state(functions, subjects[0]) == "unpaid"

    def test_a_violation_for_which_nothing_is_owed_is_not_ordered(
        self, functions: Functions, subjects: list[Violation]
    ) -> None:
        """The directorate may say that it is open and 0 dinars are due."""
        settled = violation(amount_due=0)
        store(functions.violations, settled)
        for chosen, place in ([settled], 0), ([subjects[0], settled], 1):
            reply = functions.pay(payment_body(*chosen))
            assert (reply.status, reply.body["code"]) == (422, "not_payable")
            assert reply.errors == [(f"violations.{place}", "violation_nothing_due")]
        assert functions.gateway.requests == {}
        assert state(functions, subjects[0]) == "unpaid"

    def test_a_look_up_of_two_days_ago_is_not_enough(self, functions: Functions) -> None:
        subject = violation()
        store(functions.violations, subject)
        functions.ask({"plate": f"11 ز {PLATE.number}", "sms": False})
        functions.clock.forward(days=2)
        assert functions.pay(payment_body(subject)).errors == [("violations.0", "violation_not_found")]

    def test_what_changes_between_reading_and_holding_is_named(
        self, functions: Functions, subjects: list[Violation], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        look = start._look

        def slow(*arguments: Any) -> Any:
            found = look(*arguments)
            functions.violations.write([row(later(subjects[1], amount=1))])
            return found

        monkeypatch.setattr("pay.payments.start._look", slow)
        reply = functions.pay(payment_body(*subjects))
        assert (reply.status, reply.errors) == (422, [("violations.1", "changed_meanwhile")])
        assert state(functions, subjects[0]) == "unpaid"
        assert functions.tables.items("Payments") == []

    def test_a_payment_is_its_citizens_own(self, functions: Functions, started: str) -> None:
        reply = functions.payment(started, claims={"sub": "another"})
        assert (reply.status, reply.body["code"]) == (404, "no_such_payment")

    @pytest.mark.parametrize("unknown", ["none", "x" * 3000])
    def test_an_unknown_payment_or_receipt_is_not_found(self, functions: Functions, unknown: str) -> None:
        assert functions.payment(unknown).status == 404
        assert functions.receipt(unknown).status == 404
