"""The registry of numbers: letting in those that wait, and taking all to another version of the key of fingerprints.

The chunks of a file that hold numbers that wait are put on the queue once more. Ingest then loads them as it loads any
chunk, and ends the file anew. What newer files have said meanwhile stays. A run that is broken off is gone on with by
the next one. The rows are read again from the file, which the bucket keeps for thirty days.

Of another version every run must know first, which takes a day: then the registry is written in it, and what stands
there is taken to it by a walk. A day later no run writes the old form any more: a last walk, and nobody looks for it
again.
"""

from __future__ import annotations

import json
import secrets
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import click

from infra.operator.deployment import Deployment
from infra.operator.options import APPLY, only_said, refusing, say
from ingest import moving
from ingest.errors import FileError
from ingest.objects import Objects
from ingest.on_file import sqs_queue
from shared.domain.file import File, FileStatus
from shared.domain.time import to_text
from shared.plate_crypto import PlateCrypto
from shared.stores.files import Files
from shared.stores.registry import Rekeying

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


# ---------------------------------------------------------------- another version of the key

SEGMENTS: Final = 8
KNOWN_AFTER: Final = timedelta(days=1)
"""Lambda ends every environment, and with it what it has read of a secret, within hours.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
"""


class RekeyingError(Exception):
    """What was asked for cannot be done yet. The text says why."""


class Key(NamedTuple):
    """The secret as it stands. oldest, written: as :mod:`shared.plate_crypto` says. since: when it was put so."""

    keys: tuple[str, ...]
    oldest: int
    written: int
    since: datetime
    name: str

    @property
    def is_whole(self) -> bool:
        """Whether the registry is of the newest version alone."""
        return self.oldest == self.written == len(self.keys)

    @property
    def crypto(self) -> PlateCrypto:
        return PlateCrypto(*(key.encode() for key in self.keys), registry=(self.oldest, self.written))


def read_key(deployment: Deployment) -> Key:
    """Read the secret."""
    value = _secrets(deployment).get_secret_value(SecretId=deployment.physical["PlateKeySecret"])
    text = value["SecretString"]
    said = json.loads(text) if text.startswith("{") else {"keys": [text], "registry": [1, 1]}
    oldest, written = said["registry"]
    return Key(tuple(said["keys"]), oldest, written, value["CreatedDate"], value["VersionId"])


def add_version(deployment: Deployment, key: Key) -> None:
    """Add a version. Raises RekeyingError while the registry is on its way to the last one."""
    if not key.is_whole:
        raise RekeyingError("the registry is not of the newest version yet: make rekey-registry")
    _put(deployment, key._replace(keys=(*key.keys, secrets.token_urlsafe(48))))


def begin(deployment: Deployment, key: Key) -> Key:
    """Let the registry be written in the newest version; returns the key as it is then.

    Raises RekeyingError while a run may not know it.
    """
    if key.written == len(key.keys):
        return key
    if not _is_everywhere(deployment, key):
        raise RekeyingError(f"some run may not know the newest version before {to_text(key.since + KNOWN_AFTER)}")
    _put(deployment, key._replace(written=len(key.keys)))
    return read_key(deployment)


def walk(deployment: Deployment, key: Key, counts: dict[str, object]) -> None:
    """Take what stands in the registry to the newest version; broken off, the same command goes on from there.

    counts: brought up to date also where this is broken off.
    """
    done: Counter[str] = Counter()
    last = "last" if _is_everywhere(deployment, key) else "first"
    places = Rekeying(deployment.call, deployment.physical["Registry"], key.crypto, f"{key.name} {last}")

    def share(segment: int) -> None:
        for looked_at, moved in places.walk(segment, SEGMENTS):
            done["looked at"] += looked_at
            done["moved"] += moved

    try:
        with ThreadPoolExecutor(SEGMENTS) as pool:
            list(pool.map(share, range(SEGMENTS)))
    finally:
        counts |= {"looked at": done["looked at"], "moved": done["moved"]}


def end(deployment: Deployment, key: Key) -> bool:
    """Let nobody look for older forms any more, if no run writes them by now; returns whether it is so."""
    if not _is_everywhere(deployment, key):
        return False
    _put(deployment, key._replace(oldest=len(key.keys)))
    return True


def told(key: Key) -> Iterator[str]:
    """Say how it stands."""
    yield f"the key has {len(key.keys)} versions"
    yield f"the registry is written in version {key.written}, and looked for from version {key.oldest} on"


def _is_everywhere(deployment: Deployment, key: Key) -> bool:
    return deployment.clock() >= key.since + KNOWN_AFTER


def _put(deployment: Deployment, key: Key) -> None:
    said = json.dumps({"keys": key.keys, "registry": [key.oldest, key.written]})
    _secrets(deployment).put_secret_value(SecretId=deployment.physical["PlateKeySecret"], SecretString=said)


def _secrets(deployment: Deployment) -> Any:
    return deployment.clients("secretsmanager")


@click.command()
@APPLY
@click.pass_obj
def add_plate_key(deployment: Deployment, apply: bool) -> None:
    """Add a version to the key of fingerprints; the registry follows a day later, by rekey-registry."""
    key = read_key(deployment)
    say(told(key))
    if not apply:
        only_said()
        return
    with deployment.audited("add-plate-key"), refusing(RekeyingError):
        add_version(deployment, key)
    say(told(read_key(deployment)))


@click.command()
@APPLY
@click.pass_obj
def rekey_registry(deployment: Deployment, apply: bool) -> None:
    """Take the registry to the newest version of the key: on two days, safe while files load and proofs are made."""
    key = read_key(deployment)
    say(told(key))
    if key.is_whole or not apply:
        click.echo("nothing is left to be done") if key.is_whole else only_said()
        return
    results: dict[str, object] = {}
    try:
        with deployment.audited("rekey-registry") as results, refusing(RekeyingError):
            key = begin(deployment, key)
            walk(deployment, key, results)
            if not end(deployment, key):
                click.echo(f"give it again from {to_text(key.since + KNOWN_AFTER)} on, for what was written meanwhile")
    finally:
        say(f"{count:,} {what}" for what, count in results.items())
    say(told(read_key(deployment)))
