"""What a look-up of 20 violations costs beside the usual ways to build it. One command: `make bench`.

All sides run against one stand-in of DynamoDB. Warm is the difference of two runs, so that what a process costs apart
from the calls drops out; cold is a whole process from its start to its first answer. Instructions are held to the goals
and to repeating; those without SHA-256 and CPU time are their witnesses, and CPU time depends on the machine.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from infra.local.config import ROOT
from tests.bench import cost

pytestmark = [pytest.mark.bench, pytest.mark.timeout(900)]

HERE = Path(__file__).parent / "look_up"
CALLS, TIMED_CALLS = 10, 200
TRIES = 5  # of which the quickest counts: others' work on the machine only adds


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    process = subprocess.Popen([sys.executable, str(HERE / "stub.py")], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


class Cost(NamedTuple):
    """Of a side; or one side's as parts of another's. rest: without SHA-256."""

    warm: float
    cold: float
    warm_rest: float
    cold_rest: float
    cpu_warm: float
    cpu_cold: float

    def of(self, other: Cost) -> Cost:
        return Cost(*(mine / its for mine, its in zip(self, other, strict=True)))


class Side:
    """One side of the comparison."""

    def __init__(self, name: str, endpoint: str) -> None:
        self._command = [cost.python(), str(HERE / "side.py"), name]
        self._environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT / "functions"),
            "PYTHONHASHSEED": "0",
            "AWS_REGION": "me-south-1",
            "AWS_DEFAULT_REGION": "me-south-1",
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_SESSION_TOKEN": "t" * 300,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_LAMBDA_FUNCTION_NAME": "query",
            "POWERTOOLS_SERVICE_NAME": "gharama",
            "POWERTOOLS_METRICS_NAMESPACE": "Gharama",
            "VIOLATIONS_TABLE": "violations",
            "CITIZENS_TABLE": "citizens",
            "MESSAGES_TABLE": "messages",
            "PAYMENTS_TABLE": "payments",
            "SETTLEMENTS_TABLE": "settlements",
            "SANDBOX_GATEWAY_URL": "http://127.0.0.1:9",
            "SANDBOX_GATEWAY_SECRET": "sandbox",
            "FILES_TABLE": "files",
            "REGISTRY_TABLE": "registry",
            "PLATE_KEY_SECRET": "plate-key",
            "EDGE_SECRET": "",
            "PROOF": "optional",
            "QUERIES_A_DAY": "50",
            "PLATES_A_DAY": "10",
            "LINKS_A_DAY": "5",
            "MAX_VEHICLES": "10",
            "PROOFS_A_DAY": "10",
            "MAX_FOLLOWERS": "50",
            "SMS_CITIZEN_DAY_CAP": "10",
        }
        self.says = cost.run([*self._command, "1"], self._environment).stdout.strip()  # leaves the bytecode behind

    def cost(self) -> Cost:
        """In millions of instructions and milliseconds of CPU."""
        cold, sha256_cold, cpu_cold = self._instructions(1), self._sha256(1), self._cpu(1)
        warm = (self._instructions(1 + CALLS) - cold) / CALLS
        sha256_warm = (self._sha256(1 + CALLS) - sha256_cold) / CALLS
        cpu_warm = (self._cpu(1 + TIMED_CALLS) - cpu_cold) / TIMED_CALLS
        return Cost(warm, cold, warm - sha256_warm, cold - sha256_cold, cpu_warm, cpu_cold)

    def _instructions(self, calls: int) -> float:
        return cost.instructions([*self._command, str(calls)], self._environment) / 1e6

    def _sha256(self, calls: int) -> float:
        return cost.sha256([*self._command, str(calls)], self._environment) / 1e6

    def _cpu(self, calls: int) -> float:
        return min(cost.cpu_seconds([*self._command, str(calls)], self._environment) for _ in range(TRIES)) * 1e3


def show_head(what: str) -> None:
    print(f"\n  {what} on {cost.version()}; SHA-256 at {cost.sha256_a_byte():.1f} instructions a byte")
    print(f"  {'':42}{'instructions, millions':>22}{'without SHA-256':>22}{'CPU, ms':>18}")
    print(f"  {'':42}" + f"{'warm':>11}{'cold':>11}" * 2 + f"{'warm':>9}{'cold':>9}")


def show(what: str, found: Cost) -> None:
    print(f"    {what:40}" + "{:11.2f}{:11.0f}{:11.2f}{:11.0f}{:9.2f}{:9.0f}".format(*found))


def show_part(what: str, part: Cost) -> None:
    print(f"      {what:38}" + "{:11.3f}{:11.3f}{:11.3f}{:11.3f}{:9.2f}{:9.2f}".format(*part))


def test_a_look_up_beside_the_usual_ways(endpoint: str, capsys: pytest.CaptureFixture[str]) -> None:
    sides = Side("ours", endpoint), Side("bare", endpoint), Side("fastapi", endpoint)
    assert [side.says for side in sides] == ["20"] * 3
    ours, bare, peer = (side.cost() for side in sides)
    again = sides[0].cost()
    of_bare, of_peer, drift = ours.of(bare), ours.of(peer), again.of(ours)
    with capsys.disabled():
        show_head("A look-up of 20 violations")
        show("this function", ours)
        show_part("measured again, of it; goal: within 1%", drift)
        show("(a) boto3 client and json.dumps", bare)
        show_part("of (a); goals: 0.20 and 0.36", of_bare)
        show("(b) FastAPI and Mangum", peer)
        show_part("of (b); goal for cold: 0.25", of_peer)
    assert of_bare.warm <= 0.2
    assert of_bare.cold <= 0.36
    assert of_peer.cold <= 0.25
    assert abs(drift.warm - 1) <= 0.01
    assert abs(drift.cold - 1) <= 0.01


def test_a_callback_that_starts_cold(endpoint: str, capsys: pytest.CaptureFixture[str]) -> None:
    callback = Side("callback", endpoint)
    assert callback.says == "received"
    found = callback.cost()
    with capsys.disabled():
        show_head("A gateway's callback")
        show("repeat of a paid payment, verified", found)
