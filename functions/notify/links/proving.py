"""After a file of registrations: who proved a vehicle by a number that stands no more, and whose number waited."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from shared.access.accesses import Accesses
from shared.access.proofs import Proofs
from shared.stores.items import UNREADABLE, Item
from shared.stores.people.citizens import Citizens
from shared.stores.registry import Registry, is_card, waiting_of


class Ports(NamedTuple):
    """What walking needs of the outside."""

    registry: Registry
    citizens: Citizens
    accesses: Accesses
    proofs: Proofs


def walk(
    ports: Ports, after: Item | None, now: datetime, may_go_on: Callable[[], bool], unreadable: list[Exception]
) -> Item | None:
    """Settle what is to be looked at, page by page, after a key. Harmless to do again, and at the same time.

    may_go_on: asked before each further page. unreadable: takes why an item could not be settled by this version.
    Returns the key after which another run goes on; None at the end.
    """
    while True:
        items, after = ports.registry.to_walk(after)
        settle(items, ports, now, unreadable)
        if after is None or not may_go_on():
            return after


def settle(items: Sequence[Item], ports: Ports, now: datetime, unreadable: list[Exception]) -> None:
    """Deal with a page of items, as they stood when they were read; one that has changed since is met again.

    One BatchGetItem for each nine plates where numbers wait; more calls only where something is to be told.
    """
    registered = ports.registry.registered(item["pk"]["S"] for item in items if not is_card(item))
    for item in items:
        try:
            if is_card(item):
                _settle_owners(ports.registry.plate_of(item), ports, now)
                ports.registry.walked(item)
            elif item["pk"]["S"] in registered:
                ports.proofs.access(waiting_of(item), ports.registry.plate_of(item), now)
        except UNREADABLE as error:
            unreadable.append(error)


def _settle_owners(plate_key: str, ports: Ports, now: datetime) -> None:
    """End every proof of a plate that its cards no longer bear."""
    for follower, grant in ports.accesses.of_followers(plate_key, ports.citizens.followers(plate_key)):
        if grant.turn:
            ports.proofs.settle(follower.sub, plate_key, grant, now)
