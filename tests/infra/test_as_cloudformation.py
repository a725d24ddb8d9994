"""The template as CloudFormation takes it, for every combination of the parameters that its conditions ask.

Transformed by SAM, the conditions resolved: nothing refers to what is not made, nothing waits for itself, every route
leads to a function; and what CloudFormation asks the services for is as their own models have it.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from typing import Any, Final

import boto3
import pytest
from botocore.validate import ParamValidator

from infra import regions
from infra.local.aws.conditions import choose, decide
from infra.template import read, references, transformed
from tests.infra.reading import Template

OTHERWISE: Final = {"BudgetEmail": ("", "operator@example.test"), "CopyRegion": ("", "eu-west-1")}
"""Parameters without a list of values that a condition asks: one value of each side."""
REQUIRED: Final = {"JwtIssuer": "https://issuer.example", "JwtAudience": "gharama"}
REGION: Final = next(iter(regions.by_environment().values()))
NO_VALUE: Final = {"Ref": "AWS::NoValue"}
MAX_RESOURCES: Final = 500
"""Of a stack: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"""


def asked() -> dict[str, tuple[Any, ...]]:
    """The parameters that the conditions ask, each with all its values or one of either side."""
    template = read()
    named = {reference.name for reference in references(template["Conditions"]) if reference.to != "condition"}
    values = {name: tuple(map(str, template["Parameters"][name].get("AllowedValues", ()))) for name in sorted(named)}
    return values | OTHERWISE


def combinations() -> Iterator[dict[str, str]]:
    values = asked()
    for chosen in itertools.product(*values.values()):
        yield dict(zip(values, chosen, strict=True))


@cache
def _transformed(rollout: str) -> Template:
    return transformed({**REQUIRED, "Rollout": rollout}, REGION)


def resolved(parameters: Mapping[str, str]) -> Template:
    """The template that CloudFormation makes with these parameters: only what is made, no conditions left."""
    template = _transformed(parameters["Rollout"])
    conditions = decide(template["Conditions"], parameters)
    parts = {
        part: {
            name: {key: value for key, value in one.items() if key != "Condition"}
            for name, one in template[part].items()
            if conditions.get(one.get("Condition", ""), True)
        }
        for part in ("Resources", "Outputs")
    }
    return {**template, **_without_nothing(choose(parts, conditions))}


def _without_nothing(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nothing(item) for key, item in value.items() if item != NO_VALUE}
    if isinstance(value, list):
        return [_without_nothing(item) for item in value if item != NO_VALUE]
    return value


def offences(template: Template) -> Iterator[str]:
    """What CloudFormation would not make."""
    resources = template["Resources"]
    known = resources.keys() | template["Parameters"].keys()
    needs: dict[str, set[str]] = {}
    for name, part in {**resources, **template["Outputs"]}.items():
        names = {reference.name for reference in references(part) if not reference.name.startswith("AWS::")}
        yield from (f"{name} refers to {missing}" for missing in sorted(names - known))
        needs[name] = (names & resources.keys()) - {name}
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        yield f"in a circle: {error.args[1]}"
    for name, resource in resources.items():
        paths = resource.get("Properties", {}).get("Body", {}).get("paths", {})
        for path, operation in ((path, operation) for path, operations in paths.items() for operation in operations):
            if "x-amazon-apigateway-integration" not in paths[path][operation]:
                yield f"{name}: {operation} {path} leads nowhere"
    if len(resources) > MAX_RESOURCES * 0.8:
        yield f"{len(resources)} resources"


def test_every_combination_can_be_made() -> None:
    seen: set[str] = set()
    count = most = 0
    for parameters in combinations():
        template, count = resolved(parameters), count + 1
        most = max(most, len(template["Resources"]))
        seen |= {f"{parameters}: {offence}" for offence in offences(template)}
    assert not seen
    assert count >= 96
    print(f"{count} combinations, at most {most} resources")


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda template: template["Resources"].pop("Payments"), " refers to Payments"),
        (lambda template: template["Resources"]["Payments"].update(DependsOn="PayApi"), "in a circle"),
        (
            lambda template: template["Resources"]["Api"]["Properties"]["Body"]["paths"]["/v1/queries"]["post"].pop(
                "x-amazon-apigateway-integration"
            ),
            "Api: post /v1/queries leads nowhere",
        ),
        (
            lambda template: template["Resources"].update(
                {f"Topic{n}": {"Type": "AWS::SNS::Topic"} for n in range(300)}
            ),
            " resources",
        ),
    ],
    ids=["a table that is gone", "a circle", "a route without a function", "too many"],
)
def test_what_cannot_be_made_is_caught(change: Any, found: str) -> None:
    template = copy.deepcopy(resolved({name: values[-1] for name, values in asked().items()}))
    change(template)
    assert any(found in offence for offence in offences(template))


# ---------------------------------------------------------------- the requests


class Request:
    """A request of a service as CloudFormation makes it of a resource. rename: properties that are named otherwise."""

    def __init__(self, service: str, operation: str, name: str | None = None, **rename: str) -> None:
        self.service, self.operation, self.name, self.rename = service, operation, name, rename


REQUESTS: Final = {
    "AWS::CloudWatch::Alarm": Request("cloudwatch", "PutMetricAlarm", "AlarmName"),
    "AWS::DynamoDB::Table": Request("dynamodb", "CreateTable", "TableName"),
    "AWS::Lambda::EventSourceMapping": Request("lambda", "CreateEventSourceMapping"),
    "AWS::Lambda::EventInvokeConfig": Request("lambda", "PutFunctionEventInvokeConfig"),
    "AWS::Lambda::Alias": Request("lambda", "CreateAlias"),
    "AWS::Logs::LogGroup": Request("logs", "CreateLogGroup", "logGroupName", LogGroupName="logGroupName"),
    "AWS::Lambda::Permission": Request("lambda", "AddPermission", "StatementId"),
}
NOT_OF_THE_REQUEST: Final = {
    "AWS::DynamoDB::Table": {"TimeToLiveSpecification", "PointInTimeRecoverySpecification"},
    "AWS::Logs::LogGroup": {"RetentionInDays"},
}
"""What CloudFormation asks for by a request of its own."""
MAX_VALUE: Final = "arn:aws:service:region-1:123456789012:resource"


def _values(value: Any, defaults: Mapping[str, Any]) -> Any:
    """Properties with every reference a value: a parameter's default, a number as one, else an ARN."""
    if isinstance(value, list):
        return [_values(item, defaults) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1 and next(iter(value)) in ("Ref", "Fn::GetAtt", "Fn::Sub", "Fn::Join"):
        default = defaults.get(str(value.get("Ref")), MAX_VALUE)
        text = str(default)
        return (float(text) if "." in text else int(text)) if text.replace(".", "", 1).isdigit() else default
    return {key: _values(item, defaults) for key, item in value.items()}


def refusals(name: str, resource: Mapping[str, Any], defaults: Mapping[str, Any]) -> Iterator[str]:
    """What a service's own model says against the request that CloudFormation makes of a resource."""
    request = REQUESTS[resource["Type"]]
    dropped = NOT_OF_THE_REQUEST.get(resource["Type"], set())
    own = {
        request.rename.get(key, key): value
        for key, value in _values(resource.get("Properties", {}), defaults).items()
        if key not in dropped
    }
    asked_for = {**({request.name: name} if request.name else {}), **own}
    if resource["Type"] == "AWS::DynamoDB::Table":
        asked_for["SSESpecification"] = {"Enabled": asked_for["SSESpecification"]["SSEEnabled"]}
        if "StreamSpecification" in asked_for:
            asked_for["StreamSpecification"]["StreamEnabled"] = True
    if resource["Type"] == "AWS::CloudWatch::Alarm":
        asked_for["Threshold"] = float(asked_for["Threshold"])
    client = boto3.client(
        request.service, region_name=REGION, aws_access_key_id="5f0c2e", aws_secret_access_key="5f0c2e"
    )
    model = client.meta.service_model.operation_model(request.operation)
    report = ParamValidator().validate(asked_for, model.input_shape)
    if report.has_errors():
        yield f"{name}: {request.operation}: {report.generate_report()}"
    unknown = asked_for.keys() - model.input_shape.members.keys()
    yield from (f"{name}: {request.operation} has no {key}" for key in sorted(unknown))


def test_the_services_take_what_they_are_asked_for() -> None:
    template = resolved({name: values[-1] for name, values in asked().items()})
    defaults = {name: parameter.get("Default", "") for name, parameter in template["Parameters"].items()}
    checked = [name for name, one in template["Resources"].items() if one["Type"] in REQUESTS]
    found = [line for name in checked for line in refusals(name, template["Resources"][name], defaults)]
    assert not found
    assert len(checked) > 150
    print(f"{len(checked)} requests")


@pytest.mark.parametrize(
    ("kind", "change", "found"),
    [
        ("AWS::CloudWatch::Alarm", {"Period": "soon"}, "Period"),
        ("AWS::DynamoDB::Table", {"BillingModes": "PAY_PER_REQUEST"}, "has no BillingModes"),
        ("AWS::Lambda::EventSourceMapping", {"BatchSize": 0}, "BatchSize"),
        ("AWS::Lambda::Permission", {"Principal": 1}, "Principal"),
    ],
)
def test_what_a_service_does_not_take_is_caught(kind: str, change: dict[str, Any], found: str) -> None:
    template = resolved({name: values[-1] for name, values in asked().items()})
    name, resource = next((name, one) for name, one in template["Resources"].items() if one["Type"] == kind)
    broken = {**resource, "Properties": {**resource["Properties"], **change}}
    assert any(found in line for line in refusals(name, broken, {}))
