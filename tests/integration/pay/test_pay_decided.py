"""What an operator decides about a payment's money."""

from __future__ import annotations

import pytest

from infra.operator.deciding import GIVE_BACK, GIVEN_BACK, SETTLE, WAYS, decide
from infra.operator.deployment import Deployment
from pay.gateways import RefusedError
from shared.domain.violation import CANCELLED, Violation
from tests.aws import Engine
from tests.build import later, row
from tests.functions import Functions
from tests.integration.pay.wishes import state, status


@pytest.fixture
def deployment(engine: Engine, functions: Functions) -> Deployment:
    """The tables of the functions as a stack's."""
    made = Deployment("stand", clock=lambda: functions.clock.at)
    made.physical = {name: functions.tables[name] for name in ("Violations", "Payments", "Messages", "Settlements")}
    made.call = engine.fast()
    return made


@pytest.fixture
def reviewed(functions: Functions, started: str) -> str:
    """The id of a payment for which 1,000 dinars too many came."""
    functions.gateway.says(started, amount=76_000)
    functions.callback(started)
    assert status(functions, started) == "review"
    return started


def test_good_money_is_settled_and_what_is_left_over_goes_back(
    functions: Functions, subjects: list[Violation], reviewed: str, deployment: Deployment
) -> None:
    assert decide(deployment, reviewed, SETTLE) == "refund_due"
    assert [state(functions, subject) for subject in subjects] == ["paid"] * 2
    payment = functions.payment(reviewed).body
    assert (payment["refund"]["amount"], payment["refund"]["status"]) == (1_000, "due")
    functions.clock.forward(minutes=3)
    functions.reconcile()
    assert status(functions, reviewed) == "paid"
    assert [refund.amount for refund in functions.gateway.refunds.values()] == [1_000]


def test_what_can_no_longer_be_settled_goes_back_too(
    functions: Functions, subjects: list[Violation], reviewed: str, deployment: Deployment
) -> None:
    functions.violations.write([row(later(subjects[0], status=CANCELLED))])
    assert decide(deployment, reviewed, SETTLE) == "refund_due"
    assert functions.payment(reviewed).body["refund"]["amount"] == 51_000
    assert state(functions, subjects[1]) == "paid"


def test_money_that_is_not_good_goes_back_and_lets_the_violations_go(
    functions: Functions, subjects: list[Violation], reviewed: str, deployment: Deployment
) -> None:
    assert decide(deployment, reviewed, GIVE_BACK) == "refund_due"
    assert [state(functions, subject) for subject in subjects] == ["unpaid"] * 2
    functions.clock.forward(minutes=3)
    functions.reconcile()
    assert status(functions, reviewed) == "refunded"
    assert [refund.amount for refund in functions.gateway.refunds.values()] == [76_000]


def test_too_little_money_is_not_settled(
    functions: Functions, subjects: list[Violation], started: str, deployment: Deployment
) -> None:
    functions.gateway.says(started, amount=74_999)
    functions.callback(started)
    with pytest.raises(ValueError, match="enough"):
        decide(deployment, started, SETTLE)
    assert status(functions, started) == "review"


def test_what_was_given_back_by_hand_is_over_and_the_citizen_is_told(
    functions: Functions, started: str, deployment: Deployment
) -> None:
    functions.cancel(started)
    functions.gateway.says(started)
    functions.callback(started)
    functions.gateway.refund_refusal = RefusedError("too_old")
    functions.clock.forward(minutes=3)
    functions.reconcile()
    assert decide(deployment, started, GIVEN_BACK) == "refunded"
    functions.send_due()
    assert "75,000" in functions.phones.texts[0]


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_decided_of_a_payment_that_does_not_wait_for_it(
    functions: Functions, started: str, deployment: Deployment, way: str
) -> None:
    with pytest.raises(ValueError, match="pending"):
        decide(deployment, started, way)
    with pytest.raises(KeyError):
        decide(deployment, "none", way)
