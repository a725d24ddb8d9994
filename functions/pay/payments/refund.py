"""Giving money back: what is left of a payment's money when everything is settled that can be."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from pay.gateways import Gateway, NotAskedError, OrderStatus, Refund, RefusedError
from pay.payments.settle import PaymentStores, release, settle, to_payer
from shared.aws_json import Json
from shared.domain import message
from shared.domain.message import MessageKind
from shared.domain.payment import Payment, PaymentStatus
from shared.domain.text import digest
from shared.domain.time import from_text
from shared.kept_lines import keep_payment
from shared.observability import count

SHOWN_OF_ID: Final = 8
"""Characters of a payment's id that a citizen is told in an SMS."""
PATIENCE: Final = timedelta(days=1)
MAX_REFUND_TIME: Final = timedelta(minutes=2)
"""Who asks a gateway to give money back is gone after this long: the function's own timeout."""


def refund(payment: Payment, gateway: Gateway, stores: PaymentStores, now: datetime) -> Payment:
    """Have the gateway give back what a payment owes; it may be asked again and again, for that is the same refund.

    One asks at a time, for a gateway may give back to each of two; that it is asked is kept before it is, since what a
    gateway has heard it may have done. What it refuses (a part of an order, one too old) is
    kept for an operator, who gives it back by hand; so is money that is no dinars. Returns the payment as it is then.
    Raises UnknownError.
    """
    if payment.gateway_id is None or not is_asked_for(payment):
        return payment
    asked_before = payment.refund_asked_at is not None
    if not stores.payments.take_refund(payment, now, now + MAX_REFUND_TIME, asks=True):
        return payment
    keep_payment(payment, "refund_asked", now)
    asked = Refund(
        digest("refund", payment.payment_id),
        payment.payment_id,
        payment.gateway_id,
        payment.surplus,
        payment.reason or "",
        asked_before,
    )
    try:
        status = gateway.refund(asked)
    except RefusedError as error:
        refused = payment._replace(refund_refused=str(error))
        stores.payments.change(payment, refused, now, what="refund_refused")
        count("RefundsRefused")
        return refused
    except NotAskedError:
        if not asked_before:
            stores.payments.refund_not_asked(payment.payment_id)
        raise
    return complete_refund(payment, stores, now) if status == OrderStatus.REFUNDED else payment


def complete_refund(payment: Payment, stores: PaymentStores, now: datetime) -> Payment:
    """The money is back with the citizen, through the gateway or by hand; the citizen is told."""
    after = payment._replace(status=PaymentStatus.PAID if payment.receipt_no else PaymentStatus.REFUNDED)
    others = tell_of_refund(payment, payment.surplus, stores, now)
    done = stores.payments.change(payment, after, now, others) is None
    return after if done else stores.payments.get(payment.payment_id) or payment


def tell_of_refund(payment: Payment, amount: int, stores: PaymentStores, now: datetime) -> list[Json]:
    """The action that tells a payer, once, how many dinars of a payment are back; none without a phone or dinars."""
    if not payment.phone or not amount:
        return []
    text = message.refund(payment.language, amount, payment.payment_id[:SHOWN_OF_ID])
    return [stores.messages.put_action(to_payer(payment, MessageKind.REFUND, text, now), now)]


def is_asked_for(payment: Payment) -> bool:
    """Whether the gateway is asked to give a payment's money back, and asked again until it has or refuses to."""
    is_given_up = payment.refund_refused or payment.manual_refund_since or payment.gateway_id is None
    return payment.status == PaymentStatus.REFUND_DUE and payment.surplus > 0 and not is_given_up


def is_stuck(payment: Payment, now: datetime) -> bool:
    """Whether money waits for an operator: the gateway is not asked to give it back, or has not for a day."""
    since = from_text(payment.paid_at or payment.created_at)
    return payment.status == PaymentStatus.REFUND_DUE and (not is_asked_for(payment) or now > since + PATIENCE)


def settle_reviewed(payment: Payment, stores: PaymentStores, now: datetime) -> Payment | None:
    """An operator has found the money of a payment under review to be good: settle what can be, give back the rest.

    Raises ValueError where it is less than what would be settled. None where the payment is no longer as it was read.
    """
    if payment.status != PaymentStatus.REVIEW or payment.received < payment.amount:
        raise ValueError("only a payment under review that brought enough can be settled")
    return settle(stores, payment, payment.received, now)


def refund_reviewed(payment: Payment, stores: PaymentStores, now: datetime) -> bool:
    """An operator has decided that the money of a payment under review goes back. False where it moved on."""
    return release(stores, payment, payment._replace(status=PaymentStatus.REFUND_DUE, reason="by_operator"), now)
