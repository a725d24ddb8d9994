"""After a file of registrations: the cards with another number are walked once, page by page and run by run."""

from __future__ import annotations

from typing import Any

import pytest

from notify.links import on_registry
from notify.links.proving import Ports, walk
from shared.access.accesses import Accesses
from shared.access.proofs import Proofs
from shared.aws_json import Json
from shared.plate_crypto import PlateCrypto
from shared.stores import registry as registry_module
from shared.stores.messaging.messages import Messages
from shared.stores.people.citizens import Citizens
from shared.stores.registry import Registry
from tests.support import lambda_events
from tests.support.aws import Engine, Tables, before
from tests.support.build import NOON, PLATE, registration
from tests.support.ingesting import Ingest

CRYPTO = PlateCrypto(b"key")


@pytest.fixture
def registry(engine: Engine, tables: Tables, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Pages of two items. Five cards have another number, a sixth has its first, and one number waits for its card."""
    monkeypatch.setattr(registry_module, "MAX_ACTIONS", 2)
    registry = Registry(engine.fast(), tables["Registry"], CRYPTO, sleep=lambda _: None)
    plates = [PLATE._replace(number=str(number)) for number in range(1, 7)]
    registry.write([registration("AAAA", plate) for plate in plates])
    registry.write([registration("BBBB", plate, at="2026-11-02") for plate in plates[:5]])
    engine.fast()(
        "dynamodb", "TransactWriteItems", {"TransactItems": [registry.wait_action(plates[5].key, "sub", "CCCC", NOON)]}
    )
    return registry


def ports(registry: Registry, tables: Tables) -> Ports:
    call = registry._call
    citizens = Citizens(call, tables["Citizens"])
    accesses = Accesses(call, tables["Citizens"], tables["Registry"], CRYPTO, needs_proof=False)
    return Ports(registry, citizens, accesses, Proofs(accesses, citizens, registry, Messages(call, tables["Messages"])))


def walk_all(registry: Registry, tables: Tables) -> Any:
    unreadable: list[Exception] = []
    after = walk(ports(registry, tables), None, NOON, lambda: True, unreadable)
    assert unreadable == []
    return after


def left(tables: Tables) -> list[str]:
    """What is still to be looked at."""
    return sorted(item["sk"]["S"] for item in tables.items("Registry") if "to_walk" in item)


def test_every_card_with_another_number_is_walked_once(registry: Registry, tables: Tables) -> None:
    assert left(tables) == ["NUMBER#"] * 5 + ["PENDING#sub"]
    assert walk_all(registry, tables) is None
    assert left(tables) == ["PENDING#sub"]
    assert not [item for item in tables.items("Registry") if "sealed_plate" in item and item["sk"]["S"] == "NUMBER#"]


def test_a_card_with_another_number_says_of_which_plate_it_is(registry: Registry) -> None:
    items, _ = registry.to_walk()
    plates = {CRYPTO.open_plate(item["sealed_plate"]["S"]) for item in items}
    assert len(plates) == 2
    assert plates <= {PLATE._replace(number=str(number)).key for number in range(1, 7)}


def test_a_run_without_time_goes_on_from_there(registry: Registry, tables: Tables) -> None:
    after, runs = None, 0
    while True:
        after = walk(ports(registry, tables), after, NOON, lambda: False, [])
        runs += 1
        if after is None:
            break
    assert runs in (3, 4)
    assert left(tables) == ["PENDING#sub"]


def test_a_card_that_changed_since_it_was_read_is_met_again(engine: Engine, registry: Registry, tables: Tables) -> None:
    first = registry.to_walk()[0][0]
    number = CRYPTO.open_plate(first["sealed_plate"]["S"]).rpartition("#")[2]
    newer = registration("DDDD", PLATE._replace(number=number), at="2026-11-03")
    call = before(engine.fast(), "UpdateItem", lambda: registry.write([newer]))
    overtaken = Registry(call, tables["Registry"], CRYPTO)
    walk_all(overtaken, tables)
    assert left(tables) == ["NUMBER#", "PENDING#sub"]
    walk_all(registry, tables)
    assert left(tables) == ["PENDING#sub"]


class Queue:
    """The queue that a run leaves the rest to."""

    def __init__(self) -> None:
        self.bodies: list[str] = []

    def send_message(self, QueueUrl: str, MessageBody: str) -> None:  # noqa: N803 (boto3's names)
        self.bodies.append(MessageBody)


@pytest.fixture
def queue(registry: Registry, tables: Tables, monkeypatch: pytest.MonkeyPatch) -> Queue:
    queue = Queue()
    monkeypatch.setattr(on_registry, "_ports", lambda: ports(registry, tables))
    monkeypatch.setattr(on_registry, "_sqs", lambda: queue)
    monkeypatch.setenv("PROOF_QUEUE_URL", "url")
    return queue


def handle(body: str, seconds: float) -> Json:
    context: Any = lambda_events.context()
    context.get_remaining_time_in_millis = lambda: int(seconds * 1000)
    answer: Json = on_registry.handler(lambda_events.records([lambda_events.queued(body, "one")]), context)
    return answer


def test_the_function_leaves_what_it_has_no_time_for_to_the_next_run(queue: Queue, tables: Tables) -> None:
    assert handle("{}", seconds=14) == {"batchItemFailures": []}
    assert len(left(tables)) == 4
    for _ in range(3):
        if queue.bodies:
            handle(queue.bodies.pop(), seconds=14)
    assert (queue.bodies, left(tables)) == ([], ["PENDING#sub"])


def test_with_time_it_leaves_nothing(queue: Queue, tables: Tables) -> None:
    assert handle("{}", seconds=60) == {"batchItemFailures": []}
    assert (queue.bodies, left(tables)) == ([], ["PENDING#sub"])


def test_what_cannot_be_walked_comes_again(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_registry, "_ports", lambda: 1 / 0)
    assert handle("{}", seconds=60) == {"batchItemFailures": [{"itemIdentifier": "one"}]}


def test_each_file_of_registrations_has_them_walked_and_no_other(engine: Engine, tables: Tables) -> None:
    ingest = Ingest(engine, tables)
    header = b"plate_family,plate_governorate,plate_letter,plate_number,registration_no\n"
    content = header + "german,11,ز,12345,AB-12345\n".encode()
    ingest.take("check/registry/a.csv", content)
    ingest.take("live/a.csv", b"violation_no\n")
    assert ingest.walks == 0
    ingest.take("registry/a.csv", content)
    assert ingest.walks == 1
