"""A file has arrived: enter it in the ledger, read it through, and queue its chunks. Refused files end here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from hashlib import sha256
from typing import Any, Final, NamedTuple
from urllib.parse import unquote_plus

import orjson

from ingest import report
from ingest.cutting import BadShareError, Chunk, Scan, scan
from ingest.errors import FileError
from ingest.feed import Notices, Source
from ingest.objects import Objects, Opened
from ingest.plain import plain
from shared.aws_json import sdk
from shared.clock import Clock, now
from shared.observability import count, logger
from shared.settings import setting
from shared.stores.files import ENDED, FAILED, REFUSED, Files, FileVersion, Plan

_SEQUENCER: Final = 32  # characters; S3 compares sequencers padded with zeros on the left
_SQS_BATCH: Final = 10

Queue = Callable[[str, Sequence[Chunk]], None]
"""``queue(file_id, chunks)`` puts chunks on the queue."""


class Ports(NamedTuple):
    """What receiving a file needs of the outside. encoding: of files that do not say theirs."""

    files: Files
    objects: Objects
    queue: Queue
    clock: Clock
    encoding: str


def receive(version: FileVersion, ports: Ports) -> None:
    """Enter a file version and queue its chunks, or refuse it. Can be interrupted anywhere and done again."""
    files, objects, queue, clock, encoding = ports
    file = files.claim(version, clock())
    if file.state in ENDED:
        if not file.published:
            report.publish(files, objects, version.file_id)
        return
    if file.queued:
        return
    try:
        plan, chunks = _read_through(version, objects, encoding)
    except FileError as error:
        rejected = error.rejects if isinstance(error, BadShareError) else Notices()
        state = REFUSED if file.plan is None else FAILED
        report.end_without_rows(files, objects, file, state, error, clock(), rejected)
        return
    files.plan(version.file_id, plan)
    queue(version.file_id, chunks)
    files.all_queued(version.file_id)


def _read_through(version: FileVersion, objects: Objects, encoding: str) -> tuple[Plan, list[Chunk]]:
    """How a file is to be loaded, and its chunks: ranges of it, or kept ones where it had to be rewritten."""
    opened = objects.open(version.key, version.version_id)
    source = Source(version.file_id, version.origin, opened.last_modified, announce_from=opened.last_modified)
    blocks = _Summed(opened.blocks)
    with plain(blocks, opened.size, opened.encoding or encoding) as text:
        keep = partial(objects.keep_chunk, version.file_id) if text.rewritten else None
        found = scan(text.blocks, source, unproven=text.unproven, keep=keep)
    return _plan(found, opened, rewritten=text.rewritten, checksum=blocks.checksum), found.chunks


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


def _plan(found: Scan, opened: Opened, *, rewritten: bool, checksum: str) -> Plan:
    return Plan(
        *found.layout,
        chunks=len(found.chunks),
        rows=found.rows,
        last_modified=opened.last_modified,
        size=opened.size,
        checksum=checksum,
        rewritten=rewritten,
    )


def versions(message: str) -> Iterator[FileVersion]:
    """The file versions that an S3 notification tells of: none for S3's own test."""
    for record in orjson.loads(message).get("Records", ()):
        stored = record["s3"]["object"]
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

    return Ports(
        Files(sdk(), setting("FILES_TABLE")),
        Objects(boto3.client("s3"), setting("UPLOADS_BUCKET")),
        sqs_queue(boto3.client("sqs"), setting("CHUNK_QUEUE_URL")),
        now,
        setting("FEED_ENCODING"),
    )


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point. A message whose files could not be received comes again."""
    logger().append_keys(request_id=context.aws_request_id)
    failed: list[dict[str, str]] = []
    for record in event["Records"]:
        try:
            for version in versions(record["body"]):
                receive(version, _ports())
                count("FilesReceived")
        except Exception:  # noqa: BLE001 (whatever it was, the message comes again, and in the end lies in the dead letters)
            logger().exception("a file could not be received")
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}
