"""Files of which a column says what no row does end as their table says is right (tests/files/README.md)."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.format.parser import Source
from tests.support.whole_files import take

FILES = Path(__file__).parents[2] / "files"
OF_BOTH_DATES = {("occurred_at", "dates_perhaps_swapped"): 2, ("recorded_at", "dates_perhaps_swapped"): 2}


@pytest.mark.parametrize("origin", ["live", "backlog"])
@pytest.mark.parametrize(
    ("name", "rows", "told"),
    [("two-days-changed-over.csv", 2, OF_BOTH_DATES), ("two-days.csv", 2, {}), ("in-a-row.csv", 11, {})],
)
def test_the_file_is_loaded(name: str, rows: int, told: dict[tuple[str, str], int], origin: str) -> None:
    found = take((FILES / name).read_bytes(), source(origin))
    assert (found.refused, found.rejected, len(found.rows), dict(+found.told)) == (None, {}, rows, told)


def test_the_file_is_refused() -> None:
    found = take((FILES / "in-a-row-cut.csv").read_bytes(), source("live"))
    assert found.refused
    assert (found.refused.code, found.refused.column) == ("numbers_cut", "violation_no")


def source(origin: str) -> Source:
    return Source("f00d", origin, "2026-11-30T09:00:00+03:00", announce_from="2026-10-16T09:00:00+03:00")
