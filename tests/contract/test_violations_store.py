"""The Violations table: what ingest brings in, how it is found, and what the operator undoes."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords

from shared.aws_json import AwsError, Call, Json
from shared.domain.violation import CANCELLED, DISPUTED, OPEN, PAID, Violation, make_version
from shared.stores.items import is_made, transact
from shared.stores.versioned import INSERTED, STALE, UNCHANGED, UPDATED, Hurting
from shared.stores.violation_rows import INGEST_ATTRIBUTES, Row
from shared.stores.violations import PAY_ATTRIBUTES, Violations
from tests.support.aws import Engine, Tables, before
from tests.support.build import NOON, OTHER_PLATE, PAID_AT, PLATE, hold, later, row, settle, store, violation

SEVERAL_EXAMPLES = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
FULL = {
    "category": "private",
    "title": "تجاوز الإشارة الضوئية",
    "legal_ref": "25/3/هـ",
    "amount_due": 75_000,
    "doubled_at": "2026-11-19T09:30:00+03:00",
    "sector_name": "قاطع الكرخ",
    "sector_governorate": "11",
    "place": "ساحة النسور",
    "counter_paid_at": "2026-11-19T09:40:00+03:00",
    "counter_receipt_no": "C-1",
    "notified_at": "2026-11-19T09:50:00+03:00",
}


@pytest.fixture
def call(engine: Engine) -> Call:
    return engine.fast()


@pytest.fixture
def violations(call: Call, tables: Tables) -> Violations:
    return Violations(call, tables["Violations"], sleep=lambda _: None)


def item(tables: Tables, violation_no: str) -> Json:
    return next(item for item in tables.items("Violations") if item["pk"]["S"] == violation_no)


def made(call: Call, action: Json) -> bool:
    """Make the write of an action; whether its condition held."""
    return is_made(lambda: transact(call, [action]))


says = st.fixed_dictionaries(
    {
        "day": st.sampled_from((11, 15, 15, 15)),
        "declared": st.booleans(),
        "file": st.sampled_from("ab"),
        "origin": st.sampled_from(("live", "live", "backlog")),
        "recent": st.booleans(),
        "status": st.sampled_from(("open", "open", "paid", "cancelled", "disputed")),
        "plate_key": st.sampled_from((PLATE.key, OTHER_PLATE.key)),
        "amount": st.sampled_from((5_000, 50_000)),
    }
)
"""What a file may say of a violation."""


def said_of(subject: Violation, said: dict[str, Any]) -> Row:
    """The row of a violation that says so."""
    fields = {name: said[name] for name in ("status", "plate_key", "amount")}
    changed = later(subject, f"2026-11-{said['day']}T08:00:00+03:00", **fields)
    marks = {name: said[name] for name in ("origin", "recent", "declared")}
    return row(changed, ref=f"{said['file']}#{said['day']}", **marks)


class TestReading:
    def test_a_violation_is_read_as_it_was_written(self, violations: Violations) -> None:
        full, bare = violation(**FULL), violation()
        store(violations, full, bare)
        assert violations.get([full.violation_no, bare.violation_no, "none"]) == {
            full.violation_no: full,
            bare.violation_no: bare,
        }

    def test_a_number_asked_for_twice_is_read_once(self, violations: Violations) -> None:
        subject = violation()
        store(violations, subject)
        assert violations.get([subject.violation_no] * 3) == {subject.violation_no: subject}

    def test_more_than_a_hundred_are_read(self, violations: Violations) -> None:
        subjects = [violation() for _ in range(130)]
        store(violations, *subjects)
        assert len(violations.get(subject.violation_no for subject in subjects)) == 130

    def test_a_plate_has_its_own_newest_first(self, violations: Violations) -> None:
        days = ("2026-11-03", "2026-11-01", "2026-11-02")
        subjects = [violation(recorded_at=f"{day}T09:00:00+03:00") for day in days]
        store(violations, *subjects, violation(plate_key=OTHER_PLATE.key))
        assert violations.of_plate(PLATE.key) == [subjects[0], subjects[2], subjects[1]]

    def test_a_plate_without_violations_has_none(self, violations: Violations) -> None:
        assert violations.of_plate(PLATE.key) == []

    def test_a_plate_with_more_than_a_megabyte_is_read_whole(self, violations: Violations) -> None:
        long = "ش" * 20_000
        subjects = [violation(title=long, recorded_at=f"2026-11-01T09:00:{second:02}+03:00") for second in range(35)]
        for subject in subjects:
            store(violations, subject)
        assert violations.of_plate(PLATE.key) == subjects[::-1]


class TestWriting:
    def test_each_row_has_its_own_outcome(self, violations: Violations) -> None:
        same, newer, older = violation(), violation(), violation()
        store(violations, same, newer, later(older))
        rows = [
            row(violation()),
            row(later(same)),
            row(later(newer, amount=1)),
            row(older._replace(amount=2), ref="other"),
        ]
        assert violations.write(rows) == [INSERTED, UNCHANGED, UPDATED, STALE]
        found = violations.get([newer.violation_no, older.violation_no, same.violation_no])
        assert found[newer.violation_no] == later(newer, amount=1)
        assert found[older.violation_no] == later(older)

    def test_an_unchanged_row_moves_no_version(self, violations: Violations) -> None:
        subject = violation()
        store(violations, subject)
        assert violations.write([row(later(subject))]) == [UNCHANGED]
        assert violations.get([subject.violation_no])[subject.violation_no].version == subject.version

    def test_a_row_with_a_date_of_its_own_is_unchanged_only_at_the_same_date(self, violations: Violations) -> None:
        subject = violation()
        store(violations, subject)
        dated = later(subject)
        assert violations.write([row(dated, dated=True)]) == [UPDATED]
        assert violations.write([row(dated, dated=True, ref="again")]) == [UNCHANGED]
        assert violations.get([subject.violation_no])[subject.violation_no] == dated

    def test_the_same_line_again_counts_as_it_did(self, violations: Violations) -> None:
        subject = violation()
        first, second = row(subject), row(later(subject, amount=1))
        assert [violations.write([each])[0] for each in (first, first, second, second, first)] == [
            INSERTED,
            INSERTED,
            UPDATED,
            UPDATED,
            INSERTED,
        ]
        assert violations.get([subject.violation_no])[subject.violation_no] == second.violation

    def test_what_a_newer_row_leaves_out_is_gone(self, violations: Violations) -> None:
        subject = violation(**FULL)
        store(violations, subject)
        bare = later(subject, **dict.fromkeys(FULL))
        assert violations.write([row(bare)]) == [UPDATED]
        assert violations.get([subject.violation_no])[subject.violation_no] == bare

    def test_a_hundred_rows_are_one_transaction(self, violations: Violations) -> None:
        rows = [row(violation()) for _ in range(100)]
        assert violations.write(rows) == [INSERTED] * 100
        assert violations.write(rows) == [INSERTED] * 100

    def test_a_service_that_only_fails_is_not_tried_for_ever(self, call: Call, tables: Tables) -> None:
        tries = 0

        def conflicting(service: str, operation: str, request: Json) -> Json:
            nonlocal tries
            if operation != "TransactWriteItems":
                return call(service, operation, request)
            tries += 1
            raise AwsError("TransactionCanceledException", "", [{"Code": "TransactionConflict"}])

        violations = Violations(conflicting, tables["Violations"], sleep=lambda _: None)
        with pytest.raises(AwsError) as caught:
            violations.write([row(violation())])
        assert caught.value.transaction_conflict
        assert 1 < tries < 200

    @SEVERAL_EXAMPLES
    @given(order=st.permutations(range(5)), cuts=st.sets(st.integers(1, 4)))
    def test_the_newest_wins_in_any_order(self, violations: Violations, order: list[int], cuts: set[int]) -> None:
        subject = violation()
        versions = [
            later(subject, f"2026-11-2{day}T08:00:00+03:00", amount=100 + day, place=f"{day}" if day % 2 else None)
            for day in range(5)
        ]
        for index in order:
            violations.write([row(versions[index])])
            if index in cuts:
                violations.write([row(versions[index])])  # delivered again
        assert violations.get([subject.violation_no])[subject.violation_no] == versions[4]

    @settings(SEVERAL_EXAMPLES, max_examples=100)
    @given(st.lists(says, min_size=1, max_size=3), says)
    def test_what_is_foreseen_is_what_is_written(
        self, violations: Violations, tables: Tables, first: list[dict[str, Any]], last: dict[str, Any]
    ) -> None:
        subject = violation()
        for day, said in enumerate(first, 10):
            violations.write([said_of(subject, {**said, "day": day})])
        known = violations.get([subject.violation_no])
        (foreseen,) = violations.foresee([said_of(subject, last)])
        assert violations.get([subject.violation_no]) == known
        (outcome,) = violations.write([said_of(subject, last)])
        assert foreseen.outcome == outcome
        assert getattr(foreseen.outcome, "hurts", ()) == getattr(outcome, "hurts", ())
        assert foreseen.before == (known[subject.violation_no].plate_key if known else None)
        after = violations.get([subject.violation_no])
        told = item(tables, subject.violation_no).get("tell", {}).get("S")
        assert foreseen.tell == (told if after != known else None)

    @pytest.mark.parametrize("known", [False, True])
    def test_what_came_between_reading_and_writing_is_decided_on(
        self, call: Call, violations: Violations, tables: Tables, known: bool
    ) -> None:
        first = violation()
        older, newer = (later(first, f"2026-11-{day}T08:00:00+03:00", amount=day) for day in (21, 22))
        if known:
            store(violations, first)
        overtaken = Violations(
            before(call, "TransactWriteItems", lambda: violations.write([row(newer)])),
            tables["Violations"],
            sleep=lambda _: None,
        )
        assert overtaken.write([row(older)]) == [STALE]
        assert violations.get([first.violation_no])[first.violation_no] == newer

    def test_the_newest_wins_from_several_threads_at_once(self, engine: Engine, tables: Tables) -> None:
        subjects = [violation() for _ in range(20)]
        versions = [[row(later(each, f"2026-11-2{day}T08:00:00+03:00", amount=day + 1)) for each in subjects]
                    for day in range(4)]  # fmt: skip
        stores = [Violations(engine.fast(), tables["Violations"]) for _ in versions]
        with ThreadPoolExecutor(len(versions)) as threads:
            outcomes = list(threads.map(Violations.write, stores, versions))
        kept = stores[0].get(subject.violation_no for subject in subjects)
        assert {each.amount for each in kept.values()} == {4}
        for each in zip(*outcomes, strict=True):
            assert each.count(INSERTED) == 1
            assert UNCHANGED not in each


class TestTelling:
    """Which writes followers hear of."""

    def told(self, violations: Violations, tables: Tables, *rows: Any) -> str | None:
        for each in rows:
            violations.write([each])
        value = item(tables, rows[-1].violation.violation_no).get("tell")
        return value["S"] if value else None

    def test_a_new_open_row_of_a_live_file_is_told(self, violations: Violations, tables: Tables) -> None:
        assert self.told(violations, tables, row(violation())) == "opened"

    @pytest.mark.parametrize("fields", [{"origin": "backlog"}, {"recent": False}])
    def test_a_backlog_or_old_row_is_not(self, violations: Violations, tables: Tables, fields: dict[str, Any]) -> None:
        assert self.told(violations, tables, row(violation(), **fields)) is None

    @pytest.mark.parametrize("status", [PAID, CANCELLED])
    def test_a_new_row_that_is_neither_open_nor_disputed_is_not(
        self, violations: Violations, tables: Tables, status: str
    ) -> None:
        assert self.told(violations, tables, row(violation(status=status))) is None

    def test_a_change_of_what_is_known_as_open_is_not(self, violations: Violations, tables: Tables) -> None:
        subject = violation()
        assert self.told(violations, tables, row(subject), row(later(subject, amount=1))) is None

    def test_a_cancelled_one_is(self, violations: Violations, tables: Tables) -> None:
        subject = violation()
        assert self.told(violations, tables, row(subject), row(later(subject, status=CANCELLED))) == "cancelled"

    def test_one_paid_at_the_counter_is_not(self, violations: Violations, tables: Tables) -> None:
        subject = violation()
        assert self.told(violations, tables, row(subject), row(later(subject, status=PAID))) is None

    def test_one_moved_to_another_plate_is_news_there(self, violations: Violations, tables: Tables) -> None:
        subject = violation()
        moved = row(later(subject, plate_key=OTHER_PLATE.key))
        assert self.told(violations, tables, row(subject), moved) == "opened"

    def test_one_moved_without_being_news_is_cancelled_where_it_was(
        self, violations: Violations, tables: Tables
    ) -> None:
        subject = violation()
        moved = row(later(subject, plate_key=OTHER_PLATE.key), recent=False)
        assert self.told(violations, tables, row(subject), moved) == "cancelled"

    def test_one_paid_here_is_told_of_no_more(self, call: Call, violations: Violations, tables: Tables) -> None:
        subject = violation()
        store(violations, subject)
        settle(call, violations, subject)
        assert self.told(violations, tables, row(later(subject, status=CANCELLED))) is None


class TestTellingOfDisputes:
    """How an objection goes is told whatever came before, and never as something new."""

    def life(self, violations: Violations, tables: Tables, *statuses: str, **fields: Any) -> list[str | None]:
        """What is told of each row of a violation that says one status after the other. fields: of the last row."""
        subject, told = violation(), []
        for day, status in enumerate(statuses, 10):
            marks = fields if day == 9 + len(statuses) else {}
            said = later(subject, f"2026-11-{day}T08:00:00+03:00", status=status, amount=day)
            violations.write([row(said, **marks)])
            told.append(item(tables, subject.violation_no).get("tell", {}).get("S"))
        return told

    @pytest.mark.parametrize("first", [OPEN, PAID, CANCELLED])
    def test_the_lives_of_a_dispute(self, violations: Violations, tables: Tables, first: str) -> None:
        told = self.life(violations, tables, first, DISPUTED, DISPUTED, OPEN, DISPUTED, CANCELLED, DISPUTED, PAID)
        assert told[1:] == ["disputed", None, "refused", "disputed", "accepted", "disputed", None]

    def test_one_that_is_first_heard_of_as_disputed(self, violations: Violations, tables: Tables) -> None:
        assert self.life(violations, tables, DISPUTED, OPEN, CANCELLED) == ["disputed", "refused", "cancelled"]

    @pytest.mark.parametrize("last", [DISPUTED, OPEN, CANCELLED])
    def test_a_backlog_tells_none_of_it(self, violations: Violations, tables: Tables, last: str) -> None:
        first = OPEN if last == DISPUTED else DISPUTED
        assert self.life(violations, tables, first, last, origin="backlog")[1] is None

    def test_one_recorded_long_ago_is_told_of_once_it_is_known(self, violations: Violations, tables: Tables) -> None:
        assert self.life(violations, tables, DISPUTED, recent=False) == [None]
        assert self.life(violations, tables, DISPUTED, OPEN, recent=False)[1] == "refused"
        assert self.life(violations, tables, OPEN, DISPUTED, recent=False)[1] == "disputed"

    @pytest.mark.parametrize(
        ("before", "after", "told"),
        [
            (DISPUTED, OPEN, "opened"),
            (DISPUTED, DISPUTED, "disputed"),
            (OPEN, DISPUTED, "disputed"),
            (DISPUTED, CANCELLED, "accepted"),
            (DISPUTED, PAID, "cancelled"),
        ],
    )
    def test_moved_to_another_plate(
        self, violations: Violations, tables: Tables, before: str, after: str, told: str
    ) -> None:
        subject = violation(status=before)
        violations.write([row(subject)])
        violations.write([row(later(subject, status=after, plate_key=OTHER_PLATE.key))])
        assert item(tables, subject.violation_no)["tell"]["S"] == told

    @pytest.mark.parametrize(("status", "told"), [(OPEN, None), (CANCELLED, "accepted"), (PAID, None)])
    def test_of_what_is_paid_here_only_that_it_was_accepted(
        self, call: Call, violations: Violations, tables: Tables, status: str, told: str | None
    ) -> None:
        subject = violation()
        store(violations, subject)
        settle(call, violations, subject)
        disputed = later(subject, "2026-11-20T08:00:00+03:00", status=DISPUTED)
        violations.write([row(disputed)])
        assert "tell" not in item(tables, subject.violation_no)
        violations.write([row(later(subject, "2026-11-21T08:00:00+03:00", status=status))])
        assert item(tables, subject.violation_no).get("tell", {}).get("S") == told

    def test_a_dispute_is_named_by_its_begin_until_the_next_begins(self, violations: Violations) -> None:
        subject = violation()
        statuses = [OPEN, DISPUTED, DISPUTED, OPEN, OPEN, DISPUTED, CANCELLED]
        said = [later(subject, f"2026-11-{day}T08:00:00+03:00", status=each) for day, each in enumerate(statuses, 10)]
        named = []
        for day, each in enumerate(said):
            violations.write([row(each._replace(amount=day + 1))])
            named.append(violations.episodes([subject.violation_no, "none"]).get(subject.violation_no))
        first, second = said[1].version, said[5].version
        assert named == [None, first, first, first, first, second, second]

    def test_one_known_as_disputed_from_before_disputes_had_names(
        self, call: Call, violations: Violations, tables: Tables
    ) -> None:
        subject = violation(status=DISPUTED)
        violations.write([row(subject)])
        old = {name: value for name, value in item(tables, subject.violation_no).items() if name != "episode"}
        call("dynamodb", "PutItem", {"TableName": tables["Violations"], "Item": old})
        violations.write([row(later(subject, status=OPEN))])
        assert item(tables, subject.violation_no)["tell"] == {"S": "refused"}
        assert violations.episodes([subject.violation_no]) == {subject.violation_no: subject.version}

    def test_a_dispute_that_ends_before_anybody_heard_of_its_end_goes_on(
        self, violations: Violations, tables: Tables
    ) -> None:
        subject = violation(status=DISPUTED)
        days = [
            later(subject, f"2026-11-2{day}T08:00:00+03:00", status=each) for day, each in enumerate([OPEN, DISPUTED])
        ]
        violations.write([row(subject)])
        violations.write([row(days[0], ref="f#2")], holds=True)
        assert item(tables, subject.violation_no)["tell_held"] == {"S": f"refused f disputed {PLATE.key}"}
        violations.write([row(days[1])])
        assert not {"tell", "tell_held"} & item(tables, subject.violation_no).keys()
        assert violations.episodes([subject.violation_no]) == {subject.violation_no: subject.version}

    @pytest.mark.parametrize(
        ("held", "then", "told"),
        [
            (OPEN, DISPUTED, "disputed"),
            (DISPUTED, OPEN, "opened"),
            (DISPUTED, DISPUTED, "disputed"),
            (OPEN, PAID, None),
        ],
    )
    def test_nobody_hears_of_what_was_held_and_is_no_longer_so(
        self, violations: Violations, tables: Tables, held: str, then: str, told: str | None
    ) -> None:
        """Of a violation that nobody has heard of: the newest word alone is news."""
        subject = violation(status=held)
        violations.write([row(subject, ref="f#2")], holds=True)
        violations.write([row(later(subject, status=then, amount=1))])
        assert item(tables, subject.violation_no).get("tell", {}).get("S") == told

    @pytest.mark.parametrize(
        ("held", "then", "left"),
        [(OPEN, OPEN, "opened"), (DISPUTED, DISPUTED, "disputed"), (OPEN, DISPUTED, None), (DISPUTED, OPEN, None)],
    )
    def test_a_backlog_leaves_held_what_still_holds_and_holds_nothing_else(
        self, violations: Violations, tables: Tables, held: str, then: str, left: str | None
    ) -> None:
        subject = violation(status=held)
        violations.write([row(subject, ref="f#2")], holds=True)
        violations.write([row(later(subject, status=then, amount=1), origin="backlog")])
        kept = item(tables, subject.violation_no).get("tell_held", {}).get("S")
        assert (kept and kept.partition(" ")[0]) == left

    @pytest.mark.parametrize("then", [CANCELLED, OPEN, DISPUTED, PAID])
    def test_a_backlog_after_a_dispute_that_is_held_ends_what_nobody_heard_of(
        self, violations: Violations, tables: Tables, then: str
    ) -> None:
        subject = violation()
        store(violations, subject)
        disputed = later(subject, "2026-11-20T08:00:00+03:00", status=DISPUTED)
        violations.write([row(disputed, ref="f#2")], holds=True)
        violations.write([row(later(subject, "2026-11-21T08:00:00+03:00", status=then, amount=1), origin="backlog")])
        kept = item(tables, subject.violation_no).get("tell_held", {}).get("S")
        assert kept == (f"disputed f open {PLATE.key}" if then == DISPUTED else None)

    def test_a_line_that_comes_again_changes_nothing(self, violations: Violations, tables: Tables) -> None:
        subject = violation()
        store(violations, subject)
        disputed = row(later(subject, status=DISPUTED))
        assert violations.write([disputed]) == [UPDATED]
        before = item(tables, subject.violation_no)
        assert violations.write([disputed]) == [UPDATED]
        assert item(tables, subject.violation_no) == before

    def test_undoing_a_file_brings_a_dispute_back_under_its_name(self, call: Call, violations: Violations) -> None:
        subject = violation()
        store(violations, subject)
        disputed = row(later(subject, "2026-11-20T08:00:00+03:00", status=DISPUTED), ref="f#2")
        violations.write([disputed])
        violations.write([row(later(subject, "2026-11-21T08:00:00+03:00"), ref="g#2")])
        transact(call, [violations.restore(disputed, "g#2")])
        assert violations.episodes([subject.violation_no]) == {subject.violation_no: disputed.version}

    @pytest.mark.parametrize(("status", "rises"), [(OPEN, True), (DISPUTED, True), (PAID, False), (CANCELLED, False)])
    def test_what_may_still_rise_is_in_the_index(self, violations: Violations, status: str, rises: bool) -> None:
        subject = violation(status=status)
        store(violations, subject)
        found = [number for shard in range(8) for number in violations.rising("2026-12-19", shard)]
        assert (subject.violation_no in found) == rises


class TestHoldingNewsBack:
    """Followers hear of a large file's news only when they are let go."""

    def test_what_would_be_told_is_held(self, violations: Violations, tables: Tables) -> None:
        told, old = row(violation(), ref="f#2"), row(violation(), ref="f#3", recent=False)
        outcomes = violations.write([told, old], holds=True)
        assert outcomes == [INSERTED, INSERTED]
        assert [isinstance(each, Hurting) and each.held for each in outcomes] == [True, False]
        assert item(tables, told.identity)["tell_held"] == {"S": "opened f"}
        assert "tell" not in item(tables, told.identity)
        assert "tell_held" not in item(tables, old.identity)

    def test_a_line_that_comes_again_says_so_again(self, violations: Violations) -> None:
        told = row(violation(), ref="f#2")
        for _ in range(2):
            (outcome,) = violations.write([told], holds=True)
            assert isinstance(outcome, Hurting)
            assert (outcome, outcome.held) == (INSERTED, True)

    def test_it_is_let_go_once_and_for_its_own_file(self, violations: Violations, tables: Tables) -> None:
        rows = [row(violation(), ref=f"f#{line}") for line in (2, 3)]
        violations.write(rows, holds=True)
        numbers = [each.identity for each in rows] + ["none"]
        assert violations.let_go(numbers, "g") == 0
        assert set(violations.held(numbers, "f")) == set(numbers[:2])
        assert violations.let_go(numbers, "f") == 2
        assert violations.let_go(numbers, "f") == 0
        assert [item(tables, number)["tell"]["S"] for number in numbers[:2]] == ["opened"] * 2
        assert violations.held(numbers, "f") == {}

    def test_what_another_row_changes_meanwhile_is_as_that_row_says(
        self, call: Call, violations: Violations, tables: Tables
    ) -> None:
        first, second = row(violation(), ref="f#2"), row(violation(), ref="f#3")
        violations.write([first, second], holds=True)
        cancelled = row(later(first.violation, status=CANCELLED), ref="g#2")
        port = before(call, "TransactWriteItems", lambda: violations.write([cancelled]))
        slow = Violations(port, tables["Violations"], sleep=lambda _: None)
        assert slow.let_go([first.identity, second.identity], "f") == 1
        assert "tell" not in item(tables, first.identity)
        assert item(tables, second.identity)["tell"] == {"S": "opened"}

    def test_undoing_its_file_takes_it_along(self, call: Call, violations: Violations, tables: Tables) -> None:
        known = violation()
        store(violations, known)
        changed = row(later(known, plate_key=OTHER_PLATE.key), ref="f#2")
        inserted = row(violation(), ref="f#3")
        violations.write([changed, inserted], holds=True)
        assert item(tables, changed.identity)["tell_held"] == {"S": f"opened f open {PLATE.key}"}
        transact(call, [violations.restore(row(known), "f#2"), violations.forget(inserted.identity, "f#3")])
        (left,) = tables.items("Violations")
        assert not {"tell", "tell_held"} & set(left)


