"""Quiet hours hold from their start until just before their end, and at no other time."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify.quiet import QuietHours, is_quiet
from shared.domain.time import BAGHDAD

TIMES = st.times().map(lambda at: at.replace(second=0, microsecond=0))
INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.sampled_from([BAGHDAD, UTC]))  # noqa: DTZ001


@given(start=TIMES, end=TIMES, at=INSTANTS)
def test_they_are_what_a_walk_over_the_minutes_says(start: time, end: time, at: datetime) -> None:
    if start == end:
        return
    at = at.replace(second=0, microsecond=0)
    hours = QuietHours(start, end)
    last_change = at.astimezone(BAGHDAD)
    while last_change.time() not in (start, end):
        last_change -= timedelta(minutes=1)
    assert hours.hold(at) == is_quiet(hours, at) == (last_change.time() == start)


@pytest.mark.parametrize("text", ["", "on", "21-08", "21:00", "21:00-21:00", "25:00-08:00", "21:00-08:00-09:00"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        QuietHours.parse(text)


def test_they_may_be_off() -> None:
    hours = QuietHours.parse("off")
    assert hours is None
    assert not is_quiet(hours, datetime(2026, 1, 1, tzinfo=UTC))
