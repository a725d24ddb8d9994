"""Apply what a gateway says of a payment.

Only the gateway's answer moves money, never a callback's body, and only by conditional writes.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from pay.gateways import Closing, Gateway, Order, OrderStatus, UnaskableError, UnknownError, UnpayableError
from pay.payments.after_end import hear_after_end
from pay.payments.late import settle_what_is_owed
from pay.payments.settle import PAID_LATE, PaymentStores, release, settle
from shared.aws_json import AwsError
from shared.domain.money import CURRENCY
from shared.domain.payment import GIVEN_UP, LATE_OTHER_MONEY, LIVE, Payment, PaymentStatus
from shared.domain.time import from_text, to_text

NEVER_ANSWERED_FOR: Final = timedelta(hours=1)
"""How long after its time is over an order may still be heard of that the gateway cannot be asked about."""
CLOSES_WITHIN: Final = timedelta(minutes=15)
"""How much longer an order that the gateway does not close lives: as long as a customer may need to finish."""
OVERDUE: Final = timedelta(hours=2)
_TRIES: Final = 5


class Transition(NamedTuple):
    """The status that a payment goes to, and why. correction: the name of the correction that it takes."""

    status: str
    reason: str
    correction: str | None = None


BY_CITIZEN: Final = Transition(PaymentStatus.CANCELLED, "by_citizen")
TIME_OVER: Final = Transition(PaymentStatus.EXPIRED, "time_over")
ORDER_LOST: Final = Transition(PaymentStatus.FAILED, "order_lost")
TAKEN_OVER: Final = Transition(PaymentStatus.CANCELLED, "taken_over")
BY_OPERATOR: Final = Transition(PaymentStatus.FAILED, "given_up")
_CLOSINGS: Final = {each.reason: each for each in (BY_CITIZEN, TIME_OVER, TAKEN_OVER, BY_OPERATOR)}


def next_status(
    payment: Payment,
    order: Order | None,
    now: datetime,
    closing: Transition | None = None,
    said: Closing = Closing.UNKNOWN,
) -> Transition | None:
    """Return where a payment goes on what the gateway says, None where it stays.

    closing: where it goes if there is no money, after its order was to be closed at the gateway, which said ``said`` to
    that. One that may still be paid stays for :data:`CLOSES_WITHIN`: its customer may be in the midst of it.
    """
    status = order.status if order else OrderStatus.UNPAID
    if order and status == OrderStatus.PAID:
        money = _money(payment, order)
        if payment.status in LIVE:
            return Transition(PaymentStatus.PAID, "paid") if money is None else Transition(PaymentStatus.REVIEW, money)
        if payment.status in GIVEN_UP:
            late = Transition(PaymentStatus.PAID, PAID_LATE)
            return late if money is None else Transition(PaymentStatus.REVIEW, money, LATE_OTHER_MONEY)
    if payment.status not in LIVE or status in (OrderStatus.PAID, OrderStatus.REFUNDING):
        return None
    if closing:
        is_over = order is None or status != OrderStatus.UNPAID or said == Closing.CLOSED
        return closing if is_over or _is_past_closing(payment, now) else None
    if status == OrderStatus.EXPIRED:
        return Transition(PaymentStatus.EXPIRED, "gateway_expired")
    if status != OrderStatus.UNPAID:
        return Transition(PaymentStatus.FAILED, f"gateway_{status}")
    return TIME_OVER if now > from_text(payment.expires_at) else None


def _is_past_closing(payment: Payment, now: datetime) -> bool:
    """Whether a payment that is given up has waited long enough for its order to be over."""
    if payment.closing_since is None:
        return False
    since = max(from_text(payment.closing_since), from_text(payment.expires_at))
    return now > since + CLOSES_WITHIN


def _money(payment: Payment, order: Order) -> str | None:
    """What is wrong with the money that a gateway says it took, as a code."""
    if order.currency != CURRENCY:
        return "currency_differs"
    return None if order.amount == payment.amount else "amount_differs"


def sync_with_gateway(
    payment: Payment,
    gateway: Gateway,
    stores: PaymentStores,
    now: datetime,
    *,
    gateway_id: str | None = None,
    closing: Transition | None = None,
) -> Payment:
    """Get a payment's order from the gateway, and apply what it says. Returns the payment as it is then.

    gateway_id: the gateway's id of the order by a proved callback, for where our own order call brought none. closing:
    why it is given up. An order that is given up, or whose time is over, is closed at the gateway and asked about after
    that, so that the holds end when nobody can pay it any more; where that is not known yet, the payment is marked as
    closing, and each sync tries again. Repeats and overlaps end the same. Raises UnknownError where the gateway cannot
    be asked or speaks of another order.
    """
    closing, said = closing or _CLOSINGS.get(payment.closing_for or ""), Closing.UNKNOWN
    if closing and payment.status in LIVE:
        said = gateway.close(payment.payment_id, payment.gateway_id)
    try:
        order, payment = _ask(payment, gateway, stores, now, gateway_id)
    except UnpayableError:
        order, closing = None, closing or ORDER_LOST
    except UnknownError:
        if closing:
            mark_closing(payment, closing, stores, now)
        raise
    for _ in range(_TRIES):
        transition = next_status(payment, order, now, closing, said)
        if transition is None:
            if closing and payment.status in LIVE:
                return mark_closing(payment, closing, stores, now)
            if heard := hear_after_end(payment, order, stores, now):
                return heard
            payment = stores.payments.get(payment.payment_id) or payment
            continue
        if transition == TIME_OVER and order and not closing:
            return sync_with_gateway(payment, gateway, stores, now, closing=TIME_OVER)
        if changed := _act(payment, order, transition, stores, now):
            return changed
        payment = stores.payments.get(payment.payment_id) or payment
    raise UnknownError("the payment changes all the time")


def is_overdue(payment: Payment, now: datetime) -> bool:
    """Whether a payment is still open so long after its time is over that it needs an operator."""
    return payment.status in LIVE and now > from_text(payment.expires_at) + OVERDUE


def give_up(payment: Payment, gateway: Gateway | None, stores: PaymentStores, now: datetime) -> Payment:
    """End a live payment that its gateway will never conclude, as an operator has decided, after asking once more.

    Where the gateway says that it is paid, it is settled as ever; and money that comes after it was given up is late
    money. One that still has time is left alone. Returns the payment as it is then.
    """
    if not is_overdue(payment, now):
        return payment
    try:
        payment = sync_with_gateway(payment, gateway, stores, now, closing=BY_OPERATOR) if gateway else payment
    except UnknownError:
        payment = stores.payments.get(payment.payment_id) or payment
    if payment.status not in LIVE:
        return payment
    after = payment._replace(status=BY_OPERATOR.status, reason=BY_OPERATOR.reason, ended_at=to_text(now))
    return after if release(stores, payment, after, now) else stores.payments.get(payment.payment_id) or payment


def mark_closing(payment: Payment, closing: Transition, stores: PaymentStores, now: datetime) -> Payment:
    """Keep since when and why a live payment is given up. Returns the payment as it is then."""
    if payment.status not in LIVE or payment.closing_since:
        return payment
    marked = payment._replace(closing_since=to_text(now), closing_for=closing.reason)
    if stores.payments.change(payment, marked, now, what="closing") is None:
        return marked
    return stores.payments.get(payment.payment_id) or payment


def _ask(
    payment: Payment, gateway: Gateway, stores: PaymentStores, now: datetime, gateway_id: str | None
) -> tuple[Order | None, Payment]:
    """Get a payment's order, and the payment with the gateway's id of it, which is bound to it and to no other."""
    known = payment.gateway_id or gateway_id
    try:
        order = gateway.get_order(payment.payment_id, known)
    except UnpayableError:
        raise
    except UnaskableError:
        if now > from_text(payment.expires_at) + NEVER_ANSWERED_FOR:
            return None, payment
        raise
    if order is None:
        return None, payment
    if order.payment_id not in (None, payment.payment_id) or known not in (None, order.gateway_id):
        raise UnknownError("the answer is about another order")
    if payment.gateway_id:
        return order, payment
    bound = payment._replace(gateway_id=order.gateway_id)
    binding = stores.payments.bind_action(payment, order.gateway_id)
    try:
        refusal = stores.payments.change(payment, bound, now, [binding], what="order_found")
    except AwsError as error:
        if not error.transaction_conflict:
            raise
        raise UnknownError("others are at work on the payment") from error
    if refusal is None:
        return order, bound
    if refusal.others:
        raise UnknownError("the order is another payment's")
    return order, stores.payments.get(payment.payment_id) or payment


def _act(
    payment: Payment, order: Order | None, transition: Transition, stores: PaymentStores, now: datetime
) -> Payment | None:
    received = order.amount if order and order.currency == CURRENCY else 0
    after = payment._replace(status=transition.status, reason=transition.reason)
    if transition.status in GIVEN_UP:
        after = after._replace(ended_at=to_text(now))
    try:
        if transition.status == PaymentStatus.PAID:
            conclude = settle_what_is_owed if payment.status in GIVEN_UP else settle
            return conclude(stores, payment, received, now)
        if transition.status in GIVEN_UP:
            return after if release(stores, payment, after, now) else None
        after = after._replace(received=received, paid_at=to_text(now))
        refusal = stores.payments.change(payment, after, now, correction=transition.correction)
    except AwsError as error:
        if not error.transaction_conflict:
            raise
        return None  # others are at work on the same payment: what they made of it is read next
    return after if refusal is None else None
