"""The functions with faults between them and what stands outside."""

from __future__ import annotations

import pytest

from tests.support.aws import Engine
from tests.support.crashes import Faults
from tests.support.functions import Functions


@pytest.fixture
def faults(engine: Engine, functions: Functions, monkeypatch: pytest.MonkeyPatch) -> Faults:
    """Every call of the functions to tables, secrets, phones and the gateway passes through this."""
    between = Faults()
    for module in ("notify.on_violation", "notify.send_sms", "notify.sweep", "query.ports", "pay.ports"):
        monkeypatch.setattr(f"{module}.FastClient", lambda: between.through(engine.fast()))
    for thing, name in [
        (functions.phones, "send"),
        *((functions.gateway, name) for name in ("order", "get_order", "close", "refund")),
    ]:
        monkeypatch.setattr(thing, name, between.through(getattr(thing, name)))
    return between
