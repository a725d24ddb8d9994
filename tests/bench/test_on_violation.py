"""What a stream record costs ``on_violation``, in instructions, without its table calls."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.on_violation_loop import RECORDS

ROOT = Path(__file__).resolve().parents[2]
FEW, MANY = 1, 4  # rounds
GOAL = 20_000  # instructions a record

pytestmark = [
    pytest.mark.bench,
    pytest.mark.timeout(600),
    pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed"),
]


def run(rounds: int, followers: int, *under: str) -> subprocess.CompletedProcess[str]:
    """The loop, in a process of its own."""
    return subprocess.run(
        [*under, sys.executable, "-m", "tests.bench.on_violation_loop", str(rounds), str(followers)],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{ROOT}:{ROOT / 'functions'}",
            "PYTHONHASHSEED": "0",
            "POWERTOOLS_SERVICE_NAME": "gharama",
            "POWERTOOLS_METRICS_NAMESPACE": "Gharama",
        },
        capture_output=True,
        text=True,
        check=True,
    )


def instructions(rounds: int, followers: int) -> int:
    """Of a whole run of the loop."""
    done = run(rounds, followers, "valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null")
    found = re.search(r"I\s+refs:\s+([\d,]+)", done.stderr)
    assert found
    return int(found[1].replace(",", ""))


def a_record(followers: int) -> int:
    """What one more record costs the handler."""
    run(FEW, followers)  # from here on the bytecode is there: compiling it would count in the first run alone
    return (instructions(MANY, followers) - instructions(FEW, followers)) // ((MANY - FEW) * RECORDS)


@pytest.mark.parametrize("followers", [0, 1])
def test_a_record(followers: int, capsys: pytest.CaptureFixture[str]) -> None:
    cost = a_record(followers)
    with capsys.disabled():
        print(
            f"\n  on_violation, a record of a plate with {followers} followers: {cost:,} instructions; goal: {GOAL:,}"
        )
    if not followers:  # what a follower costs on top is the table calls' preparation
        assert cost <= GOAL
