"""The rows of the directorate's file, format version 1: text in, violations or rejects out. Knows nothing of AWS."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from hashlib import blake2b
from itertools import chain
from typing import Any, Final, NamedTuple

import orjson

from ingest import cells
from ingest.errors import CellError, FileError
from ingest.layout import COLUMNS, REQUIRED, Layout
from shared.domain.plate import PlateError, from_parts
from shared.domain.time import from_text, to_text
from shared.domain.violation import OPEN, Violation, make_version
from shared.stores.violations import Row

FORMULA_SIGNS: Final = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet take a cell for a formula; a ``'`` before it makes it text."""

OTHER: Final = "other"

_READERS: Final[dict[str, Callable[[str], Any]]] = {
    "violation_no": cells.violation_no,
    "plate_family": cells.family,
    "plate_governorate": cells.governorate,
    "plate_category": cells.category,
    "plate_letter": str,
    "plate_number": str,
    "violation_code": cells.code,
    "violation_title": cells.text,
    "legal_ref": cells.legal_ref,
    "amount": cells.amount,
    "amount_due": cells.amount_due,
    "doubled_at": cells.date,
    "occurred_at": cells.date,
    "recorded_at": cells.date,
    "sector_code": cells.code,
    "sector_name": cells.text,
    "sector_governorate": cells.governorate,
    "place": cells.text,
    "status": cells.status,
    "paid_at": cells.date,
    "receipt_no": cells.text,
    "updated_at": cells.date,
}
_PLATE_COLUMNS: Final = {
    "family": "plate_family",
    "governorate": "plate_governorate",
    "letter": "plate_letter",
    "number": "plate_number",
}
_VERSION: Final = Violation._fields.index("version")
_SETTLEMENT: Final = Violation._fields.index("held_by")


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

    origin: live or backlog. announce_from: rows recorded earlier are not news.
    """

    file_id: str
    origin: str
    last_modified: str
    announce_from: str


def records(lines: Iterable[str], separator: str, first_line: int = 1) -> Iterator[tuple[int, list[str]]]:
    """The records of CSV text with the line each begins on; empty ones are left out.

    lines: with their ends, broken as ``io.StringIO(text, newline="")`` breaks them.
    Raises FileError for a field of more than 128 KiB or a quoted one that never ends.
    """
    # An open quote swallows this empty line; otherwise it is the last record, and empty.
    reader = csv.reader(chain(lines, ("\n",)), delimiter=separator)
    record: list[str] = []
    begins = after = first_line
    try:
        for record in reader:
            begins, after = after, first_line + reader.line_num
            if any(record):
                yield begins, [_without_mark(cell) for cell in record] if "'" in "".join(record) else record
    except csv.Error:
        raise FileError("record_too_long", line=after) from None
    if record:
        raise FileError("quote_unclosed", line=begins)


def _without_mark(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell[1:2] in FORMULA_SIGNS else cell


class Parser:
    """Rows of one file. ``warnings`` gathers what was accepted but should be told."""

    def __init__(self, layout: Layout, source: Source) -> None:
        self.warnings = Notices()
        self._source = source
        self._width = len(layout.columns)
        self._steps = tuple(
            (column.name, layout.columns.index(column.name), _READERS[column.name], column.name in REQUIRED)
            for column in COLUMNS
            if column.name in layout.columns
        )
        # One typing error in a year would freeze a row for ever: nothing later could be newer. Counted from the file's
        # own date, so that a chunk that runs again judges the same.
        self._latest = to_text(from_text(source.last_modified) + timedelta(days=1))

    def parse(self, line: int, record: list[str]) -> Row | Reject:
        """The row of a record, or why it is none. Never raises, whatever the cells hold."""
        column = ""
        values: dict[str, Any] = {}
        try:
            if len(record) != self._width:
                self._check_width(record)
            for column, position, read, required in self._steps:
                cell = record[position].strip()
                if cell:
                    if len(cell) > cells.LONGEST_CELL:
                        raise CellError("text_too_long")
                    values[column] = read(cell)
                elif required:
                    raise CellError("missing")
            column = "updated_at"
            if values.get(column, "") > self._latest:
                raise CellError("updated_at_ahead")
            return self._row(line, values)
        except CellError as error:
            return Reject(line, column, error.code, record)
        except PlateError as error:
            return Reject(line, _PLATE_COLUMNS[error.field], error.code, record)

    def _check_width(self, record: list[str]) -> None:
        if len(record) < self._width:
            raise CellError("cells_missing")
        if any(record[self._width :]):
            raise CellError("cells_too_many")

    def _row(self, line: int, values: dict[str, Any]) -> Row:
        source, get = self._source, values.get
        plate = from_parts(
            values["plate_family"], values["plate_governorate"], get("plate_letter"), values["plate_number"]
        )
        recorded_at = get("recorded_at")
        if recorded_at is None:
            recorded_at = values["occurred_at"]
            self.warnings.add("recorded_at", "recorded_at_defaulted", 1, line)
        category = get("plate_category")
        if category is None and "plate_category" in values:
            category = OTHER
            self.warnings.add("plate_category", "category_other", 1, line)
        updated_at = get("updated_at")
        violation = Violation(
            violation_no=values["violation_no"],
            plate_key=plate.key,
            code=values["violation_code"],
            amount=values["amount"],
            occurred_at=values["occurred_at"],
            recorded_at=recorded_at,
            sector_code=values["sector_code"],
            version=make_version(updated_at, source.last_modified, line),
            status=get("status", OPEN),
            category=category,
            title=get("violation_title"),
            legal_ref=get("legal_ref"),
            amount_due=get("amount_due"),
            doubled_at=get("doubled_at"),
            sector_name=get("sector_name"),
            sector_governorate=get("sector_governorate"),
            place=get("place"),
            counter_paid_at=get("paid_at"),
            counter_receipt_no=get("receipt_no"),
        )
        return Row(
            violation,
            content(violation),
            updated_at is not None,
            f"{source.file_id}#{line}",
            source.origin,
            recorded_at >= source.announce_from,
        )


def content(violation: Violation) -> str:
    """A digest of everything the directorate wrote but the version: equal for rows that say the same."""
    said = orjson.dumps((violation[:_VERSION], violation[_VERSION + 1 : _SETTLEMENT]))
    return blake2b(said, digest_size=16).hexdigest()
