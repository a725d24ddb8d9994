"""What ingest needs of the outside but the table of violations, in this process: one file on disk, and its ledger."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any
from urllib.parse import quote

from botocore.exceptions import ClientError

from ingest.ending import EndingPorts
from ingest.objects import Objects
from shared.clock import now
from shared.domain.file import DoneChunk, File, FileStatus, FileVersion, Plan


class Disk:
    """S3's client on a bucket of one file. The other objects lie in a folder that goes when the disk does."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written_at = now()
        self._folder = TemporaryDirectory()

    def written(self, key: str) -> Path:
        """Where an object lies that was written."""
        return Path(self._folder.name, quote(key, safe=""))

    def list_objects_v2(self, Prefix: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        return {"Contents": [{"Key": Prefix}]}

    def get_object(self, Key: str, Range: str = "", **_: str) -> dict[str, Any]:  # noqa: N803
        if self.written(Key).exists():
            return {"Body": io.BytesIO(self.written(Key).read_bytes())}
        start, _, end = Range.removeprefix("bytes=").partition("-")
        answer = {"Body": _Body(self._path, int(start or 0), int(end) + 1 if end else None), "Metadata": {}}
        size = self._path.stat().st_size
        return {**answer, "LastModified": self._written_at, "ContentLength": size, "ContentRange": Range}

    def put_object(self, Key: str, Body: bytes, **_: str) -> None:  # noqa: N803
        self.written(Key).write_bytes(Body)

    def upload_fileobj(self, file: Any, _: str, key: str, **__: Any) -> None:
        self.written(key).write_bytes(file.read())

    def copy_object(self, Key: str, CopySource: Any, **_: str) -> None:  # noqa: N803
        self.written(Key).write_bytes(self.written(CopySource["Key"]).read_bytes())

    def head_object(self, Key: str, **_: str) -> None:  # noqa: N803
        if not self.written(Key).exists():
            raise ClientError({"Error": {"Code": "404"}}, "HeadObject")

    def delete_object(self, Key: str, **_: str) -> None:  # noqa: N803
        self.written(Key).unlink()


class _Body:
    def __init__(self, path: Path, start: int, end: int | None) -> None:
        self._path, self._start, self._end = path, start, end

    def read(self) -> bytes:
        with self._path.open("rb") as file:
            file.seek(self._start)
            return file.read(-1 if self._end is None else self._end - self._start)

    def iter_chunks(self, size: int) -> Iterator[bytes]:
        with self._path.open("rb") as file:
            while block := file.read(size):
                yield block


class Ledger:
    """The ledger of one file, as :class:`shared.stores.files.Files` keeps it."""

    def __init__(self) -> None:
        self._done: dict[int, DoneChunk] = {}
        self._lock = Lock()

    def claim(self, version: FileVersion, _: datetime) -> File:
        self._file = File(version, FileStatus.CHECKING, "2026-01-01T00:00:00+03:00")
        return self._file

    def file(self, _: str) -> File:
        return self._file

    def plan(self, _: str, plan: Plan) -> None:
        self._file = self._file._replace(plan=plan, state=FileStatus.LOADING)

    def all_queued(self, _: str) -> None:
        self._file = self._file._replace(queued=True)

    def is_done(self, _: str, number: int) -> bool:
        return number in self._done

    def note_rows(self, *_: Any) -> None:
        """Nobody asks how far a chunk is."""

    def chunk_done(self, _: str, chunk: DoneChunk, __: datetime) -> bool:
        with self._lock:
            self._done[chunk.number] = chunk
            self._file = self._file._replace(chunks_done=len(self._done))
        return True

    def chunks(self, _: str) -> list[DoneChunk]:
        return [self._done[number] for number in sorted(self._done)]

    def take_finish(self, *_: Any) -> bool:
        return True

    def end(self, _: str, state: str, report: str) -> bool:
        self._file = self._file._replace(state=state, report=report)
        return True

    def newest(self, *_: str) -> str:
        return self._file.version.file_id

    def all_published(self, *_: str) -> None:
        self._file = self._file._replace(published=True)


def ending_ports(path: Path) -> tuple[EndingPorts, Disk]:
    """Make the ports for one file, and its bucket."""
    disk, ledger = Disk(path), Ledger()
    files: Any = ledger
    return EndingPorts(files, Objects(disk, "uploads"), lambda _: None, lambda: None, lambda: None), disk
