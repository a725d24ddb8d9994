"""The Messages table: one item an SMS, and the markers of what each citizen has been told.

``pk=<message id>``; markers ``pk=TOLD#<violation>#<sub>#<kind>`` hold the message's id. Sparse index ``Due``: shard and
``not_before`` of what is still to be sent. Index ``ByCitizen``: a citizen's messages by when they were created.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from zlib import crc32

from shared.aws_json import AwsError, Call, Json
from shared.domain.message import SENDING, SENT, UNKNOWN, WAITING
from shared.domain.sms_texts import VERSION
from shared.domain.time import to_text
from shared.stores.items import Item, batch_get, number, pack, text, transact

SHARDS: Final = 4
KEPT: Final = timedelta(days=400)
CLAIMED_FOR: Final = timedelta(minutes=5)
"""After this long a claim is taken for a crash between claiming and marking."""
MOST_VIOLATIONS: Final = 98
"""That one message can tell of: it and their markers fit one transaction."""


OUT: Final = frozenset({SENDING, SENT, UNKNOWN})
"""States of a message that has reached its citizen, or may have."""

Position = tuple[str, str]
"""Where a message stands among its citizen's: when it was created, and its id."""


class Message(NamedTuple):
    """An SMS. Either its text stands already, or it tells of violations and is written when it is sent."""

    message_id: str
    sub: str
    kind: str
    created_at: str
    phone: str | None = None
    language: str = "ar"
    text: str | None = None
    plate_key: str | None = None
    violations: tuple[str, ...] = ()
    status: str = WAITING
    attempts: int = 0


