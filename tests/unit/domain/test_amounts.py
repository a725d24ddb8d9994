"""What is owed, at the second it changes: article 25 of Traffic Law 8/2019 and what the directorate states itself."""

from __future__ import annotations

import pytest

from shared.domain.fine import BASE, DOUBLED, STATED, Due, Facts, due, is_doubled_early
from shared.domain.rules import Period, Policy, Rules, add_months, article
from shared.domain.time import from_text, to_text
from shared.policies import RULES

RECORDED = "2026-03-10T14:30:00+03:00"
SECOND_BEFORE = "2026-04-10T14:29:59+03:00"
DEADLINE = "2026-04-10T14:30:00+03:00"
LATER = "2027-01-01T00:00:00+03:00"


@pytest.mark.parametrize(
    ("recorded", "doubles"),
    [
        ("2026-03-10T14:30:00+03:00", "2026-04-10T14:30:00+03:00"),
        ("2026-01-28T00:00:00+03:00", "2026-02-28T00:00:00+03:00"),
        ("2026-01-29T00:00:00+03:00", "2026-02-28T00:00:00+03:00"),
        ("2026-01-30T00:00:00+03:00", "2026-02-28T00:00:00+03:00"),
        ("2026-01-31T23:59:59+03:00", "2026-02-28T23:59:59+03:00"),
        ("2024-01-31T12:00:00+03:00", "2024-02-29T12:00:00+03:00"),
        ("2024-01-30T12:00:00+03:00", "2024-02-29T12:00:00+03:00"),
        ("2024-02-29T12:00:00+03:00", "2024-03-29T12:00:00+03:00"),
        ("2026-02-28T12:00:00+03:00", "2026-03-28T12:00:00+03:00"),
        ("2026-03-31T12:00:00+03:00", "2026-04-30T12:00:00+03:00"),
        ("2026-05-31T12:00:00+03:00", "2026-06-30T12:00:00+03:00"),
        ("2026-07-31T12:00:00+03:00", "2026-08-31T12:00:00+03:00"),
        ("2026-12-31T12:00:00+03:00", "2027-01-31T12:00:00+03:00"),
        # the calendar is Baghdad's: in Greenwich this is still the 31st of January
        ("2026-02-01T00:30:00+03:00", "2026-03-01T00:30:00+03:00"),
    ],
)
def test_a_month_is_a_calendar_month_in_baghdad(recorded: str, doubles: str) -> None:
    facts = Facts(50_000, recorded, "25/3")
    assert due(facts, recorded, RULES) == Due(50_000, BASE, doubles, 100_000)
    assert due(facts, doubles, RULES) == Due(100_000, DOUBLED)


def test_months_are_added_over_years() -> None:
    assert add_months("2026-01-31T00:00:00+03:00", 13) == "2027-02-28T00:00:00+03:00"


