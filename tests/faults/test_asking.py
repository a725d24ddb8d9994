"""Whatever dies or fails while a citizen asks or links: when they do it again, who is to hear of it has, once."""

from __future__ import annotations

import contextlib

import pytest

from shared.domain.citizen import Vehicle
from tests.support.build import OTHER_PHONE, PLATE, store, violation
from tests.support.crashes import Crash, Faults
from tests.support.functions import Functions, forget

CALLS = 6
CALLS_TO_LINK = 11
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


@pytest.fixture
def owned(functions: Functions) -> None:
    """The plate is proved another's, who hears of new followers; links of now need no proof."""
    functions.citizens.seen_in_person("ur-owner", OTHER_PHONE, "en")
    vehicle = Vehicle("owned", PLATE.key, None, "self", notify=False, proven=True)
    functions.citizens.link("ur-owner", vehicle, functions.clock.at)


@pytest.mark.usefixtures("owned")
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, CALLS_TO_LINK + 1))
def test_a_link_that_dies_anywhere_is_told_to_the_owner(
    functions: Functions, faults: Faults, at: int, after: bool
) -> None:
    body = {**BODY, "relation": "self"}
    with faults.fail(at, after=after, error=Crash()), contextlib.suppress(Crash):
        functions.link(body)
    forget()
    assert functions.link(body).status in (200, 201)
    functions.send_due()
    assert [phone for phone, _ in functions.phones.sent] == [OTHER_PHONE]


@pytest.mark.usefixtures("owned")
def test_every_call_of_a_link_has_been_failed_at(functions: Functions, faults: Faults) -> None:
    with faults.fail(0, after=False, error=Crash()):
        assert functions.link({**BODY, "relation": "self"}).status == 201
    assert faults.calls == CALLS_TO_LINK


def test_every_call_has_been_failed_at(functions: Functions, faults: Faults) -> None:
    with faults.fail(0, after=False, error=Crash()):
        assert functions.ask(BODY).body["sms"]["status"] == "queued"
    assert faults.calls == CALLS
