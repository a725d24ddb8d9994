"""Returns of payments' money, in the Payments table: ``pk=<payment id>, sk=RETURN#<n>``."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from shared.aws_json import Call, Json
from shared.domain.payment import Payment, Return, ReturnState
from shared.domain.time import to_text
from shared.stores.items import Item, batch_get, get_item, is_made, item_key, known, pack, readable, text

_KEY: Final = ("payment_id", "n")


class Returns:
    """The table through the port."""

    def __init__(self, call: Call, table: str) -> None:
        self._call = call
        self._table = table

    def put_action(self, made: Return) -> Json:
        """The action that enters a return: part of the transaction that takes its money off what a payment paid."""
        item = {**return_key(made.payment_id, made.n), **_attributes(made)}
        return {"Put": {"TableName": self._table, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}}

    def of(self, payment: Payment) -> list[Return]:
        """A payment's returns in their order, consistently read. One BatchGetItem for a hundred."""
        keys = [return_key(payment.payment_id, n) for n in range(1, payment.returns + 1)]
        return sorted(map(_read, batch_get(self._call, self._table, keys)), key=lambda each: each.n)

    def last(self, payment: Payment) -> Return | None:
        """A payment's newest return, consistently read; None where it has none."""
        item = get_item(self._call, self._table, return_key(payment.payment_id, payment.returns))
        return _read(item) if item else None

    def last_of(self, payments: Iterable[Payment], unreadable: list[Exception] | None = None) -> dict[str, Return]:
        """The newest returns of payments, by the payments' ids. One BatchGetItem for a hundred.

        unreadable: as :func:`shared.stores.items.readable` takes it.
        """
        keys = [return_key(payment.payment_id, payment.returns) for payment in payments if payment.returns]
        found = readable(batch_get(self._call, self._table, keys), _read, unreadable)
        return {made.payment_id: made for made in found}

    def take(self, due: Return, at: datetime, until: datetime, *, asks: bool = False) -> Return | None:
        """Take a return for oneself, until a moment at which the taker will be gone.

        asks: the gateway is going to be asked, which is kept. Gives the return as it is then; None where another has
        it, or it is no longer as it was read. One UpdateItem.
        """
        taken = due
        if asks:
            taken = due._replace(state=ReturnState.ASKED, asked_at=due.asked_at or to_text(at))
        free = "(attribute_not_exists(refunding_until) OR refunding_until <= :now)"
        update = self._update(due, taken, {"refunding_until": to_text(until)}, free, {":now": to_text(at)})
        return taken if is_made(lambda: self._call("dynamodb", "UpdateItem", update)) else None

    def not_asked(self, taken: Return) -> None:
        """Keep that the gateway was not asked after all by who took the first asking. One UpdateItem."""
        due = taken._replace(state=ReturnState.DUE, asked_at=None)
        update = self._update(taken, due)
        is_made(lambda: self._call("dynamodb", "UpdateItem", update))

    def change_action(self, before: Return, after: Return) -> Json:
        """The action that changes a return, if it stands as it was read."""
        return {"Update": self._update(before, after)}

    def _update(
        self,
        before: Return,
        after: Return,
        more: dict[str, str] | None = None,
        condition: str = "",
        values: dict[str, str] | None = None,
    ) -> Json:
        new = {name: value for name, value in after._asdict().items() if value != getattr(before, name)}
        changed = pack({**new, "state": after.state, **(more or {})})
        gone = [name for name in new if name not in changed]
        removes = " REMOVE " + ", ".join(f"#{name}" for name in gone) if gone else ""
        return {
            "TableName": self._table,
            "Key": return_key(before.payment_id, before.n),
            "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in changed) + removes,
            "ConditionExpression": "#state = :before" + (f" AND {condition}" if condition else ""),
            "ExpressionAttributeNames": {f"#{name}": name for name in (*changed, *gone)},
            "ExpressionAttributeValues": {
                **{f":{name}": value for name, value in changed.items()},
                **pack({":before": before.state, **(values or {})}),
            },
        }


def return_key(payment_id: str, n: int) -> Item:
    """The key of a payment's return."""
    return item_key(payment_id, f"RETURN#{n}")


def _attributes(made: Return) -> Item:
    return pack({name: value for name, value in made._asdict().items() if name not in _KEY})


def _read(item: Item) -> Return:
    return Return(
        payment_id=item["pk"]["S"],
        n=int(item["sk"]["S"].partition("#")[2]),
        lines=tuple(each["S"] for each in item["lines"]["L"]),
        amount=int(item["amount"]["N"]),
        cause=item["cause"]["S"],
        at=item["at"]["S"],
        state=known(ReturnState, item["state"]["S"]),
        asked_at=text(item, "asked_at"),
        refused=text(item, "refused"),
        manual_since=text(item, "manual_since"),
        ended_at=text(item, "ended_at"),
    )
