from __future__ import annotations

import json
import re
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.local.lambdas.environment import Outcome
from infra.local.streams.batch import MAX_BACKOFF_SECONDS, BatchProcessor, StreamMapping

NOW = 1_800_000_000.0


def record(number: str, age: float = 0) -> dict[str, Any]:
    return {"eventID": number, "dynamodb": {"SequenceNumber": number, "ApproximateCreationDateTime": NOW - age}}


class FakeFunction:
    """Takes records but those that are poison: it raises, or it names them."""

    def __init__(self, *, poison: str = "", raises: bool = False, heals_after: int = 10_000) -> None:
        self.poison = poison
        self.raises = raises
        self.heals_after = heals_after
        self.calls: list[str] = []
        self.taken: list[str] = []
        self.answer: bytes | None = None

    def __call__(self, event: bytes) -> Outcome:
        numbers = [one["dynamodb"]["SequenceNumber"] for one in json.loads(event)["Records"]]
        self.calls.append("".join(numbers))
        if self.answer is not None:
            return Outcome(self.answer)
        bad = [number for number in numbers if number in self.poison and len(self.calls) <= self.heals_after]
        if bad and self.raises:
            return Outcome(b'{"errorType":"ValueError"}', failed=True)
        first = numbers.index(bad[0]) if bad else len(numbers)
        self.taken += numbers[:first]
        failures = [{"itemIdentifier": number} for number in bad]
        return Outcome(json.dumps({"batchItemFailures": failures}).encode())


