"""Files whose columns are judged before anything of them is queued, and the way out; files too small for a share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ingest import chunking
from ingest.format.header import read_names
from tests.support.aws import Engine, Tables
from tests.support.ingesting import COLUMNS, Ingest, ago, row, text

FILES = Path(__file__).parents[1] / "files"
MONTH_FIRST = ["10/25/2025", "10/26/2025", "10/11/2025"]
NO_STATUS = tuple(name for name in COLUMNS if name != "status")


@pytest.fixture
def ingest(engine: Engine, tables: Tables) -> Ingest:
    return Ingest(engine, tables)


def recorded(*days: str) -> bytes:
    return text(row(recorded_at=day) for day in days)


def without_status(number: str, said: str) -> dict[str, str]:
    found = {**row(number), "حالة السداد": said}
    del found["status"]
    return found


def outcome(report: dict[str, Any]) -> tuple[Any, ...]:
    error = report["error"]
    return (error["code"], error["column"]) if error else (report["counts"]["inserted"], report["counts"]["rejected"])


@pytest.mark.parametrize("folder", ["live", "backlog"])
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("01-november-source.csv", (56, 0)),
        ("01-november-libreoffice-en-US.xlsx", ("date_kinds_mixed", "occurred_at")),
        ("07-paid-yes-no.csv", ("payment_column_unknown", "status")),
        ("07-paid-under-empty-header.csv", (20, 0)),
        ("14-two-rows-one-bad.csv", (1, 1)),
        ("batch-receipt-notified.csv", (6, 0)),
        ("days-up-to-twelve.csv", (11, 1)),
    ],
)
def test_each_file_ends_as_is_right(ingest: Ingest, folder: str, name: str, expected: tuple[Any, ...]) -> None:
    report = ingest.take(f"{folder}/{name}", (FILES / name).read_bytes())
    assert outcome(report) == expected
    nameless = [warning["column"] for warning in report["warnings"] if warning["code"] == "column_nameless"]
    assert nameless == (["17", "18"] if "empty-header" in name else [])


def test_the_words_of_a_refusal_are_the_way_out(ingest: Ingest) -> None:
    content = recorded(*MONTH_FIRST)
    error = ingest.take("live/a.csv", content)["error"]
    assert error["accept"] == "date_order_us:recorded_at"
    assert error["message"].endswith("accept=date_order_us:recorded_at")
    assert error["message_en"].endswith("accept=date_order_us:recorded_at")
    assert "accept=date_order_us:recorded_at" in ingest.read("reports/live/a.csv.html").decode()
    report = ingest.take("live/a.csv", content, Metadata={"accept": error["accept"]})
    assert (outcome(report), report["accepted"]) == ((1, 2), ["date_order_us:recorded_at"])
    assert outcome(ingest.take("live/a.csv", content)) == ("date_order_us", "recorded_at"), "for that upload alone"


def test_a_name_that_an_operator_gave_is_good_for_every_file(ingest: Ingest) -> None:
    content = text([without_status("PAID", "مسددة")], (*NO_STATUS, "حالة السداد"))
    refused = ingest.take("live/a.csv", content)
    assert outcome(refused) == ("payment_column_unknown", "status")
    assert refused["error"]["accept"] == f"payment_column_unknown:{len(COLUMNS)}"
    ingest.rules = ingest.rules._replace(names=read_names("حالة السداد=status"))
    report = ingest.take("live/a.csv", content)
    assert (outcome(report), report["named"]) == ((1, 0), {"حالة السداد": "status"})
    assert ingest.violations()["PAID"]["status"] == {"S": "paid"}


def test_a_chunk_that_proves_another_reading_rejects_its_rows(ingest: Ingest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunking, "MAX_CHUNK_ROWS", 40)
    report = ingest.take("backlog/a.csv", recorded(*["25/10/2025"] * 40, *MONTH_FIRST, "01/02/2025"))
    assert outcome(report) == (40, 4)
    assert [bad["error_code"] for bad in ingest.rejected("backlog/a.csv")] == [
        "date_not_in_calendar", "date_not_in_calendar", "date_order_us", "date_order_us",
    ]  # fmt: skip
    again = ingest.take(
        "backlog/a.csv", recorded(*["25/10/2025"] * 40, "01/02/2025"), Metadata={"accept": "date_order_us:recorded_at"}
    )
    assert again["counts"]["rejected"] == 0


def swapped() -> list[str]:
    """Days of a month before, which are of these weeks where day and month change places."""
    days = (ago(before)[:10].split("-") for before in range(1, 44))
    return [f"{year}-{day}-{month}" for year, month, day in days if day <= "12" and day != month][:5]


def test_days_and_months_in_each_others_place_are_told_of_a_backlog(ingest: Ingest) -> None:
    content = recorded(*(day for day in swapped()))
    assert outcome(ingest.take("live/a.csv", content)) == ("dates_swapped", "recorded_at")
    report = ingest.take("backlog/a.csv", content)
    assert report["error"] is None
    (told,) = (warning for warning in report["warnings"] if warning["code"] == "dates_swapped")
    assert (told["column"], told["rows"] > 2, told["first_line"]) == ("recorded_at", True, 2)


# ---------------------------------------------------------------------- small files, and a refusal's rejects


@pytest.mark.parametrize(("good", "bad", "loaded"), [(1, 1, True), (9, 3, True), (0, 25, True), (80, 120, False)])
def test_a_file_is_refused_by_share_only_where_many_rows_are_bad(
    ingest: Ingest, good: int, bad: int, loaded: bool
) -> None:
    rows = [*(row() for _ in range(good)), *(row(amount="x") for _ in range(bad))]
    report = ingest.take("live/a.csv", text(rows))
    assert outcome(report) == ((good, bad) if loaded else ("too_many_bad_rows", None))
    assert len(ingest.rejected("live/a.csv")) == bad
    assert report["rejects"]["key"].startswith("rejects/live/a.csv.")


def test_a_refusal_for_its_rows_names_their_columns_and_brings_them_back(ingest: Ingest) -> None:
    rows = [row("A", amount="x"), *(row(occurred_at="x") for _ in range(40))]
    report = ingest.take("live/a.csv", text(rows))
    assert report["error"]["value"] == "100.0%: amount, occurred_at"
    assert [reason["rows"] for reason in report["rejects"]["reasons"]] == [40, 1]
    first, *others = ingest.rejected("live/a.csv")
    assert (first["line"], first["error_code"], first["violation_no"]) == ("2", "amount_unreadable", "A")
    assert len(others) == 40
    mended = ingest.read("rejects/live/a.csv").replace(b",x,", b",2026-11-01,", 2)
    assert ingest.take("live/mended.csv", mended)["error"] is None


def test_rejects_outlive_a_later_refusal(ingest: Ingest) -> None:
    ingest.take("live/a.csv", text([row(), row("BAD", amount="x")]))
    for refused in (b"nonsense", recorded(*MONTH_FIRST)):
        assert ingest.take("live/a.csv", refused)["status"] == "refused"
        assert [bad["violation_no"] for bad in ingest.rejected("live/a.csv")] == ["BAD"]
    ingest.take("live/a.csv", text([row()]))
    with pytest.raises(ingest.s3.exceptions.NoSuchKey):
        ingest.rejected("live/a.csv")
