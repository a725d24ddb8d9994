"""What the directorate says of fines that were settled here: entered once, and only an operator decides."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from infra.local.streams.filter import EventFilter
from infra.template import read as read_template
from pay.payments.returning import keep_lines, return_lines, reverse
from pay.payments.settle import PaymentStores
from shared.aws_json import Json
from shared.domain.payment import MAX_LINES
from shared.domain.time import to_text
from shared.domain.violation import CANCELLED, DISPUTED, PAID, Violation
from shared.stores.items import read_rows
from shared.stores.paying.wants import Want
from tests.support import lambda_events as events
from tests.support.aws import Engine, Watched
from tests.support.build import OTHER_PLATE, follow, later, row, store, violation
from tests.support.functions import Functions, run
from tests.support.payment_requests import metrics, payment_body

Say = Callable[..., list[Json]]


@pytest.fixture
def paid(functions: Functions, started: str) -> str:
    functions.gateway.says(started)
    functions.callback(started)
    return started


@pytest.fixture
def say(functions: Functions) -> Say:
    """Has the directorate say something of violations; the records of it, as the stream gives them."""

    def say(*subjects: Violation, **change: Any) -> list[Json]:
        before = image(functions)
        for start in range(0, len(subjects), 100):
            functions.violations.write([row(later(each, **change)) for each in subjects[start : start + 100]])
        after = image(functions)
        return [events.change(before[each.violation_no], after[each.violation_no]) for each in subjects]

    return say


def image(functions: Functions) -> dict[str, Json]:
    return {item["pk"]["S"]: item for item in functions.tables.items("Violations")}


def hear(records: list[Json]) -> list[Json]:
    """The failures that the function reports."""
    failures: list[Json] = run("pay.on_violation", events.records(records))["batchItemFailures"]
    return failures


def wanted(functions: Functions) -> list[tuple[str, str, str]]:
    return sorted((want.violation_no, want.payment_id, want.cause) for want in functions.wants.undecided())


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"status": CANCELLED}, "cancelled"),
        ({"plate_key": OTHER_PLATE.key}, "moved"),
        ({"status": PAID, "counter_receipt_no": "C-1"}, "paid_twice"),
        ({"status": PAID, "counter_receipt_no": "C-1", "plate_key": OTHER_PLATE.key}, "paid_twice"),
        ({"status": PAID}, None),
        ({"status": DISPUTED}, None),
        ({"amount": 1}, None),
    ],
)
def test_what_may_have_to_go_back_is_entered_once(
    functions: Functions, subjects: list[Violation], paid: str, say: Say, change: dict[str, Any], cause: str | None
) -> None:
    records = say(subjects[0], **change)
    for _ in range(2):
        assert hear(records) == []
    assert wanted(functions) == ([(subjects[0].violation_no, paid, cause)] if cause else [])


@pytest.mark.parametrize("spelling", [str, str.lower, " {} ".format])
def test_our_own_receipt_that_comes_back_is_no_second_payment(
    functions: Functions, subjects: list[Violation], paid: str, say: Say, spelling: Callable[[str], str]
) -> None:
    receipt_no = str(functions.payment(paid).body["receipt_no"])
    hear(say(subjects[0], status=PAID, counter_receipt_no=spelling(receipt_no)))
    assert wanted(functions) == []


def test_of_one_paid_twice_the_sector_is_asked_and_no_sum_changes(
    functions: Functions, subjects: list[Violation], paid: str, say: Say, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    records = say(*subjects, status=PAID, counter_receipt_no="C-1")
    hear(records)
    hear(records)
    asked = [item for item in functions.tables.items("Settlements") if item["sk"]["S"].startswith("paid_twice#")]
    shares = [list(row[:2]) for item in asked for row in read_rows(item["shares"])]
    assert sorted(shares) == sorted([each.violation_no, 0] for each in subjects)
    assert sum(metrics(capsys)["PaidTwice"]) == 2


def test_it_is_counted_until_somebody_decides(
    functions: Functions,
    stores: PaymentStores,
    subjects: list[Violation],
    paid: str,
    say: Say,
    capsys: pytest.CaptureFixture[str],
) -> None:
    hear(say(*subjects, status=CANCELLED))
    payment = functions.payments.get(paid)
    assert payment is not None
    functions.clock.forward(minutes=3)
    assert return_lines(payment, stores, functions.clock.at, [subjects[0].violation_no])
    functions.poll_gateways()
    payment = functions.payments.get(paid)
    assert payment is not None
    assert keep_lines(payment, stores, functions.clock.at, [subjects[1].violation_no])
    capsys.readouterr()
    functions.poll_gateways()
    assert (metrics(capsys)["ReturnsWanted"], wanted(functions)) == ([0], [])
    hear(say(subjects[1], status=CANCELLED, amount=7))
    assert wanted(functions) == [], "it was decided about"


def test_one_that_went_back_while_it_was_entered_can_leave_the_list(
    functions: Functions, stores: PaymentStores, subjects: list[Violation], paid: str, say: Say
) -> None:
    before = functions.payments.get(paid)
    assert before is not None
    number = subjects[0].violation_no
    assert return_lines(before, stores, functions.clock.at, [number])
    assert functions.wants.enter(Want(number, paid, "cancelled", to_text(functions.clock.at)))
    after = functions.payments.get(paid)
    assert after is not None
    assert keep_lines(after, stores, functions.clock.at, [number])
    assert wanted(functions) == []


@pytest.mark.parametrize("decide", [return_lines, reverse])
def test_one_decision_takes_what_a_transaction_holds(
    functions: Functions, stores: PaymentStores, say: Say, decide: Callable[..., bool]
) -> None:
    fines = [violation() for _ in range(MAX_LINES)]
    follow(functions.citizens)
    store(functions.violations, *fines)
    payment_id = str(functions.pay(payment_body(*fines)).body["payment_id"])
    functions.gateway.says(payment_id)
    functions.callback(payment_id)
    hear(say(*fines, status=CANCELLED))
    payment = functions.payments.get(payment_id)
    assert payment is not None
    numbers = [fine.violation_no for fine in fines]
    with pytest.raises(ValueError, match="at most 47 by LINES"):
        decide(payment, stores, functions.clock.at, numbers[:48])
    assert functions.payments.get(payment_id) == payment
    assert decide(payment, stores, functions.clock.at, numbers[:47])
    assert [number for number, *_ in wanted(functions)] == sorted(numbers[47:])


def test_nothing_is_kept_that_nobody_wants_back(
    functions: Functions, stores: PaymentStores, subjects: list[Violation], paid: str
) -> None:
    payment = functions.payments.get(paid)
    assert payment is not None
    with pytest.raises(ValueError, match="none of them is wanted"):
        keep_lines(payment, stores, functions.clock.at, [subjects[0].violation_no])


def test_an_image_from_before_it_went_back_wants_nothing(
    functions: Functions, stores: PaymentStores, subjects: list[Violation], paid: str, say: Say
) -> None:
    records = say(subjects[0], status=CANCELLED)
    payment = functions.payments.get(paid)
    assert payment is not None
    return_lines(payment, stores, functions.clock.at, [subjects[0].violation_no])
    hear(records)
    assert wanted(functions) == []


def test_a_file_that_cancels_a_thousand_paid_fines(
    engine: Engine, functions: Functions, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever order and however often: each is entered, and a batch asks no payment of its own for each."""
    port = Watched(engine.fast())
    monkeypatch.setattr("pay.ports.FastClient", lambda: port)
    fines = [violation() for _ in range(1_000)]
    follow(functions.citizens)
    store(functions.violations, *fines)
    monkeypatch.setenv("STARTS_A_DAY", "1000")
    for start in range(0, 1_000, 50):
        chosen = fines[start : start + 50]
        reply = functions.pay(payment_body(*chosen), f"key-{start:08}")
        assert reply.status == 201, reply.body
        functions.gateway.says(reply.body["payment_id"])
        functions.callback(reply.body["payment_id"])
    records = say(*fines, status=CANCELLED)
    records += random.Random(1).sample(records, 100)
    port.operations.clear()
    for start in range(0, len(records), 100):
        assert hear(records[start : start + 100]) == []
    assert len(wanted(functions)) == 1_000
    assert len(port.operations) <= 1_000 + 3 * len(records) // 100


