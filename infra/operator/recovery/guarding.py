"""Changes of a stack that lose no data: what a change set would replace or remove, and a policy that refuses it.

What holds data is what the template keeps when its stack goes (``DeletionPolicy``). Kept is not safe: where a change
replaces a table, a new and empty one is in service, and the old one belongs to nothing.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from infra.operator.deployment import Deployment
from infra.template import read

_DATA: Final = frozenset({"AWS::DynamoDB::Table", "AWS::S3::Bucket"})
_KEPT: Final = frozenset({"Retain", "RetainExceptOnCreate"})
_LEFT_BEHIND: Final = frozenset({*_KEPT, "ReplaceAndRetain"})
_SURE: Final = "True"
_READY: Final = ("CREATE_COMPLETE", "AVAILABLE")


class GuardError(Exception):
    """A change set is not to be executed; the message says why."""


class Loss(NamedTuple):
    """A resource that holds data and would be out of service after a change. how: replaced or removed."""

    resource: str
    how: str


def holding_data() -> dict[str, dict[str, Any]]:
    """Return the template's resources that hold data, by logical id."""
    resources: Mapping[str, dict[str, Any]] = read()["Resources"]
    return {name: one for name, one in resources.items() if one["Type"] in _DATA or one.get("DeletionPolicy") in _KEPT}


def losses(changes: Iterable[Mapping[str, Any]], held: Collection[str]) -> Iterator[Loss]:
    """Yield what changes would put out of service of what holds data.

    changes: as describe_change_set gives them. held: logical ids that hold data, whatever their types. Where AWS knows
    only while it executes whether it must replace ("Conditional"), nothing is said: the stack policy refuses it then.
    """
    for change in (one["ResourceChange"] for one in changes if "ResourceChange" in one):
        name = change["LogicalResourceId"]
        left_behind = change.get("PolicyAction") in _LEFT_BEHIND
        if not (name in held or change["ResourceType"] in _DATA or left_behind):
            continue
        if change["Action"] == "Remove":
            yield Loss(name, "removed")
        elif change.get("Replacement") == _SURE:
            yield Loss(name, "replaced")


def stack_policy(held: Iterable[str]) -> str:
    """Write the stack policy that refuses to replace and to remove resources, and allows all other updates."""
    resources = [f"LogicalResourceId/{name}" for name in sorted(held)]
    everything = {"Effect": "Allow", "Principal": "*", "Action": "Update:*", "Resource": "*"}
    losing = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": ["Update:Replace", "Update:Delete"],
        "Resource": resources,
    }
    return json.dumps({"Statement": [everything, losing]})


def protect(deployment: Deployment, without: Collection[str] = ()) -> None:
    """Set the stack policy, and let the stack refuse to be deleted where its tables do.

    without: logical ids that the policy lets go for now.
    """
    cloudformation = deployment.clients("cloudformation")
    policy = stack_policy(holding_data().keys() - set(without))
    cloudformation.set_stack_policy(StackName=deployment.stack, StackPolicyBody=policy)
    cloudformation.update_termination_protection(
        StackName=deployment.stack, EnableTerminationProtection=refuses(deployment)
    )


def refuses(deployment: Deployment) -> bool:
    """Return whether the stack is to refuse its deletion, by its parameters as they are now."""
    described = deployment.clients("cloudformation").describe_stacks(StackName=deployment.stack)["Stacks"][0]
    parameters = {one["ParameterKey"]: one["ParameterValue"] for one in described.get("Parameters", [])}
    return parameters.get("DeletionProtection") == "on"


class ChangeSet(NamedTuple):
    """A change set that waits. is_new: it makes the stack. changes: as describe_change_set gives them."""

    arn: str
    is_new: bool
    changes: list[Mapping[str, Any]]

    def lines(self) -> Iterator[str]:
        """Say what it changes, a line each."""
        for change in (one["ResourceChange"] for one in self.changes if "ResourceChange" in one):
            replaced = {_SURE: ", replaced", "Conditional": ", replaced if it must be"}.get(
                change.get("Replacement"), ""
            )
            yield f"{change['Action']}{replaced}: {change['LogicalResourceId']} ({change['ResourceType']})"


def waiting(deployment: Deployment) -> ChangeSet | None:
    """Return the newest change set of a stack that can be executed, or None."""
    cloudformation = deployment.clients("cloudformation")
    summaries = [
        one
        for page in cloudformation.get_paginator("list_change_sets").paginate(StackName=deployment.stack)
        for one in page["Summaries"]
        if (one["Status"], one["ExecutionStatus"]) == _READY
    ]
    if not summaries:
        return None
    arn = max(summaries, key=lambda one: one["CreationTime"])["ChangeSetId"]
    pages = cloudformation.get_paginator("describe_change_set").paginate(ChangeSetName=arn, StackName=deployment.stack)
    changes = [change for page in pages for change in page["Changes"]]
    state = cloudformation.describe_stacks(StackName=deployment.stack)["Stacks"][0]["StackStatus"]
    return ChangeSet(arn, state == "REVIEW_IN_PROGRESS", changes)


def check(deployment: Deployment, change_set: ChangeSet, told: Collection[str]) -> None:
    """Raise GuardError where a change set loses what nobody told it may; it is deleted then, so that nobody runs it.

    told: logical ids that may be replaced or removed. One that the change set does not touch is a mistake as well.
    """
    lost = {loss.resource: loss.how for loss in losses(change_set.changes, holding_data())}
    if others := set(told) - lost.keys():
        why = [f"{name} would be neither replaced nor removed" for name in sorted(others)]
    else:
        why = [f"{name} holds data and would be {how}" for name, how in sorted(lost.items()) if name not in told]
    if why:
        forget(deployment, change_set)
        raise GuardError("\n".join([*why, "nothing was changed, and the change set is deleted"]))


def forget(deployment: Deployment, change_set: ChangeSet) -> None:
    """Delete a change set that is not executed."""
    deployment.clients("cloudformation").delete_change_set(ChangeSetName=change_set.arn, StackName=deployment.stack)


def execute(deployment: Deployment, change_set: ChangeSet, told: Collection[str]) -> None:
    """Execute a checked change set and wait for its end; the stack is protected after it as before.

    told: as :func:`check` takes it; the stack policy lets them go meanwhile.
    """
    cloudformation = deployment.clients("cloudformation")
    if not change_set.is_new:
        protect(deployment, told)
    try:
        cloudformation.execute_change_set(ChangeSetName=change_set.arn, StackName=deployment.stack)
        waiter = "stack_create_complete" if change_set.is_new else "stack_update_complete"
        cloudformation.get_waiter(waiter).wait(StackName=deployment.stack)
    finally:
        if not change_set.is_new:
            protect(deployment)
    if change_set.is_new:
        protect(deployment)
