"""The ingest of several files at once, as runs that advance call by call and can be ended between any two of them."""

from __future__ import annotations

import csv
import io
import itertools
import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import orjson

from ingest import load_chunk, on_file
from ingest.chunking import RULES, Chunk
from ingest.ending import EndingPorts
from ingest.errors import FileError
from ingest.held_news import Brake
from ingest.objects import Opened
from shared.aws_json import Call, Json
from shared.domain.file import FileVersion
from shared.domain.time import BAGHDAD, to_text
from shared.stores.files import Files
from shared.stores.items import text
from shared.stores.violations import Violations

START = datetime(2026, 11, 20, 9, 0, tzinfo=BAGHDAD)
ANNOUNCE_WITHIN = timedelta(days=45)


class Killed(BaseException):
    """The end of a run. Not an Exception, so that nothing in it can deal with its own death."""


class Run:
    """A function's run in a thread of its own, of which only one moves at a time: up to its next call outside."""

    def __init__(self, work: Callable[[Callable[[], None]], None]) -> None:
        self._turn = threading.Semaphore(0)
        self._rests = threading.Semaphore(0)
        self._killed = False
        self.ended = False
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, args=(work,), daemon=True)
        self._thread.start()
        self._rests.acquire()

    def step(self) -> None:
        """Let it make the call before which it rests."""
        if not self.ended:
            self._turn.release()
            self._rests.acquire()

    def finish(self) -> None:
        """Let it go on to its end."""
        while not self.ended:
            self.step()

    def kill(self) -> None:
        """End it where it rests."""
        self._killed = True
        self.step()
        self._thread.join()

    def _gate(self) -> None:
        self._rests.release()
        self._turn.acquire()
        if self._killed:
            raise Killed

    def _work(self, work: Callable[[Callable[[], None]], None]) -> None:
        try:
            self._gate()
            work(self._gate)
        except Killed:
            pass
        except BaseException as error:  # noqa: BLE001 (it is the test's to judge)
            self.error = error
        self.ended = True
        self._rests.release()


class Bucket:
    """The bucket of files in memory, in the place of :class:`ingest.objects.Objects`."""

    def __init__(self) -> None:
        self.uploaded: dict[str, tuple[bytes, str]] = {}
        self.declared: set[str] = set()
        self.laid: dict[str, bytes] = {}

    def through(self, gate: Callable[[], None]) -> Bucket:
        """The same bucket for a run that rests before each writing."""
        mine = Bucket()
        mine.uploaded, mine.laid, mine.declared = self.uploaded, self.laid, self.declared
        mine.gate = gate  # type: ignore[method-assign]
        return mine

    def gate(self) -> None:
        """Where a run rests."""

    def require(self, key: str) -> None:
        """Nothing is deleted."""

    def open(self, key: str, version_id: str) -> Opened:
        content, last_modified = self.uploaded[version_id]
        as_of = last_modified if version_id in self.declared else None
        return Opened(iter((content,)), last_modified, len(content), None, None, as_of)

    def part(self, key: str, version_id: str, start: int, end: int) -> bytes:
        return self.uploaded[version_id][0][start:end]

    def read(self, key: str) -> bytes:
        if key not in self.laid:
            raise FileError("object_missing")
        return self.laid[key]

    def put(self, key: str, content: bytes, content_type: str) -> None:
        self.gate()
        self.laid[key] = content

    def put_pieces(self, key: str, pieces: Iterable[bytes], content_type: str) -> None:
        self.put(key, b"".join(pieces), content_type)

    def copy(self, key: str, to: str) -> None:
        self.put(to, self.laid[key], "")

    def remove(self, key: str) -> None:
        self.gate()
        self.laid.pop(key, None)


class Told(NamedTuple):
    """A write of a violation as the stream would show it. moment: that its row speaks of.

    held: it holds news back. let_go: it only lets such news go.
    """

    violation_no: str
    ref: str
    plate: str
    status: str
    tell: str | None
    moment: str
    held: bool
    let_go: bool


