"""Read the header of a file of the directorate: which column of the format stands where.

Columns stand in any order under their English name or an Arabic one, compared after folding.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from ingest.errors import FileError
from ingest.format.cells import STATUSES
from ingest.format.columns import ALL_COLUMNS, PLATE_KIND, REPORTED, Column
from shared.domain.plate import PlateError, find_category, find_family
from shared.domain.text import fold_name

SEPARATORS: Final = (",", ";", "\t")
MAX_COLUMNS: Final = 200
MAX_HEADER_CHARACTERS: Final = 16_384
MAX_NAME_CHARACTERS: Final = 100
"""No word of the format is longer, and folding a longer text can take long."""

_BY_HEADER: Final = {fold_name(name): column.name for column in ALL_COLUMNS for name in (column.name, *column.arabic)}
_REPORTED: Final = frozenset(map(fold_name, REPORTED))
_PLATE_KIND: Final = fold_name(PLATE_KIND)
_STATUS: Final = "status"
_KNOWN: Final = frozenset((*_BY_HEADER, _PLATE_KIND))


class Layout(NamedTuple):
    """How one file is laid out. header: its cells as they stand. columns: our name for each, or an empty text."""

    separator: str
    header: tuple[str, ...]
    columns: tuple[str, ...]

    @property
    def unknown(self) -> list[str]:
        """The headers that the format does not know."""
        pairs = zip(self.header, self.columns, strict=True)
        return [header for header, column in pairs if header and not column and not is_reported(header)]


def is_column(header: str) -> bool:
    """Whether a header is a name of a column, of whichever kind of file."""
    return len(header) <= MAX_NAME_CHARACTERS and fold_name(header) in _KNOWN


def is_reported(header: str) -> bool:
    """Whether a column is one that the rejects file added."""
    return fold_name(header) in _REPORTED


def find_separator(top: str) -> str:
    """The separator of a header's lines: the one by which they name most columns. Raises FileError where none does."""
    counts = {separator: _known(top[:MAX_HEADER_CHARACTERS], separator) for separator in SEPARATORS}
    best = max(counts, key=lambda separator: counts[separator])
    if not counts[best]:
        raise FileError("header_missing", line=1)
    return best


def _known(top: str, separator: str) -> int:
    cells = next(csv.reader(io.StringIO(top, newline=""), delimiter=separator), [])
    return sum(map(is_column, cells))


def read_header(
    known: Sequence[Column], header: Sequence[str], separator: str, sample: Iterable[Sequence[str]]
) -> Layout:
    """The layout of a header. known: the columns of the kind of file.

    sample: records whose values decide what نوع اللوحة means, and tell a column of statuses by whatever name.
    Raises FileError: a required column is missing, a column stands twice, there are too many, or that of the statuses
    goes by a name that is none of its own, so that what is paid would be loaded as owed.
    """
    if len(header) > MAX_COLUMNS or sum(map(len, header)) > MAX_HEADER_CHARACTERS:
        raise FileError("columns_too_many", line=1)
    ours = {column.name for column in known}
    names = [fold_name(cell) for cell in header]
    columns = [_BY_HEADER[name] if _BY_HEADER.get(name) in ours else "" for name in names]
    for position, name in enumerate(names):
        if name == _PLATE_KIND:
            columns[position] = _plate_kind(position, sample)
    for column in known:
        if columns.count(column.name) > 1:
            raise FileError("column_twice", column=column.name, line=1)
    for column in known:
        if column.required and column.name not in columns:
            raise FileError("column_missing", column=column.name, line=1)
    if _STATUS in ours and _STATUS not in columns:
        for position, name in enumerate(header):
            if not columns[position] and _holds_statuses(position, sample):
                raise FileError("column_misnamed", column=_STATUS, line=1, value=name)
    return Layout(separator, tuple(header), tuple(columns))


def _plate_kind(position: int, sample: Iterable[Sequence[str]]) -> str:
    values = _values(position, sample)
    families = sum(map(_names_family, values))
    return "plate_family" if families > sum(find_category(value) is not None for value in values) else "plate_category"


def _holds_statuses(position: int, sample: Iterable[Sequence[str]]) -> bool:
    values = _values(position, sample)
    return 2 * sum(fold_name(value) in STATUSES for value in values) > len(values)


def _values(position: int, sample: Iterable[Sequence[str]]) -> set[str]:
    """The different values of a column, but for empty cells and texts too long for a word."""
    cells = {record[position].strip() for record in sample if len(record) > position}
    return {cell for cell in cells if 0 < len(cell) <= MAX_NAME_CHARACTERS}


def _names_family(value: str) -> bool:
    try:
        return find_family(value) is not None
    except PlateError:  # "new", which is refused by name, row by row
        return True
