"""A file that is only checked: its report says what loading it would come to, and nothing else happens."""

from __future__ import annotations

import itertools
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest import chunking
from shared.clock import now
from shared.domain.message import Message, MessageKind
from shared.domain.plate import GERMAN, Plate
from shared.domain.time import to_text
from shared.stores.messaging.messages import Telling, marker
from tests.integration.test_ingest_registry import card, cards
from tests.support.aws import Engine, Tables
from tests.support.build import follow
from tests.support.ingest_world import World
from tests.support.ingesting import Ingest, ago, row, text

HERE, THERE = Plate(GERMAN, "11", "ز", "12345"), Plate(GERMAN, "11", "ز", "67890")
MOVED_AWAY = {"plate_number": "67890"}


@pytest.fixture
def ingest(engine: Engine, tables: Tables) -> Ingest:
    return Ingest(engine, tables)


def counts(report: dict[str, Any]) -> dict[str, int]:
    return {name: count for name, count in report["counts"].items() if count}


def told(ingest: Ingest, kind: MessageKind, violation_no: str, sub: str) -> None:
    """A citizen has heard of a violation."""
    message = Message(f"{kind}-{violation_no}-{sub}", sub, kind, to_text(now()), HERE.key, (violation_no,))
    assert ingest.messages().tell([Telling(message, [marker(violation_no, sub, kind)])], now())


