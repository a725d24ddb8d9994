"""Many at once: followers of many plates beside a poison record, and many senders over a store that is slow to let go.

Both print what they did in which time, for whoever looks; what is held is that nothing is lost, doubled or given up.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from shared.aws_json import AwsError, Json
from shared.domain.message import MessageKind
from shared.domain.plate import OLD, Plate
from shared.stores.items import pack
from shared.stores.messaging.caps import Caps
from shared.stores.messaging.messages import Messages
from tests.support import lambda_events as events
from tests.support.aws import Engine
from tests.support.build import NOON, reservation, row, violation
from tests.support.functions import Functions

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

PLATES, FOLLOWERS, BATCH = 200, 50, 100
SENDERS, MESSAGES = 130, 1300
HELD_FOR = 0.01


def plate(number: int) -> Plate:
    return Plate(OLD, "11", None, str(1000 + number))


def put_followers(call: Any, table: str) -> None:
    """Put the followers that a plate's links leave, without the links: they are not what is asked about."""
    link = {"vehicle_id": "v", "relation": "self", "notify": True, "proven": False, "linked_at": "2026-11-01"}
    items = [
        {**pack({"pk": f"P#{plate(number).key}", "sk": f"ur-{number}-{each}"}), **pack(link)}
        for number in range(PLATES)
        for each in range(FOLLOWERS)
    ]
    for start in range(0, len(items), 100):
        puts = [{"Put": {"TableName": table, "Item": item}} for item in items[start : start + 100]]
        call("dynamodb", "TransactWriteItems", {"TransactItems": puts})


def test_fifty_followers_of_each_of_two_hundred_plates(
    functions: Functions, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    """Beside a record that cannot be read; and all once more, as a stream gives a batch that it is not sure of."""
    put_followers(engine.fast(), functions.tables["Citizens"])
    records: list[Json] = []
    for start in range(0, PLATES, BATCH):
        of = range(start, start + BATCH)
        records += functions.ingest(*(row(violation(f"V{number}", plate_key=plate(number).key)) for number in of))
    poison = events.change(None, {"pk": {"S": "V-x"}, "tell": {"S": "whispered"}})
    records.insert(70, poison)
    batches = [records[start : start + BATCH] for start in range(0, len(records), BATCH)]
    began = time.monotonic()
    reported = [each for batch in batches for each in functions.announce(batch)]
    took = time.monotonic() - began
    assert reported == [poison["dynamodb"]["SequenceNumber"]], "the test has no bucket that takes it"
    told = {
        (item["sub"]["S"], each["S"]): item["pk"]["S"]
        for item in functions.tables.items("Messages")
        if "violations" in item
        for each in item["violations"]["L"]
    }
    assert told.keys() == {(f"ur-{n}-{each}", f"V{n}") for n in range(PLATES) for each in range(FOLLOWERS)}
    assert len(set(told.values())) == PLATES * FOLLOWERS
    for batch in batches:
        functions.announce(batch)
    assert functions.statuses() == ["waiting"] * (PLATES * FOLLOWERS)
    with capsys.disabled():
        print(f"\n  {len(told):,} messages of {PLATES} plates stood in the table after {took:.1f} s")


class SlowToLetGo:
    """A store of which a transaction holds its items for some milliseconds; another that wants one is refused."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: set[str] = set()
        self.items: dict[str, Json] = {}
        self.conflicts = 0

    def __call__(self, service: str, operation: str, request: Json) -> Json:
        assert operation == "TransactWriteItems"
        actions = [next(iter(action.values())) for action in request["TransactItems"]]
        keys = [(action.get("Key") or action["Item"])["pk"]["S"] for action in actions]
        with self._holding(keys):
            time.sleep(HELD_FOR)
            with self._lock:
                for key, action in zip(keys, actions, strict=True):
                    cost = action.get("ExpressionAttributeValues", {}).get(":reserved", {"N": "0"})
                    self.items[key] = {"N": int(self.items.get(key, {"N": 0})["N"]) + int(cost["N"])}
        return {}

    @contextmanager
    def _holding(self, keys: Iterable[str]) -> Iterator[None]:
        wanted = set(keys)
        with self._lock:
            if self._held & wanted:
                self.conflicts += 1
                raise AwsError("TransactionCanceledException", "", [{"Code": "TransactionConflict"}])
            self._held |= wanted
        try:
            yield
        finally:
            with self._lock:
                self._held -= wanted


def test_many_senders_at_once_give_nothing_up(capsys: pytest.CaptureFixture[str]) -> None:
    """As the sender's queue does: what a transaction in the way refused comes back, five times in all."""
    caps = Caps(citizen_day=10, spend_day=4_000_000_000, other_share=40, part_price=50_000)
    store = SlowToLetGo()
    received: dict[str, int] = {}

    def send(number: int) -> bool:
        message_id = f"m{number}"
        reserving = reservation(NOON, text=message_id, who=message_id, kind=MessageKind.NEW_VIOLATION)
        for attempt in range(1, 6):
            received[message_id] = attempt
            try:
                return Messages(store, "messages").claim(message_id, reserving, caps) is None
            except AwsError as error:
                if not error.transaction_conflict:
                    raise
        return False

    began = time.monotonic()
    with ThreadPoolExecutor(SENDERS) as threads:
        sent = list(threads.map(send, range(MESSAGES)))
    took = time.monotonic() - began
    spent = [item["N"] for key, item in store.items.items() if key.startswith("CAP#SPEND#")]
    assert all(sent), "nothing is given up"
    assert sum(spent) == MESSAGES * 50_000
    assert len(spent) == caps.shards == 8
    with capsys.disabled():
        print(f"\n  {SENDERS} senders claimed {MESSAGES:,} messages in {took:.1f} s: {MESSAGES / took:.0f} a second,")
        print(f"  {store.conflicts:,} conflicts, {sum(one > 1 for one in received.values())} came back to the queue")
