"""A record that cannot be read lies in the bucket, whole, and stops nothing: all others are told of at once."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from infra.local.config import REGION
from infra.local.lambdas.environment import Outcome
from infra.local.streams.batch import BatchProcessor, StreamMapping
from infra.operator.replay import replay_records
from shared.aws_json import AwsError, Json
from shared.domain.message import MessageStatus
from tests.support import lambda_events as events
from tests.support.aws import Engine
from tests.support.build import OTHER_PHONE, OTHER_PLATE, PHONE, PLATE, SUB, follow, row, violation
from tests.support.functions import Functions, run

FUNCTION = events.context().invoked_function_arn


class Bucket:
    """The failed records' bucket, by key."""

    def __init__(self, s3: Any, name: str) -> None:
        self.s3 = s3
        self.name = name

    def objects(self) -> dict[str, Json]:
        keys = [each["Key"] for each in self.s3.list_objects_v2(Bucket=self.name).get("Contents", [])]
        return {key: json.loads(self.s3.get_object(Bucket=self.name, Key=key)["Body"].read()) for key in keys}

    def records(self) -> list[Json]:
        """The stream records of all objects."""
        return [record for each in self.objects().values() for record in json.loads(each["payload"])["Records"]]


@pytest.fixture
def s3(engine: Engine) -> Iterator[Any]:
    client = engine.session.client("s3", endpoint_url=engine.endpoint)
    yield client
    client.close()


@pytest.fixture
def bucket(s3: Any, functions: Functions) -> Bucket:
    s3.create_bucket(Bucket=functions.failed_records, CreateBucketConfiguration={"LocationConstraint": REGION})
    return Bucket(s3, functions.failed_records)


def spoilt(record: Json, **image: Any) -> Json:
    """The same record with another image."""
    return events.change(None, {**record["dynamodb"]["NewImage"], **image})


def invoked(event: bytes) -> Outcome:
    """The function as Lambda runs it."""
    try:
        return Outcome(json.dumps(run("notify.on_violation", json.loads(event))).encode())
    except AwsError:
        return Outcome(b"{}", failed=True)


class Clients:
    """What the operator's command reaches. The function is the one of this process."""

    def __init__(self, s3: Any) -> None:
        self._s3 = s3

    def __call__(self, service: str) -> Any:
        return {"s3": self._s3, "lambda": self}[service]

    def invoke(self, *, FunctionName: str, Payload: bytes) -> Json:  # noqa: N803
        assert FunctionName == FUNCTION
        outcome = invoked(Payload)
        failed = {"FunctionError": "Unhandled"} if outcome.failed else {}
        return {**failed, "Payload": io.BytesIO(outcome.payload)}


def process(records: list[Json], s3: Any, bucket: Bucket) -> list[Outcome]:
    """Bring a batch to its end as the template's mapping does; returns what came of each invocation."""
    calls: list[Outcome] = []

    def invoke(event: bytes) -> Outcome:
        calls.append(invoked(event))
        return calls[-1]

    mapping = StreamMapping(
        id="mapping",
        function_arn=FUNCTION,
        stream_arn="arn:aws:dynamodb:me-south-1:000000000000:table/t/stream/s",
        starting_position="TRIM_HORIZON",
        reports_item_failures=True,
        bisects=True,
        max_retries=1,
        on_failure=f"arn:aws:s3:::{bucket.name}",
    )
    BatchProcessor(mapping, "shard-1", invoke, lambda service: s3, sleep=lambda _: None).process(records)
    return calls


IMAGES: dict[str, Callable[[Json], Json]] = {
    "nothing at all": lambda image: {},
    "not even a plate": lambda image: {"pk": image["pk"], "tell": image["tell"]},
    "an amount that is no number": lambda image: {**image, "amount": {"N": "many"}},
    "a plate of another type": lambda image: {**image, "plate": {"N": "1"}},
    "a value without its type": lambda image: {**image, "tell": "opened"},
    "news of an unknown kind": lambda image: {**image, "tell": {"S": "whispered"}},
    "a dispute without a name": lambda image: {**image, "tell": {"S": "refused"}},
}


@pytest.mark.parametrize("what", IMAGES)
def test_it_lies_in_the_bucket_whole_and_stops_nothing(
    what: str, functions: Functions, bucket: Bucket, s3: Any
) -> None:
    follow(functions.citizens)
    records = functions.ingest(*(row(violation(f"V-{number}")) for number in range(6)))
    poison = events.change(None, IMAGES[what](records[2]["dynamodb"]["NewImage"]))

    calls = process([*records[:2], poison, *records[3:]], s3, bucket)

    assert len(calls) == 1, "no retry"
    assert bucket.records() == [poison]
    told = functions.messages.told(SUB, "new_violation", [f"V-{number}" for number in range(6)])
    assert told == {"V-0", "V-1", "V-3", "V-4", "V-5"}


