"""What the operator decides about a payment's money: said first, done once, kept with its reason."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from click.testing import CliRunner

from infra.operator import __main__ as commands
from infra.operator import deciding
from infra.operator.deployment import Deployment
from pay.gateways import OrderStatus, RefusedError, UnknownError
from pay.payments.manual_refund import UNKNOWN
from pay.payments.refund import is_asked_for
from shared.domain.payment import Return
from shared.domain.violation import Violation
from shared.stores.paying.wants import CANCELLED, Want
from tests.support.aws import Engine
from tests.support.build import PHONE, PLATE, follow, store, violation
from tests.support.functions import Functions, run
from tests.support.payment_requests import payment_body, state, status

Run = Callable[..., str]


class Stand(Deployment):
    """A stack of the functions' tables, whose operators' log is a list."""

    def __init__(self, engine: Engine, functions: Functions) -> None:
        super().__init__("stand", self._client, clock=lambda: functions.clock.at)
        self.physical = {  # type: ignore[assignment]
            **{
                name: functions.tables[name]
                for name in ("Violations", "Citizens", "Payments", "Messages", "Settlements")
            },
            "PlateKeySecret": os.environ["PLATE_KEY_SECRET"],
            "OperatorActions": "actions",
            "PayPollGateways": "pay.poll_gateways",
        }
        self.call = engine.fast()  # type: ignore[assignment]
        self.log: list[str] = []
        self.streams: set[str] = set()

    def _client(self, service: str) -> Any:
        return self

    # What an audit asks of STS and of CloudWatch Logs.

    def get_caller_identity(self) -> Mapping[str, str]:
        return {"Arn": "operator"}

    def create_log_stream(self, *, logStreamName: str, **_: str) -> None:  # noqa: N803
        assert logStreamName not in self.streams, "as CloudWatch Logs refuses it"
        self.streams.add(logStreamName)

    def put_log_events(self, *, logEvents: list[Mapping[str, Any]], **_: str) -> None:  # noqa: N803
        self.log += [event["message"] for event in logEvents]

    def invoke(self, *, FunctionName: str, Payload: bytes) -> Mapping[str, Any]:  # noqa: N803
        """As Lambda answers."""
        try:
            answer = run(FunctionName, json.loads(Payload))
        except Exception as error:  # noqa: BLE001 (as Lambda does)
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(json.dumps(str(error)).encode())}
        return {"Payload": io.BytesIO(json.dumps(answer).encode())}


def newest(functions: Functions, payment_id: str) -> Return:
    """The newest return of a payment."""
    payment = functions.payments.get(payment_id)
    assert payment is not None
    last = functions.returns.last(payment)
    assert last is not None
    return last


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
        assert "Traceback" not in result.output
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
    payment_id: str = functions.pay(payment_body(subject)).body["payment_id"]
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


def test_settled_money_that_may_be_wanted_back_is_listed_oldest_first(
    functions: Functions, command: Run, started: str
) -> None:
    functions.gateway.says(started)
    functions.callback(started)
    looks = len(functions.tables.items("Citizens"))
    for number, day in (("V2", "21"), ("V1", "22"), ("V3", "20")):
        assert functions.wants.enter(Want(number, started, CANCELLED, f"2026-11-{day}T12:00:00+03:00"))
    assert command("refunds").splitlines() == [
        f"wanted back  violation_no={number}  payment_id={started}  cause=cancelled  at=2026-11-{day}T12:00:00+03:00"
        for number, day in (("V3", "20"), ("V2", "21"), ("V1", "22"))
    ]
    assert len(functions.tables.items("Citizens")) == looks + 1, "it is kept that the operator looked"


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


class TestGivingUp:
    """A payment that its gateway never concludes."""

    @pytest.fixture
    def overdue(self, functions: Functions, started: str) -> str:
        functions.gateway.silence = UnknownError("ReadTimeoutError")
        functions.clock.forward(hours=3)
        functions.poll_gateways()
        assert status(functions, started) == "pending"
        return started

    def test_it_ends_though_the_gateway_says_nothing(
        self, functions: Functions, decide: Run, overdue: str, subject: Violation
    ) -> None:
        assert "reason=given_up" in decide("give-up", overdue, "--apply")
        assert (status(functions, overdue), state(functions, subject)) == ("failed", "unpaid")
        functions.gateway.silence = None
        functions.gateway.says(overdue)
        functions.callback(overdue)
        assert (status(functions, overdue), state(functions, subject)) == ("paid", "paid"), "late money"

    @pytest.mark.parametrize("gone", [False, True], ids=["keeps it open", "is not known any more"])
    def test_also_where_the_gateway(
        self, functions: Functions, decide: Run, overdue: str, gone: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        functions.gateway.silence = None
        functions.gateway.under_way.add(overdue)
        if gone:
            monkeypatch.setattr("pay.poll_gateways.gateway", lambda name: None)
        decide("give-up", overdue, "--apply")
        assert status(functions, overdue) == "failed"

    def test_not_one_that_is_paid(self, functions: Functions, decide: Run, overdue: str, subject: Violation) -> None:
        functions.gateway.silence = None
        functions.gateway.says(overdue)
        assert "the payment is paid now" in decide("give-up", overdue, "--apply", code=1)
        assert state(functions, subject) == "paid"

    def test_not_before_it_has_had_its_time(self, functions: Functions, decide: Run, started: str) -> None:
        functions.clock.forward(hours=2)
        assert "does not fit" in decide("give-up", started, "--apply", code=1)
        assert run("pay.poll_gateways", {"give_up": started}) == "pending", "nor by the function itself"


class TestManualRefund:
    """Money that goes back by hand is never asked for again at the gateway, and not where that is at it."""

    @pytest.fixture
    def due(self, functions: Functions, decide: Run, started: str) -> str:
        """The id of a payment whose money the gateway is to give back; it says nothing yet of having begun."""
        review(functions, started, 49_999)
        decide("give-back", started, "--apply")
        functions.clock.forward(minutes=3)
        return started

    @pytest.fixture
    def refused(self, functions: Functions, due: str) -> str:
        """The same, and the gateway refuses; whoever asked it is gone."""
        functions.gateway.refund_refusal = RefusedError("too_old")
        functions.poll_gateways()
        functions.gateway.refund_refusal = None
        functions.clock.forward(minutes=3)
        return due

    def test_what_the_gateway_refuses_is_taken_over_and_then_given_back(
        self, functions: Functions, decide: Run, refused: str
    ) -> None:
        assert "does not fit" in decide("given-back", refused, "--apply", code=1)  # not yet taken over
        assert "what=manual_refund" in decide("manual", refused, "--apply")
        assert "does not fit" in decide("manual", refused, "--apply", code=1)
        decide("given-back", refused, "--apply")
        assert status(functions, refused) == "refunded"
        assert "does not fit" in decide("given-back", refused, "--apply", code=1)

    def test_what_the_gateway_may_still_give_back_is_not_given_by_hand(
        self, functions: Functions, decide: Run, due: str
    ) -> None:
        for decision in ("manual", "manual-confirmed", "given-back"):
            assert "does not fit" in decide(decision, due, "--apply", code=1)
        functions.clock.forward(days=2)
        for decision in ("manual", "given-back"):
            assert "does not fit" in decide(decision, due, "--apply", code=1)
        assert status(functions, due) == "refund_due"

    def test_a_gateway_that_was_asked_and_shows_nothing_is_not_taken_at_its_word(
        self, functions: Functions, due: str
    ) -> None:
        """ZainCash and QiCard call an order paid while they give its money back."""
        functions.gateway.refund_state = OrderStatus.PAID
        functions.poll_gateways()
        functions.clock.forward(minutes=3)
        assert functions.gateway.orders[due].status == OrderStatus.PAID
        assert run("pay.poll_gateways", {"manual_refund": due, "confirmed": False}) == UNKNOWN

    def test_what_was_taken_over_is_never_asked_for_again(self, functions: Functions, decide: Run, due: str) -> None:
        functions.clock.forward(days=2)
        read_before = newest(functions, due)
        assert "state=manual" in decide("manual-confirmed", due, "--apply")
        functions.clock.forward(minutes=3)
        functions.poll_gateways()
        assert functions.gateway.refunds == {}
        taken = functions.payments.get(due)
        assert taken is not None
        later = functions.clock.at
        assert not is_asked_for(taken, newest(functions, due))
        assert functions.returns.take(read_before, later, later) is None  # by a run that read it before
        decide("given-back", due, "--apply")
        assert status(functions, due) == "refunded"

    @pytest.mark.parametrize("decision", ["manual", "manual-confirmed"])
    @pytest.mark.parametrize(
        ("state", "says", "then"),
        [
            (OrderStatus.REFUNDING, "is giving the money back", "refund_due"),
            (OrderStatus.REFUNDED, "has given the money back", "refunded"),
        ],
    )
    def test_what_the_gateway_says_it_gives_back_is_left_to_it(
        self, functions: Functions, decide: Run, refused: str, decision: str, state: str, says: str, then: str
    ) -> None:
        functions.gateway.says(refused, state)
        assert says in decide(decision, refused, "--apply", code=1)
        assert status(functions, refused) == then
        assert "does not fit" in decide("given-back", refused, "--apply", code=1)

    @pytest.mark.parametrize("state", [OrderStatus.EXPIRED, None], ids=["no money", "silent"])
    def test_where_the_gateway_does_not_say_it_has_the_money_its_office_must_say_so(
        self, functions: Functions, decide: Run, refused: str, state: str | None
    ) -> None:
        functions.gateway.says(refused, state or OrderStatus.PAID)
        functions.gateway.silence = None if state else UnknownError("ReadTimeoutError")
        assert "ask its office" in decide("manual", refused, "--apply", code=1)
        functions.clock.forward(minutes=2)
        assert "state=manual" in decide("manual-confirmed", refused, "--apply")

    def test_not_while_the_gateway_is_being_asked(self, functions: Functions, decide: Run, due: str) -> None:
        functions.clock.forward(days=2)
        functions.gateway.silence = UnknownError("ReadTimeoutError")
        functions.poll_gateways()
        assert "being asked for it just now" in decide("manual-confirmed", due, "--apply", code=1)
        assert "state=manual" not in decide("manual-confirmed", due)

    def test_a_refund_that_ended_since_it_was_read_is_left_alone(
        self, functions: Functions, stand: Stand, decide: Run, due: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        functions.clock.forward(days=2)
        seen = deciding.find(stand, due, "manual-confirmed")
        functions.poll_gateways()
        assert status(functions, due) == "refunded"
        functions.clock.forward(minutes=3)
        functions.gateway.says(due, OrderStatus.REFUNDED)
        monkeypatch.setattr("infra.operator.deciding.find", lambda *_: seen)
        assert "being asked for it just now" in decide("manual-confirmed", due, "--apply", code=1)
        assert newest(functions, due).manual_since is None

    def test_a_gateway_that_is_gone_says_nothing(
        self, decide: Run, refused: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("pay.poll_gateways.gateway", lambda name: None)
        assert "ask its office" in decide("manual", refused, "--apply", code=1)

    def test_a_function_that_fails_takes_nothing_over(
        self, functions: Functions, decide: Run, refused: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_: object, **__: object) -> str:
            raise RuntimeError("broken")

        monkeypatch.setattr("pay.poll_gateways.claim_manual_refund", broken)
        assert "PayPollGateways failed" in decide("manual", refused, "--apply", code=1)
        assert "does not fit" in decide("given-back", refused, "--apply", code=1)


def test_settled_money_that_went_back_is_taken_back(
    functions: Functions, decide: Run, subject: Violation, started: str
) -> None:
    functions.gateway.says(started)
    functions.callback(started)
    assert state(functions, subject) == "paid"
    assert "correction=money_returned" in decide("reverse", started, "--apply")
    assert (status(functions, started), state(functions, subject)) == ("refunded", "unpaid")
    assert "does not fit" in decide("reverse", started, "--apply", code=1)


def test_a_payment_that_moves_on_meanwhile_is_left_alone(
    functions: Functions, stand: Stand, decide: Run, started: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    functions.gateway.says(started)
    functions.callback(started)
    seen = deciding.find(stand, started, "reverse")
    decide("reverse", started, "--apply")
    monkeypatch.setattr("infra.operator.deciding.find", lambda *_: seen)
    assert "has moved on meanwhile" in decide("reverse", started, "--apply", code=1)


def test_an_unknown_payment_or_decision_is_refused(decide: Run) -> None:
    assert "there is no such payment" in decide("settle", "none", code=1)
    assert "'forget' is not one of" in decide("forget", "none", code=2)


def test_money_that_is_back_may_be_kept_as_paid(
    functions: Functions, command: Run, decide: Run, subject: Violation, started: str
) -> None:
    functions.gateway.says(started)
    functions.callback(started)
    assert "does not fit" in decide("keep", started, "--apply", code=1)
    functions.gateway.says(started, OrderStatus.REFUNDED)
    functions.callback(started)
    functions.clock.forward(minutes=3)
    assert "money_returned_since=" in command("refunds")
    assert "what=money_returned_kept" in decide("keep", started, "--apply")
    assert (command("refunds"), state(functions, subject)) == ("none\n", "paid")


def test_a_refund_that_bounced_is_given_by_hand(functions: Functions, command: Run, decide: Run, started: str) -> None:
    functions.gateway.says(started, amount=1)
    functions.callback(started)
    decide("give-back", started, "--apply")
    functions.clock.forward(minutes=3)
    functions.gateway.says(started, amount=1)
    functions.poll_gateways()
    assert "does not fit" in decide("given-back", started, "--apply", code=1)
    functions.gateway.says(started)
    functions.callback(started)
    assert "bounced_since=" in command("refunds")
    assert "what=given_back_by_hand" in decide("given-back", started, "--apply")
    assert command("refunds") == "none\n"


@pytest.mark.parametrize(
    ("former", "word"), [("by-hand", "manual"), ("by-hand-confirmed", "manual-confirmed"), ("take-back", "reverse")]
)
def test_a_former_word_is_refused_with_the_new_one(decide: Run, started: str, former: str, word: str) -> None:
    assert f"{former} is called {word} now" in decide(former, started, "--apply", code=1)
