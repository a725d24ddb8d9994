"""When each link is looked at again, on the items of vehicles: links without proof end where nobody renews them.

Index ``ToCheck``: every link (``to_check``), in the order of the day on which it is looked at (``check_on``). One
partition of it takes a thousand new links a second. ``renewed_at``: the citizen's last word that they still want it;
``lapses_on``, ``warned``: the day on which it ends, which they were told of, and how often.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from shared.aws_json import AwsError, Call, Json
from shared.domain.time import to_text
from shared.stores.items import Item, is_made, item_key, number, pack, pages, readable, text, transact

LINKS: Final = "links"
"""The value of ``to_check``."""
_AT_ONCE: Final = 50


class Check(NamedTuple):
    """A link that is to be looked at. Instants are stored texts, days ISO. proven: when it was last written."""

    sub: str
    vehicle_id: str
    plate_key: str
    category: str | None
    proven: bool
    linked_at: str
    check_on: str
    renewed_at: str | None = None
    lapses_on: str | None = None
    warned: int = 0


def to_check(at: datetime) -> dict[str, str]:
    """The attributes of a link that is to be looked at on a day: what a new one bears, and one that was renewed."""
    return {"to_check": LINKS, "check_on": to_text(at)[:10]}


class Lapses:
    """The table of citizens through the port."""

    def __init__(self, call: Call, table: str) -> None:
        self._call = call
        self._table = table

    def due(self, day: str, unreadable: list[Exception]) -> Iterator[list[Check]]:
        """The links that are to be looked at by a day, oldest first, page by page. Stops after each page."""
        request: Json = {
            "TableName": self._table,
            "IndexName": "ToCheck",
            "KeyConditionExpression": "to_check = :links AND check_on <= :day",
            "ExpressionAttributeValues": pack({":links": LINKS, ":day": day}),
            "Limit": 100,
        }
        for page in pages(self._call, "Query", request):
            yield [*readable(page["Items"], _read, unreadable)]

    def look_again(self, days: Sequence[tuple[Check, str]]) -> None:
        """Let links be looked at again on other days, fifty a transaction; one that has changed since stays so."""
        for start in range(0, len(days), _AT_ONCE):
            actions = [self.change_action(check, {"check_on": day}) for check, day in days[start : start + _AT_ONCE]]
            try:
                transact(self._call, actions)
            except AwsError as error:
                if not error.condition_failed:
                    raise
                for action in actions:
                    self.make([action])

    def change_action(self, seen: Check, new: Mapping[str, str | int]) -> Json:
        """The action that changes a link's own item, if it is as it was read and without proof as it was."""
        conditions = ["check_on = :seen", "proven = :proven"]
        conditions.append("lapses_on = :told" if seen.lapses_on else "attribute_not_exists(lapses_on)")
        # Renewing makes it due on the same day again, so the day alone does not tell that it was renewed meanwhile.
        conditions.append("renewed_at = :renewed" if seen.renewed_at else "attribute_not_exists(renewed_at)")
        values: dict[str, str | int | None] = {
            ":seen": seen.check_on,
            ":proven": seen.proven,
            ":told": seen.lapses_on,
            ":renewed": seen.renewed_at,
        }
        return {
            "Update": {
                "TableName": self._table,
                "Key": item_key(seen.sub, f"VEHICLE#{seen.vehicle_id}"),
                "UpdateExpression": "SET " + ", ".join(f"{name} = :{name}" for name in new),
                "ConditionExpression": " AND ".join(conditions),
                "ExpressionAttributeValues": pack({**values, **{f":{name}": value for name, value in new.items()}}),
            }
        }

    def make(self, actions: Sequence[Json]) -> bool:
        """Make a transaction of such actions and others'; False where a condition said no."""
        return is_made(lambda: transact(self._call, actions))

    def renew(self, sub: str, vehicle_id: str, at: datetime) -> bool:
        """Keep that a citizen still wants a link; what they were told of its end no longer holds. False: it is gone."""
        request: Json = {
            "TableName": self._table,
            "Key": item_key(sub, f"VEHICLE#{vehicle_id}"),
            "UpdateExpression": "SET renewed_at = :at, to_check = :to_check, check_on = :check_on"
            " REMOVE lapses_on, warned",
            "ConditionExpression": "attribute_exists(pk)",
            "ExpressionAttributeValues": pack(
                {":at": to_text(at), **{f":{name}": value for name, value in to_check(at).items()}}
            ),
        }
        return is_made(lambda: self._call("dynamodb", "UpdateItem", request))


def _read(item: Item) -> Check:
    return Check(
        item["pk"]["S"],
        item["sk"]["S"].removeprefix("VEHICLE#"),
        item["plate"]["S"],
        text(item, "category"),
        item["proven"]["BOOL"],
        item["linked_at"]["S"],
        item["check_on"]["S"],
        text(item, "renewed_at"),
        text(item, "lapses_on"),
        number(item, "warned") or 0,
    )
