"""Reading a file through: where it is cut, and for what it is refused."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest

from ingest import chunking
from ingest.chunking import RULES, BadShareError, Chunk, Rules, scan
from ingest.errors import FileError
from ingest.reporting.texts import message
from tests.support.feeds import GOOD, NAMES, REQUIRED, SOURCE, blocks, csv_text, good_rows


def refused(content: bytes) -> FileError:
    with pytest.raises(FileError) as caught:
        scan(blocks(content), SOURCE)
    assert message(caught.value.code, caught.value.column).ar
    return caught.value


def test_a_small_file_is_one_chunk_without_its_header() -> None:
    content = csv_text(*good_rows(3))
    found = scan(blocks(content), SOURCE)
    header = content.index(b"\n") + 1
    assert found.chunks == [Chunk(1, header, len(content), 2)]
    assert (found.rows, found.layout.columns) == (3, NAMES)


def test_a_large_file_is_cut_by_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunking, "MAX_CHUNK_ROWS", 4)
    content = csv_text(*good_rows(10))
    found = scan(blocks(content), SOURCE)
    assert [chunk.line for chunk in found.chunks] == [2, 6, 10]
    assert [content[chunk.start : chunk.end].count(b"N-") for chunk in found.chunks] == [4, 4, 2]
    assert [chunk.number for chunk in found.chunks] == [1, 2, 3]


def test_a_file_of_long_rows_is_cut_by_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunking, "MAX_CHUNK_BYTES", 1)
    content = csv_text(*good_rows(5))
    assert len(scan(blocks(content), SOURCE).chunks) == 5


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_blocks_may_end_anywhere(size: int) -> None:
    content = b"\xef\xbb\xbf" + csv_text(*good_rows(3), separator=";")
    found = scan(blocks(content, size), SOURCE)
    assert (found.rows, found.layout.separator, found.chunks[0].end) == (3, ";", len(content))


def test_old_line_ends_are_lines() -> None:
    assert scan(blocks(csv_text(*good_rows(3)).replace(b"\r\n", b"\r"), 5), SOURCE).rows == 3


def test_a_last_line_needs_no_end() -> None:
    content = csv_text(*good_rows(3)).rstrip()
    assert scan(blocks(content), SOURCE).chunks[-1].end == len(content)


def test_only_the_first_records_are_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bad rows after them are rejected one by one and do not refuse the file."""
    monkeypatch.setattr(chunking, "MAX_CHUNK_ROWS", 10)
    rows = [*good_rows(10), *({**GOOD, "amount": "x"} for _ in range(20))]
    assert scan(blocks(csv_text(*rows)), SOURCE, STRICT).rows == 30


STRICT = RULES._replace(min_bad_rows=0)


def bad_share(content: bytes, rules: Rules = STRICT) -> BadShareError:
    with pytest.raises(BadShareError) as caught:
        scan(blocks(content), SOURCE, rules)
    return caught.value


def test_more_than_a_fifth_of_bad_rows_refuses_the_file_with_those_rows() -> None:
    bad = {**GOOD, "amount": "5e4"}
    assert scan(blocks(csv_text(*good_rows(8), bad, bad)), SOURCE, STRICT).rows == 10
    error = bad_share(csv_text(*good_rows(5), bad, bad, {**GOOD, "occurred_at": "x"}))
    assert (error.code, error.value) == ("too_many_bad_rows", "37.5%: amount, occurred_at")
    assert [(reject.line, reject.code, reject.cells[9]) for reject in error.sample.rejects] == [
        (7, "amount_e_notation", "5e4"),
        (8, "amount_e_notation", "5e4"),
        (9, "date_unreadable", "50,000"),
    ]


@pytest.mark.parametrize("at", range(8))
def test_bad_rows_count_wherever_they_stand(at: int) -> None:
    bad = {**GOOD, "amount": "5e4"}
    good = list(good_rows(8))
    assert scan(blocks(csv_text(*good[:at], bad, bad, *good[at:])), SOURCE, STRICT).rows == 10
    assert len(bad_share(csv_text(*good[:at], bad, bad, bad, *good[at:])).sample.rejects) == 3


