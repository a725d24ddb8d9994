"""Rows of the directorate's file: every column's rule, every refusal, versions, digests and warnings."""

from __future__ import annotations

import pytest

from ingest.errors import FileError
from ingest.format.columns import VIOLATION_COLUMNS
from ingest.format.notices import Notice
from ingest.format.parser import Reject
from ingest.reporting.texts import ROW_ERRORS, message
from shared.domain.violation import Violation
from shared.policies import RULES
from shared.stores.violation_rows import Row, doubling_day
from tests.support.feeds import GOOD, NAMES, SOURCE, parse, parser, refusal, row


def test_a_row_with_everything() -> None:
    found = row(line=9)
    assert found.violation == Violation(
        violation_no="11-2026-7",
        plate_key="DE#11#ز#12456",
        code="101",
        amount=50_000,
        occurred_at="2026-10-18T20:30:00+03:00",
        recorded_at="2026-10-18T21:00:00+03:00",
        sector_code="BG-7",
        version="2026-11-19T01:00:00+03:00#2026-11-20T12:00:00+03:00#000000009",
        status="open",
        category="private",
        title="عدم ارتداء حزام الأمان",
        legal_ref="25/3/هـ",
        amount_due=100_000,
        doubled_at="2026-11-19T00:00:00+03:00",
        sector_name="قاطع الكرخ",
        sector_governorate="11",
        place="شارع حيفا",
    )
    assert (found.dated, found.ref, found.origin, found.recent) == (True, "f00d#9", "live", True)


def test_what_the_counter_was_paid() -> None:
    found = row(status="مسددة", paid_at="2026-11-01", receipt_no="و-77").violation
    assert (found.status, found.counter_paid_at, found.counter_receipt_no) == (
        "paid",
        "2026-11-01T00:00:00+03:00",
        "و-77",
    )
    assert found.paid_at is None


def test_only_required_cells_are_needed() -> None:
    empty = dict.fromkeys(
        ("plate_category", "violation_title", "legal_ref", "amount_due", "doubled_at", "recorded_at", "sector_name",
         "sector_governorate", "place", "status", "updated_at"), ""
    )  # fmt: skip
    found = row(**empty)
    assert found.violation.status == "open"
    assert found.violation.category is None
    assert not found.dated
    assert found.violation.version == "2026-11-20T12:00:00+03:00#2026-11-20T12:00:00+03:00#000000002"


@pytest.mark.parametrize(
    ("cells", "key"),
    [
        ({"plate_family": "ألماني"}, "DE#11#ز#12456"),
        ({"plate_family": "المانية", "plate_letter": "هـ"}, "DE#11#ه#12456"),
        ({"plate_letter": "ي"}, "DE#11#ى#12456"),
        ({"plate_letter": "\ufeaf"}, "DE#11#ز#12456"),  # a presentation form
        ({"plate_letter": "\u200fز\u200e"}, "DE#11#ز#12456"),
        ({"plate_number": "٠١٢٤٥٦"}, "DE#11#ز#12456"),
        ({"plate_family": "قديم", "plate_letter": ""}, "OLD#11#12456"),
        ({"plate_family": "قبل 2003", "plate_letter": "", "plate_governorate": "أربيل"}, "KR#22#12456"),
        ({"plate_family": "إقليم كردستان", "plate_letter": "", "plate_governorate": "24"}, "KR#24#12456"),
        ({"plate_family": "موحدة", "plate_letter": "a"}, "UN#11#A#12456"),
        ({"plate_family": "إنكليزي", "plate_letter": "B", "plate_governorate": "Erbil"}, "UN#22#B#12456"),
    ],
)
def test_plates(cells: dict[str, str], key: str) -> None:
    assert row(**cells).violation.plate_key == key


