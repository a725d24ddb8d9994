"""Paying by each real gateway, over HTTP to its stand-in: the functions, the adapters and the keys together."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from threading import Event
from unittest.mock import ANY
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from pay.gateways import UnknownError
from pay.payments.compare import compare
from pay.ports import gateway
from shared.domain.violation import CANCELLED, Violation
from shared.stores.paying.payments import Payments
from tests.support.aws import Engine
from tests.support.build import later, row, store, violation
from tests.support.functions import Functions, Reply, forget
from tests.support.gateways.merchant import AMOUNT, GATEWAYS
from tests.support.gateways.qicard import QiCardStandIn
from tests.support.gateways.stand_in import (
    PAGE,
    Fault,
    Post,
    StandIn,
    answers,
    hangs_up,
    lies,
    loses_its_answer,
    rendered,
)
from tests.support.gateways.stand_in import Reply as Answer
from tests.support.gateways.zaincash import ZainCashStandIn
from tests.support.payment_requests import RETURN_URL, payment_body, state, status

GIVES_BACK_AT_ONCE = {"qicard", "zaincash"}


@pytest.fixture(params=["qicard", "zaincash", "fib"])
def stand_in(
    request: pytest.FixtureRequest, functions: Functions, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> Iterator[StandIn]:
    """A gateway that is open, with its keys in its secret."""
    name: str = request.param
    with GATEWAYS[name][0]() as opened:
        if isinstance(opened, ZainCashStandIn):
            opened.now = lambda: functions.clock.at
            opened.webhook_url = "https://api.example/v1/callbacks/zaincash"
        new = {"Name": secret_of(functions, opened), "SecretString": json.dumps(opened.keys())}
        engine.fast()("secretsmanager", "CreateSecret", new)
        monkeypatch.setenv(f"{name.upper()}_URL", opened.base)
        monkeypatch.setenv(f"{name.upper()}_SECRET", new["Name"])
        monkeypatch.setenv("GATEWAYS", f"sandbox,{name}")
        forget()
        yield opened


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


@pytest.mark.parametrize("stand_in", ["qicard", "zaincash"], indirect=True)
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


@pytest.mark.parametrize("stand_in", ["fib"], indirect=True)
@pytest.mark.parametrize("fault", [loses_its_answer, answers(PAGE._replace(status=503))])
def test_an_order_whose_answer_is_lost_and_that_nobody_can_pay_lets_go_at_once(
    functions: Functions, stand_in: StandIn, subjects: list[Violation], fault: Fault
) -> None:
    stand_in.meets(stand_in.order_path, fault)
    started = start(functions, stand_in, subjects)
    assert (started.status, started.body["code"]) == (503, "gateway_silent")
    assert start(functions, stand_in, subjects).body == {**started.body, "request_id": ANY}
    assert status(functions, started.body["payment_id"]) == "failed"
    assert [state(functions, subject) for subject in subjects] == ["unpaid"] * 2
    assert start(functions, stand_in, subjects, "key-00000002").status == 201


@pytest.mark.parametrize("stand_in", ["fib"], indirect=True)
def test_a_start_that_died_at_such_a_gateway_lets_go_with_the_next_run(
    functions: Functions, stand_in: StandIn, subjects: list[Violation], monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object) -> None:
        raise RuntimeError("out of time")

    with monkeypatch.context() as dying:
        dying.setattr(Payments, "put_ways", dies)
        assert start(functions, stand_in, subjects).status == 500
    functions.clock.forward(minutes=3)
    functions.poll_gateways()
    assert [state(functions, subject) for subject in subjects] == ["unpaid"] * 2


@pytest.mark.parametrize("stand_in", ["fib"], indirect=True)
def test_how_to_pay_without_the_page_is_shown_while_it_can_be_paid(
    functions: Functions, stand_in: StandIn, subjects: list[Violation]
) -> None:
    started = start(functions, stand_in, subjects).body
    (gateway_id,) = stand_in.ids()
    pay = started["pay"]
    assert pay["qr"].startswith("data:image/png;base64,")
    links = {whose: f"{stand_in.url}/{whose}/{gateway_id}" for whose in ("personal", "business", "corporate")}
    assert {**pay, "qr": None} == {"url": started["redirect_url"], "qr": None, "code": "ABCD-EFGH", "links": links}
    assert functions.payment(started["payment_id"]).body["pay"] == pay
    assert start(functions, stand_in, subjects).body["pay"] == pay
    assert [each["pay"] for each in functions.list_payments().body["items"]] == [pay]
    stand_in.ends(gateway_id, "paid")
    deliver(functions, stand_in.owed[-1])
    assert functions.payment(started["payment_id"]).body["pay"] is None


def test_a_double_payment_goes_back(functions: Functions, stand_in: StandIn, subjects: list[Violation]) -> None:
    """The citizen is so long about paying that the payment is given up, and pays once more by the next."""
    first = start(functions, stand_in, subjects).body["payment_id"]
    stand_in.begins(stand_in.ids()[0])
    functions.clock.forward(minutes=16)
    functions.poll_gateways()
    assert status(functions, first) == "pending"
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


def test_the_night_finds_no_difference_where_all_is_well(
    functions: Functions, stand_in: StandIn, subjects: list[Violation]
) -> None:
    """Paid, paid of which a part went back, failed, and given up."""
    more = [violation() for _ in range(4)]
    store(functions.violations, *more)
    wanted = [[more[0]], subjects, [more[1]], [more[2]]]
    payments = []
    for position, each in enumerate(wanted):
        payments.append(start(functions, stand_in, each, f"key-0000001{position}").body["payment_id"])
        gateway_id = stand_in.ids()[-1]
        if position == 1:
            functions.violations.write([row(later(subjects[1], status=CANCELLED))])
        if position < 3:
            stand_in.ends(gateway_id, "failed" if position == 2 else "paid")
            deliver(functions, stand_in.owed[-1])
        else:
            functions.cancel(payments[-1])
    functions.clock.forward(minutes=31)
    functions.poll_gateways()
    functions.clock.forward(hours=2)
    report = compare(functions.payments, gateway, functions.clock.at)
    assert (report.compared, report.differences, report.silent, report.unaskable) == (4, [], [], [])
    assert report.received == {stand_in.name: 50_000 + AMOUNT}
    parts = {"qicard": "paid"}.get(stand_in.name, "refund_due")
    assert [status(functions, each) for each in payments] == ["paid", parts, "failed", "cancelled"]


@pytest.mark.parametrize("stand_in", ["qicard"], indirect=True)
def test_the_night_sees_money_that_is_short_of_what_was_settled(
    functions: Functions, stand_in: QiCardStandIn, subjects: list[Violation]
) -> None:
    start(functions, stand_in, subjects)
    functions.violations.write([row(later(subjects[1], status=CANCELLED))])
    (gateway_id,) = stand_in.ids()
    stand_in.ends(gateway_id, "paid")
    deliver(functions, stand_in.owed[-1])
    functions.clock.forward(minutes=3)
    functions.poll_gateways()
    stand_in.payments[gateway_id].refunds["by their office"] = 1_000, "SUCCESS"
    functions.clock.forward(hours=2)
    report = compare(functions.payments, gateway, functions.clock.at)
    assert [(each["differs"], each["theirs"]["amount"]) for each in report.differences] == [("amount", 49_000)]


@pytest.mark.parametrize("stand_in", ["zaincash"], indirect=True)
def test_a_browser_that_comes_late_is_sent_on_and_concludes_nothing(
    functions: Functions, stand_in: ZainCashStandIn, subjects: list[Violation]
) -> None:
    payment_id = start(functions, stand_in, subjects).body["payment_id"]
    stand_in.ends(stand_in.ids()[0], "paid")
    browser, webhook = stand_in.owed
    functions.clock.forward(hours=25)
    asked = len(stand_in.received)
    reply = deliver(functions, browser)
    assert (reply.status, reply.headers["location"]) == (303, RETURN_URL)
    assert deliver(functions, webhook).status == 401
    assert (status(functions, payment_id), len(stand_in.received)) == ("pending", asked)
    assert not [item for item in functions.tables.items("Payments") if item["sk"]["S"].startswith("CALLBACK#")]


@pytest.mark.parametrize("stand_in", ["zaincash"], indirect=True)
def test_a_browser_whose_token_names_the_transaction_alone_is_known_by_it(
    functions: Functions, stand_in: ZainCashStandIn, subjects: list[Violation]
) -> None:
    payment_id = start(functions, stand_in, subjects).body["payment_id"]
    (transaction,) = stand_in.transactions.values()
    transaction.status = "SUCCESS"
    claims = stand_in.claims(transaction)
    del claims["data"]["orderId"]
    assert deliver(functions, stand_in.browser(transaction.success_url, claims)).status == 303
    assert status(functions, payment_id) == "paid"


@pytest.mark.parametrize("stand_in", ["zaincash"], indirect=True)
def test_a_callback_that_one_gateway_proves_never_touches_anothers_payment(
    functions: Functions, stand_in: ZainCashStandIn, subjects: list[Violation]
) -> None:
    functions.gateway.refusal = UnknownError("the order's answer is lost")
    ours = functions.pay(payment_body(*subjects)).body["payment_id"]
    init = {"amount": {"value": str(AMOUNT), "currency": "IQD"}, "language": "ar", "serviceType": "Government"}
    urls = {"successUrl": "https://api.example/v1/callbacks/zaincash", "failureUrl": "https://api.example/"}
    named = {"externalReferenceId": str(UUID(ours)), "orderId": ours, "redirectUrls": urls}
    stand_in._init({**init, **named})
    stand_in.ends(stand_in.ids()[0], "paid")
    for post in stand_in.owed:
        reply = deliver(functions, post)
        assert (reply.status, reply.body["code"]) == (404, "no_such_payment")
    assert status(functions, ours) == "created"
    assert [state(functions, subject) for subject in subjects] == ["in_payment"] * 2
    assert not [item for item in functions.tables.items("Payments") if item["sk"]["S"].startswith("CALLBACK#")]


def test_money_in_another_spelling_of_the_dinar_pays(
    functions: Functions, stand_in: StandIn, subjects: list[Violation]
) -> None:
    payment_id = start(functions, stand_in, subjects).body["payment_id"]
    stand_in.ends(stand_in.ids()[0], "paid")
    stand_in.meets(stand_in.status_path, spells_the_dinar("iqd"))
    deliver(functions, stand_in.owed[-1])
    assert status(functions, payment_id) == "paid"


@pytest.mark.parametrize("stand_in", ["qicard"], indirect=True)
def test_a_success_that_waits_to_be_confirmed_is_not_paid_yet(
    functions: Functions, stand_in: StandIn, subjects: list[Violation]
) -> None:
    payment_id = start(functions, stand_in, subjects).body["payment_id"]
    stand_in.ends(stand_in.ids()[0], "paid")
    stand_in.meets("/status", lies(lambda answer: {**answer, "confirmedAmount": 0}))
    assert deliver(functions, stand_in.owed[-1]).status == 200
    assert status(functions, payment_id) == "pending"
    functions.clock.forward(minutes=3)
    functions.poll_gateways()
    assert status(functions, payment_id) == "paid"


@pytest.mark.parametrize("stand_in", ["qicard"], indirect=True)
@pytest.mark.parametrize("code", [2, 12])
def test_an_order_that_never_arrived_ends_with_its_time(
    functions: Functions, stand_in: QiCardStandIn, subjects: list[Violation], code: int
) -> None:
    stand_in.missing = 400, code
    stand_in.meets("/payment", hangs_up)
    payment_id = start(functions, stand_in, subjects).body["payment_id"]
    functions.clock.forward(minutes=16)
    functions.poll_gateways()
    assert status(functions, payment_id) == "expired"
    assert [state(functions, subject) for subject in subjects] == ["unpaid"] * 2


def spells_the_dinar(spelled: str) -> Fault:
    def said(act: Callable[[], Answer], closing: Event) -> Iterator[bytes]:
        reply = act()
        yield rendered(reply._replace(body=reply.body.replace(b'"IQD"', f'"{spelled}"'.encode())))

    return said


@pytest.mark.parametrize("stand_in", ["zaincash"], indirect=True)
def test_a_reversal_that_its_list_does_not_show_yet_is_not_made_again(
    functions: Functions, stand_in: ZainCashStandIn, subjects: list[Violation]
) -> None:
    payment_id = paid_for_nothing(functions, stand_in, subjects)
    (gateway_id,) = stand_in.ids()
    stand_in.lag = 1
    stand_in.meets("/reverse", loses_its_answer)
    for _ in range(3):
        functions.clock.forward(minutes=3)
        functions.poll_gateways()
        assert (status(functions, payment_id), stand_in.given_back(gateway_id)) == ("refund_due", AMOUNT)
    stand_in.lag = 0
    functions.clock.forward(minutes=3)
    functions.poll_gateways()
    assert (status(functions, payment_id), stand_in.given_back(gateway_id)) == ("refunded", AMOUNT)


@pytest.mark.parametrize("stand_in", ["zaincash"], indirect=True)
@pytest.mark.parametrize("path", ["/oauth2/token", "/inquiry", "/reversals"])
def test_one_that_was_not_asked_for_is_asked_for_next_time(
    functions: Functions, stand_in: ZainCashStandIn, subjects: list[Violation], path: str
) -> None:
    payment_id = paid_for_nothing(functions, stand_in, subjects)
    stand_in.meets(path, loses_its_answer)
    forget()  # so that tokens are fetched anew
    for given_back, after in ((0, "refund_due"), (AMOUNT, "refunded")):
        functions.clock.forward(minutes=3)
        functions.poll_gateways()
        assert (status(functions, payment_id), stand_in.given_back(stand_in.ids()[0])) == (after, given_back)


def paid_for_nothing(functions: Functions, stand_in: StandIn, subjects: list[Violation]) -> str:
    """The id of a payment whose violations were cancelled before its money came."""
    payment_id: str = start(functions, stand_in, subjects).body["payment_id"]
    functions.violations.write([row(later(each, status=CANCELLED)) for each in subjects])
    stand_in.ends(stand_in.ids()[0], "paid")
    deliver(functions, stand_in.owed[-1])
    return payment_id


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
