"""When what a file says was so: as its upload declares or when it came, and what that decides of undated rows."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from shared.clock import now
from shared.domain.time import to_text
from tests.support.aws import Engine, Tables
from tests.support.ingesting import Ingest, row, text

FILES = Path(__file__).parents[1] / "files"
FIRST = now().replace(microsecond=0) - timedelta(hours=3)
THEN = FIRST + timedelta(hours=1)


@pytest.fixture
def ingest(engine: Engine, tables: Tables) -> Ingest:
    return Ingest(engine, tables)


def undated(violation_no: str = "V-1", **cells: str) -> dict[str, str]:
    return row(violation_no, updated_at="", **cells)


def declared(at: datetime | str) -> dict[str, dict[str, str]]:
    return {"Metadata": {"as-of": at if isinstance(at, str) else to_text(at)}}


def test_a_file_speaks_of_the_moment_that_its_upload_declares(ingest: Ingest) -> None:
    ingest.take_at(THEN, "live/a.csv", text([undated(amount="60000")]))
    report = ingest.take("live/b.csv", text([undated(amount="50000")]), **declared(FIRST))
    assert report["counts"]["stale"] == 1
    assert ingest.violations()["V-1"]["amount"] == {"N": "60000"}
    assert ingest.take("live/c.csv", text([undated(amount="7000")]), **declared(now()))["counts"]["updated"] == 1


WRONG = ["yesterday", "2026-13-01", "1969-01-01", to_text(now() + timedelta(days=2))]


@pytest.mark.parametrize("said", WRONG, ids=["word", "no month", "before 1970", "days ahead"])
def test_a_moment_that_is_none_refuses_the_file(ingest: Ingest, said: str) -> None:
    report = ingest.take("live/a.csv", text([undated()]), **declared(said))
    assert (report["status"], report["error"]["code"], report["error"]["value"]) == ("refused", "as_of_wrong", said)
    assert ingest.violations() == {}


WRITTEN = ["", "25/11/2026 07:30", "2026-11-25", to_text(now() + timedelta(hours=20))]


@pytest.mark.parametrize("said", WRITTEN, ids=["nothing", "as people write", "a day", "hours ahead"])
def test_a_moment_is_written_as_any_date(ingest: Ingest, said: str) -> None:
    assert ingest.take("live/a.csv", text([undated()]), **declared(said))["status"] == "loaded"


def test_registrations_too(ingest: Ingest) -> None:
    cells = {
        "plate_family": "german",
        "plate_governorate": "11",
        "plate_letter": "ز",
        "plate_number": "5",
        "registration_no": "A1111",
    }
    columns = tuple(cells)
    ingest.take_at(THEN, "registry/a.csv", text([cells], columns))
    older = ingest.take("registry/b.csv", text([{**cells, "registration_no": "B2222"}], columns), **declared(FIRST))
    assert older["counts"]["stale"] == 1


def test_mended_rejects_speak_as_of_their_first_file(ingest: Ingest) -> None:
    good = [row() for _ in range(9)]
    ingest.take_at(FIRST, "live/a.csv", text([*good, undated(amount="x")]))
    ingest.take_at(THEN, "live/b.csv", text([*good, undated(amount="70000")]))

    (rejected,) = ingest.rejected("live/a.csv")
    assert rejected["as_of"] == to_text(FIRST)
    mended = ingest.read("rejects/live/a.csv").replace(b",x,", b",50000,")
    assert ingest.take("live/a-mended.csv", mended)["counts"]["stale"] == 1
    assert ingest.violations()["V-1"]["amount"] == {"N": "70000"}


def test_rejects_that_are_wrong_again_keep_their_moment(ingest: Ingest) -> None:
    ingest.take_at(FIRST, "live/a.csv", text([*(row() for _ in range(9)), undated(amount="x")]))
    (first,) = ingest.rejected("live/a.csv")
    once = ingest.read("rejects/live/a.csv") + text([row() for _ in range(9)]).partition(b"\r\n")[2]
    once = b"\r\n".join(
        line if number < 2 or not line else b",,,," + line for number, line in enumerate(once.split(b"\r\n"))
    )
    ingest.take_at(THEN, "live/a-mended.csv", once)
    (again,) = ingest.rejected("live/a-mended.csv")
    assert again["as_of"] == first["as_of"] == to_text(FIRST)


def test_a_moment_in_the_rejects_that_is_none_is_told(ingest: Ingest) -> None:
    rejects = text([{"line": "2", "as_of": said, "error_code": "", "error": "", **row()} for said in ("", "25-13", "")],
                   ("line", "as_of", "error_code", "error", *row()))  # fmt: skip
    ingest.max_bad_share = 1
    report = ingest.take("live/a.csv", rejects)
    (reason,) = report["rejects"]["reasons"]
    assert (reason["column"], reason["code"], reason["first_line"]) == ("as_of", "date_unreadable", 3)


def test_what_a_newer_file_said_is_paid_stays_so_when_rejects_come_back(ingest: Ingest) -> None:
    first, paid, mended = (
        (FILES / f"05-{name}.csv").read_bytes() for name in ("1-a", "2-b-paid", "3-a-mended-rejects")
    )
    ingest.take_at(FIRST, "live/a.csv", first)
    ingest.take_at(THEN, "live/b.csv", paid)
    report = ingest.take("live/mended.csv", mended)
    assert ingest.violations()["C-99"]["status"] == {"S": "paid"}
    assert report["status"] == "nothing_loaded"
    assert [reason["code"] for reason in report["rejects"]["reasons"]] == ["reopens_undated"]
    again = ingest.take("live/again.csv", ingest.read("rejects/live/a.csv").replace(" دينار".encode(), b""))
    assert (again["status"], again["counts"]["stale"]) == ("nothing_loaded", 1)
    assert "tell" not in ingest.violations()["C-99"]
