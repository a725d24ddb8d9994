"""Tables as they were at one instant: restored beside the live ones, and copied back into them.

RestoreTableToPointInTime makes a new table of another name, without stream, TTL, point-in-time recovery, protection and
tags; those are put back here. Functions, streams and alarms stay with the live table: so what differs is copied into
that, and what it should not hold is deleted from it.
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_RestoreTableToPointInTime.html
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from infra.operator.deployment import Deployment
from shared.aws_json import AwsError, Json
from shared.stores.items import Item, batch_get, pages

COMPANIONS: Final = (
    frozenset({"Violations", "Payments", "Settlements", "Messages", "Files"}),
    frozenset({"Citizens", "Registry"}),
)
"""Tables that are written together: at different instants they contradict one another."""
SEGMENTS: Final = 8
WRITTEN: Final = "written"
DELETED: Final = "deleted"
LOOKED_AT: Final = "looked at"
DONE: Final = (LOOKED_AT, WRITTEN, DELETED)
_AT_ONCE: Final = 25
"""Actions of one BatchWriteItem."""
_ATTEMPTS: Final = 10
_WAIT: Final = 20.0
"""Seconds between two looks at tables that are being restored, which takes hours where they are large."""

Sleep = Callable[[float], None]


class RestoreError(Exception):
    """Tables are not to be restored so, or copied back; the message says why."""


def name_of(live: str, at: datetime) -> str:
    """Return the name of the table that a live one is restored into: by its instant, so that a second run finds it."""
    return f"{live}-at-{at.astimezone(UTC):%Y%m%dT%H%M%S}"


def check(deployment: Deployment, tables: Iterable[str], at: datetime) -> None:
    """Raise RestoreError where tables are not to be restored to an instant.

    It must be a whole second of the past to which all of them can go, and what is written together must come together.
    """
    wanted = set(tables)
    if unknown := wanted - frozenset().union(*COMPANIONS):
        raise RestoreError(f"no such table: {', '.join(sorted(unknown))}")
    for companions in COMPANIONS:
        there = {each for each in companions - wanted if _is_there(deployment, name_of(deployment.physical[each], at))}
        if wanted & companions and (missing := companions - wanted - there):
            raise RestoreError(
                f"{', '.join(sorted(wanted & companions))} to another second than {', '.join(sorted(missing))}: "
                "they are written together, so restore them together"
            )
    if at.microsecond:
        raise RestoreError("an instant is a whole second")
    for table in sorted(wanted):
        described = deployment.clients("dynamodb").describe_continuous_backups(TableName=deployment.physical[table])
        recovery = described["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
        earliest, latest = recovery["EarliestRestorableDateTime"], recovery["LatestRestorableDateTime"]
        if not earliest <= at <= latest:
            raise RestoreError(f"{table} can be restored to instants from {earliest} to {latest}")


def restore(deployment: Deployment, tables: Sequence[str], at: datetime, sleep: Sleep = time.sleep) -> None:
    """Restore tables to one instant, each beside the live one, and wait until they stand as those do.

    Harmless to do again: what is restored already is not restored once more.
    """
    dynamodb = deployment.clients("dynamodb")
    names = {deployment.physical[table]: name_of(deployment.physical[table], at) for table in tables}
    for live, restored in names.items():
        if not _is_there(deployment, restored):
            dynamodb.restore_table_to_point_in_time(
                SourceTableName=live, TargetTableName=restored, RestoreDateTime=at, UseLatestRestorableTime=False
            )
    for live, restored in names.items():
        _await(dynamodb, restored, sleep)
        _furnish(dynamodb, live, restored, sleep)


def _furnish(dynamodb: Any, live: str, restored: str, sleep: Sleep) -> None:
    """Give a restored table what a restore does not bring: all as the live one has it."""
    like, made = (dynamodb.describe_table(TableName=name)["Table"] for name in (live, restored))
    stream = like.get("StreamSpecification", {})
    if stream.get("StreamEnabled") and not made.get("StreamSpecification", {}).get("StreamEnabled"):
        dynamodb.update_table(TableName=restored, StreamSpecification=stream)
        _await(dynamodb, restored, sleep)
    forgets, does = (
        dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"] for name in (live, restored)
    )
    if "AttributeName" in forgets and forgets.get("AttributeName") != does.get("AttributeName"):
        specification = {"Enabled": True, "AttributeName": forgets["AttributeName"]}
        dynamodb.update_time_to_live(TableName=restored, TimeToLiveSpecification=specification)
    dynamodb.update_continuous_backups(
        TableName=restored, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    tags = dynamodb.list_tags_of_resource(ResourceArn=like["TableArn"]).get("Tags", [])
    if own := [tag for tag in tags if not tag["Key"].startswith("aws:")]:
        dynamodb.tag_resource(ResourceArn=made["TableArn"], Tags=own)
    if like.get("DeletionProtectionEnabled"):
        dynamodb.update_table(TableName=restored, DeletionProtectionEnabled=True)
        _await(dynamodb, restored, sleep)


def _await(dynamodb: Any, table: str, sleep: Sleep) -> None:
    while dynamodb.describe_table(TableName=table)["Table"]["TableStatus"] != "ACTIVE":
        sleep(_WAIT)


def _is_there(deployment: Deployment, name: str) -> bool:
    dynamodb = deployment.clients("dynamodb")
    try:
        dynamodb.describe_table(TableName=name)
    except dynamodb.exceptions.ResourceNotFoundException:
        return False
    return True


# ---------------------------------------------------------------------- copying back


def copy_back(deployment: Deployment, tables: Sequence[str], at: datetime) -> Iterator[tuple[str, Counter[str]]]:
    """Make live tables what the restored ones hold: write what differs, delete what is not there; by segments.

    Yields each table with what was done. Broken off, it is given again: what agrees already costs a read. Whatever
    writes these tables must be stopped meanwhile. Raises RestoreError where one of them, or of its companions, is not
    restored to that instant.
    """
    check_restored(deployment, tables, at)
    for table in tables:
        live = deployment.physical[table]
        restored = name_of(live, at)
        described = deployment.clients("dynamodb").describe_table(TableName=live)["Table"]
        key = tuple(one["AttributeName"] for one in described["KeySchema"])
        with ThreadPoolExecutor(SEGMENTS) as pool:
            puts = pool.map(partial(_put_segment, deployment, restored, live, key), range(SEGMENTS))
            counts = sum(puts, Counter[str]())
            deletes = pool.map(partial(_delete_segment, deployment, restored, live, key), range(SEGMENTS))
            counts += sum(deletes, Counter[str]())
        yield table, counts


def check_restored(deployment: Deployment, tables: Iterable[str], at: datetime) -> None:
    """Raise RestoreError where tables, or what is written together with them, are not restored to an instant."""
    wanted = set(tables)
    needed = wanted.union(*(companions for companions in COMPANIONS if companions & wanted))
    absent = [each for each in sorted(needed) if not _is_there(deployment, name_of(deployment.physical[each], at))]
    if absent:
        raise RestoreError(f"not restored to that second: {', '.join(absent)}")


def _put_segment(deployment: Deployment, restored: str, live: str, key: Sequence[str], segment: int) -> Counter[str]:
    counts = Counter[str]()
    for items in _scan(deployment, restored, segment):
        counts[LOOKED_AT] += len(items)
        there = {_of(key, item): item for item in batch_get(deployment.call, live, [_key(key, item) for item in items])}
        differing = [item for item in items if there.get(_of(key, item)) != item]
        _write(deployment, live, [{"PutRequest": {"Item": item}} for item in differing])
        counts[WRITTEN] += len(differing)
    return counts


def _delete_segment(deployment: Deployment, restored: str, live: str, key: Sequence[str], segment: int) -> Counter[str]:
    counts = Counter[str]()
    for items in _scan(deployment, live, segment):
        keys = [_key(key, item) for item in items]
        there = {_of(key, item) for item in batch_get(deployment.call, restored, keys)}
        gone = [each for each in keys if _of(key, each) not in there]
        _write(deployment, live, [{"DeleteRequest": {"Key": each}} for each in gone])
        counts[DELETED] += len(gone)
    return counts


def _scan(deployment: Deployment, table: str, segment: int) -> Iterator[list[Item]]:
    request: Json = {"TableName": table, "Segment": segment, "TotalSegments": SEGMENTS, "ConsistentRead": True}
    for page in pages(deployment.call, "Scan", request):
        yield page["Items"]


def _key(names: Sequence[str], item: Item) -> Item:
    return {name: item[name] for name in names}


def _of(names: Sequence[str], item: Item) -> tuple[str, ...]:
    return tuple(item[name]["S"] for name in names)


def _write(deployment: Deployment, table: str, requests: Sequence[Json]) -> None:
    """Write any number of requests, again what is left unprocessed. Raises AwsError where some stay so."""
    for start in range(0, len(requests), _AT_ONCE):
        left: Json = {table: list(requests[start : start + _AT_ONCE])}
        for attempt in range(_ATTEMPTS):
            left = deployment.call("dynamodb", "BatchWriteItem", {"RequestItems": left}).get("UnprocessedItems") or {}
            if not left:
                break
            time.sleep(random.uniform(0, 0.05 * 2**attempt))  # noqa: S311 (jitter, not a secret)
        else:
            raise AwsError("ProvisionedThroughputExceededException", "items stay unwritten")
