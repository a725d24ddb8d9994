"""Erasing all that is kept of a person, step by step: each may be cut off and repeated.

The attribute ``erasing`` of a profile, and of ``pk=LIVE#<sub>`` among the payments, says since when they are being
erased; ``unlinked_at``, since when nobody finds them by a plate any more. ``pk=<the citizen's fingerprint>,
sk=COUNTS`` is what they had counted today, which stays until the day is over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from shared.aws_json import AwsError, Call, Json
from shared.domain.citizen import ErasingError, Profile
from shared.domain.message import Message
from shared.domain.time import to_text
from shared.stores.items import (
    MAX_ACTIONS,
    Item,
    epoch,
    get_item,
    is_made,
    item_key,
    newest_of_citizen,
    pack,
    readable,
    text,
    transact,
)
from shared.stores.messaging.message_items import written
from shared.stores.people.profiles import COUNTED, ERASING, profile_of
from shared.stores.privacy.exporting import Person, Tables, contested_by

COUNTS_KEPT: Final = timedelta(days=2)
FAREWELL_KEPT: Final = timedelta(days=3)
"""For the SMS that confirms an erasure, which holds the phone that it goes to."""


class Erasing(NamedTuple):
    """An erasure under way. since, unlinked_at: stored texts. phone: to confirm it to, if the citizen wants SMS."""

    since: str
    unlinked_at: str | None
    phone: str | None
    language: str


class Erasures:
    """The tables through the port."""

    def __init__(self, call: Call, tables: Tables) -> None:
        self._call = call
        self._tables = tables

    def begin(self, sub: str, at: datetime) -> bool:
        """Mark a citizen as being erased, everywhere at once; False where a payment of theirs is live. One transaction.

        Raises ErasingError where they are being erased already.
        """
        values = pack({":at": to_text(at)})
        marks = [
            (self._tables.citizens, item_key(sub, "PROFILE"), f"attribute_not_exists({ERASING})"),
            (self._tables.payments, item_key(f"LIVE#{sub}", "LIVE"), "attribute_not_exists(payments)"),
        ]
        actions = [
            {
                "Update": {
                    "TableName": table,
                    "Key": key,
                    "UpdateExpression": f"SET {ERASING} = :at",
                    "ConditionExpression": condition,
                    "ExpressionAttributeValues": values,
                }
            }
            for table, key, condition in marks
        ]
        try:
            transact(self._call, actions)
        except AwsError as error:
            if not error.condition_failed:
                raise
            if error.reasons[0].get("Code") == "ConditionalCheckFailed":
                raise ErasingError from None
            return False
        return True

    def erasing(self, sub: str) -> Erasing | None:
        """How far a citizen's erasure is; None where there is none."""
        item = get_item(self._call, self._tables.citizens, item_key(sub, "PROFILE"))
        if item is None or ERASING not in item:
            return None
        profile = next(readable([item], profile_of, []), Profile(None, "ar"))
        phone = profile.phone if profile.sms else None
        return Erasing(item[ERASING]["S"], text(item, "unlinked_at"), phone, profile.language)

    def erase_rest(self, sub: str, forget: Callable[[str], Sequence[Json]]) -> Iterator[None]:
        """Delete what is left of a citizen beside the profile: what they looked up, and links that cannot be read.

        Page by page; stops after each, so that the caller may leave the rest for later. forget: the actions that end
        the citizen's proof that waits for a plate.
        """
        table = self._tables.citizens
        while True:
            request: Json = {
                "TableName": table,
                "ConsistentRead": True,
                "KeyConditionExpression": "pk = :sub",
                "ExpressionAttributeValues": pack({":sub": sub}),
                "Limit": MAX_ACTIONS // 4,  # a link has items elsewhere too
            }
            found = self._call("dynamodb", "Query", request)["Items"]
            keys = [{"pk": item["pk"], "sk": item["sk"]} for item in found if item["sk"]["S"] != "PROFILE"]
            if not keys:
                return
            links = (item for item in found if item["sk"]["S"].startswith("VEHICLE#"))
            plates = {each["plate"]["S"] for each in links if "S" in each.get("plate", ())}
            keys += [item_key(f"P#{plate_key}", sub) for plate_key in plates]
            deletes = [{"Delete": {"TableName": table, "Key": each}} for each in keys]
            transact(self._call, [*deletes, *(action for plate_key in plates for action in forget(plate_key))])
            yield

    def erase_contests(self, sub: str) -> None:
        """Take a citizen, on either side, off the list of contested proofs: their proof is gone."""
        table = self._tables.citizens
        for name in ("sub", "other"):
            for item in contested_by(self._call, table, name, sub):
                self._call("dynamodb", "DeleteItem", {"TableName": table, "Key": {n: item[n] for n in ("pk", "sk")}})

    def unlinked(self, sub: str, at: datetime) -> None:
        """Note that nobody finds an erased citizen by a plate any more."""
        request = {
            "TableName": self._tables.citizens,
            "Key": item_key(sub, "PROFILE"),
            "UpdateExpression": "SET unlinked_at = :at",
            "ConditionExpression": f"attribute_exists({ERASING}) AND attribute_not_exists(unlinked_at)",
            "ExpressionAttributeValues": pack({":at": to_text(at)}),
        }
        is_made(lambda: self._call("dynamodb", "UpdateItem", request))

    def erase_messages(self, sub: str) -> Iterator[None]:
        """Delete a citizen's messages, with those that wait, page by page; as :meth:`erase_rest` stops."""
        table = self._tables.messages
        after: Item | None = None
        while True:
            items, after = newest_of_citizen(self._call, table, sub, MAX_ACTIONS, after)
            if items:
                transact(self._call, [{"Delete": {"TableName": table, "Key": {"pk": item["pk"]}}} for item in items])
            yield
            if after is None:
                return

    def end(self, person: Person, erasing: Erasing, farewell: Message | None, at: datetime) -> bool:
        """Delete the profile itself, and keep what it had counted today. One transaction, with the SMS that says so.

        Returns False where it is gone already.
        """
        citizens = self._tables.citizens
        profile = get_item(self._call, citizens, item_key(person.sub, "PROFILE"))
        if profile is None:
            return False
        gone: Json = {
            "TableName": citizens,
            "Key": item_key(person.sub, "PROFILE"),
            "ConditionExpression": f"{ERASING} = :since",
            "ExpressionAttributeValues": pack({":since": erasing.since}),
        }
        live = {"TableName": self._tables.payments, "Key": item_key(f"LIVE#{person.sub}", "LIVE")}
        actions: list[Json] = [{"Delete": gone}, {"Delete": live}]
        if "day" in profile:
            counts = {name: profile[name] for name in COUNTED if name in profile}
            kept = {**item_key(person.who, "COUNTS"), **counts, **pack({"expires": epoch(at + COUNTS_KEPT)})}
            actions.append({"Put": {"TableName": citizens, "Item": kept}})
        if farewell:
            item = {**written(farewell, at), **pack({"expires": epoch(at + FAREWELL_KEPT)})}
            actions.append({"Put": {"TableName": self._tables.messages, "Item": item}})
        return is_made(lambda: transact(self._call, actions))