class World:
    """Queues, bucket, clock and tables. Rows' numbers carry a prefix, so that the tables serve many worlds.

    max_news: what the brake lets through, None for no brake.
    """

    def __init__(self, call: Call, files_table: str, violations_table: str, prefix: str) -> None:
        self._call = call
        self._tables = files_table, violations_table
        self.prefix = prefix
        self.bucket = Bucket()
        self.clock = START
        self.max_news: int | None = None
        self.files: list[FileVersion] = []
        self.messages: list[FileVersion | tuple[str, Chunk]] = []
        self.runs: list[tuple[Run, FileVersion | tuple[str, Chunk]]] = []
        self.written: list[Told] = []
        self.operator: list[Json] = []
        self._orders = itertools.count(1)

    # ------------------------------------------------------------------ what happens

    def upload(self, key: str, rows: Sequence[Mapping[str, str]], *, declared: bool = False) -> str:
        """Drop a file; returns its last modification. declared: it says that its rows were so at that moment."""
        self.clock += timedelta(seconds=10)
        out = io.StringIO()
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
        order = next(self._orders)
        version = FileVersion(self.prefix, key, f"{self.prefix}-{order}", f"{order:04d}")
        last_modified = to_text(self.clock)
        self.bucket.uploaded[version.version_id] = out.getvalue().encode(), last_modified
        if declared:
            self.bucket.declared.add(version.version_id)
        self.files.append(version)
        self.messages.append(version)
        return last_modified

    def start(self, message: FileVersion | tuple[str, Chunk]) -> Run:
        """Deliver a message, which stays until a run of it has ended well."""
        run = Run(
            lambda gate: (
                self._receive(message, gate) if isinstance(message, FileVersion) else self._load(*message, gate)
            )
        )
        self.runs.append((run, message))
        return run

    def settle(self) -> None:
        """Take away the runs that have ended, and the messages of those that ended well."""
        for run, message in [each for each in self.runs if each[0].ended]:
            self.runs.remove((run, message))
            if run.error is None and not run._killed and message in self.messages:
                self.messages.remove(message)
            elif run.error and not isinstance(run.error, load_chunk.LaterError):
                raise run.error

    def drain(self) -> None:
        """Everything runs to its end, one after the other, and every lease has run out."""
        for run, _ in self.runs:
            run.finish()
        self.settle()
        while self.messages:
            self.clock += timedelta(seconds=120)
            for message in list(self.messages):
                self.start(message).finish()
            self.settle()

    def close(self) -> None:
        for run, _ in self.runs:
            run.kill()

    # ------------------------------------------------------------------ what there is

    def reports(self) -> Iterator[tuple[FileVersion, Json]]:
        """The report of each file."""
        for version in self.files:
            yield version, json.loads(self.bucket.laid[f"reports/{version.key}.{version.version_id}.json"])

    def held(self, number: str, version: FileVersion) -> bool:
        """Whether a violation holds news back for a file."""
        return bool(Violations(self._call, self._tables[1]).held([number], version.file_id))

    def violations(self, numbers: Iterable[str]) -> dict[str, tuple[str, int, str]]:
        """Plate, amount and status of each violation that is in the table."""
        found = Violations(self._call, self._tables[1]).get(numbers)
        return {number: (each.plate_key, each.amount, each.status) for number, each in found.items()}

    # ------------------------------------------------------------------ one run

    def _receive(self, version: FileVersion, gate: Callable[[], None]) -> None:
        def queue(file_id: str, chunks: Sequence[Chunk]) -> None:
            for chunk in chunks:
                gate()
                self.messages.append((file_id, chunk))

        rules = RULES._replace(max_bad_share=1)
        on_file.receive(version, on_file.Ports(self._ending_ports(gate), queue, lambda: self.clock, "utf-8", rules))

    def _load(self, file_id: str, chunk: Chunk, gate: Callable[[], None]) -> None:
        violations = Violations(self._through(gate), self._tables[1], sleep=lambda _: None)
        ports = load_chunk.Ports(
            self._ending_ports(gate),
            lambda _: violations,
            lambda: self.clock,
            lambda: 60.0,
            ANNOUNCE_WITHIN,
            lambda _: (),
        )
        if self.max_news is not None:
            ports = ports._replace(brake=Brake(lambda: violations, self.max_news))
        load_chunk.load(file_id, chunk, ports)

    def _ending_ports(self, gate: Callable[[], None]) -> EndingPorts:
        bucket: Any = self.bucket.through(gate)
        return EndingPorts(
            Files(self._through(gate), self._tables[0]), bucket, self.operator.append, lambda: None, lambda: None
        )

    def _through(self, gate: Callable[[], None]) -> Call:
        def call(service: str, operation: str, request: Json) -> Json:
            gate()
            answer = self._call(service, operation, request)
            self.written += self._told(orjson.loads(orjson.dumps(request.get("TransactItems", ()))))
            return answer

        return call

    def _told(self, actions: Iterable[Json]) -> Iterator[Told]:
        """What a transaction has made of violations, looked at before anybody else moves."""
        writes = [write for action in actions for write in action.values()]
        for write in (each for each in writes if each["TableName"] == self._tables[1]):
            key = write.get("Key") or {"pk": write["Item"]["pk"]}
            request = {"TableName": self._tables[1], "Key": key, "ConsistentRead": True}
            item = self._call("dynamodb", "GetItem", request)["Item"]
            number, ref, plate, status = (item[name]["S"] for name in ("pk", "changed_by", "plate", "status"))
            moment = item["version"]["S"].partition("#")[0]
            let_go = write.get("UpdateExpression", "").startswith("SET tell = ")
            yield Told(number, ref, plate, status, text(item, "tell"), moment, "tell_held" in item, let_go)
