"""What on_file holds in memory while it reads large files: Lambda gives it 512 MB, and a bomb must not fill them."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from infra.local import demo
from tests.unit.ingest.sheets import column, xlsx

ROOT = Path(__file__).parents[2]
ROWS = 600_000

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def received(path: Path) -> dict[str, Any]:
    ran = subprocess.run(
        [sys.executable, "-m", "tests.integration.on_file_memory", str(path)],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": "functions", "POWERTOOLS_SERVICE_NAME": "gharama"},
        capture_output=True, text=True, timeout=800,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    print(path.name, path.stat().st_size // 1024**2, "MB:", ran.stdout)
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def test_csv_and_gzip_take_at_most_128_mb(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    demo.write(path, ROWS)
    plain = received(path)
    assert (plain["rows"], plain["kept"]) == (ROWS, 0)
    assert plain["megabytes"] <= 128

    packed = tmp_path / "a.csv.gz"
    with gzip.open(packed, "wb", 1) as file:
        file.write(path.read_bytes())
    unpacked = received(packed)
    assert (unpacked["rows"], unpacked["chunks"]) == (ROWS, plain["chunks"])
    assert unpacked["megabytes"] <= 128

    utf16 = tmp_path / "a.utf16.csv"
    utf16.write_text(path.read_text(), "utf-16")
    assert received(utf16)["rows"] == ROWS
    assert received(utf16)["megabytes"] <= 128


def test_excel_takes_at_most_512_mb(tmp_path: Path) -> None:
    """As many rows as a sheet can hold, and as many texts, each of them shared."""
    path = tmp_path / "a.xlsx"
    count = 1_048_575
    _write(path, count)
    found = received(path)
    assert found["rows"] == count
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
