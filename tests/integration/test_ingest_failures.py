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
from shared.domain.file import FileStatus, FileVersion
from tests.support.aws import Engine, Tables
from tests.support.ingesting import Ingest, row, text


@pytest.fixture
def ingest(engine: Engine, tables: Tables, monkeypatch: pytest.MonkeyPatch) -> Ingest:
    """An ingest path whose files are cut every three rows."""
    monkeypatch.setattr(chunking, "MAX_CHUNK_ROWS", 3)
    return Ingest(engine, tables)


def forbid(ingest: Ingest, operation: str) -> Callable[[], None]:
    """Take a right away, as a wrong policy would; returns what gives it back."""
    allowed = ingest.call

    def denied(service: str, asked: str, request: Json) -> Json:
        if asked == operation:
            raise AwsError("AccessDeniedException", "")
        return allowed(service, asked, request)

    def mend() -> None:
        ingest.call = allowed

    ingest.call = denied
    return mend


def swept(ingest: Ingest, *, files: list[str] | None = None) -> None:
    """A run of the sweep, with what the queue holds dead: chunks that ran out of tries, and these files' messages."""
    chunks = [json.dumps({"file": file_id, **chunk._asdict()}) for file_id, chunk in ingest.queued]
    sweep.sweep(sweep.Ports(ingest.ending_ports(), lambda: files or [], lambda: chunks, ingest.clock))


def half_loaded(ingest: Ingest) -> FileVersion:
    """Seven rows in three chunks, of which the second died."""
    version = ingest.receive(ingest.put("live/a.csv", text([*(row() for _ in range(6)), row("BAD", amount="x")])))
    first, second, third = ingest.queued
    mend = forbid(ingest, "TransactWriteItems")
    with pytest.raises(AwsError):
        ingest.load(*second)
    mend()
    ingest.load(*first)
    ingest.load(*third)
    ingest.queued = [second]
    return version


def test_a_file_whose_chunk_died_has_failed_and_says_how_to_go_on(ingest: Ingest) -> None:
    version = half_loaded(ingest)
    swept(ingest)
    report = ingest.report(version)
    assert report["status"] == ingest.files().file(version.file_id).state == FileStatus.FAILED
    assert report["counts"] == {"rows": 4, "inserted": 3, "updated": 0, "unchanged": 0, "stale": 0, "rejected": 1}
    error = report["error"]
    assert (error["code"], error["value"]) == ("rows_not_loaded", "3")
    assert error["replay"] == REPLAY["rows_not_loaded"]
    assert error["message"].endswith(": 3")
    assert json.loads(ingest.read("reports/live/a.csv.json")) == report
    assert error["replay"] in ingest.read("reports/live/a.csv.html").decode()
    assert ingest.told == [report]


def test_a_dead_letter_of_a_file_that_nobody_knows_holds_up_no_other(ingest: Ingest) -> None:
    version = half_loaded(ingest)
    ((_, chunk),) = ingest.queued
    ingest.queued.insert(0, ("unknown", chunk))
    with pytest.raises(RuntimeError, match="1 files"):
        swept(ingest)
    assert ingest.report(version)["status"] == FileStatus.FAILED


def test_once_its_chunk_is_replayed_the_report_is_right(ingest: Ingest) -> None:
    version = half_loaded(ingest)
    swept(ingest)
    ingest.load_all()
    report = ingest.report(version)
    assert report["status"] == "loaded_with_many_rejects"
    assert report["counts"] == {"rows": 7, "inserted": 6, "updated": 0, "unchanged": 0, "stale": 0, "rejected": 1}
    assert report["error"] is None
    assert json.loads(ingest.read("reports/live/a.csv.json")) == report
    assert [bad["violation_no"] for bad in ingest.rejected("live/a.csv")] == ["BAD"]
    assert [told["status"] for told in ingest.told] == [FileStatus.FAILED, "loaded_with_many_rejects"]


def test_every_further_sweep_says_nothing_new(ingest: Ingest) -> None:
    half_loaded(ingest)
    swept(ingest)
    written = ingest.objects()
    swept(ingest)
    swept(ingest)
    assert ingest.objects() == written
    assert len(ingest.told) == 1


def test_chunks_that_come_in_after_the_failure_are_counted_without_telling_again(ingest: Ingest) -> None:
    version = ingest.receive(ingest.put("live/a.csv", text([row() for _ in range(9)])))
    first, *dead = ingest.queued
    ingest.queued = dead
    swept(ingest)
    assert ingest.report(version)["counts"]["rows"] == 0
    ingest.load(*first)
    swept(ingest)
    assert ingest.report(version)["counts"]["rows"] == 3
    assert ingest.report(version)["error"]["value"] == "6"
    assert len(ingest.told) == 1


