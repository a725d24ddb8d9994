"""What is saved of the emulator, when, and what is said where that fails."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from infra.local.aws.emulator import SaveError
from infra.local.aws.saving import changes, write_states
from infra.local.aws.snapshots import Snapshots
from infra.local.saver import Saver
from infra.local.untaken import notify_again

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def fill(text: str) -> Any:
    return lambda folder: (folder / "one.json").write_text(text)


def kept(snapshots: Snapshots) -> tuple[str, list[str]]:
    """The newest state, and all that lies beside it."""
    return (snapshots.newest / "one.json").read_text(), sorted(
        each.name for each in snapshots.folder.iterdir() if not each.is_symlink()
    )


def test_the_newest_state_is_kept_alone(tmp_path: Path) -> None:
    snapshots = Snapshots(tmp_path / "saved")
    assert snapshots.saved_at is None

    for text in ("first", "second"):
        snapshots.write(fill(text))

    text, folders = kept(snapshots)
    assert (text, folders) == ("second", [os.readlink(snapshots.newest)])
    assert snapshots.saved_at is not None
    assert abs(snapshots.saved_at - datetime.now(UTC)).total_seconds() < 60


def test_a_disk_that_is_full_leaves_the_state_before_whole(tmp_path: Path) -> None:
    snapshots = Snapshots(tmp_path)
    snapshots.write(fill("before"))
    before = kept(snapshots)

    def full(folder: Path) -> None:
        (folder / "two.json").symlink_to("/dev/full")
        write_states(folder, [("one", {"a": 1}), ("two", {"b": 2})], repr)

    with pytest.raises(OSError, match="No space left on device"):
        snapshots.write(full)

    assert kept(snapshots) == before


def test_what_a_write_cut_off_left_goes_with_the_next(tmp_path: Path) -> None:
    snapshots = Snapshots(tmp_path)
    (tmp_path / "1").mkdir()
    (tmp_path / "next").symlink_to("1")

    snapshots.write(fill("whole"))

    assert kept(snapshots) == ("whole", [os.readlink(snapshots.newest)])


@pytest.mark.parametrize(
    ("method", "target", "changed"),
    [
        ("GET", "", False),
        ("HEAD", "", False),
        ("PUT", "", True),
        ("POST", "", True),
        ("POST", "DynamoDB_20120810.PutItem", True),
        ("POST", "DynamoDB_20120810.TransactWriteItems", True),
        ("POST", "DynamoDB_20120810.BatchGetItem", False),
        ("POST", "DynamoDBStreams_20120810.GetRecords", False),
        ("POST", "AmazonSQS.SendMessage", True),
        ("POST", "AmazonSQS.ReceiveMessage", True),
    ],
)
def test_a_request_that_only_reads_is_no_reason_to_save(method: str, target: str, changed: bool) -> None:
    scope = {"type": "http", "method": method, "headers": [(b"x-amz-target", target.encode())] if target else []}

    assert changes(scope) is changed


def test_a_failure_is_said_once_and_so_is_its_end() -> None:
    outcomes = [None, "No space left on device", "No space left on device", None, None]
    said: list[str] = []

    def save() -> None:
        if reason := outcomes.pop(0):
            raise SaveError(reason)

    saver = Saver(save, lambda: NOW, 1, said.append)
    while outcomes:
        saver.save()

    at = f"{NOW.astimezone():%H:%M:%S}"
    assert said == [
        f"The state cannot be saved: No space left on device. What was saved at {at} is kept. It is tried again",
        "The state is saved again",
    ]


class Aws:
    """As much of the clients as is asked: versions in a bucket, entries of a ledger, what the queues got."""

    def __init__(self, versions: list[tuple[str, str, int]], entered: list[str]) -> None:
        self.sent: list[tuple[str, str]] = []
        rules = {"live/": "files", "registry/": "files", "settlements-ack/": "acknowledgements"}
        pages = {
            "list_object_versions": {
                "Versions": [
                    {"Key": key, "VersionId": version, "Size": 1, "ETag": '"e"', "LastModified": NOW.replace(hour=hour)}
                    for key, version, hour in versions
                ]
            },
            "scan": {"Items": [{"bucket": {"S": "b"}, "key": {"S": one}, "version_id": {"S": "1"}} for one in entered]},
        }
        self.get_paginator = lambda name: SimpleNamespace(paginate=lambda **_: [pages[name]])
        self.get_bucket_notification_configuration = lambda **_: {
            "QueueConfigurations": [
                {"QueueArn": queue, "Filter": {"Key": {"FilterRules": [{"Name": "Prefix", "Value": prefix}]}}}
                for prefix, queue in rules.items()
            ]
        }
        self.get_queue_url = lambda QueueName: {"QueueUrl": QueueName}  # noqa: N803
        self.send_message = lambda QueueUrl, MessageBody: self.sent.append((QueueUrl, MessageBody))  # noqa: N803

    def get(self, service: str) -> Aws:
        return self


def test_uploads_that_nobody_has_taken_are_notified_again_in_their_order() -> None:
    from ingest.on_file import versions

    aws = Aws(
        [
            ("live/a b.csv", "2", 11),
            ("live/a b.csv", "1", 10),
            ("registry/taken.csv", "1", 10),
            ("reports/ours.json", "1", 13),
            ("settlements-ack/old.csv", "1", 11),
            ("settlements-ack/new.csv", "1", 13),
        ],
        entered=["registry/taken.csv"],
    )

    count = notify_again(aws, "b", "Files", "files", NOW)  # type: ignore[arg-type]

    told = [(queue, version) for queue, body in aws.sent for version in versions(body)]
    assert count == len(told) == 3
    assert [(queue, version.key, version.version_id) for queue, version in told] == [
        ("files", "live/a b.csv", "1"),
        ("files", "live/a b.csv", "2"),
        ("acknowledgements", "settlements-ack/new.csv", "1"),
    ]
    orders = [version.order for _, version in told]
    assert orders == sorted(set(orders))
