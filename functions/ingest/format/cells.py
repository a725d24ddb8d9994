"""Readers of single cells: each takes a stripped, non-empty text and returns the value kept, or raises CellError."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Final

from ingest.errors import CellError
from ingest.format.nothing import is_empty
from ingest.format.spreadsheet_made import ENGLISH_MONTHS, require_no_day, require_untouched, require_value
from shared.domain.governorates import find_code
from shared.domain.plate import PlateError, find_category, find_family
from shared.domain.text import DIGITS, clean, fold_name
from shared.domain.time import BAGHDAD, to_text
from shared.domain.violation import CANCELLED, DISPUTED, OPEN, PAID

MAX_CELL_CHARACTERS: Final = 1_000
MAX_TEXT_CHARACTERS: Final = 200
MAX_AMOUNT_DINARS: Final = 100_000_000
MAX_DUE_DINARS: Final = 2 * MAX_AMOUNT_DINARS

plain_number: Final = re.compile(
    r"[0-9/-]{1,32}+(?<=[0-9])|(?!(?:[0-9]+-)?[A-Z][a-z]{2,8}-)[0-9A-Za-z/-]{0,31}[0-9]"
).fullmatch
"""Matches a violation's number as most exports write it, which :func:`violation_no` leaves as it is."""

_ANY_NUMBER: Final = re.compile(r"(?:[^\W_]|[/-]){1,32}").fullmatch
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]").search
_SAYS_SOMETHING: Final = re.compile(r"[^\W_]").search

_REMEMBERED: Final = 8192


def violation_no(cell: str) -> str:
    """1 to 32 letters, digits, slashes and hyphens; digits of any script as ASCII."""
    number = clean(cell).strip()
    if is_empty(number):
        raise CellError("missing")  # all that have none would be one violation
    require_untouched(number)
    if not _ANY_NUMBER(number):
        raise CellError("number_e_notation" if _SCIENTIFIC(number) else "violation_no_malformed")
    return number


def code(cell: str) -> str:
    """A code of 1 to 16 characters."""
    value = clean(cell).strip()
    _require_printable(value)
    if is_empty(value):
        raise CellError("missing")
    require_untouched(value)
    if not _SAYS_SOMETHING(value):
        raise CellError("missing")
    require_no_day(value)
    if len(value) > 16:
        raise CellError("code_too_long")
    return value


def text(cell: str) -> str:
    """Words for people, at most 200 characters; line breaks and runs of spaces become one space."""
    value = " ".join(cell.split())
    _require_printable(value)
    require_value(value)
    if len(value) > MAX_TEXT_CHARACTERS:
        raise CellError("text_too_long")
    return value


def _require_printable(value: str) -> None:
    if _CONTROL(value):
        raise CellError("character_forbidden")


def receipt_no(cell: str) -> str:
    """A counter's receipt, at most 200 characters, as it is written."""
    value = text(cell)
    require_untouched(clean(value))
    return value


def legal_ref(cell: str) -> str:
    """An article of the law such as ``25/3/هـ``, its digits in ASCII."""
    value = text(cell).translate(DIGITS)
    seen = clean(value)
    require_untouched(seen)
    require_no_day(seen)  # by 25/03/2026 in the place of 25/3 the fine would never double
    return value


def family(cell: str) -> str:
    """A plate family's name. Raises PlateError too: for "new", which names none."""
    found = find_family(cell)
    if found is None:
        raise PlateError("family_unknown", "family")
    return found


def governorate(cell: str) -> str:
    """A governorate's code."""
    found = find_code(cell)
    if found is None:
        raise CellError("governorate_unknown")
    return found


def category(cell: str) -> str | None:
    """A vehicle's category; None for a word that names none of them."""
    return find_category(cell)


