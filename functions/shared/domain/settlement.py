"""What a sector is told of the money: payments of its violations, or that they were given back; in batches, by file."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final, NamedTuple

from shared.domain.payment import Line, Payment

SETTLED: Final = "settled"
REVERSED: Final = "reversed"
PAID_TWICE: Final = "paid_twice"
KINDS: Final = frozenset({SETTLED, REVERSED, PAID_TWICE})
"""What this version can tell a sector; it never sums an entry of any other kind."""


class BatchStatus(StrEnum):
    """How far a batch is: entries are moved into it while it is open; it is closed; its files are written."""

    OPEN = "open"
    CLOSED = "closed"
    WRITTEN = "written"


class Share(NamedTuple):
    """One violation of an entry, and the sector that is told. amount: dinars; sector_governorate: a code or "".

    held_until: where the amount is that before a doubling because another payment held it, until when that is asked.
    """

    violation_no: str
    amount: int
    sector_code: str
    sector_governorate: str
    held_until: str = ""


class Entry(NamedTuple):
    """One payment as the sectors are told of it, without anything about its payer or the plates.

    kind: settled; reversed for the money that went back; paid_twice, which moves no money and asks the sector whether
    it was paid too. at: the instant of that, a stored text. part: the number of the return by which it went back, or
    the violation that is asked about.
    """

    kind: str
    payment_id: str
    receipt_no: str
    gateway: str
    paid_at: str
    at: str
    shares: tuple[Share, ...]
    part: str = ""


class Cursor(NamedTuple):
    """The newest batch, and how far it is."""

    batch: str
    state: BatchStatus | str


class SettlementFile(NamedTuple):
    """A file for one sector. key: in the bucket. amount: dinars, what was reversed taken off. Instants as stored."""

    key: str
    sha256: str
    lines: int
    amount: int
    written_at: str
    acknowledged_at: str | None = None


def settled(payment: Payment) -> Entry:
    """The entry of a payment that was paid. Raises ValueError for one that was not."""
    if payment.paid_at is None:
        raise ValueError("not a paid payment")
    return _entry(payment, SETTLED, payment.paid_at, payment.settled_lines)


def reversal(payment: Payment, lines: Iterable[Line], n: int, at: str) -> Entry:
    """The entry that takes back what a payment settled, at an instant: these lines' amounts, by its return ``n``."""
    return _entry(payment, REVERSED, at, lines, str(n))


def paid_twice(payment: Payment, violation_no: str, at: str) -> Entry:
    """The entry that asks the sector about a violation that is said to be paid elsewhere too. No money moves by it."""
    lines = (line._replace(amount=0) for line in payment.settled_lines if line.violation_no == violation_no)
    return _entry(payment, PAID_TWICE, at, lines, violation_no)


def _entry(payment: Payment, kind: str, at: str, lines: Iterable[Line], part: str = "") -> Entry:
    if payment.paid_at is None or payment.receipt_no is None:
        raise ValueError("not a paid payment")
    shares = tuple(
        Share(line.violation_no, line.amount, line.sector_code, line.sector_governorate, line.held_until)
        for line in lines
    )
    return Entry(kind, payment.payment_id, payment.receipt_no, payment.gateway, payment.paid_at, at, shares, part)
