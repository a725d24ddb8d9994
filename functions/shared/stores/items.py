"""What the stores share: values in DynamoDB's JSON, transactions, reading keys in batches."""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from shared.aws_json import AwsError, Call, Json

Item = dict[str, Any]

MOST_ACTIONS: Final = 100
_ATTEMPTS: Final = 6


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


def text(item: Item, name: str) -> str | None:
    """A text attribute, or None."""
    value = item.get(name)
    return value["S"] if value else None


def number(item: Item, name: str) -> int | None:
    """A number attribute as a whole number, or None."""
    value = item.get(name)
    return int(value["N"]) if value else None


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
    for start in range(0, len(keys), MOST_ACTIONS):
        request: Json = {
            table: {"Keys": list(keys[start : start + MOST_ACTIONS]), "ConsistentRead": True, **(projection or {})}
        }
        for attempt in range(1, _ATTEMPTS + 1):
            response = call("dynamodb", "BatchGetItem", {"RequestItems": request})
            found += response["Responses"].get(table, [])
            request = response.get("UnprocessedKeys") or {}
            if not request:
                break
            if attempt == _ATTEMPTS:
                raise AwsError("ProvisionedThroughputExceededException", "keys stay unread")
            sleep(random.uniform(0, 0.05 * 2**attempt))  # noqa: S311 (jitter, not a secret)
    return found
