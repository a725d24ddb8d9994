"""Payment gateways behind one small interface: order, verify a callback, ask."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple, Protocol

UNPAID: Final = "unpaid"
PAID: Final = "paid"
FAILED: Final = "failed"
EXPIRED: Final = "expired"


class Order(NamedTuple):
    """What a gateway is asked to collect. amount in dinars. payment_id: our own id, its reference."""

    payment_id: str
    amount: int
    currency: str
    description: str
    callback_url: str
    return_url: str
    expires_at: str


class Page(NamedTuple):
    """A taken order: the gateway's id of it, and where the citizen pays."""

    gateway_id: str
    redirect_url: str


class Standing(NamedTuple):
    """What a gateway says of an order: one of the four states above, and for which reference and money."""

    payment_id: str
    gateway_id: str
    state: str
    amount: int
    currency: str


class RefusedError(Exception):
    """The gateway said no: the order does not exist there. The text is its code."""


class UnknownError(Exception):
    """The gateway did not answer, or not so that it can be understood: what it did is not known."""


class CallbackError(Exception):
    """A callback that does not prove where it comes from. The text says why, for our log."""


class Gateway(Protocol):
    """One gateway."""

    def order(self, order: Order) -> Page:
        """Place an order; the same reference again is the same order. Raises RefusedError, UnknownError."""

    def callback(self, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
        """Our payment id of a callback whose origin is proved. Raises CallbackError."""

    def standing(self, payment_id: str) -> Standing | None:
        """Ask how an order stands; None where the gateway has no such order. Raises UnknownError."""
