"""Who sees place, hour and followers, whatever is linked, proved, sold, switched and removed in whatever order."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from shared.domain.time import to_text
from tests.support.asking import ASKED, TYPED, on_vehicle
from tests.support.aws import Engine, Tables
from tests.support.build import registration, store, violation
from tests.support.functions import Functions, forget

PEOPLE: Final = {
    name: {"sub": f"ur-{name}", "phone_number": f"+96477000000{n}0"} for n, name in enumerate(("a", "b"), 1)
}
NUMBERS: Final = ("AAAA", "BBBB", "CCCC")
people, numbers = st.sampled_from(sorted(PEOPLE)), st.sampled_from(NUMBERS)


class Seeing(RuleBasedStateMachine):
    """The API over real tables beside a model of who has proved what. Dates are stored texts."""

    def __init__(self, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self.tables = Tables(engine.fast())
        self.functions = Functions(engine, self.tables, monkeypatch)
        self.functions.clock.forward(hours=1)
        self.monkeypatch = monkeypatch
        self.needs_proof = False
        self.number: str | None = None
        """What the registry holds now; since when, "" where none is known before it."""
        self.since = ""
        self.links: dict[str, str] = {}
        """The vehicle's id, by who linked it."""
        self.proven: dict[str, str] = {}
        """The number that proves the vehicle theirs, as long as nothing has replaced it."""
        self.pending: dict[str, str] = {}
        self.acts: dict[str, str] = {}
        """When each violation was committed."""

    def teardown(self) -> None:
        self.functions.close()
        self.tables.delete()

    # ------------------------------------------------------------------ what happens

    @initialize(known=st.booleans())
    def begin(self, known: bool) -> None:
        for variable, most in {"LINKS_A_DAY": "1000", "PROOFS_A_DAY": "1000", "QUERIES_A_DAY": "1000"}.items():
            self.monkeypatch.setenv(variable, most)
        forget()
        self.a_violation_is_recorded()
        if known:
            self.registry_says("AAAA")

    @rule(number=numbers)
    def registry_says(self, number: str) -> None:
        """A newer row, of the day that begins now."""
        self.functions.clock.forward(days=1)
        today = to_text(self.functions.clock.at)[:10]
        self.functions.registry.write([registration(number, at=today, dated=True)])
        if number != self.number:
            self.since = f"{today}T00:00:00+03:00" if self.number else ""
            self.proven.clear()
        self.number = number
        for sub, offered in list(self.pending.items()):
            if offered == number:
                self.proven[sub] = number
        self.pending.clear()

    @rule()
    def a_violation_is_recorded(self) -> None:
        number = f"V{len(self.acts)}"
        self.acts[number] = to_text(self.functions.clock.at - timedelta(minutes=30))
        store(self.functions.violations, violation(number, place="here", occurred_at=self.acts[number]))

    @rule(who=people, number=st.none() | numbers)
    def link(self, who: str, number: str | None) -> None:
        proof = {"proof": {"type": "registration", "number": number}} if number else {}
        reply = self.functions.link({**ASKED, **proof}, claims=PEOPLE[who])
        if number is None and self.needs_proof:
            assert reply.errors == [("proof", "missing")]
        elif number and (self.number or self.needs_proof) and number != self.number:
            assert reply.errors == [("proof.number", "proof_wrong")]
        else:
            assert reply.status == (200 if who in self.links else 201)
            self.links[who] = reply.body["vehicle_id"]
            if number == self.number is not None:
                self.proven[who] = number
                self.pending.pop(who, None)
            elif number and who not in self.proven:
                self.pending[who] = number
            assert reply.body["proven"] is (who in self.proven)

    @rule(who=people)
    def unlink(self, who: str) -> None:
        status = on_vehicle(self.functions, "DELETE", self.links.get(who, "none"), claims=PEOPLE[who]).status
        assert status == (204 if who in self.links else 404)
        self.forget(who)

    @rule(who=people, other=people)
    def remove(self, who: str, other: str) -> None:
        path = {"follower_id": self.links.get(other, "none")}
        vehicle_id = self.links.get(who, "none")
        reply = on_vehicle(
            self.functions, "DELETE", vehicle_id, "/followers/{follower_id}", path=path, claims=PEOPLE[who]
        )
        if who not in self.links:
            assert reply.status == 404
        elif who not in self.proven:
            assert (reply.status, reply.body["code"]) == (403, "not_proven")
        elif other not in self.links:
            assert reply.status == 404
        elif other in self.proven and other != who:
            assert (reply.status, reply.body["code"]) == (409, "follower_proven")
        else:
            assert reply.status == 204
            self.forget(other)

    @rule(needs_proof=st.booleans())
    def switch(self, needs_proof: bool) -> None:
        self.monkeypatch.setenv("PROOF", "registration" if needs_proof else "optional")
        forget()
        self.needs_proof = needs_proof

    def forget(self, who: str) -> None:
        for known in (self.links, self.proven, self.pending):
            known.pop(who, None)

    # ------------------------------------------------------------------ what holds

    def whole(self, items: list[dict[str, Any]]) -> set[str]:
        """Of which of them place and hour are shown; both or neither."""
        placed = {item["violation_no"] for item in items if item["place"]}
        assert placed == {item["violation_no"] for item in items if len(item["occurred_at"]) > 10}
        return placed

    @invariant()
    def place_and_hour_are_the_owners_of_the_time(self) -> None:
        for who, claims in PEOPLE.items():
            allowed = {each for each, at in self.acts.items() if who in self.proven and at > self.since}
            answer = self.functions.ask({"plate": TYPED, "sms": False}, claims=claims)
            assert self.whole(answer.body["violations"]) == allowed
            page = on_vehicle(self.functions, "GET", self.links.get(who, "none"), "/violations", claims=claims)
            if who not in self.links:
                assert page.status == 404
            elif self.needs_proof and who not in self.proven:
                assert page.status == 403
            else:
                assert self.whole(page.body["items"]) == allowed

    @invariant()
    def followers_are_the_owners_to_see(self) -> None:
        for who, claims in PEOPLE.items():
            reply = on_vehicle(self.functions, "GET", self.links.get(who, "none"), "/followers", claims=claims)
            if who in self.proven:
                seen = {item["follower_id"]: item["proven"] for item in reply.body["items"]}
                assert seen == {self.links[each]: each in self.proven for each in self.links}
            else:
                assert reply.status == (403 if who in self.links else 404)


def run(engine: Engine, monkeypatch: pytest.MonkeyPatch, examples: int, steps: int) -> None:
    checks = settings(max_examples=examples, stateful_step_count=steps, parent=settings())
    run_state_machine_as_test(lambda: Seeing(engine, monkeypatch), settings=checks)


def test_nobody_is_shown_what_is_anothers(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    run(engine, monkeypatch, 6, 10)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_nobody_is_in_many_more_ways(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    run(engine, monkeypatch, 150, 25)
