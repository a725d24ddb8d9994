"""What whole columns say: dates whose day and month changed places, numbers cut short, what says what is paid."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

import pytest

from infra.template import read
from ingest.errors import FileError
from ingest.format.accepting import acceptance, is_acceptance, read_accepted
from ingest.format.columns import ALL_COLUMNS, VIOLATION_COLUMNS
from ingest.format.header import IGNORED, Layout, read_header, read_names
from ingest.format.judging import ColumnCheck, Criteria, judged, names_payment, says_payment
from ingest.format.notices import Lines
from ingest.format.parser import Reject, Source
from ingest.format.violations import ViolationParser
from tests.support.feeds import GOOD, NAMES, SOURCE

CRITERIA = Criteria(timedelta(days=45))
BACKLOG = SOURCE._replace(origin="backlog")
"""Of a file of 2026-11-20, as SOURCE is; the weeks before it begin on 2026-10-06."""
NO_STATUS = tuple(name for name in NAMES if name != "status")


def lines(names: Sequence[str], rows: Iterable[dict[str, str]]) -> Lines:
    """Rows of good cells but for these, from line 2 on."""
    return [(line, [{**GOOD, **row}.get(name, "") for name in names]) for line, row in enumerate(rows, start=2)]


def found(
    rows: Iterable[dict[str, str]], names: Sequence[str] = NAMES, source: Source = SOURCE, accept: str = ""
) -> list[tuple[str, str, int, int, bool]]:
    check = ColumnCheck(layout(names), source, CRITERIA._replace(accepted=read_accepted(accept)))
    for line in lines(names, rows):  # one by one, as samples come in parts
        check.look([line])
    return [(each.code, each.column, each.rows, each.first_line, each.refuses) for each in check.findings()]


def layout(names: Sequence[str]) -> Layout:
    return read_header(VIOLATION_COLUMNS, names, ",", [])


def dates(column: str, *values: str) -> list[dict[str, str]]:
    plain = {"occurred_at": "", "recorded_at": "", "updated_at": "", "doubled_at": ""}
    return [{**plain, column: value} for value in values]


# ---------------------------------------------------------------------- dates

DAY_FIRST, MONTH_FIRST = "25/11/2026", "11/25/2026 10:15"


@pytest.mark.parametrize(
    ("month_first", "day_first", "refuses"),
    [(1, 0, False), (2, 0, True), (3, 1, False), (4, 1, True), (4, 39, True), (4, 40, False), (5, 49, True)],
)
def test_dates_that_are_month_first_only_speak_for_all(month_first: int, day_first: int, refuses: bool) -> None:
    rows = dates("recorded_at", *[DAY_FIRST] * day_first, "05/06/2026", *[MONTH_FIRST] * month_first)
    told = [("date_order_us", "recorded_at", month_first, day_first + 3, True)] if refuses else []
    assert found(rows) == told


@pytest.mark.parametrize("column", ["occurred_at", "recorded_at", "updated_at", "paid_at", "doubled_at"])
def test_every_column_of_dates_is_judged_by_itself(column: str) -> None:
    assert [each[:2] for each in found(dates(column, MONTH_FIRST, MONTH_FIRST))] == [("date_order_us", column)]


def test_digits_of_any_script_and_marks_are_read() -> None:
    rows = dates("recorded_at", "\u200f١١/٢٥/٢٠٢٦", " 11/25/2026")
    assert [each[0] for each in found(rows)] == ["date_order_us"]


@pytest.mark.parametrize("form", ['="{}"', "'{}", " '{}' "])
def test_dates_that_were_kept_from_a_spreadsheet_are_judged_like_others(form: str) -> None:
    rows = dates("recorded_at", *(form.format(value) for value in (MONTH_FIRST, MONTH_FIRST, "11/03/2026")))
    assert [each[:3] for each in found(rows)] == [("date_order_us", "recorded_at", 2)]
    rows = dates("recorded_at", *(form.format(f"{day:02}/11/2026") for day in range(1, 10)))
    assert not found(rows)


OWN = ["2026-01-11T00:00:00", "2026-02-11T00:00:00", "2026-03-11T00:00:00"]
TEXTS = ["13/11/2026", "14/11/2026", "15/11/2026"]


def test_a_sheets_own_dates_beside_the_texts_that_it_could_not_read_refuse_the_file() -> None:
    assert found(dates("recorded_at", *OWN, *TEXTS)) == [("date_kinds_mixed", "recorded_at", 3, 2, True)]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([*OWN[1:], *TEXTS], ("recorded_at", 2, 2)),
        ([*OWN, *TEXTS[1:]], ("recorded_at", 2, 5)),
        ([*OWN, "2026-11-13T00:00:00", *TEXTS], ("recorded_at", 3, 6)),
        ([*OWN, "2026-11-01", *TEXTS, "01/11/2026"], ("recorded_at", 4, 2)),
    ],
)
def test_other_mixtures_are_told_with_their_line(values: list[str], told: tuple[str, int, int]) -> None:
    of_another_year = (value.replace("2026", "2025") for value in values)
    assert found(dates("recorded_at", *of_another_year)) == [("dates_of_two_kinds", *told, False)]


@pytest.mark.parametrize("origin", ["live", "backlog"])
@pytest.mark.parametrize("form", ["{1:02}/{0:02}/2026", "2026-{0:02}-{1:02}T00:00:00"], ids=["text", "sheet's own"])
def test_dates_of_these_weeks_with_day_and_month_changed_over(form: str, origin: str) -> None:
    values = [form.format(day, 11) for day in range(1, 10)]  # of November, with the day for the month
    source = SOURCE._replace(origin=origin)
    assert found(dates("recorded_at", *values), source=source) == [
        ("dates_swapped", "recorded_at", 9, 2, origin == "live")
    ]
    certain = [form.format(11, 20)]
    assert found(dates("recorded_at", *values, *certain * 2), source=source)
    assert not found(dates("recorded_at", *values[:2], form.format(11, 5)), source=source)


@pytest.mark.parametrize(
    ("turned", "usual", "is_told"),
    [(1, 0, False), (2, 0, True), (3, 1, False), (4, 1, True), (4, 39, True), (4, 40, False)],
)
@pytest.mark.parametrize("form", ["2019/25/11", "2019-25-11 10:15"])
@pytest.mark.parametrize("origin", ["live", "backlog"])
def test_a_day_before_its_month_behind_the_year_speaks_for_all(
    origin: str, form: str, turned: int, usual: int, is_told: bool
) -> None:
    rows = dates("recorded_at", "2019-03-11", *[form] * turned, *["2019-11-25"] * usual)
    told = [("dates_swapped", "recorded_at", turned, 3, origin == "live")] if is_told else []
    assert found(rows, source=SOURCE._replace(origin=origin)) == told


@pytest.mark.parametrize("source", [SOURCE, BACKLOG])
@pytest.mark.parametrize("column", ["occurred_at", "recorded_at", "updated_at", "paid_at"])
def test_one_or_two_dates_are_told_where_all_are_of_these_weeks_only_changed_over(column: str, source: Source) -> None:
    swapped = ["11/02/2026", "11/01/2026"]
    told = [("dates_perhaps_swapped", column, 2, 3, False)]
    assert found(dates(column, "05/05/2026", *swapped), source=source) == told
    assert not found(dates(column, *swapped, "05/11/2026"), source=source), "another says that it is day first"
    assert not found(dates(column, "11/02/2026", "13/02/2026", "12/03/2026"), source=source)


def test_few_dates_of_these_weeks_beside_certain_ones_of_them() -> None:
    """As a sheet's own dates are written again, the day first, by a program of this country."""
    swapped = [f"11/{day:02}/2026" for day in range(1, 10)]
    certain = ["13/11/2026", "14/11/2026", "15/11/2026", "16/11/2026"]
    assert found(dates("recorded_at", *swapped, *certain)) == [("dates_swapped", "recorded_at", 9, 2, True)]
    assert not found(dates("recorded_at", *swapped, *certain, *["05/11/2026"] * 3))
    assert not found(dates("recorded_at", *swapped, *(day.replace("11/2026", "04/2026") for day in certain)))


