"""The Files table: the ledger of what the directorate uploaded.

Keys: ``pk=FILE#<file id>`` with ``sk`` = ``FILE`` (one version of one object), ``CHUNK#<number>`` (a chunk that is
done), ``UNDERWAY#<number>`` (how far a chunk is), ``UNDO`` or ``RELEASE`` (who undoes the file, or lets its news go);
``pk=KEY#<bucket>/<key>, sk=NEWEST``: the newest version of a key; ``pk=UPLOAD#<upload id>, sk=UPLOAD``: an upload that
the API prepared; ``pk=FEED, sk=FEED``: up to when the directorate's live data goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, NamedTuple

from shared.aws_json import Call, Json
from shared.domain.file import REGISTERED, DoneChunk, File, FileStatus, FileVersion, Plan, Upload
from shared.domain.time import to_text
from shared.stores.items import Item, epoch, get_item, is_made, item_key, known, number, pack, pages, text, transact

KEPT: Final = timedelta(days=90)
"""How long chunks and uploads are remembered."""

_UNDER_WAY: Final = {
    ":checking": FileStatus.CHECKING,
    ":loading": FileStatus.LOADING,
    ":failed": FileStatus.FAILED,
}
"""The states of a file that can still end."""
_CHUNK: Final = "CHUNK#"
_UNDERWAY: Final = "UNDERWAY#"


class Files:
    """The table through the port."""

    def __init__(self, call: Call, table: str) -> None:
        self._call = call
        self._table = table

    # ------------------------------------------------------------------ a file

    def claim(self, version: FileVersion, at: datetime) -> File:
        """Enter a file version, once, and note it as the newest of its key if it is. Returns what the ledger holds."""
        file = File(version, FileStatus.CHECKING, to_text(at))
        item = {
            **item_key(f"FILE#{version.file_id}", "FILE"),
            **pack({**version._asdict(), "state": FileStatus.CHECKING, "claimed_at": file.claimed_at}),
        }
        request = {"TableName": self._table, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}
        if not self._made("PutItem", request):
            file = self.file(version.file_id)
        self._note_newest(version)
        return file

    def file(self, file_id: str) -> File:
        """A file version, consistently read. Raises KeyError where it was never claimed."""
        item = self._get(f"FILE#{file_id}", "FILE")
        if item is None:
            raise KeyError(file_id)
        return _read(item)

    def plan(self, file_id: str, plan: Plan) -> None:
        """Keep how a file is to be loaded; a second time changes nothing."""
        values = {f":{name}": value for name, value in plan._asdict().items()}
        sets = ", ".join(f"#{name} = :{name}" for name in plan._fields)
        self._update(
            file_id,
            f"SET {sets}, #state = :loading, chunks_done = :none, rows_done = :none",
            {**values, **_UNDER_WAY, ":none": 0},
            condition="attribute_not_exists(#chunks) AND #state IN (:checking, :failed)",
            names=(*plan._fields, "state"),
        )

    def all_queued(self, file_id: str) -> None:
        """Note that every chunk of a file was put on the queue."""
        self._update(file_id, "SET queued = :yes", {":yes": True})

    def take_finish(self, file_id: str, at: datetime, until: datetime) -> bool:
        """Take the finishing of a file, until a moment at which the taker will be gone.

        Returns False where another is at it.
        """
        return self._update(
            file_id,
            "SET finishing_until = :until",
            {":until": to_text(until), ":now": to_text(at)},
            condition="attribute_exists(pk) AND (attribute_not_exists(finishing_until) OR finishing_until < :now)",
        )

    def end(self, file_id: str, state: FileStatus, report: str) -> bool:
        """Say how a file ended. Returns False where it had ended before, but for one that had failed."""
        return self._update(
            file_id,
            "SET #state = :state, report = :report REMOVE published",
            {":state": state, ":report": report, **_UNDER_WAY},
            condition="#state IN (:checking, :loading, :failed)",
            names=("state",),
        )

    def all_published(self, file_id: str, report: str) -> None:
        """Note that a file's report lies where the directorate looks for it, if it is still the file's report."""
        change = "SET published = :yes"
        self._update(file_id, change, {":yes": True, ":report": report}, condition="report = :report")

    # ------------------------------------------------------------------ its chunks

    def chunk_done(self, file_id: str, chunk: DoneChunk, at: datetime) -> bool:
        """Enter what came of a chunk and count it on its file, both or neither. Returns False where it was done."""
        done = {
            **item_key(f"FILE#{file_id}", _chunk_key(chunk.number)),
            **pack({**chunk.counts, "notes": chunk.notes, "done_at": to_text(at), "expires": epoch(at + KEPT)}),
        }
        condition = "attribute_not_exists(pk) OR attribute_exists(again)"
        put = {"TableName": self._table, "Item": done, "ConditionExpression": condition}
        return is_made(lambda: transact(self._call, [{"Put": put}, self._count(file_id, chunk, 1)]))

    def _count(self, file_id: str, chunk: DoneChunk, sign: int) -> Json:
        update = {
            "TableName": self._table,
            "Key": item_key(f"FILE#{file_id}", "FILE"),
            "UpdateExpression": "ADD chunks_done :one, rows_done :rows",
            "ExpressionAttributeValues": pack({":one": sign, ":rows": sign * sum(chunk.counts.values())}),
        }
        return {"Update": update}

    def is_done(self, file_id: str, chunk_number: int) -> bool:
        """Return whether a chunk has been counted, and is not to be loaded again."""
        item = self._get(f"FILE#{file_id}", _chunk_key(chunk_number))
        return item is not None and "again" not in item

    def chunks(self, file_id: str) -> Iterator[DoneChunk]:
        """The done chunks of a file in their order, consistently read."""
        return (_done(item) for item in self._items(file_id, _CHUNK) if "again" not in item)

    def note_rows(self, file_id: str, chunk_number: int, rows: int, at: datetime) -> None:
        """Note how many rows of a chunk that is being loaded are done."""
        item = {
            **item_key(f"FILE#{file_id}", f"{_UNDERWAY}{chunk_number:06d}"),
            **pack({"rows": rows, "expires": epoch(at + KEPT)}),
        }
        self._call("dynamodb", "PutItem", {"TableName": self._table, "Item": item})

    def rows_under_way(self, file_id: str) -> int:
        """How many rows are done of those chunks of a file that are not done as a whole."""
        done = {chunk.number for chunk in self.chunks(file_id)}
        return sum(
            int(item["rows"]["N"])
            for item in self._items(file_id, _UNDERWAY)
            if int(item["sk"]["S"].removeprefix(_UNDERWAY)) not in done
        )

    def _items(self, file_id: str, beginning: str) -> Iterator[Item]:
        """A file's items whose sort key begins so, in their order, consistently read."""
        request: Json = {
            "TableName": self._table,
            "ConsistentRead": True,
            "KeyConditionExpression": "pk = :file AND begins_with(sk, :beginning)",
            "ExpressionAttributeValues": {":file": {"S": f"FILE#{file_id}"}, ":beginning": {"S": beginning}},
        }
        for page in pages(self._call, "Query", request):
            yield from page["Items"]

    # ------------------------------------------------------------------ rows that wait

    def waiting(self, file_id: str) -> Iterator[DoneChunk]:
        """The chunks of a file with rows that wait, also those that are to be loaded again; consistently read."""
        return (_done(item) for item in self._items(file_id, _CHUNK) if "waiting" in item)

    def load_again(self, file_id: str, chunks: Iterable[DoneChunk]) -> None:
        """Let chunks with rows that wait be loaded once more, and replace what they will. Harmless to do again."""
        for chunk in chunks:
            actions = [self._again(file_id, chunk), self._count(file_id, chunk, -1)]
            is_made(partial(transact, self._call, actions))
        self._update(
            file_id,
            "SET #state = :loading, released = :yes REMOVE published, finishing_until",
            {":loading": FileStatus.LOADING, ":yes": True, ":wait": FileStatus.NUMBERS_WAIT},
            condition="#state = :wait",
            names=("state",),
        )

    def _again(self, file_id: str, chunk: DoneChunk) -> Json:
        update = {
            "TableName": self._table,
            "Key": item_key(f"FILE#{file_id}", _chunk_key(chunk.number)),
            "UpdateExpression": "SET again = :yes",
            "ConditionExpression": "attribute_exists(waiting) AND attribute_not_exists(again)",
            "ExpressionAttributeValues": pack({":yes": True}),
        }
        return {"Update": update}

    # ------------------------------------------------------------------ files under way

    def unfinished(self) -> Iterator[File]:
        """The files that are being checked or loaded. Reads the whole table: for a person who asks, not a function."""
        request: Json = {
            "TableName": self._table,
            "ConsistentRead": True,
            "FilterExpression": "sk = :file AND #state IN (:checking, :loading)",
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": pack(
                {":file": "FILE", ":checking": FileStatus.CHECKING, ":loading": FileStatus.LOADING}
            ),
        }
        for page in pages(self._call, "Scan", request):
            yield from map(_read, page["Items"])

    # ------------------------------------------------------------------ the newest of a key

    def newest(self, bucket: str, key: str) -> str | None:
        """The file id of the newest version of a key that was claimed, consistently read; None before the first."""
        item = self._get(f"KEY#{bucket}/{key}", "NEWEST")
        return item["file_id"]["S"] if item else None

    def _note_newest(self, version: FileVersion) -> None:
        request = {
            "TableName": self._table,
            "Item": {
                **item_key(f"KEY#{version.bucket}/{version.key}", "NEWEST"),
                **pack({"file_id": version.file_id, "order": version.order}),
            },
            "ConditionExpression": "attribute_not_exists(pk) OR #order < :order",
            "ExpressionAttributeNames": {"#order": "order"},
            "ExpressionAttributeValues": pack({":order": version.order}),
        }
        self._made("PutItem", request)

    # ------------------------------------------------------------------ the feed

    def note_feed(self, instant: str) -> None:
        """Note when what a live file says was so (a stored text), if it is the newest."""
        request = {
            "TableName": self._table,
            "Item": {**item_key("FEED", "FEED"), **pack({"as_of": instant})},
            "ConditionExpression": "attribute_not_exists(pk) OR as_of < :as_of",
            "ExpressionAttributeValues": pack({":as_of": instant}),
        }
        self._made("PutItem", request)

    def feed(self) -> str | None:
        """Up to when the directorate's live data goes (a stored text); None before the first live file."""
        item = self._get("FEED", "FEED")
        return item["as_of"]["S"] if item else None

    # ------------------------------------------------------------------ uploads

    def put_upload(self, upload: Upload, at: datetime) -> None:
        """Remember an upload that was prepared."""
        item = {
            **item_key(f"UPLOAD#{upload.upload_id}", "UPLOAD"),
            **pack({"sub": upload.sub, "bucket": upload.bucket, "key": upload.key, "expires": epoch(at + KEPT)}),
        }
        self._call("dynamodb", "PutItem", {"TableName": self._table, "Item": item})

    def upload(self, upload_id: str) -> Upload | None:
        """An upload that was prepared, or None."""
        item = self._get(f"UPLOAD#{upload_id}", "UPLOAD")
        if item is None:
            return None
        return Upload(upload_id, item["sub"]["S"], item["bucket"]["S"], item["key"]["S"])

    # ------------------------------------------------------------------ the table

    def _get(self, pk: str, sk: str) -> Item | None:
        return get_item(self._call, self._table, item_key(pk, sk))

    def _update(
        self,
        file_id: str,
        change: str,
        values: Mapping[str, str | int | bool | Sequence[str] | None],
        *,
        condition: str = "attribute_exists(pk)",
        names: Iterable[str] = (),
    ) -> bool:
        request: Json = {
            "TableName": self._table,
            "Key": item_key(f"FILE#{file_id}", "FILE"),
            "UpdateExpression": change,
            "ConditionExpression": condition,
            "ExpressionAttributeValues": pack(values),
        }
        if names:
            request["ExpressionAttributeNames"] = {f"#{name}": name for name in names}
        return self._made("UpdateItem", request)

    def _made(self, operation: str, request: Json) -> bool:
        """Make a conditional write; return whether its condition held."""
        return is_made(lambda: self._call("dynamodb", operation, request))