REFUSALS: list[tuple[dict[str, str], str, str]] = [
    *(({column: " "}, column, "missing") for column in (
        "violation_no", "plate_family", "plate_governorate", "violation_code", "amount", "occurred_at",
        "sector_code")),
    ({"plate_number": ""}, "plate_number", "number_missing"),
    ({"violation_no": "a#b"}, "violation_no", "violation_no_malformed"),
    ({"violation_no": "2.02611E+17"}, "violation_no", "number_e_notation"),
    ({"receipt_no": "1.23456789012346E+16"}, "receipt_no", "number_e_notation"),
    ({"receipt_no": "1.23456789012346e+16"}, "receipt_no", "number_e_notation"),
    ({"sector_code": "1.20E+05"}, "sector_code", "number_e_notation"),
    ({"violation_no": "202611.0"}, "violation_no", "number_with_fraction"),
    ({"violation_code": "٢٠٣٫٠"}, "violation_code", "number_with_fraction"),
    ({"sector_code": "1101.00"}, "sector_code", "number_with_fraction"),
    ({"receipt_no": "778812,0"}, "receipt_no", "number_with_fraction"),
    ({"plate_family": "جديد"}, "plate_family", "family_new"),
    ({"plate_family": "سويدي"}, "plate_family", "family_unknown"),
    ({"plate_governorate": "30"}, "plate_governorate", "governorate_unknown"),
    ({"plate_family": "كردستان", "plate_letter": ""}, "plate_governorate", "governorate_not_kurdistan"),
    ({"plate_letter": ""}, "plate_letter", "letter_missing"),
    ({"plate_letter": "اب"}, "plate_letter", "letter_not_arabic"),
    ({"plate_letter": "A"}, "plate_letter", "letter_not_arabic"),
    ({"plate_letter": "?"}, "plate_letter", "letter_not_arabic"),
    ({"plate_family": "unified"}, "plate_letter", "letter_not_latin"),
    ({"plate_family": "old"}, "plate_letter", "letter_forbidden"),
    ({"plate_number": "12?45"}, "plate_number", "number_not_digits"),
    ({"plate_number": "000"}, "plate_number", "number_zero"),
    ({"plate_number": "1234567"}, "plate_number", "number_too_long"),
    ({"plate_number": "1" * 1001}, "plate_number", "text_too_long"),
    ({"violation_code": "x" * 17}, "violation_code", "code_too_long"),
    ({"violation_title": "x" * 201}, "violation_title", "text_too_long"),
    ({"place": "x" * 2000}, "place", "text_too_long"),
    ({"place": "a\0b"}, "place", "character_forbidden"),
    ({"amount": "5e4"}, "amount", "amount_e_notation"),
    ({"amount_due": "-5"}, "amount_due", "amount_negative"),
    ({"occurred_at": "31/02/2026"}, "occurred_at", "date_not_in_calendar"),
    ({"recorded_at": "soon"}, "recorded_at", "date_unreadable"),
    ({"doubled_at": "1900-01-01"}, "doubled_at", "date_out_of_range"),
    ({"paid_at": "x"}, "paid_at", "date_unreadable"),
    ({"sector_code": "x" * 17}, "sector_code", "code_too_long"),
    ({"sector_governorate": "30"}, "sector_governorate", "governorate_unknown"),
    ({"status": "gone"}, "status", "status_unknown"),
    ({"paid_at": "2026-11-01"}, "status", "status_contradicted"),
    ({"paid_at": "2026-11-01", "status": ""}, "status", "status_contradicted"),
    ({"sector_code": "#N/A"}, "sector_code", "missing"),
    ({"sector_code": "#DIV/0!"}, "sector_code", "spreadsheet_error"),
    ({"violation_code": "####"}, "violation_code", "spreadsheet_error"),
    ({"paid_at": "########", "status": "paid"}, "paid_at", "date_unreadable"),
    ({"violation_no": "Dec-26"}, "violation_no", "spreadsheet_date"),
    ({"violation_no": "2026-12-01T00:00:00"}, "violation_no", "spreadsheet_date"),
    ({"receipt_no": "2026-12-01 00:00:00"}, "receipt_no", "spreadsheet_date"),
    ({"legal_ref": "25/03/2026 00:00"}, "legal_ref", "spreadsheet_date"),
    ({"legal_ref": "3/25/2026 12:00:00 AM"}, "legal_ref", "spreadsheet_date"),
    ({"sector_code": "1/12/2026 0:00"}, "sector_code", "spreadsheet_date"),
    ({"violation_code": "2026-12-01 00:00"}, "violation_code", "spreadsheet_date"),
    ({"violation_no": "NULL"}, "violation_no", "missing"),
    ({"receipt_no": "Dec-26"}, "receipt_no", "spreadsheet_date"),
    ({"receipt_no": "1.23E+11"}, "receipt_no", "number_e_notation"),
    ({"receipt_no": "7.0"}, "receipt_no", "number_with_fraction"),
    ({"sector_code": "TRUE"}, "sector_code", "spreadsheet_truth"),
    ({"violation_no": "False"}, "violation_no", "spreadsheet_truth"),
    ({"violation_code": "\\N"}, "violation_code", "missing"),
    ({"amount": "50"}, "amount", "amount_too_small"),
    ({"amount": "999", "amount_due": "", "status": "paid"}, "amount", "amount_too_small"),
    ({"amount_due": "100"}, "amount_due", "amount_too_small"),
    ({"amount_due": "1"}, "amount_due", "amount_too_small"),
    ({"plate_letter": "\\N"}, "plate_letter", "letter_missing"),
    ({"plate_letter": "ز/"}, "plate_letter", "letter_not_arabic"),
    ({"plate_family": "unified", "plate_letter": "\\N"}, "plate_letter", "letter_missing"),
    ({"plate_family": "unified", "plate_letter": "N-"}, "plate_letter", "letter_not_latin"),
    ({"plate_family": "NULL"}, "plate_family", "missing"),
    ({"plate_number": "NULL"}, "plate_number", "number_missing"),
    ({"amount": "NULL"}, "amount", "missing"),
    ({"occurred_at": "(null)"}, "occurred_at", "missing"),
    ({"status": "✓"}, "status", "status_unknown"),
    ({"violation_code": "#REF!"}, "violation_code", "spreadsheet_error"),
    ({"place": " #VALUE! "}, "place", "spreadsheet_error"),
    ({"receipt_no": "#NAME?"}, "receipt_no", "spreadsheet_error"),
    ({"legal_ref": "2026-03-25T00:00:00"}, "legal_ref", "spreadsheet_date"),
    ({"sector_code": "02-Jan"}, "sector_code", "spreadsheet_date"),
    ({"plate_number": "#NUM!"}, "plate_number", "number_not_digits"),
    ({"receipt_no": "x" * 201}, "receipt_no", "text_too_long"),
    ({"updated_at": "2030-01-01"}, "updated_at", "date_ahead"),
    ({"updated_at": "2026-11-21T12:00:01"}, "updated_at", "date_ahead"),
    ({"occurred_at": "11/12/2026"}, "occurred_at", "date_ahead"),
    ({"recorded_at": "2026-11-21T12:00:01"}, "recorded_at", "date_ahead"),
    ({"paid_at": "2062-11-01"}, "paid_at", "date_ahead"),
]  # fmt: skip


