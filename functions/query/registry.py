"""The Registry table: the registration numbers of plates, kept only as fingerprints, and the wrong tries at them.

Keys: ``pk=<plate's fingerprint>`` with ``sk`` = ``NUMBER#<category>`` (empty where the file names none) or
``TRIES#<day>`` (all wrong tries of a day) or ``TRIES#<day>#<sub>`` (one citizen's).
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from shared.aws_json import AwsError, Call, Json
from shared.domain.time import to_text
from shared.keyed import Keyed
from shared.stores.items import Item, pack

MOST_TRIES: Final = 5
"""Wrong numbers that one citizen may try for one plate in a day."""
SUSPICIOUS: Final = 20
"""Wrong numbers for one plate in a day, by anybody, after which somebody should look. It locks nobody out."""

_NOTHING: Final = "0" * 32
_KEPT: Final = timedelta(days=2)


class Registration(NamedTuple):
    """One registered vehicle. number: in its normal form. version: what tells which writing is newer."""

    plate_key: str
    category: str | None
    number: str
    version: str


class TooManyTriesError(Exception):
    """A citizen has tried too many wrong numbers for a plate today."""


class Registry:
    """The table through the port."""

    def __init__(self, call: Call, table: str, keyed: Keyed) -> None:
        self._call = call
        self._table = table
        self._keyed = keyed

    def write(self, registration: Registration) -> bool:
        """Keep a registration unless a newer one is known. Returns whether it was written."""
        key = _key(self._keyed.plate(registration.plate_key), f"NUMBER#{registration.category or ''}")
        number = self._keyed.registration(registration.plate_key, registration.number)
        request: Json = {
            "TableName": self._table,
            "Item": {**key, **pack({"number": number, "version": registration.version})},
            "ConditionExpression": "attribute_not_exists(pk) OR version < :version",
            "ExpressionAttributeValues": pack({":version": registration.version}),
        }
        try:
            self._call("dynamodb", "PutItem", request)
        except AwsError as error:
            if not error.condition_failed:
                raise
            return False
        return True

    def prove(self, sub: str, plate_key: str, category: str | None, number: str, at: datetime) -> tuple[bool, int]:
        """Whether a number stands on the registration card of a plate, and how many wrong ones it has had today.

        The try is counted before it is compared, so that many at once are no more than many in a row; a right one is
        taken off again. Unknown plates are the same work. Raises TooManyTriesError.
        """
        mark, day = self._keyed.plate(plate_key), to_text(at)[:10]
        own = _key(mark, f"TRIES#{day}#{sub}")
        try:
            self._add(own, 1, at, MOST_TRIES)
        except AwsError as error:
            if not error.condition_failed:
                raise
            raise TooManyTriesError from None
        wanted = self._keyed.registration(plate_key, number)
        right = False
        for known in self._numbers(mark, category):
            right |= hmac.compare_digest(known, wanted)
        if right:
            self._add(own, -1, at)
            return True, 0
        return False, self._add(_key(mark, f"TRIES#{day}"), 1, at)

    def _numbers(self, mark: str, category: str | None) -> Sequence[str]:
        request: Json = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :plate AND begins_with(sk, :number)",
            "ExpressionAttributeValues": pack({":plate": mark, ":number": "NUMBER#"}),
        }
        wanted = ("NUMBER#", f"NUMBER#{category}")
        items = self._call("dynamodb", "Query", request)["Items"]
        found = [item["number"]["S"] for item in items if category is None or item["sk"]["S"] in wanted]
        return found or [_NOTHING]

    def _add(self, key: Item, amount: int, at: datetime, most: int | None = None) -> int:
        request: Json = {
            "TableName": self._table,
            "Key": key,
            "UpdateExpression": "SET expires = :expires ADD tries :amount",
            "ExpressionAttributeValues": pack({":amount": amount, ":expires": int((at + _KEPT).timestamp())}),
            "ReturnValues": "UPDATED_NEW",
        }
        if most is not None:
            request["ConditionExpression"] = "attribute_not_exists(tries) OR tries < :most"
            request["ExpressionAttributeValues"][":most"] = {"N": str(most)}
        answer = self._call("dynamodb", "UpdateItem", request)
        return int(answer["Attributes"]["tries"]["N"])


def _key(pk: str, sk: str) -> Item:
    return {"pk": {"S": pk}, "sk": {"S": sk}}
