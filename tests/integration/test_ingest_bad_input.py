"""Every kind of bad input that the directorate's files are known to hold, and what becomes of each, in one place."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import unquote, urlsplit
from zipfile import ZipFile

import pytest

from ingest.reading import unpacking
from ingest.reporting.operator_mail import body
from ingest.reporting.texts import words
from shared.clock import now
from shared.domain.file import MAX_KEY_BYTES, FileStatus
from tests.support.aws import Engine, Tables
from tests.support.ingesting import COLUMNS, Ingest, ago, row, text
from tests.support.workbooks import Formula, xlsx

BAGHDAD = "\ufe91\ufed0\ufeaa\ufe8d\ufea9"  # in presentation forms
CP1256 = {"Metadata": {"encoding": "windows-1256"}}


@pytest.fixture
def ingest(engine: Engine, tables: Tables, monkeypatch: pytest.MonkeyPatch) -> Ingest:
    """An ingest path that takes a small file for suspicious, so that a bomb can be small too."""
    monkeypatch.setattr(unpacking, "UNSUSPICIOUS", 1_000_000)
    return Ingest(engine, tables)


def good(count: int = 9) -> list[dict[str, str]]:
    return [row() for _ in range(count)]


def bad(count: int) -> list[dict[str, str]]:
    return [row(amount="x") for _ in range(count)]


MONTH_FIRST = ("10/25/2025", "10/26/2025", "10/11/2025")
MIXED = (*(f"2025-0{day}-10T00:00:00" for day in range(1, 4)), *(f"{day}/10/2025" for day in range(13, 16)))


def swapped() -> list[str]:
    """Days of the last weeks, each with its month where the day is to stand."""
    days = (now() - timedelta(days=before) for before in range(1, 44))
    return [f"{day:%Y-%d-%m}" for day in days if day.day <= 12 and day.day != day.month][:5]


def sheet(*, formula: bool = False, merged: tuple[str, ...] = ()) -> bytes:
    cells: list[Any] = [good(1)[0][name] for name in COLUMNS]
    if formula:
        cells[COLUMNS.index("amount")] = Formula("A1*2")
    return xlsx([COLUMNS, cells], merged=merged)


def zipped(name: str, content: bytes) -> bytes:
    out = io.BytesIO()
    with ZipFile(out, "w") as archive:
        archive.writestr(name, content)
    return out.getvalue()


def bomb() -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    header, line = text(good(1)).splitlines(keepends=True)
    return packer.compress(header) + b"".join(packer.compress(line * 4000) for _ in range(9)) + packer.flush()


FILES: list[tuple[str, Callable[[], bytes], dict[str, Any], str]] = [
    ("an empty file", lambda: b"", {}, "file_empty"),
    ("a header only", lambda: text([]), {}, "no_rows"),
    ("a required column is missing", lambda: text(good()).replace(b"amount", b"money"), {}, "column_missing"),
    ("a column stands twice", lambda: text(good()).replace(b"status", b"amount"), {}, "column_twice"),
    ("statuses by another name", lambda: text(good()).replace(b"status", b"state"), {}, "payment_column_unknown"),
    ("a PNG named .csv", lambda: b"\x89PNG\r\n\x1a\n" + bytes(99), {}, "file_is_image"),
    ("a PDF named .csv", lambda: b"%PDF-1.7\n%\xe2\xe3", {}, "file_is_pdf"),
    ("a ZIP named .csv", lambda: zipped("violations.csv", text(good())), {}, "file_is_zip"),
    ("an archive", lambda: b"Rar!\x1a\x07\x01\x00", {}, "file_is_archive"),
    ("an .xls file", lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), {}, "file_is_xls"),
    ("an .xlsb file", lambda: zipped("xl/workbook.bin", b"x"), {}, "file_is_xlsb"),
    ("an .ods file", lambda: zipped("content.xml", b"<x/>"), {}, "file_is_ods"),
    ("a page that calls itself Excel", lambda: b"<html><table><tr><td>1", {}, "file_is_markup"),
    ("a truncated gzip", lambda: gzip.compress(text(good()))[:-9], {}, "gzip_truncated"),
    ("a gzip bomb", bomb, {}, "gzip_bomb"),
    ("Excel with formulas", lambda: sheet(formula=True), {}, "excel_formulas"),
    ("Excel with a merged header", lambda: sheet(merged=("A1:C1",)), {}, "excel_header_merged"),
    ("a line of 10 MB", lambda: text(good()) + b"x" * 10_000_000, {}, "record_too_long"),
    ("a NUL byte", lambda: text(good()) + b"a\0b\r\n", {}, "nul_byte"),
    ("a wrong encoding declared", lambda: text(good()), CP1256, "encoding_wrong"),
    ("none declared, and not UTF-8", lambda: text(good()).decode().encode("cp1256"), {}, "not_utf8"),
    ("an unknown encoding declared", lambda: text(good()), {"Metadata": {"encoding": "cp720"}}, "encoding_unknown"),
    ("letters lost on the way", lambda: text([row(plate_letter="?") for _ in range(9)]), {}, "characters_lost"),
    ("a quotation mark that is never closed", lambda: text(good()) + b'"a,b\r\n', {}, "quote_unclosed"),
    ("too many bad rows", lambda: text([*good(80), *bad(26)]), {}, "too_many_bad_rows"),
    ("months before days", lambda: text(row(recorded_at=day) for day in MONTH_FIRST), {}, "date_order_us"),
    ("a sheet's own dates beside texts", lambda: text(row(recorded_at=day) for day in MIXED), {}, "date_kinds_mixed"),
    ("days and months changed over", lambda: text(row(recorded_at=day) for day in swapped()), {}, "dates_swapped"),
    ("numbers cut short", lambda: text(row(f"11{at:013}00") for at in range(4)), {}, "numbers_cut"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "options", "code"), [each[1:] for each in FILES], ids=[each[0] for each in FILES])
def test_the_file_is_refused(ingest: Ingest, content: Callable[[], bytes], options: dict[str, Any], code: str) -> None:
    report = ingest.take("live/a.csv", content(), **options)
    assert (report["status"], report["error"]["code"]) == (FileStatus.REFUSED, code)
    assert report["error"]["message"] != report["error"]["message_en"]
    assert ingest.violations() == {}


def test_each_kind_has_a_code_of_its_own() -> None:
    codes = [code for *_, code in FILES]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("kind", ["xls", "xlsb", "ods", "zip", "archive", "pdf", "image", "markup"])
def test_what_is_another_kind_of_file_says_how_to_save_it(kind: str) -> None:
    said = words(f"file_is_{kind}")
    assert "CSV" in said.ar
    assert any(verb in said.ar for verb in ("احفظ", "صدّر", "ارفع"))
    assert "CSV" in said.en


ROWS: list[tuple[str, dict[str, str], str]] = [
    ("a day that is in no calendar", {"occurred_at": "31/02/2026"}, "date_not_in_calendar"),
    ("an amount in E-notation", {"amount": "5e4"}, "amount_e_notation"),
    ("a negative amount", {"amount": "-1"}, "amount_negative"),
    ("half a dinar", {"amount": "50000.5"}, "amount_fraction"),
    ("a letter of two characters", {"plate_letter": "اب"}, "letter_not_arabic"),
    ("no such governorate", {"plate_governorate": "30"}, "governorate_unknown"),
    ("a family that names two", {"plate_family": "جديد"}, "family_new"),
    ("a formula", {"violation_code": "=cmd|'/c calc'!A1"}, "code_too_long"),
    ("an update in 2030", {"updated_at": "2030-01-01"}, "date_ahead"),
]


@pytest.mark.parametrize(("cells", "code"), [each[1:] for each in ROWS], ids=[each[0] for each in ROWS])
def test_the_row_is_rejected_by_line_and_the_others_load(ingest: Ingest, cells: dict[str, str], code: str) -> None:
    report = ingest.take("live/a.csv", text([*good(), row("BAD", **cells)]))
    assert report["counts"]["inserted"] == 9
    (bad,) = ingest.rejected("live/a.csv")
    assert (bad["line"], bad["error_code"], bad["violation_no"]) == ("11", code, "BAD")
    arabic, english = bad["error"].split(" | ")
    assert arabic != english


def test_each_bad_row_has_a_code_of_its_own() -> None:
    codes = [code for *_, code in ROWS]
    assert len(codes) == len(set(codes))


def test_a_formula_comes_back_as_text_and_is_read_as_it_was(ingest: Ingest) -> None:
    ingest.take("live/a.csv", text([*good(), row("BAD", violation_code="=cmd|'/c calc'!A1", amount="+1")]))
    raw = ingest.read("rejects/live/a.csv").decode("utf-8-sig")
    (bad,) = csv.DictReader(io.StringIO(raw))
    assert (bad["violation_code"], bad["amount"]) == ("'=cmd|'/c calc'!A1", "'+1")
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in bad.values())


TAKEN: list[tuple[str, dict[str, str], str, str]] = [
    ("an amount with a thousands mark", {"amount": "50,000"}, "amount", "50000"),
    ("an amount in Arabic digits", {"amount": "٥٠٬٠٠٠"}, "amount", "50000"),
    ("presentation forms", {"plate_letter": "\ufeaf", "plate_governorate": BAGHDAD}, "plate", "DE#11#ز#12345"),
    ("bidi marks", {"plate_letter": "\u200fز\u200e", "plate_number": "\u202a12345\u202c"}, "plate", "DE#11#ز#12345"),
]  # fmt: skip


@pytest.mark.parametrize(("cells", "name", "value"), [each[1:] for each in TAKEN], ids=[each[0] for each in TAKEN])
def test_the_row_is_taken_for_what_it_means(ingest: Ingest, cells: dict[str, str], name: str, value: str) -> None:
    assert ingest.take("live/a.csv", text([row("ROW", **cells)]))["counts"]["inserted"] == 1
    assert next(iter(ingest.violations()["ROW"][name].values())) == value


@pytest.mark.parametrize("later", [False, True], ids=["the same date", "another date"])
def test_a_number_that_stands_twice_is_its_newest_row(ingest: Ingest, later: bool) -> None:
    first, second = row("TWICE", amount="1000", updated_at=ago(1)), row("TWICE", amount="2000", updated_at=ago(1))
    if later:
        first["updated_at"] = ago(0.5)
    report = ingest.take("live/a.csv", text([first, second]))
    assert (report["counts"]["inserted"], report["counts"]["stale"]) == (1, 1)
    assert ingest.violations()["TWICE"]["amount"] == {"N": "1000" if later else "2000"}


def test_a_key_may_hold_spaces_and_arabic_letters(ingest: Ingest) -> None:
    report = ingest.take("live/مخالفات الكرخ (١) +٪.csv", text(good()))
    assert report["counts"]["inserted"] == 9
    assert ingest.read("reports/live/مخالفات الكرخ (١) +٪.csv.html")


def hold_to_the_longest_key(params: dict[str, Any], **_: Any) -> None:
    """As S3 does, and not the emulator, whose version ids are four characters longer than S3's."""
    key = unquote(urlsplit(params["url"]).path).split("/", 2)[-1]
    assert len(key.encode()) <= 1024 + 4, key


