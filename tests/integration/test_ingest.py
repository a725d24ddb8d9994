"""A file from the bucket to the table and back as a report."""

from __future__ import annotations

import pytest

from tests.aws import Engine, Tables
from tests.integration.ingest_desk import Desk, row, text


@pytest.fixture
def desk(engine: Engine, tables: Tables) -> Desk:
    return Desk(engine, tables, f"uploads-{tables['Files'].lower()}")


def test_every_row_is_in_one_count_and_rejects_come_back(desk: Desk) -> None:
    rows = [row() for _ in range(20)]
    rows[3] = row("BAD-1", plate_governorate="30")
    rows[7] = row("BAD-2", amount="5e4")

    report = desk.take("live/a b ج.csv", text(rows))

    assert report["status"] == "loaded_with_many_rejects"
    assert report["counts"] == {"rows": 20, "inserted": 18, "updated": 0, "unchanged": 0, "stale": 0, "rejected": 2}
    assert set(desk.violations()) == {good["violation_no"] for good in rows} - {"BAD-1", "BAD-2"}
    assert [(bad["line"], bad["error_code"], bad["violation_no"]) for bad in desk.rejected("live/a b ج.csv")] == [
        ("5", "governorate_unknown", "BAD-1"),
        ("9", "amount_e_notation", "BAD-2"),
    ]
