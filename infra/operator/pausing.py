"""Pausing a part of the platform at once, so that nothing is lost, and letting it go on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from infra.operator import files
from infra.operator.deployment import Deployment
from pay.gateways.offers import OFFERS
from shared.stores.pausing import PAYMENTS, Pausing


class Part(NamedTuple):
    """What can be paused. mappings: event source mappings, by logical id, that are switched off; what waits, waits.

    queues: those that they take from, by logical id.
    """

    mappings: tuple[str, ...]
    meanwhile: str
    queues: tuple[str, ...] = ()


_TAKEN: Final = "ApproximateNumberOfMessagesNotVisible"
_WAITING: Final = "ApproximateNumberOfMessages"
_GATEWAY: Final = "gateway-"

PARTS: Final = {
    "sms": Part(
        ("NotifySendSmsDue",), "messages wait in their table, and go out after a last look whether they are true"
    ),
    "ingest": Part(
        ("IngestOnFileFile", "IngestLoadChunkChunk"),
        "files and chunks wait in their queues for a week",
        ("FileQueue", "ChunkQueue"),
    ),
    PAYMENTS: Part((), "no payment is begun (503 payments_paused); those under way are concluded"),
    **{
        f"{_GATEWAY}{name}": Part((), "no payment is begun by it (gateway_closed); those under way are concluded")
        for name in OFFERS
    },
}


def pause(deployment: Deployment, what: str, reason: str) -> None:
    """Stop a part at once. Harmless to do again."""
    _switch(deployment, what, on=False)
    if not PARTS[what].mappings:
        _payments(deployment).pause(what.removeprefix(_GATEWAY), deployment.clock(), reason)


def resume(deployment: Deployment, what: str) -> None:
    """Let a part go on where it was. Harmless to do again."""
    _switch(deployment, what, on=True)
    if not PARTS[what].mappings:
        _payments(deployment).resume(what.removeprefix(_GATEWAY))


def paused(deployment: Deployment) -> dict[str, bool]:
    """Which parts are paused."""
    closed = _payments(deployment).paused() if "PayApi" in deployment.physical else frozenset()
    return {
        name: any(_state(deployment, mapping) in ("Disabled", "Disabling") for mapping in part.mappings)
        or name.removeprefix(_GATEWAY) in closed
        for name, part in PARTS.items()
    }


def under_way(deployment: Deployment, what: str) -> Iterator[str]:
    """What a part that is paused still has in hand, a line each: a function finishes the messages that it has taken."""
    for queue in PARTS[what].queues:
        answer = deployment.clients("sqs").get_queue_attributes(
            QueueUrl=deployment.physical[queue], AttributeNames=[_TAKEN, _WAITING]
        )
        taken, waiting = (int(answer["Attributes"][name]) for name in (_TAKEN, _WAITING))
        yield f"{queue}: {taken:,} messages taken and still being worked on, {waiting:,} wait"
    if what == "ingest":
        for file in files.unfinished(deployment):
            yield from files.progress(deployment, file)


def _switch(deployment: Deployment, what: str, *, on: bool) -> None:
    for mapping in PARTS[what].mappings:
        deployment.clients("lambda").update_event_source_mapping(UUID=deployment.physical[mapping], Enabled=on)


def _state(deployment: Deployment, mapping: str) -> str:
    answer = deployment.clients("lambda").get_event_source_mapping(UUID=deployment.physical[mapping])
    state: str = answer["State"]
    return state


def _payments(deployment: Deployment) -> Pausing:
    return Pausing(deployment.call, deployment.physical["Payments"])
