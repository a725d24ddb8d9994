"""The Registry table: the registration numbers of plates, kept only as fingerprints, and the wrong tries at them.

Keys: ``pk=<plate's fingerprint>`` with ``sk`` = ``NUMBER#<category>`` (empty where the file names none),
``TRIES#<day>`` (the wrong tries of a day) or ``PENDING#<sub>`` (a citizen's number that waits for its card);
``pk=REKEYING, sk=SEGMENT#<segment>``: how far the walk to a new version of the key is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from shared.aws_json import Call, Json
from shared.domain.plate import CATEGORIES
from shared.domain.registration import Card, Proof, Registration, compare
from shared.domain.time import to_text
from shared.plate_crypto import PlateCrypto
from shared.stores import cards, versioned
from shared.stores.cards import TO_WALK, Change
from shared.stores.items import (
    MAX_ACTIONS,
    Item,
    batch_get,
    epoch,
    get_item,
    is_made,
    item_key,
    pack,
    pages,
    text,
    transact,
)
from shared.stores.versioned import INSERTED, Foreseen

SUSPICIOUS: Final = 20
"""Wrong numbers for one plate in a day, by anybody, after which somebody should look. It locks nobody out."""

_NUMBER: Final = "NUMBER#"
_PENDING: Final = "PENDING#"
_KEPT: Final = timedelta(days=2)
_MOVES: Final = 6
"""How often a card is tried to be taken to another version of the key while others change it."""
_RESERVED: Final = {"#number": "number", "#first": "first"}
"""A card's attributes whose names DynamoDB keeps for itself: an expression calls them by these."""
_TO_DECIDE: Final = {
    "ProjectionExpression": "pk,sk,#number,version,began,replaced,inserted_by,changed_by",
    "ExpressionAttributeNames": {"#number": "number"},
}
"""What a row is decided on: most rows say what is known, and every byte of that is read."""


