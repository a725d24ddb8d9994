"""The description as one document."""

import re
from collections.abc import Iterator
from typing import Any

from infra.openapi.operations import OPERATIONS, Fields, Operation
from infra.openapi.schemas import SCHEMAS, ref
from shared.problem_texts import PROBLEMS

Document = dict[str, Any]

_EXAMPLE_ID = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
_LANGUAGE = {
    "name": "Accept-Language",
    "in": "header",
    "description": "ar (default), ckb or en",
    "schema": {"type": "string"},
}
_RETRY_AFTER = {
    "Retry-After": {"description": "Seconds to wait", "schema": {"type": "integer", "minimum": 0}},
}
_GATEWAY = {
    401: "The token is missing, over or not genuine",
    403: "The token was refused: sign in again",
    413: "The request is too large",
    429: "Too many calls just now",
    500: "An error of the service; without a code: the token could not be checked, so try again",
    503: "The service is busy or away",
}
"""What API Gateway answers by itself, with ``{message}`` and no code."""


def build() -> Document:
    """The whole description, from the words, limits and models of the code."""
    paths: dict[str, dict[str, Any]] = {}
    for route, operation in OPERATIONS.items():
        method, _, path = route.partition(" ")
        paths.setdefault(path, {})[method.lower()] = _operation(route, operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Gharama",
            "version": "1",
            "description": "See, follow and pay traffic fines in Iraq by number plate.",
        },
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {
                "Citizen": {"type": "http", "scheme": "bearer", "description": "The portal's token of the citizen"}
            },
        },
    }


def _operation(route: str, operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "summary": operation.summary,
        "operationId": _id(route),
        "parameters": [*operation.parameters, _LANGUAGE],
        "responses": {str(status): response for status, response in sorted(_responses(route, operation))},
    }
    if operation.body:
        content = {"application/json": {"schema": ref(operation.body)}}
        described["requestBody"] = {"required": True, "content": content}
    if not operation.open:
        described["security"] = [{"Citizen": []}]
    return described


def _id(route: str) -> str:
    return re.sub(r"[{}_. ]", "", route.replace("/v1/", "").replace("/", " ").title())


def _links(schema: str) -> dict[str, Any]:
    """The calls that take the id of what was made."""
    made = SCHEMAS[schema].get("properties", {})
    return {
        _id(route): {"operationId": _id(route), "parameters": {name: f"$response.body#/{name}"}}
        for route in OPERATIONS
        for name in re.findall(r"{(\w+_(?:id|no))}", route)
        if name in made and route.count("{") == 1
    }


def _responses(route: str, operation: Operation) -> Iterator[tuple[int, dict[str, Any]]]:
    for status, schema in operation.answers.items():
        answer: dict[str, Any] = {"description": operation.summary}
        if schema:
            answer["content"] = {"application/json": {"schema": ref(schema)}}
            if route.startswith("POST") and (links := _links(schema)):
                answer["links"] = links
        yield status, answer
    problems = _problems(operation)
    by_gateway = {413, 429, 503} if operation.open else set(_GATEWAY)
    for status in sorted(problems.keys() | by_gateway):
        yield status, _refusal(status, problems.get(status, {}), status in by_gateway)


def _refusal(status: int, examples: dict[str, Any], by_gateway: bool) -> dict[str, Any]:
    content: dict[str, Any] = {}
    if examples:
        content["application/problem+json"] = {"schema": ref("Problem"), "examples": examples}
    if by_gateway:
        content["application/json"] = {"schema": ref("GatewayMessage")}
    description = _GATEWAY.get(status) or next(iter(examples.values()))["value"]["title"]
    refusal: dict[str, Any] = {"description": description, "content": content}
    if status in (429, 503) and examples:
        refusal["headers"] = _RETRY_AFTER
    return refusal


def _problems(operation: Operation) -> dict[int, dict[str, Any]]:
    """The problem documents that a call can answer with, by status and name, each as an example."""
    found: dict[int, dict[str, Any]] = {
        500: {"internal": _example(500, "internal")},
        503: {"busy": _example(503, "busy")},
    }

    def add(status: int, name: str, example: dict[str, Any]) -> None:
        found.setdefault(status, {})[name] = example

    for status, codes in operation.refusals.items():
        for code in codes:
            add(status, code, _example(status, code))
    add(403, "not_by_edge", _example(403, "not_by_edge"))
    if not operation.open:
        add(403, "token_unusable", _example(403, "token_unusable"))
    if not (operation.open or operation.of_office):
        add(409, "erasing", _example(409, "erasing"))
    if any(parameter["in"] == "path" for parameter in operation.parameters):
        add(404, "no_such_path", _example(404, "no_such_path"))
    if operation.body:
        add(400, "body_not_json", _example(400, "body_not_json"))
        add(413, "body_too_large", _example(413, "body_too_large"))
        add(422, "body_not_object", _example(422, "body_not_object"))
    for top, fields in (("invalid_input", operation.fields), ("plate_unreadable", operation.unreadable)):
        for field, code in _each(fields):
            add(422, f"{top}: {field} {code}", _example(422, top, field, code))
    return found


def _each(fields: Fields) -> Iterator[tuple[str, str]]:
    for field, codes in fields.items():
        for code in codes:
            yield field, code


def _example(status: int, code: str, field: str | None = None, field_code: str | None = None) -> dict[str, Any]:
    problem: dict[str, Any] = {
        "type": "about:blank",
        "title": PROBLEMS[code]["en"],
        "status": status,
        "code": code,
        "request_id": _EXAMPLE_ID,
    }
    if field and field_code:
        problem["errors"] = [{"field": field, "code": field_code, "message": PROBLEMS[field_code]["en"]}]
    return {"value": problem}
