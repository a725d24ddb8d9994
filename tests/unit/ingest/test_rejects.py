"""The rejects file: reasons first, then the original cells in their own places."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any

import pytest

from ingest.format.parser import Reject
from ingest.objects import _Pieces
from ingest.reading.csv_records import records
from ingest.reporting import rejects
from ingest.reporting.texts import words
from shared.domain.file import DoneChunk, File, FileVersion, Plan

AT = "2026-11-20T12:00:00+03:00"


class Bucket:
    """A bucket in memory."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def put(self, key: str, content: bytes, _: str) -> None:
        self.objects[key] = content

    def read(self, key: str) -> bytes:
        return self.objects[key]

    def put_pieces(self, key: str, pieces: Iterable[bytes], _: str) -> None:
        self.objects[key] = b"".join(pieces)


def written(header: tuple[str, ...], chunks: list[list[Reject]], separator: str = ",") -> str:
    bucket: Any = Bucket()
    version = FileVersion("b", "live/a.csv", "v", "1")
    done = []
    for number, found in enumerate(chunks, start=1):
        rejects.keep(bucket, version.file_id, number, found)
        done.append(DoneChunk(number, {"rejected": len(found)}, ""))
    assert len(bucket.objects) == sum(map(bool, chunks))
    plan = Plan(separator, header, header, len(chunks), 9, AT, 0, "", rewritten=False)
    rejects.write(bucket, "out", File(version, "loading", "", plan=plan), plan, done)
    content: bytes = bucket.objects["out"]
    assert content.startswith(b"\xef\xbb\xbf")
    return content.decode("utf-8-sig")


def test_chunks_follow_one_another_and_each_row_has_its_reason() -> None:
    chunks = [[Reject(3, "amount", "missing", ["1", ""])], [], [Reject(9, "", "cells_missing", ["2"])]]
    rows = list(csv.reader(io.StringIO(written(("violation_no", "amount"), chunks))))
    assert rows == [
        ["line", "as_of", "error_code", "error", "violation_no", "amount"],
        ["3", AT, "missing", "مبلغ الغرامة: الحقل مطلوب | amount: The field is required", "1", ""],
        ["9", AT, "cells_missing", " | ".join(words("cells_missing")), "2"],
    ]


def test_the_reasons_of_an_earlier_rejects_file_are_replaced() -> None:
    header = ("line", "error_code", "error", "violation_no")
    ((_, *row),) = [list(csv.reader(io.StringIO(written(header, [[Reject(2, "", "missing", ["9", "x", "y", "7"])]]))))]
    assert row == [["2", AT, "missing", "الحقل مطلوب | The field is required", "7"]]


@pytest.mark.parametrize(("said", "kept"), [("2026-11-03T07:30:00+03:00", "2026-11-03T07:30:00+03:00"), ("", AT)])
def test_a_row_that_was_a_reject_before_stays_as_old_as_it_is(said: str, kept: str) -> None:
    header = ("line", "as_of", "error_code", "error", "violation_no")
    (row,) = csv.DictReader(io.StringIO(written(header, [[Reject(2, "", "missing", ["9", said, "x", "y", "7"])]])))
    assert row["as_of"] == kept


def test_what_is_written_reads_back_as_the_same_cells() -> None:
    cells = ["=1", "-2", "+3", "@4", "\t5", "\r6", "a,b;c", 'd"e\r\nf', "'g", "plain"]
    for separator in (",", ";", "\t"):
        content = written(tuple(map(str, range(10))), [[Reject(2, "", "missing", cells)]], separator)
        *_, (_, row) = records(io.StringIO(content, newline=""), separator)
        assert row[4:] == cells
        header = ("=1", *map(str, range(9)))
        assert "'=1" in written(header, [[]], separator)
        for sign in ("=", "+", "-", "@"):
            assert f"'{sign}" in content


def test_pieces_read_as_one_file() -> None:
    file = io.BufferedReader(_Pieces([b"ab", b"", b"cdef", b"g"]), 3)
    assert [file.read(3), file.read(3), file.read(3), file.read(3)] == [b"abc", b"def", b"g", b""]
