"""Money, instants and digests, as they are shown and stored."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.money import CURRENCY, grouped
from shared.domain.text import digest
from shared.domain.time import from_text, to_text


@pytest.mark.parametrize(
    ("dinars", "shown"),
    [(0, "0"), (250, "250"), (50_000, "50,000"), (1_250_000, "1,250,000"), (10**9, "1,000,000,000")],
)
def test_dinars_are_shown_with_thousands_marks(dinars: int, shown: str) -> None:
    assert grouped(dinars) == shown


def test_the_currency_is_the_dinar() -> None:
    assert CURRENCY == "IQD"


@pytest.mark.parametrize(
    "given_text",
    [
        "2026-11-23T20:48:00+03:00",
        "2026-11-23T17:48:00Z",
        "2026-11-23T17:48:00+00:00",
        "2026-11-23T12:48:00-05:00",
        "2026-11-23T17:48:00.999Z",
    ],
)
def test_one_instant_has_one_text(given_text: str) -> None:
    assert to_text(from_text(given_text)) == "2026-11-23T20:48:00+03:00"


@pytest.mark.parametrize("text", ["2026-11-23T20:48:00", "2026-11-23", "", "yesterday", "2026-02-30T00:00:00+03:00"])
def test_no_instant_without_a_date_and_an_offset(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_text(text)


INSTANTS = st.integers(0, 4_000_000_000).map(lambda seconds: datetime(2009, 1, 1, tzinfo=UTC) + timedelta(0, seconds))


@given(INSTANTS, INSTANTS, st.integers(-12, 14))
def test_texts_sort_as_instants_do_wherever_they_come_from(first: datetime, second: datetime, offset: int) -> None:
    elsewhere = second.astimezone(timezone(timedelta(hours=offset)))
    assert (to_text(first) < to_text(elsewhere)) == (first < second)
    assert from_text(to_text(elsewhere)) == second


def test_a_digest_follows_from_its_texts_and_where_each_ends() -> None:
    assert digest("a", "b") == digest("a", "b")
    assert digest("a", "b") != digest("ab")
    assert digest("a", "bc") != digest("ab", "c")
    assert re.fullmatch("[0-9a-f]{32}", digest("paid", "رقم"))
