"""Checks of what is in the account already: the stack's own state, names that are taken, and a policy that is full."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from botocore.exceptions import ClientError

from infra.operator.preflight.account import FAILED_FIRST_TRY, NOT_MADE, Account
from infra.operator.preflight.lines import LOOK, OK, STOP, Line
from infra.operator.preflight.settings import template

NAMED_BY: Final = {
    "AWS::S3::Bucket": "BucketName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::Serverless::Function": "FunctionName",
    "AWS::Backup::BackupVault": "BackupVaultName",
}
"""Kinds of resources and the property by which one has a name that only one may have."""
MAX_POLICY: Final = 5_120
MAX_POLICIES: Final = 10
"""Characters of a resource policy of CloudWatch Logs, and such policies of an account and Region.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html"""
DELIVERY_POLICY: Final = "AWSLogDeliveryWrite20150319"
VENDED: Final = "/aws/vendedlogs/"
_STATEMENT: Final = 300
"""Characters that another statement takes, generously."""


def stack(account: Account) -> Iterator[Line]:
    """Whether CloudFormation would begin at all."""
    name, state = account.settings.stack, account.state
    if state in NOT_MADE:
        yield Line(OK, "stack", f"{name} is not there yet")
    elif state == FAILED_FIRST_TRY:
        way_out = f"read why in its events, mend it, then make remove-leftovers ENV={account.settings.environment}"
        yield Line(
            STOP,
            "stack",
            f"{name} is in {state}: its first try failed, and CloudFormation lets it only be deleted",
            way_out,
        )
    elif state in ("UPDATE_ROLLBACK_FAILED",):
        way_out = f"aws cloudformation continue-update-rollback --stack-name {name}"
        yield Line(STOP, "stack", f"{name} is in {state}", way_out)
    elif state and state.endswith("_IN_PROGRESS"):
        yield Line(STOP, "stack", f"{name} is in {state}", "wait until it is done")
    elif state and state.endswith("_FAILED"):
        yield Line(STOP, "stack", f"{name} is in {state}", "read its events; what could not be deleted is named there")
    else:
        yield Line(OK, "stack", f"{name} is in {state}")


def fixed_names(account: Account) -> dict[str, tuple[str, str]]:
    """The resources that are given a name by the template, by logical id: their type and that name."""
    holds = account.settings.holds()
    return {
        name: (resource["Type"], _resolved(account, resource["Properties"][key]))
        for name, resource in template()["Resources"].items()
        if (key := NAMED_BY.get(resource["Type"], "")) in resource.get("Properties", {})
        and holds.get(resource.get("Condition", ""), True)
    }


def _resolved(account: Account, value: Any) -> str:
    match value:
        case {"Ref": name}:
            value = f"${{{name}}}"
        case {"Fn::Sub": text}:
            value = text
    pseudo = {
        "AWS::StackName": account.settings.stack,
        "AWS::Region": account.settings.region,
        "AWS::AccountId": account.number,
    }
    return re.sub(r"\$\{([\w:]+)\}", lambda found: pseudo[found[1]], value)


def names(account: Account) -> Iterator[Line]:
    """Names that the stack gives and somebody else has: its first deployment would fail at the first of them."""
    own = set(account.own.values())
    for logical_id, (kind, name) in fixed_names(account).items():
        if name in own or not _is_taken(account, kind, name):
            yield Line(OK, f"name {logical_id}", f"{name} is {'its own' if name in own else 'free'}")
        else:
            yield Line(
                STOP, f"name {logical_id}", f"{name} is there, and not of this stack", _freed(logical_id, kind, name)
            )


def _freed(logical_id: str, kind: str, name: str) -> str:
    if kind == "AWS::Logs::LogGroup" and logical_id.startswith("Sms"):
        delete = f"aws logs delete-log-group --log-group-name {name}"
        return f"another stack owns SNS's delivery logs: SmsDeliveryLogs=off; or nobody does: {delete}"
    if kind == "AWS::S3::Bucket":
        return "of a stack that was deleted: make adopt; else empty and delete it, or name the stack otherwise"
    return "delete it, where nobody needs it"


def _is_taken(account: Account, kind: str, name: str) -> bool:
    try:
        match kind:
            case "AWS::S3::Bucket":
                account.client("s3").head_bucket(Bucket=name)
            case "AWS::Serverless::Function":
                account.client("lambda").get_function(FunctionName=name)
            case "AWS::Backup::BackupVault":
                pages = account.client("backup").get_paginator("list_backup_vaults").paginate()
                return any(one["BackupVaultName"] == name for page in pages for one in page["BackupVaultList"])
            case _:
                groups = account.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
                return any(one["logGroupName"] == name for one in groups)
    except ClientError as error:
        if error.response["Error"]["Code"] in ("404", "NoSuchBucket", "ResourceNotFoundException"):
            return False
        if error.response["Error"]["Code"] == "403" and kind == "AWS::S3::Bucket":
            return True  # of another account
        raise
    return True


def log_policy(account: Account) -> Iterator[Line]:
    """The account's one policy by which API Gateway may write access logs: where it is full, the API is not made."""
    pages = account.client("logs").get_paginator("describe_resource_policies").paginate()
    policies = {one["policyName"]: one["policyDocument"] for page in pages for one in page["resourcePolicies"]}
    document = policies.get(DELIVERY_POLICY, "")
    size = f"{len(document):,} of {MAX_POLICY:,} characters"
    why = f"{DELIVERY_POLICY} has {size}; there are {len(policies)} of {MAX_POLICIES} policies"
    if f"{VENDED}*" in document:
        yield Line(OK, "log policy", f"{why}, and lets {VENDED}* be written")
    elif (not document and len(policies) >= MAX_POLICIES) or len(document) + _STATEMENT > MAX_POLICY:
        way_out = "take the groups out of it that are gone: aws logs describe-resource-policies, put-resource-policy"
        yield Line(STOP, "log policy", f"{why}: no room for the API's access log", way_out)
    elif len(document) > MAX_POLICY // 2:
        yield Line(LOOK, "log policy", why, "groups outside /aws/vendedlogs/ fill it; those that are gone stay in it")
    else:
        yield Line(OK, "log policy", why)
