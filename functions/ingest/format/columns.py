"""The columns of the directorate's files, format version 1: each declared once, with its names and what it fills.

How a field is stored and who may see it stands beside it in :class:`shared.domain.violation.Violation`: what is stored,
read back, hashed and shown follows from the two. A new column needs its line here, its field there, and its place in
``ViolationParser._row``; ``tests/unit/ingest/test_columns.py`` names what is left to decide.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Column(NamedTuple):
    """A column of the format.

    field: what it fills of a :class:`~shared.domain.violation.Violation`, or of a registration. arabic: the names it
    also goes by. required: every row needs a value.
    """

    name: str
    field: str
    arabic: tuple[str, ...]
    required: bool = False


_PLATE: Final = (
    Column("plate_family", "plate_key", ("نظام اللوحة",), required=True),
    Column("plate_governorate", "plate_key", ("محافظة اللوحة",), required=True),
    Column("plate_category", "category", ("صنف المركبة", "صنف اللوحة", "صفة التسجيل")),
    Column("plate_letter", "plate_key", ("حرف اللوحة",)),
    Column("plate_number", "plate_key", ("رقم اللوحة",), required=True),
)
_UPDATED_AT: Final = Column("updated_at", "version", ("تاريخ التحديث",))

VIOLATION_COLUMNS: Final = (
    Column("violation_no", "violation_no", ("رقم المخالفة",), required=True),
    *_PLATE,
    Column("violation_code", "code", ("رمز المخالفة",), required=True),
    Column("violation_title", "title", ("وصف المخالفة",)),
    Column("legal_ref", "legal_ref", ("المادة القانونية",)),
    Column("amount", "amount", ("مبلغ الغرامة",), required=True),
    Column("amount_due", "amount_due", ("المبلغ المستحق",)),
    Column("doubled_at", "doubled_at", ("تاريخ المضاعفة",)),
    Column("occurred_at", "occurred_at", ("تاريخ المخالفة",), required=True),
    Column("recorded_at", "recorded_at", ("تاريخ التسجيل",)),
    Column("sector_code", "sector_code", ("رمز القاطع",), required=True),
    Column("sector_name", "sector_name", ("القاطع",)),
    Column("sector_governorate", "sector_governorate", ("محافظة القاطع",)),
    Column("place", "place", ("المكان",)),
    Column("status", "status", ("الحالة",)),
    Column("paid_at", "counter_paid_at", ("تاريخ التسديد",)),
    Column("receipt_no", "counter_receipt_no", ("رقم الوصل",)),
    _UPDATED_AT,
    Column("notified_at", "notified_at", ("تاريخ التبليغ",)),
)
REGISTRATION_COLUMNS: Final = (
    *_PLATE,
    Column("registration_no", "number", ("رقم السنوية", "رقم سنوية المركبة", "رقم إجازة التسجيل"), required=True),
    _UPDATED_AT,
)
ALL_COLUMNS: Final = (*VIOLATION_COLUMNS, *REGISTRATION_COLUMNS)
ARABIC: Final = {column.name: column.arabic[0] for column in ALL_COLUMNS}

AS_OF: Final = "as_of"
REPORTED: Final = ("line", AS_OF, "error_code", "error")
"""What the rejects file adds to the original columns; a mended one may be uploaded with them.

AS_OF is read back: a row that was mended says what was so when the file was made that it first stood in.
"""

PLATE_KIND: Final = "نوع اللوحة"
"""Family to some exports, category to others: its values decide."""