def test_its_replay_works_once_it_can_be_read(
    functions: Functions, bucket: Bucket, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    follow(functions.citizens)
    records = functions.ingest(row(violation(amount=75_000)))
    with monkeypatch.context() as faulty:
        faulty.setattr("notify.on_violation.news", lambda record: record["a version that knows better"])
        assert functions.announce(records) == []
        (key,) = bucket.objects()
        assert replay_records(Clients(s3), bucket.name) == (0, [(key, "1 records refused")])
        assert list(bucket.objects()) == [key], "what is replayed too early stays"
    assert functions.statuses() == []

    assert replay_records(Clients(s3), bucket.name) == (1, [])

    assert bucket.objects() == {}
    functions.send_due()
    ((phone, text),) = functions.phones.sent
    assert phone == PHONE
    assert "75,000" in text


def test_it_comes_twice_and_is_kept_once(functions: Functions, bucket: Bucket) -> None:
    (record,) = functions.ingest(row(violation()))
    poison = spoilt(record, plate={"N": "1"})
    for _ in range(2):
        assert functions.announce([poison]) == []
    assert bucket.records() == [poison]


def test_a_batch_that_lambda_gave_up_is_replayed_but_for_the_poison_in_it(
    functions: Functions, bucket: Bucket, s3: Any
) -> None:
    follow(functions.citizens)
    records = functions.ingest(row(violation()), row(violation()))
    poison = spoilt(records[0], tell={"S": "whispered"})
    batch = {"requestContext": {"functionArn": FUNCTION}, "payload": json.dumps({"Records": [poison, records[1]]})}
    s3.put_object(Bucket=bucket.name, Key="aws/lambda/mapping/shard/batch", Body=json.dumps(batch).encode())

    assert replay_records(Clients(s3), bucket.name, "aws/lambda/") == (1, [])

    assert bucket.records() == [poison]
    assert functions.statuses() == [MessageStatus.WAITING]


def test_a_bucket_that_does_not_take_it_leaves_it_to_lambda(functions: Functions, s3: Any) -> None:
    """Without the bucket, that is."""
    follow(functions.citizens)
    records = functions.ingest(row(violation()), row(violation()))
    poison = spoilt(records[0], pk={"N": "1"})
    assert functions.announce([poison, records[1]]) == [poison["dynamodb"]["SequenceNumber"]]
    assert functions.statuses() == [MessageStatus.WAITING]


def test_a_follower_that_cannot_be_read_holds_up_no_other_plate(
    functions: Functions, engine: Engine, bucket: Bucket, s3: Any
) -> None:
    follow(functions.citizens)
    follow(functions.citizens, "second", OTHER_PLATE, phone=OTHER_PHONE)
    (item,) = [each for each in functions.tables.items("Citizens") if each["pk"]["S"] == f"P#{PLATE.key}"]
    table, call = functions.tables["Citizens"], engine.fast()
    call("dynamodb", "PutItem", {"TableName": table, "Item": {**item, "notify": {"S": "of a later version"}}})
    here, elsewhere = violation(), violation(plate_key=OTHER_PLATE.key)
    records = functions.ingest(row(here), row(elsewhere))

    assert functions.announce(records) == []

    assert bucket.records() == [records[0]]
    assert functions.messages.told("second", "new_violation", [elsewhere.violation_no]) == {elsewhere.violation_no}
    call("dynamodb", "PutItem", {"TableName": table, "Item": item})
    assert replay_records(Clients(s3), bucket.name) == (1, [])
    assert functions.messages.told(SUB, "new_violation", [here.violation_no]) == {here.violation_no}


def test_a_table_that_fails_is_no_poison(
    functions: Functions, bucket: Bucket, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another try may mend is Lambda's to try again."""
    follow(functions.citizens)
    records = functions.ingest(row(violation()))

    def failing(*_: object) -> Json:
        raise AwsError("InternalServerError", "")

    monkeypatch.setattr("notify.on_violation.FastClient", lambda: failing)
    assert len(process(records, s3, bucket)) == 2
    (key,) = bucket.objects()
    assert key.startswith("aws/lambda/mapping/shard-1/")
    assert bucket.records() == records
