"""What a gateway says of a payment that has ended: it changes no status, but nothing of it is lost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pay.gateways import Order, OrderStatus
from pay.payments.settle import PaymentStores
from shared.aws_json import AwsError, Json
from shared.domain.money import CURRENCY
from shared.domain.payment import (
    BOUNCED_BEFORE,
    Payment,
    PaymentStatus,
    Return,
    ReturnState,
    next_return,
    through_gateway,
)
from shared.domain.time import to_text


def money_back(payment: Payment, order: Order, returns: Sequence[Return]) -> int:
    """Return how much settled money a gateway says is back with its payer, in dinars, beside what we gave back.

    returns: the payment's. An order of which we had a part given back is called refunded by some gateways and paid by
    others, and only some take that part off its amount: of such an order only what is less than should be left tells
    anything.
    """
    given = through_gateway(returns)
    asked = through_gateway(each for each in returns if each.asked_at)
    if order.status in (OrderStatus.REFUNDING, OrderStatus.REFUNDED) and not asked:
        return payment.settled
    if order.status in (OrderStatus.PAID, OrderStatus.REFUNDING, OrderStatus.REFUNDED):
        return min(payment.settled, max(0, payment.received - given - order.amount))
    return payment.money_returned


def hear_after_end(payment: Payment, order: Order | None, stores: PaymentStores, now: datetime) -> Payment | None:
    """Keep what a gateway says of a payment's money after its end, for an operator to decide about.

    Paid: settled money that is back with its payer is marked on it and on its receipt; its violations stay paid.
    Refunded: money that the gateway gave back and has again. Under review: the amount as the gateway now says it.
    Returns the payment as it is then; None where it is no longer as it was read.
    """
    if order is None or order.currency != CURRENCY:
        return payment
    if payment.status == PaymentStatus.PAID:
        return _mark(payment, money_back(payment, order, stores.returns.of(payment)), stores, now)
    if payment.status == PaymentStatus.REFUNDED:
        return _hear_of_return(payment, order, stores, now)
    if payment.status == PaymentStatus.REVIEW and order.status == OrderStatus.PAID and order.amount != payment.received:
        return _change(payment, payment._replace(received=order.amount), stores, now, "money_received")
    return payment


def keep(payment: Payment, stores: PaymentStores, now: datetime) -> bool:
    """An operator has decided that violations stay paid though their money is back. False where it moved on.

    More money that goes back later marks the payment again. Raises ValueError for one that carries no mark.
    """
    if not payment.is_money_returned or payment.receipt_no is None:
        raise ValueError("no money is back about which nothing is decided")
    kept = payment._replace(money_kept=payment.money_returned)
    receipt = stores.payments.correct_receipt_action(kept, now)
    return stores.payments.change(payment, kept, now, [receipt], what="money_returned_kept") is None


def give_back_bounced(payment: Payment, stores: PaymentStores, now: datetime) -> bool:
    """An operator has given back by hand what the gateway had again of a return. False where the payment moved on.

    That is another return. From then on the gateway's word of that money tells nothing: it does not know of it.
    """
    at, returns = to_text(now), stores.returns.of(payment)
    lines = next((each.lines for each in reversed(returns) if each.state == ReturnState.BOUNCED), ())
    after, made = next_return(payment._replace(bounced_since=None), lines, BOUNCED_BEFORE, at)
    made = made._replace(state=ReturnState.GIVEN, manual_since=at, ended_at=at)
    others = [stores.returns.put_action(made)]
    return stores.payments.change(payment, after, now, others, what="given_back_by_hand") is None


def _hear_of_return(payment: Payment, order: Order, stores: PaymentStores, now: datetime) -> Payment | None:
    """Keep that a payment's last return through its gateway bounced, or stands after all; of those by hand it knows
    nothing."""
    known = [each for each in stores.returns.of(payment) if _is_known_there(each, payment)]
    if not known:
        return payment
    last = known[-1]
    left = payment.received - through_gateway([*known[:-1], last._replace(state=ReturnState.GIVEN)])
    as_ever = left > 0 and order.amount == payment.received  # an order whose amount stays, and that is called paid
    bounced = order.status == OrderStatus.PAID and order.amount > left and not as_ever
    if bounced == bool(payment.bounced_since):
        return payment
    after = payment._replace(bounced_since=to_text(now) if bounced else None)
    after = after._replace(given_back=payment.given_back + (-last.amount if bounced else last.amount))
    heard = last._replace(state=ReturnState.BOUNCED if bounced else ReturnState.GIVEN)
    change = [stores.returns.change_action(last, heard)]
    return _change(payment, after, stores, now, "refund_bounced" if bounced else "refund_stands", change)


def _is_known_there(made: Return, payment: Payment) -> bool:
    """Whether a return went through the gateway, and stands or has bounced without an operator's answer."""
    stands = made.state == ReturnState.GIVEN or (made.state == ReturnState.BOUNCED and payment.bounced_since)
    return bool(stands) and not made.manual_since


def _mark(payment: Payment, back: int, stores: PaymentStores, now: datetime) -> Payment | None:
    if back == payment.money_returned or payment.receipt_no is None:
        return payment
    since = (payment.money_returned_since or to_text(now)) if back else None
    # What was decided of more money than is back is decided of no more than that: what goes back anew marks again.
    marked = payment._replace(money_returned=back, money_returned_since=since, money_kept=min(payment.money_kept, back))
    receipt = stores.payments.correct_receipt_action(marked, now)
    return _change(payment, marked, stores, now, "money_returned" if back else "money_here_again", [receipt])


def _change(
    payment: Payment, after: Payment, stores: PaymentStores, now: datetime, what: str, others: list[Json] | None = None
) -> Payment | None:
    try:
        refusal = stores.payments.change(payment, after, now, others or [], what=what)
    except AwsError as error:
        if not error.transaction_conflict:
            raise
        return None
    return after if refusal is None else None
