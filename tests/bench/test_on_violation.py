"""What a stream record costs ``on_violation``, in instructions, without its table calls."""

from __future__ import annotations

import os

import pytest

from infra.local.config import ROOT
from tests.bench import cost
from tests.bench.on_violation_loop import RECORDS

FEW, MANY = 1, 4  # rounds
GOAL = 26_000  # instructions a record on Python 3.13, which takes 8% more than 3.11 for the same code
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "PYTHONPATH": f"{ROOT}:{ROOT / 'functions'}",
    "PYTHONHASHSEED": "0",
    "POWERTOOLS_SERVICE_NAME": "gharama",
    "POWERTOOLS_METRICS_NAMESPACE": "Gharama",
}

pytestmark = [pytest.mark.bench, pytest.mark.timeout(600)]


def a_record(followers: int) -> int:
    """What one more record costs the handler."""
    few, many = (
        [cost.python(), "-m", "tests.bench.on_violation_loop", str(rounds), str(followers)] for rounds in (FEW, MANY)
    )
    cost.run(few, ENVIRONMENT)
    more = cost.instructions(many, ENVIRONMENT) - cost.instructions(few, ENVIRONMENT)
    return more // ((MANY - FEW) * RECORDS)


def test_a_record(capsys: pytest.CaptureFixture[str]) -> None:
    nobody, one = a_record(0), a_record(1)
    with capsys.disabled():
        print(f"\n  on_violation without its table calls on {cost.version()}, instructions a record")
        print(f"    {'of a plate that nobody follows; goal: 26,000':62}{nobody:9,}")
        print(f"    {'of a plate with a follower':62}{one:9,}")
    assert nobody <= GOAL
