"""What a first deployment that failed leaves is taken away where all of it is empty, and nothing else ever."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from click.testing import CliRunner

from infra.local.config import REGION
from infra.operator import __main__ as operator
from infra.operator.deployment import Deployment
from infra.operator.preflight import leftovers
from infra.operator.preflight.account import Account
from infra.operator.preflight.lines import LOOK, OK, STOP
from infra.operator.preflight.settings import of_stack
from infra.operator.recovery import guarding
from shared.clock import now
from tests.support.aws import Engine
from tests.support.stubbed import Answers

STACK = "gharama-dev"
BY_STUBS = ("cloudformation", "resourcegroupstaggingapi")
TAG = {"Key": "aws:cloudformation:stack-name", "Values": [STACK]}


class Left:
    """A table, a bucket, a key and a log group of the emulator, and what CloudFormation and the tags say of them."""

    def __init__(self, engine: Engine) -> None:
        self.aws = Answers()
        self._engine = engine
        name = f"{STACK}-{secrets.token_hex(4)}"
        self.table, self.bucket, self.log = f"{name}-table", f"{name}-bucket", f"{name}-log"
        self.client("dynamodb").create_table(
            TableName=self.table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            DeletionProtectionEnabled=True,
        )
        self.client("s3").create_bucket(Bucket=self.bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        self.client("s3").put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration={"Status": "Enabled"})
        self.client("logs").create_log_group(logGroupName=self.log)
        self.secret = self.client("secretsmanager").create_secret(Name=name, SecretString="x")["ARN"]
        self.names = {
            "Citizens": self.table,
            "Receipts": self.bucket,
            "OperatorActions": self.log,
            "PlateKeySecret": self.secret,
        }
        self.arns = {
            "Citizens": f"arn:aws:dynamodb:x:1:table/{self.table}",
            "Receipts": f"arn:aws:s3:::{self.bucket}",
            "OperatorActions": f"arn:aws:logs:x:1:log-group:{self.log}",
            "PlateKeySecret": self.secret,
        }

    def client(self, service: str) -> Any:
        if service in BY_STUBS:
            return self.aws(service)
        return self._engine.session.client(service, endpoint_url=self._engine.endpoint)

    def account(self) -> Account:
        return Account(Deployment(STACK, self.client, clock=now), of_stack(STACK))

    def says(self, state: str | None, *, by_tags: Mapping[str, str] | None = None) -> None:
        """Let the stack be asked for once, with what it left: by its own list, or by tags."""
        if state is None:
            self.aws.refuse("cloudformation", "describe_stacks", "ValidationError", StackName=STACK)
        else:
            described = {"StackName": STACK, "StackStatus": state, "CreationTime": now()}
            self.aws.add("cloudformation", "describe_stacks", {"Stacks": [described]}, StackName=STACK)
        if state is None:
            self._tagged(by_tags or {})
        elif state == "ROLLBACK_COMPLETE":
            self._listed()

    def _tagged(self, by_tags: Mapping[str, str]) -> None:
        tagged = [
            {"ResourceARN": arn, "Tags": [{"Key": "aws:cloudformation:logical-id", "Value": name}]}
            for name, arn in by_tags.items()
        ]
        self.aws.add("resourcegroupstaggingapi", "get_resources", {"ResourceTagMappingList": tagged}, TagFilters=[TAG])

    def _listed(self) -> None:
        gone = {"QueryApi": "api", "SmsQueue": "queue"}
        summaries = [
            {
                "LogicalResourceId": name,
                "PhysicalResourceId": physical,
                "ResourceType": "AWS::X::Y",
                "LastUpdatedTimestamp": now(),
                "ResourceStatus": "DELETE_COMPLETE" if name in gone else "DELETE_SKIPPED",
            }
            for name, physical in {**self.names, **gone}.items()
        ]
        self.aws.add("cloudformation", "list_stack_resources", {"StackResourceSummaries": summaries}, StackName=STACK)

    def there(self) -> set[str]:
        """Which of them are still there."""
        secret = self.client("secretsmanager").describe_secret(SecretId=self.secret)
        groups = self.client("logs").describe_log_groups(logGroupNamePrefix=self.log)["logGroups"]
        found = {
            "Citizens": self.table in self.client("dynamodb").list_tables()["TableNames"],
            "Receipts": self.bucket in [one["Name"] for one in self.client("s3").list_buckets()["Buckets"]],
            "OperatorActions": bool(groups),
            "PlateKeySecret": "DeletedDate" not in secret,
        }
        return {name for name, is_there in found.items() if is_there}


@pytest.fixture
def left(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Left]:
    made = Left(engine)
    monkeypatch.setattr(operator, "Deployment", lambda stack, clock: Deployment(stack, made.client, clock=clock))
    yield made
    made.aws.all_asked()


def run(*words: str, code: int = 0) -> str:
    result = CliRunner().invoke(operator.app, ["--stack", STACK, "remove-leftovers", *words])
    assert result.exit_code == code, result.output
    return result.output


ALL = {"Citizens", "Receipts", "OperatorActions", "PlateKeySecret"}


def test_what_a_failed_try_left_is_said_and_taken_away_on_the_word(left: Left) -> None:
    left.says("ROLLBACK_COMPLETE")
    (line,) = leftovers.check(left.account())
    assert (line.state, f"WORD={STACK}" in line.way_out) == (LOOK, True)
    assert all(name in line.why for name in ALL)

    for word in ((), ("--word", "yes")):
        left.says("ROLLBACK_COMPLETE")
        assert "nothing was done" in run(*word)
    assert left.there() == ALL

    left.says("ROLLBACK_COMPLETE")
    left.aws.add("cloudformation", "delete_stack", {}, StackName=STACK)
    left.aws.refuse("cloudformation", "describe_stacks", "ValidationError", StackName=STACK)  # the waiter's
    said = run("--word", STACK)
    assert left.there() == set()
    assert f"{STACK} is gone" in said


def _item(left: Left) -> None:
    left.client("dynamodb").put_item(TableName=left.table, Item={"pk": {"S": "x"}})


def _object(left: Left) -> None:
    left.client("s3").put_object(Bucket=left.bucket, Key="x", Body=b"x")


def _deleted_object(left: Left) -> None:
    _object(left)
    left.client("s3").delete_object(Bucket=left.bucket, Key="x")


def _line(left: Left) -> None:
    left.client("logs").create_log_stream(logGroupName=left.log, logStreamName="x")


@pytest.mark.parametrize("put", [_item, _object, _deleted_object, _line])
@pytest.mark.parametrize("state", ["ROLLBACK_COMPLETE", None])
def test_where_one_holds_anything_nothing_is_taken_away(
    left: Left, put: Callable[[Left], None], state: str | None
) -> None:
    put(left)
    left.says(state, by_tags=left.arns)
    (line,) = leftovers.check(left.account())
    assert (line.state, "make adopt" in line.way_out) == (STOP, True)
    left.says(state, by_tags=left.arns)
    assert "nothing was taken away" in run("--word", STACK, code=1)
    assert left.there() == ALL


def test_a_key_whose_tables_are_not_all_found_stays(left: Left) -> None:
    left.says(None, by_tags=left.arns)
    assert "the key of tables that are not found" in run("--word", STACK, code=1)
    assert left.there() == ALL
    without_key = {name: arn for name, arn in left.arns.items() if name != "PlateKeySecret"}
    left.says(None, by_tags=without_key)
    run("--word", STACK)
    assert left.there() == {"PlateKeySecret"}


def test_a_key_whose_tables_are_all_found_goes_with_them(left: Left, monkeypatch: pytest.MonkeyPatch) -> None:
    known = {name: one for name, one in guarding.holding_data().items() if name in ALL}
    monkeypatch.setattr("infra.operator.preflight.leftovers.holding_data", lambda: known)
    left.says(None, by_tags=left.arns)
    run("--word", STACK)
    assert left.there() == set()


@pytest.mark.parametrize("state", ["CREATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "DELETE_FAILED"])
def test_of_a_stack_that_stands_nothing_is_left_over(left: Left, state: str) -> None:
    left.says(state)
    (line,) = leftovers.check(left.account())
    assert line.state == OK
    left.says(state)
    assert f"{STACK} stands" in run("--word", STACK, code=1)
    assert left.there() == ALL