_STATUS_WORDS: Final = {
    OPEN: ("open", "غير مسددة", "غير مسدد", "غير مدفوعة", "غير مدفوع"),
    PAID: ("paid", "مسددة", "مسدد", "مدفوعة", "مدفوع"),
    CANCELLED: ("cancelled", "canceled", "ملغاة", "ملغية", "ملغى"),
    DISPUTED: ("disputed", "معترض عليها", "معترض عليه"),
}
STATUSES: Final = {fold_name(word): status for status, words in _STATUS_WORDS.items() for word in words}


def status(cell: str) -> str:
    """open, paid, cancelled or disputed."""
    found = STATUSES.get(fold_name(cell))
    if found is None:
        raise CellError("status_unknown")
    return found


# ---------------------------------------------------------------------- amounts

_GROUPED: Final = re.compile(r"[0-9]{1,3}(?:([,\u066c' ])[0-9]{3})(?:\1[0-9]{3})*").fullmatch
_MARKS: Final = dict.fromkeys(map(ord, ",\u066c' "))
_SCIENTIFIC: Final = re.compile(r"[+-]?[0-9]+(?:[.,\u066b][0-9]*)?E[+-]?[0-9]+", re.IGNORECASE).fullmatch
_FRACTION: Final = re.compile(r"(?P<whole>[0-9][0-9,\u066c' ]*)[.\u066b](?P<part>[0-9]+)").fullmatch
_NO_FILS: Final = frozenset(("0", "00"))
_UNQUOTED: Final = re.compile(r"[0-9]{1,3},[0-9]{3}|[0-9]+,0{1,2}").fullmatch
_MAX_NUMBER_CHARACTERS: Final = 40


def amount(cell: str) -> int:
    """Whole dinars from 1 to 100,000,000, digits of any script, with or without thousands marks."""
    return _dinars(cell, 1, MAX_AMOUNT_DINARS)


def amount_due(cell: str) -> int:
    """Whole dinars from 0 to twice the largest fine."""
    return _dinars(cell, 0, MAX_DUE_DINARS)


def are_one_number(cell: str, following: str) -> bool:
    """Whether two neighbours read as one number whose comma stood without quotes: ``50,000`` or ``50000,00``."""
    if len(cell) + len(following) > _MAX_NUMBER_CHARACTERS:
        return False
    return _UNQUOTED(f"{clean(cell).strip()},{clean(following).strip()}") is not None


def _dinars(cell: str, least: int, most: int) -> int:
    digits = clean(cell).strip()
    if _SCIENTIFIC(digits):
        raise CellError("amount_e_notation")
    if digits[:1] in "-−" and digits[1:2].isdecimal():
        raise CellError("amount_negative")
    if fraction := _FRACTION(digits):
        # 50000.00 is whole; 50.000 could be fifty thousand to its writer, and is not guessed at.
        if fraction["part"] not in _NO_FILS:
            raise CellError("amount_fraction")
        digits = fraction["whole"]
    if _GROUPED(digits):
        digits = digits.translate(_MARKS)
    if not (digits.isascii() and digits.isdecimal()):
        raise CellError("amount_unreadable")
    if len(digits) > 20 or not least <= int(digits) <= most:
        raise CellError("amount_out_of_range")
    return int(digits)


# ---------------------------------------------------------------------- dates

EARLIEST: Final = 1970
LATEST: Final = 2099
_LAST_SUMMER_TIME: Final = "2008"

