"""The Messages table: one item an SMS, and the markers of what each citizen has been told.

``pk=<message id>``; markers ``pk=TOLD#<violation>#<who>#<kind>`` hold the message's id; of what is told once a dispute
and plate, these stand behind the kind. Sparse index ``Due``: shard and ``not_before`` of what is still to be sent; what
quiet hours hold lies in shards of its own. Index ``ByProviderId``: the provider's own id of what was sent. Index
``ByCitizen``: a citizen's messages by when they were created.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Final, NamedTuple

from shared.aws_json import AwsError, Call, Json
from shared.domain.message import OUT, Message, MessageKind, MessageStatus
from shared.domain.sms_texts import VERSION
from shared.domain.time import to_text
from shared.stores.items import (
    Item,
    batch_get,
    epoch,
    get_item,
    is_made,
    newest_of_citizen,
    pack,
    pages,
    readable,
    transact,
)
from shared.stores.messaging.caps import (
    SPEND_CAP,
    Caps,
    Reservation,
    check_citizen_cap,
    release,
    reserve,
    spend,
    spend_key,
)
from shared.stores.messaging.gathering import gathered
from shared.stores.messaging.message_items import KEPT, SHARDS, quiet_shard, read, shard_of, written

Values = Mapping[str, str | int | Sequence[str]]

CLAIMED_FOR: Final = timedelta(minutes=5)
"""After this long a claim is taken for a crash between claiming and marking."""
MAX_VIOLATIONS: Final = 98
"""That one message can tell of: it, their markers and one more fit one transaction."""
TAKEN: Final = "taken"
"""Why a message could not be claimed, beside the caps: somebody else has it, or it is not due."""

TOLD_TOGETHER: Final = "told_together"
"""Why a message was dropped of a new follower whom the next day's message tells of."""

QUEUED: Final = "queued"
SAME_AS_RECENT: Final = "same_as_recent"
LIMIT: Final = "limit"


class Telling(NamedTuple):
    """A message, and the markers of what it tells (:func:`marker`)."""

    message: Message
    markers: Sequence[str]


Position = tuple[str, str]
"""Where a message stands among its citizen's: when it was created, and its id."""


