"""What the parsers of all kinds of files share: a record in, a row or a reject out. Knows nothing of AWS."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import lru_cache
from operator import itemgetter
from typing import ClassVar, Final, Generic, NamedTuple, TypeVar

from ingest.errors import CellError
from ingest.format import cells
from ingest.format.columns import AS_OF, Column
from ingest.format.header import Layout, repeats
from ingest.format.nothing import is_nothing
from ingest.format.notices import Notices
from ingest.format.spreadsheet_made import bare
from shared.domain import plate
from shared.domain.plate import PlateError, Series
from shared.domain.text import fold
from shared.domain.time import from_text, to_text

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
REMEMBERED: Final = 8192
"""Cells of one column that are kept read: most columns hold few values in millions of rows."""


class Reject(NamedTuple):
    """A row that breaks a rule: the first rule it breaks, and its cells as they stand. column: empty for the row."""

    line: int
    column: str
    code: str
    cells: Sequence[str]


MIN_AMOUNT: Final = 1_000
"""MinAmount of template.yaml, at its default: no fine is of fewer dinars, but a fifty that was fifty thousand is."""


class Sample(NamedTuple):
    """The rejects among the first rows of a file. instant: when what it says was so, as a stored text."""

    layout: Layout
    instant: str
    rejects: Sequence[Reject]


class Source(NamedTuple):
    """What a row's meaning needs to know of its file. Instants as stored texts.

    origin: live, backlog or registry. announce_from: rows recorded earlier are not news. min_amount: of a fine, in
    dinars. as_of: when what the file says was so, where that was declared.
    """

    file_id: str
    origin: str
    last_modified: str
    announce_from: str
    min_amount: int = MIN_AMOUNT
    as_of: str = ""


def last_instant(last_modified: str) -> str:
    """The last instant that a file may speak of: a day after it came, for clocks that are wrong."""
    return to_text(from_text(last_modified) + timedelta(days=1))


class Parser(ABC, Generic[RowT]):
    """Rows of one file. ``warnings`` gathers what was accepted but should be told."""

    columns: ClassVar[tuple[Column, ...]]
    """The format's, in the order in which :meth:`_row` takes their cells."""

    def __init__(self, layout: Layout, source: Source) -> None:
        self.warnings = Notices()
        self._layout = layout
        self._source = source
        self._width = len(layout.columns)
        at = {column: position for position, column in enumerate(layout.columns)}
        self._may_be_cut = [at[name] for name in _GROUPED if name in at and layout.separator == ","]
        # The format's columns in the format's order; an absent one is the empty cell beyond the last.
        places = [at.get(column.name, self._width) for column in self.columns]
        in_order = places == [*range(len(places))]
        self._pick = itemgetter(slice(len(places))) if in_order else itemgetter(*places)
        # What has happened is not in the future, and one typing error in the year of an update would freeze a row for
        # ever: nothing later could be newer. Counted from when the file came, so that a chunk that runs again judges
        # the same.
        self._latest = last_instant(source.last_modified)
        self._as_of = layout.as_of
        self._say_of(source.as_of or source.last_modified)

    def parse(self, line: int, record: list[str]) -> RowT | Reject | None:
        """The row of a record, or why it is none; None for the file's header, which is told where it comes again.

        Raises FileError for a header of columns in another order, and nothing else, whatever the cells hold.
        """
        try:
            if len(record) != self._width:
                self._check_width(record)
            if self._as_of is not None:
                self._read_as_of(record[self._as_of])
            return self._row(line, self._pick([*record, ""]))
        except CellError as error:
            reject = Reject(line, error.column, error.code, record)
        except PlateError as error:
            reject = Reject(line, _PLATE_COLUMNS[error.field], error.code, record)
        # No header passes for a row, and so is looked for among the others alone.
        if repeats(self._layout, line, record):
            self.warnings.add("", "header_repeated", 1, line)
            return None
        return reject

    def _check_width(self, record: list[str]) -> None:
        if len(record) < self._width:
            raise CellError("cells_missing")
        if any(map(str.strip, record[self._width :])) or self._is_cut(record):
            raise CellError("cells_too_many")

    def _is_cut(self, record: list[str]) -> bool:
        """Whether a number lies in two cells, so that none behind it stands in its column."""
        return any(cells.are_one_number(*record[at : at + 2]) for at in self._may_be_cut)

    def _read_as_of(self, cell: str) -> None:
        """Let the next row be of its own instant. Raises CellError."""
        own = read_date(AS_OF, cell, self._latest)
        self._say_of(own or self._source.as_of or self._source.last_modified)

    def _say_of(self, instant: str) -> None:
        """Let rows that name no date of their own say what was so at an instant."""
        last_modified = self._source.last_modified
        self._instant, self._uploaded_at = instant, "" if instant == last_modified else last_modified

    @abstractmethod
    def _row(self, line: int, record: tuple[str, ...]) -> RowT:
        """The row of the cells of a line. Raises CellError or PlateError."""

    def _warn_of_category(self, line: int) -> None:
        self.warnings.add("plate_category", "category_other", 1, line)


