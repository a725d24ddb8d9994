"""Stopping leaves nothing running; starting again finds what was there."""

from __future__ import annotations

import secrets
import socket
from pathlib import Path

import pytest

from tests.e2e import files
from tests.support.cloud import Cloud

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("cloud")]


def _answers(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


def _processes_of(cloud: Cloud) -> list[str]:
    """The processes whose environment or arguments name this cloud's folder."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            known = (folder / "environ").read_bytes() + (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if str(cloud.state).encode() in known:
            found.append(folder.name)
    return found


def test_data_outlives_a_stop_that_leaves_nothing_behind(tmp_path: Path) -> None:
    cloud = Cloud.at(tmp_path / "own").start()
    number = files.plate_number()
    version = cloud.upload(f"live/{number}.csv", files.csv([files.row(number)]))
    cloud.report(f"live/{number}.csv", version)
    token = cloud.token(f"ur-{secrets.token_hex(4)}", files.phone())
    assert _processes_of(cloud)

    cloud.stop()

    assert _processes_of(cloud) == []
    assert not _answers(cloud.port)
    assert not _answers(cloud.aws_port)
    cloud.start()
    try:
        found = cloud.request("POST", "/v1/queries", {"plate": f"بغداد ز {number}", "sms": False}, token=token)
        assert found.status == 200, found
        assert found.body["totals"]["count"] == 1
        assert cloud.read_object(f"reports/live/{number}.csv.json")
    finally:
        cloud.stop()
