"""Who looked at a plate, in the Citizens table: an entry wherever what is recorded of a plate goes to a person.

Keys: ``pk=L#<plate's fingerprint>`` with ``sk`` = ``<instant>#<id of what was done>``, or ``<day>#<citizen's
fingerprint>`` where a day's repeats are one. So one Query answers who looked at a plate, newest first. An entry is only
ever added: nothing changes one, and it outlives the citizen's own data. It names neither plate nor person in clear;
whoever has the key can read who it was. The index ``ByPerson`` holds the entries of a citizen, by their fingerprint.

A plate's entries lie in one partition, which takes 1,000 write units a second: 500 look-ups of one plate. That is half
of all calls that the API lets in, so that no plate is looked up so often.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from heapq import merge
from typing import Final, NamedTuple

from shared.aws_json import Call, Json
from shared.domain.time import to_text
from shared.plate_crypto import PlateCrypto
from shared.stores.items import MAX_ACTIONS, Item, epoch, is_made, item_key, pack, pages, transact

KEPT_FOR: Final = timedelta(days=366)
_DAY: Final = len("2026-11-20")
_AFTER_ALL: Final = "~"


class What(StrEnum):
    """What was done, by which somebody saw what is recorded of a plate."""

    LOOK_UP = "look_up"
    VEHICLE = "vehicle"
    PROOF = "proof"
    PAYMENT = "payment"
    COUNTER = "counter"
    OPERATOR = "operator"
    INVESTIGATION = "investigation"


STAFF: Final = frozenset((What.COUNTER, What.OPERATOR, What.INVESTIGATION))
"""What the directorate's staff and the operators do; everything else is a citizen's."""


UNTOLD: Final = frozenset((What.INVESTIGATION, What.PROOF))
"""What an owner is not told of: an investigator's work, and tries at a number, which show nothing."""


class Entry(NamedTuple):
    """at: a stored text; where a day's repeats are one, of the first. who: a citizen's or clerk's sub, an operator."""

    at: str
    what: str
    who: str


class Day(NamedTuple):
    """How often others looked at a plate on a day in Baghdad."""

    day: str
    citizens: int
    staff: int


class WhoLooked:
    """The entries through the port. crypto: names plates and people."""

    def __init__(self, call: Call, table: str, crypto: PlateCrypto) -> None:
        self._call = call
        self._table = table
        self._crypto = crypto

    # ------------------------------------------------------------------ writing

    def entry_action(self, plate_key: str, what: What, who: str, at: datetime, done: str) -> Json:
        """The action that adds an entry. done: the id of what was done, which tells two of one second apart."""
        return {"Put": self._put(plate_key, what, who, at, f"{to_text(at)}#{done}")}

    def enter(self, actions: Sequence[Json]) -> None:
        """Add entries of distinct plates that nothing else is written with, a hundred a call; none is no call."""
        for start in range(0, len(actions), MAX_ACTIONS):
            transact(self._call, actions[start : start + MAX_ACTIONS])

    def enter_once_a_day(self, plate_key: str, who: str, at: datetime) -> None:
        """Add an entry for a citizen's own vehicle, unless there is one of that day. One PutItem."""
        text = to_text(at)
        put = self._put(plate_key, What.VEHICLE, who, at, f"{text[:_DAY]}#{self._crypto.citizen_fingerprint(who)}")
        put["Item"] |= pack({"at": text})
        is_made(lambda: self._call("dynamodb", "PutItem", {**put, "ConditionExpression": "attribute_not_exists(pk)"}))

    def _put(self, plate_key: str, what: What, who: str, at: datetime, sk: str) -> Json:
        mark = self._crypto.citizen_fingerprint(who)
        values: dict[str, str | int] = {
            "what": what,
            "person": mark,
            "sealed": self._crypto.seal(who, mark),
            "expires": epoch(at + KEPT_FOR),
        }
        key = item_key(f"L#{self._crypto.plate_fingerprint(plate_key)}", sk)
        return {"TableName": self._table, "Item": {**key, **pack(values)}}

    # ------------------------------------------------------------------ reading

    def entries(self, plate_key: str, at: datetime) -> Iterator[Entry]:
        """Every entry of a plate, newest first."""
        for item in self._items(plate_key, to_text(at - KEPT_FOR), _AFTER_ALL):
            yield Entry(_at(item), item["what"]["S"], self._name(item))

    def days(
        self, plate_key: str, owner: str, since: str | None, before: str | None, limit: int, at: datetime
    ) -> tuple[list[Day], bool]:
        """How often others than the owner looked, newest day first, and whether there are more days.

        since: only what happened from that instant on. before: only days before that one. What is UNTOLD is not in it,
        and a day on which nobody else looked is left out. One Query for each megabyte of entries.
        """
        own, first = set(self._crypto.citizen_fingerprints(owner)), max(since or "", to_text(at - KEPT_FOR))
        counts: dict[str, list[int]] = {}
        for item in self._items(plate_key, first, before or _AFTER_ALL):
            what, day = item["what"]["S"], item["sk"]["S"][:_DAY]
            if what in UNTOLD or item["person"]["S"] in own:
                continue
            if day not in counts and len(counts) == limit:
                return _days(counts), True
            counts.setdefault(day, [0, 0])[what in STAFF] += 1
        return _days(counts), False

    def _items(self, plate_key: str, first: str, last: str) -> Iterator[Item]:
        """The entries from an instant on whose key is not behind another, newest key first."""
        marks = self._crypto.plate_fingerprints(plate_key)
        yield from merge(*(self._of_mark(mark, first, last) for mark in marks), key=_sort_key, reverse=True)

    def _of_mark(self, mark: str, first: str, last: str) -> Iterator[Item]:
        request: Json = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :plate AND sk BETWEEN :first AND :last",
            "ExpressionAttributeValues": pack({":plate": f"L#{mark}", ":first": first[:_DAY], ":last": last}),
            "ScanIndexForward": False,
        }
        for page in pages(self._call, "Query", request):
            yield from (item for item in page["Items"] if _at(item) >= first)

    def _name(self, item: Item) -> str:
        return self._crypto.unseal(item["sealed"]["S"], item["person"]["S"])


def _sort_key(item: Item) -> str:
    sk: str = item["sk"]["S"]
    return sk


def _at(item: Item) -> str:
    at: str = item["at"]["S"] if "at" in item else item["sk"]["S"].partition("#")[0]
    return at


def _days(counts: dict[str, list[int]]) -> list[Day]:
    return [Day(day, citizens, staff) for day, (citizens, staff) in counts.items()]
