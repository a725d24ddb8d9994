"""Files of every format and from other tools, from the bucket to the table and back as a report."""

from __future__ import annotations

import csv
import gzip
import io
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest import chunking
from ingest.reading.workbook import Workbook
from shared.domain.file import ENDED, OUTCOMES
from tests.support.aws import Engine, Tables
from tests.support.ingesting import COLUMNS, Ingest, row, text
from tests.support.workbooks import Number, Styled, xlsx

WINDOWS_1256 = {"Metadata": {"encoding": "windows-1256"}}


@pytest.fixture
def ingest(engine: Engine, tables: Tables) -> Ingest:
    return Ingest(engine, tables)


def feed(*rows: dict[str, str]) -> bytes:
    """Twenty good rows and these."""
    return text([*(row() for _ in range(20)), *rows])


def kept(ingest: Ingest) -> list[str]:
    return sorted(key for key, _ in ingest.objects() if key.startswith("chunks/"))


def sheet(content: bytes, **options: Any) -> bytes:
    return xlsx([line.split(",") for line in content.decode().splitlines()], **options)


@pytest.mark.parametrize(
    ("name", "write", "options"),
    [
        ("a.csv", lambda content: content.decode().encode("cp1256"), WINDOWS_1256),
        ("a.csv", lambda content: content.decode().encode("utf-16"), {}),
        ("a.csv.gz", gzip.compress, {}),
        ("a.csv.gz", lambda content: gzip.compress(content.decode().encode("cp1256")), WINDOWS_1256),
        ("a.xlsx", sheet, {}),
    ],
)
def test_every_format_loads_as_the_plain_file_does(
    ingest: Ingest, monkeypatch: pytest.MonkeyPatch, name: str, write: Any, options: dict[str, Any]
) -> None:
    monkeypatch.setattr(chunking, "MAX_CHUNK_ROWS", 8)
    content = feed(row("BAD-1", amount="5e4"), row("B-9", plate_letter="ه"))
    report = ingest.take(f"backlog/{name}", write(content), **options)
    assert report["counts"] == {"rows": 22, "inserted": 21, "updated": 0, "unchanged": 0, "stale": 0, "rejected": 1}
    assert report["size"] == len(ingest.read(f"backlog/{name}"))
    (bad,) = ingest.rejected("backlog/a.csv" if name == "a.csv" else f"backlog/{name}.csv")
    assert name in ingest.read(f"reports/backlog/{name}.html").decode()
    assert (bad["line"], bad["error_code"], bad["violation_no"]) == ("22", "amount_e_notation", "BAD-1")
    assert len(kept(ingest)) == 3

    again = ingest.take("backlog/plain.csv", content)
    assert again["counts"] == {**report["counts"], "inserted": 0, "unchanged": 21}
    assert len(kept(ingest)) == 3  # a plain file is read where it lies


def test_the_stacks_encoding_is_that_of_files_that_say_none(ingest: Ingest) -> None:
    ingest.encoding = "windows-1256"
    assert ingest.take("live/a.csv", feed().decode().encode("cp1256"))["status"] == "loaded"
    assert ingest.take("live/b.csv", feed())["error"]["code"] == "encoding_wrong"
    assert ingest.take("live/c.csv", feed(), Metadata={"encoding": "utf-8"})["status"] == "loaded"
    assert ingest.take("live/d.csv", b"\xef\xbb\xbf" + feed())["status"] == "loaded"


def test_an_unknown_encoding_is_named_in_the_report(ingest: Ingest) -> None:
    report = ingest.take("live/a.csv", feed(), Metadata={"encoding": "klingon"})
    assert report["error"]["value"] == "klingon"
    assert report["error"]["message"].endswith(": klingon")
    assert "klingon" in ingest.read("reports/live/a.csv.html").decode()


def test_a_file_that_is_refused_late_writes_no_row(ingest: Ingest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunking, "MAX_CHUNK_ROWS", 5)
    report = ingest.take("live/a.csv.gz", gzip.compress(feed())[:-1])
    assert (report["status"], report["error"]["code"]) == ("refused", "gzip_truncated")
    report = ingest.take("live/a.xlsx", sheet(feed(), merged=["B3:B4"]))
    assert (report["status"], report["error"]["code"]) == ("refused", "excel_cells_merged")
    assert ingest.violations() == {}
    assert ingest.queued == []


