"""Reading a file through: where it is cut, and for what it is refused."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ingest import chunking
from ingest.chunking import BadShareError, Chunk, scan
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
    assert scan(blocks(csv_text(*rows)), SOURCE).rows == 30


def test_more_than_a_fifth_of_bad_rows_refuses_the_file_with_the_reasons() -> None:
    bad = {**GOOD, "amount": "5e4"}
    assert scan(blocks(csv_text(*good_rows(8), bad, bad)), SOURCE).rows == 10
    error = refused(csv_text(*good_rows(7), bad, bad))
    assert error.code == "too_many_bad_rows"
    assert isinstance(error, BadShareError)
    assert [(notice.code, notice.rows, notice.first_line) for notice in error.rejects.listed()] == [
        ("amount_e_notation", 2, 9)
    ]


@pytest.mark.parametrize("at", range(8))
def test_bad_rows_count_wherever_they_stand(at: int) -> None:
    bad = {**GOOD, "amount": "5e4"}
    good = list(good_rows(8))
    assert scan(blocks(csv_text(*good[:at], bad, bad, *good[at:])), SOURCE).rows == 10
    error = refused(csv_text(*good[:at], bad, bad, bad, *good[at:]))
    assert isinstance(error, BadShareError)
    assert [notice.rows for notice in error.rejects.listed()] == [3]


def test_a_file_that_is_bad_at_once_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunking, "MAX_CHUNK_ROWS", 10)

    def endless() -> Iterator[bytes]:
        yield csv_text()
        while True:
            yield csv_text({**GOOD, "amount": "x"}).partition(b"\n")[2]

    with pytest.raises(BadShareError):
        scan(endless(), SOURCE)


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
