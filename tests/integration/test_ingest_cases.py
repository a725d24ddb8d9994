"""What the directorate says later of a violation: cancelled, disputed, on another plate, paid. Each ends right.

Right is what a citizen sees of it, what followers are told, and that money that was taken stays where it is.
"""

from __future__ import annotations

from typing import Any

import pytest

from shared.aws_json import AwsError
from shared.domain.violation import UNPAID, Violation
from shared.stores.items import transact
from shared.stores.violations import Violations
from tests.support.aws import Engine, Tables
from tests.support.ingesting import Ingest, ago, row, text

HERE, THERE = "12345", "67890"
NUMBER = "V-1"


class Case:
    """One violation on the plate HERE, open and told of, and what can become of it."""

    def __init__(self, ingest: Ingest) -> None:
        self.ingest = ingest
        self.violations = Violations(ingest.call, ingest.tables["Violations"])
        self._days = 3.0
        assert self.says() == "opened"

    def says(self, folder: str = "live", **cells: str) -> str | None:
        """The directorate says something newer; returns what followers are told of it."""
        self._days -= 0.1
        rows = [row(NUMBER, updated_at=ago(self._days), **cells)]
        report = self.ingest.take(f"{folder}/a.csv", text(rows, (*rows[0],)))
        assert report["counts"]["inserted"] + report["counts"]["updated"] == 1
        value: str | None = self.ingest.violations()[NUMBER].get("tell", {}).get("S")
        return value

    @property
    def known(self) -> Violation:
        return self.violations.get([NUMBER])[NUMBER]

    @property
    def plate(self) -> str:
        return self.known.plate_key.rpartition("#")[2]

    def of_plate(self, number: str) -> list[str]:
        return [each.violation_no for each in self.violations.of_plate(f"DE#11#ز#{number}")]

    def hold(self) -> None:
        transact(self.ingest.call, [self.violations.hold(self.known, "pay-1")])

    def settle(self) -> None:
        action = self.violations.settle(NUMBER, "pay-1", 50_000, "2026-11-20T10:00:00+03:00", "GH-1")
        transact(self.ingest.call, [action])


@pytest.fixture
def case(engine: Engine, tables: Tables) -> Case:
    return Case(Ingest(engine, tables))


def test_cancelled_is_told_and_owed_no_more(case: Case) -> None:
    assert case.says(status="cancelled") == "cancelled"
    assert (case.known.state, case.known.owed) == ("cancelled", False)


def test_cancelled_and_then_open_again_is_news_again(case: Case) -> None:
    case.says(status="cancelled")
    assert case.says() == "opened"
    assert case.known.state == UNPAID


def test_disputed_is_told_and_owed_no_more_until_that_is_refused(case: Case) -> None:
    assert case.says(status="disputed") == "disputed"
    assert (case.known.state, case.known.owed) == ("disputed", False)
    assert case.says(status="disputed", amount="60000") is None
    assert case.says() == "refused"
    assert case.known.owed


def test_a_dispute_that_is_accepted_is_told_as_that(case: Case) -> None:
    case.says(status="disputed")
    assert case.says(status="cancelled") == "accepted"
    assert (case.known.state, case.known.owed) == ("cancelled", False)


def test_two_disputes_are_told_apart(case: Case) -> None:
    names = set()
    for _ in range(2):
        assert case.says(status="disputed") == "disputed"
        names.add(case.violations.episodes([NUMBER])[NUMBER])
        assert case.says() == "refused"
    assert len(names) == 2


def test_paid_at_the_counter_is_owed_no_more_and_keeps_its_receipt(case: Case) -> None:
    assert case.says(status="paid", paid_at="2026-11-20", receipt_no="C-7") is None
    known = case.known
    assert (known.state, known.owed, known.counter_receipt_no) == ("paid", False, "C-7")
    assert known.paid_by is None


def test_moved_to_another_plate_is_cancelled_here_and_opened_there(case: Case) -> None:
    """One word does for both: the stream's old image names the plate that it left."""
    assert case.says(plate_number=THERE) == "opened"
    assert (case.of_plate(HERE), case.of_plate(THERE)) == ([], [NUMBER])


def test_moved_to_another_plate_too_long_ago_to_be_news_is_cancelled_here(case: Case) -> None:
    old = {"occurred_at": ago(60), "recorded_at": ago(50)}
    assert case.says(plate_number=THERE, **old) == "cancelled"
    assert case.of_plate(THERE) == [NUMBER]


@pytest.mark.parametrize(
    ("later", "told"),
    [({"plate_number": THERE}, "opened"), ({"status": "cancelled"}, "cancelled")],
    ids=["moved", "cancelled"],
)
def test_what_is_owed_no_more_while_it_is_being_paid_stays_held_and_cannot_be_settled(
    case: Case, later: dict[str, Any], told: str
) -> None:
    case.hold()
    assert case.says(**later) == told
    assert case.known.held_by == "pay-1"
    with pytest.raises(AwsError) as refused:  # its payment gives the money back (tests/integration/pay)
        case.settle()
    assert refused.value.condition_failed
    assert (case.known.held_by, case.known.paid_by) == ("pay-1", None)


def test_a_new_amount_while_it_is_being_paid_leaves_the_quote(case: Case) -> None:
    case.hold()
    assert case.says(amount="99000") is None
    case.settle()
    assert (case.known.amount, case.known.paid_amount) == (99_000, 50_000)


@pytest.mark.parametrize(
    "later",
    [{"plate_number": THERE}, {"status": "cancelled"}, {"status": "disputed"}, {"status": "paid"}, {"amount": "7000"}],
    ids=["moved", "cancelled", "disputed", "paid at the counter", "another amount"],
)
def test_after_it_was_paid_here_nothing_is_told_and_it_stays_paid(case: Case, later: dict[str, Any]) -> None:
    case.hold()
    case.settle()
    paid = case.known
    assert case.says(**later) is None
    known = case.known
    assert known.state == "paid"
    assert known[Violation._fields.index("held_by") :] == paid[Violation._fields.index("held_by") :]


def test_recorded_too_long_ago_is_loaded_and_not_told(engine: Engine, tables: Tables) -> None:
    ingest = Ingest(engine, tables)
    for number, days in (("NEW", 44.9), ("OLD", 45.1)):
        ingest.take("live/a.csv", text([row(number, occurred_at=ago(60), recorded_at=ago(days))]))
    found = ingest.violations()
    assert set(found) == {"NEW", "OLD"}
    assert ("tell" in found["NEW"], "tell" in found["OLD"]) == (True, False)


def test_a_backlog_never_tells_whatever_it_says(case: Case) -> None:
    for later in ({"status": "cancelled"}, {}, {"plate_number": THERE}, {"amount": "9000"}):
        assert case.says("backlog", **later) is None
