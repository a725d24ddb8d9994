"""The states of a payment: where each leads, which are ends, and what may lead out of an end."""

from __future__ import annotations

from itertools import chain, product

import pytest

from shared.domain.payment import CORRECTIONS, GIVEN_UP, LIVE, TRANSITIONS, Line, Payment, PaymentStatus, may_change

STATES = {
    PaymentStatus.CREATED,
    PaymentStatus.PENDING,
    PaymentStatus.PAID,
    PaymentStatus.FAILED,
    PaymentStatus.CANCELLED,
    PaymentStatus.EXPIRED,
    PaymentStatus.REVIEW,
    PaymentStatus.REFUND_DUE,
    PaymentStatus.REFUNDED,
}
ENDS = {
    PaymentStatus.PAID,
    PaymentStatus.FAILED,
    PaymentStatus.CANCELLED,
    PaymentStatus.EXPIRED,
    PaymentStatus.REFUNDED,
}


def test_every_state_can_be_reached_and_is_named() -> None:
    reached = {PaymentStatus.CREATED}
    for _ in STATES:
        reached |= set(chain.from_iterable(TRANSITIONS[state] for state in reached))
    assert reached == STATES == set(TRANSITIONS)


def test_every_way_has_a_cause_and_none_leads_back() -> None:
    for state, following in TRANSITIONS.items():
        assert all(following.values())
        assert not {state, PaymentStatus.CREATED, PaymentStatus.PENDING} & set(following) - {PaymentStatus.PENDING}
    assert [state for state, following in TRANSITIONS.items() if PaymentStatus.PENDING in following] == [
        PaymentStatus.CREATED
    ]


def test_an_end_has_no_way_out_but_by_a_correction() -> None:
    assert {state for state, following in TRANSITIONS.items() if not following} == ENDS
    for name, (sources, target, cause) in CORRECTIONS.items():
        assert sources <= ENDS, name
        assert target not in ENDS or target in (PaymentStatus.REFUNDED, PaymentStatus.PAID), name
        assert cause, name


def test_whatever_is_live_can_still_be_paid_and_can_still_end_unpaid() -> None:
    assert {PaymentStatus.CREATED, PaymentStatus.PENDING} == LIVE
    for state in LIVE:
        assert {
            PaymentStatus.PAID,
            PaymentStatus.REFUND_DUE,
            PaymentStatus.REVIEW,
        } | GIVEN_UP <= set(TRANSITIONS[state])


@pytest.mark.parametrize(("before", "after"), list(product(sorted(STATES), repeat=2)))
def test_only_the_tables_and_a_named_correction_lead_anywhere(before: str, after: str) -> None:
    assert may_change(before, after) == (after in TRANSITIONS[before])
    for name, correction in CORRECTIONS.items():
        assert may_change(before, after, name) == (before in correction.sources and after == correction.target)


def test_a_payments_money_is_settled_or_goes_back() -> None:
    lines = (Line("V1", 50_000, "P", "7", ""), Line("V2", 25_000, "P", "7", ""))
    made = Payment("p1", "sub", "sandbox", PaymentStatus.CREATED, lines, 75_000, "", "", "")
    assert (made.settled, made.surplus) == (0, 0)
    late = made._replace(received=75_000)
    assert (late.settled, late.surplus) == (0, 75_000)
    paid = late._replace(receipt_no="GH-1")
    assert (paid.settled, paid.surplus) == (75_000, 0)
    partly = paid._replace(returned=("V1",))
    assert (partly.settled, partly.surplus) == (25_000, 50_000)
