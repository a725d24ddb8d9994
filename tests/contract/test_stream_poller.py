"""The stream poller on real streams: what reaches a function, and what becomes of what it does not take."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from infra.local.aws.clients import Clients, root_credentials
from infra.local.config import REGION
from infra.local.lambdas.environment import Outcome
from infra.local.streams.api import StreamsApi
from infra.local.streams.batch import StreamMapping
from infra.local.streams.poller import StreamPoller, settle
from shared.stores.messaging.news import KINDS
from tests.support.aws import Engine

_numbers = itertools.count()

Put = Callable[..., None]
Start = Callable[..., StreamPoller]


class Function:
    """Keeps the records of each call; poison makes it raise, or report where it is asked to."""

    def __init__(self) -> None:
        self.calls: list[list[dict[str, Any]]] = []
        self.raises = True

    def __call__(self, event: bytes) -> Outcome:
        records = json.loads(event)["Records"]
        self.calls.append(records)
        poison = [one for one in records if "poison" in one["dynamodb"].get("NewImage", {})]
        if poison and self.raises:
            return Outcome(b"{}", failed=True)
        failures = [{"itemIdentifier": one["dynamodb"]["SequenceNumber"]} for one in poison]
        return Outcome(json.dumps({"batchItemFailures": failures}).encode())

    @property
    def keys(self) -> list[list[str]]:
        """The items' keys, call by call."""
        return [[one["dynamodb"]["Keys"]["pk"]["S"] for one in call] for call in self.calls]


class Destination:
    """An on-failure queue."""

    def __init__(self) -> None:
        self.reports: list[dict[str, Any]] = []

    def get_queue_url(self, **request: Any) -> dict[str, str]:
        return {"QueueUrl": "http://queue"}

    def send_message(self, *, QueueUrl: str, MessageBody: str) -> None:  # noqa: N803
        self.reports.append(json.loads(MessageBody))


@pytest.fixture
def clients(engine: Engine) -> Iterator[Clients]:
    made = Clients(engine.endpoint, root_credentials())
    yield made
    made.close()


@pytest.fixture
def table(clients: Clients) -> Iterator[dict[str, Any]]:
    dynamodb = clients.get("dynamodb")
    name = f"streamed-{next(_numbers)}"
    made = dynamodb.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    description: dict[str, Any] = made["TableDescription"]
    yield description
    dynamodb.delete_table(TableName=name)


@pytest.fixture
def put(clients: Clients, table: dict[str, Any]) -> Put:
    def put_items(*keys: str, **attributes: Any) -> None:
        for key in keys:
            clients.get("dynamodb").put_item(TableName=table["TableName"], Item={"pk": {"S": key}, **attributes})

    return put_items


@pytest.fixture
def function() -> Function:
    return Function()


@pytest.fixture
def destination() -> Destination:
    return Destination()


@pytest.fixture
def start(engine: Engine, table: dict[str, Any], function: Function, destination: Destination) -> Iterator[Start]:
    pollers = []

    def begin(**settings: Any) -> StreamPoller:
        given = {"starting_position": "TRIM_HORIZON", "on_failure": "arn:aws:sqs:x:000000000000:q", **settings}
        mapping = StreamMapping("mapping", "function", table["LatestStreamArn"], **given)
        api = StreamsApi(engine.endpoint, REGION, root_credentials())
        poller = StreamPoller(mapping, api, function, lambda service: destination, first_backoff=0.001)
        poller.start()
        pollers.append(poller)
        return poller

    yield begin
    for poller in pollers:
        poller.stop()
        poller.join()


POISON = {"poison": {"BOOL": True}}


def test_changes_arrive_once_and_in_order(start: Start, put: Put, clients: Clients, function: Function) -> None:
    keys = [f"item {number:03}" for number in range(120)]
    put(*keys[:60])
    poller = start(batch_size=25)
    put(*keys[60:])

    assert settle([poller], within=30)

    assert [key for call in function.keys for key in call] == keys
    assert max(map(len, function.keys)) <= 25


def test_a_record_has_the_form_of_lambdas_event(
    start: Start, put: Put, table: dict[str, Any], function: Function
) -> None:
    put("a", text={"S": "سلام"}, blob={"B": b"\x00\xff"})
    put("a", count={"N": "7"})

    assert settle([start()], within=30)

    inserted, modified = (one for call in function.calls for one in call)
    assert (inserted["eventName"], modified["eventName"]) == ("INSERT", "MODIFY")
    assert inserted["eventSource"] == "aws:dynamodb"
    assert inserted["eventSourceARN"] == table["LatestStreamArn"]
    change = inserted["dynamodb"]
    assert change["NewImage"] == {"pk": {"S": "a"}, "text": {"S": "سلام"}, "blob": {"B": "AP8="}}
    assert abs(change["ApproximateCreationDateTime"] - time.time()) < 120
    assert modified["dynamodb"]["OldImage"] == change["NewImage"]
    assert modified["dynamodb"]["NewImage"] == {"pk": {"S": "a"}, "count": {"N": "7"}}


def test_only_what_the_filter_lets_through_arrives(start: Start, put: Put, function: Function) -> None:
    put("silent")
    put("loud", tell={"S": "opened"})
    pattern = json.dumps({"dynamodb": {"NewImage": {"tell": {"S": [*KINDS]}}}})

    assert settle([start(filter_criteria={"Filters": [{"Pattern": pattern}]})], within=30)

    assert function.keys == [["loud"]]


def test_bisecting_loses_the_poison_alone(start: Start, put: Put, function: Function, destination: Destination) -> None:
    put("1", "2")
    put("3", **POISON)
    put("4")

    assert settle([start(bisects=True, max_retries=1)], within=30)

    assert function.keys == [["1", "2", "3", "4"], ["1", "2"], ["3", "4"], ["3"], ["3"], ["4"]]
    (report,) = destination.reports
    poison = function.calls[3][0]["dynamodb"]["SequenceNumber"]
    assert report["DDBStreamBatchInfo"]["startSequenceNumber"] == poison
    assert report["DDBStreamBatchInfo"]["batchSize"] == 1


def test_it_goes_on_at_a_reported_failure(start: Start, put: Put, function: Function, destination: Destination) -> None:
    function.raises = False
    put("1", "2")
    put("3", **POISON)
    put("4")
    poller = start(reports_item_failures=True, max_retries=2)
    assert settle([poller], within=30)
    put("5")
    assert settle([poller], within=30)

    assert function.keys == [["1", "2", "3", "4"], ["3", "4"], ["3", "4"], ["5"]]
    assert [report["DDBStreamBatchInfo"]["batchSize"] for report in destination.reports] == [2]


def test_latest_begins_with_what_comes_later(start: Start, put: Put, function: Function) -> None:
    put("before")
    poller = start(starting_position="LATEST")
    assert poller.catch_up(time.monotonic() + 30)
    put("after")

    assert settle([poller], within=30)

    assert function.keys == [["after"]]
