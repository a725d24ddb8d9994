"""A file of registrations has ended: the cards that it changed are walked, and the numbers that wait for one."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, Final

from notify.links.proving import Ports, walk
from shared.access.accesses import Accesses
from shared.access.proofs import Proofs
from shared.aws_json import FastClient
from shared.batch import take_each
from shared.clock import now
from shared.observability import count, logger
from shared.plate_crypto import PlateCrypto
from shared.settings import setting
from shared.stores.messaging.messages import Messages
from shared.stores.people.citizens import Citizens
from shared.stores.registry import Registry

_TIME_LEFT_MS: Final = 15_000
"""A page is begun only with this much time left; another run goes on from there."""


@cache
def _sqs() -> Any:
    import boto3

    return boto3.client("sqs")


@cache
def _ports() -> Ports:
    call = FastClient()
    crypto = PlateCrypto.from_secret(call, setting("PLATE_KEY_SECRET"))
    registry, citizens = Registry(call, setting("REGISTRY_TABLE"), crypto), Citizens(call, setting("CITIZENS_TABLE"))
    accesses = Accesses.from_settings(call, crypto)
    proofs = Proofs(accesses, citizens, registry, Messages(call, setting("MESSAGES_TABLE")))
    return Ports(registry, citizens, accesses, proofs)


def _walk_message(body: str, context: Any) -> bool:
    after, unreadable = json.loads(body).get("after"), list[Exception]()
    left = walk(_ports(), after, now(), lambda: context.get_remaining_time_in_millis() > _TIME_LEFT_MS, unreadable)
    if left:
        _sqs().send_message(QueueUrl=setting("PROOF_QUEUE_URL"), MessageBody=json.dumps({"after": left}))
    if unreadable:
        count("ItemsUnreadable", len(unreadable))
        kinds = sorted({type(error).__name__ for error in unreadable})
        logger().error("items of the registry cannot be read", extra={"kinds": kinds})
    return True


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point. A walk that could not be done to its end comes again."""
    return take_each(event, context, lambda body: _walk_message(body, context), "cards could not be walked")
