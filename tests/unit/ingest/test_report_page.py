"""The clerk's page: every figure and reason of the report, in Arabic, with nothing of a file taken for markup."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote, urljoin

import pytest

from ingest.reporting.help_page import KEY
from ingest.reporting.report_page import page
from shared.domain.file import ENDED

REPORT: dict[str, Any] = {
    "status": "loaded_with_many_rejects",
    "key": "live/<b>&a.csv",
    "counts": {"rows": 1234567, "inserted": 11, "updated": 12, "unchanged": 13, "stale": 14, "rejected": 15},
    "error": None,
    "rejects": {
        "key": "rejects/live/<b>&a.csv",
        "reasons": [{"code": "amount_fraction", "message": "المبلغ: خطأ", "rows": 15, "first_line": 77}],
    },
    "warnings": [{"code": "column_unknown", "message": "<script>: عمود غير معروف", "rows": 1, "first_line": 1}],
    "timings": {
        "uploaded_at": None,
        "started_at": "2026-11-20T12:00:00+03:00",
        "ended_at": "2026-11-20T12:03:00+03:00",
    },
}


class Reader(HTMLParser):
    """The words of a page, and whether every element that was opened is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.links: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [str(value) for name, value in attributes if name == "href"]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "title"):
            self.words.append(data.strip())


def test_every_figure_and_reason_is_there() -> None:
    html = page(REPORT)
    shown = Reader(html)
    assert shown.open == []
    assert {"1,234,567", "11", "12", "13", "14", "15", "77", "المبلغ: خطأ", "2026-11-20 12:03:00"} <= set(shown.words)
    assert shown.words.count("<b>&a.csv") == 2
    assert shown.words.count("ما العمل الآن؟") == 1
    assert '<html lang="ar" dir="rtl">' in html


def test_nothing_of_a_file_is_taken_for_markup() -> None:
    shown = Reader(page(REPORT))
    assert "b" not in shown.tags
    assert "script" not in shown.tags


def test_whoever_mends_rejects_in_a_spreadsheet_is_told_how_it_leaves_them_as_they_are() -> None:
    """Opened as they come, 00123 would come back as another violation, 123."""
    advice = "واجعل الأعمدة كلها نصاً"
    assert advice in page(REPORT)
    assert advice not in page({**REPORT, "status": "loaded", "rejects": None})


def test_a_refusal_says_why_and_where() -> None:
    refused = {
        **REPORT,
        "status": "refused",
        "error": {"code": "not_utf8", "message": "ترميز الملف", "line": 1204, "replay": None},
        "rejects": None,
        "warnings": [],
    }
    shown = Reader(page(refused))
    assert "ترميز الملف (السطر 1,204)" in shown.words
    assert "تنبيهات" not in shown.words
    assert "ارفع الملف كاملاً مرة ثانية." in shown.words
    assert "rejects/" not in page(refused)


def test_a_refusal_with_rejects_says_where_they_lie() -> None:
    error = {"code": "too_many_bad_rows", "message": "كثير", "line": None, "replay": None}
    refused = {**REPORT, "key": "live/a.csv", "status": "refused", "error": error}
    assert "rejects/live/a.csv" in "".join(Reader(page(refused)).words)


def checked(ends: str, key: str = "check/live/a.csv", **more: Any) -> Reader:
    """The page of a file that was only checked, and would have ended so."""
    check = {
        "would_be": ends,
        "moved": 2101,
        "reopened": 2102,
        "people": 2103,
        "messages": 2104,
        "message": "هذا فحص",
        "message_en": "This was a check",
    }
    return Reader(page({**REPORT, "status": "checked", "key": key, "check": check, **more}))


def test_a_check_says_so_what_would_come_and_how_it_is_loaded() -> None:
    shown = checked("loaded_with_many_rejects")
    assert {"تقرير فحص الملف", "هذا فحص", "This was a check", "live/"} <= set(shown.words)
    assert {"2,101", "2,102", "2,103", "2,104"} <= set(shown.words)
    assert "لتحميل الملف ارفعه إلى المجلد" in shown.words
    assert not [word for word in shown.words if "ولا حاجة إلى رفع الملف الأول ثانية" in word]
    assert not [word for word in shown.words if "حُمِّلت سجلات الملف كلها" in word]


