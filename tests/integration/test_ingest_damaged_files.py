"""A number that stands in a file twice, whatever order its chunks run in and however often: right, or told."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest import chunking
from shared.domain.time import to_text
from tests.support.aws import Engine, Tables
from tests.support.ingest_world import START, World
from tests.support.spreadsheet_damage import with_number_of

CHUNK = 3
DOUBLED = {"beaten_in_file", "number_on_two_plates", "moved"}
"""What is told of a number that stands twice."""

WITHIN_A_CHUNK = (0, 2)
ACROSS_CHUNKS = (CHUNK, 1)
"""The place of a row that bears the number of another, and that of the other."""

_WORLDS = itertools.count(1)

Facts = tuple[str, int, str]


def export(prefix: str, plates: Sequence[str], statuses: Sequence[str], updated: Sequence[int]) -> list[dict[str, str]]:
    """A right file. updated: so many days before the file came; 0: it does not say."""
    recorded = to_text(START - timedelta(days=9))
    return [
        {
            "violation_no": f"{prefix}-{at}",
            "plate_family": "german",
            "plate_governorate": "11",
            "plate_letter": "ز",
            "plate_number": plate,
            "violation_code": "101",
            "amount": str(25_000 + 1_000 * at),
            "occurred_at": recorded,
            "recorded_at": recorded,
            "sector_code": "BG-7",
            "status": statuses[at % len(statuses)],
            "updated_at": to_text(START - timedelta(days=days)) if (days := updated[at % len(updated)]) else "",
        }
        for at, plate in enumerate(plates)
    ]


def facts(row: dict[str, str]) -> Facts:
    return f"DE#11#ز#{row['plate_number']}", int(row["amount"]), row["status"]


def load(world: World, rows: list[dict[str, str]], order: Any, twice: bool) -> dict[str, Any]:
    """Load a file, its chunks in some order and, where it says so, each delivered once more; returns its report."""
    world.upload(f"live/{world.prefix}.csv", rows)
    world.start(world.files[-1]).finish()
    world.settle()
    messages = [*world.messages]
    order.shuffle(messages)
    for message in messages * (2 if twice else 1):
        world.clock += timedelta(seconds=120)
        world.start(message).finish()
        world.settle()
    world.drain()
    *_, (_, report) = world.reports()
    return report


def check(engine: Engine, tables: Tables, examples: int) -> None:
    names = tables["Files"], tables["Violations"]

    @settings(max_examples=examples, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        st.lists(st.sampled_from(["12345", "67890", "555"]), min_size=CHUNK + 1, max_size=3 * CHUNK),
        st.lists(st.sampled_from(["open", "open", "paid", "cancelled"]), min_size=1, max_size=3),
        st.lists(st.sampled_from([0, 0, 1, 2]), min_size=1, max_size=3),
        st.sampled_from([WITHIN_A_CHUNK, ACROSS_CHUNKS, ACROSS_CHUNKS, ACROSS_CHUNKS[::-1], ()]),
        st.randoms(use_true_random=False),
        st.booleans(),
        st.booleans(),
    )
    def holds(
        plates: list[str],
        statuses: list[str],
        updated: list[int],
        copied: tuple[int, ...],
        order: Any,
        twice: bool,
        again: bool,
    ) -> None:
        world = World(engine.fast(), *names, f"d{next(_WORLDS)}")
        try:
            right = export(world.prefix, plates, statuses, updated)
            rows = right
            if copied:
                rows = with_number_of(rows, "violation_no", *copied)
            report = load(world, rows, order, twice)
            if again:
                load(world, rows, order, twice)
            said = report["warnings"] + (report["rejects"] or {"reasons": []})["reasons"]
            told = sum(each["rows"] for each in said if each["code"] in DOUBLED)
            times = Counter(row["violation_no"] for row in rows)
            alone = {row["violation_no"]: facts(row) for row in rows if times[row["violation_no"]] == 1}
            assert world.violations(alone) == alone
            assert told >= len(rows) - len(times)
            assert said if told else not said
        finally:
            world.close()

    with mock.patch.object(chunking, "MAX_CHUNK_ROWS", CHUNK):
        holds()


def test_a_number_that_stands_twice_is_told_in_whatever_order_chunks_run(engine: Engine, tables: Tables) -> None:
    check(engine, tables, examples=25)


@pytest.mark.slow
def test_numbers_of_many_files_that_stand_twice_are_told(engine: Engine, tables: Tables) -> None:
    check(engine, tables, examples=400)
