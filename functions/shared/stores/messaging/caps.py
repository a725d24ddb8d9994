"""The SMS caps: counters in the Messages table, against which a message reserves in the transaction that claims it.

Keys: ``CAP#CITIZEN#<who>#<day>``, ``CAP#FOLLOWERS#<who>#<day>``, ``CAP#SPEND#<day>#<shard>``, ``CAP#TEXT#<digest of
phone and text>``. Days are Baghdad's. What a day may cost is cut into shares, one a shard, so that senders do not wait
for each other; each counts all that is spent (``reserved``) and what of it was for answers and the like
(``for_others``).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Final, NamedTuple
from zlib import crc32

from shared.aws_json import Json
from shared.domain.message import MessageKind
from shared.domain.time import to_text
from shared.stores.items import Item, epoch, pack

SAME_TEXT_FOR: Final = timedelta(hours=1)
FOLLOWERS_A_DAY: Final = 3
"""Messages to an owner that another account follows; what comes to more is told in one message the next day."""
_KEPT: Final = timedelta(days=3)
_MAX_SHARDS: Final = 8
_PARTS_A_SHARD: Final = 100
_TRIED: Final = 3
"""Shards that a message tries before the day counts as spent."""
_OTHERS: Final = frozenset({MessageKind.QUERY_RESULT, MessageKind.FOLLOWER_ADDED, MessageKind.FOLLOWERS_ADDED})
"""What stops at its share of the day, so that it cannot keep news, reminders and receipts from going out."""

CITIZEN_CAP: Final = "citizen_cap"
FOLLOWER_CAP: Final = "follower_cap"
SPEND_CAP: Final = "spend_cap"
SAME_TEXT: Final = "same_text"


class Caps(NamedTuple):
    """The most SMS a citizen and day; the most that a day may cost and what a part costs, in millionths of a dollar.

    other_share: percent of a day's cost that answers and news of followers may take.
    """

    citizen_day: int
    spend_day: int
    other_share: int
    part_price: int

    @property
    def shards(self) -> int:
        """Into how many shares a day's cost is cut: none of less than a hundred parts, but for a day of fewer."""
        return max(1, min(_MAX_SHARDS, self.spend_day // max(1, self.part_price) // _PARTS_A_SHARD))

    def share(self, shard: int) -> tuple[int, int]:
        """Return what a shard may spend, and what of it others; those of all shards sum to the day's exactly."""
        others = self.spend_day * self.other_share // 100
        return _share(self.spend_day, shard, self.shards), _share(others, shard, self.shards)

    def tried(self, message_id: str, attempt: int) -> list[int]:
        """Return the shards that an attempt at sending a message tries, in turn."""
        first = crc32(f"{message_id} {attempt}".encode())
        return [(first + step) % self.shards for step in range(min(self.shards, _TRIED))]


class Reservation(NamedTuple):
    """What sending one message reserves against the caps. attempt: how often it was claimed before.

    who: the citizen's fingerprint, so that what they got today outlives an erasure and names nobody.
    """

    who: str
    phone: str
    text: str
    cost: int
    """In millionths of a dollar."""
    at: datetime
    kind: MessageKind | str
    attempt: int

    @property
    def day(self) -> str:
        """The day that it counts for."""
        return to_text(self.at)[:10]

    @property
    def enforced(self) -> bool:
        """False for a receipt: it is counted and waits for nothing."""
        return self.kind != MessageKind.RECEIPT


def spend_key(reservation: Reservation, shard: int) -> str:
    """Return the key of the counter that a message's cost is added to."""
    return f"CAP#SPEND#{reservation.day}#{shard}"


def reserve(table: str, reservation: Reservation, caps: Caps, shard: int) -> dict[str, Json]:
    """Return the actions that reserve, by the cap that refuses where its action's condition fails; the day's last."""
    actions: dict[str, Json] = {}
    at, cost = reservation.at, reservation.cost
    cap, key = _own_cap(reservation)
    actions[cap] = _add(table, key, at, reserved=1)
    if reservation.enforced:
        _limit(actions[cap], reserved=(FOLLOWERS_A_DAY if cap == FOLLOWER_CAP else caps.citizen_day) - 1)
        actions[SAME_TEXT] = {
            "Put": {
                "TableName": table,
                "Item": pack(
                    {
                        "pk": _text_key(reservation),
                        "until": to_text(at + SAME_TEXT_FOR),
                        "expires": epoch(at + SAME_TEXT_FOR),
                    }
                ),
                "ConditionExpression": "attribute_not_exists(pk) OR #until <= :now",
                "ExpressionAttributeNames": {"#until": "until"},
                "ExpressionAttributeValues": pack({":now": to_text(at)}),
            }
        }
    actions[SPEND_CAP] = spend(table, spend_key(reservation, shard), reservation.kind, cost, at)
    if reservation.enforced:
        share, others = caps.share(shard)
        of_others = {"for_others": others - cost} if reservation.kind in _OTHERS else {}
        _limit(actions[SPEND_CAP], reserved=share - cost, **of_others)
    return actions


def spend(table: str, key: str, kind: MessageKind | str, amount: int, at: datetime) -> Json:
    """Return the action that adds to what a shard's day cost, for a message of this kind."""
    of_others = {"for_others": amount} if kind in _OTHERS else {}
    return _add(table, key, at, reserved=amount, **of_others)


def check_citizen_cap(table: str, who: str, at: datetime, most: int) -> Json:
    """Return the action whose condition says no once a citizen has had ``most`` SMS today. It reserves nothing."""
    return {
        "ConditionCheck": {
            "TableName": table,
            "Key": {"pk": {"S": _citizen_key(who, to_text(at)[:10])}},
            "ConditionExpression": "attribute_not_exists(reserved) OR reserved < :most",
            "ExpressionAttributeValues": pack({":most": most}),
        }
    }


def release(table: str, reservation: Reservation, counter: str) -> list[Json]:
    """Return the actions that undo :func:`reserve`, for a message that did not go out. counter: its claim's."""
    _, key = _own_cap(reservation)
    actions = [
        spend(table, counter, reservation.kind, -reservation.cost, reservation.at),
        _add(table, key, reservation.at, reserved=-1),
    ]
    if reservation.enforced:
        actions.append({"Delete": {"TableName": table, "Key": {"pk": {"S": _text_key(reservation)}}}})
    return actions


def _own_cap(reservation: Reservation) -> tuple[str, str]:
    """The cap of a citizen's own that a message counts for, and its key; news of followers have their own."""
    if reservation.kind in (MessageKind.FOLLOWER_ADDED, MessageKind.FOLLOWERS_ADDED):
        return FOLLOWER_CAP, f"CAP#FOLLOWERS#{reservation.who}#{reservation.day}"
    return CITIZEN_CAP, _citizen_key(reservation.who, reservation.day)


def _share(amount: int, shard: int, shards: int) -> int:
    return amount * (shard + 1) // shards - amount * shard // shards


def _citizen_key(who: str, day: str) -> str:
    return f"CAP#CITIZEN#{who}#{day}"


def _text_key(reservation: Reservation) -> str:
    return f"CAP#TEXT#{blake2b(f'{reservation.phone} {reservation.text}'.encode(), digest_size=16).hexdigest()}"


def _add(table: str, key: str, at: datetime, **amounts: int) -> Json:
    values: Item = pack({f":{name}": amount for name, amount in amounts.items()} | {":expires": epoch(at + _KEPT)})
    return {
        "Update": {
            "TableName": table,
            "Key": {"pk": {"S": key}},
            "UpdateExpression": "SET expires = :expires ADD " + ", ".join(f"{name} :{name}" for name in amounts),
            "ExpressionAttributeValues": values,
        }
    }


def _limit(action: Json, **rooms: int) -> None:
    """Let a counter be added to only while each of its counts holds no more than this; below nothing is never there."""
    update = action["Update"]
    update["ConditionExpression"] = " AND ".join(
        (f"(attribute_not_exists({name}) OR {name} <= :{name}_room)" if room >= 0 else f"{name} <= :{name}_room")
        for name, room in rooms.items()
    )
    update["ExpressionAttributeValues"] |= pack({f":{name}_room": room for name, room in rooms.items()})
