"""What only a person can decide about a payment's money; each decision moves it as its table of states allows."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Final, NamedTuple

from infra.operator.deployment import Deployment
from infra.operator.investigating import enter
from pay.payments.after_end import give_back_bounced, keep
from pay.payments.manual_refund import BUSY, CLAIMED, REFUNDED, REFUNDING, UNKNOWN
from pay.payments.money_returned import record_money_returned
from pay.payments.refund import complete_refund, is_asked_for, is_stuck, refund_reviewed, settle_reviewed
from pay.payments.settle import PaymentStores
from shared.domain.payment import Payment, PaymentStatus
from shared.stores.messaging.messages import Messages
from shared.stores.paying.payments import Payments
from shared.stores.paying.settlements import Settlements
from shared.stores.people.who_looked import What
from shared.stores.violations import Violations


class DecisionError(ValueError):
    """A decision that does not fit a payment, or no more, or not what its gateway says; the message says why."""


class Decision(NamedTuple):
    """says: what is decided. fits: whether it can be of a payment at an instant.

    act: does it; whether it was done. Raises DecisionError where the gateway's word stands against it.
    """

    says: str
    fits: Callable[[Payment, datetime], bool]
    act: Callable[[Payment, Deployment], bool]


def _settle(payment: Payment, deployment: Deployment) -> bool:
    return settle_reviewed(payment, stores(deployment), deployment.clock()) is not None


def _give_back(payment: Payment, deployment: Deployment) -> bool:
    return refund_reviewed(payment, stores(deployment), deployment.clock())


def _given_back(payment: Payment, deployment: Deployment) -> bool:
    if payment.bounced_since:
        return give_back_bounced(payment, stores(deployment), deployment.clock())
    return complete_refund(payment, stores(deployment), deployment.clock()).status != PaymentStatus.REFUND_DUE


def _record_money_returned(payment: Payment, deployment: Deployment) -> bool:
    return record_money_returned(payment, stores(deployment), deployment.clock())


def _keep(payment: Payment, deployment: Deployment) -> bool:
    return keep(payment, stores(deployment), deployment.clock())


_NO_MANUAL_REFUND: Final = {
    BUSY: "the gateway is being asked for it just now: look at its trail in two minutes",
    REFUNDING: "the gateway says that it is giving the money back: do not give it as well",
    REFUNDED: "the gateway says that it has given the money back: do not give it as well",
    UNKNOWN: "the gateway does not say that it has the money: ask its office, then manual-confirmed",
}


def _manual_refund(payment: Payment, deployment: Deployment, *, confirmed: bool) -> bool:
    """Done by the function that asks the gateways: it has their keys, and the addresses that they let in."""
    payload = json.dumps({"manual_refund": payment.payment_id, "confirmed": confirmed}).encode()
    poll_gateways = deployment.physical["PayPollGateways"]
    answer = deployment.clients("lambda").invoke(FunctionName=poll_gateways, Payload=payload)
    if answer.get("FunctionError"):
        raise DecisionError("the function PayPollGateways failed: look at its log")
    outcome = json.loads(answer["Payload"].read())
    if outcome != CLAIMED:
        raise DecisionError(_NO_MANUAL_REFUND[outcome])
    return True


def _is_given_manually(payment: Payment) -> bool:
    is_due = payment.status == PaymentStatus.REFUND_DUE and payment.manual_refund_since is not None
    return is_due or (payment.status == PaymentStatus.REFUNDED and payment.bounced_since is not None)


DECISIONS: Final = {
    "settle": Decision(
        "the money under review is good: what can be settled is, the rest goes back through the gateway",
        lambda payment, _: payment.status == PaymentStatus.REVIEW and payment.received >= payment.amount,
        _settle,
    ),
    "give-back": Decision(
        "the money under review goes back through the gateway",
        lambda payment, _: payment.status == PaymentStatus.REVIEW,
        _give_back,
    ),
    "manual": Decision(
        "what the gateway refuses to give back is to be given back by hand: it is never asked for it again",
        lambda payment, at: is_stuck(payment, at) and not is_asked_for(payment) and not payment.manual_refund_since,
        partial(_manual_refund, confirmed=False),
    ),
    "manual-confirmed": Decision(
        "the gateway's office says that it has given nothing back and will not: it is to be given back by hand",
        lambda payment, at: is_stuck(payment, at) and not payment.manual_refund_since,
        partial(_manual_refund, confirmed=True),
    ),
    "given-back": Decision(
        "what was to be given back by hand has been, or what came back to us of a refund",
        lambda payment, _: _is_given_manually(payment),
        _given_back,
    ),
    "reverse": Decision(
        "all the money of a paid payment is back with its payer: its violations are owed again, the sectors are told",
        lambda payment, _: payment.status == PaymentStatus.PAID,
        _record_money_returned,
    ),
    "keep": Decision(
        "the violations stay paid though the gateway says that their money is back with its payer",
        lambda payment, _: payment.is_money_returned,
        _keep,
    ),
}
FORMER_WORDS: Final = {"by-hand": "manual", "by-hand-confirmed": "manual-confirmed", "take-back": "reverse"}
"""What decisions were called before, and are called now."""


def word(name: str) -> str:
    """Return a decision's name. Raises DecisionError for one that it no longer has; the message says the new one."""
    if name in FORMER_WORDS:
        raise DecisionError(f"{name} is called {FORMER_WORDS[name]} now")
    return name


def find(deployment: Deployment, payment_id: str, name: str) -> Payment:
    """A payment that a decision fits. Raises KeyError where there is none, DecisionError where it does not fit."""
    payment = stores(deployment).payments.get(payment_id)
    if payment is None:
        raise KeyError(payment_id)
    enter(deployment, What.OPERATOR, [line.plate_key for line in payment.lines])
    if not DECISIONS[name].fits(payment, deployment.clock()):
        reason = f" ({payment.reason})" if payment.reason else ""
        raise DecisionError(f"{name} does not fit: the payment is {payment.status}{reason}")
    return payment


def decide(deployment: Deployment, payment: Payment, name: str) -> None:
    """Act on a decision. Raises DecisionError where the payment has moved on since it was read, or as the decision."""
    if not DECISIONS[name].act(payment, deployment):
        raise DecisionError("the payment has moved on meanwhile: look at its trail")


def stores(deployment: Deployment) -> PaymentStores:
    """The tables that payments end in, for changes by an operator."""
    call, tables = deployment.call, deployment.physical
    return PaymentStores(
        Violations(call, tables["Violations"]),
        Payments(call, tables["Payments"], is_kept=False),
        Messages(call, tables["Messages"]),
        Settlements(call, tables["Settlements"]),
    )
