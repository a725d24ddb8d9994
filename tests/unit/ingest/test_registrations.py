"""The rows of a registration file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.format.columns import REGISTRATION_COLUMNS
from ingest.format.header import Layout
from ingest.format.notices import Notice
from ingest.format.parser import Reject
from ingest.format.registrations import RegistrationParser
from shared.domain.plate import Plate
from shared.domain.registration import Registration
from tests.support.feeds import SOURCE

NAMES = tuple(column.name for column in REGISTRATION_COLUMNS)
GOOD = {
    "plate_family": "ألماني",
    "plate_governorate": "بغداد",
    "plate_category": "خصوصي",
    "plate_letter": "ز",
    "plate_number": "٠١٢٤٥٦",
    "registration_no": "أب-١٢٣٤٥",
    "updated_at": "2026-11-19",
}
AT = SOURCE.last_modified


def parser() -> RegistrationParser:
    return RegistrationParser(Layout(",", NAMES, NAMES), SOURCE._replace(origin="registry"))


def parse(**cells: str) -> Registration | Reject:
    row = {**GOOD, **cells}
    return parser().parse(7, [row[name] for name in NAMES])


def test_a_row_is_a_plate_and_the_number_on_its_card() -> None:
    key, category, number, version, dated, ref, uploaded_at = parse()
    assert Plate.from_key(str(key)) == Plate("german", "11", "ز", "12456")
    assert (category, number, dated, ref) == ("private", "اب12345", True, "f00d#7")
    assert uploaded_at == AT
    assert version == f"2026-11-19T00:00:00+03:00#{AT}#000000007"


def test_without_a_date_of_its_own_a_row_is_as_old_as_its_file() -> None:
    found = parse(updated_at="", plate_category="")
    assert isinstance(found, Registration)
    assert (found.version, found.dated, found.category) == (f"{AT}#{AT}#000000007", False, None)


@pytest.mark.parametrize(
    ("cells", "column", "code"),
    [
        ({"registration_no": ""}, "registration_no", "missing"),
        ({"registration_no": "  "}, "registration_no", "missing"),
        ({"registration_no": "123"}, "registration_no", "registration_no_malformed"),
        ({"registration_no": "1" * 33}, "registration_no", "registration_no_malformed"),
        ({"registration_no": "1" * 100_000}, "registration_no", "registration_no_malformed"),
        ({"registration_no": "12\x0045"}, "registration_no", "registration_no_malformed"),
        ({"registration_no": "123456.0"}, "registration_no", "number_with_fraction"),  # and not 1234560
        ({"registration_no": "123456,0"}, "registration_no", "number_with_fraction"),
        ({"registration_no": "123456،00"}, "registration_no", "number_with_fraction"),
        ({"registration_no": "١٢٣٤٥٦٫٠٠"}, "registration_no", "registration_no_malformed"),
        ({"registration_no": "1.23457E+11"}, "registration_no", "registration_no_malformed"),
        ({"registration_no": "1.23457E11"}, "registration_no", "number_e_notation"),  # and not 123457E11
        ({"registration_no": "Dec-2026"}, "registration_no", "spreadsheet_date"),
        ({"registration_no": "كانون الأول-26"}, "registration_no", "spreadsheet_date"),
        ({"registration_no": "ديسمبر-26"}, "registration_no", "spreadsheet_date"),
        ({"registration_no": "2026-12-01T00:00:00"}, "registration_no", "spreadsheet_date"),
        ({"registration_no": "12?45"}, "registration_no", "registration_no_malformed"),
        *(
            ({"registration_no": nothing}, "registration_no", "registration_no_malformed")
            for nothing in ("NULL", "none", "لا يوجد", "غير معروف", "0000", "٠٠٠٠٠")
        ),
        ({"plate_family": ""}, "plate_family", "missing"),
        ({"plate_family": "جديد"}, "plate_family", "family_new"),
        ({"plate_governorate": "30"}, "plate_governorate", "governorate_unknown"),
        ({"plate_letter": ""}, "plate_letter", "letter_missing"),
        ({"plate_number": "x"}, "plate_number", "number_not_digits"),
        ({"updated_at": "soon"}, "updated_at", "date_unreadable"),
        ({"updated_at": "2027-11-19"}, "updated_at", "date_ahead"),
    ],
)
def test_a_bad_cell_rejects_its_row_and_is_named(cells: dict[str, str], column: str, code: str) -> None:
    found = parse(**cells)
    assert isinstance(found, Reject)
    assert (found.column, found.code) == (column, code)


@pytest.mark.parametrize("wrapped", ['="012345"', "'012345", "'012345'", " 012345 "])
def test_what_keeps_a_spreadsheet_from_changing_the_number_is_taken_off(wrapped: str) -> None:
    assert parse(registration_no=wrapped) == parse(registration_no="012345")


def test_a_category_that_is_none_of_ours_is_told() -> None:
    reading = parser()
    row = {**GOOD, "plate_category": "مركبة فضائية"}
    assert isinstance(reading.parse(3, [row[name] for name in NAMES]), Registration)
    assert reading.warnings.listed() == [Notice("plate_category", "category_other", 1, 3)]


@given(st.dictionaries(st.sampled_from(NAMES), st.text(max_size=60), max_size=4))
def test_any_cells_are_a_registration_or_a_reject(cells: dict[str, str]) -> None:
    found = parse(**cells)
    if isinstance(found, Registration):
        assert Plate.from_key(found.plate_key).key == found.plate_key
