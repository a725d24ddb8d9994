"""What loading a file costs, in instructions a row, beside the ordinary way. One command: `make bench-ingest`.

Both sides read the same file and write to the same stand-in of DynamoDB. A figure is the difference of two files under
cachegrind, so that what a process costs apart from its rows drops out.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from infra.local.demo import files as demo
from tests.bench import cost
from tests.bench.load.running import ENGLISH, bench, write

pytestmark = [
    pytest.mark.bench,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed"),
]

ROWS = 5_000, 15_000
USUAL_ROWS = 250, 1_000


class Files(NamedTuple):
    """Two files of which one has more rows. expected: what the stand-in must hold once the larger was loaded."""

    few: Path
    many: Path
    more_rows: int
    expected: dict[str, int]


class Row(NamedTuple):
    """Thousands of instructions that a row costs. rest: without SHA-256."""

    whole: float
    rest: float

    def show(self, what: str, usual: Row) -> None:
        parts = "".join(f"{mine:10.1f}{mine / its:8.3f}" for mine, its in zip(self, usual, strict=True))
        print(f"    {what:46}{parts}")


def write_two(folder: Path, few: int, many: int, columns: tuple[str, ...]) -> Files:
    paths = folder / f"{few}.csv", folder / f"{many}.csv"
    write(paths[0], few, columns)
    return Files(*paths, many - few, write(paths[1], many, columns))


def a_row(measure: Callable[[Path], tuple[float, float]], files: Files) -> Row:
    both = zip(measure(files.few), measure(files.many), strict=True)
    return Row(*((more - less) / files.more_rows / 1000 for less, more in both))


@pytest.mark.parametrize("columns", [demo.COLUMNS, ENGLISH], ids=["22 columns", "12 columns"])
def test_a_row_beside_the_ordinary_way(
    columns: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = write_two(tmp_path, *ROWS, columns)
    usual_files = write_two(tmp_path, *USUAL_ROWS, columns)
    with bench(tmp_path) as stub:
        usual = a_row(partial(stub.fresh, "usual"), usual_files)
        assert stub.account() == usual_files.expected
        scanned = a_row(partial(stub.fresh, "scan"), files)
        loaded = a_row(partial(stub.fresh, "load"), files)
        assert stub.account() == files.expected
        unchanged = a_row(stub.again, files)
        repeated = a_row(stub.again, files)
        assert stub.account() == files.expected
    with capsys.disabled():
        print(f"\n  A file of {len(columns)} columns on {cost.version()}, thousands of instructions a row")
        at = f"SHA-256 at {cost.sha256_a_byte():.1f} a byte"
        print(f"    {at:46}{'all':>10}{'part':>8}{'without':>10}{'part':>8}")
        usual.show("ordinary: DictReader, pydantic, batch_writer", usual)
        scanned.show("on_file", usual)
        loaded.show("on_file and load_chunk, fresh rows", usual)
        unchanged.show("on_file and load_chunk, unchanged rows", usual)
        repeated.show("measured a second time", usual)
    assert loaded.whole <= usual.whole / 10
    assert unchanged.whole <= usual.whole / 12
    assert abs(repeated.whole / unchanged.whole - 1) <= 0.01
