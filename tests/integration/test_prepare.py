"""A file that was prepared on the clerk's machine: it loads as the file itself would, and its rejects once mended."""

from __future__ import annotations

import ntpath
import os
import subprocess
import sys
from pathlib import Path, PureWindowsPath
from typing import Any, Final

import pytest
from click.testing import CliRunner, Result
from hypothesis import example, given
from hypothesis import strategies as st

from infra import prepare
from ingest import chunking
from tests.support.aws import Engine, Tables
from tests.support.documents import ROOT
from tests.support.ingesting import COLUMNS, Ingest, ago, row, text
from tests.support.workbooks import xlsx


@pytest.fixture
def ingest(engine: Engine, tables: Tables) -> Ingest:
    return Ingest(engine, tables)


@pytest.fixture
def export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A full export of 22 rows, two of them bad, checked in chunks of eight and cut every nine."""
    monkeypatch.setattr(chunking, "MAX_CHUNK_ROWS", 8)
    monkeypatch.setattr(prepare, "MAX_PART_ROWS", 9)
    rows = [row(f"R-{number}", violation_title='قال "قف"\r\nثم ذهب') for number in range(22)]
    rows[12] = row("BAD-1", amount="5e4", violation_title="=1+1")
    rows[20] = row("BAD-2", plate_governorate="30")
    path = tmp_path / "export.csv"
    path.write_bytes(text(rows, (*COLUMNS, "violation_title")))
    return path


def run(path: Path, *options: str) -> Result:
    return CliRunner().invoke(prepare.main, [str(path), *options])


def made(path: Path, folder: str = "backlog") -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in sorted(path.with_name(f"{path.name}.{folder}").iterdir())}


def loaded(ingest: Ingest, files: dict[str, bytes]) -> list[dict[str, Any]]:
    return [ingest.take(f"backlog/{name}", content)["counts"] for name, content in files.items()]


def test_the_parts_load_as_the_file_does(ingest: Ingest, export: Path) -> None:
    result = run(export)
    assert result.exit_code == 1
    files = made(export)
    assert list(files) == ["export-001.csv.gz", "export-002.csv.gz", "export-003.csv.gz", "export-rejects.csv"]
    rejects = files.pop("export-rejects.csv")
    assert [(count["rows"], count["inserted"]) for count in loaded(ingest, files)] == [(9, 9), (9, 9), (2, 2)]
    after = {number: item["hash"]["S"] for number, item in ingest.violations().items()}
    counts = ingest.take("backlog/export.csv", export.read_bytes())["counts"]
    assert (counts["unchanged"], counts["rejected"]) == (20, 2)
    assert {number: item["hash"]["S"] for number, item in ingest.violations().items()} == after

    assert b"'=1+1" in rejects
    again = ingest.take("backlog/mended.csv", rejects.replace(b"5e4", b"5000").replace(b",30,", b",11,"))
    assert (again["counts"]["inserted"], again["counts"]["rejected"]) == (2, 0)


def test_the_parts_load_whatever_encoding_is_the_stacks(ingest: Ingest, export: Path) -> None:
    run(export)
    ingest.encoding = "windows-1256"
    files = made(export)
    del files["export-rejects.csv"]
    assert [count["inserted"] for count in loaded(ingest, files)] == [9, 9, 2]


def test_what_is_wrong_is_said_in_both_languages_with_the_first_line(export: Path) -> None:
    said = run(export).output
    assert "22 rows: 20 good, 2 rejected" in said
    assert "The amount is in E-notation" in said
    assert "المبلغ مكتوب بالصيغة العلمية" in said
    assert "first in line 26" in said  # every title is two lines
    assert "Upload the parts in their order" in said


def test_rejects_are_those_that_the_cloud_rejects(ingest: Ingest, export: Path) -> None:
    run(export)
    ingest.take("backlog/export.csv", export.read_bytes())
    assert made(export)["export-rejects.csv"] == ingest.read("rejects/backlog/export.csv")


def test_how_many_would_be_told_is_said_of_a_live_file_only(export: Path) -> None:
    rows = [row(), row(status="paid"), row(occurred_at=ago(60), recorded_at=ago(50))]
    export.write_bytes(text(rows))
    live = run(export, "--folder", "live")
    assert (live.exit_code, "1 would be told" in live.output) == (0, True)
    assert "in their order" not in live.output
    assert "would be told" not in run(export).output
    assert list(made(export, "live")) == ["export-001.csv.gz"]


def test_excel_is_prepared_too(ingest: Ingest, export: Path) -> None:
    path = export.with_suffix(".xlsx")
    path.write_bytes(xlsx([COLUMNS, *([row()[name] for name in COLUMNS] for _ in range(3))]))
    assert run(path).exit_code == 0
    assert [count["inserted"] for count in loaded(ingest, made(path))] == [3]


def test_what_the_report_would_warn_of_is_said_before(export: Path) -> None:
    export.write_bytes(text([{**row(), "note": "x"}], (*COLUMNS, "note")))
    result = run(export)
    assert (result.exit_code, "note: An unknown column was ignored" in result.output) == (0, True)
    path = export.with_suffix(".xlsx")
    other = '<worksheet><sheetData><row><c t="str"><v>R-9</v></c></row></sheetData></worksheet>'
    path.write_bytes(xlsx([COLUMNS, [row()[name] for name in COLUMNS]], parts={"xl/other.xml": other}))
    assert "The workbook has further sheets" in run(path).output


def test_however_many_rows_are_wrong_they_come_back_to_be_mended(export: Path) -> None:
    export.write_bytes(text([*(row(amount="x") for _ in range(99)), row()]))
    result = run(export)
    assert result.exit_code == 1
    assert "99 rows, first in line 2" in result.output
    assert "The amount cannot be read" in result.output
    assert list(made(export)) == ["export-001.csv.gz", "export-rejects.csv"]


def test_columns_are_judged_on_the_whole_file(export: Path) -> None:
    """Of the second chunk, 20 rows would not say it."""
    days = ["25/10/2025"] * 30 + ["05/10/2025", "05/10/2025", "10/25/2025", "05/10/2025"] * 4
    export.write_bytes(text(row(recorded_at=day) for day in days))
    result = run(export)
    assert result.exit_code == 2
    assert "accept=date_order_us:recorded_at" in result.output
    again = run(export, "--accept", "date_order_us:recorded_at")
    assert (again.exit_code, "42 good, 4 rejected" in again.output) == (1, True)
    assert "To be declared with each: accept=date_order_us:recorded_at" in again.output


def test_the_platforms_own_names_are_known(export: Path) -> None:
    columns = tuple(name for name in COLUMNS if name != "status")
    paid = {**row(), "حالة السداد": "مسددة"}
    export.write_bytes(text([{name: paid[name] for name in (*columns, "حالة السداد")}], (*columns, "حالة السداد")))
    refused = run(export)
    assert "accept=payment_column_unknown:13" in refused.output
    assert run(export, "--names", "حالة السداد=status").exit_code == 0


@pytest.mark.parametrize(
    ("content", "options", "said"),
    [
        (b"%PDF-1.7", (), "This is a PDF"),
        (text([row()]).decode().encode("cp1256"), (), "not in UTF-8"),
        (text([row()]), ("--encoding", "windows-1256"), "another encoding"),
        (text(row(recorded_at="10/25/2025") for _ in range(9)), (), "month first"),
    ],
)
def test_what_would_be_refused_is_refused_and_leaves_nothing(
    export: Path, content: bytes, options: tuple[str, ...], said: str
) -> None:
    export.write_bytes(content)
    result = run(export, *options)
    assert result.exit_code == 2
    assert said in result.output
    assert not export.with_name("export.csv.backlog").exists()


def test_what_was_prepared_before_is_not_overwritten(export: Path) -> None:
    run(export)
    before = made(export)
    again = run(export)
    assert (again.exit_code, "is there already" in again.output) == (2, True)
    assert made(export) == before


NAMES = {
    'it\'s "new" $HOME $(x) `y`.csv': "it's _new_ $HOME $(x) `y`",
    'a:b*c?d<e>f|g\\h"i.csv': "a_b_c_d_e_f_g_h_i",
    "con.csv": "_con",
    "LPT1 .csv": "_LPT1",
    "console.csv": "console",
    " .csv": "_",
    ".csv": "_",
    "مخالفات الكرخ.csv": "مخالفات الكرخ",
    "tab\there\n.csv": "tab_here_",
}


@pytest.mark.parametrize("name", NAMES)
def test_parts_have_names_that_every_file_system_takes(ingest: Ingest, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(text([row() for _ in range(4)] + [row(amount="x")]))
    assert run(path).exit_code == 1
    (folder,) = (each for each in tmp_path.iterdir() if each.is_dir())
    parts = {each.name: each.read_bytes() for each in sorted(folder.iterdir())}
    assert list(parts) == [f"{NAMES[name]}-001.csv.gz", f"{NAMES[name]}-rejects.csv"]
    assert ingest.take(f"backlog/{next(iter(parts))}", next(iter(parts.values())))["counts"]["inserted"] == 4


LETTERS: Final = st.characters(exclude_characters="/\0")


@given(st.text(LETTERS, min_size=1, max_size=255) | st.text(LETTERS, min_size=150, max_size=255))
@example(f"con.{'z' * 200}")
@example(f" .{'z' * 200}")
def test_a_safe_name_is_one(name: str) -> None:
    safe = prepare.safe_name(name)
    assert 0 < len(safe.encode()) <= 150
    assert not set(safe) & set('<>:"/\\|?*')
    assert all(letter >= " " for letter in safe)
    assert safe == safe.strip(". ")
    assert not ntpath.isreserved(safe) if hasattr(ntpath, "isreserved") else PureWindowsPath(safe).name == safe
    assert prepare.safe_name(safe) == safe


def test_long_names_stay_apart() -> None:
    names = {prepare.safe_name("مخالفات" * 17 + day) for day in ("25", "26")}
    assert len(names) == 2


def test_it_runs_without_make(export: Path) -> None:
    """By its own path and in a terminal that has no Arabic letters; with a file's name that looks like an option."""
    odd = export.rename(export.with_name("-x.csv"))
    odd.write_bytes(text([row() for _ in range(4)] + [row(amount="x")]))
    environment = {"PATH": os.environ["PATH"], "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "infra.prepare", str(odd)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("Traceback")) == (1, 0), done.stderr
    assert "5 rows: 4 good, 1 rejected" in done.stdout
    assert "The amount cannot be read" in done.stdout
    help_text = subprocess.run(
        [*command, "--help"], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert help_text.stdout.startswith("Usage: python -m infra.prepare [OPTIONS] FILE")


class Bar:
    def __init__(self, label: str, length: int) -> None:
        self.label, self.length, self.done = label, length, 0

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def update(self, steps: int) -> None:
        self.done += steps


def test_the_bars_reach_their_ends(export: Path, tmp_path: Path) -> None:
    bars: list[Bar] = []

    def progress(label: str, length: int) -> Bar:
        bars.append(Bar(label, length))
        return bars[-1]

    prepare.prepare(export, tmp_path / "out", prepare.Declared("backlog"), prepare.now(), progress)
    assert [(bar.label, bar.done) for bar in bars] == [("reading", export.stat().st_size), ("checking", 22)]
    assert all(bar.done == bar.length for bar in bars)
