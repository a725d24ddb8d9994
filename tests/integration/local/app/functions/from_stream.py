"""Writes each record down; one that says so fails the whole batch."""

import os
from typing import Any

import boto3

dynamodb = boto3.client("dynamodb")


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    records = [record["dynamodb"] for record in event["Records"]]
    if any("poison" in record["NewImage"] for record in records):
        raise RuntimeError("on purpose")
    for record in records:
        key = f"record {record['Keys']['pk']['S']}"
        dynamodb.put_item(TableName=os.environ["TABLE"], Item={"pk": {"S": key}})
    return {"batchItemFailures": []}
