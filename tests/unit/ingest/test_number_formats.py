"""What number formats show: letters and digits of a format are part of what its cell says."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import pytest

from ingest.errors import FileError
from ingest.format.cells import amount
from ingest.reading.number_formats import format_of
from ingest.reading.workbook import Workbook
from tests.support.workbooks import Cell, Number, Styled, xlsx


def shown(cell: Cell, code: str) -> str:
    content = xlsx([["a", cell]], formats=[code])
    (row,) = csv.reader(io.StringIO(b"".join(Workbook(io.BytesIO(content)).csv_blocks()).decode(), newline=""))
    return "".join(row[1:])


@pytest.mark.parametrize(
    ("code", "number", "text"),
    [
        ('"BG"0', "123", "BG123"),
        ('0"/2026"', "123", "123/2026"),
        ('"BG "0', "123", "BG 123"),
        (r"\B\G0", "123", "BG123"),
        ('[Red]"BG"0', "123", "BG123"),
        ('General"BG"', "123", "123BG"),
        ('"BG"General', "123.5", "BG123.5"),
        ('"A"0"B"0', "123", "A12B3"),
        ('#,##0"-A"', "1234567", "1234567-A"),
        ('#"BG"', "0", "BG"),
        ("###-####", "1234567", "123-4567"),
        ('"A"0000-00', "123", "A0001-23"),
        ("0 دينار", "50000", "50000"),
        ('#,##0.00 "IQD"', "50000", "50000"),
        ('0.##"A"', "1.5", "1.5A"),
        ('"A"0', "1.5", "A1.5"),  # and not A2: no digit is rounded away
        ("[$IQD] #,##0", "50000", "50000"),
        ("#,##0 [$د.ع-801]", "50000", "50000"),
        ("[$-2000401]0", "50000", "50000"),
        ('"P"0;"N"0;"Z"', "7", "P7"),
        ('"P"0;"N"0;"Z"', "-7", "N7"),
        ('"P"0;"N"0;"Z"', "0", "Z"),
        ('"P"0', "-7", "-P7"),
        ('[>100]"A"0;"B"0', "123", "A123"),
        ('[>100]"A"0;"B"0', "100", "B100"),
        ('[>=1000]0"K";[<0]"neg"0;0', "5", "5"),
        ('[=1]"مسددة";[=0]"غير مسددة"', "0", "غير مسددة"),
        ('[=1]"مسددة";"غير مسددة"', "1", "مسددة"),
        ("0%", "0.5", "50%"),
        ("0.0%", "0.125", "12.5%"),
        ("0.00E+00", "202611000000123", "202611000000123"),
        ("# ?/?", "5", "5"),
        ("0;-0;;@", "0", ""),
        ("#,###", "0", ""),
        ("#,###", "50000", "50000"),
        ('_(* #,##0_);_(* (#,##0);_(* "-"??_);_(@_)', "50000", "50000"),
        ('_(* #,##0_);_(* (#,##0);_(* "-"??_);_(@_)', "-50000", "-50000"),
        ('_(* #,##0_);_(* (#,##0);_(* "-"??_);_(@_)', "0", "0"),
        ("#,##0;[Red]#,##0", "-50000", "-50000"),  # only its colour says that it is owed back
        ("[<1000]0;[>=1000]#,##0", "5", "5"),
        ('yyyy"م"', "46346", "2026-11-20T00:00:00"),
        ("[$-F800]dddd\\, mmmm dd\\, yyyy", "46346", "2026-11-20T00:00:00"),
        ("mm:ss.000", "46346.5", "2026-11-20T12:00:00"),
    ],
)
def test_a_number_is_what_its_format_shows(code: str, number: str, text: str) -> None:
    assert shown(Number(number, 1), code) == text


@pytest.mark.parametrize(
    ("code", "text", "read"),
    [
        ("@", "123", "123"),
        ("0", "123", "123"),
        ('"BG"@', "123", "BG123"),
        ('0;-0;0;@"/2026"', "123", "123/2026"),
        ("0;-0;;@", "123", "123"),
        ("_(@_)", "123", "123"),
    ],
)
def test_a_text_is_what_its_format_shows(code: str, text: str, read: str) -> None:
    assert shown(Styled(text, 1), code) == read


@pytest.mark.parametrize(
    ("code", "cell"),
    [
        ("# ?/?", Number("1.5", 1)),
        ("0/2026", Number("123", 1)),
        ("0,", Number("50000", 1)),
        ('#,##0.0,,"M"', Number("50000000", 1)),
        ("BG0", Number("123", 1)),
        ("0 IQD", Number("123", 1)),
        ("0-2026", Number("123", 1)),
        (";;;", Number("123", 1)),
        (";;;", Styled("paid", 1)),
        ('"P"0;', Number("-7", 1)),
        ('"BG', Number("123", 1)),
        ("@ x", Styled("123", 1)),
        ('[>100]"A"0', Number("7", 1)),
        ('"A"0;[<5]"B"0', Number("7", 1)),
        ('[>100]"A"0;"B"0', Number("-7", 1)),
        ('"A"0;0;0;0;@', Number("7", 1)),
        ('0.0"A"0', Number("7", 1)),
        ('"A"0.00E+00', Number("7", 1)),
    ],
)
def test_what_cannot_be_told_is_refused_by_name_and_only_where_a_cell_holds_a_value(code: str, cell: Cell) -> None:
    with pytest.raises(FileError) as caught:
        shown(cell, code)
    assert (caught.value.code, caught.value.line, caught.value.value) == ("excel_format_unreadable", 1, code)
    assert shown("b", code) == "b"  # whose style is another


@pytest.mark.parametrize(
    "code",
    ['0 "IQD"', '#,##0 "دينار"', '"IQD "#,##0.00', "[$IQD] #,##0", "#,##0 [$د.ع.\u200f-801]", '0"د.ع"'],
)
def test_an_amount_with_the_dinars_name_in_its_format_is_an_amount(code: str) -> None:
    assert amount(shown(Number("50000", 1), code)) == 50_000


def test_formats_that_excel_knows_by_number() -> None:
    def read(format_id: int, number: str) -> Sequence[str]:
        styles = f'<styleSheet><cellXfs><xf numFmtId="{format_id}"/></cellXfs></styleSheet>'
        content = xlsx([["a", Number(number)]], parts={"xl/styles.xml": styles})
        return b"".join(Workbook(io.BytesIO(content)).csv_blocks()).decode().strip().split(",")[1]

    assert [read(at, "50000") for at in (0, 1, 2, 3, 4, 5, 11, 12, 37, 41, 44, 48, 49)] == ["50000"] * 13
    assert read(9, "0.5") == "50%"
    assert read(14, "46346") == "2026-11-20T00:00:00"
    with pytest.raises(FileError, match="excel_format_unreadable"):
        read(12, "0.5")


@pytest.mark.parametrize("sign", ['"', "[", "\\", ";", "0", "a", "_", "*", "@", "/", ",", ".", '"a"0', "[>1]"])
def test_any_format_is_read(sign: str) -> None:
    code = (sign * 255)[:255]
    assert format_of(200, code).code == code
