"""What the entry points of paying are made of."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Final

from pay.gateways import Gateway, ReadKeys
from pay.gateways.keys import SecretKeys
from pay.payments.settle import PaymentStores
from shared.aws_json import Call, FastClient
from shared.clock import now
from shared.settings import listed, setting
from shared.stores.messaging.messages import Messages
from shared.stores.paying.payments import Payments
from shared.stores.paying.returns import Returns
from shared.stores.paying.rounds import Rounds
from shared.stores.paying.settlements import Settlements
from shared.stores.paying.wants import Wants
from shared.stores.violations import Violations


@cache
def port() -> Call:
    """The port to AWS, one for the life of the function."""
    return FastClient()


@cache
def payments() -> Payments:
    """The table of payments."""
    return Payments(port(), setting("PAYMENTS_TABLE"))


@cache
def settlements() -> Settlements:
    """The ledger of what the sectors are told."""
    return Settlements(port(), setting("SETTLEMENTS_TABLE"))


@cache
def wants() -> Wants:
    """Settled money that somebody may want back, in the table of payments."""
    return Wants(port(), setting("PAYMENTS_TABLE"))


@cache
def rounds() -> Rounds:
    """How far settled payments have been asked about again, in the table of payments."""
    return Rounds(port(), setting("PAYMENTS_TABLE"))


@cache
def stores() -> PaymentStores:
    """The tables that a payment is made and ends in."""
    return PaymentStores(
        Violations(port(), setting("VIOLATIONS_TABLE")),
        payments(),
        Messages(port(), setting("MESSAGES_TABLE")),
        settlements(),
        Returns(port(), setting("PAYMENTS_TABLE")),
        wants(),
    )


# An adapter is imported only where its gateway is used, and made once for the life of the function.


@cache
def _sandbox() -> Gateway | None:
    from pay.gateways.sandbox import Sandbox

    return _adapted(Sandbox, setting("SANDBOX_GATEWAY_URL"), setting("SANDBOX_GATEWAY_SECRET"))


@cache
def _qicard() -> Gateway | None:
    from pay.gateways.qicard import QiCard

    return _adapted(QiCard, setting("QICARD_URL"), setting("QICARD_SECRET"))


@cache
def _zaincash() -> Gateway | None:
    from pay.gateways.zaincash import ZainCash

    return _adapted(ZainCash, setting("ZAINCASH_URL"), setting("ZAINCASH_SECRET"))


@cache
def _fib() -> Gateway | None:
    from pay.gateways.fib import Fib

    return _adapted(Fib, setting("FIB_URL"), setting("FIB_SECRET"))


_GATEWAYS: Final[dict[str, Callable[[], Gateway | None]]] = {
    "sandbox": _sandbox,
    "qicard": _qicard,
    "zaincash": _zaincash,
    "fib": _fib,
}


def _adapted(adapter: Callable[[str, ReadKeys], Gateway], url: str, secret_id: str) -> Gateway | None:
    return adapter(url, SecretKeys(FastClient(), secret_id, now)) if url else None


def gateway(name: str) -> Gateway | None:
    """A gateway that this deployment knows, by name, also one that is closed to new payments."""
    make = _GATEWAYS.get(name)
    return make() if make else None


def open_gateway(name: str) -> Gateway | None:
    """A gateway that is open to new payments, by name."""
    return gateway(name) if name in listed("GATEWAYS") else None
