"""Another policy is another row: a discount at the start, or a clock that another date starts."""

from __future__ import annotations

from shared.domain.fine import BASE, DISCOUNTED, DOUBLED, STATED, Due, Facts, Policy, doubles_at, due

BEFORE = Policy("before", "2019-10-06", ("25/3",), 1, 2)
DISCOUNT = Policy("discount", "2027-01-01", ("25/3",), 1, 2, discount_percent=25, discount_days=10)
OCCURRED = Policy("occurred", "2027-01-01", ("25/3",), 1, 2, basis="occurred_at")
RECORDED = "2027-03-01T10:00:00+03:00"
FACTS = Facts(50_001, RECORDED, "25/3", occurred_at="2027-02-20T08:00:00+03:00")


def test_a_discount_ends_at_its_second_and_doubling_follows() -> None:
    policies = (BEFORE, DISCOUNT)
    until, doubles = "2027-03-11T10:00:00+03:00", "2027-04-01T10:00:00+03:00"
    assert due(FACTS, RECORDED, policies) == Due(37_501, DISCOUNTED, until, 50_001)
    assert due(FACTS, "2027-03-11T09:59:59+03:00", policies).amount == 37_501
    assert due(FACTS, until, policies) == Due(50_001, BASE, doubles, 100_002)
    assert due(FACTS, doubles, policies) == Due(100_002, DOUBLED)


def test_a_discount_is_not_for_fines_of_before_it() -> None:
    facts = FACTS._replace(recorded_at="2026-12-31T23:59:59+03:00")
    assert due(facts, "2027-01-02T00:00:00+03:00", (BEFORE, DISCOUNT)).stage == BASE


def test_an_amount_that_the_directorate_stated_has_no_discount() -> None:
    facts = FACTS._replace(stated=40_000, stated_at="2027-03-02T00:00:00+03:00")
    assert due(facts, "2027-03-03T00:00:00+03:00", (DISCOUNT,)) == Due(
        40_000, STATED, "2027-04-01T10:00:00+03:00", 80_000
    )


def test_a_discount_longer_than_the_month_is_none() -> None:
    policy = DISCOUNT._replace(discount_days=60)
    assert due(FACTS, RECORDED, (policy,)).stage == BASE


def ends(facts: Facts, *policies: Policy) -> str | None:
    return doubles_at(facts.legal_ref, facts.recorded_at, facts.occurred_at or facts.recorded_at, policies)


def test_another_date_can_start_the_clock() -> None:
    assert ends(FACTS, OCCURRED) == "2027-03-20T08:00:00+03:00"
    assert ends(FACTS, BEFORE) == "2027-04-01T10:00:00+03:00"
    assert due(FACTS, "2027-03-20T08:00:00+03:00", (OCCURRED,)) == Due(100_002, DOUBLED)


def test_the_date_that_starts_the_clock_decides_which_policy_applies() -> None:
    facts = FACTS._replace(occurred_at="2026-12-31T08:00:00+03:00")
    assert ends(facts, BEFORE, OCCURRED) == "2027-04-01T10:00:00+03:00"
