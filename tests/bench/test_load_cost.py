"""What loading a file costs, in instructions a row, beside the ordinary way. One command: `make bench-ingest`.

Both sides read the same file and write to the same stand-in of DynamoDB. A figure is the difference of two files under
cachegrind, so that what a process costs apart from its rows drops out.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from infra.local.demo import files as demo
from tests.bench.load.running import ENGLISH, bench, write

pytestmark = [
    pytest.mark.bench,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed"),
]

ROWS = 5_000, 15_000
USUAL_ROWS = 250, 1_000
MAX_INSTRUCTIONS = 154.0
"""Thousands of instructions that a fresh row of a short export may cost: a tenth of the ordinary way's 1,540."""


class Files(NamedTuple):
    """Two files of which one has more rows. expected: what the stand-in must hold once the larger was loaded."""

    few: Path
    many: Path
    expected: dict[str, int]


def write_two(folder: Path, few: int, many: int, columns: tuple[str, ...]) -> Files:
    paths = folder / f"{few}.csv", folder / f"{many}.csv"
    write(paths[0], few, columns)
    return Files(*paths, write(paths[1], many, columns))


def a_row(measure: Callable[[Path], tuple[int, int]], files: Files) -> float:
    """Thousands of instructions."""
    (few, less), (many, more) = measure(files.few), measure(files.many)
    return (more - less) / (many - few) / 1000


@pytest.mark.parametrize("columns", [demo.COLUMNS, ENGLISH], ids=["22 columns", "12 columns"])
def test_a_row_beside_the_ordinary_way(
    columns: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = write_two(tmp_path, *ROWS, columns)
    usual_files = write_two(tmp_path, *USUAL_ROWS, columns)
    with bench(tmp_path) as stub:

        def fresh(side: str) -> Callable[[Path], tuple[int, int]]:
            def measure(path: Path) -> tuple[int, int]:
                stub.reset()
                return stub.instructions(side, path)

            return measure

        def again(path: Path) -> tuple[int, int]:
            return stub.instructions("load", path, "2")

        usual = a_row(fresh("usual"), usual_files)
        assert stub.account() == usual_files.expected
        scanned = a_row(fresh("scan"), files)
        loaded = a_row(fresh("load"), files)
        assert stub.account() == files.expected
        unchanged = a_row(again, files)
        repeated = a_row(again, files)
        assert stub.account() == files.expected
    with capsys.disabled():
        print(f"\n  A file of {len(columns)} columns, thousands of instructions a row")
        print(f"    {'ordinary: DictReader, pydantic, batch_writer':46}{usual:8.1f}")
        print(f"    {'on_file':46}{scanned:8.1f}{scanned / usual:8.3f} of it")
        print(f"    {'on_file and load_chunk, fresh rows':46}{loaded:8.1f}{loaded / usual:8.3f}")
        print(f"    {'on_file and load_chunk, unchanged rows':46}{unchanged:8.1f}{unchanged / usual:8.3f}")
        print(f"    {'measured a second time':46}{repeated:8.1f}{repeated / unchanged - 1:+8.2%}")
    assert loaded <= usual / 10
    assert columns is not ENGLISH or loaded <= MAX_INSTRUCTIONS
    assert unchanged <= usual / 12
    assert abs(repeated / unchanged - 1) <= 0.01
