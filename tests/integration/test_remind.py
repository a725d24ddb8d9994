"""The daily reminder as its schedule runs it."""

from __future__ import annotations

import importlib
from datetime import timedelta

import pytest

from shared.aws_json import Json
from shared.domain.message import MessageStatus
from shared.domain.plate import Plate
from shared.domain.time import to_text
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
