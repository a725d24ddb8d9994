"""Settled money that is back with its payer: everything that was said of it is unsaid, once, or nothing is."""

from __future__ import annotations

import contextlib

import pytest

from pay.payments.refund import complete_refund, settle_reviewed
from pay.payments.returning import reverse
from pay.payments.settle import PaymentStores
from shared.aws_json import AwsError
from shared.domain.payment import Payment
from shared.domain.settlement import REVERSED, SETTLED
from shared.domain.violation import CANCELLED, PAID, Violation
from shared.stores.paying.payments import Payments
from tests.support.aws import Engine
from tests.support.build import later, row
from tests.support.crashes import Crash, Faults
from tests.support.functions import Functions
from tests.support.payment_requests import corrections, state


def payment_of(functions: Functions, payment_id: str) -> Payment:
    payment = functions.payments.get(payment_id)
    assert payment is not None
    return payment


@pytest.fixture
def paid(functions: Functions, started: str) -> Payment:
    functions.gateway.says(started)
    functions.callback(started)
    return payment_of(functions, started)


def entries(functions: Functions) -> list[str]:
    return sorted(item["sk"]["S"].partition("#")[0] for item in functions.tables.items("Settlements"))


def test_everything_is_undone_in_one_go(
    functions: Functions, stores: PaymentStores, subjects: list[Violation], paid: Payment
) -> None:
    assert reverse(paid, stores, functions.clock.at)
    after = functions.payment(paid.payment_id).body
    assert after["status"] == "refunded"
    assert corrections(functions) == ["money_returned"]
    kept = functions.violations.get(each.violation_no for each in subjects)
    assert [kept[each.violation_no] for each in subjects] == subjects
    assert functions.receipt(str(paid.receipt_no)).body["paid"] is False
    assert entries(functions) == [REVERSED, SETTLED]
    functions.send_due()
    paid_text, returned = sorted(functions.phones.texts, key=lambda text: "returned" in text)
    assert f"Receipt {paid.receipt_no}. " in paid_text
    assert f": 75,000 IQD was returned to you, payment {paid.payment_id[:8]}. " in returned


def test_its_violations_can_be_paid_anew(
    functions: Functions, stores: PaymentStores, subjects: list[Violation], paid: Payment
) -> None:
    reverse(paid, stores, functions.clock.at)
    body = {"violations": [subjects[0].violation_no], "gateway": "sandbox", "return_url": "https://tf.ur.gov.iq/paid"}
    assert functions.pay(body, "key-00000002").status == 201


def test_it_is_done_once(functions: Functions, stores: PaymentStores, paid: Payment) -> None:
    assert reverse(paid, stores, functions.clock.at)
    assert not reverse(paid, stores, functions.clock.at)
    assert entries(functions) == [REVERSED, SETTLED]


def test_what_the_directorate_closed_meanwhile_stays_closed(
    functions: Functions, stores: PaymentStores, subjects: list[Violation], paid: Payment
) -> None:
    functions.violations.write([row(later(subjects[0], status=PAID)), row(later(subjects[1], status=CANCELLED))])
    assert reverse(paid, stores, functions.clock.at)
    assert [state(functions, each) for each in subjects] == [PAID, CANCELLED]


def test_only_what_was_settled_is_reversed(
    functions: Functions, stores: PaymentStores, subjects: list[Violation], started: str
) -> None:
    """One violation was cancelled before the money came: its part went back then, and its payer was told."""
    functions.violations.write([row(later(subjects[1], status=CANCELLED))])
    functions.gateway.says(started)
    functions.callback(started)
    functions.clock.forward(minutes=3)
    for _ in range(2):
        functions.poll_gateways()
    partly = payment_of(functions, started)
    assert (partly.status, partly.settled, partly.returned) == ("paid", 50_000, (subjects[1].violation_no,))
    assert reverse(partly, stores, functions.clock.at)
    (reversal,) = [item for item in functions.tables.items("Settlements") if item["sk"]["S"].startswith(REVERSED)]
    assert [share["L"][0]["S"] for share in reversal["shares"]["L"]] == [subjects[0].violation_no]
    assert payment_of(functions, started).surplus == 75_000


def test_also_where_more_had_come_than_was_settled(
    functions: Functions, stores: PaymentStores, subjects: list[Violation], started: str
) -> None:
    functions.gateway.says(started, amount=80_000)
    functions.callback(started)
    settled = settle_reviewed(payment_of(functions, started), stores, functions.clock.at)
    assert settled is not None
    surplus = stores.returns.last(settled)
    assert surplus is not None
    overpaid = complete_refund(settled, surplus, stores, functions.clock.at)
    assert (overpaid.status, overpaid.surplus, overpaid.returned) == ("paid", 5_000, ())
    assert reverse(overpaid, stores, functions.clock.at)
    assert payment_of(functions, started).status == "refunded"
    assert [state(functions, each) for each in subjects] == ["unpaid"] * 2


def test_what_has_settled_nothing_cannot_be_taken_back(
    functions: Functions, stores: PaymentStores, started: str
) -> None:
    with pytest.raises(ValueError, match="settled something"):
        reverse(payment_of(functions, started), stores, functions.clock.at)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("error", [Crash(), AwsError("Unreachable", "")], ids=["crash", "failure"])
def test_a_death_on_the_way_leaves_all_or_nothing(
    engine: Engine, functions: Functions, stores: PaymentStores, paid: Payment, after: bool, error: BaseException
) -> None:
    faults = Faults()
    dying = stores._replace(payments=Payments(faults.through(engine.fast()), functions.tables["Payments"]))
    with faults.fail(1, after=after, error=error), contextlib.suppress(Crash, AwsError):
        reverse(paid, dying, functions.clock.at)
    assert faults.calls == 1
    assert reverse(paid, stores, functions.clock.at) != after
    assert entries(functions) == [REVERSED, SETTLED]
    assert functions.receipt(str(paid.receipt_no)).body["paid"] is False


def test_a_receipt_is_no_longer_handed_out(
    functions: Functions, stores: PaymentStores, paid: Payment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECEIPTS_BUCKET", "none")
    reverse(paid, stores, functions.clock.at)
    route = "GET /v1/payments/{payment_id}/receipt"
    reply = functions.call("pay.receipts", route, path={"payment_id": paid.payment_id})
    assert (reply.status, reply.body["code"]) == (409, "not_paid")
