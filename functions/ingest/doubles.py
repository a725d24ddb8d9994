"""Rows of one chunk about the same thing: which of them stands, and which say two things of one moment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from typing import NamedTuple

from shared.stores.versioned import Line


class Sorted(NamedTuple):
    """Rows, one of each identity. beaten: those that a newer one of them outdoes.

    identities: of the rows, in their order. contradicted: those that say the same moment's truth of two plates, of
    which nobody knows the right one.
    """

    rows: list[Line]
    identities: list[Hashable]
    beaten: list[Line]
    contradicted: list[Line]


def sort_out(rows: list[Line]) -> Sorted:
    """Sort out the rows of a chunk."""
    alone: dict[Hashable, Line] = {row.identity: row for row in rows}
    if len(alone) == len(rows):
        return Sorted(rows, list(alone), [], [])
    same: defaultdict[Hashable, list[Line]] = defaultdict(list)
    for row in rows:
        same[row.identity].append(row)
    found = Sorted([], [], [], [])
    for identity, group in same.items():
        contradicted = list(_contradicted(group)) if len(group) > 1 else []
        found.contradicted.extend(contradicted)
        left = [row for row in group if row not in contradicted]
        if left:
            newest = max(left, key=lambda row: row.version)
            found.rows.append(newest)
            found.identities.append(identity)
            found.beaten.extend(row for row in left if row is not newest)
    return found


def _contradicted(group: Sequence[Line]) -> Iterator[Line]:
    """Those of rows about the same thing whose moment is told of two plates."""
    plates: defaultdict[str, set[str]] = defaultdict(set)
    for row in group:
        plates[_moment(row)].add(row.plate_key)
    return (row for row in group if len(plates[_moment(row)]) > 1)


def _moment(row: Line) -> str:
    return row.version.partition("#")[0]
