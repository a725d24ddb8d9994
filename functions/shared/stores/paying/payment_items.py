"""How a payment lies in its table, and is read from there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple
from zlib import crc32

from shared.domain.payment import LIVE, Difference, Line, Payment, PaymentStatus, WaysToPay
from shared.domain.text import digest
from shared.stores.items import Item, epoch, item_key, known, number, pack, pack_rows, read_rows, text

SHARDS: Final = 4
_ROWS: Final = ("lines", "differences")
"""The fields that are lists of rows."""
TO_ASK: Final = "live"
"""The kind of unfinished payment of which the gateway is asked; the others are REFUND_DUE, REVIEW and MOVED."""
WANTED: Final = "wanted"
"""The kind of settled money that may have to go back (:mod:`shared.stores.paying.wants`)."""
MOVED: Final = "moved"
"""The kind of those whose money moved after their end: an operator has to decide."""


class KeyUse(NamedTuple):
    """What an Idempotency-Key was used for: a digest of the request, and the payment that it made."""

    request: str
    payment_id: str


class Refusal(NamedTuple):
    """Why a payment was not made or changed: nothing was written.

    own: the payment itself is no longer as it was read, or its key is used. full: its citizen has as many live ones as
    may be. used_up: or began as many today. others: the positions, among the actions given along, of those whose
    condition said no.
    """

    own: bool
    full: bool
    others: tuple[int, ...]
    used_up: bool = False


def live_key(sub: str) -> Item:
    """The key of which of a citizen's payments are live."""
    return item_key(f"LIVE#{sub}", "LIVE")


def key_of_use(sub: str, key: str) -> Item:
    """The key of an Idempotency-Key's use, which is the citizen's alone and does not name them."""
    return item_key(f"KEY#{digest(sub, key)}", "KEY")


def unfinished_shard(payment: Payment) -> str | None:
    """The shard of those for whom somebody still has to do something; None for one that is over."""
    if payment.status in LIVE:
        kind: str = TO_ASK
    elif payment.status in (PaymentStatus.REFUND_DUE, PaymentStatus.REVIEW):
        kind = payment.status
    elif payment.is_money_returned or (payment.status == PaymentStatus.REFUNDED and payment.bounced_since):
        kind = MOVED
    else:
        return None
    return f"{kind}#{crc32(payment.payment_id.encode()) % SHARDS}"


def item_of(payment: Payment) -> Item:
    """The item that is kept of a payment when it is made."""
    values = payment._asdict()
    del values["payment_id"]
    more = {"day": payment.created_at[:10], "unfinished": unfinished_shard(payment)}
    return {**item_key(payment.payment_id, "PAYMENT"), **attributes({**values, **more})}


def attributes(values: Mapping[str, Any]) -> Item:
    """Fields of a payment as its item's attributes."""
    rows = {name: pack_rows(values[name]) for name in _ROWS if name in values}
    return {**pack({name: value for name, value in values.items() if name not in _ROWS}), **rows}


def read(item: Item) -> Payment:
    """A payment from its item."""
    return Payment(
        payment_id=item["pk"]["S"],
        sub=item["sub"]["S"],
        gateway=item["gateway"]["S"],
        status=known(PaymentStatus, item["status"]["S"]),
        lines=tuple(Line(*row) for row in read_rows(item["lines"])),
        amount=int(item["amount"]["N"]),
        created_at=item["created_at"]["S"],
        expires_at=item["expires_at"]["S"],
        return_url=item["return_url"]["S"],
        phone=text(item, "phone"),
        language=item["language"]["S"],
        unanswered=item["unanswered"]["BOOL"],
        gateway_id=text(item, "gateway_id"),
        redirect_url=text(item, "redirect_url"),
        received=number(item, "received") or 0,
        returned=tuple(each["S"] for each in item["returned"]["L"]),
        paid_at=text(item, "paid_at"),
        receipt_no=text(item, "receipt_no"),
        reason=text(item, "reason"),
        returns=number(item, "returns") or 0,
        given_back=number(item, "given_back") or 0,
        differences=tuple(Difference(*row) for row in read_rows(item["differences"])) if "differences" in item else (),
        has_ways=item.get("has_ways", {}).get("BOOL", False),
        closing_since=text(item, "closing_since"),
        closing_for=text(item, "closing_for"),
        ended_at=text(item, "ended_at"),
        money_returned=number(item, "money_returned") or 0,
        money_returned_since=text(item, "money_returned_since"),
        money_kept=number(item, "money_kept") or 0,
        bounced_since=text(item, "bounced_since"),
    )


def ways_item(payment_id: str, ways: WaysToPay, until: datetime) -> Item:
    """The item that is kept of how else a payment can be paid. A picture is large: it goes when nobody can pay it."""
    links = {"links": {"M": pack(ways.links)}}
    return {
        **ways_key(payment_id),
        **pack({"qr": ways.qr, "code": ways.code, "expires": epoch(until)}),
        **links,
    }


def ways_key(payment_id: str) -> Item:
    """The key of how else a payment can be paid."""
    return item_key(payment_id, "WAYS")


def read_ways(item: Item) -> WaysToPay:
    """How else a payment can be paid, from its item."""
    links = {whose: each["S"] for whose, each in item["links"]["M"].items()}
    return WaysToPay(text(item, "qr"), text(item, "code"), links)