@pytest.mark.parametrize(("cells", "column", "code"), REFUSALS)
def test_refusals_name_the_column_and_have_words(cells: dict[str, str], column: str, code: str) -> None:
    assert refusal(**cells) == (column, code)
    said = message(code, column)
    assert said.ar != said.en


def test_updated_at_may_be_a_day_ahead_of_its_file() -> None:
    assert row(updated_at="2026-11-21T12:00:00").dated


def test_a_reject_keeps_line_and_cells() -> None:
    cells = [*GOOD.values()]
    cells[9] = "x"
    assert parser().parse(77, cells) == Reject(77, "amount", "amount_unreadable", cells)


def test_rows_of_another_width() -> None:
    cells = [*GOOD.values()]
    assert parser().parse(2, cells[:-1]) == Reject(2, "", "cells_missing", cells[:-1])
    assert parser().parse(2, [*cells, "", "x"]) == Reject(2, "", "cells_too_many", [*cells, "", "x"])
    assert parser().parse(2, [*cells, "", "\u00a0", " "]) == row()


@pytest.mark.parametrize(
    ("column", "cut"),
    [
        ("amount", ("50", "000")),
        ("amount", ("٥٠", "٠٠٠ ")),
        ("amount", ("50000", "00")),
        ("amount", ("1", "250", "000")),
        ("amount_due", ("100", "000")),
        ("plate_number", ("12", "456")),
    ],
)
def test_a_number_that_its_comma_cut_in_two_shifts_no_cells_where_the_last_are_empty(
    column: str, cut: tuple[str, ...]
) -> None:
    """The cells behind it would pass for the columns beside theirs, and the empty last ones for a writer's padding."""
    last = (column, "place", "receipt_no")
    columns = (*(name for name in NAMES if name not in last), *last)
    padding = [""] * 2
    assert isinstance(parser(columns).parse(2, [*(GOOD[name] for name in columns), *padding]), Row)
    record = [*(GOOD[name] for name in columns[:-3]), *cut, *padding]
    assert parser(columns).parse(2, record) == Reject(2, "", "cells_too_many", record)


