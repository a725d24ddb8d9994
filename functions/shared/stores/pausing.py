"""What is closed to new payments: items of the Payments table under ``pk=PAUSED``, which every start reads.

``sk`` = ``PAUSED``: all of them, by the operator; ``GATEWAY#<name>``: one gateway's, by the operator; ``AWAY#<name>``:
one gateway's for a while, for it did not answer (:mod:`shared.stores.outages`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from shared.aws_json import Call, Json
from shared.domain.time import to_text
from shared.stores.items import Item, item_key, pack
from shared.stores.outages import is_away

PAYMENTS: Final = "payments"
"""All payments, whatever the gateway."""

_PK: Final = "PAUSED"
_GATEWAY: Final = "GATEWAY#"
_AWAY: Final = "AWAY#"


class Pausing:
    """The switches, through the port. what, where a call takes it: PAYMENTS, or a gateway's name."""

    def __init__(self, call: Call, table: str) -> None:
        self._call = call
        self._table = table

    def closed(self, at: datetime) -> frozenset[str]:
        """What is closed to new payments: PAYMENTS, gateways by name. One Query, consistently: half a read unit."""
        items = self._items()
        return _paused(items) | {
            sk.removeprefix(_AWAY) for sk, item in items.items() if sk.startswith(_AWAY) and is_away(item, at)
        }

    def paused(self) -> frozenset[str]:
        """What of these the operator has paused. One Query."""
        return _paused(self._items())

    def pause(self, what: str, at: datetime, reason: str) -> None:
        """From now on no payment of these is begun."""
        item = {**_key(what), **pack({"at": to_text(at), "reason": reason})}
        self._call("dynamodb", "PutItem", {"TableName": self._table, "Item": item})

    def resume(self, what: str) -> None:
        """From now on payments of these are begun, also where a gateway was left alone for a while."""
        for key in (_key(what), away_key(what)):
            self._call("dynamodb", "DeleteItem", {"TableName": self._table, "Key": key})

    def _items(self) -> dict[str, Item]:
        request: Json = {
            "TableName": self._table,
            "ConsistentRead": True,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": pack({":pk": _PK}),
        }
        return {item["sk"]["S"]: item for item in self._call("dynamodb", "Query", request)["Items"]}


def _paused(items: Iterable[str]) -> frozenset[str]:
    own = (sk for sk in items if not sk.startswith(_AWAY))
    return frozenset(PAYMENTS if sk == _PK else sk.removeprefix(_GATEWAY) for sk in own)


def away_key(gateway: str) -> Item:
    """The key of what is counted of a gateway that did not answer."""
    return item_key(_PK, f"{_AWAY}{gateway}")


def _key(what: str) -> Item:
    return item_key(_PK, _PK if what == PAYMENTS else f"{_GATEWAY}{what}")
