"""The first sheet of an Excel workbook (``.xlsx``, ECMA-376) as CSV, in bounded memory: its shared strings lie on disk.

The first is the first that is shown: whoever drops the file knows of no other.

Python's expat reads the parts as a stream. What can be silently wrong in a sheet is refused: formulas, whose values
may be out of date or missing, and merged cells, which hide the values of all but one.
"""

from __future__ import annotations

import csv
import io
import os
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from struct import Struct
from tempfile import TemporaryFile
from typing import IO, Any, Final, NoReturn
from xml.parsers import expat
from zipfile import BadZipFile, ZipFile

from ingest.errors import FileError
from ingest.reading.unpacking import require_bounds
from ingest.reading.workbook_cells import Style, column_of, number, style

MAX_WORKBOOK_BYTES: Final = 200 * 1024**2
MAX_TEXT_BYTES: Final = 1024**3
"""Bytes that the distinct texts of a workbook may take on disk."""

MAX_SHEET_ROWS: Final = 1_048_576
MAX_CELL_CHARACTERS: Final = 32_767
MAX_ROW_CHARACTERS: Final = 1024 * 1024
"""Characters; Excel's bound, and ours."""

_BLOCK: Final = 64 * 1024
_MAX_HELD_BYTES: Final = 1024 * 1024
"""Bytes that expat may hold back, because a tag or attribute goes on."""

_REMEMBERED: Final = 2048
"""Texts at hand: the words that rows repeat. At 32,767 characters each they are still bounded."""
_SIGNATURES: Final = {"xl/workbook.bin": "file_is_xlsb", "content.xml": "file_is_ods"}
_EXCELS: Final = re.compile(r"xl[/\\]").match
_HIDDEN: Final = frozenset(("hidden", "veryHidden"))
_ESCAPED: Final = re.compile("_x([0-9A-Fa-f]{4})_")
"""A sign that XML cannot hold or would change, such as the ``_x000D_`` of Windows' line breaks (22.9.2.19)."""
_BREAKS: Final = re.compile(r"[\r\n]+")
_BREAK: Final = "\u2028"
"""Unicode's own line separator: breaks a cell, and no line of CSV. A space might join two numbers into one."""
_REFERENCE: Final = re.compile(r"[A-Z]+([0-9]+)").match
_DAMAGE: Final = (
    BadZipFile, zlib.error, EOFError, LookupError, NotImplementedError, OverflowError, RuntimeError, ValueError,
    expat.ExpatError,
)  # fmt: skip
"""What zipfile and expat raise on what is no workbook, a password's included."""

Attributes = dict[str, str]


