"""One side of the comparison in a process of its own: ``python side.py SIDE CALLS`` answers CALLS look-ups.

Sides: ``ours``, the function as it is; ``bare``, a handler around boto3's client and ``json.dumps`` that makes the same
calls of tables and shows the items' attributes; ``fastapi``, the same API in FastAPI behind Mangum; ``callback``, the
function that hears of a gateway.
"""

from __future__ import annotations

import hmac
import json
import os
import sys
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

PLATE = "DE#11#ز#739418"
FIELDS = ("code", "title", "legal_ref", "occurred_at", "recorded_at", "sector_code", "sector_name", "status")
CONTEXT = SimpleNamespace(
    function_name="query",
    function_version="1",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:me-south-1:000000000000:function:query",
    aws_request_id="5f0c2e",
)
EVENT: dict[str, Any] = {
    "version": "2.0",
    "routeKey": "POST /v1/queries",
    "rawPath": "/v1/queries",
    "rawQueryString": "",
    "headers": {"accept": "application/json", "content-type": "application/json", "host": "api.example"},
    "requestContext": {
        "accountId": "000000000000",
        "apiId": "api",
        "authorizer": {"jwt": {"claims": {"sub": "48213", "phone_number": "+9647701234567"}, "scopes": None}},
        "domainName": "api.example",
        "http": {
            "method": "POST",
            "path": "/v1/queries",
            "protocol": "HTTP/1.1",
            "sourceIp": "192.0.2.1",
            "userAgent": "ua",
        },
        "requestId": "5f0c2e",
        "routeKey": "POST /v1/queries",
        "stage": "$default",
        "time": "21/Nov/2026:18:00:00 +0000",
        "timeEpoch": 1795284000000,
    },
    "body": json.dumps({"plate": "بغداد ز 739418"}),
    "isBase64Encoded": False,
}
Look = Callable[[str], dict[str, Any]]


def look_up(client: Any) -> Look:
    """What a look-up does with the tables, by boto3: count it, read the plate, keep it."""

    def look(sub: str) -> dict[str, Any]:
        client.update_item(
            TableName="citizens",
            Key={"pk": {"S": sub}, "sk": {"S": "PROFILE"}},
            UpdateExpression="SET #language = :language, phone = :phone ADD queries :one, plates :plates",
            ConditionExpression="#day = :day AND queries < :most AND NOT contains(linked, :plate)",
            ExpressionAttributeNames={"#language": "language", "#day": "day"},
            ExpressionAttributeValues={
                ":language": {"S": "ar"},
                ":phone": {"S": "+9647701234567"},
                ":one": {"N": "1"},
                ":plates": {"SS": ["5f0c2e5f0c2e"]},
                ":day": {"S": "2026-11-21"},
                ":most": {"N": "50"},
                ":plate": {"S": PLATE},
            },
            ReturnValues="ALL_NEW",
        )
        found = client.query(
            TableName="violations",
            IndexName="ByPlate",
            KeyConditionExpression="plate = :plate",
            ExpressionAttributeValues={":plate": {"S": PLATE}},
            ScanIndexForward=False,
        )["Items"]
        expires = {"N": "1795284000"}
        client.transact_write_items(
            TransactItems=[
                {
                    "ConditionCheck": {
                        "TableName": "messages",
                        "Key": {"pk": {"S": "CAP"}},
                        "ConditionExpression": "attribute_not_exists(reserved) OR reserved < :most",
                        "ExpressionAttributeValues": {":most": {"N": "10"}},
                    }
                },
                {
                    "Put": {
                        "TableName": "messages",
                        "Item": {"pk": {"S": "m"}, "sub": {"S": sub}, "text": {"S": "text"}},
                    }
                },
                {
                    "Update": {
                        "TableName": "citizens",
                        "Key": {"pk": {"S": sub}, "sk": {"S": "SEEN"}},
                        "UpdateExpression": "SET expires = :expires, answer = :answer",
                        "ExpressionAttributeValues": {":expires": expires, ":answer": {"S": "a"}},
                    }
                },
                {
                    "Put": {
                        "TableName": "citizens",
                        "Item": {"pk": {"S": sub}, "sk": {"S": "QUERY"}, "expires": expires},
                    }
                },
                {
                    "Put": {
                        "TableName": "citizens",
                        "Item": {"pk": {"S": sub}, "sk": {"S": "AUDIT"}, "expires": expires},
                    }
                },
            ],
            ClientRequestToken="5f0c2e",
        )
        items = [{**{name: item[name]["S"] for name in FIELDS}, "amount": int(item["amount"]["N"])} for item in found]
        return {"violations": items, "total": sum(item["amount"] for item in items)}

    return look


def ours() -> Callable[[], dict[str, Any]]:
    from query.api import handler

    return lambda: handler(EVENT, CONTEXT)


def callback() -> Callable[[], dict[str, Any]]:
    """The repeat of a paid payment's callback: verified, found recorded already, acknowledged."""
    from pay.on_callback import handler

    body = json.dumps({"id": "g1", "reference": "5f0c2e" * 5, "status": "paid"})
    stamp = str(int(time.time()))
    signature = hmac.digest(b"5f0c2e", f"{stamp}.{body}".encode(), "sha256").hex()
    route = "POST /v1/callbacks/{gateway}"
    event = {
        **EVENT,
        "routeKey": route,
        "pathParameters": {"gateway": "sandbox"},
        "headers": {"x-sandbox-signature": f"t={stamp},v1={signature}"},
        "body": body,
    }
    return lambda: handler(event, CONTEXT)


def bare() -> Callable[[], dict[str, Any]]:
    import boto3

    look = look_up(boto3.client("dynamodb"))

    def handler(event: dict[str, Any], _: object) -> dict[str, Any]:
        sub = event["requestContext"]["authorizer"]["jwt"]["claims"]["sub"]
        json.loads(event["body"])["plate"]
        return {"statusCode": 200, "body": json.dumps(look(sub), ensure_ascii=False)}

    return lambda: handler(EVENT, CONTEXT)


def fastapi() -> Callable[[], dict[str, Any]]:
    import boto3
    from fastapi import FastAPI, Request
    from mangum import Mangum
    from pydantic import BaseModel

    class Asked(BaseModel):
        plate: str
        sms: bool = True

    class Violation(BaseModel):
        code: str
        title: str
        legal_ref: str
        occurred_at: str
        recorded_at: str
        sector_code: str
        sector_name: str
        status: str
        amount: int

    class Answer(BaseModel):
        violations: list[Violation]
        total: int

    app = FastAPI()
    look = look_up(boto3.client("dynamodb"))

    def ask(asked: Asked, request: Request) -> Any:
        return look(request.scope["aws.event"]["requestContext"]["authorizer"]["jwt"]["claims"]["sub"])

    ask.__annotations__ = {"asked": Asked, "request": Request, "return": Any}
    app.post("/v1/queries", response_model=Answer)(ask)
    handler = Mangum(app, lifespan="off")
    return lambda: handler(EVENT, CONTEXT)


def main() -> None:
    answer = {"ours": ours, "bare": bare, "fastapi": fastapi, "callback": callback}[sys.argv[1]]()
    out = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what Lambda would take as the log
    for _ in range(int(sys.argv[2])):
        reply = answer()
    sys.stdout.flush()
    os.dup2(out, 1)
    assert reply["statusCode"] == 200, reply
    body = json.loads(reply["body"])
    print(len(body["violations"]) if "violations" in body else body["status"])


if __name__ == "__main__":
    main()
