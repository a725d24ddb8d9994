"""Judging whole columns: what is wrong with one shows in many of its values, and in no single one.

A file is judged on its first records and on some of every chunk before anything of it is loaded; a chunk is judged
once more by itself, and its rows of a column that it proves wrong are rejected.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Any, Final, NamedTuple

from ingest.errors import FileError
from ingest.format.accepting import acceptance
from ingest.format.cells import STATUSES, date
from ingest.format.date_columns import DateColumns
from ingest.format.header import Layout, is_reported
from ingest.format.nothing import is_nothing
from ingest.format.notices import Finding, Lines
from ingest.format.origins import REGISTRY
from ingest.format.parser import Parser, Reject, Source
from ingest.format.spreadsheet_made import bare
from shared.domain.text import clean, fold_name

CHUNK_SAMPLE: Final = 100
"""So many rows of a chunk, evenly spread, are judged; where they are not all right, all of its rows."""

_MAX_WORD_CHARACTERS: Final = 100
_MAX_DISTINCT: Final = 4096
"""Different values of a column that are held."""

# ---------------------------------------------------------------------- numbers

_NUMBERS: Final = ("violation_no", "receipt_no", "registration_no")
_LEAST_CUT: Final = 4
_SHEETS_DIGITS: Final = 15
"""A spreadsheet keeps so many digits of a number and makes the others 0."""


class _Numbers:
    """A column of numbers that identify something. Those that end in 0 by nature are a tenth of them, and not half.

    A violation is of one plate: what is left of two numbers may be the same, and is still of two plates.
    """

    def __init__(self, column: str, columns: Sequence[str]) -> None:
        self._column, self._position = column, columns.index(column)
        self._owner = columns.index("plate_number") if column == "violation_no" else self._position
        self._long: dict[tuple[str, str], bool] = {}
        self._line = 0

    def look(self, rows: Lines) -> None:
        if max([len(record[self._position]) for _, record in rows]) <= _SHEETS_DIGITS:
            return
        for line, record in rows:
            cell = record[self._position]
            if _SHEETS_DIGITS < len(cell) <= _MAX_WORD_CHARACTERS and len(self._long) < _MAX_DISTINCT:
                number = clean(bare(cell.strip())).strip()
                if len(number) > _SHEETS_DIGITS and number.isdecimal():
                    cut = not number[_SHEETS_DIGITS:].strip("0")
                    self._long[number, record[self._owner]] = cut
                    self._line = self._line or (line if cut else 0)

    def findings(self) -> Iterator[Finding]:
        cut = sum(self._long.values())
        several = len({number for number, _ in self._long}) > 1  # one alone on several plates is told as that
        if several and cut >= _LEAST_CUT and 2 * cut > len(self._long):
            yield Finding("numbers_cut", self._column, self._position, cut, self._line)


# ---------------------------------------------------------------------- what says what is paid

_WORDS: Final = re.compile(r"[^\W_]+").findall
_NAME_WORDS: Final = re.compile(r"[^\W\d_]+").findall
_HUMP: Final = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_PAYING: Final = frozenset(
    map(fold_name, ("مسدد", "مسددة", "تسديد", "سداد", "مدفوع", "مدفوعة", "paid", "unpaid", "payment"))
)
_PAY: Final = fold_name("الدفع")
_WITH_PAY: Final = frozenset(map(fold_name, ("حالة", "تاريخ", "تم")))
_SAYS_PAID: Final = _PAYING | set(map(fold_name, ("دفع", "سدد", "دفعت", "سددت", "تدفع", "تسدد", "يدفع", "يسدد")))
_BESIDE: Final = frozenset(map(fold_name, ("تم", "لم", "يتم", "غير", "not", "is")))


def names_payment(header: str) -> bool:
    """Whether the name of a column holds a whole word of paying."""
    if len(header) > _MAX_WORD_CHARACTERS:
        return False
    words = set(map(fold_name, _NAME_WORDS(_HUMP.sub(" ", clean(header)))))
    return not words.isdisjoint(_PAYING) or (_PAY in words and not words.isdisjoint(_WITH_PAY))


@lru_cache(_MAX_DISTINCT)
def says_payment(value: str) -> bool:
    """Whether a value says that something is paid or is not, and nothing else."""
    if fold_name(value) in STATUSES:
        return True
    words = [word for word in map(fold_name, _WORDS(clean(value))) if word not in _BESIDE]
    return len(words) == 1 and words[0] in _SAYS_PAID


class _Unknown:
    """A column that is none of ours, or has no name, in a file in which no column is that of the statuses."""

    def __init__(self, header: str, position: int, columns: Sequence[str]) -> None:
        self._position = position
        self._named = names_payment(header)
        self._dated = "paid_at" not in columns
        self._values: dict[str, int] = {}
        self._rows = 0

    def look(self, rows: Lines) -> None:
        for line, record in rows:
            value = record[self._position].strip()
            if value:
                self._rows += 1
                if len(self._values) < _MAX_DISTINCT:
                    self._values.setdefault(value[: _MAX_WORD_CHARACTERS + 1], line)

    def findings(self) -> Iterator[Finding]:
        said = {value: line for value, line in self._values.items() if not is_nothing(bare(value))}
        words = [bare(value) for value in said if len(value) <= _MAX_WORD_CHARACTERS]
        if said and (self._named or 2 * sum(map(says_payment, words)) > len(words)):
            dates = self._dated and 2 * sum(map(_is_date, words)) > len(words)
            first = min(said.values())
            needed = "paid_at" if dates else "status"
            yield Finding("payment_column_unknown", "", self._position, self._rows, first, needed=needed)


def _is_date(value: str) -> bool:
    try:
        date(value)
    except ValueError:
        return False
    return True


class _Nameless:
    """A column without a name: told where it holds anything."""

    def __init__(self, position: int) -> None:
        self._position = position
        self._rows = self._line = 0

    def look(self, rows: Lines) -> None:
        for line, record in rows:
            if record[self._position].strip():
                self._rows += 1
                self._line = self._line or line

    def findings(self) -> Iterator[Finding]:
        if self._rows:
            yield Finding("column_nameless", "", self._position, self._rows, self._line, refuses=False)


# ---------------------------------------------------------------------- a file, a chunk


class Criteria(NamedTuple):
    """What a file is judged by. announce_within: so long before its file a live row may be recorded.

    accepted: :func:`ingest.format.accepting.read_accepted`.
    """

    announce_within: timedelta
    accepted: tuple[str, ...] = ()


class ColumnCheck:
    """The columns of a file, judged by the rows that it was shown."""

    def __init__(self, layout: Layout, source: Source, criteria: Criteria) -> None:
        self._layout, self._accepted = layout, frozenset(criteria.accepted)
        columns = layout.columns
        others = [
            position
            for position, column in enumerate(columns)
            if not column and not is_reported(layout.header[position])
        ]
        self._columns: list[Any] = [DateColumns(layout, source, criteria.announce_within)]
        self._columns += [_Numbers(name, columns) for name in _NUMBERS if name in columns]
        self._columns += [_Nameless(position) for position in others if not layout.header[position].strip()]
        if source.origin != REGISTRY and "status" not in columns:
            self._columns += [_Unknown(layout.header[position], position, columns) for position in others]
        self.shows_in_any_row = len(self._columns) > 1 and bool(others)

    def look(self, rows: Lines) -> None:
        """Take further rows into account."""
        width = len(self._layout.columns)
        whole = [row for row in rows if len(row[1]) >= width]  # others are rejected, whatever they say
        if whole:
            for column in self._columns:
                column.look(whole)

    def findings(self) -> list[Finding]:
        """Give what was found and is not accepted."""
        found = [finding for column in self._columns for finding in column.findings()]
        return [finding for finding in found if self._accepted.isdisjoint(_acceptances(finding))]

    def require(self) -> None:
        """Raises FileError where a column is not to be loaded as it is read; it says how to accept all such."""
        refusing = [finding for finding in self.findings() if finding.refuses]
        if not refusing:
            return
        first = refusing[0]
        accept = ",".join(acceptance(*finding[:3]) for finding in refusing)
        header = self._layout.header[first.position].strip()[:_MAX_WORD_CHARACTERS]
        called = None if first.column else header or str(first.position + 1)
        column = first.column or first.needed
        line = 1 if first.needed else first.first_line
        raise FileError(first.code, column=column, line=line, value=called, accept=accept)


def _acceptances(finding: Finding) -> tuple[str, str]:
    """Return both ways to accept a finding: by the column's name, and by its number."""
    return acceptance(*finding[:3]), acceptance(finding.code, "", finding.position)


Parse = Callable[[int, list[str]], Any]


def judged(parser: Parser[Any], rows: Lines, layout: Layout, source: Source, criteria: Criteria) -> Parse:
    """Return how to parse the rows of a chunk: as a parser does, or rejecting those of a column that they prove wrong.

    What is told of its columns is added to the parser's warnings.
    """
    check = ColumnCheck(layout, source, criteria)
    check.look(rows if check.shows_in_any_row else rows[:: max(1, len(rows) // CHUNK_SAMPLE)])
    if not check.findings():
        return parser.parse
    check = ColumnCheck(layout, source, criteria)
    check.look(rows)
    codes: dict[int, tuple[str, str]] = {}
    for finding in check.findings():
        if finding.refuses:
            codes[finding.position] = (finding.column or finding.needed, finding.code)
        else:
            parser.warnings.add(finding.column or str(finding.position + 1), finding.code, *finding[3:5])

    def parse(line: int, record: list[str]) -> Any:
        outcome = parser.parse(line, record)
        if outcome and not isinstance(outcome, Reject):
            for position, (column, code) in codes.items():
                if record[position].strip():
                    return Reject(line, column, code, record)
        return outcome

    return parse if codes else parser.parse
