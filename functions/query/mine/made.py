"""What the entry points of "what is mine" are made of."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import cache
from typing import Any

from query.mine.erasing import Stores
from shared.aws_json import FastClient
from shared.plate_crypto import PlateCrypto
from shared.settings import setting
from shared.stores.paying.payments import Payments
from shared.stores.people.citizens import Citizens
from shared.stores.privacy.erasing import Erasures
from shared.stores.privacy.exporting import Exports, Person, Tables
from shared.stores.registry import Registry


@cache
def crypto() -> PlateCrypto:
    """The key of fingerprints."""
    return PlateCrypto.from_secret(FastClient(), setting("PLATE_KEY_SECRET"))


@cache
def stores() -> Stores:
    """The tables that an erasure changes."""
    call, tables = FastClient(), _tables()
    return Stores(
        Erasures(call, tables),
        Citizens(call, tables.citizens),
        Payments(call, tables.payments),
        Registry(call, setting("REGISTRY_TABLE"), crypto()),
    )


@cache
def exports() -> Exports:
    """The tables that hold persons, to read out of them."""
    return Exports(FastClient(), _tables(), setting("REGISTRY_TABLE"), crypto().registry_marks)


def _tables() -> Tables:
    return Tables(setting("CITIZENS_TABLE"), setting("MESSAGES_TABLE"), setting("PAYMENTS_TABLE"))


def person(sub: str) -> Person:
    """A citizen with their fingerprints."""
    return Person(sub, crypto().citizen_fingerprints(sub))


def come_again(sub: str, wait: timedelta) -> None:
    """Have the erasure of a citizen gone on with after a while. One SendMessage."""
    _sqs().send_message(
        QueueUrl=setting("ERASURE_QUEUE_URL"),
        MessageBody=json.dumps({"sub": sub}),
        DelaySeconds=-(-wait // timedelta(seconds=1)),
    )


@cache
def _sqs() -> Any:
    import boto3

    return boto3.client("sqs")
