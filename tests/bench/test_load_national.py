"""The whole national file through on_file and load_chunk, as Lambda calls them: every row accounted for; time, memory.

One command: `make bench-ingest`. Times depend on the machine and are printed; memory and the account are asserted.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from infra.local import demo
from tests.bench.load.running import bench, write

pytestmark = [pytest.mark.bench, pytest.mark.timeout(7200)]

SIZES = (10_000, 100_000, 1_000_000, demo.NATIONAL_TOTAL)
CONNECTIONS = 16
LATENCY_MS = 10
MOST_MEGABYTES = 128


class File(NamedTuple):
    """A file, and what the stand-in's account must say once it was loaded."""

    path: Path
    account: dict[str, int]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, File]]:
    folder = tmp_path_factory.mktemp("national")
    paths = {count: folder / f"{count}.csv" for count in (1, 2_000, *SIZES)}
    yield {count: File(path, write(path, count)) for count, path in paths.items()}
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
        f"\n  {took['rows']:,} rows, TLS, {LATENCY_MS} ms a call, {CONNECTIONS} connections: "
        f"{took['wall']:.0f} s (goal: 360), {took['cpu']:.0f} CPU-s (goal: 300), {took['megabytes']:.0f} MB; "
        f"the slowest chunk took {took['slowest_ms'] / 1000:.1f} s of its 60"
    )


def test_cost_grows_with_the_rows(files: dict[int, File], tmp_path: Path, say: Any) -> None:
    with bench(tmp_path) as stub:
        started = stub.run("load", files[1].path)["cpu"]
        say("\n  one connection, no latency")
        for count in SIZES:
            stub.reset()
            took = stub.run("load", files[count].path)
            assert stub.account() == files[count].account
            assert took["megabytes"] <= MOST_MEGABYTES
            scanned = stub.run("scan", files[count].path)
            assert scanned["megabytes"] <= MOST_MEGABYTES
            say(
                f"    {count:9,} rows: {count / (took['cpu'] - started):8,.0f} rows a CPU-second, {took['cpu']:.0f} s,"
                f" {took['megabytes']:.0f} MB; on_file alone: {scanned['cpu']:.1f} CPU-s, {scanned['megabytes']:.0f} MB"
            )


@pytest.mark.parametrize("delay_ms", [0, LATENCY_MS])
def test_beside_the_ordinary_way_over_tls(files: dict[int, File], delay_ms: int, tmp_path: Path, say: Any) -> None:
    with bench(tmp_path, tls=True, delay_ms=delay_ms) as stub:
        costs = {}
        for side, count in (("load", 100_000), ("usual", 2_000)):
            stub.reset()
            started = stub.run(side, files[1].path)
            stub.reset()
            took = stub.run(side, files[count].path)
            assert stub.account() == files[count].account
            costs[side] = [(took[clock] - started[clock]) / count * 1e6 for clock in ("cpu", "wall")]
    say(f"\n  TLS, {delay_ms} ms a call, one connection, microseconds a row: CPU, wall")
    say(f"    on_file and load_chunk   {costs['load'][0]:9.1f}{costs['load'][1]:9.1f}")
    say(f"    the ordinary way         {costs['usual'][0]:9.1f}{costs['usual'][1]:9.1f}")