def test_it_doubles_on_the_second_of_the_deadline_and_once() -> None:
    facts = Facts(200_000, RECORDED, "25/1")
    assert due(facts, SECOND_BEFORE, RULES) == Due(200_000, BASE, DEADLINE, 400_000)
    assert due(facts, DEADLINE, RULES) == Due(400_000, DOUBLED)
    assert due(facts, LATER, RULES) == Due(400_000, DOUBLED)


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("25/1", "25/1"),
        ("25/3/هـ", "25/3"),
        ("٢٥/٣/هـ", "25/3"),
        ("۲۵/۳", "25/3"),
        ("25 / 3 / هـ", "25/3"),
        ("25/3هـ", "25/3"),
        ("م25/2", "25/2"),
        ("025/03", "25/3"),
        ("قانون المرور رقم 8 لسنة 2019 - المادة 25/ثالثاً/هـ", "25/3"),
        ("قانون 8/2019، الماده (٢٦)", "26"),
        ("المادة 25/1 من قانون المرور رقم 8 لسنة 2019", "25/1"),
        ("25/أولاً/هـ", "25/1"),
        ("25/أولا", "25/1"),
        ("25/اولا/ب", "25/1"),
        ("25/أوّلًا", "25/1"),
        ("25/ثانياً", "25/2"),
        ("25/ثانيا", "25/2"),
        ("25/ثانيًا/أ", "25/2"),
        ("المادة 25/ثالثاً/هـ", "25/3"),
        ("المادة (25/ثالثًا/هـ)", "25/3"),
        ("المــادة 25/ثالثا", "25/3"),
        ("\u200f25\u200f/\u200fثالثاً", "25/3"),
        ("ﺍﻟﻤﺎﺩﺓ 25/ﺛﺎﻟﺜﺎً", "25/3"),
        ("25", "25"),
        ("المادة 25", "25"),
        ("26", "26"),
        ("المادة 26/أولاً", "26/1"),
        ("", None),
        ("-", None),
        ("قانون المرور", None),
    ],
)
def test_an_article_in_every_spelling(reference: str, expected: str | None) -> None:
    assert article(reference) == expected


@pytest.mark.parametrize("reference", ["25/1", "25/2", "25/3", "25/ثالثاً/هـ", "٢٥/٣", "25", None, "", "-"])
def test_article_25_doubles_and_so_does_a_fine_without_a_reference(reference: str | None) -> None:
    assert due(Facts(50_000, RECORDED, reference), LATER, RULES) == Due(100_000, DOUBLED)


@pytest.mark.parametrize("reference", ["26", "26/1", "المادة 26", "٢٦", "2", "125", "250/1", "25/4"])
def test_other_articles_do_not_double(reference: str) -> None:
    assert due(Facts(25_000, RECORDED, reference), LATER, RULES) == Due(25_000, BASE)


def test_what_was_recorded_before_the_law_does_not_double() -> None:
    assert due(Facts(30_000, "2019-10-05T23:59:59+03:00", "25/3"), LATER, RULES) == Due(30_000, BASE)
    assert due(Facts(30_000, "2019-10-06T00:00:00+03:00", "25/3"), LATER, RULES) == Due(60_000, DOUBLED)


@pytest.mark.parametrize(
    ("stated", "stated_at", "at", "expected"),
    [
        # before the doubling: the debt as of then, which still doubles
        (50_000, RECORDED, SECOND_BEFORE, Due(50_000, BASE, DEADLINE, 100_000)),
        (40_000, RECORDED, SECOND_BEFORE, Due(40_000, STATED, DEADLINE, 80_000)),
        (40_000, SECOND_BEFORE, SECOND_BEFORE, Due(40_000, STATED, DEADLINE, 80_000)),
        (40_000, SECOND_BEFORE, DEADLINE, Due(80_000, DOUBLED)),
        # at or after it: the figure holds it already
        (100_000, DEADLINE, LATER, Due(100_000, STATED)),
        (75_000, LATER, LATER, Due(75_000, STATED)),
        (0, LATER, LATER, Due(0, STATED)),
        # doubled before its day, and nobody says when: not once more
        (100_000, RECORDED, RECORDED, Due(100_000, STATED)),
        (100_000, SECOND_BEFORE, DEADLINE, Due(100_000, STATED)),
        (100_001, SECOND_BEFORE, SECOND_BEFORE, Due(100_001, STATED, DEADLINE, 200_002)),
        (99_999, SECOND_BEFORE, DEADLINE, Due(199_998, DOUBLED)),
    ],
)
def test_what_the_directorate_states_counts_from_when_it_said_so(
    stated: int, stated_at: str, at: str, expected: Due
) -> None:
    assert due(Facts(50_000, RECORDED, "25/3", stated, stated_at), at, RULES) == expected


