"""Letting the news of a large live file go that ingest holds back: by batches, one run of a file at a time.

The stream then tells the followers. Each write holds only while its violation holds the file's news back, so a run that
is broken off is gone on with by the next one, and nobody is told twice. A violation that another file has changed since
is as that file left it. Which ones hold news back lies beside the file's rejects, for thirty days.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Final

from infra.operator.deployment import Deployment
from infra.operator.rollback import AT_ONCE
from infra.operator.rounds import LEFT, TakenError, in_rounds
from ingest import held_news
from ingest.errors import FileError
from ingest.objects import Objects
from shared.domain.file import ENDED, File
from shared.stores.files import RELEASE, Files, Work
from shared.stores.items import MAX_ACTIONS
from shared.stores.violations import Violations

LET_GO: Final = "let go"


class ReleaseError(Exception):
    """The news of a file cannot be let go; the message says why."""


def held(deployment: Deployment, file: File) -> int:
    """How many news a file holds back, by what the table says now. Raises ReleaseError."""
    if file.state not in ENDED:
        raise ReleaseError("the file is still being loaded: wait, or pause ingest first")
    violations, file_id = _violations(deployment), file.version.file_id
    batches, found = _batches(deployment, file), set[str]()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        while some := list(islice(batches, AT_ONCE)):
            for held_now in pool.map(lambda batch: violations.held(batch, file_id), some):
                found.update(held_now)
    return len(found)


def ledger(deployment: Deployment, file: File) -> Work:
    """What the ledger says of letting a file's news go, for a run of its own."""
    return Work(deployment.call, deployment.physical["Files"], file.version.file_id, RELEASE, secrets.token_hex(8))


def release(deployment: Deployment, file: File, planned: int, counts: dict[str, object]) -> None:
    """Let a file's news go.

    planned: how many they are (:func:`held`). counts: brought up to date when this ends or is broken off: how many were
    let go, and are left. Raises ReleaseError where another run is at it, or has taken it over.
    """
    violations, file_id, so_far = _violations(deployment), file.version.file_id, {LET_GO: 0}
    try:
        in_rounds(
            deployment,
            ledger(deployment, file),
            _batches(deployment, file),
            lambda batch: {LET_GO: violations.let_go(batch, file_id)},
            so_far,
            done=(LET_GO,),
            at_once=AT_ONCE,
        )
        planned = so_far[LET_GO]  # the others are no longer held: somebody else has dealt with them
    except TakenError as error:
        if error.until:
            raise ReleaseError(f"another run is letting this file's news go, until {error.until} at least") from None
        raise ReleaseError("another run has taken the letting go of this file's news over") from None
    finally:
        counts |= {**so_far, LEFT: planned - so_far[LET_GO]}


def _batches(deployment: Deployment, file: File) -> Iterator[Sequence[str]]:
    """The numbers of the violations whose news a file held back, in batches. Raises ReleaseError."""
    objects = Objects(deployment.clients("s3"), deployment.physical["Uploads"])
    chunks = Files(deployment.call, deployment.physical["Files"]).chunks(file.version.file_id)
    try:
        for numbers in held_news.kept(objects, file.version.file_id, chunks):
            yield from (numbers[start : start + MAX_ACTIONS] for start in range(0, len(numbers), MAX_ACTIONS))
    except FileError:
        raise ReleaseError("which of the file's violations hold news back is no longer known") from None


def _violations(deployment: Deployment) -> Violations:
    return Violations(deployment.call, deployment.physical["Violations"])
