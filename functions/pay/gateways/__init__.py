"""Payment gateways behind one small interface: place an order, verify a callback, ask, close, refund.

An adapter is made of its gateway's base address and a way to read its keys: ``QiCard(url, keys)``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from shared.domain.payment import WaysToPay


class OrderStatus(StrEnum):
    """What a gateway says of an order, in our words."""

    UNPAID = "unpaid"
    PAID = "paid"
    FAILED = "failed"
    EXPIRED = "expired"
    REFUNDING = "refunding"
    REFUNDED = "refunded"


class Closing(StrEnum):
    """What a gateway says when it is asked to close an order.

    CLOSED: nobody can pay it any more. OPEN: it would not close it, or cannot, and it may still be paid. UNKNOWN: no
    answer, or none that is understood.
    """

    CLOSED = "closed"
    OPEN = "open"
    UNKNOWN = "unknown"


class OrderRequest(NamedTuple):
    """What a gateway is asked to collect. amount in dinars.

    payment_id: our own id, 32 hexadecimal digits, for the gateway's reference. callback_url: where the gateway tells us
    or sends the browser for us to see; an adapter may add a query to it. return_url: where the citizen ends up.
    """

    payment_id: str
    amount: int
    currency: str
    description: str
    language: str
    callback_url: str
    return_url: str
    expires_at: str


class Page(NamedTuple):
    """A taken order: the gateway's id of it, and where the citizen pays; ways: how else, where there is more."""

    gateway_id: str
    redirect_url: str
    ways: WaysToPay | None = None


class Delivery(NamedTuple):
    """A callback as it came: header names in lower case, the body's own bytes."""

    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes


class Notice(NamedTuple):
    """Whom a verified callback is about, by our id or the gateway's; nothing in it that was not proved.

    event: what it tells, the same for its repeats and for no other of this order.
    """

    payment_id: str | None
    gateway_id: str | None
    event: str


class Order(NamedTuple):
    """An order as its gateway tells of it.

    payment_id: our id as the gateway keeps it; None for a gateway that keeps none. amount: what it asks, or took.
    """

    payment_id: str | None
    gateway_id: str
    status: OrderStatus
    amount: int
    currency: str


class Refund(NamedTuple):
    """Money to give back, all of an order's or some. refund_id: 32 hexadecimal digits, the same however often asked.

    asked_before: it may have reached the gateway already.
    """

    refund_id: str
    payment_id: str
    gateway_id: str
    amount: int
    reason: str
    asked_before: bool = False


class RefusedError(Exception):
    """The gateway said no, and did nothing. The text is its code."""


class NotReachedError(RefusedError):
    """Nothing of an order reached the gateway, so it was not placed."""


class UnknownError(Exception):
    """The gateway did not answer, or not so that it can be understood: what it did is not known."""


class NotAskedError(UnknownError):
    """What was to be done never reached the gateway: no connection, no keys, no leave to ask, or not safe to ask."""


class UnaskableError(UnknownError):
    """The gateway can be asked only by an id of its own that we never got."""


class UnpayableError(UnaskableError):
    """As that; but only the answer that we never got told where to pay, so that nobody can."""


class CallbackError(Exception):
    """A callback that does not prove where it comes from. The text says why, for our log."""


class UntimelyError(CallbackError):
    """A callback that proves where it comes from, but is of another time. notice: whom it is about."""

    def __init__(self, reason: str, notice: Notice) -> None:
        super().__init__(reason)
        self.notice = notice


class Keys(NamedTuple):
    """A gateway's secrets. While they are changed, what was signed with the previous ones is genuine too."""

    current: Mapping[str, str]
    previous: Mapping[str, str] | None = None


ReadKeys = Callable[[], Keys]
"""Reads the keys when they are needed; whoever calls it often pays no call for it. Raises NotAskedError."""


class Gateway(Protocol):
    """One gateway."""

    def order(self, order: OrderRequest) -> Page:
        """Place an order; asked once for each payment and never again.

        Raises RefusedError; UnknownError: UnpayableError where nobody can pay what may have been placed.
        """

    def callback(self, delivery: Delivery, now: datetime) -> Notice:
        """Whom a callback is about whose origin is proved. Raises CallbackError, or UnknownError without keys.

        Of CallbackErrors, an UntimelyError says whom it is about: enough to send a browser on, for nothing else.
        """

    def get_order(self, payment_id: str | None, gateway_id: str | None) -> Order | None:
        """Get an order, by either id or both; None where the gateway has no such order.

        Raises UnknownError: UnaskableError where it would need its own id.
        """

    def close(self, payment_id: str, gateway_id: str | None) -> Closing:
        """Close an unpaid order so that it can no longer be paid, and say whether it is closed. Harmless again."""

    def refund(self, refund: Refund) -> OrderStatus:
        """Give money back: ``refunding`` or ``refunded``. Again with the same refund_id is the same refund.

        An adapter whose gateway does not see to that looks first, and only looks for what was asked for before. Raises
        RefusedError (also for a part where it gives back only all); UnknownError: NotAskedError where it was not asked.
        """
