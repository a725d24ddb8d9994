"""A violation as it is known: what the directorate wrote of it, and how it was settled here.

Each field declares beside its type how it is stored and who may see it; stores, answers and tests follow.
"""

# No `from __future__ import annotations`: the fields' are read at import, and as texts would be compiled at each start.
from typing import Annotated, Any, Final, NamedTuple

from shared.domain import fine
from shared.domain.fine import Due, Facts, Outlook
from shared.domain.rules import FAMILY, Rules

OPEN: Final = "open"
PAID: Final = "paid"
CANCELLED: Final = "cancelled"
DISPUTED: Final = "disputed"
STATUSES: Final = (OPEN, PAID, CANCELLED, DISPUTED)
OPENED: Final = "opened"
"""What followers are told of one that was not open on their plate before. Of others they hear that nothing is owed any
more (CANCELLED), that an objection is recorded (DISPUTED), or how that ended."""
REFUSED: Final = "refused"
ACCEPTED: Final = "accepted"

UNPAID: Final = "unpaid"
IN_PAYMENT: Final = "in_payment"
OTHER: Final = "other"
"""What a status of a later version is taken for: not owed, and not payable."""
MAY_BE_OWED: Final = (UNPAID, IN_PAYMENT, DISPUTED)
"""The states in which there is an amount to tell of."""

ALL: Final = "all"
PROVEN: Final = "proven"
NOBODY: Final = "nobody"
AUDIENCES: Final = (ALL, PROVEN, NOBODY)
"""Who may see a field in an answer: whoever asks about the plate; who has proved the vehicle theirs; nobody."""

INGEST: Final = "ingest"
PAY: Final = "pay"


class Field(NamedTuple):
    """Declares a field of :class:`Violation`.

    attribute: its name in the table. audience: one of AUDIENCES. instant: its time of day is for PROVEN at most.
    writer: INGEST, of what the directorate says, or PAY, of the settlement.
    """

    attribute: str
    audience: str
    instant: bool = False
    writer: str = INGEST


_RANKS: Final = {OPEN: "", DISPUTED: "d", PAID: "p", CANCELLED: "p"}
"""What stands before the line of a row that names no date of its own: a letter sorts after every digit."""


def make_version(updated_at: str | None, instant: str, line: int, status: str = OPEN, uploaded_at: str = "") -> str:
    """What tells which of two rows about one violation is newer, as text that sorts so.

    The row's own date, or else its file's instant; then the file's instant. Of rows without a date of their own then
    what they say: paid and cancelled before disputed, disputed before open. Then the upload, where the file's instant
    is another; then the line. Dates as stored texts.
    """
    place = str(line).zfill(9)
    if uploaded_at:
        place = f"{uploaded_at}#{place}"
    if updated_at:
        return f"{updated_at}#{instant}#{place}"
    return f"{instant}#{instant}#{_RANKS[status]}{place}"


