"""The Violations table: one item a violation, ``pk`` its number. Attributes have one writer each.

*ingest* writes what the directorate says, *pay* the settlement; the two sets are disjoint, so that an upload can never
overwrite a payment. Indexes: ``ByPlate`` (newest first, all attributes), ``ByDoublingDay`` (keys only, in shards).

How far their days are those of a set of rules stands in the Files table: ``pk=RISES, sk=SEGMENT#<shard>``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from string import ascii_letters
from typing import Final

import orjson
from orjson import Fragment

from shared.aws_json import Call, Json
from shared.domain.violation import FIELDS, PAY, Violation
from shared.stores import hurts, versioned
from shared.stores.held_violations import HeldViolations
from shared.stores.items import Item, batch_get, get_item, is_made, item_key, pack, pages, readable, text
from shared.stores.versioned import HELD, REJECTED, STALE, UNCHANGED, Foreseen, file_of, hurting, hurts_of_stale
from shared.stores.violation_rows import (
    INGEST_ATTRIBUTES,
    Held,
    Row,
    attributes,
    episode_of,
    held_back,
    held_of,
    read,
    tell,
)

PAY_ATTRIBUTES: Final = frozenset(
    {"held_plate", *(field.attribute for field in FIELDS.values() if field.writer == PAY)}
)

# A request repeats its expressions and placeholders for every row, and every byte of it is signed: they are kept short.
_SIGNS: Final = tuple(f":{letter}" for letter in ascii_letters)
_RESERVED: Final = {"#hash": "hash", "#status": "status"}
"""Ingest's attributes whose names DynamoDB keeps for itself: an expression calls them by these."""


