"""The whole national file through on_file and load_chunk, as Lambda calls them: every row accounted for; time, memory.

One command: `make bench-ingest`. Times depend on the machine and are printed; memory and the account are asserted.
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from infra.local.demo import files as demo
from tests.bench import cost
from tests.bench.load.running import bench, write

pytestmark = [pytest.mark.bench, pytest.mark.timeout(7200)]

FEW = 10
FIRST = 490
"""Rows of which one is bad: what a process does once, such as to import what rejects need, is done for them."""

SIZES = (10_000, 100_000, 1_000_000, demo.NATIONAL_TOTAL)
CONNECTIONS = 16
LATENCY_MS = 10
MAX_MEGABYTES = 128


class File(NamedTuple):
    """A file, and what the stand-in's account must say once it was loaded."""

    path: Path
    account: dict[str, int]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, File]]:
    folder = tmp_path_factory.mktemp("national")
    paths = {count: folder / f"{count}.csv" for count in (FEW, 2_000, *SIZES)}
    yield {count: File(path, write(path, count, first=FIRST if count == FEW else 0)) for count, path in paths.items()}
    for path in paths.values():
        path.unlink()


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Any:
    def say(text: str) -> None:
        with capsys.disabled():
            print(text, flush=True)

    return say


def test_the_national_file_by_one_process(files: dict[int, File], tmp_path: Path, say: Any) -> None:
    file = files[demo.NATIONAL_TOTAL]
    with bench(tmp_path, tls=True, delay_ms=LATENCY_MS) as stub:
        took = stub.run("load", file.path, connections=CONNECTIONS)
        assert stub.account() == file.account
    assert took["inserted"] == file.account["items"]
    assert took["inserted"] + took["rejected"] == took["rows"] == demo.NATIONAL_TOTAL
    say(
        f"\n  {took['rows']:,} rows on {cost.version()}, TLS, {LATENCY_MS} ms a call, {CONNECTIONS} connections: "
        f"{took['wall']:.0f} s (goal: 360), {took['cpu']:.0f} CPU-s (goal: 300), {took['megabytes']:.0f} MB; "
        f"the slowest chunk took {took['slowest_ms'] / 1000:.1f} s of its 60"
    )


def test_cost_grows_with_the_rows(files: dict[int, File], tmp_path: Path, say: Any) -> None:
    with bench(tmp_path) as stub:

        def median(side: str, count: int) -> dict[str, Any]:
            """The run of median CPU time: that of a short one varies by a third."""
            took = []
            for _ in range(max(1, min(15, 500_000 // count))):
                stub.reset()
                took.append(stub.run(side, files[count].path))
                if side == "load":
                    assert stub.account() == files[count].account
                assert took[-1]["megabytes"] <= MAX_MEGABYTES
            return sorted(took, key=itemgetter("cpu"))[len(took) // 2]

        started = median("load", FEW)["cpu"]
        say(f"\n  {cost.version()}, one connection, no latency")
        for count in SIZES:
            took, scanned = median("load", count), median("scan", count)
            say(
                f"    {count:9,} rows: {(count - FEW) / (took['cpu'] - started):8,.0f} rows a CPU-second,"
                f" {took['cpu']:.1f} s, {took['megabytes']:.0f} MB;"
                f" on_file alone: {scanned['cpu']:.1f} CPU-s, {scanned['megabytes']:.0f} MB"
            )


@pytest.mark.parametrize("delay_ms", [0, LATENCY_MS])
def test_beside_the_ordinary_way_over_tls(files: dict[int, File], delay_ms: int, tmp_path: Path, say: Any) -> None:
    with bench(tmp_path, tls=True, delay_ms=delay_ms) as stub:
        costs = {}
        for side, count in (("load", 100_000), ("usual", 2_000)):
            stub.reset()
            started = stub.run(side, files[FEW].path)
            stub.reset()
            took = stub.run(side, files[count].path)
            assert stub.account() == files[count].account
            costs[side] = [(took[clock] - started[clock]) / (count - FEW) * 1e6 for clock in ("cpu", "wall")]
    say(f"\n  {cost.version()}, TLS, {delay_ms} ms a call, one connection, microseconds a row: CPU, wall")
    say(f"    on_file and load_chunk   {costs['load'][0]:9.1f}{costs['load'][1]:9.1f}")
    say(f"    the ordinary way         {costs['usual'][0]:9.1f}{costs['usual'][1]:9.1f}")
