"""Finding where a file can be cut: after a record, never inside a quoted field, and what its first records say.

The records are found by the very reader that will read the chunks, so that both see the same ones.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from functools import partial
from itertools import chain
from types import MappingProxyType
from typing import Final, NamedTuple

from ingest.errors import FileError
from ingest.format.header import (
    MAX_HEADER_CHARACTERS,
    SEPARATORS,
    Layout,
    Names,
    find_separator,
    is_of_rejects,
    read_header,
    repeats,
)
from ingest.format.judging import ColumnCheck, Criteria
from ingest.format.misreading import require_readable, require_readable_header
from ingest.format.parser import Reject, Sample, Source
from ingest.format.parsers import PARSERS
from ingest.reading.csv_records import Skimmed, has_digit, records, skim, skimmed_records

MAX_CHUNK_ROWS: Final = 5_000
MAX_CHUNK_BYTES: Final = 8 * 1024 * 1024
"""A chunk ends with the record that reaches either."""

MAX_LINE_BYTES: Final = 1024 * 1024
MAX_RECORD_BYTES: Final = 2 * MAX_LINE_BYTES
MAX_EMPTY_ROWS: Final = 1_048_576
"""Empty rows in a row: as many as a sheet has, which a spreadsheet saves where they were given borders."""

JUDGED_ROWS: Final = 20
"""Of every chunk but the first, at least so many rows are shown to the check of the columns, or twice as many."""

_BOM: Final = "\ufeff"
_EMPTY: Final = f"{''.join(SEPARATORS)}\r\n ".encode()

Keep = Callable[[int, bytes], None]
"""``keep(number, content)`` puts a chunk of a rewritten file where it can be loaded from."""


class Chunk(NamedTuple):
    """A part of a file that can be read by itself: bytes from start up to end, the line that it begins on.

    In a rewritten file they are bytes of the chunk that is kept, and the line is still the original's.
    """

    number: int
    start: int
    end: int
    line: int


class Scan(NamedTuple):
    """What is known of a file once it was read through."""

    layout: Layout
    chunks: list[Chunk]
    rows: int


class Rules(NamedTuple):
    """What a file is held to, by the stack's parameters and by whoever uploaded it.

    criteria: by which its columns are judged. max_bad_share, min_bad_rows: of its first records, more than both must be
    bad, else it is taken: a file of more is not what it says, or not ours. names: further ones of columns. judged_rows:
    see :data:`JUDGED_ROWS`.
    """

    criteria: Criteria = Criteria(timedelta(days=45))
    max_bad_share: float = 0.20
    min_bad_rows: int = 25
    names: Names = MappingProxyType({})
    judged_rows: int = JUDGED_ROWS


RULES: Final = Rules()
"""Those of a stack whose parameters were left as they are."""


class BadShareError(FileError):
    """Too many of the first records are bad. share: of them. sample: those rows, to be told with the refusal."""

    def __init__(self, share: float, sample: Sample) -> None:
        columns = dict.fromkeys(reject.column for reject in sample.rejects if reject.column)
        super().__init__("too_many_bad_rows", value=": ".join(filter(None, (f"{share:.1%}", ", ".join(columns)))))
        self.sample = sample


class _Spread:
    """Rows of a chunk, evenly spread over it, however many it turns out to have: from ``most`` to twice as many."""

    def __init__(self, most: int) -> None:
        self.rows: list[Skimmed] = []
        self._most, self._step = most, 1

    def take(self, row: Skimmed) -> int:
        """Keep a row. Returns how many rows later the next is due."""
        self.rows.append(row)
        step = self._step
        if len(self.rows) == 2 * self._most:
            del self.rows[1::2]
            self._step *= 2
        return step


class _Lines:
    """The lines of a file, with their ends. texts: read; encoded: as they stand. Both step through the same lines.

    count, position: how many were given, and how many bytes they hold. record: the position at which the record being
    read begins. keeping: whether the lines since the last :meth:`end_chunk` are held.
    """

    def __init__(self, blocks: Iterable[bytes], *, keeping: bool) -> None:
        self.position = self.record = 0
        self.count = 0
        self._after = self._empty_rows = self._empty_bytes = 0
        self._keeping = keeping
        self._kept: list[bytes] = []
        self.encoded = self._counted(blocks)
        self.texts = map(bytes.decode, self.encoded)

    def end_chunk(self) -> bytes:
        """The lines that were held, which are no longer."""
        kept = b"".join(self._kept)
        self._kept.clear()
        return kept

    def _counted(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        for lines in self._split(blocks):
            for line in lines:
                self.count += 1
                self.position += len(line)
                if self.position - self.record > MAX_LINE_BYTES:
                    self._require_bound(line)
                if self._keeping:
                    self._kept.append(line)
                yield line

    def _require_bound(self, line: bytes) -> None:
        """Raises FileError where the record being read is too long; empty rows before it are no part of it."""
        if self._after != self.record:
            self._after, self._empty_rows, self._empty_bytes = self.record, 0, 0
        if not line.strip(_EMPTY):
            self._empty_rows += 1
            self._empty_bytes += len(line)
        read = self.position - self.record - self._empty_bytes
        if read > MAX_RECORD_BYTES or self._empty_rows > MAX_EMPTY_ROWS:
            raise FileError("record_too_long", line=self.count)

    def _split(self, blocks: Iterable[bytes]) -> Iterator[list[bytes]]:
        """The lines that end in each block, all of them UTF-8."""
        rest = b""
        for block in blocks:
            lines = (rest + block).splitlines(keepends=True)
            if b"\0" in block:
                at = next(index for index, line in enumerate(lines) if b"\0" in line)
                raise FileError("nul_byte", line=self.count + at + 1)
            # Even one that ends may go on: its CR may be half of a CRLF.
            rest = lines.pop() if lines else b""
            if len(rest) > MAX_LINE_BYTES:
                raise FileError("record_too_long", line=self.count + len(lines) + 1)
            yield from self._readable(lines)
        if rest:
            yield from self._readable([rest])

    def _readable(self, lines: list[bytes]) -> Iterator[list[bytes]]:
        try:
            b"".join(lines).decode()
        except UnicodeDecodeError as error:
            # What is wrong on an earlier line is told first.
            yield lines[: len(error.object[: error.start + 1].splitlines()) - 1]
            raise FileError("not_utf8", line=self.count + 1) from None
        yield lines


def scan(
    blocks: Iterable[bytes],
    source: Source,
    rules: Rules = RULES,
    *,
    unproven: bool = False,
    keep: Keep | None = None,
) -> Scan:
    """Read a file through, in constant memory: its layout, and where to cut it into chunks.

    blocks: CSV text in UTF-8. unproven: see :class:`ingest.reading.csv_text.CsvText`. keep: where the chunks of a
    rewritten file go.
    Raises FileError: the file is refused as a whole.
    """
    lines = _Lines(blocks, keeping=keep is not None)
    top = _top(lines.texts)
    if not top:
        raise FileError("file_empty")
    require_readable_header(re.split(f"[{''.join(SEPARATORS)}]", top[:MAX_HEADER_CHARACTERS]))
    separator = find_separator(top, rules.names)
    top_lines = io.StringIO(top, newline="")
    _, header = next(records(chain(top_lines, lines.texts), separator))
    if next(top_lines, None) is not None:  # a lone quote inside a name, so that what follows is no part of it
        raise FileError("quote_unclosed", line=1)
    lines.end_chunk()
    sample: list[tuple[int, list[str]]] = []
    found: Iterator[Skimmed | None] = map(sample.append, records(lines.texts, separator, lines.count + 1))
    layout: Layout | None = None
    check: ColumnCheck | None = None
    chunks: list[Chunk] = []
    rows = 0
    while True:
        before, start, line = rows, lines.position, lines.count + 1
        spread, due = _Spread(rules.judged_rows), before + 1
        for row in found:
            rows += 1
            lines.record = lines.position
            if rows == due and row:
                due += spread.take(row)
            if rows - before == MAX_CHUNK_ROWS or lines.position - start >= MAX_CHUNK_BYTES:
                break
        if layout is None or check is None:
            layout = _layout(separator, header, sample, source, rules, unproven=unproven)
            check = ColumnCheck(layout, source, rules.criteria)
            check.look(sample)
            check.require()
            _require_good(layout, sample, source, rules)
            sample.clear()
            found = skim(lines.encoded, separator, lines.count + 1, partial(repeats, layout))
        check.look(list(skimmed_records(spread.rows, separator)))
        if rows == before:
            check.require()
            return Scan(layout, chunks, rows)
        # Its last record's end, not the file's: thousands of empty rows may follow.
        number, end, content = len(chunks) + 1, lines.record, lines.end_chunk()
        if keep:
            keep(number, content[: end - start])
        chunks.append(Chunk(number, 0 if keep else start, end - start if keep else end, line))


def _top(lines: Iterator[str]) -> str:
    """The lines of the header, of which each name in quotes may have several."""
    top = next(lines, "").removeprefix(_BOM)
    while top.count('"') % 2 and len(top) < MAX_HEADER_CHARACTERS and (line := next(lines, "")):
        top += line
    return top


def _layout(
    separator: str,
    header: list[str],
    sample: list[tuple[int, list[str]]],
    source: Source,
    rules: Rules,
    *,
    unproven: bool,
) -> Layout:
    """The layout of a file whose text reads as it should. Raises FileError."""
    rows = [record for _, record in sample]
    layout = read_header(PARSERS[source.origin].columns, header, separator, rows, rules.names)
    if not sample:
        raise FileError("no_rows")
    for line, record in sample:
        if not has_digit("".join(record).encode()):
            repeats(layout, line, record)
    require_readable(layout, rows, unproven=unproven)
    return layout


def _require_good(layout: Layout, sample: list[tuple[int, list[str]]], source: Source, rules: Rules) -> None:
    """Raises BadShareError where too many of the first rows are bad; rejects that come back mended are taken as are."""
    most, unread = max(rules.max_bad_share * len(sample), rules.min_bad_rows), len(sample)
    rejects: list[Reject] = []
    parser = PARSERS[source.origin](layout, source)
    for line, record in sample if not is_of_rejects(layout.header) else ():
        if len(rejects) + unread <= most:  # whatever the others are
            return
        unread -= 1
        outcome = parser.parse(line, record)
        if isinstance(outcome, Reject):
            rejects.append(outcome)
    if len(rejects) > most:
        instant = source.as_of or source.last_modified
        raise BadShareError(len(rejects) / len(sample), Sample(layout, instant, rejects))
