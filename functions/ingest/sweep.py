"""Every minute: a file of which a message lies in the dead letters has failed, and its report says how to go on.

Whatever killed the message's last try, be it a right that was missing, a crash or the deadline, it lies there with its
body and stays, until the operator puts it back on its queue (``make replay``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from typing import Any, Final, NamedTuple, TypeVar

import orjson

from ingest import ending
from ingest.ending import EndingPorts
from ingest.errors import FileError
from ingest.on_file import versions
from ingest.ports import ending_ports
from shared.aws_json import sdk
from shared.clock import Clock, now
from shared.domain.file import FINAL, File, FileStatus, FileVersion
from shared.observability import log_with, logger
from shared.settings import setting
from shared.stores.files import Files

T = TypeVar("T")

Letters = Callable[[], Iterable[str]]
"""The bodies of the messages that lie in a queue; they stay there."""

_SQS_BATCH: Final = 10
_MAX_LOOKS: Final = 100
"""Ten messages each: as many as a national file has chunks."""

_LOOKED_AT: Final = 60  # seconds that a message is hidden, so that a run sees it once; less where the run ends well


class Ports(NamedTuple):
    """What the sweep needs of the outside."""

    ending: EndingPorts
    dead_files: Letters
    dead_chunks: Letters
    clock: Clock


def sweep(ports: Ports) -> None:
    """Say of each file that cannot go on by itself that it has failed. Harmless to do again.

    One that cannot be dealt with holds up no other. Raises RuntimeError in the end, where there was one.
    """
    failed = 0
    for step in _steps(ports):
        try:
            step()
        except Exception:  # noqa: BLE001 (whatever it is: the next file is dealt with, and this one again next time)
            logger().exception("a file was not dealt with")
            failed += 1
    if failed:
        raise RuntimeError(f"{failed} files were not dealt with")


def _steps(ports: Ports) -> Iterator[Callable[[], None]]:
    """Give what is to be done about each file that dead letters are about."""
    for version in _dead(ports.dead_files(), versions):
        yield partial(_not_read, version, ports)
    dead: dict[str, set[int]] = {}
    for file_id, number in _dead(ports.dead_chunks(), _chunk):
        dead.setdefault(file_id, set()).add(number)
    for file_id, numbers in dead.items():
        yield partial(_not_loaded, file_id, numbers, ports)


def _not_read(version: FileVersion, ports: Ports) -> None:
    file = ports.ending.files.claim(version, ports.clock())
    if file.state not in FINAL and not file.queued:
        ending.fail(ports.ending, file, FileError("file_not_read"), ports.clock())


def _not_loaded(file_id: str, numbers: set[int], ports: Ports) -> None:
    files = ports.ending.files
    file = files.file(file_id)
    if not _is_told(file) and _are_missing(numbers, file, files):
        ending.fail(ports.ending, file, FileError("rows_not_loaded", value=_left(file)), ports.clock())


def _dead(bodies: Iterable[str], read: Callable[[str], Iterable[T]]) -> Iterator[T]:
    """Read what the dead letters are about; one that is not ours is logged and stays."""
    for body in bodies:
        try:
            yield from read(body)
        except (ValueError, LookupError, TypeError):
            logger().error("a dead letter cannot be read")


def _chunk(body: str) -> Iterator[tuple[str, int]]:
    message = orjson.loads(body)
    yield message["file"], message["number"]


def _is_told(file: File) -> bool:
    """True if the file's present state needs no report, or was reported already."""
    if file.state == FileStatus.FAILED and file.published and file.report:
        rows: int = orjson.loads(file.report)["counts"]["rows"]
        return rows == file.rows_done
    return file.state in FINAL


def _are_missing(numbers: set[int], file: File, files: Files) -> bool:
    """True if a dead-lettered chunk was loaded by no other attempt, or the file was never finished."""
    return file.all_done or not numbers <= {chunk.number for chunk in files.chunks(file.version.file_id)}


def _left(file: File) -> str:
    return f"{(file.plan.rows if file.plan else 0) - file.rows_done:,}"


def sqs_letters(sqs: Any, queue_url: str) -> Iterable[str]:
    """The bodies of the messages in a queue. sqs: a boto3 client."""
    seen: dict[str, str] = {}
    for _ in range(_MAX_LOOKS):
        found = sqs.receive_message(
            QueueUrl=queue_url, MaxNumberOfMessages=_SQS_BATCH, VisibilityTimeout=_LOOKED_AT, WaitTimeSeconds=1
        ).get("Messages", [])
        if not found:
            break
        seen.update((message["ReceiptHandle"], message["Body"]) for message in found)
    handles = list(seen)
    for start in range(0, len(handles), _SQS_BATCH):
        entries = [
            {"Id": str(at), "ReceiptHandle": handle, "VisibilityTimeout": 0}
            for at, handle in enumerate(handles[start : start + _SQS_BATCH])
        ]
        sqs.change_message_visibility_batch(QueueUrl=queue_url, Entries=entries)
    return seen.values()


@cache
def _ports() -> Ports:
    import boto3

    sqs = boto3.client("sqs")
    return Ports(
        ending_ports(sdk()),
        partial(sqs_letters, sqs, setting("FILE_DEAD_LETTERS_URL")),
        partial(sqs_letters, sqs, setting("CHUNK_DEAD_LETTERS_URL")),
        now,
    )


def handler(event: dict[str, Any], context: Any) -> None:
    """Lambda's entry point."""
    log_with(request_id=context.aws_request_id)
    sweep(_ports())