class Violations(HeldViolations):
    """The table through the port, with what pay writes of it. sleep: how to wait between tries."""

    def __init__(self, call: Call, table: str, *, sleep: Callable[[float], None] = time.sleep) -> None:
        super().__init__(call, table)
        # Half as long as an update. It replaces nothing, a settlement least of all: the item must not be there.
        insertion = {"TableName": table, "Item": {}, "ConditionExpression": "attribute_not_exists(pk)"}
        self._insertion = orjson.dumps(insertion).replace(b"{}", b'{"pk":{"S":"%b"},%b}')
        self._sleep = sleep

    def of_plate(self, plate_key: str, unreadable: list[Exception] | None = None) -> list[Violation]:
        """All violations on a plate, newest first: one Query of the index, and one more for each further megabyte.

        unreadable: as :func:`shared.stores.items.readable` takes it.
        """
        request: Json = {
            "TableName": self._table,
            "IndexName": "ByPlate",
            "KeyConditionExpression": "plate = :plate",
            "ExpressionAttributeValues": {":plate": {"S": plate_key}},
            "ScanIndexForward": False,
        }
        items = (item for page in pages(self._call, "Query", request) for item in page["Items"])
        return [*readable(items, read, unreadable)]

    def get(self, numbers: Iterable[str], unreadable: list[Exception] | None = None) -> dict[str, Violation]:
        """The violations that exist of these numbers, by number, consistently read. unreadable: as above."""
        keys = [{"pk": {"S": violation_no}} for violation_no in dict.fromkeys(numbers)]
        items = batch_get(self._call, self._table, keys, sleep=self._sleep)
        return {violation.violation_no: violation for violation in readable(items, read, unreadable)}

    def episodes(self, numbers: Iterable[str]) -> dict[str, str]:
        """By number, what names the last dispute of those violations that ever were disputed, consistently read."""
        keys = [{"pk": {"S": violation_no}} for violation_no in dict.fromkeys(numbers)]
        projection = {"ProjectionExpression": "pk,episode"}
        items = batch_get(self._call, self._table, keys, projection=projection, sleep=self._sleep)
        return {item["pk"]["S"]: item["episode"]["S"] for item in items if "episode" in item}

    def rising(self, day: str, shard: int) -> list[str]:
        """The numbers of the violations of a shard that are to double on a day (ISO), as far as the index knows."""
        request: Json = {
            "TableName": self._table,
            "IndexName": "ByDoublingDay",
            "KeyConditionExpression": "doubling_day = :day",
            "ExpressionAttributeValues": {":day": {"S": f"{day}#{shard}"}},
        }
        return [item["pk"]["S"] for page in pages(self._call, "Query", request) for item in page["Items"]]

    def walk(self, segment: int, segments: int) -> Iterator[Item]:
        """Every item of a share of the table, as far as statistics need it: half a read unit for 4 KB."""
        request: Json = {
            "TableName": self._table,
            "Segment": segment,
            "TotalSegments": segments,
            "ProjectionExpression": "plate, #status, amount, held_by, paid_by, paid_amount, paid_at",
            "ExpressionAttributeNames": {"#status": "status"},
        }
        for page in pages(self._call, "Scan", request):
            yield from page["Items"]

    # ------------------------------------------------------------------ another set of rules

    def read_through(self, segment: int, segments: int, after: str | None = None) -> Iterator[list[Item]]:
        """Every whole item of a share of the table, page by page, after a violation's number: half a unit for 4 KB."""
        request: Json = {"TableName": self._table, "Segment": segment, "TotalSegments": segments}
        if after:
            request["ExclusiveStartKey"] = {"pk": {"S": after}}
        for page in pages(self._call, "Scan", request):
            yield page["Items"]

    def find_on(self, item: Item, day: str | None) -> bool:
        """Let a violation be found by another ``doubling_day``, or by none, where it is as it was read; whether it was.

        Its version stays, so that nobody is told. One UpdateItem.
        """
        request: Json = {
            "TableName": self._table,
            "Key": {"pk": item["pk"]},
            "UpdateExpression": "SET doubling_day = :day" if day else "REMOVE doubling_day",
            "ConditionExpression": "version = :seen",
            "ExpressionAttributeValues": {":seen": item["version"], **({":day": {"S": day}} if day else {})},
        }
        return is_made(lambda: self._call("dynamodb", "UpdateItem", request))

    # ------------------------------------------------------------------ ingest

    def write(self, rows: Sequence[Row], *, holds: bool = False) -> list[str]:
        """Bring up to 100 rows of distinct numbers into the table; the newest version of each wins, whoever comes last.

        Returns inserted, updated, unchanged, stale or rejected for each row. A row that this very line wrote before
        counts as it did then. Rejected: nobody said when it was so, and it would open what is paid or cancelled. An
        outcome that hurts says so (:mod:`shared.stores.hurts`). holds: their news are held back until :meth:`let_go`,
        and the outcomes of those that are say so. One BatchGetItem and one TransactWriteItems where
        nobody interferes; a transaction that others cancelled is decided anew on a fresh reading. Raises AwsError where
        that does not end.
        """

        def decisions() -> Iterable[tuple[str, Json | None]]:
            known = self._versions(rows)
            return (self._decide(row, known.get(row.violation.violation_no), holds) for row in rows)

        return versioned.write(self._call, decisions, self._sleep)

    def foresee(self, rows: Sequence[Row]) -> list[Foreseen]:
        """Say what :meth:`write` would make of rows now, and write nothing. One BatchGetItem."""
        known = self._versions(rows)
        return [self._foresee(row, known.get(row.violation.violation_no)) for row in rows]

    def _foresee(self, row: Row, known: Item | None) -> Foreseen:
        outcome, action = self._decide(row, known, holds=False)
        held = held_of(known) if known else None
        before = held.plate if held else text(known or {}, "plate")
        return Foreseen(outcome, _news(row, known) if action else None, before, episode_of(row, known))

    def _versions(self, rows: Sequence[Row]) -> dict[str, Item]:
        projection = {
            "ProjectionExpression": "pk,version,#hash,plate,#status,amount,amount_due,was,tell_held,episode,"
            "inserted_by,changed_by,changed_before,paid_by",
            "ExpressionAttributeNames": _RESERVED,
        }
        keys: list[Item] = [{"pk": {"S": row.violation.violation_no}} for row in rows]
        items = batch_get(self._call, self._table, keys, projection=projection, sleep=self._sleep)
        return {item["pk"]["S"]: item for item in items}

    def _decide(self, row: Row, known: Item | None, holds: bool) -> tuple[str, Json | None]:
        """What becomes of a row beside what is known of its number: the outcome, and the write that it needs."""
        same = known is not None and known["hash"]["S"] == row.content
        outcome, needed = versioned.decide(row, known, same=same)
        if known is None:
            return self._insert(row, outcome, holds)
        if outcome == UNCHANGED:
            return outcome, None
        if outcome == STALE:
            lost = hurts_of_stale(row, known, same=same) + hurts.of_contradiction(row, known)
            return hurting(outcome, lost), None
        if not needed:
            if text(known, "changed_by") != row.ref:
                return outcome, None
            held = held_of(known)
            is_held = held is not None and held.file_id == row.ref.partition("#")[0]
            return hurting(outcome, hurts.told_before(known), held=is_held), None
        if not row.declared and hurts.reopens(row, known):
            return REJECTED, None
        return self._change(row, known, outcome, holds)

    def _insert(self, row: Row, outcome: str, holds: bool) -> tuple[str, Json]:
        news = _news(row, None)
        if news and holds:
            outcome, held, news = HELD[outcome], held_back(news, row.ref, None), None
        else:
            held = None
        members = attributes(row, news, held=held, episode=episode_of(row, None))
        return outcome, {"Put": Fragment(self._insertion % (row.violation.violation_no.encode(), members))}

    def _change(self, row: Row, known: Item, outcome: str, holds: bool) -> tuple[str, Json]:
        # What was decided holds only for the version it was decided on.
        last = text(known, "changed_by")
        # What undoing a file brings back stood in another: a file may hold a number twice.
        before = text(known, "changed_before") if last and last.startswith(file_of(row.ref)) else last
        inserted_by = None if "inserted_by" in known else last
        told = hurts.of_change(row, known)
        news = _news(row, known)
        held = None
        if news and (holds or row.origin != "live"):
            # A backlog announces nothing: what it finds held stays so, for the file that made it.
            former = None if holds else held_of(known)
            held, news = held_back(news, former.file_id if former else row.ref, known), None
        kept = hurts.kept(told)
        members = attributes(row, news, before, inserted_by, kept, held, episode=episode_of(row, known))
        update = self._update(row, members, "version = :seen", known["version"])
        return hurting(outcome, told, held=held is not None and holds), {"Update": update}

    def _update(self, row: Row, members: bytes, condition: str, seen: Item) -> Json:
        """The update that makes a known violation say what a row says. seen: the value of its condition."""
        said: Item = orjson.loads(b"{%b}" % members)
        return {
            "TableName": self._table,
            "Key": {"pk": {"S": row.identity}},
            "UpdateExpression": _change(tuple(said)),
            "ExpressionAttributeNames": _RESERVED,
            "ExpressionAttributeValues": {**dict(zip(_SIGNS, said.values(), strict=False)), ":seen": seen},
            "ConditionExpression": condition,
        }

    # ------------------------------------------------------------------ news that are held back

    def held(self, numbers: Sequence[str], file_id: str) -> dict[str, Held]:
        """By number, the news that up to 100 violations hold back for a file, consistently read."""
        keys: list[Item] = [{"pk": {"S": violation_no}} for violation_no in numbers]
        projection = {"ProjectionExpression": "pk,tell_held"}
        items = batch_get(self._call, self._table, keys, projection=projection, sleep=self._sleep)
        found = ((item["pk"]["S"], held_of(item)) for item in items)
        return {violation_no: held for violation_no, held in found if held and held.file_id == file_id}

    def let_go(self, numbers: Sequence[str], file_id: str) -> int:
        """Let followers hear of what up to 100 violations hold back for a file. Returns of how many; harmless again.

        One that another row has changed meanwhile is as that row left it. One BatchGetItem and one TransactWriteItems
        where nobody interferes. Raises AwsError where that does not end.
        """

        def decisions() -> Iterable[tuple[str, Json | None]]:
            held = self.held(numbers, file_id)
            return ((each.news, self._letting_go(number, each)) for number, each in held.items())

        return len(versioned.write(self._call, decisions, self._sleep))

    def _letting_go(self, violation_no: str, held: Held) -> Json:
        update: Json = {
            "TableName": self._table,
            "Key": {"pk": {"S": violation_no}},
            "UpdateExpression": "SET tell = :news REMOVE tell_held",
            "ConditionExpression": "tell_held = :held",
            "ExpressionAttributeValues": pack({":news": held.news, ":held": held.text}),
        }
        return {"Update": update}

    # ------------------------------------------------------------------ undoing a file

    def traces(self, numbers: Sequence[str]) -> dict[str, Item]:
        """By number, of up to 100 violations that exist, which lines wrote them and what money is bound to them."""
        projection = {
            "ProjectionExpression": "pk, inserted_by, changed_by, changed_before, held_by, paid_by, paid_amount"
        }
        keys: list[Item] = [{"pk": {"S": violation_no}} for violation_no in numbers]
        items = batch_get(self._call, self._table, keys, projection=projection, sleep=self._sleep)
        return {item["pk"]["S"]: item for item in items}

    def forget(self, violation_no: str, ref: str) -> Json:
        """The action that deletes a violation that a line's file inserted, and that line changed last.

        Its condition says no where another has changed it since, or money is bound to it.
        """
        request: Json = {
            "TableName": self._table,
            "Key": {"pk": {"S": violation_no}},
            "ConditionExpression": "changed_by = :ref"
            " AND (attribute_not_exists(inserted_by) OR begins_with(inserted_by, :file))"
            " AND attribute_not_exists(held_by) AND attribute_not_exists(paid_by)",
            "ExpressionAttributeValues": {":ref": {"S": ref}, ":file": {"S": file_of(ref)}},
        }
        return {"Delete": request}

    def restore(self, former: Row, ref: str) -> Json:
        """The action that lets a violation say again what a former row said, in place of the line that changed it.

        Nobody is told. Its condition says no where another line changed it since. What pay writes stays as it is.
        """
        members = attributes(former, None, episode=episode_of(former, None))
        return {"Update": self._update(former, members, "changed_by = :seen", {"S": ref})}


