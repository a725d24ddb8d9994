"""Whatever dies or fails between a start and its receipt: the money is settled once, and no hold stays."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from pay.gateways import OrderStatus, UnknownError
from shared.aws_json import AwsError
from shared.domain.violation import CANCELLED, Violation
from tests.support.build import later, row
from tests.support.crashes import Crash, Faults
from tests.support.functions import Functions, forget
from tests.support.payment_requests import payment_body, two_violations

CALLS_TO_START = 9
CALLS_TO_SYNC = 6
CALLS_TO_CANCEL = 4
CALLS_OF_LATE_MONEY = 7
REFUNDING_CALLS = range(9, 13)
"""Of a run of poll_gateways: before them and after them it only looks for what waits."""
CALLS_TO_POLL = 39
FAILURES = {
    "crash before": (False, Crash()),
    "crash after": (True, Crash()),
    "failure before": (False, AwsError("InternalServerError", "")),
    "failure after": (True, AwsError("Unreachable", "")),
}
failures = pytest.mark.parametrize(("after", "error"), FAILURES.values(), ids=FAILURES)


@pytest.fixture
def subjects(functions: Functions) -> list[Violation]:
    return two_violations(functions)


def states(functions: Functions, subjects: list[Violation]) -> list[str]:
    found = functions.violations.get(subject.violation_no for subject in subjects)
    return [found[subject.violation_no].state for subject in subjects]


def payments(functions: Functions) -> list[dict[str, Any]]:
    return [item for item in functions.tables.items("Payments") if item["sk"]["S"] == "PAYMENT"]


def receipts(functions: Functions) -> list[str]:
    return [item["pk"]["S"] for item in functions.tables.items("Payments") if item["sk"]["S"] == "RECEIPT"]


def assert_settled_once(functions: Functions, subjects: list[Violation]) -> None:
    paid = [item for item in payments(functions) if item["status"]["S"] == "paid"]
    assert len(paid) == 1
    assert receipts(functions) == [f"RECEIPT#{paid[0]['receipt_no']['S']}"]
    kept = functions.violations.get(subject.violation_no for subject in subjects).values()
    assert {(each.paid_by, each.receipt_no, each.held_by) for each in kept} == {
        (paid[0]["pk"]["S"], paid[0]["receipt_no"]["S"], None)
    }
    assert sorted(each.paid_amount or 0 for each in kept) == [25_000, 50_000]
    functions.send_due()
    assert len(functions.phones.sent) == 1


@failures
@pytest.mark.parametrize("at", range(1, CALLS_TO_START + 1))
def test_a_start_that_dies_anywhere_is_one_payment_or_none(
    functions: Functions, faults: Faults, subjects: list[Violation], at: int, after: bool, error: BaseException
) -> None:
    with faults.fail(at, after=after, error=error), contextlib.suppress(Crash):
        functions.pay(payment_body(*subjects))
    forget()
    functions.clock.forward(seconds=20)  # until then the first call might still be at it
    again = functions.pay(payment_body(*subjects))  # the same key: the citizen's page asks again
    assert again.status in (201, 202)
    assert len(payments(functions)) == 1
    assert states(functions, subjects) == ["in_payment"] * 2
    payment_id = again.body["payment_id"]
    if payment_id in functions.gateway.requests:
        functions.gateway.says(payment_id)
        functions.clock.forward(minutes=3)
        functions.poll_gateways()
        assert_settled_once(functions, subjects)
    else:
        functions.clock.forward(minutes=16)
        functions.poll_gateways()
        assert functions.payment(payment_id).body["status"] == "expired"
        assert states(functions, subjects) == ["unpaid"] * 2


@failures
@pytest.mark.parametrize("at", range(1, CALLS_TO_START + 1))
def test_a_start_that_dies_and_is_never_asked_for_again_leaves_no_hold(
    functions: Functions, faults: Faults, subjects: list[Violation], at: int, after: bool, error: BaseException
) -> None:
    with faults.fail(at, after=after, error=error), contextlib.suppress(Crash):
        functions.pay(payment_body(*subjects))
    forget()
    functions.clock.forward(minutes=16)
    functions.poll_gateways()
    assert states(functions, subjects) == ["unpaid"] * 2
    assert {item["status"]["S"] for item in payments(functions)} <= {"expired"}
    assert functions.pay(payment_body(*subjects), "key-00000002").status == 201


@failures
@pytest.mark.parametrize("at", range(1, CALLS_TO_SYNC + 1))
@pytest.mark.parametrize("recovery", ["callback", "poll_gateways"])
def test_a_callback_that_dies_anywhere_settles_once(
    functions: Functions,
    faults: Faults,
    subjects: list[Violation],
    at: int,
    after: bool,
    error: BaseException,
    recovery: str,
) -> None:
    payment_id = functions.pay(payment_body(*subjects)).body["payment_id"]
    functions.gateway.says(payment_id)
    functions.gateway.keys()  # signing is the gateway's own work
    with faults.fail(at, after=after, error=error), contextlib.suppress(Crash):
        functions.callback(payment_id)
    forget()
    functions.clock.forward(minutes=3)
    for _ in range(2):
        if recovery == "callback":
            assert functions.callback(payment_id).status == 200
        else:
            functions.poll_gateways()
    assert_settled_once(functions, subjects)


@failures
@pytest.mark.parametrize("at", range(1, CALLS_TO_SYNC + 1))
def test_a_failed_payment_that_dies_while_ending_lets_everything_go(
    functions: Functions, faults: Faults, subjects: list[Violation], at: int, after: bool, error: BaseException
) -> None:
    payment_id = functions.pay(payment_body(*subjects)).body["payment_id"]
    functions.gateway.says(payment_id, OrderStatus.FAILED)
    functions.gateway.keys()
    with faults.fail(at, after=after, error=error), contextlib.suppress(Crash):
        functions.callback(payment_id)
    forget()
    functions.clock.forward(minutes=3)
    functions.poll_gateways()
    assert functions.payment(payment_id).body["status"] == "failed"
    assert states(functions, subjects) == ["unpaid"] * 2
    assert receipts(functions) == []


def test_an_order_of_unknown_outcome_is_found_out(functions: Functions, subjects: list[Violation]) -> None:
    def taken_but_unheard(payment_id: str) -> None:
        raise UnknownError("ReadTimeoutError")

    functions.gateway.while_ordering = taken_but_unheard
    reply = functions.pay(payment_body(*subjects))
    assert reply.status == 202
    functions.gateway.says(reply.body["payment_id"])
    functions.clock.forward(minutes=3)
    functions.poll_gateways()
    assert_settled_once(functions, subjects)


@failures
@pytest.mark.parametrize("at", range(1, CALLS_TO_CANCEL + 1))
def test_a_cancelling_that_dies_anywhere_lets_everything_go(
    functions: Functions, faults: Faults, subjects: list[Violation], at: int, after: bool, error: BaseException
) -> None:
    payment_id = functions.pay(payment_body(*subjects)).body["payment_id"]
    with faults.fail(at, after=after, error=error), contextlib.suppress(Crash):
        functions.cancel(payment_id)
    forget()
    functions.clock.forward(minutes=16)
    functions.poll_gateways()
    assert functions.payment(payment_id).body["status"] in ("cancelled", "failed", "expired")
    assert states(functions, subjects) == ["unpaid"] * 2


@failures
@pytest.mark.parametrize("at", range(1, CALLS_OF_LATE_MONEY + 1))
def test_late_money_that_dies_anywhere_settles_once(
    functions: Functions, faults: Faults, subjects: list[Violation], at: int, after: bool, error: BaseException
) -> None:
    payment_id = functions.pay(payment_body(*subjects)).body["payment_id"]
    functions.cancel(payment_id)
    functions.gateway.says(payment_id)
    functions.gateway.keys()
    forget()
    with faults.fail(at, after=after, error=error), contextlib.suppress(Crash):
        functions.callback(payment_id)
    forget()
    assert functions.callback(payment_id).status == 200
    assert_settled_once(functions, subjects)


def test_every_call_of_late_money_has_been_failed_at(
    functions: Functions, faults: Faults, subjects: list[Violation]
) -> None:
    payment_id = functions.pay(payment_body(*subjects)).body["payment_id"]
    functions.cancel(payment_id)
    functions.gateway.says(payment_id)
    functions.gateway.keys()
    forget()
    with faults.fail(0, after=False, error=Crash()):
        functions.callback(payment_id)
    assert faults.calls == CALLS_OF_LATE_MONEY


def nothing_is_owed_any_more(functions: Functions, subjects: list[Violation]) -> None:
    functions.violations.write([row(later(each, status=CANCELLED)) for each in subjects])


@failures
@pytest.mark.parametrize("at", REFUNDING_CALLS)
def test_a_refund_that_dies_anywhere_is_given_once(
    functions: Functions, faults: Faults, subjects: list[Violation], at: int, after: bool, error: BaseException
) -> None:
    payment_id = functions.pay(payment_body(*subjects)).body["payment_id"]
    functions.cancel(payment_id)
    nothing_is_owed_any_more(functions, subjects)
    functions.gateway.says(payment_id)
    functions.callback(payment_id)
    functions.clock.forward(minutes=3)
    with faults.fail(at, after=after, error=error), contextlib.suppress(Crash, AwsError):
        functions.poll_gateways()
    forget()
    functions.clock.forward(minutes=3)
    functions.poll_gateways()
    assert functions.payment(payment_id).body["status"] == "refunded"
    assert [refund.amount for refund in functions.gateway.refunds.values()] == [75_000]
    functions.send_due()
    assert len(functions.phones.sent) == 1


def test_every_call_has_been_failed_at(functions: Functions, faults: Faults, subjects: list[Violation]) -> None:
    with faults.fail(0, after=False, error=Crash()):
        payment_id = functions.pay(payment_body(*subjects)).body["payment_id"]
    assert faults.calls == CALLS_TO_START
    functions.gateway.says(payment_id)
    functions.gateway.keys()  # signing is the gateway's own work
    forget()
    with faults.fail(0, after=False, error=Crash()):
        assert functions.callback(payment_id).status == 200
    assert faults.calls == CALLS_TO_SYNC
    assert_settled_once(functions, subjects)


def test_every_call_of_giving_up_and_giving_back_has_been_failed_at(
    functions: Functions, faults: Faults, subjects: list[Violation]
) -> None:
    payment_id = functions.pay(payment_body(*subjects)).body["payment_id"]
    with faults.fail(0, after=False, error=Crash()):
        functions.cancel(payment_id)
    assert faults.calls == CALLS_TO_CANCEL
    nothing_is_owed_any_more(functions, subjects)
    functions.gateway.says(payment_id)
    functions.callback(payment_id)
    functions.clock.forward(minutes=3)
    with faults.fail(0, after=False, error=Crash()):
        functions.poll_gateways()
    assert faults.calls == CALLS_TO_POLL
    assert functions.payment(payment_id).body["status"] == "refunded"
