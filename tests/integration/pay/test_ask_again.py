"""Settled payments are asked about again, oldest first: each once a round, whatever pages, silences and crashes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pay.gateways import Order, OrderStatus, UnknownError
from pay.payments.ask_again import MAX_SILENCES, PAGE, Asked, ask_again
from pay.payments.settle import PaymentStores
from shared.domain.payment import Line, Payment, PaymentStatus, Return
from shared.domain.time import from_text, to_text
from shared.stores.items import item_key
from shared.stores.paying.payments import Position
from shared.stores.paying.rounds import Round, Rounds
from tests.support.aws import Engine
from tests.support.build import PLATE, SUB
from tests.support.crashes import Crash
from tests.support.functions import Functions
from tests.support.payment_requests import metrics

DAYS = 30


class Listing:
    """A gateway's listing, which says of each order what a test has it say. asked: in the order of asking."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.silent: set[str] = set()
        self.status: dict[str, str] = {}

    def get_order(self, payment_id: str, gateway_id: str) -> Order:
        self.asked.append(payment_id)
        if payment_id in self.silent:
            raise UnknownError("ReadTimeoutError")
        return Order(payment_id, gateway_id, self.status.get(payment_id, OrderStatus.PAID), 1_000, "IQD")


class Book:
    """Payments by day and the place, in memory: what a run that dies has kept."""

    def __init__(self, ages: list[int], now: datetime) -> None:
        self.payments = self.returns = self
        self.days: dict[str, list[str]] = {}
        for index, days in enumerate(ages):
            self.days.setdefault(to_text(now - timedelta(days=days))[:10], []).append(f"p{index:03}")
        self.round: Round | None = None
        self.dies = False

    def page_of_day(self, day: str, limit: int, after: Position | None) -> tuple[list[str], Position | None]:
        ids = [each for each in self.days.get(day, []) if after is None or each > after[1]]
        page = ids[:limit]
        return page, ("", page[-1]) if len(page) == limit else None

    def several(self, payment_ids: list[str], _: list[Exception]) -> dict[str, Payment]:
        made = Payment("", SUB, "fib", PaymentStatus.PAID, (), 1_000, "", "", "", gateway_id="g", received=1_000)
        return {each: made._replace(payment_id=each, gateway_id=f"g-{each}") for each in payment_ids}

    def of(self, _: Payment) -> list[Return]:
        return []

    def last(self, _: str) -> Round | None:
        return self.round

    def put(self, made: Round) -> None:
        if self.dies:
            raise Crash
        self.round = made


@pytest.fixture(autouse=True)
def _many_days_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pay.payments.ask_again.MAX_EMPTY_DAYS", 1_000)


@pytest.fixture
def rounds(engine: Engine, functions: Functions) -> Rounds:
    return Rounds(engine.fast(), functions.tables["Payments"])


def put(functions: Functions, payment_id: str, at: datetime, **fields: Any) -> str:
    """A payment that was made at an instant, settled unless it is said otherwise."""
    made = Payment(payment_id, SUB, "fib", PaymentStatus.PAID, (), 1_000, to_text(at), to_text(at), "https://x")
    made = made._replace(**{"gateway_id": f"g-{payment_id}", "received": 1_000, **fields})
    functions.payments.create(made, payment_id, "r", 100_000, [], at, most_started=100_000)
    return payment_id


def damage(engine: Engine, functions: Functions, payment_id: str) -> None:
    """Leave of a payment's first return its key alone."""
    item = item_key(payment_id, "RETURN#1")
    engine.fast()("dynamodb", "PutItem", {"TableName": functions.tables["Payments"], "Item": item})


def go_on(
    listing: Any, stores: PaymentStores, rounds: Rounds, at: datetime, asks: int = 1_000, name: str = "fib"
) -> timedelta:
    return ask_again(Asked(name, listing, timedelta(days=DAYS)), stores, rounds, at, asks, lambda: True)


def test_oldest_first_those_that_settled_something(functions: Functions, stores: PaymentStores, rounds: Rounds) -> None:
    now, listing = functions.clock.at, Listing()
    ages = {"newest": 1, "older": 2, "oldest": DAYS, "too old": DAYS + 1, "today": 0}
    for payment_id, days in ages.items():
        put(functions, payment_id, now - timedelta(days=days))
    put(functions, "given back", now - timedelta(days=3), status=PaymentStatus.REFUNDED)
    for status in set(PaymentStatus) - {PaymentStatus.PAID, PaymentStatus.REFUNDED}:
        put(functions, f"p-{status}", now - timedelta(days=3), status=status)
    put(functions, "another's", now - timedelta(days=3), gateway="qicard")
    assert go_on(listing, stores, rounds, now) == timedelta()
    assert listing.asked == ["oldest", "given back", "older", "newest"]


def test_a_round_begins_once_a_day_and_not_before_the_last_is_over(
    functions: Functions, stores: PaymentStores, rounds: Rounds
) -> None:
    now, listing = functions.clock.at, Listing()
    put(functions, "first", now - timedelta(days=5))
    put(functions, "second", now - timedelta(days=4))
    assert go_on(listing, stores, rounds, now, asks=1) == timedelta()
    later = now + timedelta(days=11)
    assert go_on(listing, stores, rounds, later, asks=0) == timedelta(days=11)
    for _ in range(2):
        assert go_on(listing, stores, rounds, later) == timedelta()
    assert listing.asked == ["first", "second"]
    go_on(listing, stores, rounds, later + timedelta(days=1))
    assert listing.asked == ["first", "second"] * 2


