"""Files in any order, delivered twice, cut off between any two calls, their chunks loaded at once: always one result.

The model is the newest version of each row, applied once; of undated rows of a file an end before a dispute before what
is open. It knows nothing of queues, crashes or retries, and of chunks only that two plates of one number and moment in
one of them are both rejected.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, NamedTuple
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from ingest import chunking, load_chunk
from ingest.format.notices import NEWS_HELD
from shared.domain.file import OUTCOMES
from shared.domain.time import to_text
from tests.support.aws import Engine, Tables
from tests.support.ingest_world import ANNOUNCE_WITHIN, START, Run, Told, World

CHUNK = 2
RANKS = {"open": 0, "disputed": 1, "paid": 2, "cancelled": 2}
STATUSES = ("open", "open", "open", "cancelled", "paid", "disputed")
PLATES = ("12345", "67890")
DATED = ("D1", "D2")
UNDATED = ("U1",)
"""A feed names its rows' dates or does not; of one row it does not change its mind."""

Turns = list[tuple[str | int, int]]

_WORLDS = itertools.count(1)


class Said(NamedTuple):
    """A row as a file says it. day: of its update, or None where it does not say. amount: of this saying alone."""

    name: str
    plate: str
    status: str
    amount: int
    day: int | None
    recent: bool
    bad: bool = False


def said(*names: str) -> st.SearchStrategy[list[Said]]:
    """Some rows about these."""
    one = st.builds(
        Said,
        st.sampled_from(names),
        st.sampled_from(PLATES),
        st.sampled_from(STATUSES),
        st.just(0),
        st.integers(1, 4),
        st.booleans(),
        st.sampled_from((False, False, False, False, True)),
    )
    return st.lists(one, min_size=2, max_size=4)


def _rejected(rows: list[Said]) -> Iterator[int]:
    """Which rows of a file are rejected: bad ones, and those of a chunk that name two plates of a number and moment."""
    for at, row in enumerate(rows):
        start = at - at % CHUNK
        others = [other for other in rows[start : start + CHUNK] if not other.bad]
        if row.bad or any((o.name, o.day) == (row.name, row.day) and o.plate != row.plate for o in others):
            yield at


folders = st.sampled_from(("live", "backlog"))
contents = said(*DATED, *UNDATED, *UNDATED)
turns = st.lists(st.tuples(st.sampled_from(("all", "all", "all", 0, 1)), st.integers(1, 9)), max_size=3)
"""Which of the runs, or all in step, and how many calls each makes."""