def test_a_name_of_the_greatest_length_is_taken(ingest: Ingest) -> None:
    key = f"live/{'x' * (MAX_KEY_BYTES - len('live/.csv'))}.csv"
    ingest.s3.meta.events.register("before-call.s3", hold_to_the_longest_key)
    report = ingest.take(key, text([*good(), row(amount="x")]))
    assert (report["counts"]["inserted"], report["counts"]["rejected"]) == (9, 1)
    assert ingest.read(f"reports/{key}.html")


@pytest.mark.parametrize("length", [MAX_KEY_BYTES + 1, 1024])
def test_a_name_under_which_no_report_can_lie_is_refused_and_told(ingest: Ingest, length: int) -> None:
    key = "live/" + "مخالفات/" * 60
    key += "x" * (length - len(key.encode()))
    ingest.s3.meta.events.register("before-call.s3", hold_to_the_longest_key)
    version = ingest.receive(ingest.put(key, text(good())))
    file = ingest.files().file(version.file_id)
    assert file.published
    assert file.report
    report = json.loads(file.report)
    assert (report["status"], report["key"]) == (FileStatus.REFUSED, key)
    assert (report["error"]["code"], report["error"]["value"]) == ("key_too_long", f"{length:,}")
    assert ingest.told == [report]
    (page,) = (key for key, _ in ingest.objects() if key.endswith(".html"))
    assert re.fullmatch(r"reports/live/key-too-long-[0-9a-f]{20}\.html", page)
    assert json.loads(ingest.read(page.replace(".html", f".{version.version_id}.json"))) == report
    assert page.replace(".html", f".{version.version_id}.json") in body(report)
    assert "key_too_long" in ingest.read(page).decode()