def test_a_message_that_lies_dead_although_its_chunk_was_loaded_fails_nothing(ingest: Ingest) -> None:
    version = ingest.receive(ingest.put("live/a.csv", text([row() for _ in range(5)])))
    first, second = ingest.queued
    ingest.load(*first)
    ingest.queued = [first]
    swept(ingest)
    assert ingest.files().file(version.file_id).state == "loading"
    ingest.queued = [second]
    ingest.load_all()
    ingest.queued = [first, second]
    swept(ingest)
    assert ingest.report(version)["status"] == "loaded"


def test_a_file_that_only_could_not_be_finished_has_failed_until_it_is(ingest: Ingest) -> None:
    version = ingest.receive(ingest.put("live/a.csv", text([row()])))
    (chunk,) = ingest.queued
    mend = forbid(ingest, "Query")
    with pytest.raises(AwsError):
        ingest.load(*chunk)
    mend()
    swept(ingest)
    assert ingest.report(version)["error"]["value"] == "0"
    ingest.wait(61)
    ingest.load_all()
    assert ingest.report(version)["status"] == "loaded"


def test_a_file_that_could_not_be_read_has_failed_until_it_is(ingest: Ingest) -> None:
    message = ingest.put("live/a.csv", text([row() for _ in range(4)]))
    mend = forbid(ingest, "UpdateItem")
    with pytest.raises(AwsError):
        ingest.receive(message)
    mend()
    swept(ingest, files=[message, "not ours"])
    (error,) = [told["error"] for told in ingest.told]
    assert (error["code"], error["replay"]) == ("file_not_read", REPLAY["file_not_read"])

    version = ingest.receive(message)
    assert ingest.files().file(version.file_id).state == "loading"
    ingest.load_all()
    assert ingest.report(version)["counts"]["inserted"] == 4
    assert [told["status"] for told in ingest.told] == [FileStatus.FAILED, "loaded"]


def test_a_file_that_was_never_entered_is_entered_as_failed(ingest: Ingest) -> None:
    message = ingest.put("live/a.csv", text([row()]))
    swept(ingest, files=[message])
    assert json.loads(ingest.read("reports/live/a.csv.json"))["error"]["code"] == "file_not_read"
    ingest.receive(message)
    ingest.load_all()
    assert json.loads(ingest.read("reports/live/a.csv.json"))["status"] == "loaded"


def test_a_file_that_is_refused_when_it_is_read_after_all_is_refused(ingest: Ingest) -> None:
    message = ingest.put("live/a.csv", b"nonsense")
    swept(ingest, files=[message])
    assert ingest.report(ingest.receive(message))["status"] == "refused"


def test_a_file_that_is_gone_when_its_chunk_is_replayed_says_so(ingest: Ingest) -> None:
    message = ingest.put("live/a.csv", text([row() for _ in range(4)]))
    version = ingest.receive(message)
    ingest.load(*ingest.queued.pop(0))
    swept(ingest)
    ingest.delete(message)
    ingest.load_all()
    report = ingest.report(version)
    assert (report["error"]["code"], report["error"]["replay"]) == ("object_missing", None)
    assert report["counts"]["rows"] == 3  # those that were loaded before
    assert [told["error"]["code"] for told in ingest.told] == ["rows_not_loaded", "object_missing"]


def test_the_sweep_that_is_overtaken_by_the_finish_leaves_its_report(ingest: Ingest) -> None:
    """The chunk is replayed and the file finished between the sweep's reading and its writing."""
    version = half_loaded(ingest)
    (dead,) = ingest.queued
    ingest.before_put("reports/live/a.csv.json", lambda: ingest.load(*dead) and None)
    swept(ingest)
    for key in ("reports/live/a.csv.json", f"reports/live/a.csv.{version.version_id}.json"):
        assert json.loads(ingest.read(key))["counts"]["rows"] == 7
    assert ingest.files().file(version.file_id).published


def test_two_finishers_at_once_are_one(ingest: Ingest) -> None:
    version = ingest.receive(ingest.put("live/a.csv", text([*(row() for _ in range(9)), row("BAD", amount="x")])))
    *most, last = ingest.queued
    for chunk in most:
        ingest.load(*chunk)
    tried: list[bool] = []

    def meanwhile() -> None:
        with pytest.raises(LaterError):
            ingest.load(*last)
        tried.append(True)

    ingest.before_put("reports/live/a.csv.json", meanwhile)
    ingest.load(*last)
    assert tried
    assert [told["status"] for told in ingest.told] == [ingest.report(version)["status"]]


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
