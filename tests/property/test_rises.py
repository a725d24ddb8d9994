"""Rules of money as data, against a slow model: exact to the second for every basis, and a window never raises."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone

from hypothesis import example, given
from hypothesis import strategies as st

from shared.domain.fine import Facts, Outlook, chosen, due, earliest, rise
from shared.domain.rules import BASES, Period, Policy, Rules, Window, suspended
from shared.domain.time import to_text

BAGHDAD = timezone(timedelta(hours=3))
START = datetime(2026, 11, 1, tzinfo=BAGHDAD)
SECOND = timedelta(seconds=1)
INSTANTS = st.integers(0, 120 * 86_400).map(lambda seconds: START + timedelta(seconds=seconds))
PERIODS = st.builds(Period, st.sampled_from(BASES), st.integers(1, 3)) | st.builds(
    Period, st.sampled_from(BASES), st.just(0), st.integers(1, 90)
)
KINDS = st.sampled_from(["undo_doubling", "suspend_doubling"]).map(lambda kind: {kind: True}) | st.integers(1, 100).map(
    lambda percent: {"percent_off": percent}
)


@st.composite
def windows(draw: st.DrawFn) -> tuple[Window, ...]:
    """Up to three, one after the other, with days between them or none."""
    made, day = [], date(2026, 11, 1)
    for number in range(draw(st.integers(0, 3))):
        begins = day + timedelta(days=draw(st.integers(0, 60)))
        until = begins + timedelta(days=draw(st.integers(0, 60)))
        day = until + timedelta(days=1)
        at = [to_text(datetime.combine(each, time(), BAGHDAD)) for each in (begins, day)]
        made.append(Window(f"w{number}", at[0], at[1], until.isoformat(), **draw(KINDS)))
    return tuple(made)


@st.composite
def facts(draw: st.DrawFn) -> Facts:
    recorded = draw(INSTANTS)
    amount = draw(st.integers(1, 1_000_000))
    after = st.integers(0, 150 * 86_400).map(lambda seconds: to_text(recorded + timedelta(seconds=seconds)))
    stated = draw(st.none() | st.sampled_from([0, amount, 2 * amount]) | st.integers(1, 2_000_000))
    return Facts(
        amount,
        to_text(recorded),
        None,
        stated,
        draw(after) if stated is not None else None,
        draw(st.none() | after),
        to_text(recorded - timedelta(seconds=draw(st.integers(0, 5 * 86_400)))),
        draw(st.none() | after),
    )


def policy(*periods: Period) -> Policy:
    return Policy("p", "8/2019", "2019-10-06", ("25/1",), periods[0], readings=periods[1:])


def _over(start: datetime, period: Period) -> datetime:
    """Walks the calendar day by day: to the same day of a later month, or till that month is over."""
    day = start
    while True:
        months = (day.year - start.year) * 12 + day.month - start.month
        tomorrow = day + timedelta(days=1)
        reached = months == period.months and (day.day == start.day or tomorrow.month != day.month)
        if reached if period.months else (day - start).days == period.days:
            return day
        day = tomorrow


@given(INSTANTS, st.integers(0, 5 * 86_400), st.none() | st.integers(0, 30 * 86_400), PERIODS)
def test_a_fine_rises_on_the_second_whatever_starts_its_clock(
    recorded: datetime, before: int, after: int | None, period: Period
) -> None:
    starts = {
        "occurred": recorded - timedelta(seconds=before),
        "recorded": recorded,
        "notified": None if after is None else recorded + timedelta(seconds=after),
    }
    texts = {basis: start and to_text(start) for basis, start in starts.items()}
    known = Facts(7, to_text(recorded), occurred_at=texts["occurred"], notified_at=texts["notified"])
    rules = Rules([policy(period)])
    start = starts[period.basis]
    if start is None:
        assert due(known, "2999-01-01T00:00:00+03:00", rules).amount == 7
        return
    doubles = _over(start, period)
    assert due(known, to_text(doubles - SECOND), rules).amount == 7
    assert due(known, to_text(doubles), rules).amount == 14
    assert due(known, to_text(start), rules).changes_at == to_text(doubles)


def _instants(known: Facts, ours: tuple[Window, ...], rule: Policy) -> list[str]:
    """Each second at which something may change, the one before it, and the one after."""
    edges = {known.recorded_at, *(one.begins for one in ours), *(one.ends for one in ours)}
    edges |= {step.at for each in (ours, ()) for step in rise(known, rule, each) if step.at}
    return sorted(to_text(datetime.fromisoformat(edge) + timedelta(seconds=s)) for edge in edges for s in (-1, 0, 1))


@given(facts(), windows(), PERIODS)
def test_a_window_never_raises_and_says_what_were_owed_without_it(
    known: Facts, ours: tuple[Window, ...], period: Period
) -> None:
    within, without = Rules([policy(period)], ours), Rules([policy(period)])
    for at in _instants(known, ours, policy(period)):
        now, else_ = due(known, at, within), due(known, at, without)
        assert now.amount <= else_.amount
        assert (now.window is not None) is (now.amount < else_.amount)
        if now.window:
            assert now.window.was == else_.amount


@given(facts(), windows(), PERIODS)
def test_it_rises_on_the_announced_second_to_the_announced_amount(
    known: Facts, ours: tuple[Window, ...], period: Period
) -> None:
    rules = Rules([policy(period)], ours)
    instants = _instants(known, ours, policy(period))
    for at in instants:
        now = due(known, at, rules)
        if now.changes_at:
            assert due(known, now.changes_at, rules).amount == now.next_amount
            assert (now.next_amount or 0) > now.amount
            assert at < now.changes_at
            before = to_text(datetime.fromisoformat(now.changes_at) - SECOND)
            assert due(known, before, rules).amount <= now.amount
        else:
            assert all(due(known, later, rules).amount <= now.amount for later in instants if later > at)


def _rises_above(known: Facts, at: str, amount: int, rules: Rules) -> str | None:
    """The day of the first rise to more than an amount. What a reading raises to no more than that is none."""
    now = due(known, at, rules)
    while now.changes_at and (now.next_amount or 0) <= amount:
        now = due(known, now.changes_at, rules)
    return now.changes_at and now.changes_at[:10]


@given(facts(), windows(), st.lists(PERIODS, min_size=1, max_size=3))
@example(
    Facts(50, to_text(START), occurred_at=to_text(START)),
    (Window("w0", to_text(START), "2026-12-03T00:00:00+03:00", "2026-12-02", percent_off=1),),
    [Period("occurred", months=1), Period("occurred", days=31)],
)
def test_nothing_is_told_that_is_not_so_by_every_reading(
    known: Facts, ours: tuple[Window, ...], periods: list[Period]
) -> None:
    rules = Rules([policy(*periods)], ours)
    each = [Rules([policy(period)], ours) for period in periods]
    for at in _instants(known, ours, policy(*periods)):
        told = Outlook(known, at, rules).notice()
        asked = due(known, at, rules).amount
        days = {_rises_above(known, at, asked, alone) for alone in each}
        if told and told.is_certain and known.stated is None:
            assert days == {told.day}
        if told:
            assert told.amount > asked
        if told and told.is_certain:
            assert told.amount == due(known, f"{told.day}T23:59:59+03:00", rules).amount
        if told and told.day:
            assert told.day in days
            assert told.is_certain or told.day > at[:10]
    first = earliest(known, rules)
    for period, alone in zip(periods, each, strict=True):
        doubled = earliest(known, alone)
        if known.stated is None and doubled:
            assert first is not None
            assert first <= doubled
        if first and not known.doubled_at and not ours and doubled == first:
            assert rise(known, policy(period), ())[-1].at == first


@given(windows(), INSTANTS, PERIODS)
def test_what_is_found_by_day_is_what_is_found_by_second(
    ours: tuple[Window, ...], recorded: datetime, period: Period
) -> None:
    known = Facts(1, to_text(recorded), occurred_at=to_text(recorded), notified_at=to_text(recorded))
    rules = Rules([policy(period)], ours)
    found = earliest(known, rules)
    assert found is not None
    assert chosen(known, rules).first_on == found[:10]
    assert suspended(found, ours) == found
