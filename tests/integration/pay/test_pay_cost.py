"""What a payment costs in calls of tables and write units, as the measurements state it.

Units as https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html has them: one a
kilobyte begun, two in a transaction, also where a condition refuses the write; an index whose entry changes costs one a
kilobyte begun of what it holds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from infra.cost import UNITS
from shared.aws_json import AwsError, Call, Json
from tests.support.aws import Engine, template
from tests.support.build import follow, row, violation
from tests.support.documents import read, rows, section
from tests.support.functions import Functions
from tests.support.payment_requests import payment_body

OPERATIONS = {"TransactWriteItems": 2, "PutItem": 1, "UpdateItem": 1}
"""Writes, and the units of one kilobyte each."""


class Spent(NamedTuple):
    """calls: of each operation of DynamoDB. units: write units."""

    calls: dict[str, int]
    units: int


class Meter:
    """Counts what passes through it."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self.calls: Counter[str] = Counter()
        self.units = 0
        self.read = 0

    def __call__(self, service: str, operation: str, request: Json) -> Json:
        if service != "dynamodb":
            return self._call(service, operation, request)
        self.calls[operation] += 1
        self.read += _read(operation, request)
        writes = list(_writes(operation, request))
        before = [self._item(*write) for write in writes]
        try:
            answer = self._call(service, operation, request)
        except AwsError:
            self.units += sum(OPERATIONS[operation] * max(1, _kilobytes(old)) for old in before)
            raise
        for write, old in zip(writes, before, strict=True):
            self.units += self._cost(write[0], old, self._item(*write), OPERATIONS[operation])
        return answer

    def _item(self, table: str, key: Json) -> Json | None:
        request = {"TableName": table, "Key": key, "ConsistentRead": True}
        item: Json | None = self._call("dynamodb", "GetItem", request).get("Item")
        return item

    def _cost(self, table: str, old: Json | None, new: Json | None, a_kilobyte: int) -> int:
        own = a_kilobyte * max(_kilobytes(old), _kilobytes(new))
        logical = next(logical for logical in template()["Resources"] if table.startswith(f"{logical}-"))
        indexes = template()["Resources"][logical]["Properties"].get("GlobalSecondaryIndexes", [])
        return own + sum(_index_cost(index, old, new) for index in indexes)


def _read(operation: str, request: Json) -> int:
    """Read units at most: one for each item, as they are small and consistently read."""
    if operation == "BatchGetItem":
        return sum(len(keys["Keys"]) for keys in request["RequestItems"].values())
    return int(operation in ("GetItem", "Query"))


def _writes(operation: str, request: Json) -> Iterator[tuple[str, Json]]:
    """The table and key of each item that a request writes."""
    actions = request["TransactItems"] if operation == "TransactWriteItems" else []
    if operation in ("PutItem", "UpdateItem"):
        actions = [{operation[:3]: request}]
    for action in actions:
        ((_, write),) = action.items()
        key = write.get("Key") or {name: write["Item"][name] for name in ("pk", "sk") if name in write["Item"]}
        yield write["TableName"], key


def _index_cost(index: Json, old: Json | None, new: Json | None) -> int:
    keys = [part["AttributeName"] for part in index["KeySchema"]]
    whole = index["Projection"]["ProjectionType"] == "ALL"

    def entry(item: Json | None) -> Json | None:
        if item is None or any(name not in item for name in keys):
            return None
        return {name: value for name, value in item.items() if whole or name in (*keys, "pk", "sk")}

    before, after = entry(old), entry(new)
    if before == after:
        return 0
    if before and after and all(before[name] == after[name] for name in keys):
        return max(_kilobytes(before), _kilobytes(after))
    return _kilobytes(before) + _kilobytes(after)


def _kilobytes(item: Json | None) -> int:
    return -(-sum(len(name.encode()) + _size(value) for name, value in item.items()) // 1024) if item else 0


def _size(value: Json) -> int:
    """https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html"""
    ((kind, held),) = value.items()
    sizes: dict[str, Any] = {
        "S": lambda: len(held.encode()),
        "N": lambda: len(held) // 2 + 2,
        "BOOL": lambda: 1,
        "SS": lambda: sum(len(each.encode()) for each in held),
        "L": lambda: 3 + sum(1 + _size(each) for each in held),
    }
    size: int = sizes[kind]()
    return size


@pytest.fixture
def meter(engine: Engine, functions: Functions, monkeypatch: pytest.MonkeyPatch) -> Meter:
    made = Meter(engine.fast())
    monkeypatch.setattr("pay.ports.FastClient", lambda: made)
    return made


def spent(meter: Meter) -> Spent:
    """What was spent since the last look."""
    found = Spent(dict(meter.calls), meter.units)
    meter.calls.clear()
    meter.units = 0
    return found


START = {"Query": 1, "GetItem": 1, "BatchGetItem": 3, "TransactWriteItems": 2}
CALLBACK = {"GetItem": 1, "PutItem": 1, "TransactWriteItems": 1}
COSTS = [(5, Spent(START, 35), Spent(CALLBACK, 31)), (50, Spent(START, 182), Spent(CALLBACK, 174))]
REPEAT = Spent({"GetItem": 1, "PutItem": 1}, 1)
MEASUREMENTS = read("docs/measurements.md")


@pytest.mark.parametrize(("violations", "start", "settle"), COSTS)
def test_a_payment_costs_what_is_measured(
    functions: Functions, meter: Meter, violations: int, start: Spent, settle: Spent
) -> None:
    follow(functions.citizens)
    subjects = [violation(f"11-2026-{number:07}", sector_governorate="11") for number in range(violations)]
    functions.violations.write([row(each, content="0" * 32) for each in subjects])
    payment_id = functions.pay(payment_body(*subjects)).body["payment_id"]
    assert spent(meter) == start
    functions.gateway.says(payment_id)
    functions.callback(payment_id)
    assert spent(meter) == settle
    functions.callback(payment_id)
    assert spent(meter) == REPEAT


def test_the_page_tells_these_costs() -> None:
    told = {name: (int(calls), int(units)) for name, calls, units in rows(section(MEASUREMENTS, "A payment"))[1:]}
    for violations, start, settle in COSTS:
        assert told.pop(f"start, {violations} violations") == (sum(start.calls.values()), start.units)
        assert told.pop(f"callback that settles {violations}") == (sum(settle.calls.values()), settle.units)
    assert told == {"a callback's repeat": (sum(REPEAT.calls.values()), REPEAT.units)}


def test_the_yearly_bill_counts_a_payment_of_five_violations(functions: Functions, meter: Meter) -> None:
    follow(functions.citizens)
    subjects = [violation(f"11-2026-{number:07}", sector_governorate="11") for number in range(5)]
    functions.violations.write([row(each, content="0" * 32) for each in subjects])
    payment_id = functions.pay(payment_body(*subjects)).body["payment_id"]
    functions.gateway.says(payment_id)
    functions.callback(payment_id)
    assert UNITS["payment"] == {"reads": meter.read, "writes": meter.units}
