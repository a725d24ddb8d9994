"""A violation as it is known: what the directorate wrote of it, and how it was settled here."""

from __future__ import annotations

from typing import Final, NamedTuple

from shared.domain import fine
from shared.domain.fine import Due, Facts

OPEN: Final = "open"
PAID: Final = "paid"
CANCELLED: Final = "cancelled"
DISPUTED: Final = "disputed"
STATUSES: Final = (OPEN, PAID, CANCELLED, DISPUTED)

UNPAID: Final = "unpaid"
IN_PAYMENT: Final = "in_payment"


def make_version(updated_at: str | None, last_modified: str, line: int) -> str:
    """What tells which of two rows about one violation is newer, as text that sorts so.

    The row's own date, or else its file's; then the file's; then the line. Dates as stored texts.
    """
    return f"{updated_at or last_modified}#{last_modified}#{str(line).zfill(9)}"


class Violation(NamedTuple):
    """One recorded violation. Amounts in dinars, instants as stored texts (Baghdad, with offset).

    The fields up to ``counter_receipt_no`` are what the directorate wrote, ``version`` tells which writing is newer
    (:func:`make_version`); the last five are the settlement through this service.
    """

    violation_no: str
    plate_key: str
    code: str
    amount: int
    occurred_at: str
    recorded_at: str
    sector_code: str
    version: str
    status: str = OPEN
    category: str | None = None
    title: str | None = None
    legal_ref: str | None = None
    amount_due: int | None = None
    doubled_at: str | None = None
    sector_name: str | None = None
    sector_governorate: str | None = None
    place: str | None = None
    counter_paid_at: str | None = None
    counter_receipt_no: str | None = None
    held_by: str | None = None
    paid_by: str | None = None
    paid_amount: int | None = None
    paid_at: str | None = None
    receipt_no: str | None = None

    @property
    def state(self) -> str:
        """unpaid, in_payment, paid, cancelled or disputed: a settlement here outweighs what the directorate knows."""
        if self.paid_by:
            return PAID
        if self.status != OPEN:
            return self.status
        return IN_PAYMENT if self.held_by else UNPAID

    @property
    def owed(self) -> bool:
        """Whether it counts in what the plate owes."""
        return self.state in (UNPAID, IN_PAYMENT)

    @property
    def facts(self) -> Facts:
        """What the amount owed follows from."""
        return Facts(
            self.amount,
            self.recorded_at,
            self.legal_ref,
            self.amount_due,
            self.as_of,
            self.doubled_at,
            self.occurred_at,
        )

    @property
    def as_of(self) -> str:
        """The instant at which the directorate said all this."""
        return self.version.partition("#")[0]

    def due(self, at: str) -> Due:
        """Work out what is owed for it at an instant (a stored text)."""
        return fine.due(self.facts, at)
