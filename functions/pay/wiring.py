"""What the entry points of paying are made of."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Final

from pay.gateways import Gateway
from pay.keys import SecretKeys
from pay.settling import Books
from shared.aws_json import Call, FastClient
from shared.clock import now
from shared.settings import listed, setting
from shared.stores.messages import Messages
from shared.stores.payments import Payments
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
def books() -> Books:
    """The tables that a payment is made and ends in."""
    return Books(
        Violations(port(), setting("VIOLATIONS_TABLE")), payments(), Messages(port(), setting("MESSAGES_TABLE"))
    )


def _sandbox() -> Gateway | None:
    from pay.gateways.sandbox import Sandbox

    url = setting("SANDBOX_GATEWAY_URL")
    return Sandbox(url, _keys(setting("SANDBOX_GATEWAY_SECRET"))) if url else None


# An adapter is imported only where its gateway is used.
_GATEWAYS: Final[dict[str, Callable[[], Gateway | None]]] = {"sandbox": _sandbox}


def _keys(secret_id: str) -> SecretKeys:
    return SecretKeys(FastClient(), secret_id, now)


@cache
def gateway(name: str) -> Gateway | None:
    """A gateway that this deployment knows, by name, also one that is closed to new payments."""
    make = _GATEWAYS.get(name)
    return make() if make else None


def open_gateway(name: str) -> Gateway | None:
    """A gateway that is open to new payments, by name."""
    return gateway(name) if name in listed("GATEWAYS") else None
