"""One number stands on one plate, and what a file does to somebody is told: in its report, on its page, by mail."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingest import chunking, load_chunk
from ingest.reporting.operator_mail import body
from tests.support.aws import Engine, Tables
from tests.support.ingesting import Ingest, ago, row, text

FILES = Path(__file__).parents[1] / "files"
Json = dict[str, Any]


@pytest.fixture
def ingest(engine: Engine, tables: Tables) -> Ingest:
    return Ingest(engine, tables)


@pytest.fixture
def cut(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Lets chunks have so many rows."""

    def rows(number: int) -> None:
        monkeypatch.setattr(chunking, "MAX_CHUNK_ROWS", number)

    return rows


def undated(violation_no: str = "V-1", **cells: str) -> dict[str, str]:
    return row(violation_no, updated_at="", **cells)


def told(report: Json) -> dict[str, tuple[int, int]]:
    """The warnings of a report: how many rows, and the first line."""
    return {each["code"]: (each["rows"], each["first_line"]) for each in report["warnings"]}


def reasons(report: Json) -> dict[str, int]:
    return {each["code"]: each["rows"] for each in report["rejects"]["reasons"]} if report["rejects"] else {}


def loaded(ingest: Ingest, *rows: dict[str, str], key: str = "live/a.csv", order: tuple[int, ...] = ()) -> Json:
    """A file whose chunks are loaded in an order; its report."""
    version = ingest.receive(ingest.put(key, text(rows)))
    if order:
        ingest.queued = [ingest.queued[index] for index in order]
    ingest.load_all()
    return ingest.report(version)


# ---------------------------------------------------------------------- one file says it twice


def test_a_number_on_several_plates_is_rejected_with_its_lines(ingest: Ingest) -> None:
    report = ingest.take("live/a.csv", (FILES / "03-one-number-five-plates.csv").read_bytes())
    assert reasons(report) == {"number_on_two_plates": report["counts"]["rejected"]}
    assert report["counts"]["stale"] == 0
    lines = [int(each["line"]) for each in ingest.rejected("live/a.csv")]
    assert len(lines) == report["counts"]["rejected"] == 5
    assert ingest.read("rejects/live/a.csv").count(b"number_on_two_plates") == 5


def test_the_same_numbers_with_dates_of_their_own_are_corrections(ingest: Ingest) -> None:
    report = ingest.take("live/a.csv", (FILES / "03-one-number-corrected.csv").read_bytes())
    assert (report["counts"]["rejected"], report["counts"]["stale"]) == (0, 4)
    assert told(report)["beaten_in_file"][0] == 4


def test_the_same_number_with_another_date_is_a_correction(ingest: Ingest) -> None:
    earlier, later = (row("V-1", updated_at=ago(day), plate_number=plate) for day, plate in ((2, "1"), (1, "2")))
    report = loaded(ingest, later, earlier)
    assert (report["counts"]["inserted"], report["counts"]["stale"], reasons(report)) == (1, 1, {})
    assert told(report) == {"beaten_in_file": (1, 3)}
    assert ingest.violations()["V-1"]["plate"]["S"].endswith("#2")


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_two_plates_far_from_one_another_are_both_told_and_the_later_line_stands(
    ingest: Ingest, cut: Callable[[int], None], order: tuple[int, ...]
) -> None:
    cut(1)
    report = loaded(ingest, undated(plate_number="1"), undated(plate_number="2"), order=order)
    assert told(report)["number_on_two_plates"] == (2, 2)
    stands = ingest.violations()["V-1"]
    assert stands["plate"]["S"].endswith("#2")
    assert stands.get("tell", {}).get("S") == ("cancelled" if order == (0, 1) else "opened")


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_of_undated_rows_of_a_file_an_end_stands_whatever_the_order(
    ingest: Ingest, cut: Callable[[int], None], order: tuple[int, ...]
) -> None:
    cut(1)
    rows = [undated(status=status) for status in ("paid", "disputed", "open")]
    assert told(loaded(ingest, *rows, order=order))["beaten_in_file"][0] == 2
    assert ingest.violations()["V-1"]["status"] == {"S": "paid"}