def test_a_check_of_which_nothing_would_be_taken_is_not_to_be_loaded() -> None:
    shown = checked("nothing_loaded")
    assert "لتحميل الملف ارفعه إلى المجلد" not in shown.words


def test_a_check_of_registrations_tells_of_no_plates_that_change() -> None:
    shown = checked("loaded", "check/registry/a.csv", rejects=None)
    assert "registry/" in shown.words
    assert "2,103" not in shown.words


@pytest.mark.parametrize(
    ("ends", "rejects", "tone"),
    [("loaded", None, "good"), ("loaded", REPORT["rejects"], "fair"), ("nothing_loaded", None, "bad")],
)
def test_a_check_has_the_colour_that_the_load_would_have(ends: str, rejects: Any, tone: str) -> None:
    check = {"would_be": ends, "moved": 0, "reopened": 0, "people": 0, "messages": 0, "message": "", "message_en": ""}
    report = {**REPORT, "status": "checked", "check": check, "rejects": rejects, "warnings": []}
    loaded = {**report, "status": ends, "check": None}
    for each in (report, loaded):
        assert f'<body class="{tone}">' in page(each)


def test_a_failure_names_what_the_operator_does() -> None:
    error = {
        "code": "rows_not_loaded",
        "message": "لم يُحمَّل بعض سجلات الملف",
        "line": None,
        "replay": "python -m infra.operator x",
    }
    shown = Reader(page({**REPORT, "status": "failed", "error": error}))
    assert "python -m infra.operator x" in shown.words


@pytest.mark.parametrize("key", ["live/a.csv", "live/2026-11-25/مخالفات الكرخ.csv", "backlog/a/b/c/d.csv"])
def test_every_reason_leads_to_its_section_of_the_guide(key: str) -> None:
    error = {"code": "not_utf8", "message": "ترميز الملف", "line": None, "replay": None}
    shown = Reader(page({**REPORT, "key": key, "status": "refused", "error": error}))
    address = f"https://bucket.example/reports/{quote(key)}.html"
    assert [urljoin(address, link) for link in shown.links] == [
        f"https://bucket.example/{KEY}#{code}" for code in ("not_utf8", "amount_fraction", "column_unknown")
    ]
    assert "help.html" in shown.words


@pytest.mark.parametrize("rejected", [False, True])
def test_a_workbook_with_further_sheets_does_not_say_that_all_is_loaded(rejected: bool) -> None:
    warnings = [{"code": "sheets_unread", "message": "أوراق أخرى", "rows": 1, "first_line": 1}]
    rejects = REPORT["rejects"] if rejected else None
    shown = Reader(page({**REPORT, "status": "loaded", "rejects": rejects, "warnings": warnings}))
    assert shown.words.count("أوراق أخرى") == 2
    assert "لا شيء، حُمِّلت سجلات الملف كلها." not in shown.words


@pytest.mark.parametrize("rejected", [False, True])
def test_a_file_that_does_not_say_what_is_paid_says_so_before_its_counts(rejected: bool) -> None:
    warnings = [{"code": "status_defaulted", "message": "لا عمود للحالة", "rows": 1204, "first_line": 2}]
    rejects = REPORT["rejects"] if rejected else None
    shown = Reader(page({**REPORT, "status": "loaded", "rejects": rejects, "warnings": warnings}))
    assert shown.words.index("لا عمود للحالة (1,204)") < shown.words.index("ما العمل الآن؟")
    assert "لا شيء، حُمِّلت سجلات الملف كلها." not in shown.words


def test_a_file_without_rejects_asks_for_nothing() -> None:
    shown = Reader(page({**REPORT, "status": "loaded", "rejects": None}))
    assert "لا شيء، حُمِّلت سجلات الملف كلها." in shown.words


@pytest.mark.parametrize("status", sorted(ENDED))
def test_every_end_has_its_words(status: str) -> None:
    error = {"code": "file_empty", "message": "خطأ", "line": None, "replay": None}
    assert Reader(page({**REPORT, "status": status, "error": error})).open == []
