"""Right files of violations, as programs write them today, and the rule that holds of each damaged one."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Container, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

from ingest.format.columns import ARABIC, VIOLATION_COLUMNS
from ingest.format.parser import Source
from shared.domain.violation import Violation
from tests.support.spreadsheet_damage import FORMATS
from tests.support.whole_files import Outcome, take
from tests.support.workbooks import Cell, xlsx

WITHIN: Final = 45
"""Days before a file in which a live row is news."""
CHUNK: Final = 30

DATES: Final = ("occurred_at", "recorded_at", "updated_at", "paid_at", "doubled_at")
AMOUNTS: Final = ("amount", "amount_due")
NUMBERS: Final = ("violation_no", "receipt_no")
CODES: Final = ("violation_code", "sector_code")

DATE_FORMS: Final = ("%d/%m/%Y", "%Y-%m-%d", "%d/%m/%Y %H:%M", "%Y-%m-%d %H:%M:00")
NUMBER_FORMS: Final[dict[str, Callable[[int], str]]] = {
    "of a year": lambda at: f"{at + 1}/2026",
    "year first": lambda at: f"2026-{at + 1}",
    "of two parts": lambda at: f"{at + 1}-26",
    "with letters": lambda at: f"BG-{at + 123:05}",
    "short": lambda at: str(at + 4711),
    "twelve digits": lambda at: str(202600000000 + at),
    "sixteen digits": lambda at: str(2026110000000101 + 37 * at),
    "sixteen digits in a row": lambda at: str(2026110000000101 + at),
    "twenty digits": lambda at: str(20261100000000000101 + 1_000_033 * at),
    "twenty digits in a row": lambda at: str(20261100000000000101 + at),
}
AMOUNT_FORMS: Final[dict[str, Callable[[int], str]]] = {
    "plain": str,
    "commas": "{:,}".format,
    "fils": "{}.00".format,
}
DOTS: Final[Callable[[int], str]] = lambda dinars: f"{dinars:,}".replace(",", ".")  # noqa: E731
WORDS: Final = {
    True: {"open": "غير مسددة", "paid": "مسددة", "cancelled": "ملغاة", "disputed": "معترض عليها"},
    False: {name: name for name in ("open", "paid", "cancelled", "disputed")},
}
_LETTERS: Final = "بجدرسطفكمنهقلوز"


class Forms(NamedTuple):
    """How an export writes what it holds. date: of strftime. number, receipt: of a row's place; amount: of dinars."""

    date: str = "%d/%m/%Y"
    number: Callable[[int], str] = NUMBER_FORMS["short"]
    amount: Callable[[int], str] = str
    code: str = "101"
    sector: str = "BG-7"
    receipt: Callable[[int], str] = NUMBER_FORMS["with letters"]


class Export(NamedTuple):
    """A right file. meant: its cells without a form of their own, by our names; written: as an export writes them."""

    meant: list[dict[str, str]]
    written: list[dict[str, str]]
    uploaded: date
    origin: str
    arabic: bool

    @property
    def source(self) -> Source:
        """The file as the parser hears of it."""
        announce_from = f"{self.uploaded - timedelta(days=WITHIN)}T18:00:00+03:00"
        return Source("f00d", self.origin, f"{self.uploaded}T18:00:00+03:00", announce_from)

    @property
    def columns(self) -> list[str]:
        return list(self.written[0])

    def cells(self, rows: Sequence[Mapping[str, Cell]]) -> list[list[Cell]]:
        """Rows below the header that a file of this kind has."""
        header: list[Cell] = [ARABIC.get(name, name) if self.arabic else name for name in rows[0]]
        return [header, *([*row.values()] for row in rows)]

    def take(self, rows: Sequence[Mapping[str, Cell]], *, sheet: bool) -> Outcome:
        """What becomes of rows as a file of this kind."""
        cells = self.cells(rows)
        return self.take_bytes(xlsx(cells, formats=FORMATS) if sheet else as_csv(cells))

    def take_bytes(self, content: bytes) -> Outcome:
        """What becomes of a file that is uploaded in the place of this one."""
        return take(content, self.source, chunk_rows=CHUNK)


def as_csv(cells: Sequence[Sequence[Any]]) -> bytes:
    """Cells as Excel's "CSV UTF-8"."""
    out = io.StringIO()
    csv.writer(out).writerows(cells)
    return out.getvalue().encode("utf-8-sig")


