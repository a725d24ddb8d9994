"""The Violations table: what pay may change of a violation, and when."""

from __future__ import annotations

from typing import Any

import pytest

from shared.aws_json import Call, Json
from shared.domain.violation import CANCELLED, DISPUTED, PAID, Violation
from shared.stores.items import is_made, transact
from shared.stores.violations import Violations
from tests.support.aws import Engine, Tables
from tests.support.build import PAID_AT, hold, later, row, settle, store, violation


@pytest.fixture
def call(engine: Engine) -> Call:
    return engine.fast()


@pytest.fixture
def violations(call: Call, tables: Tables) -> Violations:
    return Violations(call, tables["Violations"])


def refused(call: Call, action: Json) -> bool:
    return not is_made(lambda: transact(call, [action]))


@pytest.fixture
def subject(violations: Violations) -> Violation:
    subject = violation()
    store(violations, subject)
    return subject


def state(violations: Violations, subject: Violation) -> str:
    return violations.get([subject.violation_no])[subject.violation_no].state


def test_one_payment_at_a_time_holds_a_violation(call: Call, violations: Violations, subject: Violation) -> None:
    hold(call, violations, subject)
    assert state(violations, subject) == "in_payment"
    assert refused(call, violations.hold(subject, "p2"))


@pytest.mark.parametrize("fields", [{"amount": 1}, {"status": CANCELLED}, {"status": DISPUTED}])
def test_what_changed_since_the_quote_is_not_held(
    call: Call, violations: Violations, subject: Violation, fields: dict[str, Any]
) -> None:
    violations.write([row(later(subject, **fields))])
    assert refused(call, violations.hold(subject, "p1"))


@pytest.mark.parametrize("status", [PAID, CANCELLED, DISPUTED])
def test_what_is_not_open_is_not_held(call: Call, violations: Violations, status: str) -> None:
    subject = violation(status=status)
    store(violations, subject)
    assert refused(call, violations.hold(subject, "p1"))


def test_only_the_holder_releases(call: Call, violations: Violations, subject: Violation) -> None:
    hold(call, violations, subject)
    assert refused(call, violations.release(subject.violation_no, "p2"))
    assert not refused(call, violations.release(subject.violation_no, "p1"))
    assert state(violations, subject) == "unpaid"
    assert refused(call, violations.release(subject.violation_no, "p1"))


def test_only_the_payment_that_settled_it_unsettles(call: Call, violations: Violations, subject: Violation) -> None:
    assert refused(call, violations.unsettle(subject.violation_no, "p1"))
    settle(call, violations, subject, 50_000)
    assert refused(call, violations.unsettle(subject.violation_no, "p2"))
    assert not refused(call, violations.unsettle(subject.violation_no, "p1"))
    assert violations.get([subject.violation_no])[subject.violation_no] == subject


def test_only_the_holder_settles_and_once(call: Call, violations: Violations, subject: Violation) -> None:
    assert refused(call, violations.settle(subject.violation_no, "p1", 50_000, PAID_AT, "GH-1"))
    hold(call, violations, subject)
    assert refused(call, violations.settle(subject.violation_no, "p2", 50_000, PAID_AT, "GH-1"))
    assert not refused(call, violations.settle(subject.violation_no, "p1", 50_000, PAID_AT, "GH-1"))
    assert refused(call, violations.settle(subject.violation_no, "p1", 50_000, PAID_AT, "GH-2"))
    assert violations.get([subject.violation_no])[subject.violation_no] == subject._replace(
        paid_by="p1", paid_amount=50_000, paid_at=PAID_AT, receipt_no="GH-1"
    )


def test_a_paid_violation_is_not_held(call: Call, violations: Violations, subject: Violation) -> None:
    settle(call, violations, subject)
    assert refused(call, violations.hold(subject, "p2"))


def test_a_change_by_the_directorate_does_not_break_a_hold(
    call: Call, violations: Violations, subject: Violation
) -> None:
    hold(call, violations, subject)
    violations.write([row(later(subject, amount=1))])
    assert not refused(call, violations.settle(subject.violation_no, "p1", 50_000, PAID_AT, "GH-1"))


def test_nothing_unknown_is_held_released_or_settled(call: Call, violations: Violations) -> None:
    actions = (
        violations.hold(violation("none"), "p1"),
        violations.release("none", "p1"),
        violations.settle("none", "p1", 1, PAID_AT, "GH-1"),
    )
    assert all(refused(call, action) for action in actions)
    assert violations.get(["none"]) == {}


class TestLateMoney:
    """What nobody holds is marked paid too, if it is still as it was read."""

    @staticmethod
    def late(violations: Violations, read: Violation) -> Json:
        return violations.settle(read.violation_no, "p1", 50_000, PAID_AT, "GH-1", read)

    def test_a_free_one_is_paid(self, call: Call, violations: Violations, subject: Violation) -> None:
        transact(call, [self.late(violations, subject)])
        found = violations.get([subject.violation_no])[subject.violation_no]
        assert (found.state, found.paid_by, found.paid_amount, found.receipt_no) == ("paid", "p1", 50_000, "GH-1")

    @pytest.mark.parametrize("fields", [{"amount": 1}, {"status": CANCELLED}, {"plate_key": "german:12:ز:1"}])
    def test_not_one_that_has_changed_since(
        self, call: Call, violations: Violations, subject: Violation, fields: dict[str, Any]
    ) -> None:
        violations.write([row(later(subject, **fields))])
        assert refused(call, self.late(violations, subject))

    @pytest.mark.parametrize("status", [PAID, CANCELLED, DISPUTED])
    def test_not_one_that_is_not_open(self, call: Call, violations: Violations, status: str) -> None:
        closed = violation(status=status)
        store(violations, closed)
        assert refused(call, self.late(violations, closed))

    def test_not_one_that_is_held_or_paid(self, call: Call, violations: Violations, subject: Violation) -> None:
        another = violation()
        store(violations, another)
        hold(call, violations, subject)
        settle(call, violations, another)
        assert refused(call, self.late(violations, subject))
        assert refused(call, self.late(violations, another))
