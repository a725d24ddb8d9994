"""Money that comes after its payment was given up: what it was meant for and is still owed is settled with it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from pay.payments.settle import PaymentStores, settle_late
from shared.domain.payment import Payment
from shared.domain.time import from_text, to_text
from shared.domain.violation import Violation
from shared.http import report
from shared.policies import RULES
from shared.stores.items import readable

QUOTE_HOLDS_FOR: Final = timedelta(hours=24)
"""How long after a payment's end its money settles a violation that has risen since, at the price that was quoted."""


def settle_what_is_owed(stores: PaymentStores, payment: Payment, received: int, now: datetime) -> Payment | None:
    """Settle each line that is free, owed, on the plate that it was quoted for, and due at no more than was quoted.

    Whether it is free the write itself finds out. One that has risen is settled too for :data:`QUOTE_HOLDS_FOR`. The
    rest of the money goes back. Returns the payment as it is then; None where it is no longer as it was read.
    """
    quoted = {line.violation_no: line for line in payment.lines}
    honoured = now <= from_text(payment.ended_at or payment.expires_at) + QUOTE_HOLDS_FOR
    at, unreadable = to_text(now), list[Exception]()

    def is_paid_by_it(violation: Violation) -> bool:
        line = quoted[violation.violation_no]
        due = violation.due(at, RULES).amount
        return violation.plate_key == line.plate_key and due > 0 and (honoured or due <= line.amount)

    found = stores.violations.get(quoted, unreadable).values()
    judged = readable(found, lambda violation: (violation, is_paid_by_it(violation)), unreadable)
    free = {violation.violation_no: violation for violation, is_good in judged if is_good}
    report(unreadable)
    return settle_late(stores, payment, free, received, now)