def test_a_category_without_a_name_becomes_other_with_a_warning() -> None:
    subject = parser()
    for line, word in ((2, "خصوصي"), (3, "مدرعة"), (4, "مدرعة"), (5, ""), (6, "other")):
        subject.parse(line, [*{**GOOD, "plate_category": word}.values()])
    assert subject.warnings.listed() == [Notice("plate_category", "category_other", 2, 3)]
    assert row(plate_category="مدرعة").violation.category == "other"


@pytest.mark.parametrize("word", ["-", "\u200f", "NULL", "ـ"])
def test_what_says_no_category_is_none(word: str) -> None:
    """Whoever linked a vehicle of one is told of violations of it and of those without, not of another's."""
    subject = parser()
    subject.parse(2, [*{**GOOD, "plate_category": word}.values()])
    assert subject.warnings.listed() == []
    assert row(plate_category=word).violation.category is None


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ({"amount_due": "0"}, "due_nothing"),
        ({"amount_due": "0", "status": "paid"}, ""),
        ({"amount_due": "100000", "doubled_at": "", "recorded_at": "2026-10-20"}, "due_doubled_early"),
        ({"amount_due": "100000", "doubled_at": "", "recorded_at": "2026-10-20", "legal_ref": ""}, "due_doubled_early"),
        ({"amount_due": "100001", "doubled_at": "", "recorded_at": "2026-10-20"}, "due_above_doubled"),
        ({"amount_due": "100000", "doubled_at": "2026-11-25", "recorded_at": "2026-10-20"}, "due_doubled_ahead"),
        ({"amount_due": "120000", "doubled_at": "2026-11-25", "recorded_at": "2026-10-20"}, "due_doubled_ahead"),
        ({"amount_due": "50000", "doubled_at": "2026-11-25", "recorded_at": "2026-10-20"}, ""),
        ({"amount_due": "", "doubled_at": "2026-11-25", "recorded_at": "2026-10-20"}, ""),
        ({"amount_due": "75000", "doubled_at": "", "recorded_at": "2026-10-20"}, ""),
        ({"amount_due": "100000", "doubled_at": "", "recorded_at": "2026-10-18"}, ""),
        ({"amount_due": "100000", "doubled_at": "2026-11-18", "recorded_at": "2026-10-20"}, ""),
        ({"amount_due": ""}, ""),
    ],
)
def test_a_debt_that_may_be_meant_otherwise_is_told(cells: dict[str, str], code: str) -> None:
    subject = parser()
    assert isinstance(subject.parse(4, [*{**GOOD, **cells}.values()]), Row)
    assert [notice.code for notice in subject.warnings.listed()] == ([code] if code else [])


