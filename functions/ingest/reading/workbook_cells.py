"""What single cells of an Excel sheet say, as the texts that the same sheet saved as CSV would hold.

ECMA-376, part 1: 18.17.4 (dates), 18.18.11 (cell types).
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final

from ingest.errors import FileError
from ingest.reading.number_formats import DATE, GENERAL, Format

_WHOLE_NUMBER: Final = re.compile(r"-?[0-9]{1,15}").fullmatch
_COLUMN: Final = re.compile(r"([A-Z]{1,3})[0-9]+").fullmatch
_ZONE: Final = re.compile(r"(?<=[0-9])(?:Z|[+-][0-9]{2}:[0-9]{2})$").sub

_MAX_COLUMNS: Final = 16_384
_MAX_NUMBER_CHARACTERS: Final = 64

_DAY_1900: Final = datetime(1899, 12, 30)  # noqa: DTZ001 (a sheet's dates have no zone)
_DAY_1904: Final = datetime(1904, 1, 1)  # noqa: DTZ001
_FIRST_TRUE_DAY: Final = 60  # Excel counts a 29 February 1900 that never was
_BEYOND: Final = 2_958_466  # the day after 9999-12-31


def number(text: str, shown: Format, *, since_1904: bool) -> str:
    """A numeric cell: a whole number in digits, a date in ISO 8601, else as Excel saves it, E-notation and all.

    Raises FileError for what is no number, FormatError for one that is shown in a way that is not read.
    """
    if shown.as_is and _WHOLE_NUMBER(text):
        return text
    try:
        value = Decimal(text if len(text) <= _MAX_NUMBER_CHARACTERS else "")
    except InvalidOperation:
        raise FileError("excel_damaged") from None
    if not value.is_finite():
        raise FileError("excel_damaged")
    section = shown.section(value)
    if section.kind != DATE:
        return shown.number(value, section)
    if 0 <= value < _BEYOND:
        return _date(float(value), since_1904=since_1904)
    return GENERAL.number(value, GENERAL.section(value))


def date_of_iso(text: str) -> str:
    """A cell of a date in ISO 8601, without its zone: a sheet shows none, and what it shows is Baghdad's time."""
    return _ZONE("", text.strip())


def _date(days: float, *, since_1904: bool) -> str:
    start = _DAY_1904 if since_1904 else _DAY_1900
    if not since_1904 and days < _FIRST_TRUE_DAY:
        days += 1
    try:
        instant = start + timedelta(seconds=round(days * 86_400))
    except OverflowError:
        raise FileError("excel_damaged") from None
    return instant.isoformat()


def column_of(reference: str) -> int:
    """The position of a cell's column, the first being 0, of a reference such as ``AB12``."""
    found = _COLUMN(reference)
    position = -1
    for letter in found[1] if found else "":
        position = (position + 1) * 26 + ord(letter) - ord("A")
    if not 0 <= position < _MAX_COLUMNS:
        raise FileError("excel_damaged")
    return position
