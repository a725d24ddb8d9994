"""Counters of what goes out, in the Messages table, taken in one transaction with the claim of a message.

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


class Taking(NamedTuple):
    """What sending one message takes of the caps. cost: millionths of a dollar. binding: False only counts it."""

    sub: str
    phone: str
    text: str
    cost: int
    at: datetime
    binding: bool

    @property
    def day(self) -> str:
        """The day that it counts for."""
        return to_text(self.at)[:10]


def take(table: str, taking: Taking, caps: Caps) -> dict[str, Json]:
    """The actions that take, by the cap that refuses where its action's condition fails."""
    actions = {SPEND_CAP: _add(table, _spend_key(taking), taking.cost, taking.at)}
    actions[CITIZEN_CAP] = _add(table, _citizen_key(taking.sub, taking.day), 1, taking.at)
    if taking.binding:
        _limit(actions[SPEND_CAP], caps.spend_day - taking.cost)
        _limit(actions[CITIZEN_CAP], caps.citizen_day - 1)
        actions[SAME_TEXT] = {
            "Put": {
                "TableName": table,
                "Item": pack(
                    {
                        "pk": _text_key(taking),
                        "until": to_text(taking.at + SAME_TEXT_FOR),
                        "expires": epoch(taking.at + SAME_TEXT_FOR),
                    }
                ),
                "ConditionExpression": "attribute_not_exists(pk) OR #until <= :now",
                "ExpressionAttributeNames": {"#until": "until"},
                "ExpressionAttributeValues": pack({":now": to_text(taking.at)}),
            }
        }
    return actions


def room(table: str, sub: str, at: datetime, most: int) -> Json:
    """The action whose condition says no once a citizen has had so many SMS today. It takes nothing."""
    return {
        "ConditionCheck": {
            "TableName": table,
            "Key": {"pk": {"S": _citizen_key(sub, to_text(at)[:10])}},
            "ConditionExpression": "attribute_not_exists(taken) OR taken < :most",
            "ExpressionAttributeValues": pack({":most": most}),
        }
    }


def give_back(table: str, taking: Taking) -> list[Json]:
    """The actions that undo :func:`take`, for a message that did not go out."""
    actions = [
        _add(table, _spend_key(taking), -taking.cost, taking.at),
        _add(table, _citizen_key(taking.sub, taking.day), -1, taking.at),
    ]
    if taking.binding:
        actions.append({"Delete": {"TableName": table, "Key": {"pk": {"S": _text_key(taking)}}}})
    return actions


def _spend_key(taking: Taking) -> str:
    return f"CAP#SPEND#{taking.day}"


def _citizen_key(sub: str, day: str) -> str:
    return f"CAP#CITIZEN#{sub}#{day}"


def _text_key(taking: Taking) -> str:
    return f"CAP#TEXT#{blake2b(f'{taking.phone} {taking.text}'.encode(), digest_size=16).hexdigest()}"


def _add(table: str, key: str, amount: int, at: datetime) -> Json:
    values: Item = pack({":amount": amount, ":expires": epoch(at + _KEPT)})
    return {
        "Update": {
            "TableName": table,
            "Key": {"pk": {"S": key}},
            "UpdateExpression": "SET expires = :expires ADD taken :amount",
            "ExpressionAttributeValues": values,
        }
    }


def _limit(action: Json, room: int) -> None:
    """Let a counter be added to only while it holds no more than ``room``; a room below nothing is never there."""
    update = action["Update"]
    update["ConditionExpression"] = ("attribute_not_exists(taken) OR " if room >= 0 else "") + "taken <= :room"
    update["ExpressionAttributeValues"] |= pack({":room": room})
