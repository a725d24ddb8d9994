"""Does what it is told: to fail in each way that a function can."""

import json
import os
import signal
import time
from typing import Any

import boto3

calls = 0


def handler(event: dict[str, Any], context: Any) -> Any:
    global calls
    calls += 1
    print(f"asked to {event['do']} سلام")
    match event["do"]:
        case "tell":
            return {"pid": os.getpid(), "calls": calls, "request_id": context.aws_request_id, "env": dict(os.environ)}
        case "fail":
            raise ValueError("on purpose")
        case "count-and-fail":
            with open(event["calls"], "a") as calls_file:
                calls_file.write("x")
            raise ValueError("on purpose")
        case "sleep":
            time.sleep(event["seconds"])
        case "exit":
            os._exit(3)
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "big":
            return "x" * event["bytes"]
        case "put":
            boto3.client("dynamodb").put_item(TableName=os.environ["TABLE"], Item={"pk": {"S": event["pk"]}})
        case "scan":
            boto3.client("dynamodb").scan(TableName=os.environ["TABLE"])
        case "transact":
            boto3.client("dynamodb").transact_write_items(TransactItems=json.loads(event["items"]))
        case "wait-for-file":
            with open(event["started"], "w") as started:
                started.write(str(os.getpid()))
            while not os.path.exists(event["go"]):
                time.sleep(0.01)
    return {"pid": os.getpid()}
