"""Tables go back to one instant together: restored beside the live ones, then copied into them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner

from infra.operator import __main__ as commands
from infra.operator.deployment import Deployment
from infra.operator.recovery import restoring
from infra.template import read
from shared.stores.items import pages
from tests.support.aws import Engine, Tables
from tests.support.build import follow, store, violation
from tests.support.functions import Functions

Run = Callable[..., str]
TOGETHER = ("Violations", "Payments", "Settlements", "Messages", "Files")


class Stand(Deployment):
    """A stack of the functions' tables.

    The emulator restores what a table holds now, whatever the instant, and says that it can go to no other. So the
    instants are said here as DynamoDB says them: of the last 35 days but for five minutes.
    """

    def __init__(self, engine: Engine, tables: Tables, at: datetime) -> None:
        super().__init__("stand", self._client, clock=lambda: at)
        self.physical = {name: tables[name] for companions in restoring.COMPANIONS for name in companions}  # type: ignore[assignment]
        self.physical["OperatorActions"] = "actions"  # type: ignore[index]
        self.call = engine.fast()  # type: ignore[assignment]
        self.dynamodb = engine.session.client("dynamodb", endpoint_url=engine.endpoint)
        self.asked: list[Mapping[str, Any]] = []
        self.dynamodb.meta.events.register("provide-client-params.dynamodb", self._note)
        self.dynamodb.meta.events.register("after-call.dynamodb.DescribeContinuousBackups", self._say_window)

    def _note(self, params: Mapping[str, Any], model: Any, **_: Any) -> None:
        if model.name == "RestoreTableToPointInTime":
            self.asked.append(params)

    def _say_window(self, parsed: Mapping[str, Any], **_: Any) -> None:
        recovery = parsed["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
        now = self.clock()
        recovery["EarliestRestorableDateTime"] = now - timedelta(days=35)
        recovery["LatestRestorableDateTime"] = now - timedelta(minutes=5)

    def _client(self, service: str) -> Any:
        return self.dynamodb if service == "dynamodb" else self

    def get_caller_identity(self) -> Mapping[str, str]:
        return {"Arn": "operator"}

    def create_log_stream(self, **_: str) -> None: ...

    def put_log_events(self, **_: Any) -> None: ...

    def items(self, table: str) -> list[Any]:
        found = pages(self.call, "Scan", {"TableName": table, "ConsistentRead": True})
        return sorted((item for page in found for item in page["Items"]), key=str)


@pytest.fixture
def stand(engine: Engine, functions: Functions) -> Iterator[Stand]:
    stand = Stand(engine, functions.tables, functions.clock.at)
    for name in restoring.COMPANIONS[0] | restoring.COMPANIONS[1]:
        live, resource = stand.physical[name], read()["Resources"][name]["Properties"]
        stand.dynamodb.update_continuous_backups(
            TableName=live, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )
        if "TimeToLiveSpecification" in resource:
            stand.dynamodb.update_time_to_live(
                TableName=live, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires"}
            )
    arn = stand.dynamodb.describe_table(TableName=stand.physical["Violations"])["Table"]["TableArn"]
    stand.dynamodb.tag_resource(ResourceArn=arn, Tags=[{"Key": "owner", "Value": "traffic"}])
    stand.dynamodb.update_table(TableName=stand.physical["Payments"], DeletionProtectionEnabled=True)
    yield stand
    for name in stand.dynamodb.list_tables()["TableNames"]:
        if "-at-" in name or name == stand.physical["Payments"]:
            stand.dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)
        if "-at-" in name:
            stand.dynamodb.delete_table(TableName=name)
    stand.dynamodb.close()


@pytest.fixture
def at(stand: Stand) -> datetime:
    """An instant to which all tables can be restored."""
    return stand.clock() - timedelta(hours=1)


@pytest.fixture
def run(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(commands, "Deployment", lambda *_, **__: stand)

    def command(*words: str, code: int = 0) -> str:
        result = CliRunner().invoke(commands.app, ["--stack", "stand", *words])
        assert result.exit_code == code, result.output
        return result.output

    return command


def test_one_table_to_another_second_than_its_companions_is_refused(run: Run, stand: Stand, at: datetime) -> None:
    said = run("restore-tables", "--tables", "Payments", "--at", at.isoformat(), "--apply", code=1)
    assert "Payments to another second than Files, Messages, Settlements, Violations" in said
    run("restore-tables", "--tables", " ".join(TOGETHER[1:]), "--at", at.isoformat(), "--apply", code=1)
    assert not stand.asked


def test_a_table_follows_its_companions_to_their_second_and_to_no_other(run: Run, stand: Stand, at: datetime) -> None:
    run("restore-tables", "--tables", " ".join(TOGETHER), "--at", at.isoformat(), "--apply")
    other = (at - timedelta(seconds=1)).isoformat()
    assert "another second" in run("restore-tables", "--tables", "Payments", "--at", other, "--apply", code=1)
    run("restore-tables", "--tables", "Payments", "--at", at.isoformat(), "--apply")
    assert len(stand.asked) == len(TOGETHER)
    said = run("copy-back", "--tables", "Payments", "--at", other, "--reason", "spoilt", "--apply", code=1)
    assert "not restored to that second" in said


def test_an_instant_to_which_they_cannot_go_is_refused(run: Run, stand: Stand, at: datetime) -> None:
    tables = " ".join(TOGETHER)
    later = (at + timedelta(days=1)).isoformat()
    assert "can be restored to instants from" in run("restore-tables", "--tables", tables, "--at", later, code=1)
    part = at.replace(microsecond=5).isoformat()
    assert "whole second" in run("restore-tables", "--tables", tables, "--at", part, code=1)
    assert "no such table: Fines" in run("restore-tables", "--tables", "Fines", "--at", at.isoformat(), code=1)
    assert not stand.asked


def test_a_restored_table_stands_as_its_live_one(run: Run, stand: Stand, at: datetime) -> None:
    run("restore-tables", "--tables", ",".join(TOGETHER), "--at", at.isoformat(), "--apply")
    assert {one["RestoreDateTime"] for one in stand.asked} == {at}
    for table in TOGETHER:
        live, restored = stand.physical[table], restoring.name_of(stand.physical[table], at)
        both = [stand.dynamodb.describe_table(TableName=name)["Table"] for name in (live, restored)]
        assert both[0].get("StreamSpecification") == both[1].get("StreamSpecification")
        assert both[0].get("DeletionProtectionEnabled") == both[1].get("DeletionProtectionEnabled")
        forgets = [
            stand.dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"].get("AttributeName")
            for name in (live, restored)
        ]
        assert forgets[0] == forgets[1]
        backups = stand.dynamodb.describe_continuous_backups(TableName=restored)["ContinuousBackupsDescription"]
        assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    arn = stand.dynamodb.describe_table(TableName=restoring.name_of(stand.physical["Violations"], at))
    tags = stand.dynamodb.list_tags_of_resource(ResourceArn=arn["Table"]["TableArn"])["Tags"]
    assert {"Key": "owner", "Value": "traffic"} in tags


def test_live_tables_are_again_what_they_were(run: Run, stand: Stand, functions: Functions, at: datetime) -> None:
    follow(functions.citizens)
    fines = [violation() for _ in range(40)]
    functions.announce(functions.opened(*fines))
    store(functions.violations, *fines)
    body = {"violations": [fines[0].violation_no], "gateway": "sandbox", "return_url": "https://tf.ur.gov.iq/paid"}
    functions.pay(body)
    before = {table: stand.items(stand.physical[table]) for table in TOGETHER}
    tables = " ".join(TOGETHER)
    run("restore-tables", "--tables", tables, "--at", at.isoformat(), "--apply")

    live = stand.physical["Violations"]
    for number, fine in enumerate(fines):
        key = {"pk": {"S": fine.violation_no}}
        if number % 3 == 0:
            stand.call("dynamodb", "DeleteItem", {"TableName": live, "Key": key})
        elif number % 3 == 1:
            spoilt = {"TableName": live, "Key": key, "UpdateExpression": "SET amount = :none"}
            stand.call("dynamodb", "UpdateItem", spoilt | {"ExpressionAttributeValues": {":none": {"N": "1"}}})
    store(functions.violations, *(violation() for _ in range(30)))
    assert stand.items(live) != before["Violations"]

    words = ("copy-back", "--tables", tables, "--at", at.isoformat(), "--reason", "spoilt")
    assert "nothing was done" in run(*words)
    assert stand.items(live) != before["Violations"]
    said = run(*words, "--apply")
    assert "Violations: 27 written" in said
    assert "Violations: 30 deleted" in said
    assert {table: stand.items(stand.physical[table]) for table in TOGETHER} == before
    assert "Violations: 0 written" in run(*words, "--apply")
    assert "nothing contradicts" in run("check-books")
