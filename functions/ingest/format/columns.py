"""The columns of the directorate's files, format version 1: each declared once, with the names that it goes by."""

from __future__ import annotations

from typing import Final, NamedTuple


class Column(NamedTuple):
    """A column of the format. arabic: the names it also goes by. required: every row needs a value."""

    name: str
    arabic: tuple[str, ...]
    required: bool = False


_PLATE: Final = (
    Column("plate_family", ("نظام اللوحة",), required=True),
    Column("plate_governorate", ("محافظة اللوحة",), required=True),
    Column("plate_category", ("صنف المركبة", "صنف اللوحة", "صفة التسجيل")),
    Column("plate_letter", ("حرف اللوحة",)),
    Column("plate_number", ("رقم اللوحة",), required=True),
)
_UPDATED_AT: Final = Column("updated_at", ("تاريخ التحديث",))

VIOLATION_COLUMNS: Final = (
    Column("violation_no", ("رقم المخالفة",), required=True),
    *_PLATE,
    Column("violation_code", ("رمز المخالفة",), required=True),
    Column("violation_title", ("وصف المخالفة",)),
    Column("legal_ref", ("المادة القانونية",)),
    Column("amount", ("مبلغ الغرامة",), required=True),
    Column("amount_due", ("المبلغ المستحق",)),
    Column("doubled_at", ("تاريخ المضاعفة",)),
    Column("occurred_at", ("تاريخ المخالفة",), required=True),
    Column("recorded_at", ("تاريخ التسجيل",)),
    Column("sector_code", ("رمز القاطع",), required=True),
    Column("sector_name", ("القاطع",)),
    Column("sector_governorate", ("محافظة القاطع",)),
    Column("place", ("المكان",)),
    Column("status", ("الحالة",)),
    Column("paid_at", ("تاريخ التسديد",)),
    Column("receipt_no", ("رقم الوصل",)),
    _UPDATED_AT,
)
REGISTRATION_COLUMNS: Final = (
    *_PLATE,
    Column("registration_no", ("رقم السنوية", "رقم سنوية المركبة", "رقم إجازة التسجيل"), required=True),
    _UPDATED_AT,
)
ALL_COLUMNS: Final = (*VIOLATION_COLUMNS, *REGISTRATION_COLUMNS)
ARABIC: Final = {column.name: column.arabic[0] for column in ALL_COLUMNS}

REPORTED: Final = ("line", "error_code", "error")
"""What the rejects file adds to the original columns; a mended one may be uploaded with them."""

PLATE_KIND: Final = "نوع اللوحة"
"""Family to some exports, category to others: its values decide."""