def test_without_a_recording_date_the_violations_own_counts_with_a_warning() -> None:
    subject = parser()
    subject.parse(4, [*{**GOOD, "recorded_at": ""}.values()])
    assert subject.warnings.listed() == [Notice("recorded_at", "recorded_at_defaulted", 1, 4)]
    assert row(recorded_at="").violation.recorded_at == row().violation.occurred_at


def test_a_rejected_row_warns_of_nothing() -> None:
    subject = parser()
    subject.parse(4, [*{**GOOD, "recorded_at": "", "plate_category": "x", "occurred_at": "x"}.values()])
    subject.parse(5, [*{**GOOD, "recorded_at": "", "updated_at": "2030-01-01"}.values()])
    assert subject.warnings.listed() == []


@pytest.mark.parametrize(
    ("origin", "cells", "warned"),
    [
        ("live", {"recorded_at": "2026-10-06T11:59:59"}, True),
        ("live", {"recorded_at": "2026-10-06T12:00:00"}, False),
        ("live", {"recorded_at": "2026-10-06T11:59:59", "status": "paid"}, False),
        ("backlog", {"recorded_at": "2026-10-06T11:59:59"}, False),
    ],
)
def test_a_live_row_too_old_to_be_news_is_told_of(origin: str, cells: dict[str, str], warned: bool) -> None:
    subject = parser(source=SOURCE._replace(origin=origin))
    subject.parse(4, [*{**GOOD, **cells}.values()])
    assert subject.warnings.listed() == [Notice("recorded_at", "not_announced", 1, 4)] * warned


def test_rows_recorded_before_the_bound_are_not_recent() -> None:
    assert row(recorded_at="2026-10-06T12:00:00").recent
    assert not row(recorded_at="2026-10-06T11:59:59").recent


def test_the_digest_is_of_what_is_said_not_of_how_or_when() -> None:
    first = row()
    same = row(
        SOURCE._replace(file_id="beef", origin="backlog", last_modified="2026-11-21T12:00:00+03:00"),
        line=5,
        updated_at="2026-11-20",
        amount="50000",
        plate_family="ألماني",
        occurred_at="2026-10-18T20:30:00",
    )
    assert same.content == first.content
    assert same.violation.version > first.violation.version


@pytest.mark.parametrize(
    "change",
    [
        {"plate_number": "1"},
        {"plate_category": "حمل"},
        {"violation_code": "102"},
        {"violation_title": "x"},
        {"legal_ref": "25/2"},
        {"amount": "51000"},
        {"amount_due": ""},
        {"doubled_at": ""},
        {"occurred_at": "2026-10-01"},
        {"recorded_at": "2026-10-19"},
        {"sector_code": "x"},
        {"sector_name": "x"},
        {"sector_governorate": "12"},
        {"place": "x"},
        {"status": "paid"},
        {"receipt_no": "x"},
    ],
)
def test_every_cell_counts_in_the_digest(change: dict[str, str]) -> None:
    assert row(**change).content != row().content


def test_a_debt_that_is_stated_again_after_the_doubling_is_another_statement() -> None:
    """An export without dates of its own speaks of the moment that it was made; what it says then is what is owed."""
    undated = {"updated_at": "", "doubled_at": "", "amount_due": "50000"}  # recorded on 18 October
    before, again, after, later = (
        row(SOURCE._replace(last_modified=f"2026-11-{day}T12:00:00+03:00"), recorded_at="2026-10-18", **undated)
        for day in ("10", "17", "18", "19")
    )
    assert before.content == again.content != after.content == later.content
    now = "2026-11-20T12:00:00+03:00"
    assert (before.violation.due(now, RULES).amount, after.violation.due(now, RULES).amount) == (100_000, 50_000)
    settled = [
        row(SOURCE._replace(last_modified=f"2026-11-{day}T12:00:00+03:00"), status="paid", **undated)
        for day in ("17", "19")
    ]
    assert settled[0].content == settled[1].content


