"""A citizen begins anew what an order of theirs still holds that was given up, and that its gateway would not close."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from pay.payments.settle import PaymentStores, release
from shared.domain.payment import Payment, PaymentStatus
from shared.domain.time import to_text

SUPERSEDED: Final = "superseded"


def supersede(sub: str, numbers: Iterable[str], stores: PaymentStores, now: datetime) -> bool:
    """Let go what closing payments of a citizen hold of these violations. Returns whether anything was.

    Their orders may still be paid, as who began anew knows: that money is late then.
    """
    holders = {violation.held_by for violation in stores.violations.get(numbers, []).values() if violation.held_by}
    closing = [payment for payment in stores.payments.several(holders).values() if _is_own(payment, sub)]
    let_go = [_let_go(payment, stores, now) for payment in closing]
    return any(let_go)


def _is_own(payment: Payment, sub: str) -> bool:
    return payment.sub == sub and payment.is_closing


def _let_go(payment: Payment, stores: PaymentStores, now: datetime) -> bool:
    after = payment._replace(status=PaymentStatus.CANCELLED, reason=SUPERSEDED, ended_at=to_text(now))
    return release(stores, payment, after, now)