def test_chunks_that_the_bucket_forgot_fail_the_file(ingest: Ingest) -> None:
    version = ingest.receive(ingest.put("live/a.csv.gz", gzip.compress(feed())))
    for key in kept(ingest):
        ingest.s3.delete_object(Bucket=ingest.bucket, Key=key)
    ingest.load_all()
    assert (ingest.report(version)["status"], ingest.report(version)["error"]["code"]) == ("failed", "object_missing")


def test_a_second_upload_while_the_first_loads_keeps_its_own_chunks(ingest: Ingest) -> None:
    first = ingest.receive(ingest.put("live/a.csv.gz", gzip.compress(feed(row("F-1")))))
    waiting, ingest.queued = ingest.queued, []
    second = ingest.receive(ingest.put("live/a.csv.gz", gzip.compress(feed(row("S-1")))))
    ingest.load_all()
    ingest.queued = waiting
    ingest.load_all()
    assert {"F-1", "S-1"} < set(ingest.violations())
    assert ingest.report(first)["counts"]["inserted"] == ingest.report(second)["counts"]["inserted"] == 21


def test_excels_dates_and_numbers_load(ingest: Ingest) -> None:
    good = row("X-1")
    cells = {**good, "occurred_at": Number("46346.354166666664", 1), "recorded_at": Number("46346.5", 1)}
    cells |= {"amount": Number("50000"), "plate_number": Number("12345"), "violation_code": Number("7", 2)}
    content = xlsx([COLUMNS, [cells[name] for name in COLUMNS]], formats=["dd/mm/yyyy hh:mm", "000"])
    assert ingest.take("backlog/x.xlsx", content)["counts"]["inserted"] == 1
    item = ingest.violations()["X-1"]
    assert item["occurred_at"]["S"] == "2026-11-20T08:30:00+03:00"
    assert (item["amount"]["N"], item["code"]["S"]) == ("50000", "007")


def test_a_workbooks_further_sheets_are_told_to_be_unread(ingest: Ingest) -> None:
    other = '<worksheet><sheetData><row><c t="str"><v>R-9</v></c></row></sheetData></worksheet>'
    report = ingest.take("backlog/x.xlsx", sheet(feed(), parts={"xl/other.xml": other}))
    assert report["counts"]["inserted"] == 20
    assert [(warning["code"], warning["rows"]) for warning in report["warnings"]] == [("sheets_unread", 1)]
    assert report["warnings"][0]["message"] in ingest.read("reports/backlog/x.xlsx.html").decode()


def test_hidden_rows_are_loaded_and_told(ingest: Ingest) -> None:
    report = ingest.take("backlog/x.xlsx", sheet(feed(), hidden=(5, 6)))
    assert report["counts"]["inserted"] == 20
    told = [(warning["code"], warning["rows"], warning["first_line"]) for warning in report["warnings"]]
    assert told == [("rows_hidden", 2, 5)]
    assert report["warnings"][0]["message"] in ingest.read("reports/backlog/x.xlsx.html").decode()


@pytest.mark.parametrize(
    ("name", "number"), [("04-format-prefix-BG.xlsx", "BG123"), ("04-format-suffix-year.xlsx", "123/2026")]
)
def test_a_number_is_what_its_sheet_shows(ingest: Ingest, name: str, number: str) -> None:
    content = (Path(__file__).parents[1] / "files" / name).read_bytes()
    assert ingest.take(f"backlog/{name}", content)["status"] == "loaded"
    assert number in ingest.violations()
    assert "123" not in ingest.violations()


def formatted(code: str, **cells: str) -> bytes:
    """A sheet of good rows and one with numbers of a format."""
    good = row("X-1")
    numbers = {name: Number(number, 1) for name, number in cells.items()}
    lines = [[row()[name] for name in COLUMNS] for _ in range(20)]
    return xlsx([COLUMNS, *lines, [numbers.get(name, good[name]) for name in COLUMNS]], formats=[code])


def test_an_amount_whose_format_names_the_dinar_is_loaded(ingest: Ingest) -> None:
    report = ingest.take("backlog/x.xlsx", formatted('#,##0 "دينار"', amount="75000"))
    assert report["counts"]["inserted"] == 21
    assert ingest.violations()["X-1"]["amount"]["N"] == "75000"


