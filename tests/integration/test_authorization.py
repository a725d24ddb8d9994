"""Who may see what: every cell of the matrix on the page of the architecture, walked through the routes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final

import pytest

from shared.domain.message import MessageStatus
from shared.domain.time import to_text
from tests.support import lambda_events as events
from tests.support.asking import ASKED, OWN, TYPED, on_vehicle
from tests.support.build import SUB, registration, store, violation
from tests.support.documents import read, rows, section
from tests.support.functions import Functions, forget, run
from tests.support.payment_requests import RETURN_URL

PLACE: Final = "by the bridge"
CARD, NEXT_CARD = "AB12345", "CD67890"
BEFORE: Final = "2026-11-19T08:00:00+03:00"

HEAD, *TABLE = rows(section(read("docs/architecture.md"), "Who may see what"))
MATRIX: Final = {row[0]: dict(zip(HEAD[1:], row[1:], strict=True)) for row in TABLE}


class Scene:
    """A citizen, the plate that they may know, and how they came to it."""

    def __init__(self, functions: Functions, monkeypatch: pytest.MonkeyPatch) -> None:
        self.functions = functions
        self._monkeypatch = monkeypatch
        self.vehicle_id = "0" * 32
        self.occurred_at = ""
        """When what is news was committed; "" for an hour ago."""

    def link(self, number: str | None = None) -> None:
        proof = {"proof": {"type": "registration", "number": number}} if number else {}
        reply = self.functions.link({**ASKED, "notify": True, **proof})
        assert reply.status in (200, 201)
        self.vehicle_id = reply.body["vehicle_id"]

    def register(self, number: str, day: int) -> None:
        self.functions.registry.write([registration(number, at=f"2026-11-{day:02}", dated=True)])

    def prove(self) -> None:
        self.register(CARD, 1)
        self.link(CARD)

    def needs_proof(self) -> None:
        self._monkeypatch.setenv("PROOF", "registration")
        forget()


def removed(scene: Scene) -> None:
    scene.link()
    scene.register(CARD, 1)
    owner = scene.functions.link({**ASKED, "proof": {"type": "registration", "number": CARD}}, claims=OWN)
    path = {"follower_id": scene.vehicle_id}
    rest = "/followers/{follower_id}"
    vehicle_id = owner.body["vehicle_id"]
    assert on_vehicle(scene.functions, "DELETE", vehicle_id, rest, path=path, claims=OWN).status == 204


def sold(scene: Scene) -> None:
    scene.prove()
    scene.register(NEXT_CARD, 21)


def sold_and_back(scene: Scene) -> None:
    sold(scene)
    scene.register(CARD, 22)
    scene.functions.clock.forward(days=3)


def of_before(scene: Scene) -> None:
    scene.register(NEXT_CARD, 1)
    scene.register(CARD, 20)
    scene.link(CARD)
    scene.occurred_at = BEFORE


def switched(scene: Scene) -> None:
    scene.link()
    scene.needs_proof()


def proven_and_switched(scene: Scene) -> None:
    scene.prove()
    scene.needs_proof()


def unlinked(scene: Scene) -> None:
    scene.prove()
    assert on_vehicle(scene.functions, "DELETE", scene.vehicle_id).status == 204


def lapsed(scene: Scene) -> None:
    scene.link()
    scene.register(CARD, 1)
    for days in (170, 20):
        scene.functions.clock.forward(days=days)
        run("notify.links.lapse", events.schedule())
        scene.functions.send_due()
    scene.functions.phones.sent.clear()


WAYS: Final[dict[str, Callable[[Scene], object]]] = {
    "none": lambda scene: None,
    "looked up within 24 hours": lambda scene: scene.functions.ask({"plate": TYPED, "sms": False}),
    "linked by word": lambda scene: scene.link(),
    "linked, its proof waits for the registry": lambda scene: scene.link(CARD),
    "proven": lambda scene: scene.prove(),
    "proven once, the registry holds another number now": sold,
    "proven once, another number stood between": sold_and_back,
    "proven, of what happened before the number stood": of_before,
    "removed by a proven owner": removed,
    "linked by word, then `Proof=registration`": switched,
    "proven, then `Proof=registration`": proven_and_switched,
    "unlinked by themselves": unlinked,
    "linked by word, never renewed, then half a year and a warning": lapsed,
}


def test_every_relation_of_the_page_is_walked() -> None:
    assert list(MATRIX) == list(WAYS)


@pytest.mark.parametrize("relation", WAYS)
def test_the_matrix_is_what_the_routes_do(functions: Functions, monkeypatch: pytest.MonkeyPatch, relation: str) -> None:
    scene = Scene(functions, monkeypatch)
    store(functions.violations, violation("OLD1"))
    WAYS[relation](scene)
    functions.send_due()
    functions.phones.sent.clear()
    functions.clock.forward(hours=5)
    occurred_at = scene.occurred_at or to_text(functions.clock.at - timedelta(hours=1))
    subject = violation("NEW1", place=PLACE, occurred_at=occurred_at, recorded_at=occurred_at)
    functions.announce(functions.opened(subject))
    functions.send_due()
    heard = [text for phone, text in functions.phones.sent if phone != OWN["phone_number"] and "violation" in text]
    paid = functions.pay({"violations": ["OLD1"], "gateway": "sandbox", "return_url": RETURN_URL})
    page = on_vehicle(functions, "GET", scene.vehicle_id, "/violations")
    followers = on_vehicle(functions, "GET", scene.vehicle_id, "/followers")
    answer = functions.ask({"plate": TYPED, "sms": False})
    shown = [
        item
        for item in [*answer.body["violations"], *(page.body["items"] if page.status == 200 else [])]
        if item["violation_no"] == "NEW1"
    ]
    whole = {item["place"] is not None for item in shown}
    assert whole == {len(item["occurred_at"]) > 10 for item in shown}
    assert len(whole) == 1
    cells = {
        "look-up": answer.status == 200,
        "my vehicle's page": page.status == 200,
        "place and hour": True in whole,
        "followers": followers.status == 200,
        "news by SMS": bool(heard),
        "day of the act in it": any("violation of" in text for text in heard),
        "pay": paid.status == 201,
    }
    assert {name: "yes" if seen else "no" for name, seen in cells.items()} == MATRIX[relation]


def test_who_may_not_is_answered_like_who_asks_of_nothing(functions: Functions) -> None:
    store(functions.violations, violation("OLD1"))
    refused = functions.pay({"violations": ["OLD1"], "gateway": "sandbox", "return_url": RETURN_URL})
    unknown = functions.pay({"violations": ["NEVER"], "gateway": "sandbox", "return_url": RETURN_URL})
    assert (refused.status, refused.errors) == (unknown.status, unknown.errors)
    assert functions.access(sub=SUB) == "none"


def test_news_put_before_a_switch_is_not_sent_after_it(functions: Functions, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(functions, monkeypatch)
    scene.link()
    functions.announce(functions.opened(violation("NEW1")))
    scene.needs_proof()
    functions.send_due()
    assert (functions.statuses(), functions.phones.sent) == ([MessageStatus.DROPPED], [])


def test_after_a_switch_no_news_is_put(functions: Functions, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(functions, monkeypatch)
    scene.link()
    scene.needs_proof()
    functions.announce(functions.opened(violation("NEW1")))
    assert functions.statuses() == []
