"""The ledger of settlements: an entry is due, then in one batch, and a batch that is closed never changes."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from shared.aws_json import AwsError
from shared.domain.settlement import REVERSED, SETTLED, BatchStatus, Cursor, Entry, SettlementFile, Share
from shared.domain.time import to_text
from shared.stores.items import transact
from shared.stores.paying.settlements import Settlements
from tests.support.aws import Engine, Tables, before
from tests.support.build import NOON

BATCH = "2026-11-20/12"
NEXT = "2026-11-20/13"
FILE = SettlementFile(f"settlements/{BATCH}/11-7.csv", "ab" * 32, 3, -5_000, to_text(NOON))


@pytest.fixture
def ledger(engine: Engine, tables: Tables) -> Settlements:
    return Settlements(engine.fast(), tables["Settlements"])


def entry(payment_id: str, kind: str = SETTLED, shares: int = 1) -> Entry:
    made = tuple(Share(f"V{n}", 1_000 + n, "قاطع/1", "" if n % 2 else "11") for n in range(shares))
    return Entry(kind, payment_id, f"GH-{payment_id}", "sandbox", to_text(NOON), to_text(NOON), made)


def make_due(engine: Engine, ledger: Settlements, *entries: Entry) -> None:
    call = engine.fast()
    for each in entries:
        transact(call, [ledger.due_action(each)])


def keys(entries: Iterable[Entry]) -> set[tuple[str, str]]:
    return {(each.kind, each.payment_id) for each in entries}


def open_batch(ledger: Settlements, batch: str = BATCH) -> None:
    assert ledger.advance(ledger.cursor(), Cursor(batch, BatchStatus.OPEN))


def test_an_entry_is_read_as_it_was_put(engine: Engine, ledger: Settlements) -> None:
    made = entry("p1", REVERSED, 50)
    make_due(engine, ledger, made)
    open_batch(ledger)
    ledger.collect(BATCH, 1_000)
    assert list(ledger.entries(BATCH)) == [made]


def test_nothing_is_due_before_and_after(engine: Engine, ledger: Settlements) -> None:
    assert not ledger.is_due()
    make_due(engine, ledger, entry("p1"))
    assert ledger.is_due()
    open_batch(ledger)
    ledger.collect(BATCH, 1_000)
    assert not ledger.is_due()


def test_one_of_an_unknown_kind_stays_due_and_is_counted(engine: Engine, ledger: Settlements) -> None:
    unknown = [entry(f"p{n}", "adjusted") for n in range(20)]
    make_due(engine, ledger, *unknown)
    assert not ledger.is_due()
    make_due(engine, ledger, entry("p1"), entry("p2"))
    assert ledger.is_due()
    open_batch(ledger)
    ledger.collect(BATCH, 1_000)
    assert keys(ledger.entries(BATCH)) == {(SETTLED, "p1"), (SETTLED, "p2")}
    assert (ledger.unknown(), ledger.is_due()) == (20, False)


def test_one_of_an_unknown_kind_in_a_batch_is_in_none_of_its_files_and_due_again(
    engine: Engine, ledger: Settlements, tables: Tables
) -> None:
    """A later version has moved it there, before it was rolled back."""
    make_due(engine, ledger, entry("p1"), entry("p2", "adjusted"))
    open_batch(ledger)
    ledger.collect(BATCH, 1_000)
    (waiting,) = [item for item in tables.items("Settlements") if item["sk"]["S"].startswith("adjusted")]
    moved = {"TableName": tables["Settlements"], "Item": {**waiting, "pk": {"S": f"BATCH#{BATCH}"}}}
    gone = {"TableName": tables["Settlements"], "Key": {"pk": waiting["pk"], "sk": waiting["sk"]}}
    transact(engine.fast(), [{"Put": moved}, {"Delete": gone}])
    assert (keys(ledger.entries(BATCH)), ledger.unknown()) == ({(SETTLED, "p1")}, 0)
    for _ in range(2):
        ledger.put_back_unknown(BATCH)
        assert ledger.unknown() == 1
    assert waiting in [item for item in tables.items("Settlements") if item["sk"]["S"].startswith("adjusted")]


def test_one_that_another_run_has_put_back_is_not_due_twice(
    engine: Engine, ledger: Settlements, tables: Tables
) -> None:
    """The other run is of the version that knows it, and has told the sector by now."""
    call, table = engine.fast(), tables["Settlements"]
    make_due(engine, ledger, entry("p2", "adjusted"))
    (due,) = tables.items("Settlements")

    def move(to: str) -> None:
        (item,) = tables.items("Settlements")
        gone = {"TableName": table, "Key": {"pk": item["pk"], "sk": item["sk"]}}
        transact(call, [{"Delete": gone}, {"Put": {"TableName": table, "Item": {**due, "pk": {"S": to}}}}])

    move(f"BATCH#{BATCH}")
    slow = Settlements(before(engine.fast(), "TransactWriteItems", lambda: move(f"BATCH#{NEXT}")), table)
    slow.put_back_unknown(BATCH)
    assert [item["pk"]["S"] for item in tables.items("Settlements")] == [f"BATCH#{NEXT}"]


def test_an_entry_is_due_once(engine: Engine, ledger: Settlements) -> None:
    make_due(engine, ledger, entry("p1"), entry("p1", REVERSED))
    with pytest.raises(AwsError) as refused:
        make_due(engine, ledger, entry("p1"))
    assert refused.value.condition_failed


def test_more_than_one_transaction_holds_is_collected(engine: Engine, ledger: Settlements) -> None:
    made = [entry(f"p{n}") for n in range(230)]  # more than a transaction in each shard
    make_due(engine, ledger, *made)
    open_batch(ledger)
    ledger.collect(BATCH, 1_000)
    assert keys(ledger.entries(BATCH)) == keys(made)


def test_a_batch_takes_no_more_than_it_may(engine: Engine, ledger: Settlements) -> None:
    make_due(engine, ledger, *(entry(f"p{n}", shares=10) for n in range(12)))
    open_batch(ledger)
    ledger.collect(BATCH, 40)
    assert len(list(ledger.entries(BATCH))) == 4
    assert ledger.is_due()


@pytest.mark.parametrize("state", [BatchStatus.CLOSED, BatchStatus.WRITTEN])
def test_a_batch_that_is_not_open_takes_nothing(engine: Engine, ledger: Settlements, state: str) -> None:
    make_due(engine, ledger, entry("p1"))
    open_batch(ledger)
    ledger.advance(Cursor(BATCH, BatchStatus.OPEN), Cursor(BATCH, state))
    ledger.collect(BATCH, 1_000)
    assert list(ledger.entries(BATCH)) == []
    assert ledger.is_due()


def test_a_batch_that_another_has_followed_takes_nothing(engine: Engine, ledger: Settlements) -> None:
    make_due(engine, ledger, entry("p1"))
    open_batch(ledger)
    open_batch(ledger, NEXT)
    ledger.collect(BATCH, 1_000)
    assert list(ledger.entries(BATCH)) == []


def test_two_collectors_at_once_take_each_entry_once(engine: Engine, ledger: Settlements, tables: Tables) -> None:
    made = [entry(f"p{n}") for n in range(120)]
    make_due(engine, ledger, *made)
    open_batch(ledger)
    both = [Settlements(engine.fast(), tables["Settlements"]) for _ in range(2)]
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda each: each.collect(BATCH, 1_000), both))
    found = list(ledger.entries(BATCH))
    assert len(found) == len(made)
    assert keys(found) == keys(made)
    assert not ledger.is_due()


def test_the_cursor_moves_only_from_where_it_was_seen(ledger: Settlements) -> None:
    first = Cursor(BATCH, BatchStatus.OPEN)
    assert ledger.cursor() is None
    assert ledger.advance(None, first)
    assert not ledger.advance(None, Cursor(NEXT, BatchStatus.OPEN))
    assert not ledger.advance(Cursor(BATCH, BatchStatus.CLOSED), Cursor(NEXT, BatchStatus.OPEN))
    assert not ledger.advance(Cursor(NEXT, BatchStatus.OPEN), Cursor(NEXT, BatchStatus.CLOSED))
    assert ledger.cursor() == first
    assert ledger.advance(first, Cursor(BATCH, BatchStatus.CLOSED))
    assert ledger.cursor() == Cursor(BATCH, BatchStatus.CLOSED)


def test_a_batch_of_a_later_version_is_kept_as_it_stands(ledger: Settlements) -> None:
    later = Cursor(BATCH, "signed")
    assert ledger.advance(None, later)
    assert ledger.cursor() == later
    assert not ledger.advance(Cursor(BATCH, BatchStatus.CLOSED), Cursor(BATCH, BatchStatus.WRITTEN))


def test_a_file_waits_until_it_is_acknowledged(ledger: Settlements) -> None:
    ledger.put_file(FILE)
    assert ledger.file(FILE.key) == FILE
    assert ledger.file("settlements/none.csv") is None
    assert ledger.unacknowledged(NOON) == 0
    assert ledger.unacknowledged(NOON + timedelta(seconds=1)) == 1
    ledger.acknowledge(FILE.key, NOON)
    ledger.acknowledge(FILE.key, NOON + timedelta(days=1))
    ledger.put_file(FILE)  # a run that was slow
    assert ledger.file(FILE.key) == FILE._replace(acknowledged_at=to_text(NOON))
    assert ledger.unacknowledged(NOON + timedelta(days=9)) == 0


def test_only_a_known_file_is_acknowledged(ledger: Settlements) -> None:
    ledger.acknowledge("settlements/none.csv", NOON)
    assert ledger.file("settlements/none.csv") is None
