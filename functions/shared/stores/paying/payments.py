"""The Payments table: payments with their frozen quotes, trails and receipts, and the keys of idempotent starts.

Keys: ``pk=<payment id>`` with ``sk`` = ``PAYMENT``, ``EVENT#<instant>#<what>``, ``CALLBACK#<event>``, ``WAYS`` or
``RETURN#<n>`` (:mod:`shared.stores.paying.returns`); ``pk=KEY#<digest of sub and key>``; ``pk=LIVE#<sub>``: which of a
citizen's payments are live, or that the citizen is being erased; ``pk=ORDER#<gateway>#<its id>``: whose order it is;
``pk=RECEIPT#<receipt no>``. Indexes: ``Unfinished`` (sparse; what somebody still has to do with a payment, in shards,
by ``created_at``), ``ByCitizen``, ``ByDay`` (of its making).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from shared.aws_json import AwsError, Call, Json
from shared.domain.citizen import ErasingError
from shared.domain.payment import LIVE, Payment, PaymentStatus, Receipt, WaysToPay, may_change
from shared.domain.text import digest
from shared.domain.time import to_text
from shared.stores.items import (
    Item,
    batch_get,
    epoch,
    get_item,
    is_made,
    item_key,
    newest_of_citizen,
    pack,
    pages,
    readable,
    text,
    transact,
)
from shared.stores.kept_lines import keep_payment
from shared.stores.paying.payment_items import (
    SHARDS,
    KeyUse,
    Refusal,
    attributes,
    item_of,
    key_of_use,
    live_key,
    read,
    read_ways,
    unfinished_shard,
    ways_item,
    ways_key,
)
from shared.stores.paying.starts import Today, joining, leaving, today_of

KEY_KEPT: Final = timedelta(hours=24)
MAX_STARTED: Final = 10
"""Payments that a citizen may begin in a day."""
CREATE_ACTIONS: Final = 4
"""What making a payment writes in one transaction beside the actions that are given along."""

_DECIDED_ON: Final = ("received", "money_returned", "money_kept", "returns", "given_back")
"""What a gateway may say anew, or another give back, while an operator decides: a change is made only of what was read.
"""

Position = tuple[str, str]
"""Where a payment stands among its citizen's: when it was created, and its id."""


