"""Lines in the log by which nothing happens twice after tables were restored to an earlier instant.

Whoever makes an order, moves money or takes a message to be sent says so in one line, after it is written and before
anybody outside hears of it. The log groups of those functions are kept for longer than tables can be restored; ``make
check-books`` reads the lines back. They hold ids, amounts and states: no plate, no phone and nobody's name.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import orjson

from shared.domain.payment import Payment
from shared.domain.time import to_text

KEPT: Final = "kept"
"""The name under which each line has its kind."""
PAYMENT: Final = "payment"
CLAIM: Final = "claim"


def keep(line: str, /, **about: object) -> None:
    """Write a line. line: PAYMENT or CLAIM. Not through the logger, which is half of what a function imports."""
    print(orjson.dumps({KEPT: line, **about}).decode())


def keep_payment(payment: Payment, what: str, at: datetime) -> None:
    """Write how a payment stands after a change of it, or before its gateway is asked. what: the change, as a code."""
    names = ("payment_id", "gateway", "gateway_id", "status", "amount", "received", "returned", "created_at")
    about = {name: getattr(payment, name) for name in (*names, "expires_at")}
    lines = [(line.violation_no, line.amount) for line in payment.lines]
    keep(PAYMENT, at=to_text(at), what=what, **about, violations=lines)
