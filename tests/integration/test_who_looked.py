"""Who looked: every call of the API and every command keeps what the privacy page says, and the owner sees how many."""

from __future__ import annotations

import inspect
import re
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import boto3
import pytest

from infra.operator import investigating
from infra.operator.__main__ import app
from query.api import handler
from shared.domain.citizen import Vehicle
from shared.domain.time import to_text
from shared.domain.violation import Violation
from shared.stores.people.who_looked import What
from tests.support import lambda_events as events
from tests.support.asking import ASKED, OWN, TYPED, call, entries, on_vehicle
from tests.support.build import NOON, OTHER_PLATE, PLATE, SUB, registration, store, violation
from tests.support.documents import read, rows, section
from tests.support.functions import Functions, Reply
from tests.support.payment_requests import payment_body
from tests.unit.test_openapi import routes

CLERK: Final = {"sub": "ur-clerk", "scope": "directorate"}
UPLOAD: Final = {"origin": "live", "format": "csv", "encoding": "utf-8", "size": 10}
VEHICLE: Final = Vehicle("a" * 32, PLATE.key, None, "self", notify=True, proven=True, proved_at=to_text(NOON))
FOLLOWER: Final = Vehicle("b" * 32, PLATE.key, None, "self", notify=True)
CARD: Final = "AB12345"
PROOF: Final = {"type": "registration", "number": CARD}


def table() -> dict[str, list[str]]:
    """What each call and command keeps, as the privacy page says; empty for none."""
    of = rows(section(read("docs/privacy.md"), "Who looked"))[1:]
    return {name.strip("`"): re.findall("`([^`]+)`", kept) for name, kept, _ in of}


KEPT: Final = table()


class Scene:
    """A proven owner of a plate with violations, who has asked for it and begun to pay; another citizen who follows."""

    def __init__(self, functions: Functions) -> None:
        self.functions = functions
        self.violations: list[Violation] = [violation(), violation(amount=25_000), violation()]
        store(functions.violations, *self.violations)
        functions.registry.write([registration(CARD)])
        card = functions.crypto.registration_fingerprint(PLATE.key, CARD)
        functions.citizens.link(SUB, VEHICLE._replace(card=card), NOON)
        functions.citizens.link("ur-follower", FOLLOWER, NOON)
        self.query: str = functions.ask({"plate": TYPED}).body["query_id"]
        self.payment: str = functions.pay(payment_body(*self.violations[:2])).body["payment_id"]

    def paid(self) -> str:
        """Let the payment be paid; its receipt's number."""
        self.functions.gateway.says(self.payment)
        assert self.functions.callback(self.payment).status == 200
        number: str = self.functions.payment(self.payment).body["receipt_no"]
        return number

    def upload(self) -> Reply:
        return self.functions.call("ingest.api", "POST /v1/uploads", body=UPLOAD, claims=CLERK)

    def of_payment(self, module: str, route: str) -> Reply:
        return self.functions.call(module, route, path={"payment_id": self.payment})


def receipt(scene: Scene) -> Reply:
    scene.paid()
    return scene.of_payment("pay.receipts", "GET /v1/payments/{payment_id}/receipt")


def own(scene: Scene, method: str, rest: str = "", **request: Any) -> Reply:
    return on_vehicle(scene.functions, method, VEHICLE.vehicle_id, rest, **request)


def by_browser(scene: Scene) -> Reply:
    """A gateway's page sends the browser on by a token that it signs; one without is refused, and kept no more."""
    gateway = {"gateway": "sandbox"}
    return scene.functions.call("pay.on_callback", "GET /v1/callbacks/{gateway}", path=gateway)


def watched(scene: Scene) -> Reply:
    upload = {"upload_id": scene.upload().body["upload_id"]}
    return scene.functions.call("ingest.api", "GET /v1/uploads/{upload_id}", path=upload, claims=CLERK)


def described() -> Reply:
    reply = handler(events.http("GET /v1/openapi.json"), events.context())
    return Reply(reply["statusCode"], None, {})


