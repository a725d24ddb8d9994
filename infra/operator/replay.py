"""What could not be taken is given again: messages to their queue, failed batches to their function."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from infra.operator.deployment import Clients, Deployment

FAILED_RECORDS: Final = "FailedRecords"
"""The bucket of batches that a function could not take from a stream."""

_TAKEN_FOR: Final = 120  # seconds that a dead letter is hidden while it is moved


class Replayed(NamedTuple):
    """How many went through, and which did not: key and why."""

    done: int
    left: list[tuple[str, str]]


def places(deployment: Deployment) -> list[str]:
    """Where something may wait to be replayed, by logical id."""
    ends = [name for name in deployment.physical if name.endswith("DeadLetters")]
    return [*sorted(ends), FAILED_RECORDS]


def waiting(deployment: Deployment, place: str) -> int:
    """How many messages or objects lie there. Raises KeyError where there is no such place."""
    if place == FAILED_RECORDS:
        return sum(1 for _ in _keys(deployment.clients("s3"), deployment.physical[place]))
    names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
    answer = deployment.clients("sqs").get_queue_attributes(
        QueueUrl=deployment.physical[place], AttributeNames=list(names)
    )
    return sum(int(answer["Attributes"][name]) for name in names)


def replay(deployment: Deployment, place: str, prefix: str = "") -> Replayed:
    """Give all that lies there again. Repeats are harmless to the functions. prefix: only objects that begin so."""
    if place == FAILED_RECORDS:
        return replay_records(deployment.clients, deployment.physical[place], prefix)
    queue = place.replace("DeadLetters", "Queue")
    if queue in deployment.physical:
        sqs = deployment.clients("sqs")
        return Replayed(replay_messages(sqs, deployment.physical[place], deployment.physical[queue]), [])
    return replay_invocations(deployment, place)


def replay_messages(sqs: Any, dead_url: str, queue_url: str) -> int:
    """Move every message from one queue to another; one that is cut off between comes twice, which harms nothing."""
    moved = 0
    for message in _messages(sqs, dead_url):
        sqs.send_message(QueueUrl=queue_url, MessageBody=message["Body"])
        sqs.delete_message(QueueUrl=dead_url, ReceiptHandle=message["ReceiptHandle"])
        moved += 1
    return moved


def replay_invocations(deployment: Deployment, place: str) -> Replayed:
    """Call functions again with the events that Lambda laid aside once its own tries had failed."""
    sqs, url = deployment.clients("sqs"), deployment.physical[place]
    done, left = 0, []
    for message in _messages(sqs, url):
        try:
            failed = json.loads(message["Body"])
            function, payload = failed["requestContext"]["functionArn"], json.dumps(failed["requestPayload"]).encode()
        except (ValueError, LookupError, TypeError):
            left.append((message["MessageId"], "not a record of a failed call"))
            continue
        refusal = _refusal(deployment.clients("lambda").invoke(FunctionName=function, Payload=payload))
        if refusal:
            left.append((message["MessageId"], refusal))
        else:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            done += 1
    return Replayed(done, left)


def replay_records(clients: Clients, bucket: str, prefix: str = "") -> Replayed:
    """Invoke, object by object, the function that could not take its records, with all of them.

    An object is deleted once the function took every record of it. One that a function refuses, or that is not Lambda's
    record of a failed batch, stays as it is.
    """
    s3, done, left = clients("s3"), 0, []
    for key in _keys(s3, bucket, prefix):
        try:
            failed = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
            function, payload = failed["requestContext"]["functionArn"], failed["payload"].encode()
        except (ValueError, LookupError, TypeError, AttributeError):
            left.append((key, "not a record of a failed batch"))
            continue
        refusal = _refusal(clients("lambda").invoke(FunctionName=function, Payload=payload))
        if refusal:
            left.append((key, refusal))
        else:
            s3.delete_object(Bucket=bucket, Key=key)
            done += 1
    return Replayed(done, left)


def _refusal(answer: Mapping[str, Any]) -> str | None:
    """Why an invocation did not take all of its records, or None."""
    if answer.get("FunctionError"):
        return "the function failed"
    body = json.loads(answer["Payload"].read()) or {}
    failures = body.get("batchItemFailures") or []
    return f"{len(failures)} records refused" if failures else None


def _messages(sqs: Any, url: str) -> Iterator[Mapping[str, Any]]:
    while found := sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1, VisibilityTimeout=_TAKEN_FOR
    ).get("Messages"):
        yield from found


def _keys(s3: Any, bucket: str, prefix: str = "") -> Iterator[str]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", []):
            yield item["Key"]
