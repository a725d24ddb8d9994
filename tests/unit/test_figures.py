"""The country's figures: every violation is in one cell, and no figure speaks of fewer than ten."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.stores.items import Item, pack
from stats import figures
from stats.figures import FEWEST

DAY = "2026-11-25"


def item(**values: Any) -> Item:
    return pack({"plate": "DE#11#ز#12345", "status": "open", "amount": 50_000, **values})


def paid(amount: int = 50_000, at: str = f"{DAY}T10:00:00+03:00") -> Item:
    return item(paid_by="p", paid_amount=amount, paid_at=at)


def document(*items: Item, **services: int | None) -> dict[str, Any]:
    return figures.published(figures.count(items, DAY), DAY, services)


@pytest.mark.parametrize(
    ("values", "state"),
    [
        ({}, "unpaid"),
        ({"held_by": "p"}, "in_payment"),
        ({"paid_by": "p", "paid_amount": 1, "status": "cancelled"}, "paid"),
        ({"status": "paid"}, "paid"),
        ({"status": "cancelled"}, "cancelled"),
        ({"status": "disputed", "held_by": "p"}, "disputed"),
    ],
)
def test_a_violation_is_counted_in_the_state_that_citizens_see(values: dict[str, Any], state: str) -> None:
    (cell,) = figures.count([item(**values)], DAY).cells
    assert cell == ("DE", "11", state)


def test_what_was_settled_is_summed_and_what_had_not_doubled_told_apart() -> None:
    found = document(*[paid()] * 10, *[paid(100_000, "2026-11-20T10:00:00+03:00")] * 10)
    assert found["settled"] == {"violations": 20, "dinars": 1_500_000, "before_doubling": 10}
    assert found["day"] == {"violations_paid": 10, "dinars": 500_000}


def test_dinars_of_a_few_are_not_told() -> None:
    found = document(*[paid()] * 9)
    assert found["settled"] == {"violations": None, "dinars": None, "before_doubling": None}


def test_what_is_not_known_is_not_zero() -> None:
    assert document(look_ups=None, sms=0)["day"] == {"violations_paid": 0, "dinars": 0, "look_ups": None, "sms": 0}


@given(st.lists(st.tuples(st.sampled_from(["DE#11#", "OLD#12#", "UN#21#"]), st.sampled_from(["open", "cancelled"]))))
def test_no_cell_is_under_ten(rows: list[tuple[str, str]]) -> None:
    items = [item(plate=plate, status=status) for plate, status in rows]
    for cell in document(*items)["violations"]:
        assert cell["count"] is None or cell["count"] >= FEWEST


@given(st.lists(st.sampled_from(["DE#11#", "OLD#12#"]), max_size=40), st.integers(0, 40))
def test_shares_of_the_table_make_the_whole(plates: list[str], at: int) -> None:
    items = [item(plate=plate) for plate in plates]
    parts = [figures.count(items[:at], DAY), figures.count(items[at:], DAY)]
    assert figures.together(parts) == figures.count(items, DAY)
