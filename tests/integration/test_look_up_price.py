"""What a look-up calls, and what a million of them cost: the measurements' table, from the calls as they are made.

Units: docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html and
…/CapacityUnitCalculations.html (a write is charged by whole kilobytes and twice in a transaction, an eventually
consistent read by half a unit for 4 KB). Prices: list prices of us-east-1, November 2026.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

import pytest

from infra.cost import LOOK_UPS, traced
from shared.aws_json import Call, Json
from tests.support.asking import TYPED
from tests.support.aws import template
from tests.support.build import store, violation
from tests.support.documents import read, rows, section
from tests.support.functions import Functions

A_MILLION_WRITES, A_MILLION_READS = 0.625, 0.125
A_MILLION_HTTP_CALLS, A_MILLION_INVOCATIONS, A_GB_SECOND = 1.00, 0.20, 0.0000133334
A_GB_LOGGED, A_GB_SENT, A_MILLION_TRACES = 0.50, 0.09, 5.00

SECONDS = 0.025
"""Billed for one warm call, most of it waiting for three round trips: assumed, not measured on Lambda."""

LOGGED_BY_LAMBDA = 600
"""Bytes of the platform's own lines and the API's access log for each call, about."""

"""Of the calls, the share that X-Ray samples."""


def size(value: Json) -> int:
    """Bytes of an attribute's value."""
    ((kind, held),) = value.items()
    if kind == "S":
        return len(held.encode())
    if kind == "N":
        return len(held) // 2 + 1
    if kind == "L":
        return 3 + sum(1 + size(each) for each in held)
    return sum(len(each.encode()) for each in held) if kind == "SS" else 1


def item_size(item: Json) -> int:
    return sum(len(name.encode()) + size(value) for name, value in item.items())


class Meter:
    """A port that adds up what the calls through it are charged."""

    def __init__(self, port: Call) -> None:
        self._port = port
        self.calls: list[str] = []
        self.writes = 0
        self.reads = 0.0

    def __call__(self, service: str, operation: str, request: Json) -> Json:
        answer = self._port(service, operation, request)
        self.calls.append(operation)
        if operation == "UpdateItem":
            self.writes += kilobytes(answer["Attributes"])
        elif operation == "TransactWriteItems":
            self.writes += sum(map(self._action, request["TransactItems"]))
        elif operation in ("Query", "GetItem"):
            items = answer["Items"] if operation == "Query" else [answer.get("Item", {})]
            half = 1 if request.get("ConsistentRead") else 0.5
            self.reads += half * max(1, math.ceil(sum(map(item_size, items)) / 4096))
        return answer

    def _action(self, action: Json) -> int:
        ((kind, asked),) = action.items()
        if kind != "Put":  # counters and marks: small, and told in full by what is written to them
            return 2 * kilobytes({**asked["Key"], **asked["ExpressionAttributeValues"]})
        return 2 * kilobytes(asked["Item"]) + sum(
            kilobytes(asked["Item"]) for index in indexes(asked["TableName"]) if index <= asked["Item"].keys()
        )


def kilobytes(item: Json) -> int:
    return math.ceil(item_size(item) / 1024)


def indexes(table: str) -> list[set[str]]:
    """The key attributes of a table's indexes: what has them is written there too."""
    properties = template()["Resources"][table.partition("-")[0]]["Properties"]
    return [{key["AttributeName"] for key in one["KeySchema"]} for one in properties.get("GlobalSecondaryIndexes", ())]


@pytest.fixture
def look_up(functions: Functions, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """One look-up of 20 violations by a citizen who has asked today, in a warm function: its meter, answer and log."""
    store(
        functions.violations,
        *(violation(title="تجاوز السرعة المحددة", legal_ref="25/3/هـ", place="جسر الجادرية") for _ in range(20)),
    )
    meter = Meter(functions._fast())
    monkeypatch.setattr("query.ports.FastClient", lambda: meter)
    functions.ask({"plate": "11 7"})
    meter.calls.clear()
    meter.writes, meter.reads = 0, 0.0
    capsys.readouterr()
    reply = functions.ask({"plate": TYPED})
    return meter, reply, capsys.readouterr().out


def test_the_calls_of_a_look_up(look_up: Any) -> None:
    meter, _, _ = look_up
    assert meter.calls == ["UpdateItem", "Query", "TransactWriteItems"]


def test_the_measurements_say_what_a_million_cost(look_up: Any) -> None:
    meter, reply, logged = look_up
    sent = len(json.dumps(reply.body, ensure_ascii=False).encode())
    parts = {
        "HTTP API": A_MILLION_HTTP_CALLS,
        "Lambda": A_MILLION_INVOCATIONS + 1e6 * 0.5 * SECONDS * A_GB_SECOND,
        "DynamoDB writes": meter.writes * A_MILLION_WRITES,
        "DynamoDB reads": meter.reads * A_MILLION_READS,
        "answers sent": 1e6 * sent / 2**30 * A_GB_SENT,
        "logs": 1e6 * (len(logged) + LOGGED_BY_LAMBDA) / 2**30 * A_GB_LOGGED,
        "traces": traced(LOOK_UPS) / LOOK_UPS * A_MILLION_TRACES,
    }
    parts["together"] = sum(parts.values())
    table = rows(section(read("docs/measurements.md"), "A look-up"))
    told = {row[0]: float(row[2]) for row in table if re.fullmatch("[0-9.]+", row[2])}
    assert {name: told.get(name) for name in parts} == {
        name: pytest.approx(cost, abs=0.06) for name, cost in parts.items()
    }
