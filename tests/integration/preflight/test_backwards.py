"""A phase that is lowered while money is under way, and a sign-in that would name everybody anew, are refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from infra.operator.deployment import Deployment
from infra.operator.preflight import backwards
from infra.operator.preflight.account import Account
from infra.operator.preflight.lines import LOOK, OK, STOP, Line
from infra.operator.preflight.settings import of_stack
from shared.clock import now
from tests.support.build import follow, store, violation
from tests.support.functions import Functions
from tests.support.stubbed import Answers

STACK = "gharama-prod"
ISSUER = "https://sign-in.gov.iq"
DEPLOYED = {"Phase": "3", "SignIn": "jwt", "JwtIssuer": ISSUER}

Asking = Callable[..., Account]


@pytest.fixture
def asking(functions: Functions) -> Iterator[Asking]:
    """Makes an account in which the stack is deployed, over the tables of the functions."""
    aws = Answers()

    def account(state: str = "UPDATE_COMPLETE", deployed: dict[str, str] | None = None, /, **wanted: str) -> Account:
        described = {
            "StackName": STACK,
            "StackStatus": state,
            "CreationTime": now(),
            "Parameters": [
                {"ParameterKey": name, "ParameterValue": value}
                for name, value in (DEPLOYED if deployed is None else deployed).items()
            ],
        }
        for _ in range(2 if state == "UPDATE_COMPLETE" else 1):
            aws.add("cloudformation", "describe_stacks", {"Stacks": [described]}, StackName=STACK)
        deployment = Deployment(STACK, aws, clock=lambda: functions.clock.at)
        deployment.physical = {name: functions.tables[name] for name in ("Payments", "Citizens")}
        deployment.call = functions.violations._call
        settings = of_stack(STACK)
        parameters = {**settings.parameters, **DEPLOYED, **wanted}
        return Account(deployment, settings._replace(parameters=parameters))

    yield account
    aws.all_asked()


def one(lines: Iterator[Line]) -> Line:
    (line,) = lines
    return line


def begin(functions: Functions) -> str:
    follow(functions.citizens)
    owed = violation()
    store(functions.violations, owed)
    body = {"violations": [owed.violation_no], "gateway": "sandbox", "return_url": "https://tf.ur.gov.iq/paid"}
    payment_id: str = functions.pay(body, "key-00000001").body["payment_id"]
    return payment_id


@pytest.mark.parametrize("phase", ["1", "2"])
def test_no_phase_is_lowered_while_a_payment_is_under_way(functions: Functions, asking: Asking, phase: str) -> None:
    payment_id = begin(functions)
    functions.clock.forward(seconds=1)

    line = one(backwards.phase(asking(Phase=phase)))

    assert line.state == STOP
    assert line.why.endswith("payments under way: 1")
    assert line.way_out.startswith("make pause WHAT=payments")
    functions.gateway.says(payment_id)
    assert functions.callback(payment_id).status == 200
    assert one(backwards.phase(asking(Phase=phase))).state == OK


def test_a_phase_may_stay_and_go_on(functions: Functions, asking: Asking) -> None:
    begin(functions)
    functions.clock.forward(seconds=1)
    assert one(backwards.phase(asking(Phase="3"))).state == OK


def test_another_sign_in_is_refused_once_a_citizen_is_known(functions: Functions, asking: Asking) -> None:
    assert one(backwards.sign_in(asking(SignIn="ur"))).state == OK
    follow(functions.citizens)
    assert one(backwards.sign_in(asking(SignIn="jwt"))).state == OK
    line = one(backwards.sign_in(asking(SignIn="ur")))
    assert line.state == STOP
    assert "lose vehicles and payments" in line.why


def test_another_issuer_is_to_be_looked_at(functions: Functions, asking: Asking) -> None:
    follow(functions.citizens)
    assert one(backwards.sign_in(asking(JwtIssuer="https://other.gov.iq"))).state == LOOK


@pytest.mark.parametrize(
    ("state", "deployed"),
    [("ROLLBACK_COMPLETE", DEPLOYED), ("REVIEW_IN_PROGRESS", DEPLOYED), ("UPDATE_COMPLETE", {})],
)
@pytest.mark.parametrize("check", [backwards.phase, backwards.sign_in])
def test_a_stack_without_parameters_of_its_own_has_no_way_back(
    functions: Functions, asking: Asking, state: str, deployed: dict[str, str], check: Any
) -> None:
    follow(functions.citizens)
    assert list(check(asking(state, deployed, Phase="1", SignIn="ur"))) == []
