"""A proven owner waits at most one gateway page for what somebody with less right to the plate holds."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.domain.violation import Violation
from tests.support import lambda_events as events
from tests.support.asking import ASKED, TYPED
from tests.support.build import registration, store, violation
from tests.support.functions import Functions, Reply, run
from tests.support.payment_requests import payment_body

OWNER, HOLDER = {"sub": "owner"}, {"sub": "holder"}
CARD = {"type": "registration", "number": "AB-12345"}
ONE_PAGE = timedelta(minutes=35)


@pytest.fixture
def subject(functions: Functions) -> Violation:
    """A fine of a plate that one has proved theirs."""
    functions.registry.write([registration("AB12345")])
    assert functions.link({**ASKED, "proof": CARD}, claims=OWNER).body["proven"] is True
    subject = violation()
    store(functions.violations, subject)
    return subject


def pay(functions: Functions, subject: Violation, who: dict[str, str], key: str = "key-00000001") -> Reply:
    return functions.pay(payment_body(subject), key, claims=who)


def held(functions: Functions, subject: Violation, who: dict[str, str] = HOLDER) -> str:
    functions.ask({"plate": TYPED, "sms": False}, claims=who)
    reply = pay(functions, subject, who)
    assert reply.status == 201, reply.body
    payment_id: str = reply.body["payment_id"]
    return payment_id


def poll(functions: Functions) -> None:
    functions.clock.forward(minutes=3)
    run("pay.poll_gateways", events.schedule())


def test_the_owner_pays_and_who_held_it_is_told_that_nothing_was_taken(
    functions: Functions, subject: Violation
) -> None:
    payment_id = held(functions, subject)
    waits = pay(functions, subject, OWNER)
    assert (waits.status, waits.body["code"], waits.headers["retry-after"]) == (409, "owner_first", "180")
    poll(functions)
    displaced = functions.payment(payment_id, claims=HOLDER).body
    assert (displaced["status"], displaced["note"]) == (
        "cancelled",
        "This payment was closed because the vehicle's owner pays: nothing was taken from you",
    )
    again = functions.pay(payment_body(subject), "key-00000002", claims=HOLDER)
    assert again.errors == [("violations.0", "violation_in_payment")], "it is kept for the owner"
    assert pay(functions, subject, OWNER).status == 201


def test_money_that_is_quicker_settles_it_for_who_paid(functions: Functions, subject: Violation) -> None:
    payment_id = held(functions, subject)
    assert pay(functions, subject, OWNER).status == 409
    functions.gateway.says(payment_id)
    poll(functions)
    assert functions.payment(payment_id, claims=HOLDER).body["status"] == "paid"
    assert pay(functions, subject, OWNER).errors == [("violations.0", "violation_paid")]


def test_an_order_that_stays_open_ends_within_one_page(functions: Functions, subject: Violation) -> None:
    functions.gateway.under_way.add(held(functions, subject))
    began, waits = functions.clock.at, pay(functions, subject, OWNER)
    while waits.status == 409:
        poll(functions)
        waits = pay(functions, subject, OWNER)
    assert waits.status == 201
    assert timedelta(minutes=15) < functions.clock.at - began <= ONE_PAGE


@pytest.mark.parametrize("who", ["linked", "looked up"])
def test_nobody_else_takes_over(functions: Functions, subject: Violation, who: str) -> None:
    held(functions, subject)
    other = {"sub": "other"}
    functions.ask({"plate": TYPED, "sms": False}, claims=other)
    if who == "linked":
        functions.link(ASKED, claims=other)
    assert pay(functions, subject, other).errors == [("violations.0", "violation_in_payment")]


def test_nor_does_an_owner_from_another_owner(functions: Functions, subject: Violation) -> None:
    family = {"sub": "family"}
    assert functions.link({**ASKED, "proof": CARD}, claims=family).body["proven"] is True
    assert pay(functions, subject, family).status == 201
    assert pay(functions, subject, OWNER).errors == [("violations.0", "violation_in_payment")]


def test_what_was_taken_over_and_never_paid_is_anybodys_again(functions: Functions, subject: Violation) -> None:
    held(functions, subject)
    assert pay(functions, subject, OWNER).status == 409
    poll(functions)
    functions.clock.forward(minutes=50)
    functions.ask({"plate": TYPED, "sms": False}, claims=HOLDER)
    assert functions.pay(payment_body(subject), "key-00000002", claims=HOLDER).status == 201


def test_an_owner_whose_proof_has_ended_takes_nothing_over(functions: Functions, subject: Violation) -> None:
    held(functions, subject)
    functions.registry.write([registration("NEW54321", at="2026-11-10", dated=True)])
    assert pay(functions, subject, OWNER).errors == [("violations.0", "violation_in_payment")]
