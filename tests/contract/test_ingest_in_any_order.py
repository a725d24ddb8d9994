"""Files in any order, delivered twice, cut off between any two calls, their chunks loaded at once: always one result.

The model is the newest version of each row, applied once. It knows nothing of chunks, queues, crashes or retries.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple
from unittest import mock

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from ingest import chunking, load_chunk
from shared.domain.file import OUTCOMES
from shared.domain.time import to_text
from tests.support.aws import Engine, Tables
from tests.support.ingest_world import ANNOUNCE_WITHIN, START, Run, World

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
        st.integers(1, 6),
        st.booleans(),
        st.sampled_from((False, False, False, False, True)),
    )
    return st.lists(one, min_size=2, max_size=4)


folders = st.sampled_from(("live", "backlog"))
contents = said(*DATED, *UNDATED)
turns = st.lists(st.tuples(st.sampled_from(("all", "all", "all", 0, 1)), st.integers(1, 9)), max_size=3)
"""Which of the runs, or all in step, and how many calls each makes."""


class Ingest(RuleBasedStateMachine):
    """What can happen to files. tables, call: where it happens."""

    call: Any
    tables: tuple[str, str]

    @initialize(known=said(DATED[0]), files=st.lists(st.tuples(folders, contents), min_size=2, max_size=3))
    def begin(self, known: list[Said], files: list[tuple[str, list[Said]]]) -> None:
        """A file is loaded, and some are read through and queued."""
        self.world = World(self.call, *self.tables, f"w{next(_WORLDS)}")
        self.newest: dict[str, tuple[tuple[str, str, int], Said]] = {}
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
            assert counts["rejected"] == sum(row.bad for row in rows)
            inserted += counts["inserted"]
        assert inserted == len(expected)
        self._nothing_is_told_twice()
        assert all(self.world.bucket.laid[f"reports/{key}.json"] == self._newest_report(key) for key in self._keys())

    def _nothing_is_told_twice(self) -> None:
        last: dict[str, Any] = {}
        for told in self.world.written:
            before, last[told.violation_no] = last.get(told.violation_no), told
            if told.tell:
                assert self._is_live(told.ref)
            if told.tell == "opened":
                assert told.status == "open"
                assert not (before and before.status == "open" and before.plate == told.plate)
        written = [(told.violation_no, told.ref) for told in self.world.written]
        assert len(written) == len(set(written))

    # ------------------------------------------------------------------ helpers

    def _take_turns(self, runs: list[Run], turns: Turns) -> None:
        for who, steps in turns:
            for _ in range(steps):
                for run in runs if isinstance(who, str) else [runs[who % len(runs)]]:
                    run.step()

    def _upload(self, key: str, rows: list[Said], read: bool) -> None:
        last_modified = self.world.upload(key, [self._cells(row) for row in rows])
        version = self.world.files[-1]
        self.rows[version.version_id] = rows
        for line, row in enumerate(rows, start=2):
            if not row.bad:
                order = self._day(row.day) if row.day else last_modified, last_modified, line
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


def machine(engine: Engine, tables: Tables) -> Callable[[], Ingest]:
    class Here(Ingest):
        call = staticmethod(engine.fast())

    Here.tables = tables["Files"], tables["Violations"]
    return Here


def check(engine: Engine, tables: Tables, examples: int, steps: int) -> None:
    """Run the machine with chunks of two rows, written one by one, so that there is much to come between."""
    wide = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    with mock.patch.object(chunking, "MAX_CHUNK_ROWS", 2), mock.patch.object(load_chunk, "BATCH", 1):
        run_state_machine_as_test(machine(engine, tables), settings=wide)


def test_any_interleaving_ends_in_the_newest_of_every_row(engine: Engine, tables: Tables) -> None:
    check(engine, tables, examples=60, steps=5)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_many_interleavings_end_in_the_newest_of_every_row(engine: Engine, tables: Tables) -> None:
    check(engine, tables, examples=400, steps=40)
