"""A file has arrived: enter it in the ledger, read it through, and queue its chunks. Refused files end here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import cache, partial
from hashlib import sha256
from typing import Any, Final, NamedTuple
from urllib.parse import unquote_plus

import orjson

from ingest import ending
from ingest.chunking import BadShareError, Chunk, Rules, Scan, scan
from ingest.ending import EndingPorts
from ingest.errors import FileError
from ingest.format.accepting import read_accepted
from ingest.format.header import read_names
from ingest.format.instant import declared_instant
from ingest.format.judging import Criteria
from ingest.format.origins import ORIGINS
from ingest.format.parser import MIN_AMOUNT, Source
from ingest.objects import Opened
from ingest.ports import ending_ports
from ingest.reading.csv_text import CsvText, as_csv_text
from shared.aws_json import sdk
from shared.batch import take_each
from shared.clock import Clock, now
from shared.domain.file import FINAL, FileVersion, Plan, is_too_long
from shared.observability import count
from shared.settings import number, setting

_SEQUENCER: Final = 32  # characters; S3 compares sequencers padded with zeros on the left
_SQS_BATCH: Final = 10
_AGAIN_AFTER: Final = 60
"""Seconds."""

Queue = Callable[[str, Sequence[Chunk]], None]
"""``queue(file_id, chunks)`` puts chunks on the queue."""


class Ports(NamedTuple):
    """What receiving a file needs of the outside.

    encoding: of files that do not say theirs. rules: what every file is held to. min_amount: of a fine, in dinars.
    """

    ending: EndingPorts
    queue: Queue
    clock: Clock
    encoding: str
    rules: Rules
    min_amount: int = MIN_AMOUNT


def receive(version: FileVersion, ports: Ports) -> None:
    """Enter a file version and queue its chunks, or refuse it. Can be interrupted anywhere and done again."""
    files = ports.ending.files
    file = files.claim(version, ports.clock())
    if file.state in FINAL:
        if not file.published:
            ending.publish(ports.ending, version.file_id)
        return
    if file.queued:
        return
    try:
        if file.plan is None:
            if is_too_long(version.key):
                raise FileError("key_too_long", value=f"{len(version.key.encode()):,}")
            if version.origin not in ORIGINS:
                raise FileError("folder_unknown", value=version.key.rpartition("/")[0])
            ports.ending.objects.require(version.key)
        plan, chunks = _read_through(version, ports)
    except FileError as error:
        if file.plan is None:
            sample = error.sample if isinstance(error, BadShareError) else None
            ending.refuse(ports.ending, file, error, ports.clock(), sample)
        else:
            ending.fail(ports.ending, file, error, ports.clock())
        return
    files.plan(version.file_id, plan)
    ports.queue(version.file_id, chunks)
    files.all_queued(version.file_id)


def _read_through(version: FileVersion, ports: Ports) -> tuple[Plan, list[Chunk]]:
    """Plan how to load a file, and find its chunks: ranges of it, or kept ones where it had to be rewritten."""
    objects = ports.ending.objects
    opened = objects.open(version.key, version.version_id)
    as_of = declared_instant(opened.as_of, opened.last_modified)
    source = Source(
        version.file_id,
        version.origin,
        opened.last_modified,
        announce_from=opened.last_modified,
        min_amount=ports.min_amount,
        as_of=as_of,
    )
    blocks, declared = _Summed(opened.blocks), opened.encoding or ports.encoding
    accepted = read_accepted(opened.accept or "")
    rules = ports.rules._replace(criteria=ports.rules.criteria._replace(accepted=accepted))
    with as_csv_text(blocks, opened.size, declared) as text:
        keep = partial(objects.keep_chunk, version.file_id) if text.rewritten else None
        found = scan(text.blocks, source, rules, unproven=text.unproven, keep=keep)
    return _plan(found, opened, text, declared, accepted, as_of=as_of, checksum=blocks.checksum), found.chunks


class _Summed(Iterator[bytes]):
    """The blocks of a file, and once they were read its SHA-256 in hexadecimal."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._digest = sha256()

    def __next__(self) -> bytes:
        block = next(self._blocks)
        self._digest.update(block)
        return block

    @property
    def checksum(self) -> str:
        return self._digest.hexdigest()


def _plan(
    found: Scan, opened: Opened, text: CsvText, declared: str, accepted: tuple[str, ...], *, as_of: str, checksum: str
) -> Plan:
    return Plan(
        *found.layout,
        chunks=len(found.chunks),
        rows=found.rows,
        last_modified=opened.last_modified,
        size=opened.size,
        checksum=checksum,
        rewritten=text.rewritten,
        sheets_unread=text.sheets_unread,
        rows_hidden=text.hidden.rows,
        first_hidden=text.hidden.first,
        encoding=declared,
        accept=accepted,
        as_of=as_of,
    )


def versions(message: str) -> Iterator[FileVersion]:
    """The file versions that an S3 notification tells of: none for S3's own test, or an empty folder."""
    for record in orjson.loads(message).get("Records", ()):
        stored = record["s3"]["object"]
        if stored["key"].endswith("/") and not stored.get("size"):
            continue
        yield FileVersion(
            record["s3"]["bucket"]["name"],
            unquote_plus(stored["key"]),
            stored["versionId"],
            stored["sequencer"].upper().zfill(_SEQUENCER),
        )


def sqs_queue(sqs: Any, queue_url: str) -> Queue:
    """The queue of chunks. sqs: a boto3 client. Raises RuntimeError where it does not take them all."""

    def queue(file_id: str, chunks: Sequence[Chunk]) -> None:
        for start in range(0, len(chunks), _SQS_BATCH):
            entries = [
                {"Id": str(chunk.number), "MessageBody": orjson.dumps({"file": file_id, **chunk._asdict()}).decode()}
                for chunk in chunks[start : start + _SQS_BATCH]
            ]
            response = sqs.send_message_batch(QueueUrl=queue_url, Entries=entries)
            if response.get("Failed"):
                raise RuntimeError("the queue did not take every chunk")

    return queue


@cache
def _ports() -> Ports:
    import boto3

    queue = sqs_queue(boto3.client("sqs"), setting("CHUNK_QUEUE_URL"))
    rules = Rules(
        Criteria(timedelta(days=number("ANNOUNCE_WITHIN_DAYS"))),
        number("MAX_BAD_ROWS_PERCENT") / 100,
        number("MIN_BAD_ROWS"),
        read_names(setting("COLUMN_NAMES")),
    )
    return Ports(ending_ports(sdk()), queue, now, setting("FEED_ENCODING"), rules, number("MIN_AMOUNT"))


def _receive_message(body: str) -> bool:
    for version in versions(body):
        receive(version, _ports())
        count("FilesReceived")
    return True


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point. A message whose files could not be received comes again, within a minute.

    Else it would be hidden as long as one whose function was killed, six times as long as that may run.
    """
    failed = take_each(event, context, _receive_message, "a file could not be received")
    receipts = {record["messageId"]: record["receiptHandle"] for record in event["Records"]}
    for message in failed["batchItemFailures"]:
        _again_soon(receipts[message["itemIdentifier"]])
    return failed


def _again_soon(receipt: str) -> None:
    import boto3

    queue = setting("FILE_QUEUE_URL")
    boto3.client("sqs").change_message_visibility(QueueUrl=queue, ReceiptHandle=receipt, VisibilityTimeout=_AGAIN_AFTER)
