"""Reads DynamoDB streams and brings their records to functions, as Lambda's event source mappings do.

The emulator's own poller loses records when a function fails. This one speaks to the public API of DynamoDB Streams
alone, so it works with anything that has that API.
"""

import contextlib
import http.client
import json
import logging
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

from infra.local.streams.api import StreamsApi, StreamsApiError
from infra.local.streams.batch import BatchProcessor, Clients, Invoke, Record, StreamMapping
from infra.local.streams.filter import EventFilter

logger = logging.getLogger(__name__)

POLL_EVERY = 0.25  # seconds: Lambda's own rate
LOOK_FOR_SHARDS_EVERY = 10.0  # seconds
READ_AT_MOST = 1000  # records, the API's own limit
MAX_PAYLOAD_BYTES = 6_000_000  # bytes of one invocation's event
_HURRIED_POLL = 0.01  # seconds
_TROUBLE_PAUSE = 2.0  # seconds

_TROUBLE = (StreamsApiError, OSError, http.client.HTTPException, ValueError)


class _StoppedError(Exception):
    """The poller ends at once."""


class StreamPoller:
    """Runs one mapping: a thread that watches for shards and one for each open shard, children after their parents."""

    def __init__(
        self,
        mapping: StreamMapping,
        api: StreamsApi,
        invoke: Invoke,
        clients: Clients,
        *,
        first_backoff: float = 0.5,
    ) -> None:
        """
        Args:
            api: the stream's API, with the rights of the function's role.
            invoke: runs the function with an event.
            clients: an AWS client by service name, with the same rights, for the on-failure destination.
            first_backoff: seconds before the first retry.
        """
        self._mapping = mapping
        self._api = api
        self._invoke = invoke
        self._clients = clients
        self._first_backoff = first_backoff
        self._hurry = threading.Event()
        self._stopped = threading.Event()
        self._looked = threading.Event()
        self._look_now = threading.Event()
        self._readers: dict[str, threading.Thread] = {}
        self._ended: set[str] = set()
        self._empty_read_began: dict[str, float] = {}
        self._watcher = threading.Thread(target=self._watch, name=f"stream {mapping.id}", daemon=True)
        self.batches = 0  # brought to their end so far

    def start(self) -> None:
        self._watcher.start()

    def hurry(self) -> None:
        """From now on wait for no batching window and read without pauses."""
        self._hurry.set()

    def catch_up(self, deadline: float) -> bool:
        """Whether all that the stream holds by now is handled before `deadline` (monotonic clock, seconds)."""
        now = time.monotonic()
        while not self._looked.is_set() or any(
            self._empty_read_began.get(shard, 0.0) < now for shard in self._readers.keys() - self._ended
        ):
            if time.monotonic() > deadline:
                return False
            time.sleep(_HURRIED_POLL)
        return True

    def stop(self) -> None:
        """Read no more. A batch that is with the function at that moment is still waited for by `join`."""
        self._stopped.set()
        self._look_now.set()

    def join(self) -> None:
        """Wait until every thread has ended, after `stop`."""
        self._watcher.join()

    def _watch(self) -> None:
        position = self._mapping.starting_position
        while not self._stopped.is_set():
            self._look_now.clear()
            try:
                self._start_readers(self._shards(), position)
            except _TROUBLE as error:
                logger.warning("%s: %s", self._mapping.stream_arn, error)
                self._stopped.wait(_TROUBLE_PAUSE)
                continue
            position = "TRIM_HORIZON"  # of shards that come later nothing must be missed
            self._looked.set()
            self._look_now.wait(LOOK_FOR_SHARDS_EVERY)
        for reader in self._readers.values():
            reader.join()
        self._api.hang_up()

    def _shards(self) -> dict[str, str | None]:
        """Each shard and its parent."""
        shards: dict[str, str | None] = {}
        request: dict[str, Any] = {"StreamArn": self._mapping.stream_arn}
        while True:
            described = self._api.call("DescribeStream", request)["StreamDescription"]
            shards |= {shard["ShardId"]: shard.get("ParentShardId") for shard in described["Shards"]}
            if "LastEvaluatedShardId" not in described:
                return shards
            request["ExclusiveStartShardId"] = described["LastEvaluatedShardId"]

    def _start_readers(self, shards: dict[str, str | None], position: str) -> None:
        """Read each shard that is not read yet and whose parent is at its end."""
        for shard, parent in shards.items():
            if shard not in self._readers and (parent not in shards or parent in self._ended):
                reader = threading.Thread(
                    target=self._read, args=[shard, position], name=f"stream {shard}", daemon=True
                )
                self._readers[shard] = reader
                reader.start()

    def _read(self, shard: str, position: str) -> None:
        processor = BatchProcessor(
            self._mapping,
            shard,
            self._invoke,
            self._clients,
            first_backoff=self._first_backoff,
            sleep=self._pause,
        )
        try:
            with contextlib.suppress(_StoppedError):
                for batch in self._batches(_ShardCursor(self._api, self._mapping.stream_arn, shard, position)):
                    processor.process(batch)
                    self.batches += 1
        except Exception:
            logger.exception("%s: shard %s is no longer read", self._mapping.function_arn, shard)
        finally:
            self._api.hang_up()
            self._ended.add(shard)
            self._look_now.set()

    def _batches(self, cursor: "_ShardCursor") -> Iterator[list[Record]]:
        """The shard's records that pass the filter, in batches, until the shard ends."""
        mapping = self._mapping
        event_filter = EventFilter(mapping.filter_criteria)
        batch: list[Record] = []
        size = 0
        window_ends = 0.0
        while not cursor.at_end:
            began = time.monotonic()
            records = self._next_records(cursor)
            for record in map(self._event_record, records):
                if not event_filter.matches(record):
                    continue
                length = len(json.dumps(record))
                if batch and (len(batch) == mapping.batch_size or size + length > MAX_PAYLOAD_BYTES):
                    yield batch
                    batch, size = [], 0
                if not batch:
                    window_ends = time.monotonic() + mapping.batching_window
                batch.append(record)
                size += length
            left = window_ends - time.monotonic()
            if batch and (len(batch) == mapping.batch_size or left <= 0 or self._hurry.is_set() or cursor.at_end):
                yield batch
                batch, size = [], 0
            if not records:
                if not batch:
                    self._empty_read_began[cursor.shard] = began
                idle = _HURRIED_POLL if self._hurry.is_set() else POLL_EVERY
                self._pause(min(idle, left) if batch else idle)

    def _next_records(self, cursor: "_ShardCursor") -> list[dict[str, Any]]:
        while True:
            try:
                return cursor.read()
            except _TROUBLE as error:
                logger.warning("%s: %s", self._mapping.stream_arn, error)
                self._pause(_TROUBLE_PAUSE)

    def _event_record(self, record: dict[str, Any]) -> Record:
        """A record as Lambda's event has it."""
        event: Record = {**record, "eventSourceARN": self._mapping.stream_arn}
        if identity := record.get("userIdentity"):
            event["userIdentity"] = {name[0].lower() + name[1:]: value for name, value in identity.items()}
        return event

    def _pause(self, seconds: float) -> None:
        if self._stopped.wait(seconds):
            raise _StoppedError


