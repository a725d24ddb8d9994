"""What citizens looked up, in the Citizens table: for further pages and for paying.

Keys: ``pk=<sub>`` with ``sk`` = ``QUERY#<query id>``, ``SEEN#<plate key>``. That they looked outlives it:
:mod:`shared.stores.people.who_looked`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from shared.aws_json import Call, Json
from shared.domain.time import to_text
from shared.stores.items import Item, batch_get, epoch, item_key, pack, readable, text, transact
from shared.stores.people.profiles import require_present

SEEN_FOR: Final = timedelta(hours=24)
SAME_ANSWER_FOR: Final = timedelta(minutes=10)


class Asked(NamedTuple):
    """What a query asked for."""

    plate_key: str
    category: str | None


class LookUps:
    """The table through the port."""

    def __init__(self, call: Call, table: str) -> None:
        self._call = call
        self._table = table

    def query_action(self, sub: str, query_id: str, asked: Asked, at: datetime) -> Json:
        """The action that keeps what a query asked for, for its further pages."""
        item = {
            **item_key(sub, f"QUERY#{query_id}"),
            **pack(
                {
                    "plate": asked.plate_key,
                    "category": asked.category,
                    "expires": epoch(at + SEEN_FOR),
                }
            ),
        }
        return {"Put": {"TableName": self._table, "Item": item}}

    def query(self, sub: str, query_id: str, at: datetime, unreadable: list[Exception] | None = None) -> Asked | None:
        """Return what a citizen's own query of the last 24 h asked for, or None. One BatchGetItem, with the profile.

        unreadable: as :func:`shared.stores.items.readable` takes it. Raises ErasingError.
        """
        keys = [item_key(sub, f"QUERY#{query_id}"), item_key(sub, "PROFILE")]
        items = {item["sk"]["S"]: item for item in batch_get(self._call, self._table, keys)}
        require_present(items.pop("PROFILE", None))
        asked, expires = next(readable(items.values(), _asked, unreadable), (None, 0))
        return asked if expires > epoch(at) else None

    def seen(self, sub: str, plate_key: str, at: datetime, *others: Json) -> None:
        """Keep that a citizen looked a plate up, together with what must happen with it: all or nothing."""
        transact(self._call, [{"Update": self._look_up(sub, plate_key, at)}, *others])

    def answered_action(self, sub: str, plate_key: str, answer: str, at: datetime) -> Json:
        """The action that keeps a look-up whose answer (a digest) goes out by SMS with it.

        Its condition says no where the same answer went out within the last ten minutes.
        """
        update = self._look_up(sub, plate_key, at)
        update["UpdateExpression"] += ", answer = :answer, answered_at = :at"
        update["ConditionExpression"] = "attribute_not_exists(answer) OR answer <> :answer OR answered_at < :earlier"
        update["ExpressionAttributeValues"] |= pack(
            {":answer": answer, ":at": to_text(at), ":earlier": to_text(at - SAME_ANSWER_FOR)}
        )
        return {"Update": update}

    def _look_up(self, sub: str, plate_key: str, at: datetime) -> Json:
        return {
            "TableName": self._table,
            "Key": item_key(sub, f"SEEN#{plate_key}"),
            "UpdateExpression": "SET expires = :expires",
            "ExpressionAttributeValues": pack({":expires": epoch(at + SEEN_FOR)}),
        }


def _asked(item: Item) -> tuple[Asked, int]:
    """What was asked, and until when it is kept."""
    return Asked(item["plate"]["S"], text(item, "category")), int(item["expires"]["N"])
