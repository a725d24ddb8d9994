"""The Registry table: the registration numbers of plates, kept only as fingerprints, and the wrong tries at them.

Keys: ``pk=<plate's fingerprint>`` with ``sk`` = ``NUMBER#<category>`` (empty where the file names none),
``TRIES#<day>`` (the wrong tries of a day) or ``PENDING#<sub>`` (a citizen's number that waits for its card).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from shared.aws_json import Call, Json
from shared.domain.plate import CATEGORIES
from shared.domain.registration import Card, Proof, Registration, compare
from shared.domain.time import to_text
from shared.plate_crypto import PlateCrypto
from shared.stores import cards, versioned
from shared.stores.cards import TO_WALK, Change
from shared.stores.items import MAX_ACTIONS, Item, batch_get, epoch, is_made, item_key, pack
from shared.stores.versioned import INSERTED, Foreseen

SUSPICIOUS: Final = 20
"""Wrong numbers for one plate in a day, by anybody, after which somebody should look. It locks nobody out."""

_NUMBER: Final = "NUMBER#"
_PENDING: Final = "PENDING#"
_KEPT: Final = timedelta(days=2)
_RESERVED: Final = {"#number": "number", "#first": "first"}
"""A card's attributes whose names DynamoDB keeps for itself: an expression calls them by these."""


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

        keys = [self._vehicle(row) for row in rows]
        return versioned.write(self._call, lambda: self._decisions(rows, keys, moves), self._sleep)

    def foresee(self, rows: Sequence[Registration]) -> list[Foreseen]:
        """Say what :meth:`write` without moves would make of rows now, and write nothing. One BatchGetItem."""
        keys = [self._vehicle(row) for row in rows]
        return [Foreseen(outcome) for outcome, _ in self._decisions(rows, keys, moves=False)]

    def _decisions(
        self, rows: Sequence[Registration], keys: Sequence[Item], moves: bool
    ) -> Iterable[tuple[str, Json | None]]:
        items = batch_get(self._call, self._table, keys, sleep=self._sleep)
        known = {(item["pk"]["S"], item["sk"]["S"]): item for item in items}
        return (
            self._decide(row, key, known.get((key["pk"]["S"], key["sk"]["S"])), moves)
            for row, key in zip(rows, keys, strict=True)
        )

    def _vehicle(self, row: Registration) -> Item:
        return item_key(self._crypto.plate_fingerprint(row.plate_key), f"{_NUMBER}{row.category or ''}")

    def _decide(self, row: Registration, key: Item, known: Item | None, moves: bool) -> tuple[str, Json | None]:
        number = self._crypto.registration_fingerprint(row.plate_key, row.number)
        if known is None:
            item = {**key, **cards.insertion(row, number)}
            put = {"TableName": self._table, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}
            return INSERTED, {"Put": put}
        outcome, change = cards.decide(row, number, known, moves=moves, seal=self._crypto.seal_plate)
        return outcome, self._update(key, change) if change else None

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
        keys = card_keys(self._crypto.plate_fingerprint(plate_key))
        cards = cards_of(batch_get(self._call, self._table, keys, sleep=self._sleep))
        return compare(cards, category, fingerprint), fingerprint

    def count_wrong(self, plate_key: str, at: datetime) -> int:
        """Count a wrong number held against a plate; return how many the day has seen. One UpdateItem."""
        request: Json = {
            "TableName": self._table,
            "Key": item_key(self._crypto.plate_fingerprint(plate_key), f"TRIES#{to_text(at)[:10]}"),
            "UpdateExpression": "SET expires = :expires ADD tries :one",
            "ExpressionAttributeValues": pack({":one": 1, ":expires": epoch(at + _KEPT)}),
            "ReturnValues": "UPDATED_NEW",
        }
        return int(self._call("dynamodb", "UpdateItem", request)["Attributes"]["tries"]["N"])

    def wait_action(self, plate_key: str, sub: str, number: str, at: datetime) -> Json:
        """The action that keeps a number (its fingerprint) that waits for its card; a later one takes its place."""
        mark = self._crypto.plate_fingerprint(plate_key)
        plate = self._crypto.seal_plate(plate_key)
        values = pack({"number": number, "at": to_text(at), "sealed_plate": plate, "to_walk": TO_WALK})
        return {"Put": {"TableName": self._table, "Item": {**pending_key(mark, sub), **values}}}

    def forget_action(self, plate_key: str, sub: str) -> Json:
        """The action that ends the waiting of a number, if one waits."""
        key = pending_key(self._crypto.plate_fingerprint(plate_key), sub)
        return {"Delete": {"TableName": self._table, "Key": key}}


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


def cards_of(items: Iterable[Item]) -> dict[str, Card]:
    """Read the cards among a plate's items, by category."""
    return {
        item["sk"]["S"].removeprefix(_NUMBER): Card(
            item["number"]["S"],
            item["version"]["S"],
            item["began"]["S"],
            item["first"]["BOOL"],
            item["known_from"]["S"],
        )
        for item in items
        if is_card(item)
    }
