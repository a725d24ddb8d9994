"""Twenty hard ends of the whole local cloud under load: what was acknowledged before the last save is there again."""

from __future__ import annotations

import os
import secrets
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e import files
from tests.support.cloud import Cloud, wait_for

pytestmark = [pytest.mark.cloud, pytest.mark.slow, pytest.mark.timeout(1800), pytest.mark.xdist_group("cloud")]

ENDS = 20
LINKS = 5  # acknowledged before each end, all but the last two of them before a save


class Load:
    """Citizens who link a vehicle and the directorate that uploads files, one after the other, until it is closed."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._closed = threading.Event()
        self.linked: list[tuple[int, str]] = []
        self.uploaded: list[tuple[str, str]] = []
        self._threads = [threading.Thread(target=self._repeat, args=[one]) for one in (self._link, self._upload)]
        for thread in self._threads:
            thread.start()

    def is_half_saved(self) -> bool:
        """Whether so much was acknowledged, and the state saved in the midst of it."""
        return len(self.linked) >= LINKS and saved(self._cloud) > self.linked[LINKS - 3][0]

    def close(self) -> None:
        self._closed.set()
        for thread in self._threads:
            thread.join()

    def _repeat(self, step: Callable[[], None]) -> None:
        while not self._closed.is_set():
            try:
                step()
            except Exception:  # noqa: BLE001  the cloud ends in the middle of something
                self._closed.wait(0.01)

    def _link(self) -> None:
        sub = f"ur-{secrets.token_hex(6)}"
        body = {"plate": f"بغداد ز {files.plate_number()}", "relation": "family", "notify": True}
        answer = self._cloud.request("POST", "/v1/vehicles", body, token=self._cloud.token(sub, files.phone()))
        if answer.status == 201:
            self.linked.append((time.time_ns(), sub))

    def _upload(self) -> None:
        number = files.plate_number()
        key = f"live/{number}-{secrets.token_hex(4)}.csv"
        self.uploaded.append((key, self._cloud.upload(key, files.csv([files.row(number)]))))


def end_hard(cloud: Cloud) -> None:
    """Kill every process of this cloud, the emulator first, so that none has time to save."""
    assert cloud.process is not None
    others = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes()
        except OSError:
            continue
        if str(cloud.state).encode() in environment and int(folder.name) != cloud.process.pid:
            others.append((f"GATEWAY_PORT={cloud.aws_port}".encode() not in environment, int(folder.name)))
    for _, pid in sorted(others):
        os.kill(pid, signal.SIGKILL)
    cloud.process.kill()
    cloud.process.wait()
    cloud.process = None


def saved(cloud: Cloud) -> int:
    """When the state was so that is saved, in nanoseconds."""
    return int(os.readlink(cloud.state / "emulator" / "saved" / "newest"))


def subs(cloud: Cloud) -> set[str]:
    """The citizens who have linked a vehicle, as the table has them."""
    assert cloud.stack is not None
    pages = (
        cloud.aws("dynamodb")
        .get_paginator("scan")
        .paginate(
            TableName=cloud.stack["tables"]["Citizens"],
            FilterExpression="begins_with(sk, :vehicle)",
            ExpressionAttributeValues={":vehicle": {"S": "VEHICLE#"}},
        )
    )
    return {item["pk"]["S"] for page in pages for item in page["Items"]}


def test_twenty_hard_ends_under_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GHARAMA_SAVE_SECONDS", "1")
    cloud = Cloud.at(tmp_path / "own").start()
    uploaded: list[tuple[str, str]] = []
    kept: set[str] = set()
    lost = 0
    for number in range(ENDS):
        load = Load(cloud)
        wait_for(load.is_half_saved, 120, "links and a save")
        end_hard(cloud)
        load.close()
        saved_at = saved(cloud)

        began = time.monotonic()
        cloud.start()
        took = time.monotonic() - began

        kept |= {sub for at, sub in load.linked if at <= saved_at}
        found = subs(cloud)
        assert kept <= found
        since = [sub for at, sub in load.linked if at > saved_at and sub not in found]
        lost += len(since)
        uploaded += load.uploaded
        log = (cloud.state / "up.log").read_text()
        assert log.count("The last run did not end in order") == number + 1
        again = log.rpartition("notified again: ")[2].split("\n")[0]
        print(
            f"{number + 1:2}: {len(load.linked)} linked, {len(since)} since the last save gone, "
            f"{len(load.uploaded)} uploaded, {again} notified again, ready in {took:.1f} s"
        )

    reports = [cloud.report(*one, within=200) for one in uploaded]
    assert all(report["counts"]["rows"] == 1 for report in reports)
    assert kept
    print(f"{len(kept)} links kept, {lost} gone, {len(reports)} files taken")
    cloud.stop()