class Messages:
    """The table through the port. unreadable: as :func:`shared.stores.items.readable` takes it."""

    def __init__(self, call: Call, table: str) -> None:
        self._call = call
        self._table = table

    def put(self, message: Message, at: datetime, *others: Json) -> bool:
        """Put a message to be sent now, together with what must happen with it: all or nothing.

        Returns False where it was put before, or the condition of another action said no.
        """
        return is_made(lambda: transact(self._call, [self.put_action(message, at), *others]))

    def put_answer(self, message: Message, who: str, at: datetime, most: int, answered: Json, *others: Json) -> str:
        """Put the answer to a look-up as :meth:`put` does, unless its citizen (``who``) has had ``most`` SMS today.

        answered: the action whose condition says no where the same answer went out just now. Returns QUEUED, or why
        nothing was done: SAME_AS_RECENT or LIMIT.
        """
        actions = [
            answered,
            check_citizen_cap(self._table, who, at, most),
            self.put_action(message, at),
            *others,
        ]
        try:
            transact(self._call, actions)
        except AwsError as error:
            if not error.condition_failed:
                raise
            refused = [reason.get("Code") == "ConditionalCheckFailed" for reason in error.reasons]
            return LIMIT if refused[1] and not refused[0] else SAME_AS_RECENT
        return QUEUED

    def put_action(self, message: Message, at: datetime) -> Json:
        """The action that puts a message, once, for a transaction of which it is part."""
        return {
            "Put": {
                "TableName": self._table,
                "Item": written(message, at),
                "ConditionExpression": "attribute_not_exists(pk)",
            }
        }

    def of_citizen(
        self, sub: str, limit: int, after: Position | None, unreadable: list[Exception] | None = None
    ) -> tuple[list[Message], Position | None]:
        """A citizen's messages, newest first, and the position to go on after; None at the end. One Query."""
        begin = pack({"sub": sub, "created_at": after[0], "pk": after[1]}) if after else None
        items, last = newest_of_citizen(self._call, self._table, sub, limit, begin)
        return [*readable(items, read, unreadable)], (last["created_at"]["S"], last["pk"]["S"]) if last else None

    def told(self, who: str, kind: MessageKind, violations: Iterable[str]) -> set[str]:
        """Return those violations of which the citizen has a message of this kind already."""
        markers = {marker(violation_no, who, kind): violation_no for violation_no in violations}
        return {markers[pk] for pk in self.marked(markers)}

    def sent_about(self, who: str, kind: MessageKind, violations: Iterable[str]) -> set[str]:
        """Return those violations that a message of this kind which was sent, or may have been, told the citizen of.

        A message tells only of those that its text still held for when it was sent.
        """
        return self.sent_under({marker(violation_no, who, kind): violation_no for violation_no in violations})

    def sent_under(self, markers: Mapping[str, str]) -> set[str]:
        """Return those violations, by their markers' keys, that a message told of as :meth:`sent_about` says."""
        keys: list[Item] = [{"pk": {"S": message_id}} for message_id in set(self.marked(markers).values())]
        out = [item for item in batch_get(self._call, self._table, keys) if item["status"]["S"] in OUT]
        return {each["S"] for item in out for each in item["said"]["L"]} & set(markers.values())

    def known(self, message_ids: Iterable[str]) -> set[str]:
        """Return which of these messages were put already."""
        keys: list[Item] = [{"pk": {"S": message_id}} for message_id in dict.fromkeys(message_ids)]
        return {item["pk"]["S"] for item in batch_get(self._call, self._table, keys)}

    def marked(self, markers: Iterable[str]) -> dict[str, str]:
        """Find which of these markers (:func:`marker`) stand already, each with its message's id."""
        keys: list[Item] = [{"pk": {"S": pk}} for pk in dict.fromkeys(markers)]
        return {item["pk"]["S"]: item["message_id"]["S"] for item in batch_get(self._call, self._table, keys)}

    def tell(self, tellings: Iterable[Telling], at: datetime) -> bool:
        """Put messages and the markers of what each tells, at most 100 together, all or nothing.

        Returns False where one stands already: somebody told of it meanwhile, so look again.
        """
        actions: list[Json] = []
        for message, markers in tellings:
            actions.append(self.put_action(message, at))
            actions += (
                {
                    "Put": {
                        "TableName": self._table,
                        "Item": pack({"pk": pk, "message_id": message.message_id, "expires": epoch(at + KEPT)}),
                        "ConditionExpression": "attribute_not_exists(pk)",
                    }
                }
                for pk in markers
            )
        return is_made(lambda: transact(self._call, actions))

    def due(self, at: datetime, most: int, *, held: bool = False) -> Iterator[str]:
        """The ids of messages that should have been sent by now, the oldest first, at most so many.

        held: with those that quiet hours held, which are over.
        """
        from heapq import merge  # the sweep alone needs it

        shards = [*map(str, range(SHARDS)), *(quiet_shard(shard) for shard in range(SHARDS) if held)]
        page = -(-most // len(shards))
        found = merge(*(self._due(shard, at, page) for shard in shards)) if most > 0 else ()
        return (message_id for _, message_id in islice(found, max(0, most)))

    def _due(self, shard: str, at: datetime, page: int) -> Iterator[tuple[str, str]]:
        """Since when each message of a shard is due, and its id, the oldest first, so many a Query."""
        request: Json = {
            "TableName": self._table,
            "IndexName": "Due",
            "KeyConditionExpression": "due = :shard AND not_before <= :now",
            "ExpressionAttributeValues": pack({":shard": shard, ":now": to_text(at)}),
            "Limit": page,
        }
        for answer in pages(self._call, "Query", request):
            for item in answer["Items"]:
                yield item["not_before"]["S"], item["pk"]["S"]

    def get(self, message_id: str) -> Message | None:
        """A message, consistently read. Raises KeyError, TypeError or ValueError for an item that is not one."""
        item = get_item(self._call, self._table, {"pk": {"S": message_id}})
        return read(item) if item else None

    # ------------------------------------------------------------------ before it is sent

    def hold(self, message_id: str, not_before: datetime) -> None:
        """Let a waiting message wait longer."""
        values = {":later": to_text(not_before), ":waiting": MessageStatus.WAITING}
        self._change(message_id, "SET not_before = :later", "#status = :waiting", values)

    def hold_quiet(self, message_id: str) -> None:
        """Let a waiting message wait until quiet hours are over, whenever that is."""
        values = {":quiet": quiet_shard(shard_of(message_id)), ":waiting": MessageStatus.WAITING}
        self._change(message_id, "SET due = :quiet", "#status = :waiting", values)

    def give_up(self, message_id: str, status: MessageStatus, reason: str, at: datetime) -> None:
        """End a waiting message that is not to be sent. reason: a code for why."""
        values = {":status": status, ":now": to_text(at), ":reason": reason, ":waiting": MessageStatus.WAITING}
        change = "SET #status = :status, ended_at = :now, reason = :reason REMOVE due"
        self._change(message_id, change, "#status = :waiting", values)

    def fold(self, message: Message, together: Message, at: datetime, later: datetime) -> bool:
        """Drop a waiting message of new followers, and let another tell of them and of others on a later day.

        Returns False where either is not waiting any more. One TransactWriteItems.
        """
        values = {
            ":status": MessageStatus.DROPPED,
            ":now": to_text(at),
            ":reason": TOLD_TOGETHER,
            ":waiting": MessageStatus.WAITING,
        }
        change = "SET #status = :status, ended_at = :now, reason = :reason REMOVE due"
        return self._change(
            message.message_id,
            change,
            "#status = :waiting",
            values,
            [gathered(self.put_action(together, later))],
        )

    def claim(self, message_id: str, reservation: Reservation, caps: Caps, said: Sequence[str] = ()) -> str | None:
        """Claim a waiting message for sending and reserve against the caps, all or nothing. One TransactWriteItems.

        said: the violations that its text names, where it was written only now.
        Returns None where the claim is given, else why not: taken, or the name of a cap. The message stays due, a while
        later, so that a claim that nobody ends is found. Where a share of the day's dollars is spent, one or two others
        are tried, a transaction each; the claim names the counter that its cost was added to.
        """
        for shard in caps.tried(message_id, reservation.attempt):
            refusal = self._claim(message_id, reservation, caps, shard, said)
            if refusal != SPEND_CAP:
                return refusal
        return SPEND_CAP

    def _claim(
        self, message_id: str, reservation: Reservation, caps: Caps, shard: int, said: Sequence[str]
    ) -> str | None:
        change = "SET #status = :sending, not_before = :later, due = :due, spent_on = :spent_on, spent = :spent"
        values: dict[str, str | int | Sequence[str]] = {
            ":due": str(shard_of(message_id)),
            ":spent_on": spend_key(reservation, shard),
            ":spent": reservation.cost,
            ":sending": MessageStatus.SENDING,
            ":waiting": MessageStatus.WAITING,
            ":now": to_text(reservation.at),
            ":later": to_text(reservation.at + CLAIMED_FOR),
            ":one": 1,
        }
        if said:
            change += ", said = :said, texts_version = :version"
            values |= {":said": said, ":version": VERSION}
        claim = self._update(
            message_id, f"{change} ADD attempts :one", "#status = :waiting AND not_before <= :now", values
        )
        actions = {TAKEN: {"Update": claim}, **reserve(self._table, reservation, caps, shard)}
        try:
            transact(self._call, list(actions.values()))
        except AwsError as error:
            if not error.condition_failed:
                raise
            codes = (reason.get("Code") for reason in error.reasons)
            return next(why for why, code in zip(actions, codes, strict=True) if code == "ConditionalCheckFailed")
        return None

    # ------------------------------------------------------------------ after it was claimed

    def abandon(self, message_id: str, at: datetime) -> bool:
        """Give up a claim that was never ended: whether the SMS went out is not known, so it is not sent again."""
        return self._change(
            message_id,
            "SET #status = :unknown, ended_at = :now REMOVE due",
            "#status = :sending AND not_before <= :now",
            {":unknown": MessageStatus.UNKNOWN, ":sending": MessageStatus.SENDING, ":now": to_text(at)},
        )

    def sent(self, message_id: str, provider: str, provider_id: str | None, at: datetime) -> None:
        """Say that a provider took a claimed message, under which id of its own."""
        values = {
            ":status": MessageStatus.SENT,
            ":now": to_text(at),
            ":sending": MessageStatus.SENDING,
            ":provider": provider,
        }
        change = "SET #status = :status, ended_at = :now, provider = :provider"
        if provider_id:
            change += ", provider_id = :id"
            values[":id"] = provider_id
        self._change(message_id, change + " REMOVE due", "#status = :sending", values)

    def end(
        self, message_id: str, status: MessageStatus, reason: str, at: datetime, unused: Reservation | None = None
    ) -> None:
        """Say how a claimed message ended that was not sent, or may not have been. unused: is released."""
        values = {":status": status, ":now": to_text(at), ":reason": reason, ":sending": MessageStatus.SENDING}
        change = "SET #status = :status, ended_at = :now, reason = :reason REMOVE due"
        self._change(message_id, change, "#status = :sending", values, self._released(message_id, unused))

    def retry_later(self, message_id: str, not_before: datetime, unused: Reservation) -> None:
        """Put a claimed message back, to be sent later."""
        values = {":waiting": MessageStatus.WAITING, ":later": to_text(not_before), ":sending": MessageStatus.SENDING}
        self._change(
            message_id,
            "SET #status = :waiting, not_before = :later",
            "#status = :sending",
            values,
            self._released(message_id, unused),
        )

    def _released(self, message_id: str, unused: Reservation | None) -> list[Json]:
        """The actions that give back what a claim reserved, to the counter that it names."""
        item = get_item(self._call, self._table, {"pk": {"S": message_id}}) if unused else None
        return release(self._table, unused, item["spent_on"]["S"]) if unused and item and "spent_on" in item else []

    def report(
        self, provider_id: str, status: MessageStatus, reason: str | None, at: datetime, price: int | None = None
    ) -> bool:
        """Say what a provider reports of a message it took. Only what is ``sent`` changes; what is final stays.

        price: what it cost, in millionths of a dollar, where that is told; the day that it counts for is put right.
        Returns False where no message has that id. One Query of the index, one GetItem, one write.
        """
        request: Json = {
            "TableName": self._table,
            "IndexName": "ByProviderId",
            "KeyConditionExpression": "provider_id = :id",
            "ExpressionAttributeValues": pack({":id": provider_id}),
        }
        items = self._call("dynamodb", "Query", request)["Items"]
        values = {":status": status, ":now": to_text(at), ":sent": MessageStatus.SENT}
        change = "SET #status = :status, reported_at = :now"
        if reason:
            change += ", reason = :reason"
            values[":reason"] = reason
        for key in items:
            message_id = key["pk"]["S"]
            correction = None if price is None else self._correction(message_id, price, at)
            self._change(message_id, change, "#status = :sent", values, [correction] if correction else ())
        return bool(items)

    def _correction(self, message_id: str, price: int, at: datetime) -> Json | None:
        """The action that makes what was reserved for a message what it cost."""
        item = get_item(self._call, self._table, {"pk": {"S": message_id}})
        if not item or "spent_on" not in item or price == int(item["spent"]["N"]):
            return None
        difference = price - int(item["spent"]["N"])
        return spend(self._table, item["spent_on"]["S"], item["kind"]["S"], difference, at)

    def _change(
        self,
        message_id: str,
        change: str,
        condition: str,
        values: Values,
        others: Sequence[Json] = (),
    ) -> bool:
        """Change a message under a condition; the other actions happen with it or not at all."""
        update = self._update(message_id, change, condition, values)
        if others:
            return is_made(lambda: transact(self._call, [{"Update": update}, *others]))
        return is_made(lambda: self._call("dynamodb", "UpdateItem", update))

    def _update(self, message_id: str, change: str, condition: str, values: Values) -> Json:
        return {
            "TableName": self._table,
            "Key": {"pk": {"S": message_id}},
            "UpdateExpression": change,
            "ConditionExpression": condition,
            "ExpressionAttributeNames": {"#status": "status"},
            "ExpressionAttributeValues": pack(values),
        }


def marker(violation_no: str, who: str, kind: str) -> str:
    """Return the key of the marker that a citizen has been told something of a violation.

    who: :attr:`Follower.told_as`.
    """
    return f"TOLD#{violation_no}#{who}#{kind}"
