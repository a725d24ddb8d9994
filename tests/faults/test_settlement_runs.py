"""Whatever dies between two writes of a run, and whoever runs beside it: each settlement is in one file, once."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from hashlib import sha256

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule, run_state_machine_as_test

from remit.hourly import run
from shared.aws_json import AwsError, Call, Json
from shared.domain.settlement import REVERSED, SETTLED, Entry, Share
from shared.domain.time import to_text
from shared.stores.items import transact
from shared.stores.paying.settlements import Settlements
from tests.support.aws import Engine, Tables
from tests.support.build import NOON
from tests.support.crashes import Crash, Faults
from tests.support.functions import forget

HOUR = timedelta(hours=1)
FAILURES = {
    "crash before": (False, Crash()),
    "crash after": (True, Crash()),
    "failure before": (False, AwsError("InternalServerError", "")),
    "failure after": (True, AwsError("Unreachable", "")),
}


class World:
    """A ledger and a bucket. seen: what a reader took of each object when it first lay there."""

    def __init__(self, call: Call, table: str) -> None:
        self._call = call
        self.faults = Faults()
        self.ledger = Settlements(self.faults.through(call), table)
        self.put = self.faults.through(self._put)
        self.unfaulted = Settlements(call, table)
        self.objects: dict[str, bytes] = {}
        self.paid: dict[tuple[str, str], Entry] = {}

    def _put(self, key: str, content: bytes, content_type: str) -> None:
        assert self.objects.setdefault(key, content) == content, "a file changed after it could be read"

    def pay(self, payment_id: str, at: datetime, amounts: list[int], kind: str = SETTLED) -> Entry:
        shares = tuple(Share(f"{payment_id}-{n}", amount, f"s{n % 3}", "11") for n, amount in enumerate(amounts))
        entry = Entry(kind, payment_id, f"GH-{payment_id}", "sandbox", to_text(at), to_text(at), shares)
        transact(self._call, [self.unfaulted.due_action(entry)])
        self.paid[kind, payment_id] = entry
        return entry

    def run(self, at: datetime) -> None:
        run(self.ledger, self.put, at)

    def run_beside(self, at: datetime) -> None:
        """A whole run by another process."""
        run(self.unfaulted, self._put, at)

    def lines(self) -> Iterator[dict[str, str]]:
        for key, content in self.objects.items():
            if key.endswith(".csv"):
                yield from csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))

    def assert_told_once(self) -> None:
        """Every share of every entry is one line of all files, and what the manifests say adds up to the dinar."""
        signs = {SETTLED: 1, REVERSED: -1}
        wanted = sorted(
            (e.kind, s.violation_no, signs[e.kind] * s.amount) for e in self.paid.values() for s in e.shares
        )
        found = sorted((line["entry"], line["violation_no"], int(line["amount"])) for line in self.lines())
        assert found == wanted
        manifests = [json.loads(content) for key, content in self.objects.items() if key.endswith("manifest.json")]
        assert sum(each["totals"]["amount"] for each in manifests) == sum(amount for *_, amount in wanted)
        listed = {file["key"]: file["sha256"] for each in manifests for file in each["files"]}
        assert listed == {
            key: sha256(content).hexdigest() for key, content in self.objects.items() if key.endswith(".csv")
        }
        for key, checksum in listed.items():
            file = self.unfaulted.file(key)
            assert file is not None
            assert file.sha256 == checksum


@pytest.fixture(autouse=True)
def _metrics(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Gharama")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "gharama")
    forget()
    yield
    forget()


@pytest.fixture
def world(engine: Engine, tables: Tables) -> World:
    world = World(engine.fast(), tables["Settlements"])
    for number in range(7):
        world.pay(f"p{number}", NOON, [1_000 + number, 50_000])
    return world


@pytest.mark.parametrize(("after", "error"), FAILURES.values(), ids=FAILURES)
def test_a_run_that_dies_anywhere_is_finished_by_the_next(world: World, after: bool, error: BaseException) -> None:
    """What was due at the crash and could not go into the files of its hour goes into the next hour's."""
    at, place = NOON, 0
    dying = True
    while dying:
        place += 1
        for number in range(2):
            world.pay(f"p{place}-{number}", at, [place, 50_000])
        with world.faults.fail(place, after=after, error=error), contextlib.suppress(Crash, AwsError):
            world.run(at)
        dying = world.faults.calls >= place
        world.pay(f"late-{place}", at, [7])
        world.run(at + HOUR)
        world.assert_told_once()
        at += 2 * HOUR
    assert place > 10


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_another_run_at_any_moment_of_a_run_changes_nothing(engine: Engine, tables: Tables, after: bool) -> None:
    """The other run is whole, comes at each call of the first in turn, and new payments right after it."""
    world = World(engine.fast(), tables["Settlements"])
    at, place, number = NOON, 0, 0
    busy = True
    while busy:
        place += 1
        for _ in range(3):
            number += 1
            world.pay(f"p{number}", at, [number, 50_000, 25_000, 5])
        busy = False

        def come(moment: int, at: datetime = at, place: int = place) -> None:
            nonlocal busy
            if moment == place:
                busy = True
                world.run_beside(at)
                for shard in range(8):
                    world.pay(f"between-{place}-{shard}", at, [3])

        run(Settlements(_watched(engine.fast(), come, after), tables["Settlements"]), world._put, at)
        at += HOUR
        world.run(at)
        world.assert_told_once()
        at += HOUR
    assert place > 8


