"""The states of a payment and the only ways between them. Unknown is a state to ask about, never a failure."""

from __future__ import annotations

from typing import Final, NamedTuple

CREATED: Final = "created"
PENDING: Final = "pending"
PAID: Final = "paid"
FAILED: Final = "failed"
EXPIRED: Final = "expired"
REVIEW: Final = "review"

MINUTES_TO_PAY: Final = 15
LARGEST: Final = 50
"""Violations that one payment may hold: with payment, key, receipt and message they fit one transaction of 100."""

# state -> {next state: what causes it}
TRANSITIONS: Final[dict[str, dict[str, str]]] = {
    CREATED: {
        PENDING: "the gateway took the order and gave a page to pay on",
        PAID: "the gateway says paid before our own order call returned",
        FAILED: "the gateway refused the order",
        EXPIRED: "the time to pay is over and the gateway knows no payment",
        REVIEW: "the gateway's amount, currency or id is not ours",
    },
    PENDING: {
        PAID: "the gateway says paid, with our amount, currency and id",
        FAILED: "the gateway says failed",
        EXPIRED: "the time to pay is over and the gateway says unpaid",
        REVIEW: "the gateway's amount, currency or id is not ours",
    },
    PAID: {},
    FAILED: {},
    EXPIRED: {},
    REVIEW: {},
}
LIVE: Final = frozenset(state for state, following in TRANSITIONS.items() if following)
"""States in which the gateway is still asked about a payment."""


class Line(NamedTuple):
    """One violation in a payment, as it was when the payment was made: price, plate, and the sector that is owed it.

    sector_governorate: a code, "" where the directorate named none.
    """

    violation_no: str
    amount: int
    plate_key: str
    sector_code: str
    sector_governorate: str


class Payment(NamedTuple):
    """A payment and its frozen quote. Amounts in dinars, instants as stored texts."""

    payment_id: str
    sub: str
    gateway: str
    status: str
    lines: tuple[Line, ...]
    amount: int
    created_at: str
    expires_at: str
    return_url: str
    phone: str | None = None
    language: str = "ar"
    gateway_id: str | None = None
    redirect_url: str | None = None
    paid_at: str | None = None
    receipt_no: str | None = None
