"""The daily reminder as its schedule runs it."""

from __future__ import annotations

import importlib
from datetime import timedelta

import pytest

from shared.aws_json import Json
from shared.domain.message import MessageStatus
from shared.domain.plate import KURDISTAN, Plate
from shared.domain.rules import Period, Rules
from shared.domain.time import to_text
from shared.policies import RULES
from tests.support import lambda_events as events
from tests.support.aws import Engine
from tests.support.build import OTHER_PHONE, OTHER_PLATE, PLATE, follow, row, violation
from tests.support.functions import Functions, run


def rising_in(functions: Functions, days: int, plate: Plate = PLATE) -> None:
    """A followed violation, long announced, that doubles in so many days: a month after it was recorded."""
    doubles = functions.clock.at + timedelta(days=days)
    month_before = doubles.replace(month=doubles.month - 1)
    at = to_text(month_before)
    subject = violation(plate_key=plate.key, recorded_at=at, occurred_at=at, legal_ref="25/3/هـ")
    functions.ingest(row(subject, origin="backlog"))


@pytest.mark.parametrize(("days", "reminded"), [(8, False), (7, True), (5, True), (1, True)])
def test_who_follows_hears_once(functions: Functions, days: int, reminded: bool) -> None:
    follow(functions.citizens)
    rising_in(functions, days)
    for _ in range(2):
        run("notify.remind", events.schedule())
        functions.clock.forward(hours=1)
    functions.send_due()
    assert functions.statuses() == ([MessageStatus.SENT] if reminded else [])
    assert all("reminder" in text for text in functions.phones.texts)


@pytest.mark.parametrize(
    ("table", "spoilt"),
    [("Citizens", {"notify": {"S": "of a later version"}}), ("Violations", {"version": {"N": "2"}})],
    ids=["a follower", "a violation"],
)
def test_an_item_that_cannot_be_read_holds_up_no_other_and_the_run_has_failed(
    functions: Functions, engine: Engine, table: str, spoilt: Json
) -> None:
    follow(functions.citizens)
    follow(functions.citizens, "second", OTHER_PLATE, phone=OTHER_PHONE)
    for plate in (PLATE, OTHER_PLATE):  # of two shards
        rising_in(functions, 7, plate)
    (item,) = [
        each
        for each in functions.tables.items(table)
        if each["pk"]["S"] == f"P#{PLATE.key}" or (table == "Violations" and each["plate"]["S"] == PLATE.key)
    ]
    put(engine, functions.tables[table], {**item, **spoilt})
    with pytest.raises(RuntimeError, match="1 of the plates or shards cannot be read"):
        run("notify.remind", events.schedule())
    functions.send_due()
    assert [phone for phone, _ in functions.phones.sent] == [OTHER_PHONE]
    put(engine, functions.tables[table], item)
    run("notify.remind", events.schedule())
    functions.send_due()
    assert len(functions.phones.sent) == 2


def put(engine: Engine, table: str, item: Json) -> None:
    engine.fast()("dynamodb", "PutItem", {"TableName": table, "Item": item})


def test_a_run_that_has_no_time_left_leaves_the_rest_to_the_next(functions: Functions) -> None:
    follow(functions.citizens)
    rising_in(functions, 7)
    context = events.context()
    context.get_remaining_time_in_millis = lambda: 20_000
    importlib.import_module("notify.remind").handler(events.schedule(), context)
    assert functions.statuses() == []
    run("notify.remind", events.schedule())
    functions.send_due()
    assert functions.statuses() == [MessageStatus.SENT]


REGION_PLATE = Plate(KURDISTAN, "21", "", "12345")


def on_the_regions_plate(functions: Functions, occurred: str, recorded: str) -> None:
    """A followed violation of the Region, where 30 days from the commission may be meant."""
    follow(functions.citizens, plate=REGION_PLATE)
    fields = {"occurred_at": f"{occurred}T12:00:00+03:00", "recorded_at": f"{recorded}T12:00:00+03:00"}
    functions.ingest(row(violation(plate_key=REGION_PLATE.key, **fields), origin="backlog"))


def reminded(functions: Functions) -> int:
    """Run the reminders; how many messages there are then."""
    run("notify.remind", events.schedule())
    return sum("sub" in item for item in functions.tables.items("Messages"))


def test_the_earliest_day_that_may_be_meant_is_the_one_to_remind_of(functions: Functions) -> None:
    on_the_regions_plate(functions, "2026-10-27", "2026-10-31")  # 26 November, or the 30th
    assert reminded(functions) == 1
    functions.send_due()
    (text,) = functions.phones.texts
    assert "50,000 IQD now, may become 100,000 from 26/11/2026" in text
    functions.clock.forward(days=5)
    assert reminded(functions) == 2


def test_after_it_nobody_is_reminded_of_a_later_one(functions: Functions) -> None:
    on_the_regions_plate(functions, "2026-10-21", "2026-10-25")  # today at noon, or the 25th
    assert reminded(functions) == 0


def test_a_reminder_that_waited_past_it_is_not_sent(functions: Functions) -> None:
    on_the_regions_plate(functions, "2026-10-22", "2026-10-26")  # tomorrow at noon, or the 26th
    assert reminded(functions) == 1
    functions.clock.forward(days=1)
    functions.send_due()
    assert functions.statuses() == [MessageStatus.DROPPED]


def test_what_rises_by_another_reading_alone_is_not_told_as_a_rise(
    functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under a rule on the notification, of which the directorate gave no date."""
    rising_in(functions, 7)
    follow(functions.citizens)
    read = [row._replace(period=Period("notified", months=1), readings=(row.period,)) for row in RULES.policies]
    monkeypatch.setattr("notify.reminding.RULES", Rules(read))
    monkeypatch.setattr("notify.wording.RULES", Rules(read))
    assert reminded(functions) == 1
    functions.send_due()
    assert functions.statuses() == [MessageStatus.DROPPED]


def test_the_stage_is_that_of_the_rules_and_not_of_the_day_it_was_found_by(
    functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rules are in force by which it doubles in five days; the index still has the day of those before, in seven."""
    rising_in(functions, 7)
    follow(functions.citizens)
    days = Rules([policy._replace(period=Period("recorded", days=29)) for policy in RULES.policies])
    monkeypatch.setattr("notify.reminding.RULES", days)
    assert reminded(functions) == 1
    (item,) = functions.tables.items("Violations")
    marks = {m["pk"]["S"] for m in functions.tables.items("Messages") if m["pk"]["S"].startswith("TOLD#V")}
    assert any(mark.endswith("#7#2026-11-25") for mark in marks), marks
    functions.violations.find_on(item, f"2026-11-25#{item['doubling_day']['S'][-1]}")
    functions.clock.forward(hours=1)
    assert reminded(functions) == 1
    monkeypatch.setattr("notify.reminding.RULES", Rules([]))
    functions.clock.forward(days=4)
    assert reminded(functions) == 1
