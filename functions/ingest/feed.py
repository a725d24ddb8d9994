"""The rows of the directorate's files, format version 1: records in, rows or rejects out. Knows nothing of AWS."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from functools import lru_cache
from operator import itemgetter
from typing import ClassVar, Final, Generic, NamedTuple, TypeVar

import orjson
from xxhash import xxh3_64_hexdigest

from ingest import cells
from ingest.errors import CellError
from ingest.layout import VIOLATION_COLUMNS, Column, Layout
from ingest.origins import LIVE
from shared.domain import plate
from shared.domain.plate import PlateError, Series
from shared.domain.text import fold
from shared.domain.time import from_text, to_text
from shared.domain.violation import OPEN, Violation, make_version
from shared.stores.violation_rows import Row, doubling_day

T = TypeVar("T")
RowT = TypeVar("RowT")

OTHER: Final = "other"

_PLATE_COLUMNS: Final = {
    "family": "plate_family",
    "governorate": "plate_governorate",
    "letter": "plate_letter",
    "number": "plate_number",
}
_GROUPED: Final = ("plate_number", "amount", "amount_due")
"""Columns whose numbers may bear thousands marks, which are commas to most."""
_EVER: Final = "9999"
"""No instant is later: a doubling may be told before its day."""
_REMEMBERED: Final = 8192
_VERSION: Final = Violation._fields.index("version")
_SETTLEMENT: Final = Violation._fields.index("held_by")

_new: Final = tuple.__new__
"""Makes a named tuple of all its fields, at half the cost of calling its class."""


class Reject(NamedTuple):
    """A row that breaks a rule: the first rule it breaks, and its cells as they stand. column: empty for the row."""

    line: int
    column: str
    code: str
    cells: Sequence[str]


class Notice(NamedTuple):
    """A rejection's reason or a warning: how many rows it applies to, and where first."""

    column: str
    code: str
    rows: int
    first_line: int


class Notices:
    """Notices by column and code, added up."""

    def __init__(self, notices: Iterable[Notice] = ()) -> None:
        self._seen: dict[tuple[str, str], Notice] = {}
        for notice in notices:
            self.add(*notice)

    def add(self, column: str, code: str, rows: int, first_line: int) -> None:
        """Count further rows to which a notice applies."""
        known = self._seen.get((column, code))
        if known:
            rows, first_line = known.rows + rows, min(known.first_line, first_line)
        self._seen[column, code] = Notice(column, code, rows, first_line)

    def listed(self) -> list[Notice]:
        """The most frequent first."""
        return sorted(self._seen.values(), key=lambda notice: (-notice.rows, notice.first_line, notice.column))


class Source(NamedTuple):
    """What a row's meaning needs to know of its file. Instants as stored texts.

    origin: live, backlog or registry. announce_from: rows recorded earlier are not news.
    """

    file_id: str
    origin: str
    last_modified: str
    announce_from: str


class Parser(ABC, Generic[RowT]):
    """Rows of one file. ``warnings`` gathers what was accepted but should be told."""

    columns: ClassVar[tuple[Column, ...]]
    """The format's, in the order in which :meth:`_row` takes their cells."""

    def __init__(self, layout: Layout, source: Source) -> None:
        self.warnings = Notices()
        self._source = source
        self._width = len(layout.columns)
        at = {column: position for position, column in enumerate(layout.columns)}
        self._may_be_cut = [at[name] for name in _GROUPED if name in at and layout.separator == ","]
        # The format's columns in the format's order; an absent one is the empty cell beyond the last.
        places = [at.get(column.name, self._width) for column in self.columns]
        in_order = places == [*range(len(places))]
        self._pick = itemgetter(slice(len(places))) if in_order else itemgetter(*places)
        # What has happened is not in the future, and one typing error in the year of an update would freeze a row for
        # ever: nothing later could be newer. Counted from the file's own date, so that a chunk that runs again judges
        # the same.
        self._latest = to_text(from_text(source.last_modified) + timedelta(days=1))

    def parse(self, line: int, record: list[str]) -> RowT | Reject:
        """The row of a record, or why it is none. Never raises, whatever the cells hold."""
        try:
            if len(record) != self._width:
                self._check_width(record)
            return self._row(line, self._pick([*record, ""]))
        except CellError as error:
            return Reject(line, error.column, error.code, record)
        except PlateError as error:
            return Reject(line, _PLATE_COLUMNS[error.field], error.code, record)

    def _check_width(self, record: list[str]) -> None:
        if len(record) < self._width:
            raise CellError("cells_missing")
        if any(map(str.strip, record[self._width :])) or self._is_cut(record):
            raise CellError("cells_too_many")

    def _is_cut(self, record: list[str]) -> bool:
        """Whether a number lies in two cells, so that none behind it stands in its column."""
        return any(cells.are_one_number(*record[at : at + 2]) for at in self._may_be_cut)

    @abstractmethod
    def _row(self, line: int, record: tuple[str, ...]) -> RowT:
        """The row of the cells of a line. Raises CellError or PlateError."""

    def _warn_of_category(self, line: int) -> None:
        self.warnings.add("plate_category", "category_other", 1, line)


