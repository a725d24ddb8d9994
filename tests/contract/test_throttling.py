"""A table that throttles, on every engine: rows are written once it lets them, after waits that grow and differ."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from shared.aws_json import AwsError, Call, Json
from shared.domain.file import DoneChunk, FileVersion
from shared.stores.files import Files
from shared.stores.items import batch_get, transact
from shared.stores.versioned import INSERTED
from shared.stores.violations import Violations
from tests.support.aws import Engine, Tables
from tests.support.build import NOON, row, store, violation

BUSY = (
    "TransactionConflict",
    "ThrottlingError",
    "ProvisionedThroughputExceeded",
)


def cancelled(*codes: str) -> AwsError:
    return AwsError("TransactionCanceledException", "", [{"Code": code} for code in codes])


class Busy:
    """An engine of which the first calls of an operation meet a fault."""

    def __init__(self, call: Call, operation: str, fault: Callable[[Json], Json], times: int) -> None:
        self._call, self._operation, self._fault = call, operation, fault
        self.left = times
        self.waits: list[float] = []

    def __call__(self, service: str, operation: str, request: Json) -> Json:
        if operation == self._operation and self.left:
            self.left -= 1
            return self._fault(request)
        return self._call(service, operation, request)


def refuses(error: AwsError) -> Callable[[Json], Json]:
    def fault(_: Json) -> Json:
        raise error

    return fault


def leaves_all() -> Callable[[Json], Json]:
    """BatchGetItem that reads none of what it is asked, and says so."""

    def fault(request: Json) -> Json:
        return {"Responses": {}, "UnprocessedKeys": request["RequestItems"]}

    return fault


@pytest.mark.parametrize("reason", BUSY)
def test_a_busy_transaction_is_tried_again(engine: Engine, tables: Tables, reason: str) -> None:
    call = Busy(engine.fast(), "TransactWriteItems", refuses(cancelled("None", reason)), times=8)
    violations = Violations(call, tables["Violations"], sleep=call.waits.append)
    rows = [row(violation()), row(violation())]
    assert violations.write(rows) == [INSERTED, INSERTED]
    assert len(violations.get(each.violation.violation_no for each in rows)) == 2
    assert len(call.waits) >= 8 - 1
    assert len(set(call.waits)) > 1
    assert max(call.waits) < 2


def test_a_loser_beside_a_busy_row_is_decided_anew(engine: Engine, tables: Tables) -> None:
    mixed = cancelled("ConditionalCheckFailed", "TransactionConflict")
    call = Busy(engine.fast(), "TransactWriteItems", refuses(mixed), times=1)
    violations = Violations(call, tables["Violations"], sleep=call.waits.append)
    assert violations.write([row(violation()), row(violation())]) == [INSERTED, INSERTED]


def test_keys_that_stay_unread_are_asked_for_again(engine: Engine, tables: Tables) -> None:
    known = violation()
    store(Violations(engine.fast(), tables["Violations"]), known)
    call = Busy(engine.fast(), "BatchGetItem", leaves_all(), times=3)
    violations = Violations(call, tables["Violations"], sleep=call.waits.append)
    assert violations.write([row(known)]) == [INSERTED]  # by the line that inserted it
    assert len(call.waits) == 3
    assert all(wait < 0.05 * 2**at for at, wait in enumerate(call.waits, start=1))


def test_half_a_batch_is_completed(engine: Engine, tables: Tables) -> None:
    subjects = [violation() for _ in range(10)]
    store(Violations(engine.fast(), tables["Violations"]), *subjects)
    real, table = engine.fast(), tables["Violations"]
    asked: list[int] = []

    def stingy(service: str, operation: str, request: Json) -> Json:
        (wanted,) = request["RequestItems"].values()
        asked.append(len(wanted["Keys"]))
        first, rest = wanted["Keys"][:4], wanted["Keys"][4:]
        answer = real(service, operation, {"RequestItems": {table: {**wanted, "Keys": first}}})
        return {**answer, "UnprocessedKeys": {table: {**wanted, "Keys": rest}} if rest else {}}

    keys: list[Any] = [{"pk": {"S": each.violation_no}} for each in subjects]
    found = batch_get(stingy, table, keys, sleep=lambda _: None)
    assert {item["pk"]["S"] for item in found} == {each.violation_no for each in subjects}
    assert asked == [10, 6, 2]


@pytest.mark.parametrize(
    ("operation", "fault"),
    [("TransactWriteItems", refuses(cancelled("ThrottlingError"))), ("BatchGetItem", leaves_all())],
    ids=["writing", "reading"],
)
def test_a_table_that_only_throttles_is_given_up(
    engine: Engine, tables: Tables, operation: str, fault: Callable[[Json], Json]
) -> None:
    call = Busy(engine.fast(), operation, fault, times=10_000)
    violations = Violations(call, tables["Violations"], sleep=call.waits.append)
    with pytest.raises(AwsError):
        violations.write([row(violation())])
    assert 5 <= len(call.waits) < 200
    assert sum(call.waits) < 60


def test_a_chunk_is_counted_once_however_busy_its_file_is(engine: Engine, tables: Tables) -> None:
    """A hundred runs end at once, and all add to the one item of their file."""
    files = Files(engine.fast(), tables["Files"])
    version = FileVersion("b", "live/a.csv", "v", "1")
    files.claim(version, NOON)
    counts = {"inserted": 2, "updated": 0, "unchanged": 0, "stale": 0, "rejected": 0}
    busy = Busy(engine.fast(), "TransactWriteItems", refuses(cancelled("None", "TransactionConflict")), times=2)
    assert Files(busy, tables["Files"]).chunk_done(version.file_id, DoneChunk(1, counts, "{}"), NOON)
    assert not files.chunk_done(version.file_id, DoneChunk(1, counts, "{}"), NOON)
    assert files.file(version.file_id).rows_done == 2


def test_what_is_no_throttling_is_not_tried_again(engine: Engine) -> None:
    call = Busy(engine.fast(), "TransactWriteItems", refuses(AwsError("AccessDeniedException", "")), times=5)
    with pytest.raises(AwsError, match="AccessDenied"):
        transact(call, [], sleep=call.waits.append)
    assert not call.waits
