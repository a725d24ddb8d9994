"""What asking the gateways finds out, gives back and leaves alone."""

from __future__ import annotations

from typing import Any

import pytest

from pay.gateways import Closing, OrderStatus, Refund, RefusedError, UnaskableError, UnknownError
from pay.payments.refund import refund_reviewed, settle_reviewed
from pay.poll_gateways import MAX_SILENCES
from shared.domain.violation import CANCELLED, PAID, Violation
from tests.support.aws import Engine
from tests.support.build import OTHER_PLATE, follow, later, row, store, violation
from tests.support.functions import Functions
from tests.support.payment_requests import metrics, payment_body, state, status, trail


class TestReconciling:
    def test_a_payment_whose_callback_was_lost_is_settled(
        self, functions: Functions, subjects: list[Violation], started: str
    ) -> None:
        functions.gateway.says(started)
        functions.clock.forward(minutes=3)
        functions.poll_gateways()
        assert status(functions, started) == "paid"
        assert state(functions, subjects[0]) == "paid"

    def test_a_young_one_is_left_alone(self, functions: Functions, started: str) -> None:
        functions.clock.forward(minutes=2)
        functions.poll_gateways()
        assert functions.gateway.asked == 0

    def test_one_that_may_still_be_paid_goes_on(self, functions: Functions, started: str) -> None:
        functions.clock.forward(minutes=15)
        functions.poll_gateways()
        assert functions.gateway.asked == 1
        assert status(functions, started) == "pending"

    def test_one_whose_time_is_over_expires_only_after_asking(
        self, functions: Functions, subjects: list[Violation], started: str
    ) -> None:
        functions.clock.forward(minutes=16)
        functions.gateway.silence = UnknownError("ReadTimeoutError")
        functions.poll_gateways()
        assert status(functions, started) == "pending"
        assert state(functions, subjects[0]) == "in_payment"
        functions.gateway.silence = None
        functions.poll_gateways()
        assert status(functions, started) == "expired"
        assert [state(functions, subject) for subject in subjects] == ["unpaid"] * 2

    def test_one_whose_time_is_over_can_be_paid_no_more(self, functions: Functions, started: str) -> None:
        functions.clock.forward(minutes=16)
        functions.poll_gateways()
        assert status(functions, started) == "expired"
        assert functions.gateway.orders[started].status == OrderStatus.FAILED

    def test_money_that_comes_while_it_is_being_closed_is_settled(
        self, functions: Functions, started: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def close(payment_id: str, gateway_id: str | None) -> Closing:
            functions.gateway.says(started)
            return Closing.OPEN

        monkeypatch.setattr(functions.gateway, "close", close)
        functions.clock.forward(minutes=16)
        functions.poll_gateways()
        assert status(functions, started) == "paid"

    def test_one_paid_at_the_last_second_is_paid(self, functions: Functions, started: str) -> None:
        functions.clock.forward(minutes=20)
        functions.gateway.says(started)
        functions.poll_gateways()
        assert status(functions, started) == "paid"

    def test_one_that_the_gateway_never_got_expires(self, functions: Functions, subjects: list[Violation]) -> None:
        functions.gateway.refusal = UnknownError("ConnectTimeoutError")
        started = functions.pay(payment_body(*subjects)).body["payment_id"]
        functions.clock.forward(minutes=14)
        functions.poll_gateways()
        assert status(functions, started) == "created"
        functions.clock.forward(minutes=2)
        functions.poll_gateways()
        assert status(functions, started) == "expired"
        assert state(functions, subjects[0]) == "unpaid"

    def test_one_that_cannot_be_concluded_holds_up_no_other(
        self, functions: Functions, subjects: list[Violation]
    ) -> None:
        first = functions.pay(payment_body(subjects[0]), "key-00000001").body["payment_id"]
        second = functions.pay(payment_body(subjects[1]), "key-00000002").body["payment_id"]
        functions.clock.forward(minutes=3)
        order = functions.gateway.get_order

        def broken_for_first(payment_id: str | None, gateway_id: str | None) -> Any:
            if payment_id == first:
                raise RuntimeError("broken")
            return order(payment_id, gateway_id)

        functions.gateway.says(second)
        functions.gateway.get_order = broken_for_first  # type: ignore[method-assign]
        functions.poll_gateways()
        assert (status(functions, first), status(functions, second)) == ("pending", "paid")

    def test_one_that_ended_is_not_asked_about(self, functions: Functions, started: str) -> None:
        functions.gateway.says(started)
        functions.callback(started)
        asked = functions.gateway.asked
        functions.clock.forward(hours=1)
        functions.poll_gateways()
        assert functions.gateway.asked == asked

    def test_a_silent_gateway_is_left_alone_after_a_few_tries(
        self, functions: Functions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MAX_LIVE_PAYMENTS", "50")
        follow(functions.citizens)
        many = [violation() for _ in range(MAX_SILENCES + 3)]
        store(functions.violations, *many)
        for each in many:
            assert functions.pay(payment_body(each), f"key-{each.violation_no:0>8}").status == 201
        functions.clock.forward(minutes=16)
        functions.gateway.silence = UnknownError("ReadTimeoutError")
        functions.poll_gateways()
        assert functions.gateway.asked == MAX_SILENCES

    def test_one_that_the_gateway_cannot_be_asked_about_expires_an_hour_after_its_time(
        self, functions: Functions, subjects: list[Violation]
    ) -> None:
        functions.gateway.refusal = UnknownError("ReadTimeoutError")
        started = functions.pay(payment_body(*subjects)).body["payment_id"]
        functions.gateway.silence = UnaskableError("no id")
        functions.clock.forward(minutes=75)
        functions.poll_gateways()
        assert status(functions, started) == "created"
        functions.clock.forward(seconds=1)
        functions.poll_gateways()
        assert status(functions, started) == "expired"
        assert state(functions, subjects[0]) == "unpaid"
        assert len(functions.gateway.requests) == 0

    def test_one_long_open_after_its_time_is_told_of(
        self, functions: Functions, started: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        functions.gateway.silence = UnknownError("ReadTimeoutError")
        functions.clock.forward(minutes=15, hours=2)
        functions.poll_gateways()
        assert metrics(capsys)["PaymentsOverdue"] == [0]
        functions.clock.forward(seconds=1)
        functions.poll_gateways()
        assert metrics(capsys)["PaymentsOverdue"] == [1]
        assert status(functions, started) == "pending"

    def test_one_whose_gateway_is_gone_is_told_of(
        self,
        functions: Functions,
        started: str,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        monkeypatch.setattr("pay.poll_gateways.gateway", lambda name: None)
        functions.clock.forward(minutes=16)
        functions.poll_gateways()
        assert metrics(capsys)["PaymentsWithoutGateway"] == [1]
        assert status(functions, started) == "pending"

    def test_one_under_review_is_told_of(
        self, functions: Functions, started: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        functions.gateway.says(started, amount=1)
        functions.callback(started)
        functions.clock.forward(minutes=3)
        functions.poll_gateways()
        assert metrics(capsys)["PaymentsInReview"] == [1]


def test_one_that_cannot_be_read_holds_up_nobody(
    engine: Engine, functions: Functions, subjects: list[Violation], capsys: pytest.CaptureFixture[str]
) -> None:
    damaged, whole = (
        functions.pay(payment_body(each), f"key-0000000{n}").body["payment_id"] for n, each in enumerate(subjects)
    )
    key = {"pk": {"S": damaged}, "sk": {"S": "PAYMENT"}}
    table = functions.tables["Payments"]
    remove = {"TableName": table, "Key": key, "UpdateExpression": "REMOVE expires_at"}
    engine.fast()("dynamodb", "UpdateItem", remove)
    functions.gateway.says(whole)
    functions.clock.forward(minutes=3)
    capsys.readouterr()
    functions.poll_gateways()
    assert metrics(capsys)["ItemsUnreadable"] == [1]
    assert status(functions, whole) == "paid"


class TestRefunding:
    @pytest.fixture
    def late(self, functions: Functions, subjects: list[Violation], started: str) -> str:
        """The id of a payment that was paid after it was given up, when nothing of it was owed any more."""
        functions.cancel(started)
        functions.violations.write([row(later(each, status=CANCELLED)) for each in subjects])
        functions.gateway.says(started)
        functions.callback(started)
        functions.clock.forward(minutes=3)
        return started

    def test_late_money_goes_back_and_the_citizen_is_told(self, functions: Functions, late: str) -> None:
        functions.poll_gateways()
        payment = functions.payment(late).body
        assert (payment["status"], payment["refund"]["status"]) == ("refunded", "done")
        (refund,) = functions.gateway.refunds.values()
        assert (refund.payment_id, refund.amount, refund.reason) == (late, 75_000, "paid_late")
        assert len(refund.refund_id) == 32
        functions.send_due()
        (text,) = functions.phones.texts
        assert "75,000" in text
        assert late[:8] in text
        functions.poll_gateways()
        functions.send_due()
        assert len(functions.gateway.refunds) == len(functions.phones.sent) == 1

    def test_one_that_is_on_its_way_back_is_asked_for_again_under_the_same_number(
        self, functions: Functions, late: str
    ) -> None:
        functions.gateway.refund_state = OrderStatus.REFUNDING
        for _ in range(2):
            functions.poll_gateways()
            assert status(functions, late) == "refund_due"
            functions.clock.forward(minutes=3)
        functions.gateway.refund_state = OrderStatus.REFUNDED
        functions.poll_gateways()
        assert status(functions, late) == "refunded"
        assert len(functions.gateway.refunds) == 1

    def test_of_two_runs_at_once_only_one_asks_for_it(
        self, functions: Functions, late: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A gateway that gives back again each time, as ZainCash does, would give to both."""
        asked: list[str] = []

        def refund(refund: Refund) -> str:
            asked.append(refund.payment_id)
            if len(asked) == 1:
                functions.clock.forward(minutes=1)
                functions.poll_gateways()
            return OrderStatus.REFUNDING

        monkeypatch.setattr(functions.gateway, "refund", refund)
        functions.poll_gateways()
        assert asked == [late]
        functions.clock.forward(minutes=1)
        functions.poll_gateways()
        assert asked == [late, late]  # whoever asked is gone by then, whatever became of it

    def test_a_silence_leaves_it_due(self, functions: Functions, late: str) -> None:
        functions.gateway.silence = UnknownError("ReadTimeoutError")
        functions.poll_gateways()
        assert status(functions, late) == "refund_due"
        functions.gateway.silence = None
        functions.clock.forward(minutes=3)
        functions.poll_gateways()
        assert status(functions, late) == "refunded"

    def test_what_the_gateway_refuses_waits_for_an_operator(
        self, functions: Functions, late: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        functions.gateway.refund_refusal = RefusedError("only_whole")
        functions.poll_gateways()
        functions.gateway.refund_refusal = None
        functions.poll_gateways()
        assert status(functions, late) == "refund_due"
        assert functions.gateway.refunds == {}
        payment = functions.payments.get(late)
        assert payment is not None
        due = functions.returns.last(payment)
        assert due is not None
        assert (due.state, due.refused) == ("refused", "only_whole")
        assert "refund_refused" in [event["what"]["S"] for event in trail(functions)]
        assert metrics(capsys)["RefundsStuck"] == [1, 1]

    def test_one_that_takes_more_than_a_day_is_told_of(
        self, functions: Functions, late: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        functions.gateway.refund_state = OrderStatus.REFUNDING
        functions.poll_gateways()
        functions.clock.forward(days=1)
        functions.poll_gateways()
        assert metrics(capsys)["RefundsStuck"] == [0, 1]

    def test_money_that_is_no_dinars_is_nobodys_but_an_operators(
        self, functions: Functions, started: str, engine: Engine, capsys: pytest.CaptureFixture[str]
    ) -> None:
        functions.gateway.says(started, currency="USD")
        functions.callback(started)
        payment = functions.payments.get(started)
        assert payment is not None
        assert (payment.status, payment.reason, payment.received) == ("review", "currency_differs", 0)
        stores = functions.stores
        with pytest.raises(ValueError, match="enough"):
            settle_reviewed(payment, stores, functions.clock.at)
        assert refund_reviewed(payment, stores, functions.clock.at)
        functions.clock.forward(minutes=3)
        functions.poll_gateways()
        assert status(functions, started) == "refund_due"
        assert functions.gateway.refunds == {}
        assert metrics(capsys)["RefundsStuck"] == [1]


class TestPartly:
    """Some of what is paid can no longer be settled when the money comes."""

    @pytest.mark.parametrize(
        "change",
        [{"status": CANCELLED}, {"status": PAID, "counter_receipt_no": "1"}, {"plate_key": OTHER_PLATE.key}],
        ids=["cancelled", "paid at the counter", "moved"],
    )
    def test_the_rest_is_settled_and_that_money_goes_back(
        self, functions: Functions, subjects: list[Violation], started: str, change: dict[str, Any]
    ) -> None:
        functions.violations.write([row(later(subjects[0], **change))])
        functions.gateway.says(started)
        assert functions.callback(started).status == 200
        payment = functions.payment(started).body
        assert payment["status"] == "refund_due"
        assert payment["refund"] == {"amount": 50_000, "status": "due", "violations": [subjects[0].violation_no]}
        assert functions.receipt(payment["receipt_no"]).body["amount"] == 25_000
        assert state(functions, subjects[1]) == "paid"
        kept = functions.violations.get([subjects[0].violation_no])[subjects[0].violation_no]
        assert (kept.held_by, kept.paid_by) == (None, None)
        functions.clock.forward(minutes=3)
        functions.poll_gateways()
        payment = functions.payment(started).body
        assert (payment["status"], payment["refund"]["status"]) == ("paid", "done")
        assert [refund.amount for refund in functions.gateway.refunds.values()] == [50_000]
        functions.send_due()
        receipt, refund = sorted(functions.phones.texts)
        assert {"25,000" in receipt, "50,000" in refund} == {True}

    def test_where_nothing_can_be_settled_all_goes_back(
        self, functions: Functions, subjects: list[Violation], started: str
    ) -> None:
        functions.violations.write([row(later(each, status=CANCELLED)) for each in subjects])
        functions.gateway.says(started)
        functions.callback(started)
        payment = functions.payment(started).body
        assert (payment["status"], payment["receipt_no"]) == ("refund_due", None)
        assert payment["refund"]["amount"] == 75_000
        functions.clock.forward(minutes=3)
        functions.poll_gateways()
        assert status(functions, started) == "refunded"

    def test_a_gateway_that_gives_back_only_all_leaves_the_part_to_an_operator(
        self, functions: Functions, subjects: list[Violation], started: str
    ) -> None:
        functions.violations.write([row(later(subjects[0], status=CANCELLED))])
        functions.gateway.says(started)
        functions.callback(started)
        functions.gateway.refund_refusal = RefusedError("only_whole")
        functions.clock.forward(minutes=3)
        functions.poll_gateways()
        assert status(functions, started) == "refund_due"
        assert state(functions, subjects[1]) == "paid"
        assert functions.gateway.orders[started].status == OrderStatus.PAID
