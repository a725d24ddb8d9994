"""The format under arbitrary content: nothing is lost or split by cutting, nothing makes the parser fail."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any
from unittest import mock

import orjson
from hypothesis import example, given
from hypothesis import strategies as st

from ingest import chunking, load_chunk
from ingest.chunking import RULES, Chunk, scan
from ingest.ending import EndingPorts
from ingest.errors import FileError
from ingest.format import cells
from ingest.format.header import Layout
from ingest.format.parser import Reject
from ingest.format.violations import ViolationParser
from ingest.reading.csv_records import records
from shared.domain.file import OUTCOMES, DoneChunk, File, FileVersion, Plan
from shared.domain.time import from_text
from shared.spreadsheet import original
from shared.stores.violation_rows import Row, doubling_day
from tests.support.feeds import GOOD, NAMES, REQUIRED, SOURCE, blocks

HEADER = ",".join(REQUIRED).encode() + b"\r\n"
AWKWARD = st.text(alphabet="a \u00a0\u3000\",;\t\r\n='é", max_size=80)
CELLS = st.one_of(
    st.text(max_size=30),
    st.text(alphabet="0123456789٠١٢٣٤٥٦٧٨٩۰۱,٬.٫-+/: eETZصمAPM\u200f", max_size=24),
    st.sampled_from(
        [*GOOD.values(), "", " ", "31/02/2026", "9999-12-31T23:59:59Z", "0001-01-01", "5e4", "جديد", "ß" * 300]
    ),
)


def _is_filled(record: Sequence[str]) -> bool:
    return any(cell.strip() for cell in record)


def in_parts(content: bytes, most_rows: int, block: int) -> tuple[list[Chunk], list[tuple[int, list[str]]]]:
    """Where a file is cut, and the records of all its chunks, each read by itself."""
    with mock.patch.multiple(chunking, MAX_CHUNK_ROWS=most_rows, require_readable=mock.DEFAULT):
        found = scan(blocks(content, block), SOURCE, RULES._replace(max_bad_share=1))
    parts: list[tuple[int, list[str]]] = []
    for chunk in found.chunks:
        text = content[chunk.start : chunk.end].decode()
        read = list(records(io.StringIO(text, newline=""), found.layout.separator, chunk.line))
        assert 1 <= len(read) <= most_rows
        parts += read
    assert len(parts) == found.rows
    return found.chunks, parts


def or_refusal(read: Callable[[], Any]) -> Any:
    """What a reading gives, or the code and line for which it is refused."""
    try:
        return read()
    except FileError as error:
        return error.code, error.line


@given(AWKWARD, st.integers(1, 5), st.integers(1, 40))
@example('"a\r\nb",c\r\n\r\n"', 1, 1)
@example("a\n \n,\u00a0\nb\n\u3000,a\n", 1, 40)
@example('a"b\n"c""d\n"\r"', 1, 3)
def test_chunks_read_one_by_one_are_the_file_read_at_once(text: str, most_rows: int, block: int) -> None:
    content = HEADER + text.encode()
    whole = or_refusal(lambda: list(records(io.StringIO(content.decode(), newline=""), ","))[1:])
    cut = or_refusal(lambda: in_parts(content, most_rows, block))
    if not whole:
        assert cut == ("no_rows", None)
    elif isinstance(whole, list):
        chunks, parts = cut
        assert parts == whole
        assert chunks[0].start == len(HEADER)
        assert chunks[-1].end <= len(content)
        assert all(before.end == after.start for before, after in pairwise(chunks))
    else:
        assert cut == whole


@given(
    st.lists(st.lists(AWKWARD, min_size=2, max_size=4).filter(_is_filled), min_size=1, max_size=12),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.integers(1, 4),
)
def test_what_another_writer_quoted_comes_back_whole(rows: list[list[str]], end: str, most_rows: int) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator=end, quoting=csv.QUOTE_ALL).writerows(rows)
    _, parts = in_parts(HEADER + out.getvalue().encode(), most_rows, 7)
    assert [record for _, record in parts] == [[original(cell) for cell in row] for row in rows]


@given(st.binary(max_size=200), st.integers(1, 50))
def test_any_bytes_are_read_or_refused(content: bytes, block: int) -> None:
    try:
        found = scan(blocks(HEADER + content, block), SOURCE)
    except FileError:
        return
    assert found.rows


@given(st.dictionaries(st.sampled_from(NAMES), CELLS, max_size=4), st.integers(0, 30))
@example({"occurred_at": "9999-12-31T23:59:59Z"}, 22)
def test_any_cells_are_a_row_or_a_reject(cells: dict[str, str], width: int) -> None:
    parser = ViolationParser(Layout(",", NAMES, NAMES), SOURCE)
    record = [{**GOOD, **cells}[name] for name in NAMES]
    record = (record + [""] * 8)[: max(width, len(record))] if width >= len(record) else record[:width]
    found = parser.parse(2, record)
    if isinstance(found, Reject):
        assert found.cells == record
        return
    violation = found.violation
    assert re.fullmatch(r"[^\W_/-]*[\w/-]*", violation.violation_no)
    assert 1 <= len(violation.violation_no) <= 32
    assert 1_000 <= violation.amount <= 100_000_000
    for instant in (violation.occurred_at, violation.recorded_at, violation.doubled_at, violation.counter_paid_at):
        assert instant is None or len(from_text(instant).isoformat()) == len(instant) == 25
    # What goes into a request as it stands needs no escaping.
    for plain in (violation.violation_no, violation.plate_key, violation.version, found.content, found.ref):
        assert orjson.dumps(plain).decode() == f'"{plain}"'
    doubling_day(violation)


@given(
    st.from_regex(
        r"20[0-9]{2}-[01][0-9]-[0-3][0-9]([T ][0-2][0-9]:[0-5][0-9](:[0-5][0-9])?(\+03:00)?)?", fullmatch=True
    )
)
@example("2007-07-01")
@example("2026-11-20 24:00")
def test_the_short_way_with_an_instant_reads_what_the_long_one_reads(cell: str) -> None:
    day, time = cells.plain_day(cell[:10]), cells.plain_time(cell[10:])
    if day and time:
        assert cells.date(cell) == day + time


@given(st.text(alphabet="09aZ/- _٣", max_size=34))
def test_a_plain_number_is_a_number_as_it_stands(cell: str) -> None:
    if cells.plain_number(cell):
        assert cells.violation_no(cell) == cell


class Outside:
    """The ledger, the table and the bucket as one chunk meets them. Every row that is written counts as unchanged."""

    def __init__(self, content: bytes, columns: tuple[str, ...], rows: int) -> None:
        self.content = content
        plan = Plan(",", columns, columns, 1, rows, SOURCE.last_modified, len(content), "", rewritten=False)
        self.entry = File(FileVersion("b", "live/a.csv", "1", "1"), "loading", SOURCE.last_modified, plan=plan)
        self.written: list[Row] = []
        self.kept: list[Any] = []
        self.done: DoneChunk | None = None

    def file(self, _: str) -> File:
        return self.entry

    def is_done(self, *_: object) -> bool:
        return False

    def chunk_done(self, _: str, chunk: DoneChunk, __: object) -> bool:
        self.done = chunk
        return True

    def part(self, *_: object) -> bytes:
        return self.content

    def put(self, _: str, content: bytes, __: str) -> None:
        self.kept.append(content)

    def write(self, rows: Sequence[Row]) -> list[str]:
        assert len({row.violation.violation_no for row in rows}) == len(rows) <= 100
        self.written += rows
        return ["unchanged"] * len(rows)


@given(st.lists(st.dictionaries(st.sampled_from(NAMES), CELLS, max_size=2), min_size=1, max_size=12), st.booleans())
def test_every_row_of_a_chunk_is_in_exactly_one_count(changes: list[dict[str, str]], alike: bool) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    for index, change in enumerate(changes):
        row = {**GOOD, "violation_no": GOOD["violation_no"] if alike else f"N-{index % 3}", **change}
        writer.writerow([row[name] for name in NAMES])
    expected = sum(_is_filled(cells) for cells in csv.reader(io.StringIO(out.getvalue(), newline="")))
    outside: Any = Outside(out.getvalue().encode(), NAMES, expected)

    ending = EndingPorts(outside, outside, lambda _: None, lambda: None, lambda: None)
    ports = load_chunk.Ports(
        ending,
        lambda _: outside,
        lambda: from_text(SOURCE.last_modified),
        lambda: 60.0,
        timedelta(days=45),
        lambda _: (),
    )
    counts = load_chunk.load("f00d", Chunk(1, 0, len(outside.content), 2), ports)

    assert set(counts) == set(OUTCOMES)
    assert sum(counts.values()) == expected
    assert counts["unchanged"] == len(outside.written)
    assert bool(outside.kept) == bool(counts["rejected"])
