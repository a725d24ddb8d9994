"""The operator's commands over the local engine: what they say first, what they do, what they keep of it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from threading import Lock
from time import monotonic
from typing import Any

import boto3
import pytest
from click.testing import CliRunner

from infra.local.config import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY
from infra.operator import __main__ as commands
from infra.operator import files, releasing, rounds, undoing
from infra.operator.deployment import Deployment
from ingest import chunking, load_chunk
from ingest.format import cells
from shared.aws_json import AwsError, Call, Json
from shared.clock import now
from shared.domain.time import BAGHDAD
from shared.stores.items import transact
from shared.stores.pausing import Pausing
from shared.stores.violations import Violations
from tests.support.aws import Engine, Tables, before
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


@pytest.fixture
def rollback(command: Run) -> Run:
    """Runs the command that undoes a file."""
    return partial(command, "rollback-file", "--reason", "a wrong file")


# ---------------------------------------------------------------- files


def load(ingest: Ingest, key: str, rows: list[dict[str, str]]) -> None:
    ingest.take(key, text(rows))


def test_how_a_file_stands(command: Run, ingest: Ingest) -> None:
    load(ingest, "live/today.csv", [*(row() for _ in range(9)), row(amount="much")])
    said = command("file-status", "live/today.csv")
    assert "loaded" in said
    assert "10 of 10 rows done; 1 of 1 chunks done as a whole" in said
    assert "inserted 9" in said


@pytest.fixture
def half_loaded(ingest: Ingest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of two chunks of five rows: one is done, the other ran out of time after four rows."""
    monkeypatch.setattr(chunking, "MAX_CHUNK_ROWS", 5)
    monkeypatch.setattr(load_chunk, "BATCH", 2)
    monkeypatch.setattr(load_chunk, "_NOTED", 4)
    ingest.receive(ingest.put("live/large.csv", text(row() for _ in range(10))))
    ingest.load(*ingest.queued[0])
    seconds = iter((60.0, 60.0, 0.0))
    ingest.seconds_left = lambda: next(seconds)
    with pytest.raises(load_chunk.LaterError):
        ingest.load(*ingest.queued[1])
    ingest.seconds_left = lambda: 60.0


@pytest.mark.usefixtures("half_loaded")
def test_rows_of_a_chunk_that_is_not_done_count_too(command: Run, ingest: Ingest) -> None:
    assert "9 of 10 rows done; 1 of 2 chunks done as a whole" in command("file-status", "live/large.csv")
    ingest.load(*ingest.queued[1])
    assert "10 of 10 rows done; 2 of 2 chunks done as a whole" in command("file-status", "live/large.csv")


def test_a_file_that_never_came(command: Run, rollback: Run) -> None:
    assert "no file of the key live/none.csv came" in command("file-status", "live/none.csv", code=1)
    assert "no file of the key live/none.csv came" in rollback("live/none.csv", code=1)


# ---------------------------------------------------------------- rollback


@pytest.fixture
def violations(stand: Stand) -> Violations:
    return Violations(stand.call, stand.physical["Violations"])


def test_a_rollback_says_first_what_it_would_do(
    rollback: Run, ingest: Ingest, violations: Violations, stand: Stand
) -> None:
    wrong = row()
    load(ingest, "live/wrong.csv", [wrong])
    said = rollback("live/wrong.csv")
    assert "1 inserted: to be forgotten; 0 changed: to be restored" in said
    assert "nothing was done" in said
    assert violations.get([wrong["violation_no"]])
    assert stand.kept() == []


