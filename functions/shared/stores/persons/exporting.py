"""Reading out all that is kept of a person, from every table, in pages. Keys: those of the data model's page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from shared.aws_json import Call, Json
from shared.domain.time import to_text
from shared.stores.items import Item, batch_get, item_key, newest_of_citizen, pack, pages
from shared.stores.persons.kept import CITIZENS, MESSAGES, PAYMENTS, REGISTRY, kind_of

_CAPS_KEPT: Final = (0, 1, 2, 3)  # days


class Tables(NamedTuple):
    """The names of the tables that hold persons."""

    citizens: str
    messages: str
    payments: str


class Person(NamedTuple):
    """Somebody, and the fingerprints under which something is kept of them, the oldest first."""

    sub: str
    fingerprints: Sequence[str]

    @property
    def who(self) -> str:
        """The newest fingerprint."""
        return self.fingerprints[-1]


Position = tuple[str, ...]
"""Where a page ended: the number of a section, and the key within it."""
Page = tuple[list[tuple[str, Item]], Item | None]
"""Items, each with its table, and the key to go on after."""


class Exports:
    """The tables through the port.

    marks: the fingerprints of a plate under which a proof may wait in the registry.
    """

    def __init__(self, call: Call, tables: Tables, registry: str, marks: Callable[[str], Sequence[str]]) -> None:
        self._call = call
        self._tables = tables
        self._registry = registry
        self._marks = marks

    def page(self, person: Person, after: Position, limit: int, at: datetime) -> tuple[list[Json], Position | None]:
        """A page of all that is kept of a person, and the position to go on after; None at the end.

        Each is told with its kind's name, its table, and its attributes as plain values. What hangs on an item (its
        follower, the proof that waits, a payment's trail and receipt) comes with it, beyond the limit.
        """
        names = (person.sub, *person.fingerprints)
        sections = [
            *((self._partition, name) for name in names),
            *((self._looked, who) for who in person.fingerprints),
            *((self._messages, name) for name in names),
            (self._payments, person.sub),
        ]
        section, start = (int(after[0]), _opened(after[1:])) if after else (0, None)
        read, name = sections[section]
        found, last = read(person, name, start, limit, at)
        told = [_told(table, item) for table, item in found]
        if last:
            return told, (str(section), *_closed(last))
        return told, (str(section + 1),) if section + 1 < len(sections) else None

    def _partition(self, person: Person, pk: str, start: Item | None, limit: int, at: datetime) -> Page:
        request: Json = {
            "TableName": self._tables.citizens,
            "ConsistentRead": True,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": pack({":pk": pk}),
            "Limit": limit,
        }
        if start:
            request["ExclusiveStartKey"] = start
        page = self._call("dynamodb", "Query", request)
        items: list[Item] = page["Items"]
        plates = dict.fromkeys(filter(None, map(_plate_of, items)))
        followers = batch_get(
            self._call, self._tables.citizens, [item_key(f"P#{plate}", person.sub) for plate in plates]
        )
        keys = [item_key(mark, f"PENDING#{person.sub}") for plate in plates for mark in self._marks(plate)]
        pending = batch_get(self._call, self._registry, keys)
        told = [*((CITIZENS, item) for item in items + followers), *((REGISTRY, item) for item in pending)]
        if start is None and pk == person.sub:
            contested = contested_by(self._call, self._tables.citizens, "sub", person.sub)
            told += [(CITIZENS, {name: item[name] for name in item if name != "other"}) for item in contested]
        return told, page.get("LastEvaluatedKey")

    def _looked(self, person: Person, who: str, start: Item | None, limit: int, at: datetime) -> Page:
        request: Json = {
            "TableName": self._tables.citizens,
            "IndexName": "ByPerson",
            "KeyConditionExpression": "person = :who",
            "ExpressionAttributeValues": pack({":who": who}),
            "Limit": limit,
        }
        if start:
            request["ExclusiveStartKey"] = start
        page = self._call("dynamodb", "Query", request)
        keys = [item_key(item["pk"]["S"], item["sk"]["S"]) for item in page["Items"]]
        found = batch_get(self._call, self._tables.citizens, keys)
        return [(CITIZENS, item) for item in found], page.get("LastEvaluatedKey")

    def _messages(self, person: Person, pk: str, start: Item | None, limit: int, at: datetime) -> Page:
        items, last = newest_of_citizen(self._call, self._tables.messages, pk, limit, start)
        if start is None:
            days = [to_text(at - timedelta(days=days))[:10] for days in _CAPS_KEPT]
            keys: list[Item] = [
                {"pk": {"S": f"CAP#{cap}#{pk}#{day}"}} for cap in ("CITIZEN", "FOLLOWERS") for day in days
            ]
            items = items + batch_get(self._call, self._tables.messages, keys)
        return [(MESSAGES, item) for item in items], last

    def _payments(self, person: Person, sub: str, start: Item | None, limit: int, at: datetime) -> Page:
        table = self._tables.payments
        found, last = newest_of_citizen(self._call, table, sub, limit, start)
        items: list[Item] = []
        for payment in found:
            items += self._trail(payment["pk"]["S"])
        keys = [item_key(f"RECEIPT#{item['receipt_no']['S']}", "RECEIPT") for item in items if "receipt_no" in item]
        if start is None:
            keys.append(item_key(f"LIVE#{sub}", "LIVE"))
        return [(PAYMENTS, item) for item in items + batch_get(self._call, table, keys)], last

    def _trail(self, payment_id: str) -> list[Item]:
        """A payment with all that happened to it. One Query: a trail is short."""
        request = {
            "TableName": self._tables.payments,
            "ConsistentRead": True,
            "KeyConditionExpression": "pk = :payment",
            "ExpressionAttributeValues": pack({":payment": payment_id}),
        }
        items: list[Item] = self._call("dynamodb", "Query", request)["Items"]
        return items


def contested_by(call: Call, table: str, name: str, sub: str) -> Iterator[Item]:
    """Give the contested proofs of which somebody is one side. name: ``sub`` who contests, ``other`` the other."""
    request: Json = {
        "TableName": table,
        "KeyConditionExpression": "pk = :contested",
        "FilterExpression": "#side = :sub",
        "ExpressionAttributeNames": {"#side": name},
        "ExpressionAttributeValues": pack({":contested": "CONTESTED", ":sub": sub}),
    }
    for page in pages(call, "Query", request):
        yield from page["Items"]


def _told(table: str, item: Item) -> Json:
    kind = kind_of(table, item)
    return {"kind": kind.told if kind else "other", "table": table, "item": {n: _bare(v) for n, v in item.items()}}


def _bare(value: Any) -> Any:
    """An attribute's value as JSON has it. https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html"""
    ((kind, content),) = value.items()
    if kind == "N":
        return int(content)
    if kind == "L":
        return [_bare(each) for each in content]
    if kind == "M":
        return {name: _bare(each) for name, each in content.items()}
    return sorted(content) if kind == "SS" else content


def _plate_of(item: Item) -> str | None:
    """The plate that a link or a look-up is about."""
    sk = item["sk"]["S"]
    return item["plate"]["S"] if sk.startswith("VEHICLE#") else sk.removeprefix("SEEN#") if "SEEN#" in sk else None


def _closed(key: Item) -> Iterable[str]:
    return (part for name, value in sorted(key.items()) for part in (name, value["S"]))


def _opened(parts: Position) -> Item | None:
    return {name: {"S": value} for name, value in zip(parts[::2], parts[1::2], strict=True)} or None
