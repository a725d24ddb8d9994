"""Settled money that somebody may want back, in the Payments table: one item for a violation of a payment, for ever.

Key: ``pk=RETURN_WANTED#<violation no>#<payment id>``, ``sk=RETURN_WANTED``. While nobody has decided it stands in the
sparse index ``Unfinished``, of the kind ``wanted``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import Final, NamedTuple
from zlib import crc32

from shared.aws_json import Call, Json
from shared.domain.time import to_text
from shared.stores.items import Item, batch_get, is_made, item_key, pack, pages, transact
from shared.stores.paying.payment_items import SHARDS, WANTED

CANCELLED: Final = "cancelled"
MOVED: Final = "moved"
PAID_TWICE: Final = "paid_twice"
"""Causes: the fine was cancelled, is another plate's, or was paid elsewhere too, after it was settled here."""

_NAME: Final = "RETURN_WANTED"


class Want(NamedTuple):
    """A violation that a payment settled, and why its money may have to go back. at: since when, a stored text."""

    violation_no: str
    payment_id: str
    cause: str
    at: str


class Wants:
    """The table through the port."""

    def __init__(self, call: Call, table: str) -> None:
        self._call = call
        self._table = table

    def enter(self, want: Want, others: Iterable[Json] = ()) -> bool:
        """Enter one, with what goes along in the same transaction. False where it was entered before, and all stays."""
        shard = crc32(want.payment_id.encode()) % SHARDS
        values = {**want._asdict(), "created_at": want.at, "unfinished": f"{WANTED}#{shard}"}
        item = {**_key(want.violation_no, want.payment_id), **pack(values)}
        put: Json = {"TableName": self._table, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}
        return is_made(lambda: transact(self._call, [{"Put": put}, *others]))

    def known(self, pairs: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
        """Which of these pairs of violation and payment are entered, decided or not. One BatchGetItem for a hundred."""
        found = batch_get(self._call, self._table, [_key(*pair) for pair in pairs])
        return {(item["violation_no"]["S"], item["payment_id"]["S"]) for item in found}

    def undecided(self) -> Iterator[Want]:
        """Those about which nobody has decided: by a Query for each shard, then consistently read."""
        for shard in range(SHARDS):
            request: Json = {
                "TableName": self._table,
                "IndexName": "Unfinished",
                "KeyConditionExpression": "unfinished = :kind",
                "ExpressionAttributeValues": pack({":kind": f"{WANTED}#{shard}"}),
            }
            for page in pages(self._call, "Query", request):
                keys = [{"pk": item["pk"], "sk": item["sk"]} for item in page["Items"]]
                found = batch_get(self._call, self._table, keys)
                yield from (_read(item) for item in found if "unfinished" in item)

    def decided_action(self, violation_no: str, payment_id: str, decision: str, at: datetime) -> Json:
        """The action by which one that is entered leaves the list."""
        return {
            "Update": {
                "TableName": self._table,
                "Key": _key(violation_no, payment_id),
                "UpdateExpression": "SET decided = :decision, decided_at = :at REMOVE unfinished",
                "ConditionExpression": "attribute_exists(pk)",
                "ExpressionAttributeValues": pack({":decision": decision, ":at": to_text(at)}),
            }
        }


def _key(violation_no: str, payment_id: str) -> Item:
    return item_key(f"{_NAME}#{violation_no}#{payment_id}", _NAME)


def _read(item: Item) -> Want:
    return Want(*(item[name]["S"] for name in Want._fields))
