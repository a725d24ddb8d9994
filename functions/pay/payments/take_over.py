"""A proven owner waits at most one gateway page for what a weaker payment holds: its order is closed, if it can be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from pay.payments.settle import PaymentStores
from pay.payments.sync import CLOSES_WITHIN, TAKEN_OVER, mark_closing
from shared.access.accesses import Accesses
from shared.access.grant import Grant
from shared.domain.payment import LIVE, Payment
from shared.domain.time import from_text
from shared.domain.violation import Violation
from shared.observability import count

KEPT_FREE: Final = timedelta(minutes=15)
"""How long after the last moment of a hold that was taken over only a proven owner may hold what was wanted."""


def take_over(
    sub: str,
    held: Sequence[Violation],
    grants: Mapping[str, Grant],
    stores: PaymentStores,
    accesses: Accesses,
    now: datetime,
) -> bool:
    """Have the payments closed that hold a proven owner's violations and whose citizens have not proved them theirs.

    Whole payments only; what a citizen is to a plate is asked anew. poll_gateways closes them at their gateways and
    asks, as where time is over. Returns whether any is to be closed. A BatchGetItem for each payment that may be.
    """
    own = [violation for violation in held if grants[violation.plate_key].is_proven and violation.held_by]
    if not own:
        return False
    holders = stores.payments.several(violation.held_by for violation in own if violation.held_by)
    wanted: dict[str, datetime] = {}
    for payment in holders.values():
        if payment.sub == sub or payment.status not in LIVE:
            continue
        theirs = [violation for violation in own if violation.held_by == payment.payment_id]
        plates = {violation.plate_key for violation in theirs}
        others = accesses.accesses(payment.sub, plates, now, [])
        weaker = [violation.violation_no for violation in theirs if not others[violation.plate_key].is_proven]
        if weaker:
            mark_closing(payment, TAKEN_OVER, stores, now)
            wanted |= dict.fromkeys(weaker, _free_until(payment, now))
    if wanted:
        stores.violations.want(wanted)
        count("PaymentsTakenOver")
    return bool(wanted)


def _free_until(payment: Payment, now: datetime) -> datetime:
    return max(from_text(payment.expires_at), now) + CLOSES_WITHIN + KEPT_FREE
