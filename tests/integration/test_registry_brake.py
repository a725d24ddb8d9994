"""The brake of registrations: a file that would replace many numbers replaces none until the operator lets it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.operator import registering
from infra.operator.registering import QUEUED, RegisteringError
from ingest import chunking, load_chunk
from ingest.chunking import Chunk
from ingest.reporting.operator_mail import body, subject
from shared.aws_json import Json
from shared.domain.file import File
from shared.domain.plate import GERMAN, Plate
from tests.support.aws import Engine, Tables
from tests.support.build import NOON
from tests.support.crashes import Crash, Faults
from tests.support.ingesting import Ingest, text

KEY = "registry/b.csv"
COLUMNS = ("plate_family", "plate_governorate", "plate_letter", "plate_number", "registration_no", "updated_at")

Rows = list[dict[str, str]]


@pytest.fixture
def ingest(engine: Engine, tables: Tables, monkeypatch: pytest.MonkeyPatch) -> Ingest:
    """Four numbers may be replaced at once; chunks of three rows, written two at a time. A1 to A9 are known."""
    monkeypatch.setattr(chunking, "MAX_CHUNK_ROWS", 3)
    monkeypatch.setattr(load_chunk, "BATCH", 2)
    ingest = Ingest(engine, tables)
    ingest.max_moved = 4
    assert take(ingest, cards("A", range(1, 10)), "registry/a.csv", days=3)["inserted"] == 9
    return ingest


def cards(letter: str, plates: Iterable[int], updated_at: str = "") -> Rows:
    """Rows of plates, each with a number of a letter and the plate's own digits."""
    return [
        {
            "plate_family": "german",
            "plate_governorate": "11",
            "plate_letter": "ز",
            "plate_number": str(plate),
            "registration_no": f"{letter}-{plate:05}",
            "updated_at": updated_at,
        }
        for plate in plates
    ]


def minute(at: int) -> str:
    """A minute after everything that is known."""
    return f"{NOON:%Y-%m-%d}T23:{at:02}:00"


def take(ingest: Ingest, rows: Rows, key: str = KEY, days: float = 0) -> dict[str, int]:
    """Bring a file that came some days before noon to its end; returns its counts that are not 0, without the sum."""
    report = ingest.take_at(NOON - timedelta(days=days), key, text(rows, COLUMNS))
    counts: dict[str, int] = report["counts"]
    assert sum(count for name, count in counts.items() if name != "rows") == counts["rows"] == len(rows)
    return {name: count for name, count in counts.items() if count and name != "rows"}


def report(ingest: Ingest, key: str = KEY) -> Json:
    found: Json = json.loads(ingest.read(f"reports/{key}.json"))
    return found


def letters(ingest: Ingest, plates: Iterable[int] = range(1, 10)) -> str:
    """The letters of the numbers that stand on plates, in their order."""
    registry, found = ingest.registry(), ""
    items = {item["pk"]["S"]: item["number"]["S"] for item in ingest.tables.items("Registry") if "number" in item}
    for plate in plates:
        key = Plate(GERMAN, "11", "ز", str(plate)).key
        number = items[registry._crypto.plate_fingerprint(key)]
        crypto = registry._crypto
        found += next(c for c in "ABCD" if crypto.registration_fingerprint(key, f"{c}{plate:05}") == number)
    return found


