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
from tests.support.ingesting import COLUMNS, Desk, ago, row, text


@pytest.fixture
def desk(engine: Engine, tables: Tables) -> Desk:
    return Desk(engine, tables)


def test_every_row_is_in_one_count_and_rejects_come_back(desk: Desk) -> None:
    rows = [row() for _ in range(20)]
    rows[3] = row("BAD-1", plate_governorate="30")
    rows[7] = row("BAD-2", amount="5e4")

    report = desk.take("live/a b ج.csv", text(rows))

    assert report["status"] == "loaded_with_many_rejects"
    assert report["counts"] == {"rows": 20, "inserted": 18, "updated": 0, "unchanged": 0, "stale": 0, "rejected": 2}
    assert set(desk.violations()) == {good["violation_no"] for good in rows} - {"BAD-1", "BAD-2"}
    assert [(bad["line"], bad["error_code"], bad["violation_no"]) for bad in desk.rejected("live/a b ج.csv")] == [
        ("5", "governorate_unknown", "BAD-1"),
        ("9", "amount_e_notation", "BAD-2"),
    ]


def test_the_report_lies_at_its_version_at_its_key_and_as_a_page(desk: Desk) -> None:
    version = desk.receive(desk.put("backlog/x.csv", text([row()])))
    desk.load_all()
    report = desk.read(f"reports/backlog/x.csv.{version.version_id}.json")
    assert desk.read("reports/backlog/x.csv.json") == report
    assert "تقرير تحميل الملف" in desk.read("reports/backlog/x.csv.html").decode()
    assert json.loads(report)["status"] == "loaded"
    assert desk.files().file(version.file_id).published


def test_rejects_come_back_as_they_were_and_load_when_mended(desk: Desk) -> None:
    rows = [row() for _ in range(20)]
    rows[0] = row("X-1", amount="-5", violation_code="=cmd|'/c'!A1", plate_category="@SUM(1)")
    rows[9] = row("X-2", occurred_at="31/02/2026", sector_code="ق-٧")
    desk.take("backlog/first.csv", text(rows))

    raw = desk.read("rejects/backlog/first.csv")
    assert raw.startswith(b"\xef\xbb\xbf")
    assert b"'-5" in raw
    assert b"'=cmd" in raw
    assert b"'@SUM" in raw

    again = desk.take("backlog/again.csv", raw)
    assert [(reason["column"], reason["code"]) for reason in again["rejects"]["reasons"]] == [
        ("amount", "amount_negative"),
        ("occurred_at", "date_not_in_calendar"),
    ]

    mended = raw.replace(b"'-5", b"5000").replace(b"31/02/2026", b"01/02/2026").replace(b"'=cmd|'/c'!A1", b"101")
    assert desk.take("backlog/mended.csv", mended)["counts"]["inserted"] == 2


def test_a_full_export_again_writes_nothing(desk: Desk) -> None:
    rows = [row(updated_at="") for _ in range(5)] + [row() for _ in range(5)]
    desk.take("live/export.csv", text(rows))
    before = desk.violations()
    report = desk.take("live/export.csv", text(rows))
    assert report["counts"] == {"rows": 10, "inserted": 0, "updated": 0, "unchanged": 10, "stale": 0, "rejected": 0}
    assert desk.violations() == before


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_newest_row_wins_whatever_the_order_of_files(desk: Desk, order: tuple[int, ...]) -> None:
    versions = [row("N-1", updated_at=ago(3 - day), amount=str(1000 * (day + 1))) for day in range(3)]
    for index in order:
        desk.take("backlog/one.csv", text([versions[index]]))
    assert desk.violations()["N-1"]["amount"] == {"N": "3000"}


def test_the_newest_of_a_number_in_one_file_wins_and_the_others_are_stale(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunking, "MAX_CHUNK_ROWS", 3)
    rows = [
        row("N-1", updated_at=ago(2), amount="2"),
        row("N-1", updated_at=ago(1), amount="3"),
        row("N-1", updated_at=ago(3), amount="1"),
        row("N-1", updated_at=ago(0.5), amount="4"),
        row("N-1", updated_at=ago(4), amount="5"),
    ]
    report = desk.take("backlog/dup.csv", text(rows))
    assert report["counts"] == {"rows": 5, "inserted": 1, "updated": 1, "unchanged": 0, "stale": 3, "rejected": 0}
    assert desk.violations()["N-1"]["amount"] == {"N": "4"}