class Registry:
    """The table through the port. sleep: how to wait between tries."""

    def __init__(
        self, call: Call, table: str, crypto: PlateCrypto, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._call = call
        self._table = table
        self._crypto = crypto
        self._sleep = sleep

    # ------------------------------------------------------------------ ingest

    def write(self, rows: Sequence[Registration], *, moves: bool = True) -> list[str]:
        """Bring up to 100 rows of distinct vehicles into the table; the newest version wins, whoever comes last.

        Returns inserted, updated, unchanged, stale or waiting for each row, as :meth:`Violations.write` does. Waiting:
        it would replace the number of another file, and moves is false. What becomes of a vehicle's card:
        :mod:`shared.stores.cards`.
        """

        keys = [self._forms(row) for row in rows]
        return versioned.write(self._call, lambda: self._decisions(rows, keys, moves), self._sleep)

    def foresee(self, rows: Sequence[Registration]) -> list[Foreseen]:
        """Say what :meth:`write` without moves would make of rows now, and write nothing. One BatchGetItem."""
        keys = [self._forms(row) for row in rows]
        return [Foreseen(outcome) for outcome, _ in self._decisions(rows, keys, moves=False)]

    def _decisions(
        self, rows: Sequence[Registration], keys: Sequence[list[Item]], moves: bool
    ) -> Iterable[tuple[str, Json | None]]:
        wanted = [key for forms in keys for key in forms]
        items = batch_get(self._call, self._table, wanted, projection=_TO_DECIDE, sleep=self._sleep)
        known = {(item["pk"]["S"], item["sk"]["S"]): item for item in items}
        for row, forms in zip(rows, keys, strict=True):
            found = [item for key in forms if (item := known.get((key["pk"]["S"], key["sk"]["S"])))]
            newest = max(found, key=lambda item: str(item["version"]["S"])) if found else None
            yield self._decide(row, newest, moves)

    def _forms(self, row: Registration) -> list[Item]:
        """The keys under which a vehicle's card may stand: one, but where the key of fingerprints was changed."""
        sk = f"{_NUMBER}{row.category or ''}"
        return [item_key(mark, sk) for mark in self._crypto.registry_marks(row.plate_key)]

    def _decide(self, row: Registration, known: Item | None, moves: bool) -> tuple[str, Json | None]:
        number = self._crypto.registration_fingerprint(row.plate_key, row.number)
        if known:
            number, known = self._alike(number, known)
            key = {"pk": known["pk"], "sk": known["sk"]}  # where it stands, so that a walk that takes it on is seen
        else:
            key = item_key(self._crypto.registry_mark(row.plate_key), f"{_NUMBER}{row.category or ''}")
        if known is None:
            item = {**key, **cards.insertion(row, number)}
            put = {"TableName": self._table, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}
            return INSERTED, {"Put": put}
        outcome, change = cards.decide(row, number, known, moves=moves, seal=self._crypto.seal_plate)
        return outcome, self._update(key, change) if change else None

    def _alike(self, number: str, known: Item) -> tuple[str, Item]:
        """A number and a card in one version of the key, in which they can be compared and be written."""
        stands = known["number"]["S"]
        if "." not in number + stands:
            return number, known
        version = max(_version_of(number), _version_of(stands))
        return self._crypto.wrap(number, version), wrapped(known, lambda each: self._crypto.wrap(each, version))

    def _update(self, key: Item, change: Change) -> Json:
        update: Json = {
            "TableName": self._table,
            "Key": key,
            "UpdateExpression": change.expression,
            "ConditionExpression": change.condition,
            "ExpressionAttributeValues": change.values,
        }
        if names := {name: each for name, each in _RESERVED.items() if name in change.expression}:
            update["ExpressionAttributeNames"] = names
        return {"Update": update}

    # ------------------------------------------------------------------ after a file

    def to_walk(self, after: Item | None = None) -> tuple[list[Item], Item | None]:
        """A page of what is to be looked at after a file, and the key to go on after; None at the end. One Query.

        Cards on which another number stands, and numbers that wait for their card. The index may be behind.
        """
        request: Json = {
            "TableName": self._table,
            "IndexName": "ToWalk",
            "KeyConditionExpression": "to_walk = :walk",
            "ExpressionAttributeValues": pack({":walk": TO_WALK}),
            "Limit": MAX_ACTIONS,
        }
        if after:
            request["ExclusiveStartKey"] = after
        page = self._call("dynamodb", "Query", request)
        return page["Items"], page.get("LastEvaluatedKey") or None

    def registered(self, marks: Iterable[str]) -> set[str]:
        """Return those of some plates, by their fingerprints, of which any card is known. A read for each nine."""
        keys = [key for mark in dict.fromkeys(marks) for key in card_keys(mark)]
        return {item["pk"]["S"] for item in batch_get(self._call, self._table, keys, sleep=self._sleep)}

    def plate_of(self, item: Item) -> str:
        """Return the plate of an item to be looked at. Raises ValueError where it is sealed under another key."""
        return self._crypto.open_plate(item["sealed_plate"]["S"])

    def walked(self, card: Item) -> bool:
        """Note that a card need not be looked at again; returns False where it has changed since it was read."""
        request: Json = {
            "TableName": self._table,
            "Key": {"pk": card["pk"], "sk": card["sk"]},
            "UpdateExpression": "REMOVE to_walk, sealed_plate",
            "ConditionExpression": "version = :seen",
            "ExpressionAttributeValues": {":seen": card["version"]},
        }
        return is_made(lambda: self._call("dynamodb", "UpdateItem", request))

    # ------------------------------------------------------------------ proof

    def prove(self, plate_key: str, category: str | None, number: str) -> tuple[Proof, str]:
        """Hold a number against a plate's cards; also return its fingerprint.

        Unknown plates are the same work. One BatchGetItem.
        """
        fingerprint = self._crypto.registration_fingerprint(plate_key, number)
        keys = [key for mark in self._crypto.registry_marks(plate_key) for key in card_keys(mark)]
        cards = cards_of(batch_get(self._call, self._table, keys, sleep=self._sleep), self._crypto)
        return compare(cards, category, self._crypto.wrap(fingerprint)), fingerprint

    def count_wrong(self, plate_key: str, at: datetime) -> int:
        """Count a wrong number held against a plate; return how many the day has seen. One UpdateItem."""
        request: Json = {
            "TableName": self._table,
            "Key": item_key(self._crypto.registry_mark(plate_key), f"TRIES#{to_text(at)[:10]}"),
            "UpdateExpression": "SET expires = :expires ADD tries :one",
            "ExpressionAttributeValues": pack({":one": 1, ":expires": epoch(at + _KEPT)}),
            "ReturnValues": "UPDATED_NEW",
        }
        return int(self._call("dynamodb", "UpdateItem", request)["Attributes"]["tries"]["N"])

    def wait_action(self, plate_key: str, sub: str, number: str, at: datetime) -> Json:
        """The action that keeps a number (its fingerprint) that waits for its card; a later one takes its place."""
        mark = self._crypto.registry_mark(plate_key)
        plate = self._crypto.seal_plate(plate_key)
        values = pack({"number": number, "at": to_text(at), "sealed_plate": plate, "to_walk": TO_WALK})
        return {"Put": {"TableName": self._table, "Item": {**pending_key(mark, sub), **values}}}

    def forget_actions(self, plate_key: str, sub: str) -> list[Json]:
        """The actions that end the waiting of a number, if one waits."""
        keys = [pending_key(mark, sub) for mark in self._crypto.registry_marks(plate_key)]
        return [{"Delete": {"TableName": self._table, "Key": key}} for key in keys]


def card_keys(mark: str) -> list[Item]:
    """The keys of all cards that a plate can have."""
    return [item_key(mark, f"{_NUMBER}{category}") for category in ("", *CATEGORIES)]


def is_card(item: Item) -> bool:
    """True if an item is a card, and not a number that waits for one."""
    return str(item["sk"]["S"]).startswith(_NUMBER)


def waiting_of(item: Item) -> str:
    """Whose number it is that waits for a card."""
    return str(item["sk"]["S"]).removeprefix(_PENDING)


def pending_key(mark: str, sub: str) -> Item:
    """The key of a citizen's number that waits for a card of a plate."""
    return item_key(mark, f"{_PENDING}{sub}")


def cards_of(items: Iterable[Item], crypto: PlateCrypto) -> dict[str, Card]:
    """Read the cards among a plate's items, by category, their numbers in the newest version of the key.

    Of a card that stands in two versions, while the registry is taken to another, the newer counts.
    """
    found: dict[str, Card] = {}
    for item in items:
        if not is_card(item):
            continue
        card = Card(
            crypto.wrap(item["number"]["S"]),
            item["version"]["S"],
            item["began"]["S"],
            item["first"]["BOOL"],
            item["known_from"]["S"],
        )
        category = item["sk"]["S"].removeprefix(_NUMBER)
        if category not in found or found[category].version < card.version:
            found[category] = card
    return found


def wrapped(item: Item, wrap: Callable[[str], str]) -> Item:
    """Bring the fingerprints in a card, or in a number that waits, to another version of the key."""
    changed = {**item, "number": {"S": wrap(item["number"]["S"])}}
    if "replaced" in item:
        changed["replaced"] = {"SS": [wrap(each) for each in item["replaced"]["SS"]]}
    return changed


def _version_of(fingerprint: str) -> int:
    return int(fingerprint.rpartition(".")[0] or 1)


class Rekeying:
    """The walk that takes the registry to the newest version of the key, knowing neither plates nor numbers.

    name: of the pass; ``pk=REKEYING, sk=SEGMENT#<segment>`` keeps how far it has come. While it goes on, whoever reads
    asks for both forms, and a card is changed where it stands: a change that met it half way is made anew.
    """

    def __init__(self, call: Call, table: str, crypto: PlateCrypto, name: str) -> None:
        self._call = call
        self._table = table
        self._crypto = crypto
        self._name = name

    def walk(self, segment: int, of: int) -> Iterator[tuple[int, int]]:
        """Take a share of the table to the newest version, from where it was left; for each page, items and moves."""
        key = item_key("REKEYING", f"SEGMENT#{segment}")
        kept = get_item(self._call, self._table, key) or {}
        if text(kept, "pass") != self._name:
            kept = {}
        if kept and kept["done"]["BOOL"]:
            return
        request: Json = {"TableName": self._table, "Segment": segment, "TotalSegments": of, "ConsistentRead": True}
        if kept:
            request["ExclusiveStartKey"] = dict(zip(("pk", "sk"), kept["after"]["L"], strict=True))
        for page in pages(self._call, "Scan", request):
            moved = sum(self._move(item) for item in page["Items"])
            last = page.get("LastEvaluatedKey") or {}
            after = [last[name]["S"] for name in ("pk", "sk") if last]
            item = {**key, **pack({"pass": self._name, "after": after, "done": not after})}
            self._call("dynamodb", "PutItem", {"TableName": self._table, "Item": item})
            yield len(page["Items"]), moved

    def _move(self, item: Item) -> bool:
        """Take one item to the newest version; of two that then stand for the same, the newer stays."""
        if "number" not in item:
            return False  # counts of a day, which end with it
        for _ in range(_MOVES):
            old = {"pk": item["pk"], "sk": item["sk"]}
            mark = self._crypto.wrap(item["pk"]["S"])
            moved = wrapped({**item, "pk": {"S": mark}}, self._crypto.wrap)
            if moved == item:
                return False
            there = item_key(mark, item["sk"]["S"])
            stands = item if there == old else get_item(self._call, self._table, there)
            if self._is_moved(self._moving(item, moved, stands)):
                return True
            found = get_item(self._call, self._table, old)
            if found is None:
                return False
            item = found
        raise RuntimeError("others keep changing the same card")

    def _is_moved(self, actions: Sequence[Json]) -> bool:
        return is_made(lambda: transact(self._call, actions))

    def _moving(self, item: Item, moved: Item, stands: Item | None) -> list[Json]:
        """The actions of a move, each on condition that its item is as it was read."""
        leaves: Json = {"TableName": self._table, "Key": {"pk": item["pk"], "sk": item["sk"]}, **_as_read(item)}
        comes: Json = {"TableName": self._table, "Item": moved}
        if stands is item:
            return [{"Put": {**comes, **_as_read(item)}}]
        if stands is None:
            return [{"Put": {**comes, "ConditionExpression": "attribute_not_exists(pk)"}}, {"Delete": leaves}]
        if _newness(stands) >= _newness(item):
            return [{"Delete": leaves}]
        return [{"Put": {**comes, **_as_read(stands)}}, {"Delete": leaves}]


def _as_read(item: Item) -> Json:
    """The condition that an item is as it was read: a card by version and beginning, a number that waits by its own."""
    names = [name for name in ("version", "began", "number", "at") if name in item]
    return {
        "ConditionExpression": " AND ".join(f"#{name} = :{name}" for name in names),
        "ExpressionAttributeNames": {f"#{name}": name for name in names},
        "ExpressionAttributeValues": {f":{name}": item[name] for name in names},
    }


def _newness(item: Item) -> str:
    return text(item, "version") or text(item, "at") or ""
