"""The sandbox gateway over HTTP: what an answer, a refusal and a silence mean for a payment."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pay.gateways import Closing, Keys, Order, OrderRequest, OrderStatus, Page, Refund, RefusedError, UnknownError
from pay.gateways.sandbox import Sandbox
from tests.support.fault_server import HANGS_UP_AFTER_READING, HANGS_UP_AT_ONCE, FaultServer, Step, says

ORDER = OrderRequest(
    "p1",
    75_000,
    "IQD",
    "Gharama 2",
    "ar",
    "https://api.example/v1/callbacks/sandbox",
    "https://tf.ur.gov.iq/",
    "2026-11-20T12:15:00+03:00",
)
TAKEN = {
    "id": "g1",
    "reference": "p1",
    "status": "created",
    "amount": 75_000,
    "currency": "IQD",
    "pay_url": "https://g/1",
}


def sandbox(server: FaultServer) -> Sandbox:
    return Sandbox(server.url, lambda: Keys({"api_key": "merchant"}))


def answers(status: int, body: Any) -> Step:
    return says(status, json.dumps(body).encode(), {"content-type": "application/json"}, close=True)


SILENCE = {
    "500": answers(500, {}),
    "503": says(503, b"<html>", close=True),
    "a page": says(200, b"<html>", close=True),
    "another shape": answers(200, {}),
    "a list": answers(200, []),
    "hangs up at once": HANGS_UP_AT_ONCE,
    "hangs up after reading": HANGS_UP_AFTER_READING,
}


@pytest.mark.parametrize("status", [200, 201])
def test_an_order_is_placed_with_the_merchants_key(status: int) -> None:
    with FaultServer([answers(status, TAKEN)]) as server:
        assert sandbox(server).order(ORDER) == Page("g1", "https://g/1")
        (request,) = server.received
    assert request.headers["authorization"] == "Bearer merchant"
    assert json.loads(request.body) == {
        "reference": "p1",
        "amount": 75_000,
        "currency": "IQD",
        "description": "Gharama 2",
        "callback_url": ORDER.callback_url,
        "return_url": ORDER.return_url,
        "expires_at": ORDER.expires_at,
    }


@pytest.mark.parametrize("status", [400, 401, 409, 422])
def test_a_refusal_is_one(status: int) -> None:
    with FaultServer([answers(status, {"error": "no"})]) as server, pytest.raises(RefusedError, match=f"http_{status}"):
        sandbox(server).order(ORDER)


@pytest.mark.parametrize("step", SILENCE.values(), ids=SILENCE)
def test_whatever_is_no_answer_leaves_an_order_unknown_and_is_not_tried_again(step: Step) -> None:
    with FaultServer([step]) as server:
        with pytest.raises(UnknownError):
            sandbox(server).order(ORDER)
        assert len(server.received) <= 1


@pytest.mark.parametrize("step", [*SILENCE.values(), answers(200, {**TAKEN, "status": "odd"})], ids=[*SILENCE, "odd"])
def test_whatever_is_no_answer_leaves_an_order_unknown(step: Step) -> None:
    with FaultServer([step]) as server, pytest.raises(UnknownError):
        sandbox(server).get_order("p1", "g1")


@pytest.mark.parametrize("status", [401, 403, 429])
def test_a_refusal_to_say_is_no_order(status: int) -> None:
    with FaultServer([answers(status, {"error": "no"})]) as server, pytest.raises(UnknownError):
        sandbox(server).get_order("p1", "g1")


def test_nobody_there_is_unknown() -> None:
    with FaultServer([]) as gone:
        pass
    with pytest.raises(UnknownError):
        sandbox(gone).get_order("p1", "g1")


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ("created", OrderStatus.UNPAID),
        ("paid", OrderStatus.PAID),
        ("failed", OrderStatus.FAILED),
        ("expired", OrderStatus.EXPIRED),
        ("refunded", OrderStatus.REFUNDED),
    ],
)
def test_each_status_is_read(said: str, state: str) -> None:
    with FaultServer([answers(200, {**TAKEN, "status": said})]) as server:
        assert sandbox(server).get_order("p1", "g1") == Order("p1", "g1", state, 75_000, "IQD")


def test_an_order_that_the_gateway_does_not_know_is_none() -> None:
    with FaultServer([answers(404, {})]) as server:
        assert sandbox(server).get_order("p1", "g1") is None


REFUND = Refund("r1", "p1", "g1", 25_000, "paid_late")


def test_money_is_given_back_under_a_number_of_its_own() -> None:
    with FaultServer([answers(200, {"status": "refunded"})]) as server:
        assert sandbox(server).refund(REFUND) == OrderStatus.REFUNDED
        (request,) = server.received
    assert json.loads(request.body) == {"reference": "r1", "amount": 25_000}


@pytest.mark.parametrize("status", [401, 404, 409, 422])
def test_a_refusal_to_give_back_is_one(status: int) -> None:
    with FaultServer([answers(status, {})]) as server, pytest.raises(RefusedError, match=f"http_{status}"):
        sandbox(server).refund(REFUND)


@pytest.mark.parametrize("step", SILENCE.values(), ids=SILENCE)
def test_whatever_is_no_answer_leaves_a_refund_unknown(step: Step) -> None:
    with FaultServer([step]) as server, pytest.raises(UnknownError):
        sandbox(server).refund(REFUND)


@pytest.mark.parametrize(
    ("status", "said"), [(200, Closing.CLOSED), (404, Closing.CLOSED), (409, Closing.OPEN), (401, Closing.OPEN)]
)
def test_an_order_is_closed_or_not_there_or_open(status: int, said: Closing) -> None:
    with FaultServer([answers(status, {})]) as server:
        assert sandbox(server).close("p1", "g1") == said


@pytest.mark.parametrize("step", [SILENCE["500"], SILENCE["a page"], SILENCE["hangs up at once"]])
def test_a_silence_leaves_it_unknown_whether_an_order_is_closed(step: Step) -> None:
    with FaultServer([step]) as server:
        assert sandbox(server).close("p1", "g1") == Closing.UNKNOWN


def test_an_order_is_asked_about_by_the_gateways_id_where_ours_is_not_known() -> None:
    with FaultServer([answers(200, {**TAKEN, "status": "paid"})]) as server:
        assert sandbox(server).get_order(None, "g1") == Order("p1", "g1", OrderStatus.PAID, 75_000, "IQD")
