"""Paying, from event to receipt, over real tables: money is settled once, and only when the gateway says so."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from pay import gateways
from pay.gateways import RefusedError, UnknownError
from shared.domain.violation import CANCELLED, DISPUTED, PAID, Violation
from shared.http import LARGEST_BODY
from tests.build import OTHER_PLATE, PHONE, PLATE, SUB, follow, later, row, store, violation
from tests.fakes import callback_body
from tests.functions import Functions

RETURN_URL = "https://tf.ur.gov.iq/paid?from=gharama"


def wish(*subjects: Violation, **fields: Any) -> dict[str, Any]:
    numbers = [subject.violation_no for subject in subjects]
    return {"violations": numbers, "gateway": "sandbox", "return_url": RETURN_URL, **fields}


def state(functions: Functions, subject: Violation) -> str:
    return functions.violations.get([subject.violation_no])[subject.violation_no].state


def trail(functions: Functions) -> list[str]:
    """What the trails of all payments tell."""
    return [item["what"]["S"] for item in functions.tables.items("Payments") if item["sk"]["S"].startswith("EVENT#")]


@pytest.fixture
def subjects(functions: Functions) -> list[Violation]:
    """Two unpaid violations on a plate that the citizen follows."""
    follow(functions.citizens)
    made = [violation(), violation(amount=25_000)]
    store(functions.violations, *made)
    return made


@pytest.fixture
def started(functions: Functions, subjects: list[Violation]) -> str:
    """The id of a payment of both, pending."""
    payment_id: str = functions.pay(wish(*subjects)).body["payment_id"]
    return payment_id


class TestStarting:
    def test_a_payment_is_held_quoted_and_ordered(self, functions: Functions, subjects: list[Violation]) -> None:
        reply = functions.pay(wish(*subjects))
        payment_id = reply.body["payment_id"]
        assert reply.status == 201
        assert reply.body == {
            "payment_id": payment_id,
            "status": "pending",
            "gateway": "sandbox",
            "amount": 75_000,
            "currency": "IQD",
            "items": [
                {"violation_no": subjects[0].violation_no, "amount": 50_000},
                {"violation_no": subjects[1].violation_no, "amount": 25_000},
            ],
            "redirect_url": f"https://gateway.example/{payment_id}",
            "created_at": "2026-11-20T12:00:00+03:00",
            "expires_at": "2026-11-20T12:15:00+03:00",
            "paid_at": None,
            "receipt_no": None,
        }
        assert [state(functions, subject) for subject in subjects] == ["in_payment"] * 2
        order = functions.gateway.orders[payment_id]
        assert (order.amount, order.currency, order.return_url) == (75_000, "IQD", RETURN_URL)
        assert order.callback_url == "https://api.example/v1/callbacks/sandbox"
        assert PLATE.number not in order.description
        assert functions.payment(payment_id).body == reply.body

    def test_without_an_address_of_its_own_callbacks_come_to_the_apis(
        self, functions: Functions, subjects: list[Violation], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PUBLIC_URL", "")
        order = functions.gateway.orders[functions.pay(wish(*subjects)).body["payment_id"]]
        assert order.callback_url == "https://id.execute-api.me-south-1.amazonaws.com/v1/callbacks/sandbox"

    def test_the_quote_is_what_is_owed_now(self, functions: Functions, subjects: list[Violation]) -> None:
        functions.clock.forward(days=40)
        assert functions.pay(wish(*subjects)).body["amount"] == 150_000

    def test_a_look_up_is_enough_to_pay(self, functions: Functions) -> None:
        subject = violation()
        store(functions.violations, subject)
        functions.ask({"plate": f"11 ز {PLATE.number}", "sms": False})
        assert functions.pay(wish(subject)).status == 201

    def test_the_same_key_and_wish_is_the_same_payment(self, functions: Functions, subjects: list[Violation]) -> None:
        first = functions.pay(wish(*subjects))
        assert functions.pay(wish(*subjects)) == first
        assert len(functions.gateway.orders) == 1

    def test_the_same_key_from_several_threads_is_one_payment(
        self, functions: Functions, subjects: list[Violation]
    ) -> None:
        functions.payment("none")  # makes the client before the threads do
        with ThreadPoolExecutor(8) as threads:
            replies = list(threads.map(lambda _: functions.pay(wish(*subjects)), range(8)))
        assert len({reply.body["payment_id"] for reply in replies}) == 1
        assert {reply.status for reply in replies} <= {201, 202}
        assert len(functions.gateway.orders) == 1

    def test_the_same_key_for_another_wish_is_refused(self, functions: Functions, subjects: list[Violation]) -> None:
        functions.pay(wish(subjects[0]))
        reply = functions.pay(wish(subjects[1]))
        assert (reply.status, reply.body["code"]) == (409, "key_reused")
        assert state(functions, subjects[1]) == "unpaid"

    def test_the_key_of_another_citizen_is_no_hindrance(self, functions: Functions, subjects: list[Violation]) -> None:
        functions.pay(wish(subjects[0]))
        follow(functions.citizens, "another")
        assert functions.pay(wish(subjects[1]), claims={"sub": "another"}).status == 201

    def test_a_refusing_gateway_ends_it_and_lets_the_violations_go(
        self, functions: Functions, subjects: list[Violation]
    ) -> None:
        functions.gateway.refusal = RefusedError("http_422")
        reply = functions.pay(wish(*subjects))
        assert (reply.status, reply.body["code"]) == (502, "gateway_refused")
        assert functions.payment(reply.body["payment_id"]).body["status"] == "failed"
        assert [state(functions, subject) for subject in subjects] == ["unpaid"] * 2

    def test_a_silent_gateway_leaves_it_to_be_found_out(self, functions: Functions, subjects: list[Violation]) -> None:
        functions.gateway.refusal = UnknownError("ReadTimeoutError")
        reply = functions.pay(wish(*subjects))
        assert (reply.status, reply.body["status"], reply.body["redirect_url"]) == (202, "created", None)
        assert state(functions, subjects[0]) == "in_payment"


class TestRefusals:
    @pytest.mark.parametrize(
        ("key", "code"),
        [(None, "key_missing"), ("", "key_missing"), ("short", "key_malformed"), ("x" * 65, "key_malformed"),
         ("key 000001", "key_malformed"), ("ключ-00000", "key_malformed")],
    )  # fmt: skip
    def test_a_key_is_needed(self, functions: Functions, subjects: list[Violation], key: str | None, code: str) -> None:
        reply = functions.pay(wish(*subjects), key)
        assert (reply.status, reply.body["code"]) == (400, code)

    @pytest.mark.parametrize(
        ("raw", "status", "code"),
        [
            ("{", 400, "body_not_json"),
            ("[]", 422, "body_not_object"),
            (" " * (LARGEST_BODY + 1), 413, "body_too_large"),
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
        reply = functions.pay({**wish(*subjects), **change})
        assert (reply.status, reply.errors) == (422, [(field, code)])
        assert functions.tables.items("Payments") == []

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
        ended = [violation(status=status) for status in (PAID, CANCELLED, DISPUTED)]
        foreign = violation(plate_key=OTHER_PLATE.key)
        store(functions.violations, *ended, foreign)
        functions.pay(wish(subjects[1]), "key-00000002")
        reply = functions.pay(wish(subjects[0], *ended, foreign, violation(), subjects[1]))
        assert (reply.status, reply.body["code"]) == (422, "not_payable")
        assert reply.errors == [
            ("violations.1", "violation_paid"),
            ("violations.2", "violation_cancelled"),
            ("violations.3", "violation_disputed"),
            ("violations.4", "violation_not_found"),
            ("violations.5", "violation_not_found"),
            ("violations.6", "violation_in_payment"),
        ]
        assert state(functions, subjects[0]) == "unpaid"

    def test_a_look_up_of_two_days_ago_is_not_enough(self, functions: Functions) -> None:
        subject = violation()
        store(functions.violations, subject)
        functions.ask({"plate": f"11 ز {PLATE.number}", "sms": False})
        functions.clock.forward(days=2)
        assert functions.pay(wish(subject)).errors == [("violations.0", "violation_not_found")]

    def test_what_changes_between_reading_and_holding_is_named(
        self, functions: Functions, subjects: list[Violation], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import pay.payments

        payable = pay.payments._payable

        def slow(*arguments: Any) -> list[Violation]:
            found = payable(*arguments)
            functions.violations.write([row(later(subjects[1], amount=1))])
            return found

        monkeypatch.setattr("pay.payments._payable", slow)
        reply = functions.pay(wish(*subjects))
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


class TestCallback:
    def test_a_paid_one_is_settled_whole(self, functions: Functions, subjects: list[Violation], started: str) -> None:
        functions.gateway.says(started)
        functions.clock.forward(minutes=2)
        assert functions.callback(started).status == 200
        payment = functions.payment(started).body
        assert (payment["status"], payment["paid_at"]) == ("paid", "2026-11-20T12:02:00+03:00")
        receipt_no = payment["receipt_no"]
        assert functions.receipt(receipt_no).body == {
            "receipt_no": receipt_no,
            "paid": True,
            "amount": 75_000,
            "currency": "IQD",
            "paid_at": "2026-11-20T12:02:00+03:00",
        }
        kept = functions.violations.get(subject.violation_no for subject in subjects)
        for subject, amount in zip(subjects, (50_000, 25_000), strict=True):
            assert kept[subject.violation_no] == subject._replace(
                paid_by=started, paid_amount=amount, paid_at="2026-11-20T12:02:00+03:00", receipt_no=receipt_no
            )
        functions.send_due()
        ((phone, text),) = functions.phones.sent
        assert phone == PHONE
        assert receipt_no in text
        assert "75,000" in text

    def test_a_payer_without_a_phone_gets_a_receipt_without_an_sms(
        self, functions: Functions, subjects: list[Violation]
    ) -> None:
        started = functions.pay(wish(*subjects), claims={"phone_number": None}).body["payment_id"]
        functions.gateway.says(started)
        assert functions.callback(started).status == 200
        assert functions.payment(started).body["receipt_no"]
        assert functions.statuses() == []

    def test_the_quote_is_honoured_after_the_fine_has_doubled(
        self, functions: Functions, subjects: list[Violation]
    ) -> None:
        functions.clock.at = functions.clock.at.replace(month=12, day=19, hour=8, minute=50)
        started = functions.pay(wish(*subjects)).body["payment_id"]
        functions.clock.forward(minutes=12)
        functions.gateway.says(started)
        functions.callback(started)
        assert functions.payment(started).body["amount"] == 75_000
        assert functions.payment(started).body["status"] == "paid"

    def test_a_newer_row_of_the_directorate_does_not_lose_the_money(
        self, functions: Functions, subjects: list[Violation], started: str
    ) -> None:
        functions.violations.write([row(later(subjects[0], amount=1, status=DISPUTED))])
        functions.gateway.says(started)
        functions.callback(started)
        assert functions.payment(started).body["status"] == "paid"
        assert state(functions, subjects[0]) == "paid"

    @pytest.mark.parametrize(("said", "status"), [(gateways.FAILED, "failed"), (gateways.EXPIRED, "expired")])
    def test_one_that_brought_no_money_lets_the_violations_go(
        self, functions: Functions, subjects: list[Violation], started: str, said: str, status: str
    ) -> None:
        functions.gateway.says(started, said)
        assert functions.callback(started).status == 200
        assert functions.payment(started).body["status"] == status
        assert [state(functions, subject) for subject in subjects] == ["unpaid"] * 2
        again = functions.pay(wish(*subjects), "key-00000002")
        assert again.status == 201

    def test_the_callback_itself_proves_nothing(
        self, functions: Functions, subjects: list[Violation], started: str
    ) -> None:
        assert functions.callback(started).status == 200
        assert functions.payment(started).body["status"] == "pending"
        assert state(functions, subjects[0]) == "in_payment"

    @pytest.mark.parametrize(
        "fields", [{"amount": 74_999}, {"amount": 75_001}, {"currency": "USD"}, {"reference": "another"}]
    )
    def test_money_that_is_not_ours_goes_to_review(
        self, functions: Functions, subjects: list[Violation], started: str, fields: dict[str, Any]
    ) -> None:
        functions.gateway.says(started, **fields)
        assert functions.callback(started).status == 200
        payment = functions.payment(started).body
        assert (payment["status"], payment["receipt_no"]) == ("review", None)
        assert [state(functions, subject) for subject in subjects] == ["in_payment"] * 2
        assert functions.statuses() == []

    def test_money_for_a_payment_that_was_given_up_does_not_go_unseen(
        self, functions: Functions, subjects: list[Violation], started: str
    ) -> None:
        functions.clock.forward(minutes=16)
        functions.reconcile()
        functions.gateway.says(started)
        assert functions.callback(started).status == 200
        assert functions.payment(started).body["status"] == "expired"
        assert "paid_late" in trail(functions)
        assert state(functions, subjects[0]) == "unpaid"

    def test_nor_does_money_that_comes_while_it_is_being_given_up(
        self, functions: Functions, subjects: list[Violation], started: str
    ) -> None:
        functions.callback(started)
        standing = functions.gateway.standing

        def given_up_meanwhile(payment_id: str, gateway_id: str | None) -> Any:
            functions.gateway.standing = standing  # type: ignore[method-assign]
            functions.clock.forward(minutes=16)
            functions.reconcile()
            functions.gateway.says(payment_id)
            return standing(payment_id, gateway_id)

        functions.gateway.standing = given_up_meanwhile  # type: ignore[method-assign]
        assert functions.callback(started).status == 200
        assert functions.payment(started).body["status"] == "expired"
        assert "paid_late" in trail(functions)

    @pytest.mark.parametrize("status", ["failed", "expired"])
    def test_a_repeat_about_one_that_was_given_up_changes_nothing(
        self, functions: Functions, started: str, status: str
    ) -> None:
        functions.gateway.says(started, status)
        for _ in range(3):
            assert functions.callback(started).status == 200
        assert functions.payment(started).body["status"] == status
        assert "paid_late" not in trail(functions)

    def test_fifty_at_once_settle_once(self, functions: Functions, subjects: list[Violation], started: str) -> None:
        functions.callback(started)  # makes the clients before the threads do
        functions.gateway.says(started)
        with ThreadPoolExecutor(10) as threads:
            replies = list(threads.map(lambda _: functions.callback(started).status, range(50)))
        assert replies == [200] * 50
        receipts = [i for i in functions.tables.items("Payments") if i["sk"]["S"] == "RECEIPT"]
        assert len(receipts) == 1
        payment = functions.payment(started).body
        assert receipts[0]["pk"]["S"] == f"RECEIPT#{payment['receipt_no']}"
        assert payment["status"] == "paid"
        paid = functions.violations.get(subject.violation_no for subject in subjects)
        assert {each.receipt_no for each in paid.values()} == {payment["receipt_no"]}
        functions.send_due()
        assert len(functions.phones.sent) == 1

    def test_one_that_comes_before_the_order_call_returns_counts(
        self, functions: Functions, subjects: list[Violation]
    ) -> None:
        def paid_at_once(payment_id: str) -> None:
            functions.gateway.says(payment_id)
            assert functions.callback(payment_id).status == 200

        functions.gateway.while_ordering = paid_at_once
        reply = functions.pay(wish(*subjects))
        assert (reply.status, reply.body["status"]) == (201, "paid")
        assert reply.body["receipt_no"]

    def test_a_gateway_that_cannot_be_asked_is_asked_to_come_again(self, functions: Functions, started: str) -> None:
        functions.gateway.silence = UnknownError("ReadTimeoutError")
        reply = functions.callback(started)
        assert (reply.status, reply.body["code"], reply.headers["retry-after"]) == (503, "gateway_silent", "30")
        functions.gateway.silence = None
        functions.gateway.says(started)
        assert functions.callback(started).status == 200
        assert functions.payment(started).body["status"] == "paid"


class TestCallbackRefusals:
    def refused(self, functions: Functions, started: str, headers: dict[str, str], body: bytes | None = None) -> None:
        functions.gateway.says(started)
        asked = functions.gateway.asked
        reply = functions.callback(started, headers=headers, body=body)
        assert (reply.status, reply.body["code"]) == (401, "callback_refused")
        assert functions.gateway.asked == asked
        assert functions.payment(started).body["status"] == "pending"

    @pytest.mark.parametrize(
        "signature",
        ["", "nonsense", "t=1", "v1=", "t=,v1=", "t=1,v1=00", "=,=,=", "t=1,v1=é", "v1=" + "0" * 64],
    )
    def test_an_absent_or_bad_signature_is_refused(self, functions: Functions, started: str, signature: str) -> None:
        self.refused(functions, started, {"x-sandbox-signature": signature} if signature else {})

    def test_another_key_is_refused(self, functions: Functions, started: str) -> None:
        signed = functions.gateway.signed(callback_body(started), functions.clock.at, "another key")
        self.refused(functions, started, {"x-sandbox-signature": signed})

    def test_a_signature_of_another_body_is_refused(self, functions: Functions, started: str) -> None:
        functions.payment("warm")
        functions.callback("none")
        signed = functions.gateway.signed(callback_body("another"), functions.clock.at)
        self.refused(functions, started, {"x-sandbox-signature": signed})

    @pytest.mark.parametrize("seconds", [-301, 301, -86_400])
    def test_a_stale_or_early_one_is_refused(self, functions: Functions, started: str, seconds: int) -> None:
        functions.callback(started)
        signed = functions.gateway.signed(callback_body(started), functions.clock.at)
        functions.clock.forward(seconds=-seconds)
        self.refused(functions, started, {"x-sandbox-signature": signed})

    @pytest.mark.parametrize("seconds", [-300, 300])
    def test_clocks_may_differ_by_five_minutes(self, functions: Functions, started: str, seconds: int) -> None:
        functions.callback(started)
        signed = functions.gateway.signed(callback_body(started), functions.clock.at)
        functions.clock.forward(seconds=seconds)
        assert functions.callback(started, headers={"x-sandbox-signature": signed}).status == 200

    @pytest.mark.parametrize(
        "body", [b"", b"{", b"[]", b"{}", b'{"reference": 5}', b"\xff\xfe", b'{"reference": null}']
    )
    def test_a_signed_body_that_is_no_callback_is_refused(
        self, functions: Functions, started: str, body: bytes
    ) -> None:
        functions.callback(started)
        signed = functions.gateway.signed(body, functions.clock.at)
        self.refused(functions, started, {"x-sandbox-signature": signed}, body)

    def test_an_overlong_reference_is_refused(self, functions: Functions, started: str) -> None:
        functions.callback(started)
        signed = functions.gateway.signed(callback_body("x" * 3000), functions.clock.at)
        self.refused(functions, started, {"x-sandbox-signature": signed}, callback_body("x" * 3000))

    def test_an_unknown_payment_is_not_found(self, functions: Functions, started: str) -> None:
        functions.callback(started)
        reply = functions.callback("none")
        assert (reply.status, reply.body["code"]) == (404, "no_such_payment")

    def test_an_unknown_gateway_is_not_found(self, functions: Functions, started: str) -> None:
        functions.callback(started)
        reply = functions.callback(started, gateway="paypal")
        assert (reply.status, reply.body["code"]) == (404, "gateway_unknown")

    def test_a_body_beyond_bounds_is_refused(self, functions: Functions, started: str) -> None:
        functions.callback(started)
        reply = functions.callback(started, body=b" " * (LARGEST_BODY + 1))
        assert (reply.status, reply.body["code"]) == (413, "body_too_large")


class TestReconciling:
    def status(self, functions: Functions, started: str) -> str:
        found: str = functions.payment(started).body["status"]
        return found

    def test_a_payment_whose_callback_was_lost_is_settled(
        self, functions: Functions, subjects: list[Violation], started: str
    ) -> None:
        functions.gateway.says(started)
        functions.clock.forward(minutes=3)
        functions.reconcile()
        assert self.status(functions, started) == "paid"
        assert state(functions, subjects[0]) == "paid"

    def test_a_young_one_is_left_alone(self, functions: Functions, started: str) -> None:
        functions.clock.forward(minutes=2)
        functions.reconcile()
        assert functions.gateway.asked == 0

    def test_one_that_may_still_be_paid_goes_on(self, functions: Functions, started: str) -> None:
        functions.clock.forward(minutes=15)
        functions.reconcile()
        assert functions.gateway.asked == 1
        assert self.status(functions, started) == "pending"

    def test_one_whose_time_is_over_expires_only_after_asking(
        self, functions: Functions, subjects: list[Violation], started: str
    ) -> None:
        functions.clock.forward(minutes=16)
        functions.gateway.silence = UnknownError("ReadTimeoutError")
        functions.reconcile()
        assert self.status(functions, started) == "pending"
        assert state(functions, subjects[0]) == "in_payment"
        functions.gateway.silence = None
        functions.reconcile()
        assert self.status(functions, started) == "expired"
        assert [state(functions, subject) for subject in subjects] == ["unpaid"] * 2

    def test_one_paid_at_the_last_second_is_paid(self, functions: Functions, started: str) -> None:
        functions.clock.forward(minutes=20)
        functions.gateway.says(started)
        functions.reconcile()
        assert self.status(functions, started) == "paid"

    def test_one_that_the_gateway_never_got_expires(self, functions: Functions, subjects: list[Violation]) -> None:
        functions.gateway.refusal = UnknownError("ConnectTimeoutError")
        started = functions.pay(wish(*subjects)).body["payment_id"]
        functions.clock.forward(minutes=14)
        functions.reconcile()
        assert self.status(functions, started) == "created"
        functions.clock.forward(minutes=2)
        functions.reconcile()
        assert self.status(functions, started) == "expired"
        assert state(functions, subjects[0]) == "unpaid"

    def test_one_that_cannot_be_concluded_holds_up_no_other(
        self, functions: Functions, subjects: list[Violation]
    ) -> None:
        first = functions.pay(wish(subjects[0]), "key-00000001").body["payment_id"]
        second = functions.pay(wish(subjects[1]), "key-00000002").body["payment_id"]
        functions.clock.forward(minutes=3)
        standing = functions.gateway.standing

        def broken_for_first(payment_id: str, gateway_id: str | None) -> Any:
            if payment_id == first:
                raise RuntimeError("broken")
            return standing(payment_id, gateway_id)

        functions.gateway.says(second)
        functions.gateway.standing = broken_for_first  # type: ignore[method-assign]
        functions.reconcile()
        assert (self.status(functions, first), self.status(functions, second)) == ("pending", "paid")

    def test_one_that_ended_is_not_asked_about(self, functions: Functions, started: str) -> None:
        functions.gateway.says(started)
        functions.callback(started)
        asked = functions.gateway.asked
        functions.clock.forward(hours=1)
        functions.reconcile()
        assert functions.gateway.asked == asked


def test_a_receipt_tells_of_no_person_and_no_plate(functions: Functions, started: str) -> None:
    functions.gateway.says(started)
    functions.callback(started)
    receipt = functions.receipt(functions.payment(started).body["receipt_no"]).body
    assert set(receipt) == {"receipt_no", "paid", "amount", "currency", "paid_at"}
    assert SUB not in str(receipt)
