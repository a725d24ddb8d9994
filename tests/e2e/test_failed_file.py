"""A right that is missing kills a chunk: the file has failed and says so; with the right back, a replay finishes it."""

from __future__ import annotations

import json
import os
import secrets
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.e2e import files
from tests.e2e.cloud import ROOT, Cloud, wait_for

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


@contextmanager
def denied(cloud: Cloud, role: str, action: str) -> Iterator[None]:
    """A role without a right that it needs."""
    iam, poison = cloud.aws("iam"), {"RoleName": role, "PolicyName": "poison"}
    statement = {"Effect": "Deny", "Action": action, "Resource": "*"}
    iam.put_role_policy(**poison, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    try:
        yield
    finally:
        iam.delete_role_policy(**poison)


@pytest.fixture
def load_chunk_role(cloud: Cloud) -> str:
    functions = cloud.aws("lambda").list_functions()["Functions"]
    arn: str = next(one["Role"] for one in functions if one["Handler"] == "ingest.load_chunk.handler")
    return arn.rpartition("/")[2]


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
    """Run a command as the operator does, with the credentials that `make run` prints."""
    assert cloud.stack is not None
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL": cloud.stack["aws_endpoint"],
        "AWS_REGION": cloud.stack["region"],
        "AWS_DEFAULT_REGION": cloud.stack["region"],
        "AWS_ACCESS_KEY_ID": cloud.stack["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": cloud.stack["secret_access_key"],
    }
    words = [*shlex.split(command), "--no-print-directory", f"PYTHON={sys.executable}"]
    return subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout


def depth(cloud: Cloud, url: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = cloud.aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(attributes[name]) for name in names)


def test_a_dead_chunk_is_told_kept_and_replayed(cloud: Cloud, load_chunk_role: str, operators_mail: str) -> None:
    assert cloud.stack is not None
    dead_letters = cloud.stack["queues"]["ChunkDeadLetters"]
    clerk = cloud.token(f"clerk-{secrets.token_hex(4)}", "", scope="directorate")
    content = files.csv([files.row(files.plate_number()) for _ in range(30)])
    asked = {"origin": "backlog", "format": "csv", "encoding": "utf-8", "size": len(content)}
    form = cloud.request("POST", "/v1/uploads", asked, token=clerk).body
    key = form["fields"]["key"]
    with hasty_chunks(cloud), denied(cloud, load_chunk_role, "dynamodb:PutItem"):
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
