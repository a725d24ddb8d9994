"""The items that stores write: which attributes they come to have, seen by a port that remembers requests."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any, Final

import orjson

from shared.aws_json import Json

_CLAUSES: Final = re.compile(r"\b(SET|REMOVE|ADD|DELETE)\b")
_VARIES: Final = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+03:00"), "<instant>"),
    (re.compile(r"\d{4}-\d\d-\d\d"), "<day>"),
    (re.compile(r"\b[0-9a-f]{8,32}\b"), "<digest>"),
    (re.compile(r"RETURN#\d$"), "RETURN#<n>"),
    (re.compile(r"#\d$"), "#<shard>"),
    (re.compile(r"#\d{6}$"), "#<number>"),
    (re.compile(r"(?<=EVENT#<instant>#)\w+"), "<what>"),
)
"""What of a key is another each time, and how it is called."""


class WrittenItems:
    """A port that remembers what it was asked to write.

    items: the attributes of every kind of item beside its key, by table and key. What varies in a key stands in angle
    brackets: callers give such texts for what keys are made of, and instants and digests are called so here.
    answers: what is found by a Query, by a value that it asks for; nothing is found by any other. known: what is found
    by a BatchGetItem, by table. item: what is found by a GetItem.
    """

    def __init__(self) -> None:
        self.items: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        self.answers: dict[str, list[Json]] = {}
        self.item: Json | None = None
        self.known: dict[str, list[Json]] = {}

    def __call__(self, service: str, operation: str, request: Json) -> Json:
        request = orjson.loads(orjson.dumps(request))
        if operation == "TransactWriteItems":
            for action in request["TransactItems"]:
                self.write(action)
        else:
            self.write({operation.removesuffix("Item"): request})
        asked = request.get("ExpressionAttributeValues", {}).values()
        found = next((self.answers[value["S"]] for value in asked if value.get("S") in self.answers), [])
        item = {"Item": self.item} if self.item and operation == "GetItem" else {}
        return {
            **item,
            "Items": found,
            "Responses": self.known,
            "Attributes": {"tries": {"N": "1"}, "failures": {"N": "9"}},
        }

    def write(self, action: Json) -> None:
        """Remember an action of a transaction; other actions than Put and Update write no attribute."""
        if put := action.get("Put"):
            key = {name: value for name, value in put["Item"].items() if name in ("pk", "sk")}
            self.items[put["TableName"], _key(key)] |= put["Item"].keys() - key.keys()
        if update := action.get("Update"):
            self.items[update["TableName"], _key(update["Key"])] |= _changed(update)


def _key(key: Json) -> str:
    parts = [value["S"] for value in key.values()]
    for pattern, name in _VARIES:
        parts = [pattern.sub(name, part) for part in parts]
    return " / ".join(parts)


def _changed(update: Json) -> set[str]:
    """The attributes that an update names. Those that it only removes exist as well."""
    names: dict[str, Any] = update.get("ExpressionAttributeNames", {})
    _, *clauses = _CLAUSES.split(update["UpdateExpression"])
    parts = [part.strip() for clause in clauses[1::2] for part in clause.split(",")]
    found = [re.match(r"#?[a-z_]+", part) for part in parts]
    return {names.get(each[0], each[0]) for each in found if each}
