"""The operator's commands over the local engine: what they say first, what they do, what they keep of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import boto3
import pytest
from click.testing import CliRunner

from infra.local.config import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY
from infra.operator import __main__ as commands
from infra.operator.deployment import Deployment
from ingest import chunking
from ingest.format import cells
from shared.clock import now
from shared.domain.time import BAGHDAD
from shared.stores.items import transact
from shared.stores.pausing import Pausing
from shared.stores.violations import Violations
from tests.support.aws import Engine, Tables
from tests.support.ingesting import Ingest, ago, row, text

LOGS = "operator-actions"


class Stand(Deployment):
    """A stack of the tables and buckets of ingest, and of the queues that a test made."""

    def __init__(self, engine: Engine, ingest: Ingest, tables: Tables) -> None:
        super().__init__("stand", self._client, clock=now)
        self._engine = engine
        self.physical = {  # type: ignore[assignment]
            **{name: tables[name] for name in ("Violations", "Files", "Payments")},
            "Uploads": ingest.bucket,
            "FailedRecords": ingest.bucket,
            "OperatorActions": f"{LOGS}-{ingest.bucket}",
            "PayApi": "pay",
        }
        self.parameters = {}  # type: ignore[assignment]
        self.outputs = {}  # type: ignore[assignment]
        self.call = engine.sdk()  # type: ignore[assignment]
        self.clients("logs").create_log_group(logGroupName=self.physical["OperatorActions"])

    def _client(self, service: str) -> Any:
        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=self._engine.endpoint,
            region_name=REGION,
            aws_access_key_id=ACCESS_KEY_ID,
            aws_secret_access_key=SECRET_ACCESS_KEY,
        )

    def kept(self) -> list[Mapping[str, Any]]:
        """What the operators' log holds."""
        logs = self.clients("logs")
        events = logs.filter_log_events(logGroupName=self.physical["OperatorActions"])["events"]
        return [json.loads(event["message"]) for event in events]


Run = Callable[..., str]


@pytest.fixture
def ingest(engine: Engine, tables: Tables) -> Ingest:
    return Ingest(engine, tables)


@pytest.fixture
def stand(engine: Engine, ingest: Ingest, tables: Tables) -> Stand:
    return Stand(engine, ingest, tables)