def test_dates_that_are_in_order_only_with_day_and_month_changed_over() -> None:
    """A backlog of years before, whose weeks tell nothing."""
    pairs = [("03/09/2019", "05/10/2019"), ("08/10/2019", "02/11/2019"), ("11/11/2019", "01/12/2019")]
    right = [{"occurred_at": one, "recorded_at": two, "updated_at": "2019-12-31"} for one, two in pairs]
    wrong = [{**row, "recorded_at": "/".join((*reversed(row["recorded_at"][:5].split("/")), "2019"))} for row in right]
    assert not found([{**row, "doubled_at": ""} for row in right], source=BACKLOG)
    told = found([{**row, "doubled_at": ""} for row in wrong], source=BACKLOG)
    assert [(each[0], each[1], each[4]) for each in told] == [("dates_swapped", "recorded_at", False)]


@pytest.mark.parametrize("form", ["%d/%m/%Y", "%Y-%m-%d", "%d/%m/%Y %H:%M"])
def test_right_dates_of_days_up_to_twelve_are_taken(form: str) -> None:
    """Of the file's own month, and of months long before."""
    for month in range(1, 12):
        days = [date(2026, month, day) for day in range(1, 13)]
        rows = [
            {
                "occurred_at": day.strftime(form),
                "recorded_at": day.strftime(form),
                "updated_at": (day + timedelta(days=1)).strftime(form),
                "doubled_at": (day + timedelta(days=30)).strftime(form),
            }
            for day in days
        ]
        assert not found(rows), month


