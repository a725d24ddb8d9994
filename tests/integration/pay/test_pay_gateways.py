"""Paying by each real gateway, over HTTP to its stand-in: the functions, the adapters and the keys together."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from shared.domain.violation import Violation
from tests.support.aws import Engine
from tests.support.functions import Functions, Reply, forget
from tests.support.gateways.merchant import AMOUNT, GATEWAYS
from tests.support.gateways.stand_in import PAGE, Post, StandIn, answers, loses_its_answer
from tests.support.gateways.zaincash import ZainCashStandIn
from tests.support.payment_requests import RETURN_URL, payment_body, state, status

GIVES_BACK_AT_ONCE = {"qicard", "zaincash"}


@pytest.fixture(params=["qicard", "zaincash", "fib"])
def stand_in(
    request: pytest.FixtureRequest, functions: Functions, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> Iterator[StandIn]:
    """A gateway that is open, with its keys in its secret."""
    name: str = request.param
    with GATEWAYS[name][0]() as gateway:
        if isinstance(gateway, ZainCashStandIn):
            gateway.now = lambda: functions.clock.at
            gateway.webhook_url = "https://api.example/v1/callbacks/zaincash"
        new = {"Name": secret_of(functions, gateway), "SecretString": json.dumps(gateway.keys())}
        engine.fast()("secretsmanager", "CreateSecret", new)
        monkeypatch.setenv(f"{name.upper()}_URL", gateway.base)
        monkeypatch.setenv(f"{name.upper()}_SECRET", new["Name"])
        monkeypatch.setenv("GATEWAYS", f"sandbox,{name}")
        forget()
        yield gateway


def secret_of(functions: Functions, gateway: StandIn) -> str:
    return f"{functions.queue.rpartition('/')[2]}-{gateway.name}"


def start(functions: Functions, stand_in: StandIn, subjects: list[Violation], key: str = "key-00000001") -> Reply:
    return functions.pay(payment_body(*subjects, gateway=stand_in.name), key)


def deliver(functions: Functions, post: Post) -> Reply:
    """A callback, or a browser, as API Gateway hands it on."""
    delivery = post.delivery()
    return functions.call(
        "pay.on_callback",
        f"{post.method} /v1/callbacks/{{gateway}}",
        path={"gateway": urlsplit(post.url).path.rpartition("/")[2]},
        query=delivery.query,
        headers=delivery.headers,
        raw=base64.b64encode(delivery.body).decode(),
        base64=True,
    )


def test_a_payment_is_settled_by_its_callbacks(
    functions: Functions, stand_in: StandIn, subjects: list[Violation]
) -> None:
    started = start(functions, stand_in, subjects)
    assert (started.status, started.body["status"]) == (201, "pending")
    assert started.body["redirect_url"].startswith(stand_in.url)
    (gateway_id,) = stand_in.ids()
    stand_in.ends(gateway_id, "paid")
    for post in [*stand_in.owed, *stand_in.owed]:
        reply = deliver(functions, post)
        if post.method == "GET":
            assert (reply.status, reply.headers["location"]) == (303, RETURN_URL)
        else:
            assert reply.status == 200
    paid = functions.payment(started.body["payment_id"]).body
    assert (paid["status"], paid["amount"]) == ("paid", AMOUNT)
    assert [state(functions, subject) for subject in subjects] == ["paid"] * 2
    assert functions.receipt(paid["receipt_no"]).body["amount"] == AMOUNT


@pytest.mark.parametrize(("how", "ended"), [("failed", "failed"), ("expired", "expired")])
def test_one_that_brought_no_money_lets_the_violations_go(
    functions: Functions, stand_in: StandIn, subjects: list[Violation], how: str, ended: str
) -> None:
    payment_id = start(functions, stand_in, subjects).body["payment_id"]
    stand_in.ends(stand_in.ids()[0], how)
    deliver(functions, stand_in.owed[-1])
    assert status(functions, payment_id) == ended
    assert [state(functions, subject) for subject in subjects] == ["unpaid"] * 2


def test_a_lost_callback_is_made_good_by_asking_the_gateway(
    functions: Functions, stand_in: StandIn, subjects: list[Violation]
) -> None:
    payment_id = start(functions, stand_in, subjects).body["payment_id"]
    stand_in.ends(stand_in.ids()[0], "paid")
    functions.clock.forward(minutes=3)
    functions.poll_gateways()
    assert status(functions, payment_id) == "paid"


def test_an_order_whose_answer_is_lost_is_found_by_its_callback(
    functions: Functions, stand_in: StandIn, subjects: list[Violation]
) -> None:
    stand_in.meets(stand_in.order_path, loses_its_answer)
    started = start(functions, stand_in, subjects)
    assert (started.status, started.body["redirect_url"]) == (202, None)
    (gateway_id,) = stand_in.ids()
    stand_in.ends(gateway_id, "paid")
    deliver(functions, stand_in.owed[-1])
    assert status(functions, started.body["payment_id"]) == "paid"
    assert stand_in.ids() == [gateway_id]


def test_a_double_payment_goes_back(functions: Functions, stand_in: StandIn, subjects: list[Violation]) -> None:
    """The citizen is so long about paying that the payment is given up, and pays once more by the next."""
    first = start(functions, stand_in, subjects).body["payment_id"]
    stand_in.begins(stand_in.ids()[0])
    functions.clock.forward(minutes=16)
    functions.poll_gateways()
    assert status(functions, first) == "expired"
    second = start(functions, stand_in, subjects, "key-00000002").body["payment_id"]
    for gateway_id in stand_in.ids():
        stand_in.ends(gateway_id, "paid")
        deliver(functions, stand_in.owed[-1])
    assert status(functions, second) == "paid"
    functions.poll_gateways()
    one, other = stand_in.ids()
    if stand_in.name not in GIVES_BACK_AT_ONCE:
        assert status(functions, first) == "refund_due"
        stand_in.finish_refund(one)
        functions.clock.forward(minutes=3)
        functions.poll_gateways()
    assert status(functions, first) == "refunded"
    assert [stand_in.given_back(each) for each in (one, other)] == [AMOUNT, 0]


def test_a_gateway_that_cannot_be_asked_has_the_callback_come_again(
    functions: Functions, stand_in: StandIn, subjects: list[Violation]
) -> None:
    payment_id = start(functions, stand_in, subjects).body["payment_id"]
    stand_in.ends(stand_in.ids()[0], "paid")
    stand_in.meets(stand_in.status_path, answers(PAGE._replace(status=503)))
    assert deliver(functions, stand_in.owed[-1]).status == 503
    assert status(functions, payment_id) == "pending"
    assert deliver(functions, stand_in.owed[-1]).status == 200
    assert status(functions, payment_id) == "paid"


def test_a_gateway_with_wrong_keys_takes_no_order(
    functions: Functions, stand_in: StandIn, subjects: list[Violation]
) -> None:
    stand_in.changes_keys()
    reply = start(functions, stand_in, subjects)
    assert (reply.status, reply.body["code"]) == (502, "gateway_refused")
    assert [state(functions, subject) for subject in subjects] == ["unpaid"] * 2


def test_changed_keys_are_read_without_a_deployment(
    functions: Functions, stand_in: StandIn, engine: Engine, subjects: list[Violation]
) -> None:
    payment_id = start(functions, stand_in, subjects).body["payment_id"]
    stand_in.ends(stand_in.ids()[0], "paid")
    under_the_old = stand_in.owed[-1]
    stand_in.changes_keys()
    new = {"SecretId": secret_of(functions, stand_in), "SecretString": json.dumps(stand_in.keys())}
    engine.fast()("secretsmanager", "PutSecretValue", new)
    functions.clock.forward(minutes=6)
    assert deliver(functions, under_the_old).status == 200
    assert status(functions, payment_id) == "paid"


def test_a_proof_that_is_none_is_refused(functions: Functions, stand_in: StandIn, subjects: list[Violation]) -> None:
    payment_id = start(functions, stand_in, subjects).body["payment_id"]
    stand_in.ends(stand_in.ids()[0], "paid")
    genuine = stand_in.owed[-1]
    forged = genuine._replace(url=genuine.url.partition("?")[0], headers={}, body=genuine.body.replace(b'"', b'"x', 3))
    reply = deliver(functions, forged)
    assert (reply.status, reply.body["code"]) == (401, "callback_refused")
    assert status(functions, payment_id) == "pending"
