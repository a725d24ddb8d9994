"""Callbacks, from event to receipt, over real tables: money is settled once, and only when the gateway says so."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest

from pay import gateways
from pay.gateways import CallbackError, Delivery, Notice, UnknownError
from shared.aws_json import AwsError
from shared.domain.violation import DISPUTED, Violation
from shared.http import LARGEST_BODY
from shared.stores.items import transact
from tests.build import PHONE, SUB, later, row
from tests.fakes import FakeGateway, callback_body
from tests.functions import Functions, Reply
from tests.integration.pay.wishes import RETURN_URL, corrections, state, status, wish


def crowded(times: int) -> Callable[..., None]:
    """A transaction that others' work cancels so many times, whatever it tries itself."""
    left = [AwsError("TransactionCanceledException", "", [{"Code": "TransactionConflict"}])] * times

    def transacted(*arguments: Any, **named: Any) -> None:
        if left:
            raise left.pop()
        transact(*arguments, **named)

    return transacted


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

    @pytest.mark.parametrize("fields", [{"amount": 74_999}, {"amount": 75_001}, {"currency": "USD"}])
    def test_money_that_is_not_ours_goes_to_review(
        self, functions: Functions, subjects: list[Violation], started: str, fields: dict[str, Any]
    ) -> None:
        functions.gateway.says(started, **fields)
        assert functions.callback(started).status == 200
        payment = functions.payment(started).body
        assert (payment["status"], payment["receipt_no"]) == ("review", None)
        assert [state(functions, subject) for subject in subjects] == ["in_payment"] * 2
        assert functions.statuses() == []

    @pytest.mark.parametrize("said", [gateways.UNPAID, gateways.PAID, gateways.FAILED])
    def test_what_a_gateway_says_of_another_order_says_nothing(
        self, functions: Functions, started: str, said: str
    ) -> None:
        functions.gateway.says(started, said, reference="another")
        functions.clock.forward(minutes=16)
        assert functions.callback(started).status == 503
        functions.reconcile()
        assert status(functions, started) == "pending"
        functions.gateway.says(started, gateway_id="g-another")
        assert functions.callback(started).status == 503
        assert status(functions, started) == "pending"
        functions.gateway.says(started, gateway_id=f"g-{started}")
        assert functions.callback(started).status == 200
        assert status(functions, started) == "paid"

    @pytest.mark.parametrize("ended", ["expired", "failed", "cancelled"])
    def test_money_for_a_payment_that_was_given_up_is_due_back(
        self, functions: Functions, subjects: list[Violation], started: str, ended: str
    ) -> None:
        if ended == "cancelled":
            functions.cancel(started)
        elif ended == "failed":
            functions.gateway.says(started, gateways.FAILED)
            functions.callback(started, status="failed")
        else:
            functions.clock.forward(minutes=16)
            functions.reconcile()
        assert status(functions, started) == ended
        functions.gateway.says(started)
        assert functions.callback(started).status == 200
        payment = functions.payment(started).body
        assert payment["status"] == "refund_due"
        assert payment["refund"] == {
            "amount": 75_000,
            "status": "due",
            "violations": [subject.violation_no for subject in subjects],
        }
        assert corrections(functions) == ["late_money"]
        assert state(functions, subjects[0]) == "unpaid"

    def test_other_money_for_a_payment_that_was_given_up_is_reviewed(self, functions: Functions, started: str) -> None:
        functions.cancel(started)
        functions.gateway.says(started, amount=1)
        functions.callback(started)
        assert status(functions, started) == "review"
        assert corrections(functions) == ["late_other_money"]

    def test_money_that_comes_while_it_is_being_given_up_is_due_back(
        self, functions: Functions, subjects: list[Violation], started: str
    ) -> None:
        functions.callback(started)
        standing = functions.gateway.standing

        def given_up_meanwhile(payment_id: str | None, gateway_id: str | None) -> Any:
            functions.gateway.standing = standing  # type: ignore[method-assign]
            functions.clock.forward(minutes=16)
            functions.reconcile()
            functions.gateway.says(started)
            return standing(payment_id, gateway_id)

        functions.gateway.standing = given_up_meanwhile  # type: ignore[method-assign]
        assert functions.callback(started).status == 200
        assert status(functions, started) == "refund_due"

    @pytest.mark.parametrize("status", ["failed", "expired"])
    def test_a_repeat_about_one_that_was_given_up_changes_nothing(
        self, functions: Functions, started: str, status: str
    ) -> None:
        functions.gateway.says(started, status)
        for _ in range(3):
            assert functions.callback(started).status == 200
        assert functions.payment(started).body["status"] == status
        assert corrections(functions) == []

    def test_a_repeat_about_one_that_is_paid_asks_nobody(self, functions: Functions, started: str) -> None:
        functions.gateway.says(started)
        functions.callback(started)
        asked = functions.gateway.asked
        for _ in range(3):
            assert functions.callback(started).status == 200
        assert functions.gateway.asked == asked
        seen = [item for item in functions.tables.items("Payments") if item["sk"]["S"].startswith("CALLBACK#")]
        assert [item["event"]["S"] for item in seen] == ["paid"]

    def test_events_out_of_order_end_as_the_gateway_says(self, functions: Functions, started: str) -> None:
        functions.gateway.says(started)
        for told in ("paid", "created", "failed", "paid"):
            assert functions.callback(started, status=told).status == 200
        assert status(functions, started) == "paid"

    def test_a_callback_about_a_refunded_payment_changes_nothing(self, functions: Functions, started: str) -> None:
        functions.cancel(started)
        functions.gateway.says(started)
        functions.callback(started)
        functions.clock.forward(minutes=3)
        functions.reconcile()
        assert status(functions, started) == "refunded"
        for told in ("paid", "refunded"):
            assert functions.callback(started, status=told).status == 200
        assert status(functions, started) == "refunded"
        assert len(functions.gateway.refunds) == 1

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

    def test_fifty_at_once_settle_once_where_the_orders_answer_never_came(
        self, functions: Functions, subjects: list[Violation]
    ) -> None:
        def taken_but_unheard(payment_id: str) -> None:
            raise UnknownError("ReadTimeoutError")

        functions.gateway.while_ordering = taken_but_unheard
        payment_id = functions.pay(wish(*subjects)).body["payment_id"]
        functions.callback("none")  # makes the clients before the threads do
        functions.gateway.says(payment_id)
        with ThreadPoolExecutor(10) as threads:
            replies = list(threads.map(lambda _: functions.callback(payment_id).status, range(50)))
        assert replies == [200] * 50
        assert status(functions, payment_id) == "paid"
        assert len([item for item in functions.tables.items("Payments") if item["sk"]["S"] == "RECEIPT"]) == 1

    def test_one_that_others_are_in_the_way_of_is_looked_at_anew(
        self, functions: Functions, started: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        functions.gateway.says(started)
        monkeypatch.setattr("shared.stores.payments.transact", crowded(times=2))
        assert functions.callback(started).status == 200
        assert status(functions, started) == "paid"

    def test_one_whose_order_cannot_be_bound_for_others_comes_again(
        self, functions: Functions, subjects: list[Violation], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def taken_but_unheard(payment_id: str) -> None:
            raise UnknownError("ReadTimeoutError")

        functions.gateway.while_ordering = taken_but_unheard
        payment_id = functions.pay(wish(*subjects)).body["payment_id"]
        functions.gateway.says(payment_id)
        with monkeypatch.context() as patched:
            patched.setattr("shared.stores.payments.transact", crowded(times=1))
            assert functions.callback(payment_id).status == 503
        assert functions.callback(payment_id).status == 200
        assert status(functions, payment_id) == "paid"

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


class TestBrowser:
    def come_by(self, functions: Functions, payment_id: str, **query: str) -> Reply:
        """The browser that a gateway sends, in the sandbox's own scheme."""
        body = b""
        return functions.call(
            "pay.on_callback",
            "GET /v1/callbacks/{gateway}",
            path={"gateway": "sandbox"},
            query=query,
            headers={"x-sandbox-signature": functions.gateway.signed(body, functions.clock.at)},
        )

    @pytest.fixture(autouse=True)
    def by_token(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A gateway whose browser brings the payment's id as its token."""

        def callback(gateway: FakeGateway, delivery: Delivery, now: datetime) -> Notice:
            if "token" not in delivery.query:
                raise CallbackError("no token")
            return Notice(delivery.query["token"], None, "browser")

        monkeypatch.setattr(FakeGateway, "callback", callback)

    def test_it_goes_on_to_where_the_citizen_came_from(self, functions: Functions, started: str) -> None:
        functions.gateway.says(started)
        reply = self.come_by(functions, started, token=started)
        assert (reply.status, reply.headers["location"]) == (303, RETURN_URL)
        assert status(functions, started) == "paid"

    def test_also_where_the_gateway_is_silent(self, functions: Functions, started: str) -> None:
        functions.gateway.silence = UnknownError("ReadTimeoutError")
        reply = self.come_by(functions, started, token=started)
        assert (reply.status, reply.headers["location"]) == (303, RETURN_URL)
        assert status(functions, started) == "pending"

    def test_one_that_proves_nothing_goes_nowhere(self, functions: Functions, started: str) -> None:
        reply = self.come_by(functions, started)
        assert (reply.status, reply.body["code"]) == (401, "callback_refused")
        assert "location" not in reply.headers


class TestByTheGatewaysId:
    """A gateway whose callback proves its own id of the order, and not ours."""

    @pytest.fixture(autouse=True)
    def by_its_own_id(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def callback(gateway: FakeGateway, delivery: Delivery, now: datetime) -> Notice:
            return Notice(None, json.loads(delivery.body)["id"], "paid")

        monkeypatch.setattr(FakeGateway, "callback", callback)

    def test_it_is_known_since_the_order(self, functions: Functions, started: str) -> None:
        functions.gateway.says(started)
        asked = functions.gateway.asked
        assert functions.callback(started).status == 200
        assert functions.gateway.asked == asked + 1
        assert status(functions, started) == "paid"

    def test_before_the_order_call_returns_the_gateway_says_whose_it_is(
        self, functions: Functions, subjects: list[Violation]
    ) -> None:
        def paid_at_once(payment_id: str) -> None:
            functions.gateway.says(payment_id)
            assert functions.callback(payment_id, headers={}).status == 200

        functions.gateway.while_ordering = paid_at_once
        assert functions.pay(wish(*subjects)).body["status"] == "paid"

    def test_nobody_elses_order_is_taken_for_ours(self, functions: Functions, started: str) -> None:
        assert functions.callback("none", headers={}).status == 404
        functions.gateway.silence = UnknownError("ReadTimeoutError")
        assert functions.callback("none", headers={}).status == 503


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
        "body",
        [b"", b"{", b"[]", b"{}", b'{"reference": 5}', b"\xff\xfe", b'{"reference": null}', b'{"reference": "p"}'],
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


def test_a_receipt_tells_of_no_person_and_no_plate(functions: Functions, started: str) -> None:
    functions.gateway.says(started)
    functions.callback(started)
    receipt = functions.receipt(functions.payment(started).body["receipt_no"]).body
    assert set(receipt) == {"receipt_no", "paid", "amount", "currency", "paid_at"}
    assert SUB not in str(receipt)