def _watched(call: Call, come: Callable[[int], None], after: bool) -> Call:
    made = 0

    def watched(service: str, operation: str, request: Json) -> Json:
        nonlocal made
        made += 1
        if not after:
            come(made)
        answer = call(service, operation, request)
        if after:
            come(made)
        return answer

    return watched


def test_a_second_run_of_the_hour_makes_nothing_new(world: World) -> None:
    world.run(NOON)
    made = dict(world.objects)
    world.pay("p9", NOON, [9])
    world.run(NOON + timedelta(minutes=59))
    assert world.objects == made
    world.run(NOON + HOUR)
    assert {key.split("/")[2] for key in world.objects} == {"12", "13"}
    world.assert_told_once()


def test_an_hour_with_nothing_to_tell_has_no_files(world: World) -> None:
    world.run(NOON)
    made = dict(world.objects)
    world.run(NOON + HOUR)
    assert world.objects == made


def test_what_one_batch_cannot_hold_waits_for_the_next(world: World) -> None:
    for hour in range(7):
        run(world.unfaulted, world._put, NOON + hour * HOUR, most=2)
    assert len([key for key in world.objects if key.endswith("manifest.json")]) == 7
    world.assert_told_once()


def test_a_clock_that_goes_back_makes_no_second_batch_of_an_hour(world: World) -> None:
    world.run(NOON)
    world.pay("p9", NOON, [9])
    world.run(NOON - HOUR)
    assert {key.split("/")[2] for key in world.objects} == {"12"}
    world.run(NOON + HOUR)
    world.assert_told_once()


class Runs(RuleBasedStateMachine):
    """Payments, refunds and runs in any order, some of which die at some call."""

    engine: Engine
    settled = Bundle("settled")

    def __init__(self) -> None:
        super().__init__()
        self.at = NOON
        self.number = 0
        self.tables = Tables(self.engine.fast())
        self.world = World(self.engine.fast(), self.tables["Settlements"])

    @rule(target=settled, amounts=st.lists(st.integers(1, 10**6), min_size=1, max_size=4))
    def pay(self, amounts: list[int]) -> tuple[str, list[int]]:
        self.number += 1
        self.world.pay(f"p{self.number}", self.at, amounts)
        return f"p{self.number}", amounts

    @rule(paid=consumes(settled))
    def refund(self, paid: tuple[str, list[int]]) -> None:
        self.world.pay(paid[0], self.at, paid[1], REVERSED)

    @rule(minutes=st.sampled_from([1, 30, 60, 600]))
    def wait(self, minutes: int) -> None:
        self.at += timedelta(minutes=minutes)

    @rule(place=st.integers(1, 30), failure=st.sampled_from(list(FAILURES.values())))
    def run_and_die(self, place: int, failure: tuple[bool, BaseException]) -> None:
        after, error = failure
        with self.world.faults.fail(place, after=after, error=error), contextlib.suppress(Crash, AwsError):
            self.world.run(self.at)

    @rule()
    def run(self) -> None:
        self.world.run(self.at)

    @invariant()
    def no_line_is_told_twice(self) -> None:
        told = [(line["entry"], line["violation_no"]) for line in self.world.lines()]
        assert len(told) == len(set(told))

    def teardown(self) -> None:
        self.world.run(self.at + HOUR)
        self.world.run(self.at + 2 * HOUR)
        self.world.assert_told_once()
        self.tables.delete()


def test_any_order_of_payments_refunds_runs_and_deaths(engine: Engine) -> None:
    machine = type("Machine", (Runs,), {"engine": engine})
    run_state_machine_as_test(machine, settings=settings(max_examples=25, stateful_step_count=20))
