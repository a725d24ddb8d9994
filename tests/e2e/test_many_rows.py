"""200,000 rows through the whole local cloud, its roles enforced: the report says what an independent count says."""

from __future__ import annotations

import csv
import json
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from infra.local.demo import files as demo
from tests.support.cloud import Cloud

pytestmark = [pytest.mark.cloud, pytest.mark.slow, pytest.mark.timeout(1800), pytest.mark.xdist_group("cloud")]

ROWS = 199_000
AGAIN = 1_000


def write(path: Path) -> None:
    """Rows of which one in a hundred is bad, and some that say again, earlier or later, what another says."""
    rows = list(demo.rows(ROWS, seed=3, bad_per_mille=10))
    chosen = random.Random(7)
    for row in chosen.sample([row for row in rows if row["amount"].isdigit()], AGAIN):
        again = {**row, "updated_at": chosen.choice(("2020-01-01", "2026-01-02")), "amount": "75000"}
        rows.insert(chosen.randrange(len(rows)), again)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, demo.COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def test_two_hundred_thousand_rows_are_accounted_for(
    cloud: Cloud, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "many.csv"
    write(file)
    counted = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("count_rows.py")), str(file)], capture_output=True, check=True
    )
    expected = json.loads(counted.stdout)
    assert expected["rows"] == ROWS + AGAIN
    began = time.monotonic()

    report = cloud.report("backlog/many.csv", cloud.upload("backlog/many.csv", file.read_bytes()), within=1500)

    took = time.monotonic() - began
    counts = report["counts"]
    with capsys.disabled():
        print(f"\n200,000 rows in {took:.0f} s: {counts}")
    assert report["status"] == "loaded"
    assert {name: counts[name] for name in ("rows", "inserted", "rejected")} == {
        name: expected[name] for name in ("rows", "inserted", "rejected")
    }
    assert counts["updated"] + counts["stale"] == expected["again"]
    assert counts["unchanged"] == 0
    raw = cloud.read_object("rejects/backlog/many.csv")
    assert raw is not None
    assert len(list(csv.reader(raw.decode("utf-8-sig").splitlines()))) == expected["rejected"] + 1