class _Text:
    """The text of one element, put together from the pieces that expat gives. Raises FileError beyond a bound."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._length = 0

    def add(self, piece: str) -> None:
        self._length += len(piece)
        if self._length > MAX_CELL_CHARACTERS:
            raise FileError("excel_texts_too_large")
        self._pieces.append(piece)

    def take(self) -> str:
        text = "".join(self._pieces)
        self._pieces.clear()
        self._length = 0
        return _ESCAPED.sub(_sign, text) if "_x" in text else text


@contextmanager
def _damage_told() -> Iterator[None]:
    try:
        yield
    except _DAMAGE:
        raise FileError("excel_damaged") from None


def _sign(escaped: re.Match[str]) -> str:
    return chr(int(escaped[1], 16))


class Workbook:
    """A workbook in a file. Raises FileError where it is none, or beyond bounds."""

    def __init__(self, file: IO[bytes]) -> None:
        with _damage_told():
            self._zip = ZipFile(file)
        self._names = frozenset(self._zip.namelist())
        if "xl/workbook.xml" not in self._names:
            # Excel finds parts under names that few give them, and saves them under those that all do.
            other = "excel_damaged" if any(map(_EXCELS, self._names)) else "file_is_zip"
            raise FileError(next((_SIGNATURES[name] for name in _SIGNATURES if name in self._names), other))
        for part in self._zip.infolist():
            if not 0 <= part.header_offset < self._zip.start_dir:  # zipfile would seek there
                raise FileError("excel_damaged")
            require_bounds(part.compress_size, part.file_size, "excel_bomb")

    def csv_blocks(self) -> Iterator[bytes]:
        """The first sheet as CSV in UTF-8. Row n of the sheet is line n, whatever line breaks its cells hold."""
        with TemporaryFile() as texts, TemporaryFile() as places, _damage_told():
            (sheet, *_), since_1904 = self._sheets()
            shared = _SharedStrings(texts, places, self._parts("xl/sharedStrings.xml"))
            rows = _Rows(shared, self._styles(), since_1904=since_1904)
            yield from _lines(rows.read(self._parts(sheet)))

    def sheets_unread(self) -> int:
        """Count the further sheets that are shown and hold anything."""
        with _damage_told():
            (_, *others), _ = self._sheets()
        return sum(map(self._holds_cells, others))

    def _holds_cells(self, sheet: str) -> bool:
        """Return whether a sheet holds any value; one that cannot be read may."""
        filled: list[str] = []

        def start(name: str, _: Attributes) -> None:
            if name in ("v", "t"):
                filled.append(name)

        try:
            with _damage_told():
                return any(filled for _ in _fed(self._parts(sheet), start=start))
        except FileError:
            return True

    def require_header_unmerged(self) -> None:
        """Raises FileError where cells of the first row are merged, which leaves a header of holes."""
        with _damage_told():
            (sheet, *_), _ = self._sheets()
            _drain(_fed(self._parts(sheet), start=_Merges().start))

    def _sheets(self) -> tuple[list[str], bool]:
        """The parts that hold the sheets that are shown, and whether the workbook's days begin in 1904."""
        ids: list[str] = []
        dated: list[bool] = []

        def workbook(name: str, attributes: Attributes) -> None:
            if name == "sheet" and attributes.get("state") not in _HIDDEN:
                ids.extend(value for key, value in attributes.items() if _local(key) == "id")
            elif name == "workbookPr":
                dated.append(attributes.get("date1904") in ("1", "true"))

        targets: dict[str, str] = {}

        def relationships(name: str, attributes: Attributes) -> None:
            if name == "Relationship" and attributes["Type"].endswith("/worksheet"):
                targets[attributes["Id"]] = attributes["Target"]

        _drain(_fed(self._parts("xl/workbook.xml"), start=workbook))
        _drain(_fed(self._parts("xl/_rels/workbook.xml.rels"), start=relationships))
        found = [targets[name] for name in ids if name in targets]
        if not found:
            raise FileError("excel_damaged")
        parts = [part[1:] if part.startswith("/") else f"xl/{part}" for part in found]
        if parts[0] not in self._names:
            raise FileError("excel_damaged")
        return parts, any(dated)

    def _styles(self) -> list[Style]:
        """The style of each cell format."""
        codes: dict[int, str] = {}
        styles: list[Style] = []
        inside: list[str] = []

        def start(name: str, attributes: Attributes) -> None:
            if name == "numFmt":
                codes[int(attributes["numFmtId"])] = attributes["formatCode"]
            elif name == "xf" and inside[-1:] == ["cellXfs"]:
                format_id = int(attributes.get("numFmtId", "0"))
                styles.append(style(format_id, codes.get(format_id, "")))
            inside.append(name)

        _drain(_fed(self._parts("xl/styles.xml"), start=start, end=lambda _: inside.pop()))
        return styles

    def _parts(self, name: str) -> Iterator[bytes]:
        """A part's content; nothing where the workbook has no such part."""
        if name not in self._names:
            return
        with self._zip.open(name) as part:
            while block := part.read(_BLOCK):
                yield block


class _SharedStrings:
    """The texts that cells refer to by number, on disk."""

    _place: Final = Struct("<QI")

    def __init__(self, texts: IO[bytes], places: IO[bytes], part: Iterable[bytes]) -> None:
        self._texts, self._places = texts, places
        self._size = 0
        self._inside = self._phonetic = False
        self._text = _Text()
        _drain(_fed(part, start=self._start, end=self._end, text=self._take))
        texts.flush()
        places.flush()
        self.get = lru_cache(_REMEMBERED)(self._get)

    def _get(self, index: int) -> str:
        place = os.pread(self._places.fileno(), self._place.size, index * self._place.size) if index >= 0 else b""
        if len(place) < self._place.size:
            raise FileError("excel_damaged")
        start, length = self._place.unpack(place)
        return os.pread(self._texts.fileno(), length, start).decode()

    def _start(self, name: str, _: Attributes) -> None:
        if name == "rPh":  # how a text is pronounced, not what it says
            self._phonetic = True
        self._inside = name == "t" and not self._phonetic

    def _end(self, name: str) -> None:
        self._inside = False
        if name == "rPh":
            self._phonetic = False
        elif name == "si":
            text = self._text.take().encode("utf-8", "replace")
            self._places.write(self._place.pack(self._size, len(text)))
            self._texts.write(text)
            self._size += len(text)
            if self._size > MAX_TEXT_BYTES:
                raise FileError("excel_texts_too_large")

    def _take(self, text: str) -> None:
        if self._inside:
            self._text.add(text)