class _ShardCursor:
    """A place in a shard. It is found again when its iterator has expired, which one does after 15 minutes."""

    def __init__(self, api: StreamsApi, stream_arn: str, shard: str, position: str) -> None:
        self._api = api
        self._place = {"StreamArn": stream_arn, "ShardId": shard, "ShardIteratorType": position}
        self._iterator: str | None = None
        self.shard = shard
        self.at_end = False

    def read(self) -> list[dict[str, Any]]:
        """The next records, none where there are none yet. Raises what the API raises; reading on is possible."""
        if self._iterator is None:
            self._iterator = self._api.call("GetShardIterator", self._place)["ShardIterator"]
        try:
            answer = self._api.call("GetRecords", {"ShardIterator": self._iterator, "Limit": READ_AT_MOST})
        except StreamsApiError as error:
            if error.code == "TrimmedDataAccessException":
                self._place = {**self._without_number(), "ShardIteratorType": "TRIM_HORIZON"}
            if error.code in ("ExpiredIteratorException", "TrimmedDataAccessException"):
                self._iterator = None
            raise
        records: list[dict[str, Any]] = answer["Records"]
        if records:
            number = records[-1]["dynamodb"]["SequenceNumber"]
            self._place |= {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": number}
        self._iterator = answer.get("NextShardIterator")
        self.at_end = self._iterator is None
        return records

    def _without_number(self) -> dict[str, str]:
        return {key: value for key, value in self._place.items() if key != "SequenceNumber"}


def settle(pollers: Sequence[StreamPoller], within: float) -> bool:
    """Whether everything in the streams is handled within that many seconds, and what handling it wrote to them."""
    deadline = time.monotonic() + within
    for poller in pollers:
        poller.hurry()
    handled = -1
    while handled != (handled := sum(poller.batches for poller in pollers)):
        if not all(poller.catch_up(deadline) for poller in pollers):
            return False
    return True
