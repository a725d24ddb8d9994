"""CloudFormation can make the resources in some order: none waits for itself through others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import boto3
import pytest
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from infra.local.aws.localize import localize, parse

ROOT = Path(__file__).parents[2]


def named(value: Any) -> Iterator[str]:
    """The names that a value refers to, by Ref, GetAtt, Sub or DependsOn."""
    if isinstance(value, list):
        for item in value:
            yield from named(item)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key == "Ref":
                yield inner
            elif key == "Fn::GetAtt":
                yield inner[0] if isinstance(inner, list) else inner.partition(".")[0]
            elif key == "Fn::Sub":
                yield from re.findall(r"\$\{(\w+)", inner if isinstance(inner, str) else inner[0])
                if isinstance(inner, list):
                    yield from named(inner[1])
            elif key == "DependsOn":
                yield from [inner] if isinstance(inner, str) else inner
            else:
                yield from named(inner)


def order(resources: dict[str, Any]) -> list[str]:
    """An order in which they can be made. Raises CycleError."""
    needs = {name: set(named(resource)) & resources.keys() - {name} for name, resource in resources.items()}
    return list(TopologicalSorter(needs).static_order())


def test_the_resources_can_be_made_in_some_order() -> None:
    template = parse((ROOT / "template.yaml").read_text(encoding="utf-8"))
    parameters = {"JwtIssuer": "https://issuer.example", "JwtAudience": "gharama"}
    resources = localize(template, parameters, "http://127.0.0.1:1")["Resources"]

    assert set(order(resources)) == resources.keys()


def test_so_they_can_on_aws_where_versions_shift_under_alarms() -> None:
    template = parse((ROOT / "template.yaml").read_text(encoding="utf-8"))
    defaults = {name: parameter.get("Default", "") for name, parameter in template["Parameters"].items()}
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://bucket/key"
    session = boto3.Session(region_name="me-south-1")
    resources = Translator({}, Parser(), boto_session=session).translate(template, parameter_values=defaults)[
        "Resources"
    ]

    kinds = {resource["Type"] for resource in resources.values()}
    assert {"AWS::Lambda::Alias", "AWS::CodeDeploy::DeploymentGroup"} <= kinds
    assert set(order(resources)) == resources.keys()


def test_an_api_and_a_function_that_name_each_other_are_caught() -> None:
    resources = {
        "Api": {"Properties": {"Body": {"uri": {"Fn::Sub": "arn:${Function.Arn}"}}}},
        "Function": {"Properties": {"Url": {"Fn::Sub": "https://${Api}.example"}}},
    }
    with pytest.raises(CycleError):
        order(resources)
