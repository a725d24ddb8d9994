"""The brake: the news of a large live file wait until it has ended, and too many of them until the operator acts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ingest import chunking, held_news, load_chunk
from ingest.reporting.operator_mail import body, subject
from shared.aws_json import AwsError, Call, Json
from shared.clock import now
from tests.support.aws import Engine, Tables
from tests.support.ingesting import Ingest, ago, row, text

KEY = "live/a.csv"


@pytest.fixture
def ingest(engine: Engine, tables: Tables, monkeypatch: pytest.MonkeyPatch) -> Ingest:
    """Files of more than five rows are held, in chunks of three."""
    monkeypatch.setattr(chunking, "MAX_CHUNK_ROWS", 3)
    monkeypatch.setattr(load_chunk, "BATCH", 2)
    monkeypatch.setattr(held_news, "MAX_ACTIONS", 2)
    ingest = Ingest(engine, tables)
    ingest.max_news = 5
    return ingest


def told(ingest: Ingest) -> dict[str, str | None]:
    """What each violation tells."""
    return {number: each["tell"]["S"] if "tell" in each else None for number, each in ingest.violations().items()}


def held(ingest: Ingest) -> set[str]:
    """Which violations hold news back."""
    return {number for number, each in ingest.violations().items() if "tell_held" in each}


def rows(count: int, **cells: str) -> list[dict[str, str]]:
    return [row(f"V-{number}", **cells) for number in range(count)]


def numbers(count: int) -> set[str]:
    return {f"V-{number}" for number in range(count)}


def codes(report: Json) -> list[str]:
    return [warning["code"] for warning in report["warnings"]]


def test_a_file_of_few_rows_announces_at_once(ingest: Ingest) -> None:
    version = ingest.receive(ingest.put(KEY, text(rows(5))))
    ingest.load(*ingest.queued.pop(0))
    assert told(ingest) == dict.fromkeys(numbers(3), "opened")
    ingest.load_all()
    assert told(ingest) == dict.fromkeys(numbers(5), "opened")
    assert "news_held" not in codes(ingest.report(version))


def test_what_the_brake_lets_through_is_told_when_the_file_ends(ingest: Ingest) -> None:
    """At the bound: five news among six rows."""
    version = ingest.receive(ingest.put(KEY, text([*rows(5), row("V-5", status="paid")])))
    ingest.load(*ingest.queued.pop(0))
    assert told(ingest) == dict.fromkeys(numbers(3))
    assert held(ingest) == numbers(3)
    ingest.load_all()
    assert told(ingest) == {**dict.fromkeys(numbers(5), "opened"), "V-5": None}
    assert held(ingest) == set()
    report = ingest.report(version)
    assert report["status"] == "loaded"
    assert "news_held" not in codes(report)


def test_more_than_that_wait_and_everybody_is_told_so(ingest: Ingest) -> None:
    """One above the bound."""
    report = ingest.take(KEY, text(rows(6)))
    assert set(told(ingest).values()) == {None}
    assert held(ingest) == numbers(6)
    (warning,) = [each for each in report["warnings"] if each["code"] == "news_held"]
    assert (warning["rows"], warning["first_line"]) == (6, 2)
    command = "make release-news KEY=live/a.csv REASON='...' APPLY=1"
    page = ingest.read("reports/live/a.csv.html").decode()
    assert 'class="fair"' in page
    assert warning["message"] in page
    assert command.replace("'", "&#x27;") in page
    assert subject(ingest.told[-1]) == "Gharama: the news of a file are held back"
    assert f"6 news until, once the file is seen to be right: {command}" in body(ingest.told[-1])


@pytest.mark.parametrize("folder", ["backlog", "live"])
def test_what_is_no_news_is_not_held(ingest: Ingest, folder: str) -> None:
    """A backlog has none, a live file of old violations neither."""
    days = {} if folder == "backlog" else {"occurred_at": ago(90), "recorded_at": ago(90)}
    report = ingest.take(f"{folder}/a.csv", text(rows(6, **days)))
    assert set(told(ingest).values()) == {None}
    assert held(ingest) == set()
    assert "news_held" not in codes(report)


def test_a_number_that_stands_twice_counts_once(ingest: Ingest) -> None:
    again = [row("V-0", amount="60000"), row("V-1", amount="60000")]
    report = ingest.take(KEY, text([*rows(5), *again]))
    assert told(ingest) == dict.fromkeys(numbers(5), "opened")
    assert "news_held" not in codes(report)


def test_a_line_that_was_overlooked_is_told_with_the_others(ingest: Ingest) -> None:
    """The last line says what was known, ran first and wrote nothing; the first one says that it is cancelled."""
    known = rows(6, updated_at=(at := ago(1)))
    ingest.take_at(now() - timedelta(hours=1), KEY, text(known))
    others = [row("V-0", status="cancelled", updated_at=at), *(row(status="paid") for _ in range(5))]
    version = ingest.receive(ingest.put("live/b.csv", text([*others, known[0]])))
    ingest.queued.reverse()
    ingest.load_all()
    assert ingest.violations()["V-0"]["status"] == {"S": "open"}
    assert told(ingest)["V-0"] == "opened"
    assert "V-0" not in held(ingest)
    assert "news_held" not in codes(ingest.report(version))


# ---------------------------------------------------------------- what comes after, while they wait


def test_a_small_file_that_says_the_same_plate_open_tells_what_waits(ingest: Ingest) -> None:
    ingest.take(KEY, text(rows(6)))
    changed = row("V-0", amount="60000", updated_at=ago(0.5), recorded_at=ago(44.9), occurred_at=ago(46))
    ingest.take("live/b.csv", text([changed]))
    assert told(ingest) == {**dict.fromkeys(numbers(6)), "V-0": "opened"}
    assert held(ingest) == numbers(6) - {"V-0"}


def test_what_is_cancelled_before_anybody_heard_is_told_to_nobody(ingest: Ingest) -> None:
    ingest.take(KEY, text(rows(6)))
    ingest.take("live/b.csv", text([row("V-0", status="cancelled", updated_at=ago(0.5))]))
    assert set(told(ingest).values()) == {None}
    assert held(ingest) == numbers(6) - {"V-0"}


def test_an_unchanged_row_leaves_it_held(ingest: Ingest) -> None:
    first = rows(6)
    ingest.take(KEY, text(first))
    assert ingest.take("live/b.csv", text(first[:1]))["counts"]["unchanged"] == 1
    assert held(ingest) == numbers(6)


def test_a_backlog_row_about_what_waits_leaves_it_waiting_for_its_own_file(ingest: Ingest) -> None:
    ingest.take(KEY, text(rows(6)))
    before = ingest.violations()["V-0"]["tell_held"]
    ingest.take("backlog/b.csv", text([row("V-0", amount="60000", updated_at=ago(0.5))]))
    assert ingest.violations()["V-0"]["tell_held"] == before
    assert ingest.violations()["V-0"]["amount"] == {"N": "60000"}
    assert set(told(ingest).values()) == {None}


def test_a_large_file_about_what_waits_holds_it_for_itself(ingest: Ingest) -> None:
    """The second file has five news, the first's among them, and so lets them go."""
    ingest.take(KEY, text(rows(6)))
    later = [row(f"V-{number}", amount="60000", updated_at=ago(0.5)) for number in range(5)]
    ingest.take("live/b.csv", text([*later, row("V-7", status="paid")]))
    assert told(ingest) == {**dict.fromkeys(numbers(5), "opened"), "V-5": None, "V-7": None}
    assert held(ingest) == {"V-5"}


