"""Payments, or one gateway's, are paused by the operator or by its silence: none is begun, and all else goes on."""

from __future__ import annotations

import pytest

from pay.gateways import NotReachedError, RefusedError, UnknownError
from pay.gateways.offers import OFFERS
from shared.clock import now
from shared.domain.violation import Violation
from shared.stores.outages import MAX_FAILURES
from shared.stores.pausing import PAYMENTS, Pausing
from tests.support.asking import TYPED
from tests.support.build import follow, store, violation
from tests.support.functions import Functions


@pytest.fixture
def switch(functions: Functions) -> Pausing:
    return Pausing(functions.violations._call, functions.tables["Payments"])


def test_a_pause_stops_what_is_not_begun_and_nothing_else(functions: Functions, switch: Pausing) -> None:
    follow(functions.citizens)
    first, second = violation(), violation()
    store(functions.violations, first, second)

    def body_of(violation_no: str) -> dict[str, object]:
        return {"violations": [violation_no], "gateway": "sandbox", "return_url": "https://tf.ur.gov.iq/paid"}

    begun = functions.pay(body_of(first.violation_no), "key-00000001")
    assert begun.status == 201
    switch.pause(PAYMENTS, now(), "the gateway is away")

    refused = functions.pay(body_of(second.violation_no), "key-00000002")

    assert (refused.status, refused.body["code"], refused.headers["retry-after"]) == (503, "payments_paused", "600")
    payment_id = begun.body["payment_id"]
    assert functions.payment(payment_id).body["status"] == "pending"
    functions.gateway.says(payment_id)
    assert functions.callback(payment_id).status == 200
    assert functions.payment(payment_id).body["status"] == "paid"
    switch.resume(PAYMENTS)
    assert functions.pay(body_of(second.violation_no), "key-00000002").status == 201


def body_by(gateway: str, violation_no: str) -> dict[str, object]:
    return {"violations": [violation_no], "gateway": gateway, "return_url": "https://tf.ur.gov.iq/paid"}


def shown(functions: Functions) -> dict[str, bool]:
    """Which gateways are open, in the order in which they are listed, as a minute later everybody sees."""
    functions.clock.forward(minutes=1)
    reply = functions.call("pay.api", "GET /v1/gateways", claims={})
    assert reply.status == 200
    assert all(set(each["name"]) == {"ar", "ckb", "en"} for each in reply.body["items"])
    return {each["gateway"]: each["open"] for each in reply.body["items"]}


@pytest.fixture
def subject(functions: Functions, monkeypatch: pytest.MonkeyPatch) -> Violation:
    monkeypatch.setenv("GATEWAYS", "sandbox,fib")
    follow(functions.citizens)
    subject = violation()
    store(functions.violations, subject)
    return subject


def test_one_gateway_is_paused_and_shown_last(functions: Functions, switch: Pausing, subject: Violation) -> None:
    assert shown(functions) == {"sandbox": True, "fib": True}
    switch.pause("sandbox", now(), "the bank asks for it")
    assert list(shown(functions).items()) == [("fib", True), ("sandbox", False)]
    reply = functions.pay(body_by("sandbox", subject.violation_no))
    assert (reply.status, reply.errors) == (422, [("gateway", "gateway_closed")])
    switch.resume("sandbox")
    assert functions.pay(body_by("sandbox", subject.violation_no)).status == 201


def test_while_payments_are_paused_no_gateway_is_open(
    functions: Functions, switch: Pausing, subject: Violation
) -> None:
    switch.pause(PAYMENTS, now(), "the tables are away")
    assert shown(functions) == {"sandbox": False, "fib": False}


@pytest.mark.parametrize("fault", [UnknownError("no answer"), NotReachedError("unreachable")])
def test_a_gateway_that_does_not_answer_is_closed_for_a_while(
    functions: Functions, switch: Pausing, subject: Violation, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    def order(self: object, order: object) -> None:
        raise fault

    counted: list[str] = []
    monkeypatch.setattr("pay.api.count", counted.append)
    with monkeypatch.context() as away:
        away.setattr(type(functions.gateway), "order", order)
        for number in range(MAX_FAILURES):
            another = violation()
            store(functions.violations, another)
            claims = {"sub": f"ur-{number}"}
            functions.ask({"plate": TYPED}, claims=claims)
            reply = functions.pay(body_by("sandbox", another.violation_no), f"key-0000000{number}", claims=claims)
            assert reply.status in (202, 502)
    assert counted.count("GatewaySilent") == MAX_FAILURES
    assert counted.count("GatewaysAway") == 1
    assert shown(functions) == {"fib": True, "sandbox": False}
    reply = functions.pay(body_by("sandbox", subject.violation_no))
    assert (reply.status, reply.errors) == (422, [("gateway", "gateway_closed")])
    functions.clock.forward(minutes=10)
    assert shown(functions) == {"sandbox": True, "fib": True}
    assert functions.pay(body_by("sandbox", subject.violation_no)).status == 201


def test_what_a_gateway_refuses_closes_it_to_nobody_else(
    functions: Functions, subject: Violation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def order(self: object, order: object) -> None:
        raise RefusedError("not_this_one")

    with monkeypatch.context() as refusing:
        refusing.setattr(type(functions.gateway), "order", order)
        for number in range(MAX_FAILURES + 1):
            assert functions.pay(body_by("sandbox", subject.violation_no), f"key-0000000{number}").status == 502
    assert shown(functions) == {"sandbox": True, "fib": True}


def test_a_gateway_takes_no_less_than_it_says(
    functions: Functions, subject: Violation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(OFFERS, "sandbox", OFFERS["sandbox"]._replace(least=subject.amount + 1))
    reply = functions.pay(body_by("sandbox", subject.violation_no))
    assert (reply.status, reply.errors) == (422, [("gateway", "amount_not_taken")])
    monkeypatch.setitem(OFFERS, "sandbox", OFFERS["sandbox"]._replace(least=subject.amount, most=subject.amount))
    assert functions.pay(body_by("sandbox", subject.violation_no)).status == 201


def test_what_is_closed_is_read_once_a_minute(functions: Functions, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[object] = []
    monkeypatch.setattr(Pausing, "closed", lambda self, at: read.append(at) or frozenset())
    functions.clock.forward(minutes=1)
    for _ in range(5):
        functions.call("pay.api", "GET /v1/gateways", claims={})
    assert len(read) == 1