_TIME: Final = r"(?P<hour>[0-9]{1,2})[:.](?P<minute>[0-9]{2})(?:[:.](?P<second>[0-9]{2})(?:[.,][0-9]+)?)?"
_HALF: Final = r"(?:\s*(?P<half>AM|PM|صباحا|مساءا?|ص|م))?"
_FORMATS: Final = tuple(
    re.compile(pattern, re.IGNORECASE).fullmatch
    for pattern in (
        r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"
        r"(?:[T ]" + _TIME + r"(?:\s*(?P<offset>Z|[+-][0-9]{2}(?::?[0-9]{2})?)|" + _HALF + "))?",
        r"(?P<year>[0-9]{4})/(?P<month>[0-9]{1,2})/(?P<day>[0-9]{1,2})(?:\s+" + _TIME + _HALF + ")?",
        r"(?P<day>[0-9]{1,2})/(?P<month>[0-9]{1,2})/(?P<year>[0-9]{4})(?:\s+" + _TIME + _HALF + ")?",
        r"(?P<day>[0-9]{1,2})-(?P<name>[A-Z]{3})-(?P<year>[0-9]{4}|[0-9]{2})(?:\s+" + _TIME + _HALF + ")?",
    )
)
_MONTHS: Final = {name: month for month, name in enumerate(ENGLISH_MONTHS, start=1)}
_AFTERNOON: Final = ("PM", "م", "مساء", "مساءا")  # without the marks of مساءً
_PLAIN_DAY: Final = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}").fullmatch
_PLAIN_TIME: Final = re.compile(r"(?:[T ]([0-9]{2}:[0-9]{2})(:[0-9]{2})?(?:\+03:00)?)?").fullmatch


def date(cell: str) -> str:
    """An instant as it is stored, of ISO 8601, yyyy/mm/dd, dd/mm/yyyy or Oracle's DD-MON-RR, with or without a time.

    Baghdad time unless it names an offset; midnight unless it names a time.
    """
    value = clean(cell).strip()
    for matches in _FORMATS:
        if found := matches(value):
            return _instant({name: part.upper() for name, part in found.groupdict().items() if part})
    raise CellError("date_unreadable")


@lru_cache(_REMEMBERED)
def plain_day(text: str) -> str | None:
    """A day of the calendar as ISO writes it, since Baghdad has kept one offset; None for any other text."""
    if not _PLAIN_DAY(text) or text < _LAST_SUMMER_TIME:
        return None
    try:
        return datetime.fromisoformat(text).date().isoformat()
    except ValueError:
        return None


@lru_cache(_REMEMBERED)
def plain_time(text: str) -> str | None:
    """What follows a day in a stored instant, of a time of that day in Baghdad or of nothing."""
    found = _PLAIN_TIME(text)
    if not found:
        return None
    time = f"{found[1] or '00:00'}{found[2] or ':00'}"
    return f"T{time}+03:00" if time < "24" and max(time[3:5], time[6:]) < "60" else None


def _instant(parts: dict[str, str]) -> str:
    year = _year(parts["year"])
    month = _MONTHS.get(parts["name"], 0) if "name" in parts else int(parts["month"])
    try:
        instant = datetime(
            year,
            month,
            int(parts["day"]),
            _hour(parts),
            int(parts.get("minute", "0")),
            int(parts.get("second", "0")),
            tzinfo=_offset(parts["offset"]) if "offset" in parts else BAGHDAD,
        )
    except ValueError:
        raise CellError("date_not_in_calendar") from None
    if not EARLIEST <= year <= LATEST:
        raise CellError("date_out_of_range")
    return to_text(instant)


def _year(digits: str) -> int:
    """Four digits, or Oracle's two (RR): 00 to 49 are of this century, 50 to 99 of the last."""
    if len(digits) == 4:
        return int(digits)
    return int(digits) + (2000 if digits < "50" else 1900)


def _hour(parts: dict[str, str]) -> int:
    hour = int(parts.get("hour", "0"))
    half = parts.get("half")
    if half is None:
        return hour
    if not 1 <= hour <= 12:
        raise ValueError("no such hour on a twelve-hour clock")
    return hour % 12 + (12 if half in _AFTERNOON else 0)


def _offset(name: str) -> timezone:
    if name == "Z":
        return UTC
    digits = name[1:].replace(":", "")
    distance = timedelta(hours=int(digits[:2]), minutes=int(digits[2:] or "0"))
    return timezone(-distance if name[0] == "-" else distance)