def export(
    first: Sequence[date],
    uploaded: date,
    forms: Forms,
    *,
    origin: str = "live",
    arabic: bool = True,
    start: int = 0,
    statuses: Sequence[str] = ("open", "paid"),
    absent: Container[str] = (),
) -> Export:
    """A file of violations of these days, each recorded on the next and changed on that after it.

    statuses: of the rows, the last ones again and again. absent: the columns that it has not.
    """
    meant: list[dict[str, str]] = []
    written: list[dict[str, str]] = []
    for at, day in enumerate(first):
        status = statuses[at] if at < len(statuses) else statuses[-1 - at % min(len(statuses), 7)]
        paid = status == "paid"
        amount = (25_000, 50_000, 100_000, 200_000)[at % 4]
        days: dict[str, date | None] = {
            "occurred_at": day,
            "recorded_at": day + timedelta(days=1),
            "updated_at": day + timedelta(days=2),
            "paid_at": day + timedelta(days=2) if paid else None,
            "doubled_at": day + timedelta(days=31) if paid and (uploaded - day).days > WITHIN else None,
        }
        cells = {
            "violation_no": forms.number(start + at),
            "plate_family": "ألماني" if arabic else "german",
            "plate_governorate": "بغداد" if arabic else "11",
            "plate_category": "خصوصي" if arabic else "private",
            "plate_letter": _LETTERS[at % len(_LETTERS)],
            "plate_number": str(10_000 + 7 * at),
            "violation_code": forms.code,
            "legal_ref": ("25/3", "25/3/هـ", "")[at % 3],
            "sector_code": forms.sector,
            "place": ("شارع فلسطين", "سيطرة الصقور", "")[at % 3],
            "status": WORDS[arabic][status],
            "receipt_no": forms.receipt(at) if paid else "",
        }
        for rows, form, dinars in ((meant, "%Y-%m-%dT%H:%M:00", str), (written, forms.date, forms.amount)):
            stamps = {name: _stamp(day, form, "%H" in forms.date) if day else "" for name, day in days.items()}
            sums = {"amount": dinars(amount), "amount_due": "" if paid else dinars(amount)}
            row = {**cells, **stamps, **sums}
            rows.append({name: cell for name, cell in row.items() if name not in absent})
    return Export(meant, written, uploaded, origin, arabic)


def _stamp(day: date, form: str, timed: bool) -> str:
    return day.strftime(form.replace("%H:%M", "08:05" if timed else "00:00"))


# ---------------------------------------------------------------------- the rule

FIELDS: Final = {column.field: column.name for column in reversed(VIOLATION_COLUMNS)}
"""The column by which a field of a violation is filled."""


def differences(loaded: Violation, meant: Violation) -> set[str]:
    """The columns in which a violation is not what was meant."""
    pairs = zip(Violation._fields, loaded, meant, strict=True)
    found = {FIELDS[name] for name, value, right in pairs if name != "version" and value != right}
    # The moment that a row speaks of; what follows is of its file and its line.
    return found | ({"updated_at"} if loaded.version.partition("#")[0] != meant.version.partition("#")[0] else set())


def require_right_or_told(export: Export, found: Outcome, names: Mapping[str, str] | None = None) -> None:
    """Hold a file to the rule: each row is as it was meant, or what differs is told.

    names: by which a column is told of that has lost its own.
    """
    if found.refused:
        assert found.refused.column or found.refused.value, found.refused.code
        return
    right = take(as_csv([[*export.meant[0]], *([*row.values()] for row in export.meant)]), export.source)
    assert not right.refused
    assert len(right.rows) == len(export.meant)
    told = {column for (column, code), rows in (found.told - right.told).items() if code != "not_announced"}
    for line, row in right.rows.items():
        if line in found.rejected:
            continue
        if line not in found.rows:
            assert found.told["violation_no", "beaten_in_file"], line
            continue
        wrong = differences(found.rows[line].violation, row.violation)
        silent = {column for column in wrong if column not in told and (names or {}).get(column) not in told}
        if "recorded_at" in silent and "recorded_at" not in export.columns and "occurred_at" in told:
            silent.remove("recorded_at")  # the same date
        assert not silent, (line, silent, found.told)