class ViolationParser(Parser[Row]):
    """Rows of a file of violations."""

    columns = VIOLATION_COLUMNS

    def _row(self, line: int, record: tuple[str, ...]) -> Row:
        (
            number, family, plate_governorate, kind, letter, serial, code, title, legal_ref, amount, due, doubled_at,
            occurred_at, recorded_at, sector_code, sector_name, sector_governorate, place, status, paid_at, receipt_no,
            updated_at,
        ) = record  # fmt: skip
        violation_no = number if cells.plain_number(number) else _required("violation_no", number, cells.violation_no)
        plate_key, category = read_plate_key(family, plate_governorate, letter, serial), read_category(kind)
        offence = _offence(code, title, legal_ref, amount, status)
        sector = _sector(sector_code, sector_name, sector_governorate)
        latest = self._latest
        occurred = read_date("occurred_at", occurred_at, latest)
        recorded = read_date("recorded_at", recorded_at, latest) if recorded_at else None
        if occurred is None:
            raise CellError("missing", "occurred_at")
        updated = read_date("updated_at", updated_at, latest)
        paid = read_date("paid_at", paid_at, latest) if paid_at else None
        if paid and offence.status == OPEN:  # nobody is to be asked for it again
            raise CellError("status_contradicted", "status")
        file_id, origin, last_modified, announce_from = self._source
        amount_due = _amount_due(due)
        violation = _new(
            Violation,
            (
                violation_no,
                plate_key,
                offence.code,
                offence.amount,
                occurred,
                recorded or occurred,
                sector.code,
                make_version(updated, last_modified, line),
                offence.status,
                category.name,
                offence.title,
                offence.legal_ref,
                amount_due,
                read_date("doubled_at", doubled_at, _EVER) if doubled_at else None,
                sector.name,
                sector.governorate,
                _place(place),
                paid,
                _optional("receipt_no", receipt_no, cells.text) if receipt_no else None,
                None,  # the settlement
                None,
                None,
                None,
                None,
            ),
        )
        if category.unknown:
            self._warn_of_category(line)
        if recorded is None:
            self.warnings.add("recorded_at", "recorded_at_defaulted", 1, line)
        has_doubled = False
        if amount_due is not None and offence.status == OPEN:
            has_doubled = doubling_day(violation) is None
            self._warn_of_due(violation, amount_due, line, has_doubled=has_doubled)
        recent = violation.recorded_at >= announce_from
        if not recent and origin == LIVE and offence.status == OPEN:
            self.warnings.add("recorded_at", "not_announced", 1, line)
        said = content(violation, has_doubled=has_doubled)
        return _new(Row, (violation, said, updated is not None, f"{file_id}#{line}", origin, recent))

    def _warn_of_due(self, violation: Violation, due: int, line: int, *, has_doubled: bool) -> None:
        """Tell of debts that may be meant otherwise: an empty one that was written as 0, one that doubles once more."""
        if due == 0:
            self.warnings.add("amount_due", "due_nothing", 1, line)
        elif due >= 2 * violation.amount and not violation.doubled_at and not has_doubled:
            self.warnings.add("amount_due", "due_doubled_early", 1, line)


