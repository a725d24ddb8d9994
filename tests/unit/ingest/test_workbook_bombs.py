"""Workbooks that ask for far more than rows need end in a reason before they were read through."""

from __future__ import annotations

from tempfile import TemporaryFile

import pytest

from ingest.errors import FileError
from ingest.reading import workbook_parts
from ingest.reading.workbook import Workbook
from tests.support.bombs import BOMBS, write, write_entries

MAX_TAGS = 3_000_000
"""What is read within seconds; a full sheet, which takes minutes, has sixty times as many."""


@pytest.mark.parametrize("named", BOMBS)
def test_a_workbook_ends_in_a_reason(named: str) -> None:
    with TemporaryFile() as file:
        write(file, BOMBS[named]())
        workbook = Workbook(file)
        with pytest.raises(FileError, match="excel_too_complex"):
            _read(workbook)
        assert workbook._archive.tags < MAX_TAGS


def _read(workbook: Workbook) -> None:
    workbook.sheets_unread()
    for _ in workbook.csv_blocks():
        pass


def test_the_table_of_an_archive_is_not_read_where_it_is_too_long() -> None:
    with TemporaryFile() as file:
        write_entries(file, 100_000)
        with pytest.raises(FileError, match="excel_too_complex"):
            Workbook(file)


def test_sheets_that_are_one_part_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    part = workbook_parts.Archive.part

    def counted(archive: workbook_parts.Archive, name: str) -> object:
        read.append(name)
        return part(archive, name)

    monkeypatch.setattr(workbook_parts.Archive, "part", counted)
    with TemporaryFile() as file:
        sheets = "".join('<sheet r:id="r1"/>' for _ in range(1000))
        write(file, {"xl/workbook.xml": [f'<workbook xmlns:r="r"><sheets>{sheets}</sheets></workbook>']})
        assert Workbook(file).sheets_unread() == 0
    assert "xl/worksheets/s.xml" not in read
