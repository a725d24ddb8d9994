"""A stack that was deleted is made anew around what it left behind, and around nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from click.testing import CliRunner

from infra.operator import __main__ as commands
from infra.operator.deployment import Deployment
from infra.operator.recovery import adopting, guarding
from infra.template import references
from shared.clock import now

MODEL = botocore.session.get_session().get_service_model("cloudformation")
MAX_BODY = 51_200
"""Bytes of a template that is given with a request.
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html"""
ARNS = {
    "AWS::DynamoDB::Table": ("arn:aws:dynamodb:eu-central-1:1:table/stand-{0}-X", "TableName", "stand-{0}-X"),
    "AWS::S3::Bucket": ("arn:aws:s3:::stand-{0}-x", "BucketName", "stand-{0}-x"),
    "AWS::SecretsManager::Secret": (
        "arn:aws:secretsmanager:eu-central-1:1:secret:{0}-X",
        "Id",
        "arn:aws:secretsmanager:eu-central-1:1:secret:{0}-X",
    ),
    "AWS::Logs::LogGroup": ("arn:aws:logs:eu-central-1:1:log-group:stand-{0}-X", "LogGroupName", "stand-{0}-X"),
}


class Account:
    """What a deleted stack left in an account, by its tags; and what was asked of CloudFormation."""

    def __init__(self) -> None:
        self.arns = [(name, ARNS[one["Type"]][0].format(name)) for name, one in guarding.holding_data().items()]
        self.request: Mapping[str, Any] = {}
        self.asked: list[str] = []

    def get_paginator(self, name: str) -> Account:
        assert name in ("get_resources", "list_stack_resources")
        return self

    def paginate(self, **words: Any) -> Iterator[Any]:
        if "StackName" in words:
            resources = [{"LogicalResourceId": "OperatorActions", "PhysicalResourceId": "actions"}]
            yield {"StackResourceSummaries": resources}
            return
        assert words["TagFilters"] == [{"Key": "aws:cloudformation:stack-name", "Values": ["stand"]}]
        for name, arn in self.arns:
            tags = [{"Key": "aws:cloudformation:logical-id", "Value": name}]
            yield {"ResourceTagMappingList": [{"ResourceARN": arn, "Tags": tags}]}

    def create_change_set(self, **request: Any) -> None:
        report = ParamValidator().validate(request, MODEL.operation_model("CreateChangeSet").input_shape)
        assert not report.has_errors(), report.generate_report()
        self.request = request

    def get_caller_identity(self) -> Mapping[str, str]:
        return {"Arn": "operator"}

    def get_waiter(self, name: str) -> Account:
        self.asked.append(name)
        return self

    def __getattr__(self, name: str) -> Any:
        return lambda **_: self.asked.append(name)


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Account:
    account = Account()
    monkeypatch.setattr(commands, "Deployment", lambda *_, **__: Deployment("stand", lambda _: account, clock=now))
    return account


def adopt(*words: str, code: int = 0) -> str:
    result = CliRunner().invoke(commands.app, ["--stack", "stand", "adopt", *words])
    assert result.exit_code == code, result.output
    return result.output


def test_all_that_holds_data_is_imported_under_its_logical_id(account: Account) -> None:
    adopt()
    assert not account.request
    adopt("--apply")
    held = guarding.holding_data()
    imported = {one["LogicalResourceId"]: one["ResourceIdentifier"] for one in account.request["ResourcesToImport"]}
    assert imported == {name: {ARNS[one["Type"]][1]: ARNS[one["Type"]][2].format(name)} for name, one in held.items()}
    assert account.request["ChangeSetType"] == "IMPORT"
    assert [word for word in account.asked if word.endswith(("complete", "change_set"))] == [
        "change_set_create_complete",
        "execute_change_set",
        "stack_import_complete",
    ]


def test_its_template_stands_by_itself(account: Account) -> None:
    adopt("--apply")
    body = account.request["TemplateBody"]
    assert len(body.encode()) <= MAX_BODY
    made = json.loads(body)
    assert {one["DeletionPolicy"] for one in made["Resources"].values()} == {"Retain"}
    assert not [one for one in references(made) if not one.name.startswith("AWS::")]
    held = guarding.holding_data()
    for name, one in made["Resources"].items():
        if one["Type"] == "AWS::DynamoDB::Table":
            assert one["Properties"]["KeySchema"] == held[name]["Properties"]["KeySchema"]
    assert "BucketName" in made["Resources"]["Uploads"]["Properties"]


def test_what_is_not_found_or_twice_is_refused_unless_it_is_named(account: Account) -> None:
    account.arns = [one for one in account.arns if one[0] != "OperatorActions"]
    account.arns.append(("Violations", "arn:aws:dynamodb:eu-central-1:1:table/stand-Violations-Y"))
    assert "Violations: left behind more than once" in adopt("--apply", code=1)
    assert "OperatorActions: not found" in adopt("--names", "Violations=stand-Violations-X", "--apply", code=1)
    assert not account.request
    adopt("--names", "Violations=stand-Violations-X OperatorActions=-", "--apply")
    imported = {one["LogicalResourceId"] for one in account.request["ResourcesToImport"]}
    assert imported == guarding.holding_data().keys() - {"OperatorActions"}
    assert adopting.LEFT_OUT not in json.dumps(account.request["ResourcesToImport"]).replace("stand-", "").split('"')