# ---------------------------------------------------------------- crashes


class Broken:
    """A port that dies at the n-th transaction; at_once: before it is made, or when its answer is due."""

    def __init__(self, call: Call, dies_at: int, *, before: bool) -> None:
        self._call, self._left, self._before = call, dies_at, before

    def __call__(self, service: str, operation: str, request: Json) -> Json:
        if operation != "TransactWriteItems":
            return self._call(service, operation, request)
        self._left -= 1
        if self._left == 0 and self._before:
            raise AwsError("Unreachable", "before")
        answer = self._call(service, operation, request)
        if self._left == 0:
            raise AwsError("Unreachable", "after")
        return answer


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("dies_at", range(1, 10))
def test_wherever_it_dies_each_news_is_told_once(ingest: Ingest, dies_at: int, before: bool) -> None:
    """Four transactions of rows and two of counts, then three that let five news go."""
    sound, made = ingest.call, list[Json]()

    def recorded(service: str, operation: str, request: Json) -> Json:
        answer = sound(service, operation, request)
        made.extend(each["Update"] for each in request.get("TransactItems", ()) if "Update" in each)
        return answer

    version = ingest.receive(ingest.put(KEY, text([*rows(5), row("V-5", status="paid")])))
    chunks = list(ingest.queued)
    ingest.call = Broken(recorded, dies_at, before=before)
    with pytest.raises(AwsError):
        ingest.load_all()
    ingest.call = recorded
    ingest.wait(120)
    for chunk in (*chunks, *chunks):
        ingest.load(*chunk)
    assert told(ingest) == {**dict.fromkeys(numbers(5), "opened"), "V-5": None}
    assert held(ingest) == set()
    letting_go = [each for each in made if "SET tell = :news" in each["UpdateExpression"]]
    assert sorted(each["Key"]["pk"]["S"] for each in letting_go) == sorted(numbers(5))
    report = ingest.report(version)
    assert (report["status"], report["counts"]["inserted"]) == ("loaded", 6)
    assert "news_held" not in codes(report)


