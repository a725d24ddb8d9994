"""The rules are those of https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html"""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.local.streams.filter import EventFilter

RECORD = {
    "eventName": "INSERT",
    "userIdentity": None,
    "dynamodb": {
        "ApproximateCreationDateTime": 1700000000,
        "SizeBytes": 26,
        "NewImage": {"status": {"S": "Open"}, "note": {"S": ""}, "told": {"BOOL": True}, "tags": {"SS": ["a", "b"]}},
    },
}


def matches(*patterns: Any) -> bool:
    return EventFilter({"Filters": [{"Pattern": json.dumps(one)} for one in patterns]}).matches(RECORD)


def image(**rules: Any) -> dict[str, Any]:
    return {"dynamodb": {"NewImage": rules}}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ({"eventName": ["INSERT"]}, True),
        ({"eventName": ["MODIFY"]}, False),
        ({"eventName": ["MODIFY", "INSERT"]}, True),
        ({"eventName": ["insert"]}, False),
        ({"eventName": [{"equals-ignore-case": "insert"}]}, True),
        ({"eventName": [{"equals-ignore-case": "inserts"}]}, False),
        ({"eventName": [{"prefix": "INS"}]}, True),
        ({"eventName": [{"prefix": "NS"}]}, False),
        ({"eventName": [{"suffix": "ERT"}]}, True),
        ({"eventName": [{"suffix": "ER"}]}, False),
        ({"eventName": [{"anything-but": ["MODIFY", "REMOVE"]}]}, True),
        ({"eventName": [{"anything-but": ["INSERT"]}]}, False),
        ({"eventName": [{"anything-but": "INSERT"}]}, False),
        ({"missing": [{"anything-but": ["INSERT"]}]}, False),
        ({"missing": [{"exists": False}]}, True),
        ({"missing": [{"exists": True}]}, False),
        ({"eventName": [{"exists": True}]}, True),
        ({"eventName": [{"exists": False}]}, False),
        ({"dynamodb": [{"exists": True}]}, False),
        ({"userIdentity": [None]}, True),
        ({"eventName": [None]}, False),
        ({"missing": [None]}, False),
        (image(note={"S": [""]}), True),
        (image(status={"S": [""]}), False),
        (image(told={"BOOL": [True]}), True),
        (image(told={"BOOL": [False]}), False),
        (image(told={"BOOL": [1]}), False),
        (image(tags={"SS": ["b"]}), True),
        (image(tags={"SS": ["c"]}), False),
        (image(status={"N": ["Open"]}), False),
        (image(absent={"S": ["Open"]}), False),
        (image(absent={"S": [{"exists": False}]}), True),
        ({"dynamodb": {"SizeBytes": [26]}}, True),
        ({"dynamodb": {"SizeBytes": [{"numeric": ["=", 26]}]}}, True),
        ({"dynamodb": {"SizeBytes": [{"numeric": [">", 10, "<=", 26]}]}}, True),
        ({"dynamodb": {"SizeBytes": [{"numeric": [">", 26]}]}}, False),
        ({"dynamodb": {"SizeBytes": [{"numeric": [">=", 26, "<", 26]}]}}, False),
        ({"eventName": [{"numeric": ["=", 26]}]}, False),
        ({"eventName": ["INSERT"], "dynamodb": {"SizeBytes": [1]}}, False),
        ({"$or": [{"eventName": ["MODIFY"]}, {"dynamodb": {"SizeBytes": [26]}}]}, True),
        ({"$or": [{"eventName": ["MODIFY"]}, {"dynamodb": {"SizeBytes": [1]}}]}, False),
        ({"$or": [{"eventName": ["INSERT"]}], "dynamodb": {"SizeBytes": [1]}}, False),
    ],
)
def test_a_pattern(pattern: dict[str, Any], expected: bool) -> None:
    assert matches(pattern) is expected


def test_one_of_several_patterns_is_enough() -> None:
    assert matches({"eventName": ["MODIFY"]}, {"eventName": ["INSERT"]})
    assert not matches({"eventName": ["MODIFY"]}, {"eventName": ["REMOVE"]})


@pytest.mark.parametrize("criteria", [None, {}, {"Filters": []}])
def test_without_patterns_every_record_passes(criteria: Any) -> None:
    assert EventFilter(criteria).matches(RECORD)


@pytest.mark.parametrize(
    "pattern",
    [
        '{"a": [{"wildcard": "x*"}]}',
        '{"a": [{"prefix": "x", "suffix": "y"}]}',
        '{"a": "x"}',
        "[]",
        "{",
        '{"$or": ["a"]}',
    ],
)
def test_what_lambda_does_not_know_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  JSON's own errors are among them
        EventFilter({"Filters": [{"Pattern": pattern}]})
