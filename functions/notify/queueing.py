"""Handing messages to the SMS queue. What is queued twice is sent once: the sender claims a message first."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final

_BATCH: Final = 10


def enqueue(sqs: Any, queue_url: str, message_ids: Iterable[str]) -> set[str]:
    """Queue messages by id, ten a call; returns the ids that the queue did not take.

    sqs: a boto3 client. Raises botocore's ClientError where a whole call is refused.
    """
    refused: set[str] = set()
    for batch in _batches(dict.fromkeys(message_ids)):
        entries = [
            {"Id": str(index), "MessageBody": json.dumps({"message_id": message_id})}
            for index, message_id in enumerate(batch)
        ]
        response = sqs.send_message_batch(QueueUrl=queue_url, Entries=entries)
        refused |= {batch[int(failure["Id"])] for failure in response.get("Failed", [])}
    return refused


def depth(sqs: Any, queue_url: str) -> int:
    """About how many messages lie on the SMS queue or are being sent."""
    names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
    attributes = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=list(names))["Attributes"]
    return sum(int(attributes[name]) for name in names)


def _batches(message_ids: Iterable[str]) -> Iterator[list[str]]:
    iterator = iter(message_ids)
    while batch := list(islice(iterator, _BATCH)):
        yield batch
