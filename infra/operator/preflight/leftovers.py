"""What a first try that failed left in the account, and taking it away: where none of it holds anything, or not at all.

The template keeps its tables, buckets, key and log when a stack goes, also one that never stood: each try leaves a new
set. A secret can be had back for a week, and of a table with restore to any second AWS keeps a backup.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Final, NamedTuple

from infra.operator.preflight.account import FAILED_FIRST_TRY, Account
from infra.operator.preflight.lines import LOOK, OK, STOP, Line
from infra.operator.recovery.adopting import tagged
from infra.operator.recovery.guarding import holding_data

TABLE: Final = "AWS::DynamoDB::Table"
SECRET: Final = "AWS::SecretsManager::Secret"  # noqa: S105  a type of resources
DAYS_TO_REGRET: Final = 7


class LeftoversError(Exception):
    """What is left is not taken away; the message says why."""


class Leftover(NamedTuple):
    """What is left under a logical id. name: as its service knows it. holds: that it holds something, and what."""

    resource: str
    kind: str
    name: str
    holds: str = ""


def left(account: Account) -> list[Leftover]:
    """What is left of a stack that is not there, or whose first try failed; nothing of one that stands."""
    if account.stands:
        return []
    known = {name: resource["Type"] for name, resource in holding_data().items()}
    if account.state == FAILED_FIRST_TRY:
        found, is_complete = _skipped(account, known), True
    else:
        # A key is worth what stands under it: where tags do not find as many of each table, nobody knows what does.
        found = tagged(account.deployment)
        keys = max((len(found.get(name, ())) for name, kind in known.items() if kind == SECRET), default=0)
        is_complete = all(len(found.get(name, ())) >= keys for name, kind in known.items() if kind == TABLE)
    return [
        Leftover(resource, known[resource], name, _held(account, known[resource], name, is_complete))
        for resource in sorted(found)
        for name in sorted(found[resource])
    ]


def _skipped(account: Account, known: Collection[str]) -> dict[str, set[str]]:
    """What CloudFormation itself left of a first try, by logical id."""
    pages = account.client("cloudformation").get_paginator("list_stack_resources")
    return {
        one["LogicalResourceId"]: {one["PhysicalResourceId"]}
        for page in pages.paginate(StackName=account.settings.stack)
        for one in page["StackResourceSummaries"]
        if one["ResourceStatus"] in ("DELETE_SKIPPED", "DELETE_FAILED") and one["LogicalResourceId"] in known
    }


def _held(account: Account, kind: str, name: str, is_complete: bool) -> str:
    """What one of the left resources holds; nothing, or a word for it. is_complete: all that is left is known."""
    match kind:
        case "AWS::DynamoDB::Table":
            items = account.client("dynamodb").scan(TableName=name, Limit=1, ConsistentRead=True)["Items"]
            return "items" if items else ""
        case "AWS::S3::Bucket":
            answer = account.client("s3").list_object_versions(Bucket=name, MaxKeys=1)
            return "objects" if answer.get("Versions") or answer.get("DeleteMarkers") else ""
        case "AWS::Logs::LogGroup":
            streams = account.client("logs").describe_log_streams(logGroupName=name, limit=1)["logStreams"]
            return "log streams" if streams else ""
    return "" if is_complete else "the key of tables that are not found"


def check(account: Account) -> Iterator[Line]:
    """What is left, and whether it can be taken away."""
    found = left(account)
    if not found:
        yield Line(OK, "leftovers", "nothing of an earlier try")
        return
    named = ", ".join(f"{one.resource} ({one.name}{f', holds {one.holds}' if one.holds else ''})" for one in found)
    environment = account.settings.environment
    if any(one.holds for one in found):
        way_out = f"make adopt STACK={account.settings.stack}: a new stack would begin with empty ones beside them"
        yield Line(STOP, "leftovers", f"{named}: data of a stack that was deleted", way_out)
    else:
        way_out = f"make remove-leftovers ENV={environment}, and again with WORD={account.settings.stack}"
        yield Line(LOOK, "leftovers", f"{named}: all empty, and paid for", way_out)


def remove(account: Account, found: list[Leftover]) -> Iterator[str]:
    """Take away what is left, and the stack whose first try failed; says what is gone. Raises LeftoversError."""
    if account.stands:
        raise LeftoversError(f"{account.settings.stack} stands: what is its is not left over")
    if held := [f"{one.resource} holds {one.holds}" for one in found if one.holds]:
        raise LeftoversError("\n".join([*held, "nothing was taken away: see make adopt"]))
    for one in found:
        _remove(account, one)
        yield f"{one.resource}: {one.name} is gone"
    if account.state == FAILED_FIRST_TRY:
        cloudformation, stack = account.client("cloudformation"), account.settings.stack
        cloudformation.delete_stack(StackName=stack)
        cloudformation.get_waiter("stack_delete_complete").wait(StackName=stack)
        yield f"{stack} is gone"


def _remove(account: Account, one: Leftover) -> None:
    match one.kind:
        case "AWS::DynamoDB::Table":
            _remove_table(account.client("dynamodb"), one.name)
        case "AWS::S3::Bucket":
            account.client("s3").delete_bucket(Bucket=one.name)
        case "AWS::SecretsManager::Secret":
            account.client("secretsmanager").delete_secret(SecretId=one.name, RecoveryWindowInDays=DAYS_TO_REGRET)
        case "AWS::Logs::LogGroup":
            account.client("logs").delete_log_group(logGroupName=one.name)
        case kind:
            raise LeftoversError(f"{one.resource}: how a {kind} is taken away is not known")


def _remove_table(dynamodb: Any, name: str) -> None:
    if dynamodb.describe_table(TableName=name)["Table"].get("DeletionProtectionEnabled"):
        dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)
        dynamodb.get_waiter("table_exists").wait(TableName=name)
    dynamodb.delete_table(TableName=name)
