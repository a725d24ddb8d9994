"""What a citizen owes while the directorate goes on exporting: its statements, at any time, and ours between them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from shared.domain.rules import add_months
from shared.domain.time import BAGHDAD, to_text
from shared.policies import RULES
from shared.stores.violation_rows import Row, doubling_day
from tests.support.feeds import SOURCE, row

START = datetime(2026, 3, 10, 14, 30, tzinfo=BAGHDAD)
AMOUNT = 50_000
OPEN = {"status": "open", "paid_at": "", "receipt_no": ""}
ARTICLES = st.sampled_from(["25/3/هـ", "", "25", "26", "3/25"])


class Debt(RuleBasedStateMachine):
    """One fine. The directorate doubles it on a day of its own; its exports state what is owed, or leave it out."""

    @initialize(legal_ref=ARTICLES, doubles_after=st.integers(1, 45), days=st.integers(0, 45))
    def record(self, legal_ref: str, doubles_after: int, days: int) -> None:
        self.legal_ref = legal_ref
        self.at = START + timedelta(days=days)
        self.doubled = START + timedelta(days=doubles_after)
        self.known: Row = self._row({})
        self.stated_doubled = False

    def _row(self, cells: dict[str, Any]) -> Row:
        source = SOURCE._replace(last_modified=to_text(self.at), announce_from=to_text(self.at))
        undated = {"updated_at": "", "amount_due": "", "doubled_at": ""}
        at = to_text(START)[:19]
        recorded = {"occurred_at": at, "recorded_at": at, "amount": str(AMOUNT), "legal_ref": self.legal_ref}
        return row(source, **{**OPEN, **undated, **recorded, **cells})

    @rule(hours=st.integers(1, 500))
    def time_passes(self, hours: int) -> None:
        self.at += timedelta(hours=hours)

    @rule()
    def export_with_the_debt(self) -> None:
        doubled = self.at >= self.doubled
        self.known = self._row({"amount_due": str(AMOUNT * 2 if doubled else AMOUNT)})
        self.stated_doubled = doubled

    @rule()
    def export_without_it(self) -> None:
        self.known = self._row({})
        self.stated_doubled = False

    @rule()
    def export_again_unchanged(self) -> None:
        if self.stated_doubled:
            again = self._row({"amount_due": str(AMOUNT * 2)})
            assert again.content == self.known.content
            self.known = again

    @invariant()
    def it_is_never_doubled_twice(self) -> None:
        for days in (0, 1, 31, 400):
            owed = self.known.violation.due(to_text(self.at + timedelta(days=days)), RULES)
            assert AMOUNT <= owed.amount <= 2 * AMOUNT
            assert owed.next_amount in (None, 2 * AMOUNT)
            if self.stated_doubled:
                assert (owed.amount, owed.changes_at) == (2 * AMOUNT, None)

    @invariant()
    def a_rise_is_announced_where_it_comes(self) -> None:
        said = self.known.violation
        rise = said.due(said.as_of, RULES).changes_at
        day = doubling_day(said)
        assert (day and day[:10]) == (rise and rise[:10])
        if rise:
            assert rise == add_months(said.recorded_at, 1)


TestDebt = Debt.TestCase
TestDebt.settings = settings(max_examples=100, stateful_step_count=12, deadline=None)
