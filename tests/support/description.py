"""Holding answers to the API's description: status, content type, headers and shape."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

from query.api import DESCRIPTION

Json = dict[str, Any]


@cache
def _document() -> Json:
    document: Json = json.loads(Path(DESCRIPTION).read_text(encoding="utf-8"))
    return document


@cache
def _validator(route: str, status: str, content_type: str) -> jsonschema_rs.Validator:
    response = _operation(route)["responses"][status]
    schema = response["content"][content_type]["schema"]
    return jsonschema_rs.validator_for({**schema, "components": _document()["components"]})


def _operation(route: str) -> Json:
    method, _, path = route.partition(" ")
    operation: Json = _document()["paths"][path][method.lower()]
    return operation


def require_described(route: str, reply: Json) -> None:
    """An answer of a function is one that the description has for its route; a route that it lacks is not found."""
    status = str(reply["statusCode"])
    method, _, path = route.partition(" ")
    if method.lower() not in _document()["paths"].get(path, {}):
        assert status == "404", f"{route} is not described"
        return
    responses = _operation(route)["responses"]
    assert status in responses, f"{route} answers {status}, which is not described"
    if "body" not in reply:
        assert not responses[status].get("content"), f"{route} {status} lacks its body"
        return
    content_type = reply["headers"]["content-type"]
    assert content_type in responses[status]["content"], f"{route} {status} is {content_type}"
    _validator(route, status, content_type).validate(json.loads(reply["body"]))
    if content_type == "application/problem+json" and status == "429":
        assert reply["headers"]["retry-after"].isdecimal()
