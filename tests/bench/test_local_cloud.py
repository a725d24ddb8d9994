"""How the local cloud feels: start, memory, load, look-up. Figures are printed, nothing is asserted about them."""

from __future__ import annotations

import re
import secrets
import statistics
import time
from pathlib import Path

import pytest

from tests.e2e import files
from tests.support.cloud import Cloud, wait_for

pytestmark = [pytest.mark.bench, pytest.mark.timeout(600)]


def say(capsys: pytest.CaptureFixture[str], what: str, figure: str, goal: str) -> None:
    with capsys.disabled():
        print(f"\n  {what:<52} {figure:>12}   goal: {goal}")


def family(pid: int) -> list[int]:
    """A process and all its descendants."""
    children: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            parent = re.search(r"PPid:\t(\d+)", status.read_text())
        except OSError:
            continue
        if parent:
            children.setdefault(int(parent[1]), []).append(int(status.parent.name))
    found, todo = [], [pid]
    while todo:
        found.append(todo.pop())
        todo += children.get(found[-1], [])
    return found


def proportional_memory(pids: list[int]) -> float:
    """Megabytes of processes together, what they share counted once."""
    total = 0
    for pid in pids:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        match = re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)
        total += int(match[1]) if match else 0
    return total / 1024


def test_the_local_cloud(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cloud = Cloud.at(tmp_path / "cloud")
    began = time.monotonic()
    cloud.start()
    say(capsys, "make run, first start with demo data, to ready", f"{time.monotonic() - began:.1f} s", "15 s")
    try:
        _load(cloud, capsys)
        _look_up(cloud, capsys)
        _idle(cloud, capsys)
    finally:
        cloud.stop()
    began = time.monotonic()
    cloud.start()
    say(capsys, "make run, later start, to ready", f"{time.monotonic() - began:.1f} s", "15 s")
    cloud.stop()


def _load(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [files.row(files.plate_number()) for _ in range(1000)]
    last = {"plate": f"بغداد ز {rows[-1]['plate_number']}", "sms": False}
    # Another citizen each time: one alone would use up the day's quota.
    ask = lambda: cloud.request("POST", "/v1/queries", last, token=cloud.token(secrets.token_hex(8), files.phone()))  # noqa: E731
    began = time.monotonic()
    cloud.upload("live/bench.csv", files.csv(rows))
    wait_for(
        lambda: ask().body["totals"]["count"],
        120,
        "the last row by API",
    )
    say(capsys, "1,000 rows, upload to last row readable by API", f"{time.monotonic() - began:.1f} s", "15 s")
    wait_for(lambda: cloud.read_object("reports/live/bench.csv.json"), 60, "the report")


def _look_up(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    number = files.plate_number()
    version = cloud.upload("backlog/twenty.csv", files.csv([files.row(number) for _ in range(20)]))
    cloud.report("backlog/twenty.csv", version)
    tokens = [cloud.token(f"ur-bench-{secrets.token_hex(4)}", files.phone()) for _ in range(3)]
    taken = []
    for round_no in range(120):
        token = tokens[round_no % 3]
        began = time.perf_counter()
        answer = cloud.request("POST", "/v1/queries", {"plate": f"بغداد ز {number}", "sms": False}, token=token)
        taken.append(time.perf_counter() - began)
        assert answer.body["totals"]["count"] == 20
    p50 = statistics.median(taken[20:]) * 1000
    say(capsys, "a look-up of 20 violations, warm p50", f"{p50:.1f} ms", "25 ms")


def _idle(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    assert cloud.process is not None
    time.sleep(100)  # the measurement itself: a minute and a half in which nobody asks for anything
    pids = family(cloud.process.pid)
    say(capsys, f"idle memory of all {len(pids)} processes together", f"{proportional_memory(pids):.0f} MB", "400 MB")