def test_a_format_that_cannot_be_read_is_named(ingest: Ingest) -> None:
    report = ingest.take("backlog/x.xlsx", formatted("0,", amount="75000"))
    assert (report["status"], report["error"]["code"]) == ("refused", "excel_format_unreadable")
    assert (report["error"]["line"], report["error"]["value"]) == (22, "0,")
    assert ingest.violations() == {}


def test_rejects_come_again_for_the_same_reasons_and_load_when_mended(ingest: Ingest) -> None:
    bad = {
        "X-1": {"amount": "-1"}, "X-2": {"amount": "50000.5"}, "X-3": {"amount": "5e4"},
        "X-4": {"occurred_at": "31/02/2026"}, "X-5": {"plate_letter": "اب"}, "X-6": {"plate_governorate": "30"},
        "X-7": {"plate_family": "جديد"}, "X-8": {"updated_at": "2030-01-01"}, "X-9": {"plate_letter": "?"},
        "X-10": {"amount": "=cmd|'/c calc'!A1"},
    }  # fmt: skip
    rows = [*(row() for _ in range(400)), *(row(number, **cells) for number, cells in bad.items())]
    first = ingest.take("backlog/first.csv", text(rows))
    raw = ingest.read("rejects/backlog/first.csv")
    assert b"'=cmd" in raw

    again = ingest.take("backlog/again.csv", raw)
    assert (again["counts"]["inserted"], again["counts"]["rejected"]) == (0, len(bad))
    assert reasons(again) == reasons(first)
    more = ingest.take("backlog/more.csv", raw + b"".join(_below(raw, row()) for _ in range(100)))
    assert reasons(more) == reasons(first)
    assert [each["error_code"] for each in ingest.rejected("backlog/more.csv")] == [
        each["error_code"] for each in ingest.rejected("backlog/first.csv")
    ]

    header = raw.decode("utf-8-sig").splitlines()[0].split(",")
    mended = ",".join(header).encode() + b"\r\n" + b"".join(_below(raw, row(number)) for number in bad)
    assert ingest.take("backlog/mended.csv", mended)["counts"]["inserted"] == len(bad)


def reasons(report: dict[str, Any]) -> list[tuple[str, str, int]]:
    return sorted((reason["column"], reason["code"], reason["rows"]) for reason in report["rejects"]["reasons"])


def _below(raw: bytes, good: dict[str, str]) -> bytes:
    """A good row under the columns of a rejects file."""
    header = raw.decode("utf-8-sig").splitlines()[0].split(",")
    return ",".join(good.get(name, "") for name in header).encode() + b"\r\n"


# ---------------------------------------------------------------------- files that other tools made


def tool(name: str) -> str:
    """Another's program that writes files. Skips where it is missing."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


@pytest.fixture
def typed(tmp_path: Path) -> Path:
    """A file as a clerk's text editor keeps it."""
    path = tmp_path / "typed.csv"
    path.write_bytes(feed(row("X-1", plate_letter="ه", occurred_at="20/11/2026 08:30", recorded_at="")))
    return path


@pytest.mark.parametrize(("encoding", "options"), [("CP1256", WINDOWS_1256), ("UTF-16", {})])
def test_a_file_that_iconv_wrote(ingest: Ingest, typed: Path, encoding: str, options: dict[str, Any]) -> None:
    written = subprocess.run(
        [tool("iconv"), "-f", "UTF-8", "-t", encoding, str(typed)], capture_output=True, check=True
    ).stdout
    assert ingest.take("backlog/a.csv", written, **options)["counts"]["inserted"] == 21
    assert ingest.violations()["X-1"]["plate"]["S"].startswith("DE#11#ه#12345")


def test_a_file_that_gzip_packed(ingest: Ingest, typed: Path) -> None:
    packed = subprocess.run([tool("gzip"), "-c", str(typed)], capture_output=True, check=True).stdout
    assert ingest.take("backlog/a.csv.gz", packed)["counts"]["inserted"] == 21


