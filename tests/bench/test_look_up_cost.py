"""What a look-up of 20 violations costs, in instructions, beside the usual ways to build it. One command: `make bench`.

All sides run against one stand-in of DynamoDB. A figure is the difference of two runs under cachegrind, so that what a
process costs apart from the calls drops out; cold is a whole process from its start to its first answer.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.config import ROOT
from tests.bench import cachegrind

pytestmark = [pytest.mark.bench, pytest.mark.timeout(900)]

HERE = Path(__file__).parent / "look_up"
CALLS = 10
PEER = ROOT / ".venv" / "bench" / "bin" / "python"
"""The interpreter of the environment that FastAPI and Mangum are in."""


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

    def __init__(self, name: str, endpoint: str, interpreter: str = sys.executable) -> None:
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
        self.says = cachegrind.run([*self._command, "1"], self._environment).stdout.strip()
        self.cold = self._millions(1)
        self.warm = (self._millions(1 + CALLS) - self.cold) / CALLS

    def _millions(self, calls: int) -> float:
        """Of a process that answers so many calls."""
        return cachegrind.instructions([*self._command, str(calls)], self._environment) / 1e6


def show(what: str, warm: float, cold: float, decimals: tuple[int, int] = (2, 0)) -> None:
    print(f"    {what:42}{warm:10.{decimals[0]}f}{cold:10.{decimals[1]}f}")


def test_a_look_up_beside_the_usual_ways(endpoint: str, capsys: pytest.CaptureFixture[str]) -> None:
    if not PEER.exists():
        pytest.fail(f"{PEER.relative_to(ROOT)} is not there: `make bench` sets it up", pytrace=False)
    ours, bare, peer = Side("ours", endpoint), Side("bare", endpoint), Side("fastapi", endpoint, str(PEER))
    assert {ours.says, bare.says, peer.says} == {"20"}
    with capsys.disabled():
        print("\n  A look-up of 20 violations, millions of instructions")
        print(f"    {'':42}{'warm':>10}{'cold':>10}")
        show("this function", ours.warm, ours.cold)
        show("(a) boto3 client and json.dumps", bare.warm, bare.cold)
        show("    of (a); goals: 0.25 and 0.50", ours.warm / bare.warm, ours.cold / bare.cold, (3, 3))
        show("(b) FastAPI and Mangum", peer.warm, peer.cold)
        show("    of (b); goal for cold: 0.25", ours.warm / peer.warm, ours.cold / peer.cold, (3, 3))
    assert ours.warm <= 0.25 * bare.warm
    assert ours.cold <= 0.5 * bare.cold
    assert ours.cold <= 0.25 * peer.cold


def test_a_callback_that_starts_cold(endpoint: str, capsys: pytest.CaptureFixture[str]) -> None:
    callback = Side("callback", endpoint)
    assert callback.says == "received"
    with capsys.disabled():
        print("\n  A gateway's callback, millions of instructions")
        print(f"    {'':42}{'warm':>10}{'cold':>10}")
        show("repeat of a paid payment, verified", callback.warm, callback.cold)
