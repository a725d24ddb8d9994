"""Manual refunds. Once an operator claims one, the gateway is never asked again, so money cannot go back twice."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from pay.gateways import Gateway, OrderStatus, UnknownError
from pay.payments.refund import MAX_REFUND_TIME, complete_refund, is_asked_for
from pay.payments.settle import PaymentStores
from shared.domain.payment import Payment, PaymentStatus
from shared.domain.time import to_text

CLAIMED: Final = "claimed"
BUSY: Final = "busy"
REFUNDING: Final = "refunding"
REFUNDED: Final = "refunded"
UNKNOWN: Final = "unknown"


def claim_manual_refund(
    payment: Payment, gateway: Gateway | None, stores: PaymentStores, now: datetime, *, confirmed: bool
) -> str:
    """Leave a refund to an operator. The gateway is asked how the order stands, and from then on never again.

    confirmed: the gateway's own office says that it has given nothing back and will not. Without that, the gateway must
    have refused, or never have been asked, and must say that it has the money: one that was asked may still be at it
    where its orders do not show that. Returns CLAIMED, or why not: BUSY where another is asking it or the payment moved
    on; REFUNDING and REFUNDED where the gateway says so, the latter with the payment refunded; UNKNOWN.
    """
    if payment.status != PaymentStatus.REFUND_DUE or not stores.payments.take_refund(
        payment, now, now + MAX_REFUND_TIME
    ):
        return BUSY
    status = _status(payment, gateway)
    if status == OrderStatus.REFUNDED:
        complete_refund(payment, stores, now)
        return REFUNDED
    if status == OrderStatus.REFUNDING:
        return REFUNDING
    if not confirmed and (status != OrderStatus.PAID or is_asked_for(payment)):
        return UNKNOWN
    claimed = payment._replace(manual_refund_since=to_text(now))
    return CLAIMED if stores.payments.change(payment, claimed, now, what="manual_refund") is None else BUSY


def _status(payment: Payment, gateway: Gateway | None) -> str | None:
    """What the gateway says of an order; None where it says nothing."""
    try:
        order = gateway.get_order(payment.payment_id, payment.gateway_id) if gateway else None
    except UnknownError:
        return None
    return order.status if order else None