class FakeAws:
    """SQS and S3 in one, which keep what they are given."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.objects: dict[str, dict[str, Any]] = {}
        self.refuses = False

    def __call__(self, service: str) -> FakeAws:
        return self

    def get_queue_url(self, *, QueueName: str) -> dict[str, str]:  # noqa: N803
        return {"QueueUrl": f"http://queue/{QueueName}"}

    def send_message(self, *, QueueUrl: str, MessageBody: str) -> None:  # noqa: N803
        assert QueueUrl == "http://queue/failed"
        self.messages.append(json.loads(MessageBody))

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:  # noqa: N803
        if self.refuses:
            raise ClientError({"Error": {"Code": "AccessDenied"}}, "PutObject")
        assert Bucket == "failed"
        self.objects[Key] = json.loads(Body)


class Run:
    """Batches of one shard, with the pauses that were made."""

    def __init__(self, function: FakeFunction, **mapping: Any) -> None:
        self.aws = FakeAws()
        self.pauses: list[float] = []
        settings = {
            "id": "mapping",
            "function_arn": "arn:aws:lambda:me-south-1:000000000000:function:f",
            "stream_arn": "arn:aws:dynamodb:me-south-1:000000000000:table/t/stream/s",
            "starting_position": "TRIM_HORIZON",
            "on_failure": "arn:aws:sqs:me-south-1:000000000000:failed",
            **mapping,
        }
        self._processor = BatchProcessor(
            StreamMapping(**settings), "shard-1", function, self.aws, sleep=self.pauses.append, now=lambda: NOW
        )

    def process(self, numbers: str, ages: dict[str, float] | None = None) -> Run:
        self._processor.process([record(number, (ages or {}).get(number, 0)) for number in numbers])
        return self

    @property
    def failed(self) -> list[tuple[str, str, int]]:
        """First and last number and count of each batch that was given up."""
        infos = [message["DDBStreamBatchInfo"] for message in self.aws.messages]
        return [(one["startSequenceNumber"], one["endSequenceNumber"], one["batchSize"]) for one in infos]


def test_a_batch_that_is_taken_is_invoked_once() -> None:
    function = FakeFunction()

    run = Run(function).process("1234")

    assert function.calls == ["1234"]
    assert run.failed == []


def test_a_failing_batch_is_retried_as_a_whole_until_it_works() -> None:
    function = FakeFunction(poison="2", raises=True, heals_after=3)

    run = Run(function).process("123")

    assert function.calls == ["123"] * 4
    assert run.pauses == [0.5, 1.0, 2.0]


def test_backoff_has_an_end() -> None:
    function = FakeFunction(poison="1", raises=True, heals_after=12)

    assert max(Run(function).process("1").pauses) == MAX_BACKOFF_SECONDS


def test_retries_are_bounded_and_the_batch_goes_to_the_destination() -> None:
    function = FakeFunction(poison="2", raises=True)

    run = Run(function, max_retries=2).process("123")

    assert function.calls == ["123"] * 3
    assert run.failed == [("1", "3", 3)]
    assert run.aws.messages[0]["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert run.aws.messages[0]["requestContext"]["approximateInvokeCount"] == 3
    assert "payload" not in run.aws.messages[0]


def test_no_retry_at_all() -> None:
    function = FakeFunction(poison="1", raises=True)

    run = Run(function, max_retries=0).process("12")

    assert function.calls == ["12"]
    assert run.failed == [("1", "2", 2)]


def test_a_reported_failure_is_where_it_goes_on() -> None:
    function = FakeFunction(poison="35", heals_after=1)

    Run(function, reports_item_failures=True).process("123456")

    assert function.calls == ["123456", "3456"]
    assert function.taken == list("123456")


def test_a_poison_record_is_given_up_with_what_follows_it_in_the_batch() -> None:
    function = FakeFunction(poison="3")

    run = Run(function, reports_item_failures=True, max_retries=2).process("1234")

    assert function.calls == ["1234", "34", "34"]
    assert run.failed == [("3", "4", 2)]


def test_reports_are_ignored_where_the_mapping_does_not_ask_for_them() -> None:
    function = FakeFunction(poison="1")

    Run(function).process("12")

    assert function.calls == ["12"]


@pytest.mark.parametrize(
    "answer", [b"null", b"{}", b'{"batchItemFailures": []}', b'{"batchItemFailures": null}', b'""']
)
def test_answers_that_mean_success(answer: bytes) -> None:
    function = FakeFunction()
    function.answer = answer

    Run(function, reports_item_failures=True).process("12")

    assert function.calls == ["12"]


@pytest.mark.parametrize(
    "answer",
    [
        b'{"batchItemFailures": [{"itemIdentifier": ""}]}',
        b'{"batchItemFailures": [{"itemIdentifier": null}]}',
        b'{"batchItemFailures": [{"identifier": "1"}]}',
        b'{"batchItemFailures": [{"itemIdentifier": "9"}]}',
        b'"done"',
        b"[1]",
    ],
)
def test_answers_that_mean_that_the_whole_batch_failed(answer: bytes) -> None:
    function = FakeFunction()
    function.answer = answer

    run = Run(function, reports_item_failures=True, max_retries=1).process("12")

    assert function.calls == ["12", "12"]
    assert run.failed == [("1", "2", 2)]


def test_bisecting_isolates_the_poison_without_using_up_retries() -> None:
    function = FakeFunction(poison="6", raises=True)

    run = Run(function, bisects=True, max_retries=1).process("12345678")

    assert function.calls == ["12345678", "1234", "5678", "56", "5", "6", "6", "78"]
    assert run.failed == [("6", "6", 1)]
    assert run.aws.messages[0]["requestContext"]["approximateInvokeCount"] == 2
    assert function.taken == list("1234578")


def test_bisecting_at_a_reported_failure_uses_up_no_retry() -> None:
    function = FakeFunction(poison="3")

    run = Run(function, bisects=True, reports_item_failures=True, max_retries=1).process("1234")

    assert function.calls == ["1234", "34", "34"]
    assert run.failed == [("3", "4", 2)]


def test_records_that_are_too_old_are_not_even_tried() -> None:
    function = FakeFunction()

    run = Run(function, max_record_age=60).process("123", ages={"1": 61, "2": 60})

    assert function.calls == ["23"]
    assert run.failed == [("1", "1", 1)]
    assert run.aws.messages[0]["requestContext"]["condition"] == "RecordAgeExceeded"


def test_s3_gets_the_whole_records() -> None:
    function = FakeFunction(poison="2", raises=True)

    run = Run(function, bisects=True, max_retries=0, on_failure="arn:aws:s3:::failed").process("12")

    ((key, body),) = run.aws.objects.items()
    moment = r"\d{4}/\d\d/\d\d/\d{4}-\d\d-\d\dT\d\d\.\d\d\.\d\d"
    assert re.fullmatch(rf"aws/lambda/mapping/shard-1/{moment}-[0-9a-f-]{{36}}", key)
    assert json.loads(body["payload"]) == {"Records": [record("2")]}
    assert body["DDBStreamBatchInfo"]["approximateArrivalOfFirstRecord"] == "2027-01-15T08:00:00.000Z"


def test_a_destination_that_refuses_does_not_stop_the_stream() -> None:
    run = Run(FakeFunction(poison="1", raises=True), max_retries=0, on_failure="arn:aws:s3:::failed")
    run.aws.refuses = True

    run.process("1")

    assert run.aws.objects == {}


def test_settings_are_read_from_lambda() -> None:
    mapping = StreamMapping.from_api(
        {
            "UUID": "u",
            "FunctionArn": "f",
            "EventSourceArn": "s",
            "StartingPosition": "LATEST",
            "BatchSize": 7,
            "MaximumBatchingWindowInSeconds": 3,
            "FilterCriteria": {"Filters": []},
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
            "BisectBatchOnFunctionError": True,
            "MaximumRetryAttempts": 4,
            "MaximumRecordAgeInSeconds": 60,
            "DestinationConfig": {"OnFailure": {"Destination": "d"}},
        }
    )

    assert mapping == StreamMapping("u", "f", "s", "LATEST", 7, 3, {"Filters": []}, True, True, 4, 60, "d")