def test_a_row_that_stands_twice_as_it_is_hurts_nobody(ingest: Ingest) -> None:
    same = undated()
    report = loaded(ingest, same, row(), same)
    assert (report["status"], report["counts"]["stale"], told(report)) == ("loaded", 1, {"beaten_in_file": (1, 2)})


# ---------------------------------------------------------------------- a later file


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ({}, {"plate_number": "777"}, "moved"),
        ({"status": "paid"}, {"status": "open"}, "reopened"),
        ({"status": "cancelled"}, {"status": "open"}, "reopened"),
        ({"amount": "50000"}, {"amount": "500000"}, "amount_tenfold"),
        ({"amount": "50000"}, {"amount": "5000"}, "amount_tenfold"),
    ],
)
def test_a_change_that_hurts_is_told_with_its_line(
    ingest: Ingest, before: dict[str, str], after: dict[str, str], code: str
) -> None:
    loaded(ingest, row("V-1", updated_at=ago(1), **before))
    report = loaded(ingest, row(), row("V-1", updated_at=ago(0.5), **after))
    assert told(report) == {code: (1, 3)}
    assert (report["counts"]["updated"], report["status"]) == (1, "loaded")
    page = ingest.read("reports/live/a.csv.html").decode()
    assert "لا شيء، حُمِّلت سجلات الملف كلها." not in page
    assert '<body class="fair">' in page
    assert f"1 rows, first in line 3: {code}. " in body(report)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"amount": "50000"}, {"amount": "100000"}),
        ({"status": "open"}, {"status": "paid"}),
        ({"status": "disputed"}, {"status": "open"}),
        ({}, {"place": "ساحة النسور"}),
    ],
)
def test_other_changes_are_not(ingest: Ingest, before: dict[str, str], after: dict[str, str]) -> None:
    columns = (*row(), "place")
    ingest.take("live/a.csv", text([{"place": "", **row("V-1", updated_at=ago(1)), **before}], columns))
    report = ingest.take("live/a.csv", text([{"place": "", **row("V-1", updated_at=ago(0.5)), **after}], columns))
    assert (report["counts"]["updated"], report["warnings"]) == (1, [])
    assert "لا شيء، حُمِّلت سجلات الملف كلها." in ingest.read("reports/live/a.csv.html").decode()


