"""The Citizens table: profiles, vehicles, plates looked up lately, and the followers of each plate.

Keys: ``pk=<sub>`` with ``sk`` = ``PROFILE``, ``VEHICLE#<vehicle id>``, ``QUERY#<query id>``, ``SEEN#<plate key>``;
``pk=P#<plate key>, sk=<sub>``: a follower, written in one transaction with the link.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from shared.aws_json import AwsError, Call, Json
from shared.domain.time import to_text
from shared.stores.items import Item, batch_get, pack, text, transact

SEEN_FOR: Final = timedelta(hours=24)
SAME_ANSWER_FOR: Final = timedelta(minutes=10)


class Profile(NamedTuple):
    """How a citizen wants to be told. phone: E.164 as last seen in a token. sms: False switches every SMS off."""

    phone: str | None
    language: str = "ar"
    sms: bool = True


class Vehicle(NamedTuple):
    """A plate that a citizen linked. relation: self or family. notify: the consent to SMS about it."""

    vehicle_id: str
    plate_key: str
    category: str | None
    relation: str
    notify: bool


class Follower(NamedTuple):
    """A citizen who linked a plate, as the plate's own list knows them."""

    sub: str
    vehicle_id: str
    category: str | None
    notify: bool


class Citizens:
    """The table through the port."""

    def __init__(self, call: Call, table: str) -> None:
        self._call = call
        self._table = table

    # ------------------------------------------------------------------ profile

    def profile(self, sub: str) -> Profile | None:
        """A citizen's profile; None before their first call. Consistently read: SMS off counts at once."""
        item = self._get(sub, "PROFILE")
        if item is None:
            return None
        return Profile(text(item, "phone"), text(item, "language") or "ar", item.get("sms", {}).get("BOOL", True))

    def seen_in_person(self, sub: str, phone: str | None, language: str) -> Profile:
        """Keep the phone and language of a citizen's token and call, and answer the profile. One UpdateItem."""
        update: Json = {
            "TableName": self._table,
            "Key": _key(sub, "PROFILE"),
            "UpdateExpression": "SET #language = :language" + (", phone = :phone" if phone else " REMOVE phone"),
            "ExpressionAttributeNames": {"#language": "language"},
            "ExpressionAttributeValues": pack({":language": language, ":phone": phone}),
            "ReturnValues": "ALL_NEW",
        }
        item = self._call("dynamodb", "UpdateItem", update)["Attributes"]
        return Profile(phone, language, item.get("sms", {}).get("BOOL", True))

    # ------------------------------------------------------------------ look-ups

    def put_query(self, sub: str, query_id: str, plate_key: str, category: str | None, at: datetime) -> None:
        """Keep what a query asked for, for its further pages. One PutItem."""
        item = {
            **_key(sub, f"QUERY#{query_id}"),
            **pack({"plate": plate_key, "category": category, "expires": _epoch(at + SEEN_FOR)}),
        }
        self._call("dynamodb", "PutItem", {"TableName": self._table, "Item": item})

    def query(self, sub: str, query_id: str, at: datetime) -> tuple[str, str | None] | None:
        """The plate key and category of a citizen's own query of the last 24 h, or None."""
        item = self._get(sub, f"QUERY#{query_id}")
        if item is None or int(item["expires"]["N"]) <= _epoch(at):
            return None
        return item["plate"]["S"], text(item, "category")

    def seen(self, sub: str, plate_key: str, at: datetime) -> None:
        """Keep that a citizen looked a plate up. One UpdateItem."""
        self._call("dynamodb", "UpdateItem", self._look_up(sub, plate_key, at))

    def answered_action(self, sub: str, plate_key: str, answer: str, at: datetime) -> Json:
        """The action that keeps a look-up whose answer (a digest) goes out by SMS with it.

        Its condition says no where the same answer went out within the last ten minutes.
        """
        update = self._look_up(sub, plate_key, at)
        update["UpdateExpression"] += ", answer = :answer, answered_at = :at"
        update["ConditionExpression"] = "attribute_not_exists(answer) OR answer <> :answer OR answered_at < :earlier"
        update["ExpressionAttributeValues"] |= pack(
            {":answer": answer, ":at": to_text(at), ":earlier": to_text(at - SAME_ANSWER_FOR)}
        )
        return {"Update": update}

    def _look_up(self, sub: str, plate_key: str, at: datetime) -> Json:
        return {
            "TableName": self._table,
            "Key": _key(sub, f"SEEN#{plate_key}"),
            "UpdateExpression": "SET expires = :expires",
            "ExpressionAttributeValues": pack({":expires": _epoch(at + SEEN_FOR)}),
        }

    def may_see(self, sub: str, plate_keys: Iterable[str], at: datetime) -> set[str]:
        """Which of these plates the citizen linked, or looked up in the last 24 h."""
        keys: list[Item] = []
        for plate_key in dict.fromkeys(plate_keys):
            keys += [_key(sub, f"SEEN#{plate_key}"), _key(f"P#{plate_key}", sub)]
        items = batch_get(self._call, self._table, keys)
        linked = {item["pk"]["S"].removeprefix("P#") for item in items if item["sk"]["S"] == sub}
        looked_up = {
            item["sk"]["S"].removeprefix("SEEN#")
            for item in items
            if item["sk"]["S"].startswith("SEEN#") and int(item["expires"]["N"]) > _epoch(at)
        }
        return linked | looked_up

    # ------------------------------------------------------------------ vehicles

    def link(self, sub: str, vehicle: Vehicle, at: datetime) -> Vehicle | None:
        """Link a vehicle: it and the plate's follower in one transaction. Returns the link that was there already."""
        common = {"category": vehicle.category, "notify": vehicle.notify, "linked_at": to_text(at)}
        follower = {
            **_key(f"P#{vehicle.plate_key}", sub),
            **pack({"vehicle_id": vehicle.vehicle_id, "relation": vehicle.relation, **common}),
        }
        link = {
            **_key(sub, f"VEHICLE#{vehicle.vehicle_id}"),
            **pack({"plate": vehicle.plate_key, "relation": vehicle.relation, **common}),
        }
        try:
            transact(
                self._call,
                [
                    {
                        "Put": {
                            "TableName": self._table,
                            "Item": follower,
                            "ConditionExpression": "attribute_not_exists(pk)",
                        }
                    },
                    {"Put": {"TableName": self._table, "Item": link}},
                ],
            )
        except AwsError as error:
            if not error.condition_failed:
                raise
            known = self._get(f"P#{vehicle.plate_key}", sub)
            if known is None:
                raise
            return Vehicle(
                known["vehicle_id"]["S"],
                vehicle.plate_key,
                text(known, "category"),
                known["relation"]["S"],
                known["notify"]["BOOL"],
            )
        return None

    def followers(self, plate_key: str) -> Iterator[Follower]:
        """Everybody who linked a plate, page by page."""
        request: Json = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :plate",
            "ExpressionAttributeValues": {":plate": {"S": f"P#{plate_key}"}},
        }
        while True:
            page = self._call("dynamodb", "Query", request)
            for item in page["Items"]:
                yield _follower(item)
            if not page.get("LastEvaluatedKey"):
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def follower(self, plate_key: str, sub: str) -> Follower | None:
        """One follower of a plate, or None."""
        item = self._get(f"P#{plate_key}", sub)
        return _follower(item) if item else None

    def _get(self, pk: str, sk: str) -> Item | None:
        request = {"TableName": self._table, "Key": _key(pk, sk), "ConsistentRead": True}
        item: Item | None = self._call("dynamodb", "GetItem", request).get("Item")
        return item


def _follower(item: Item) -> Follower:
    return Follower(item["sk"]["S"], item["vehicle_id"]["S"], text(item, "category"), item["notify"]["BOOL"])


def _key(pk: str, sk: str) -> Item:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def _epoch(at: datetime) -> int:
    """Seconds since 1970, as the table's time to live wants them."""
    return int(at.timestamp())