class Violation(NamedTuple):
    """One recorded violation. Amounts in dinars, instants as stored texts (Baghdad, with offset).

    The fields of INGEST are what the directorate wrote, ``version`` tells which writing is newer
    (:func:`make_version`); those of PAY are the settlement through this service. A new field stands last of its
    writer's: the digest of a row goes by their order.
    """

    violation_no: Annotated[str, Field("pk", ALL)]
    plate_key: Annotated[str, Field("plate", ALL)]
    code: Annotated[str, Field("code", ALL)]
    amount: Annotated[int, Field("amount", ALL)]
    occurred_at: Annotated[str, Field("occurred_at", ALL, instant=True)]
    recorded_at: Annotated[str, Field("recorded_at", ALL, instant=True)]
    sector_code: Annotated[str, Field("sector_code", ALL)]
    version: Annotated[str, Field("version", NOBODY)]
    status: Annotated[str, Field("status", ALL)] = OPEN
    category: Annotated[str | None, Field("category", ALL)] = None
    title: Annotated[str | None, Field("title", ALL)] = None
    legal_ref: Annotated[str | None, Field("legal_ref", ALL)] = None
    amount_due: Annotated[int | None, Field("amount_due", ALL)] = None
    doubled_at: Annotated[str | None, Field("doubled_at", ALL, instant=True)] = None
    sector_name: Annotated[str | None, Field("sector_name", ALL)] = None
    sector_governorate: Annotated[str | None, Field("sector_governorate", ALL)] = None
    place: Annotated[str | None, Field("place", PROVEN)] = None
    counter_paid_at: Annotated[str | None, Field("counter_paid_at", ALL, instant=True)] = None
    counter_receipt_no: Annotated[str | None, Field("counter_receipt_no", ALL)] = None
    notified_at: Annotated[str | None, Field("notified_at", ALL, instant=True)] = None
    held_by: Annotated[str | None, Field("held_by", NOBODY, writer=PAY)] = None
    paid_by: Annotated[str | None, Field("paid_by", NOBODY, writer=PAY)] = None
    paid_amount: Annotated[int | None, Field("paid_amount", NOBODY, writer=PAY)] = None
    paid_at: Annotated[str | None, Field("paid_at", ALL, instant=True, writer=PAY)] = None
    receipt_no: Annotated[str | None, Field("receipt_no", ALL, writer=PAY)] = None
    wanted_until: Annotated[str | None, Field("wanted_until", NOBODY, writer=PAY)] = None
    held_price_until: Annotated[str | None, Field("held_price_until", ALL, instant=True, writer=PAY)] = None

    @property
    def state(self) -> str:
        """unpaid, in_payment, paid, cancelled, disputed or other: a settlement here outweighs what a file says."""
        if self.paid_by:
            return PAID
        if self.status != OPEN:
            return self.status if self.status in STATUSES else OTHER
        return IN_PAYMENT if self.held_by else UNPAID

    @property
    def owed(self) -> bool:
        """Whether it counts in what the plate owes."""
        return self.state in (UNPAID, IN_PAYMENT)

    @property
    def is_disputed(self) -> bool:
        """Whether an objection to it is recorded, and it is not settled here. Its amount may rise all the same."""
        return self.state == DISPUTED

    @property
    def facts(self) -> Facts:
        """What the amount owed follows from."""
        said = (
            self.amount,
            self.recorded_at,
            self.legal_ref,
            self.amount_due,
            None if self.amount_due is None else self.as_of,
            self.doubled_at,
            self.occurred_at,
            self.notified_at,
            self.plate_key[:FAMILY],
        )
        return tuple.__new__(Facts, said)  # at half the cost of calling the class

    @property
    def as_of(self) -> str:
        """The instant at which the directorate said all this."""
        return self.version.partition("#")[0]

    def outlook(self, at: str, rules: Rules) -> Outlook:
        """Work out what is owed for it at an instant (a stored text), and what comes of it."""
        return Outlook(self.facts, at, rules, self.held_price_until)

    def due(self, at: str, rules: Rules) -> Due:
        """Work out what is owed for it at an instant (a stored text)."""
        return fine.due(self.facts, at, rules, self.held_price_until)


def declared(name: str, hint: Any) -> Field:
    """Return what a field of this type declares. Raises TypeError where that is nothing."""
    for said in getattr(hint, "__metadata__", ()):
        if isinstance(said, Field):
            return said
    raise TypeError(f"Violation.{name} says neither how it is stored nor who may see it")


FIELDS: Final = {name: declared(name, hint) for name, hint in Violation.__annotations__.items()}
NUMBERS: Final = tuple(name for name, hint in Violation.__annotations__.items() if hint.__origin__ in (int, int | None))
"""The fields that are whole numbers; all others are texts."""
SAID: Final = tuple(name for name, field in FIELDS.items() if field.writer == INGEST)
"""The fields of what the directorate says."""
