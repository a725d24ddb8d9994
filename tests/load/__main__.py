"""`make load`: minutes of mixed load on a local cloud of its own; prints figures and fails where something went wrong.

Nothing may be answered with 5xx, no row or message may be lost, no payment may stay open, and the functions' memory
must not grow with the minutes.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.e2e import files
from tests.e2e.cloud import Cloud

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SETTLE_WITHIN = 300.0  # seconds for what was begun to come to its end


class Memory(threading.Thread):
    """Notes every few seconds how many MB the largest process of a cloud's functions holds."""

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(daemon=True)
        self._cloud = cloud
        self.ended = threading.Event()
        self.largest: list[float] = []

    def run(self) -> None:
        while not self.ended.wait(5):
            held = [_megabytes(pid) for pid in self._cloud.function_processes("awslambdaric")]
            if held:
                self.largest.append(max(held))


def _megabytes(pid: int) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    resident = next((line for line in status.splitlines() if line.startswith("VmRSS:")), "VmRSS: 0 kB")
    return int(resident.split()[1]) / 1024


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.load")
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--users", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder)
        cloud = Cloud.at(state / "cloud").start()
        try:
            return _run(cloud, state / "sent", options.minutes, options.users)
        finally:
            cloud.stop()


def _run(cloud: Cloud, sent: Path, minutes: float, users: int) -> int:
    sent.touch()
    memory = Memory(cloud)
    memory.start()
    command = [sys.executable, "-m", "locust", "-f", str(HERE / "locustfile.py"), "--headless", "--only-summary"]
    command += ["--host", cloud.url, "--users", str(users), "--spawn-rate", "4", "--run-time", f"{minutes * 60:.0f}s"]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'functions'}", "GHARAMA_LOAD_SENT": str(sent)}
    began = time.monotonic()
    code = subprocess.run(command, cwd=ROOT, env=environment, timeout=minutes * 60 + 120, check=False).returncode
    faults = ["some calls failed: see above"] if code else []
    numbers = sent.read_text().split()
    faults += _unsettled(cloud, numbers)
    memory.ended.set()
    memory.join()
    third = max(1, len(memory.largest) // 3)
    first, last = max(memory.largest[:third]), max(memory.largest[-third:])
    print(
        f"{len(numbers):,} rows sent and found; the largest function held {first:.0f} MB in the first third of the time"
    )
    print(f"and {last:.0f} MB in the last; all settled {time.monotonic() - began - minutes * 60:.0f} s after the load")
    if last > 1.25 * first:
        faults.append("memory grew")
    for fault in faults:
        print(f"FAULT: {fault}")
    return 1 if faults else 0


def _unsettled(cloud: Cloud, numbers: list[str]) -> list[str]:
    """What does not come to its end: rows that are missing, open payments, messages that wait, dead letters."""
    assert cloud.stack is not None
    tables = cloud.stack["tables"]
    checks: dict[str, Callable[[], int]] = {
        "rows are missing": lambda: len(
            set(numbers) - {item["pk"]["S"] for item in _scan(cloud, tables["Violations"])}
        ),
        "payments are open": lambda: _in_state(cloud, tables["Payments"], {"created", "pending"}),
        # What a citizen's cap holds back until tomorrow is not due.
        "messages that are due wait": lambda: _in_state(cloud, tables["Messages"], {"waiting", "sending"}),
    }
    found = {what: _in_the_end(check) for what, check in checks.items()}
    for name, url in cloud.stack["queues"].items():
        if name.endswith("DeadLetters"):
            found[f"messages lie in {name}"] = _depth(cloud, url)
    return [f"{left} {what}" for what, left in found.items() if left]


def _in_the_end(left: Callable[[], int]) -> int:
    """What is left once nothing is, or no more time is given."""
    deadline = time.monotonic() + SETTLE_WITHIN
    while (now_left := left()) and time.monotonic() < deadline:
        time.sleep(5)
    return now_left


def _in_state(cloud: Cloud, table: str, states: set[str]) -> int:
    now = files.now()
    return sum(
        item.get("status", {}).get("S") in states and item.get("not_before", {"S": ""})["S"] <= now
        for item in _scan(cloud, table)
    )


def _scan(cloud: Cloud, table: str) -> Iterator[dict[str, Any]]:
    for page in cloud.aws("dynamodb").get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        yield from page["Items"]


def _depth(cloud: Cloud, url: str) -> int:
    names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
    attributes = cloud.aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=list(names))["Attributes"]
    return sum(int(attributes[name]) for name in names)


if __name__ == "__main__":
    sys.exit(main())
