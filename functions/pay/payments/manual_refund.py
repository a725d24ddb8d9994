"""Manual refunds. Once an operator claims one, the gateway is never asked again, so money cannot go back twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from pay.gateways import Gateway, Order, OrderStatus, UnknownError
from pay.payments.refund import MAX_REFUND_TIME, complete_refund, has_what_it_should, is_asked_for
from pay.payments.settle import PaymentStores
from shared.domain.money import CURRENCY
from shared.domain.payment import Payment, PaymentStatus, Return, ReturnState, through_gateway
from shared.domain.time import to_text

CLAIMED: Final = "claimed"
BUSY: Final = "busy"
REFUNDING: Final = "refunding"
REFUNDED: Final = "refunded"
UNKNOWN: Final = "unknown"
OTHER_AMOUNT: Final = "other_amount"

_LEFT: Final = (ReturnState.DUE, ReturnState.ASKED, ReturnState.REFUSED)
"""The states in which a return may be left to an operator."""


def claim_manual_refund(
    payment: Payment, gateway: Gateway | None, stores: PaymentStores, now: datetime, *, confirmed: bool
) -> str:
    """Leave a return to an operator. The gateway is asked how the order stands, and from then on never again.

    confirmed: the gateway's own office says that it has given nothing back and will not. Without that, the gateway must
    have refused, or never have been asked, and must say that it has the money: one that was asked may still be at it
    where its orders do not show that. Returns CLAIMED, or why not: BUSY where another is asking it or the payment moved
    on; REFUNDING and REFUNDED where the gateway says so or has less by just that, the latter with the return given;
    UNKNOWN; OTHER_AMOUNT where it has not what it should.
    """
    returns = stores.returns.of(payment)
    due = returns[-1] if returns else None
    if payment.status != PaymentStatus.REFUND_DUE or due is None or due.state not in _LEFT:
        return BUSY
    if stores.returns.take(due, now, now + MAX_REFUND_TIME) is None:
        return BUSY
    order = _order(payment, gateway)
    if order and _is_given(payment, returns, order):
        complete_refund(payment, due, stores, now)
        return REFUNDED
    if order and order.status == OrderStatus.REFUNDING:
        return REFUNDING
    has_it = order is not None and has_what_it_should(payment, returns, order)
    if not confirmed and order and order.status == OrderStatus.PAID and not has_it:
        return OTHER_AMOUNT
    if not confirmed and (not has_it or is_asked_for(payment, due)):
        return UNKNOWN
    claimed = due._replace(state=ReturnState.MANUAL, manual_since=to_text(now))
    action = stores.returns.change_action(due, claimed)
    return CLAIMED if stores.payments.change(payment, payment, now, [action], what="manual_refund") is None else BUSY


def _is_given(payment: Payment, returns: Sequence[Return], order: Order) -> bool:
    """Whether a gateway's order shows that the last return is made: it is called so, or less by that, or more, is left.

    What else is missing then is marked once the payment is paid or refunded.
    """
    before = through_gateway(returns[:-1])
    if order.status == OrderStatus.REFUNDED and not before:
        return True
    left = payment.received - before - returns[-1].amount
    is_there = order.status in (OrderStatus.PAID, OrderStatus.REFUNDED) and order.currency == CURRENCY
    return is_there and returns[-1].amount > 0 and order.amount <= left


def _order(payment: Payment, gateway: Gateway | None) -> Order | None:
    """A gateway's order; None where it says nothing."""
    try:
        return gateway.get_order(payment.payment_id, payment.gateway_id) if gateway else None
    except UnknownError:
        return None