def test_what_cannot_be_read_stops_nothing(
    engine: Engine, functions: Functions, subjects: list[Violation], paid: str, say: Say
) -> None:
    """A damaged record, and one whose payment is damaged or gone; the bucket is not there, so they are reported."""
    first, second = say(*subjects, status=CANCELLED)
    damaged = events.change(None, {**first["dynamodb"]["NewImage"], "amount": {"S": "much"}})
    orphan = events.change(None, {**first["dynamodb"]["NewImage"], "paid_by": {"S": "nobody"}})
    failures = hear([damaged, second, orphan])
    assert [each["itemIdentifier"] for each in failures] == [
        each["dynamodb"]["SequenceNumber"] for each in (damaged, orphan)
    ]
    assert wanted(functions) == [(subjects[1].violation_no, paid, "cancelled")]


def test_only_what_is_settled_here_reaches_the_function(
    functions: Functions, subjects: list[Violation], started: str, say: Say
) -> None:
    events_of = read_template()["Resources"]["PayOnViolation"]["Properties"]["Events"]
    passes = EventFilter(events_of["Violation"]["Properties"]["FilterCriteria"])
    assert [passes.matches(record) for record in say(*subjects, amount=1)] == [False, False]
    functions.gateway.says(started)
    functions.callback(started)
    assert [passes.matches(record) for record in say(*subjects, status=CANCELLED)] == [True, True]
