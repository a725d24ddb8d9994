"""No cell that we write is a formula to a spreadsheet, and each is read back as it was."""

from __future__ import annotations

import re
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.spreadsheet import neutral, original

SPLITS = ",;|\t\r\n\v\f\x1c\x1d\x1e\x85\u2028\u2029"
SIGNS = "=+-@\u2212"
CELLS = st.text(alphabet="=+-@＝﹣\u2212'\" a1,;|\t\r\n\u00a0\u200f\u061c\ufeff\0ز/", max_size=12)


def is_formula(cell: str) -> bool:
    """Whether a spreadsheet could take a cell, or what it splits off one, for a formula."""
    return any(_begins(piece) in tuple(SIGNS) for split in ("", *SPLITS) for piece in _split(cell, split))


def _split(cell: str, split: str) -> list[str]:
    return cell.split(split) if split else [cell]


def _begins(piece: str) -> str:
    """The first sign that is seen of a cell."""
    seen = (sign for sign in piece if sign != '"' and unicodedata.category(sign)[0] not in "ZC")
    return unicodedata.normalize("NFKC", next(seen, ""))[:1]


@given(CELLS)
def test_a_cell_is_no_formula_and_is_read_back(cell: str) -> None:
    assert not is_formula(neutral(cell))
    assert original(neutral(cell)) == cell


@given(CELLS)
def test_a_cell_that_was_not_marked_stays(cell: str) -> None:
    if neutral(cell) == cell:
        assert original(cell) == cell


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"),
        (" =1", "' =1"),
        ("\u200f=1", "'\u200f=1"),
        ("＝1", "'＝1"),
        ("\t=1", "'\t'=1"),
        ("a;=1", "a;'=1"),
        ("a\n@x", "a\n'@x"),
        ('a;"=1', "a;'\"=1"),
        ("'=1", "''=1"),
        ("-50000", "'-50000"),
        ("2026-11-20", "2026-11-20"),
        ("it's-1", "it's-1"),
        ("a - b", "a - b"),
        ("'a", "'a"),
        ("a, b", "a, b"),
    ],
)
def test_where_the_mark_stands(cell: str, written: str) -> None:
    assert neutral(cell) == written


def test_every_sign_of_unicode_that_is_passed_over_or_begins_a_formula_is_known() -> None:
    for sign in map(chr, range(sys.maxunicode + 1)):
        category = unicodedata.category(sign)
        if category in ("Zs", "Zl", "Zp", "Cc", "Cf"):
            assert neutral(f"{sign}=1").startswith("'"), hex(ord(sign))
        if unicodedata.normalize("NFKC", sign)[:1] in tuple(SIGNS):
            assert neutral(f"{sign}1") == f"'{sign}1", hex(ord(sign))


def test_no_run_is_read_twice() -> None:
    """A pattern that did would take hours over these."""
    for run in ("\t" * 1_000_000, " '" * 500_000, ",\t" * 500_000):
        for cell in (run, f"{run}a=", f"a{run}", f"a{run}="):
            assert original(neutral(cell)) == cell
            assert len(re.sub("'", "", neutral(cell))) == len(re.sub("'", "", cell))