def counter(scene: Scene) -> Reply:
    numbers = {"violations": [each.violation_no for each in scene.violations]}
    return scene.functions.call("pay.api", "POST /v1/settlements/check", body=numbers, claims=CLERK)


CALLS: Final[dict[str, Callable[[Scene], Reply]]] = {
    "POST /v1/queries": lambda scene: scene.functions.ask({"plate": TYPED}),
    "GET /v1/queries/{query_id}": lambda scene: scene.functions.read_on(scene.query),
    "POST /v1/vehicles": lambda scene: scene.functions.link({**ASKED, "proof": PROOF}, claims=OWN),
    "GET /v1/vehicles": lambda scene: call(scene.functions, "GET /v1/vehicles"),
    "PATCH /v1/vehicles/{vehicle_id}": lambda scene: own(scene, "PATCH", body={}),
    "DELETE /v1/vehicles/{vehicle_id}": lambda scene: own(
        scene,
        "DELETE",
    ),
    "GET /v1/vehicles/{vehicle_id}/violations": lambda scene: own(scene, "GET", "/violations"),
    "GET /v1/vehicles/{vehicle_id}/followers": lambda scene: own(scene, "GET", "/followers"),
    "DELETE /v1/vehicles/{vehicle_id}/followers/{follower_id}": lambda scene: own(
        scene,
        "DELETE",
        "/followers/{follower_id}",
        path={"follower_id": FOLLOWER.vehicle_id},
    ),
    "GET /v1/vehicles/{vehicle_id}/look-ups": lambda scene: own(scene, "GET", "/look-ups"),
    "GET /v1/me": lambda scene: call(scene.functions, "GET /v1/me"),
    "PATCH /v1/me": lambda scene: call(scene.functions, "PATCH /v1/me", body={"sms": False}),
    "DELETE /v1/me": lambda scene: scene.functions.erase(claims=OWN),
    "GET /v1/me/export": lambda scene: scene.functions.call("query.mine.api", "GET /v1/me/export"),
    "GET /v1/messages": lambda scene: call(scene.functions, "GET /v1/messages"),
    "POST /v1/payments": lambda scene: scene.functions.pay(payment_body(scene.violations[2]), "another-key"),
    "GET /v1/payments": lambda scene: scene.functions.list_payments(),
    "GET /v1/payments/{payment_id}": lambda scene: scene.functions.payment(scene.payment),
    "POST /v1/payments/{payment_id}/cancel": lambda scene: scene.functions.cancel(scene.payment),
    "GET /v1/payments/{payment_id}/receipt": receipt,
    "GET /v1/gateways": lambda scene: scene.functions.call("pay.api", "GET /v1/gateways", claims={}),
    "GET /v1/receipts/{receipt_no}": lambda scene: scene.functions.receipt(scene.paid()),
    "POST /v1/settlements/check": counter,
    "POST /v1/callbacks/{gateway}": lambda scene: scene.functions.callback(scene.payment),
    "GET /v1/callbacks/{gateway}": by_browser,
    "POST /v1/uploads": Scene.upload,
    "GET /v1/uploads/{upload_id}": watched,
    "GET /v1/health": lambda scene: call(scene.functions, "GET /v1/health"),
    "GET /v1/openapi.json": lambda _: described(),
}


@pytest.fixture
def scene(functions: Functions, monkeypatch: pytest.MonkeyPatch) -> Scene:
    monkeypatch.setenv("UPLOADS_BUCKET", "uploads")
    monkeypatch.setattr("ingest.api._files", lambda: functions.files)
    monkeypatch.setattr("ingest.api._s3", lambda: boto3.client("s3"))
    monkeypatch.setattr("pay.receipts._bucket", lambda: None)
    monkeypatch.setattr("pay.receipts.keep", lambda *_: "https://receipts.example/a.pdf")
    return Scene(functions)


def kinds(functions: Functions) -> Counter[str]:
    return Counter(item["what"]["S"] for item in entries(functions))


# ---------------------------------------------------------------- the table


