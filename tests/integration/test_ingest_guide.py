"""The directorate's guide beside the reports: put once, replaced by another edition, and no report waits for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ingest.objects import Objects
from ingest.reporting import help_page
from tests.support.aws import Engine, Tables
from tests.support.ingesting import Ingest, row, text


class Counted:
    """A bucket that counts how often each of its operations is called. denied: operations that are refused."""

    def __init__(self, s3: Any, *denied: str) -> None:
        self.calls: list[str] = []
        self._s3 = s3
        self._denied = denied

    def __getattr__(self, operation: str) -> Any:
        def call(**request: Any) -> Any:
            self.calls.append(operation)
            if operation in self._denied:
                raise ClientError({"Error": {"Code": "AccessDenied"}}, operation)
            return getattr(self._s3, operation)(**request)

        return call


@pytest.fixture
def ingest(engine: Engine, tables: Tables) -> Ingest:
    return Ingest(engine, tables)


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "help.html"
    path.write_text("<h3 id=missing>دليل</h3>", encoding="utf-8")
    return path


def publish(ingest: Ingest, page: Path, *denied: str, times: int = 1) -> list[str]:
    """Publish reports in a process of its own; returns what that process called for the guide."""
    s3 = Counted(ingest.s3, *denied)
    ingest.lay_guide = help_page.layer(Objects(s3, ingest.bucket), page)
    for number in range(times):
        assert ingest.take(f"live/{number}.csv", text([row()]))["status"] == "loaded"
    return s3.calls


def test_it_is_put_where_it_is_missing_and_looked_for_once_a_process(ingest: Ingest, page: Path) -> None:
    assert publish(ingest, page, times=2) == ["head_object", "put_object"]
    assert ingest.read(help_page.KEY) == page.read_bytes()
    told = ingest.s3.head_object(Bucket=ingest.bucket, Key=help_page.KEY)
    assert told["ContentType"] == "text/html; charset=utf-8"
    assert publish(ingest, page) == ["head_object"]


def test_another_edition_takes_its_place(ingest: Ingest, page: Path) -> None:
    ingest.s3.put_object(Bucket=ingest.bucket, Key=help_page.KEY, Body=b"by hand")
    assert publish(ingest, page) == ["head_object", "put_object"]
    page.write_text("<h3 id=missing>دليل آخر</h3>", encoding="utf-8")
    assert publish(ingest, page) == ["head_object", "put_object"]
    assert ingest.read(help_page.KEY) == page.read_bytes()


@pytest.mark.parametrize("denied", ["head_object", "put_object"])
def test_no_report_fails_for_it(ingest: Ingest, page: Path, caplog: pytest.LogCaptureFixture, denied: str) -> None:
    assert denied in publish(ingest, page, denied)
    assert [line.getMessage() for line in caplog.records] == ["the guide was not laid beside the reports"]


def test_nor_where_the_package_lacks_it(ingest: Ingest, page: Path, caplog: pytest.LogCaptureFixture) -> None:
    page.unlink()
    assert publish(ingest, page) == []
    assert [line.getMessage() for line in caplog.records] == ["the guide was not laid beside the reports"]