def release(ingest: Ingest, tables: Tables, *, load: bool = True) -> dict[str, int]:
    """Let the newest version of the file in, as the operator does, and load what that queues."""

    def send(QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 (boto3's names)
        for entry in Entries:
            message = json.loads(entry["MessageBody"])
            ingest.queued.append((message.pop("file"), Chunk(**message)))
        return {}

    clients = {"s3": ingest.s3, "sqs": SimpleNamespace(send_message_batch=send)}
    physical = {"Files": tables["Files"], "Uploads": ingest.bucket, "ChunkQueue": "url"}
    deployment: Any = SimpleNamespace(call=ingest.call, clients=clients.__getitem__, physical=physical)
    registering.waiting(deployment, newest(ingest))
    done = registering.release(deployment, newest(ingest))
    if load:
        ingest.load_all()
    return done


def newest(ingest: Ingest) -> File:
    files = ingest.files()
    file_id = files.newest(ingest.bucket, KEY)
    assert file_id
    return files.file(file_id)


def test_few_numbers_are_replaced_when_the_file_has_ended(ingest: Ingest) -> None:
    version = ingest.receive(ingest.put(KEY, text([*cards("B", range(1, 5)), *cards("A", range(5, 12))], COLUMNS)))
    first, *others = ingest.queued
    ingest.load(*first)
    assert letters(ingest) == "AAAAAAAAA"
    ingest.queued = others
    ingest.load_all()
    assert letters(ingest, range(1, 12)) == "BBBBAAAAAAA"
    counts = ingest.report(version)["counts"]
    assert (counts["updated"], counts["unchanged"], counts["inserted"], counts["waiting"]) == (4, 5, 2, 0)
    assert ingest.report(version)["status"] == "loaded"


def test_more_than_that_wait_and_everybody_is_told_so(ingest: Ingest) -> None:
    rows = [*cards("B", range(1, 6)), *cards("A", range(6, 9)), *cards("B", range(20, 22))]
    assert take(ingest, rows) == {"waiting": 5, "unchanged": 3, "inserted": 2}
    assert letters(ingest) == "AAAAAAAAA"
    assert letters(ingest, (20, 21)) == "BB"
    found = report(ingest)
    assert found["status"] == "numbers_wait"
    command = "make release-registry KEY=registry/b.csv REASON='...' APPLY=1"
    assert command in body(found)
    assert "5 waiting" in body(found)
    assert subject(found) == "Gharama: numbers of a registration file wait"
    page = ingest.read(f"reports/{KEY}.html").decode()
    assert 'وتنتظر الإذن</th><td class="number"><bdi dir="ltr">5<' in page
    assert command.replace("'", "&#x27;") in page


def test_a_small_file_need_not_be_counted_first(ingest: Ingest) -> None:
    assert take(ingest, cards("B", range(1, 5))) == {"updated": 4}
    assert not [key for key, _ in ingest.objects() if "waiting" in key]


def test_what_waits_is_loaded_once_it_is_released(ingest: Ingest, tables: Tables) -> None:
    take(ingest, [*cards("B", range(1, 6)), *cards("A", range(6, 12))])
    walks = ingest.walks
    assert release(ingest, tables) == {QUEUED: 2}
    assert ingest.walks == walks + 1
    assert letters(ingest) == "BBBBBAAAA"
    found = report(ingest)
    assert found["status"] == "loaded"
    counts = {name: count for name, count in found["counts"].items() if count}
    assert counts == {"rows": 11, "updated": 5, "unchanged": 4, "inserted": 2}
    with pytest.raises(RegisteringError):
        release(ingest, tables)


def test_a_file_released_twice_at_once_is_loaded_once(ingest: Ingest, tables: Tables) -> None:
    take(ingest, cards("B", range(1, 6)))
    assert release(ingest, tables, load=False) == release(ingest, tables, load=False) == {QUEUED: 2}
    assert len(ingest.queued) == 4
    ingest.load_all()
    assert (letters(ingest), report(ingest)["counts"]["updated"]) == ("BBBBBAAAA", 5)


def test_a_release_that_dies_anywhere_is_gone_on_with(ingest: Ingest, tables: Tables) -> None:
    for at in range(1, 30):
        key_rows = cards("BC"[at % 2], range(1, 6), minute(at))
        assert take(ingest, key_rows, days=-2) == {"waiting": 5}
        faults, whole = Faults(), ingest.call
        ingest.call = faults.through(whole)
        try:
            with faults.fail(at, after=at % 2 == 0, error=Crash()):
                release(ingest, tables, load=False)
        except Crash:
            ingest.call = whole
            release(ingest, tables)
        else:
            break
        assert (letters(ingest)[:5], report(ingest)["counts"]["updated"]) == ("BC"[at % 2] * 5, 5)
    assert at > 8


def test_finishing_that_dies_anywhere_counts_each_row_once(ingest: Ingest) -> None:
    for at in range(1, 60):
        rows = [*cards("BC"[at % 2], range(1, 5), minute(at)), *cards("A", range(6, 8))]
        version = ingest.receive(ingest.put(KEY, text(rows, COLUMNS)))
        *others, last = ingest.queued
        ingest.queued = []
        for each in others:
            ingest.load(*each)
        faults, whole = Faults(), ingest.call
        ingest.call = faults.through(whole)
        try:
            with faults.fail(at, after=at % 2 == 0, error=Crash()):
                ingest.load(*last)
        except Crash:
            ingest.call = whole
            ingest.wait(120)
            ingest.load(*last)
        else:
            ingest.call = whole
            break
        counts = ingest.report(version)["counts"]
        assert (counts["updated"], counts["unchanged"], counts["waiting"]) == (4, 2, 0), at
        assert letters(ingest) == "BC"[at % 2] * 4 + "AAAAA"
    assert at > 10


def test_what_a_newer_file_says_meanwhile_stays(ingest: Ingest, tables: Tables) -> None:
    take(ingest, cards("B", range(1, 6)), days=2)
    assert take(ingest, cards("C", range(1, 3)), "registry/c.csv", days=1) == {"updated": 2}
    release(ingest, tables)
    assert letters(ingest) == "CCBBBAAAA"
    found = report(ingest)
    assert (found["counts"]["updated"], found["counts"]["stale"]) == (3, 2)


def test_two_files_at_once_end_as_one_after_the_other(ingest: Ingest) -> None:
    def cut(rows: Rows, days: int) -> list[tuple[str, Chunk]]:
        ingest.receive(ingest.put_at(NOON - timedelta(days=days), f"registry/{days}.csv", text(rows, COLUMNS)))
        found, ingest.queued = ingest.queued, []
        return found

    rest = cards("A", range(6, 9))
    older, newer = (
        cut([*cards("B", range(1, 5)), *rest], 2),
        cut([*cards("C", range(3, 6)), *rest, *cards("D", (9,))], 1),
    )
    for one, other in zip(older, newer, strict=True):
        ingest.load(*other)
        ingest.load(*one)
    assert letters(ingest) == "BBCCCAAAD"
    found = [report(ingest, f"registry/{days}.csv")["counts"] for days in (2, 1)]
    assert [(each["updated"], each["stale"], each["waiting"]) for each in found] == [(2, 2, 0), (4, 0, 0)]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
@pytest.mark.parametrize(("last", "ends"), [("A", "A"), ("B", "B"), ("C", "C")])
def test_of_a_number_said_twice_the_later_line_counts(
    ingest: Ingest, order: tuple[int, ...], last: str, ends: str
) -> None:
    rows = [*cards("B", (1,)), *cards("A", range(2, 8)), *cards(last, (1,)), *cards("D", (9,))]
    ingest.receive(ingest.put(KEY, text(rows, COLUMNS)))
    chunks, ingest.queued = ingest.queued, []
    for at in order:
        ingest.load(*chunks[at])
    assert letters(ingest) == f"{ends}AAAAAAAD"
    assert report(ingest)["counts"]["waiting"] == 0
    if last != "B":
        assert ("beaten_in_file", 1) in [(each["code"], each["rows"]) for each in report(ingest)["warnings"]]


@pytest.mark.timeout(300)
def test_the_order_and_number_of_runs_of_chunks_change_no_number(
    ingest: Ingest, tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a file says twice, of vehicles that are known or new, let through at once or released."""
    monkeypatch.setattr(chunking, "MAX_CHUNK_ROWS", 1)
    plates = itertools.count(100, 2)
    lines = st.lists(st.tuples(st.integers(0, 1), st.sampled_from("ABC")), min_size=2, max_size=6)

    @settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
    @given(lines, st.lists(st.integers(0, 99), max_size=9), st.integers(0, 6), st.booleans())
    def holds(said: list[tuple[int, str]], order: list[int], max_moved: int, known: bool) -> None:
        plate = next(plates)
        ingest.max_moved = max_moved
        if known:
            take(ingest, cards("A", (plate, plate + 1)), f"registry/{plate}-first.csv", days=1)
        rows = [row for which, letter in said for row in cards(letter, (plate + which,))]
        version = ingest.receive(ingest.put(KEY, text(rows, COLUMNS)))
        chunks, ingest.queued = ingest.queued, []
        for which in order:
            ingest.load(*chunks[which % len(chunks)])
        for chunk in chunks:
            ingest.load(*chunk)
        found = ingest.report(version)
        if found["status"] == "numbers_wait":
            assert found["counts"]["waiting"] > max_moved
            release(ingest, tables)
            found = ingest.report(version)
        counts = found["counts"]
        assert counts.pop("rows") == sum(counts.values()) == len(said)
        assert counts["waiting"] == 0
        last = {plate + which: letter for which, letter in said}
        assert letters(ingest, last) == "".join(last.values())

    holds()


def test_a_check_says_what_would_wait(ingest: Ingest) -> None:
    key = "check/registry/b.csv"
    assert take(ingest, [*cards("B", range(1, 5)), *cards("A", (6, 7))], key) == {"updated": 4, "unchanged": 2}
    assert report(ingest, key)["check"]["would_be"] == "loaded"
    assert take(ingest, [*cards("B", range(1, 6)), *cards("A", (6, 7))], key) == {"waiting": 5, "unchanged": 2}
    assert report(ingest, key)["check"]["would_be"] == "numbers_wait"
    assert "release-registry" not in ingest.read(f"reports/{key}.html").decode()
    assert letters(ingest) == "AAAAAAAAA"


def test_a_number_on_many_plates_is_each_plates_own(ingest: Ingest) -> None:
    rows = [{**each, "registration_no": "D-00001"} for each in cards("D", range(30, 39))]
    assert take(ingest, rows) == {"inserted": 9}
    assert take(ingest, rows, days=-1) == {"unchanged": 9}


def test_an_old_file_again_moves_nothing_however_large(ingest: Ingest) -> None:
    take(ingest, cards("B", range(1, 5)), days=2)
    assert take(ingest, cards("A", range(1, 10)), "registry/a.csv", days=1) == {"stale": 4, "unchanged": 5}
    assert report(ingest, "registry/a.csv")["status"] == "loaded"


def test_lines_that_others_of_their_chunk_beat_are_known_to_have_stood(ingest: Ingest) -> None:
    rows = [*cards("B", (40,), "2026-01-01"), *cards("C", (40,), "2026-02-01")]
    assert take(ingest, rows) == {"inserted": 1, "stale": 1}
    key = Plate(GERMAN, "11", "ز", "40").key
    mark = ingest.registry()._crypto.plate_fingerprint(key)
    (item,) = [item for item in ingest.tables.items("Registry") if item["pk"]["S"] == mark]
    assert (item["first"], item["began"]["S"][:10], len(item["replaced"]["SS"])) == ({"BOOL": False}, "2026-02-01", 1)


def test_what_the_bucket_has_forgotten_is_said(ingest: Ingest, tables: Tables) -> None:
    take(ingest, cards("B", range(1, 6)))
    for key, version_id in ingest.objects():
        if "waiting" in key:
            ingest.s3.delete_object(Bucket=ingest.bucket, Key=key, VersionId=version_id)
    with pytest.raises(RegisteringError, match="no longer known"):
        release(ingest, tables)
    assert letters(ingest) == "AAAAAAAAA"
