"""What the reader of workbooks takes of time and memory until it refuses those that ask for too much."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest

from ingest.errors import FileError
from ingest.reading.workbook import Workbook
from tests.support.bombs import BOMBS, write, write_entries

pytestmark = [pytest.mark.bench, pytest.mark.timeout(300)]

MEGABYTE = 1024 * 1024
WRITERS: dict[str, Callable[[IO[bytes]], None]] = {
    **{named: lambda file, named=named: write(file, BOMBS[named]()) for named in BOMBS},  # type: ignore[misc]
    "entries": lambda file: write_entries(file, 300_000),
}


@pytest.mark.parametrize("named", WRITERS)
def test_a_refusal_takes_10_s_and_512_mb(named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bomb.xlsx"
    with path.open("wb") as file:
        WRITERS[named](file)
    seconds, megabytes, said = _in_own_process(path)
    with capsys.disabled():
        size = path.stat().st_size / MEGABYTE
        print(f"\n  {named}: {size:.2f} MB, {said} after {seconds:.1f} CPU-s, {megabytes:.0f} MB")
    assert said == "excel_too_complex"
    assert seconds < 10
    assert megabytes < 512


def _in_own_process(path: Path) -> tuple[float, float, str]:
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        said = "read"
        try:
            with path.open("rb") as file:
                workbook = Workbook(file)
                workbook.sheets_unread()
                for _ in workbook.csv_blocks():
                    pass
        except FileError as error:
            said = error.code
        finally:
            os.write(writing, said.encode())
            os._exit(0)
    os.close(writing)
    _, _, used = os.wait4(child, 0)
    with os.fdopen(reading) as answer:
        return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, answer.read()
