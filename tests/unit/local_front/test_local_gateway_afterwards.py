"""The sandbox gateway after an order's end, and where it does not do what the merchant asks for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from local_servers import SECRET, Answer, Local, Upstream, eventually

GATEWAY = "/_local/gateway"
KEY = {"Authorization": f"Bearer {SECRET['api_key']}"}


@pytest.fixture
def order(local: Local, upstream: Upstream) -> dict[str, Any]:
    asked = {
        "reference": "pay-1",
        "amount": 150_000,
        "currency": "IQD",
        "description": "2",
        "callback_url": f"{upstream.url}/v1/callbacks/sandbox",
        "return_url": "http://127.0.0.1:9/back",
        "expires_at": "2099-01-01T00:00:00+00:00",
    }
    return dict(local.client("POST", f"{GATEWAY}/v1/payments", asked, KEY).json())


def step(local: Local, outcome: str) -> Answer:
    return local.client("POST", f"{GATEWAY}/pay-1/{outcome}")


def cancel(local: Local) -> Answer:
    return local.client("POST", f"{GATEWAY}/v1/payments/cancel?reference=pay-1", headers=KEY)


def look(local: Local) -> Answer:
    return local.client("GET", f"{GATEWAY}/v1/payments?reference=pay-1", headers=KEY)


def told(upstream: Upstream) -> list[str]:
    seen = [each for each in upstream.seen if each.target == "/v1/callbacks/sandbox"]
    return [json.loads(each.body)["status"] for each in seen]


@pytest.mark.parametrize(
    ("steps", "statuses"),
    [
        (["pay", "return_money"], ["paid", "refunded"]),
        (["pay", "return_money", "bounce"], ["paid", "refunded", "paid"]),
        (["fail", "late"], ["failed", "paid"]),
        (["expire", "late", "return_money"], ["expired", "paid", "refunded"]),
    ],
)
@pytest.mark.usefixtures("order")
def test_what_becomes_of_an_order_after_its_end_is_told(
    local: Local, upstream: Upstream, steps: list[str], statuses: list[str]
) -> None:
    for outcome, status in zip(steps, statuses, strict=True):
        before = len(told(upstream))
        answer = step(local, outcome)
        assert (answer.status, answer.json()["status"]) == (200, status)
        eventually(lambda count=before + 1: len(told(upstream)) == count)
    assert step(local, steps[-1]).status == 200, "again the same"
    assert told(upstream) == statuses


@pytest.mark.parametrize("outcome", ["late", "return_money", "bounce"])
@pytest.mark.usefixtures("order")
def test_an_order_that_is_open_has_no_afterwards(local: Local, outcome: str) -> None:
    assert step(local, outcome).status == 409
    assert look(local).json()["status"] == "created"


@pytest.mark.usefixtures("order")
def test_an_order_that_is_being_confirmed_is_not_closed_and_can_be_paid(local: Local) -> None:
    assert step(local, "refuse_close").status == 200
    answer = cancel(local)
    assert (answer.status, answer.json()["error"]["code"]) == (409, "in_progress")
    assert step(local, "pay").json()["status"] == "paid"


def test_of_a_silent_order_nothing_is_said_until_it_speaks(
    local: Local, upstream: Upstream, order: dict[str, Any]
) -> None:
    step(local, "silent")
    assert step(local, "pay").status == 200
    assert look(local).status == cancel(local).status == 504
    by_id = f"{GATEWAY}/v1/payments/{order['id']}"
    assert local.client("GET", by_id, headers=KEY).status == 504
    assert local.client("POST", f"{by_id}/refunds", {"reference": "r", "amount": 1}, KEY).status == 504
    step(local, "speak")
    assert look(local).json()["status"] == "paid"
    assert told(upstream) == []
