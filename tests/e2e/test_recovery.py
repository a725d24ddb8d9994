"""What is killed comes back: rows are all there, and nobody hears twice."""

from __future__ import annotations

import os
import secrets
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.e2e import files
from tests.support.cloud import Cloud, wait_for

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("cloud")]


class Killer(threading.Thread):
    """Kills the process of a function once, in the middle of an invocation: its log says START and not yet END."""

    def __init__(self, cloud: Cloud, function: str, handler: str) -> None:
        super().__init__(daemon=True)
        self._cloud = cloud
        self._log = cloud.state / "logs" / "functions" / f"{function}.log"
        self._handler = handler
        self._before = self._open_invocations()
        self.killed = False
        self.stopped = threading.Event()

    def _open_invocations(self) -> int:
        if not self._log.exists():
            return 0
        lines = self._log.read_text().splitlines()
        return sum(line.startswith("START ") for line in lines) - sum(line.startswith("END ") for line in lines)

    def run(self) -> None:
        while not self.stopped.wait(0.003):
            if self._open_invocations() <= self._before:
                continue
            for pid in self._cloud.function_processes(self._handler):
                os.kill(pid, signal.SIGKILL)
                self.killed = True
            if self.killed:
                return


def test_a_function_killed_in_the_middle_of_a_load_loses_no_row(cloud: Cloud) -> None:
    rows = [files.row(files.plate_number()) for _ in range(3000)]
    killer = Killer(cloud, "IngestLoadChunk", "ingest.load_chunk.handler")
    killer.start()
    version = cloud.upload("backlog/killed.csv", files.csv(rows))

    report = cloud.report("backlog/killed.csv", version, within=150)

    killer.stopped.set()
    assert killer.killed
    assert report["counts"]["inserted"] == 3000
    assert report["counts"]["rows"] == 3000


def test_a_function_killed_between_stream_and_sms_tells_everybody_once(cloud: Cloud) -> None:
    phones = [files.phone() for _ in range(12)]
    number = files.plate_number()
    for phone in phones:
        token = cloud.token(f"ur-{secrets.token_hex(6)}", phone)
        body = {"plate": f"بغداد ز {number}", "relation": "family", "notify": True}
        assert cloud.request("POST", "/v1/vehicles", body, token=token).status == 201
    killer = Killer(cloud, "NotifyOnViolation", "notify.on_violation.handler")
    killer.start()
    cloud.upload(f"live/{number}-killed.csv", files.csv([files.row(number)]))

    wait_for(lambda: all(cloud.sms(phone) for phone in phones), 60, "every follower's SMS")

    killer.stopped.set()
    assert killer.killed
    assert [len(cloud.sms(phone)) for phone in phones] == [1] * len(phones)


@pytest.fixture
def laid_aside(cloud: Cloud) -> Iterator[Callable[[], list[str]]]:
    """The keys of what lies in the bucket of failed records; emptied in the end."""
    s3, bucket = cloud.aws("s3"), cloud.outputs()["FailedRecordsBucket"]

    def keys() -> list[str]:
        return [each["Key"] for each in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]

    yield keys
    for key in keys():
        s3.delete_object(Bucket=bucket, Key=key)


def test_a_record_that_nobody_can_read_is_laid_aside(cloud: Cloud, laid_aside: Callable[[], list[str]]) -> None:
    assert cloud.stack is not None
    dynamodb, table = cloud.aws("dynamodb"), cloud.stack["tables"]["Violations"]
    key = {"pk": {"S": f"poison-{secrets.token_hex(4)}"}}
    dynamodb.put_item(TableName=table, Item={**key, "tell": {"S": "opened"}, "plate": {"S": "no plate"}})
    try:
        (kept,) = wait_for(laid_aside, 30, "the record in the bucket")
        assert kept.startswith("laid-aside/")
    finally:
        dynamodb.delete_item(TableName=table, Key=key)


def ask(cloud: Cloud) -> tuple[str, str]:
    """Somebody asks by SMS; their sub and phone."""
    sub, phone = f"ur-{secrets.token_hex(6)}", files.phone()
    body = {"plate": f"بغداد ز {files.plate_number()}"}
    assert cloud.request("POST", "/v1/queries", body, token=cloud.token(sub, phone)).status == 200
    return sub, phone


def test_a_message_that_never_reached_the_queue_is_swept_up(cloud: Cloud, laid_aside: Callable[[], list[str]]) -> None:
    with cloud.denied("notify.on_message.handler", "sqs:SendMessage*"):
        _, phone = ask(cloud)
        wait_for(laid_aside, 90, "the record was given up")
    cloud.invoke("notify.sweep.handler")
    assert len(wait_for(lambda: cloud.sms(phone), 20, "the SMS")) == 1


def test_an_sms_that_no_provider_took_is_sent_later(cloud: Cloud) -> None:
    assert cloud.stack is not None
    dynamodb, table = cloud.aws("dynamodb"), cloud.stack["tables"]["Messages"]
    with cloud.denied("notify.send_sms.handler", "sns:Publish"):
        sub, phone = ask(cloud)

        def waiting() -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = dynamodb.query(
                TableName=table,
                IndexName="ByCitizen",
                KeyConditionExpression="#sub = :sub",
                FilterExpression="#status = :waiting AND attempts = :one",
                ExpressionAttributeNames={"#sub": "sub", "#status": "status"},
                ExpressionAttributeValues={":sub": {"S": sub}, ":waiting": {"S": "waiting"}, ":one": {"N": "1"}},
            )["Items"]
            return found

        (message,) = wait_for(waiting, 30, "the SMS was tried")
    dynamodb.update_item(
        TableName=table,
        Key={"pk": message["pk"]},
        UpdateExpression="SET not_before = :now",
        ExpressionAttributeValues={":now": message["created_at"]},
    )
    cloud.invoke("notify.sweep.handler")
    assert len(wait_for(lambda: cloud.sms(phone), 20, "the SMS")) == 1
