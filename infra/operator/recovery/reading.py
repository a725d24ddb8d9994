"""The tables as rows of the books: each item is read once, by consistent scans, and nothing is held."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from infra.operator.deployment import Deployment
from infra.operator.recovery.cross_check import Row
from shared.domain.payment import PaymentStatus
from shared.stores.items import Item, epoch, number, pages, read_rows, text
from shared.stores.paying.payment_items import read

Rows = Iterator[tuple[str, Row]]
_SETTLED: Final = frozenset({PaymentStatus.PAID, PaymentStatus.REFUND_DUE})


def rows(deployment: Deployment) -> Rows:
    """Read Violations, Payments, Settlements and Messages through, one after the other.

    What is written meanwhile may be seen in one table and not in another: so pause what writes first.
    """
    now = epoch(deployment.clock())
    for table, of_item in _TABLES.items():
        for page in pages(deployment.call, "Scan", {"TableName": deployment.physical[table], "ConsistentRead": True}):
            for item in page["Items"]:
                if (number(item, "expires") or now + 1) > now:
                    yield from of_item(item)


def _of_violation(item: Item) -> Rows:
    names = ("held_by", "paid_by")
    paid = number(item, "paid_amount"), text(item, "receipt_no")
    yield "violations", (item["pk"]["S"], *(text(item, name) for name in names), *paid)


def _of_payments(item: Item) -> Rows:
    pk, sk = item["pk"]["S"], item["sk"]["S"]
    kind, _, identity = pk.partition("#")
    if sk == "PAYMENT":
        yield from _of_payment(item)
    elif kind == "ORDER":
        gateway, _, gateway_id = identity.partition("#")
        yield "orders", (gateway, gateway_id, item["payment_id"]["S"])
    elif kind == "RECEIPT":
        yield "receipts", (identity, item["payment_id"]["S"], int(item["amount"]["N"]), int("void_since" in item))
    elif kind == "LIVE":
        yield from (("live", (identity, each)) for each in item.get("payments", {}).get("SS", ()))


def _of_payment(item: Item) -> Rows:
    payment = read(item)
    settled = payment.settled_lines if payment.status in _SETTLED else ()
    amounts = {line.violation_no: line.amount for line in settled}
    yield (
        "payments",
        (
            payment.payment_id,
            payment.status,
            payment.amount,
            payment.receipt_no,
            sum(line.amount for line in settled),
            payment.gateway,
            payment.gateway_id,
        ),
    )
    for line in payment.lines:
        number = line.violation_no
        yield "lines", (payment.payment_id, number, amounts.get(number, line.amount), int(number in amounts))


def _of_settlements(item: Item) -> Rows:
    place = item["pk"]["S"]
    if place.startswith(("DUE#", "BATCH#")):
        kind, payment_id, *part = item["sk"]["S"].split("#", 2)
        amount = sum(share[1] for share in read_rows(item["shares"]))
        yield "entries", (kind, payment_id, amount, place, "".join(part))


def _of_messages(item: Item) -> Rows:
    pk = item["pk"]["S"]
    if pk.startswith("TOLD#"):
        yield "markers", (pk, item["message_id"]["S"])
    elif "kind" in item and "status" in item:
        yield "messages", (pk, item["kind"]["S"], item["status"]["S"])
        yield from (("said", (pk, each["S"])) for each in item.get("said", {}).get("L", ()))


_TABLES: Final[dict[str, Callable[[Any], Rows]]] = {
    "Violations": _of_violation,
    "Payments": _of_payments,
    "Settlements": _of_settlements,
    "Messages": _of_messages,
}
