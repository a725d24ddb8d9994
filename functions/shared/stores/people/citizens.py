"""The Citizens table: profiles with their quotas, vehicles, and the followers of each plate.

Keys: ``pk=<sub>`` with ``sk`` = ``PROFILE``, ``VEHICLE#<vehicle id>``; ``pk=P#<plate key>, sk=<sub>``: a follower,
written in one transaction with the link; ``pk=F#<plate key>, sk=UNPROVEN``: how many of them have not proved it theirs;
``pk=<the citizen's fingerprint>, sk=COUNTS``: what they had counted on the day on which they were erased;
``pk=CONTESTED``: proofs of one vehicle of which the holder of another contests one.
What a citizen looked up lies beside: :mod:`shared.stores.people.look_ups`.

The profile also counts the citizen's day in Baghdad (``day``, ``queries``, ``plates`` as fingerprints, ``links``,
``proofs``) and lists the plates linked, proven and with a proof that waits (``pending``), so that one conditional write
admits a look-up. The first write of a new day starts the counts anew. Index: ``ByPerson`` (sparse; a phone's profiles
by ``person``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
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
from shared.stores.people.links import CHANGING, follower_of, link_keys, read_vehicle, update_of
from shared.stores.people.profiles import (
    ERASING,
    Change,
    Subject,
    no_room,
    profile_of,
    require_present,
    returned,
    texts,
    used_up,
)

_TRIES: Final = 5


class Admission(NamedTuple):
    """A look-up that was counted. linked: the plate is one of the citizen's vehicles. proof: one stands or waits.

    full_days: for how many days on end the citizen has used up the plates, where this look-up used up those of today.
    """

    profile: Profile
    linked: bool = False
    proof: bool = False
    full_days: int = 0


class Citizens:
    """The table through the port. fingerprint: of a citizen; needed by whoever writes profiles and links.

    What a citizen asks for while they are being erased raises ErasingError.
    """

    def __init__(self, call: Call, table: str, fingerprint: Callable[[str], str] | None = None) -> None:
        self._call = call
        self._table = table
        self._fingerprint = fingerprint

    # ------------------------------------------------------------------ profile

    def profile(self, sub: str) -> Profile | None:
        """A citizen's profile; None before their first call. Consistently read: SMS off counts at once."""
        item = self._get(sub, "PROFILE")
        require_present(item)
        return None if item is None else profile_of(item)

    def profiles(self, subs: Iterable[str]) -> dict[str, Profile]:
        """The profiles that exist of these citizens, by sub; none of who is being erased."""
        keys = [item_key(sub, "PROFILE") for sub in dict.fromkeys(subs)]
        items = batch_get(self._call, self._table, keys)
        return {item["pk"]["S"]: profile_of(item) for item in items if ERASING not in item}

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
        for a day's first look-up and last plate, and for a linked one; a GetItem for the very first. Raises QuotaError.
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
                known = self._returning(sub, day, error.item or {})
                if quota := used_up(known, day, subject, limits):
                    raise QuotaError(quota) from None
                continue
            proof = (
                linked and subject is not None and subject.plate_key in texts(item, "proven") + texts(item, "pending")
            )
            return Admission(profile_of(item), linked, proof, full_days)
        raise RuntimeError("others keep changing the same profile")

    def count_proof(
        self, sub: str, phone: str | None, language: str, plate_key: str, limits: Limits, at: datetime
    ) -> None:
        """Count a try at a registration number, before it is looked at, so that many at once are no more than in a row.

        What would keep a right number from being linked is refused here, so that no refusal tells it from a wrong one.
        One UpdateItem; a second for the first call of a day and for a plate that is linked. Raises QuotaError.
        """
        day = to_text(at)[:10]
        known: Item = {"day": {"S": day}}
        for _ in range(_TRIES):
            linked = plate_key in texts(known, "linked")
            change = Change.in_person(phone, language)
            change.count(known, day, proofs=1)
            change.at_most("proofs", limits.proofs)
            change.only_if_linked(plate_key, linked)
            if not linked:
                change.at_most("links", limits.links)
                change.at_most_texts("linked", limits.vehicles)
            try:
                self._update_profile(sub, change)
            except AwsError as error:
                if not error.condition_failed:
                    raise
                known = self._returning(sub, day, error.item or {})
                is_today = (text(known, "day") or "") >= day
                if is_today and (number(known, "proofs") or 0) >= limits.proofs:
                    raise QuotaError("proofs") from None
                if plate_key in texts(known, "linked"):
                    continue
                if quota := no_room(known, day, limits):
                    raise QuotaError(quota) from None
            else:
                return
        raise RuntimeError("others keep changing the same profile")

    def _update_profile(self, sub: str, change: Change) -> Item:
        if self._fingerprint:
            change.set("who", self._fingerprint(sub))
        request = change.request(self._table, item_key(sub, "PROFILE"))
        try:
            item: Item = self._call("dynamodb", "UpdateItem", {**request, "ReturnValues": "ALL_NEW"})["Attributes"]
        except AwsError as error:
            require_present(error.item)
            raise
        return item

    def _returning(self, sub: str, day: str, known: Item) -> Item:
        """The profile as it is known, with what its citizen had counted today before they were erased."""
        who = self._fingerprint(sub) if self._fingerprint else None
        return returned(self._call, self._table, item_key(sub, "PROFILE"), who, day, known)

    def of_phone(self, phone: str) -> list[str]:
        """The citizens who were last seen with a phone, by sub. One Query: a phone has few."""
        request: Json = {
            "TableName": self._table,
            "IndexName": "ByPerson",
            "KeyConditionExpression": "person = :phone",
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
                require_present(error.reasons[-1].get("Item"))
                if existing := self._linked(sub, vehicle.plate_key):
                    return existing
                known = self._returning(sub, day, error.reasons[-1].get("Item") or {})
                is_full = not vehicle.proven and error.reasons[-2].get("Code") == "ConditionalCheckFailed"
                if quota := no_room(known, day, limits):
                    raise QuotaError(quota) from None
                if vehicle.pending_at and len(texts(known, "pending")) >= limits.pending:
                    raise QuotaError("pending") from None
                if is_full:
                    raise FollowersFullError from None
            else:
                return None
        raise RuntimeError("others keep changing the same profile")

    def _link_actions(self, sub: str, vehicle: Vehicle, at: datetime) -> list[Json]:
        who = self._fingerprint(sub) if self._fingerprint else None
        common = {name: getattr(vehicle, name) for name in CHANGING} | {"linked_at": to_text(at), "who": who}
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
        change.at_most_texts("linked", limits.vehicles)
        change.add_text("linked", vehicle.plate_key)
        if vehicle.proven:
            change.add_text("proven", vehicle.plate_key)
        if vehicle.pending_at:
            change.at_most_texts("pending", limits.pending)
            change.add_text("pending", vehicle.plate_key)
        return {"Update": change.request(self._table, item_key(sub, "PROFILE"))}

    def _linked(self, sub: str, plate_key: str) -> Vehicle | None:
        item = self._get(f"P#{plate_key}", sub)
        return read_vehicle(item["vehicle_id"]["S"], plate_key, item) if item else None

    def vehicles(self, sub: str) -> list[Vehicle]:
        """A citizen's vehicles, in the order of their ids. One Query: there are few."""
        request: Json = {
            "TableName": self._table,
            "ConsistentRead": True,
            "KeyConditionExpression": "pk = :sub AND begins_with(sk, :vehicle)",
            "ExpressionAttributeValues": pack({":sub": sub, ":vehicle": "VEHICLE#"}),
        }
        items = self._call("dynamodb", "Query", request)["Items"]
        return [read_vehicle(item["sk"]["S"].removeprefix("VEHICLE#"), item["plate"]["S"], item) for item in items]

    def vehicle(self, sub: str, vehicle_id: str) -> Vehicle | None:
        """One of a citizen's own vehicles, or None. One BatchGetItem, with the profile."""
        keys = [item_key(sub, f"VEHICLE#{vehicle_id}"), item_key(sub, "PROFILE")]
        items = {item["sk"]["S"]: item for item in batch_get(self._call, self._table, keys)}
        require_present(items.pop("PROFILE", None))
        return next((read_vehicle(vehicle_id, item["plate"]["S"], item) for item in items.values()), None)

    def change(
        self,
        sub: str,
        before: Vehicle,
        after: Vehicle,
        others: Sequence[Json] = (),
        most_pending: int | None = None,
    ) -> bool:
        """Change what differs in a link, everywhere: category, relation, notify, proof.

        others: up to 95 actions that must happen with it. most_pending: of the citizen's proofs that wait. False where
        the link is gone, its proof is another by now, or too many wait.
        """
        actions = [*self.change_actions(sub, before, after, most_pending), *others]
        return not actions or is_made(lambda: self.make(actions))

    def change_actions(self, sub: str, before: Vehicle, after: Vehicle, most_pending: int | None = None) -> list[Json]:
        """The actions that change what differs in a link. most_pending: of the citizen's proofs that wait."""
        update = update_of(before, after)
        if update is None:
            return []
        keys = link_keys(sub, after.vehicle_id, after.plate_key)
        actions: list[Json] = [{"Update": {"TableName": self._table, "Key": key, **update}} for key in keys]
        change = Change()
        for name, was, becomes in (
            ("proven", before.proven, after.proven),
            ("pending", before.pending_at, after.pending_at),
        ):
            if becomes and not was:
                change.add_text(name, after.plate_key)
                if name == "pending" and most_pending is not None:
                    change.at_most_texts(name, most_pending)
            elif was and not becomes:
                change.remove_text(name, after.plate_key)
        if not change.is_empty:
            actions.append({"Update": change.request(self._table, item_key(sub, "PROFILE"))})
        if before.proven != after.proven:
            actions.append(self._count_action(after.plate_key, -1 if after.proven else 1))
        return actions

    def unlink(self, sub: str, vehicle_id: str, plate_key: str, *, proven: bool, others: Sequence[Json] = ()) -> bool:
        """End a link everywhere. proven: as it is. False where it is gone already, or was proved meanwhile."""
        change = Change()
        for name in ("linked", "proven", "pending"):
            change.remove_text(name, plate_key)
        deletes: list[Json] = [
            {
                "Delete": {
                    "TableName": self._table,
                    "Key": key,
                    "ConditionExpression": "proven = :proven",
                    "ExpressionAttributeValues": pack({":proven": proven}),
                }
            }
            for key in link_keys(sub, vehicle_id, plate_key)
        ]
        counted = [] if proven else [self._count_action(plate_key, -1)]
        listed: Json = {"Update": change.request(self._table, item_key(sub, "PROFILE"), while_erasing=True)}
        return is_made(lambda: self.make([*deletes, listed, *counted, *others]))

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
                    yield follower_of(item)
                except UNREADABLE as error:
                    if unreadable is None:
                        raise
                    unreadable.append(error)

    def contest(self, sub: str, vehicle: Vehicle, other: Follower, at: datetime) -> None:
        """List for the operator that who has proved a vehicle theirs contests another's proof of it. One PutItem."""
        values = {"other": other.sub, "plate": vehicle.plate_key, "at": to_text(at)}
        item = {**item_key("CONTESTED", f"{vehicle.vehicle_id}#{other.vehicle_id}"), **pack({"sub": sub, **values})}
        self._call("dynamodb", "PutItem", {"TableName": self._table, "Item": item})

    def _get(self, pk: str, sk: str) -> Item | None:
        return get_item(self._call, self._table, item_key(pk, sk))

    def make(self, actions: Sequence[Json]) -> None:
        """Make a transaction of these actions and others'. Raises AwsError."""
        transact(self._call, actions)