# ---------------------------------------------------------------------- cells: most columns hold few values


def read_plate_key(family: str, governorate: str, letter: str, serial: str) -> str:
    """The key of the plate of four cells. Raises CellError or PlateError."""
    series = _series(family, governorate, letter)
    if len(serial) > cells.LONGEST_CELL:
        raise CellError("text_too_long", "plate_number")
    return series.key(serial)


@lru_cache(_REMEMBERED)
def _series(family: str, governorate: str, letter: str) -> Series:
    return plate.series(
        _required("plate_family", family, cells.family),
        _required("plate_governorate", governorate, cells.governorate),
        _optional("plate_letter", letter, fold),
    )


class Category(NamedTuple):
    """A vehicle's category; None where the cell is empty. unknown: its word is none that we know."""

    name: str | None
    unknown: bool


@lru_cache(_REMEMBERED)
def read_category(word: str) -> Category:
    """The category of a cell."""
    if not word.strip():
        return Category(None, unknown=False)
    known = _optional("plate_category", word, cells.category)
    if known is None and cells.is_absent(word):
        return Category(None, unknown=False)
    return Category(known or OTHER, unknown=known is None)


class _Offence(NamedTuple):
    code: str
    title: str | None
    legal_ref: str | None
    amount: int
    status: str


@lru_cache(_REMEMBERED)
def _offence(code: str, title: str, legal_ref: str, amount: str, status: str) -> _Offence:
    return _Offence(
        _required("violation_code", code, cells.code),
        _optional("violation_title", title, cells.text),
        _optional("legal_ref", legal_ref, cells.legal_ref),
        _required("amount", amount, cells.amount),
        _optional("status", status, cells.status) or OPEN,
    )


@lru_cache(_REMEMBERED)
def _amount_due(cell: str) -> int | None:
    return _optional("amount_due", cell, cells.amount_due)


class _Sector(NamedTuple):
    code: str
    name: str | None
    governorate: str | None


@lru_cache(_REMEMBERED)
def _sector(code: str, name: str, governorate: str) -> _Sector:
    return _Sector(
        _required("sector_code", code, cells.code),
        _optional("sector_name", name, cells.text),
        _optional("sector_governorate", governorate, cells.governorate),
    )


@lru_cache(_REMEMBERED)
def _place(cell: str) -> str | None:
    return _optional("place", cell, cells.text)


def read_date(column: str, cell: str, latest: str) -> str | None:
    """The instant of a cell, if any. Raises CellError, also for one after the latest (a stored text)."""
    if not cell:
        return None
    # Of millions of instants, days and times of day are few.
    day, time = cells.plain_day(cell[:10]), cells.plain_time(cell[10:])
    instant = day + time if day and time else _optional(column, cell, cells.date)
    if instant and instant > latest:
        raise CellError("date_ahead", column)
    return instant


def _required(column: str, cell: str, read: Callable[[str], T]) -> T:
    value = _optional(column, cell, read)
    if value is None:
        raise CellError("missing", column)
    return value


def _optional(column: str, cell: str, read: Callable[[str], T]) -> T | None:
    """What a cell holds; None where it is empty. Raises CellError naming its column."""
    cell = cell.strip()
    if not cell:
        return None
    try:
        if len(cell) > cells.LONGEST_CELL:
            raise CellError("text_too_long")
        return read(cell)
    except CellError as error:
        error.column = column
        raise


def content(violation: Violation, *, has_doubled: bool) -> str:
    """A digest of everything the directorate wrote but the version: equal for rows that say the same.

    has_doubled: a debt is stated for a fine that doubles no more. Stated before the doubling, the same figure left that
    out.
    Of 64 bits, since it meets no other than what the same violation said before.
    """
    said = orjson.dumps((violation[:_VERSION], violation[_VERSION + 1 : _SETTLEMENT], has_doubled))
    return xxh3_64_hexdigest(said)
