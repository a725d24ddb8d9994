"""Deploys the localized template through the emulator's CloudFormation and reads back what came of it."""

import contextlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from infra.local.aws.clients import Clients
from infra.local.config import REGION
from infra.template import Template

DEPLOY_WITHIN = 120.0  # seconds
_POLL = 0.05  # seconds


class DeployError(Exception):
    """The stack can't be deployed; the message names each resource that failed and why."""


@dataclass(frozen=True)
class Stack:
    """A deployed stack: physical ids and types by logical id, and its outputs."""

    physical: Mapping[str, str]
    types: Mapping[str, str]
    outputs: Mapping[str, str]

    def of_type(self, kind: str) -> dict[str, str]:
        """Logical to physical id of every resource of that CloudFormation type."""
        return {name: self.physical[name] for name, one in self.types.items() if one == kind}


def deploy(clients: Clients, name: str, template: Template, parameters: Mapping[str, str]) -> Stack:
    """Create the stack, or bring the one of an earlier start up to date.

    Only those of `parameters` that the template declares are passed.

    Raises:
        DeployError: a resource could not be made or changed.
    """
    cloudformation = clients.get("cloudformation")
    request = {
        "StackName": name,
        "TemplateURL": _uploaded(clients, name, template),
        "Parameters": [
            {"ParameterKey": key, "ParameterValue": value}
            for key, value in parameters.items()
            if key in template.get("Parameters", {})
        ],
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
    }
    started = time.time()
    try:
        if _exists(cloudformation, name):
            cloudformation.update_stack(**request)
        else:
            cloudformation.create_stack(**request)
    except ClientError as error:
        if "No updates are to be performed" not in str(error):
            raise DeployError(str(error)) from error
    _wait(cloudformation, name, started)
    return _read(cloudformation, name)


def _uploaded(clients: Clients, name: str, template: Template) -> str:
    """The address of a template laid in a bucket, as `sam deploy` does it: a request holds 51,200 bytes at most."""
    s3 = clients.get("s3")
    bucket = f"{name}-deployment"
    with contextlib.suppress(s3.exceptions.BucketAlreadyOwnedByYou):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket=bucket, Key="template.json", Body=json.dumps(template).encode())
    return f"{s3.meta.endpoint_url}/{bucket}/template.json"


def _exists(cloudformation: Any, name: str) -> bool:
    try:
        cloudformation.describe_stacks(StackName=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        return False
    return True


def _wait(cloudformation: Any, name: str, since: float) -> None:
    deadline = time.monotonic() + DEPLOY_WITHIN
    while True:
        status = cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
        if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            return
        if not status.endswith("_IN_PROGRESS"):
            raise DeployError(f"Stack {name} ended as {status}:\n{_reasons(cloudformation, name, since)}")
        if time.monotonic() > deadline:
            raise DeployError(f"Stack {name} is still {status} after {DEPLOY_WITHIN:.0f} s")
        time.sleep(_POLL)


def _reasons(cloudformation: Any, name: str, since: float) -> str:
    events = [
        event
        for page in cloudformation.get_paginator("describe_stack_events").paginate(StackName=name)
        for event in page["StackEvents"]
        if event["ResourceStatus"].endswith("_FAILED") and event["Timestamp"].timestamp() >= since - 1
    ]
    lines = [
        f"  {event['LogicalResourceId']} ({event['ResourceType']}): {event.get('ResourceStatusReason', 'no reason')}"
        for event in reversed(events)
    ]
    return "\n".join(lines) or "  no resource says why"


def _read(cloudformation: Any, name: str) -> Stack:
    resources = [
        resource
        for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=name)
        for resource in page["StackResourceSummaries"]
    ]
    described = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    return Stack(
        physical={one["LogicalResourceId"]: one["PhysicalResourceId"] for one in resources},
        types={one["LogicalResourceId"]: one["ResourceType"] for one in resources},
        outputs={one["OutputKey"]: one["OutputValue"] for one in described.get("Outputs", [])},
    )
