"""Amounts over time, against a slow model that walks the calendar day by day and knows nothing of the code."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from hypothesis import example, given
from hypothesis import strategies as st

from shared.domain.fine import Facts, due
from shared.domain.time import to_text
from shared.policies import RULES

BAGHDAD = timezone(timedelta(hours=3))
FIRST = datetime(2019, 11, 1, tzinfo=BAGHDAD)
INSTANTS = st.integers(0, 12 * 366 * 86_400).map(lambda seconds: FIRST + timedelta(seconds=seconds))
AMOUNTS = st.integers(1, 100_000_000)
DOUBLING = st.sampled_from(["25/1", "25/ثانياً", "٢٥/٣/هـ", "25", None])
LASTING = st.sampled_from(["26", "المادة 26"])


@st.composite
def facts(draw: st.DrawFn) -> Facts:
    recorded = draw(INSTANTS)
    amount = draw(AMOUNTS)
    stated = draw(st.none() | st.just(0) | st.just(2 * amount) | AMOUNTS)
    after = st.integers(0, 100 * 86_400).map(lambda seconds: to_text(recorded + timedelta(seconds=seconds)))
    return Facts(
        amount,
        to_text(recorded),
        draw(DOUBLING | LASTING),
        stated,
        draw(after) if stated is not None else None,
        draw(st.none() | after),
    )


def _a_month_later(start: datetime) -> datetime:
    """Walks until the day of the month is the same again, or the next month is over."""
    day = start
    while True:
        tomorrow = day + timedelta(days=1)
        months = (tomorrow.year - start.year) * 12 + tomorrow.month - start.month
        if months == 2:
            return day
        day = tomorrow
        if months == 1 and day.day == start.day:
            return day


def _model(known: Facts, at: datetime) -> int:
    """What is owed: told as a history of events in order."""
    doubling = None
    if known.doubled_at:
        doubling = datetime.fromisoformat(known.doubled_at)
    elif known.legal_ref is None or "26" not in known.legal_ref:
        doubling = _a_month_later(datetime.fromisoformat(known.recorded_at))
    stated_at = datetime.fromisoformat(known.stated_at) if known.stated_at else None
    amount = known.amount if known.stated is None else known.stated
    if doubling is None or at < doubling:
        return amount
    if stated_at is not None and (stated_at >= doubling or (not known.doubled_at and amount == 2 * known.amount)):
        return amount
    return amount * 2


@given(facts(), INSTANTS, st.integers(-40, 140))
@example(Facts(50_000, to_text(FIRST), "25/3", 100_000, to_text(FIRST)), FIRST, 31)
@example(Facts(50_000, to_text(FIRST), "25/3", 100_001, to_text(FIRST)), FIRST, 31)
def test_the_amount_is_the_models(known: Facts, far: datetime, days: int) -> None:
    near = datetime.fromisoformat(known.recorded_at) + timedelta(days=days)
    for at in (far, near):
        assert due(known, to_text(at), RULES).amount == _model(known, at)


@given(facts(), st.lists(st.integers(0, 200 * 86_400), min_size=2, max_size=8))
def test_it_never_falls_as_time_passes(known: Facts, seconds: list[int]) -> None:
    start = datetime.fromisoformat(known.recorded_at)
    amounts = [due(known, to_text(start + timedelta(seconds=after)), RULES).amount for after in sorted(seconds)]
    assert amounts == sorted(amounts)


@given(facts(), INSTANTS)
def test_it_changes_on_the_announced_second_and_to_the_announced_amount(known: Facts, at: datetime) -> None:
    now = due(known, to_text(at), RULES)
    if now.changes_at is None:
        assert now.next_amount is None
        assert due(known, to_text(at + timedelta(days=4_000)), RULES) == now
        return
    change = datetime.fromisoformat(now.changes_at)
    assert change > at
    assert due(known, to_text(change - timedelta(seconds=1)), RULES) == now
    after = due(known, now.changes_at, RULES)
    assert after.amount == now.next_amount
    assert (after.changes_at, after.next_amount) == (None, None)


@given(facts(), INSTANTS)
def test_an_announced_amount_is_higher(known: Facts, at: datetime) -> None:
    now = due(known, to_text(at), RULES)
    assert now.next_amount is None or now.next_amount > now.amount
