"""`make load`: minutes of mixed load on a local cloud of its own; prints figures and fails where something went wrong.

Nothing may be answered with 5xx, every row must be found and every follower told of it, no message may fail, no payment
may stay open, and the functions' memory must not grow with the minutes.
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
from typing import Any, NamedTuple

from infra.operator.deployment import Deployment
from infra.operator.replay import places, waiting
from shared.clock import now
from shared.domain.message import MessageKind
from shared.domain.time import to_text
from shared.stores.messaging.messages import marker
from tests.support.cloud import Cloud

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SETTLE_WITHIN = 300.0  # seconds for what was begun to come to its end
UNBOUNDED = "QueriesADay=1000000 SmsCitizenDayCap=1000000 SmsSpendDayCap=1000000"
"""A citizen does here in minutes what others do in months."""


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
        noted = state / "notes"
        noted.mkdir()
        cloud = Cloud.at(state / "cloud", parameters=UNBOUNDED).start()
        try:
            return _run(cloud, noted, options.minutes, options.users)
        finally:
            cloud.stop()


def _run(cloud: Cloud, folder: Path, minutes: float, users: int) -> int:
    memory = Memory(cloud)
    memory.start()
    command = [sys.executable, "-m", "locust", "-f", str(HERE / "locustfile.py"), "--headless", "--only-summary"]
    command += ["--host", cloud.url, "--users", str(users), "--spawn-rate", "4", "--run-time", f"{minutes * 60:.0f}s"]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'functions'}", "GHARAMA_LOAD_NOTES": str(folder)}
    began = time.monotonic()
    code = subprocess.run(command, cwd=ROOT, env=environment, timeout=minutes * 60 + 120, check=False).returncode
    faults = ["some calls failed: see above"] if code else []
    rows, followers, payments = (notes(folder / kind) for kind in ("rows", "followers", "payments"))
    told = {
        marker(row.what, one.what, MessageKind.NEW_VIOLATION)
        for row in rows
        for one in followers
        if one.plate_number == row.plate_number and one.at < row.at
    }
    faults += _unsettled(cloud, {row.what for row in rows}, told, {payment.what for payment in payments})
    memory.ended.set()
    memory.join()
    third = max(1, len(memory.largest) // 3)
    first, last = max(memory.largest[:third]), max(memory.largest[-third:])
    settled = time.monotonic() - began - minutes * 60
    print(f"{len(rows):,} rows sent, followers to be told of them {len(told):,} times; all settled in {settled:.0f} s")
    print(f"the largest function held {first:.0f} MB in the first third of the time and {last:.0f} MB in the last")
    if last > 1.25 * first:
        faults.append("memory grew")
    for fault in faults:
        print(f"FAULT: {fault}")
    return 1 if faults else 0


class Note(NamedTuple):
    """What was done with a plate, and when."""

    plate_number: str
    what: str
    at: float


def notes(path: Path) -> list[Note]:
    lines = (line.split("\t") for line in path.read_text().splitlines())
    return [Note(plate_number, what, float(at)) for plate_number, what, at in lines]


def _unsettled(cloud: Cloud, numbers: set[str], told: set[str], ended: set[str]) -> list[str]:
    """What does not come to its end: rows that are missing, followers who were not told of one, payments that are open
    though their gateway knows their end, messages that wait or failed, dead letters.
    """
    assert cloud.stack is not None
    tables = cloud.stack["tables"]
    checks: dict[str, Callable[[], int]] = {
        "rows are missing": lambda: len(numbers - _keys(cloud, tables["Violations"])),
        "times a follower was not told": lambda: len(told - _keys(cloud, tables["Messages"])),
        "payments are open": lambda: len(ended & _in_state(cloud, tables["Payments"], {"created", "pending"})),
        # What says the same as another of the last hours is not due.
        "messages that are due wait": lambda: len(_in_state(cloud, tables["Messages"], {"waiting", "sending"})),
        "messages failed": lambda: len(_in_state(cloud, tables["Messages"], {"failed", "unknown"})),
    }
    found = {what: _in_the_end(check) for what, check in checks.items()}
    deployment = Deployment("gharama", cloud.aws, clock=now)
    found |= {f"lie in {place}": waiting(deployment, place) for place in places(deployment)}
    return [f"{left} {what}" for what, left in found.items() if left]


def _in_the_end(left: Callable[[], int]) -> int:
    """What is left once nothing is, or no more time is given."""
    deadline = time.monotonic() + SETTLE_WITHIN
    while (now_left := left()) and time.monotonic() < deadline:
        time.sleep(5)
    return now_left


def _in_state(cloud: Cloud, table: str, states: set[str]) -> set[str]:
    """The keys of what is in one of these states, and due."""
    at = to_text(now())
    return {
        item["pk"]["S"]
        for item in _scan(cloud, table)
        if item.get("status", {}).get("S") in states and item.get("not_before", {"S": ""})["S"] <= at
    }


def _keys(cloud: Cloud, table: str) -> set[str]:
    return {item["pk"]["S"] for item in _scan(cloud, table)}


def _scan(cloud: Cloud, table: str) -> Iterator[dict[str, Any]]:
    for page in cloud.aws("dynamodb").get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        yield from page["Items"]


if __name__ == "__main__":
    sys.exit(main())