def test_a_silent_gateway_keeps_its_place_and_one_silence_does_not(
    functions: Functions, stores: PaymentStores, rounds: Rounds
) -> None:
    now, listing = functions.clock.at, Listing()
    every = {put(functions, f"p{index}", now - timedelta(days=5)) for index in range(MAX_SILENCES)}
    listing.silent = every
    go_on(listing, stores, rounds, now)
    assert rounds.last("fib") == Round("fib", to_text(now), to_text(now - timedelta(days=5))[:10])
    listing.silent, listing.asked = {"p1"}, []
    assert go_on(listing, stores, rounds, now) == timedelta()
    assert set(listing.asked) == every


def test_days_of_one_payment_each_tell_that_a_gateway_is_silent(
    functions: Functions, stores: PaymentStores, rounds: Rounds
) -> None:
    now, listing = functions.clock.at, Listing()
    listing.silent = {put(functions, f"p{days}", now - timedelta(days=days)) for days in range(1, MAX_SILENCES + 2)}
    answered = put(functions, "first", now - timedelta(days=MAX_SILENCES + 2))
    go_on(listing, stores, rounds, now)
    assert len(listing.asked) == 1 + MAX_SILENCES
    listing.silent, listing.asked = set(), []
    assert go_on(listing, stores, rounds, now) == timedelta()
    assert answered not in listing.asked
    assert len(listing.asked) == MAX_SILENCES + 1


def test_one_that_is_never_answered_stops_no_round(functions: Functions, stores: PaymentStores, rounds: Rounds) -> None:
    now, listing = functions.clock.at, Listing()
    listing.silent = {put(functions, "alone", now - timedelta(days=9))}
    put(functions, "next", now - timedelta(days=4))
    go_on(listing, stores, rounds, now, asks=1)
    go_on(listing, stores, rounds, now, asks=1)
    assert listing.asked == ["alone", "next"]


def test_one_whose_returns_cannot_be_read_stops_no_round(
    engine: Engine, functions: Functions, stores: PaymentStores, rounds: Rounds, capsys: pytest.CaptureFixture[str]
) -> None:
    now, listing = functions.clock.at, Listing()
    put(functions, "damaged", now - timedelta(days=9), receipt_no="GH-1", returns=1)
    put(functions, "next", now - timedelta(days=4))
    damage(engine, functions, "damaged")
    capsys.readouterr()
    assert go_on(listing, stores, rounds, now) == timedelta()
    assert listing.asked == ["damaged", "next"]
    assert metrics(capsys)["ItemsUnreadable"] == [1]


def test_a_due_return_that_cannot_be_read_ends_no_run(
    engine: Engine, functions: Functions, capsys: pytest.CaptureFixture[str]
) -> None:
    put(functions, "damaged", functions.clock.at - timedelta(hours=1), status=PaymentStatus.REFUND_DUE, returns=1)
    damage(engine, functions, "damaged")
    capsys.readouterr()
    functions.poll_gateways()
    counted = metrics(capsys)
    assert (counted["ItemsUnreadable"], counted["ReturnsWanted"], counted["SettledUnaskedDays"]) == ([1], [0], [0])


def test_a_run_passes_few_days_without_a_payment(
    functions: Functions, stores: PaymentStores, rounds: Rounds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pay.payments.ask_again.MAX_EMPTY_DAYS", 10)
    now, listing = functions.clock.at, Listing()
    put(functions, "newest", now - timedelta(days=1))
    for runs in range(3):
        assert (listing.asked, runs) == ([], runs)
        go_on(listing, stores, rounds, now)
    assert listing.asked == ["newest"]


def test_what_is_said_is_kept(
    functions: Functions, stores: PaymentStores, started: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Through the poller, a month after a card was charged: its bank took the money back, and nobody said so."""
    functions.gateway.says(started)
    functions.callback(started)
    functions.clock.forward(days=100)
    functions.gateway.says(started, OrderStatus.REFUNDED)
    capsys.readouterr()
    functions.poll_gateways()
    found = functions.payments.get(started)
    assert found is not None
    assert found.money_returned == 75_000
    functions.poll_gateways()
    counted = metrics(capsys)
    assert (counted["SettledAskedAgain"], counted["SettledUnaskedDays"]) == ([1], [0, 0])


def test_what_the_gateway_says_of_another_order_is_not_taken_for_it(
    functions: Functions, stores: PaymentStores, rounds: Rounds
) -> None:
    now, listing = functions.clock.at, Listing()
    lines = (Line("V1", 1_000, PLATE.key, "7", "11"),)
    put(functions, "mine", now - timedelta(days=5), receipt_no="GH-1", lines=lines)
    other = Order("yours", "g-yours", OrderStatus.REFUNDED, 1_000, "IQD")
    listing.get_order = lambda *_: other  # type: ignore[method-assign,assignment]
    go_on(listing, stores, rounds, now)
    found = functions.payments.get("mine")
    assert found is not None
    assert found.money_returned == 0


@pytest.mark.usefixtures("functions")
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ages=st.lists(st.integers(1, DAYS), min_size=1, max_size=40),
    asks=st.lists(st.integers(0, 30), min_size=1, max_size=8),
    dies=st.sets(st.integers(0, 20), max_size=3),
)
def test_each_is_asked_once_a_round(ages: list[int], asks: list[int], dies: set[int]) -> None:
    """Whatever fits into a run; of a run that dies at most one page is asked about again."""
    now = from_text("2026-11-20T12:00:00+03:00")
    kept, listing, calls = Book(ages, now), Listing(), 0
    for asks_now in [*asks, *[1_000] * 3]:
        kept.dies = calls in dies
        calls += 1
        try:
            go_on(listing, kept, kept, now, asks_now)  # type: ignore[arg-type]
        except Crash:
            continue
    again = len(listing.asked) - len(set(listing.asked))
    assert set(listing.asked) == {each for ids in kept.days.values() for each in ids}
    assert again <= PAGE * len(dies)
    assert dies or again == 0
