"""What the entry points of paying are made of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from pay.gateways import Gateway, Keys
from pay.gateways.sandbox import Sandbox
from shared.aws_json import Call, sdk
from shared.settings import setting
from shared.stores.messages import Messages
from shared.stores.payments import Payments
from shared.stores.settlements import Settlements
from shared.stores.violations import Violations


class Settlement(NamedTuple):
    """What concluding a payment reads and writes."""

    violations: Violations
    payments: Payments
    messages: Messages
    settlements: Settlements


@cache
def port() -> Call:
    """The port to AWS, one for the life of the function."""
    return sdk()


@cache
def settlement() -> Settlement:
    """The stores of ``conclude``."""
    call = port()
    return Settlement(
        Violations(call, setting("VIOLATIONS_TABLE")),
        Payments(call, setting("PAYMENTS_TABLE")),
        Messages(call, setting("MESSAGES_TABLE")),
        Settlements(call, setting("SETTLEMENTS_TABLE")),
    )


@cache
def open_gateways() -> Mapping[str, Gateway]:
    """The gateways that this deployment has switched on, by name."""
    url = setting("SANDBOX_GATEWAY_URL")
    return {"sandbox": Sandbox(url, _sandbox_secret)} if url else {}


@cache
def _sandbox_secret() -> Keys:
    answer = port()("secretsmanager", "GetSecretValue", {"SecretId": setting("SANDBOX_GATEWAY_SECRET")})
    return Keys(json.loads(answer["SecretString"]))
