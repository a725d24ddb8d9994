"""Whatever dies or fails between a changed violation and its SMS: it is told once, or its message says ``unknown``."""

from __future__ import annotations

import contextlib

import pytest

from shared.aws_json import AwsError
from shared.domain.message import MessageStatus
from tests.support.build import OTHER_PHONE, OTHER_PLATE, PHONE, PLATE, follow, row, violation
from tests.support.crashes import Crash, Faults
from tests.support.functions import Functions, forget

AMOUNTS = (1_000, 2_000, 4_000)
CALLS = 31
"""As many as the whole path makes: the last test holds that."""


def prepare(functions: Functions) -> list[dict[str, object]]:
    """Two followers of a plate with two new violations, one of them also of another plate with one."""
    follow(functions.citizens)
    follow(functions.citizens, "second", phone=OTHER_PHONE)
    follow(functions.citizens, "second", OTHER_PLATE, phone=OTHER_PHONE)
    plates = (PLATE, PLATE, OTHER_PLATE)
    return functions.ingest(
        *(row(violation(plate_key=plate.key, amount=a)) for plate, a in zip(plates, AMOUNTS, strict=True))
    )


def tell(functions: Functions, records: list[dict[str, object]]) -> None:
    """The path once, as events bring it: the stream, the minute's sweep, the queue."""
    functions.announce(records)
    functions.send_due()


def told(functions: Functions) -> list[tuple[str, bool, bool]]:
    """Who was told of which plate and sum."""
    return sorted((phone, "418" in text, "295" in text) for phone, text in functions.phones.sent)


EVERYBODY = sorted([(PHONE, True, False), (OTHER_PHONE, True, False), (OTHER_PHONE, False, True)])


def recover(functions: Functions, records: list[dict[str, object]]) -> None:
    """The stream gives the batch again, the queue what was not deleted; the sweep runs until claims have run out."""
    forget()
    functions.announce(records)
    for _ in range(3):
        functions.send_due()
        functions.clock.forward(minutes=6)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, CALLS + 1))
def test_a_crash_at_any_call_tells_once_or_says_unknown(
    functions: Functions, faults: Faults, at: int, after: bool
) -> None:
    records = prepare(functions)
    with faults.fail(at, after=after, error=Crash()), contextlib.suppress(Crash):
        tell(functions, records)
    recover(functions, records)
    sent = told(functions)
    statuses = functions.statuses()
    assert len(sent) == len(set(sent))
    assert len(statuses) == len(EVERYBODY)
    assert set(statuses) <= {MessageStatus.SENT, MessageStatus.UNKNOWN}
    assert statuses.count(MessageStatus.UNKNOWN) <= 1
    assert set(EVERYBODY) - set(sent) == set() or statuses.count(MessageStatus.UNKNOWN) == 1


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, CALLS + 1))
def test_a_service_that_fails_at_any_call_is_no_reason_not_to_tell(
    functions: Functions, faults: Faults, at: int, after: bool
) -> None:
    records = prepare(functions)
    # The provider's own errors have their own tests: here a table fails, and the function lives on.
    with faults.fail(at, after=after, error=AwsError("InternalServerError", "")), contextlib.suppress(AwsError):
        tell(functions, records)
    recover(functions, records)
    sent = told(functions)
    assert len(sent) == len(set(sent))
    unknown = functions.statuses().count(MessageStatus.UNKNOWN)
    assert functions.statuses().count(MessageStatus.SENT) + unknown == len(EVERYBODY)
    assert len(sent) >= len(EVERYBODY) - unknown


def test_every_call_has_been_failed_at(functions: Functions, faults: Faults) -> None:
    records = prepare(functions)
    with faults.fail(0, after=False, error=Crash()):
        tell(functions, records)
    assert told(functions) == EVERYBODY
    assert faults.calls == CALLS
