"""The profiles in the Citizens table, and the quotas that they count: :mod:`shared.stores.people.citizens`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from shared.aws_json import AwsError, Call, Json
from shared.domain.citizen import Limits, Profile, QuotaError
from shared.domain.time import to_text
from shared.stores.items import Item, batch_get, get_item, item_key, number, pack, readable, text
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

TRIES: Final = 5
_OF_ANOTHER_TYPE: Final = "ValidationException"
"""What DynamoDB says of adding to an attribute that is no number or set."""


class Admission(NamedTuple):
    """A look-up that was counted. linked: the plate is one of the citizen's vehicles. proof: one stands or waits.

    full_days: for how many days on end the citizen has used up the plates, where this look-up used up those of today.
    """

    profile: Profile
    linked: bool = False
    proof: bool = False
    full_days: int = 0


class ProfileTable:
    """The profiles through the port. fingerprint: of a citizen; needed by whoever writes them.

    unreadable, where a call takes it: as :func:`shared.stores.items.readable` does. Of a profile that cannot be read
    nothing is known, and nothing is sent to its citizen. What a citizen asks for while they are being erased raises
    ErasingError.
    """

    def __init__(self, call: Call, table: str, fingerprint: Callable[[str], str] | None = None) -> None:
        self._call = call
        self._table = table
        self._fingerprint = fingerprint

    def profile(self, sub: str, unreadable: list[Exception] | None = None) -> Profile | None:
        """A citizen's profile; None before their first call. Consistently read: SMS off counts at once."""
        item = self._get(sub, "PROFILE")
        require_present(item)
        return None if item is None else profile_of(item, unreadable)

    def profiles(self, subs: Iterable[str], unreadable: list[Exception] | None = None) -> dict[str, Profile]:
        """The profiles that exist of these citizens, by sub; none of who is being erased."""
        keys = [item_key(sub, "PROFILE") for sub in dict.fromkeys(subs)]
        items = batch_get(self._call, self._table, keys)
        return {item["pk"]["S"]: profile_of(item, unreadable) for item in items if ERASING not in item}

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
        first look-up of a day, for its last plate, and for a plate that is linked; a GetItem for the very first. Counts
        that cannot be read begin anew. Raises QuotaError.
        """
        day = to_text(at)[:10]
        counts: Item | None = {"day": {"S": day}}  # as it mostly is: not the day's first, and not a linked plate
        plates: Sequence[str] = ()
        for _ in range(TRIES):
            linked = subject is not None and subject.plate_key in plates
            change, full_days = Change.in_person(phone, language), 0
            if subject:
                change.count(counts, day, queries=1, mark=None if linked else subject.mark)
                change.at_most("queries", limits.queries)
                full_days = change.at_most_plates(counts or {}, day, limits.plates)
                change.only_if_linked(subject.plate_key, linked)
            else:
                change.count(counts, day, unreadable=1)
                change.at_most("unreadable", limits.unreadable)
            try:
                item = self._update_profile(sub, change)
            except AwsError as error:
                known = self._refusing(sub, day, error)
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
            proofs = next(readable([item], lambda it: texts(it, "proven") + texts(it, "pending"), unreadable), ())
            proof = linked and subject is not None and subject.plate_key in proofs
            return Admission(profile_of(item, unreadable), linked, proof, full_days)
        raise RuntimeError("others keep changing the same profile")

    def _refusing(self, sub: str, day: str, error: AwsError) -> Item:
        """The profile that refused an update: by its condition, or because of the type that it holds."""
        if error.condition_failed:
            return self._returning(sub, day, error.item or {})
        if error.code != _OF_ANOTHER_TYPE:
            raise error
        return self._get(sub, "PROFILE") or {}

    def count_proof(
        self, sub: str, phone: str | None, language: str, plate_key: str, limits: Limits, at: datetime
    ) -> None:
        """Count a try at a registration number, before it is looked at, so that many at once are no more than in a row.

        What would keep a right number from being linked is refused here, so that no refusal tells it from a wrong one.
        One UpdateItem; a second for the first call of a day and for a plate that is linked. Raises QuotaError.
        """
        day = to_text(at)[:10]
        known: Item = {"day": {"S": day}}
        for _ in range(TRIES):
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

    def _get(self, pk: str, sk: str) -> Item | None:
        return get_item(self._call, self._table, item_key(pk, sk))
