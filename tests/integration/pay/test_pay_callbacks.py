"""What a callback brings about, over real tables: money is settled once, and only when the gateway says so."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from pay.gateways import OrderStatus, UnknownError
from shared.aws_json import AwsError
from shared.domain.rules import Rules, Window
from shared.domain.time import to_text
from shared.domain.violation import CANCELLED, DISPUTED, Violation
from shared.policies import RULES
from shared.stores.items import transact
from tests.support.build import PHONE, SUB, later, row
from tests.support.functions import Functions
from tests.support.payment_requests import corrections, payment_body, state, status, trail


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
            "money_returned_since": None,
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
        assert f": 75,000 IQD paid, plate ..418. Receipt {receipt_no}. " in text

    def test_a_payer_without_a_phone_gets_a_receipt_without_an_sms(
        self, functions: Functions, subjects: list[Violation]
    ) -> None:
        started = functions.pay(payment_body(*subjects), claims={"phone_number": None}).body["payment_id"]
        functions.gateway.says(started)
        assert functions.callback(started).status == 200
        assert functions.payment(started).body["receipt_no"]
        assert functions.statuses() == []

    def test_the_quote_is_honoured_after_the_fine_has_doubled(
        self, functions: Functions, subjects: list[Violation]
    ) -> None:
        functions.clock.at = functions.clock.at.replace(month=12, day=19, hour=8, minute=50)
        started = functions.pay(payment_body(*subjects)).body["payment_id"]
        functions.clock.forward(minutes=12)
        functions.gateway.says(started)
        functions.callback(started)
        assert functions.payment(started).body["amount"] == 75_000
        assert functions.payment(started).body["status"] == "paid"

    def test_a_quote_begun_in_a_window_keeps_its_price_after_it(
        self, functions: Functions, subjects: list[Violation], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        until = functions.clock.at.replace(hour=0, minute=0) + timedelta(days=1)
        window = Window("twenty", "2026-11-01T00:00:00+03:00", to_text(until), "2026-11-20", percent_off=20)
        monkeypatch.setattr("pay.payments.start.RULES", Rules(RULES.policies, [window]))
        functions.clock.at = until - timedelta(seconds=1)
        started = functions.pay(payment_body(*subjects)).body
        functions.clock.forward(minutes=12)
        functions.gateway.says(started["payment_id"])
        functions.callback(started["payment_id"])
        paid = functions.payment(started["payment_id"]).body
        assert (paid["status"], paid["amount"]) == ("paid", 60_000)
        assert paid["items"] == started["items"]
        assert {(item["rule"], item["window"]) for item in paid["items"]} == {("IQ-TRAFFIC-2019", "twenty")}

    def test_a_newer_row_of_the_directorate_does_not_lose_the_money(
        self, functions: Functions, subjects: list[Violation], started: str
    ) -> None:
        functions.violations.write([row(later(subjects[0], amount=1, status=DISPUTED))])
        functions.gateway.says(started)
        functions.callback(started)
        assert functions.payment(started).body["status"] == "paid"
        assert state(functions, subjects[0]) == "paid"

    @pytest.mark.parametrize(("said", "status"), [(OrderStatus.FAILED, "failed"), (OrderStatus.EXPIRED, "expired")])
    def test_one_that_brought_no_money_lets_the_violations_go(
        self, functions: Functions, subjects: list[Violation], started: str, said: str, status: str
    ) -> None:
        functions.gateway.says(started, said)
        assert functions.callback(started).status == 200
        assert functions.payment(started).body["status"] == status
        assert [state(functions, subject) for subject in subjects] == ["unpaid"] * 2
        again = functions.pay(payment_body(*subjects), "key-00000002")
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

    @pytest.mark.parametrize("said", [OrderStatus.UNPAID, OrderStatus.PAID, OrderStatus.FAILED])
    def test_what_a_gateway_says_of_another_order_says_nothing(
        self, functions: Functions, started: str, said: str
    ) -> None:
        functions.gateway.says(started, said, reference="another")
        functions.clock.forward(minutes=16)
        assert functions.callback(started).status == 503
        functions.poll_gateways()
        assert status(functions, started) == "pending"
        functions.gateway.says(started, gateway_id="g-another")
        assert functions.callback(started).status == 503
        assert status(functions, started) == "pending"
        functions.gateway.says(started, gateway_id=f"g-{started}")
        assert functions.callback(started).status == 200
        assert status(functions, started) == "paid"

    @pytest.mark.parametrize("ended", ["expired", "failed", "cancelled"])
    def test_money_for_a_payment_that_was_given_up_settles_what_is_still_owed(
        self, functions: Functions, subjects: list[Violation], started: str, ended: str
    ) -> None:
        if ended == "cancelled":
            functions.cancel(started)
        elif ended == "failed":
            functions.gateway.says(started, OrderStatus.FAILED)
            functions.callback(started, status="failed")
        else:
            functions.clock.forward(minutes=16)
            functions.poll_gateways()
        assert status(functions, started) == ended
        functions.gateway.says(started)
        assert functions.callback(started).status == 200
        payment = functions.payment(started).body
        assert (payment["status"], payment["refund"]) == ("paid", None)
        assert functions.receipt(payment["receipt_no"]).body["amount"] == 75_000
        assert corrections(functions) == ["late_settled"]
        assert [state(functions, subject) for subject in subjects] == ["paid"] * 2

    def test_other_money_for_a_payment_that_was_given_up_is_reviewed(self, functions: Functions, started: str) -> None:
        functions.cancel(started)
        functions.gateway.says(started, amount=1)
        functions.callback(started)
        assert status(functions, started) == "review"
        assert corrections(functions) == ["late_other_money"]

    def test_money_that_comes_while_it_is_being_given_up_settles_it_too(
        self, functions: Functions, started: str
    ) -> None:
        functions.callback(started)
        order = functions.gateway.get_order

        def given_up_meanwhile(payment_id: str | None, gateway_id: str | None) -> Any:
            functions.gateway.get_order = order  # type: ignore[method-assign]
            functions.clock.forward(minutes=16)
            functions.poll_gateways()
            functions.gateway.says(started)
            return order(payment_id, gateway_id)

        functions.gateway.get_order = given_up_meanwhile  # type: ignore[method-assign]
        assert functions.callback(started).status == 200
        assert status(functions, started) == "paid"
        assert corrections(functions) == ["late_settled"]

    @pytest.mark.parametrize("status", ["failed", "expired"])
    def test_a_repeat_about_one_that_was_given_up_changes_nothing(
        self, functions: Functions, started: str, status: str
    ) -> None:
        functions.gateway.says(started, status)
        for _ in range(3):
            assert functions.callback(started).status == 200
        assert functions.payment(started).body["status"] == status
        assert corrections(functions) == []

    def test_a_repeat_about_one_that_is_paid_is_asked_about_and_changes_nothing(
        self, functions: Functions, started: str
    ) -> None:
        functions.gateway.says(started)
        functions.callback(started)
        asked, before = functions.gateway.asked, trail(functions)
        for _ in range(3):
            assert functions.callback(started).status == 200
        assert functions.gateway.asked == asked + 3
        assert trail(functions) == before
        seen = [item for item in functions.tables.items("Payments") if item["sk"]["S"].startswith("CALLBACK#")]
        assert [item["event"]["S"] for item in seen] == ["paid"]

    def test_events_out_of_order_end_as_the_gateway_says(self, functions: Functions, started: str) -> None:
        functions.gateway.says(started)
        for told in ("paid", "created", "failed", "paid"):
            assert functions.callback(started, status=told).status == 200
        assert status(functions, started) == "paid"

    def test_a_callback_about_a_refunded_payment_changes_nothing(
        self, functions: Functions, subjects: list[Violation], started: str
    ) -> None:
        functions.cancel(started)
        functions.violations.write([row(later(each, status=CANCELLED)) for each in subjects])
        functions.gateway.says(started)
        functions.callback(started)
        functions.clock.forward(minutes=3)
        functions.poll_gateways()
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
        payment_id = functions.pay(payment_body(*subjects)).body["payment_id"]
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
        monkeypatch.setattr("shared.stores.paying.payments.transact", crowded(times=2))
        assert functions.callback(started).status == 200
        assert status(functions, started) == "paid"

    def test_one_whose_order_cannot_be_bound_for_others_comes_again(
        self, functions: Functions, subjects: list[Violation], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def taken_but_unheard(payment_id: str) -> None:
            raise UnknownError("ReadTimeoutError")

        functions.gateway.while_ordering = taken_but_unheard
        payment_id = functions.pay(payment_body(*subjects)).body["payment_id"]
        functions.gateway.says(payment_id)
        with monkeypatch.context() as patched:
            patched.setattr("shared.stores.paying.payments.transact", crowded(times=1))
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
        reply = functions.pay(payment_body(*subjects))
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


def test_a_receipt_tells_of_no_person_and_no_plate(functions: Functions, started: str) -> None:
    functions.gateway.says(started)
    functions.callback(started)
    receipt = functions.receipt(functions.payment(started).body["receipt_no"]).body
    assert set(receipt) == {"receipt_no", "paid", "money_returned_since", "amount", "currency", "paid_at"}
    assert SUB not in str(receipt)