class _Merges:
    """Merged cells are refused, those of the header by a code of their own."""

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "mergeCell":
            found = _REFERENCE(attributes["ref"])
            row = int(found[1]) if found else 1
            raise FileError("excel_header_merged" if row == 1 else "excel_cells_merged", line=row)


class _Rows:
    """The rows of a sheet while it is read."""

    def __init__(self, shared: _SharedStrings, styles: list[Style], *, since_1904: bool) -> None:
        self._shared, self._styles, self._since_1904 = shared, styles, since_1904
        self._merges = _Merges()
        self._done: list[tuple[int, list[str]]] = []
        self._row = 0
        self._cells: list[str] = []
        self._column = -1
        self._type = ""
        self._style = Style()
        self._in_cell = self._inside = False
        self._text = _Text()
        self._length = 0

    def read(self, part: Iterable[bytes]) -> Iterator[tuple[int, list[str]]]:
        """Each row's number and its cells, the absent ones empty."""
        for _ in _fed(part, start=self._start, end=self._end, text=self._take):
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
            self._style = self._styles[at] if 0 <= at < len(self._styles) else Style()
        elif name in ("v", "t"):
            self._inside = True
        elif name == "row":
            before, self._row = self._row, int(attributes.get("r", self._row + 1))
            self._column = -1
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
            self._done.append((self._row, self._cells))
            self._cells, self._length = [], 0

    def _put(self, cell: str) -> None:
        self._length += len(cell)
        if self._length > MAX_ROW_CHARACTERS:
            raise FileError("record_too_long", line=self._row)
        self._cells.extend([""] * (self._column - len(self._cells)))
        self._cells[self._column :] = [cell]

    def _take(self, text: str) -> None:
        if self._inside and self._type != "phonetic":
            self._text.add(text)

    def _value(self, text: str) -> str:
        match self._type:
            case "s":
                return self._shared.get(int(text))
            case "n":
                return number(text.strip(), self._style, since_1904=self._since_1904)
            case "b":
                return "TRUE" if text.strip() == "1" else "FALSE"
            case _:  # a text in its place, an ISO date, an error such as #N/A
                return text


def _lines(rows: Iterable[tuple[int, list[str]]]) -> Iterator[bytes]:
    """Rows as lines of CSV; empty lines stand for the rows that are not there or hold nothing, so that numbers agree.

    A sheet leaves out the empty cells at the end of a row, which are there in CSV: each row is as wide as the first.
    """
    line = width = 0
    for row, cells in rows:
        if not cells:  # borders alone make a row
            continue
        width = width or len(cells)
        cells.extend([""] * (width - len(cells)))
        out = io.StringIO()
        out.write("\r\n" * (row - line - 1))
        csv.writer(out).writerow([_BREAKS.sub(_BREAK, cell) for cell in cells])
        yield out.getvalue().encode("utf-8", "replace")
        line = row


def _fed(
    part: Iterable[bytes],
    *,
    start: Callable[[str, Attributes], None],
    end: Callable[[str], Any] | None = None,
    text: Callable[[str], None] | None = None,
) -> Iterator[None]:
    """Read a part, stopping after each block so that what was found can be taken. Names come without their prefix."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _no_doctype
    parser.StartElementHandler = lambda name, attributes: start(_local(name), attributes)
    if end:
        parser.EndElementHandler = lambda name: end(_local(name))
    if text:
        parser.CharacterDataHandler = text
    fed = 0
    for block in part:
        parser.Parse(block)
        fed += len(block)
        if fed - parser.CurrentByteIndex > _MAX_HELD_BYTES:
            raise FileError("excel_damaged")
        yield
    if fed:
        parser.Parse(b"", True)
        yield


def _no_doctype(*_: object) -> NoReturn:
    """No part of a workbook has one; in one, a few bytes could expand to gigabytes."""
    raise FileError("excel_damaged")


def _drain(read: Iterator[None]) -> None:
    for _ in read:
        pass


def _local(name: str) -> str:
    return name.rpartition(":")[2]
