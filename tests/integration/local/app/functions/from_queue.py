"""Writes each message down; one that says so is reported as failed, or fails the whole batch."""

import json
import os
from typing import Any

import boto3

dynamodb = boto3.client("dynamodb")


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    failures = []
    for record in event["Records"]:
        message = json.loads(record["body"])
        if message.get("raise"):
            raise RuntimeError("on purpose")
        attempt = record["attributes"]["ApproximateReceiveCount"]
        key = f"message {message.get('id', message.get('Event', 's3'))} {attempt}"
        dynamodb.put_item(TableName=os.environ["TABLE"], Item={"pk": {"S": key}, "body": {"S": record["body"]}})
        if message.get("fail"):
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}
