"""Whatever dies or fails while a citizen asks: when they ask again, the result has reached their phone once."""

from __future__ import annotations

import contextlib

import pytest

from tests.build import PLATE, store, violation
from tests.faults.crashes import Crash, Faults
from tests.functions import Functions, forget

CALLS = 6
BODY = {"plate": f"11 ز {PLATE.number}"}


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, CALLS + 1))
def test_a_look_up_that_dies_anywhere_loses_no_sms(functions: Functions, faults: Faults, at: int, after: bool) -> None:
    store(functions.violations, violation())
    with faults.fail(at, after=after, error=Crash()), contextlib.suppress(Crash):
        functions.ask(BODY)
    forget()
    assert functions.ask(BODY).body["totals"]["count"] == 1
    functions.send_due()
    assert len(functions.phones.sent) == 1


def test_every_call_has_been_failed_at(functions: Functions, faults: Faults) -> None:
    with faults.fail(0, after=False, error=Crash()):
        assert functions.ask(BODY).body["sms"]["status"] == "queued"
    assert faults.calls == CALLS
