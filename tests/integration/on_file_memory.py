"""``python -m tests.integration.on_file_memory FILE``: what on_file does with a file, in a process of its own.

Prints its rows, its chunks, the bytes of those that were kept, and the most memory that the process held, in megabytes.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3

from ingest import on_file
from ingest.objects import Objects
from shared.stores.files import CHECKING, File, FileVersion


class Disk:
    """A bucket that holds one file. Also the body of its object. kept: bytes that were written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.kept = 0

    def get_object(self, **_: str) -> dict[str, Any]:
        size = self._path.stat().st_size
        return {"Body": self, "LastModified": datetime.now(UTC), "ContentLength": size, "Metadata": {}}

    def iter_chunks(self, size: int) -> Iterator[bytes]:
        with self._path.open("rb") as file:
            while block := file.read(size):
                yield block

    def put_object(self, **request: Any) -> None:
        self.kept += len(request["Body"])


class Ledger:
    """The ledger as one file meets it."""

    def __init__(self) -> None:
        self.found: dict[str, Any] = {}

    def claim(self, version: FileVersion, _: datetime) -> File:
        return File(version, CHECKING, "2026-11-20T12:00:00+03:00")

    def plan(self, _: str, plan: Any) -> None:
        self.found = {"rows": plan.rows, "chunks": plan.chunks}

    def all_queued(self, _: str) -> None:
        pass


def main() -> None:
    boto3.client("s3", region_name="eu-central-1")
    boto3.client("sqs", region_name="eu-central-1")
    ledger: Any = Ledger()
    disk = Disk(Path(sys.argv[1]))
    ports = on_file.Ports(ledger, Objects(disk, "b"), lambda *_: None, lambda: datetime.now(UTC), "utf-8")
    on_file.receive(FileVersion("b", "backlog/a", "1", "1"), ports)
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({**ledger.found, "kept": disk.kept, "megabytes": megabytes}))


if __name__ == "__main__":
    main()
