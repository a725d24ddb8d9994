"""What pay writes of violations: holds of payments, settlements, and the price that is kept because another held one.

Items: ``pk=<violation no>`` (:mod:`shared.stores.violations`). ``held_by``, ``held_plate``: the payment that holds one,
and the plate that it was held on; ``paid_by`` and what goes with it; ``held_price_until``;
``wanted_until``: until when only a proven owner may hold it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from shared.aws_json import Call, Json
from shared.domain.time import to_text
from shared.domain.violation import DISPUTED, OPEN, Violation
from shared.stores.items import pack, transact

_AS_READ_AND_FREE: Final = (
    "version = :version AND #status = :open AND attribute_not_exists(held_by) AND attribute_not_exists(paid_by)"
)
_HELD: Final = (
    "held_by = :payment AND attribute_not_exists(paid_by) AND plate = held_plate AND #status IN (:open, :disputed)"
)


class HeldViolations:
    """The table through the port."""

    def __init__(self, call: Call, table: str) -> None:
        self._call = call
        self._table = table

    def hold(self, violation: Violation, payment_id: str, *, unless_wanted_at: datetime | None = None) -> Json:
        """The action that holds a violation for a payment, if it is still as it was quoted.

        unless_wanted_at: where given, only if no proven owner wants it at that instant.
        """
        values: dict[str, str | int] = {":payment": payment_id, ":version": violation.version, ":open": OPEN}
        free = _AS_READ_AND_FREE
        if unless_wanted_at:
            free += " AND (attribute_not_exists(wanted_until) OR wanted_until <= :now)"
            values[":now"] = to_text(unless_wanted_at)
        change = "SET held_by = :payment, held_plate = plate REMOVE wanted_until"
        return self._settlement(violation.violation_no, change, free, values)

    def want(self, until: Mapping[str, datetime]) -> None:
        """Keep violations, by number, for whoever has proved the vehicle theirs until an instant. One transaction."""
        transact(
            self._call,
            [
                self._settlement(
                    number, "SET wanted_until = :until", "attribute_exists(pk)", {":until": to_text(instant)}
                )
                for number, instant in until.items()
            ],
        )

    def keep_prices(self, until: Mapping[str, str]) -> None:
        """Keep the price of violations, by number, until an instant each; the first said stays. One transaction."""
        transact(
            self._call,
            [
                self._settlement(
                    number,
                    "SET held_price_until = if_not_exists(held_price_until, :until)",
                    "attribute_exists(pk)",
                    {":until": instant},
                )
                for number, instant in until.items()
            ],
        )

    def release(self, violation_no: str, payment_id: str) -> Json:
        """The action that ends a payment's hold."""
        return self._settlement(
            violation_no, "REMOVE held_by, held_plate", "held_by = :payment", {":payment": payment_id}
        )

    def settle(
        self, violation_no: str, payment_id: str, amount: int, at: str, receipt_no: str, free: Violation | None = None
    ) -> Json:
        """The action that marks a held violation paid by its payment. free: or that one, if nobody holds it, as read.

        Its condition says no where the directorate has cancelled it meanwhile, moved it to another plate, or been paid
        at the counter. A newer amount changes nothing, nor does a dispute: what was quoted is what is paid.
        """
        values: dict[str, str | int] = {":version": free.version} if free else {":disputed": DISPUTED}
        values |= {":payment": payment_id, ":amount": amount, ":at": at, ":receipt": receipt_no, ":open": OPEN}
        return self._settlement(
            violation_no,
            "SET paid_by = :payment, paid_amount = :amount, paid_at = :at, receipt_no = :receipt"
            " REMOVE held_by, held_plate",
            _AS_READ_AND_FREE if free else _HELD,
            values,
        )

    def unsettle(self, violation_no: str, payment_id: str) -> Json:
        """The action that makes a violation owed again: the money that settled it is back with its payer."""
        return self._settlement(
            violation_no,
            "REMOVE paid_by, paid_amount, paid_at, receipt_no",
            "paid_by = :payment",
            {":payment": payment_id},
        )

    def reprice(self, violation_no: str, payment_id: str, amount: int) -> Json:
        """The action by which a violation is paid with less: the rest of what settled it goes back."""
        return self._settlement(
            violation_no,
            "SET paid_amount = :amount",
            "paid_by = :payment",
            {":payment": payment_id, ":amount": amount},
        )

    def _settlement(self, violation_no: str, change: str, condition: str, values: dict[str, str | int]) -> Json:
        update: Json = {
            "TableName": self._table,
            "Key": {"pk": {"S": violation_no}},
            "UpdateExpression": change,
            "ConditionExpression": condition,
            "ExpressionAttributeValues": pack(values),
        }
        if "#status" in condition:
            update["ExpressionAttributeNames"] = {"#status": "status"}
        return {"Update": update}