@pytest.mark.parametrize("name", ["first.csv", "first.csv.gz"])
def test_what_a_file_did_is_undone(
    rollback: Run, ingest: Ingest, violations: Violations, stand: Stand, name: str
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

    said = rollback("live/second.csv", "--apply")

    assert "1 inserted: to be forgotten; 1 changed: to be restored" in said
    assert "1 stay as they are: not as this file left it" in said
    assert "1 forgotten" in said
    assert "1 restored" in said
    assert violations.get([each["violation_no"] for each in (kept, changed, new)]) == before
    begun, done = stand.kept()
    assert (begun["action"], begun["state"], begun["key"]) == ("rollback-file", "begun", "live/second.csv")
    assert (done["state"], done["forgotten"], done["restored"]) == ("done", 1, 1)
    assert "arn:" in done["who"]
    assert "0 inserted: to be forgotten; 0 changed" in rollback("live/second.csv")


def test_a_file_that_holds_a_number_in_two_chunks_is_undone_whole(
    rollback: Run, ingest: Ingest, violations: Violations, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, new = row(amount="10000"), row()
    load(ingest, "backlog/first.csv", [known])
    before = violations.get([known["violation_no"]])
    twice = [{**each, "amount": amount, "updated_at": ""} for amount in ("20000", "30000") for each in (known, new)]
    monkeypatch.setattr(chunking, "MAX_CHUNK_ROWS", 2)
    load(ingest, "live/second.csv", twice)

    said = rollback("live/second.csv", "--apply")

    assert "1 inserted: to be forgotten; 1 changed: to be restored" in said
    assert violations.get([known["violation_no"], new["violation_no"]]) == before


def test_a_file_is_undone_by_the_encoding_that_it_was_loaded_by(
    rollback: Run, ingest: Ingest, violations: Violations
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
    assert "2 restored" in rollback("backlog/second.csv", "--apply")
    assert violations.get(each["violation_no"] for each in rows) == before


def test_rows_that_are_accepted_no_more_and_a_file_that_is_gone_are_told(
    rollback: Run, ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = ingest.put("live/a.csv", text([row(), row(occurred_at="01/01/2020", recorded_at="01/01/2020")]))
    ingest.receive(message)
    ingest.load_all()
    monkeypatch.setattr(cells, "EARLIEST", now().year)
    said = rollback("live/a.csv")
    assert "1 inserted" in said
    assert "1 stay as they are: accepted when they were loaded, and by today's rules no more" in said
    ingest.delete(message)
    assert "cannot be read any more: object_missing" in rollback("live/a.csv", code=1)


def test_what_is_paid_or_changed_since_stays(
    rollback: Run, ingest: Ingest, violations: Violations, stand: Stand
) -> None:
    paid, corrected = row(), row()
    load(ingest, "live/wrong.csv", [paid, corrected])
    subject = violations.get([paid["violation_no"]])[paid["violation_no"]]
    transact(stand.call, [violations.hold(subject, "p1")])
    newer = {**corrected, "amount": "7000", "updated_at": now().strftime("%Y-%m-%dT%H:%M:%S")}
    load(ingest, "live/right.csv", [newer])

    said = rollback("live/wrong.csv", "--apply")

    assert "1 stay as they are: inserted here, and paid or being paid" in said
    assert "1 stay as they are: not as this file left it" in said
    assert f"  p1: {paid['violation_no']} held\n" in said
    found = violations.get([paid["violation_no"], corrected["violation_no"]])
    assert found[paid["violation_no"]].held_by == "p1"
    assert found[corrected["violation_no"]].amount == 7000


def test_payments_are_named_that_settled_a_price_of_the_file(
    rollback: Run, ingest: Ingest, violations: Violations, stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the file inserted or changed their violations, and though the right one has come since."""

    def newer(fine: dict[str, str], amount: str, minutes: int) -> dict[str, str]:
        return {**fine, "amount": amount, "updated_at": f"{now() - timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%S}"}

    inserted, changed, corrected, other = fines = [row() for _ in range(4)]
    load(ingest, "live/former.csv", [changed, corrected, other])
    load(ingest, "live/wrong.csv", [inserted, newer(changed, "90000", 9), newer(corrected, "90000", 9)])
    for fine, payment_id in zip(fines, ("p1", "p2", "p3", "p4"), strict=True):
        number = fine["violation_no"]
        transact(stand.call, [violations.hold(violations.get([number])[number], payment_id)])
        transact(stand.call, [violations.settle(number, payment_id, 90_000, "2026-11-20T12:00:00+03:00", "GH-1")])
    load(ingest, "live/right.csv", [newer(inserted, "7000", 5), newer(corrected, "7000", 5)])
    load(ingest, "live/more.csv", [newer(inserted, "6000", 1)])

    said = rollback("live/wrong.csv")
    assert "3 payments hold or settled a price of it, 270,000 IQD are paid:" in said
    for fine, payment_id in ((inserted, "p1"), (changed, "p2"), (corrected, "p3")):
        assert f"  {payment_id}: {fine['violation_no']} 90,000 IQD\n" in said
    assert "more" not in said
    assert "p4" not in said
    assert "DECISION=return-difference" in said

    monkeypatch.setattr("infra.operator.rollback.MAX_LISTED", 2)
    monkeypatch.setattr("infra.operator.rollback.MAX_KEPT", 2)
    said = rollback("live/wrong.csv", "--apply")
    assert "p3" not in said
    assert "and 1 more" in said
    assert [kept["payments"] for kept in stand.kept()] == [["p1", "p2"]] * 2


def test_a_former_file_that_is_gone_leaves_its_rows_as_they_are(
    rollback: Run, ingest: Ingest, violations: Violations
) -> None:
    subject = row(amount="10000")
    message = ingest.put("live/first.csv", text([subject]))
    ingest.receive(message)
    ingest.load_all()
    later = {**subject, "amount": "99000", "updated_at": now().strftime("%Y-%m-%dT%H:%M:%S")}
    load(ingest, "live/second.csv", [later])
    ingest.delete(message)

    said = rollback("live/second.csv", "--apply")

    assert "1 stay as they are: former line not to be read again" in said
    assert violations.get([subject["violation_no"]])[subject["violation_no"]].amount == 99_000


def test_a_live_file_that_is_undone_and_comes_again_is_announced_anew(
    rollback: Run, ingest: Ingest, stand: Stand
) -> None:
    """So that what Lambda dropped on its way to the followers can be told after all."""
    subject = row()
    load(ingest, "live/today.csv", [subject])
    assert "1 forgotten" in rollback("live/today.csv", "--apply")
    load(ingest, "live/today.csv", [subject])
    key = {"TableName": stand.physical["Violations"], "Key": {"pk": {"S": subject["violation_no"]}}}
    assert stand.call("dynamodb", "GetItem", key)["Item"]["tell"] == {"S": "opened"}


class Answers:
    """A port that counts its calls, and can lose the answer of a write or break off at one. lost, broken: its place."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self.counts: Counter[str] = Counter()
        self.lost: int | None = None
        self.broken: tuple[int, BaseException] | None = None
        self._lock = Lock()

    def __call__(self, service: str, operation: str, request: Json) -> Json:
        with self._lock:
            self.counts[operation] += 1
            at = self.counts[operation]
        if operation != "TransactWriteItems":
            return self._call(service, operation, request)
        if self.broken and self.broken[0] == at:
            raise self.broken[1]
        answer = self._call(service, operation, request)
        if self.lost == at:
            # The write comes again, as from a client that has heard nothing.
            return self._call(service, operation, {**request, "ClientRequestToken": "again"})
        return answer


@pytest.fixture
def answers(stand: Stand) -> Answers:
    stand.call = port = Answers(stand.call)  # type: ignore[assignment]
    return port


def numbers(first: int, count: int) -> list[str]:
    return [f"N-{number}" for number in range(first, first + count)]


def load_two(ingest: Ingest, known: int, new: int) -> dict[str, Any]:
    """Two files: the second changes what the first said of its rows, and brings new ones. What stood between them."""
    subjects = [row(number, amount="10000") for number in numbers(0, known)]
    load(ingest, "backlog/first.csv", subjects)
    before = ingest.violations()
    changes = {"amount": "99000", "updated_at": now().strftime("%Y-%m-%dT%H:%M:%S")}
    changed = [{**subject, **changes} for subject in subjects]
    load(ingest, "live/wrong.csv", [*changed, *(row(number) for number in numbers(known, new))])
    return before


def said_by(items: Mapping[str, Any]) -> dict[str, Any]:
    """What violations say, by number: not who wrote it first, which undoing leaves where it is."""
    return {number: {**item, "inserted_by": None} for number, item in items.items()}


def test_a_file_is_undone_by_batches(rollback: Run, ingest: Ingest, answers: Answers) -> None:
    """A hundred rows cost one read and one write, beside what the ledger is told."""
    before = load_two(ingest, known=200, new=800)
    said = rollback("live/wrong.csv", "--apply")
    assert "800 forgotten" in said
    assert "200 restored" in said
    assert "0 left" in said
    assert said_by(ingest.violations()) == said_by(before)
    assert answers.counts["BatchGetItem"] == answers.counts["TransactWriteItems"] == 10
    assert answers.counts.total() <= 3 * 10


@pytest.mark.slow
def test_twenty_thousand_rows_are_undone_within_a_minute(
    rollback: Run, ingest: Ingest, answers: Answers, capsys: pytest.CaptureFixture[str]
) -> None:
    before = load_two(ingest, known=5_000, new=15_000)
    began = monotonic()
    said = rollback("live/wrong.csv", "--apply")
    seconds = monotonic() - began
    with capsys.disabled():
        print(f"\n20,000 rows undone in {seconds:.1f} s by {answers.counts.total()} calls")
    assert "15,000 forgotten" in said
    assert "5,000 restored" in said
    assert said_by(ingest.violations()) == said_by(before)
    assert answers.counts["BatchGetItem"] == answers.counts["TransactWriteItems"] == 200


@pytest.mark.parametrize("lost", [1, 2])
def test_a_write_whose_answer_was_lost_is_done(rollback: Run, ingest: Ingest, answers: Answers, lost: int) -> None:
    """It comes again, and is refused: by what it did itself."""
    before = load_two(ingest, known=100, new=100)
    answers.lost = lost
    said = rollback("live/wrong.csv", "--apply")
    assert "100 forgotten\n100 restored\n0 changed meanwhile\n0 left" in said
    assert said_by(ingest.violations()) == said_by(before)


def test_what_others_change_meanwhile_is_left_and_the_rest_of_its_batch_undone(
    rollback: Run, ingest: Ingest, answers: Answers, violations: Violations
) -> None:
    load_two(ingest, known=3, new=3)
    right = [row(number, amount="7000", updated_at=ago(-0.01)) for number in ("N-1", "N-4")]

    def meanwhile() -> None:
        load(ingest, "live/right.csv", right)

    answers._call = before(answers._call, "TransactWriteItems", meanwhile)
    said = rollback("live/wrong.csv", "--apply")
    assert "2 forgotten\n2 restored\n2 changed meanwhile\n0 left" in said
    amounts = {number: found.amount for number, found in violations.get(numbers(0, 6)).items()}
    assert amounts == {"N-0": 10_000, "N-1": 7_000, "N-2": 10_000, "N-4": 7_000}


@pytest.mark.parametrize("broken", [KeyboardInterrupt(), AwsError("Unreachable", "no answer")], ids=["ctrl-c", "aws"])
def test_a_run_that_is_broken_off_says_how_far_it_came_and_the_next_goes_on(
    rollback: Run,
    ingest: Ingest,
    answers: Answers,
    stand: Stand,
    monkeypatch: pytest.MonkeyPatch,
    broken: BaseException,
) -> None:
    before = load_two(ingest, known=100, new=300)
    monkeypatch.setattr(undoing, "AT_ONCE", 2)
    answers.broken = 3, broken  # in the second round of two batches
    said = rollback("live/wrong.csv", "--apply", code=1)
    left = int(re.search(r"^(\d+) left$", said, re.MULTILINE)[1])  # type: ignore[index]
    assert 0 < left <= 200
    assert sum(map(int, re.findall(r"^(\d+) (?:forgotten|restored)$", said, re.MULTILINE))) == 400 - left
    assert "broken off: the same command goes on from here" in said
    begun, end = stand.kept()
    assert (begun["reason"], end["state"], end["left"]) == ("a wrong file", "broken off", left)

    said = rollback("live/wrong.csv", "--apply")

    assert f"{400 - left} were undone before" in said
    assert "0 left" in said
    assert said_by(ingest.violations()) == said_by(before)


def test_a_file_is_undone_by_one_run_at_a_time(rollback: Run, ingest: Ingest, answers: Answers, stand: Stand) -> None:
    load_two(ingest, known=0, new=1)
    other = undoing.ledger(stand, files.newest(stand, "live/wrong.csv"))
    at = stand.clock()
    assert other.take(at, at + rounds.TAKEN_FOR)
    assert "another run is undoing this file, until 20" in rollback("live/wrong.csv", "--apply", code=1)
    assert "N-0" in ingest.violations()
    assert "TransactWriteItems" not in answers.counts
    stand.clock = lambda: at + 2 * rounds.TAKEN_FOR  # that run has died
    assert "1 forgotten" in rollback("live/wrong.csv", "--apply")
    assert not other.note(1, at)


def test_a_run_that_another_has_taken_over_ends(
    rollback: Run, ingest: Ingest, answers: Answers, stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_two(ingest, known=0, new=300)
    monkeypatch.setattr(undoing, "AT_ONCE", 2)
    later = stand.clock() + 2 * rounds.TAKEN_FOR
    other = undoing.ledger(stand, files.newest(stand, "live/wrong.csv"))
    answers._call = before(answers._call, "TransactWriteItems", lambda: other.take(later, later))
    said = rollback("live/wrong.csv", "--apply", code=1)
    assert "another run has taken the undoing of this file over" in said
    assert "200 forgotten" in said
    assert "100 left" in said


def test_a_registration_file_is_refused(rollback: Run, ingest: Ingest) -> None:
    ingest.take("registry/cards.csv", b"plate_family,plate_governorate,plate_letter,plate_number,registration_no\n")
    assert "not undone" in rollback("registry/cards.csv", code=1)


def test_a_file_that_was_only_checked_is_said_to_be_so_and_nothing_of_it_is_undone(
    command: Run, rollback: Run, ingest: Ingest
) -> None:
    load(ingest, "check/live/a.csv", [row()])
    assert "only checked" in rollback("check/live/a.csv", "--apply", code=1)
    said = command("file-status", "check/live/a.csv")
    assert ": checked" in said
    assert "This was only a check: nothing was loaded, and nobody was told" in said
    load(ingest, "live/a.csv", [row()])
    assert "only a check" not in command("file-status", "live/a.csv")


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
    assert switch.paused() == frozenset()

    assert "payments: paused" in command("pause", "payments", "--reason", "the gateway is away", "--apply")
    assert "gateway-fib: paused" in command("pause", "gateway-fib", "--reason", "the gateway is away", "--apply")
    assert switch.paused() == {"payments", "fib"}
    assert "payments: runs" in command("resume", "payments", "--apply")
    assert "gateway-fib: runs" in command("resume", "gateway-fib", "--apply")
    assert switch.paused() == frozenset()
    assert {(kept["action"], kept.get("reason")) for kept in stand.kept()} >= {("pause", "the gateway is away")}


@pytest.mark.usefixtures("half_loaded")
def test_what_is_under_way_is_said_when_ingest_is_paused(
    command: Run, ingest: Ingest, stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.operator.pausing._state", lambda deployment, mapping: "Disabled")
    monkeypatch.setattr("infra.operator.pausing._switch", lambda deployment, what, on: None)
    ingest.queued.clear()
    load(ingest, "live/done.csv", [row()])
    ingest.receive(ingest.put("live/refused.csv", b""))
    sqs = stand.clients("sqs")
    for name in ("FileQueue", "ChunkQueue"):
        url = sqs.create_queue(QueueName=f"{name}-{stand.physical['Uploads']}"[:80])["QueueUrl"]
        stand.physical |= {name: url}  # type: ignore[operator]
    for _ in range(3):
        sqs.send_message(QueueUrl=stand.physical["ChunkQueue"], MessageBody="one")
    sqs.receive_message(QueueUrl=stand.physical["ChunkQueue"], MaxNumberOfMessages=1)

    said = command("pause", "ingest", "--reason", "a wrong file", "--apply")

    assert "ingest: paused" in said
    assert "FileQueue: 0 messages taken and still being worked on, 0 wait" in said
    assert "ChunkQueue: 1 messages taken and still being worked on, 2 wait" in said
    assert re.search(r"live/large.csv version \S+ \(\w+\): loading\n9 of 10 rows done", said)
    assert "live/done.csv" not in said
    assert "live/refused.csv" not in said


def test_a_reason_is_asked_for(command: Run, stand: Stand) -> None:
    assert "--reason" in command("pause", "payments", code=2)
    assert "--reason" in command("pause", "payments", "--reason", "", "--apply", code=2)
    assert "--reason" in command("decide-payment", "settle", "p", "--reason", "", "--apply", code=2)
    assert "--reason" in command("rollback-file", "live/a.csv", "--apply", code=2)
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
            assert queue["MessageRetentionPeriod"] == 7 * 86_400


class TestAcceptingWhatOpensAgain:
    def test_it_says_what_it_would_take_then_takes_it_and_keeps_why(
        self, ingest: Ingest, stand: Stand, command: Run
    ) -> None:
        ingest.take("live/a.csv", text([row("V-1", status="paid"), row("V-2", status="cancelled")]))
        undated = [row(number, updated_at="", amount="7000") for number in ("V-1", "V-2", "V-3")]
        ingest.take("live/b.csv", text(undated))
        assert "2 rows open again" in command("accept-reopened", "live/b.csv", "--reason", "r")
        assert ingest.violations()["V-1"]["status"] == {"S": "paid"}

        said = command("accept-reopened", "live/b.csv", "--reason", "the bank took it back", "--apply")

        assert "2 updated" in said
        found = ingest.violations()
        assert [found[number]["status"]["S"] for number in ("V-1", "V-2", "V-3")] == ["open"] * 3
        assert "tell" not in found["V-1"]
        assert stand.kept()[-1] == {
            **stand.kept()[-1],
            "action": "accept-reopened",
            "reason": "the bank took it back",
            "state": "done",
            "updated": 2,
        }
        again = command("accept-reopened", "live/b.csv", "--reason", "r", "--apply")
        assert "2 updated" in again  # the same lines, which count as they did

    def test_what_a_newer_file_says_meanwhile_stays(self, ingest: Ingest, command: Run) -> None:
        ingest.take("live/a.csv", text([row("V-1", status="paid")]))
        ingest.take("live/b.csv", text([row("V-1", updated_at=""), row()]))
        ingest.take("live/c.csv", text([row("V-1", status="paid", updated_at=ago(-0.5))]))
        assert "1 stale" in command("accept-reopened", "live/b.csv", "--reason", "r", "--apply")
        assert ingest.violations()["V-1"]["status"] == {"S": "paid"}

    def test_nothing_is_taken_of_a_file_that_was_only_checked(self, ingest: Ingest, command: Run) -> None:
        ingest.take("live/a.csv", text([row("V-1", status="paid")]))
        ingest.take("check/live/b.csv", text([row("V-1", updated_at=""), row()]))
        assert "only checked" in command("accept-reopened", "check/live/b.csv", "--reason", "r", "--apply", code=1)
        assert ingest.violations()["V-1"]["status"] == {"S": "paid"}
        assert "accept-reopened" not in ingest.read("reports/check/live/b.csv.html").decode()

    @pytest.mark.parametrize("key", ["live/none.csv", "live/a.csv", "registry/r.csv"])
    def test_a_file_without_such_rows_is_told_so(self, ingest: Ingest, command: Run, key: str) -> None:
        ingest.take("live/a.csv", text([row()]))
        ingest.take("registry/r.csv", b"plate_family\n")
        command("accept-reopened", key, "--reason", "r", code=1)


class TestReleasingNews:
    @pytest.fixture
    def waiting(self, ingest: Ingest, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """The numbers of a file of three chunks whose news wait."""
        monkeypatch.setattr(chunking, "MAX_CHUNK_ROWS", 100)
        ingest.max_news = 10
        load(ingest, "live/large.csv", [row(number) for number in numbers(0, 300)])
        return numbers(0, 300)

    @staticmethod
    def telling(ingest: Ingest) -> set[str]:
        return {number for number, each in ingest.violations().items() if "tell" in each}

    def test_it_says_how_many_wait_then_lets_them_go_and_keeps_why(
        self, ingest: Ingest, stand: Stand, command: Run, waiting: list[str], answers: Answers
    ) -> None:
        assert "300 news are held back" in command("release-news", "live/large.csv", "--reason", "r")
        assert self.telling(ingest) == set()
        assert answers.counts["TransactWriteItems"] == 0
        answers.counts.clear()

        said = command("release-news", "live/large.csv", "--reason", "a month sent late", "--apply")

        assert "300 let go\n0 left" in said
        assert self.telling(ingest) == set(waiting)
        assert answers.counts["TransactWriteItems"] == 3
        assert answers.counts["BatchGetItem"] == 2 * 3  # once to say how many
        begun, end = stand.kept()
        assert (begun["action"], begun["reason"], begun["key"]) == (
            "release-news",
            "a month sent late",
            "live/large.csv",
        )
        assert (end["state"], end["let go"], end["left"]) == ("done", 300, 0)
        said = command("release-news", "live/large.csv", "--reason", "r", "--apply")
        assert "300 were let go before" in said
        assert "0 let go\n0 left" in said

    @pytest.mark.parametrize(
        "broken", [KeyboardInterrupt(), AwsError("Unreachable", "no answer")], ids=["ctrl-c", "aws"]
    )
    def test_a_run_that_is_broken_off_says_how_far_it_came_and_the_next_goes_on(
        self,
        ingest: Ingest,
        stand: Stand,
        command: Run,
        waiting: list[str],
        answers: Answers,
        monkeypatch: pytest.MonkeyPatch,
        broken: BaseException,
    ) -> None:
        monkeypatch.setattr(releasing, "AT_ONCE", 1)
        answers.broken = 2, broken
        said = command("release-news", "live/large.csv", "--reason", "r", "--apply", code=1)
        assert "100 let go\n200 left\nbroken off: the same command goes on from here" in said
        assert len(self.telling(ingest)) == 100
        assert stand.kept()[-1]["state"] == "broken off"
        said = command("release-news", "live/large.csv", "--reason", "r", "--apply")
        assert "100 were let go before" in said
        assert "200 let go\n0 left" in said
        assert self.telling(ingest) == set(waiting)

    def test_one_run_at_a_time(self, ingest: Ingest, stand: Stand, command: Run, waiting: list[str]) -> None:
        other = releasing.ledger(stand, files.newest(stand, "live/large.csv"))
        at = stand.clock()
        assert other.take(at, at + rounds.TAKEN_FOR)
        said = command("release-news", "live/large.csv", "--reason", "r", "--apply", code=1)
        assert "another run is letting this file's news go, until 20" in said
        assert self.telling(ingest) == set()
        stand.clock = lambda: at + 2 * rounds.TAKEN_FOR  # that run has died
        assert "300 let go" in command("release-news", "live/large.csv", "--reason", "r", "--apply")
        assert self.telling(ingest) == set(waiting)

    def test_a_run_that_another_has_taken_over_ends(
        self, stand: Stand, command: Run, waiting: list[str], answers: Answers, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(releasing, "AT_ONCE", 2)
        later = stand.clock() + 2 * rounds.TAKEN_FOR
        other = releasing.ledger(stand, files.newest(stand, "live/large.csv"))
        answers._call = before(answers._call, "TransactWriteItems", lambda: other.take(later, later))
        said = command("release-news", "live/large.csv", "--reason", "r", "--apply", code=1)
        assert "another run has taken the letting go of this file's news over" in said
        assert f"200 let go\n{len(waiting) - 200} left" in said

    @pytest.mark.usefixtures("waiting")
    def test_what_another_file_cancelled_is_told_to_nobody(self, ingest: Ingest, command: Run) -> None:
        load(ingest, "live/right.csv", [row("N-7", status="cancelled", updated_at=ago(0.5))])
        assert "299 let go" in command("release-news", "live/large.csv", "--reason", "r", "--apply")
        assert "N-7" not in self.telling(ingest)

    @pytest.mark.usefixtures("waiting")
    def test_undoing_the_file_leaves_nothing_to_tell(self, ingest: Ingest, command: Run, rollback: Run) -> None:
        assert "300 forgotten" in rollback("live/large.csv", "--apply")
        assert "0 news are held back" in command("release-news", "live/large.csv", "--reason", "r")
        assert ingest.violations() == {}

    @pytest.mark.usefixtures("waiting")
    def test_what_the_bucket_has_forgotten_is_said(self, ingest: Ingest, command: Run) -> None:
        for key, version_id in ingest.objects():
            if key.startswith("rejects/.parts/"):
                ingest.s3.delete_object(Bucket=ingest.bucket, Key=key, VersionId=version_id)
        said = command("release-news", "live/large.csv", "--reason", "r", code=1)
        assert "no longer known" in said

    def test_a_file_that_is_not_there_or_not_at_its_end_is_refused(self, ingest: Ingest, command: Run) -> None:
        assert "no file of the key" in command("release-news", "live/none.csv", "--reason", "r", code=1)
        ingest.receive(ingest.put("live/a.csv", text([row()])))
        assert "still being loaded" in command("release-news", "live/a.csv", "--reason", "r", code=1)


class TestReleasingRegistrations:
    @pytest.fixture
    def waiting(self, ingest: Ingest, stand: Stand) -> Any:
        """A client of queues; a file of three numbers that would be replaced, and wait."""
        columns = ("plate_family", "plate_governorate", "plate_letter", "plate_number", "registration_no", "updated_at")
        plates = [
            {"plate_family": "german", "plate_governorate": "11", "plate_letter": "ز", "plate_number": str(number)}
            for number in range(1, 4)
        ]
        ingest.max_moved = 2
        for key, number, days in (("a", "A-1111", 2), ("b", "B-2222", 1)):
            rows = [{**plate, "registration_no": number, "updated_at": ago(days)} for plate in plates]
            ingest.take(f"registry/{key}.csv", text(rows, columns))
        sqs = stand.clients("sqs")
        url = sqs.create_queue(QueueName=f"chunks-{ingest.bucket}")["QueueUrl"]
        stand.physical |= {"ChunkQueue": url}  # type: ignore[operator]
        return sqs

    def test_it_says_how_many_wait_then_queues_them_and_keeps_why(
        self, ingest: Ingest, stand: Stand, command: Run, waiting: Any
    ) -> None:
        words = "release-registry", "registry/b.csv", "--reason", "new cards"
        assert "3 rows wait to replace registration numbers\nnothing was done" in command(*words)
        assert "1 chunks queued" in command(*words, "--apply")
        (message,) = waiting.receive_message(QueueUrl=stand.physical["ChunkQueue"])["Messages"]
        chunk = json.loads(message["Body"])
        ingest.load(chunk.pop("file"), chunking.Chunk(**chunk))
        assert "updated 3" in command("file-status", "registry/b.csv")
        begun, end = stand.kept()
        assert (begun["action"], begun["reason"], begun["key"]) == ("release-registry", "new cards", "registry/b.csv")
        assert (end["state"], end["chunks queued"]) == ("done", 1)
        assert "no rows of this file wait" in command(*words, "--apply", code=1)

    @pytest.mark.usefixtures("waiting")
    def test_a_file_of_which_nothing_waits_is_refused_and_none_is_undone(self, command: Run, rollback: Run) -> None:
        assert "no rows of this file wait" in command("release-registry", "registry/a.csv", "--reason", "r", code=1)
        assert "no file of the key" in command("release-registry", "registry/none.csv", "--reason", "r", code=1)
        assert "with a newer updated_at" in rollback("registry/b.csv", code=1)
