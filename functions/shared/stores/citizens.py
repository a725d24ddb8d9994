"""The Citizens table: profiles with their quotas, vehicles, and the followers of each plate.

Keys: ``pk=<sub>`` with ``sk`` = ``PROFILE``, ``VEHICLE#<vehicle id>``; ``pk=P#<plate key>, sk=<sub>``: a follower,
written in one transaction with the link; ``pk=F#<plate key>, sk=UNPROVEN``: how many of them have not proved it theirs.
What a citizen looked up lies beside: :mod:`shared.stores.look_ups`.

The profile also counts the citizen's day in Baghdad (``day``, ``queries``, ``plates`` as fingerprints, ``links``) and
lists the plates linked and proven, so that one conditional write admits a look-up. The first write of a new day starts
the counts anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from shared.aws_json import AwsError, Call, Json
from shared.domain.citizen import DEFAULT_LIMITS, Follower, FollowersFullError, Limits, Profile, QuotaError, Vehicle
from shared.domain.time import to_text
from shared.stores.items import (
    Item,
    batch_get,
    get_item,
    is_made,
    item_key,
    number,
    pack,
    pages,
    readable,
    text,
    transact,
)
from shared.stores.profiles import Change, Subject, profile_of, texts, used_up

_TRIES: Final = 5
_OF_ANOTHER_TYPE: Final = "ValidationException"
"""What DynamoDB says of adding to an attribute that is no number or set."""
_CHANGING: Final = ("category", "relation", "notify", "proven")
"""What of a link can change."""


class Admission(NamedTuple):
    """A look-up that was counted. linked, proven: whether the plate is one of the citizen's vehicles, and proved so."""

    profile: Profile
    linked: bool = False
    proven: bool = False


