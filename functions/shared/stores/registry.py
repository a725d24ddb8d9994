"""The Registry table: the registration numbers of plates, kept only as fingerprints, and the wrong tries at them.

Keys: ``pk=<plate's fingerprint>`` with ``sk`` = ``NUMBER#<category>`` (empty where the file names none) or
``TRIES#<day>`` (all wrong tries of a day) or ``TRIES#<day>#<sub>`` (one citizen's).
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from shared.aws_json import AwsError, Call, Json
from shared.domain.registration import Proof, Registration
from shared.domain.time import to_text
from shared.plate_crypto import PlateCrypto
from shared.stores import cards, versioned
from shared.stores.cards import Change
from shared.stores.items import Item, batch_get, epoch, item_key, pack
from shared.stores.versioned import INSERTED, Foreseen

MAX_TRIES: Final = 5
"""Wrong numbers that one citizen may try for one plate in a day."""
SUSPICIOUS: Final = 20
"""Wrong numbers for one plate in a day, by anybody, after which somebody should look. It locks nobody out."""

_NUMBER: Final = "NUMBER#"
_NOTHING: Final = "0" * 32
_KEPT: Final = timedelta(days=2)
_RESERVED: Final = {"#number": "number", "#first": "first"}
"""A card's attributes whose names DynamoDB keeps for itself: an expression calls them by these."""


class TooManyTriesError(Exception):
    """A citizen has tried too many wrong numbers for a plate today."""


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
        outcome, change = cards.decide(row, number, known, moves=moves)
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

    # ------------------------------------------------------------------ proof

    def prove(self, sub: str, plate_key: str, category: str | None, number: str, at: datetime) -> Proof:
        """Return whether a number stands on the registration card of a plate.

        The try is counted before it is compared, so that many at once are no more than many in a row; a right one is
        taken off again. Unknown plates are the same work. Raises TooManyTriesError.
        """
        mark, day = self._crypto.plate_fingerprint(plate_key), to_text(at)[:10]
        own = item_key(mark, f"TRIES#{day}#{sub}")
        try:
            self._add(own, 1, at, MAX_TRIES)
        except AwsError as error:
            if not error.condition_failed:
                raise
            raise TooManyTriesError from None
        wanted = self._crypto.registration_fingerprint(plate_key, number)
        cards = self._cards(mark, category) or {category: _NOTHING}
        right = [registered for registered, known in cards.items() if hmac.compare_digest(known, wanted)]
        if not right:
            return Proof(right=False, wrong_today=self._add(item_key(mark, f"TRIES#{day}"), 1, at))
        self._add(own, -1, at)
        return Proof(right=True, category=category if len(right) == len(cards) else right[0])

    def _cards(self, mark: str, category: str | None) -> dict[str | None, str]:
        """The fingerprints that count where a category is asked for or none, by the category of their card.

        A registration that names no category speaks of the vehicle of any, as long as none newer names it.
        """
        request: Json = {
            "TableName": self._table,
            "ConsistentRead": True,
            "KeyConditionExpression": "pk = :plate AND begins_with(sk, :number)",
            "ExpressionAttributeValues": pack({":plate": mark, ":number": _NUMBER}),
        }
        items = self._call("dynamodb", "Query", request)["Items"]
        registered = {item["sk"]["S"].removeprefix(_NUMBER): item for item in items}
        general = registered.pop("", None)
        cards: dict[str | None, str] = {}
        for asked in [category] if category else list(registered) or [None]:
            counting = [item for item in (general, registered.get(asked or "")) if item]
            if counting:
                cards[asked] = max(counting, key=lambda item: str(item["version"]["S"]))["number"]["S"]
        return cards

    def _add(self, key: Item, amount: int, at: datetime, most: int | None = None) -> int:
        request: Json = {
            "TableName": self._table,
            "Key": key,
            "UpdateExpression": "SET expires = :expires ADD tries :amount",
            "ExpressionAttributeValues": pack({":amount": amount, ":expires": epoch(at + _KEPT)}),
            "ReturnValues": "UPDATED_NEW",
        }
        if most is not None:
            request["ConditionExpression"] = "attribute_not_exists(tries) OR tries < :most"
            request["ExpressionAttributeValues"][":most"] = {"N": str(most)}
        answer = self._call("dynamodb", "UpdateItem", request)
        return int(answer["Attributes"]["tries"]["N"])
