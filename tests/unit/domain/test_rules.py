"""Another answer of the directorate is another value: the start and length of the period, and windows of less."""

from __future__ import annotations

from typing import Any

import pytest

from shared.domain.fine import (
    BASE,
    DISCOUNTED,
    DOUBLED,
    STATED,
    Due,
    Facts,
    InWindow,
    Notice,
    Outlook,
    chosen,
    due,
    earliest,
    rise,
)
from shared.domain.rules import Period, Policy, Rules, Window
from shared.policies import RULES

MONTH = Period("recorded", months=1)
BEFORE = Policy("before", "8/2019", "2019-10-06", ("25/3",), MONTH)
OCCURRED = BEFORE._replace(id="occurred", valid_from="2027-01-01", period=Period("occurred", months=1))
NOTIFIED = BEFORE._replace(id="notified", valid_from="2027-01-01", period=Period("notified", days=30))
RECORDED = "2027-03-01T10:00:00+03:00"
DEADLINE = "2027-04-01T10:00:00+03:00"
FACTS = Facts(50_001, RECORDED, "25/3", occurred_at="2027-02-20T08:00:00+03:00", family="DE#")
KURDISTAN = FACTS._replace(family="KR#")


def window(begins: str, until: str, ends: str, **fields: Any) -> Window:
    return Window("w", f"{begins}T00:00:00+03:00", f"{ends}T00:00:00+03:00", until, **fields)


MARCH = window("2027-03-10", "2027-03-19", "2027-03-20")
MAY = window("2027-05-01", "2027-05-31", "2027-06-01")


def at(day: str, time: str = "00:00:00") -> str:
    return f"2027-{day}T{time}+03:00"


# ---------------------------------------------------------------- when a fine rises


def test_another_date_can_start_the_clock() -> None:
    rules = Rules([BEFORE, OCCURRED])
    assert due(FACTS, at("03-20", "07:59:59"), rules) == Due(50_001, BASE, at("03-20", "08:00:00"), 100_002)
    assert due(FACTS, at("03-20", "08:00:00"), rules) == Due(100_002, DOUBLED)


def test_the_date_that_starts_the_clock_decides_which_policy_applies() -> None:
    facts = FACTS._replace(occurred_at="2026-12-31T08:00:00+03:00")
    assert due(facts, RECORDED, Rules([BEFORE, OCCURRED])).changes_at == DEADLINE


def test_thirty_days_are_not_a_month() -> None:
    days = Rules([BEFORE._replace(period=Period("recorded", days=30))])
    assert due(FACTS, RECORDED, days).changes_at == at("03-31", "10:00:00")
    assert due(FACTS, RECORDED, Rules([BEFORE])).changes_at == DEADLINE


def test_what_counts_from_the_notice_does_not_rise_without_it() -> None:
    rules = Rules([BEFORE, NOTIFIED])
    assert due(FACTS, at("12-31"), rules) == Due(50_001, BASE)
    told = FACTS._replace(notified_at=at("03-05", "12:00:00"))
    assert due(told, RECORDED, rules).changes_at == at("04-04", "12:00:00")


def test_a_rule_that_multiplies_no_time_leaves_the_fine_as_it_is() -> None:
    assert due(FACTS, at("12-31"), Rules([BEFORE._replace(times=0)])) == Due(50_001, BASE)


def test_a_policy_is_for_its_plates_and_its_law() -> None:
    theirs = BEFORE._replace(id="theirs", law="86/2004", period=Period("occurred", days=30))
    rules = Rules([BEFORE._replace(families=("DE#",)), theirs._replace(families=("KR#",))])
    assert due(KURDISTAN, RECORDED, rules).changes_at == at("03-22", "08:00:00")
    assert due(FACTS, RECORDED, rules).changes_at == DEADLINE
    assert due(FACTS._replace(family="UN#"), RECORDED, rules).changes_at is None
    both = Rules([BEFORE, theirs])
    names = {
        None: "before",
        "25/3": "before",
        "المادة 25/3 من القانون 86 لسنة 2004": "theirs",
        "قانون 86/2004 المادة 25/3": "theirs",
        "المادة 25/3 من قانون المرور رقم 8 لسنة 2019": "before",
        "المادة 25/3 من القانون 7 لسنة 1999": "before",
    }
    for reference, name in names.items():
        policy = chosen(FACTS._replace(legal_ref=reference), both).policy
        assert policy is not None
        assert policy.id == name


