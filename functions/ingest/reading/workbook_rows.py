"""The rows of a sheet while it is read: what each cell shows, in the order in which the sheet holds them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from ingest.errors import FileError
from ingest.reading.number_formats import GENERAL, Format, FormatError
from ingest.reading.workbook_cells import column_of, date_of_iso, number
from ingest.reading.workbook_parts import TOO_COMPLEX, Attributes, fed
from ingest.reading.workbook_strings import SharedStrings, Text

MAX_SHEET_ROWS: Final = 1_048_576
MAX_ROW_CHARACTERS: Final = 1024 * 1024
"""Characters; Excel's bound, and ours."""

USUAL_COLUMNS: Final = 256
MAX_CELLS_BEYOND: Final = 8_000_000
"""Cells beyond the usual columns in all rows together: one value far right makes a row of 16,384."""

_MAX_CODE_CHARACTERS: Final = 40
"""Characters of a number format that the report shows."""
_REFERENCE: Final = re.compile(r"[A-Z]+([0-9]+)").match
_TRUE: Final = frozenset(("1", "true"))


class Hidden:
    """The rows that a sheet hides and that hold values: how many, and the first one's number."""

    def __init__(self) -> None:
        self.rows = self.first = 0

    def add(self, row: int) -> None:
        self.first = self.first or row
        self.rows += 1


class Merges:
    """Merged cells are refused, those of the header by a code of their own."""

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "mergeCell":
            found = _REFERENCE(attributes["ref"])
            row = int(found[1]) if found else 1
            raise FileError("excel_header_merged" if row == 1 else "excel_cells_merged", line=row)


class Rows:
    """The rows of a sheet while it is read."""

    def __init__(self, shared: SharedStrings, formats: Sequence[Format], hidden: Hidden, *, since_1904: bool) -> None:
        self._shared, self._formats, self._hidden, self._since_1904 = shared, formats, hidden, since_1904
        self._merges = Merges()
        self._done: list[tuple[int, list[str]]] = []
        self._row = 0
        self._is_hidden = False
        self._cells: list[str] = []
        self._beyond = 0
        self._column = -1
        self._type = ""
        self._format = GENERAL
        self._in_cell = self._inside = False
        self._text = Text()
        self._length = 0

    def read(self, part: Iterable[bytes]) -> Iterator[tuple[int, list[str]]]:
        """Each row's number and its cells, the absent ones empty."""
        for _ in fed(part, start=self._start, end=self._end, text=self._take):
            yield from self._done
            self._done.clear()

    def _start(self, name: str, attributes: Attributes) -> None:
        if name == "c":
            before, self._column = self._column, column_of(attributes["r"]) if "r" in attributes else self._column + 1
            if self._column <= before:
                raise FileError("excel_damaged")
            self._in_cell = True
            self._type = attributes.get("t", "n")
            at = int(attributes.get("s", "0"))
            self._format = self._formats[at] if 0 <= at < len(self._formats) else GENERAL
        elif name in ("v", "t"):
            self._inside = True
        elif name == "row":
            before, self._row = self._row, int(attributes.get("r", self._row + 1))
            self._column = -1
            self._is_hidden = attributes.get("hidden") in _TRUE
            if not before < self._row <= MAX_SHEET_ROWS:
                raise FileError("excel_damaged")
        elif name == "f" and self._in_cell:  # not one of a condition or of a list of choices
            raise FileError("excel_formulas", line=self._row)
        elif name == "rPh":
            self._type = "phonetic"
        else:
            self._merges.start(name, attributes)

    def _end(self, name: str) -> None:
        if name in ("v", "t"):
            self._inside = False
        elif name == "c":
            self._in_cell = False
            text = self._text.take()
            if text and (cell := self._value(text)).strip():
                self._put(cell)
        elif name == "row":
            if self._cells and self._is_hidden:
                self._hidden.add(self._row)
            self._done.append((self._row, self._cells))
            self._cells, self._length = [], 0

    def _put(self, cell: str) -> None:
        self._length += len(cell)
        if self._length > MAX_ROW_CHARACTERS:
            raise FileError("record_too_long", line=self._row)
        missing = self._column - len(self._cells)
        if self._column >= USUAL_COLUMNS:
            self._beyond += missing + 1
            if self._beyond > MAX_CELLS_BEYOND:
                raise FileError(TOO_COMPLEX, line=self._row)
        self._cells.extend([""] * missing)
        self._cells.append(cell)

    def _take(self, text: str) -> None:
        if self._inside and self._type != "phonetic":
            self._text.add(text)

    def _value(self, text: str) -> str:
        try:
            match self._type:
                case "s":
                    return self._shown(self._shared.get(int(text)))
                case "n":
                    return number(text.strip(), self._format, since_1904=self._since_1904)
                case "b":
                    return "TRUE" if text.strip() == "1" else "FALSE"
                case "d":
                    return date_of_iso(text)
                case "e":
                    return text
                case _:  # a text in its place
                    return self._shown(text)
        except FormatError as error:
            code = error.code[:_MAX_CODE_CHARACTERS]
            raise FileError("excel_format_unreadable", line=self._row, value=code) from None

    def _shown(self, text: str) -> str:
        return text if self._format.text_as_is else self._format.text(text)