def test_an_object_that_is_deleted_before_it_is_read_is_refused(ingest: Ingest) -> None:
    message = ingest.put("live/a.csv", text(good()))
    ingest.delete(message)
    report = ingest.report(ingest.receive(message))
    assert (report["status"], report["error"]["code"]) == (FileStatus.REFUSED, "object_missing")


@pytest.mark.parametrize("key", ["live/a.csv", "live/غرامات 2026/ملف (1)+.csv"])
def test_a_deleted_object_is_not_loaded_although_its_version_is_kept(ingest: Ingest, key: str) -> None:
    message = ingest.put(key, text(good()))
    ingest.put(f"{key}.gz", text(good()))
    ingest.s3.delete_object(Bucket=ingest.bucket, Key=key)
    report = ingest.report(ingest.receive(message))
    assert (report["status"], report["error"]["code"]) == (FileStatus.REFUSED, "object_missing")
    assert ingest.take(key, text(good()))["status"] == FileStatus.LOADED


def test_a_second_upload_to_a_key_whose_first_is_loading_leaves_both_whole(ingest: Ingest) -> None:
    first = ingest.receive(ingest.put("live/a.csv", text([row("FIRST")])))
    waiting, ingest.queued = ingest.queued, []
    second = ingest.receive(ingest.put("live/a.csv", text([row("SECOND")])))
    ingest.load_all()
    ingest.queued = waiting
    ingest.load_all()
    assert set(ingest.violations()) == {"FIRST", "SECOND"}
    assert [ingest.report(each)["counts"]["inserted"] for each in (first, second)] == [1, 1]
    assert second.version_id in ingest.read("reports/live/a.csv.json").decode()
