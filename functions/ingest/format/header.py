"""Read the header of a file of the directorate: which column of the format stands where.

Columns stand in any order under their English name or an Arabic one, compared after folding.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from types import MappingProxyType
from typing import Final, NamedTuple

from ingest.errors import FileError
from ingest.format.columns import ALL_COLUMNS, AS_OF, PLATE_KIND, REPORTED, Column
from shared.domain.plate import PlateError, find_category, find_family
from shared.domain.text import fold_name

SEPARATORS: Final = (",", ";", "\t")
MAX_COLUMNS: Final = 200
MAX_HEADER_CHARACTERS: Final = 16_384
MAX_NAME_CHARACTERS: Final = 100
"""No word of the format is longer, and folding a longer text can take long."""

_BY_HEADER: Final = {fold_name(name): column.name for column in ALL_COLUMNS for name in (column.name, *column.arabic)}
_REPORTED: Final = frozenset(map(fold_name, REPORTED))
_AS_OF: Final = fold_name(AS_OF)
_ADDED: Final = _REPORTED - {_AS_OF}
"""The columns by which a file of rejects is known: an earlier one had no other."""
_PLATE_KIND: Final = fold_name(PLATE_KIND)
_KNOWN: Final = frozenset((*_BY_HEADER, _PLATE_KIND))

IGNORED: Final = "ignore"
"""Stands for a column that an operator has said means nothing."""

Names = Mapping[str, str]
"""Further names of columns, folded, each with our name or :data:`IGNORED`."""


def read_names(text: str) -> dict[str, str]:
    """Read the parameter ``ColumnNames``: ``<a file's name>=<our name, or ignore>``, with semicolons between them."""
    pairs = (each.rpartition("=") for each in text.split(";") if each.strip())
    return {fold_name(name): column.strip() for name, _, column in pairs}


class Layout(NamedTuple):
    """How one file is laid out. header: its cells as they stand.

    columns: our name for each, :data:`IGNORED`, or an empty text.
    """

    separator: str
    header: tuple[str, ...]
    columns: tuple[str, ...]

    @property
    def unknown(self) -> list[str]:
        """The headers that the format does not know."""
        pairs = zip(self.header, self.columns, strict=True)
        return [header for header, column in pairs if header.strip() and not column and not is_reported(header)]

    @property
    def named(self) -> dict[str, str]:
        """The columns that go by a name which an operator has given them, each with what it means."""
        pairs = zip(self.header, self.columns, strict=True)
        return {header: column for header, column in pairs if column and not _means(header, column)}

    @property
    def as_of(self) -> int | None:
        """Where the column stands of when each row was so, if the file has it: one of rejects has."""
        return next((at for at, header in enumerate(self.header) if fold_name(header) == _AS_OF), None)


def _means(header: str, column: str) -> bool:
    """Whether a name of the format is that of a column."""
    name = fold_name(header)
    return _BY_HEADER.get(name) == column or name == _PLATE_KIND


def is_of_rejects(header: Iterable[str]) -> bool:
    """Whether a file is one of rejects, mended or not."""
    return {fold_name(name) for name in header} >= _ADDED


def is_column(header: str) -> bool:
    """Whether a header is a name of a column, of whichever kind of file."""
    return len(header) <= MAX_NAME_CHARACTERS and fold_name(header) in _KNOWN


def is_reported(header: str) -> bool:
    """Whether a column is one that the rejects file added."""
    return fold_name(header) in _REPORTED


def find_separator(top: str, further: Names = MappingProxyType({})) -> str:
    """The separator of a header's lines: the one by which they name most columns. Raises FileError where none does."""
    counts = {separator: _known(top[:MAX_HEADER_CHARACTERS], separator, further) for separator in SEPARATORS}
    best = max(counts, key=lambda separator: counts[separator])
    if not counts[best]:
        raise FileError("header_missing", line=1)
    return best


def _known(top: str, separator: str, further: Names) -> int:
    cells = next(csv.reader(io.StringIO(top, newline=""), delimiter=separator), [])
    return sum(
        is_column(cell) or (bool(further) and fold_name(cell[:MAX_NAME_CHARACTERS]) in further) for cell in cells
    )


def read_header(
    known: Sequence[Column],
    header: Sequence[str],
    separator: str,
    sample: Iterable[Sequence[str]],
    further: Names = MappingProxyType({}),
) -> Layout:
    """The layout of a header. known: the columns of the kind of file. further: names that come before the format's.

    sample: records whose values decide what نوع اللوحة means.
    Raises FileError: a required column is missing, a column stands twice, or there are too many.
    """
    if len(header) > MAX_COLUMNS or sum(map(len, header)) > MAX_HEADER_CHARACTERS:
        raise FileError("columns_too_many", line=1)
    ours = {IGNORED, *(column.name for column in known)}
    names = [fold_name(cell) for cell in header]
    meant = [further.get(name) or _BY_HEADER.get(name, "") for name in names]
    columns = [column if column in ours else "" for column in meant]
    for position, name in enumerate(names):
        if name == _PLATE_KIND and name not in further:
            columns[position] = _plate_kind(position, sample)
    for column in known:
        if columns.count(column.name) > 1:
            raise FileError("column_twice", column=column.name, line=1)
    for column in known:
        if column.required and column.name not in columns:
            raise FileError("column_missing", column=column.name, line=1)
    return Layout(separator, tuple(header), tuple(columns))


def repeats(layout: Layout, line: int, record: Sequence[str]) -> bool:
    """Whether a row is a header, naming the same columns as the file's own, in whichever language.

    Raises FileError for one of columns in another order: of the rows below it no cell stands in its column.
    """
    if 2 * sum(map(is_column, record)) <= sum(map(bool, layout.columns)):
        return False
    names = [fold_name(cell) if len(cell) <= MAX_NAME_CHARACTERS else cell for cell in record]
    for name, column, own in zip_longest(names, layout.columns, layout.header, fillvalue=""):
        if _BY_HEADER.get(name, "") != column and name != fold_name(own):
            raise FileError("header_again", line=line)
    return True


def _plate_kind(position: int, sample: Iterable[Sequence[str]]) -> str:
    values = _values(position, sample)
    families = sum(map(_names_family, values))
    return "plate_family" if families > sum(find_category(value) is not None for value in values) else "plate_category"


def _values(position: int, sample: Iterable[Sequence[str]]) -> set[str]:
    """The different values of a column, but for empty cells and texts too long for a word."""
    cells = {record[position].strip() for record in sample if len(record) > position}
    return {cell for cell in cells if 0 < len(cell) <= MAX_NAME_CHARACTERS}


def _names_family(value: str) -> bool:
    try:
        return find_family(value) is not None
    except PlateError:  # "new", which is refused by name, row by row
        return True