class Reindexing:
    """How far the days of the violations are those of a set of rules, in the Files table. rules: the set's digest.

    One set at a time has done so: what an earlier one did counts no more, were it put in force again.
    """

    def __init__(self, call: Call, table: str, rules: str) -> None:
        self._call = call
        self._table = table
        self._rules = rules

    def place(self, segment: int) -> tuple[str | None, bool]:
        """The number of the violation up to which a segment has come, None for none yet, and whether it is done."""
        item = get_item(self._call, self._table, item_key("RISES", f"SEGMENT#{segment}")) or {}
        return (text(item, "after"), "done" in item) if text(item, "rules") == self._rules else (None, False)

    def keep(self, segment: int, after: str | None, *, done: bool = False) -> None:
        """Keep how far a segment has come."""
        said = {"rules": self._rules, "after": after, "done": done or None}
        item = {**item_key("RISES", f"SEGMENT#{segment}"), **pack(said)}
        self._call("dynamodb", "PutItem", {"TableName": self._table, "Item": item})


def _news(row: Row, known: Item | None) -> str | None:
    """What followers are to hear of a row that is written beside what is known of its number."""
    return tell(row, known, doubtful=known is not None and hurts.contradicts(row, known))


@lru_cache(maxsize=1024)
def _change(names: tuple[str, ...]) -> str:
    """The expression that sets these attributes of a known item and removes ingest's others.

    Remembered, because the rows of a file differ little in which attributes they have.
    """
    called = {name: alias for alias, name in _RESERVED.items()}
    sets = ",".join(f"{called.get(name, name)}={sign}" for name, sign in zip(names, _SIGNS, strict=False))
    gone = sorted(INGEST_ATTRIBUTES - {"inserted_by"} - set(names))
    return f"SET {sets} REMOVE {','.join(gone)}" if gone else f"SET {sets}"
