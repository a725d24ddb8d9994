"""Giving money back: what is left of a payment's money when everything is settled that can be, return by return."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from pay.gateways import Gateway, NotAskedError, Order, OrderStatus, Refund, RefusedError, UnknownError
from pay.payments.settle import PaymentStores, release, settle, to_payer
from shared.aws_json import Json
from shared.domain import message
from shared.domain.message import MessageKind
from shared.domain.money import CURRENCY
from shared.domain.payment import AFTER_SETTLEMENT, Payment, PaymentStatus, Return, ReturnState, through_gateway
from shared.domain.text import digest
from shared.domain.time import from_text, to_text
from shared.observability import count
from shared.stores.kept_lines import keep_payment

SHOWN_OF_ID: Final = 8
"""Characters of a payment's id that a citizen is told in an SMS."""
PATIENCE: Final = timedelta(days=1)
MAX_REFUND_TIME: Final = timedelta(minutes=2)
"""Who asks a gateway to give money back is gone after this long: the function's own timeout."""
OTHER_MONEY: Final = "other_money"
"""Why a gateway is not asked: it has other money of an order than we know of, and may be giving it back by itself."""

_ASKED_FOR: Final = (ReturnState.DUE, ReturnState.ASKED)


def refund(payment: Payment, gateway: Gateway, stores: PaymentStores, now: datetime) -> Payment:
    """Have the gateway give back what a payment owes; it may be asked again and again, for that is the same refund.

    One asks at a time, for a gateway may give back to each of two; that it is asked is kept before it is, since what a
    gateway has heard it may have done. What it refuses (a part of an order, one too old) is
    kept for an operator, who gives it back by hand; so is money that is no dinars, and money of which the gateway has
    not what it should. Returns the payment as it is then. Raises UnknownError.
    """
    returns = stores.returns.of(payment)
    due = returns[-1] if returns else None
    if payment.gateway_id is None or due is None or not is_asked_for(payment, due):
        return payment
    taken = stores.returns.take(due, now, now + MAX_REFUND_TIME, asks=True)
    if taken is None:
        return payment
    keep_payment(payment, "refund_asked", now)
    try:
        status = _ask(payment, payment.gateway_id, returns, gateway)
    except RefusedError as error:
        asked_at = due.asked_at if str(error) == OTHER_MONEY else taken.asked_at
        refused = taken._replace(state=ReturnState.REFUSED, refused=str(error), asked_at=asked_at)
        stores.payments.change(
            payment, payment, now, [stores.returns.change_action(taken, refused)], what="refund_refused"
        )
        count("RefundsRefused")
        return payment
    except NotAskedError:
        if not due.asked_at:
            stores.returns.not_asked(taken)
        raise
    return complete_refund(payment, taken, stores, now) if status == OrderStatus.REFUNDED else payment


def _ask(payment: Payment, gateway_id: str, returns: Sequence[Return], gateway: Gateway) -> OrderStatus:
    due = returns[-1]
    if due.cause in AFTER_SETTLEMENT and not due.asked_at:
        try:
            order = gateway.get_order(payment.payment_id, gateway_id)
        except UnknownError as error:
            raise NotAskedError(str(error)) from None
        if not order or not has_what_it_should(payment, returns, order):
            raise RefusedError(OTHER_MONEY)
    refund_id = digest("refund", payment.payment_id, str(due.n))
    asked = Refund(refund_id, payment.payment_id, gateway_id, due.amount, due.cause, due.asked_at is not None)
    return gateway.refund(asked)


def has_what_it_should(payment: Payment, returns: Sequence[Return], order: Order) -> bool:
    """Whether a gateway says of an order's money what we know of it, before the last return of it is made.

    Some gateways take what went back before off an order's amount, others do not; some call it refunded from the first
    part on. Of money that is no dinars only that it is there tells anything.
    """
    if order.currency != CURRENCY:
        return order.status == OrderStatus.PAID
    before = through_gateway(returns[:-1])
    is_there = order.status == OrderStatus.PAID or (order.status == OrderStatus.REFUNDED and before > 0)
    return is_there and order.amount in (payment.received, payment.received - before)


def complete_refund(payment: Payment, due: Return, stores: PaymentStores, now: datetime) -> Payment:
    """The money of a return is back with the citizen, through the gateway or by hand; the citizen is told."""
    after = payment._replace(status=PaymentStatus.PAID if payment.settled else PaymentStatus.REFUNDED)
    given = due._replace(state=ReturnState.GIVEN, ended_at=to_text(now))
    others = [stores.returns.change_action(due, given), *tell_of_return(payment, given, stores, now)]
    done = stores.payments.change(payment, after, now, others) is None
    return after if done else stores.payments.get(payment.payment_id) or payment


def tell_of_return(payment: Payment, given: Return, stores: PaymentStores, now: datetime) -> list[Json]:
    """The action that tells a payer, once, how many dinars of a payment are back; none without a phone or dinars."""
    if not payment.phone or not given.amount:
        return []
    text = message.refund(payment.language, given.amount, payment.payment_id[:SHOWN_OF_ID])
    return [stores.messages.put_action(to_payer(payment, MessageKind.REFUND, text, now, str(given.n)), now)]


def is_asked_for(payment: Payment, due: Return) -> bool:
    """Whether the gateway is asked for a return, and asked again until it has given it or refuses to."""
    waits = payment.status == PaymentStatus.REFUND_DUE and due.state in _ASKED_FOR
    return waits and due.amount > 0 and payment.gateway_id is not None


def is_stuck(payment: Payment, due: Return | None, now: datetime) -> bool:
    """Whether money waits for an operator: the gateway is not asked to give it back, or has not for a day."""
    if payment.status != PaymentStatus.REFUND_DUE:
        return False
    return due is None or not is_asked_for(payment, due) or now > from_text(due.at) + PATIENCE


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
