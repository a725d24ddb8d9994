"""Whether payments are paused: an item of the Payments table, ``pk=PAUSED``, that the operator writes, starts read."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from shared.aws_json import Call
from shared.domain.time import to_text
from shared.stores.items import item_key, pack

_KEY: Final = item_key("PAUSED", "PAUSED")


class Pausing:
    """The switch, through the port."""

    def __init__(self, call: Call, table: str) -> None:
        self._call = call
        self._table = table

    def is_paused(self) -> bool:
        """Return whether no payment may be begun, consistently read: half a read unit."""
        request = {"TableName": self._table, "Key": _KEY, "ConsistentRead": True, "ProjectionExpression": "pk"}
        return "Item" in self._call("dynamodb", "GetItem", request)

    def pause(self, at: datetime, reason: str) -> None:
        """From now on no payment is begun."""
        item = {**_KEY, **pack({"at": to_text(at), "reason": reason})}
        self._call("dynamodb", "PutItem", {"TableName": self._table, "Item": item})

    def resume(self) -> None:
        """From now on payments are begun."""
        self._call("dynamodb", "DeleteItem", {"TableName": self._table, "Key": _KEY})