def test_a_debt_that_is_doubled_early_is_owed_once_whenever_it_is_stated_again() -> None:
    undated = {"updated_at": "", "doubled_at": "", "amount_due": "100000", "recorded_at": "2026-10-18"}
    early, late = (
        row(SOURCE._replace(last_modified=f"2026-11-{day}T12:00:00+03:00"), **undated) for day in ("10", "19")
    )
    assert early.content == late.content
    assert doubling_day(early.violation) is None
    for said in (early, late):
        assert said.violation.due("2026-12-20T12:00:00+03:00", RULES).amount == 100_000


NOTHING = (
    "-", "—", "...", "NULL", "null", "(null)", "[NULL]", "\\N", "N/A", "n/a", "#N/A", "None", "nil", "NaN", "NaT", "NA",
    "لا يوجد", "لا توجد", "لايوجد", "غير موجود", "بلا", "بدون", '=""', '="NULL"', " NULL ", "\u200f-",
)  # fmt: skip
EMPTIABLE = tuple(column.name for column in VIOLATION_COLUMNS if not column.required and column.name != "plate_letter")


@pytest.mark.parametrize("word", NOTHING)
@pytest.mark.parametrize("column", EMPTIABLE)
def test_whatever_says_nothing_is_an_empty_cell_where_that_may_be_empty(column: str, word: str) -> None:
    subject, empty = parser(), parser()
    found, expected = (
        each.parse(2, [*{**GOOD, column: cell}.values()]) for each, cell in ((subject, word), (empty, ""))
    )
    assert found == expected
    assert isinstance(found, Row)
    assert subject.warnings.listed() == empty.warnings.listed()


@pytest.mark.parametrize("word", NOTHING)
def test_whatever_says_no_letter_is_none(word: str) -> None:
    assert row(plate_family="old", plate_letter=word).violation.plate_key == "OLD#11#12456"
    assert refusal(plate_letter=word) == ("plate_letter", "letter_missing")


@pytest.mark.parametrize("code", ["NA", "12E3", "None", "MAR-12", "N", "TRUE1"])
def test_a_code_may_look_like_a_word_for_nothing_or_a_number(code: str) -> None:
    found = row(sector_code=code, violation_code=code).violation
    assert (found.sector_code, found.code) == (code, code)


@pytest.mark.parametrize("number", ["DEC-26", "MAR-2026-7", "11/12/2026", "12E3", "2026-12-01", "Abc-26", "NULLA"])
def test_a_number_may_look_like_a_month_or_a_day(number: str) -> None:
    found = row(violation_no=number, receipt_no=number).violation
    assert (found.violation_no, found.counter_receipt_no) == (number, number)


@pytest.mark.parametrize("wrap", ['="{}"', "'{}", "'{}'"])
def test_what_was_written_around_a_value_to_keep_it_is_taken_off(wrap: str) -> None:
    plain = {
        "violation_no": "007", "violation_code": "007", "sector_code": "007", "receipt_no": "007",
        "plate_number": "012456", "legal_ref": "25/3", "amount": "50000", "amount_due": "100000",
        "occurred_at": "2026-10-18", "place": "شارع حيفا", "plate_governorate": "11", "status": "open",
    }  # fmt: skip
    assert row(**{name: wrap.format(cell) for name, cell in plain.items()}) == row(**plain)


def test_a_quotation_mark_within_words_stays() -> None:
    assert row(place="'أ' شارع").violation.place == "'أ' شارع"


def test_a_small_towns_fines_load_and_the_bound_is_the_operators() -> None:
    small = {"amount": "5000", "amount_due": "10000"}
    assert row(**small).violation.amount == 5_000
    assert row(amount_due="0").violation.amount_due == 0
    assert row(amount_due="50", status="paid").violation.amount_due == 50
    assert row(SOURCE._replace(min_amount=250), amount="250", amount_due="250").violation.amount == 250
    strict = parse(SOURCE._replace(min_amount=5_001), **small)
    assert isinstance(strict, Reject)
    assert (strict.column, strict.code) == ("amount", "amount_too_small")