def test_a_few_bad_rows_refuse_no_file_whatever_their_share() -> None:
    bad = {**GOOD, "amount": "5e4"}
    assert scan(blocks(csv_text(*[bad] * 25)), SOURCE).rows == 25
    assert bad_share(csv_text(*[bad] * 26), RULES).value == "100.0%: amount"


def test_rejects_that_come_back_refuse_no_file() -> None:
    rows = [{"line": "2", "error_code": "missing", "error": "", **GOOD, "amount": "5e4"}] * 50
    header = ("line", "error_code", "error", *NAMES)
    assert scan(blocks(csv_text(*rows, header=header)), SOURCE).rows == 50
    bad_share(csv_text(*({**row, "x": ""} for row in rows), header=("line", "error_code", "e", *NAMES, "x")), RULES)


def test_a_file_that_is_bad_at_once_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunking, "MAX_CHUNK_ROWS", 10)

    def endless(**cells: str) -> Iterator[bytes]:
        yield csv_text()
        while True:
            yield csv_text({**GOOD, **cells}).partition(b"\n")[2]

    with pytest.raises(BadShareError):
        scan(endless(amount="x"), SOURCE, STRICT)
    with pytest.raises(FileError, match="date_order_us"):
        scan(endless(recorded_at="11/20/2026"), SOURCE)


@pytest.mark.parametrize("rows", [1, 19, 20, 39, 40, 41, 300])
def test_rows_of_every_chunk_are_judged_evenly_spread(rows: int) -> None:
    spread = chunking._Spread(20)
    due = 1
    for row in range(1, rows + 1):
        if row == due:
            due += spread.take((row, b""))
    lines = [line for line, _ in spread.rows]
    assert min(rows, 20) <= len(lines) < 40
    assert lines[0] == 1
    assert len({after - before for before, after in pairwise(lines)}) <= 1
    assert rows - lines[-1] <= rows / 20


@pytest.mark.parametrize("quoted", [False, True])
def test_what_only_later_chunks_show_refuses_the_file(monkeypatch: pytest.MonkeyPatch, quoted: bool) -> None:
    monkeypatch.setattr(chunking, "MAX_CHUNK_ROWS", 50)
    month_first = ({**GOOD, "recorded_at": "11/20/2026", "place": 'a "b"\n' if quoted else ""} for _ in range(50))
    first = [{**GOOD, "recorded_at": "20/11/2026"}] * 100
    error = refused(csv_text(*first, *month_first))
    assert (error.code, error.column, error.line) == ("date_order_us", "recorded_at", 102)
    few = ({**GOOD, "recorded_at": "11/20/2026"} for _ in range(3))
    assert scan(blocks(csv_text(*first, *few)), SOURCE).rows == 103


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file_empty"),
        (b"\xef\xbb\xbf", "file_empty"),
        (csv_text(), "no_rows"),
        (csv_text() + b"\r\n,,,\r\n", "no_rows"),
        (b"\r\n" + csv_text(*good_rows(1)), "header_missing"),
        (b"some words\n", "header_missing"),
        (b'[{"violation_no": "1"}' + b', {"violation_no": "2"}' * 20_000 + b"]", "header_missing"),
        (csv_text(*good_rows(1)) + b"a\0b", "nul_byte"),
        (csv_text(*good_rows(1)).decode().encode("utf-16-le"), "nul_byte"),
        (csv_text(*good_rows(1)).decode().encode("cp1256"), "not_utf8"),
        (csv_text(*good_rows(1)) + b"x" * 10_000_000, "record_too_long"),
        (csv_text(*good_rows(1)) + b'"' + b"x\n" * 100_000, "quote_unclosed"),
        (csv_text(*good_rows(1)) + b'"\n",' * 600_000, "record_too_long"),
        (csv_text(*good_rows(1)) + b'"a,b\n', "quote_unclosed"),
        (b'size 5",' + csv_text(*good_rows(1)), "quote_unclosed"),
        (csv_text(header=REQUIRED[1:]), "column_missing"),
        (csv_text(header=(*NAMES, "amount")), "column_twice"),
        (csv_text(header=(*NAMES, *map(str, range(200)))), "columns_too_many"),
    ],
)
def test_what_refuses_a_file(content: bytes, code: str) -> None:
    assert refused(content).code == code


