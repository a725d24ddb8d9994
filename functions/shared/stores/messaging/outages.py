"""Which SMS provider is out of order, known to all environments: ``pk=PROVIDER#<name>`` in the Messages table."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from shared.aws_json import AwsError, Call, Json
from shared.domain.time import to_text
from shared.stores.items import number, pack, text

MAX_FAILURES: Final = 5
WITHIN: Final = timedelta(minutes=1)
AWAY_FOR: Final = timedelta(minutes=10)


class Outages:
    """The table through the port."""

    def __init__(self, call: Call, table: str) -> None:
        self._call = call
        self._table = table

    def away(self, provider: str, at: datetime) -> bool:
        """Return whether a provider is being left alone. One GetItem."""
        request: Json = {"TableName": self._table, "Key": _key(provider), "ConsistentRead": True}
        until = text(self._call("dynamodb", "GetItem", request).get("Item") or {}, "away_until")
        return until is not None and to_text(at) < until

    def failed(self, provider: str, at: datetime) -> bool:
        """Count a failure; the fifth within a minute sends the provider away for ten. Returns whether it did."""
        try:
            failures = self._update(
                provider,
                "ADD failures :one",
                {":one": 1, ":earlier": to_text(at - WITHIN)},
                "since > :earlier",
            )
        except AwsError as error:
            if not error.condition_failed:
                raise
            failures = self._update(provider, "SET since = :now, failures = :one", {":now": to_text(at), ":one": 1})
        if failures < MAX_FAILURES:
            return False
        self._update(provider, "SET away_until = :until REMOVE since, failures", {":until": to_text(at + AWAY_FOR)})
        return True

    def _update(self, provider: str, change: str, values: dict[str, str | int], condition: str | None = None) -> int:
        request: Json = {
            "TableName": self._table,
            "Key": _key(provider),
            "UpdateExpression": change,
            "ExpressionAttributeValues": pack(values),
            "ReturnValues": "ALL_NEW",
        }
        if condition:
            request["ConditionExpression"] = condition
        return number(self._call("dynamodb", "UpdateItem", request)["Attributes"], "failures") or 0


def _key(provider: str) -> Json:
    return {"pk": {"S": f"PROVIDER#{provider}"}}