def test_a_held_price_waits_and_the_directorates_own_date_does_not() -> None:
    held = at("04-02", "10:00:00")
    assert due(FACTS, DEADLINE, Rules([BEFORE]), held) == Due(50_001, BASE, held, 100_002)
    assert due(FACTS, held, Rules([BEFORE]), held) == Due(100_002, DOUBLED)
    assert due(FACTS, RECORDED, Rules([BEFORE]), at("03-02")).changes_at == DEADLINE
    dated = FACTS._replace(doubled_at=DEADLINE)
    assert due(dated, DEADLINE, Rules([BEFORE]), held) == Due(100_002, DOUBLED)


# ---------------------------------------------------------------- windows


def test_a_reduction_holds_from_its_first_second_to_its_last() -> None:
    rules = Rules([BEFORE], [MARCH._replace(percent_off=25)])
    inside = InWindow("w", "2027-03-19", 50_001)
    assert due(FACTS, at("03-09", "23:59:59"), rules) == Due(50_001, BASE, DEADLINE, 100_002)
    assert due(FACTS, at("03-10"), rules) == Due(37_501, DISCOUNTED, at("03-20"), 50_001, inside)
    assert due(FACTS, at("03-19", "23:59:59"), rules).window == inside
    assert due(FACTS, at("03-20"), rules) == Due(50_001, BASE, DEADLINE, 100_002)


def test_a_reduction_of_what_doubles_within_it_is_of_either_amount() -> None:
    rules = Rules([BEFORE], [window("2027-03-10", "2027-04-30", "2027-05-01", percent_off=20)])
    assert due(FACTS, at("03-10"), rules)[:4] == (40_001, DISCOUNTED, DEADLINE, 80_002)
    assert due(FACTS, DEADLINE, rules)[:4] == (80_002, DISCOUNTED, at("05-01"), 100_002)


def test_an_amnesty_undoes_the_doubling_for_a_while() -> None:
    rules = Rules([BEFORE], [MAY._replace(undo_doubling=True)])
    assert due(FACTS, at("04-30", "23:59:59"), rules) == Due(100_002, DOUBLED)
    amnesty = InWindow("w", "2027-05-31", 100_002)
    assert due(FACTS, at("05-01"), rules) == Due(50_001, BASE, at("06-01"), 100_002, amnesty)
    assert due(FACTS, at("06-01"), rules) == Due(100_002, DOUBLED)


@pytest.mark.parametrize("field", ["suspend_doubling", "undo_doubling"])
def test_what_would_double_within_a_window_doubles_at_its_end(field: str) -> None:
    rules = Rules([BEFORE], [window("2027-03-25", "2027-04-09", "2027-04-10", **{field: True})])
    assert due(FACTS, RECORDED, rules) == Due(50_001, BASE, at("04-10"), 100_002)
    assert due(FACTS, DEADLINE, rules) == Due(50_001, BASE, at("04-10"), 100_002, InWindow("w", "2027-04-09", 100_002))
    assert due(FACTS, at("04-10"), rules) == Due(100_002, DOUBLED)
    assert earliest(FACTS, rules) == at("04-10")


def test_a_suspension_leaves_what_has_doubled() -> None:
    rules = Rules([BEFORE], [MAY._replace(suspend_doubling=True)])
    assert due(FACTS, at("05-02"), rules) == Due(100_002, DOUBLED)


def test_a_window_is_for_its_plates_articles_and_days_of_recording() -> None:
    half = MAY._replace(percent_off=50)
    for other in (
        half._replace(families=("KR#",)),
        half._replace(articles=("25/1",)),
        half._replace(recorded_before="2027-03-01"),
    ):
        assert due(FACTS, at("05-02"), Rules([BEFORE], [other])) == Due(100_002, DOUBLED)
    for same in (half._replace(families=("DE#",)), half._replace(recorded_before="2027-03-02")):
        assert due(FACTS, at("05-02"), Rules([BEFORE], [same])).amount == 50_001