class Ingest(RuleBasedStateMachine):
    """What can happen to files. tables, call: where it happens. max_news: what the brake lets through, if any."""

    call: Any
    tables: tuple[str, str]
    max_news: int | None = None

    @initialize(known=said(DATED[0]), files=st.lists(st.tuples(folders, contents), min_size=2, max_size=3))
    def begin(self, known: list[Said], files: list[tuple[str, list[Said]]]) -> None:
        """A file is loaded, and some are read through and queued."""
        self.world = World(self.call, *self.tables, f"w{next(_WORLDS)}")
        self.world.max_news = self.max_news
        self.newest: dict[str, tuple[tuple[str, str, int, int], Said]] = {}
        self.rejected: dict[str, set[int]] = {}
        self.rows: dict[str, list[Said]] = {}
        self.amounts = itertools.count(1000)
        self.upload("backlog", known, read=True)
        self.world.drain()
        for folder, rows in files:
            self.upload(folder, rows, read=True)

    # ------------------------------------------------------------------ rules

    @rule(folder=folders, rows=contents, read=st.booleans())
    def upload(self, folder: str, rows: list[Said], read: bool) -> None:
        """A further version of one of two files; read: at once and without a hitch."""
        rows = [row._replace(amount=next(self.amounts), day=row.day if row.name in DATED else None) for row in rows]
        self._upload(f"{folder}/{self.world.prefix}.csv", rows, read)

    @rule(folder=folders, read=st.booleans())
    def export_all(self, folder: str, read: bool) -> None:
        """A full export says again what is newest of every row."""
        if self.newest:
            self._upload(f"{folder}/{self.world.prefix}-all.csv", [said for _, said in self.newest.values()], read)

    @rule(which=st.integers(0, 99))
    def notify_again(self, which: int) -> None:
        """S3 may tell of a file twice, even when it is loaded."""
        self.world.messages.append(self.world.files[which % len(self.world.files)])

    @precondition(lambda self: self.world.messages)
    @rule(
        first=st.integers(0, 99),
        others=st.lists(st.integers(0, 2), max_size=2),
        turns=turns,
        ends=st.lists(st.sampled_from(("finishes", "rests", "crashes")), min_size=3, max_size=3),
        waits=st.booleans(),
    )
    def run_at_once(self, first: int, others: list[int], turns: Turns, ends: list[str], waits: bool) -> None:
        """A message, it again or its neighbours, are worked at by turns; then each run ends, or rests for now."""
        if waits:
            self.world.clock += timedelta(seconds=70)
        messages = self.world.messages
        runs = [self.world.start(messages[(first + other) % len(messages)]) for other in (0, *others)]
        self._take_turns(runs, turns)
        for run, end in zip(runs, ends, strict=False):
            if end == "finishes":
                run.finish()
            elif end == "crashes":
                run.kill()
        self.world.settle()

    @precondition(lambda self: self.world.messages)
    @rule(which=st.integers(0, 99), after=st.integers(2, 9))
    def cut_off(self, which: int, after: int) -> None:
        """A run dies where it is about to count, or has just written, what nobody else was at."""
        run = self.world.start(self.world.messages[which % len(self.world.messages)])
        self._take_turns([run], [(0, after)])
        run.kill()
        self.world.settle()

    @precondition(lambda self: self.world.runs)
    @rule(turns=turns)
    def go_on(self, turns: Turns) -> None:
        """Runs that rested move on."""
        self._take_turns([run for run, _ in self.world.runs], turns)
        self.world.settle()

    # ------------------------------------------------------------------ what must hold

    def teardown(self) -> None:
        try:
            self.world.drain()
            self._holds()
        finally:
            self.world.close()

    def _holds(self) -> None:
        numbers = [self._number(name) for name in (*DATED, *UNDATED)]
        expected = {
            self._number(said.name): (f"DE#11#ز#{said.plate}", said.amount, said.status)
            for _, said in self.newest.values()
        }
        assert self.world.violations(numbers) == expected
        inserted = 0
        for version, report in self.world.reports():
            counts, rows = report["counts"], self.rows[version.version_id]
            assert report["error"] is None
            assert counts["rows"] == sum(counts[outcome] for outcome in OUTCOMES) == len(rows)
            assert counts["rejected"] == len(self.rejected[version.version_id])
            inserted += counts["inserted"]
        assert inserted == len(expected)
        self._nothing_is_told_twice()
        for version, report in self.world.reports():
            if all(warning["code"] != NEWS_HELD for warning in report["warnings"]):
                assert not [number for number in numbers if self.world.held(number, version)]
        assert all(self.world.bucket.laid[f"reports/{key}.json"] == self._newest_report(key) for key in self._keys())

    def _nothing_is_told_twice(self) -> None:
        last: dict[str, Any] = {}
        for told in self.world.written:
            before = last.get(told.violation_no)
            if not told.held:  # of what is held nobody has heard
                last[told.violation_no] = told
            if told.tell:
                assert self._is_live(told.ref)
            if told.tell == "opened":
                assert told.status == "open"
                assert not (before and self._contradict(before, told))
                assert not (before and before.status == "open" and before.plate == told.plate)
        written = [(told.violation_no, told.ref) for told in self.world.written if not told.let_go]
        assert len(written) == len(set(written))

    @staticmethod
    def _contradict(first: Told, second: Told) -> bool:
        """Whether two lines of a file say the same moment's truth of two plates."""
        of_one_file = first.ref.partition("#")[0] == second.ref.partition("#")[0]
        return of_one_file and first.moment == second.moment and first.plate != second.plate

    # ------------------------------------------------------------------ helpers

    def _take_turns(self, runs: list[Run], turns: Turns) -> None:
        for who, steps in turns:
            for _ in range(steps):
                for run in runs if isinstance(who, str) else [runs[who % len(runs)]]:
                    run.step()

    def _upload(self, key: str, rows: list[Said], read: bool) -> None:
        # Whether an undated row may open what is paid hangs on which file was loaded first, unless it says when.
        declared = any(row.day is None and row.status == "open" for row in rows)
        last_modified = self.world.upload(key, [self._cells(row) for row in rows], declared=declared)
        version = self.world.files[-1]
        self.rows[version.version_id] = rows
        self.rejected[version.version_id] = set(_rejected(rows))
        for at, row in enumerate(rows):
            if at not in self.rejected[version.version_id]:
                rank = 0 if row.day else RANKS[row.status]
                order = self._day(row.day) if row.day else last_modified, last_modified, rank, at
                known = self.newest.get(row.name)
                if known is None or known[0] < order:
                    self.newest[row.name] = order, row
        if read:
            self.world.start(version).finish()
            self.world.settle()

    def _number(self, name: str) -> str:
        return f"{self.world.prefix}-{name}"

    def _day(self, day: int) -> str:
        return to_text(START - timedelta(days=10 - day))

    def _cells(self, said: Said) -> dict[str, str]:
        recorded = START - (timedelta(days=9) if said.recent else ANNOUNCE_WITHIN + timedelta(days=9))
        return {
            "violation_no": self._number(said.name),
            "plate_family": "german",
            "plate_governorate": "11",
            "plate_letter": "ز",
            "plate_number": said.plate,
            "violation_code": "101",
            "amount": "x" if said.bad else str(said.amount),
            "occurred_at": to_text(recorded),
            "recorded_at": to_text(recorded),
            "sector_code": "BG-7",
            "status": said.status,
            "updated_at": self._day(said.day) if said.day else "",
        }

    def _is_live(self, ref: str) -> bool:
        origins = {version.file_id: version.origin for version in self.world.files}
        return origins[ref.partition("#")[0]] == "live"

    def _keys(self) -> set[str]:
        return {version.key for version in self.world.files}

    def _newest_report(self, key: str) -> bytes:
        newest = [version for version in self.world.files if version.key == key][-1]
        return self.world.bucket.laid[f"reports/{key}.{newest.version_id}.json"]