class Payments:
    """The table through the port. is_kept: each change of money is kept in the log; an operator's is, as an action."""

    def __init__(self, call: Call, table: str, *, is_kept: bool = True) -> None:
        self._call = call
        self._table = table
        self._is_kept = is_kept

    # ------------------------------------------------------------------ changes

    def create(
        self,
        payment: Payment,
        key: str,
        request: str,
        most_live: int,
        others: Sequence[Json],
        at: datetime,
        *,
        most_started: int = MAX_STARTED,
        today: Today = Today(),  # noqa: B008 (a value)
    ) -> Refusal | None:
        """Put a payment, the use of its key, its place among the citizen's live ones, and what goes along: all or none.

        most_started: payments that its citizen may begin in a day. today: what they had begun, as it was read. Returns
        None when done. Raises ErasingError.
        """
        used = {
            **key_of_use(payment.sub, key),
            **pack({"request": request, "payment_id": payment.payment_id, "expires": epoch(at + KEY_KEPT)}),
        }
        put_key = self._put(used, "attribute_not_exists(pk) OR expires <= :now", {":now": epoch(at)})
        put_payment = self._put(item_of(payment), "attribute_not_exists(pk)")
        own, event = [put_key, put_payment], self._event(payment.payment_id, PaymentStatus.CREATED, at)
        joined = self._live(payment, joining(payment, today, at, most_live, most_started))
        refusal, found = self._transact(own, joined, event, others)
        if refusal is None and self._is_kept:
            keep_payment(payment, PaymentStatus.CREATED, at)
        if refusal is None or not refusal.full:
            return refusal
        known = today_of(found)
        if len(found.get("payments", {}).get("SS", ())) >= most_live:
            return refusal
        if known.day == today.day:
            return refusal._replace(full=False, used_up=True)
        return self.create(
            payment, key, request, most_live, others, at, most_started=most_started, today=known
        )  # another day than was read

    def change(
        self,
        before: Payment,
        after: Payment,
        at: datetime,
        others: Sequence[Json] = (),
        *,
        what: str | None = None,
        correction: str | None = None,
    ) -> Refusal | None:
        """Change a payment, if it still stands as it was read, together with what must happen with it.

        A change of status must be one of the table's or of the named correction; ValueError else. what: the event's
        name in the trail, the new status unless given. Returns None when done.
        """
        if before.status != after.status and not may_change(before.status, after.status, correction):
            raise ValueError(f"no way from {before.status} to {after.status}")
        details = {"before": before.status, "reason": after.reason, "correction": correction}
        event = self._event(before.payment_id, what or after.status, at, **details)
        left = before.status in LIVE and after.status not in LIVE
        leaves = self._live(before, leaving(before, after)) if left else None
        refusal = self._transact([self._update(before, after, at)], leaves, event, others)[0]
        if refusal is None and self._is_kept:
            keep_payment(after, what or after.status, at)
        return refusal

    def bind_action(self, payment: Payment, gateway_id: str) -> Json:
        """The action that makes a gateway's order this payment's and no other's."""
        item = {
            **item_key(f"ORDER#{payment.gateway}#{gateway_id}", "ORDER"),
            **pack({"payment_id": payment.payment_id}),
        }
        return self._put(item, "attribute_not_exists(pk) OR payment_id = :payment", {":payment": payment.payment_id})

    def receipt_action(self, receipt: Receipt) -> Json:
        """The action that makes a receipt number known."""
        item = {
            **item_key(f"RECEIPT#{receipt.receipt_no}", "RECEIPT"),
            **pack({"payment_id": receipt.payment_id, "amount": receipt.amount, "paid_at": receipt.paid_at}),
        }
        return self._put(item, "attribute_not_exists(pk)")

    def correct_receipt_action(self, payment: Payment, at: datetime) -> Json:
        """The action after which a settled payment's receipt says what the payment does now.

        That is: how much is settled, or that nothing is any more; and since when money is back that nobody has decided
        about.
        """
        since = payment.money_returned_since if payment.is_money_returned else None
        said = {"amount": payment.settled} if payment.settled else {"void_since": to_text(at)}
        values = pack({**said, "money_returned_since": since})
        removes = "" if since else " REMOVE money_returned_since"
        return {
            "Update": {
                "TableName": self._table,
                "Key": item_key(f"RECEIPT#{payment.receipt_no}", "RECEIPT"),
                "UpdateExpression": "SET " + ", ".join(f"{name} = :{name}" for name in values) + removes,
                "ConditionExpression": "attribute_exists(pk)",
                "ExpressionAttributeValues": {f":{name}": value for name, value in values.items()},
            }
        }

    def put_ways(self, payment_id: str, ways: WaysToPay, at: datetime) -> None:
        """Keep for a day how else a payment can be paid than on its page. One PutItem."""
        item = ways_item(payment_id, ways, at + KEY_KEPT)
        self._call("dynamodb", "PutItem", {"TableName": self._table, "Item": item})

    def record_callback(self, payment_id: str, event: str, at: datetime) -> bool:
        """Record a gateway's callback, once however often it comes. Returns whether it is new."""
        item = {**item_key(payment_id, f"CALLBACK#{digest(event)}"), **pack({"event": event, "at": to_text(at)})}
        put = self._put(item, "attribute_not_exists(pk)")["Put"]
        return is_made(lambda: self._call("dynamodb", "PutItem", put))

    # ------------------------------------------------------------------ reading

    def get(self, payment_id: str) -> Payment | None:
        """A payment, consistently read, or None."""
        item = self._get(payment_id, "PAYMENT")
        return read(item) if item else None

    def several(self, payment_ids: Iterable[str], unreadable: list[Exception] | None = None) -> dict[str, Payment]:
        """Payments by id, consistently read, of those that there are. One BatchGetItem for a hundred.

        unreadable: as :func:`shared.stores.items.readable` takes it.
        """
        keys = [item_key(payment_id, "PAYMENT") for payment_id in dict.fromkeys(payment_ids)]
        found = readable(batch_get(self._call, self._table, keys), read, unreadable)
        return {payment.payment_id: payment for payment in found}

    def own(self, sub: str, payment_id: str) -> Payment | None:
        """A citizen's own payment, or None. One BatchGetItem. Raises ErasingError."""
        item = self._unless_erasing(sub, [item_key(payment_id, "PAYMENT")]).get(payment_id)
        payment = read(item) if item else None
        return payment if payment and payment.sub == sub else None

    def ways(self, payment_ids: Sequence[str]) -> dict[str, WaysToPay]:
        """How else these payments can be paid than on their pages, by id, of those that can. One BatchGetItem."""
        items = batch_get(self._call, self._table, [ways_key(payment_id) for payment_id in payment_ids])
        return {item["pk"]["S"]: read_ways(item) for item in items}

    def begun(self, sub: str, key: str, at: datetime) -> tuple[KeyUse | None, Today]:
        """What a citizen used a key for in the last 24 h, or None, and what they began today. One BatchGetItem.

        Raises ErasingError.
        """
        of_use = key_of_use(sub, key)
        items = {item["pk"]["S"]: item for item in batch_get(self._call, self._table, [of_use, live_key(sub)])}
        live, item = items.get(f"LIVE#{sub}", {}), items.get(of_use["pk"]["S"])
        if "erasing" in live:
            raise ErasingError
        if item is None or int(item["expires"]["N"]) <= at.timestamp():
            return None, today_of(live)
        return KeyUse(item["request"]["S"], item["payment_id"]["S"]), today_of(live)

    def of_order(self, gateway: str, gateway_id: str) -> str | None:
        """The id of the payment that a gateway's order belongs to, or None."""
        item = self._get(f"ORDER#{gateway}#{gateway_id}", "ORDER")
        return item["payment_id"]["S"] if item else None

    def receipt(self, receipt_no: str) -> Receipt | None:
        """A receipt by its number, or None."""
        item = self._get(f"RECEIPT#{receipt_no}", "RECEIPT")
        if item is None:
            return None
        return Receipt(
            receipt_no,
            item["payment_id"]["S"],
            int(item["amount"]["N"]),
            item["paid_at"]["S"],
            text(item, "void_since"),
            text(item, "money_returned_since"),
        )

    def unfinished(self, kind: str, before: datetime) -> Iterator[str]:
        """The ids of payments made before an instant that wait for something.

        kind: TO_ASK, REFUND_DUE, REVIEW or MOVED; of WANTED, the keys of what is wanted.
        """
        for shard in range(SHARDS):
            yield from self._query(
                "Unfinished",
                "unfinished = :kind AND created_at < :before",
                {":kind": f"{kind}#{shard}", ":before": to_text(before)},
            )

    def of_day(self, day: str) -> Iterator[str]:
        """The ids of payments made on a day (ISO, Baghdad), oldest first."""
        return self._query("ByDay", "#day = :day", {":day": day}, {"#day": "day"})

    def page_of_day(self, day: str, limit: int, after: Position | None) -> tuple[list[str], Position | None]:
        """The ids of the next payments made on a day, and the position to go on after; None at the day's end."""
        request: Json = {
            "TableName": self._table,
            "IndexName": "ByDay",
            "KeyConditionExpression": "#day = :day",
            "ExpressionAttributeNames": {"#day": "day"},
            "ExpressionAttributeValues": pack({":day": day}),
            "Limit": limit,
        }
        if after:
            begin = {**item_key(after[1], "PAYMENT"), **pack({"day": day, "created_at": after[0]})}
            request["ExclusiveStartKey"] = begin
        answer = self._call("dynamodb", "Query", request)
        last = answer.get("LastEvaluatedKey")
        position = (last["created_at"]["S"], last["pk"]["S"]) if last else None
        return [item["pk"]["S"] for item in answer["Items"]], position

    def of_citizen(
        self, sub: str, limit: int, after: Position | None, unreadable: list[Exception] | None = None
    ) -> tuple[list[Payment], Position | None]:
        """A citizen's payments, newest first, and the position to go on after; None at the end. Two calls.

        unreadable: as :func:`shared.stores.items.readable` takes it. Raises ErasingError.
        """
        begin = {**item_key(after[1], "PAYMENT"), **pack({"sub": sub, "created_at": after[0]})} if after else None
        items, last = newest_of_citizen(self._call, self._table, sub, limit, begin)
        keys = [item_key(item["pk"]["S"], "PAYMENT") for item in items]
        whole = self._unless_erasing(sub, keys).values()
        found = {payment.payment_id: payment for payment in readable(whole, read, unreadable)}
        position = (last["created_at"]["S"], last["pk"]["S"]) if last else None
        return [found[key["pk"]["S"]] for key in keys if key["pk"]["S"] in found], position

    def _unless_erasing(self, sub: str, keys: Sequence[Item]) -> dict[str, Item]:
        """The items that exist of these keys, by ``pk``. Raises ErasingError."""
        items = {item["pk"]["S"]: item for item in batch_get(self._call, self._table, [*keys, live_key(sub)])}
        if "erasing" in items.pop(f"LIVE#{sub}", ()):
            raise ErasingError
        return items

    # ------------------------------------------------------------------ expressions

    def _update(self, before: Payment, after: Payment, at: datetime) -> Json:
        new = {name: value for name, value in after._asdict().items() if value != getattr(before, name)}
        new |= {"status": after.status, "changed_at": to_text(at), "unfinished": unfinished_shard(after)}
        values = attributes(new)
        gone = [name for name in new if name not in values]
        removes = " REMOVE " + ", ".join(f"#{name}" for name in gone) if gone else ""
        condition = "#status = :before"
        for name in _DECIDED_ON:
            none = "" if getattr(before, name) else f" OR attribute_not_exists(#{name})"
            condition += f" AND (#{name} = :{name}_read{none})"
        if "gateway_id" in new:
            condition += " AND (attribute_not_exists(#gateway_id) OR #gateway_id = :gateway_id)"
        return {
            "Update": {
                "TableName": self._table,
                "Key": item_key(before.payment_id, "PAYMENT"),
                "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in values) + removes,
                "ConditionExpression": condition,
                "ExpressionAttributeNames": {f"#{name}": name for name in (*new, *_DECIDED_ON)},
                "ExpressionAttributeValues": {
                    **{f":{name}": value for name, value in values.items()},
                    **pack({f":{name}_read": getattr(before, name) for name in _DECIDED_ON}),
                    ":before": {"S": before.status},
                },
            }
        }

    def _live(self, payment: Payment, update: Json) -> Json:
        return {"Update": {"TableName": self._table, "Key": live_key(payment.sub), **update}}

    def _event(self, payment_id: str, what: str, at: datetime, **details: str | None) -> Json:
        # The tail keeps two events of one second apart.
        item = {
            **item_key(payment_id, f"EVENT#{to_text(at)}#{what}#{secrets.token_hex(4)}"),
            **pack({"what": what, "at": to_text(at), **details}),
        }
        return {"Put": {"TableName": self._table, "Item": item}}

    def _put(self, item: Item, condition: str, values: dict[str, str | int] | None = None) -> Json:
        put: Json = {"TableName": self._table, "Item": item, "ConditionExpression": condition}
        if values:
            put["ExpressionAttributeValues"] = pack(values)
        return {"Put": put}

    def _transact(
        self, own: list[Json], live: Json | None, event: Json, others: Sequence[Json]
    ) -> tuple[Refusal | None, Item]:
        """Make it; else say why not, with the item of the citizen's live payments where its condition said no."""
        ours = [*own, *([live] if live else []), event]
        try:
            transact(self._call, [*ours, *others])
        except AwsError as error:
            if not error.condition_failed:
                raise
            found = (error.reasons[len(own)].get("Item") if live is not None else None) or {}
            if "erasing" in found:
                raise ErasingError from None
            failed = [i for i, reason in enumerate(error.reasons) if reason.get("Code") == "ConditionalCheckFailed"]
            refusal = Refusal(
                any(index < len(own) for index in failed),
                live is not None and len(own) in failed,
                tuple(index - len(ours) for index in failed if index >= len(ours)),
            )
            return refusal, found
        return None, {}

    def _query(
        self, index: str, condition: str, values: dict[str, str | int], names: dict[str, str] | None = None
    ) -> Iterator[str]:
        request: Json = {
            "TableName": self._table,
            "IndexName": index,
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": pack(values),
        }
        if names:
            request["ExpressionAttributeNames"] = names
        for page in pages(self._call, "Query", request):
            for item in page["Items"]:
                yield item["pk"]["S"]

    def _get(self, pk: str, sk: str) -> Item | None:
        return get_item(self._call, self._table, item_key(pk, sk))