# ---------------------------------------------------------------------- numbers


def numbers(*values: str, column: str = "violation_no") -> list[dict[str, str]]:
    return [{column: value} for value in values]


@pytest.mark.parametrize("column", ["violation_no", "receipt_no"])
def test_numbers_that_lost_what_follows_fifteen_digits_refuse_the_file(column: str) -> None:
    cut = [f"11{number:013}00" for number in range(4)]
    assert found(numbers("17", *cut, column=column)) == [("numbers_cut", column, 4, 3, True)]
    assert not found(numbers(*cut[1:], *cut[1:], column=column)), "three, however often"
    assert found(numbers(*cut, *(number[:-1] + "1" for number in cut[1:]), column=column))
    assert found(numbers(*(f"'{number}" for number in cut), column=column))


def test_numbers_of_four_plates_are_four_whatever_is_left_of_them() -> None:
    rows = [{"violation_no": "2026110000000100", "plate_number": str(plate)} for plate in range(101, 105)]
    assert not found(rows), "one number on several plates is told as that"
    rows.append({"violation_no": "2026110000000110", "plate_number": "105"})
    assert found(rows) == [("numbers_cut", "violation_no", 5, 2, True)]
    assert not found(rows[2:])
    receipts = [{"receipt_no": row["violation_no"], "plate_number": row["plate_number"]} for row in rows]
    assert not found(receipts), "a receipt may be of several"


def test_numbers_of_sixteen_digits_of_which_a_tenth_ends_in_0_are_right() -> None:
    assert not found(numbers(*(f"1120261100000{number:03}" for number in range(500))))
    assert not found(numbers(*(f"{number:014}0" for number in range(500)))), "fifteen digits"
    assert not found(numbers(*(f"BG-11{number:012}00" for number in range(9)))), "no number to a spreadsheet"


# ---------------------------------------------------------------------- what says what is paid


@pytest.mark.parametrize(
    "header",
    [
        "مسدد؟", "المسدد", "تاريخ السداد", "حالة التسديد", "مسدّدة", "مبلغ مدفوع", "حالة الدفع", "تاريخ الدفع",
        "تم الدفع", "is_paid", "PaidAt", "payment-date", "PAYMENT", "paid?", "هل المخالفة مسددة", "الـمـسـدد",
        "Unpaid", "PAIDFlag", "paid1", "مسددة2",
    ],
)  # fmt: skip
def test_a_name_that_holds_a_word_of_paying(header: str) -> None:
    assert names_payment(header)


@pytest.mark.parametrize(
    "header",
    [
        "رقم الدفعة", "وصل المخالفة", "تم التبليغ", "نظام الدفع", "الدفع الرباعي", "تاريخ الدفعة", "تم", "",
        "repayments", "display", "PREPAIDCard", "Repaid", "ملاحظات", "عدد الدفعات", "x" * 5000, "مسددات",
    ],
)  # fmt: skip
def test_a_name_that_only_looks_like_one(header: str) -> None:
    assert not names_payment(header)


@pytest.mark.parametrize(
    "value", ["open", "مسددة", "غير مسدد", "لم يتم التسديد", "تم الدفع", "unpaid", "Not paid", "ملغاة", "دفعت"]
)
def test_a_value_that_says_what_is_paid(value: str) -> None:
    assert says_payment(value)


