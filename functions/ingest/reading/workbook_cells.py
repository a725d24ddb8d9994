"""What single cells of an Excel sheet say, as the texts that the same sheet saved as CSV would hold.

ECMA-376, part 1: 18.8.30 (number formats), 18.17.4 (dates), 18.18.11 (cell types).
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final, NamedTuple

from ingest.errors import FileError

# 18.8.30: dates and times among the formats that every Excel knows by number; 27 to 36 and 50 to 58 in East Asia.
_BUILT_IN_DATES: Final = frozenset((*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)))
_BRACKETED: Final = re.compile(r"\[(?!h+\]|m+\]|s+\])[^\]]*\]", re.IGNORECASE)
_LITERAL: Final = re.compile(r'"[^"]*"|\\.|_.|\*.')
_DATE_SIGN: Final = re.compile(r"[dmyhs]", re.IGNORECASE).search
_PLACE_OR_LITERAL: Final = re.compile(r"""(General|[0#])|"([^"]*)"|\\(.)|_.|\*.|([-+/(): '])""")
_LABEL: Final = re.compile(r".*[^\W_].*[-/]").fullmatch
_WHOLE_NUMBER: Final = re.compile(r"-?[0-9]{1,15}").fullmatch
_COLUMN: Final = re.compile(r"([A-Z]{1,3})[0-9]+").fullmatch

_MAX_FORMAT_CHARACTERS: Final = 255
"""Characters; Excel's bound. Reading a format takes quadratic time."""
_MAX_COLUMNS: Final = 16_384
_MAX_DIGITS: Final = 15
"""Excel keeps so many; a longer number has lost its last ones."""

_DAY_1900: Final = datetime(1899, 12, 30)  # noqa: DTZ001 (a sheet's dates have no zone)
_DAY_1904: Final = datetime(1904, 1, 1)  # noqa: DTZ001
_FIRST_TRUE_DAY: Final = 60  # Excel counts a 29 February 1900 that never was
_BEYOND: Final = 2_958_466  # the day after 9999-12-31


class Style(NamedTuple):
    """How a cell shows a number: as a date, or its digits at places among literal text.

    places: a ``0`` for each digit that is shown always, a ``#`` for others. literals: before each place, and at last.
    """

    date: bool = False
    places: str = ""
    literals: tuple[str, ...] = ()

    def spread(self, digits: str) -> str:
        """Digits at their places; those beyond the places stand before the first."""
        beyond = max(len(digits) - len(self.places), 0)
        shown = [self.literals[0], digits[:beyond]]
        for place, digit, literal in zip(
            self.places, digits[beyond:].rjust(len(self.places)), self.literals[1:], strict=True
        ):
            shown += (place if digit == " " else digit).replace("#", ""), literal
        return "".join(shown)


def style(format_id: int, code: str) -> Style:
    """The style of a number format. code: empty for those that Excel knows by number.

    Raises FileError for a code longer than any.
    """
    if len(code) > _MAX_FORMAT_CHARACTERS:
        raise FileError("excel_damaged")
    if format_id in _BUILT_IN_DATES:
        return Style(date=True)
    section = _BRACKETED.sub("", code.partition(";")[0])
    return _places(section) or Style(date=bool(_DATE_SIGN(_LITERAL.sub("", section))))


def _places(section: str) -> Style | None:
    """The style of a number whose digits identify something: two zeros at least (``"11-2026-"00000``), or a text before
    them that ends with a stroke (``"BG-"0``).

    In others literal text is a unit (``0 "IQD"``), which is no part of the number.
    """
    places, literals, at = "", [""], 0
    while at < len(section):
        found = _PLACE_OR_LITERAL.match(section, at)
        if not found:
            return None
        place, *literal = found.groups("")
        if place:
            places += place if place == "0" else "#"
            literals.append("")
        else:
            literals[-1] += "".join(literal)
        at = found.end()
    identifies = places.count("0") > 1 or (places and _LABEL(literals[0]))
    return Style(places=places, literals=tuple(literals)) if identifies else None


def number(text: str, shown: Style, *, since_1904: bool) -> str:
    """A numeric cell: a whole number in digits, a date in ISO 8601, else as Excel saves it, E-notation and all."""
    if not shown.date and _WHOLE_NUMBER(text):
        return shown.spread(text) if shown.places and text[0] != "-" else text
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise FileError("excel_damaged") from None
    if not value.is_finite():
        raise FileError("excel_damaged")
    if shown.date and 0 <= value < _BEYOND:
        return _date(float(value), since_1904=since_1904)
    # Arithmetic leaves 50000.000000000004 where the sheet shows and its CSV says 50000.
    digits = format(float(value), f".{_MAX_DIGITS}G")
    return shown.spread(digits) if shown.places and digits.isdecimal() else digits


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
