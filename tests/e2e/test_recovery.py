"""What is killed comes back: rows are all there, and nobody hears twice."""

from __future__ import annotations

import os
import secrets
import signal
import threading

import pytest

from tests.e2e import files
from tests.e2e.cloud import Cloud, wait_for

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("cloud")]


class Killer(threading.Thread):
    """Kills the process of a function once, in the middle of an invocation: its log says START and not yet END."""

    def __init__(self, cloud: Cloud, function: str, handler: str) -> None:
        super().__init__(daemon=True)
        self._cloud = cloud
        self._log = cloud.state / "logs" / "functions" / f"{function}.log"
        self._handler = handler
        self._before = self._open_invocations()
        self.killed = False
        self.stopped = threading.Event()

    def _open_invocations(self) -> int:
        if not self._log.exists():
            return 0
        lines = self._log.read_text().splitlines()
        return sum(line.startswith("START ") for line in lines) - sum(line.startswith("END ") for line in lines)

    def run(self) -> None:
        while not self.stopped.wait(0.003):
            if self._open_invocations() <= self._before:
                continue
            for pid in self._cloud.function_processes(self._handler):
                os.kill(pid, signal.SIGKILL)
                self.killed = True
            if self.killed:
                return


def test_a_function_killed_in_the_middle_of_a_load_loses_no_row(cloud: Cloud) -> None:
    rows = [files.row(files.plate_number()) for _ in range(3000)]
    killer = Killer(cloud, "IngestLoadChunk", "ingest.load_chunk.handler")
    killer.start()
    version = cloud.upload("backlog/killed.csv", files.csv(rows))

    report = cloud.report("backlog/killed.csv", version, within=150)

    killer.stopped.set()
    assert killer.killed
    assert report["counts"]["inserted"] == 3000
    assert report["counts"]["rows"] == 3000


def test_a_function_killed_between_stream_and_sms_tells_everybody_once(cloud: Cloud) -> None:
    phones = [files.phone() for _ in range(12)]
    number = files.plate_number()
    for phone in phones:
        token = cloud.token(f"ur-{secrets.token_hex(6)}", phone)
        body = {"plate": f"بغداد ز {number}", "relation": "family", "notify": True}
        assert cloud.request("POST", "/v1/vehicles", body, token=token).status == 201
    killer = Killer(cloud, "NotifyOnViolation", "notify.on_violation.handler")
    killer.start()
    cloud.upload(f"live/{number}-killed.csv", files.csv([files.row(number)]))

    wait_for(lambda: all(cloud.sms(phone) for phone in phones), 60, "every follower's SMS")

    killer.stopped.set()
    assert killer.killed
    assert [len(cloud.sms(phone)) for phone in phones] == [1] * len(phones)
