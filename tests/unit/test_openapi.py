"""The API's description: as the code is now, of every call that the template routes, with every error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infra.openapi.document import build
from infra.openapi.operations import OPERATIONS
from query.api import DESCRIPTION
from shared.problem_texts import PROBLEMS
from tests.support.aws import template


def routes() -> set[str]:
    """Every route of the template's functions, but for the one that takes what no other takes."""
    return {
        f"{event['Properties']['Method']} {event['Properties']['Path']}"
        for resource in template()["Resources"].values()
        if resource["Type"] == "AWS::Serverless::Function"
        for event in resource["Properties"].get("Events", {}).values()
        if event["Type"] == "HttpApi" and "Path" in event["Properties"]
    }


def protected() -> set[str]:
    """The routes for which the template's API asks for a token."""
    body = template()["Resources"]["Api"]["Properties"]["DefinitionBody"]
    return {
        f"{method.upper()} {path}"
        for path, methods in body["paths"].items()
        for method, operation in methods.items()
        if operation["security"] == [{"Citizen": []}]
    }


def test_what_is_checked_in_is_what_the_code_says() -> None:
    assert json.loads(Path(DESCRIPTION).read_text(encoding="utf-8")) == build(), "run `make openapi`"


def test_it_holds_every_route_and_no_other() -> None:
    assert set(OPERATIONS) == routes()


def test_it_asks_for_a_token_where_the_template_does() -> None:
    assert {route for route, operation in OPERATIONS.items() if not operation.open} == protected()


def test_every_error_code_stands_in_an_example() -> None:
    found: set[str] = set()

    def collect(value: Any) -> None:
        if isinstance(value, dict):
            if "request_id" in value:
                found.add(value["code"])
                found.update(error["code"] for error in value.get("errors", []))
            for each in value.values():
                collect(each)
        elif isinstance(value, list):
            for each in value:
                collect(each)

    collect(build()["paths"])
    assert found == set(PROBLEMS)


@pytest.mark.parametrize("route", sorted(OPERATIONS))
def test_references_lead_somewhere(route: str) -> None:
    document = build()
    method, _, path = route.partition(" ")
    text = json.dumps(document["paths"][path][method.lower()])
    names = {part.partition('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert names <= document["components"]["schemas"].keys()