@pytest.mark.parametrize("value", ["نعم", "لا", "عدم تسديد الرسوم", "تم", "تم التبليغ", "W-7", "50000", "دفعة 3"])
def test_a_value_that_says_something_else(value: str) -> None:
    assert not says_payment(value)


def unknown(header: str, values: Iterable[str], *names: str, accept: str = "") -> FileError | None:
    columns = (*(names or NO_STATUS), header)
    check = ColumnCheck(layout(columns), SOURCE, CRITERIA._replace(accepted=read_accepted(accept)))
    check.look(lines(columns, ({header: value} for value in values)))
    try:
        check.require()
    except FileError as error:
        return error
    return None


@pytest.mark.parametrize("header", ["حالة الغرامة", "", " "])
@pytest.mark.parametrize(
    "values",
    [
        ["open"], ["مسددة", "غير مسددة", "", " "], ["ملغاة", "مسدد", "محالة", "x" * 200], ["PAID", "paid "],
        ["NULL", "-", "paid", "لا يوجد"], ['="paid"', '="open"', '="N/A"'],
    ],
)  # fmt: skip
def test_statuses_under_an_unknown_name_refuse_the_file(header: str, values: list[str]) -> None:
    """Ignored, what was paid at the counter would be asked for again."""
    error = unknown(header, values)
    assert error
    named = (header.strip() or "23", f"payment_column_unknown:{len(NAMES)}")
    assert (error.code, error.column, error.line, error.value, error.accept) == (
        "payment_column_unknown", "status", 1, *named,
    )  # fmt: skip
    assert unknown(header, values, accept=error.accept or "") is None
    assert unknown(header, values, *NAMES) is None, "with a column of statuses"


@pytest.mark.parametrize("values", [[], ["", " "], ["open", "أعيدت", "تحت النظر"], ["50000"]])
@pytest.mark.parametrize("header", ["رقم الدفعة", "وصل المخالفة", "تم التبليغ", "ملاحظات"])
def test_other_words_under_an_unknown_name_are_ignored(header: str, values: list[str]) -> None:
    assert unknown(header, values) is None


def test_a_name_of_paying_refuses_the_file_where_anything_stands_under_it() -> None:
    error = unknown("مسدد؟", ["", "لا", "نعم"])
    assert error
    assert error.column == "status"
    assert unknown("مسدد؟", ["", " ", "NULL", "-", "لا يوجد"]) is None
    assert unknown("مسدد؟", ["نعم"], *NAMES) is None


def test_dates_of_paying_need_another_name() -> None:
    without = tuple(name for name in NO_STATUS if name != "paid_at")
    error = unknown("تاريخ السداد", ["", "2026-11-20", "21/11/2026"], *without)
    assert error
    assert error.column == "paid_at"
    again = unknown("تاريخ السداد", ["2026-11-20"])
    assert again
    assert again.column == "status", "that name is taken"


def test_a_column_that_an_operator_named_is_not_judged() -> None:
    names = read_names("نظام الدفع=ignore;حالة=ignore")
    found = read_header(VIOLATION_COLUMNS, [*NO_STATUS, "حالة"], ",", [], names)
    check = ColumnCheck(found, SOURCE, CRITERIA)
    check.look([(2, [*("" for _ in NO_STATUS), "مسدد"])])
    assert check.findings() == []


def test_what_stands_under_no_name_is_told() -> None:
    rows = [{}, {"": "x"}, {"": "y"}]
    assert found(rows, (*NAMES, "")) == [("column_nameless", "", 2, 3, False)]
    assert found([{}, {"": " "}], (*NAMES, "")) == []
    assert found(rows, (*NAMES, "note")) == []


# ---------------------------------------------------------------------- the way out


def test_every_refusal_says_how_to_accept_all_of_it() -> None:
    columns = ("occurred_at", "recorded_at")
    rows = [dict.fromkeys(columns, MONTH_FIRST)] * 9
    check = ColumnCheck(layout(NAMES), SOURCE, CRITERIA)
    check.look(lines(NAMES, rows))
    with pytest.raises(FileError) as caught:
        check.require()
    said = caught.value.accept or ""
    assert said == "date_order_us:occurred_at,date_order_us:recorded_at"
    assert not found(rows, accept=said)
    assert not found(rows, accept=f"date_order_us:{NAMES.index('occurred_at') + 1} DATE_ORDER_US:recorded_at;")
    assert len(found(rows, accept="date_order_us:occurred_at,dates_swapped:recorded_at,x")) == 1


