"""Registration files from the bucket to the report: every row accounted for, kept as fingerprints only."""

from __future__ import annotations

import gzip
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.domain.plate import GERMAN, Plate
from tests.support.aws import Engine, Tables
from tests.support.build import NOON
from tests.support.ingesting import Ingest, row, text

FILES = Path(__file__).parents[1] / "files"
COLUMNS = (
    "plate_family", "plate_governorate", "plate_category", "plate_letter", "plate_number", "registration_no",
    "updated_at",
)  # fmt: skip


def card(plate_number: str = "12345", registration_no: str = "AB-12345", **cells: str) -> dict[str, str]:
    return {
        "plate_family": "german",
        "plate_governorate": "بغداد",
        "plate_category": "خصوصي",
        "plate_letter": "ز",
        "plate_number": plate_number,
        "registration_no": registration_no,
        "updated_at": "",
        **cells,
    }


def cards(*rows: dict[str, str]) -> bytes:
    return text(rows, COLUMNS)


def proves(ingest: Ingest, number: str, plate_number: str = "12345") -> bool:
    plate = Plate(GERMAN, "11", "ز", plate_number)
    return ingest.registry().prove(plate.key, None, number)[0].right


def counts(report: dict[str, Any]) -> dict[str, int]:
    return {name: count for name, count in report["counts"].items() if count}


@pytest.fixture
def ingest(engine: Engine, tables: Tables) -> Ingest:
    return Ingest(engine, tables)


def test_every_row_is_accounted_for(ingest: Ingest) -> None:
    bad = card("77777", "12"), card("88888", plate_governorate="30")
    report = ingest.take("registry/a.csv", cards(*(card(str(n)) for n in range(1, 99)), card("5", "CD-9999"), *bad))
    assert report["status"] == "loaded"
    assert report["counts"] == {
        "rows": 101, "inserted": 98, "updated": 0, "unchanged": 0, "stale": 1, "rejected": 2, "waiting": 0,
    }  # fmt: skip
    rejected = ingest.rejected("registry/a.csv")
    assert [(reject["line"], reject["error_code"], reject["registration_no"]) for reject in rejected] == [
        ("101", "registration_no_malformed", "12"),
        ("102", "governorate_unknown", "AB-12345"),
    ]
    assert proves(ingest, "CD9999", "5")
    assert not proves(ingest, "AB12345", "5")
    assert proves(ingest, "AB12345", "98")


def test_the_report_tells_no_number_and_no_plate(ingest: Ingest) -> None:
    ingest.take(
        "registry/a.csv", cards(*(card(str(n)) for n in range(1, 9)), card("739418", "x7"), card("", "SECRET55"))
    )
    for name in ("registry/a.csv.json", "registry/a.csv.html"):
        told = ingest.read(f"reports/{name}").decode()
        assert "registration_no" in told or "رقم السنوية" in told
        assert [secret for secret in ("739418", "x7", "SECRET55", "AB-12345") if secret in told] == []


def test_a_newer_file_replaces_and_an_older_is_stale(ingest: Ingest) -> None:
    ingest.take("registry/a.csv", cards(card(registration_no="OLD-1111", updated_at="2026-01-01")))
    replaced = ingest.take("registry/b.csv", cards(card(registration_no="NEW-2222", updated_at="2026-02-01")))
    again = ingest.take("registry/c.csv", cards(card(registration_no="OLD-1111", updated_at="2026-01-01")))
    same = ingest.take("registry/d.csv", cards(card(registration_no="new/2222", updated_at="2026-02-01")))
    assert [counts(report) for report in (replaced, again, same)] == [
        {"rows": 1, "updated": 1},
        {"rows": 1, "stale": 1},
        {"rows": 1, "unchanged": 1},
    ]
    assert [proves(ingest, number) for number in ("OLD1111", "NEW2222")] == [False, True]


