"""A file that cannot go on by itself: it shows as failed, says what to do, and is right once that was done."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.operator.replay import replay_messages
from ingest import chunking, sweep
from ingest.load_chunk import LaterError
from ingest.reporting.report import REPLAY
from ingest.reporting.texts import message
from shared.aws_json import AwsError, Json
from shared.domain.file import FAILED, FileVersion
from tests.support.aws import Engine, Tables
from tests.support.ingesting import Desk, row, text


@pytest.fixture
def desk(engine: Engine, tables: Tables, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A desk whose files are cut every three rows."""
    monkeypatch.setattr(chunking, "MAX_CHUNK_ROWS", 3)
    return Desk(engine, tables)


def forbid(desk: Desk, operation: str) -> Callable[[], None]:
    """Take a right away, as a wrong policy would; returns what gives it back."""
    allowed = desk.call

    def denied(service: str, asked: str, request: Json) -> Json:
        if asked == operation:
            raise AwsError("AccessDeniedException", "")
        return allowed(service, asked, request)

    def mend() -> None:
        desk.call = allowed

    desk.call = denied
    return mend


def swept(desk: Desk, *, files: list[str] | None = None) -> None:
    """A run of the sweep, with what the queue holds dead: chunks that ran out of tries, and these files' messages."""
    chunks = [json.dumps({"file": file_id, **chunk._asdict()}) for file_id, chunk in desk.queued]
    sweep.sweep(sweep.Ports(desk.ends(), lambda: files or [], lambda: chunks, desk.clock))


def half_loaded(desk: Desk) -> FileVersion:
    """Seven rows in three chunks, of which the second died."""
    version = desk.receive(desk.put("live/a.csv", text([*(row() for _ in range(6)), row("BAD", amount="x")])))
    first, second, third = desk.queued
    mend = forbid(desk, "TransactWriteItems")
    with pytest.raises(AwsError):
        desk.load(*second)
    mend()
    desk.load(*first)
    desk.load(*third)
    desk.queued = [second]
    return version


def test_a_file_whose_chunk_died_has_failed_and_says_how_to_go_on(desk: Desk) -> None:
    version = half_loaded(desk)
    swept(desk)
    report = desk.report(version)
    assert report["status"] == desk.files().file(version.file_id).state == FAILED
    assert report["counts"] == {"rows": 4, "inserted": 3, "updated": 0, "unchanged": 0, "stale": 0, "rejected": 1}
    error = report["error"]
    assert (error["code"], error["value"]) == ("rows_not_loaded", "3")
    assert error["replay"] == REPLAY["rows_not_loaded"]
    assert error["message"].endswith(": 3")
    assert json.loads(desk.read("reports/live/a.csv.json")) == report
    assert error["replay"] in desk.read("reports/live/a.csv.html").decode()
    assert desk.told == [report]


def test_a_dead_letter_of_a_file_that_nobody_knows_holds_up_no_other(desk: Desk) -> None:
    version = half_loaded(desk)
    ((_, chunk),) = desk.queued
    desk.queued.insert(0, ("unknown", chunk))
    with pytest.raises(RuntimeError, match="1 files"):
        swept(desk)
    assert desk.report(version)["status"] == FAILED


def test_once_its_chunk_is_replayed_the_report_is_right(desk: Desk) -> None:
    version = half_loaded(desk)
    swept(desk)
    desk.load_all()
    report = desk.report(version)
    assert report["status"] == "loaded_with_many_rejects"
    assert report["counts"] == {"rows": 7, "inserted": 6, "updated": 0, "unchanged": 0, "stale": 0, "rejected": 1}
    assert report["error"] is None
    assert json.loads(desk.read("reports/live/a.csv.json")) == report
    assert [bad["violation_no"] for bad in desk.rejected("live/a.csv")] == ["BAD"]
    assert [told["status"] for told in desk.told] == [FAILED, "loaded_with_many_rejects"]


def test_every_further_sweep_says_nothing_new(desk: Desk) -> None:
    half_loaded(desk)
    swept(desk)
    written = desk.objects()
    swept(desk)
    swept(desk)
    assert desk.objects() == written
    assert len(desk.told) == 1


def test_chunks_that_come_in_after_the_failure_are_counted_without_telling_again(desk: Desk) -> None:
    version = desk.receive(desk.put("live/a.csv", text([row() for _ in range(9)])))
    first, *dead = desk.queued
    desk.queued = dead
    swept(desk)
    assert desk.report(version)["counts"]["rows"] == 0
    desk.load(*first)
    swept(desk)
    assert desk.report(version)["counts"]["rows"] == 3
    assert desk.report(version)["error"]["value"] == "6"
    assert len(desk.told) == 1


def test_a_message_that_lies_dead_although_its_chunk_was_loaded_fails_nothing(desk: Desk) -> None:
    version = desk.receive(desk.put("live/a.csv", text([row() for _ in range(5)])))
    first, second = desk.queued
    desk.load(*first)
    desk.queued = [first]
    swept(desk)
    assert desk.files().file(version.file_id).state == "loading"
    desk.queued = [second]
    desk.load_all()
    desk.queued = [first, second]
    swept(desk)
    assert desk.report(version)["status"] == "loaded"


def test_a_file_that_only_could_not_be_finished_has_failed_until_it_is(desk: Desk) -> None:
    version = desk.receive(desk.put("live/a.csv", text([row()])))
    (chunk,) = desk.queued
    mend = forbid(desk, "Query")
    with pytest.raises(AwsError):
        desk.load(*chunk)
    mend()
    swept(desk)
    assert desk.report(version)["error"]["value"] == "0"
    desk.wait(61)
    desk.load_all()
    assert desk.report(version)["status"] == "loaded"


