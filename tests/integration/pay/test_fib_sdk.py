"""First Iraqi Bank's own client for Node against our stand-in of the bank: what it sends is taken, and answered alike.

The client is @first-iraqi-bank/sdk; the forms of the answers are those of its types. It knows only the bank's own
addresses, so that its requests are led to the stand-in.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.gateways.fib import FibStandIn
from tests.support.node import run_node

PROGRAM = """
import { PaymentSDK } from "@first-iraqi-bank/sdk/payment";
const [base, clientId, clientSecret, asked] = process.argv.slice(1);
const send = globalThis.fetch;
globalThis.fetch = (url, options) => send(base + new URL(url).pathname, options);
const sdk = PaymentSDK.getClient(clientId, clientSecret, "dev");
const said = async (answer) => ({ status: answer.status, body: answer.status < 300 && (await answer.text()) || null });
const { access_token: token } = await (await sdk.authenticate()).json();
const { input, then } = JSON.parse(asked);
if (input.redirectUri) input.redirectUri = new URL(input.redirectUri);
if (input.statusCallbackUrl) input.statusCallbackUrl = new URL(input.statusCallbackUrl);
const created = await said(await sdk.createPayment(input, token));
const results = [created];
const id = JSON.parse(created.body).paymentId;
for (const step of then) results.push(await said(await sdk[step](id, token)));
console.log(JSON.stringify(results));
"""
PAYMENT = {
    "paymentId",
    "readableCode",
    "qrCode",
    "validUntil",
    "personalAppLink",
    "businessAppLink",
    "corporateAppLink",
}
STATUS = {"paymentId", "amount", "status", "paidAt", "decliningReason", "declinedAt", "paidBy"}
WHOLE: dict[str, Any] = {
    "amount": 75_000,
    "description": "Gharama 2",
    "statusCallbackUrl": "https://api.example/v1/callbacks/fib",
    "redirectUri": "https://portal.example/paid",
    "expiresIn": {"minutes": 15},
    "refundableFor": {"days": 7},
}


@pytest.fixture
def bank() -> Iterator[FibStandIn]:
    with FibStandIn() as bank:
        yield bank


def ask(bank: FibStandIn, sent: dict[str, Any], *then: str) -> list[dict[str, Any]]:
    keys = bank.keys()
    asked = json.dumps({"input": sent, "then": then})
    answers: list[dict[str, Any]] = run_node(PROGRAM, bank.url, keys["client_id"], keys["client_secret"], asked)
    return [{**each, "body": json.loads(each["body"]) if each["body"] else None} for each in answers]


@pytest.mark.parametrize(
    "left_out",
    [
        (),
        ("redirectUri",),
        ("expiresIn",),
        ("expiresIn", "refundableFor", "redirectUri", "statusCallbackUrl", "description"),
    ],
    ids=["whole", "no way back", "no time", "the least"],
)
def test_what_the_banks_own_client_orders_is_taken(bank: FibStandIn, left_out: tuple[str, ...]) -> None:
    sent = {name: value for name, value in WHOLE.items() if name not in left_out}
    created, status = ask(bank, sent, "getPaymentStatus")
    assert created["status"] == 201
    assert set(created["body"]) == PAYMENT
    assert status["status"] == 200
    assert set(status["body"]) == STATUS
    assert status["body"]["amount"] == {"amount": 75_000, "currency": "IQD"}
    assert status["body"]["status"] == "UNPAID"


def test_it_cancels_as_ours_does(bank: FibStandIn) -> None:
    _, cancelled, status = ask(bank, WHOLE, "cancelPayment", "getPaymentStatus")
    assert cancelled["status"] == 204
    assert (status["body"]["status"], status["body"]["decliningReason"]) == ("DECLINED", "PAYMENT_CANCELLATION")


def test_what_is_not_paid_is_not_given_back(bank: FibStandIn) -> None:
    _, refunded = ask(bank, WHOLE, "refundPayment")
    assert refunded["status"] == 406