def test_what_hurts_is_told_by_a_chunk_that_runs_again(ingest: Ingest, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded(ingest, row("V-1", updated_at=ago(1), status="paid"), row("V-2", updated_at=ago(1)))
    again = [row("V-1", updated_at=ago(0.5)), row("V-2", updated_at=ago(0.5), plate_number="9")]
    version = ingest.receive(ingest.put("live/a.csv", text(again)))
    ((file_id, chunk),) = ingest.queued
    with monkeypatch.context() as patched:
        patched.setattr(load_chunk.rejects, "keep", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            ingest.load(file_id, chunk)
    ingest.load_all()
    report = ingest.report(version)
    assert told(report) == {"reopened": (1, 2), "moved": (1, 3)}
    assert report["counts"]["updated"] == 2


def test_older_rows_that_say_something_else_are_told_and_those_that_do_not_are_not(ingest: Ingest) -> None:
    first, second = row("V-1"), row("V-2")
    loaded(ingest, first, second)
    older = {"updated_at": ago(2)}
    report = loaded(ingest, {**first, **older}, {**second, **older, "amount": "7000"}, row())
    assert (report["status"], report["counts"]["stale"]) == ("loaded", 2)
    assert told(report) == {"stale_differs": (1, 3)}


def test_a_dated_file_after_an_undated_one_of_which_nothing_is_taken_is_red(ingest: Ingest) -> None:
    undated_file, dated = ((FILES / f"09-{name}.csv").read_bytes() for name in ("1-undated", "2-dated-paid"))
    ingest.take("live/a.csv", undated_file)
    feed = ingest.files().feed()
    report = ingest.take("live/b.csv", dated)
    assert report["status"] == "nothing_loaded"
    assert told(report)["stale_differs"] == (report["counts"]["rows"], 2)
    page = ingest.read("reports/live/b.csv.html").decode()
    assert '<body class="bad">' in page
    assert "لا شيء" not in page
    assert ingest.files().feed() == feed


def test_registrations_that_are_older_are_told_in_their_own_words(ingest: Ingest) -> None:
    cells = {"plate_family": "german", "plate_governorate": "11", "plate_letter": "ز", "plate_number": "5"}
    columns = (*cells, "registration_no", "updated_at")

    def put(key: str, number: str, days: float) -> Json:
        return ingest.take(key, text([{**cells, "registration_no": number, "updated_at": ago(days)}], columns))

    put("registry/a.csv", "A1111", 1)
    report = put("registry/b.csv", "B2222", 2)
    assert (report["status"], told(report)) == ("nothing_loaded", {"stale_differs": (1, 2)})
    page = ingest.read("reports/registry/b.csv.html").decode()
    assert "مخالفات" not in page
    assert "25/3" not in page


# ---------------------------------------------------------------------- undated rows open nothing


def test_an_undated_row_opens_nothing_that_is_paid_or_cancelled(ingest: Ingest) -> None:
    loaded(ingest, row("V-1", updated_at=ago(1), status="paid"), row("V-2", updated_at=ago(1), status="cancelled"))
    ingest.max_bad_share = 1
    rows = [undated("V-1"), undated("V-2"), undated("V-3"), undated("V-4", amount="x")]
    report = loaded(ingest, *rows, key="live/b.csv")
    assert reasons(report) == {"reopens_undated": 2, "amount_unreadable": 1}
    assert [each["line"] for each in ingest.rejected("live/b.csv")] == ["2", "3", "5"]
    assert {number: item["status"]["S"] for number, item in ingest.violations().items()} == {
        "V-1": "paid",
        "V-2": "cancelled",
        "V-3": "open",
    }
    assert "make accept-reopened KEY=live/b.csv" in ingest.read("reports/live/b.csv.html").decode()
    assert "make accept-reopened KEY=live/b.csv" in body(report)


def test_such_rows_count_in_no_share(ingest: Ingest) -> None:
    loaded(ingest, *(row(f"V-{number}", status="paid") for number in range(5)))
    rows = [undated(f"V-{number}") for number in range(5)]
    assert loaded(ingest, *rows, row(), key="live/b.csv")["status"] == "loaded"
    assert loaded(ingest, *rows, key="live/c.csv")["status"] == "nothing_loaded"


def test_the_rejects_as_they_are_are_rejected_again(ingest: Ingest) -> None:
    loaded(ingest, row("V-1", status="paid"))
    loaded(ingest, undated("V-1"), row(), key="live/b.csv")
    again = ingest.take("live/c.csv", ingest.read("rejects/live/b.csv"))
    assert reasons(again) == {"reopens_undated": 1}


def test_a_declared_moment_opens_what_is_paid_and_tells_of_it(ingest: Ingest) -> None:
    loaded(ingest, row("V-1", updated_at=ago(1), status="paid"))
    report = ingest.take("live/b.csv", text([undated("V-1")]), Metadata={"as-of": ago(0.5)})
    assert (report["counts"]["updated"], told(report)) == (1, {"reopened": (1, 2)})


# ---------------------------------------------------------------------- up to when answers go


def test_answers_go_up_to_the_moment_of_a_file_and_no_rejects_move_it(ingest: Ingest) -> None:
    ingest.max_bad_share = 1
    moment = f"{ago(2)}+03:00"
    ingest.take("live/a.csv", text([row(), row(), row("BAD", amount="x")]), Metadata={"as-of": moment})
    assert (ingest.files().feed() or "") == moment
    mended = ingest.read("rejects/live/a.csv").replace(b",x,", b",5000,")
    assert ingest.take("live/a.csv", mended)["counts"]["inserted"] == 1
    assert ingest.files().feed() == moment
    assert json.loads(ingest.read("reports/live/a.csv.json"))["timings"]["as_of"] > moment
    ingest.take("live/b.csv", text([row()]))
    assert (ingest.files().feed() or "") > moment
