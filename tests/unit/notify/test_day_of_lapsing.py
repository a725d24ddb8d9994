"""On which day a link without proof ends, as a rule over its instants and the cards of its plate."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from notify.links.lapsing import lapses_on
from shared.domain.registration import Card
from shared.stores.people.lapses import Check

KEPT_FOR = timedelta(days=180)
DAYS = st.dates(date(2026, 1, 1), date(2030, 1, 1))


def instant(day: date) -> str:
    return f"{day.isoformat()}T09:00:00+03:00"


def check(linked: date, renewed: date | None = None, category: str | None = None) -> Check:
    return Check(
        "sub", "1", "plate", category, False, instant(linked), "2026-01-01", instant(renewed) if renewed else None
    )


def card(known_from: date) -> Card:
    return Card("number", instant(known_from), instant(known_from), True, instant(known_from))


@given(DAYS, st.none() | DAYS, DAYS, st.none() | DAYS)
def test_it_is_half_a_year_after_the_latest(
    linked: date, renewed: date | None, known: date, known_by_category: date | None
) -> None:
    cards = {"": card(known)} | ({"private": card(known_by_category)} if known_by_category else {})
    registered = min(known, known_by_category or known) if known_by_category is None else None
    day = lapses_on(check(linked, renewed), cards, KEPT_FOR)
    assert day is not None
    latest = max(linked, renewed or linked)
    assert date.fromisoformat(day) >= latest + KEPT_FOR
    if registered:
        assert date.fromisoformat(day) == max(latest, registered) + KEPT_FOR


@given(DAYS, DAYS, DAYS)
def test_renewing_never_brings_it_nearer(linked: date, renewed: date, known: date) -> None:
    cards = {"": card(known)}
    assert lapses_on(check(linked, renewed), cards, KEPT_FOR) >= lapses_on(check(linked), cards, KEPT_FOR)  # type: ignore[operator]


@given(DAYS, st.none() | DAYS)
def test_where_nothing_is_registered_it_never_does(linked: date, renewed: date | None) -> None:
    assert lapses_on(check(linked, renewed), {}, KEPT_FOR) is None


def test_another_categorys_card_is_not_its_vehicles() -> None:
    linked = date(2026, 1, 1)
    assert lapses_on(check(linked, category="hire"), {"private": card(linked)}, KEPT_FOR) is None
    assert lapses_on(check(linked, category="hire"), {"hire": card(linked)}, KEPT_FOR) == "2026-06-30"
