"""What only a person can decide about a payment's money; each decision moves it as its table of states allows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final, NamedTuple

from infra.operator.deployment import Deployment
from pay.refunding import give_back_reviewed, given_back, is_stuck, settle_reviewed
from pay.settling import Books
from pay.taking_back import take_back
from shared.domain.payment import PAID, REVIEW, Payment
from shared.stores.messages import Messages
from shared.stores.payments import Payments
from shared.stores.settlements import Settlements
from shared.stores.violations import Violations


class DecisionError(ValueError):
    """A decision that a payment does not stand for, or no more; the message says how it stands."""


class Decision(NamedTuple):
    """says: what is decided. fits: whether it can be of a payment at an instant. act: does it; whether it was done."""

    says: str
    fits: Callable[[Payment, datetime], bool]
    act: Callable[[Payment, Books, datetime], bool]


DECISIONS: Final = {
    "settle": Decision(
        "the money under review is good: what can be settled is, the rest goes back through the gateway",
        lambda payment, _: payment.status == REVIEW and payment.received >= payment.amount,
        lambda payment, books, at: settle_reviewed(payment, books, at) is not None,
    ),
    "give-back": Decision(
        "the money under review goes back through the gateway",
        lambda payment, _: payment.status == REVIEW,
        give_back_reviewed,
    ),
    "given-back": Decision(
        "what the gateway would not give back has been given back by hand",
        is_stuck,
        lambda payment, books, at: given_back(payment, books, at).status != payment.status,
    ),
    "take-back": Decision(
        "all the money of a paid payment is back with its payer: its violations are owed again, the sectors are told",
        lambda payment, _: payment.status == PAID,
        take_back,
    ),
}


def find(deployment: Deployment, payment_id: str, name: str) -> Payment:
    """A payment that a decision fits. Raises KeyError where there is none, DecisionError where it does not fit."""
    payment = _books(deployment).payments.get(payment_id)
    if payment is None:
        raise KeyError(payment_id)
    if not DECISIONS[name].fits(payment, deployment.clock()):
        reason = f" ({payment.reason})" if payment.reason else ""
        raise DecisionError(f"{name} does not fit: the payment is {payment.status}{reason}")
    return payment


def decide(deployment: Deployment, payment: Payment, name: str) -> None:
    """Act on a decision. Raises DecisionError where the payment has moved on since it was read."""
    if not DECISIONS[name].act(payment, _books(deployment), deployment.clock()):
        raise DecisionError("the payment has moved on meanwhile: look at its trail")


def _books(deployment: Deployment) -> Books:
    call, tables = deployment.call, deployment.physical
    return Books(
        Violations(call, tables["Violations"]),
        Payments(call, tables["Payments"]),
        Messages(call, tables["Messages"]),
        Settlements(call, tables["Settlements"]),
    )
