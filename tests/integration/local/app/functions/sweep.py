"""Writes down that it ran."""

import os
from typing import Any

import boto3


def handler(event: dict[str, Any], context: Any) -> None:
    item = {"pk": {"S": "sweep"}, "source": {"S": event["source"]}}
    boto3.client("dynamodb").put_item(TableName=os.environ["TABLE"], Item=item)
