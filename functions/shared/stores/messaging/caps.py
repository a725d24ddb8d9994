"""The SMS caps: counters in the Messages table, against which a message reserves in the transaction that claims it.

Keys: ``CAP#CITIZEN#<sub>#<day>``, ``CAP#SPEND#<day>``, ``CAP#TEXT#<digest of phone and text>``. Days are Baghdad's.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Final, NamedTuple

from shared.aws_json import Json
from shared.domain.time import to_text
from shared.stores.items import Item, epoch, pack

SAME_TEXT_FOR: Final = timedelta(hours=1)
_KEPT: Final = timedelta(days=3)

CITIZEN_CAP: Final = "citizen_cap"
SPEND_CAP: Final = "spend_cap"
SAME_TEXT: Final = "same_text"


class Caps(NamedTuple):
    """The most SMS a citizen and day; the most that a day may cost, in millionths of a dollar."""

    citizen_day: int
    spend_day: int


class Reservation(NamedTuple):
    """What sending one message reserves against the caps."""

    sub: str
    phone: str
    text: str
    cost: int
    """In millionths of a dollar."""
    at: datetime
    enforced: bool
    """False counts it without refusing it."""

    @property
    def day(self) -> str:
        """The day that it counts for."""
        return to_text(self.at)[:10]


def reserve(table: str, reservation: Reservation, caps: Caps) -> dict[str, Json]:
    """Return the actions that reserve, by the cap that refuses where its action's condition fails."""
    actions = {SPEND_CAP: _add(table, _spend_key(reservation), reservation.cost, reservation.at)}
    actions[CITIZEN_CAP] = _add(table, _citizen_key(reservation.sub, reservation.day), 1, reservation.at)
    if reservation.enforced:
        _limit(actions[SPEND_CAP], caps.spend_day - reservation.cost)
        _limit(actions[CITIZEN_CAP], caps.citizen_day - 1)
        actions[SAME_TEXT] = {
            "Put": {
                "TableName": table,
                "Item": pack(
                    {
                        "pk": _text_key(reservation),
                        "until": to_text(reservation.at + SAME_TEXT_FOR),
                        "expires": epoch(reservation.at + SAME_TEXT_FOR),
                    }
                ),
                "ConditionExpression": "attribute_not_exists(pk) OR #until <= :now",
                "ExpressionAttributeNames": {"#until": "until"},
                "ExpressionAttributeValues": pack({":now": to_text(reservation.at)}),
            }
        }
    return actions


def check_citizen_cap(table: str, sub: str, at: datetime, most: int) -> Json:
    """Return the action whose condition says no once a citizen has had ``most`` SMS today. It reserves nothing."""
    return {
        "ConditionCheck": {
            "TableName": table,
            "Key": {"pk": {"S": _citizen_key(sub, to_text(at)[:10])}},
            "ConditionExpression": "attribute_not_exists(reserved) OR reserved < :most",
            "ExpressionAttributeValues": pack({":most": most}),
        }
    }


def release(table: str, reservation: Reservation) -> list[Json]:
    """Return the actions that undo :func:`reserve`, for a message that did not go out."""
    actions = [
        _add(table, _spend_key(reservation), -reservation.cost, reservation.at),
        _add(table, _citizen_key(reservation.sub, reservation.day), -1, reservation.at),
    ]
    if reservation.enforced:
        actions.append({"Delete": {"TableName": table, "Key": {"pk": {"S": _text_key(reservation)}}}})
    return actions


def _spend_key(reservation: Reservation) -> str:
    return f"CAP#SPEND#{reservation.day}"


def _citizen_key(sub: str, day: str) -> str:
    return f"CAP#CITIZEN#{sub}#{day}"


def _text_key(reservation: Reservation) -> str:
    return f"CAP#TEXT#{blake2b(f'{reservation.phone} {reservation.text}'.encode(), digest_size=16).hexdigest()}"


def _add(table: str, key: str, amount: int, at: datetime) -> Json:
    values: Item = pack({":amount": amount, ":expires": epoch(at + _KEPT)})
    return {
        "Update": {
            "TableName": table,
            "Key": {"pk": {"S": key}},
            "UpdateExpression": "SET expires = :expires ADD reserved :amount",
            "ExpressionAttributeValues": values,
        }
    }


def _limit(action: Json, room: int) -> None:
    """Let a counter be added to only while it holds no more than ``room``; a room below nothing is never there."""
    update = action["Update"]
    update["ConditionExpression"] = ("attribute_not_exists(reserved) OR " if room >= 0 else "") + "reserved <= :room"
    update["ExpressionAttributeValues"] |= pack({":room": room})
