"""What the operator does by hand: ``python -m infra.operator COMMAND --stack NAME``.

``set-sms-attributes`` once after a deployment; ``replay-records`` once what made stream records fail is mended,
``replay-files`` once what made files fail is. AWS is reached with the credentials, Region and endpoint of the
environment, as with any AWS client.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import boto3
from botocore.config import Config

Clients = Callable[[str], Any]

# A function that is invoked again by an impatient client would run twice at once.
_PATIENT = Config(read_timeout=910, retries={"total_max_attempts": 1})


class Replayed(NamedTuple):
    """How many objects of failed records went through, and which did not: key and why."""

    done: int
    left: list[tuple[str, str]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code: 1 where something is left to do."""
    parser = argparse.ArgumentParser(prog="python -m infra.operator", description="What the operator does by hand.")
    commands = parser.add_subparsers(dest="command", required=True)
    replay = commands.add_parser("replay-records", help="give failed stream records to their function again")
    replay.add_argument("--prefix", default="", help="only objects whose key begins so")
    files = commands.add_parser("replay-files", help="put files and chunks that ran out of tries on their queues again")
    attributes = commands.add_parser("set-sms-attributes", help="make SNS write delivery logs of every SMS")
    for each in (replay, files, attributes):
        each.add_argument("--stack", required=True, help="name of the deployed stack")
    options = parser.parse_args(arguments)

    def clients(service: str) -> Any:
        return boto3.client(service, config=_PATIENT)

    outputs = _outputs(clients, options.stack)
    if options.command == "set-sms-attributes":
        set_sms_attributes(clients, outputs["SmsDeliveryRoleArn"])
        return 0
    if options.command == "replay-files":
        print(
            f"{replay_files(clients, options.stack)} messages are on their queues again; the files' reports will tell"
        )
        return 0
    replayed = replay_records(clients, outputs["FailedRecordsBucket"], options.prefix)
    print(f"{replayed.done} replayed, {len(replayed.left)} left")
    for key, reason in replayed.left:
        print(f"{key}: {reason}", file=sys.stderr)
    return 1 if replayed.left else 0


def set_sms_attributes(clients: Clients, role_arn: str) -> None:
    """Let SNS write a delivery log of every SMS, and send as Transactional by default.

    CloudFormation knows no such resource. The attributes are the account's in this Region.
    https://docs.aws.amazon.com/sns/latest/api/API_SetSMSAttributes.html
    """
    attributes = {
        "DeliveryStatusIAMRole": role_arn,
        "DeliveryStatusSuccessSamplingRate": "100",
        "DefaultSMSType": "Transactional",
    }
    clients("sns").set_sms_attributes(attributes=attributes)


def replay_records(clients: Clients, bucket: str, prefix: str = "") -> Replayed:
    """Invoke, object by object, the function that could not take its records, with all of them.

    An object is deleted once the function took every record of it. One that a function refuses, or that is not Lambda's
    record of a failed batch, stays as it is. Repeats are harmless to the functions.
    """
    s3, done, left = clients("s3"), 0, []
    for key in _keys(s3, bucket, prefix):
        try:
            failed = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
            function, payload = failed["requestContext"]["functionArn"], failed["payload"].encode()
        except (ValueError, LookupError, TypeError, AttributeError):
            left.append((key, "not a record of a failed batch"))
            continue
        refusal = _refusal(clients("lambda").invoke(FunctionName=function, Payload=payload))
        if refusal:
            left.append((key, refusal))
        else:
            s3.delete_object(Bucket=bucket, Key=key)
            done += 1
    return Replayed(done, left)


def replay_files(clients: Clients, stack: str) -> int:
    """Let files that failed go on: put their dead letters back on the queues they came from. Returns how many."""
    pages = clients("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    urls = {
        one["LogicalResourceId"]: one["PhysicalResourceId"] for page in pages for one in page["StackResourceSummaries"]
    }
    pairs = (("FileDeadLetters", "FileQueue"), ("ChunkDeadLetters", "ChunkQueue"))
    return sum(replay_messages(clients("sqs"), urls[dead], urls[alive]) for dead, alive in pairs)


def replay_messages(sqs: Any, dead_url: str, queue_url: str) -> int:
    """Move every message from one queue to another; one that is cut off between comes twice, which harms nothing."""
    moved = 0
    while messages := sqs.receive_message(QueueUrl=dead_url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages"):
        for message in messages:
            sqs.send_message(QueueUrl=queue_url, MessageBody=message["Body"])
            sqs.delete_message(QueueUrl=dead_url, ReceiptHandle=message["ReceiptHandle"])
            moved += 1
    return moved


def _refusal(answer: Mapping[str, Any]) -> str | None:
    """Why an invocation did not take all of its records, or None."""
    if answer.get("FunctionError"):
        return "the function failed"
    body = json.loads(answer["Payload"].read()) or {}
    failures = body.get("batchItemFailures") or []
    return f"{len(failures)} records refused" if failures else None


def _keys(s3: Any, bucket: str, prefix: str) -> Iterator[str]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", []):
            yield item["Key"]


def _outputs(clients: Clients, stack: str) -> dict[str, str]:
    described = clients("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}


if __name__ == "__main__":
    sys.exit(main())