UNDO: Final = "UNDO"
RELEASE: Final = "RELEASE"
"""Work on a file: undoing it, or letting its news go."""


class Progress(NamedTuple):
    """How far work on a file came. rows: done so far. until: up to when a run has taken it (a stored text)."""

    rows: int
    until: str | None


class Work:
    """Work on one file that one run does at a time, through the port. run: an id of who takes it."""

    def __init__(self, call: Call, table: str, file_id: str, what: str, run: str) -> None:
        self._call = call
        self._table = table
        self._key = item_key(f"FILE#{file_id}", what)
        self._run = run

    def progress(self) -> Progress:
        """How far it came, consistently read."""
        item = get_item(self._call, self._table, self._key) or {}
        return Progress(number(item, "done") or 0, text(item, "taken_until"))

    def take(self, at: datetime, until: datetime) -> bool:
        """Take it, until a moment. Returns False where another run is at it."""
        return self._update(
            "SET taken_by = :run, taken_until = :until, expires = :expires",
            {":until": to_text(until), ":now": to_text(at), ":expires": epoch(at + KEPT)},
            "attribute_not_exists(taken_until) OR taken_until < :now",
        )

    def note(self, rows: int, until: datetime) -> bool:
        """Count rows that this run has done, and keep it for longer. Returns False where another run has taken it."""
        return self._update(
            "SET taken_until = :until ADD done :rows", {":rows": rows, ":until": to_text(until)}, "taken_by = :run"
        )

    def let_go(self, rows: int) -> None:
        """Count rows that this run has done last, and let the next one begin."""
        self._update("REMOVE taken_by, taken_until ADD done :rows", {":rows": rows}, "taken_by = :run")

    def _update(self, change: str, values: Mapping[str, str | int], condition: str) -> bool:
        used = {**values, ":run": self._run}
        request: Json = {
            "TableName": self._table,
            "Key": self._key,
            "UpdateExpression": change,
            "ConditionExpression": condition,
            "ExpressionAttributeValues": pack({name: used[name] for name in used if name in change + condition}),
        }
        return is_made(lambda: self._call("dynamodb", "UpdateItem", request))


