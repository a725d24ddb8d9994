"""The night's figures lie in the bucket."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.e2e import files
from tests.support.cloud import ROOT, Cloud, wait_for

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("cloud")]


def test_the_figures_of_the_night(cloud: Cloud) -> None:
    rows = [files.row(files.plate_number(), status="cancelled") for _ in range(12)]
    version = cloud.upload("backlog/figures.csv", files.csv(rows))
    cloud.report("backlog/figures.csv", version)

    cloud.invoke("stats.on_night.handler")

    key = f"statistics/{files.now(-1)[:10]}.json"
    raw = wait_for(lambda: cloud.read_object(key), 20, "the figures")
    cells = json.loads(raw)["violations"]
    (cancelled,) = (
        cell for cell in cells if (cell["family"], cell["governorate"], cell["status"]) == ("DE", "11", "cancelled")
    )
    assert cancelled["count"] >= 12
    assert all(cell["count"] is None or cell["count"] >= 10 for cell in cells)


def test_a_night_that_failed_is_made_up_for(cloud: Cloud) -> None:
    day = files.now(-3)[:10]
    command = [sys.executable, "-m", "infra.operator", "--stack", "gharama", "figures", day, "--apply"]
    environment = {**os.environ, **cloud.aws_environment(), "PYTHONPATH": "functions"}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=120)
    raw = cloud.read_object(f"statistics/{day}.json")
    assert raw
    assert json.loads(raw)["date"] == day


def test_the_console_counts_them_at_once(cloud: Cloud) -> None:
    answer = cloud.request("POST", "/_local/figures")
    assert answer.status == 200
    assert {"date", "violations", "settled", "day"} == answer.body.keys()
