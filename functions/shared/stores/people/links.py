"""The two items of a link, the citizen's vehicle and the plate's follower: reading them, and changing both alike."""

from __future__ import annotations

from typing import Final

from shared.aws_json import Json
from shared.domain.citizen import Follower, Vehicle
from shared.stores.items import Item, item_key, pack, text

CHANGING: Final = ("category", "relation", "notify", "proven", "card", "proved_at", "pending_at")
"""What of a link can change."""
_OF_PROOF: Final = ("proven", "card", "pending_at")
"""What of it must be as it was read where any of it changes."""


def update_of(before: Vehicle, after: Vehicle) -> Json | None:
    """Give the expressions that change what differs, on condition that the link is there and its proof as before."""
    new = {name: getattr(after, name) for name in CHANGING if getattr(after, name) != getattr(before, name)}
    if not new:
        return None
    sets = [f"{name} = :{name}" for name, value in new.items() if value is not None]
    removes = [name for name, value in new.items() if value is None]
    if "proven" in new:
        # What was told of its end holds no longer: should the proof end, it is told anew.
        removes += ["lapses_on", "warned"]
    clauses = ([f"SET {', '.join(sets)}"] if sets else []) + ([f"REMOVE {', '.join(removes)}"] if removes else [])
    values = {f":{name}": value for name, value in new.items() if value is not None}
    still = ["attribute_exists(pk)"]
    if not new.keys().isdisjoint(_OF_PROOF):
        for name in _OF_PROOF:
            value = getattr(before, name)
            still.append(f"attribute_not_exists({name})" if value is None else f"{name} = :was_{name}")
            if value is not None:
                values[f":was_{name}"] = value
    named = {"ExpressionAttributeValues": pack(values)} if values else {}
    return {"UpdateExpression": " ".join(clauses), "ConditionExpression": " AND ".join(still), **named}


def read_vehicle(vehicle_id: str, plate_key: str, item: Item) -> Vehicle:
    """Read a vehicle from its item or its follower's."""
    return Vehicle(
        vehicle_id,
        plate_key,
        text(item, "category"),
        item["relation"]["S"],
        item["notify"]["BOOL"],
        item["proven"]["BOOL"],
        text(item, "card"),
        text(item, "proved_at"),
        text(item, "pending_at"),
        text(item, "lapses_on"),
    )


def listed_vehicle(item: Item) -> Vehicle:
    """Read a vehicle's own item."""
    return read_vehicle(item["sk"]["S"].removeprefix("VEHICLE#"), item["plate"]["S"], item)


def follower_of(item: Item) -> Follower:
    """Read a follower's item."""
    return Follower(
        item["sk"]["S"],
        item["vehicle_id"]["S"],
        text(item, "category"),
        item["notify"]["BOOL"],
        item["proven"]["BOOL"],
        item["relation"]["S"],
        item["linked_at"]["S"],
        text(item, "card"),
        text(item, "proved_at"),
        text(item, "pending_at"),
        text(item, "who"),
    )


def link_keys(sub: str, vehicle_id: str, plate_key: str) -> tuple[Item, Item]:
    """The keys of a link: the plate's follower, and the citizen's vehicle."""
    return item_key(f"P#{plate_key}", sub), item_key(sub, f"VEHICLE#{vehicle_id}")
