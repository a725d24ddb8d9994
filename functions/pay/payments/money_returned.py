"""Settled money that is back with its payer after all, by a gateway's own office say: what was settled is undone."""

from __future__ import annotations

from datetime import datetime

from pay.payments.refund import tell_of_refund
from pay.payments.settle import Books
from shared.domain.payment import PAID, REFUNDED, TAKEN_BACK, Payment
from shared.domain.settlement import reversal
from shared.domain.time import to_text


def take_back(payment: Payment, books: Books, now: datetime) -> bool:
    """An operator knows that all the money of a paid payment went back. False where the payment has moved on.

    Its violations are owed again, its receipt says that it is not paid, and its sectors are told to take off what they
    were told: all of it in one transaction. Raises ValueError for a payment that has settled nothing.
    """
    if payment.status != PAID or payment.receipt_no is None:
        raise ValueError("only a payment that has settled something can be taken back")
    everything = tuple(line.violation_no for line in payment.lines)
    after = payment._replace(status=REFUNDED, returned=everything, reason=TAKEN_BACK)
    others = [books.violations.unsettle(line.violation_no, payment.payment_id) for line in payment.settled_lines]
    others.append(books.payments.void_receipt_action(payment.receipt_no, now))
    others.append(books.settlements.due_action(reversal(payment, to_text(now))))
    if not payment.surplus:  # who had something back already was told then
        others += tell_of_refund(payment, payment.settled, books, now)
    return books.payments.change(payment, after, now, others, correction=TAKEN_BACK) is None
