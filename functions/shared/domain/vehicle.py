"""A citizen's vehicle: the plate that was linked, and how its plate knows who follows it."""

from __future__ import annotations

from typing import NamedTuple


class Vehicle(NamedTuple):
    """A plate that a citizen linked. relation: self or family. notify: the consent to SMS about it."""

    vehicle_id: str
    plate_key: str
    category: str | None
    relation: str
    notify: bool
    proven: bool = False


class Follower(NamedTuple):
    """A citizen who linked a plate, as the plate's own list knows them. since: a stored text."""

    sub: str
    vehicle_id: str
    category: str | None
    notify: bool
    proven: bool
    relation: str
    since: str