def test_a_settlement_is_never_touched(desk: Desk) -> None:
    desk.take("live/a.csv", text([row("P-1", updated_at=ago(2))]))
    violations = Violations(desk.call, desk.tables["Violations"])
    transact(desk.call, [violations.hold(violations.get(["P-1"])["P-1"], "pay-1")])
    transact(desk.call, [violations.settle("P-1", "pay-1", 50_000, "2026-11-20T10:00:00+03:00", "GH-1")])

    def settlement() -> dict[str, Any]:
        return {name: value for name, value in desk.violations()["P-1"].items() if name in PAY_ATTRIBUTES}

    paid = settlement()
    assert len(paid) == 4
    report = desk.take("live/a.csv", text([row("P-1", amount="99000", status="cancelled", plate_number="777")]))
    assert report["counts"]["updated"] == 1
    assert settlement() == paid
    assert desk.violations()["P-1"]["amount"] == {"N": "99000"}
    assert "tell" not in desk.violations()["P-1"]


def test_only_live_recent_rows_tell(desk: Desk) -> None:
    def told(key: str, *rows: dict[str, str]) -> list[str | None]:
        desk.take(key, text(rows))
        items = desk.violations()
        return [items[each["violation_no"]].get("tell", {}).get("S") for each in rows]

    old = {"occurred_at": ago(50), "recorded_at": ago(46)}
    assert told("live/a.csv", row("L-1"), row("L-2", **old), row("L-3", status="paid")) == ["opened", None, None]
    assert told("backlog/a.csv", row("B-1")) == [None]
    newer = {"updated_at": ago(0.5)}
    assert told("live/b.csv", row("L-1", amount="7", **newer)) == [None]
    assert told("live/c.csv", row("L-1", amount="7", plate_number="9", updated_at=ago(0.4))) == ["opened"]
    assert told("live/d.csv", row("L-1", status="ملغاة", updated_at=ago(0.3))) == ["cancelled"]


def test_unknown_columns_and_defaults_are_warned_of(desk: Desk) -> None:
    columns = tuple(column for column in COLUMNS if column != "recorded_at")
    rows = [{**row(plate_category="مدرعة"), "ملاحظات": "x"} for _ in range(2)]
    for each in rows:
        del each["recorded_at"]
    report = desk.take("backlog/w.csv", text(rows, (*columns, "ملاحظات")))
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
        (text([row(), row(amount="x")]), {}, "too_many_bad_rows"),
    ],
)
def test_a_refused_file_writes_nothing_and_says_why(
    desk: Desk, content: bytes, options: dict[str, Any], code: str
) -> None:
    report = desk.take("live/no.csv", content, **options)
    assert (report["status"], report["error"]["code"]) == ("refused", code)
    assert report["error"]["message"]
    assert report["counts"] == dict.fromkeys(("rows", "inserted", "updated", "unchanged", "stale", "rejected"), 0)
    assert desk.violations() == {}
    assert json.loads(desk.read("reports/live/no.csv.json")) == report


def test_a_declared_utf8_is_taken(desk: Desk) -> None:
    assert desk.take("live/u.csv", text([row()]), Metadata={"encoding": "UTF-8"})["status"] == "loaded"


def test_a_file_deleted_before_it_is_read_is_refused(desk: Desk) -> None:
    message = desk.put("live/gone.csv", text([row()]))
    desk.delete(message)
    version = desk.receive(message)
    assert (desk.report(version)["status"], desk.report(version)["error"]["code"]) == ("refused", "object_missing")


def test_a_file_deleted_while_it_loads_has_failed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunking, "MAX_CHUNK_ROWS", 2)
    message = desk.put("live/gone.csv", text([row() for _ in range(4)]))
    version = desk.receive(message)
    desk.load(*desk.queued.pop(0))
    desk.delete(message)
    desk.load_all()
    assert (desk.report(version)["status"], desk.report(version)["error"]["code"]) == ("failed", "object_missing")


def test_messages_that_come_again_in_any_order_change_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunking, "MAX_CHUNK_ROWS", 2)
    rows = [row(f"D-{index % 5}", updated_at=ago(3 - index / 10), amount=str(index + 1)) for index in range(9)]
    rows[4] = row("D-BAD", amount="x")
    message = desk.put("live/d.csv", text(rows))
    version = desk.receive(message)
    chunks = list(desk.queued)
    assert len(chunks) == 5
    desk.receive(message)
    assert desk.queued == chunks  # it was queued before, and is not again
    for index in (4, 0, 4, 2, 0, 3, 3):
        desk.load(*chunks[index])
    with pytest.raises(desk.s3.exceptions.NoSuchKey):
        desk.report(version)
    desk.load(*chunks[1])
    report, items, written = desk.report(version), desk.violations(), desk.objects()
    assert sum(report["counts"][name] for name in report["counts"] if name != "rows") == report["counts"]["rows"] == 9
    assert report["counts"]["rejected"] == 1

    for chunk in [*chunks, *chunks]:
        assert desk.load(*chunk) == {}
    desk.receive(message)
    assert (desk.report(version), desk.violations(), desk.objects()) == (report, items, written)