def test_words_that_accept_nothing() -> None:
    assert read_accepted("date_order_us, numbers_cut:violation_no,numbers_cut:0, x:amount numbers_cut:money") == (
        "numbers_cut:violation_no",
    )
    assert not is_acceptance("numbers_cut:violation_no\n")
    assert is_acceptance(acceptance("payment_column_unknown", "", 17))


def test_the_template_takes_the_names_of_columns_that_there_are() -> None:
    pattern = read()["Parameters"]["ColumnNames"]["AllowedPattern"]
    for column in (*(each.name for each in ALL_COLUMNS), IGNORED):
        assert re.fullmatch(pattern, f"حالة السداد = {column}; نظام الدفع=ignore;")
    assert re.fullmatch(pattern, "")
    for wrong in ("حالة", "a=b", "a=status; b", "=status", "a=statuses"):
        assert not re.fullmatch(pattern, wrong), wrong


# ---------------------------------------------------------------------- a chunk


def parsed(rows: Lines, names: Sequence[str] = NAMES, source: Source = SOURCE) -> tuple[list[object], ViolationParser]:
    parser = ViolationParser(layout(names), source)
    parse = judged(parser, rows, layout(names), source, CRITERIA)
    return [parse(*row) for row in rows], parser


def test_a_chunk_that_proves_another_reading_rejects_its_rows_of_that_column() -> None:
    values = ["11/13/2026", "05/11/2026", "", "11/14/2026", "07/11/2026"]
    outcomes, _ = parsed(lines(NAMES, ({"recorded_at": value} for value in values)))
    assert [outcome.code if isinstance(outcome, Reject) else "" for outcome in outcomes] == [
        "date_not_in_calendar", "date_order_us", "", "date_not_in_calendar", "date_order_us",
    ]  # fmt: skip
    assert all(outcome.column == "recorded_at" for outcome in outcomes if isinstance(outcome, Reject))


def test_a_chunk_of_right_rows_is_parsed_as_ever() -> None:
    rows = lines(NAMES, ({"violation_no": f"N-{number}"} for number in range(30)))
    parser = ViolationParser(layout(NAMES), SOURCE)
    assert judged(parser, rows, layout(NAMES), SOURCE, CRITERIA) == parser.parse


def test_what_is_only_told_is_told_of_all_rows_of_a_chunk() -> None:
    rows = lines((*NAMES, ""), ({"": "x" if number > 9 else ""} for number in range(2_000)))
    outcomes, parser = parsed(rows, (*NAMES, ""))
    assert not any(isinstance(outcome, Reject) for outcome in outcomes)
    assert ("24", "column_nameless", 1_990, 12) in [notice[:4] for notice in parser.warnings.listed()]

    alone = lines((*NAMES, ""), ({"": "x" if number == 5 else ""} for number in range(2_000)))
    assert ("24", "column_nameless", 1, 7) in [
        notice[:4] for notice in parsed(alone, (*NAMES, ""))[1].warnings.listed()
    ]

    swapped = lines(NAMES, ({"recorded_at": f"2026-{number % 9 + 1:02}-11"} for number in range(1_500)))
    outcomes, parser = parsed(swapped, source=BACKLOG)
    assert not any(isinstance(outcome, Reject) for outcome in outcomes)
    assert ("recorded_at", "dates_swapped", 1_500, 2) in [notice[:4] for notice in parser.warnings.listed()]


def test_rows_that_say_what_is_paid_in_one_chunk_alone_are_rejected() -> None:
    names = (*NO_STATUS, "مسدد؟")
    outcomes, _ = parsed(lines(names, [{}, {"مسدد؟": "نعم"}]), names)
    assert [isinstance(outcome, Reject) and (outcome.column, outcome.code) for outcome in outcomes] == [
        False,
        ("status", "payment_column_unknown"),
    ]


@pytest.mark.parametrize("cells", [[], ["1"], [""] * 60])
def test_rows_of_another_width_are_no_matter(cells: list[str]) -> None:
    check = ColumnCheck(layout((*NO_STATUS, "", "x")), SOURCE, CRITERIA)
    check.look([(2, cells)])
    assert check.findings() == []
