"""Quiet hours: whoever waits for their end waits no longer than that, and nobody waits outside of them."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify.quiet import QuietHours
from shared.domain.time import BAGHDAD

TIMES = st.times().map(lambda at: at.replace(second=0, microsecond=0))
INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.sampled_from([BAGHDAD, UTC]))  # noqa: DTZ001


@given(start=TIMES, end=TIMES, at=INSTANTS)
def test_they_are_what_a_walk_over_the_minutes_says(start: time, end: time, at: datetime) -> None:
    if start == end:
        return
    at = at.replace(second=0, microsecond=0)
    until = QuietHours(start, end).until(at)
    last_change = at.astimezone(BAGHDAD)
    while last_change.time() not in (start, end):
        last_change -= timedelta(minutes=1)
    assert (until is not None) == (last_change.time() == start)
    if until:
        assert until.time() == end
        assert timedelta() < until - at <= timedelta(days=1)
        assert QuietHours(start, end).until(until) is None


@pytest.mark.parametrize("text", ["", "on", "21-08", "21:00", "21:00-21:00", "25:00-08:00", "21:00-08:00-09:00"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        QuietHours.parse(text)


def test_they_may_be_off() -> None:
    assert QuietHours.parse("off") is None
