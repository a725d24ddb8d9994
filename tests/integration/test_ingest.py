"""A file from the bucket to the table and back as a report."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from ingest import chunking, load_chunk
from ingest.load_chunk import LaterError
from shared.domain.file import DoneChunk, FileVersion
from shared.stores.items import transact
from shared.stores.violations import PAY_ATTRIBUTES, Violations
from tests.support.aws import Engine, Tables
from tests.support.ingesting import COLUMNS, Ingest, ago, row, text


@pytest.fixture
def ingest(engine: Engine, tables: Tables) -> Ingest:
    return Ingest(engine, tables)


def test_every_row_is_in_one_count_and_rejects_come_back(ingest: Ingest) -> None:
    rows = [row() for _ in range(20)]
    rows[3] = row("BAD-1", plate_governorate="30")
    rows[7] = row("BAD-2", amount="5e4")

    report = ingest.take("live/a b ج.csv", text(rows))

    assert report["status"] == "loaded_with_many_rejects"
    assert report["counts"] == {"rows": 20, "inserted": 18, "updated": 0, "unchanged": 0, "stale": 0, "rejected": 2}
    assert set(ingest.violations()) == {good["violation_no"] for good in rows} - {"BAD-1", "BAD-2"}
    assert [(bad["line"], bad["error_code"], bad["violation_no"]) for bad in ingest.rejected("live/a b ج.csv")] == [
        ("5", "governorate_unknown", "BAD-1"),
        ("9", "amount_e_notation", "BAD-2"),
    ]


def test_the_report_lies_at_its_version_at_its_key_and_as_a_page(ingest: Ingest) -> None:
    version = ingest.receive(ingest.put("backlog/x.csv", text([row()])))
    ingest.load_all()
    report = ingest.read(f"reports/backlog/x.csv.{version.version_id}.json")
    assert ingest.read("reports/backlog/x.csv.json") == report
    assert "تقرير تحميل الملف" in ingest.read("reports/backlog/x.csv.html").decode()
    assert json.loads(report)["status"] == "loaded"
    assert ingest.files().file(version.file_id).published


def test_rejects_come_back_as_they_were_and_load_when_mended(ingest: Ingest) -> None:
    rows = [row() for _ in range(20)]
    rows[0] = row("X-1", amount="-5", violation_code="=cmd|'/c'!A1", plate_category="@SUM(1)")
    rows[9] = row("X-2", occurred_at="31/02/2026", sector_code="ق-٧")
    ingest.take("backlog/first.csv", text(rows))

    raw = ingest.read("rejects/backlog/first.csv")
    assert raw.startswith(b"\xef\xbb\xbf")
    assert b"'-5" in raw
    assert b"'=cmd" in raw
    assert b"'@SUM" in raw

    again = ingest.take("backlog/again.csv", raw)
    assert [(reason["column"], reason["code"]) for reason in again["rejects"]["reasons"]] == [
        ("amount", "amount_negative"),
        ("occurred_at", "date_not_in_calendar"),
    ]

    mended = raw.replace(b"'-5", b"5000").replace(b"31/02/2026", b"01/02/2026").replace(b"'=cmd|'/c'!A1", b"101")
    assert ingest.take("backlog/mended.csv", mended)["counts"]["inserted"] == 2


def test_a_full_export_again_writes_nothing(ingest: Ingest) -> None:
    rows = [row(updated_at="") for _ in range(5)] + [row() for _ in range(5)]
    ingest.take("live/export.csv", text(rows))
    before = ingest.violations()
    report = ingest.take("live/export.csv", text(rows))
    assert report["counts"] == {"rows": 10, "inserted": 0, "updated": 0, "unchanged": 10, "stale": 0, "rejected": 0}
    assert ingest.violations() == before


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_newest_row_wins_whatever_the_order_of_files(ingest: Ingest, order: tuple[int, ...]) -> None:
    versions = [row("N-1", updated_at=ago(3 - day), amount=str(1000 * (day + 1))) for day in range(3)]
    for index in order:
        ingest.take("backlog/one.csv", text([versions[index]]))
    assert ingest.violations()["N-1"]["amount"] == {"N": "3000"}


def test_the_newest_of_a_number_in_one_file_wins_and_the_others_are_stale(
    ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunking, "MAX_CHUNK_ROWS", 3)
    rows = [
        row("N-1", updated_at=ago(2), amount="2000"),
        row("N-1", updated_at=ago(1), amount="3000"),
        row("N-1", updated_at=ago(3), amount="1000"),
        row("N-1", updated_at=ago(0.5), amount="4000"),
        row("N-1", updated_at=ago(4), amount="5000"),
    ]
    report = ingest.take("backlog/dup.csv", text(rows))
    assert report["counts"] == {"rows": 5, "inserted": 1, "updated": 1, "unchanged": 0, "stale": 3, "rejected": 0}
    assert ingest.violations()["N-1"]["amount"] == {"N": "4000"}


def test_a_settlement_is_never_touched(ingest: Ingest) -> None:
    ingest.take("live/a.csv", text([row("P-1", updated_at=ago(2))]))
    violations = Violations(ingest.call, ingest.tables["Violations"])
    transact(ingest.call, [violations.hold(violations.get(["P-1"])["P-1"], "pay-1")])
    transact(ingest.call, [violations.settle("P-1", "pay-1", 50_000, "2026-11-20T10:00:00+03:00", "GH-1")])

    def settlement() -> dict[str, Any]:
        return {name: value for name, value in ingest.violations()["P-1"].items() if name in PAY_ATTRIBUTES}

    paid = settlement()
    assert len(paid) == 4
    report = ingest.take("live/a.csv", text([row("P-1", amount="99000", status="cancelled", plate_number="777")]))
    assert report["counts"]["updated"] == 1
    assert settlement() == paid
    assert ingest.violations()["P-1"]["amount"] == {"N": "99000"}
    assert "tell" not in ingest.violations()["P-1"]


def test_only_live_recent_rows_tell(ingest: Ingest) -> None:
    def told(key: str, *rows: dict[str, str]) -> list[str | None]:
        ingest.take(key, text(rows))
        items = ingest.violations()
        return [items[each["violation_no"]].get("tell", {}).get("S") for each in rows]

    old = {"occurred_at": ago(50), "recorded_at": ago(46)}
    assert told("live/a.csv", row("L-1"), row("L-2", **old), row("L-3", status="paid")) == ["opened", None, None]
    assert told("backlog/a.csv", row("B-1")) == [None]
    newer = {"updated_at": ago(0.5)}
    assert told("live/b.csv", row("L-1", amount="7000", **newer)) == [None]
    assert told("live/c.csv", row("L-1", amount="7000", plate_number="9", updated_at=ago(0.4))) == ["opened"]
    assert told("live/d.csv", row("L-1", status="ملغاة", updated_at=ago(0.3))) == ["cancelled"]


@pytest.mark.parametrize("most_rows", [3, 5_000], ids=["in a later chunk", "in the first"])
def test_a_header_again_and_rows_of_spaces_are_in_no_count(
    ingest: Ingest, monkeypatch: pytest.MonkeyPatch, most_rows: int
) -> None:
    monkeypatch.setattr(chunking, "MAX_CHUNK_ROWS", most_rows)
    first, second = (text([row() for _ in range(4)]) for _ in range(2))
    report = ingest.take("backlog/two.csv", first + b" , \xc2\xa0,\t\r\n" + second)
    assert (report["status"], report["counts"]["inserted"], report["counts"]["rows"]) == ("loaded", 8, 8)
    assert [(each["code"], each["rows"], each["first_line"]) for each in report["warnings"]] == [
        ("header_repeated", 1, 7)
    ]


def test_a_header_of_another_order_far_down_refuses_the_file(ingest: Ingest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunking, "MAX_CHUNK_ROWS", 3)
    other = [*COLUMNS[1:], COLUMNS[0]]
    report = ingest.take("backlog/two.csv", text([row() for _ in range(4)]) + text([row()], other))
    assert (report["status"], report["error"]["code"], report["error"]["line"]) == ("refused", "header_again", 6)
    assert ingest.violations() == {}


def test_what_a_reference_says_is_shown_in_the_report_and_on_its_page(ingest: Ingest) -> None:
    columns = (*(name for name in COLUMNS if name != "status"), "legal_ref")
    report = ingest.take(
        "live/a.csv", text([{**row(), "legal_ref": ref} for ref in ("3/25", "0", "0", "25/3")], columns)
    )
    first, second = report["warnings"]
    assert (first["code"], first["rows"], first["examples"]) == ("status_defaulted", 4, [])
    assert (second["code"], second["rows"], second["examples"]) == ("article_unknown", 3, ["3/25", "0"])
    assert second["message_en"].endswith(": 3/25, 0")
    assert second["message"] in ingest.read("reports/live/a.csv.html").decode()


def test_unknown_columns_and_defaults_are_warned_of(ingest: Ingest) -> None:
    columns = tuple(column for column in COLUMNS if column != "recorded_at")
    rows = [{**row(plate_category="مدرعة"), "ملاحظات": "x"} for _ in range(2)]
    for each in rows:
        del each["recorded_at"]
    report = ingest.take("backlog/w.csv", text(rows, (*columns, "ملاحظات")))
    assert [(warning["code"], warning["column"], warning["rows"]) for warning in report["warnings"]] == [
        ("category_other", "plate_category", 2),
        ("recorded_at_defaulted", "recorded_at", 2),
        ("column_unknown", "ملاحظات", 1),
    ]
    assert all(warning["message"] for warning in report["warnings"])


@pytest.mark.parametrize(
    ("content", "options", "code"),
    [
        (b"", {}, "file_empty"),
        (text([]), {}, "no_rows"),
        (text([row()], (*COLUMNS[1:], "violation_no")).replace(b"amount", b"money"), {}, "column_missing"),
        (text([row()]).decode().encode("cp1256"), {}, "not_utf8"),
        (text([row()]), {"Metadata": {"encoding": "iso-8859-6"}}, "encoding_unknown"),
        (text([*(row() for _ in range(9)), *(row(amount="x") for _ in range(26))]), {}, "too_many_bad_rows"),
    ],
)
def test_a_refused_file_writes_nothing_and_says_why(
    ingest: Ingest, content: bytes, options: dict[str, Any], code: str
) -> None:
    report = ingest.take("live/no.csv", content, **options)
    assert (report["status"], report["error"]["code"]) == ("refused", code)
    assert report["error"]["message"]
    assert report["counts"] == dict.fromkeys(("rows", "inserted", "updated", "unchanged", "stale", "rejected"), 0)
    assert ingest.violations() == {}
    assert json.loads(ingest.read("reports/live/no.csv.json")) == report


def test_a_declared_utf8_is_taken(ingest: Ingest) -> None:
    assert ingest.take("live/u.csv", text([row()]), Metadata={"encoding": "UTF-8"})["status"] == "loaded"


def test_a_file_deleted_before_it_is_read_is_refused(ingest: Ingest) -> None:
    message = ingest.put("live/gone.csv", text([row()]))
    ingest.delete(message)
    version = ingest.receive(message)
    assert (ingest.report(version)["status"], ingest.report(version)["error"]["code"]) == ("refused", "object_missing")


def test_a_file_deleted_while_it_loads_has_failed(ingest: Ingest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunking, "MAX_CHUNK_ROWS", 2)
    message = ingest.put("live/gone.csv", text([row() for _ in range(4)]))
    version = ingest.receive(message)
    ingest.load(*ingest.queued.pop(0))
    ingest.delete(message)
    ingest.load_all()
    assert (ingest.report(version)["status"], ingest.report(version)["error"]["code"]) == ("failed", "object_missing")


def test_messages_that_come_again_in_any_order_change_nothing(ingest: Ingest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunking, "MAX_CHUNK_ROWS", 2)
    rows = [row(f"D-{index % 5}", updated_at=ago(3 - index / 10), amount=str(1000 + index + 1)) for index in range(9)]
    rows[4] = row("D-BAD", amount="x")
    message = ingest.put("live/d.csv", text(rows))
    version = ingest.receive(message)
    chunks = list(ingest.queued)
    assert len(chunks) == 5
    ingest.receive(message)
    assert ingest.queued == chunks  # it was queued before, and is not again
    for index in (4, 0, 4, 2, 0, 3, 3):
        ingest.load(*chunks[index])
    with pytest.raises(ingest.s3.exceptions.NoSuchKey):
        ingest.report(version)
    ingest.load(*chunks[1])
    report, items, written = ingest.report(version), ingest.violations(), ingest.objects()
    assert sum(report["counts"][name] for name in report["counts"] if name != "rows") == report["counts"]["rows"] == 9
    assert report["counts"]["rejected"] == 1

    for chunk in [*chunks, *chunks]:
        assert ingest.load(*chunk) == {}
    ingest.receive(message)
    assert (ingest.report(version), ingest.violations(), ingest.objects()) == (report, items, written)


def test_without_time_a_chunk_is_left_for_later_and_loses_nothing(
    ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load_chunk, "BATCH", 2)
    version = ingest.receive(ingest.put("live/t.csv", text([row() for _ in range(6)])))
    left = iter((60.0, 60.0, 1.0))
    ingest.seconds_left = lambda: next(left)
    with pytest.raises(LaterError):
        ingest.load(*ingest.queued[0])
    assert len(ingest.violations()) == 4
    ingest.seconds_left = lambda: 60.0
    ingest.load_all()
    assert ingest.report(version)["counts"]["inserted"] == 6


def test_one_run_finishes_a_file_and_another_waits_until_it_is_surely_gone(ingest: Ingest) -> None:
    version = ingest.receive(ingest.put("live/f.csv", text([row()])))
    (file_id, chunk), files = ingest.queued[0], ingest.files()
    counts = {"inserted": 1, "updated": 0, "unchanged": 0, "stale": 0, "rejected": 0}
    assert files.chunk_done(file_id, DoneChunk(1, counts, '{"warnings": [], "rejected": []}'), ingest.clock())
    assert files.take_finish(file_id, ingest.clock(), ingest.later(60))
    with pytest.raises(LaterError):
        ingest.load(file_id, chunk)
    ingest.wait(61)
    ingest.load(file_id, chunk)
    assert ingest.report(version)["status"] == "loaded"


def test_counts_that_do_not_add_up_fail_the_file(ingest: Ingest) -> None:
    content = text([row(), row()])
    version = ingest.receive(ingest.put("live/c.csv", content))
    ((file_id, chunk),) = ingest.queued
    ingest.load(file_id, chunk._replace(end=content.rindex(b"R-")))
    assert (ingest.report(version)["status"], ingest.report(version)["error"]["code"]) == ("failed", "counts_differ")


def statuses(ingest: Ingest, key: str, *versions: FileVersion) -> list[str]:
    shown = json.loads(ingest.read(f"reports/{key}.json"))["version_id"]
    return ["shown" if version.version_id == shown else "beside" for version in versions]


def test_an_older_version_that_ends_later_stays_beside_the_newer_ones_report(ingest: Ingest) -> None:
    rows = [*(row() for _ in range(9)), row("OLD-BAD", amount="x")]
    older = ingest.receive(ingest.put("live/k.csv", text(rows)))
    waiting, ingest.queued = ingest.queued, []
    rows[9] = row("NEW-BAD", amount="x")
    newer = ingest.receive(ingest.put("live/k.csv", text(rows)))
    ingest.load_all()
    ingest.queued = waiting
    ingest.load_all()
    assert statuses(ingest, "live/k.csv", older, newer) == ["beside", "shown"]
    assert [bad["violation_no"] for bad in ingest.rejected("live/k.csv")] == ["NEW-BAD"]
    own = ingest.report(older)["rejects"]["key"].removeprefix("rejects/")
    assert [bad["violation_no"] for bad in ingest.rejected(own)] == ["OLD-BAD"]


def test_a_slow_finisher_of_an_older_version_puts_the_newer_ones_report_back(ingest: Ingest) -> None:
    older = ingest.receive(ingest.put("live/r.csv", text([row()])))
    ((file_id, chunk),), ingest.queued = ingest.queued, []
    newer: list[FileVersion] = []

    def meanwhile() -> None:
        newer.append(ingest.receive(ingest.put("live/r.csv", text([row()]))))
        ingest.load_all()

    ingest.before_put("reports/live/r.csv.json", meanwhile)
    ingest.load(file_id, chunk)
    assert statuses(ingest, "live/r.csv", older, *newer) == ["beside", "shown"]


def test_keys_are_decoded_and_a_test_event_is_nothing(ingest: Ingest) -> None:
    from ingest.on_file import versions

    assert list(versions('{"Service": "Amazon S3", "Event": "s3:TestEvent"}')) == []
    (version,) = versions(ingest.put("live/ملف (1) +x.csv", b""))
    assert list(versions(ingest.put("live/2026/", b""))) == []  # a folder, as consoles and file managers make it
    assert (version.key, version.origin) == ("live/ملف (1) +x.csv", "live")