def test_a_file_that_could_not_be_read_has_failed_until_it_is(desk: Desk) -> None:
    message = desk.put("live/a.csv", text([row() for _ in range(4)]))
    mend = forbid(desk, "UpdateItem")
    with pytest.raises(AwsError):
        desk.receive(message)
    mend()
    swept(desk, files=[message, "not ours"])
    (error,) = [told["error"] for told in desk.told]
    assert (error["code"], error["replay"]) == ("file_not_read", REPLAY["file_not_read"])

    version = desk.receive(message)
    assert desk.files().file(version.file_id).state == "loading"
    desk.load_all()
    assert desk.report(version)["counts"]["inserted"] == 4
    assert [told["status"] for told in desk.told] == [FAILED, "loaded"]


def test_a_file_that_was_never_entered_is_entered_as_failed(desk: Desk) -> None:
    message = desk.put("live/a.csv", text([row()]))
    swept(desk, files=[message])
    assert json.loads(desk.read("reports/live/a.csv.json"))["error"]["code"] == "file_not_read"
    desk.receive(message)
    desk.load_all()
    assert json.loads(desk.read("reports/live/a.csv.json"))["status"] == "loaded"


def test_a_file_that_is_refused_when_it_is_read_after_all_is_refused(desk: Desk) -> None:
    message = desk.put("live/a.csv", b"nonsense")
    swept(desk, files=[message])
    assert desk.report(desk.receive(message))["status"] == "refused"


def test_a_file_that_is_gone_when_its_chunk_is_replayed_says_so(desk: Desk) -> None:
    message = desk.put("live/a.csv", text([row() for _ in range(4)]))
    version = desk.receive(message)
    desk.load(*desk.queued.pop(0))
    swept(desk)
    desk.delete(message)
    desk.load_all()
    report = desk.report(version)
    assert (report["error"]["code"], report["error"]["replay"]) == ("object_missing", None)
    assert report["counts"]["rows"] == 3  # those that were loaded before
    assert [told["error"]["code"] for told in desk.told] == ["rows_not_loaded", "object_missing"]


def test_the_sweep_that_is_overtaken_by_the_finish_leaves_its_report(desk: Desk) -> None:
    """The chunk is replayed and the file finished between the sweep's reading and its writing."""
    version = half_loaded(desk)
    (dead,) = desk.queued
    desk.before_put("reports/live/a.csv.json", lambda: desk.load(*dead) and None)
    swept(desk)
    for key in ("reports/live/a.csv.json", f"reports/live/a.csv.{version.version_id}.json"):
        assert json.loads(desk.read(key))["counts"]["rows"] == 7
    assert desk.files().file(version.file_id).published


def test_two_finishers_at_once_are_one(desk: Desk) -> None:
    version = desk.receive(desk.put("live/a.csv", text([*(row() for _ in range(9)), row("BAD", amount="x")])))
    *most, last = desk.queued
    for chunk in most:
        desk.load(*chunk)
    tried: list[bool] = []

    def meanwhile() -> None:
        with pytest.raises(LaterError):
            desk.load(*last)
        tried.append(True)

    desk.before_put("reports/live/a.csv.json", meanwhile)
    desk.load(*last)
    assert tried
    assert [told["status"] for told in desk.told] == [desk.report(version)["status"]]


def test_the_command_that_reports_name_is_one_of_the_makefile() -> None:
    makefile = (Path(__file__).parents[2] / "Makefile").read_text()
    for command in REPLAY.values():
        make, target, queue, apply = command.split()
        assert (make, apply) == ("make", "APPLY=1")
        assert f"\n{target}: ##" in makefile
        assert queue in {"QUEUE=FileDeadLetters", "QUEUE=ChunkDeadLetters"}


@pytest.mark.parametrize("code", sorted(REPLAY))
def test_the_clerk_is_told_not_to_upload_again(code: str) -> None:
    said = message(code, None)
    assert "لا ترفعه ثانية" in said.ar
    assert "not upload" in said.en


# ---------------------------------------------------------------------- the queues


@pytest.fixture
def queue(engine: Engine) -> Callable[[], str]:
    numbers = itertools.count(1)

    def make() -> str:
        url: str = engine.sqs.create_queue(QueueName=f"letters-{next(numbers)}-{id(numbers)}")["QueueUrl"]
        return url

    return make


def bodies(engine: Engine, url: str) -> list[str]:
    found: list[Any] = []
    while messages := engine.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        found += messages
    return sorted(message["Body"] for message in found)


def test_looking_at_dead_letters_leaves_them(engine: Engine, queue: Callable[[], str]) -> None:
    url = queue()
    for number in range(25):
        engine.sqs.send_message(QueueUrl=url, MessageBody=str(number))
    sent = sorted(map(str, range(25)))
    assert sorted(sweep.sqs_letters(engine.sqs, url)) == sent
    assert sorted(sweep.sqs_letters(engine.sqs, url)) == sent
    assert bodies(engine, url) == sent


def test_replaying_moves_every_message_once(engine: Engine, queue: Callable[[], str]) -> None:
    dead, alive = queue(), queue()
    for number in range(25):
        engine.sqs.send_message(QueueUrl=dead, MessageBody=str(number))
    assert replay_messages(engine.sqs, dead, alive) == 25
    assert bodies(engine, alive) == sorted(map(str, range(25)))
    assert bodies(engine, dead) == []
    assert replay_messages(engine.sqs, dead, alive) == 0
