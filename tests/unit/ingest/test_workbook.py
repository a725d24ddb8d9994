"""Excel workbooks as the CSV that they stand for, and for what they are refused."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

import pytest

from ingest.chunking import Scan, scan
from ingest.errors import FileError
from ingest.format.columns import VIOLATION_COLUMNS
from ingest.format.header import read_header
from ingest.format.parser import Reject
from ingest.format.violations import ViolationParser
from ingest.reading import unpacking, workbook, workbook_strings
from ingest.reading.csv_records import records
from ingest.reading.csv_text import as_csv_text
from ingest.reading.workbook import Workbook
from ingest.reporting.texts import message
from tests.support.feeds import GOOD, NAMES, SOURCE, blocks, csv_text
from tests.support.workbooks import MAIN, OFFICE, WORKSHEET, Cell, Formula, Number, xlsx, zipped

ROW = tuple(GOOD.values())


def rows_of(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(b"".join(Workbook(io.BytesIO(content)).csv_blocks()).decode(), newline="")))


def cells(*row: Cell, **options: object) -> list[str]:
    return rows_of(xlsx([row], **options))[0]  # type: ignore[arg-type]


def scanned(content: bytes) -> Scan:
    kept: dict[int, bytes] = {}
    with as_csv_text(blocks(content), len(content), "utf-8") as text:
        found = scan(text.blocks, SOURCE, unproven=text.unproven, keep=kept.__setitem__)
    assert [len(kept[chunk.number]) for chunk in found.chunks] == [chunk.end for chunk in found.chunks]
    return found


def refusal(content: bytes) -> str:
    with pytest.raises(FileError) as caught:
        scanned(content)
    assert message(caught.value.code, None).ar
    return caught.value.code


def outcome(content: bytes) -> Any:
    """What the only row of a file says: its reject, or what is kept of it."""
    with as_csv_text(blocks(content), len(content), "utf-8") as text:
        lines = records(io.StringIO(b"".join(text.blocks).decode(), newline=""), ",")
        (_, header), *rows = lines
        layout = read_header(VIOLATION_COLUMNS, header, ",", [])
        ((line, row),) = rows
        said = ViolationParser(layout, SOURCE).parse(line, row)
    if isinstance(said, Reject):
        return said
    return [*said.violation, *said.violation.plate_key.split("#")]


def test_a_sheet_is_the_rows_that_it_shows() -> None:
    found = scanned(xlsx([NAMES, ROW, [*ROW[:-1], "2026-11-18"]]))
    assert (found.rows, found.layout.columns) == (2, NAMES)


def test_texts_come_as_they_are() -> None:
    assert cells("ز", 'a,b;\t"c"\'', "=1", " x ", "<&>", "😀") == ["ز", 'a,b;\t"c"\'', "=1", " x ", "<&>", "😀"]


def test_absent_cells_are_empty_up_to_the_width_of_the_first_row() -> None:
    assert cells("", "b", "", "", "e", "", "") == ["", "b", "", "", "e"]
    assert rows_of(xlsx([["a", "b", "c"], ["1"], [], ["1", "2", "3", "4", ""]])) == [
        ["a", "b", "c"],
        ["1", "", ""],
        [],
        ["1", "2", "3", "4"],
    ]


def test_a_row_may_end_in_empty_cells() -> None:
    at = NAMES.index("sector_code") + 1
    content = xlsx([NAMES, *([*ROW[:at]] for _ in range(3))])
    assert scanned(content).rows == 3  # none of which is bad


def test_rows_that_hold_nothing_take_no_room() -> None:
    content = xlsx([["a", "b"], ["1"], ["", ""], [" "], ["2"]])
    assert b"".join(Workbook(io.BytesIO(content)).csv_blocks()) == b"a,b\r\n1,\r\n\r\n\r\n2,\r\n"


def test_row_n_of_the_sheet_is_line_n() -> None:
    sheet = (
        f'<worksheet xmlns="{MAIN}"><sheetData><row r="2"><c r="A2" t="inlineStr"><is><t>a\r\nb</t></is></c></row>'
        '<row r="5"><c r="A5" t="str"><v>c</v></c></row></sheetData></worksheet>'
    )
    content = xlsx([], parts={"xl/worksheets/first.xml": sheet})
    assert b"".join(Workbook(io.BytesIO(content)).csv_blocks()) == "\r\na\u2028b\r\n\r\n\r\nc\r\n".encode()


@pytest.mark.parametrize(
    ("column", "cell", "meant"),
    [
        ("plate_number", "123\n456", "number_not_digits"),  # two plates, and not 123456
        ("plate_number", "12345\n", "12345"),
        ("amount", "50\n000", "amount_unreadable"),
        ("violation_code", "10\n1", "character_forbidden"),
        ("plate_governorate", "صلاح\nالدين", "26"),
        ("place", "شارع\nفلسطين", "شارع فلسطين"),
    ],
)
def test_a_line_break_in_a_cell_means_what_it_means_in_csv(column: str, cell: str, meant: str) -> None:
    header = (*NAMES, *(() if column in NAMES else (column,)))
    row = {**GOOD, column: cell}
    broken = [name.replace("_", "\n") for name in header]
    for content in (xlsx([broken, [row[name] for name in header]]), csv_text(row, header=header)):
        said = outcome(content)
        assert said.code == meant if isinstance(said, Reject) else meant in said


def test_every_type_of_cell() -> None:
    sheet = (
        f'<x:worksheet xmlns:x="{MAIN}"><x:sheetData><x:row><x:c t="b"><x:v>1</x:v></x:c><x:c t="b"><x:v>0</x:v></x:c>'
        '<x:c t="e"><x:v>#N/A</x:v></x:c><x:c t="d"><x:v>2026-11-20T08:05:09</x:v></x:c><x:c><x:v>7</x:v></x:c>'
        "<x:c t='inlineStr'><x:is><x:r><x:t>بغ</x:t></x:r><x:r><x:t>داد</x:t></x:r><x:rPh><x:t>no</x:t></x:rPh></x:is>"
        "</x:c></x:row></x:sheetData></x:worksheet>"
    )
    (found,) = rows_of(xlsx([], parts={"xl/worksheets/first.xml": sheet}))
    assert found == ["TRUE", "FALSE", "#N/A", "2026-11-20T08:05:09", "7", "بغداد"]


def test_what_surrounds_the_rows_is_no_part_of_them() -> None:
    """Excel keeps conditions and lists of choices that name another sheet as extensions, formulas in them."""
    row = '<row r="1"><c r="A1" t="str"><v>a</v></c></row>'
    around = (
        f'<worksheet xmlns="{MAIN}"><sheetData>{row}</sheetData><extLst><ext xmlns:x14="x14" xmlns:xm="xm">'
        "<x14:dataValidations><x14:dataValidation><x14:formula1><xm:f>lists!$A$1:$A$3</xm:f></x14:formula1>"
        "<xm:sqref>C2:C9</xm:sqref></x14:dataValidation></x14:dataValidations></ext></extLst></worksheet>"
    )
    assert rows_of(xlsx([], parts={SHEET: around})) == [["a"]]


def test_the_first_sheet_is_the_first_that_is_shown() -> None:
    sheets = '<sheet name="{}" sheetId="{}" r:id="{}" {}/>'.format
    hidden = [sheets("lists", 3, "h", 'state="hidden"'), sheets("old", 4, "h", 'state="veryHidden"')]
    book = f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{{}}</sheets></workbook>'.format
    relations = f'<Relationships><Relationship Id="h" Type="{WORKSHEET}" Target="hidden.xml"/>' + "".join(
        f'<Relationship Id="{at}" Type="{WORKSHEET}" Target="worksheets/first.xml"/>' for at in "ab"
    )
    parts = {"xl/_rels/workbook.xml.rels": f"{relations}</Relationships>"}
    shown = "".join((*hidden, sheets("1", 1, "a", 'state="visible"'), sheets("2", 2, "b", "")))
    assert rows_of(xlsx([["a"]], parts={**parts, BOOK: book(shown)})) == [["a"]]
    assert refusal(xlsx([["a"]], parts={**parts, BOOK: book("".join(hidden))})) == "excel_damaged"


def test_further_sheets_that_hold_anything_are_counted() -> None:
    empty = f'<worksheet xmlns="{MAIN}"><sheetData><row r="1"><c r="A1" s="1"/></row></sheetData></worksheet>'
    filled = f'<worksheet xmlns="{MAIN}"><sheetData><row><c t="str"><v>a</v></c></row></sheetData></worksheet>'
    conditions = f'<worksheet xmlns="{MAIN}"><sheetData/><extLst><f>lists!$A$1</f></extLst></worksheet>'
    damaged = "<worksheet>"
    for content, unread in ((None, 0), (empty, 0), (conditions, 0), (filled, 1), (damaged, 1)):
        parts = {"xl/other.xml": content} if content else None
        book = xlsx([NAMES, ROW], parts=parts)
        with as_csv_text(blocks(book), len(book), "utf-8") as text:
            assert text.sheets_unread == unread


def test_texts_escape_the_signs_that_xml_cannot_hold() -> None:
    """ECMA-376, 22.9.2.19."""
    assert cells("a_x000D_\nb", "_x005F_x000D_", "_x0041_x0042_", "_X0041_", "_x00_") == [
        "a\u2028b",
        "_x000D_",
        "Ax0042_",
        "_X0041_",
        "_x00_",
    ]
    inline = "<row><c t='inlineStr'><is><t>_x0061_</t></is></c><c t='str'><v>_x0062_</v></c></row>"
    assert rows_of(xlsx([], parts={SHEET: inline})) == [["a", "b"]]
    assert refusal(xlsx([NAMES, ["_x0000_", *ROW[1:]]])) == "nul_byte"
    assert cells("_xD800_") == ["?"]


def test_rich_shared_texts_are_joined_without_their_pronunciation() -> None:
    strings = (
        f'<sst xmlns="{MAIN}"><si><r><t>a</t></r><r><t>b</t></r><rPh><t>no</t></rPh></si><si/><si><t>c</t></si></sst>'
    )
    shared = '<row><c t="s"><v>0</v></c><c t="s"><v>1</v></c><c t="s"><v>2</v></c></row>'
    sheet = f'<worksheet xmlns="{MAIN}"><sheetData>{shared}</sheetData></worksheet>'
    parts = {"xl/sharedStrings.xml": strings, "xl/worksheets/first.xml": sheet}
    assert rows_of(xlsx([], parts=parts)) == [["ab", "", "c"]]


FORMATS = (
    *("yyyy-mm-dd", "dd/mm/yyyy hh:mm", "[h]:mm:ss", "000000", "#,##0_)", "[Red][$-401]0.00", "General"),
    *('"11-2026-"00000', "00-0000-######", r"00000\/\2\0\2\6;[Red]0", '[Blue]_("م"#00', '0 "IQD"', "00.00"),
    *('"BG-"0', r'"م"\/General', '"IQD "0', "-0"),
)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (Number("50000"), "50000"),
        (Number("5E4"), "50000"),
        (Number("50000.000000000004"), "50000"),
        (Number("50000.5"), "50000.5"),
        (Number("-1"), "-1"),
        (Number("202611000000123"), "202611000000123"),
        (Number("2026110000001234"), "2.02611000000123E+15"),
        (Number("1.2345678901234E+17"), "1.2345678901234E+17"),
        (Number("46346", 1), "2026-11-20T00:00:00"),
        (Number("46346.354166666664", 2), "2026-11-20T08:30:00"),
        (Number("46346.999999", 2), "2026-11-21T00:00:00"),
        (Number("1", 1), "1900-01-01T00:00:00"),
        (Number("61", 1), "1900-03-01T00:00:00"),
        (Number("0.5", 3), "1899-12-31T12:00:00"),
        (Number("-5", 1), "-5"),
        (Number("99999999", 1), "99999999"),
        (Number("123", 4), "000123"),
        (Number("50000", 5), "50000"),
        (Number("50000", 6), "50000"),
        (Number("50000", 7), "50000"),
        (Number("123", 8), "11-2026-00123"),
        (Number("0", 8), "11-2026-00000"),
        (Number("1234567", 8), "11-2026-1234567"),
        (Number("123.0", 8), "11-2026-00123"),
        (Number("112026000123", 9), "11-2026-000123"),
        (Number("5112026000123", 9), "511-2026-000123"),
        (Number("123", 9), "00-0000-123"),
        (Number("123", 10), "00123/2026"),
        (Number("7", 11), "م07"),
        (Number("-7", 8), "-11-2026-00007"),
        (Number("1.5", 8), "11-2026-00001.5"),
        (Number("50000", 12), "50000"),
        (Number("50000", 13), "50000"),
        (Number("7", 14), "BG-7"),
        (Number("123", 14), "BG-123"),
        (Number("123", 15), "م/123"),
        (Number("50000", 16), "50000"),
        (Number("50000", 17), "50000"),
        (Number("7", 99), "7"),
    ],
)
def test_numbers(number: Number, text: str) -> None:
    assert cells(number, formats=FORMATS) == [text]


def test_a_date_of_a_sheet_is_the_one_that_it_shows_in_no_zone() -> None:
    dates = ("2026-11-20T08:05:09Z", "2026-11-20T08:05:09-05:00", "2026-11-20T08:05:09", "2026-11-20", "2026-11-20Z")
    row = "".join(f'<c t="d"><v>{date}</v></c>' for date in dates)
    assert rows_of(xlsx([], parts={SHEET: f"<worksheet><row>{row}</row></worksheet>"})) == [
        [*(["2026-11-20T08:05:09"] * 3), "2026-11-20", "2026-11-20"]
    ]
    sheet = xlsx(replaced("occurred_at", Number("46346.354166666664", 1)), formats=["dd/mm/yyyy hh:mm"])
    assert "2026-11-20T08:30:00+03:00" in outcome(sheet)


def test_hidden_rows_are_read_and_counted() -> None:
    content = xlsx([["a"], ["1"], ["2"], [""], ["3"]], hidden=(3, 4, 5))
    book = Workbook(io.BytesIO(content))
    assert b"".join(book.csv_blocks()) == b"a\r\n1\r\n2\r\n\r\n3\r\n"
    assert (book.hidden.rows, book.hidden.first) == (2, 3)
    shown = Workbook(io.BytesIO(xlsx([["a"], ["1"]])))
    assert list(shown.csv_blocks())
    assert (shown.hidden.rows, shown.hidden.first) == (0, 0)


def test_a_workbook_may_count_its_days_from_1904() -> None:
    assert cells(Number("44884.5", 1), formats=FORMATS, since_1904=True) == ["2026-11-20T12:00:00"]


def replaced(at: str, cell: Cell) -> list[Sequence[Cell]]:
    return [NAMES, [cell if name == at else GOOD[name] for name in NAMES]]


SHEET = "xl/worksheets/first.xml"
BOOK = "xl/workbook.xml"
RELATIONS = "xl/_rels/workbook.xml.rels"
MOVED = f'<Relationships><Relationship Id="a" Type="{WORKSHEET}" Target="../sheet.xml"/></Relationships>'


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (xlsx(replaced("amount", Formula("A1*2"))), "excel_formulas"),
        (xlsx([NAMES, ROW], merged=["A1:C1"]), "excel_header_merged"),
        (xlsx([["مخالفات", "", ""], NAMES, ROW], merged=["A1:C1"]), "excel_header_merged"),
        (xlsx([["plate", "", *NAMES[4:]], ROW], merged=["A1:D1"]), "excel_header_merged"),
        (xlsx([NAMES, ROW], merged=["B2:B3"]), "excel_cells_merged"),
        (xlsx([]), "file_empty"),
        (xlsx([NAMES]), "no_rows"),
        (xlsx([["a", "b"], ["1", "2"]]), "header_missing"),
        (xlsx([NAMES[1:], ROW[1:]]), "column_missing"),
        (xlsx([NAMES, ROW])[:-40], "excel_damaged"),
        (xlsx([NAMES, ROW]).replace(b"\x14\x00\x00\x00\x08\x00", b"\x14\x00\x00\x00\x63\x00"), "excel_damaged"),
        (zipped({BOOK: "<workbook/>"}, misplaced=2**63 - 1), "excel_damaged"),
        (zipped({BOOK: "<workbook/>"}, shifted=1), "excel_damaged"),
        (xlsx([], parts={SHEET: "<worksheet>"}), "excel_damaged"),
        (xlsx([], parts={SHEET: '<row r="0"/>'}), "excel_damaged"),
        (xlsx([], parts={SHEET: '<row r="9999999"/>'}), "excel_damaged"),
        (xlsx([], parts={SHEET: '<row><c r="ZZZ1"><v>1</v></c></row>'}), "excel_damaged"),
        (xlsx([], parts={SHEET: '<row><c r="?"><v>1</v></c></row>'}), "excel_damaged"),
        (xlsx([], parts={SHEET: '<row><c t="s"><v>9</v></c></row>'}), "excel_damaged"),
        (xlsx([], parts={SHEET: '<row><c t="s"><v>-1</v></c></row>'}), "excel_damaged"),
        (xlsx([], parts={SHEET: f'<row><c t="s"><v>{10**21}</v></c></row>'}), "excel_damaged"),
        (xlsx([], parts={SHEET: "<row><c><v>x</v></c></row>"}), "excel_damaged"),
        (xlsx([], parts={SHEET: '<row><c r="B1"><v>1</v></c><c r="A1"><v>2</v></c></row>'}), "excel_damaged"),
        (xlsx([], parts={SHEET: '<row><c r="B1"><v>1</v></c><c r="B1"><v>2</v></c></row>'}), "excel_damaged"),
        (xlsx([], parts={SHEET: "<row><c><v>NaN</v></c></row>"}), "excel_damaged"),
        (xlsx([], parts={SHEET: '<row><c s="x"><v>1</v></c></row>'}), "excel_damaged"),
        (xlsx([], parts={SHEET: f'<row><c t="str"><v>{"x" * 40_000}</v></c></row>'}), "excel_texts_too_large"),
        (xlsx([["x" * 40_000]]), "excel_texts_too_large"),
        (xlsx([NAMES, ROW], formats=["[" * 500_000]), "excel_damaged"),  # which would take minutes to read
        (xlsx([[str(at).ljust(32_000, "x") for at in range(40)]]), "record_too_long"),
        (xlsx([], parts={SHEET: f'<worksheet a="{"x" * 2_000_000}"/>'}), "excel_too_complex"),
        (xlsx([], parts={SHEET: '<!DOCTYPE w [<!ENTITY a "a">]><worksheet>&a;</worksheet>'}), "excel_too_complex"),
        (xlsx([], parts={BOOK: "<workbook/>"}), "excel_damaged"),
        (xlsx([NAMES, ROW], parts={RELATIONS: MOVED}), "excel_damaged"),
        (zipped({"xl/workbook22.xml": "<workbook/>"}), "excel_damaged"),
        (zipped({"xl\\workbook.xml": "<workbook/>"}), "excel_damaged"),
        (zipped({"xl/workbook.bin": b"x"}), "file_is_xlsb"),
        (zipped({"content.xml": "<x/>"}), "file_is_ods"),
        (zipped({"violations.csv": "a,b"}), "file_is_zip"),
    ],
)
def test_what_is_refused(content: bytes, code: str) -> None:
    assert refusal(content) == code


def test_a_formula_is_found_on_its_row() -> None:
    with pytest.raises(FileError) as caught:
        scanned(xlsx(replaced("amount", Formula("A1*2"))))
    assert caught.value.line == 2


def test_a_number_that_lost_its_digits_is_rejected_by_name() -> None:
    rows: list[Sequence[Cell]] = [NAMES, *([*ROW] for _ in range(8))]
    rows.append(replaced("violation_no", Number("2.02611000000123E+17"))[1])
    content = xlsx(rows)
    assert scanned(content).rows == 9
    assert "2.02611000000123E+17" in rows_of(content)[9]


def test_what_a_small_workbook_may_become_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "UNSUSPICIOUS", 100_000)
    assert refusal(xlsx([], parts={"xl/media/zeros": "0" * 1_000_000})) == "excel_bomb"
    monkeypatch.setattr(workbook_strings, "MAX_TEXT_BYTES", 1000)
    assert refusal(xlsx([["x" * 999, "yy"]])) == "excel_texts_too_large"


def test_a_workbook_larger_than_200_mb_is_not_read() -> None:
    content = xlsx([NAMES, ROW])
    with (
        pytest.raises(FileError, match="excel_too_large"),
        as_csv_text(blocks(content), workbook.MAX_WORKBOOK_BYTES + 1, "utf-8"),
    ):
        pass
