"""Files of every format with arbitrary damage: read with every row accounted for, or refused; never a crash."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Iterator
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest import chunking
from ingest.chunking import RULES, scan
from ingest.errors import FileError
from ingest.format.parser import Reject
from ingest.format.violations import ViolationParser
from ingest.reading.csv_records import records
from ingest.reading.csv_text import as_csv_text
from ingest.reporting.texts import message
from tests.support.feeds import NAMES, SOURCE, blocks, csv_text, good_rows
from tests.support.workbooks import xlsx

ROWS = list(good_rows(12))
TEXT = csv_text(*ROWS)
WHOLE = {
    "utf-8": TEXT,
    "semicolons": csv_text(*ROWS, separator=";"),
    "windows-1256": TEXT.decode().encode("cp1256"),
    "utf-16": TEXT.decode().encode("utf-16"),
    "gzip": gzip.compress(TEXT, mtime=0),
    "excel": xlsx([NAMES, *([row[name] for name in NAMES] for row in ROWS)]),
    "nothing": b"",
}
SCRAPS = st.one_of(
    st.binary(min_size=1, max_size=8),
    st.sampled_from(
        [b'"', b'""', b"\r", b"\n", b"\r\n", b",", b";", b"\t", b"'", b"=", b"\0", b"\xff\xfe", b"\xef\xbb\xbf"]
    ),
    st.text(alphabet="زه؟٠٫\u200f\ufefb\u0640", min_size=1, max_size=4).map(str.encode),
)
DAMAGE = st.lists(st.tuples(st.floats(0, 1), st.sampled_from(("put", "cut", "over", "twice")), SCRAPS), max_size=6)


def damaged(content: bytes, damage: list[tuple[float, str, bytes]]) -> bytes:
    """A file after something was put in, cut out, written over or repeated at some places."""
    for place, what, scrap in damage:
        at = int(place * len(content))
        end = at + len(scrap)
        match what:
            case "put":
                content = content[:at] + scrap + content[at:]
            case "cut":
                content = content[:at] + content[end:]
            case "over":
                content = content[:at] + scrap + content[end:]
            case _:
                content = content[:end] + content[at:]
    return content


def account(content: bytes, encoding: str) -> None:
    """Read a file as the functions do, chunk by chunk. Raises FileError where it is refused."""
    kept: list[bytes] = []
    with as_csv_text(blocks(content, 97), len(content), encoding) as text:
        rules = RULES._replace(max_bad_share=1)
        found = scan(text.blocks, SOURCE, rules, unproven=text.unproven, keep=lambda _, part: kept.append(part))
    parser = ViolationParser(found.layout, SOURCE)
    rows = 0
    for chunk, part in zip(found.chunks, kept, strict=True):
        inside = list(records(io.StringIO(part.decode(), newline=""), found.layout.separator, chunk.line))
        assert 1 <= len(inside) <= chunking.MAX_CHUNK_ROWS
        for line, record in inside:
            outcome = parser.parse(line, record)
            if isinstance(outcome, Reject):
                assert message(outcome.code, outcome.column).ar
        rows += len(inside)
    assert rows == found.rows > 0


def fuzz(examples: int) -> Callable[[], None]:
    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(sorted(WHOLE)), DAMAGE, st.sampled_from(("utf-8", "windows-1256")))
    def run(name: str, damage: list[tuple[float, str, bytes]], encoding: str) -> None:
        try:
            account(damaged(WHOLE[name], damage), encoding)
        except FileError as error:
            message(error.code, error.column, error.value)  # there are words for it

    return run


@pytest.fixture(autouse=True)
def _small_chunks() -> Iterator[None]:
    with mock.patch.object(chunking, "MAX_CHUNK_ROWS", 5):
        yield


@pytest.mark.parametrize("name", sorted(set(WHOLE) - {"nothing"}))
def test_a_whole_file_is_read(name: str) -> None:
    account(WHOLE[name], "windows-1256" if name == "windows-1256" else "utf-8")


def test_a_damaged_file_is_read_or_refused() -> None:
    fuzz(200)()


@pytest.mark.slow
def test_many_damaged_files_are_read_or_refused() -> None:
    fuzz(5_000)()