def test_every_call_and_every_command_has_its_row() -> None:
    assert KEPT.keys() == routes() | app.commands.keys()
    assert routes() == CALLS.keys()
    assert {what for kept in KEPT.values() for what in kept} == set(What)


@pytest.mark.parametrize("route", CALLS)
def test_a_call_keeps_what_its_row_says(scene: Scene, route: str) -> None:
    before = kinds(scene.functions)
    reply = CALLS[route](scene)
    assert reply.status < 400 or route == "GET /v1/callbacks/{gateway}"
    assert kinds(scene.functions) - before == Counter(KEPT[route])


def test_a_command_that_shows_what_is_of_a_plate_is_one_that_keeps_it() -> None:
    """tests/integration/test_investigating.py and test_operator_decisions.py run those that do."""
    showing = {
        name
        for name, command in app.commands.items()
        if any(word in inspect.getsource(command.callback) for word in ("trail.", "deciding.find"))  # type: ignore[arg-type]
        or command in (investigating.find, investigating.who_looked)
    }
    assert showing == {name for name in app.commands if KEPT[name]}


# ---------------------------------------------------------------- what an owner is told


def test_the_owner_sees_how_many_looked_on_which_day_and_never_who(scene: Scene) -> None:
    functions = scene.functions
    for _ in range(2):
        functions.ask({"plate": TYPED}, claims=OWN)
    counter(scene)
    functions.clock.forward(days=1)
    functions.ask({"plate": TYPED}, claims=OWN)
    functions.ask({"plate": TYPED})
    functions.ask({"plate": f"12 ز {OTHER_PLATE.number}"}, claims=OWN)
    first = own(scene, "GET", "/look-ups", query={"limit": "1"})
    assert first.body["items"] == [{"day": "2026-11-21", "citizens": 1, "staff": 0}]
    cursor = {"cursor": first.body["next_cursor"]}
    assert own(scene, "GET", "/look-ups", query=cursor).body == {
        "items": [{"day": "2026-11-20", "citizens": 2, "staff": 1}],
        "next_cursor": None,
    }
    assert own(scene, "GET", "/violations", query=cursor).errors == [("cursor", "cursor_invalid")]


def test_a_later_owner_is_told_of_nothing_that_was_before(functions: Functions) -> None:
    functions.registry.write([registration(CARD, at="2026-11-01")])
    functions.ask({"plate": TYPED}, claims=OWN)
    functions.registry.write([registration("CD67890", at="2026-11-21")])
    functions.clock.forward(days=2)
    functions.ask({"plate": TYPED}, claims=OWN)
    bought = functions.link({**ASKED, "proof": {**PROOF, "number": "CD67890"}}).body["vehicle_id"]
    told = on_vehicle(functions, "GET", bought, "/look-ups").body["items"]
    assert told == [{"day": "2026-11-22", "citizens": 1, "staff": 0}]


def test_only_who_has_proved_the_vehicle_is_told(functions: Functions) -> None:
    functions.citizens.link(SUB, FOLLOWER, NOON)
    reply = functions.call(
        "query.api", "GET /v1/vehicles/{vehicle_id}/look-ups", path={"vehicle_id": FOLLOWER.vehicle_id}
    )
    assert (reply.status, reply.body["code"]) == (403, "not_proven")
    assert entries(functions) == []


def test_a_payment_of_more_plates_than_its_transaction_holds_keeps_them_all(functions: Functions) -> None:
    made = [violation(plate_key=f"OLD#11#{number}") for number in range(50)]
    store(functions.violations, *made)
    for each in made:
        functions.look_ups.seen(SUB, each.plate_key, functions.clock.at)
    assert functions.pay(payment_body(*made)).status == 201
    assert kinds(functions) == {"payment": 50}


def test_a_payment_begun_twice_is_one(scene: Scene) -> None:
    before = kinds(scene.functions)
    assert scene.functions.pay(payment_body(*scene.violations[:2])).status == 201
    assert kinds(scene.functions) == before
    assert PLATE.number not in str(entries(scene.functions))
