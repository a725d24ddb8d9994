"""Answers the HTTP API with what it was asked."""

import json
import os
from typing import Any

import boto3


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    if event["rawPath"] == "/open" and event.get("rawQueryString") == "fail":
        raise RuntimeError("on purpose")
    if event.get("rawQueryString") == "secret":
        answer = boto3.client("secretsmanager").get_secret_value(SecretId=os.environ["SECRET"])
        return {"statusCode": 200, "body": answer["SecretString"]}
    asked = {
        "route": event["routeKey"],
        "claims": event["requestContext"].get("authorizer", {}).get("jwt", {}).get("claims"),
        "greeting": os.environ["GREETING"],
    }
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(asked)}