class TestOneWriterAnAttribute:
    def test_ingest_and_pay_share_no_attribute(self) -> None:
        assert not INGEST_ATTRIBUTES & PAY_ATTRIBUTES

    def test_words_that_dynamodb_keeps_for_itself_are_called_by_another_name(self) -> None:
        reserved = ReservedKeywords.get_reserved_keywords()
        assert {name for name in INGEST_ATTRIBUTES | {"pk"} if name.upper() in reserved} == {"hash", "status"}

    def test_each_writes_its_own_and_nothing_else(self, call: Call, violations: Violations, tables: Tables) -> None:
        doubling = violation()
        full = violation(**FULL)
        store(violations, doubling, full)
        store(violations, later(full, amount=1, status=DISPUTED))  # which hurts
        violations.write([row(violation())], holds=True)
        written = {name for each in tables.items("Violations") for name in each} - {"pk"}
        assert written == INGEST_ATTRIBUTES
        before = item(tables, doubling.violation_no)
        hold(call, violations, doubling)
        held = item(tables, doubling.violation_no)
        transact(call, [violations.settle(doubling.violation_no, "p1", 50_000, PAID_AT, "GH-1")])
        settled = item(tables, doubling.violation_no)
        violations.keep_prices({doubling.violation_no: PAID_AT})
        violations.want({doubling.violation_no: NOON})
        kept = item(tables, doubling.violation_no)
        assert {*held, *settled, *kept} - {*before} == PAY_ATTRIBUTES
        assert {name: settled[name] for name in before} == before

    @pytest.mark.parametrize("fields", [{}, {**FULL, "category": "cargo"}], ids=["bare", "full"])
    def test_a_new_item_is_the_one_that_an_update_makes(
        self, violations: Violations, tables: Tables, fields: dict[str, Any]
    ) -> None:
        known, subject = violation(**FULL), violation(**fields)
        store(violations, known)
        newer = row(later(subject, violation_no=known.violation_no), origin="backlog", content="c")
        alone = newer._replace(violation=newer.violation._replace(violation_no=subject.violation_no))
        assert violations.write([newer, alone]) == [UPDATED, INSERTED]
        updated, inserted = item(tables, known.violation_no), item(tables, subject.violation_no)
        del updated["changed_before"], updated["inserted_by"]
        assert inserted == {**updated, "pk": {"S": subject.violation_no}}

    def test_an_upload_never_touches_a_settlement(self, call: Call, violations: Violations) -> None:
        subject = violation()
        store(violations, subject)
        settle(call, violations, subject, 50_000)
        paid = violations.get([subject.violation_no])[subject.violation_no]
        newer = later(subject, amount=1, status=DISPUTED)
        assert violations.write([row(newer)]) == [UPDATED]
        after = violations.get([subject.violation_no])[subject.violation_no]
        told = PAY_ATTRIBUTES & set(Violation._fields)
        settlement = {name: getattr(paid, name) for name in told}
        assert settlement == {name: getattr(after, name) for name in told}
        assert after == newer._replace(**settlement)
        assert after.state == PAID


