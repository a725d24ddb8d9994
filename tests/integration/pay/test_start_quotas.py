"""Holding others' fines has a bound: payments begun in a day, and holds of one violation that are let go unpaid."""

from __future__ import annotations

import pytest

from pay.gateways import OrderStatus, RefusedError, UnknownError
from shared.domain.violation import Violation
from tests.support import lambda_events as events
from tests.support.asking import ASKED, TYPED
from tests.support.build import registration, store, violation
from tests.support.functions import Functions, Reply, run
from tests.support.payment_requests import payment_body

HOLDER = {"sub": "holder"}


@pytest.fixture
def subject(functions: Functions) -> Violation:
    subject = violation()
    store(functions.violations, subject)
    return subject


def pay(functions: Functions, subject: Violation, number: int) -> Reply:
    functions.ask({"plate": TYPED, "sms": False}, claims=HOLDER)
    return functions.pay(payment_body(subject), f"key-{number:08}", claims=HOLDER)


def hold_and_cancel(functions: Functions, subject: Violation, number: int) -> None:
    started = pay(functions, subject, number)
    assert started.status == 201, started.body
    assert functions.cancel(started.body["payment_id"], claims=HOLDER).status == 200


@pytest.mark.parametrize(("relation", "most"), [("looked up", 2), ("linked", 4)])
def test_one_violation_is_let_go_so_often_a_day(
    functions: Functions, subject: Violation, relation: str, most: int
) -> None:
    if relation == "linked":
        functions.link(ASKED, claims=HOLDER)
    for number in range(most):
        hold_and_cancel(functions, subject, number)
    refused = pay(functions, subject, most)
    assert (refused.status, refused.body["code"]) == (429, "holds_quota")
    assert 0 < int(refused.headers["retry-after"]) <= 12 * 3600
    other = violation()
    store(functions.violations, other)
    assert pay(functions, other, 90).status == 201, "another violation can be paid"
    functions.clock.forward(hours=12)
    hold_and_cancel(functions, subject, 91)
    assert pay(functions, subject, 92).status == 201, "the next day begins anew"


def test_who_has_proved_it_lets_it_go_as_often_as_they_like(functions: Functions, subject: Violation) -> None:
    functions.registry.write([registration("AB12345")])
    proof = {"proof": {"type": "registration", "number": "AB-12345"}}
    assert functions.link({**ASKED, **proof}, claims=HOLDER).body["proven"] is True
    for number in range(6):
        hold_and_cancel(functions, subject, number)


def test_what_expires_counts_like_what_is_cancelled(functions: Functions, subject: Violation) -> None:
    for number in range(2):
        assert pay(functions, subject, number).status == 201
        functions.clock.forward(minutes=20)
        run("pay.poll_gateways", events.schedule())
    assert pay(functions, subject, 2).body["code"] == "holds_quota"


def test_what_a_gateway_declines_or_refuses_does_not(
    functions: Functions, subject: Violation, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        declined = pay(functions, subject, number).body["payment_id"]
        functions.gateway.says(declined, OrderStatus.FAILED)
        functions.callback(declined, status=OrderStatus.FAILED)
    with monkeypatch.context() as refusing:

        def order(self: object, order: object) -> None:
            raise RefusedError("not_this_one")

        refusing.setattr(type(functions.gateway), "order", order)
        for number in range(10, 22):
            assert pay(functions, subject, number).status == 502
    assert pay(functions, subject, 30).status == 201


def test_what_a_gateway_leaves_unanswered_does_not(functions: Functions, subject: Violation) -> None:
    for number in range(3):
        functions.gateway.refusal = UnknownError("no answer")
        assert pay(functions, subject, number).status == 202
        functions.gateway.refusal = None
        functions.clock.forward(minutes=20)
        run("pay.poll_gateways", events.schedule())
    assert pay(functions, subject, 3).status == 201


def test_ten_are_begun_a_day_and_repeats_of_a_key_are_one(functions: Functions) -> None:
    subjects = [violation() for _ in range(11)]
    store(functions.violations, *subjects)
    for number, subject in enumerate(subjects[:10]):
        hold_and_cancel(functions, subject, number)
        pay(functions, subject, number)
    refused = pay(functions, subjects[10], 10)
    assert (refused.status, refused.body["code"]) == (429, "starts_quota")
    functions.clock.forward(hours=12)
    assert pay(functions, subjects[10], 11).status == 201
