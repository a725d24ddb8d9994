"""The first sheet of an Excel workbook (``.xlsx``, ECMA-376) as CSV, in bounded memory: its shared strings lie on disk.

The first is the first that is shown: whoever drops the file knows of no other.

Python's expat reads the parts as a stream. What can be silently wrong in a sheet is refused: formulas, whose values
may be out of date or missing, and merged cells, which hide the values of all but one.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from tempfile import TemporaryFile
from typing import IO, Final

from ingest.errors import FileError
from ingest.reading.number_formats import Format, format_of
from ingest.reading.workbook_parts import TOO_COMPLEX, Archive, Attributes, damage_told, drain, fed, local_name
from ingest.reading.workbook_rows import MAX_CELLS_BEYOND, USUAL_COLUMNS, Hidden, Merges, Rows
from ingest.reading.workbook_strings import SharedStrings

MAX_WORKBOOK_BYTES: Final = 200 * 1024**2
MAX_SHEETS: Final = 1024
MAX_RELATIONSHIPS: Final = 8192
MAX_FORMATS: Final = 4096
MAX_STYLES: Final = 65_536
"""Number formats, and styles of cells: Excel takes some 250, and 65,490."""

_SIGNATURES: Final = {"xl/workbook.bin": "file_is_xlsb", "content.xml": "file_is_ods"}
_EXCELS: Final = re.compile(r"xl[/\\]").match
_HIDDEN: Final = frozenset(("hidden", "veryHidden"))
_BREAKS: Final = re.compile(r"[\r\n]+")
_BREAK: Final = "\u2028"
"""Unicode's own line separator: breaks a cell, and no line of CSV. A space might join two numbers into one."""


class Workbook:
    """A workbook in a file. Raises FileError where it is none, or beyond bounds.

    hidden: the rows of the first sheet that it hides, once it was read.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self.hidden: Final = Hidden()
        self._archive = Archive(file)
        names = self._archive.names
        if "xl/workbook.xml" not in names:
            # Excel finds parts under names that few give them, and saves them under those that all do.
            other = "excel_damaged" if any(map(_EXCELS, names)) else "file_is_zip"
            raise FileError(next((_SIGNATURES[name] for name in _SIGNATURES if name in names), other))

    def csv_blocks(self) -> Iterator[bytes]:
        """The first sheet as CSV in UTF-8. Row n of the sheet is line n, whatever line breaks its cells hold."""
        written = 0
        with TemporaryFile() as texts, TemporaryFile() as places, damage_told():
            (sheet, *_), since_1904 = self._sheets()
            shared = SharedStrings(texts, places, self._archive.part("xl/sharedStrings.xml"))
            rows = Rows(shared, self._formats(), self.hidden, since_1904=since_1904)
            for line in _lines(rows.read(self._archive.part(sheet))):
                written += len(line)
                self._archive.require_amplified(written)
                yield line

    def sheets_unread(self) -> int:
        """Count the further sheets that are shown and hold anything."""
        with damage_told():
            (_, *others), _ = self._sheets()
        return sum(map(self._holds_cells, others))

    def _holds_cells(self, sheet: str) -> bool:
        """Return whether a sheet holds any value; one that cannot be read may."""
        filled: list[str] = []

        def start(name: str, _: Attributes) -> None:
            if name in ("v", "t"):
                filled.append(name)

        try:
            with damage_told():
                return any(filled for _ in fed(self._archive.part(sheet), start=start))
        except FileError as error:
            if error.code == TOO_COMPLEX:
                raise
            return True

    def require_header_unmerged(self) -> None:
        """Raises FileError where cells of the first row are merged, which leaves a header of holes."""
        with damage_told():
            (sheet, *_), _ = self._sheets()
            drain(fed(self._archive.part(sheet), start=Merges().start))

    def _sheets(self) -> tuple[list[str], bool]:
        """The parts that hold the sheets that are shown, each once, and whether the workbook's days begin in 1904."""
        ids: list[str] = []
        dated: list[bool] = []

        def workbook(name: str, attributes: Attributes) -> None:
            if name == "sheet" and attributes.get("state") not in _HIDDEN:
                ids.extend(value for key, value in attributes.items() if local_name(key) == "id")
                _require(len(ids) <= MAX_SHEETS)
            elif name == "workbookPr":
                dated.append(attributes.get("date1904") in ("1", "true"))

        targets: dict[str, str] = {}

        def relationships(name: str, attributes: Attributes) -> None:
            if name == "Relationship" and attributes["Type"].endswith("/worksheet"):
                targets[attributes["Id"]] = attributes["Target"]
                _require(len(targets) <= MAX_RELATIONSHIPS)

        drain(fed(self._archive.small_part("xl/workbook.xml"), start=workbook))
        drain(fed(self._archive.small_part("xl/_rels/workbook.xml.rels"), start=relationships))
        found = [targets[name] for name in ids if name in targets]
        if not found:
            raise FileError("excel_damaged")
        parts = list(dict.fromkeys(part[1:] if part.startswith("/") else f"xl/{part}" for part in found))
        if parts[0] not in self._archive.names:
            raise FileError("excel_damaged")
        return parts, any(dated)

    def _formats(self) -> list[Format]:
        """The number format of each style of a cell."""
        codes: dict[int, str] = {}
        formats: dict[int, Format] = {}
        styles: list[Format] = []
        inside: list[str] = []

        def start(name: str, attributes: Attributes) -> None:
            if name == "numFmt" and inside[-1:] == ["numFmts"]:
                codes[int(attributes["numFmtId"])] = attributes["formatCode"]
                _require(len(codes) <= MAX_FORMATS)
            elif name == "xf" and inside[-1:] == ["cellXfs"]:
                format_id = int(attributes.get("numFmtId", "0"))
                if format_id not in formats:
                    formats[format_id] = format_of(format_id, codes.get(format_id, ""))
                styles.append(formats[format_id])
                _require(len(styles) <= MAX_STYLES)
            inside.append(name)

        drain(fed(self._archive.small_part("xl/styles.xml"), start=start, end=lambda _: inside.pop()))
        return styles


def _require(within: bool) -> None:
    if not within:
        raise FileError(TOO_COMPLEX)


def _lines(rows: Iterable[tuple[int, list[str]]]) -> Iterator[bytes]:
    """Rows as lines of CSV; empty lines stand for the rows that are not there or hold nothing, so that numbers agree.

    A sheet leaves out the empty cells at the end of a row, which are there in CSV: each row is as wide as the first.
    """
    line = width = padded = 0
    for row, cells in rows:
        if not cells:  # borders alone make a row
            continue
        width = width or len(cells)
        missing = width - len(cells)
        if missing > 0:
            padded += missing
            _require(padded <= MAX_CELLS_BEYOND or width <= USUAL_COLUMNS)
            cells.extend([""] * missing)
        out = io.StringIO()
        out.write("\r\n" * (row - line - 1))
        csv.writer(out).writerow([_BREAKS.sub(_BREAK, cell) for cell in cells])
        yield out.getvalue().encode("utf-8", "replace")
        line = row
