"""Ingest that is cut off between any two of its writes, and then delivered again, ends as if nothing had happened."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import orjson
import pytest

from ingest import chunking, on_file
from ingest.chunking import Chunk
from ingest.ending import EndingPorts
from shared.aws_json import Json
from tests.support.aws import Engine, Tables
from tests.support.ingesting import Ingest, ago, row, text

WRITES = frozenset(("PutItem", "UpdateItem", "TransactWriteItems"))


class CrashError(Exception):
    """The function's process is gone."""


class Fuse:
    """Blows once, at the given write of any kind: before it takes effect, or after."""

    def __init__(self, at: int, after: bool) -> None:
        self._left = at
        self._after = after
        self.blown = False

    def write(self, make: Any) -> Any:
        self._left -= 1
        if self._left == 0:
            self.blown = True
            if self._after:
                make()
            raise CrashError
        return make()


class FragileIngest(Ingest):
    """An ingest path of which every write goes through a fuse."""

    fuse = Fuse(0, after=False)

    def __init__(self, engine: Engine, tables: Tables) -> None:
        super().__init__(engine, tables)
        call, put, upload, copy = self.call, self.s3.put_object, self.s3.upload_fileobj, self.s3.copy_object

        def fragile_call(service: str, operation: str, request: Json) -> Json:
            if operation not in WRITES:
                return call(service, operation, request)
            answer: Json = self.fuse.write(lambda: call(service, operation, request))
            return answer

        self.call = fragile_call
        self.s3.put_object = lambda **request: self.fuse.write(lambda: put(**request))
        self.s3.upload_fileobj = lambda *given, **named: self.fuse.write(lambda: upload(*given, **named))
        self.s3.copy_object = lambda **request: self.fuse.write(lambda: copy(**request))

    def ending_ports(self) -> EndingPorts:
        ports = super().ending_ports()
        return ports._replace(operator=lambda report: self.fuse.write(lambda: ports.operator(report)))

    def _queue(self, file_id: str, chunks: Sequence[Chunk]) -> None:
        for chunk in chunks:
            self.fuse.write(lambda chunk=chunk: self.queued.append((file_id, chunk)))

    def deliver_until_done(self, message: str) -> bool:
        """As queues do: a message goes once its handling has ended, and comes again where that was cut off.

        Returns whether it was.
        """
        self._until_done(lambda: self.receive(message))
        while self.queued:
            self._until_done(lambda: self.load(*self.queued[0]))
            self.queued.pop(0)
        blown, self.fuse = self.fuse.blown, Fuse(0, after=False)
        return blown

    def _until_done(self, handle: Any) -> None:
        try:
            handle()
        except CrashError:
            self.wait(120)
            handle()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_crash_at_any_write_changes_nothing_in_the_end(
    engine: Engine, tables: Tables, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    monkeypatch.setattr(chunking, "MAX_CHUNK_ROWS", 5)
    ingest = FragileIngest(engine, tables)
    counts = {"rows": 9, "inserted": 5, "updated": 1, "unchanged": 1, "stale": 1, "rejected": 1}

    for at in itertools.count(1):
        known, changed = row(f"K-{at}", updated_at=ago(2)), row(f"C-{at}", updated_at=ago(2))
        ingest.take("backlog/before.csv", text([known, changed]))
        rows = [
            known,
            {**changed, "amount": "77000", "updated_at": ago(1)},
            row(f"D-{at}", updated_at=ago(2)),
            row(f"D-{at}", updated_at=ago(1), amount="88000"),
            row(f"A-{at}"),
            row(f"BAD-{at}", amount="5e4"),
            *(row(f"{letter}-{at}") for letter in "EFG"),
        ]
        message = ingest.put(f"live/{at}.csv", text(rows))
        ingest.fuse = Fuse(at, after)
        cut_off = ingest.deliver_until_done(message)

        (version,) = on_file.versions(message)
        report = ingest.report(version)
        assert report["counts"] == counts, f"cut off at write {at}"
        assert ingest.read(f"reports/live/{at}.csv.json") == ingest.read(
            f"reports/live/{at}.csv.{version.version_id}.json"
        )
        assert [bad["violation_no"] for bad in ingest.rejected(f"live/{at}.csv")] == [f"BAD-{at}"]
        items = ingest.violations()
        assert {number for number in items if number.endswith(f"-{at}")} == {f"{letter}-{at}" for letter in "KCDAEFG"}
        assert items[f"C-{at}"]["amount"] == {"N": "77000"}
        assert items[f"D-{at}"]["amount"] == {"N": "88000"}
        assert {items[f"{letter}-{at}"]["tell"]["S"] for letter in "DAEFG"} == {"opened"}
        assert ingest.files().file(version.file_id).published
        assert ingest.told[-1] == report
        if not cut_off:
            break
    assert at > 15  # there were that many writes to be cut off at


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_refusal_that_is_cut_off_is_told_in_the_end(engine: Engine, tables: Tables, after: bool) -> None:
    ingest = FragileIngest(engine, tables)
    for at in itertools.count(1):
        message = ingest.put(f"live/{at}.csv", b"")
        ingest.fuse = Fuse(at, after)
        cut_off = ingest.deliver_until_done(message)
        (version,) = on_file.versions(message)
        assert ingest.report(version)["error"]["code"] == "file_empty"
        assert ingest.read(f"reports/live/{at}.csv.html")
        assert ingest.files().file(version.file_id).published
        if not cut_off:
            break
    assert at > 5


def test_two_runs_of_one_chunk_at_once_count_once(engine: Engine, tables: Tables) -> None:
    """The second begins when the first has written its rows and not yet its done mark."""
    ingest = Ingest(engine, tables)
    version = ingest.receive(ingest.put("live/two.csv", text([row() for _ in range(5)])))
    (message,) = ingest.queued
    call = ingest.call

    def interrupted(service: str, operation: str, request: Json) -> Json:
        actions = orjson.loads(orjson.dumps(request.get("TransactItems", [])))
        if any(action.get("Put", {}).get("TableName") == tables["Files"] for action in actions):
            ingest.call = call
            assert ingest.load(*message)["inserted"] == 5
        return call(service, operation, request)

    ingest.call = interrupted
    assert ingest.load(*message) == {}
    assert ingest.report(version)["counts"]["inserted"] == 5
    assert ingest.files().file(version.file_id).rows_done == 5
