"""Nobody pays more because another held, and a proven owner waits at most one gateway page, whatever others do.

Up to five hostile citizens begin, cancel and let expire as they like; their gateway may keep an order open. Each
example has a plate, a fine and citizens of its own; the clock goes on.
"""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.domain.time import from_text, to_text
from shared.domain.violation import Violation
from shared.policies import RULES
from tests.support import lambda_events as events
from tests.support.build import PLATE, registration, store, violation
from tests.support.functions import Functions, Reply, run
from tests.support.payment_requests import payment_body

ONE_PAGE: Final = timedelta(minutes=35)
KEPT_FOR: Final = timedelta(hours=24)
POLLS_EVERY: Final = timedelta(minutes=3)
BASE: Final = 50_000
FEW = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
_numbers = itertools.count(200_000)
_keys = itertools.count(1)

ACTS = st.tuples(st.integers(0, 4), st.sampled_from(["begin", "begin", "begin", "cancel", "keep open"]))
SEVERAL = st.lists(ACTS, max_size=4)


Acts = list[tuple[int, str]]
ROUND = st.tuples(SEVERAL, SEVERAL)
ROUNDS: Final = 14


def stubborn(acts: tuple[Acts, Acts]) -> list[tuple[Acts, Acts]]:
    """The same in each round, and whoever was not quick enough tries last: five accounts take turns."""
    before, after = acts
    return [(before, [*after, (turn % 5, "begin")]) for turn in range(ROUNDS)]


class Scene:
    """A fine that doubles after a while, its proven owner, somebody who looked it up, and five who are hostile."""

    def __init__(self, functions: Functions, rises_in: timedelta) -> None:
        self.functions = functions
        self.number = next(_numbers)
        plate = PLATE._replace(number=str(self.number))
        self.subject, self.rises_at = _rising(plate.key, functions.clock.at, rises_in)
        store(functions.violations, self.subject)
        functions.registry.write([registration("AB12345", plate)])
        proof = {"type": "registration", "number": "AB-12345"}
        asked = {"plate": self.typed, "relation": "self", "proof": proof}
        assert functions.link(asked, claims=self.who("owner")).body["proven"] is True
        self.live: dict[str, str] = {}

    @property
    def typed(self) -> str:
        return f"11 ز {self.number}"

    def who(self, name: str) -> dict[str, str]:
        return {"sub": f"{name}-{self.number}"}

    def begin(self, name: str) -> Reply:
        if name != "owner":
            self.functions.ask({"plate": self.typed, "sms": False}, claims=self.who(name))
        reply = self.functions.pay(payment_body(self.subject), f"key-{next(_keys):08}", claims=self.who(name))
        if reply.status == 201:
            self.live[name] = reply.body["payment_id"]
        return reply

    def act(self, hostile: int, what: str) -> None:
        name = f"hostile{hostile}"
        if what == "begin":
            self.begin(name)
        elif what == "cancel" and name in self.live:
            self.functions.cancel(self.live[name], claims=self.who(name))
        elif what == "keep open" and name in self.live:
            self.functions.gateway.under_way.add(self.live[name])

    def pass_time(self, time: timedelta = POLLS_EVERY) -> None:
        self.functions.clock.forward(seconds=time.total_seconds())
        run("pay.poll_gateways", events.schedule())

    def asked(self) -> int:
        body = self.functions.ask({"plate": self.typed, "sms": False}, claims={"sub": f"anybody-{next(_keys)}"}).body
        (shown,) = body["violations"]
        amount: int = shown["due"]["amount"]
        return amount


def _rising(plate_key: str, now: datetime, after: timedelta) -> tuple[Violation, datetime]:
    """A fine that doubles about so long after an instant, and when."""
    for days in (31, 30, 29, 28):
        recorded = to_text(now + after - timedelta(days=days))
        subject = violation(
            plate_key=plate_key, amount=BASE, recorded_at=recorded, occurred_at=recorded, legal_ref="25/3/هـ"
        )
        changes_at = subject.due(to_text(now), RULES).changes_at
        if changes_at and from_text(changes_at) <= now + after + timedelta(days=1):
            return subject, from_text(changes_at)
    raise AssertionError("no such day")


@FEW
@given(before=SEVERAL, during=st.one_of(st.lists(ROUND, min_size=ROUNDS, max_size=ROUNDS), ROUND.map(stubborn)))
def test_a_proven_owner_who_keeps_trying_pays_within_one_page(
    functions: Functions, before: Acts, during: list[tuple[Acts, Acts]]
) -> None:
    """The hostile act before the gateways are asked, and again before the owner's next try."""
    scene = Scene(functions, timedelta(days=10))
    scene.begin("hostile0")
    for act in before:
        scene.act(*act)
    began, reply = functions.clock.at, scene.begin("owner")
    for acts_before, acts_after in during:
        if reply.status == 201:
            break
        for act in acts_before:
            scene.act(*act)
        scene.pass_time()
        for act in acts_after:
            scene.act(*act)
        reply = scene.begin("owner")
    assert reply.status == 201, reply.body
    assert functions.clock.at - began <= ONE_PAGE


@FEW
@given(
    acts=st.lists(st.tuples(ACTS, st.sampled_from([10, 100, 400])), min_size=1, max_size=10),
    rises_in=st.integers(2, 30),
)
def test_who_was_refused_shortly_before_a_rise_pays_no_more_for_a_day_after_it(
    functions: Functions, acts: list[tuple[tuple[int, str], int]], rises_in: int
) -> None:
    scene = Scene(functions, timedelta(hours=rises_in))
    refused = False
    for act, minutes in acts:
        scene.act(*act)
        if functions.clock.at >= scene.rises_at:
            break
        reply = scene.begin("honest")
        if reply.status == 201:
            functions.cancel(scene.live["honest"], claims=scene.who("honest"))
        elif reply.status == 422 and functions.clock.at >= scene.rises_at - KEPT_FOR:
            refused = True
        scene.pass_time(timedelta(minutes=minutes))
    if functions.clock.at < scene.rises_at:
        scene.pass_time(scene.rises_at - functions.clock.at)
    if functions.clock.at < scene.rises_at + KEPT_FOR:
        assert not refused or scene.asked() == BASE
        scene.pass_time(scene.rises_at + KEPT_FOR - timedelta(seconds=1) - functions.clock.at)
        assert not refused or scene.asked() == BASE
        scene.pass_time(timedelta(seconds=1))
    assert scene.asked() == 2 * BASE, "one day is gained, whoever held it however often"


@pytest.fixture(autouse=True)
def _unbounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Quotas of look-ups are tried elsewhere."""
    for name in ("QUERIES_A_DAY", "PLATES_A_DAY", "LINKS_A_DAY", "MAX_VEHICLES", "PROOFS_A_DAY", "STARTS_A_DAY"):
        monkeypatch.setenv(name, "1000")
