"""The parts of a workbook's archive, read as streams of XML, with bounds on what a small file may ask of us.

The bounds hold whatever a part says of itself: they count what is read. A part costs time by its tags, and memory by
its depth, its names and what it keeps open; a sheet of rows has many tags, and little of all else.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import IO, Any, Final, NoReturn
from xml.parsers import expat
from zipfile import BadZipFile, ZipFile

from ingest.errors import FileError
from ingest.reading.unpacking import require_bounds

TOO_COMPLEX: Final = "excel_too_complex"

MAX_DEPTH: Final = 100
"""Elements in one another. Those of a sheet are ten deep."""

MAX_NAMES: Final = 4096
"""Different names of elements and attributes in one part, and so the attributes of one element."""

MAX_TAGS: Final = 400_000_000
UNSUSPICIOUS_TAGS: Final = 200_000
MAX_TAGS_A_BYTE: Final = 32
"""Tags that are read of a workbook: so many in all, and beyond the first so many for each byte of the archive. A full
sheet of texts has 180 million; rows that differ in nothing but their numbers have twenty a byte."""

MAX_DIRECTORY_BYTES: Final = 1024 * 1024
"""Bytes of the archive's table, which is read as a whole: ten thousand entries and more."""

MAX_SMALL_PART_BYTES: Final = 64 * 1024**2
MAX_SMALL_PART_TAGS: Final = 1_000_000
"""Bytes and tags of a part that is held in memory: the list of sheets, their places, the styles."""

_BLOCK: Final = 64 * 1024
_MAX_HELD_BYTES: Final = 1024 * 1024
"""Bytes that expat may hold back, because a tag or attribute goes on."""

_DAMAGE: Final = (
    BadZipFile, zlib.error, EOFError, LookupError, NotImplementedError, OverflowError, RuntimeError, ValueError,
    expat.ExpatError,
)  # fmt: skip
"""What zipfile and expat raise on what is no workbook, a password's included."""

Attributes = dict[str, str]


@contextmanager
def damage_told() -> Iterator[None]:
    """Raises FileError for what only a damaged workbook raises."""
    try:
        yield
    except _DAMAGE:
        raise FileError("excel_damaged") from None


class Archive:
    """The archive of a workbook. Raises FileError where it is none, or beyond bounds.

    tags: how many were read so far, of all its parts.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self.tags = 0
        with damage_told():
            self._size = file.seek(0, 2)
            self._zip = ZipFile(_BoundedReads(file))
        parts = self._zip.infolist()
        self.names: Final = frozenset(self._zip.namelist())
        for part in parts:
            if not 0 <= part.header_offset < self._zip.start_dir:  # zipfile would seek there
                raise FileError("excel_damaged")
            require_bounds(part.compress_size, part.file_size, "excel_bomb")
        require_bounds(self._size, sum(part.file_size for part in parts), "excel_bomb")

    def require_amplified(self, written: int) -> None:
        """Raises FileError where so many bytes of CSV are more than rows of a workbook of this size can be."""
        require_bounds(self._size, written, TOO_COMPLEX)

    def part(self, name: str) -> Iterator[bytes]:
        """A part's content; nothing where the workbook has no such part."""
        if name not in self.names:
            return
        most = min(UNSUSPICIOUS_TAGS + MAX_TAGS_A_BYTE * self._size, MAX_TAGS)
        with self._zip.open(name) as part:
            while block := part.read(_BLOCK):
                self.tags += block.count(b"<")
                if self.tags > most:
                    raise FileError(TOO_COMPLEX)
                yield block

    def small_part(self, name: str) -> Iterator[bytes]:
        """The content of a part of which much is held in memory."""
        if name in self.names and self._zip.getinfo(name).file_size > MAX_SMALL_PART_BYTES:
            raise FileError(TOO_COMPLEX)
        before = self.tags
        for block in self.part(name):
            if self.tags - before > MAX_SMALL_PART_TAGS:
                raise FileError(TOO_COMPLEX)
            yield block


class _BoundedReads:
    """A file of which nobody reads much at once: zipfile takes the archive's table whole, however long it is."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        content = self._file.read(MAX_DIRECTORY_BYTES + 1 if size < 0 else min(size, MAX_DIRECTORY_BYTES + 1))
        if len(content) > MAX_DIRECTORY_BYTES:
            raise FileError(TOO_COMPLEX)
        return content


def fed(
    part: Iterable[bytes],
    *,
    start: Callable[[str, Attributes], None],
    end: Callable[[str], Any] | None = None,
    text: Callable[[str], None] | None = None,
) -> Iterator[None]:
    """Read a part, stopping after each block so that what was found can be taken. Names come without their prefix."""
    names: dict[str, str] = {}
    local = _Local()
    depth = 0

    def starts(name: str, attributes: Attributes) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise FileError(TOO_COMPLEX)
        start(local[name], attributes)

    def ends(name: str) -> None:
        nonlocal depth
        depth -= 1
        if end:
            end(local[name])

    parser = expat.ParserCreate(intern=names)
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _no_doctype
    parser.StartElementHandler = starts
    parser.EndElementHandler = ends
    if text:
        parser.CharacterDataHandler = text
    given = 0
    for block in part:
        parser.Parse(block)
        given += len(block)
        if len(names) > MAX_NAMES or given - parser.CurrentByteIndex > _MAX_HELD_BYTES:
            raise FileError(TOO_COMPLEX)
        yield
    if given:
        parser.Parse(b"", True)
        yield


def drain(read: Iterator[None]) -> None:
    """Read a part to its end."""
    for _ in read:
        pass


class _Local(dict[str, str]):
    """Names without their prefix, each cut once; expat gives no more than the names of a part."""

    def __missing__(self, name: str) -> str:
        self[name] = local = local_name(name)
        return local


def local_name(name: str) -> str:
    """A name without its prefix."""
    return name.rpartition(":")[2]


def _no_doctype(*_: object) -> NoReturn:
    """No part of a workbook has one; in one, a few bytes could expand to gigabytes."""
    raise FileError(TOO_COMPLEX)
