"""What spreadsheets and exports do to cells: each is read as it was, or refused, and never as something else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.format.columns import REGISTRATION_COLUMNS, VIOLATION_COLUMNS
from ingest.format.header import Layout
from ingest.format.nothing import is_empty, is_nothing
from ingest.format.parser import Parser, Reject
from ingest.format.registrations import RegistrationParser
from ingest.format.spreadsheet_made import is_cut
from ingest.format.violations import ViolationParser
from shared.domain.registration import Registration
from tests.support.feeds import GOOD, SOURCE

REGISTRATION: Final = {
    **{
        name: GOOD[name]
        for name in ("plate_family", "plate_governorate", "plate_category", "plate_letter", "plate_number")
    },
    "registration_no": "12345",
    "updated_at": "",
}
IDENTIFYING: Final = ("violation_no", "receipt_no", "violation_code", "sector_code", "legal_ref", "registration_no")
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
ARABIC_MONTHS: Final = (
    "كانون الثاني", "شباط", "آذار", "نيسان", "أيار", "حزيران", "تموز", "آب", "أيلول", "تشرين الأول", "تشرين الثاني",
    "كانون الأول",
)  # fmt: skip
EGYPTIAN_MONTHS: Final = (
    "يناير", "فبراير", "مارس", "أبريل", "مايو", "يونيو", "يوليو", "أغسطس", "سبتمبر", "أكتوبر", "نوفمبر", "ديسمبر",
)  # fmt: skip


def read(column: str, cell: str) -> Any:
    """What a column keeps of a cell in a row that is good but for it; a Reject where it refuses it."""
    parser: Parser[Any]
    if column == "registration_no":
        names = tuple(each.name for each in REGISTRATION_COLUMNS)
        parser, good = RegistrationParser(Layout(",", names, names), SOURCE._replace(origin="registry")), REGISTRATION
        field = "number"
    else:
        names = tuple(each.name for each in VIOLATION_COLUMNS)
        parser, good = ViolationParser(Layout(",", names, names), SOURCE), GOOD
        (field,) = (each.field for each in VIOLATION_COLUMNS if each.name == column)
    found = parser.parse(2, [{**good, column: cell}[name] for name in names])
    if found is None or isinstance(found, Reject):
        return found
    return getattr(found if isinstance(found, Registration) else found.violation, field)


def refused(column: str, cell: str) -> bool:
    found = read(column, cell)
    return isinstance(found, Reject) and found.column == column


def _month(kind: Callable[[str, int, int], str]) -> st.SearchStrategy[str]:
    names = st.sampled_from([*MONTHS, *ARABIC_MONTHS, *EGYPTIAN_MONTHS])
    return st.builds(kind, names, st.integers(0, 99), st.integers(1, 31))


MADE: Final = st.one_of(
    _month(lambda name, year, _: f"{name}-{year:02}"),
    _month(lambda name, year, _: f"{name}-20{year:02}"),
    _month(lambda name, _, day: f"{day}-{name}"),
    _month(lambda name, year, day: f"{day:02}-{name}-{year:02}"),
    st.dates().map(lambda day: f"{day.isoformat()}T00:00:00"),
    st.integers(10**11, 10**30).map(lambda number: f"{number:.5E}"),
    st.integers(10**11, 10**30).map(lambda number: f"{number:.0E}"),
    st.integers(10**11, 10**30).map(lambda number: f"{number:.14E}".replace("E+", "E+0")),
    st.integers(10**3, 10**12).map(lambda number: f"{number}.0"),
    st.sampled_from(["TRUE", "FALSE", "True", "#REF!", "#NAME?", "#VALUE!", "########"]),
)
TYPED: Final = st.from_regex(r"0?[1-9][0-9]{3,7}(?:/20[0-9]{2})?", fullmatch=True)


@pytest.mark.parametrize("column", IDENTIFYING)
@given(MADE, st.sampled_from(["{}", '="{}"', "'{}", " {} ", "\u200f{}"]))
def test_what_a_spreadsheet_made_of_a_number_identifies_nothing(column: str, made: str, wrap: str) -> None:
    assert refused(column, wrap.format(made))


@pytest.mark.parametrize("column", IDENTIFYING)
@given(TYPED, st.sampled_from(['="{}"', "'{}", "'{}'", " {} "]))
def test_what_kept_a_number_from_a_spreadsheet_is_taken_off(column: str, typed: str, wrap: str) -> None:
    assert read(column, wrap.format(typed)) == read(column, typed)
    assert not refused(column, typed)


@pytest.mark.parametrize("column", IDENTIFYING)
@given(st.from_regex(r"[A-Z]{2,3}[1-9][0-9]{0,2}[-/]?[0-9]{2,5}|[1-9][0-9]{1,2}[A-F][0-9]{1,4}[A-Z]?", fullmatch=True))
def test_a_number_that_looks_like_none_of_that_is_kept(column: str, typed: str) -> None:
    assert not refused(column, typed)


STROKES: Final = st.text(alphabet="-–—_./\\|~*…ـ ", max_size=6)
SAID: Final = st.one_of(STROKES, st.sampled_from(["NULL", "null", "(null)", "(NULL)", "\\N", "N/A", "n/a", "#N/A"]))
OPTIONAL_WORDS: Final = st.one_of(SAID, st.sampled_from(["None", "nil", "NaN", "لا يوجد", "لا توجد", "غير موجود"]))
EMPTIABLE: Final = [each.name for each in VIOLATION_COLUMNS if not each.required and each.name != "plate_letter"]


@given(SAID, st.sampled_from(["{}", " {}", "\u200f{}\u200e"]))
def test_what_says_nothing_is_no_number_and_no_code(word: str, wrap: str) -> None:
    cell = wrap.format(word)
    assert is_empty(cell)
    assert is_nothing(cell)
    for column in ("violation_no", "violation_code", "sector_code"):
        found = read(column, cell)
        assert isinstance(found, Reject)
        assert (found.column, found.code) == (column, "missing")


@given(st.sampled_from(EMPTIABLE), OPTIONAL_WORDS)
def test_what_says_nothing_is_an_empty_cell(column: str, word: str) -> None:
    assert read(column, word) == read(column, "")


@given(st.integers(1, 100_000), st.sampled_from(["{:,}", "{}", "{}.00", "{:,}.0", '="{}"']))
def test_thousands_that_lost_their_zeros_are_no_fine(thousands: int, shown: str) -> None:
    """50.000 as en-US reads it is 50; written out it is what it was."""
    assert read("amount", shown.format(thousands * 1_000)) == thousands * 1_000
    if thousands < 1_000:
        assert refused("amount", str(thousands))
        assert refused("amount_due", str(thousands))
    assert refused("amount", f"{thousands}.000")


@given(st.integers(10**15, 10**32 - 1))
def test_a_number_cut_to_fifteen_digits_may_be_known_by_its_end(number: int) -> None:
    digits = str(number)
    assert is_cut(digits[:15] + "0" * (len(digits) - 15))
    assert is_cut(digits) == (set(digits[15:]) == {"0"})
    assert not is_cut(digits[:15])
