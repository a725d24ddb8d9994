"""What only a person can decide about a payment's money; each decision moves it as its table of states allows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import partial
from typing import Final, NamedTuple

from infra.operator.deployment import Deployment
from infra.operator.investigating import enter
from pay.payments.after_end import give_back_bounced, keep
from pay.payments.manual_refund import BUSY, CLAIMED, OTHER_AMOUNT, REFUNDED, REFUNDING, UNKNOWN
from pay.payments.refund import complete_refund, is_asked_for, is_stuck, refund_reviewed, settle_reviewed
from pay.payments.returning import differences, keep_lines, return_difference, return_lines, reverse
from pay.payments.settle import PaymentStores
from pay.payments.sync import is_overdue
from shared.domain.payment import GIVEN_UP, Difference, Line, Payment, PaymentStatus, Return, ReturnState
from shared.stores.messaging.messages import Messages
from shared.stores.paying.payments import Payments
from shared.stores.paying.returns import Returns
from shared.stores.paying.settlements import Settlements
from shared.stores.paying.wants import Wants
from shared.stores.people.who_looked import What
from shared.stores.violations import Violations


class DecisionError(ValueError):
    """A decision that does not fit a payment, or no more, or not what its gateway says; the message says why."""


class Case(NamedTuple):
    """A payment as a decision meets it. due: its newest return. lines: the violations that the operator names."""

    payment: Payment
    due: Return | None
    lines: tuple[str, ...]
    deployment: Deployment

    @property
    def stores(self) -> PaymentStores:
        return stores_of(self.deployment)

    @property
    def at(self) -> datetime:
        return self.deployment.clock()


class Decision(NamedTuple):
    """says: what is decided. fits: whether it can be of a payment. lines: whether it names violations of it.

    act: does it; whether it was done. Raises DecisionError where the gateway's word stands against it.
    """

    says: str
    fits: Callable[[Case], bool]
    act: Callable[[Case], bool]
    lines: str = "none"


def _settle(case: Case) -> bool:
    return settle_reviewed(case.payment, case.stores, case.at) is not None


def _give_back(case: Case) -> bool:
    return refund_reviewed(case.payment, case.stores, case.at)


def _given_back(case: Case) -> bool:
    if case.payment.bounced_since or case.due is None:
        return give_back_bounced(case.payment, case.stores, case.at)
    done = complete_refund(case.payment, case.due, case.stores, case.at)
    return done.status != PaymentStatus.REFUND_DUE


_NO_MANUAL_REFUND: Final = {
    BUSY: "the gateway is being asked for it just now: look at its trail in two minutes",
    REFUNDING: "the gateway says that it is giving the money back: do not give it as well",
    REFUNDED: "the gateway says that it has given the money back: do not give it as well",
    UNKNOWN: "the gateway does not say that it has the money: ask its office, then manual-confirmed",
    OTHER_AMOUNT: "the gateway has another amount of it than it should: ask its office, then manual-confirmed",
}


def _asked(deployment: Deployment, event: dict[str, object]) -> str:
    """What the function that asks the gateways answers: it has their keys, and the addresses that they let in."""
    payload, poll_gateways = json.dumps(event).encode(), deployment.physical["PayPollGateways"]
    answer = deployment.clients("lambda").invoke(FunctionName=poll_gateways, Payload=payload)
    if answer.get("FunctionError"):
        raise DecisionError("the function PayPollGateways failed: look at its log")
    outcome: str = json.loads(answer["Payload"].read())
    return outcome


def _give_up(case: Case) -> bool:
    status = _asked(case.deployment, {"give_up": case.payment.payment_id})
    if status not in GIVEN_UP:
        raise DecisionError(f"the gateway says otherwise: the payment is {status} now")
    return True


def _manual_refund(case: Case, *, confirmed: bool) -> bool:
    outcome = _asked(case.deployment, {"manual_refund": case.payment.payment_id, "confirmed": confirmed})
    if outcome != CLAIMED:
        raise DecisionError(_NO_MANUAL_REFUND[outcome])
    return True


def _is_left_to_us(case: Case, *, confirmed: bool) -> bool:
    """Whether a return waits for an operator who has not taken it over yet."""
    if case.due is None or case.due.state == ReturnState.MANUAL or not is_stuck(case.payment, case.due, case.at):
        return False
    return confirmed or not is_asked_for(case.payment, case.due)


def _is_given_manually(case: Case) -> bool:
    is_due = case.payment.status == PaymentStatus.REFUND_DUE and case.due and case.due.state == ReturnState.MANUAL
    return bool(is_due or (case.payment.status == PaymentStatus.REFUNDED and case.payment.bounced_since))


def _is_paid(case: Case) -> bool:
    return case.payment.status == PaymentStatus.PAID


def _may_go_back(case: Case) -> bool:
    return _is_paid(case) and not case.payment.is_money_returned


def _keep(case: Case) -> bool:
    if case.lines:
        return keep_lines(case.payment, case.stores, case.at, case.lines)
    return keep(case.payment, case.stores, case.at)


DECISIONS: Final = {
    "give-up": Decision(
        "a payment that its gateway will never conclude ends, after asking once more: its violations are free",
        lambda case: is_overdue(case.payment, case.at),
        _give_up,
    ),
    "settle": Decision(
        "the money under review is good: what can be settled is, the rest goes back through the gateway",
        lambda case: case.payment.status == PaymentStatus.REVIEW and case.payment.received >= case.payment.amount,
        _settle,
    ),
    "give-back": Decision(
        "the money under review goes back through the gateway",
        lambda case: case.payment.status == PaymentStatus.REVIEW,
        _give_back,
    ),
    "manual": Decision(
        "what the gateway refuses to give back is to be given back by hand: it is never asked for it again",
        partial(_is_left_to_us, confirmed=False),
        partial(_manual_refund, confirmed=False),
    ),
    "manual-confirmed": Decision(
        "the gateway's office says that it has given nothing back and will not: it is to be given back by hand",
        partial(_is_left_to_us, confirmed=True),
        partial(_manual_refund, confirmed=True),
    ),
    "given-back": Decision(
        "what was to be given back by hand has been, or what came back to us of a refund",
        _is_given_manually,
        _given_back,
    ),
    "reverse": Decision(
        "the money of a paid payment, or of the LINES named, is back with its payer: its violations are owed again, the"
        " sectors are told",
        _is_paid,
        lambda case: reverse(case.payment, case.stores, case.at, case.lines),
        lines="may",
    ),
    "keep": Decision(
        "the violations stay paid though their money is back with its payer, or the LINES named though it is wanted",
        lambda case: bool(case.lines) or case.payment.is_money_returned,
        _keep,
        lines="may",
    ),
    "return-lines": Decision(
        "the money of the LINES named goes back through the gateway: they are owed or not as the directorate says",
        _may_go_back,
        lambda case: return_lines(case.payment, case.stores, case.at, case.lines),
        lines="must",
    ),
    "return-difference": Decision(
        "by how much the violations (or the LINES named) were too dear goes back through the gateway: they stay paid",
        _may_go_back,
        lambda case: return_difference(case.payment, case.stores, case.at, case.lines),
        lines="may",
    ),
}
FORMER_WORDS: Final = {"by-hand": "manual", "by-hand-confirmed": "manual-confirmed", "take-back": "reverse"}
"""What decisions were called before, and are called now."""


def word(name: str) -> str:
    """Return a decision's name. Raises DecisionError for one that it no longer has; the message says the new one."""
    if name in FORMER_WORDS:
        raise DecisionError(f"{name} is called {FORMER_WORDS[name]} now")
    return name


