"""The Payments table: payments with their frozen quotes, trails and receipts, and the keys of idempotent starts.

Keys: ``pk=<payment id>`` with ``sk`` = ``PAYMENT`` or ``EVENT#<instant>#<what>``; ``pk=KEY#<sub>#<key>``;
``pk=RECEIPT#<receipt no>``. Sparse index ``Live``: shard and ``created_at`` of payments still to be asked about.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from zlib import crc32

from shared.aws_json import AwsError, Call, Json
from shared.domain.payment import CREATED, LIVE, TRANSITIONS, Line, Payment
from shared.domain.time import to_text
from shared.stores.items import Item, pack, text, transact
from shared.stores.rows import pack_rows, read_rows

SHARDS: Final = 4
KEY_KEPT: Final = timedelta(hours=24)


class Receipt(NamedTuple):
    """What a receipt number stands for. amount in dinars."""

    receipt_no: str
    payment_id: str
    amount: int
    paid_at: str


class KeyUse(NamedTuple):
    """What an Idempotency-Key was used for: a digest of the request, and the payment that it made."""

    request: str
    payment_id: str


class Payments:
    """The table through the port."""

    def __init__(self, call: Call, table: str) -> None:
        self._call = call
        self._table = table

    def create(self, payment: Payment, key: str, request: str, holds: Sequence[Json], at: datetime) -> list[int] | None:
        """Put a payment, the use of its key, and the holds on its violations: all or nothing.

        Returns None when done; else the positions in ``holds`` whose condition said no, empty where it was the key's.
        """
        item = _item(payment)
        item["live"] = {"S": str(crc32(payment.payment_id.encode()) % SHARDS)}
        used = {
            **_key(f"KEY#{payment.sub}#{key}", "KEY"),
            **pack({"request": request, "payment_id": payment.payment_id, "expires": int((at + KEY_KEPT).timestamp())}),
        }
        actions = [
            {
                "Put": {
                    "TableName": self._table,
                    "Item": used,
                    "ConditionExpression": "attribute_not_exists(pk) OR expires <= :now",
                    "ExpressionAttributeValues": pack({":now": int(at.timestamp())}),
                }
            },
            {"Put": {"TableName": self._table, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}},
            self._event(payment.payment_id, CREATED, at),
        ]
        try:
            transact(self._call, [*actions, *holds])
        except AwsError as error:
            if not error.condition_failed:
                raise
            failed = [i for i, reason in enumerate(error.reasons) if reason.get("Code") == "ConditionalCheckFailed"]
            return [] if 0 in failed else [index - len(actions) for index in failed]
        return None

    def key_use(self, sub: str, key: str, at: datetime) -> KeyUse | None:
        """What a citizen used a key for in the last 24 h, or None."""
        item = self._get(f"KEY#{sub}#{key}", "KEY")
        if item is None or int(item["expires"]["N"]) <= at.timestamp():
            return None
        return KeyUse(item["request"]["S"], item["payment_id"]["S"])

    def get(self, payment_id: str) -> Payment | None:
        """A payment, consistently read, or None."""
        item = self._get(payment_id, "PAYMENT")
        return _read(item) if item else None

    def ordered(self, payment_id: str, status: str, gateway_id: str, redirect_url: str, at: datetime) -> bool:
        """The gateway took the order. Returns False where the payment has moved on meanwhile: that stands."""
        change = self._transition(payment_id, (CREATED,), status, at, gateway_id=gateway_id, redirect_url=redirect_url)
        return self._transact([change, self._event(payment_id, status, at)])

    def end(
        self, payment: Payment, status: str, at: datetime, others: Sequence[Json], *, reason: str | None = None
    ) -> bool:
        """A payment ends together with what becomes of its violations. Returns False where a condition said no.

        status: where the table of transitions leads from a live state. others: releases or settlements, the receipt's
        message. reason: a code, for the trail.
        """
        causes = tuple(state for state, following in TRANSITIONS.items() if status in following)
        change = self._transition(
            payment.payment_id,
            causes,
            status,
            at,
            paid_at=payment.paid_at,
            receipt_no=payment.receipt_no,
            reason=reason,
        )
        return self._transact([change, self._event(payment.payment_id, status, at, reason), *others])

    def receipt_action(self, receipt: Receipt) -> Json:
        """The action that makes a receipt number known."""
        item = {
            **_key(f"RECEIPT#{receipt.receipt_no}", "RECEIPT"),
            **pack({"payment_id": receipt.payment_id, "amount": receipt.amount, "paid_at": receipt.paid_at}),
        }
        return {"Put": {"TableName": self._table, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}}

    def receipt(self, receipt_no: str) -> Receipt | None:
        """A receipt by its number, or None."""
        item = self._get(f"RECEIPT#{receipt_no}", "RECEIPT")
        if item is None:
            return None
        return Receipt(receipt_no, item["payment_id"]["S"], int(item["amount"]["N"]), item["paid_at"]["S"])

    def note(self, payment_id: str, what: str, at: datetime) -> None:
        """Keep in a payment's trail that something came or happened."""
        self._call("dynamodb", "PutItem", self._event(payment_id, what, at)["Put"])

    def live(self, before: datetime) -> Iterator[str]:
        """The ids of payments made before an instant that may still end either way."""
        for shard in range(SHARDS):
            request: Json = {
                "TableName": self._table,
                "IndexName": "Live",
                "KeyConditionExpression": "live = :shard AND created_at < :before",
                "ExpressionAttributeValues": pack({":shard": str(shard), ":before": to_text(before)}),
            }
            while True:
                page = self._call("dynamodb", "Query", request)
                for item in page["Items"]:
                    yield item["pk"]["S"]
                if not page.get("LastEvaluatedKey"):
                    break
                request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _transition(
        self, payment_id: str, causes: tuple[str, ...], status: str, at: datetime, **values: str | None
    ) -> Json:
        """The action that moves a payment to a status from any of the states that may lead there."""
        new = pack({"status": status, "changed_at": to_text(at), **values})
        change = "SET " + ", ".join(f"#{name} = :{name}" for name in new)
        states = {f":from{index}": {"S": state} for index, state in enumerate(causes)}
        return {
            "Update": {
                "TableName": self._table,
                "Key": _key(payment_id, "PAYMENT"),
                "UpdateExpression": change if status in LIVE else f"{change} REMOVE live",
                "ConditionExpression": f"#status IN ({', '.join(states)})",
                "ExpressionAttributeNames": {f"#{name}": name for name in new},
                "ExpressionAttributeValues": {**{f":{name}": value for name, value in new.items()}, **states},
            }
        }

    def _event(self, payment_id: str, what: str, at: datetime, reason: str | None = None) -> Json:
        # The tail keeps two events of one second apart.
        item = {
            **_key(payment_id, f"EVENT#{to_text(at)}#{what}#{secrets.token_hex(4)}"),
            **pack({"what": what, "at": to_text(at), "reason": reason}),
        }
        return {"Put": {"TableName": self._table, "Item": item}}

    def _transact(self, actions: Sequence[Json]) -> bool:
        try:
            transact(self._call, actions)
        except AwsError as error:
            if not error.condition_failed:
                raise
            return False
        return True

    def _get(self, pk: str, sk: str) -> Item | None:
        request = {"TableName": self._table, "Key": _key(pk, sk), "ConsistentRead": True}
        item: Item | None = self._call("dynamodb", "GetItem", request).get("Item")
        return item


def _key(pk: str, sk: str) -> Item:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def _item(payment: Payment) -> Item:
    values = payment._asdict()
    del values["payment_id"], values["lines"]
    return {**_key(payment.payment_id, "PAYMENT"), **pack(values), "lines": pack_rows(payment.lines)}


def _read(item: Item) -> Payment:
    return Payment(
        payment_id=item["pk"]["S"],
        sub=item["sub"]["S"],
        gateway=item["gateway"]["S"],
        status=item["status"]["S"],
        lines=tuple(Line(*row) for row in read_rows(item["lines"])),
        amount=int(item["amount"]["N"]),
        created_at=item["created_at"]["S"],
        expires_at=item["expires_at"]["S"],
        return_url=item["return_url"]["S"],
        phone=text(item, "phone"),
        language=item["language"]["S"],
        gateway_id=text(item, "gateway_id"),
        redirect_url=text(item, "redirect_url"),
        paid_at=text(item, "paid_at"),
        receipt_no=text(item, "receipt_no"),
    )