def _read(item: Item) -> File:
    version = FileVersion(*(item[name]["S"] for name in FileVersion._fields))
    return File(
        version,
        known(FileStatus, item["state"]["S"]),
        item["claimed_at"]["S"],
        "queued" in item,
        "published" in item,
        _plan(item) if "chunks" in item else None,
        number(item, "chunks_done") or 0,
        number(item, "rows_done") or 0,
        text(item, "report"),
        "released" in item,
    )


def _done(item: Item) -> DoneChunk:
    counts: dict[str, int] = {outcome: int(item[outcome]["N"]) for outcome in REGISTERED if outcome in item}
    return DoneChunk(int(item["sk"]["S"].removeprefix(_CHUNK)), counts, item["notes"]["S"])


def _plan(item: Item) -> Plan:
    return Plan(
        separator=item["separator"]["S"],
        header=_listed(item["header"]),
        columns=_listed(item["columns"]),
        chunks=int(item["chunks"]["N"]),
        rows=int(item["rows"]["N"]),
        last_modified=item["last_modified"]["S"],
        size=int(item["size"]["N"]),
        checksum=item["checksum"]["S"],
        rewritten=item["rewritten"]["BOOL"],
        sheets_unread=number(item, "sheets_unread") or 0,
        rows_hidden=number(item, "rows_hidden") or 0,
        first_hidden=number(item, "first_hidden") or 0,
        encoding=text(item, "encoding") or "",
        accept=_listed(item["accept"]) if "accept" in item else (),
        as_of=text(item, "as_of") or "",
    )


def _listed(value: Any) -> tuple[str, ...]:
    return tuple(element["S"] for element in value["L"])


def _chunk_key(chunk_number: int) -> str:
    return f"{_CHUNK}{chunk_number:06d}"
