"""Letting a registration file replace the numbers that wait: its chunks that hold any are put on the queue once more.

Ingest then loads them as it loads any chunk, and ends the file anew. What newer files have said meanwhile stays. A run
that is broken off is gone on with by the next one. The rows are read again from the file, which the bucket keeps for
thirty days.
"""

from __future__ import annotations

from typing import Final

from infra.operator.deployment import Deployment
from ingest import moving
from ingest.errors import FileError
from ingest.objects import Objects
from ingest.on_file import sqs_queue
from shared.domain.file import File, FileStatus
from shared.stores.files import Files

QUEUED: Final = "chunks queued"


class RegisteringError(Exception):
    """The numbers of a file cannot be let in; the message says why."""


def waiting(deployment: Deployment, file: File) -> int:
    """How many rows of a file wait. Raises RegisteringError where none do."""
    found = moving.waiting(_files(deployment).waiting(file.version.file_id))
    under_way = file.state == FileStatus.LOADING and file.released
    if not found or not (file.state == FileStatus.NUMBERS_WAIT or under_way):
        raise RegisteringError("no rows of this file wait to replace registration numbers")
    return found


def release(deployment: Deployment, file: File) -> dict[str, int]:
    """Let a file replace numbers; returns how many of its chunks were queued. Raises RegisteringError."""
    files, file_id = _files(deployment), file.version.file_id
    objects = Objects(deployment.clients("s3"), deployment.physical["Uploads"])
    done = list(files.waiting(file_id))
    try:
        chunks = moving.kept_chunks(objects, done)
    except FileError:
        raise RegisteringError("which of the file's rows wait is no longer known: upload it again") from None
    files.load_again(file_id, done)
    sqs_queue(deployment.clients("sqs"), deployment.physical["ChunkQueue"])(file_id, chunks)
    return {QUEUED: len(chunks)}


def _files(deployment: Deployment) -> Files:
    return Files(deployment.call, deployment.physical["Files"])
