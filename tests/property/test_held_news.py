"""However a large live file is cut and whatever dies, as much is told as without the brake, and each once."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import timedelta
from typing import NamedTuple
from unittest import mock

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest import chunking, held_news, load_chunk
from ingest.format.notices import NEWS_HELD
from shared.domain.time import to_text
from shared.stores.violations import Violations
from tests.support.aws import Engine, Tables
from tests.support.ingest_world import ANNOUNCE_WITHIN, START, World

_WORLDS = itertools.count(1)


class Said(NamedTuple):
    """A row as a file says it, of the violation with its place's number."""

    plate: str
    status: str
    recent: bool


rows = st.lists(
    st.builds(
        Said,
        st.sampled_from(("12345", "67890")),
        st.sampled_from(("open", "open", "open", "disputed", "disputed", "cancelled", "paid")),
        st.sampled_from((True, True, True, False)),
    ),
    min_size=1,
    max_size=7,
)


def _cells(world: World, place: int, said: Said, days: int) -> dict[str, str]:
    recorded = to_text(START - ANNOUNCE_WITHIN / (2 if said.recent else 0.5))
    return {
        "violation_no": f"{world.prefix}-{place}",
        "plate_family": "german",
        "plate_governorate": "11",
        "plate_letter": "ز",
        "plate_number": said.plate,
        "violation_code": "101",
        "amount": str(50_000 + days),
        "occurred_at": recorded,
        "recorded_at": recorded,
        "sector_code": "BG-7",
        "status": said.status,
        "updated_at": to_text(START - ANNOUNCE_WITHIN / days),
    }


def test_the_brake_changes_when_and_not_what_is_told(engine: Engine, tables: Tables) -> None:
    call = engine.fast()

    def told(folders: list[tuple[str, list[Said]]], max_news: int | None, dies: list[tuple[int, int]]) -> Counter[str]:
        """What the last of some files tells. dies: which message's run ends after how many calls."""
        world = World(call, tables["Files"], tables["Violations"], f"h{next(_WORLDS)}")
        try:
            for days, (folder, said) in enumerate(folders, 2):
                is_last = days == len(folders) + 1
                world.max_news = max_news if is_last else None
                cells = [_cells(world, place, row, days) for place, row in enumerate(said)]
                world.upload(f"{folder}/{days}.csv", cells)
                world.start(world.files[-1]).finish()
                world.settle()
                if not is_last:
                    world.drain()
            world.written.clear()
            for which, calls in dies:
                run = world.start(world.messages[which % len(world.messages)])
                for _ in range(calls):
                    run.step()
                run.kill()
                world.clock += timedelta(seconds=70)
                world.settle()
                if not world.messages:
                    break
            world.drain()
            _, report = list(world.reports())[-1]
            numbers = [f"{world.prefix}-{place}" for place in range(len(folders[-1][1]))]
            waiting = [number for number in numbers if world.held(number, world.files[-1])]
            assert bool(waiting) == any(each["code"] == NEWS_HELD for each in report["warnings"])
            if waiting:
                assert max_news is not None
                assert len(waiting) > max_news
                assert not [each for each in world.written if each.tell]
                assert Violations(call, tables["Violations"]).let_go(numbers, world.files[-1].file_id) == len(waiting)
                return Counter(
                    f"{number.partition('-')[2]} {item['tell']['S']}"
                    for number, item in ((each["pk"]["S"], each) for each in tables.items("Violations"))
                    if number in waiting
                )
            return Counter(f"{each.violation_no.partition('-')[2]} {each.tell}" for each in world.written if each.tell)
        finally:
            world.close()

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        known=rows,
        last=rows,
        chunk=st.integers(1, 4),
        max_news=st.integers(0, 7),
        dies=st.lists(st.tuples(st.integers(0, 9), st.integers(1, 30)), max_size=3),
    )
    def holds(known: list[Said], last: list[Said], chunk: int, max_news: int, dies: list[tuple[int, int]]) -> None:
        files = [("live", known), ("live", last)]
        with (
            mock.patch.object(chunking, "MAX_CHUNK_ROWS", chunk),
            mock.patch.object(load_chunk, "BATCH", 2),
            mock.patch.object(held_news, "MAX_ACTIONS", 2),
        ):
            assert told(files, max_news, dies) == told(files, None, [])

    holds()
