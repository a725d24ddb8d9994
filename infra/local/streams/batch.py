"""What a Lambda event source mapping does with one batch of stream records until it is done with it.

https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-eventsourcemapping.html
https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
"""

import json
import logging
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.local.lambdas.environment import Outcome

logger = logging.getLogger(__name__)

Record = dict[str, Any]
Invoke = Callable[[bytes], Outcome]
Clients = Callable[[str], Any]
Sleep = Callable[[float], None]

MAX_BACKOFF_SECONDS = 30.0  # seconds


@dataclass(frozen=True)
class StreamMapping:
    """An event source mapping of a DynamoDB stream. Times are in seconds; -1 stands for no bound, as on AWS."""

    id: str
    function_arn: str
    stream_arn: str
    starting_position: str
    batch_size: int = 100
    batching_window: float = 0
    filter_criteria: Mapping[str, Any] | None = None
    reports_item_failures: bool = False
    bisects: bool = False
    max_retries: int = -1
    max_record_age: float = -1
    on_failure: str | None = None

    @classmethod
    def from_api(cls, mapping: Mapping[str, Any]) -> "StreamMapping":
        """From one item of Lambda's ListEventSourceMappings."""
        return cls(
            id=mapping["UUID"],
            function_arn=mapping["FunctionArn"],
            stream_arn=mapping["EventSourceArn"],
            starting_position=mapping["StartingPosition"],
            batch_size=mapping["BatchSize"],
            batching_window=mapping.get("MaximumBatchingWindowInSeconds", 0),
            filter_criteria=mapping.get("FilterCriteria"),
            reports_item_failures="ReportBatchItemFailures" in mapping.get("FunctionResponseTypes", []),
            bisects=mapping.get("BisectBatchOnFunctionError", False),
            max_retries=mapping.get("MaximumRetryAttempts", -1),
            max_record_age=mapping.get("MaximumRecordAgeInSeconds", -1),
            on_failure=mapping.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination"),
        )


@dataclass(frozen=True)
class _Attempt:
    """How many records, from the first on, one invocation was done with, and whether it named those it was not."""

    accepted: int
    reported: bool = False


class BatchProcessor:
    """Brings batches of one shard to an end, one after the other.

    A batch has ended when the function took each record, or when what it did not take went to the mapping's
    on-failure destination. Splitting a batch uses up no retry.
    """

    def __init__(
        self,
        mapping: StreamMapping,
        shard_id: str,
        invoke: Invoke,
        clients: Clients,
        *,
        first_backoff: float = 0.5,
        sleep: Sleep = time.sleep,
        now: Callable[[], float] = time.time,
    ) -> None:
        """
        Args:
            invoke: runs the function with an event.
            clients: an AWS client by service name, with the function's rights, for the destination.
            first_backoff: seconds before the first retry; doubled for each further one.
            sleep: raises an exception to end the processing in between two attempts.
        """
        self._mapping = mapping
        self._shard_id = shard_id
        self._invoke = invoke
        self._clients = clients
        self._first_backoff = first_backoff
        self._sleep = sleep
        self._now = now

    def process(self, records: list[Record], retries: int = 0) -> None:
        """Bring these records, oldest first, to their end."""
        mapping = self._mapping
        while records := self._without_expired(records, retries):
            attempt = self._attempt(records)
            records = records[attempt.accepted :]
            if not records:
                return
            if mapping.bisects and attempt.accepted > 0:
                continue
            if mapping.bisects and not attempt.reported and len(records) > 1:
                middle = (len(records) + 1) // 2
                self.process(records[:middle], retries)
                self.process(records[middle:], retries)
                return
            if 0 <= mapping.max_retries <= retries:
                self._give_up(records, "RetryAttemptsExhausted", retries + 1)
                return
            self._sleep(min(self._first_backoff * 2**retries, MAX_BACKOFF_SECONDS))
            retries += 1

    def _attempt(self, records: list[Record]) -> _Attempt:
        outcome = self._invoke(json.dumps({"Records": records}).encode())
        if outcome.failed:
            return _Attempt(accepted=0)
        if not self._mapping.reports_item_failures:
            return _Attempt(accepted=len(records))
        numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
        try:
            answer = json.loads(outcome.payload) or {}
            failed = [numbers.index(failure["itemIdentifier"]) for failure in answer.get("batchItemFailures") or []]
        except (ValueError, TypeError, KeyError, AttributeError):
            # An identifier that is empty or not of this batch makes it a failure of the whole batch.
            logger.warning("%s: not a batch response: %.200r", self._mapping.function_arn, outcome.payload)
            return _Attempt(accepted=0)
        return _Attempt(accepted=min(failed, default=len(records)), reported=bool(failed))

    def _without_expired(self, records: list[Record], retries: int) -> list[Record]:
        if self._mapping.max_record_age < 0:
            return records
        oldest = self._now() - self._mapping.max_record_age
        expired = [one for one in records if one["dynamodb"]["ApproximateCreationDateTime"] < oldest]
        if expired:
            self._give_up(expired, "RecordAgeExceeded", retries)
        return records[len(expired) :]

    def _give_up(self, records: list[Record], condition: str, invocations: int) -> None:
        mapping = self._mapping
        logger.error("%s: %d records discarded: %s", mapping.function_arn, len(records), condition)
        if mapping.on_failure is None:
            return
        report = _failure_report(mapping, self._shard_id, records, condition, invocations)
        try:
            self._send(mapping.on_failure, report, records)
        except (BotoCoreError, ClientError):
            # As on AWS, the records are lost then and the stream goes on.
            logger.exception("%s: the on-failure destination did not take them", mapping.function_arn)

    def _send(self, destination: str, report: dict[str, Any], records: list[Record]) -> None:
        service, name = destination.split(":")[2], destination.split(":")[-1]
        if service == "sqs":
            sqs = self._clients("sqs")
            url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
            sqs.send_message(QueueUrl=url, MessageBody=json.dumps(report))
        elif service == "s3":
            now = datetime.now(UTC)
            day, moment = f"{now:%Y/%m/%d}", f"{now:%Y-%m-%dT%H.%M.%S}"
            key = f"aws/lambda/{self._mapping.id}/{self._shard_id}/{day}/{moment}-{uuid.uuid4()}"
            body = {**report, "payload": json.dumps({"Records": records})}
            self._clients("s3").put_object(Bucket=name, Key=key, Body=json.dumps(body).encode())
        else:
            raise ValueError(f"An on-failure destination of type {service} is not supported")


def _failure_report(
    mapping: StreamMapping, shard_id: str, records: list[Record], condition: str, invocations: int
) -> dict[str, Any]:
    """The invocation record that Lambda sends to a destination."""
    first, last = records[0]["dynamodb"], records[-1]["dynamodb"]
    return {
        "requestContext": {
            "requestId": str(uuid.uuid4()),
            "functionArn": mapping.function_arn,
            "condition": condition,
            "approximateInvokeCount": invocations,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "timestamp": _iso(time.time()),
        "DDBStreamBatchInfo": {
            "shardId": shard_id,
            "startSequenceNumber": first["SequenceNumber"],
            "endSequenceNumber": last["SequenceNumber"],
            "approximateArrivalOfFirstRecord": _iso(first["ApproximateCreationDateTime"]),
            "approximateArrivalOfLastRecord": _iso(last["ApproximateCreationDateTime"]),
            "batchSize": len(records),
            "streamArn": mapping.stream_arn,
        },
    }


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
