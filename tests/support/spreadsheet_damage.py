"""A model of what happens to a right file on a desk: a spreadsheet of American English opens and saves it, and people.

It is written from how spreadsheets behave and knows nothing of the product. A cell is read as a spreadsheet reads what
is typed into it: as a date, a month, a number or a truth, where it looks like one; else it stays the text that it is.
What was read is then shown, which is what a CSV file keeps, or kept as a value with a format, as in a workbook.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Context, Decimal
from typing import Final, NamedTuple

from tests.support.workbooks import Cell, Number

Table = Sequence[Mapping[str, str]]
"""Rows of cells by the column's name, the same columns in each."""

FORMATS: Final = ("m/d/yyyy", "m/d/yyyy h:mm", "mmm-yy", "d-mmm", "0", "#,##0", "0.00E+00")
"""The formats that a spreadsheet gives to what it has read, in the order of a workbook's styles, which begin with 1."""
_DAY, _MINUTE, _MONTH, _DAY_OF_YEAR, _WHOLE, _GROUPED, _POWERS = range(1, 1 + len(FORMATS))

_DIGITS: Final = Context(prec=15, rounding=ROUND_DOWN)
_SHOWN_DIGITS: Final = 11
_START: Final = datetime(1899, 12, 30)  # noqa: DTZ001 (a sheet's dates have no zone)
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_TIME: Final = r"(?:[ ](\d{1,2}):(\d{2})(?::(\d{2}))?)?"

_month_first: Final = re.compile(rf"(\d{{1,2}})[/-](\d{{1,2}})[/-](\d{{4}}){_TIME}", re.ASCII).fullmatch
_year_first: Final = re.compile(rf"(\d{{4}})[/-](\d{{1,2}})[/-](\d{{1,2}}){_TIME}", re.ASCII).fullmatch
_of_a_year: Final = re.compile(r"(\d{1,2})[/-](\d{4})", re.ASCII).fullmatch
_year_and_month: Final = re.compile(r"(\d{4})[/-](\d{1,2})", re.ASCII).fullmatch
_day_of_year: Final = re.compile(r"(\d{1,2})[/-](\d{1,2})", re.ASCII).fullmatch
_number: Final = re.compile(r"(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?", re.ASCII).fullmatch
_powers: Final = re.compile(r"\d+(?:\.\d+)?E[+-]?\d{1,2}", re.ASCII | re.IGNORECASE).fullmatch


class Read(NamedTuple):
    """What a spreadsheet has made of a cell: what it shows, and what a workbook keeps."""

    shown: str
    kept: Cell


def as_text(cell: str) -> Read:
    """A cell of a column that was formatted as text before the file was opened: nothing happens to it."""
    return Read(cell, cell)


# ---------------------------------------------------------------------- what a spreadsheet reads


def as_date(cell: str) -> Read | None:
    """A day of American or ISO form: 05/11/2026 is 11 May; 25/11/2026 is no day, and stays."""
    if found := _month_first(cell):
        month, day, year = found[1], found[2], found[3]
    elif found := _year_first(cell):
        year, month, day = found[1], found[2], found[3]
    else:
        return None
    hour, minute, second = (int(part or 0) for part in found.groups()[3:])
    try:
        instant = datetime(int(year), int(month), int(day), hour, minute, second)  # noqa: DTZ001
    except ValueError:
        return None
    shown = f"{instant.month}/{instant.day}/{instant.year}"
    if found[4] is None:
        return Read(shown, _serial(instant, _DAY))
    return Read(f"{shown} {instant.hour}:{instant.minute:02}", _serial(instant, _MINUTE))


def as_month(cell: str) -> Read | None:
    """12/2026 is a month, and 3/12 a day of this year."""
    if found := _of_a_year(cell):
        month, year = int(found[1]), int(found[2])
    elif found := _year_and_month(cell):
        month, year = int(found[2]), int(found[1])
    elif found := _day_of_year(cell):
        try:
            day = datetime(2026, int(found[1]), int(found[2]))  # noqa: DTZ001
        except ValueError:
            return None
        return Read(f"{day.day}-{_MONTHS[day.month - 1]}", _serial(day, _DAY_OF_YEAR))
    else:
        return None
    if not (1 <= month <= 12 and year >= 1900):
        return None
    return Read(f"{_MONTHS[month - 1]}-{year % 100:02}", _serial(datetime(year, month, 1), _MONTH))  # noqa: DTZ001


def as_day_of_this_year(cell: str) -> Read | None:
    """3/12 as a day that is shown with its year, as LibreOffice does."""
    found = _day_of_year(cell)
    return as_date(f"{found[1]}/{found[2]}/2026") if found else None


def as_number(cell: str, *, whole: bool = False) -> Read | None:
    """A quantity: 50.000 is fifty, 007 is 7, of a long number fifteen digits are left.

    whole: the column was given a format of whole numbers, as people do who see 1.23E+11; then zeros stand there.
    """
    if _powers(cell):
        value = Decimal(cell.upper())
        return Read(_with_power(value, 2), Number(str(value), _POWERS))
    found = _number(cell)
    if not found:
        return None
    value = _DIGITS.create_decimal(cell.replace(",", ""))
    text = f"{value:f}"
    kept = text.rstrip("0").rstrip(".") if "." in text else text
    if "," in cell:
        return Read(f"{int(value):,}", Number(kept, _GROUPED))
    if whole:
        return Read(f"{value:.0f}", Number(kept, _WHOLE))
    return Read(_with_power(value, 5) if len(kept) > _SHOWN_DIGITS else kept, Number(kept))


def as_truth(cell: str) -> Read | None:
    """True and false in whatever case."""
    return as_text(cell.upper()) if cell.upper() in ("TRUE", "FALSE") else None


def narrow(cell: str) -> Read | None:
    """A date in a column that is too narrow for it; a workbook keeps what is not shown."""
    found = as_date(cell)
    return Read("########", found.kept) if found else None


def _serial(instant: datetime, style: int) -> Number:
    days = (instant - _START) / timedelta(days=1)
    return Number(repr(days).removesuffix(".0"), style)


def _with_power(value: Decimal, decimals: int) -> str:
    mantissa, power = f"{value:.{decimals}E}".split("E")
    return f"{mantissa}E{int(power):+03}"


Reading = Callable[[str], "Read | None"]


def opened(cell: str, readings: Iterable[Reading]) -> Read:
    """A cell as the first of some readings takes it, else as it stands."""
    return next((found for reading in readings if (found := reading(cell))), as_text(cell))


# ---------------------------------------------------------------------- what people and programs do


def renamed(rows: Table, column: str, name: str) -> list[dict[str, str]]:
    """The same rows, one column under another name or none."""
    return [{name if each == column else each: cell for each, cell in row.items()} for row in rows]


def with_word_for_nothing(rows: Table, word: str) -> list[dict[str, str]]:
    """The same rows, with a database's word where nothing stands."""
    return [{name: cell or word for name, cell in row.items()} for row in rows]


def with_number_of(rows: Table, column: str, at: int, other: int) -> list[dict[str, str]]:
    """The same rows, of which one bears the number of another: copied down a row too far."""
    return [{**row, column: rows[other][column]} if place == at else {**row} for place, row in enumerate(rows)]
