"""Undo a settlement whose money is back with its payer after all, as a gateway's own office says."""

from __future__ import annotations

from datetime import datetime

from pay.payments.refund import tell_of_refund
from pay.payments.settle import PaymentStores
from shared.domain.payment import MONEY_RETURNED, Payment, PaymentStatus
from shared.domain.settlement import reversal
from shared.domain.time import to_text


def record_money_returned(payment: Payment, stores: PaymentStores, now: datetime) -> bool:
    """Record that all the money of a paid payment went back. Returns False where the payment has moved on.

    Its violations are owed again, its receipt says that it is not paid, and its sectors are told to take off what they
    were told: all of it in one transaction. Raises ValueError for a payment that has settled nothing.
    """
    if payment.status != PaymentStatus.PAID or payment.receipt_no is None:
        raise ValueError("only a payment that has settled something can be undone")
    everything = tuple(line.violation_no for line in payment.lines)
    after = payment._replace(status=PaymentStatus.REFUNDED, returned=everything, reason=MONEY_RETURNED)
    others = [stores.violations.unsettle(line.violation_no, payment.payment_id) for line in payment.settled_lines]
    others.append(stores.payments.void_receipt_action(payment.receipt_no, now))
    others.append(stores.settlements.due_action(reversal(payment, to_text(now))))
    if not payment.surplus:  # who had something back already was told then
        others += tell_of_refund(payment, payment.settled, stores, now)
    return stores.payments.change(payment, after, now, others, correction=MONEY_RETURNED) is None
