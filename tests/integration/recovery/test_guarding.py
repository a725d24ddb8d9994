"""A deployment replaces and removes nothing that holds data, unless it is told to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from click.testing import CliRunner

from infra.operator import __main__ as commands
from infra.operator.deployment import Deployment
from infra.operator.recovery import guarding
from shared.clock import now

Change = dict[str, Any]
MODEL = botocore.session.get_session().get_service_model("cloudformation")


def change(name: str, kind: str, action: str, **more: str) -> Change:
    """A change as describe_change_set gives it."""
    about = {"LogicalResourceId": name, "ResourceType": kind, "Action": action, **more}
    report = ParamValidator().validate({"ResourceChange": about}, MODEL.shape_for("Change"))
    assert not report.has_errors(), report.generate_report()
    return {"Type": "Resource", "ResourceChange": about}


TABLE = "AWS::DynamoDB::Table"
REPLACED = change("Violations", TABLE, "Modify", Replacement="True", PolicyAction="ReplaceAndRetain")


class Stack:
    """A stack's CloudFormation: what change sets wait, and what was asked of it."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.state = "UPDATE_COMPLETE"
        self.asked: list[tuple[str, Any]] = []

    def get_paginator(self, name: str) -> Any:
        return Pages(
            {
                "list_change_sets": {
                    "Summaries": [
                        self._summary("old", 1, "AVAILABLE"),
                        self._summary("new", 2, "AVAILABLE"),
                        self._summary("empty", 3, "UNAVAILABLE"),
                    ]
                },
                "describe_change_set": {"Changes": self.changes},
            }[name]
        )

    def _summary(self, name: str, day: int, execution: str) -> dict[str, Any]:
        created = datetime(2026, 1, day, tzinfo=UTC)
        status = "CREATE_COMPLETE" if execution == "AVAILABLE" else "FAILED"
        return {"ChangeSetId": name, "Status": status, "ExecutionStatus": execution, "CreationTime": created}

    def describe_stacks(self, **_: str) -> Mapping[str, Any]:
        parameters = [{"ParameterKey": "DeletionProtection", "ParameterValue": "on"}]
        return {"Stacks": [{"StackStatus": self.state, "Parameters": parameters}]}

    def get_waiter(self, name: str) -> Any:
        return Waiter(self.asked, name)

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda **words: self.asked.append((name, words))

    def names(self) -> list[str]:
        return [name for name, _ in self.asked]

    def policies(self) -> list[set[str]]:
        """What each policy that was set protects."""
        bodies = [json.loads(words["StackPolicyBody"]) for name, words in self.asked if name == "set_stack_policy"]
        denials = [next(one for one in body["Statement"] if one["Effect"] == "Deny") for body in bodies]
        return [{one.removeprefix("LogicalResourceId/") for one in denial["Resource"]} for denial in denials]


class Pages:
    def __init__(self, page: Mapping[str, Any]) -> None:
        self.page = page

    def paginate(self, **_: str) -> Iterator[Mapping[str, Any]]:
        yield self.page


class Waiter:
    def __init__(self, asked: list[tuple[str, Any]], name: str) -> None:
        self.asked, self.name = asked, name

    def wait(self, **_: str) -> None:
        self.asked.append((self.name, {}))


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Stack:
    stack = Stack()
    made = Deployment("stand", lambda _: stack, clock=now)
    monkeypatch.setattr(commands, "Deployment", lambda *_, **__: made)
    return stack


def run(*words: str, code: int = 0, answer: str = "y\n") -> str:
    result = CliRunner().invoke(commands.app, ["--stack", "stand", "execute-changes", *words], input=answer)
    assert result.exit_code == code, result.output
    return result.output


def test_all_that_holds_data_is_known() -> None:
    assert guarding.holding_data().keys() >= {
        *("Violations", "Citizens", "Messages", "Payments", "Settlements", "Files", "Registry"),
        *("Uploads", "Receipts", "PlateKeySecret", "OperatorActions"),
    }


@pytest.mark.parametrize(
    ("one", "how"),
    [
        (REPLACED, "replaced"),
        (change("Violations", TABLE, "Remove", PolicyAction="Delete"), "removed"),
        (change("Former", TABLE, "Remove"), "removed"),
        (change("PlateKeySecret", "AWS::SecretsManager::Secret", "Modify", Replacement="True"), "replaced"),
        (change("Former", "AWS::SecretsManager::Secret", "Remove", PolicyAction="Retain"), "removed"),
        (change("OperatorActions", "AWS::Logs::LogGroup", "Remove", PolicyAction="Retain"), "removed"),
        (change("PayApiLogs", "AWS::Logs::LogGroup", "Remove", PolicyAction="Retain"), "removed"),
    ],
)
def test_a_change_set_that_replaces_or_removes_data_is_refused_and_deleted(stack: Stack, one: Change, how: str) -> None:
    stack.changes = [change("Api", "AWS::ApiGatewayV2::Api", "Modify", Replacement="False"), one]
    assert f"holds data and would be {how}" in run(code=1)
    assert stack.names() == ["delete_change_set"]
    assert stack.asked[0][1]["ChangeSetName"] == "new"


@pytest.mark.parametrize(
    "one",
    [
        change("Violations", TABLE, "Modify", Replacement="False"),
        change("Violations", TABLE, "Modify", Replacement="Conditional"),
        change("Violations", TABLE, "Import"),
        change("EdgeSecret", "AWS::SecretsManager::Secret", "Remove", PolicyAction="Delete"),
        change("NotifyRemindLogs", "AWS::Logs::LogGroup", "Remove", PolicyAction="Delete"),
        change("QueryApiRole", "AWS::IAM::Role", "Modify", Replacement="True"),
    ],
)
def test_other_changes_are_made_under_the_stack_policy(stack: Stack, one: Change) -> None:
    stack.changes = [one]
    run()
    assert stack.names() == [
        "set_stack_policy",
        "update_termination_protection",
        "execute_change_set",
        "stack_update_complete",
        "set_stack_policy",
        "update_termination_protection",
    ]
    assert stack.policies() == [{*guarding.holding_data()}] * 2


def test_what_is_told_is_let_go_for_that_time_alone(stack: Stack) -> None:
    stack.changes = [REPLACED]
    run("--replacing", "Violations")
    assert stack.policies() == [{*guarding.holding_data()} - {"Violations"}, {*guarding.holding_data()}]
    assert "execute_change_set" in stack.names()


def test_what_is_told_and_not_touched_is_refused(stack: Stack) -> None:
    stack.changes = [REPLACED]
    assert "Citizens would be neither" in run("--replacing", "Violations,Citizens", code=1)
    assert stack.names() == ["delete_change_set"]


def test_whoever_says_no_changes_nothing(stack: Stack) -> None:
    run(code=1, answer="n\n")
    assert stack.names() == ["delete_change_set"]


def test_a_new_stack_is_protected_once_it_stands(stack: Stack) -> None:
    stack.state = "REVIEW_IN_PROGRESS"
    stack.changes = [change("Violations", TABLE, "Add")]
    run()
    assert stack.names() == [
        "execute_change_set",
        "stack_create_complete",
        "set_stack_policy",
        "update_termination_protection",
    ]
    assert stack.asked[-1][1]["EnableTerminationProtection"] is True
