"""Single cells: what each column takes, what it makes of it, and the code of every refusal."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ingest.errors import CellError
from ingest.format import cells


def refusal(read: Callable[[str], object], cell: str) -> str:
    with pytest.raises(CellError) as caught:
        read(cell)
    return caught.value.code


@pytest.mark.parametrize(
    ("cell", "dinars"),
    [
        ("50000", 50_000),
        ("50,000", 50_000),
        ("٥٠٬٠٠٠", 50_000),
        ("۵۰۰۰۰", 50_000),
        ("1,250,000", 1_250_000),
        ("50 000", 50_000),
        ("50\u00a0000", 50_000),
        ("50\u202f000", 50_000),
        ("50000.00", 50_000),
        ("50,000.0", 50_000),
        ("٥٠٠٠٠٫٠", 50_000),
        ("0050000", 50_000),
        ("\u200f50000", 50_000),
        ("1", 1),
        ("100000000", 100_000_000),
    ],
)
def test_amounts(cell: str, dinars: int) -> None:
    assert cells.amount(cell) == dinars


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("5e4", "amount_e_notation"),
        ("5E+04", "amount_e_notation"),
        ("5.0E4", "amount_e_notation"),
        ("٥E٤", "amount_e_notation"),
        ("50000.5", "amount_fraction"),
        ("50.000", "amount_fraction"),
        ("50000٫٥", "amount_fraction"),
        ("-1", "amount_negative"),
        ("−1", "amount_negative"),
        ("0", "amount_out_of_range"),
        ("100000001", "amount_out_of_range"),
        ("9" * 5000, "amount_out_of_range"),
        ("50,00", "amount_unreadable"),
        ("5,0000", "amount_unreadable"),
        ("1,000 000", "amount_unreadable"),
        ("fifty", "amount_unreadable"),
        ("50000 USD", "amount_unreadable"),
        ("50 ألف دينار", "amount_unreadable"),
        ("50000 دينار", "amount_unreadable"),
        ("50000 IQD", "amount_unreadable"),
        ("½", "amount_unreadable"),
        ("-", "amount_unreadable"),
        ("五", "amount_unreadable"),
    ],
)
def test_amounts_refused(cell: str, code: str) -> None:
    assert refusal(cells.amount, cell) == code


def test_amount_due_can_be_nothing_and_twice_the_largest_fine() -> None:
    assert cells.amount_due("0") == 0
    assert cells.amount_due("200000000") == 200_000_000
    assert refusal(cells.amount_due, "200000001") == "amount_out_of_range"


@pytest.mark.parametrize(
    ("cell", "instant"),
    [
        ("2026-11-20T08:05:09", "2026-11-20T08:05:09+03:00"),
        ("2026-11-20 08:05:09", "2026-11-20T08:05:09+03:00"),
        ("2026-11-20T08:05", "2026-11-20T08:05:00+03:00"),
        ("2026-11-20", "2026-11-20T00:00:00+03:00"),
        ("2026-11-20T08:05:09+03:00", "2026-11-20T08:05:09+03:00"),
        ("2026-11-20T08:05:09.123456", "2026-11-20T08:05:09+03:00"),
        ("2026-11-20T08:05:09Z", "2026-11-20T11:05:09+03:00"),
        ("2026-11-20T23:05:09-0130", "2026-11-21T03:35:09+03:00"),
        ("2026-11-20T08:05:09+05", "2026-11-20T06:05:09+03:00"),
        ("٢٠٢٦-١١-٢٠", "2026-11-20T00:00:00+03:00"),
        ("20/11/2026", "2026-11-20T00:00:00+03:00"),
        ("5/1/2026", "2026-01-05T00:00:00+03:00"),
        ("٢٠/١١/٢٠٢٦ ٨:٠٥", "2026-11-20T08:05:00+03:00"),
        ("20/11/2026 08:05:09 PM", "2026-11-20T20:05:09+03:00"),
        ("20/11/2026 08:05 م", "2026-11-20T20:05:00+03:00"),
        ("20/11/2026 08:05ص", "2026-11-20T08:05:00+03:00"),
        ("20/11/2026 12:05 ص", "2026-11-20T00:05:00+03:00"),
        ("20/11/2026 12:05 م", "2026-11-20T12:05:00+03:00"),
        ("20-NOV-26", "2026-11-20T00:00:00+03:00"),
        ("20-nov-2026", "2026-11-20T00:00:00+03:00"),
        ("20-NOV-26 08.05.09.000000 PM", "2026-11-20T20:05:09+03:00"),
        ("01-JAN-75", "1975-01-01T00:00:00+03:00"),
        ("01-JAN-49", "2049-01-01T00:00:00+03:00"),
        ("2007-07-01T12:00:00", "2007-07-01T12:00:00+04:00"),
        ("29/02/2024", "2024-02-29T00:00:00+03:00"),
        ("2026/11/20", "2026-11-20T00:00:00+03:00"),
        ("2026/1/5 8:05", "2026-01-05T08:05:00+03:00"),
        ("٢٠٢٦/١١/٢٠ ٠٨:٠٥ م", "2026-11-20T20:05:00+03:00"),
        ("20/11/2026 08:05 صباحاً", "2026-11-20T08:05:00+03:00"),
        ("20/11/2026 08:05:09 مساءً", "2026-11-20T20:05:09+03:00"),
        ("20/11/2026 12:05 صباحا", "2026-11-20T00:05:00+03:00"),
        ("2026-11-20 08:05 مساء", "2026-11-20T20:05:00+03:00"),
        ("2026-11-20 08:05:09 PM", "2026-11-20T20:05:09+03:00"),
    ],
)
def test_dates(cell: str, instant: str) -> None:
    assert cells.date(cell) == instant


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("31/02/2026", "date_not_in_calendar"),
        ("2026-02-31", "date_not_in_calendar"),
        ("2026-13-01T00:00:00", "date_not_in_calendar"),
        ("2026-11-20T24:00:00", "date_not_in_calendar"),
        ("2026-11-20T08:60:00", "date_not_in_calendar"),
        ("2026-11-20T08:00:60", "date_not_in_calendar"),
        ("20/11/2026 13:00 PM", "date_not_in_calendar"),
        ("20/11/2026 00:10 AM", "date_not_in_calendar"),
        ("00/00/0000", "date_not_in_calendar"),
        ("20-FOO-26", "date_not_in_calendar"),
        ("2026-11-20T08:05:09+99:00", "date_not_in_calendar"),
        ("1969-12-31", "date_out_of_range"),
        ("0001-01-01T00:00:00+03:00", "date_out_of_range"),
        ("2100-01-01", "date_out_of_range"),
        ("9999-12-31T23:59:59Z", "date_out_of_range"),
        ("20.11.2026", "date_unreadable"),
        ("11/20", "date_unreadable"),
        ("46346", "date_unreadable"),
        ("20261120", "date_unreadable"),
        ("yesterday", "date_unreadable"),
        ("20/11/26", "date_unreadable"),
        ("2026/13/01", "date_not_in_calendar"),
        ("2026-11-20 PM", "date_unreadable"),
        ("20/11/2026 13:05 مساءً", "date_not_in_calendar"),
    ],
)
def test_dates_refused(cell: str, code: str) -> None:
    assert refusal(cells.date, cell) == code


@pytest.mark.parametrize(
    ("cell", "number"),
    [("11-2026/7", "11-2026/7"), ("م-١٢٣", "م-123"), ("AB" * 16, "AB" * 16), ("\u200e77\u200f", "77")],
)
def test_violation_numbers(cell: str, number: str) -> None:
    assert cells.violation_no(cell) == number


@pytest.mark.parametrize("cell", ["A" * 33, "1#2", "1 2", "a_b", "=1", "a\nb"])
def test_violation_numbers_refused(cell: str) -> None:
    assert refusal(cells.violation_no, cell) == "violation_no_malformed"


@pytest.mark.parametrize("cell", ["-", "--", "/", "\u200f", "NULL", "null", "(null)", "\\N", "N/A", "#N/A"])
def test_what_stands_for_no_value_is_neither_a_number_nor_a_code(cell: str) -> None:
    """Rows without a number would be rows of one violation, of which all but the newest are lost."""
    assert not cells.plain_number(cell)
    assert refusal(cells.violation_no, cell) == refusal(cells.code, cell) == "missing"


def test_a_number_may_be_of_letters_alone() -> None:
    assert cells.violation_no("NULLA") == "NULLA"


@pytest.mark.parametrize(
    ("cell", "status"),
    [
        ("open", "open"),
        ("OPEN", "open"),
        ("غير مسددة", "open"),
        ("غير مدفوعة", "open"),
        ("مسددة", "paid"),
        ("مسدد", "paid"),
        ("مدفوعة", "paid"),
        ("ملغاة", "cancelled"),
        ("ملغية", "cancelled"),
        ("ملغى", "cancelled"),
        ("معترض عليها", "disputed"),
    ],
)
def test_statuses(cell: str, status: str) -> None:
    assert cells.status(cell) == status


def test_an_unknown_status_is_refused() -> None:
    assert refusal(cells.status, "نصف مسددة") == "status_unknown"


def test_codes() -> None:
    assert cells.code("ق-٧") == "ق-7"
    assert cells.code("A" * 16) == "A" * 16
    assert refusal(cells.code, "A" * 17) == "code_too_long"
    assert refusal(cells.code, "\u200f") == "missing"
    assert refusal(cells.code, "a\x00b") == "character_forbidden"


def test_text_is_one_line_of_at_most_200_characters() -> None:
    assert cells.text("شارع\r\n  حيفا") == "شارع حيفا"
    assert cells.text("a" * 200) == "a" * 200
    assert refusal(cells.text, "a" * 201) == "text_too_long"
    assert refusal(cells.text, "a\x00b") == "character_forbidden"


def test_a_legal_reference_keeps_its_letter_and_has_ascii_digits() -> None:
    assert cells.legal_ref("٢٥/٣/هـ") == "25/3/هـ"


@pytest.mark.parametrize(
    "cell",
    [
        *("2026-03-25T00:00:00", "25-Mar", "٢٥-آذار", "25-مارس", "1-تشرين الثاني", "Mar-25", "25-MAR-2026"),
        *("25/03/2026", "25/3/2026", "٢٥/٣/٢٠٢٦", "03/25/26", "2026-03-25"),
    ],
)
def test_what_a_spreadsheet_made_a_date_of_is_neither_an_article_nor_a_code(cell: str) -> None:
    """By one in the place of 25/3 the fine would never double. A street or a receipt may bear one."""
    for read in (cells.legal_ref, cells.code):
        assert refusal(read, cell) == "spreadsheet_date"
    assert cells.text(cell) == cell


@pytest.mark.parametrize("cell", ["25/3", "25/3/هـ", "25-3", "25-ثالثا", "المادة 25/ثالثاً/هـ", "25/3/12"])
def test_articles_that_are_no_dates(cell: str) -> None:
    assert cells.legal_ref(cell) == cell


def test_governorates() -> None:
    assert cells.governorate("11") == cells.governorate("بغداد") == cells.governorate("Baghdad") == "11"
    assert refusal(cells.governorate, "30") == "governorate_unknown"