class Citizens:
    """The table through the port.

    unreadable, where a call takes it: as :func:`shared.stores.items.readable` does. Of a profile that cannot be read
    nothing is known, and nothing is sent to its citizen.
    """

    def __init__(self, call: Call, table: str) -> None:
        self._call = call
        self._table = table

    # ------------------------------------------------------------------ profile

    def profile(self, sub: str, unreadable: list[Exception] | None = None) -> Profile | None:
        """A citizen's profile; None before their first call. Consistently read: SMS off counts at once."""
        item = self._get(sub, "PROFILE")
        return None if item is None else profile_of(item, unreadable)

    def addressee(self, sub: str, plate_key: str | None) -> tuple[Profile | None, Follower | None]:
        """A citizen's profile, and themselves as a follower of a plate, if they are. One BatchGetItem."""
        keys = [item_key(sub, "PROFILE"), *([item_key(f"P#{plate_key}", sub)] if plate_key else ())]
        items = {item["sk"]["S"]: item for item in batch_get(self._call, self._table, keys)}
        profile, follower = items.get("PROFILE"), items.get(sub)
        return profile_of(profile) if profile else None, _follower(follower) if follower else None

    def profiles(self, subs: Iterable[str], unreadable: list[Exception] | None = None) -> dict[str, Profile]:
        """The profiles that exist of these citizens, by sub."""
        keys = [item_key(sub, "PROFILE") for sub in dict.fromkeys(subs)]
        items = batch_get(self._call, self._table, keys)
        return {item["pk"]["S"]: profile_of(item, unreadable) for item in items}

    def seen_in_person(
        self, sub: str, phone: str | None, language: str, unreadable: list[Exception] | None = None
    ) -> Profile:
        """Keep the phone and language of a citizen's token and call, and answer the profile. One UpdateItem.

        A language that the citizen chose stays.
        """
        return profile_of(self._update_profile(sub, Change.in_person(phone, language)), unreadable)

    def choose(
        self,
        sub: str,
        phone: str | None,
        language: str | None,
        sms: bool | None,
        unreadable: list[Exception] | None = None,
    ) -> Profile:
        """Keep what a citizen chose of language and SMS; None leaves it as it is. One UpdateItem."""
        change = Change()
        change.phone(phone)
        if language is not None:
            change.set("language", language)
            change.set("chosen_language", language)
        if sms is not None:
            change.set("sms", sms)
        return profile_of(self._update_profile(sub, change), unreadable)

    def admit(
        self,
        sub: str,
        phone: str | None,
        language: str,
        subject: Subject | None,
        limits: Limits,
        at: datetime,
        unreadable: list[Exception] | None = None,
    ) -> Admission:
        """Count a look-up, if the citizen's quotas allow it, and keep phone and language of it all the same.

        subject: None for a text that could not be read as one plate: it counts apart. One UpdateItem; a second for the
        first look-up of a day and for a plate that is linked. Counts that cannot be read begin anew. Raises QuotaError.
        """
        day = to_text(at)[:10]
        counts: Item | None = {"day": {"S": day}}  # as it mostly is: not the day's first, and not a linked plate
        plates: Sequence[str] = ()
        for _ in range(_TRIES):
            linked = subject is not None and subject.plate_key in plates
            change = Change.in_person(phone, language)
            if subject:
                change.count(counts, day, "queries", None if linked else subject.mark)
                change.at_most("queries", limits.queries)
                change.at_most_plates(limits.plates)
                change.only_if_linked(subject.plate_key, linked)
            else:
                change.count(counts, day, "unreadable")
                change.at_most("unreadable", limits.unreadable)
            try:
                item = self._update_profile(sub, change)
            except AwsError as error:
                known = self._refusing(sub, error)
                damage: list[Exception] = []
                if quota := next(readable([known], lambda it: used_up(it, day, subject, limits), damage), None):
                    raise QuotaError(quota) from None
                if not error.condition_failed and not damage:
                    raise
                if damage and unreadable is not None:
                    unreadable += damage
                counts = None if damage else known
                plates = next(readable([known], lambda it: texts(it, "linked"), damage), ())
                continue
            proofs = next(readable([item], lambda it: texts(it, "proven"), unreadable), ())
            proven = subject is not None and subject.plate_key in proofs
            return Admission(profile_of(item, unreadable), linked, proven)
        raise RuntimeError("others keep changing the same profile")

    def _refusing(self, sub: str, error: AwsError) -> Item:
        """The profile that refused an update: by its condition, or because of the type that it holds."""
        if error.condition_failed:
            return error.item or {}
        if error.code != _OF_ANOTHER_TYPE:
            raise error
        return self._get(sub, "PROFILE") or {}

    def _update_profile(self, sub: str, change: Change) -> Item:
        request = change.request(self._table, item_key(sub, "PROFILE"))
        item: Item = self._call("dynamodb", "UpdateItem", {**request, "ReturnValues": "ALL_NEW"})["Attributes"]
        return item

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
        change.count(known, day, "links")
        change.at_most("links", limits.links)
        change.at_most_vehicles(limits.vehicles)
        change.add_text("linked", vehicle.plate_key)
        if vehicle.proven:
            change.add_text("proven", vehicle.plate_key)
        return {"Update": change.request(self._table, item_key(sub, "PROFILE"))}

    def _linked(self, sub: str, plate_key: str) -> Vehicle | None:
        item = self._get(f"P#{plate_key}", sub)
        return _vehicle(item["vehicle_id"]["S"], plate_key, item) if item else None

    def vehicles(self, sub: str, unreadable: list[Exception] | None = None) -> list[Vehicle]:
        """A citizen's vehicles, in the order of their ids. One Query: there are few."""
        request: Json = {
            "TableName": self._table,
            "ConsistentRead": True,
            "KeyConditionExpression": "pk = :sub AND begins_with(sk, :vehicle)",
            "ExpressionAttributeValues": pack({":sub": sub, ":vehicle": "VEHICLE#"}),
        }
        items = self._call("dynamodb", "Query", request)["Items"]
        return [*readable(items, _listed_vehicle, unreadable)]

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
        """Everybody who linked a plate, page by page."""
        request: Json = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :plate",
            "ExpressionAttributeValues": {":plate": {"S": f"P#{plate_key}"}},
        }
        for page in pages(self._call, "Query", request):
            yield from readable(page["Items"], _follower, unreadable)

    def follower(self, plate_key: str, sub: str, unreadable: list[Exception] | None = None) -> Follower | None:
        """One follower of a plate, or None."""
        item = self._get(f"P#{plate_key}", sub)
        return next(readable([item] if item else [], _follower, unreadable), None)

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


def _listed_vehicle(item: Item) -> Vehicle:
    return _vehicle(item["sk"]["S"].removeprefix("VEHICLE#"), item["plate"]["S"], item)


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