def known_and_new() -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Rows that are loaded, and rows that come to everything that can become of one."""
    names = ("same", "changed", "moved", "paid", "cancelled", "newer", "ends")
    known = {name: row(f"K-{name}", updated_at=ago(3)) for name in names}
    known["paid"] |= {"status": "paid"}
    known["cancelled"] |= {"status": "paid"}
    later = {name: {**cells, "updated_at": ago(2)} for name, cells in known.items()}
    coming = [
        known["same"],
        {**later["changed"], "amount": "60000"},
        {**later["moved"], **MOVED_AWAY},
        {**later["paid"], "status": "open"},
        {**later["cancelled"], "status": "open", "updated_at": ""},
        {**known["newer"], "updated_at": ago(4), "amount": "75000"},
        {**later["ends"], "status": "cancelled"},
        row("N-1"),
        row("N-2"),
        row("B-1", amount="5e4"),
        *(row(f"N-{number}") for number in range(3, 30)),
    ]
    return list(known.values()), coming


COMES_TO = {"rows": 37, "inserted": 29, "updated": 4, "unchanged": 1, "stale": 1, "rejected": 2}


def test_what_a_load_would_come_to_is_said_and_nothing_is_done(ingest: Ingest) -> None:
    known, coming = known_and_new()
    ingest.take("live/known.csv", text(known))
    violations, feed, heard = ingest.violations(), ingest.files().feed(), len(ingest.told)

    report = ingest.take("check/live/a.csv", text(coming))

    assert report["status"] == "checked"
    assert report["counts"] == COMES_TO
    assert report["check"] == {
        "would_be": "loaded",
        "moved": 1,
        "reopened": 1,
        "people": 0,
        "messages": 0,
        "message": "هذا فحص فقط: لم يُحمَّل شيء ولم يُبلَّغ أحد",
        "message_en": "This was only a check: nothing was loaded, and nobody was told",
    }
    assert [(each["line"], each["error_code"]) for each in ingest.rejected("check/live/a.csv")] == [
        ("6", "reopens_undated"),
        ("11", "amount_e_notation"),
    ]
    assert ingest.violations() == violations
    assert (ingest.files().feed(), len(ingest.told)) == (feed, heard)


def test_a_check_and_then_the_load_say_the_same(ingest: Ingest) -> None:
    known, coming = known_and_new()
    ingest.take("live/known.csv", text(known))
    checked = ingest.take("check/live/a.csv", text(coming))
    loaded = ingest.take("live/a.csv", text(coming))
    assert loaded["check"] is None
    for said in ("counts", "warnings"):
        assert checked[said] == loaded[said]
    assert checked["rejects"]["reasons"] == loaded["rejects"]["reasons"]
    assert checked["check"]["would_be"] == loaded["status"]
    again = ingest.take("check/live/a.csv", text(coming))
    assert counts(again)["unchanged"] == 34


@pytest.mark.parametrize(
    ("folder", "content", "items"),
    [
        ("live", text([row()]), "Violations"),
        ("backlog", text([row()]), "Violations"),
        ("registry", cards(card()), "Registry"),
    ],
)
def test_a_check_of_each_kind_writes_no_row_and_moves_no_instant(
    ingest: Ingest, folder: str, content: bytes, items: str
) -> None:
    report = ingest.take(f"check/{folder}/a.csv", content)
    assert (report["status"], counts(report)) == ("checked", {"rows": 1, "inserted": 1})
    assert list(ingest.tables.items(items)) == []
    assert ingest.files().feed() is None
    assert ingest.told == []
    assert counts(ingest.take(f"{folder}/a.csv", content)) == {"rows": 1, "inserted": 1}
    again = ingest.take(f"check/{folder}/a.csv", content)
    assert (counts(again), again["check"]["would_be"]) == ({"rows": 1, "unchanged": 1}, "loaded")


class TestWhoWouldBeTold:
    def test_each_follower_once_however_many_rows_and_chunks(
        self, ingest: Ingest, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(chunking, "MAX_CHUNK_ROWS", 2)
        follow(ingest.citizens(), "both", HERE)
        follow(ingest.citizens(), "both", THERE)
        follow(ingest.citizens(), "one", HERE)
        follow(ingest.citizens(), "nobody", HERE, notify=False)
        follow(ingest.citizens(), "other", HERE, category="taxi")
        rows = [row(), row(), row(), row(**MOVED_AWAY), row(**MOVED_AWAY), row(plate_number="11111")]
        check = ingest.take("check/live/a.csv", text(rows))["check"]
        assert (check["people"], check["messages"]) == (2, 3)
        assert list(ingest.tables.items("Messages")) == []

    @pytest.mark.parametrize("cells", [{"status": "paid"}, {"recorded_at": ago(60), "occurred_at": ago(60)}])
    def test_nobody_of_what_is_no_news(self, ingest: Ingest, cells: dict[str, str]) -> None:
        follow(ingest.citizens(), plate=HERE)
        assert ingest.take("check/live/a.csv", text([row(**cells)]))["check"]["people"] == 0

    def test_nobody_of_a_backlog(self, ingest: Ingest) -> None:
        follow(ingest.citizens(), plate=HERE)
        assert ingest.take("check/backlog/a.csv", text([row()]))["check"]["people"] == 0

    def test_nobody_twice(self, ingest: Ingest) -> None:
        follow(ingest.citizens(), "knows", HERE)
        follow(ingest.citizens(), "new", HERE)
        told(ingest, MessageKind.NEW_VIOLATION, "V-1", "knows")
        assert ingest.take("check/live/a.csv", text([row("V-1")]))["check"]["people"] == 1

    def test_of_a_cancelled_one_those_who_have_heard_of_it(self, ingest: Ingest) -> None:
        follow(ingest.citizens(), "knows", HERE)
        follow(ingest.citizens(), "never heard", HERE)
        ingest.take("live/a.csv", text([row("V-1", updated_at=ago(3))]))
        told(ingest, MessageKind.NEW_VIOLATION, "V-1", "knows")
        cancelled = row("V-1", status="cancelled", updated_at=ago(2))
        assert ingest.take("check/live/b.csv", text([cancelled]))["check"]["people"] == 1

    def test_of_one_that_moves_both_plates(self, ingest: Ingest) -> None:
        follow(ingest.citizens(), "here", HERE)
        follow(ingest.citizens(), "there", THERE)
        ingest.take("live/a.csv", text([row("V-1", updated_at=ago(3))]))
        told(ingest, MessageKind.NEW_VIOLATION, "V-1", "here")
        moved = row("V-1", updated_at=ago(2), **MOVED_AWAY)
        check = ingest.take("check/live/b.csv", text([moved]))["check"]
        assert (check["people"], check["messages"], check["moved"]) == (2, 2, 1)

    def test_who_they_are_stands_nowhere(self, ingest: Ingest) -> None:
        follow(ingest.citizens(), "somebody", HERE)
        ingest.take("check/live/a.csv", text([row()]))
        kept = [ingest.read(key) for key, _ in ingest.objects() if key.endswith("-told.json")]
        assert [b"somebody" in content or HERE.key.encode() in content for content in kept] == [False]


class TestDoubles:
    def test_within_a_chunk_a_number_counts_as_in_the_load(self, ingest: Ingest) -> None:
        rows = [row("V-1", updated_at=ago(3)), row("V-1", updated_at=ago(2)), row("V-2"), row("V-2", **MOVED_AWAY)]
        checked, loaded = (ingest.take(key, text(rows)) for key in ("check/live/a.csv", "live/a.csv"))
        assert (checked["counts"], checked["warnings"]) == (loaded["counts"], loaded["warnings"])

    def test_across_chunks_each_counts_beside_what_is_known(
        self, ingest: Ingest, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(chunking, "MAX_CHUNK_ROWS", 1)
        rows = [row("V-1", updated_at=ago(3)), row("V-1", updated_at=ago(2))]
        assert counts(ingest.take("check/live/a.csv", text(rows))) == {"rows": 2, "inserted": 2}
        assert counts(ingest.take("live/a.csv", text(rows))) == {"rows": 2, "inserted": 1, "updated": 1}

    def test_what_another_file_changes_meanwhile_is_not_written_over(
        self, ingest: Ingest, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(chunking, "MAX_CHUNK_ROWS", 1)
        known = row("V-1", updated_at=ago(3))
        ingest.take("live/known.csv", text([known]))
        rows = [{**known, "updated_at": ago(2), "amount": "60000"}, {**known, "updated_at": ""}]
        version = ingest.receive(ingest.put("check/live/a.csv", text(rows)))
        changed, unchanged = ingest.queued
        ingest.queued.clear()
        ingest.load(*changed)
        other = text([{**known, "updated_at": ago(1), "amount": "70000"}])
        told_of_last = f"rejects/.parts/{version.file_id}/000002-told.json"
        ingest.before_put(told_of_last, lambda: ingest.take("live/other.csv", other) and None)
        ingest.load(*unchanged)
        assert counts(ingest.report(version)) == {"rows": 2, "updated": 1, "unchanged": 1}
        assert ingest.violations()["V-1"]["amount"] == {"N": "70000"}


def rejected_keys(ingest: Ingest) -> set[str]:
    found = ingest.s3.list_objects_v2(Bucket=ingest.bucket, Prefix="rejects/").get("Contents", [])
    return {each["Key"] for each in found if ".parts/" not in each["Key"] and each["Key"].count(".csv") == 1}


def test_a_check_takes_away_no_rejects_but_its_own(ingest: Ingest) -> None:
    bad, good = text([row(), row("B-1", amount="x")]), text([row(), row("B-1")])
    ingest.take("live/a.csv", bad)
    ingest.take("check/live/a.csv", bad)
    assert rejected_keys(ingest) == {"rejects/live/a.csv", "rejects/check/live/a.csv"}
    ingest.take("check/live/a.csv", good)
    assert rejected_keys(ingest) == {"rejects/live/a.csv"}
    ingest.take("check/live/a.csv", bad)
    ingest.take("live/a.csv", good)
    assert rejected_keys(ingest) == {"rejects/check/live/a.csv"}


def test_a_file_that_would_be_refused_is_refused(ingest: Ingest) -> None:
    report = ingest.take("check/live/a.csv", text([row(amount="x") for _ in range(60)]))
    assert (report["status"], report["error"]["code"]) == ("refused", "too_many_bad_rows")
    assert (report["check"]["would_be"], len(ingest.rejected("check/live/a.csv"))) == ("refused", 60)
    assert ingest.told == []


def test_one_of_which_nothing_would_be_taken_says_so(ingest: Ingest) -> None:
    report = ingest.take("check/live/a.csv", text([row(amount="x")]))
    assert (report["status"], report["check"]["would_be"]) == ("checked", "nothing_loaded")


@pytest.mark.parametrize(
    ("key", "folder"),
    [("check/other/a.csv", "check/other"), ("check/a.csv", "check"), ("check/check/live/a.csv", "check/check/live")],
)
def test_a_check_in_no_folder_of_ours_has_a_reason(ingest: Ingest, key: str, folder: str) -> None:
    report = ingest.take(key, text([row()]))
    assert (report["status"], report["error"]["code"], report["error"]["value"]) == (
        "refused",
        "folder_unknown",
        folder,
    )


def test_a_check_that_cannot_end_fails_and_calls_nobody(ingest: Ingest) -> None:
    version = ingest.receive(ingest.put("check/live/a.csv", text([row()])))
    ingest.delete(ingest.notification(version.key, version.version_id))
    ingest.load_all()
    report = ingest.report(version)
    assert (report["status"], report["check"]["would_be"]) == ("failed", None)
    assert ingest.told == []


rows_of_a_file = st.lists(
    st.fixed_dictionaries(
        {
            "violation_no": st.sampled_from([f"V{number}" for number in range(8)]),
            "plate_number": st.sampled_from(("12345", "67890")),
            "status": st.sampled_from(("open", "open", "paid", "cancelled", "disputed")),
            "amount": st.sampled_from(("50000", "5000", "500000", "1", "x")),
            "updated_at": st.sampled_from(("", "2026-11-17", "2026-11-18", "2026-11-19")),
        }
    ),
    min_size=1,
    max_size=7,
    unique_by=lambda cells: cells["violation_no"],
)
folders = st.sampled_from(("live", "backlog"))
_WORLDS = itertools.count(1)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=st.lists(st.tuples(folders, rows_of_a_file), max_size=2), folder=folders, coming=rows_of_a_file)
def test_any_file_comes_to_what_its_check_says(
    engine: Engine,
    tables: Tables,
    before: list[tuple[str, list[dict[str, str]]]],
    folder: str,
    coming: list[dict[str, str]],
) -> None:
    """Whatever is known before, of a file in which no number stands twice."""
    prefix = f"c{next(_WORLDS)}"

    def full(rows: list[dict[str, str]]) -> list[dict[str, str]]:
        then = {"occurred_at": "2026-11-15", "recorded_at": "2026-11-16"}
        return [row(**{**then, **cells, "violation_no": f"{prefix}{cells['violation_no']}"}) for cells in rows]

    world = World(engine.fast(), tables["Files"], tables["Violations"], prefix)
    with mock.patch.object(chunking, "MAX_CHUNK_ROWS", 3):
        for known_of, rows in before:
            world.upload(f"{known_of}/{prefix}-before.csv", full(rows))
            world.drain()
        world.written.clear()
        world.upload(f"check/{folder}/{prefix}.csv", full(coming))
        world.drain()
        assert world.written == []
        world.upload(f"{folder}/{prefix}.csv", full(coming))
        world.drain()
    *_, (_, checked), (_, loaded) = world.reports()
    assert checked["counts"] == loaded["counts"]
    assert (checked["rejects"] or {}).get("reasons") == (loaded["rejects"] or {}).get("reasons")
    assert checked["warnings"] == loaded["warnings"]
    assert checked["error"] == loaded["error"]
    assert checked["check"]["would_be"] == loaded["status"]
