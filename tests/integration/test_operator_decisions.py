"""What the operator decides about a payment's money: said first, done once, kept with its reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from click.testing import CliRunner

from infra.operator import __main__ as commands
from infra.operator.deployment import Deployment
from shared.domain.violation import Violation
from tests.aws import Engine
from tests.build import PHONE, PLATE, follow, store, violation
from tests.functions import Functions
from tests.integration.pay.wishes import state, status, wish

Run = Callable[..., str]


class Stand(Deployment):
    """A stack of the functions' tables, whose operators' log is a list."""

    def __init__(self, engine: Engine, functions: Functions) -> None:
        super().__init__("stand", self._client, clock=lambda: functions.clock.at)
        self.physical = {  # type: ignore[assignment]
            **{name: functions.tables[name] for name in ("Violations", "Payments", "Messages", "Settlements")},
            "OperatorActions": "actions",
        }
        self.call = engine.fast()  # type: ignore[assignment]
        self.log: list[str] = []

    def _client(self, service: str) -> Any:
        return self

    # What an audit asks of STS and of CloudWatch Logs.

    def get_caller_identity(self) -> Mapping[str, str]:
        return {"Arn": "operator"}

    def create_log_stream(self, **_: str) -> None:
        pass

    def put_log_events(self, *, logEvents: list[Mapping[str, Any]], **_: str) -> None:  # noqa: N803
        self.log += [event["message"] for event in logEvents]


@pytest.fixture
def stand(engine: Engine, functions: Functions) -> Stand:
    return Stand(engine, functions)


@pytest.fixture
def command(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command; its output, in which nothing personal stands whole. code: what it must end with."""
    monkeypatch.setattr(commands, "Deployment", lambda stack, clock: stand)

    def run(*words: str, code: int = 0) -> str:
        result = CliRunner().invoke(commands.app, ["--stack", "stand", *words])
        assert result.exit_code == code, result.output
        assert not [each for each in (PHONE[4:], PLATE.key, PLATE.number) if each in result.output]
        return result.output

    return run


@pytest.fixture
def decide(command: Run) -> Run:
    """Runs the command of a decision, with its reason."""
    return lambda decision, payment_id, *words, code=0: command(
        "decide-payment", decision, payment_id, "--reason", "as the bank says", *words, code=code
    )


@pytest.fixture
def subject(functions: Functions) -> Violation:
    follow(functions.citizens)
    made = violation()
    store(functions.violations, made)
    return made


@pytest.fixture
def started(functions: Functions, subject: Violation) -> str:
    payment_id: str = functions.pay(wish(subject)).body["payment_id"]
    return payment_id


def review(functions: Functions, payment_id: str, amount: int) -> None:
    functions.gateway.says(payment_id, amount=amount)
    functions.callback(payment_id)
    assert status(functions, payment_id) == "review"


def test_a_trail_tells_what_happened_and_nobody_personal(command: Run, subject: Violation, started: str) -> None:
    said = command("payment-trail", started)
    assert f"lines=[['{subject.violation_no}', '{subject.amount}']]" in said
    assert [line.rpartition("what=")[2] for line in said.splitlines()[1:]] == ["created", "pending"]


def test_a_trail_is_in_the_order_of_what_happened_also_within_a_second(
    functions: Functions, command: Run, started: str
) -> None:
    """The clock stands still, and the keys of the items say another order."""
    functions.gateway.says(started)
    functions.callback(started)
    said = command("payment-trail", started).splitlines()[1:]
    assert len({line.split()[0] for line in said}) == 1
    assert [line.split()[-1] for line in said] == ["what=created", "what=pending", "event=paid", "what=paid"]


def test_no_payment_of_a_name_and_no_name_are_told_apart(command: Run) -> None:
    assert "there is no such payment" in command("payment-trail", "f" * 32, code=1)
    assert "'PAYMENT_ID': must not be empty" in command("payment-trail", "", code=2)


def test_money_that_waits_is_listed(functions: Functions, command: Run, started: str) -> None:
    assert command("refunds") == "none\n"
    review(functions, started, 60_000)
    (line,) = command("refunds").splitlines()
    assert f"payment_id={started}" in line
    assert "received=60000" in line
    assert "status=review" in line


def test_a_decision_is_said_first(functions: Functions, stand: Stand, decide: Run, started: str) -> None:
    review(functions, started, 60_000)
    said = decide("settle", started)
    assert said.startswith("review, 60,000 IQD: the money under review is good")
    assert "nothing was done" in said
    assert status(functions, started) == "review"
    assert stand.log == []


def test_money_under_review_is_settled(
    functions: Functions, stand: Stand, decide: Run, subject: Violation, started: str
) -> None:
    review(functions, started, 60_000)
    assert "status=refund_due" in decide("settle", started, "--apply")
    assert state(functions, subject) == "paid"
    assert ['"state": "begun"' in stand.log[0], '"state": "done"' in stand.log[1]] == [True, True]
    assert all("as the bank says" in each and '"decision": "settle"' in each for each in stand.log)
    assert "does not fit: the payment is refund_due" in decide("settle", started, "--apply", code=1)


def test_too_little_money_cannot_be_settled_but_goes_back(
    functions: Functions, decide: Run, subject: Violation, started: str
) -> None:
    review(functions, started, 49_999)
    assert "does not fit: the payment is review (amount_differs)" in decide("settle", started, "--apply", code=1)
    decide("give-back", started, "--apply")
    assert status(functions, started) == "refund_due"
    assert state(functions, subject) == "unpaid"


def test_only_what_waits_for_a_hand_is_given_back_by_hand(functions: Functions, decide: Run, started: str) -> None:
    review(functions, started, 49_999)
    decide("give-back", started, "--apply")
    assert "does not fit" in decide("given-back", started, "--apply", code=1)  # the gateway may still do it
    functions.clock.forward(days=2)
    decide("given-back", started, "--apply")
    assert status(functions, started) == "refunded"
    assert "does not fit" in decide("given-back", started, "--apply", code=1)


def test_settled_money_that_went_back_is_taken_back(
    functions: Functions, decide: Run, subject: Violation, started: str
) -> None:
    functions.gateway.says(started)
    functions.callback(started)
    assert state(functions, subject) == "paid"
    assert "correction=taken_back" in decide("take-back", started, "--apply")
    assert (status(functions, started), state(functions, subject)) == ("refunded", "unpaid")
    assert "does not fit" in decide("take-back", started, "--apply", code=1)


def test_a_payment_that_moves_on_meanwhile_is_left_alone(
    functions: Functions, decide: Run, started: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    functions.gateway.says(started)
    functions.callback(started)
    seen = functions.payments.get(started)
    decide("take-back", started, "--apply")
    monkeypatch.setattr("infra.operator.deciding.find", lambda *_: seen)
    assert "has moved on meanwhile" in decide("take-back", started, "--apply", code=1)


def test_an_unknown_payment_or_decision_is_refused(decide: Run) -> None:
    assert "there is no such payment" in decide("settle", "none", code=1)
    assert "'forget' is not one of" in decide("forget", "none", code=2)
