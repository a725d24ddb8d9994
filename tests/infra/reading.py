"""Reading a SAM template: its resources by type, its functions with what they have in common, who names whom."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from infra.template import Template

ROOT = Path(__file__).parents[2]


def of_type(template: Template, kind: str) -> dict[str, dict[str, Any]]:
    """The properties of all resources of a type, by logical id."""
    return {
        name: resource.get("Properties", {})
        for name, resource in template["Resources"].items()
        if resource["Type"] == kind
    }


def functions(template: Template) -> dict[str, dict[str, Any]]:
    """The properties of all functions, those that they have in common among them."""
    common = template["Globals"]["Function"]
    return {name: {**common, **own} for name, own in of_type(template, "AWS::Serverless::Function").items()}


def events(template: Template, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every event of a type: its function and its properties."""
    for name, function in functions(template).items():
        for event in function.get("Events", {}).values():
            if event["Type"] == kind:
                yield name, event.get("Properties", {})


def target(value: Any) -> str:
    """The logical id that a Ref or GetAtt names."""
    if "Ref" in value:
        return str(value["Ref"])
    names = value["Fn::GetAtt"]
    return str(names.split(".")[0] if isinstance(names, str) else names[0])


def number(template: Template, value: Any) -> int:
    """A number, or the default of the parameter that gives it."""
    return int(template["Parameters"][value["Ref"]]["Default"] if isinstance(value, dict) else value)


def as_list(value: Any) -> list[Any]:
    """One or several, as policies write them."""
    return value if isinstance(value, list) else [value]