def test_where_time_runs_short_the_next_run_goes_on(ingest: Ingest) -> None:
    ingest.receive(ingest.put(KEY, text([*rows(5), row("V-5", status="paid")])))
    first, last = ingest.queued
    ingest.load(*first)
    # Two batches of rows, the finish, its lease, and the first of three batches of news.
    seconds = iter((60.0, 60.0, 60.0, 60.0, 60.0, 0.0))
    ingest.seconds_left = lambda: next(seconds)
    with pytest.raises(load_chunk.LaterError):
        ingest.load(*last)
    assert len(held(ingest)) == 3
    ingest.seconds_left = lambda: 60.0
    ingest.wait(120)
    ingest.load(*last)
    assert held(ingest) == set()
    assert told(ingest) == {**dict.fromkeys(numbers(5), "opened"), "V-5": None}


def test_a_chunk_that_runs_again_keeps_what_it_held(ingest: Ingest) -> None:
    """It is cut off after its rows were written and before it is known which of them hold news back."""
    ingest.receive(ingest.put(KEY, text(rows(6))))
    first, last = ingest.queued
    put = ingest.s3.put_object

    def dead(**request: object) -> object:
        raise AwsError("Unreachable", "dead")

    ingest.s3.put_object = dead
    with pytest.raises(AwsError):
        ingest.load(*first)
    ingest.s3.put_object = put
    assert held(ingest) == numbers(3)
    ingest.load(*first)
    ingest.load(*last)
    (warning,) = [each for each in ingest.told[-1]["warnings"] if each["code"] == "news_held"]
    assert warning["rows"] == 6


def test_a_large_file_of_registrations_is_loaded_as_always(ingest: Ingest) -> None:
    header = "plate_family,plate_governorate,plate_category,plate_letter,plate_number,registration_no\n"
    cards = "".join(f"german,بغداد,خصوصي,ز,{number},4471{number}\n" for number in range(10, 16))
    assert ingest.take("registry/cards.csv", (header + cards).encode())["counts"]["inserted"] == 6
