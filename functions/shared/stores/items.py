"""What the stores share: values and keys in DynamoDB's JSON, conditional writes, transactions, reading to the end."""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, TypeVar

from shared.aws_json import AwsError, Call, Json

Item = dict[str, Any]
E = TypeVar("E", bound=StrEnum)
S = TypeVar("S")
T = TypeVar("T")

MAX_ACTIONS: Final = 100
UNREADABLE: Final = (LookupError, TypeError, AttributeError, ValueError)
"""What reading an item raises that this version does not know: no retry can mend it."""
_ATTEMPTS: Final = 6


def readable(found: Iterable[S], read: Callable[[S], T], unreadable: list[Exception] | None) -> Iterator[T]:
    """Read each of what was found.

    unreadable: where given, takes why something could not be read, and the others are given all the same; without it
    the first such error is raised.
    """
    for each in found:
        try:
            value = read(each)
        except UNREADABLE as error:
            if unreadable is None:
                raise
            unreadable.append(error)
        else:
            yield value


def pack(values: Mapping[str, str | int | bool | Sequence[str] | None]) -> Item:
    """Plain values as attributes: text, whole number, boolean, list of texts. None is left out."""
    item: Item = {}
    for name, value in values.items():
        if value is None:
            continue
        if isinstance(value, bool):
            item[name] = {"BOOL": value}
        elif isinstance(value, int):
            item[name] = {"N": str(value)}
        elif isinstance(value, str):
            item[name] = {"S": value}
        else:
            item[name] = {"L": [{"S": text} for text in value]}
    return item


def pack_rows(rows: Iterable[Sequence[str | int]]) -> Item:
    """Lists in a list: the names of fifty maps would cost write units."""
    return {"L": [{"L": [{"N": str(v)} if isinstance(v, int) else {"S": v} for v in row]} for row in rows]}


def read_rows(attribute: Item) -> Iterator[list[Any]]:
    """The rows of such an attribute: texts and whole numbers."""
    for row in attribute["L"]:
        yield [int(value["N"]) if "N" in value else value["S"] for value in row["L"]]


def text(item: Item, name: str) -> str | None:
    """A text attribute, or None."""
    value = item.get(name)
    return value["S"] if value else None


def number(item: Item, name: str) -> int | None:
    """A number attribute as a whole number, or None."""
    value = item.get(name)
    return int(value["N"]) if value else None


def known(states: type[E], word: str) -> E | str:
    """Return the member that a stored word names, or the word as it stands where it names none.

    During a rollout the new version's words meet the old version's code: they must be kept, and compare unequal to
    every state that it knows.
    """
    try:
        return states(word)
    except ValueError:
        return word


def item_key(pk: str, sk: str) -> Item:
    """The key of an item in a table that has a sort key."""
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def epoch(at: datetime) -> int:
    """Seconds since 1970, as a table's time to live wants them."""
    return int(at.timestamp())


def get_item(call: Call, table: str, key: Item) -> Item | None:
    """One item, consistently read, or None."""
    request = {"TableName": table, "Key": key, "ConsistentRead": True}
    item: Item | None = call("dynamodb", "GetItem", request).get("Item")
    return item


def pages(call: Call, operation: str, request: Json) -> Iterator[Json]:
    """The answers of a Query or Scan, one after the other, to the end."""
    while True:
        page = call("dynamodb", operation, request)
        yield page
        if not page.get("LastEvaluatedKey"):
            return
        request = {**request, "ExclusiveStartKey": page["LastEvaluatedKey"]}


def newest_of_citizen(
    call: Call, table: str, sub: str, limit: int, after: Item | None
) -> tuple[list[Item], Item | None]:
    """A page of the index ``ByCitizen``, newest first, and the key to go on after; None at the end. One Query."""
    request: Json = {
        "TableName": table,
        "IndexName": "ByCitizen",
        "KeyConditionExpression": "#sub = :sub",
        "ExpressionAttributeNames": {"#sub": "sub"},
        "ExpressionAttributeValues": pack({":sub": sub}),
        "ScanIndexForward": False,
        "Limit": limit,
    }
    if after:
        request["ExclusiveStartKey"] = after
    page = call("dynamodb", "Query", request)
    return page["Items"], page.get("LastEvaluatedKey") or None


def is_made(write: Callable[[], object]) -> bool:
    """Make a write; whether its conditions held."""
    try:
        write()
    except AwsError as error:
        if not error.condition_failed:
            raise
        return False
    return True


def transact(call: Call, actions: Sequence[Json], *, sleep: Callable[[float], None] = time.sleep) -> None:
    """All actions or none, at most 100, tried again while only others' work on the same items is in the way.

    Raises AwsError: ``condition_failed`` where a condition said no, its ``reasons`` one an action.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            # The token makes a try that is sent again after a broken connection the same try.
            token = secrets.token_hex(16)
            call("dynamodb", "TransactWriteItems", {"TransactItems": list(actions), "ClientRequestToken": token})
        except AwsError as error:
            if not error.transaction_conflict or attempt == _ATTEMPTS:
                raise
            sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311 (jitter, not a secret)
        else:
            return


def batch_get(
    call: Call,
    table: str,
    keys: Sequence[Item],
    *,
    projection: Mapping[str, Any] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> list[Item]:
    """The items that exist of any number of distinct keys, consistently read, 100 a call, in no order.

    Raises AwsError where keys stay unread under throttling.
    """
    found: list[Item] = []
    for start in range(0, len(keys), MAX_ACTIONS):
        part = {"Keys": list(keys[start : start + MAX_ACTIONS]), "ConsistentRead": True, **(projection or {})}
        found += _read(call, {table: part}, sleep).get(table, [])
    return found


def batch_get_of(
    call: Call, keys: Mapping[str, Sequence[Item]], *, sleep: Callable[[float], None] = time.sleep
) -> dict[str, list[Item]]:
    """As :func:`batch_get`, of several tables at once: the items that exist, by table."""
    wanted = [(table, key) for table, some in keys.items() for key in some]
    found: dict[str, list[Item]] = {table: [] for table in keys}
    for start in range(0, len(wanted), MAX_ACTIONS):
        request: Json = {}
        for table, key in wanted[start : start + MAX_ACTIONS]:
            request.setdefault(table, {"Keys": [], "ConsistentRead": True})["Keys"].append(key)
        for table, items in _read(call, request, sleep).items():
            found[table] += items
    return found


def _read(call: Call, request: Json, sleep: Callable[[float], None]) -> dict[str, list[Item]]:
    """The items of one BatchGetItem, by table, asked again for what stays unread."""
    found: dict[str, list[Item]] = {}
    for attempt in range(1, _ATTEMPTS + 1):
        response = call("dynamodb", "BatchGetItem", {"RequestItems": request})
        for table, items in response["Responses"].items():
            found[table] = found[table] + items if table in found else items
        request = response.get("UnprocessedKeys") or {}
        if not request:
            return found
        if attempt < _ATTEMPTS:
            sleep(random.uniform(0, 0.05 * 2**attempt))  # noqa: S311 (jitter, not a secret)
    raise AwsError("ProvisionedThroughputExceededException", "keys stay unread")
