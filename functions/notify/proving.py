"""After a file of registrations: who proved a vehicle by a number that stands no more, and whose number waited."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from shared.stores.items import Item
from shared.stores.registry import Registry, is_card


class Ports(NamedTuple):
    """What walking needs of the outside."""

    registry: Registry


def walk(ports: Ports, after: Item | None, may_go_on: Callable[[], bool]) -> Item | None:
    """Settle what is to be looked at, page by page, after a key. Harmless to do again, and at the same time.

    may_go_on: asked before each further page. Returns the key after which another run goes on; None at the end.
    """
    while True:
        items, after = ports.registry.to_walk(after)
        settle(items, ports)
        if after is None or not may_go_on():
            return after


def settle(items: Iterable[Item], ports: Ports) -> None:
    """Deal with a page of items, as they stood when they were read; one that has changed since is met again."""
    for item in filter(is_card, items):
        ports.registry.walked(item)
