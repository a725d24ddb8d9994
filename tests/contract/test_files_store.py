"""The ledger of files: what is entered once stays, and of two writers that differ the right one wins."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.domain.file import OUTCOMES, DoneChunk, FileStatus, FileVersion, Plan, Upload
from shared.domain.time import to_text
from shared.stores.files import Files
from tests.support.aws import Engine, Tables
from tests.support.build import NOON

MINUTE = timedelta(minutes=1)
VERSION = FileVersion("uploads", "live/a.csv", "v1", "0001")
NEWER = VERSION._replace(version_id="v2", order="0002")
PLAN = Plan(",", ("a", ""), ("amount", ""), 2, 7000, "2026-11-20T12:00:00+03:00", 1_000_000, "f00d", False)
CHUNK = DoneChunk(1, dict.fromkeys(OUTCOMES, 1), "{}")


@pytest.fixture
def files(engine: Engine, tables: Tables) -> Files:
    return Files(engine.fast(), tables["Files"])


class TestOneFile:
    def test_a_file_is_claimed_once(self, files: Files) -> None:
        claimed = files.claim(VERSION, NOON)
        assert (claimed.version, claimed.state, claimed.claimed_at) == (VERSION, FileStatus.CHECKING, to_text(NOON))
        assert files.claim(VERSION, NOON + MINUTE) == files.file(VERSION.file_id) == claimed
        files.plan(VERSION.file_id, PLAN)
        assert files.claim(VERSION, NOON + MINUTE).state == FileStatus.LOADING

    def test_a_file_that_was_never_claimed_is_none(self, files: Files) -> None:
        with pytest.raises(KeyError):
            files.file(VERSION.file_id)
        files.all_queued(VERSION.file_id)
        assert not files.end(VERSION.file_id, FileStatus.LOADED, "{}")
        assert not files.take_finish(VERSION.file_id, NOON, NOON + MINUTE)
        with pytest.raises(KeyError):
            files.file(VERSION.file_id)

    def test_a_state_of_a_later_version_is_kept_and_neither_planned_nor_ended(
        self, engine: Engine, files: Files, tables: Tables
    ) -> None:
        files.claim(VERSION, NOON)
        later = next(item for item in tables.items("Files") if "state" in item) | {"state": {"S": "held_for_review"}}
        engine.fast()("dynamodb", "PutItem", {"TableName": tables["Files"], "Item": later})
        files.plan(VERSION.file_id, PLAN)
        assert not files.end(VERSION.file_id, FileStatus.LOADED, "{}")
        kept = files.file(VERSION.file_id)
        assert (kept.state, kept.plan) == ("held_for_review", None)

    def test_a_second_plan_changes_nothing(self, files: Files) -> None:
        files.claim(VERSION, NOON)
        files.plan(VERSION.file_id, PLAN)
        files.chunk_done(VERSION.file_id, CHUNK, NOON)
        planned = files.file(VERSION.file_id)
        assert (planned.plan, planned.state, planned.chunks_done) == (PLAN, FileStatus.LOADING, 1)
        files.plan(VERSION.file_id, PLAN._replace(chunks=9))
        assert files.file(VERSION.file_id) == planned

    @pytest.mark.parametrize(
        ("state", "planned"), [(FileStatus.REFUSED, False), (FileStatus.LOADED, False), (FileStatus.FAILED, True)]
    )
    def test_a_file_that_ended_is_planned_only_where_it_failed(
        self, files: Files, state: FileStatus, planned: bool
    ) -> None:
        files.claim(VERSION, NOON)
        files.end(VERSION.file_id, state, "{}")
        files.plan(VERSION.file_id, PLAN)
        assert (files.file(VERSION.file_id).plan == PLAN) is planned

    def test_one_at_a_time_finishes(self, files: Files) -> None:
        files.claim(VERSION, NOON)
        assert files.take_finish(VERSION.file_id, NOON, NOON + MINUTE)
        assert not files.take_finish(VERSION.file_id, NOON + MINUTE, NOON + 2 * MINUTE)
        assert files.take_finish(VERSION.file_id, NOON + 1.5 * MINUTE, NOON + 3 * MINUTE)

    @pytest.mark.parametrize("state", [FileStatus.LOADED, FileStatus.REFUSED])
    def test_what_has_ended_ends_no_other_way(self, files: Files, state: str) -> None:
        files.claim(VERSION, NOON)
        assert files.end(VERSION.file_id, state, "first")
        assert not files.end(VERSION.file_id, FileStatus.FAILED, "second")
        ended = files.file(VERSION.file_id)
        assert (ended.state, ended.report) == (state, "first")

    def test_what_had_failed_may_end_well_and_is_published_anew(self, files: Files) -> None:
        files.claim(VERSION, NOON)
        files.end(VERSION.file_id, FileStatus.FAILED, "first")
        files.all_published(VERSION.file_id, "first")
        assert files.file(VERSION.file_id).published
        assert files.end(VERSION.file_id, FileStatus.LOADED, "second")
        assert not files.file(VERSION.file_id).published
        files.all_published(VERSION.file_id, "first")  # by a run that was slow
        assert not files.file(VERSION.file_id).published


class TestChunks:
    def test_a_chunk_is_counted_once(self, files: Files) -> None:
        files.claim(VERSION, NOON)
        files.plan(VERSION.file_id, PLAN)
        assert not files.is_done(VERSION.file_id, 1)
        assert files.chunk_done(VERSION.file_id, CHUNK, NOON)
        assert not files.chunk_done(VERSION.file_id, CHUNK._replace(notes="other"), NOON)
        assert files.is_done(VERSION.file_id, 1)
        assert list(files.chunks(VERSION.file_id)) == [CHUNK]
        file = files.file(VERSION.file_id)
        assert (file.chunks_done, file.rows_done, file.all_done) == (1, len(OUTCOMES), False)

    def test_the_last_makes_all(self, files: Files) -> None:
        files.claim(VERSION, NOON)
        files.plan(VERSION.file_id, PLAN)
        for number in (2, 1):
            files.chunk_done(VERSION.file_id, CHUNK._replace(number=number), NOON)
        assert files.file(VERSION.file_id).all_done
        assert [chunk.number for chunk in files.chunks(VERSION.file_id)] == [1, 2]


class TestNewest:
    def test_the_newest_version_of_a_key_is_known_whoever_comes_last(self, files: Files) -> None:
        assert files.newest(VERSION.bucket, VERSION.key) is None
        for version, newest in ((VERSION, VERSION), (NEWER, NEWER), (VERSION, NEWER)):
            files.claim(version, NOON)
            assert files.newest(VERSION.bucket, VERSION.key) == newest.file_id

    def test_the_feed_goes_up_to_its_newest_file(self, files: Files) -> None:
        assert files.feed() is None
        days = [f"2026-11-2{day}T08:00:00+03:00" for day in (1, 3, 2)]
        for day in days:
            files.note_feed(day)
        assert files.feed() == days[1]


def test_an_upload_is_found_by_its_id(files: Files) -> None:
    upload = Upload("u1", "sub", "uploads", "live/a.csv")
    assert files.upload("u1") is None
    files.put_upload(upload, NOON)
    assert files.upload("u1") == upload
