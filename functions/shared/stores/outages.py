"""Which of several services outside is out of order, known to all environments: an item for each.

``pk=PROVIDER#<name>`` in the Messages table; ``pk=PAUSED, sk=AWAY#<name>`` in the Payments table for a gateway.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from shared.aws_json import AwsError, Call, Json
from shared.domain.time import to_text
from shared.stores.items import Item, number, pack, text

MAX_FAILURES: Final = 5
WITHIN: Final = timedelta(minutes=1)
AWAY_FOR: Final = timedelta(minutes=10)


class Outages:
    """The table through the port. key: of the item of a service, by its name."""

    def __init__(self, call: Call, table: str, key: Callable[[str], Item]) -> None:
        self._call = call
        self._table = table
        self._key = key

    def away(self, name: str, at: datetime) -> bool:
        """Return whether a service is being left alone. One GetItem."""
        request: Json = {"TableName": self._table, "Key": self._key(name), "ConsistentRead": True}
        return is_away(self._call("dynamodb", "GetItem", request).get("Item") or {}, at)

    def failed(self, name: str, at: datetime) -> bool:
        """Count a failure; the fifth within a minute sends the service away for ten. Returns whether it did."""
        try:
            failures = self._update(
                name,
                "ADD failures :one",
                {":one": 1, ":earlier": to_text(at - WITHIN)},
                "since > :earlier",
            )
        except AwsError as error:
            if not error.condition_failed:
                raise
            failures = self._update(name, "SET since = :now, failures = :one", {":now": to_text(at), ":one": 1})
        if failures < MAX_FAILURES:
            return False
        self._update(name, "SET away_until = :until REMOVE since, failures", {":until": to_text(at + AWAY_FOR)})
        return True

    def _update(self, name: str, change: str, values: dict[str, str | int], condition: str | None = None) -> int:
        request: Json = {
            "TableName": self._table,
            "Key": self._key(name),
            "UpdateExpression": change,
            "ExpressionAttributeValues": pack(values),
            "ReturnValues": "ALL_NEW",
        }
        if condition:
            request["ConditionExpression"] = condition
        return number(self._call("dynamodb", "UpdateItem", request)["Attributes"], "failures") or 0


def provider_key(name: str) -> Item:
    """The key of an SMS provider in the table of messages."""
    return {"pk": {"S": f"PROVIDER#{name}"}}


def is_away(item: Item, at: datetime) -> bool:
    """Return whether the service of an item is being left alone."""
    until = text(item, "away_until")
    return until is not None and to_text(at) < until