def test_versions_sort_by_date_then_file_then_line() -> None:
    dates = ("2026-11-01T08:00:00+03:00", "2026-11-02T08:00:00+03:00")
    made = [
        make_version(updated, modified, line) for updated, modified, line in itertools.product(dates, dates, (2, 10))
    ]
    assert made == sorted(made)


class TestUndoing:
    """What a line did is undone by what the line before it said."""

    def inserted(self, violations: Violations, **more: Any) -> tuple[Violation, str]:
        subject = violation(**more)
        line = row(subject)
        violations.write([line])
        return subject, line.ref

    def test_what_a_line_inserted_is_forgotten(self, call: Call, violations: Violations) -> None:
        subject, ref = self.inserted(violations)
        assert made(call, violations.forget(subject.violation_no, ref))
        assert violations.get([subject.violation_no]) == {}
        assert not made(call, violations.forget(subject.violation_no, ref))

    def test_another_line_forgets_nothing(self, call: Call, violations: Violations) -> None:
        subject, _ = self.inserted(violations)
        assert not made(call, violations.forget(subject.violation_no, "another#2"))
        assert violations.get([subject.violation_no])

    def test_what_was_changed_since_is_not_forgotten(self, call: Call, violations: Violations) -> None:
        subject, ref = self.inserted(violations)
        violations.write([row(later(subject, amount=1))])
        assert not made(call, violations.forget(subject.violation_no, ref))

    @pytest.mark.parametrize("paid", [False, True])
    def test_money_keeps_a_violation(self, call: Call, violations: Violations, paid: bool) -> None:
        subject, ref = self.inserted(violations)
        (settle if paid else hold)(call, violations, subject)
        assert not made(call, violations.forget(subject.violation_no, ref))

    def test_a_changed_violation_says_again_what_it_said(
        self, call: Call, violations: Violations, tables: Tables
    ) -> None:
        first = row(violation(**FULL))
        violations.write([first])
        before = item(tables, first.identity)
        second = row(later(first.violation, status=CANCELLED, title=None))
        assert violations.write([second]) == [UPDATED]
        trace = violations.traces([first.identity])[first.identity]
        assert trace["changed_before"] == {"S": first.ref}

        assert made(call, violations.restore(first, second.ref))

        restored = {name: value for name, value in before.items() if name != "tell"}
        assert item(tables, first.identity) == {**restored, "inserted_by": {"S": first.ref}}
        assert not made(call, violations.restore(first, second.ref))

    def test_a_file_that_holds_a_number_twice_is_undone_whole(
        self, call: Call, violations: Violations, tables: Tables
    ) -> None:
        """What its first line said is no better than what its second did."""
        first = row(violation(), ref="good#2")
        second = row(later(first.violation, amount=1), ref="bad#2")
        third = row(later(first.violation, "2026-11-21T08:00:00+03:00", amount=2), ref="bad#9")
        new = row(violation(), ref="bad#3")
        again = row(later(new.violation, amount=3), ref="bad#10")
        for line in (first, second, third, new, again):
            violations.write([line])
        assert item(tables, first.identity)["changed_before"] == {"S": "good#2"}
        assert "changed_before" not in item(tables, new.identity)

        assert made(call, violations.restore(first, third.ref))
        assert made(call, violations.forget(new.identity, again.ref))

        assert violations.get([first.identity, new.identity]) == {first.identity: first.violation}

    def test_a_settlement_outlasts_what_is_undone(self, call: Call, violations: Violations) -> None:
        first = row(violation())
        violations.write([first])
        settle(call, violations, first.violation)
        second = row(later(first.violation, status=CANCELLED))
        violations.write([second])

        assert made(call, violations.restore(first, second.ref))

        restored = violations.get([first.identity])[first.identity]
        assert (restored.paid_by, restored.receipt_no, restored.status) == ("p1", "GH-1", first.violation.status)

    def test_nobody_is_told_of_it(self, call: Call, violations: Violations, tables: Tables) -> None:
        first = row(violation())
        violations.write([first])
        second = row(later(first.violation, status=CANCELLED))
        violations.write([second])
        assert item(tables, first.identity)["tell"] == {"S": "cancelled"}
        transact(call, [violations.restore(first, second.ref)])
        assert "tell" not in item(tables, first.identity)
