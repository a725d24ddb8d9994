"""Death, time-out and repetition at every point from reading the stream to marking a message sent."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shared.domain.message import MessageKind, MessageStatus
from shared.domain.violation import CANCELLED
from tests.support.aws import Engine
from tests.support.build import NOON, OTHER_PHONE, OTHER_PLATE, PHONE, SUB, follow, later, row, settle, violation
from tests.support.notify_world import PORT_FAULTS, REFUSES, SENDER_FAULTS, World, surviving, world

SECOND = "second"
PHONES = {SUB: PHONE, SECOND: OTHER_PHONE}
ROUNDS = 4
"""Of ten minutes each: longer than any claim stands, and than the wait after one temporary error."""


def play(here: World, engine: Engine, fault: Callable[[World], None]) -> None:
    """Two followers of a plate with five violations, of which two are still to be told of in the end."""
    for sub, phone in PHONES.items():
        follow(here.citizens, sub, phone=phone)
    follow(here.citizens, "third", OTHER_PLATE, phone="+9647509182736")
    first, second, paid, cancelled, elsewhere, old = (
        violation("A"),
        violation("B", amount=7000),
        violation("C", amount=300),
        violation("D", amount=20),
        violation("E", plate_key=OTHER_PLATE.key),
        violation("F"),
    )
    records = here.ingest(*map(row, (first, second, paid, cancelled, elsewhere)))
    records += here.ingest(row(old, origin="backlog"))
    call = engine.fast()
    for subject in (paid, elsewhere):
        settle(call, here.violations, subject)
    records += here.ingest(row(later(cancelled, status=CANCELLED)))
    fault(here)
    overlapping = [records[:3], records[1:]]
    for round_ in range(ROUNDS):
        if round_ < 2:  # the stream gives a batch again and again until it was taken
            for batch in overlapping:
                with surviving():
                    here.announce(batch)
        here.send_due()
        here.forward(minutes=10)


def check(here: World, *, refused: bool = False) -> None:
    told = here.told()
    for sub in PHONES:
        for number in ("A", "B", "C", "D"):
            assert told[sub, MessageKind.NEW_VIOLATION, number] == 1
    assert not any(number == "F" for _, _, number in told)
    for message in here.all_messages():
        assert "due" not in message, "nothing waits for ever"
    texts = [text for _, text in here.sender.sent]
    assert len(here.sender.sent) == len(set(here.sender.sent)), "nothing is sent twice"
    assert not any(phone == "+9647509182736" for phone, _ in here.sender.sent), "what is paid is not spoken of"
    assert not any("cancelled" in text for text in texts), "nobody heard of what was cancelled"
    statuses = here.statuses()
    assert set(statuses) <= {MessageStatus.SENT, MessageStatus.DROPPED, MessageStatus.UNKNOWN, MessageStatus.FAILED}
    assert statuses[MessageStatus.FAILED] == int(refused)
    assert (
        statuses[MessageStatus.SENT]
        <= len(here.sender.sent)
        <= statuses[MessageStatus.SENT] + statuses[MessageStatus.UNKNOWN]
    )
    assert statuses[MessageStatus.UNKNOWN] <= 1


@pytest.fixture(scope="module")
def calls(emulator: Engine) -> list[str]:
    """The table calls of a run in which nothing goes wrong, before the rounds that only find nothing to do."""
    with world(emulator) as here:
        play(here, emulator, lambda _: None)
        check(here)
        assert here.statuses()[MessageStatus.UNKNOWN] == 0
        assert len(here.sender.sent) == here.statuses()[MessageStatus.SENT] == len(PHONES)
        return here.port.calls


@pytest.mark.parametrize("how", PORT_FAULTS)
def test_any_table_call_may_go_wrong(how: str, calls: list[str], emulator: Engine) -> None:
    for number in range(len(calls)):

        def fault(here: World, number: int = number) -> None:
            here.port.fault = (number, how)

        with world(emulator) as here:
            play(here, emulator, fault)
            check(here)


@pytest.mark.parametrize("how", SENDER_FAULTS)
@pytest.mark.parametrize("number", range(len(PHONES)))
def test_any_sending_may_go_wrong(how: str, number: int, emulator: Engine) -> None:
    def fault(here: World) -> None:
        here.sender.fault = (number, how)

    with world(emulator) as here:
        play(here, emulator, fault)
        check(here, refused=how == REFUSES)


def test_the_calls_of_a_message_are_these(emulator: Engine) -> None:
    """One follower, one violation: what announcing it, sending it and hearing that it arrived costs."""
    with world(emulator) as here:
        follow(here.citizens)
        records = here.ingest(row(violation()))
        here.announce(records)
        assert here.port.calls == ["Query", "BatchGetItem", "TransactWriteItems of 2"]
        here.port.calls.clear()
        (message_id,) = here.messages.due(NOON, 100)
        here.send(message_id)
        checked = ["GetItem", "BatchGetItem", "BatchGetItem"]
        assert here.port.calls == [*checked, "TransactWriteItems of 4", "UpdateItem"]
        assert here.sender.tried == 1
        here.port.calls.clear()
        here.report("sns-1")
        assert here.port.calls == ["Query", "UpdateItem"]
