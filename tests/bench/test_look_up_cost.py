"""What a look-up of 20 violations costs, in instructions, beside the usual ways to build it. One command: `make bench`.

All sides run against one stand-in of DynamoDB. A figure is the difference of two runs under cachegrind, so that what a
process costs apart from the calls drops out; cold is a whole process from its start to its first answer.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.config import ROOT

pytestmark = [pytest.mark.bench, pytest.mark.timeout(900)]

HERE = Path(__file__).parent / "look_up"
CALLS = 10
PEER = os.environ.get("GHARAMA_BENCH_FASTAPI", "")
"""The interpreter of an environment with fastapi, mangum and boto3; they are nothing that this project installs."""


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


class Side:
    """One side of the comparison."""

    def __init__(self, name: str, endpoint: str, interpreter: str = sys.executable, *, says: str = "20") -> None:
        self._says = says
        self._command = [interpreter, str(HERE / "side.py"), name]
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
            "PROOF": "declared",
            "QUERIES_A_DAY": "50",
            "PLATES_A_DAY": "10",
            "LINKS_A_DAY": "5",
            "MOST_VEHICLES": "10",
            "SMS_CITIZEN_DAY_CAP": "10",
        }
        self._run([], 1)  # leaves the bytecode behind
        self.cold = self._instructions(1)
        self.warm = (self._instructions(1 + CALLS) - self.cold) / CALLS

    def _instructions(self, calls: int) -> float:
        """Millions of a process that answers so many calls."""
        tool = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
        match = re.search(r"I\s+refs:\s+([\d,]+)", self._run(tool, calls).stderr)
        assert match
        return int(match[1].replace(",", "")) / 1e6

    def _run(self, tool: list[str], calls: int) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*tool, *self._command, str(calls)], env=self._environment, capture_output=True, text=True, check=False
        )
        assert done.stdout.strip() == self._says, done.stderr
        return done


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")
def test_a_look_up_beside_the_usual_ways(endpoint: str, capsys: pytest.CaptureFixture[str]) -> None:
    ours, bare = Side("ours", endpoint), Side("bare", endpoint)
    peer = Side("fastapi", endpoint, PEER) if PEER else None
    with capsys.disabled():
        print("\n  A look-up of 20 violations, millions of instructions")
        print(f"    {'':42}{'warm':>10}{'cold':>10}")
        print(f"    {'this function':42}{ours.warm:10.2f}{ours.cold:10.0f}")
        print(f"    {'(a) boto3 client and json.dumps':42}{bare.warm:10.2f}{bare.cold:10.0f}")
        print(f"    {'    of (a); goals: 0.25 and 0.50':42}{ours.warm / bare.warm:10.3f}{ours.cold / bare.cold:10.3f}")
        if peer:
            print(f"    {'(b) FastAPI and Mangum':42}{peer.warm:10.2f}{peer.cold:10.0f}")
            print(
                f"    {'    of (b); goal for cold: 0.25':42}{ours.warm / peer.warm:10.3f}{ours.cold / peer.cold:10.3f}"
            )
        else:
            print("    (b) FastAPI and Mangum: not measured, GHARAMA_BENCH_FASTAPI names no interpreter")
    assert ours.warm <= 0.25 * bare.warm
    assert ours.cold <= 0.5 * bare.cold
    assert peer is None or ours.cold <= 0.25 * peer.cold


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")
def test_a_callback_that_starts_cold(endpoint: str, capsys: pytest.CaptureFixture[str]) -> None:
    callback = Side("callback", endpoint, says="received")
    with capsys.disabled():
        print("\n  A gateway's callback, millions of instructions")
        print(f"    {'repeat of a paid payment, verified':42}{callback.warm:10.2f}{callback.cold:10.0f}")