@pytest.fixture
def command(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command on the stand; its output. code: what it must end with."""
    monkeypatch.setattr(commands, "Deployment", lambda stack, clock: stand)

    def run(*words: str, code: int = 0) -> str:
        result = CliRunner().invoke(commands.app, ["--stack", "stand", *words])
        assert result.exit_code == code, result.output
        assert "Traceback" not in result.output
        return result.output

    return run


# ---------------------------------------------------------------- files


def load(ingest: Ingest, key: str, rows: list[dict[str, str]]) -> None:
    ingest.take(key, text(rows))


def test_how_a_file_stands(command: Run, ingest: Ingest) -> None:
    load(ingest, "live/today.csv", [*(row() for _ in range(9)), row(amount="much")])
    said = command("file-status", "live/today.csv")
    assert "loaded" in said
    assert "10 of 10 rows done" in said
    assert "inserted 9" in said


def test_a_file_that_never_came(command: Run) -> None:
    assert "no file of the key live/none.csv came" in command("file-status", "live/none.csv", code=1)
    assert "no file of the key live/none.csv came" in command("rollback-file", "live/none.csv", code=1)


# ---------------------------------------------------------------- rollback


@pytest.fixture
def violations(stand: Stand) -> Violations:
    return Violations(stand.call, stand.physical["Violations"])


def test_a_rollback_says_first_what_it_would_do(
    command: Run, ingest: Ingest, violations: Violations, stand: Stand
) -> None:
    wrong = row()
    load(ingest, "live/wrong.csv", [wrong])
    said = command("rollback-file", "live/wrong.csv")
    assert "1 inserted: to be forgotten; 0 changed: to be restored" in said
    assert "nothing was done" in said
    assert violations.get([wrong["violation_no"]])
    assert stand.kept() == []


@pytest.mark.parametrize("name", ["first.csv", "first.csv.gz"])
def test_what_a_file_did_is_undone(
    command: Run, ingest: Ingest, violations: Violations, stand: Stand, name: str
) -> None:
    kept, changed, new = row(amount="10000"), row(amount="20000"), row(amount="30000")
    first = text([kept, changed])
    if name.endswith(".gz"):
        import gzip

        first = gzip.compress(first)
    ingest.take(f"backlog/{name}", first)
    before = violations.get([kept["violation_no"], changed["violation_no"]])
    later = {**changed, "amount": "99000", "status": "cancelled", "updated_at": now().strftime("%Y-%m-%dT%H:%M:%S")}
    load(ingest, "live/second.csv", [kept, later, new])

    said = command("rollback-file", "live/second.csv", "--apply")

    assert "1 inserted: to be forgotten; 1 changed: to be restored" in said
    assert "1 stay as they are: not as this file left it" in said
    assert "1 forgotten" in said
    assert "1 restored" in said
    assert violations.get([each["violation_no"] for each in (kept, changed, new)]) == before
    begun, done = stand.kept()
    assert (begun["action"], begun["state"], begun["key"]) == ("rollback-file", "begun", "live/second.csv")
    assert (done["state"], done["forgotten"], done["restored"]) == ("done", 1, 1)
    assert "arn:" in done["who"]
    assert "0 inserted: to be forgotten; 0 changed" in command("rollback-file", "live/second.csv")


def test_a_file_that_holds_a_number_in_two_chunks_is_undone_whole(
    command: Run, ingest: Ingest, violations: Violations, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, new = row(amount="10000"), row()
    load(ingest, "backlog/first.csv", [known])
    before = violations.get([known["violation_no"]])
    twice = [{**each, "amount": amount, "updated_at": ""} for amount in ("2", "3") for each in (known, new)]
    monkeypatch.setattr(chunking, "MAX_CHUNK_ROWS", 2)
    load(ingest, "live/second.csv", twice)

    said = command("rollback-file", "live/second.csv", "--apply")

    assert "1 inserted: to be forgotten; 1 changed: to be restored" in said
    assert violations.get([known["violation_no"], new["violation_no"]]) == before


def test_a_file_is_undone_by_the_encoding_that_it_was_loaded_by(
    command: Run, ingest: Ingest, violations: Violations
) -> None:
    """Whatever is the stack's since."""
    ingest.encoding = "windows-1256"
    rows = [row(violation_title="تجاوز الإشارة"), row()]
    columns = (*rows[0],)
    for name, updated_at in (("first", ago(2)), ("second", ago(1))):
        said = [{**each, "updated_at": updated_at} for each in rows]
        ingest.take(f"backlog/{name}.csv", text(said, columns).decode().encode("cp1256"))
        if name == "first":
            before = violations.get(each["violation_no"] for each in rows)
    ingest.encoding = "utf-8"
    assert "2 restored" in command("rollback-file", "backlog/second.csv", "--apply")
    assert violations.get(each["violation_no"] for each in rows) == before


def test_rows_that_are_accepted_no_more_and_a_file_that_is_gone_are_told(
    command: Run, ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = ingest.put("live/a.csv", text([row(), row(occurred_at="01/01/2020", recorded_at="01/01/2020")]))
    ingest.receive(message)
    ingest.load_all()
    monkeypatch.setattr(cells, "EARLIEST", now().year)
    said = command("rollback-file", "live/a.csv")
    assert "1 inserted" in said
    assert "1 stay as they are: accepted when they were loaded, and by today's rules no more" in said
    ingest.delete(message)
    assert "cannot be read any more: object_missing" in command("rollback-file", "live/a.csv", code=1)


def test_what_is_paid_or_changed_since_stays(
    command: Run, ingest: Ingest, violations: Violations, stand: Stand
) -> None:
    paid, corrected = row(), row()
    load(ingest, "live/wrong.csv", [paid, corrected])
    subject = violations.get([paid["violation_no"]])[paid["violation_no"]]
    transact(stand.call, [violations.hold(subject, "p1")])
    newer = {**corrected, "amount": "7000", "updated_at": now().strftime("%Y-%m-%dT%H:%M:%S")}
    load(ingest, "live/right.csv", [newer])

    said = command("rollback-file", "live/wrong.csv", "--apply")

    assert "1 stay as they are: inserted here, and paid or being paid" in said
    assert "1 stay as they are: not as this file left it" in said
    found = violations.get([paid["violation_no"], corrected["violation_no"]])
    assert found[paid["violation_no"]].held_by == "p1"
    assert found[corrected["violation_no"]].amount == 7000


def test_a_former_file_that_is_gone_leaves_its_rows_as_they_are(
    command: Run, ingest: Ingest, violations: Violations
) -> None:
    subject = row(amount="10000")
    message = ingest.put("live/first.csv", text([subject]))
    ingest.receive(message)
    ingest.load_all()
    later = {**subject, "amount": "99000", "updated_at": now().strftime("%Y-%m-%dT%H:%M:%S")}
    load(ingest, "live/second.csv", [later])
    ingest.delete(message)

    said = command("rollback-file", "live/second.csv", "--apply")

    assert "1 stay as they are: former line not to be read again" in said
    assert violations.get([subject["violation_no"]])[subject["violation_no"]].amount == 99_000


def test_a_live_file_that_is_undone_and_comes_again_is_announced_anew(
    command: Run, ingest: Ingest, stand: Stand
) -> None:
    """So that what Lambda dropped on its way to the followers can be told after all."""
    subject = row()
    load(ingest, "live/today.csv", [subject])
    assert "1 forgotten" in command("rollback-file", "live/today.csv", "--apply")
    load(ingest, "live/today.csv", [subject])
    key = {"TableName": stand.physical["Violations"], "Key": {"pk": {"S": subject["violation_no"]}}}
    assert stand.call("dynamodb", "GetItem", key)["Item"]["tell"] == {"S": "opened"}


def test_a_registration_file_is_refused(command: Run, ingest: Ingest) -> None:
    ingest.take("registry/cards.csv", b"plate_family,plate_governorate,plate_letter,plate_number,registration_no\n")
    assert "not undone" in command("rollback-file", "registry/cards.csv", code=1)


# ---------------------------------------------------------------- replay


@pytest.fixture
def queues(stand: Stand) -> dict[str, str]:
    sqs = stand.clients("sqs")
    names = ("SmsDeadLetters", "SmsQueue")
    urls = {name: sqs.create_queue(QueueName=f"{name}-{stand.physical['Uploads']}"[:80])["QueueUrl"] for name in names}
    stand.physical |= urls  # type: ignore[operator]
    return urls


def test_dead_letters_go_back_to_their_queue(command: Run, stand: Stand, queues: dict[str, str]) -> None:
    sqs = stand.clients("sqs")
    sqs.send_message(QueueUrl=queues["SmsDeadLetters"], MessageBody="one")
    assert "SmsDeadLetters: 1" in command("replay")
    assert "SmsDeadLetters: 1 wait\nnothing was done" in command("replay", "SmsDeadLetters")

    assert command("replay", "SmsDeadLetters", "--apply") == "1 replayed, 0 left\n"

    (message,) = sqs.receive_message(QueueUrl=queues["SmsQueue"])["Messages"]
    assert message["Body"] == "one"
    assert [(kept["action"], kept["state"]) for kept in stand.kept()] == [("replay", "begun"), ("replay", "done")]


def test_a_place_that_is_none(command: Run) -> None:
    assert "there are: FailedRecords" in command("replay", "Nowhere", code=2)


# ---------------------------------------------------------------- figures


def test_figures_of_a_day_are_written_only_once_it_is_over(command: Run, stand: Stand) -> None:
    today = stand.clock().astimezone(BAGHDAD).date()
    assert "is not over yet" in command("figures", f"{today}", "--apply", code=2)
    said = command("figures", f"{today - timedelta(days=1)}")
    assert f"statistics/{today - timedelta(days=1)}.json: to be written" in said
    assert "nothing was done" in said
    assert "does not match" in command("figures", "yesterday", code=2)
    assert stand.kept() == []


# ---------------------------------------------------------------- pausing


def test_payments_are_paused_and_go_on(command: Run, stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.operator.pausing._state", lambda deployment, mapping: "Enabled")
    switch = Pausing(stand.call, stand.physical["Payments"])
    command("pause", "payments", "--reason", "the gateway is away")
    assert not switch.is_paused()

    assert "payments: paused" in command("pause", "payments", "--reason", "the gateway is away", "--apply")
    assert switch.is_paused()
    assert "payments: runs" in command("resume", "payments", "--apply")
    assert not switch.is_paused()
    assert next((kept["action"], kept["reason"]) for kept in stand.kept()) == ("pause", "the gateway is away")


def test_a_reason_is_asked_for(command: Run, stand: Stand) -> None:
    assert "--reason" in command("pause", "payments", code=2)
    assert "--reason" in command("pause", "payments", "--reason", "", "--apply", code=2)
    assert "--reason" in command("decide-payment", "settle", "p", "--reason", "", "--apply", code=2)
    assert stand.kept() == []


def test_what_aws_refuses_is_said_in_a_line(command: Run, stand: Stand) -> None:
    stand.physical |= {"PayApi": "pay", "SmsDeadLetters": "http://127.0.0.1:1/0/none"}  # type: ignore[operator]
    said = command("replay", "SmsDeadLetters", code=1)
    assert said.startswith("Error: ")
    assert said.count("\n") == 1


def test_every_mapping_that_is_switched_off_is_in_the_stack() -> None:
    from infra.local.aws.localize import localize
    from infra.operator.pausing import PARTS
    from infra.template import read

    resources = localize(read(), {}, "http://127.0.0.1:1")["Resources"]
    for part in PARTS.values():
        for mapping in part.mappings:
            assert resources[mapping]["Type"] == "AWS::Lambda::EventSourceMapping"
            (queue,) = (
                resource["Properties"]
                for name, resource in resources.items()
                if resource["Type"] == "AWS::SQS::Queue"
                and resources[mapping]["Properties"]["EventSourceArn"] == {"Fn::GetAtt": [name, "Arn"]}
            )
            assert queue["MessageRetentionPeriod"] == 14 * 86_400
