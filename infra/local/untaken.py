"""Uploads that a hard end left without their notification: objects are on disk at once, queues only when saved."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote_plus

from infra.local.aws.clients import Clients

Rule = tuple[str, str]
Json = dict[str, Any]


def notify_again(clients: Clients, bucket: str, ledger: str, file_queue: str, since: datetime) -> int:
    """Notify the bucket's queues again of uploads that nobody has taken; how many.

    To the queue of files go the versions that the ledger has no entry of; to any other one those that came at `since`
    or later. O(versions in the bucket + items of the ledger).

    Args:
        clients: of AWS.
        bucket: the bucket of uploads.
        ledger: the Files table.
        file_queue: the ARN of the queue whose reader keeps that ledger.
        since: when the state was so that is gone on from.
    """
    rules, entered = _rules(clients, bucket), set(_entered(clients, ledger))
    count = 0
    for number, version in enumerate(sorted(_versions(clients, bucket), key=lambda one: one["LastModified"])):
        for queue in [queue for prefix, queue in rules if version["Key"].startswith(prefix)]:
            taken = (
                (bucket, version["Key"], version["VersionId"]) in entered
                if queue == file_queue
                else version["LastModified"] < since - timedelta(seconds=1)
            )
            if not taken:
                _notify(clients, queue, bucket, version, number)
                count += 1
    return count


def _rules(clients: Clients, bucket: str) -> list[Rule]:
    """Which prefix is notified to which queue."""
    found = clients.get("s3").get_bucket_notification_configuration(Bucket=bucket).get("QueueConfigurations", [])
    return [
        (rule["Value"], one["QueueArn"])
        for one in found
        for rule in one["Filter"]["Key"]["FilterRules"]
        if rule["Name"].lower() == "prefix"
    ]


def _versions(clients: Clients, bucket: str) -> Iterator[Json]:
    for page in clients.get("s3").get_paginator("list_object_versions").paginate(Bucket=bucket):
        yield from page.get("Versions", [])


def _entered(clients: Clients, ledger: str) -> Iterator[tuple[str, str, str]]:
    """Bucket, key and version of each entry."""
    pages = clients.get("dynamodb").get_paginator("scan")
    for page in pages.paginate(
        TableName=ledger, FilterExpression="sk = :file", ExpressionAttributeValues={":file": {"S": "FILE"}}
    ):
        for item in page["Items"]:
            yield item["bucket"]["S"], item["key"]["S"], item["version_id"]["S"]


def _notify(clients: Clients, queue: str, bucket: str, version: Json, number: int) -> None:
    sqs = clients.get("sqs")
    # As the emulator counts: microseconds of a clock, after those of what was put before and ahead of what is to come.
    sequencer = f"{int(version['LastModified'].timestamp() * 1_000_000) + number:018X}"
    stored = {
        "key": quote_plus(version["Key"], safe="/"),
        "size": version["Size"],
        "eTag": version["ETag"].strip('"'),
        "versionId": version["VersionId"],
        "sequencer": sequencer,
    }
    record = {
        "eventVersion": "2.6",
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "s3": {"s3SchemaVersion": "1.0", "bucket": {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"}, "object": stored},
    }
    url = sqs.get_queue_url(QueueName=queue.rpartition(":")[2])["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"Records": [record]}))