@pytest.mark.parametrize(
    "reference", ["0", "3/25", "هـ/3/25", "8/2019 م 25/3", "قانون 8 لسنة 2019 م 25/3", "ق 8 م 25", "26", "قانون المرور"]
)
def test_a_reference_that_names_no_known_article_is_told(reference: str) -> None:
    subject = parser()
    for line in (2, 3):
        subject.parse(line, [*{**GOOD, "legal_ref": reference}.values()])
    assert subject.warnings.listed() == [Notice("legal_ref", "article_unknown", 2, 2, (reference,))]


@pytest.mark.parametrize("reference", ["25/3/هـ", "25", "المادة 25/ثالثاً", "", "-", "NULL"])
def test_a_known_article_and_none_at_all_are_not(reference: str) -> None:
    subject = parser()
    subject.parse(2, [*{**GOOD, "legal_ref": reference}.values()])
    assert subject.warnings.listed() == []


def test_without_a_status_column_what_is_open_is_told_and_what_has_a_payment_date_is_paid() -> None:
    columns = tuple(name for name in NAMES if name != "status")
    subject = parser(columns)
    found = [
        subject.parse(line, [{**GOOD, "paid_at": paid_at}[name] for name in columns])
        for line, paid_at in ((2, ""), (3, "2026-11-01"), (4, "NULL"))
    ]
    assert [each.violation.status for each in found if isinstance(each, Row)] == ["open", "paid", "open"]
    assert subject.warnings.listed() == [
        Notice("status", "status_defaulted", 2, 2),
        Notice("status", "status_from_paid_at", 1, 3),
    ]


@pytest.mark.parametrize("status", ["", "open", "NULL"])
def test_with_a_status_column_nothing_of_that_is_told(status: str) -> None:
    subject = parser()
    assert isinstance(subject.parse(2, [*{**GOOD, "status": status}.values()]), Row)
    assert subject.warnings.listed() == []
    assert refusal(paid_at="2026-11-01", status=status) == ("status", "status_contradicted")


def test_the_header_again_is_no_row_and_is_told() -> None:
    subject = parser()
    arabic = [column.arabic[0] for column in VIOLATION_COLUMNS]
    for line, record in ((3, [*NAMES]), (5, arabic), (7, [*NAMES, "", " "])):
        assert subject.parse(line, record) is None
    assert subject.warnings.listed() == [Notice("", "header_repeated", 3, 3)]


def test_a_header_of_another_order_is_no_reject() -> None:
    swapped = [*NAMES]
    swapped[9], swapped[10] = swapped[10], swapped[9]
    for record in (swapped, [*NAMES[:-1]], [*NAMES[:-1], "remarks"]):
        with pytest.raises(FileError) as refused:
            parser().parse(9, record)
        assert (refused.value.code, refused.value.line) == ("header_again", 9)


def test_a_row_with_a_name_of_a_column_in_it_is_a_row() -> None:
    assert isinstance(parse(place="القاطع", sector_name="المكان", amount="مبلغ الغرامة"), Reject)
    assert row(place="القاطع", sector_name="المكان").violation.place == "القاطع"


def test_the_day_of_payment_counts_in_the_digest() -> None:
    first, second = (row(status="paid", paid_at=day) for day in ("2026-10-19", "2026-10-20"))
    assert first.content != second.content


def test_every_column_of_the_format_is_read() -> None:
    assert tuple(GOOD) == NAMES


def test_every_refusal_of_a_row_is_shown_above_or_among_the_cells() -> None:
    of_cells = {"amount_fraction", "amount_out_of_range", "amount_unreadable"}
    of_width = {"cells_missing", "cells_too_many"}
    of_registrations = {"registration_no_malformed"}
    of_others = {"number_on_two_plates", "reopens_undated"}  # beside other rows, and beside what is known
    known = of_cells | of_width | of_registrations | of_others
    assert set(ROW_ERRORS) <= {code for _, _, code in REFUSALS} | known
