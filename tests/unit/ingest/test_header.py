"""Headers: separators, names, and the errors of a whole file."""

from __future__ import annotations

from functools import partial

import pytest

from ingest.errors import FileError
from ingest.format import header as headers
from ingest.format.columns import REGISTRATION_COLUMNS, VIOLATION_COLUMNS
from ingest.format.header import find_separator
from tests.support.feeds import NAMES, REQUIRED

read_header = partial(headers.read_header, VIOLATION_COLUMNS)


def test_the_separator_is_the_one_that_names_most_columns() -> None:
    for separator in (",", ";", "\t"):
        assert find_separator(separator.join(NAMES) + "\r\n") == separator
    assert find_separator('"a;b;c",violation_no,amount') == ","


def test_a_first_line_without_column_names_is_refused() -> None:
    with pytest.raises(FileError) as caught:
        find_separator("11-2026-7,german,11,50000\n")
    assert (caught.value.code, caught.value.line) == ("header_missing", 1)


def test_columns_stand_in_any_order_under_english_and_every_arabic_name() -> None:
    longest = max(len(column.arabic) for column in VIOLATION_COLUMNS)
    for choice in range(longest):
        header = [column.arabic[min(choice, len(column.arabic) - 1)] for column in reversed(VIOLATION_COLUMNS)]
        assert read_header(header, ",", []).columns == NAMES[::-1]
    assert read_header([name.upper() for name in NAMES], ",", []).columns == NAMES
    assert read_header([name.replace("_", " ") for name in NAMES], ",", []).columns == NAMES


@pytest.mark.parametrize(
    "header", ["رقم المخالفه", " رقم  المخالفة ", "\u200fرقم المخالفة", "رقم_المخالفة", "رقـــم المخالفة"]
)
def test_headers_are_compared_after_folding(header: str) -> None:
    assert read_header([header, *NAMES[1:]], ",", []).columns[0] == "violation_no"


@pytest.mark.parametrize("missing", REQUIRED)
def test_a_missing_required_column_is_named(missing: str) -> None:
    with pytest.raises(FileError) as caught:
        read_header([name for name in NAMES if name != missing], ",", [])
    assert (caught.value.code, caught.value.column) == ("column_missing", missing)


def test_optional_columns_may_be_absent() -> None:
    assert read_header(REQUIRED, ",", []).columns == REQUIRED


def test_a_duplicate_column_is_named_whatever_its_names() -> None:
    with pytest.raises(FileError) as caught:
        read_header([*NAMES, "مبلغ الغرامة"], ",", [])
    assert (caught.value.code, caught.value.column) == ("column_twice", "amount")


def test_unknown_columns_are_ignored_and_named() -> None:
    found = read_header([*NAMES, "ملاحظات", "", "x"], ",", [])
    assert found.columns[-3:] == ("", "", "")
    assert found.unknown == ["ملاحظات", "x"]


def test_an_operator_may_say_what_further_names_mean() -> None:
    """They come before the format's own; what means nothing is neither told nor judged."""
    further = headers.read_names(" حالة السداد = status; نظام الدفع=ignore;المكان=sector_name ; ")
    names = [name for name in NAMES if name not in ("status", "sector_name", "place")]
    found = read_header([*names, "حاله_السداد", "نظام الدفع", "المكان", "x"], ",", [], further)
    assert found.columns[-4:] == ("status", "ignore", "sector_name", "")
    assert found.unknown == ["x"]
    assert found.named == {"حاله_السداد": "status", "نظام الدفع": "ignore", "المكان": "sector_name"}
    assert read_header(NAMES, ",", []).named == {}
    assert headers.read_names("") == {}
    assert find_separator("حالة السداد;نظام الدفع", further) == ";"


def test_the_columns_of_a_rejects_file_are_known() -> None:
    assert read_header(["line", "error_code", "error", *NAMES], ",", []).unknown == []


def test_the_values_of_plate_kind_decide_its_meaning() -> None:
    without_family = [name for name in NAMES if name not in ("plate_family", "plate_category")]
    families = [["ألماني", *without_family], ["قديم", *without_family], ["جديد", *without_family]]
    assert read_header(["نوع اللوحة", *without_family], ",", families).columns[0] == "plate_family"

    without_category = [name for name in NAMES if name != "plate_category"]
    categories = [["خصوصي", *without_category], ["أجرة", *without_category], []]
    assert read_header(["نوع اللوحة", *without_category], ",", categories).columns[0] == "plate_category"


def test_plate_kind_beside_the_column_that_it_means_is_a_duplicate() -> None:
    with pytest.raises(FileError) as caught:
        read_header([*NAMES, "نوع اللوحة"], ",", [[*NAMES, "ألماني"]])
    assert (caught.value.code, caught.value.column) == ("column_twice", "plate_family")


def test_a_header_has_a_bound() -> None:
    with pytest.raises(FileError, match="columns_too_many"):
        read_header([*NAMES, *map(str, range(200))], ",", [])
    with pytest.raises(FileError, match="columns_too_many"):
        read_header([*NAMES, "x" * 20_000], ",", [])


def test_a_file_of_registrations_has_columns_of_its_own() -> None:
    header = ["رقم السنوية", "نظام اللوحة", "محافظة اللوحة", "حرف اللوحة", "رقم اللوحة", "رقم المخالفة"]
    found = headers.read_header(REGISTRATION_COLUMNS, header, ",", [])
    assert found.columns == (
        "registration_no", "plate_family", "plate_governorate", "plate_letter", "plate_number", "",
    )  # fmt: skip
    assert found.unknown == ["رقم المخالفة"]
    assert read_header([*REQUIRED, "registration_no"], ",", []).unknown == ["registration_no"]


@pytest.mark.parametrize("missing", ["plate_family", "plate_governorate", "plate_number", "registration_no"])
def test_a_file_of_registrations_without_a_required_column_is_refused(missing: str) -> None:
    header = [column.name for column in REGISTRATION_COLUMNS if column.name != missing]
    with pytest.raises(FileError) as caught:
        headers.read_header(REGISTRATION_COLUMNS, header, ",", [])
    assert (caught.value.code, caught.value.column) == ("column_missing", missing)
