"""What on_file holds in memory while it reads large files. One command: `make bench-ingest`."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from infra.local.demo import files as demo
from tests.bench import cost
from tests.bench.load.running import bench
from tests.support.workbooks import column, xlsx

ROWS = 600_000
MAX_SHEET_ROWS = 1_048_575

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1800)]

Receive = Callable[[Path], dict[str, Any]]


@pytest.fixture
def receive(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Receive]:
    """on_file with a file, in a process of its own."""
    with bench(tmp_path) as stub:

        def receive(path: Path) -> dict[str, Any]:
            took = stub.run("scan", path)
            with capsys.disabled():
                megabytes = path.stat().st_size / 1024**2
                print(
                    f"\n  {path.name} on {cost.version()}: {megabytes:.0f} MB, {took['rows']:,} rows:"
                    f" on_file holds {took['megabytes']:.0f} MB and takes {took['cpu']:.0f} CPU-s",
                    flush=True,
                )
            return took

        yield receive


def test_csv_and_gzip_take_at_most_128_mb(receive: Receive, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    demo.write(path, ROWS)
    plain = receive(path)
    assert plain["rows"] == ROWS
    assert plain["megabytes"] <= 128

    packed = tmp_path / "a.csv.gz"
    with gzip.open(packed, "wb", 1) as file:
        file.write(path.read_bytes())
    unpacked = receive(packed)
    assert (unpacked["rows"], unpacked["chunks"]) == (ROWS, plain["chunks"])
    assert unpacked["megabytes"] <= 128

    utf16 = tmp_path / "utf16.csv"
    utf16.write_text(path.read_text(), "utf-16")
    wide = receive(utf16)
    assert wide["rows"] == ROWS
    assert wide["megabytes"] <= 128


def test_excel_takes_at_most_512_mb(receive: Receive, tmp_path: Path) -> None:
    """As many rows as a sheet can hold, and as many texts, each of them shared."""
    path = tmp_path / "a.xlsx"
    _write(path, MAX_SHEET_ROWS)
    found = receive(path)
    assert found["rows"] == MAX_SHEET_ROWS
    assert found["megabytes"] <= 512


def _write(path: Path, count: int) -> None:
    with ZipFile(path, "w", ZIP_DEFLATED, compresslevel=1) as file:
        with ZipFile(io.BytesIO(xlsx([]))) as small:
            for name in small.namelist():
                if name not in ("xl/sharedStrings.xml", "xl/worksheets/first.xml"):
                    file.writestr(name, small.read(name))
        texts: dict[str, int] = {}
        with file.open("xl/worksheets/first.xml", "w", force_zip64=True) as part:
            part.write(b"<worksheet><sheetData>")
            for number, cells in enumerate(_rows(count), start=1):
                places = "".join(
                    f'<c r="{column(at)}{number}" t="s"><v>{texts.setdefault(cell, len(texts))}</v></c>'
                    for at, cell in enumerate(cells)
                    if cell
                )
                part.write(f'<row r="{number}">{places}</row>'.encode())
            part.write(b"</sheetData></worksheet>")
        with file.open("xl/sharedStrings.xml", "w", force_zip64=True) as part:
            part.write(b"<sst>")
            for text in texts:
                part.write(f"<si><t>{text}</t></si>".encode())
            part.write(b"</sst>")


def _rows(count: int) -> Iterator[tuple[str, ...]]:
    yield demo.COLUMNS
    for row in demo.rows(count):
        yield tuple(row.values())
