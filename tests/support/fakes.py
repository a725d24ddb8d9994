"""What stands outside: a clock that can be set, phones that keep their SMS, a gateway that says what it is told."""

from __future__ import annotations

import hmac
import json
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from typing import Any

from notify.providers import Accepted
from pay.gateways import Closing, Delivery, Keys, Notice, Order, OrderRequest, OrderStatus, Page, ReadKeys, Refund
from pay.gateways.sandbox import Sandbox
from tests.support.build import NOON


class Clock:
    """Stands in for the class ``datetime`` where the functions read the time."""

    def __init__(self) -> None:
        self.at = NOON

    def now(self, zone: tzinfo) -> datetime:
        return self.at.astimezone(zone)

    def forward(self, **duration: float) -> None:
        self.at += timedelta(**duration)


class Phones:
    """A provider of SMS. sent: (phone, text) in order. outcomes: what the next calls raise; None is sent."""

    name = "sns"

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.outcomes: deque[Exception | None] = deque()

    def send(self, phone: str, text: str) -> Accepted:
        outcome = self.outcomes.popleft() if self.outcomes else None
        if outcome:
            raise outcome
        self.sent.append((phone, text))
        return Accepted(self.name, f"sns-{len(self.sent)}")

    @property
    def texts(self) -> list[str]:
        return [text for _, text in self.sent]


class FakeGateway:
    """A gateway whose orders a test moves. Its callbacks are verified by the sandbox gateway's own scheme.

    refusal: what ``order`` raises. silence: what any question raises. refund_refusal: what ``refund`` raises;
    refund_silence: the same, of money that it gives back all the same.
    under_way: payments whose customer is in the midst of paying: they are not closed.
    shrinks: whether what went back is taken off an order's amount, as some gateways do.
    while_ordering: called within ``order``. refund_state: what it says of money that it gives back.
    """

    def __init__(self) -> None:
        self.requests: dict[str, OrderRequest] = {}
        self.orders: dict[str, Order] = {}
        self.asked = 0
        self.refusal: Exception | None = None
        self.silence: Exception | None = None
        self.refunds: dict[str, Refund] = {}
        self.refund_refusal: Exception | None = None
        self.refund_silence: Exception | None = None
        self.refund_state = OrderStatus.REFUNDED
        self.shrinks = False
        self.under_way: set[str] = set()
        self.while_ordering: Callable[[str], None] = lambda _: None
        self.keys: ReadKeys = lambda: Keys({})

    def opened(self, url: str, keys: ReadKeys) -> FakeGateway:
        """As the wiring opens the sandbox gateway."""
        self.keys = keys
        self._sandbox = Sandbox(url, keys)
        return self

    def order(self, order: OrderRequest) -> Page:
        if self.refusal:
            raise self.refusal
        self.requests[order.payment_id] = order
        order = Order(order.payment_id, f"g-{order.payment_id}", OrderStatus.UNPAID, order.amount, order.currency)
        self.orders.setdefault(order.payment_id, order)
        self.while_ordering(order.payment_id)
        return Page(order.gateway_id, f"https://gateway.example/{order.payment_id}")

    def get_order(self, payment_id: str | None, gateway_id: str | None) -> Order | None:
        self.asked += 1
        if self.silence:
            raise self.silence
        return self.orders.get(payment_id or (gateway_id or "").removeprefix("g-"))

    def close(self, payment_id: str, gateway_id: str | None) -> Closing:
        if self.silence:
            return Closing.UNKNOWN
        order = self.orders.get(payment_id)
        if order is None:
            return Closing.CLOSED
        if order.status != OrderStatus.UNPAID or payment_id in self.under_way:
            return Closing.OPEN
        self.orders[payment_id] = order._replace(status=OrderStatus.FAILED)
        return Closing.CLOSED

    def refund(self, refund: Refund) -> str:
        if self.silence:
            raise self.silence
        if self.refund_refusal and refund.refund_id not in self.refunds:
            raise self.refund_refusal
        refund = refund._replace(asked_before=False)
        is_new = refund.refund_id not in self.refunds
        known = self.refunds.setdefault(refund.refund_id, refund)
        order = self.orders[refund.payment_id]
        assert (known, order.gateway_id) == (refund, refund.gateway_id)
        if is_new:
            self.orders[refund.payment_id] = self._after(refund, order)
        if self.refund_silence:
            raise self.refund_silence
        return self.refund_state

    def _after(self, refund: Refund, order: Order) -> Order:
        """What an order is called when some of it went back."""
        earlier = sum(each.amount for each in self.refunds.values() if each.payment_id == refund.payment_id)
        if refund.amount == order.amount or earlier == order.amount:
            return order._replace(status=self.refund_state)
        return order._replace(amount=order.amount - refund.amount) if self.shrinks else order

    def callback(self, delivery: Delivery, now: datetime) -> Notice:
        return self._sandbox.callback(delivery, now)

    def says(
        self, payment_id: str, state: str = OrderStatus.PAID, *, reference: str | None = None, **money: Any
    ) -> None:
        """Move an order; what the gateway says of it may differ from what it was asked for."""
        order = self.orders[payment_id]._replace(status=state, **money)
        self.orders[payment_id] = order._replace(payment_id=reference or payment_id)

    def signed(self, body: bytes, at: datetime, key: str | None = None) -> str:
        """The signature header of a callback, under the merchant's key unless another is given."""
        stamp = str(int(at.timestamp()))
        secret = key or self.keys().current["callback_key"]
        signature = hmac.digest(secret.encode(), f"{stamp}.".encode() + body, "sha256").hex()
        return f"t={stamp},v1={signature}"


def callback_body(payment_id: object, status: str = OrderStatus.PAID) -> bytes:
    """What a gateway posts of a payment."""
    told = {"id": f"g-{payment_id}", "reference": payment_id, "status": status, "amount": 1, "currency": "IQD"}
    return json.dumps(told).encode()
