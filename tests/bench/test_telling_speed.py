"""What it costs to tell: CPU a follower announced to and an SMS sent, their table calls included.

Most of it is the system's, for its sockets, and depends on the machine: it is printed beside the goals, held to none.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from infra.local.config import ROOT
from tests.bench import cost

pytestmark = [pytest.mark.bench, pytest.mark.timeout(300)]

PATHS = f"{ROOT}:{ROOT / 'functions'}"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    command = [sys.executable, "-m", "tests.bench.telling.stub"]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": PATHS}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def milliseconds(endpoint: str, *what: str) -> float:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": PATHS,
        "PYTHONHASHSEED": "0",
        "POWERTOOLS_SERVICE_NAME": "gharama",
        "POWERTOOLS_METRICS_NAMESPACE": "Gharama",
        "AWS_REGION": "me-south-1",
        "AWS_DEFAULT_REGION": "me-south-1",
        "AWS_ACCESS_KEY_ID": "5f0c2e",
        "AWS_SECRET_ACCESS_KEY": "5f0c2e",
        "AWS_ENDPOINT_URL": endpoint,
        "CITIZENS_TABLE": "citizens",
        "MESSAGES_TABLE": "messages",
        "VIOLATIONS_TABLE": "violations",
        "REGISTRY_TABLE": "registry",
        "PLATE_KEY_SECRET": "plate-key",
        "PROOF": "optional",
        "FAILED_RECORDS_BUCKET": "failed",
        "SMS_SENDER_ID": "Gharama",
        "QUIET_HOURS": "off",
        "SMS_CITIZEN_DAY_CAP": "10",
        "SMS_SPEND_DAY_CAP": "4000",
        "SMS_OTHER_SHARE": "40",
        "SMS_PART_PRICE": "0.05",
        "SMS_FIRST_PROVIDER": "sns",
        "UR_SMS_URL": "",
    }
    return float(cost.run([cost.python(), "-m", "tests.bench.telling.side", *what], environment).stderr.split()[-1])


def test_telling(endpoint: str, capsys: pytest.CaptureFixture[str]) -> None:
    many, one = milliseconds(endpoint, "announce", "50") / 50, milliseconds(endpoint, "announce", "1")
    sms = milliseconds(endpoint, "send")
    with capsys.disabled():
        print(f"\n  Telling, with its table calls, on {cost.version()}, milliseconds of CPU")
        print(f"    {'announcing to a follower of fifty; goal: 0.15':62}{many:9.3f}")
        print(f"    {'announcing to the only follower; goal: 1':62}{one:9.3f}")
        print(f"    {'sending an SMS; goal: 4':62}{sms:9.3f}")
