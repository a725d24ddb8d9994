"""Files that came after the instant of a restore are loaded once more, oldest first, and nobody hears of them yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner

from infra.operator import __main__ as commands
from infra.operator.deployment import Deployment
from ingest.on_file import versions
from shared.domain.file import FileStatus, FileVersion
from shared.domain.time import BAGHDAD
from shared.stores.files import Files
from tests.support.aws import Engine
from tests.support.functions import Functions

SINCE = datetime(2026, 11, 20, 9, tzinfo=BAGHDAD)


class Stand(Deployment):
    """A stack with a bucket of some versions and a queue of files."""

    def __init__(self, engine: Engine, functions: Functions) -> None:
        super().__init__("stand", lambda _: self, clock=lambda: functions.clock.at)
        self.physical = {  # type: ignore[assignment]
            "Uploads": "uploads",
            "Files": functions.tables["Files"],
            "FileQueue": "files",
            "OperatorActions": "actions",
        }
        self.parameters = {"MostNews": "0"}  # type: ignore[assignment]
        self.call = engine.fast()  # type: ignore[assignment]
        self.versions: list[dict[str, Any]] = []
        self.sent: list[FileVersion] = []

    def put(self, key: str, minutes: int, size: int = 10) -> FileVersion:
        """A version that came so many minutes after the instant."""
        version_id, at = f"version-{len(self.versions)}", SINCE + timedelta(minutes=minutes)
        self.versions.append({"Key": key, "VersionId": version_id, "LastModified": at, "Size": size})
        return FileVersion("uploads", key, version_id, "F" * 32)

    # What is asked of STS, CloudWatch Logs, S3 and SQS.

    def get_caller_identity(self) -> Mapping[str, str]:
        return {"Arn": "operator"}

    def create_log_stream(self, **_: str) -> None: ...

    def put_log_events(self, **_: Any) -> None: ...

    def get_paginator(self, _: str) -> Stand:
        return self

    def paginate(self, *, Prefix: str, **_: str) -> Iterator[Any]:  # noqa: N803
        yield {"Versions": [one for one in self.versions if one["Key"].startswith(Prefix)]}

    def send_message(self, *, MessageBody: str, **_: str) -> None:  # noqa: N803
        self.sent += versions(MessageBody)


@pytest.fixture
def stand(engine: Engine, functions: Functions, monkeypatch: pytest.MonkeyPatch) -> Stand:
    stand = Stand(engine, functions)
    monkeypatch.setattr(commands, "Deployment", lambda *_, **__: stand)
    return stand


def reload(*words: str, code: int = 0) -> str:
    command = ["--stack", "stand", "reload-files", "--since", SINCE.isoformat(), *words]
    result = CliRunner().invoke(commands.app, command)
    assert result.exit_code == code, result.output
    return result.output


def test_what_came_since_and_is_not_loaded_comes_again_in_its_order(stand: Stand, functions: Functions) -> None:
    stand.put("live/before.csv", -1)
    later = stand.put("backlog/late one+.csv", 5)
    first = stand.put("live/a.csv", 1)
    again = stand.put("live/a.csv", 9)
    loaded = stand.put("live/loaded.csv", 3)
    stand.put("live/", 2, size=0)
    stand.put("reports/a.json", 2)
    files = Files(stand.call, stand.physical["Files"])
    files.claim(loaded, stand.clock())
    files.end(loaded.file_id, FileStatus.REFUSED, "{}")
    assert "3 files to be loaded again" in reload()
    assert not stand.sent
    reload("--apply")
    assert [(one.key, one.version_id) for one in stand.sent] == [
        (one.key, one.version_id) for one in (first, later, again)
    ]
    orders = [one.order for one in stand.sent]
    assert orders == sorted(set(orders))


def test_nothing_comes_again_while_followers_would_hear_of_it(stand: Stand) -> None:
    stand.put("live/a.csv", 1)
    stand.parameters = {"MostNews": "30000"}  # type: ignore[assignment]
    assert "deploy MostNews=0 first" in reload("--apply", code=1)
    assert not stand.sent
