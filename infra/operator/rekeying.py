"""Another version of the key of fingerprints: adding it, and taking the registry to it while everything runs.

First every run must know the new version, which takes a day: then the registry is written in it, and what stands there
is taken to it by a walk. A day later no run writes the old form any more: a last walk, and nobody looks for it again.
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
from shared.domain.time import to_text
from shared.plate_crypto import PlateCrypto
from shared.stores.registry import Rekeying

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


def read(deployment: Deployment) -> Key:
    """Read the secret."""
    value = _secrets(deployment).get_secret_value(SecretId=deployment.physical["PlateKeySecret"])
    text = value["SecretString"]
    said = json.loads(text) if text.startswith("{") else {"keys": [text], "registry": [1, 1]}
    oldest, written = said["registry"]
    return Key(tuple(said["keys"]), oldest, written, value["CreatedDate"], value["VersionId"])


def add(deployment: Deployment, key: Key) -> None:
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
    return read(deployment)


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
    key = read(deployment)
    say(told(key))
    if not apply:
        only_said()
        return
    with deployment.audited("add-plate-key"), refusing(RekeyingError):
        add(deployment, key)
    say(told(read(deployment)))


@click.command()
@APPLY
@click.pass_obj
def rekey_registry(deployment: Deployment, apply: bool) -> None:
    """Take the registry to the newest version of the key: on two days, safe while files load and proofs are made."""
    key = read(deployment)
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
    say(told(read(deployment)))
