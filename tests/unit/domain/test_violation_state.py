"""The state of a violation, what the directorate said of it when, and which of two rows is newer."""

from __future__ import annotations

import pytest

from shared.domain import violation
from shared.domain.fine import Due
from shared.domain.violation import Violation, make_version
from shared.policies import RULES

RECORDED = "2026-03-10T14:30:00+03:00"


def _violation(**facts: object) -> Violation:
    known = {
        "violation_no": "1",
        "plate_key": "OLD#11#1",
        "code": "1",
        "amount": 50_000,
        "occurred_at": RECORDED,
        "recorded_at": RECORDED,
        "sector_code": "7",
        "version": make_version(RECORDED, RECORDED, 2),
        **facts,
    }
    return Violation(**known)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "held_by", "paid_by", "state", "owed"),
    [
        ("open", None, None, "unpaid", True),
        ("open", "p", None, "in_payment", True),
        ("open", None, "p", "paid", False),
        ("open", "q", "p", "paid", False),
        ("paid", None, None, "paid", False),
        ("paid", "p", None, "paid", False),
        ("cancelled", None, None, "cancelled", False),
        ("appealed", None, None, "other", False),
        ("cancelled", "p", None, "cancelled", False),
        ("cancelled", None, "p", "paid", False),
        ("disputed", None, None, "disputed", False),
        ("disputed", "p", None, "disputed", False),
        ("disputed", None, "p", "paid", False),
    ],
)
def test_the_state_of_a_violation(
    status: str, held_by: str | None, paid_by: str | None, state: str, owed: bool
) -> None:
    known = _violation(status=status, held_by=held_by, paid_by=paid_by)
    assert (known.state, known.owed) == (state, owed)


def test_the_statuses_of_the_file() -> None:
    assert set(violation.STATUSES) == {"open", "paid", "cancelled", "disputed"}


def test_the_directorates_figure_counts_from_its_version() -> None:
    before = _violation(amount_due=40_000, version=make_version("2026-03-20T00:00:00+03:00", RECORDED, 2))
    after = _violation(amount_due=40_000, version=make_version(None, "2026-06-01T00:00:00+03:00", 2))
    assert after.as_of == "2026-06-01T00:00:00+03:00"
    assert before.due("2026-05-01T00:00:00+03:00", RULES) == Due(80_000, "doubled")
    assert after.due("2026-07-01T00:00:00+03:00", RULES) == Due(40_000, "stated")


def test_undated_rows_of_one_instant_sort_by_what_they_say_and_the_declared_by_their_upload() -> None:
    at, came = "2026-03-10T14:30:00+03:00", "2026-03-11T09:00:00+03:00"
    ordered = [
        make_version(None, at, 8),
        make_version(None, at, 2, uploaded_at=came),
        make_version(None, at, 1, "disputed"),
        make_version(None, at, 7, "paid"),
        make_version(None, at, 9, "cancelled"),
        make_version(None, at, 3, "paid", came),
        make_version(None, came, 1),
    ]
    assert ordered == sorted(ordered)
    assert make_version(at, at, 5, "paid") < make_version(at, at, 6, "open")


def test_versions_sort_by_the_rows_date_then_the_files_then_the_line() -> None:
    early, late = "2026-03-10T14:30:00+03:00", "2026-03-11T09:00:00+03:00"
    ordered = [
        make_version(early, early, 9),
        make_version(early, early, 10),
        make_version(early, late, 2),
        make_version(None, late, 1),
        make_version(late, late, 2),
        make_version(late, late, 1_000_000),
    ]
    assert ordered == sorted(ordered)
