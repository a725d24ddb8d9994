"""The sandbox gateway misbehaving on request: what each fault looks like to a merchant."""

from __future__ import annotations

import json
from typing import Any

import pytest
from local_servers import SECRET, Local, Upstream, eventually

from infra.local.gateway.faults import COMES_AGAIN, COMES_LATE, FAILS, FALLS_SILENT, IS_LOST, IS_SLOW, LIES, Faults

GATEWAY = "/_local/gateway"
KEY = {"Authorization": f"Bearer {SECRET['api_key']}"}


@pytest.fixture
def fault(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets what goes wrong from now on."""
    monkeypatch.setattr(Faults, "be_slow", lambda self: None)
    monkeypatch.setattr(Faults, "delay", lambda self: 0.05)

    def set_to(name: str, *kinds: str | None) -> None:
        left = list(kinds)
        monkeypatch.setattr(Faults, name, lambda self: left.pop(0) if left else None)

    return set_to


def create(local: Local, upstream: Upstream, reference: str) -> Any:
    order = {
        "reference": reference,
        "amount": 150_000,
        "currency": "IQD",
        "description": "2",
        "callback_url": f"{upstream.url}/v1/callbacks/sandbox",
        "return_url": "http://127.0.0.1:9/back",
        "expires_at": "2099-01-01T00:00:00+00:00",
    }
    return local.client("POST", f"{GATEWAY}/v1/payments", order, KEY)


def order(local: Local, reference: str) -> Any:
    return local.client("GET", f"{GATEWAY}/v1/payments?reference={reference}", headers=KEY)


def test_a_failure_has_no_effect(local: Local, upstream: Upstream, fault: Any) -> None:
    fault("of_call", FAILS)
    assert create(local, upstream, "pay-1").status == 500
    assert order(local, "pay-1").status == 404


@pytest.mark.parametrize(("kind", "status"), [(FALLS_SILENT, 504), (IS_SLOW, 201)])
def test_a_silence_comes_after_the_effect(local: Local, upstream: Upstream, fault: Any, kind: str, status: int) -> None:
    fault("of_call", kind)
    assert create(local, upstream, "pay-1").status == status
    assert order(local, "pay-1").status == 200


def test_a_lie_tells_of_some_order(local: Local, upstream: Upstream, fault: Any) -> None:
    create(local, upstream, "pay-1")
    fault("of_call", LIES)
    assert order(local, "none").json()["reference"] == "pay-1"
    assert order(local, "none").status == 404


def told(upstream: Upstream) -> list[str]:
    bodies = [json.loads(seen.body) for seen in upstream.seen if seen.target == "/v1/callbacks/sandbox"]
    return [body["reference"] for body in bodies]


def test_a_callback_comes_again_or_late_or_never(local: Local, upstream: Upstream, fault: Any) -> None:
    # Callbacks go from a thread of their own, first come first: what befalls each is set before the first.
    fault("of_callback", IS_LOST, COMES_AGAIN, None, COMES_LATE)
    create(local, upstream, "pay-1")
    local.client("POST", f"{GATEWAY}/pay-1/pay")
    create(local, upstream, "pay-2")
    local.client("POST", f"{GATEWAY}/pay-2/pay")
    eventually(lambda: told(upstream) == ["pay-2", "pay-2"])
    create(local, upstream, "pay-3")
    local.client("POST", f"{GATEWAY}/pay-3/pay")
    eventually(lambda: told(upstream) == ["pay-2", "pay-2", "pay-3"])


@pytest.mark.parametrize(
    "body", [{}, {"rate": 2, "seed": 1}, {"rate": "1", "seed": 1}, {"rate": 0.5}, {"rate": -1, "seed": 1}]
)
def test_a_share_that_is_none_is_refused(local: Local, body: dict[str, Any]) -> None:
    assert local.client("POST", f"{GATEWAY}/faults", body).status == 422


def test_a_share_of_calls_goes_wrong_until_it_is_taken_back(local: Local, upstream: Upstream) -> None:
    assert local.client("POST", f"{GATEWAY}/faults", {"rate": 1, "seed": 7}).status == 200
    faults = Faults()
    faults.set(1, 7)
    first = faults.of_call()
    assert first in (FAILS, FALLS_SILENT, IS_SLOW, LIES)
    faults.set(1, 7)
    assert faults.of_call() == first
    assert local.client("POST", f"{GATEWAY}/faults", {"rate": 0, "seed": 7}).status == 200
    assert create(local, upstream, "pay-1").status == 201
