"""The daily reminder as its schedule runs it."""

from __future__ import annotations

import importlib
from datetime import timedelta

import pytest

from shared.domain.message import SENT
from shared.domain.time import to_text
from tests import lambda_events as events
from tests.build import follow, row, violation
from tests.functions import Functions, run


def rising_in(functions: Functions, days: int) -> None:
    """A followed violation, long announced, that doubles in so many days: a month after it was recorded."""
    doubles = functions.clock.at + timedelta(days=days)
    month_before = doubles.replace(month=doubles.month - 1)
    subject = violation(recorded_at=to_text(month_before), occurred_at=to_text(month_before), legal_ref="25/3/هـ")
    functions.ingest(row(subject, origin="backlog"))


@pytest.mark.parametrize(("days", "reminded"), [(8, False), (7, True), (5, True), (1, True)])
def test_who_follows_hears_once(functions: Functions, days: int, reminded: bool) -> None:
    follow(functions.citizens)
    rising_in(functions, days)
    for _ in range(2):
        run("notify.remind", events.schedule())
        functions.clock.forward(hours=1)
    functions.send_due()
    assert functions.statuses() == ([SENT] if reminded else [])
    assert all("reminder" in text for text in functions.phones.texts)


def test_a_run_that_has_no_time_left_leaves_the_rest_to_the_next(functions: Functions) -> None:
    follow(functions.citizens)
    rising_in(functions, 7)
    context = events.context()
    context.get_remaining_time_in_millis = lambda: 20_000
    importlib.import_module("notify.remind").handler(events.schedule(), context)
    assert functions.statuses() == []
    run("notify.remind", events.schedule())
    functions.send_due()
    assert functions.statuses() == [SENT]
