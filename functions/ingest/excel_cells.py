"""What single cells of an Excel sheet say, as the texts that the same sheet saved as CSV would hold.

ECMA-376, part 1: 18.8.30 (number formats), 18.17.4 (dates), 18.18.11 (cell types).
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from itertools import islice
from typing import Final, NamedTuple

from ingest.errors import FileError

# 18.8.30: dates and times among the formats that every Excel knows by number; 27 to 36 and 50 to 58 in East Asia.
_BUILT_IN_DATES: Final = frozenset((*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)))
_TEXT: Final = re.compile(r'"[^"]*"|\\.')
_NOT_SHOWN: Final = re.compile(r'("[^"]*"|\\.)|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE)
_DATE_SIGN: Final = re.compile(r"[dmyhs]", re.IGNORECASE).search
# "BG-"00000 or 0000-00000: a number of which a part is written into its format.
_SHOWN_TEXT: Final = r'(?:"[^"]*"|\\.|[- ])'
_MASK: Final = re.compile(rf"{_SHOWN_TEXT}*(?:0+|General|#)(?:{_SHOWN_TEXT}+0+)*{_SHOWN_TEXT}*").fullmatch
_MASKED: Final = re.compile(r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|(?P<bare>[- ])|(?P<digits>0+|General|#)')
_THOUSANDS: Final = frozenset(".,'\u066c ")
_PLAIN: Final = re.compile(r"-?[0-9]{1,15}").fullmatch
_COLUMN: Final = re.compile(r"([A-Z]{1,3})[0-9]+").fullmatch

_MOST_COLUMNS: Final = 16_384
_MOST_DIGITS: Final = 15
"""Excel keeps so many; a longer number has lost its last ones."""

_DAY_1900: Final = datetime(1899, 12, 30)  # noqa: DTZ001 (a sheet's dates have no zone)
_DAY_1904: Final = datetime(1904, 1, 1)  # noqa: DTZ001
_FIRST_TRUE_DAY: Final = 60  # Excel counts a 29 February 1900 that never was
_BEYOND: Final = 2_958_466  # the day after 9999-12-31


class Style(NamedTuple):
    """How a cell shows a number: as a date, or whole ones in parts, texts and runs of so many digits at least."""

    date: bool = False
    parts: tuple[str | int, ...] = ()

    def whole(self, digits: str) -> str:
        """What is shown of a whole number: the digits that find no other place stand in the first run."""
        widths = [part for part in self.parts if isinstance(part, int)]
        if not widths:
            return digits
        digits = digits.zfill(sum(widths))
        widths[0] = len(digits) - sum(widths[1:])
        left, runs = iter(digits), iter(widths)
        return "".join(part if isinstance(part, str) else "".join(islice(left, next(runs))) for part in self.parts)


def style(format_id: int, code: str) -> Style:
    """The style of a number format. code: empty for those that Excel knows by number."""
    if format_id in _BUILT_IN_DATES:
        return Style(date=True)
    shown = _NOT_SHOWN.sub(r"\1", code.partition(";")[0])
    if _MASK(shown):
        return Style(parts=_parts(shown))
    return Style(date=bool(_DATE_SIGN(_TEXT.sub("", shown))))


def _parts(mask: str) -> tuple[str | int, ...]:
    """The parts of a mask; none where its texts are an amount's: its currency behind it, or its thousands marks."""
    parts = tuple(
        found["digits"].count("0") if found["digits"] else found["quoted"] or found["escaped"] or found["bare"] or ""
        for found in _MASKED.finditer(mask)
    )
    texts = [part for part in parts if isinstance(part, str)]
    digits = sum(part for part in parts if isinstance(part, int))
    if not _THOUSANDS.isdisjoint(texts) or (digits < 2 and not (isinstance(parts[0], str) and parts[0].strip())):
        return ()
    return parts


def number(text: str, shown: Style, *, since_1904: bool) -> str:
    """A numeric cell: a whole number in digits, a date in ISO 8601, else as Excel saves it, E-notation and all."""
    if not shown.date and _PLAIN(text):
        return shown.whole(text) if text[0] != "-" else text
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise FileError("excel_damaged") from None
    if not value.is_finite():
        raise FileError("excel_damaged")
    if shown.date and 0 <= value < _BEYOND:
        return _date(float(value), since_1904=since_1904)
    # Arithmetic leaves 50000.000000000004 where the sheet shows and its CSV says 50000.
    plain = format(float(value), f".{_MOST_DIGITS}G")
    return shown.whole(plain) if plain.isdecimal() else plain


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
    if not 0 <= position < _MOST_COLUMNS:
        raise FileError("excel_damaged")
    return position
