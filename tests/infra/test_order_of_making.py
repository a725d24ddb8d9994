"""CloudFormation can make the resources in some order: none waits for itself through others."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import Any

import pytest

from infra.local.aws.localize import localize
from infra.template import read, references


def order(resources: dict[str, Any]) -> list[str]:
    """An order in which they can be made. Raises CycleError."""
    needs = {
        name: {reference.name for reference in references(resource)} & resources.keys() - {name}
        for name, resource in resources.items()
    }
    return list(TopologicalSorter(needs).static_order())


def test_the_resources_can_be_made_in_some_order() -> None:
    template = read()
    parameters = {"JwtIssuer": "https://issuer.example", "JwtAudience": "gharama"}
    resources = localize(template, parameters, "http://127.0.0.1:1")["Resources"]

    assert set(order(resources)) == resources.keys()


def test_an_api_and_a_function_that_name_each_other_are_caught() -> None:
    resources = {
        "Api": {"Properties": {"Body": {"uri": {"Fn::Sub": "arn:${Function.Arn}"}}}},
        "Function": {"Properties": {"Url": {"Fn::Sub": "https://${Api}.example"}}},
    }
    with pytest.raises(CycleError):
        order(resources)
