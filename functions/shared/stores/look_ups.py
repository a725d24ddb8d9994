"""What citizens looked up, in the Citizens table: for further pages, for paying, and for the audit.

Keys: ``pk=<sub>`` with ``sk`` = ``QUERY#<query id>``, ``SEEN#<plate key>``, ``AUDIT#<when>#<look-up id>``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from shared.aws_json import Call, Json
from shared.domain.time import to_text
from shared.stores.items import Item, batch_get, epoch, get_item, item_key, pack, readable, text, transact

SEEN_FOR: Final = timedelta(hours=24)
SAME_ANSWER_FOR: Final = timedelta(minutes=10)
AUDITED_FOR: Final = timedelta(days=366)


class Asked(NamedTuple):
    """What a query asked for. proven: the citizen had proved the vehicle theirs."""

    plate_key: str
    category: str | None
    proven: bool = False


class LookUps:
    """The table through the port.

    unreadable, where a call takes it: as :func:`shared.stores.items.readable` does. What cannot be read gives no right.
    """

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
                    "proven": asked.proven,
                    "expires": epoch(at + SEEN_FOR),
                }
            ),
        }
        return {"Put": {"TableName": self._table, "Item": item}}

    def query(self, sub: str, query_id: str, at: datetime, unreadable: list[Exception] | None = None) -> Asked | None:
        """Return what a citizen's own query of the last 24 h asked for, or None."""
        item = get_item(self._call, self._table, item_key(sub, f"QUERY#{query_id}"))
        asked, expires = next(readable([item] if item else [], _asked, unreadable), (None, 0))
        return asked if expires > epoch(at) else None

    def audit_action(self, sub: str, look_up_id: str, mark: str, at: datetime) -> Json:
        """The action that keeps who looked up which plate (its fingerprint) and when, for a year."""
        item = {
            **item_key(sub, f"AUDIT#{to_text(at)}#{look_up_id}"),
            **pack({"plate": mark, "expires": epoch(at + AUDITED_FOR)}),
        }
        return {"Put": {"TableName": self._table, "Item": item}}

    def audit(self, sub: str, look_up_id: str, mark: str, at: datetime) -> None:
        """Keep a look-up that nothing else is written about. One PutItem."""
        self._call("dynamodb", "PutItem", self.audit_action(sub, look_up_id, mark, at)["Put"])

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

    def may_see(
        self, sub: str, plate_keys: Iterable[str], at: datetime, unreadable: list[Exception] | None = None
    ) -> set[str]:
        """Return which of these plates the citizen linked, or looked up in the last 24 h."""
        keys: list[Item] = []
        for plate_key in dict.fromkeys(plate_keys):
            keys += [item_key(sub, f"SEEN#{plate_key}"), item_key(f"P#{plate_key}", sub)]
        items = batch_get(self._call, self._table, keys)
        linked = {item["pk"]["S"].removeprefix("P#") for item in items if item["sk"]["S"] == sub}
        seen = (item for item in items if item["sk"]["S"].startswith("SEEN#"))
        looked_up = {plate_key for plate_key, expires in readable(seen, _seen, unreadable) if expires > epoch(at)}
        return linked | looked_up


def _asked(item: Item) -> tuple[Asked, int]:
    """What was asked, and until when it is kept."""
    return Asked(item["plate"]["S"], text(item, "category"), item["proven"]["BOOL"]), int(item["expires"]["N"])


def _seen(item: Item) -> tuple[str, int]:
    """Which plate was looked up, and until when that counts."""
    return item["sk"]["S"].removeprefix("SEEN#"), int(item["expires"]["N"])
