"""A right that is missing kills a chunk: the file has failed and says so; with the right back, a replay finishes it."""

from __future__ import annotations

import gzip
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from shared.domain.file import FileVersion
from tests.e2e import files
from tests.support.cloud import Cloud, wait_for

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("cloud")]
STACK = "gharama"


@contextmanager
def hasty_chunks(cloud: Cloud) -> Iterator[None]:
    """The queue of chunks with two tries a second apart, so that what dies dies soon."""
    assert cloud.stack is not None
    sqs, queues = cloud.aws("sqs"), cloud.stack["queues"]
    names = ["VisibilityTimeout", "RedrivePolicy"]
    before = sqs.get_queue_attributes(QueueUrl=queues["ChunkQueue"], AttributeNames=names)["Attributes"]
    policy = json.dumps({**json.loads(before["RedrivePolicy"]), "maxReceiveCount": 2})
    hasty = {"VisibilityTimeout": "1", "RedrivePolicy": policy}
    sqs.set_queue_attributes(QueueUrl=queues["ChunkQueue"], Attributes=hasty)
    try:
        yield
    finally:
        sqs.set_queue_attributes(QueueUrl=queues["ChunkQueue"], Attributes=before)


@pytest.fixture
def operators_mail(cloud: Cloud) -> str:
    """A queue that hears what the operator's topic says."""
    sqs, described = cloud.aws("sqs"), cloud.aws("cloudformation").describe_stacks(StackName=STACK)
    outputs = {one["OutputKey"]: one["OutputValue"] for one in described["Stacks"][0]["Outputs"]}
    url: str = sqs.create_queue(QueueName=f"mail-{secrets.token_hex(4)}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = outputs["OperatorTopicArn"]
    allowed = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    cloud.aws("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return url


def mail(cloud: Cloud, url: str, key: str) -> str:
    """The next mail about a file, once it is there."""

    def found() -> list[str]:
        messages = cloud.aws("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        texts: list[str] = [json.loads(message["Body"])["Message"] for message in messages]
        return [text for text in texts if key in text]

    (text,) = wait_for(found, 20, "a mail to the operator")
    return text


def run(cloud: Cloud, command: str) -> str:
    """What a command says that succeeds."""
    done = cloud.operate(command)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def depth(cloud: Cloud, url: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = cloud.aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(attributes[name]) for name in names)


def test_a_dead_chunk_is_told_kept_and_replayed(cloud: Cloud, operators_mail: str) -> None:
    assert cloud.stack is not None
    dead_letters = cloud.stack["queues"]["ChunkDeadLetters"]
    clerk = cloud.token(f"clerk-{secrets.token_hex(4)}", "", scope="directorate")
    content = files.csv([files.row(files.plate_number()) for _ in range(30)])
    asked = {"origin": "backlog", "format": "csv", "encoding": "utf-8", "size": len(content)}
    form = cloud.request("POST", "/v1/uploads", asked, token=clerk).body
    key = form["fields"]["key"]
    with hasty_chunks(cloud), cloud.denied("ingest.load_chunk.handler", "dynamodb:PutItem"):
        version = cloud.upload(key, content)
        failed = cloud.report(key, version, within=150)

    assert (failed["status"], failed["error"]["code"]) == ("failed", "rows_not_loaded")
    assert failed["error"]["value"] == "30"
    assert depth(cloud, dead_letters) == 1
    progress = cloud.request("GET", f"/v1/uploads/{form['upload_id']}", token=clerk).body
    assert (progress["status"], progress["rows_found"], progress["rows_done"]) == ("failed", 30, 0)
    assert failed["error"]["replay"] in mail(cloud, operators_mail, key)

    assert run(cloud, f"{failed['error']['replay']} STACK={STACK}").startswith("1 ")

    def mended() -> dict[str, Any] | None:
        report = cloud.report(key, version)
        return report if report["status"] != "failed" else None

    report = wait_for(mended, 60, "the file is loaded after all")
    assert (report["status"], report["counts"]["inserted"]) == ("loaded", 30)
    assert depth(cloud, dead_letters) == 0
    progress = cloud.request("GET", f"/v1/uploads/{form['upload_id']}", token=clerk).body
    assert (progress["status"], progress["report"]) == ("loaded", report)
    assert "30 inserted" in mail(cloud, operators_mail, key)


# ---------------------------------------------------------------- a file that follows one with rejects


def rejects(cloud: Cloud, key: str) -> bytes:
    """The rejects of a file, which are somebody's work until a version of it is loaded."""
    found: bytes = wait_for(lambda: cloud.read_object(f"rejects/{key}.csv"), 20, "the rejects")
    return found


def with_rejects(cloud: Cloud, key: str) -> str:
    """Load a file, compressed, of which a row is rejected, and see that row; returns its version."""
    rows = [files.row(files.plate_number()) for _ in range(30)]
    rows.append(files.row(files.plate_number(), amount="5e4"))
    version = cloud.upload(key, gzip.compress(files.csv(rows)))
    assert cloud.report(key, version)["counts"]["rejected"] == 1
    rejects(cloud, key)
    return version


def entry(cloud: Cloud, key: str, version: str) -> dict[str, Any]:
    """Where a file stands in the ledger."""
    assert cloud.stack is not None
    file_id = FileVersion(cloud.stack["upload_bucket"], key, version, "").file_id
    return {"TableName": cloud.stack["tables"]["Files"], "Key": {"pk": {"S": f"FILE#{file_id}"}, "sk": {"S": "FILE"}}}


def arrival(cloud: Cloud, key: str, version: str, sequencer: str) -> str:
    """What S3 puts on the queue of files."""
    assert cloud.stack is not None
    stored = {"key": key, "versionId": version, "sequencer": sequencer}
    return json.dumps({"Records": [{"s3": {"bucket": {"name": cloud.stack["upload_bucket"]}, "object": stored}}]})


def test_a_refused_file_leaves_the_rejects_of_the_one_before_and_a_loaded_one_does_not(cloud: Cloud) -> None:
    key = f"backlog/{secrets.token_hex(6)}.csv.gz"
    with_rejects(cloud, key)
    before = rejects(cloud, key)
    assert cloud.report(key, cloud.upload(key, b"no,such,columns\r\n1,2,3\r\n"))["status"] == "refused"
    assert rejects(cloud, key) == before
    good = gzip.compress(files.csv([files.row(files.plate_number())]))
    assert cloud.report(key, cloud.upload(key, good))["status"] == "loaded"
    wait_for(lambda: cloud.read_object(f"rejects/{key}.csv") is None, 20, "no rejects of an older version")


def test_a_file_whose_end_was_not_told_is_told_when_its_message_comes_again(cloud: Cloud) -> None:
    assert cloud.stack is not None
    key = f"backlog/{secrets.token_hex(6)}.csv.gz"
    version = with_rejects(cloud, key)
    ledger = entry(cloud, key, version)
    dynamodb = cloud.aws("dynamodb")
    wait_for(lambda: "published" in dynamodb.get_item(**ledger)["Item"], 20, "the end is told")
    dynamodb.update_item(**ledger, UpdateExpression="REMOVE published")
    cloud.aws("s3").delete_object(Bucket=cloud.stack["upload_bucket"], Key=f"rejects/{key}.csv")

    cloud.aws("sqs").send_message(
        QueueUrl=cloud.stack["queues"]["FileQueue"], MessageBody=arrival(cloud, key, version, "0")
    )

    assert rejects(cloud, key)


def test_a_file_that_died_before_it_was_read_is_told(cloud: Cloud) -> None:
    assert cloud.stack is not None
    key, version = f"backlog/{secrets.token_hex(6)}.csv.gz", "unread"
    dead_letters = cloud.stack["queues"]["FileDeadLetters"]
    with_rejects(cloud, key)
    sqs = cloud.aws("sqs")
    sqs.send_message(QueueUrl=dead_letters, MessageBody=arrival(cloud, key, version, "F" * 16))
    try:
        cloud.invoke("ingest.sweep.handler")
        failed = cloud.report(key, version)
        assert (failed["status"], failed["error"]["code"]) == ("failed", "file_not_read")
        assert rejects(cloud, key)
        assert depth(cloud, dead_letters) == 1
    finally:
        sqs.purge_queue(QueueUrl=dead_letters)


def test_a_file_that_is_deleted_between_two_tries_has_failed(cloud: Cloud) -> None:
    assert cloud.stack is not None
    bucket, key = cloud.stack["upload_bucket"], f"backlog/{secrets.token_hex(6)}.csv"
    with cloud.denied("ingest.on_file.handler", "sqs:SendMessage*"):
        version = cloud.upload(key, files.csv([files.row(files.plate_number())]))
        ledger, dynamodb = entry(cloud, key, version), cloud.aws("dynamodb")
        wait_for(lambda: "chunks" in dynamodb.get_item(**ledger).get("Item", {}), 30, "the file was read through")
    cloud.aws("s3").delete_object(Bucket=bucket, Key=key, VersionId=version)

    cloud.aws("sqs").send_message(
        QueueUrl=cloud.stack["queues"]["FileQueue"], MessageBody=arrival(cloud, key, version, "0")
    )

    failed = cloud.report(key, version)
    assert (failed["status"], failed["error"]["code"]) == ("failed", "object_missing")