@pytest.mark.parametrize("reference", ["25", "25/3", "25/4", "25/ثالثاً/هـ", None])
def test_a_row_for_a_whole_article_is_for_each_of_its_clauses(reference: str | None) -> None:
    whole = MAY._replace(percent_off=20, articles=("25",))
    every = BEFORE._replace(articles=("25",))
    assert due(FACTS._replace(legal_ref=reference), at("05-02"), Rules([every], [whole])).amount == 80_002
    for other in ("2", "2/5", "250", "26/3"):
        assert due(FACTS._replace(legal_ref=other), at("05-02"), Rules([every], [whole])) == Due(50_001, BASE)


STATED_DOUBLED = FACTS._replace(stated=100_002, stated_at=at("04-15"))


@pytest.mark.parametrize(
    ("facts", "amount"),
    [
        # the directorate says when it doubled it: what it states is undone
        (STATED_DOUBLED._replace(doubled_at=DEADLINE), 50_001),
        (FACTS._replace(doubled_at=DEADLINE), 50_001),
        # it does not, or states a figure of its own: that wins
        (STATED_DOUBLED, 100_002),
        (STATED_DOUBLED._replace(stated_at=at("03-15")), 100_002),
        (STATED_DOUBLED._replace(doubled_at=DEADLINE, stated=75_000), 75_000),
        (FACTS._replace(stated=40_000, stated_at=RECORDED), 40_000),
    ],
)
def test_what_the_directorate_stated_as_doubled_is_undone_only_where_it_dates_it(facts: Facts, amount: int) -> None:
    assert due(facts, at("05-02"), Rules([BEFORE], [MAY._replace(undo_doubling=True)])).amount == amount


@pytest.mark.parametrize(
    ("stated", "amount"), [(50_001, 80_002), (100_002, 80_002), (75_000, 75_000), (40_000, 40_000), (0, 0)]
)
def test_a_reduction_is_not_taken_off_a_figure_of_the_directorates_own(stated: int, amount: int) -> None:
    facts = FACTS._replace(stated=stated, stated_at=at("04-15") if stated != 50_001 else RECORDED)
    asked = due(facts, at("05-02"), Rules([BEFORE], [MAY._replace(percent_off=20)]))
    assert asked.amount == amount
    assert (asked.stage == DISCOUNTED) is (stated in (50_001, 100_002))


def test_two_windows_follow_one_another() -> None:
    first = window("2027-03-25", "2027-04-09", "2027-04-10", suspend_doubling=True)
    second = window("2027-04-10", "2027-04-19", "2027-04-20", percent_off=10)._replace(id="second")
    steps = rise(FACTS, BEFORE, (first, second))
    assert [(step.at, step.amount, step.window and step.window.id) for step in steps] == [
        ("", 50_001, None),
        (DEADLINE, 50_001, "w"),
        (at("04-10"), 90_002, "second"),
        (at("04-20"), 100_002, None),
    ]


# ---------------------------------------------------------------- what people are told


def notice(facts: Facts, at: str, rules: Rules) -> Notice | None:
    return Outlook(facts, at, rules).notice()


READ = BEFORE._replace(readings=(Period("occurred", days=30),))
"""On 22 March by the other reading, on 1 April by its own."""


def test_where_readings_differ_the_earliest_day_is_told_and_the_amount_stays_the_rules() -> None:
    rules = Rules([READ])
    assert earliest(FACTS, rules) == at("03-22", "08:00:00")
    assert notice(FACTS, at("03-20", "23:59:59"), rules) == Notice("2027-03-22", False, 100_002)
    assert notice(FACTS, at("03-21"), rules) == Notice(None, False, 100_002)  # tomorrow
    assert notice(FACTS, at("03-22", "08:00:00"), rules) == Notice(None, False, 100_002)
    assert due(FACTS, at("03-25"), rules) == Due(50_001, BASE, DEADLINE, 100_002)
    assert notice(FACTS, DEADLINE, rules) is None


