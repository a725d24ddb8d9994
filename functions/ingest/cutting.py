"""Finding where a file can be cut: after a record, never inside a quoted field, and what its first records say.

The records are found by the very reader that will read the chunks, so that both see the same ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import sha256
from itertools import chain
from typing import Final, NamedTuple

from ingest.errors import FileError
from ingest.feed import Notices, Parser, Reject, Source, records
from ingest.layout import Layout, find_separator, read_header

MOST_ROWS: Final = 5_000
MOST_BYTES: Final = 8 * 1024 * 1024
"""A chunk ends with the record that reaches either."""

LONGEST_LINE: Final = 1024 * 1024
CHECKED_RECORDS: Final = 5_000
MOST_BAD: Final = 0.20
"""A file of which a larger share of the first records is bad is refused: it is not what it says, or not ours."""

_BOM: Final = b"\xef\xbb\xbf"
# gzip, ZIP and with it Excel, PDF, PNG, the older Excel, UTF-16
_NOT_PLAIN: Final = (b"\x1f\x8b", b"PK\x03\x04", b"%PDF", b"\x89PNG", b"\xd0\xcf\x11\xe0", b"\xff\xfe", b"\xfe\xff")


class Chunk(NamedTuple):
    """A part of a file that can be read by itself: bytes from start up to end, the line that it begins on."""

    number: int
    start: int
    end: int
    line: int


class Scan(NamedTuple):
    """What is known of a file once it was read through. checksum: SHA-256 of its bytes, in hexadecimal."""

    layout: Layout
    chunks: list[Chunk]
    rows: int
    checksum: str


class BadShareError(FileError):
    """Too many of the first records are bad. rejects: their reasons."""

    def __init__(self, rejects: Notices) -> None:
        super().__init__("too_many_bad_rows")
        self.rejects = rejects


class _Lines(Iterator[str]):
    """The lines of a file, as text with their ends. count, position: how many lines
    were given, and how many bytes they hold."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self.position = 0
        self.count = 0
        self._digest = sha256()
        self._lines = self._split(blocks)

    def __next__(self) -> str:
        line = next(self._lines)
        self.count += 1
        self.position += len(line)
        if self.count == 1:
            line = line.removeprefix(_BOM)
        try:
            return line.decode()
        except UnicodeDecodeError:
            raise FileError("not_utf8", line=self.count) from None

    @property
    def checksum(self) -> str:
        return self._digest.hexdigest()

    def _split(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        rest = b""
        first = True
        for block in blocks:
            if first and (block.startswith(_NOT_PLAIN) or b"\0" in block):
                raise FileError("not_text")
            first = False
            self._digest.update(block)
            lines = (rest + block).splitlines(keepends=True)
            # Even one that ends may go on: its CR may be half of a CRLF.
            rest = lines.pop() if lines else b""
            if len(rest) > LONGEST_LINE:
                raise FileError("record_too_long", line=self.count + len(lines) + 1)
            yield from lines
        if rest:
            yield rest


def scan(blocks: Iterable[bytes], source: Source) -> Scan:
    """Read a file through, in constant memory: its layout, and where to cut it into chunks.

    Raises FileError: the file is refused as a whole.
    """
    lines = _Lines(blocks)
    first = next(lines, "")
    if not first:
        raise FileError("file_empty")
    separator = find_separator(first)
    found = records(chain((first,), lines), separator)
    _, header = next(found)
    chunks: list[Chunk] = []
    sample: list[tuple[int, list[str]]] = []
    layout: Layout | None = None
    rows = before = 0
    start, line = lines.position, lines.count + 1
    for begins, record in found:
        rows += 1
        if layout is None:
            sample.append((begins, record))
            if rows == CHECKED_RECORDS:
                layout = _checked(separator, header, sample, source)
        if rows - before == MOST_ROWS or lines.position - start >= MOST_BYTES:
            chunks.append(Chunk(len(chunks) + 1, start, lines.position, line))
            start, line, before = lines.position, lines.count + 1, rows
    if layout is None:
        layout = _checked(separator, header, sample, source)
    if rows > before:
        chunks.append(Chunk(len(chunks) + 1, start, lines.position, line))
    return Scan(layout, chunks, rows, lines.checksum)


def _checked(separator: str, header: list[str], sample: list[tuple[int, list[str]]], source: Source) -> Layout:
    """The layout of a file whose first records read as they should. Raises FileError."""
    layout = read_header(header, separator, [record for _, record in sample])
    if not sample:
        raise FileError("no_rows")
    parser = Parser(layout, source)
    rejects = Notices()
    bad = 0
    for line, record in sample:
        outcome = parser.parse(line, record)
        if isinstance(outcome, Reject):
            bad += 1
            rejects.add(outcome.column, outcome.code, 1, outcome.line)
    if bad > MOST_BAD * len(sample):
        raise BadShareError(rejects)
    return layout