class Messages:
    """The table through the port."""

    def __init__(self, call: Call, table: str) -> None:
        self._call = call
        self._table = table

    def put(self, message: Message, at: datetime, *others: Json) -> bool:
        """Put a message to be sent now, together with what must happen with it: all or nothing.

        Returns False where it was put before, or the condition of another action said no.
        """
        try:
            transact(self._call, [self.put_action(message, at), *others])
        except AwsError as error:
            if not error.condition_failed:
                raise
            return False
        return True

    def put_action(self, message: Message, at: datetime) -> Json:
        """The action that puts a message, once, for a transaction of which it is part."""
        item = pack(
            {
                "pk": message.message_id,
                "sub": message.sub,
                "kind": message.kind,
                "created_at": message.created_at,
                "phone": message.phone,
                "language": message.language,
                "text": message.text,
                "texts_version": VERSION,
                "plate": message.plate_key,
                "violations": message.violations,
                "status": message.status,
                "due": str(crc32(message.message_id.encode()) % SHARDS),
                "not_before": to_text(at),
                "expires": int((at + KEPT).timestamp()),
            }
        )
        return {"Put": {"TableName": self._table, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}}

    def of_citizen(self, sub: str, limit: int, after: Position | None) -> tuple[list[Message], Position | None]:
        """A citizen's messages, newest first, and the position to go on after; None at the end. One Query."""
        request: Json = {
            "TableName": self._table,
            "IndexName": "ByCitizen",
            "KeyConditionExpression": "#sub = :sub",
            "ExpressionAttributeNames": {"#sub": "sub"},
            "ExpressionAttributeValues": pack({":sub": sub}),
            "ScanIndexForward": False,
            "Limit": limit,
        }
        if after:
            request["ExclusiveStartKey"] = pack({"sub": sub, "created_at": after[0], "pk": after[1]})
        page = self._call("dynamodb", "Query", request)
        last = page.get("LastEvaluatedKey")
        return [_read(item) for item in page["Items"]], (last["created_at"]["S"], last["pk"]["S"]) if last else None

    def told(self, sub: str, kind: str, violations: Sequence[str]) -> set[str]:
        """Of which of these violations the citizen has a message of this kind already."""
        return set(self._told_by(sub, kind, violations))

    def heard(self, sub: str, kind: str, violations: Sequence[str]) -> set[str]:
        """Of which of these violations a message of this kind has gone out to the citizen, or may have."""
        told_by = self._told_by(sub, kind, violations)
        keys: list[Item] = [{"pk": {"S": message_id}} for message_id in set(told_by.values())]
        out = {item["pk"]["S"] for item in batch_get(self._call, self._table, keys) if item["status"]["S"] in OUT}
        return {violation_no for violation_no, message_id in told_by.items() if message_id in out}

    def _told_by(self, sub: str, kind: str, violations: Sequence[str]) -> dict[str, str]:
        """The message that tells of each of these violations, where there is one."""
        markers = {_marker(violation_no, sub, kind): violation_no for violation_no in violations}
        items = batch_get(self._call, self._table, [{"pk": {"S": marker}} for marker in markers])
        return {markers[item["pk"]["S"]]: item["message_id"]["S"] for item in items}

    def tell(self, message: Message, at: datetime) -> bool:
        """Put a message and the markers of the violations it tells of, all or nothing.

        Returns False where a marker stands already: somebody told of it meanwhile, so look again.
        """
        expires = int((at + KEPT).timestamp())
        markers: list[Json] = [
            {
                "Put": {
                    "TableName": self._table,
                    "Item": pack(
                        {
                            "pk": _marker(violation_no, message.sub, message.kind),
                            "message_id": message.message_id,
                            "expires": expires,
                        }
                    ),
                    "ConditionExpression": "attribute_not_exists(pk)",
                }
            }
            for violation_no in message.violations
        ]
        return self.put(message, at, *markers)

    def due(self, at: datetime) -> Iterator[str]:
        """The ids of all messages that should have been sent by now, oldest first in each shard."""
        for shard in range(SHARDS):
            request: Json = {
                "TableName": self._table,
                "IndexName": "Due",
                "KeyConditionExpression": "due = :shard AND not_before <= :now",
                "ExpressionAttributeValues": pack({":shard": str(shard), ":now": to_text(at)}),
            }
            while True:
                page = self._call("dynamodb", "Query", request)
                for item in page["Items"]:
                    yield item["pk"]["S"]
                if not page.get("LastEvaluatedKey"):
                    break
                request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def claim(self, message_id: str, claim_id: str, at: datetime) -> Message | None:
        """Take a waiting message for sending, so that nobody else does; None where it is not to be had.

        claim_id: the taker's own, so that a claim sent again after a broken connection knows itself. The message stays
        due, a while later, so that a claim that nobody ends is found.
        """
        return self._change(
            message_id,
            "SET #status = :sending, not_before = :later, claimed_by = :claim ADD attempts :one",
            "(#status = :waiting AND not_before <= :now) OR (#status = :sending AND claimed_by = :claim)",
            {
                ":sending": SENDING,
                ":waiting": WAITING,
                ":now": to_text(at),
                ":later": to_text(at + CLAIMED_FOR),
                ":claim": claim_id,
                ":one": 1,
            },
        )

    def abandon(self, message_id: str, at: datetime) -> Message | None:
        """Give up a claim that was never ended: whether the SMS went out is not known, so it is not sent again."""
        return self._change(
            message_id,
            "SET #status = :unknown, ended_at = :now REMOVE due",
            "#status = :sending AND not_before <= :now",
            {":unknown": UNKNOWN, ":sending": SENDING, ":now": to_text(at)},
        )

    def end(
        self, message_id: str, status: str, at: datetime, *, reason: str | None = None, provider_id: str | None = None
    ) -> None:
        """Say how a claimed message ended. reason: a code for why it was not sent."""
        values = {":status": status, ":now": to_text(at), ":sending": SENDING}
        change = "SET #status = :status, ended_at = :now"
        if reason:
            change += ", reason = :reason"
            values[":reason"] = reason
        if provider_id:
            change += ", provider_id = :provider"
            values[":provider"] = provider_id
        self._change(message_id, change + " REMOVE due", "#status = :sending", values)

    def retry_later(self, message_id: str, not_before: datetime) -> None:
        """Put a claimed message back, to be sent later."""
        values = {":waiting": WAITING, ":later": to_text(not_before), ":sending": SENDING}
        self._change(message_id, "SET #status = :waiting, not_before = :later", "#status = :sending", values)

    def _change(self, message_id: str, change: str, condition: str, values: Mapping[str, str | int]) -> Message | None:
        try:
            answer = self._call(
                "dynamodb",
                "UpdateItem",
                {
                    "TableName": self._table,
                    "Key": {"pk": {"S": message_id}},
                    "UpdateExpression": change,
                    "ConditionExpression": condition,
                    "ExpressionAttributeNames": {"#status": "status"},
                    "ExpressionAttributeValues": pack(values),
                    "ReturnValues": "ALL_NEW",
                },
            )
        except AwsError as error:
            if not error.condition_failed:
                raise
            return None
        return _read(answer["Attributes"])


def _read(item: Item) -> Message:
    return Message(
        message_id=item["pk"]["S"],
        sub=item["sub"]["S"],
        kind=item["kind"]["S"],
        created_at=item["created_at"]["S"],
        phone=text(item, "phone"),
        language=item["language"]["S"],
        text=text(item, "text"),
        plate_key=text(item, "plate"),
        violations=tuple(value["S"] for value in item.get("violations", {}).get("L", [])),
        status=item["status"]["S"],
        attempts=number(item, "attempts") or 0,
    )


def _marker(violation_no: str, sub: str, kind: str) -> str:
    return f"TOLD#{violation_no}#{sub}#{kind}"
