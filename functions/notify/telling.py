"""Telling citizens once each: markers are read by the hundred, messages put with theirs as many as one write takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from shared.stores.items import MAX_ACTIONS
from shared.stores.messaging.messages import Messages, Telling

_TRIES: Final = 5


class Case(NamedTuple):
    """Somebody to whom something may be told. markers: those that say what they were told already.

    plan: given all markers that stand, what is to be put; nothing where all is told.
    """

    markers: Sequence[str]
    plan: Callable[[set[str]], list[Telling]]


def tell(cases: Iterable[Case], messages: Messages, now: datetime) -> int:
    """Put what is to be told of each case; returns how many messages. What is told already costs a read by the hundred.

    Table calls: one BatchGetItem for each hundred markers, one TransactWriteItems for each hundred messages and
    markers. Where others told meanwhile, only the cases of that write are read again and put without what they were
    told. Raises RuntimeError where that happens again and again.
    """
    return sum(_tell(batch, messages, now) for batch in _batches(cases))


def _batches(cases: Iterable[Case]) -> Iterator[list[Case]]:
    """As many whole cases as one read of markers holds; a case of more is a batch by itself."""
    batch: list[Case] = []
    markers = 0
    for case in cases:
        if batch and markers + len(case.markers) > MAX_ACTIONS:
            yield batch
            batch, markers = [], 0
        batch.append(case)
        markers += len(case.markers)
    if batch:
        yield batch


def _tell(cases: Sequence[Case], messages: Messages, now: datetime) -> int:
    put = 0
    for _ in range(_TRIES):
        known = set(messages.marked(marker for case in cases for marker in case.markers))
        losers: dict[int, Case] = {}
        for write in _writes(cases, known):
            if messages.tell([telling for _, telling in write], now):
                put += len(write)
            else:
                losers |= {index: cases[index] for index, _ in write}
        if not losers:
            return put
        cases = [losers[index] for index in sorted(losers)]
    raise RuntimeError("others keep telling of the same violations")


def _writes(cases: Iterable[Case], known: set[str]) -> Iterator[list[tuple[int, Telling]]]:
    """What fits one transaction, whole messages with their markers, each with its case's place. Adds to ``known``."""
    write: list[tuple[int, Telling]] = []
    actions = 0
    for index, case in enumerate(cases):
        for telling in case.plan(known):
            known.update(telling.markers)
            if write and actions + 1 + len(telling.markers) > MAX_ACTIONS:
                yield write
                write, actions = [], 0
            write.append((index, telling))
            actions += 1 + len(telling.markers)
    if write:
        yield write
