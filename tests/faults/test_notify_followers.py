"""Many followers of a plate: told in few writes, of which a refused one costs its losers alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from notify.announce import announce, news
from notify.telling import _TRIES
from shared.aws_json import Json
from shared.domain.message import Message, MessageKind
from shared.domain.time import to_text
from shared.stores.items import MAX_ACTIONS
from shared.stores.messaging.messages import Messages, Telling, marker
from tests.support.aws import Engine, before
from tests.support.build import NOON, OTHER_PLATE, PLATE, follow, later, row, violation
from tests.support.notify_world import World, world

FOLLOWERS = 60
READ, WRITE = "BatchGetItem", "TransactWriteItems of"


@pytest.fixture
def here(emulator: Engine) -> Iterator[World]:
    with world(emulator) as made:
        yield made


def follow_all(here: World, number: int = FOLLOWERS) -> list[str]:
    subs = [f"sub-{each:03}" for each in range(number)]
    for each, sub in enumerate(subs):
        follow(here.citizens, sub, proven=each % 2 == 0)  # of those without proof there may not be so many
    return subs


def tell_first(here: World, violation_no: str, *subs: str) -> None:
    """Tell of a violation as another run would that came before."""
    for sub in subs:
        kind = MessageKind.NEW_VIOLATION
        message = Message(f"first-{sub}", sub, kind, to_text(NOON), plate_key=PLATE.key, violations=(violation_no,))
        assert here.messages.tell([Telling(message, [marker(violation_no, sub, kind)])], NOON)


def test_all_are_told_in_reads_and_writes_of_a_hundred(here: World) -> None:
    subs = follow_all(here)
    records = here.ingest(row(violation("V")))
    here.announce(records)
    assert here.port.calls == ["Query", READ, f"{WRITE} {MAX_ACTIONS}", f"{WRITE} {2 * FOLLOWERS - MAX_ACTIONS}"]
    assert here.told() == {(sub, MessageKind.NEW_VIOLATION, "V"): 1 for sub in subs}


def test_a_retry_only_reads(here: World) -> None:
    follow_all(here)
    records = here.ingest(row(violation("V")))
    here.announce(records)
    here.port.calls.clear()
    here.announce(records)
    assert here.port.calls == ["Query", READ]


def test_a_follower_with_more_than_a_write_holds_is_told_whole_messages(here: World) -> None:
    subs = follow_all(here, 3)
    records = here.ingest(*(row(violation(f"V{number}")) for number in range(99)))
    here.announce(records)
    assert here.told() == {(sub, MessageKind.NEW_VIOLATION, f"V{number}"): 1 for sub in subs for number in range(99)}
    assert all(int(call.split()[-1]) <= MAX_ACTIONS for call in here.port.calls if call.startswith(WRITE))


def test_of_a_write_that_others_came_before_only_the_losers_are_dropped(here: World) -> None:
    subs = follow_all(here)
    records = here.ingest(row(violation("V")))
    port = before(here.port, "TransactWriteItems", lambda: tell_first(here, "V", subs[3], subs[40]))
    messages = Messages(port, here.tables["Messages"])
    reads: list[list[str]] = []
    marked = messages.marked
    messages.marked = lambda markers: marked(reads.append(found := list(markers)) or found)  # type: ignore[method-assign, func-returns-value]
    announce([each for record in records for each in news(record)], here.citizens, messages, here.now)
    assert here.told() == {(sub, MessageKind.NEW_VIOLATION, "V"): 1 for sub in subs}
    writes = [call for call in here.port.calls if call.startswith(WRITE)]
    assert writes == [f"{WRITE} {actions}" for actions in (100, 20, 96)], "the second write was not made again"
    assert list(map(len, reads)) == [FOLLOWERS, MAX_ACTIONS // 2], "nor its markers read again"


def test_others_that_always_come_before_are_an_error_not_a_loop(here: World) -> None:
    follow_all(here, 2)
    records = here.ingest(row(violation("V")))
    refusing = Messages(here.port, here.tables["Messages"])
    tried: list[object] = []
    refusing.tell = lambda *arguments: bool(tried.append(arguments))  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        announce([each for record in records for each in news(record)], here.citizens, refusing, here.now)
    assert len(tried) == _TRIES


def spoil(here: World, engine: Engine, sub: str) -> Json:
    """Make a follower of the plate one that cannot be read; returns the item that was."""
    (item,) = [
        each for each in here.tables.items("Citizens") if (each["pk"]["S"], each["sk"]["S"]) == (f"P#{PLATE.key}", sub)
    ]
    item = {**item, "notify": {"S": "of a later version"}}
    engine.fast()("dynamodb", "PutItem", {"TableName": here.tables["Citizens"], "Item": item})
    return item


def test_beside_one_that_cannot_be_read_all_others_are_told(here: World, emulator: Engine) -> None:
    subs = follow_all(here)
    follow(here.citizens, "elsewhere", OTHER_PLATE)
    spoil(here, emulator, subs[30])
    records = here.ingest(row(violation("V")), row(violation("W", plate_key=OTHER_PLATE.key)))
    found = [each for record in records for each in news(record)]
    untold = announce(found, here.citizens, here.messages, here.now)
    assert set(untold) == {"V"}
    told = {(sub, MessageKind.NEW_VIOLATION, "V"): 1 for sub in subs if sub != subs[30]}
    assert here.told() == told | {("elsewhere", MessageKind.NEW_VIOLATION, "W"): 1}


def test_beside_one_that_cannot_be_read_all_others_are_reminded(here: World, emulator: Engine) -> None:
    subs = follow_all(here, 3)
    spoil(here, emulator, subs[0])
    here.ingest(row(violation("V", occurred_at="2026-11-01T08:00:00+03:00", recorded_at="2026-11-01T09:00:00+03:00")))
    here.forward(days=5)
    here.remind()
    assert {sub for sub, kind, _ in here.told() if kind == MessageKind.DOUBLING_SOON} == set(subs[1:])


def test_plates_take_turns(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The only follower of the second plate does not wait for the last of the first."""
    monkeypatch.setattr("notify.announce._IN_TURN", 20)
    follow_all(here)
    follow(here.citizens, "elsewhere", OTHER_PLATE)
    here.announce(here.ingest(row(violation("V")), row(violation("W", plate_key=OTHER_PLATE.key))))
    order = [call for call in here.port.calls if call == "Query"]
    assert len(order) == 2
    first = here.port.calls.index(READ)
    assert here.port.calls[:first] == ["Query", "Query"]


def test_a_violation_that_went_over_two_plates_is_told_once_to_who_follows_both(here: World) -> None:
    follow(here.citizens, "both")
    follow(here.citizens, "both", OTHER_PLATE)
    subject = violation("V")
    records = here.ingest(row(subject))
    records += here.ingest(row(later(subject, plate_key=OTHER_PLATE.key)))
    here.announce(records)
    here.announce(records)
    assert here.told()["both", MessageKind.NEW_VIOLATION, "V"] == 1
