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

from collections.abc import Iterator, Sequence
from datetime import datetime

from shared.aws_json import AwsError, Json
from shared.domain.citizen import DEFAULT_LIMITS, Follower, FollowersFullError, Limits, QuotaError, Vehicle
from shared.domain.time import to_text
from shared.stores.items import Item, batch_get, is_made, item_key, pack, pages, readable, transact
from shared.stores.people.lapses import to_check
from shared.stores.people.links import CHANGING, follower_of, link_keys, listed_vehicle, read_vehicle, update_of
from shared.stores.people.profile_table import TRIES, ProfileTable
from shared.stores.people.profiles import Change, no_room, require_present, texts


class Citizens(ProfileTable):
    """The table through the port: the profiles, and beside them vehicles and followers."""

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
        for _ in range(TRIES):
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
        link = {
            **item_key(sub, f"VEHICLE#{vehicle.vehicle_id}"),
            **pack({"plate": vehicle.plate_key, **common, **to_check(at)}),
        }
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

    def vehicles(self, sub: str, unreadable: list[Exception] | None = None) -> list[Vehicle]:
        """A citizen's vehicles, in the order of their ids. One Query: there are few."""
        request: Json = {
            "TableName": self._table,
            "ConsistentRead": True,
            "KeyConditionExpression": "pk = :sub AND begins_with(sk, :vehicle)",
            "ExpressionAttributeValues": pack({":sub": sub, ":vehicle": "VEHICLE#"}),
        }
        items = self._call("dynamodb", "Query", request)["Items"]
        return [*readable(items, listed_vehicle, unreadable)]

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

    def unlink(
        self,
        sub: str,
        vehicle_id: str,
        plate_key: str,
        *,
        proven: bool,
        others: Sequence[Json] = (),
        erasing: bool = False,
        lapsed_on: str | None = None,
    ) -> bool:
        """End a link everywhere. proven: as it is. False where it is gone already, or was proved meanwhile.

        erasing: the profile is to go too, and stays as it is until then. lapsed_on: where given, only while that is the
        day on which its citizen was told that it ends.
        """
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
        if lapsed_on:
            deletes[1]["Delete"]["ConditionExpression"] += " AND lapses_on = :lapsed_on"
            deletes[1]["Delete"]["ExpressionAttributeValues"] |= pack({":lapsed_on": lapsed_on})
        counted = [] if proven else [self._count_action(plate_key, -1)]
        profile = item_key(sub, "PROFILE")
        listed = [] if erasing else [{"Update": change.request(self._table, profile, while_erasing=True)}]
        return is_made(lambda: self.make([*deletes, *listed, *counted, *others]))

    def followers(self, plate_key: str, unreadable: list[Exception] | None = None) -> Iterator[Follower]:
        """Everybody who linked a plate, page by page."""
        request: Json = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :plate",
            "ExpressionAttributeValues": {":plate": {"S": f"P#{plate_key}"}},
        }
        for page in pages(self._call, "Query", request):
            yield from readable(page["Items"], follower_of, unreadable)

    def contest(self, sub: str, vehicle: Vehicle, other: Follower, at: datetime) -> None:
        """List for the operator that who has proved a vehicle theirs contests another's proof of it. One PutItem."""
        values = {"other": other.sub, "plate": vehicle.plate_key, "at": to_text(at)}
        item = {**item_key("CONTESTED", f"{vehicle.vehicle_id}#{other.vehicle_id}"), **pack({"sub": sub, **values})}
        self._call("dynamodb", "PutItem", {"TableName": self._table, "Item": item})

    # ------------------------------------------------------------------ the table

    def make(self, actions: Sequence[Json]) -> None:
        """Make a transaction of these actions and others'. Raises AwsError."""
        transact(self._call, actions)