def test_an_old_file_again_brings_no_number_back_without_a_date(ingest: Ingest) -> None:
    def take(days: int, name: str) -> dict[str, Any]:
        content = (FILES / f"cards-{name}.csv").read_bytes()
        return ingest.take_at(NOON + timedelta(days=days), f"registry/{days}.csv", content)

    assert counts(take(1, "1")) == {"rows": 3, "inserted": 3}
    assert counts(take(2, "2-one-sold")) == {"rows": 3, "updated": 1, "unchanged": 2}
    again = take(3, "1")
    assert counts(again) == {"rows": 3, "unchanged": 2, "stale": 1}
    assert [(each["code"], each["column"], each["rows"], each["first_line"]) for each in again["warnings"]] == [
        ("returns_undated", "registration_no", 1, 3)
    ]
    assert [proves(ingest, number, "61201") for number in ("ا100201", "ب300400")] == [False, True]
    assert counts(take(4, "3-sold-again")) == {"rows": 3, "updated": 1, "unchanged": 2}
    assert proves(ingest, "ج500600", "61201")


def test_a_date_brings_a_number_back(ingest: Ingest) -> None:
    for number, day in (("A-1111", "01"), ("B-2222", "02"), ("A-1111", "03")):
        report = ingest.take("registry/a.csv", cards(card(registration_no=number, updated_at=f"2026-01-{day}")))
        assert report["counts"]["stale"] == 0
    assert proves(ingest, "A1111")


def test_a_chunk_that_runs_again_counts_as_it_did(ingest: Ingest) -> None:
    version = ingest.receive(ingest.put("registry/a.csv", cards(*(card(str(n)) for n in range(1, 251)))))
    ((file_id, chunk),) = ingest.queued
    calls = 0
    whole = ingest.call

    def cut_off(service: str, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        nonlocal calls
        calls += operation == "TransactWriteItems"
        if calls == 3:
            raise TimeoutError
        return whole(service, operation, request)

    ingest.call = cut_off
    with pytest.raises(TimeoutError):
        ingest.load(file_id, chunk)
    ingest.call = whole
    ingest.load_all()
    assert counts(ingest.report(version)) == {"rows": 250, "inserted": 250}


def test_gzip_and_arabic_headers_are_taken(ingest: Ingest) -> None:
    header = "رقم السنوية;نظام اللوحة;محافظة اللوحة;صنف المركبة;حرف اللوحة;رقم اللوحة"
    content = gzip.compress(f"{header}\r\nأب ١٢٣٤٥;ألماني;نينوى;حمل;ن;١٤٣٧٣٠\r\n".encode())
    assert counts(ingest.take("registry/a.csv.gz", content)) == {"rows": 1, "inserted": 1}
    plate = Plate(GERMAN, "12", "ن", "143730")
    assert ingest.registry().prove(plate.key, "cargo", "اب12345")[0].right


@pytest.mark.parametrize(
    ("key", "content", "column"),
    [("registry/a.csv", text([row()]), "registration_no"), ("live/a.csv", cards(card()), "violation_no")],
)
def test_a_file_in_the_wrong_folder_is_refused(ingest: Ingest, key: str, content: bytes, column: str) -> None:
    report = ingest.take(key, content)
    assert (report["status"], report["error"]["code"], report["error"]["column"]) == (
        "refused", "column_missing", column,
    )  # fmt: skip


def test_it_says_nothing_of_how_far_the_violations_go(ingest: Ingest) -> None:
    ingest.take("registry/a.csv", cards(card()))
    assert ingest.files().feed() is None


def test_only_fingerprints_are_kept(ingest: Ingest) -> None:
    ingest.take(
        "registry/a.csv", cards(*(card(str(n), "SECRET-77") for n in range(739411, 739418)), card("55555", "12"))
    )
    kept = str(ingest.tables.items("Registry")) + str(ingest.tables.items("Files"))
    assert len(ingest.tables.items("Registry")) == 7
    assert [secret for secret in ("73941", "SECRET", "55555") if secret in kept] == []
