"""A stream of several shards, which the emulator does not have."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from infra.local.lambdas.environment import Outcome
from infra.local.streams import poller as poller_module
from infra.local.streams.api import StreamsApiError
from infra.local.streams.batch import StreamMapping
from infra.local.streams.poller import StreamPoller, settle


class FakeStream:
    """Shards with their parents; an iterator is a shard and a place in it."""

    def __init__(self) -> None:
        self.shards: dict[str, list[dict[str, Any]]] = {}
        self.parents: dict[str, str] = {}
        self.closed: set[str] = set()
        self.trouble: list[Exception] = []
        self.handed_out = 0
        self.lock = threading.Lock()

    def add(self, shard: str, *numbers: str, parent: str | None = None) -> None:
        with self.lock:
            records = self.shards.setdefault(shard, [])
            for number in numbers:
                change = {"SequenceNumber": number, "ApproximateCreationDateTime": time.time()}
                records.append({"eventID": number, "dynamodb": change})
            if parent:
                self.parents[shard] = parent
                self.closed.add(parent)

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        with self.lock:
            answer: dict[str, Any] = getattr(self, f"_{operation}")(request)
            return answer

    def hang_up(self) -> None:
        pass

    def _DescribeStream(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        names = list(self.shards)  # one shard a page
        at = names.index(request["ExclusiveStartShardId"]) + 1 if "ExclusiveStartShardId" in request else 0
        page = [{"ShardId": name, "ParentShardId": self.parents.get(name)} for name in names[at : at + 1]]
        more = {"LastEvaluatedShardId": names[at]} if at + 1 < len(names) else {}
        return {"StreamDescription": {"Shards": page, **more}}

    def _GetShardIterator(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        shard = request["ShardId"]
        numbers = [record["dynamodb"]["SequenceNumber"] for record in self.shards[shard]]
        kind = request["ShardIteratorType"]
        at = {"TRIM_HORIZON": 0, "LATEST": len(numbers)}.get(kind)
        if at is None:
            at = numbers.index(request["SequenceNumber"]) + 1
        return {"ShardIterator": json.dumps([shard, at])}

    def _GetRecords(self, request: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        shard, at = json.loads(request["ShardIterator"])
        if self.trouble:
            raise self.trouble.pop()
        records = self.shards[shard][at : at + 2]
        self.handed_out = max(self.handed_out, at + len(records))
        ended = shard in self.closed and at + len(records) == len(self.shards[shard])
        iterator = None if ended else json.dumps([shard, at + len(records)])
        return {"Records": records, **({"NextShardIterator": iterator} if iterator else {})}


class Function:
    """Notes the numbers of each batch."""

    def __init__(self) -> None:
        self.batches: list[str] = []
        self.fails = False
        self.lingers = 0.0
        self.overlapped = False
        self._busy = threading.Lock()

    def __call__(self, event: bytes) -> Outcome:
        if not self._busy.acquire(blocking=False):
            self.overlapped = True
            self._busy.acquire()
        try:
            self.batches.append("".join(one["dynamodb"]["SequenceNumber"] for one in json.loads(event)["Records"]))
            time.sleep(self.lingers)  # long enough for another shard to come in between, were it read
        finally:
            self._busy.release()
        return Outcome(b"null", failed=self.fails)

    @property
    def records(self) -> str:
        return "".join(self.batches)


Start = Callable[..., StreamPoller]


@pytest.fixture
def stream() -> FakeStream:
    return FakeStream()


@pytest.fixture
def function() -> Function:
    return Function()


@pytest.fixture
def start(stream: FakeStream, function: Function, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    monkeypatch.setattr(poller_module, "_TROUBLE_PAUSE", 0.01)
    started = []

    def begin(reader: Function = function, **settings: Any) -> StreamPoller:
        mapping = StreamMapping("u", "f", "s", **{"starting_position": "TRIM_HORIZON", **settings})
        poller = StreamPoller(mapping, stream, reader, lambda service: None, first_backoff=0.001)  # type: ignore[arg-type]
        poller.start()
        started.append(poller)
        return poller

    yield begin
    for poller in started:
        poller.stop()
        poller.join()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_child_shard_is_read_after_its_parent(stream: FakeStream, function: Function, start: Start) -> None:
    stream.add("parent", "1", "2", "3")
    stream.add("child", "4", "5", parent="parent")
    stream.add("grandchild", "6", parent="child")
    function.lingers = 0.2

    start()

    until(lambda: len(function.records) >= 6)
    assert function.records == "123456"
    assert not function.overlapped


def test_a_shard_that_splits_is_followed(stream: FakeStream, function: Function, start: Start) -> None:
    stream.add("parent", "1")
    start()
    until(lambda: function.records == "1")

    stream.add("parent", "2")
    stream.add("left", "3", parent="parent")
    stream.add("right", "4", parent="parent")

    until(lambda: len(function.records) >= 4)
    assert function.records.startswith("12")
    assert sorted(function.records) == list("1234")


def test_two_readers_of_one_stream_each_read_all_of_it(stream: FakeStream, function: Function, start: Start) -> None:
    """Neither takes from the other, nor waits for it while it fails."""
    other = Function()
    other.fails = True
    stream.add("shard", "1", "2")
    start()
    start(other)
    until(lambda: function.records == "12" and len(other.batches) > 1)

    stream.add("shard", "3")
    until(lambda: function.records == "123")
    assert "3" not in other.records

    other.fails = False
    until(lambda: other.records.endswith("123"))
    assert function.records == "123"


def test_a_shard_whose_parent_is_trimmed_is_read(stream: FakeStream, function: Function, start: Start) -> None:
    stream.add("child", "1", parent="long gone")

    start()

    until(lambda: function.records == "1")


def test_latest_leaves_out_what_was_there_before(stream: FakeStream, function: Function, start: Start) -> None:
    stream.add("shard", "1", "2")
    poller = start(starting_position="LATEST")
    assert poller.catch_up(time.monotonic() + 20)

    stream.add("shard", "3")

    until(lambda: function.records == "3")


@pytest.mark.parametrize(
    "error", [StreamsApiError("ExpiredIteratorException", ""), StreamsApiError("InternalServerError", ""), OSError()]
)
def test_trouble_loses_and_repeats_nothing(
    stream: FakeStream, function: Function, start: Start, error: Exception
) -> None:
    stream.add("shard", "1", "2", "3")
    stream.trouble.append(error)
    start()
    until(lambda: function.records == "123")

    stream.trouble.append(error)
    stream.add("shard", "4")

    until(lambda: len(function.records) >= 4)
    assert function.records == "1234"


def test_trimmed_records_are_skipped(stream: FakeStream, function: Function, start: Start) -> None:
    stream.add("shard", "1")
    start()
    until(lambda: function.records == "1")

    with stream.lock:
        stream.shards["shard"] = []
        stream.trouble.append(StreamsApiError("TrimmedDataAccessException", ""))
    stream.add("shard", "5")

    until(lambda: function.records == "15")


def test_a_batch_holds_no_more_than_its_size(stream: FakeStream, function: Function, start: Start) -> None:
    stream.add("shard", *"1234567")

    start(batch_size=3, batching_window=0.3)

    until(lambda: function.records == "1234567")
    assert max(map(len, function.batches)) == 3
    assert function.batches[0] == "123"


def test_a_window_gathers_records(stream: FakeStream, function: Function, start: Start) -> None:
    start(batch_size=100, batching_window=3)
    stream.add("shard", "1")
    until(lambda: stream.handed_out == 1)

    stream.add("shard", "2", "3")

    until(lambda: function.batches != [])
    assert function.batches == ["123"]


def test_settling_waits_for_no_window(stream: FakeStream, function: Function, start: Start) -> None:
    stream.add("shard", "1", "2", "3")
    poller = start(batch_size=100, batching_window=60)

    assert settle([poller], within=20)

    assert function.records == "123"


def test_settling_follows_what_handling_writes(stream: FakeStream, function: Function, start: Start) -> None:
    stream.add("shard", "1")
    other = FakeStream()
    other.add("shard", "x")

    def write(event: bytes) -> Outcome:
        stream.add("shard", "2")
        return Outcome(b"null")

    first = start()
    mapping = StreamMapping("v", "g", "s", "TRIM_HORIZON", batching_window=60)
    second = StreamPoller(mapping, other, write, lambda service: None)  # type: ignore[arg-type]
    second.start()

    assert settle([first, second], within=20)

    assert function.records == "12"
    second.stop()
    second.join()


def test_settling_gives_up_where_a_function_keeps_failing(stream: FakeStream, function: Function, start: Start) -> None:
    function.fails = True
    stream.add("shard", "1")

    assert not settle([start()], within=0.3)


def test_a_large_payload_is_split(
    stream: FakeStream, function: Function, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(poller_module, "MAX_PAYLOAD_BYTES", 300)
    stream.add("shard", *"123456")

    start(batching_window=0.2)

    until(lambda: function.records == "123456")
    assert max(map(len, function.batches)) == 2


def test_the_service_behind_a_change_is_named_as_in_lambda(
    stream: FakeStream, start: Start, function: Function
) -> None:
    stream.add("shard", "1")
    stream.shards["shard"][0]["userIdentity"] = {"PrincipalId": "dynamodb.amazonaws.com", "Type": "Service"}
    pattern = json.dumps({"userIdentity": {"principalId": ["dynamodb.amazonaws.com"], "type": ["Service"]}})

    start(filter_criteria={"Filters": [{"Pattern": pattern}]})

    until(lambda: function.records == "1")
