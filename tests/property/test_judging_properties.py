"""Whole columns under a spreadsheet's reading: a right file is never refused, and a damaged one never silent."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple
from unittest import mock

from hypothesis import assume, given
from hypothesis import strategies as st

from ingest import chunking
from ingest.chunking import RULES, scan
from ingest.errors import FileError
from ingest.format.accepting import read_accepted
from ingest.format.judging import judged
from ingest.format.notices import Notices
from ingest.format.parser import Reject, Source
from ingest.format.violations import ViolationParser
from ingest.reading.csv_records import records
from shared.stores.violation_rows import Row
from tests.support.feeds import GOOD, NAMES, blocks, csv_text

WITHIN = 45
DATES = ("occurred_at", "recorded_at", "updated_at")
Cells = dict[str, str]


class Outcome(NamedTuple):
    """What became of a file: refused for a code, or its rows and rejects by line, and what was told."""

    refused: FileError | None
    rows: dict[int, Row | Reject]
    told: set[tuple[str, str]]


def load(rows: Sequence[Cells], uploaded: date, origin: str = "live", accept: str = "") -> Outcome:
    """Read a file in chunks of seven rows, as both functions do."""
    last_modified = f"{uploaded}T18:00:00+03:00"
    source = Source("f00d", origin, last_modified, f"{uploaded - timedelta(days=WITHIN)}T18:00:00+03:00")
    criteria = RULES.criteria._replace(accepted=read_accepted(accept))
    content = csv_text(*rows, header=tuple(rows[0]))
    outcomes: dict[int, Row | Reject] = {}
    warnings = Notices()
    with mock.patch.object(chunking, "MAX_CHUNK_ROWS", 7):
        try:
            found = scan(blocks(content), source, RULES._replace(criteria=criteria))
        except FileError as error:
            return Outcome(error, {}, set())
    for chunk in found.chunks:
        text = io.StringIO(content[chunk.start : chunk.end].decode(), newline="")
        lines = list(records(text, found.layout.separator, chunk.line))
        parser = ViolationParser(found.layout, source)
        parse: Any = judged(parser, lines, found.layout, source, criteria)
        outcomes |= {line: parse(line, record) for line, record in lines}
        for notice in parser.warnings.listed():
            warnings.add(*notice[:4])
    return Outcome(None, outcomes, {(notice.column, notice.code) for notice in warnings.listed()})


uploads = st.dates(date(2020, 1, 1), date(2030, 12, 31))
days_before = st.lists(st.integers(0, WITHIN - 4), min_size=1, max_size=40)
forms = st.sampled_from(["%d/%m/%Y", "%Y-%m-%d", "%d/%m/%Y %H:%M", "%Y-%m-%dT00:00:00"])


def export(days: Sequence[date], form: str, **cells: str) -> list[Cells]:
    """Rows of violations of these days, each recorded on the next and changed on that after it."""
    return [
        {
            **GOOD,
            "violation_no": f"11{index:014}",
            "doubled_at": "",
            "amount_due": "",
            **{name: (day + timedelta(days=later)).strftime(form) for later, name in enumerate(DATES)},
            **cells,
        }
        for index, day in enumerate(days)
    ]


def beside(rows: Sequence[Cells], names: Sequence[str]) -> list[Cells]:
    return [{name: value for name, value in row.items() if name not in names} for row in rows]


# ---------------------------------------------------------------------- right files


@given(uploads, days_before, forms, st.booleans(), st.sampled_from(["live", "backlog"]))
def test_a_right_file_of_these_weeks_is_never_refused(
    uploaded: date, before: list[int], form: str, early: bool, origin: str
) -> None:
    days = [uploaded - timedelta(days=each + 2) for each in before]
    if early:  # the first days of a month alone
        days = [day for day in days if (day + timedelta(days=2)).day <= 12 and day.day <= 12]
        assume(days)
    found = load(export(days, form), uploaded, origin)
    assert found.refused is None
    assert not any(isinstance(row, Reject) for row in found.rows.values())


@given(uploads, st.lists(st.integers(0, 4000), min_size=1, max_size=40), forms)
def test_a_right_file_of_past_years_is_never_refused(uploaded: date, before: list[int], form: str) -> None:
    days = [uploaded - timedelta(days=each + 2) for each in before]
    found = load(export(days, form), uploaded, "backlog")
    assert found.refused is None
    assert not any(isinstance(row, Reject) for row in found.rows.values())


@given(uploads, days_before, forms, st.data())
def test_a_typing_error_costs_its_row_alone(uploaded: date, before: list[int], form: str, data: Any) -> None:
    rows = export([uploaded - timedelta(days=each + 2) for each in before], form)
    at = data.draw(st.integers(0, len(rows) - 1))
    wrong = {"amount": "x", "violation_no": "#", "status": "?", **dict.fromkeys(DATES, f"05/13/{uploaded.year}")}
    column, typed = data.draw(st.sampled_from(sorted(wrong.items())))
    rows[at][column] = typed
    found = load(rows, uploaded)
    assert found.refused is None
    assert [line - 2 for line, row in found.rows.items() if isinstance(row, Reject)] == [at]


RIGHT_COLUMNS = {
    "رقم الدفعة": st.integers(1, 9).map(str),
    "وصل المخالفة": st.integers(1, 999).map("W-{}".format),
    "تم التبليغ": st.sampled_from(["نعم", "لا", ""]),
    "ملاحظات": st.sampled_from(["", "عدم تسديد الرسوم", "سيارة مؤجرة", "x"]),
    "": st.sampled_from(["", " ", "1", "نعم"]),
}


@given(days_before, st.sampled_from(sorted(RIGHT_COLUMNS)), st.booleans(), st.data())
def test_columns_that_say_nothing_of_paying_refuse_no_file(
    before: list[int], name: str, stated: bool, data: Any
) -> None:
    uploaded = date(2026, 11, 20)
    rows = export([uploaded - timedelta(days=each + 2) for each in before], "%Y-%m-%d")
    rows = [{**row, name: data.draw(RIGHT_COLUMNS[name])} for row in beside(rows, [] if stated else ["status"])]
    found = load(rows, uploaded)
    assert found.refused is None
    nameless = str(len(rows[0])), "column_nameless"
    told = {nameless} if any(row.get("", "").strip() for row in rows) else set()
    assert told == {each for each in found.told if each[1] == "column_nameless"}


# ---------------------------------------------------------------------- a spreadsheet that reads the month first


def misread(cell: str, form: str) -> str:
    """A cell of a day as it is once a spreadsheet has read the month first, where it could."""
    day, month, year = map(int, cell.split("/"))
    if day > 12:
        return cell
    return form.format(year=year, month=day, day=month)


FORMS = ("{year}-{month:02}-{day:02}T00:00:00", "{year}-{month:02}-{day:02}")


def is_told_apart(day: date, uploaded: date) -> bool:
    """Whether the day that another reading makes of a day is not of these weeks as well."""
    if day.day > 12 or day.day == day.month:
        return True
    other = date(day.year, day.day, day.month)
    return not uploaded - timedelta(days=WITHIN) <= other <= uploaded + timedelta(days=1)


@given(uploads, days_before, st.sampled_from(FORMS), st.sampled_from(["live", "backlog"]))
def test_days_that_were_read_month_first_are_refused_or_told(
    uploaded: date, before: list[int], form: str, origin: str
) -> None:
    days = [uploaded - timedelta(days=each + 2) for each in before]
    days = [day for day in days if all(is_told_apart(day + timedelta(days=later), uploaded) for later in range(3))]
    right = export(days, "%d/%m/%Y")
    wrong = [{**row, **{name: misread(row[name], form) for name in DATES}} for row in right]
    pairs = [(row[name], other[name]) for row, other in zip(right, wrong, strict=True) for name in DATES]
    assume(sum(_is_hurt(*pair) for pair in pairs) > 2 * len(DATES))
    found = load(wrong, uploaded, origin)
    accepted = ""
    while found.refused:
        assert found.refused.code in ("date_kinds_mixed", "dates_swapped")
        assert found.refused.accept not in accepted
        accepted += f"{found.refused.accept},"
        found = load(wrong, uploaded, origin, accept=accepted)
    if accepted:
        return
    originals = load(right, uploaded, origin)
    for line, row in found.rows.items():
        original = originals.rows[line]
        assert isinstance(original, Row)
        if isinstance(row, Reject) or row.violation[4:6] == original.violation[4:6]:
            continue
        assert found.told & {
            (name, code) for name in DATES for code in ("dates_swapped", "dates_of_two_kinds", "not_announced")
        }


def _is_hurt(right: str, wrong: str) -> bool:
    day, month = right.split("/")[:2]
    return right != wrong and day != month


# ---------------------------------------------------------------------- other damage


@given(st.integers(10**17, 10**19), st.integers(4, 40), st.sampled_from(["violation_no", "receipt_no"]))
def test_numbers_that_were_cut_to_fifteen_digits_are_refused(start: int, count: int, column: str) -> None:
    uploaded = date(2026, 11, 20)
    days = [uploaded - timedelta(days=2)] * count
    # Far enough apart to stay different once they are cut.
    right = [{**row, column: str(start + 10_000_001 * index)} for index, row in enumerate(export(days, "%Y-%m-%d"))]
    assert load(right, uploaded).refused is None
    cut = [{**row, column: re.sub(r"(?<=^.{15}).*", lambda rest: "0" * len(rest[0]), row[column])} for row in right]
    found = load(cut, uploaded)
    assert found.refused
    assert found.refused.code == "numbers_cut"


STATUS_NAMES = ("حالة الغرامة", "مسدد؟", "الموقف", "", "is_paid", "حالة الدفع")


@given(
    st.sampled_from(STATUS_NAMES),
    st.lists(st.sampled_from(["مسددة", "غير مسددة", "paid", "open"]), min_size=1, max_size=20),
)
def test_statuses_under_another_name_or_none_are_refused(name: str, said: list[str]) -> None:
    uploaded = date(2026, 11, 20)
    rows = export([uploaded - timedelta(days=2)] * len(said), "%Y-%m-%d")
    wrong = [{name if each == "status" else each: value for each, value in row.items()} for row in rows]
    found = load([{**row, name: value} for row, value in zip(wrong, said, strict=True)], uploaded)
    assert found.refused
    assert (found.refused.code, found.refused.column) == ("payment_column_unknown", "status")
    assert found.refused.accept == f"payment_column_unknown:{NAMES.index('status') + 1}"