def test_any_name_of_the_header_may_be_broken_over_lines() -> None:
    """As Excel saves a header whose text is wrapped by hand."""
    content = csv_text(*good_rows(2), header=tuple(name.replace("_", "\r\n") for name in NAMES))
    found = scan(blocks(content), SOURCE)
    assert (found.layout.columns, found.rows, found.chunks[0].line) == (NAMES, 2, content.count(b"\r\n") - 1)


@pytest.mark.parametrize("keeping", [False, True])
def test_empty_rows_below_and_between_are_left_out_however_many(keeping: bool) -> None:
    """Spreadsheets save every row that was ever given borders."""
    empty = b",,,,,,,,,,,,,,,,,,,,,\r\n" * 150_000
    first, second = csv_text(*good_rows(2)), csv_text(*good_rows(3)).partition(b"\n")[2]
    kept: dict[int, bytes] = {}
    content = first + empty + second + empty
    found = scan(blocks(content), SOURCE, keep=kept.__setitem__ if keeping else None)
    assert found.rows == 5
    assert refused(first + empty + b'"\n",' * 1_000_000).code == "record_too_long"


def test_empty_rows_beyond_those_of_a_sheet_are_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few packed kilobytes could be millions of them."""
    monkeypatch.setattr(chunking, "MAX_EMPTY_ROWS", 1000)
    kept: dict[int, bytes] = {}

    def endless() -> Iterator[bytes]:
        yield csv_text(*good_rows(1))
        while True:
            yield b"\r\n" * 10_000

    with pytest.raises(FileError, match="record_too_long"):
        scan(endless(), SOURCE, keep=kept.__setitem__)


def test_bytes_that_are_not_text_are_found_on_their_line_wherever_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunking, "MAX_CHUNK_ROWS", 2)
    content = csv_text(*good_rows(9)) + b"\xff\n"
    assert (refused(content).code, refused(content).line) == ("not_utf8", 11)


SPACES = [b" , ,\r\n", b"\xc2\xa0,\t\r\n", "\u3000\r\n".encode(), b'" "," "\r\n', b"   \r\n"]


@pytest.mark.parametrize("empty", SPACES)
@pytest.mark.parametrize("most_rows", [2, 50], ids=["later", "first"])
def test_rows_of_spaces_are_no_rows(monkeypatch: pytest.MonkeyPatch, empty: bytes, most_rows: int) -> None:
    monkeypatch.setattr(chunking, "MAX_CHUNK_ROWS", most_rows)
    head, *lines = csv_text(*good_rows(6)).splitlines(keepends=True)
    found = scan(blocks(b"".join([head, *lines[:4], empty, *lines[4:], empty])), SOURCE)
    assert found.rows == 6


@pytest.mark.parametrize("most_rows", [2, 50], ids=["later", "first"])
def test_a_header_of_another_order_refuses_the_file(monkeypatch: pytest.MonkeyPatch, most_rows: int) -> None:
    monkeypatch.setattr(chunking, "MAX_CHUNK_ROWS", most_rows)
    rows = csv_text(*good_rows(4))
    head = rows.splitlines(keepends=True)[0]
    other = ",".join(reversed(NAMES)).encode() + b"\r\n"
    quoted = ",".join(f'"{name}"' for name in reversed(NAMES)).encode() + b"\r\n"
    assert scan(blocks(rows + head + rows), SOURCE).rows == 10
    for header in (other, quoted):
        with pytest.raises(FileError) as refused:
            scan(blocks(rows + header), SOURCE)
        assert (refused.value.code, refused.value.line) == ("header_again", 6)