def test_without_time_a_chunk_is_left_for_later_and_loses_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load_chunk, "BATCH", 2)
    version = desk.receive(desk.put("live/t.csv", text([row() for _ in range(6)])))
    left = iter((60.0, 60.0, 1.0))
    desk.seconds_left = lambda: next(left)
    with pytest.raises(LaterError):
        desk.load(*desk.queued[0])
    assert len(desk.violations()) == 4
    desk.seconds_left = lambda: 60.0
    desk.load_all()
    assert desk.report(version)["counts"]["inserted"] == 6


def test_one_run_finishes_a_file_and_another_waits_until_it_is_surely_gone(desk: Desk) -> None:
    version = desk.receive(desk.put("live/f.csv", text([row()])))
    (file_id, chunk), files = desk.queued[0], desk.files()
    counts = {"inserted": 1, "updated": 0, "unchanged": 0, "stale": 0, "rejected": 0}
    assert files.chunk_done(file_id, DoneChunk(1, counts, '{"warnings": [], "rejected": []}'), desk.clock())
    assert files.take_finish(file_id, desk.clock(), desk.later(60))
    with pytest.raises(LaterError):
        desk.load(file_id, chunk)
    desk.wait(61)
    desk.load(file_id, chunk)
    assert desk.report(version)["status"] == "loaded"


def test_counts_that_do_not_add_up_fail_the_file(desk: Desk) -> None:
    content = text([row(), row()])
    version = desk.receive(desk.put("live/c.csv", content))
    ((file_id, chunk),) = desk.queued
    desk.load(file_id, chunk._replace(end=content.rindex(b"R-")))
    assert (desk.report(version)["status"], desk.report(version)["error"]["code"]) == ("failed", "counts_differ")


def statuses(desk: Desk, key: str, *versions: FileVersion) -> list[str]:
    shown = json.loads(desk.read(f"reports/{key}.json"))["version_id"]
    return ["shown" if version.version_id == shown else "beside" for version in versions]


def test_an_older_version_that_ends_later_stays_beside_the_newer_ones_report(desk: Desk) -> None:
    rows = [*(row() for _ in range(9)), row("OLD-BAD", amount="x")]
    older = desk.receive(desk.put("live/k.csv", text(rows)))
    waiting, desk.queued = desk.queued, []
    rows[9] = row("NEW-BAD", amount="x")
    newer = desk.receive(desk.put("live/k.csv", text(rows)))
    desk.load_all()
    desk.queued = waiting
    desk.load_all()
    assert statuses(desk, "live/k.csv", older, newer) == ["beside", "shown"]
    assert [bad["violation_no"] for bad in desk.rejected("live/k.csv")] == ["NEW-BAD"]
    own = desk.report(older)["rejects"]["key"].removeprefix("rejects/")
    assert [bad["violation_no"] for bad in desk.rejected(own)] == ["OLD-BAD"]


def test_a_slow_finisher_of_an_older_version_puts_the_newer_ones_report_back(desk: Desk) -> None:
    older = desk.receive(desk.put("live/r.csv", text([row()])))
    ((file_id, chunk),), desk.queued = desk.queued, []
    newer: list[FileVersion] = []

    def meanwhile() -> None:
        newer.append(desk.receive(desk.put("live/r.csv", text([row()]))))
        desk.load_all()

    desk.before_put("reports/live/r.csv.json", meanwhile)
    desk.load(file_id, chunk)
    assert statuses(desk, "live/r.csv", older, *newer) == ["beside", "shown"]


def test_keys_are_decoded_and_a_test_event_is_nothing(desk: Desk) -> None:
    from ingest.on_file import versions

    assert list(versions('{"Service": "Amazon S3", "Event": "s3:TestEvent"}')) == []
    (version,) = versions(desk.put("live/ملف (1) +x.csv", b""))
    assert list(versions(desk.put("live/2026/", b""))) == []  # a folder, as consoles and file managers make it
    assert (version.key, version.origin) == ("live/ملف (1) +x.csv", "live")