def machine(engine: Engine, tables: Tables, max_news: int | None) -> Callable[[], Ingest]:
    class Here(Ingest):
        call = staticmethod(engine.fast())

    Here.tables = tables["Files"], tables["Violations"]
    Here.max_news = max_news
    return Here


def check(engine: Engine, tables: Tables, examples: int, steps: int, max_news: int | None = None) -> None:
    """Run the machine with chunks of two rows, written one by one, so that there is much to come between."""
    wide = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    with mock.patch.object(chunking, "MAX_CHUNK_ROWS", CHUNK), mock.patch.object(load_chunk, "BATCH", 1):
        run_state_machine_as_test(machine(engine, tables, max_news), settings=wide)


def test_any_interleaving_ends_in_the_newest_of_every_row(engine: Engine, tables: Tables) -> None:
    check(engine, tables, examples=60, steps=5)


@pytest.mark.parametrize("max_news", [0, 2])
def test_with_the_brake_on_it_is_the_same_and_nothing_is_forgotten(
    engine: Engine, tables: Tables, max_news: int
) -> None:
    """Files of more rows are held: all, or those of three and four rows."""
    check(engine, tables, examples=20, steps=5, max_news=max_news)


class Again(NamedTuple):
    """A row of a file that is loaded after another. amount: one of few, so that rows say the same as others."""

    name: str
    status: str
    amount: int
    day: int | None


rows_again = st.lists(
    st.builds(
        Again,
        st.sampled_from(("A", "B")),
        st.sampled_from(("open", "open", "paid", "disputed")),
        st.sampled_from((2000, 3000)),
        st.sampled_from((None, None, 3)),
    ),
    min_size=1,
    max_size=8,
)


@pytest.mark.timeout(900)
def test_the_order_and_number_of_runs_of_chunks_change_nothing(engine: Engine, tables: Tables) -> None:
    """Rows of a file that say what an earlier file said write nothing, and outdo earlier lines of their own all the
    same."""

    @settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
    @given(first=rows_again, second=rows_again, order=st.lists(st.integers(0, 99), max_size=12))
    def holds(first: list[Again], second: list[Again], order: list[int]) -> None:
        world = World(engine.fast(), tables["Files"], tables["Violations"], f"w{next(_WORLDS)}")
        try:
            for number, rows in enumerate((first, second)):
                world.upload(f"live/{number}.csv", [_again(world, row) for row in rows], declared=True)
                world.start(world.files[-1]).finish()
                world.settle()
                chunks = list(world.messages)
                for which in order if number else ():  # some again, some never but at the end
                    world.start(chunks[which % len(chunks)]).finish()
                    world.settle()
                world.drain()
            newest: dict[str, tuple[tuple[str, int, int, int], Again]] = {}
            for number, rows in enumerate((first, second)):
                for line, row in enumerate(rows):
                    day = to_text(START - timedelta(days=row.day)) if row.day else to_text(START + timedelta(days=1))
                    rank = 0 if row.day else RANKS[row.status]
                    if row.name not in newest or newest[row.name][0] < (day, number, rank, line):
                        newest[row.name] = (day, number, rank, line), row
            found = world.violations(f"{world.prefix}-{name}" for name in newest)
            assert {number.rpartition("-")[2]: each[1:] for number, each in found.items()} == {
                name: (row.amount, row.status) for name, (_, row) in newest.items()
            }
        finally:
            world.close()

    with mock.patch.object(chunking, "MAX_CHUNK_ROWS", 1):
        holds()


def _again(world: World, row: Again) -> dict[str, str]:
    recorded = to_text(START - timedelta(days=9))
    return {
        "violation_no": f"{world.prefix}-{row.name}",
        "plate_family": "german",
        "plate_governorate": "11",
        "plate_letter": "ز",
        "plate_number": "12345",
        "violation_code": "101",
        "amount": str(row.amount),
        "occurred_at": recorded,
        "recorded_at": recorded,
        "sector_code": "BG-7",
        "status": row.status,
        "updated_at": to_text(START - timedelta(days=row.day)) if row.day else "",
    }


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_many_interleavings_end_in_the_newest_of_every_row(engine: Engine, tables: Tables) -> None:
    check(engine, tables, examples=400, steps=40)
