"""The Citizens table: profiles with their quotas, vehicles, and the followers of each plate.

Keys: ``pk=<sub>`` with ``sk`` = ``PROFILE``, ``VEHICLE#<vehicle id>``; ``pk=P#<plate key>, sk=<sub>``: a follower,
written in one transaction with the link; ``pk=F#<plate key>, sk=UNPROVEN``: how many of them have not proved it theirs.
What a citizen looked up lies beside: :mod:`shared.stores.look_ups`.

The profile also counts the citizen's day in Baghdad (``day``, ``queries``, ``plates`` as fingerprints, ``links``) and
lists the plates linked and proven, so that one conditional write admits a look-up. The first write of a new day starts
the counts anew. Index: ``ByPhone`` (sparse; the profiles of a phone).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from shared.aws_json import AwsError, Call, Json
from shared.domain.citizen import DEFAULT_LIMITS, Follower, FollowersFullError, Limits, Profile, QuotaError, Vehicle
from shared.domain.time import to_text
from shared.stores.items import (
    UNREADABLE,
    Item,
    batch_get,
    get_item,
    is_made,
    item_key,
    number,
    pack,
    pages,
    text,
    transact,
)
from shared.stores.profiles import Change, Subject, profile_of, texts, used_up

_TRIES: Final = 5
_CHANGING: Final = ("category", "relation", "notify", "proven")
"""What of a link can change."""


class Admission(NamedTuple):
    """A look-up that was counted. linked, proven: whether the plate is one of the citizen's vehicles, and proved so.

    full_days: for how many days on end the citizen has used up the plates, where this look-up used up those of today.
    """

    profile: Profile
    linked: bool = False
    proven: bool = False
    full_days: int = 0


class Citizens:
    """The table through the port."""

    def __init__(self, call: Call, table: str) -> None:
        self._call = call
        self._table = table

    # ------------------------------------------------------------------ profile

    def profile(self, sub: str) -> Profile | None:
        """A citizen's profile; None before their first call. Consistently read: SMS off counts at once."""
        item = self._get(sub, "PROFILE")
        return None if item is None else profile_of(item)

    def addressee(self, sub: str, plate_key: str | None) -> tuple[Profile | None, Follower | None]:
        """A citizen's profile, and themselves as a follower of a plate, if they are. One BatchGetItem."""
        keys = [item_key(sub, "PROFILE"), *([item_key(f"P#{plate_key}", sub)] if plate_key else ())]
        items = {item["sk"]["S"]: item for item in batch_get(self._call, self._table, keys)}
        profile, follower = items.get("PROFILE"), items.get(sub)
        return profile_of(profile) if profile else None, _follower(follower) if follower else None

    def profiles(self, subs: Iterable[str]) -> dict[str, Profile]:
        """The profiles that exist of these citizens, by sub."""
        keys = [item_key(sub, "PROFILE") for sub in dict.fromkeys(subs)]
        return {item["pk"]["S"]: profile_of(item) for item in batch_get(self._call, self._table, keys)}

    def seen_in_person(self, sub: str, phone: str | None, language: str) -> Profile:
        """Keep the phone and language of a citizen's token and call, and answer the profile. One UpdateItem.

        A language that the citizen chose stays.
        """
        return profile_of(self._update_profile(sub, Change.in_person(phone, language)))

    def choose(self, sub: str, phone: str | None, language: str | None, sms: bool | None) -> Profile:
        """Keep what a citizen chose of language and SMS; None leaves it as it is. One UpdateItem."""
        change = Change()
        change.phone(phone)
        if language is not None:
            change.set("language", language)
            change.set("chosen_language", language)
        if sms is not None:
            change.set("sms", sms)
        return profile_of(self._update_profile(sub, change))

    def admit(
        self, sub: str, phone: str | None, language: str, subject: Subject | None, limits: Limits, at: datetime
    ) -> Admission:
        """Count a look-up, if the citizen's quotas allow it, and keep phone and language of it all the same.

        subject: None for a text that could not be read: it counts as a query, not as a plate. One UpdateItem; a second
        for the first look-up of a day, for its last plate, and for a plate that is linked. Raises QuotaError.
        """
        day = to_text(at)[:10]
        known: Item = {"day": {"S": day}}  # as it mostly is: not the day's first, and not a linked plate
        for _ in range(_TRIES):
            linked = subject is not None and subject.plate_key in texts(known, "linked")
            change = Change.in_person(phone, language)
            change.count(known, day, queries=1, mark=subject.mark if subject and not linked else None)
            change.at_most("queries", limits.queries)
            full_days = 0
            if subject:
                full_days = change.at_most_plates(known, day, limits.plates)
                change.only_if_linked(subject.plate_key, linked)
            try:
                item = self._update_profile(sub, change)
            except AwsError as error:
                if not error.condition_failed:
                    raise
                known = error.item or {}
                if quota := used_up(known, day, subject, limits):
                    raise QuotaError(quota) from None
                continue
            proven = subject is not None and subject.plate_key in texts(item, "proven")
            return Admission(profile_of(item), linked, proven, full_days)
        raise RuntimeError("others keep changing the same profile")

    def _update_profile(self, sub: str, change: Change) -> Item:
        request = change.request(self._table, item_key(sub, "PROFILE"))
        item: Item = self._call("dynamodb", "UpdateItem", {**request, "ReturnValues": "ALL_NEW"})["Attributes"]
        return item

    def of_phone(self, phone: str) -> list[str]:
        """The citizens who were last seen with a phone, by sub. One Query: a phone has few."""
        request: Json = {
            "TableName": self._table,
            "IndexName": "ByPhone",
            "KeyConditionExpression": "phone = :phone",
            "ExpressionAttributeValues": pack({":phone": phone}),
        }
        return [item["pk"]["S"] for item in self._call("dynamodb", "Query", request)["Items"]]

    # ------------------------------------------------------------------ vehicles

    def link(
        self,
        sub: str,
        vehicle: Vehicle,
        at: datetime,
        limits: Limits = DEFAULT_LIMITS,
        others: Sequence[Json] = (),
    ) -> Vehicle | None:
        """Link a vehicle: it, the plate's follower and the citizen's counts in one transaction.

        others: up to 96 actions that must happen with it. Returns the link that was there already. Raises QuotaError;
        FollowersFullError where the plate has no room for one more who has not proved it theirs.
        """
        day = to_text(at)[:10]
        known: Item = {"day": {"S": day}}
        for _ in range(_TRIES):
            try:
                listed = self._list_action(sub, vehicle, known, day, limits)
                counted = [] if vehicle.proven else [self._count_action(vehicle.plate_key, 1, limits.followers)]
                transact(self._call, [*others, *self._link_actions(sub, vehicle, at), *counted, listed])
            except AwsError as error:
                if not error.condition_failed:
                    raise
                if existing := self._linked(sub, vehicle.plate_key):
                    return existing
                known = error.reasons[-1].get("Item") or {}
                is_full = not vehicle.proven and error.reasons[-2].get("Code") == "ConditionalCheckFailed"
                linked = texts(known, "linked")
                if len(linked) >= limits.vehicles:
                    raise QuotaError("vehicles") from None
                if (text(known, "day") or "") >= day and (number(known, "links") or 0) >= limits.links:
                    raise QuotaError("links") from None
                if is_full:
                    raise FollowersFullError from None
            else:
                return None
        raise RuntimeError("others keep changing the same profile")

    def _link_actions(self, sub: str, vehicle: Vehicle, at: datetime) -> list[Json]:
        common = {
            "category": vehicle.category,
            "relation": vehicle.relation,
            "notify": vehicle.notify,
            "proven": vehicle.proven,
            "linked_at": to_text(at),
        }
        follower = {**item_key(f"P#{vehicle.plate_key}", sub), **pack({"vehicle_id": vehicle.vehicle_id, **common})}
        link = {**item_key(sub, f"VEHICLE#{vehicle.vehicle_id}"), **pack({"plate": vehicle.plate_key, **common})}
        return [
            {"Put": {"TableName": self._table, "Item": follower, "ConditionExpression": "attribute_not_exists(pk)"}},
            {"Put": {"TableName": self._table, "Item": link}},
        ]

    def _count_action(self, plate_key: str, change: int, most: int | None = None) -> Json:
        """Count who follows a plate and has not proved it theirs. most: where given, no more than that."""
        update: Json = {
            "TableName": self._table,
            "Key": item_key(f"F#{plate_key}", "UNPROVEN"),
            "UpdateExpression": "ADD followers :change",
            "ExpressionAttributeValues": pack({":change": change}),
        }
        if most is not None:
            update["ConditionExpression"] = "attribute_not_exists(followers) OR followers < :most"
            update["ExpressionAttributeValues"] |= pack({":most": most})
        return {"Update": update}

    def _list_action(self, sub: str, vehicle: Vehicle, known: Item, day: str, limits: Limits) -> Json:
        change = Change()
        change.count(known, day, links=1)
        change.at_most("links", limits.links)
        change.at_most_vehicles(limits.vehicles)
        change.add_text("linked", vehicle.plate_key)
        if vehicle.proven:
            change.add_text("proven", vehicle.plate_key)
        return {"Update": change.request(self._table, item_key(sub, "PROFILE"))}

    def _linked(self, sub: str, plate_key: str) -> Vehicle | None:
        item = self._get(f"P#{plate_key}", sub)
        return _vehicle(item["vehicle_id"]["S"], plate_key, item) if item else None

    def vehicles(self, sub: str) -> list[Vehicle]:
        """A citizen's vehicles, in the order of their ids. One Query: there are few."""
        request: Json = {
            "TableName": self._table,
            "ConsistentRead": True,
            "KeyConditionExpression": "pk = :sub AND begins_with(sk, :vehicle)",
            "ExpressionAttributeValues": pack({":sub": sub, ":vehicle": "VEHICLE#"}),
        }
        items = self._call("dynamodb", "Query", request)["Items"]
        return [_vehicle(item["sk"]["S"].removeprefix("VEHICLE#"), item["plate"]["S"], item) for item in items]

    def vehicle(self, sub: str, vehicle_id: str) -> Vehicle | None:
        """One of a citizen's own vehicles, or None."""
        item = self._get(sub, f"VEHICLE#{vehicle_id}")
        return _vehicle(vehicle_id, item["plate"]["S"], item) if item else None

    def change(self, sub: str, before: Vehicle, after: Vehicle) -> bool:
        """Change what differs in a link, everywhere: a category that it had not, relation, notify, proof.

        False where it is gone, or a proof was kept already.
        """
        new = {name: getattr(after, name) for name in _CHANGING if getattr(after, name) != getattr(before, name)}
        values, still = {f":{name}": value for name, value in new.items()}, "attribute_exists(pk)"
        if "proven" in new:
            values, still = values | {":before": before.proven}, "proven = :before"
        actions: list[Json] = [
            {
                "Update": {
                    "TableName": self._table,
                    "Key": key,
                    "UpdateExpression": "SET " + ", ".join(f"{name} = :{name}" for name in new),
                    "ConditionExpression": still,
                    "ExpressionAttributeValues": pack(values),
                }
            }
            for key in _link_keys(sub, after.vehicle_id, after.plate_key)
        ]
        if new.get("proven"):
            change = Change()
            change.add_text("proven", after.plate_key)
            actions.append({"Update": change.request(self._table, item_key(sub, "PROFILE"))})
            actions.append(self._count_action(after.plate_key, -1))
        return self._all(actions)

    def unlink(self, sub: str, vehicle_id: str, plate_key: str, *, proven: bool) -> bool:
        """End a link everywhere. proven: as it is. False where it is gone already, or was proved meanwhile."""
        change = Change()
        change.remove_text("linked", plate_key)
        change.remove_text("proven", plate_key)
        deletes: list[Json] = [
            {
                "Delete": {
                    "TableName": self._table,
                    "Key": key,
                    "ConditionExpression": "proven = :proven",
                    "ExpressionAttributeValues": pack({":proven": proven}),
                }
            }
            for key in _link_keys(sub, vehicle_id, plate_key)
        ]
        counted = [] if proven else [self._count_action(plate_key, -1)]
        return self._all([*deletes, {"Update": change.request(self._table, item_key(sub, "PROFILE"))}, *counted])

    def followers(self, plate_key: str, unreadable: list[Exception] | None = None) -> Iterator[Follower]:
        """Everybody who linked a plate, page by page.

        unreadable: where given, takes why an item could not be read, and the others are given all the same.
        """
        request: Json = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :plate",
            "ExpressionAttributeValues": {":plate": {"S": f"P#{plate_key}"}},
        }
        for page in pages(self._call, "Query", request):
            for item in page["Items"]:
                try:
                    yield _follower(item)
                except UNREADABLE as error:
                    if unreadable is None:
                        raise
                    unreadable.append(error)

    def follower(self, plate_key: str, sub: str) -> Follower | None:
        """One follower of a plate, or None."""
        item = self._get(f"P#{plate_key}", sub)
        return _follower(item) if item else None

    # ------------------------------------------------------------------ the table

    def _get(self, pk: str, sk: str) -> Item | None:
        return get_item(self._call, self._table, item_key(pk, sk))

    def _all(self, actions: Sequence[Json]) -> bool:
        """Make a transaction; return whether all its conditions held."""
        return is_made(lambda: transact(self._call, actions))


def _vehicle(vehicle_id: str, plate_key: str, item: Item) -> Vehicle:
    return Vehicle(
        vehicle_id,
        plate_key,
        text(item, "category"),
        item["relation"]["S"],
        item["notify"]["BOOL"],
        item["proven"]["BOOL"],
    )


def _follower(item: Item) -> Follower:
    return Follower(
        item["sk"]["S"],
        item["vehicle_id"]["S"],
        text(item, "category"),
        item["notify"]["BOOL"],
        item["proven"]["BOOL"],
        item["relation"]["S"],
        item["linked_at"]["S"],
    )


def _link_keys(sub: str, vehicle_id: str, plate_key: str) -> tuple[Item, Item]:
    return item_key(f"P#{plate_key}", sub), item_key(sub, f"VEHICLE#{vehicle_id}")