def test_a_workbook_that_libreoffice_saved(ingest: Ingest, typed: Path) -> None:
    """It takes the dates for dates and the numbers for numbers, as Excel does."""
    to = ["--convert-to", "xlsx:Calc MS Excel 2007 XML", "--infilter=CSV:44,34,76,1,,2057,false,true"]
    home = f"-env:UserInstallation=file://{typed.parent}/office"
    command = [tool("soffice"), home, "--headless", *to, "--outdir", str(typed.parent), str(typed)]
    subprocess.run(command, capture_output=True, check=True, timeout=120)
    content = (typed.parent / "typed.xlsx").read_bytes()
    report = ingest.take("backlog/a.xlsx", content)
    assert (report["counts"]["inserted"], report["counts"]["rejected"]) == (21, 0), report
    item = ingest.violations()["X-1"]
    assert item["plate"]["S"].startswith("DE#11#ه#12345")
    assert item["occurred_at"]["S"] == "2026-11-20T08:30:00+03:00"


FORMATS = (
    *('"BG"0', '0"/2026"', '"BG "0', r"\B\G0", '[Red]"BG"0', 'General"BG"', '"A"0"B"0', '0"-A"', '"x"#', "###-####"),
    *('0 "IQD"', '#,##0 "دينار"', "[$IQD] #,##0", "#,##0 [$د.ع-801]", "0 دينار", '"A"0000-00'),
    *('"P"0;"N"0;"Z"', '"P"0;"N"0', '[=1]"مسددة";"غير مسددة"', '[>100]"A"0;"B"0', '[>100]0;[<50]"B"0;"C"0'),
    *("0%", "0.0%", "# ?/?", "0;-0;;@", "#,###", "#-###", '"BG"@', '@"/2026"', '0;-0;0;"T"@', "0", "#,##0", "@"),
)


def test_formats_show_what_libreoffice_saves_as_csv(tmp_path: Path) -> None:
    """But for marks of thousands and the dinar's name, which are no part of a number."""
    numbers = ("0", "1", "123", "50000", "1234567")
    rows = [[*(Number(number, at) for number in numbers), Styled("ز1", at)] for at in range(1, len(FORMATS) + 1)]
    path = tmp_path / "a.xlsx"
    path.write_bytes(xlsx(rows, formats=FORMATS))
    saved = ["--convert-to", "csv:Text - txt - csv (StarCalc):44,34,76,1,,1033,false,true,true"]
    home = f"-env:UserInstallation=file://{tmp_path}/office"
    command = [tool("soffice"), home, "--headless", *saved, "--outdir", str(tmp_path), str(path)]
    subprocess.run(command, capture_output=True, check=True, timeout=120)
    theirs = csv.reader(io.StringIO((tmp_path / "a.csv").read_text("utf-8-sig"), newline=""))
    with path.open("rb") as file:
        ours = csv.reader(io.StringIO(b"".join(Workbook(file).csv_blocks()).decode(), newline=""))
        for code, read, shown in zip(FORMATS, ours, theirs, strict=True):
            assert read == [re.sub(r"IQD|دينار|د\.ع|,", "", cell).strip() for cell in shown], code


# ---------------------------------------------------------------------- anything at all

HEADER = text([])
KINDS = (b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\x1f\x8b\x08\x00", b"PK\x03\x04", HEADER, text([row()]))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(KINDS),
    st.one_of(st.binary(max_size=300), st.text(alphabet="a1,;\t\"'\r\n=?ز\0é", max_size=200).map(str.encode)),
    st.sampled_from(["", "gzip", "utf-16", "sheet"]),
    st.sampled_from(["utf-8", "windows-1256", "x"]),
)
def test_whatever_is_dropped_ends_with_every_row_in_a_count(
    ingest: Ingest, kind: bytes, rest: bytes, wrapped: str, encoding: str
) -> None:
    content = kind + rest
    match wrapped:
        case "gzip":
            content = gzip.compress(content)
        case "utf-16":
            content = content.decode("latin-1").encode("utf-16")
        case "sheet":
            content = xlsx([], parts={"xl/worksheets/first.xml": content.decode("latin-1")})
    ingest.encoding = encoding
    report = ingest.take("backlog/any.csv", content)
    assert report["status"] in ENDED - {"failed"}
    assert sum(report["counts"][outcome] for outcome in OUTCOMES) == report["counts"]["rows"]
    assert (report["error"] is None) == (report["counts"]["rows"] > 0)
