"""Our side of a stand-in: the adapter wired to it, with keys that a test can change, and an order to place."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pay.gateways import Gateway, Keys, OrderRequest, ReadKeys, Refund
from pay.gateways.fib import Fib
from pay.gateways.qicard import QiCard
from pay.gateways.sandbox import Sandbox
from pay.gateways.zaincash import ZainCash
from shared.domain.time import to_text
from tests.support.gateways.fib import FibStandIn
from tests.support.gateways.qicard import QiCardStandIn
from tests.support.gateways.sandbox import SandboxStandIn
from tests.support.gateways.stand_in import StandIn
from tests.support.gateways.zaincash import ZainCashStandIn

GATEWAYS: Final[dict[str, tuple[type[StandIn], Callable[[str, ReadKeys], Gateway]]]] = {
    "qicard": (QiCardStandIn, QiCard),
    "zaincash": (ZainCashStandIn, ZainCash),
    "fib": (FibStandIn, Fib),
    "sandbox": (SandboxStandIn, Sandbox),
}
AMOUNT: Final = 75_000


class Merchant:
    """keys: what the adapter reads; at first what the gateway has given."""

    def __init__(self, name: str) -> None:
        make, adapt = GATEWAYS[name]
        self.name = name
        self.gateway = make()
        self.keys = Keys(self.gateway.keys())
        self.adapter = adapt(self.gateway.base, lambda: self.keys)

    def order(self, **changes: Any) -> OrderRequest:
        """An order that has not been placed."""
        order = OrderRequest(
            payment_id=secrets.token_hex(16),
            amount=AMOUNT,
            currency="IQD",
            description="Gharama: 2",
            language="ar",
            callback_url=f"{self.gateway.url}/v1/callbacks/{self.name}",
            return_url="https://tf.ur.gov.iq/paid",
            expires_at=to_text(datetime.now(UTC) + timedelta(minutes=15)),
        )
        return order._replace(**changes)

    def placed(self, how: str | None = None) -> tuple[OrderRequest, str]:
        """An order that has been placed and, it may be, ended; with the gateway's id of it."""
        order = self.order()
        gateway_id = self.adapter.order(order).gateway_id
        if how:
            self.gateway.ends(gateway_id, how)
        return order, gateway_id

    def refund_of(self, order: OrderRequest, gateway_id: str, **changes: Any) -> Refund:
        refund = Refund(secrets.token_hex(16), order.payment_id, gateway_id, order.amount, "paid_twice")
        return refund._replace(**changes)