@pytest.mark.parametrize(
    ("facts", "at", "expected"),
    [
        # the directorate doubled it early, late, or where no policy of ours would
        (Facts(50_000, RECORDED, "25/3", doubled_at="2026-03-20T00:00:00+03:00"), SECOND_BEFORE, Due(100_000, DOUBLED)),
        (
            Facts(50_000, RECORDED, "25/3", doubled_at="2026-05-01T00:00:00+03:00"),
            DEADLINE,
            Due(50_000, BASE, "2026-05-01T00:00:00+03:00", 100_000),
        ),
        (Facts(25_000, RECORDED, "26", doubled_at=DEADLINE), LATER, Due(50_000, DOUBLED)),
        # with a figure of its own, from after and from before the doubling
        (Facts(50_000, RECORDED, "25/3", 100_000, LATER, DEADLINE), LATER, Due(100_000, DOUBLED)),
        (Facts(50_000, RECORDED, "25/3", 100_000, DEADLINE, DEADLINE), LATER, Due(100_000, DOUBLED)),
        (Facts(50_000, RECORDED, "25/3", 40_000, RECORDED, DEADLINE), LATER, Due(80_000, DOUBLED)),
        (
            Facts(50_000, RECORDED, "25/3", 40_000, RECORDED, LATER),
            DEADLINE,
            Due(40_000, STATED, LATER, 80_000),
        ),
    ],
)
def test_the_doubling_that_the_directorate_dates_itself(facts: Facts, at: str, expected: Due) -> None:
    assert due(facts, at, RULES) == expected


def test_a_debt_doubled_early_is_by_the_policy_and_without_a_date() -> None:
    threefold = Policy("threefold", "8/2019", "2019-10-06", ("25/3",), Period("recorded", 1), 3)
    twofold = threefold._replace(factor=2)
    stated = Facts(50_000, RECORDED, "25/3", 100_000, RECORDED)
    assert is_doubled_early(stated, twofold)
    assert not is_doubled_early(stated, threefold)
    assert is_doubled_early(stated._replace(stated=150_000), threefold)
    assert not is_doubled_early(stated, None)
    assert not is_doubled_early(stated._replace(doubled_at=LATER), twofold)
    assert not is_doubled_early(stated._replace(stated_at=DEADLINE), twofold)
    assert not is_doubled_early(stated._replace(stated=None), twofold)


@pytest.mark.parametrize(
    ("reference", "known"),
    [("25/3/هـ", True), ("25", True), ("المادة 25/ثالثاً", True), ("25/4", False), ("26", False), ("0", False),
     ("3/25", False), ("8/2019 م 25/3", False), ("قانون المرور", False)],
)  # fmt: skip
def test_which_references_name_a_known_article(reference: str, known: bool) -> None:
    assert RULES.knows_article(reference) is known


def test_the_policy_in_force_when_the_clock_started_is_the_one_that_counts() -> None:
    month = Period("recorded", 1)
    rules = Rules(
        [
            Policy("first", "8/2019", "2019-10-06", ("25/3",), month, 2),
            Policy("second", "8/2019", "2026-03-10", ("25/3",), Period("recorded", 2), 3),
            Policy("another article's", "8/2019", "2026-03-10", ("26",), month, 10),
        ]
    )
    day_before = Facts(50_000, "2026-03-09T23:59:59+03:00", "25/3")
    first_day = Facts(50_000, "2026-03-10T00:00:00+03:00", "25/3")
    assert due(day_before, LATER, rules) == Due(100_000, DOUBLED)
    assert due(first_day, "2026-05-09T23:59:59+03:00", rules) == Due(50_000, BASE, "2026-05-10T00:00:00+03:00", 150_000)
    assert due(first_day, "2026-05-10T00:00:00+03:00", rules) == Due(150_000, DOUBLED)


def test_the_deadline_is_a_stored_text() -> None:
    changes_at = due(Facts(50_000, RECORDED), RECORDED, RULES).changes_at
    assert changes_at is not None
    assert to_text(from_text(changes_at)) == changes_at
