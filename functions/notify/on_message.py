"""Messages stream: what is new goes to the SMS queue at once."""

from __future__ import annotations

from functools import cache
from typing import Any

from notify.queueing import enqueue
from shared.observability import log_with
from shared.settings import setting


@cache
def _sqs() -> Any:
    import boto3

    return boto3.client("sqs")


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point. Reports the records that the queue did not take."""
    log_with(request_id=context.aws_request_id)
    sequences = {
        record["dynamodb"]["Keys"]["pk"]["S"]: record["dynamodb"]["SequenceNumber"] for record in event["Records"]
    }
    refused = enqueue(_sqs(), setting("SMS_QUEUE_URL"), sequences)
    return {"batchItemFailures": [{"itemIdentifier": sequences[message_id]} for message_id in refused]}
