"""The Settlements table: the ledger of what the sectors are told of payments, each exactly once.

An entry is put under ``pk=DUE#<shard>, sk=<kind>#<payment id>`` (and ``#<part>`` of it) in the transaction that
moves the money. A run moves what is due into a batch, ``pk=BATCH#<batch>`` with the same ``sk``, in transactions that
hold only while the batch is open; so an entry is in one batch or still due, and a batch that is closed never changes.
``pk=CURSOR, sk=CURSOR`` says which batch is the newest and how far it is. ``pk=FILE#<key>, sk=FILE``: a file that was
written, and whether its sector has acknowledged it; those that have not are in the sparse index ``Unacknowledged``.

Keys are read consistently: no entry can fall between two batches because an index is late.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Final
from zlib import crc32

from shared.aws_json import Call, Json
from shared.domain.settlement import KINDS, BatchStatus, Cursor, Entry, SettlementFile, Share
from shared.domain.time import to_text
from shared.stores.items import (
    MAX_ACTIONS,
    Item,
    get_item,
    is_made,
    item_key,
    known,
    pack,
    pack_rows,
    pages,
    read_rows,
    text,
    transact,
)

SHARDS: Final = 4

_AT_ONCE: Final = (MAX_ACTIONS - 1) // 2
"""Entries moved in one transaction: two actions each, and the check that their batch is open."""
_CURSOR: Final = item_key("CURSOR", "CURSOR")


class Settlements:
    """The table through the port."""

    def __init__(self, call: Call, table: str) -> None:
        self._call = call
        self._table = table

    # ------------------------------------------------------------------ entries

    def due_action(self, entry: Entry) -> Json:
        """The action that makes an entry due: part of the transaction that moves the money."""
        item = {
            **item_key(_due(entry.payment_id), _sort_key(entry)),
            **pack(
                {"receipt_no": entry.receipt_no, "gateway": entry.gateway, "paid_at": entry.paid_at, "at": entry.at}
            ),
            "shares": pack_rows(entry.shares),
        }
        return {"Put": {"TableName": self._table, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}}

    def is_due(self) -> bool:
        """Return whether any entry of a known kind waits for a batch."""
        return any(any(map(_is_known, self._query(f"DUE#{shard}", limit=1))) for shard in range(SHARDS))

    def unknown(self) -> int:
        """Count the entries that are due and of a kind that this version does not know. They stay due."""
        return sum(not _is_known(item) for shard in range(SHARDS) for item in self._query(f"DUE#{shard}"))

    def collect(self, batch: str, most: int) -> None:
        """Move what is due into a batch while it is open, until nothing is left or it has taken ``most`` shares.

        Two runs at once take each entry once between them. One of an unknown kind stays due.
        """
        taken = 0
        for shard in range(SHARDS):
            waiting: list[Item] = []
            for item in filter(_is_known, self._query(f"DUE#{shard}")):
                waiting.append(item)
                taken += len(item["shares"]["L"])
                full = taken >= most
                if full or len(waiting) == _AT_ONCE:
                    if not self._move(waiting, batch) or full:
                        return
                    waiting = []
            if waiting and not self._move(waiting, batch):
                return

    def entries(self, batch: str) -> Iterator[Entry]:
        """The entries of a batch, in the order of their keys, of the kinds that this version knows."""
        return map(_read, filter(_is_known, self._query(f"BATCH#{batch}")))

    def put_back_unknown(self, batch: str) -> None:
        """Make entries of an unknown kind due again that another version moved into a batch: they are in no file.

        One that another run has put back is left alone: it may be in a later batch by now.
        """
        for item in self._query(f"BATCH#{batch}"):
            if not _is_known(item):
                gone = {"Key": {"pk": item["pk"], "sk": item["sk"]}, "ConditionExpression": "attribute_exists(pk)"}
                due = {"Item": {**item, "pk": {"S": _due(item["sk"]["S"].split("#")[1])}}}
                actions = [{"Delete": {"TableName": self._table, **gone}}, {"Put": {"TableName": self._table, **due}}]
                is_made(partial(transact, self._call, actions))

    def _move(self, items: Sequence[Item], batch: str) -> bool:
        """Move entries from due into a batch, whoever else is moving them there. False: it is not open."""
        check = {"TableName": self._table, "Key": _CURSOR, **self._on_cursor(Cursor(batch, BatchStatus.OPEN))}
        gone = [{"TableName": self._table, "Key": {"pk": item["pk"], "sk": item["sk"]}} for item in items]
        there = [{"TableName": self._table, "Item": {**item, "pk": {"S": f"BATCH#{batch}"}}} for item in items]
        actions = [{"ConditionCheck": check}, *({"Delete": key} for key in gone), *({"Put": item} for item in there)]
        return is_made(lambda: transact(self._call, actions))

    # ------------------------------------------------------------------ batches

    def cursor(self) -> Cursor | None:
        """The newest batch; None before the first."""
        item = get_item(self._call, self._table, _CURSOR)
        return Cursor(item["batch"]["S"], known(BatchStatus, item["state"]["S"])) if item else None

    def advance(self, seen: Cursor | None, to: Cursor) -> bool:
        """Set the cursor, if it is still as it was seen. Returns False where another run was quicker."""
        request: Json = {"TableName": self._table, "Item": {**_CURSOR, **pack(to._asdict())}}
        request |= self._on_cursor(seen) if seen else {"ConditionExpression": "attribute_not_exists(pk)"}
        return self._write("PutItem", request)

    def _on_cursor(self, seen: Cursor) -> Json:
        return {
            "ConditionExpression": "#batch = :batch AND #state = :state",
            "ExpressionAttributeNames": {"#batch": "batch", "#state": "state"},
            "ExpressionAttributeValues": pack({":batch": seen.batch, ":state": seen.state}),
        }

    # ------------------------------------------------------------------ files

    def put_file(self, file: SettlementFile) -> None:
        """Enter a written file as waiting for its acknowledgement; one that is entered already stays as it is."""
        item = {**_file_key(file.key), **pack(file._asdict()), "waiting": {"S": "1"}}
        self._write(
            "PutItem",
            {"TableName": self._table, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"},
        )

    def file(self, key: str) -> SettlementFile | None:
        """A file by its key, or None."""
        item = get_item(self._call, self._table, _file_key(key))
        if item is None:
            return None
        return SettlementFile(
            key,
            item["sha256"]["S"],
            int(item["lines"]["N"]),
            int(item["amount"]["N"]),
            item["written_at"]["S"],
            text(item, "acknowledged_at"),
        )

    def acknowledge(self, key: str, at: datetime) -> None:
        """Close a file that is known; the first acknowledgement stays."""
        self._write(
            "UpdateItem",
            {
                "TableName": self._table,
                "Key": _file_key(key),
                "UpdateExpression": "SET acknowledged_at = :at REMOVE waiting",
                "ConditionExpression": "attribute_exists(pk) AND attribute_not_exists(acknowledged_at)",
                "ExpressionAttributeValues": pack({":at": to_text(at)}),
            },
        )

    def unacknowledged(self, before: datetime) -> int:
        """Count the files that were written before an instant and are not acknowledged."""
        request: Json = {
            "TableName": self._table,
            "IndexName": "Unacknowledged",
            "KeyConditionExpression": "waiting = :one AND written_at < :before",
            "ExpressionAttributeValues": pack({":one": "1", ":before": to_text(before)}),
            "Select": "COUNT",
        }
        return sum(page["Count"] for page in pages(self._call, "Query", request))

    # ------------------------------------------------------------------ the port

    def _query(self, pk: str, *, limit: int | None = None) -> Iterator[Item]:
        request: Json = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": pack({":pk": pk}),
            "ConsistentRead": True,
        }
        if limit:
            request["Limit"] = limit
        for page in pages(self._call, "Query", request):
            yield from page["Items"]

    def _write(self, operation: str, request: Json) -> bool:
        """Make a write; return whether its condition held."""
        return is_made(lambda: self._call("dynamodb", operation, request))


def _file_key(key: str) -> Item:
    return item_key(f"FILE#{key}", "FILE")


def _is_known(item: Item) -> bool:
    return item["sk"]["S"].partition("#")[0] in KINDS


def _due(payment_id: str) -> str:
    return f"DUE#{crc32(payment_id.encode()) % SHARDS}"


def _sort_key(entry: Entry) -> str:
    return f"{entry.kind}#{entry.payment_id}" + (f"#{entry.part}" if entry.part else "")


def _read(item: Item) -> Entry:
    kind, payment_id, *part = item["sk"]["S"].split("#", 2)
    return Entry(
        kind,
        payment_id,
        item["receipt_no"]["S"],
        item["gateway"]["S"],
        item["paid_at"]["S"],
        item["at"]["S"],
        tuple(Share(*row) for row in read_rows(item["shares"])),
        *part,
    )
