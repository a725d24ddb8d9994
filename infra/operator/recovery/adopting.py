"""A stack that was deleted, made anew around what it left behind: tables, buckets, the key of plates, kept logs.

Else the next deployment makes them new and empty, with another key, under which no fingerprint is found again; and it
ends at the bucket of uploads, whose name is taken. A change set of type IMPORT takes them over as they are, with a
template that holds nothing else; `make deploy` then makes the rest around them.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/resource-import-new-stack.html
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

from infra.operator.deployment import Deployment
from infra.operator.recovery.guarding import holding_data
from infra.template import references

_IDENTIFIED_BY: Final = {
    "AWS::DynamoDB::Table": "TableName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SecretsManager::Secret": "Id",
    "AWS::Logs::LogGroup": "LogGroupName",
}
_CHANGE_SET: Final = "adopt"
LEFT_OUT: Final = "-"


class AdoptError(Exception):
    """What a stack left behind cannot be adopted; the message says why."""


def template(names: Mapping[str, str]) -> dict[str, Any]:
    """Return the template that adopts resources, by logical id. What refers to others is left to the deployment."""
    known = holding_data()
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Resources": {
            name: {
                "Type": known[name]["Type"],
                "DeletionPolicy": "Retain",
                "UpdateReplacePolicy": "Retain",
                "Properties": {
                    key: value for key, value in known[name]["Properties"].items() if not _refers_to_others(value)
                },
            }
            for name in names
        },
    }


def _refers_to_others(value: Any) -> bool:
    return any(not one.name.startswith("AWS::") for one in references(value))


def tagged(deployment: Deployment) -> dict[str, set[str]]:
    """Find by the tags of a stack what holds data of it, by logical id: the identifiers of what was made under each."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    known = holding_data()
    pages = deployment.clients("resourcegroupstaggingapi").get_paginator("get_resources")
    filters = [{"Key": "aws:cloudformation:stack-name", "Values": [deployment.stack]}]
    for page in pages.paginate(TagFilters=filters):
        for one in page["ResourceTagMappingList"]:
            tags = {tag["Key"]: tag["Value"] for tag in one["Tags"]}
            name = tags.get("aws:cloudformation:logical-id", "")
            if name in known:
                found[name].add(_identifier(known[name]["Type"], one["ResourceARN"]))
    return found


def left_behind(deployment: Deployment, named: Mapping[str, str]) -> dict[str, str]:
    """Find by the tags of a stack what it left behind: the identifier of each resource that holds data.

    named: by logical id, what is known better; LEFT_OUT for what is to be made anew. Raises AdoptError where one is not
    found, or twice.
    """
    found = tagged(deployment)
    names: dict[str, str] = {}
    for name in holding_data():
        candidates = found.get(name, set())
        if name in named:
            candidates = {named[name]}
        if len(candidates) != 1:
            why = "left behind more than once" if candidates else "not found"
            raise AdoptError(
                f"{name}: {why}: {', '.join(sorted(candidates))} (NAMES='{name}=…', or '{name}=-' for none)"
            )
        names[name] = candidates.pop()
    return {name: identifier for name, identifier in names.items() if identifier != LEFT_OUT}


def _identifier(kind: str, arn: str) -> str:
    if kind == "AWS::SecretsManager::Secret":
        return arn
    name = arn.split(":", 5)[5]
    return name.removeprefix("table/").removeprefix("log-group:").removesuffix(":*")


def adopt(deployment: Deployment, names: Mapping[str, str]) -> None:
    """Make the stack of what it left behind, by identifiers of :func:`left_behind`, and wait until it stands."""
    cloudformation, known = deployment.clients("cloudformation"), holding_data()
    cloudformation.create_change_set(
        StackName=deployment.stack,
        ChangeSetName=_CHANGE_SET,
        ChangeSetType="IMPORT",
        TemplateBody=json.dumps(template(names)),
        ResourcesToImport=[
            {
                "ResourceType": known[name]["Type"],
                "LogicalResourceId": name,
                "ResourceIdentifier": {_IDENTIFIED_BY[known[name]["Type"]]: identifier},
            }
            for name, identifier in names.items()
        ],
    )
    which = {"StackName": deployment.stack, "ChangeSetName": _CHANGE_SET}
    cloudformation.get_waiter("change_set_create_complete").wait(**which)
    cloudformation.execute_change_set(**which)
    cloudformation.get_waiter("stack_import_complete").wait(StackName=deployment.stack)
