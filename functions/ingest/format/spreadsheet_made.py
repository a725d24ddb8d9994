"""What spreadsheets make of numbers and codes: undone where it is certain what stood there, refused where it is not.

They take 12/2026 for a month, 25/3 for a day, 123456789012 for a quantity. What identifies something is then another
thing, or the same for many rows, and passes for a value all the same.
"""

from __future__ import annotations

import re
from typing import Final

from ingest.errors import CellError

ENGLISH_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")

# As spreadsheets write them: a code such as MAR-12 is no month.
_TITLED: Final = (
    "Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sep(?:t|tember)?|Oct(?:ober)?"
    "|Nov(?:ember)?|Dec(?:ember)?"
    "|كانون الثاني|شباط|[آا]ذار|نيسان|[أا]يار|حزيران|تموز|[آا]ب|[أا]يلول|تشرين ال[أا]ول|تشرين الثاني|كانون ال[أا]ول"
    "|يناير|فبراير|مارس|[أا]بريل|مايو|يونيو|يوليو|[أا]غسطس|سبتمبر|[أا]كتوبر|نوفمبر|ديسمبر"
)
# A day at midnight is one that a program wrote out of a sheet; a receipt of 11/12/2026 has no time of day.
_MIDNIGHT: Final = "0?0:00(?::00(?:[.]0+)?)?|12:00(?::00)? ?(?:AM|ص)"
_MONTH: Final = re.compile(
    rf"[0-9]{{1,2}}-(?:{_TITLED})(?:-[0-9]{{2,4}})?|(?:{_TITLED})-[0-9]{{2,4}}|[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T[0-9:]{{8}}"
    rf"|(?:[0-9]{{4}}[-/][0-9]{{2}}[-/][0-9]{{2}}|[0-9]{{1,2}}/[0-9]{{1,2}}/[0-9]{{4}}) (?:{_MIDNIGHT})"
).fullmatch
_DAY: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}|[0-9]{2}/[0-9]{2}/[0-9]{2}"
    rf"|[0-9]{{1,2}}-(?:{'|'.join(ENGLISH_MONTHS)})-[0-9]{{2,4}}",
    re.IGNORECASE,
).fullmatch

# What a spreadsheet shows where a formula has no value (ECMA-376, part 1, 18.17.3), or a column is too narrow.
_ERROR: Final = re.compile(r"#(?:DIV/0!|N/A|NAME\?|NULL!|NUM!|REF!|VALUE!)|##+").fullmatch
# A number too long for it, whose last digits are gone. Without sign or fraction it is a code: 12E3.
_LONG_NUMBER: Final = re.compile(r"[0-9]{1,3}(?:[.,\u066b][0-9]+E\+?|E\+)[0-9]+", re.IGNORECASE).fullmatch
_TRUTH: Final = frozenset(("TRUE", "FALSE"))
_MARKS: Final = ("=", "'")
_AS_TEXT: Final = re.compile(r"""="([^"]*)"|'([^']*)'?""").fullmatch

# As programs write the whole numbers of a column that has gaps: 101.0 names no sector, and 123456.0 is not 1234560.
with_fraction: Final = re.compile(r"[0-9]+[.,،\u066b]0{1,2}").fullmatch
"""Matches a whole number that was given a fraction on its way here."""

_KEPT_DIGITS: Final = 15
_cut: Final = re.compile(rf"[0-9]{{{_KEPT_DIGITS}}}0+").fullmatch


def bare(cell: str) -> str:
    """A cell without what was written around it to keep a spreadsheet from changing it: ``="007"`` and ``'007``."""
    if cell[:1] not in _MARKS:
        return cell
    found = _AS_TEXT(cell)
    return (found[1] or found[2] or "").strip() if found else cell


def require_value(value: str) -> None:
    """Raises CellError for what no column takes, be it of words: a spreadsheet's error or a number that it changed."""
    if _ERROR(value):
        raise CellError("spreadsheet_error")
    if _LONG_NUMBER(value):
        raise CellError("number_e_notation")
    if with_fraction(value):
        raise CellError("number_with_fraction")


def require_untouched(value: str) -> None:
    """Raises CellError where a spreadsheet has changed what identifies something. value: clean, not empty.

    The one guard of every such column: violation_no, receipt_no, registration_no, the codes and legal_ref.
    """
    require_value(value)
    if _MONTH(value):
        raise CellError("spreadsheet_date")
    if value.upper() in _TRUTH:
        raise CellError("spreadsheet_truth")


def require_no_day(value: str) -> None:
    """Raises CellError where a code is a date. A violation's number or a receipt's may look like one: 11/12/2026."""
    if _DAY(value):
        raise CellError("spreadsheet_date")


def is_cut(value: str) -> bool:
    """Whether a number may have lost what stood behind its fifteenth digit. Some end so by chance, a column does not.

    value: clean.
    """
    return _cut(value) is not None