def find(deployment: Deployment, payment_id: str, name: str, lines: tuple[str, ...] = ()) -> Case:
    """A payment that a decision fits. Raises KeyError where there is none, DecisionError where it does not fit."""
    stores = stores_of(deployment)
    payment = stores.payments.get(payment_id)
    if payment is None:
        raise KeyError(payment_id)
    enter(deployment, What.OPERATOR, [line.plate_key for line in payment.lines])
    case = Case(payment, stores.returns.last(payment) if payment.returns else None, lines, deployment)
    decision = DECISIONS[name]
    if not decision.fits(case):
        reason = f" ({payment.reason})" if payment.reason else ""
        raise DecisionError(f"{name} does not fit: the payment is {payment.status}{reason}")
    if lines and decision.lines == "none":
        raise DecisionError(f"{name} is about the whole payment: it takes no LINES")
    if decision.lines == "must" and not lines:
        raise DecisionError(f"{name} needs LINES: the numbers of the violations, with spaces between them")
    of_it = payment.lines if name == "keep" else payment.settled_lines
    if missing := set(lines) - {line.violation_no for line in of_it}:
        raise DecisionError(f"not settled by this payment: {', '.join(sorted(missing))}")
    return case


def outlook(case: Case, name: str) -> Iterator[str]:
    """What a decision would come to, a line each: first the payment, then the violations that it names."""
    payment = case.payment
    yield f"{payment.status}, {payment.received:,} IQD: {DECISIONS[name].says}"
    named: Iterable[Line | Difference] = (each for each in payment.settled_lines if each.violation_no in case.lines)
    if name == "return-difference":
        named = differences(payment, case.stores, case.lines)
    yield from (f"{each.violation_no}: {each.amount:,} IQD" for each in named)


def decide(case: Case, name: str) -> None:
    """Act on a decision. Raises DecisionError where the payment has moved on since it was read, or as the decision."""
    try:
        done = DECISIONS[name].act(case)
    except ValueError as error:
        raise DecisionError(str(error)) from None
    if not done:
        raise DecisionError("the payment has moved on meanwhile: look at its trail")


def stores_of(deployment: Deployment) -> PaymentStores:
    """The tables that payments end in, for changes by an operator."""
    call, tables = deployment.call, deployment.physical
    return PaymentStores(
        Violations(call, tables["Violations"]),
        Payments(call, tables["Payments"], is_kept=False),
        Messages(call, tables["Messages"]),
        Settlements(call, tables["Settlements"]),
        Returns(call, tables["Payments"]),
        Wants(call, tables["Payments"]),
    )
