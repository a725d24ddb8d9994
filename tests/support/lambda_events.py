"""Events as Lambda gives them to a function, from the shapes in tests/events (payload 2.0 for the HTTP API)."""

from __future__ import annotations

import copy
import itertools
import json
import uuid
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from shared.aws_json import Json

_SEQUENCES = itertools.count(4421584500000000017450439091)


@cache
def _shape(name: str) -> str:
    return (Path(__file__).parent / "events" / f"{name}.json").read_text()


def _fresh(name: str) -> Json:
    event: Json = json.loads(_shape(name))
    return event


def http(
    route: str,
    *,
    body: object = None,
    raw: str | None = None,
    path: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    claims: Mapping[str, str | None] | None = None,
    base64: bool = False,
) -> Json:
    """A call of the API. raw: the body as it stands. claims: changes to the token's; None takes one away."""
    event = _fresh("http_api")
    event["routeKey"] = event["requestContext"]["routeKey"] = route
    event["rawPath"] = event["requestContext"]["http"]["path"] = route.partition(" ")[2].format_map(path or {})
    event["requestContext"]["http"]["method"] = route.partition(" ")[0]
    event["requestContext"]["requestId"] = uuid.uuid4().hex
    event["headers"] |= headers or {}
    token = event["requestContext"]["authorizer"]["jwt"]["claims"]
    token.update(claims or {})
    event["requestContext"]["authorizer"]["jwt"]["claims"] = {k: v for k, v in token.items() if v is not None}
    if path:
        event["pathParameters"] = dict(path)
    if query:
        event["queryStringParameters"] = dict(query)
    event["body"] = raw if raw is not None else json.dumps(body) if body is not None else ""
    event["isBase64Encoded"] = base64
    return event


def change(before: Json | None, after: Json) -> Json:
    """A stream record of a write, with both images."""
    record = _fresh("stream_record")
    record["eventID"] = uuid.uuid4().hex
    record["eventName"] = "MODIFY" if before else "INSERT"
    data = record["dynamodb"]
    data |= {
        "Keys": {"pk": after["pk"]} if "pk" in after else {},
        "NewImage": copy.deepcopy(after),
        "SequenceNumber": str(next(_SEQUENCES)),
    }
    if before:
        data["OldImage"] = copy.deepcopy(before)
    else:
        del data["OldImage"]
    return record


def records(these: Iterable[Json]) -> Json:
    """A batch of records of a stream or a queue."""
    return {"Records": list(these)}


def queued(body: str, message_id: str | None = None) -> Json:
    """One message of a queue."""
    record = _fresh("queue_record")
    record["messageId"] = message_id or str(uuid.uuid4())
    record["body"] = body
    return record


def schedule() -> Json:
    """A schedule's tick."""
    return _fresh("schedule")


def context() -> Any:
    """What Lambda tells a function of the invocation; each has an id of its own."""
    return SimpleNamespace(
        aws_request_id=str(uuid.uuid4()),
        function_name="function",
        invoked_function_arn="arn:aws:lambda:me-south-1:000000000000:function:function",
        memory_limit_in_mb=512,
        get_remaining_time_in_millis=lambda: 30_000,
    )
