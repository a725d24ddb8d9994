"""First Iraqi Bank's stand-in: OAuth 2 with tokens of a minute, payments without a reference, unsigned callbacks."""

from __future__ import annotations

import re
import secrets
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from tests.support.gateways.stand_in import Post, Reply, Request, StandIn, basic_or_bearer, says

ROOT = "/protected/v1/payments"
LIFETIME = 60
CATEGORIES = {
    "ERP",
    "POS",
    "ECOMMERCE",
    "UTILITY",
    "PAYROLL",
    "SUPPLIER",
    "LOAN",
    "GOVERNMENT",
    "MISCELLANEOUS",
    "OTHER",
}


@dataclass
class Payment:
    payment_id: str
    amount: int
    callback_url: str | None
    status: str = "UNPAID"
    reason: str | None = None
    refunds: int = 0
    begun: bool = False
    closed: bool = False


class FibStandIn(StandIn):
    """clock: seconds, by which tokens age."""

    name = "fib"
    order_path, status_path, refund_path = "/payments", "/status", "/refund"

    def __init__(self) -> None:
        super().__init__()
        self.payments: dict[str, Payment] = {}
        self.clients = {"gharama": "client-secret-of-fib"}
        self.tokens: dict[str, float] = {}
        self.clock: Callable[[], float] = time.monotonic

    def keys(self) -> dict[str, str]:
        (client_id,) = self.clients
        return {"client_id": client_id, "client_secret": self.clients[client_id]}

    def changes_keys(self) -> None:
        self.clients, self.tokens = {"gharama-2": "new secret"}, {}

    # ------------------------------------------------------------------ the customer, and time

    def ids(self) -> list[str]:
        return list(self.payments)

    def begins(self, gateway_id: str) -> None:
        self.payments[gateway_id].begun = True

    def ends(self, gateway_id: str, how: str) -> None:
        """A payment comes to an end; a callback is owed."""
        payment = self.payments[gateway_id]
        assert not payment.closed
        payment.status = "PAID" if how == "paid" else "DECLINED"
        payment.reason = {"failed": "PAYMENT_CANCELLATION", "expired": "PAYMENT_EXPIRATION"}.get(how)
        if payment.callback_url:
            self.owed.append(self.callback(payment, payment.callback_url))

    def given_back(self, gateway_id: str) -> int:
        payment = self.payments[gateway_id]
        return payment.refunds * payment.amount

    def finish_refund(self, gateway_id: str) -> None:
        self.payments[gateway_id].status = "REFUNDED"

    def callback(self, payment: Payment, url: str) -> Post:
        body = says(200, {"id": payment.payment_id, "status": payment.status}).body
        return Post("POST", url, {"Content-Type": "application/json"}, body)

    # ------------------------------------------------------------------ API

    def route(self, request: Request) -> Reply:
        if request.path == "/auth/realms/fib-online-shop/protocol/openid-connect/token":
            return self._grant({name: values[0] for name, values in parse_qs(request.body.decode()).items()})
        if self.tokens.get(basic_or_bearer(request.headers)[1], 0.0) <= self.clock():
            return Reply(401)
        match request.method, request.path.removeprefix(ROOT).strip("/").split("/"):
            case "POST", [""]:
                return self._create(request.json())
            case "GET", [payment_id, "status"] if payment := self.payments.get(payment_id):
                return self._status(payment)
            case "POST", [payment_id, "cancel"] if payment := self.payments.get(payment_id):
                return self._cancel(payment)
            case "POST", [payment_id, "refund"] if payment := self.payments.get(payment_id):
                return self._refund(payment)
        return _error(404, "NOT_FOUND")

    def _grant(self, form: Mapping[str, str]) -> Reply:
        known = self.clients.get(form.get("client_id", "")) == form.get("client_secret")
        if form.get("grant_type") != "client_credentials" or not known:
            return says(401, {"error": "invalid_client"})
        token = secrets.token_urlsafe(24)
        self.tokens[token] = self.clock() + LIFETIME
        return says(200, {"access_token": token, "expires_in": LIFETIME, "token_type": "Bearer"})

    def _create(self, body: Mapping[str, Any]) -> Reply:
        money = body["monetaryValue"]
        valid = (
            money["amount"] > 0
            and money["currency"] == "IQD"
            and len(body.get("description", "")) <= 50
            and re.fullmatch(r"PT\d+[MH]|P\d+D", body.get("expiresIn", "PT1H"))
            and re.fullmatch(r"PT(1[2-9]|[2-9]\d|1\d\d)H|P[1-7]D", body.get("refundableFor", "P7D"))
            and body.get("category", "OTHER") in CATEGORIES
        )
        if not valid:
            return _error(406, "VALIDATION")
        payment = Payment(str(uuid.uuid4()), money["amount"], body.get("statusCallbackUrl"))
        self.payments[payment.payment_id] = payment
        links = {
            f"{kind}AppLink": f"{self.url}/{kind}/{payment.payment_id}"
            for kind in ("personal", "business", "corporate")
        }
        view = {"paymentId": payment.payment_id, "readableCode": "ABCD-EFGH", "validUntil": "2026-11-20T09:15:00.000Z"}
        return says(201, {**view, **links, "qrCode": "data:image/png;base64," + "A" * 5000})

    def _status(self, payment: Payment) -> Reply:
        paid = payment.status in ("PAID", "REFUND_REQUESTED", "REFUNDED")
        return says(
            200,
            {
                "paymentId": payment.payment_id,
                "status": payment.status,
                "amount": {"amount": payment.amount, "currency": "IQD"},
                "paidAt": "2026-11-20T09:05:00.000Z" if paid else None,
                "paidBy": {"name": "Name-In-The-Answer", "iban": "IQ98NBIQ850123456789012"} if paid else None,
                "decliningReason": payment.reason,
                "declinedAt": "2026-11-20T09:05:00.000Z" if payment.reason else None,
            },
        )

    def _cancel(self, payment: Payment) -> Reply:
        if payment.status != "UNPAID" or payment.begun:
            return _error(406, "PAYMENT_NOT_CANCELABLE")
        payment.status, payment.reason, payment.closed = "DECLINED", "PAYMENT_CANCELLATION", True
        return Reply(204)

    def _refund(self, payment: Payment) -> Reply:
        if payment.status != "PAID":
            return _error(406, "PAYMENT_NOT_REFUNDABLE")
        payment.status = "REFUND_REQUESTED"
        payment.refunds += 1
        return Reply(202)


def _error(status: int, code: str) -> Reply:
    return says(status, {"traceId": secrets.token_hex(8), "errors": [{"code": code}]})
