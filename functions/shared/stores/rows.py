"""Rows of texts and whole numbers as one attribute."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from shared.stores.items import Item


def pack_rows(rows: Iterable[Sequence[str | int]]) -> Item:
    """Lists in a list: the names of fifty maps would cost write units."""
    return {"L": [{"L": [{"N": str(v)} if isinstance(v, int) else {"S": v} for v in row]} for row in rows]}


def read_rows(attribute: Item) -> Iterator[list[Any]]:
    """The rows of such an attribute: texts and whole numbers."""
    for row in attribute["L"]:
        yield [int(value["N"]) if "N" in value else value["S"] for value in row["L"]]
