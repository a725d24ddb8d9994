"""Any file that is taken, as the CSV text in UTF-8 that it stands for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from tempfile import TemporaryFile
from typing import Final, NamedTuple

from ingest.errors import FileError
from ingest.reading import unpacking
from ingest.reading.decoding import UTF8, WINDOWS_1256, as_utf8, encoding_of
from ingest.reading.file_types import GZIP, TEXT, ZIP, file_type
from ingest.reading.unpacking import gunzip
from ingest.reading.workbook import MAX_WORKBOOK_BYTES, Workbook
from ingest.reading.workbook_rows import Hidden

_HEAD: Final = 64
_NO_HEADER: Final = frozenset(("header_missing", "column_missing", "column_twice", "no_rows"))


class CsvText(NamedTuple):
    """A file as CSV text in UTF-8. rewritten: its bytes are not those of the file, so chunks of it must be kept.

    unproven: its encoding was declared, and every byte would read in it. sheets_unread: :meth:`Workbook.sheets_unread`.
    hidden: the rows that a sheet hides, once the blocks were read.
    """

    blocks: Iterator[bytes]
    rewritten: bool
    unproven: bool
    sheets_unread: int = 0
    hidden: Hidden = Hidden()


@contextmanager
def as_csv_text(blocks: Iterable[bytes], size: int, declared: str) -> Iterator[CsvText]:
    """Open a file as CSV text. size: its bytes. declared: its encoding where no byte order mark says.

    Raises FileError for a type or an encoding that is not taken, and on reading for what is damaged or too large.
    """
    head, blocks = _peek(blocks)
    found = file_type(head)
    if size > (MAX_WORKBOOK_BYTES if found == ZIP else unpacking.MAX_FILE_BYTES):
        raise FileError("excel_too_large" if found == ZIP else "file_too_large")
    if found == ZIP:
        with _sheet(blocks) as sheet:
            yield sheet
        return
    if found == GZIP:
        head, blocks = _peek(gunzip(blocks))
        if file_type(head) != TEXT:
            raise FileError("file_is_archive")
    encoding = encoding_of(head, declared)
    if encoding == UTF8:
        yield CsvText(blocks, rewritten=found == GZIP, unproven=False)
    else:
        yield CsvText(as_utf8(blocks, encoding), rewritten=True, unproven=encoding == WINDOWS_1256)


@contextmanager
def _sheet(blocks: Iterable[bytes]) -> Iterator[CsvText]:
    with TemporaryFile() as file:
        file.writelines(blocks)
        workbook = Workbook(file)
        try:
            unread = workbook.sheets_unread()
            yield CsvText(workbook.csv_blocks(), True, False, unread, workbook.hidden)
        except FileError as error:
            # A sheet tells of its merged cells only after its rows.
            if error.code in _NO_HEADER:
                workbook.require_header_unmerged()
            raise


def _peek(blocks: Iterable[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """The first bytes of a file, and all of it."""
    rest = iter(blocks)
    head = b""
    while len(head) < _HEAD and (block := next(rest, None)) is not None:
        head += block
    return head, chain((head,), rest)
