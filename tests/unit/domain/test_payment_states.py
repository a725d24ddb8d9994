"""The states of a payment: where each leads, and which are ends."""

from __future__ import annotations

from itertools import chain

from shared.domain import payment
from shared.domain.payment import LIVE, TRANSITIONS

STATES = {
    payment.CREATED,
    payment.PENDING,
    payment.PAID,
    payment.FAILED,
    payment.EXPIRED,
    payment.REVIEW,
}


def test_every_state_can_be_reached_and_is_named() -> None:
    reached = {payment.CREATED}
    for _ in STATES:
        reached |= set(chain.from_iterable(TRANSITIONS[state] for state in reached))
    assert reached == STATES == set(TRANSITIONS)


def test_every_way_has_a_cause_and_none_leads_back() -> None:
    for state, following in TRANSITIONS.items():
        assert all(following.values())
        assert state not in following
        assert payment.CREATED not in following


def test_an_end_has_no_way_out_and_everything_else_is_asked_about() -> None:
    ends = {payment.PAID, payment.FAILED, payment.EXPIRED, payment.REVIEW}
    assert {state for state, following in TRANSITIONS.items() if not following} == ends
    assert {payment.CREATED, payment.PENDING} == LIVE


def test_whatever_is_live_can_still_be_paid_and_can_still_end_unpaid() -> None:
    for state in LIVE:
        assert {payment.PAID, payment.FAILED, payment.EXPIRED, payment.REVIEW} <= set(TRANSITIONS[state])