def test_where_they_agree_the_day_is_certain() -> None:
    same = FACTS._replace(occurred_at=at("03-02", "08:00:00"))
    assert notice(same, RECORDED, Rules([READ])) == Notice("2027-04-01", True, 100_002)
    assert notice(FACTS, at("03-31"), Rules([BEFORE])) == Notice("2027-04-01", True, 100_002)


def test_a_rule_without_its_date_may_still_rise_by_another_reading() -> None:
    rules = Rules([NOTIFIED._replace(readings=(MONTH,))])
    assert notice(FACTS, RECORDED, rules) == Notice("2027-04-01", False, 100_002)
    assert due(FACTS, at("12-31"), rules).amount == 50_001


def test_what_the_directorate_said_leaves_no_other_reading() -> None:
    dated = FACTS._replace(doubled_at=DEADLINE)
    assert notice(dated, RECORDED, Rules([READ])) == Notice("2027-04-01", True, 100_002)
    undoubled = FACTS._replace(stated=50_001, stated_at=at("03-22", "08:00:00"))
    assert notice(undoubled, at("03-23"), Rules([READ])) == Notice("2027-04-01", True, 100_002)
    assert earliest(undoubled, Rules([READ])) == DEADLINE
    assert earliest(undoubled._replace(stated_at=at("03-22")), Rules([READ])) == at("03-22", "08:00:00")
    assert earliest(FACTS._replace(stated=100_002, stated_at=RECORDED), Rules([READ])) is None


def test_a_set_that_warns_by_the_rule_knows_no_other_reading() -> None:
    rules = Rules([READ], warn_earliest=False)
    assert notice(FACTS, RECORDED, rules) == Notice("2027-04-01", True, 100_002)
    assert earliest(FACTS, rules) == DEADLINE


def test_the_end_of_a_window_is_told_too() -> None:
    rules = Rules([BEFORE], [MARCH._replace(percent_off=25)])
    assert notice(FACTS, at("03-10"), rules) == Notice("2027-03-20", True, 50_001)


def test_what_has_doubled_by_the_policy_rises_no_more_by_a_later_reading() -> None:
    later = Rules([BEFORE._replace(readings=(Period("recorded", days=40),))])
    assert notice(FACTS, DEADLINE, later) is None
    february = KURDISTAN._replace(recorded_at="2027-02-01T10:00:00+03:00", occurred_at="2027-02-01T09:00:00+03:00")
    assert due(february, at("03-01", "10:00:00"), RULES) == Due(100_002, DOUBLED)
    assert notice(february, at("03-01", "10:00:00"), RULES) is None


def test_at_the_end_of_a_window_the_amount_is_the_policys() -> None:
    later = BEFORE._replace(readings=(Period("recorded", months=12),))
    assert notice(FACTS, at("05-10"), Rules([later], [MAY._replace(percent_off=20)])) == Notice(
        "2027-06-01", False, 100_002
    )
    half = window("2027-03-10", "2027-03-31", "2027-04-01", percent_off=50)
    assert due(FACTS, at("03-10"), Rules([BEFORE], [half])).next_amount == 50_001
    assert notice(FACTS, at("03-10"), Rules([BEFORE], [half])) == Notice("2027-04-01", True, 100_002)


# ---------------------------------------------------------------- the rules in force


def test_in_the_region_thirty_days_from_the_commission_may_be_meant() -> None:
    """Law 86 of 2004, section 20, which the Region still publishes as its traffic law."""
    assert earliest(KURDISTAN, RULES) == at("03-22", "08:00:00")
    assert due(KURDISTAN, RECORDED, RULES).changes_at == DEADLINE
    for family in ("DE#", "OLD", "UN#"):
        assert earliest(FACTS._replace(family=family), RULES) == DEADLINE
    assert due(FACTS._replace(stated=40_000, stated_at=RECORDED), RECORDED, RULES).stage == STATED