# ---------------------------------------------------------------------- cells: most columns hold few values


def read_plate_key(family: str, governorate: str, letter: str, serial: str) -> str:
    """The key of the plate of four cells. Raises CellError or PlateError."""
    series = _series(family, governorate, letter)
    if not serial.isdecimal() or len(serial) > cells.MAX_CELL_CHARACTERS:
        serial = optional("plate_number", serial, str) or ""
    return series.key(serial)


@lru_cache(REMEMBERED)
def _series(family: str, governorate: str, letter: str) -> Series:
    return plate.series(
        required("plate_family", family, cells.family),
        required("plate_governorate", governorate, cells.governorate),
        optional("plate_letter", letter, fold),
    )


class Category(NamedTuple):
    """A vehicle's category; None where the cell is empty. unknown: its word is none that we know."""

    name: str | None
    unknown: bool


@lru_cache(REMEMBERED)
def read_category(word: str) -> Category:
    """The category of a cell."""
    known = optional("plate_category", word, cells.category)
    if known is None and is_nothing(bare(word.strip())):
        return Category(None, unknown=False)
    return Category(known or OTHER, unknown=known is None)


def read_date(column: str, cell: str, latest: str) -> str | None:
    """The instant of a cell, if any. Raises CellError, also for one after the latest (a stored text)."""
    if not cell:
        return None
    # Of millions of instants, days and times of day are few.
    day, time = cells.plain_day(cell[:10]), cells.plain_time(cell[10:])
    instant = day + time if day and time else optional(column, cell, cells.date)
    if instant and instant > latest:
        raise CellError("date_ahead", column)
    return instant


def required(column: str, cell: str, read: Callable[[str], T]) -> T:
    """What a cell holds. Raises CellError naming its column, also where it holds nothing."""
    value = optional(column, cell, read)
    if value is None:
        raise CellError("missing", column)
    return value


def optional(column: str, cell: str, read: Callable[[str], T]) -> T | None:
    """What a cell holds; None where it holds nothing, by whatever word. Raises CellError naming its column."""
    written = _written(column, cell)
    return None if is_nothing(written) else _read(column, written, read)


def identifier(column: str, cell: str, read: Callable[[str], T]) -> T:
    """What a cell holds of which ``read`` knows what stands for nothing: NA is some sector's code. Raises CellError."""
    return _read(column, _written(column, cell), read)


def _written(column: str, cell: str) -> str:
    if len(cell) > cells.MAX_CELL_CHARACTERS and len(cell.strip()) > cells.MAX_CELL_CHARACTERS:
        raise CellError("text_too_long", column)
    return bare(cell.strip())


def _read(column: str, cell: str, read: Callable[[str], T]) -> T:
    try:
        return read(cell)
    except CellError as error:
        error.column = column
        raise
