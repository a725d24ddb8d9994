"""QiCard's stand-in: HTTP Basic with a terminal, a requestId used once, notifications signed with RSA."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.support.gateways.stand_in import Post, Reply, Request, StandIn, basic_or_bearer, says

NAMES = {
    1: "ORDER_ALREADY_EXISTS",
    2: "ORDER_NOT_FOUND",
    5: "RequestId {} was already used.",
    9: "TERMINAL_NOT_FOUND_EXCEPTION",
    10: "PAYMENT_ALREADY_EXISTS",
    12: "PAYMENT_NOT_FOUND",
    15: "CAN_NOT_CANCEL_PAYMENT",
    18: "REFUNDS_NOT_ALLOWED",
    21: "VALIDATION_ERROR",
    27: "BAD_CREDENTIALS",
}


@cache
def key(number: int) -> rsa.RSAPrivateKey:
    """A terminal's key; making one takes a while, so that tests share them."""
    return rsa.generate_private_key(65537, 2048)


def pem(number: int) -> str:
    public = key(number).public_key()
    return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def signed(number: int, text: str) -> str:
    return base64.b64encode(key(number).sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()


@dataclass
class Payment:
    payment_id: str
    request_id: str
    amount: int
    currency: str
    notification_url: str
    created: str
    status: str = "CREATED"
    canceled: bool = False
    refunds: dict[str, tuple[int, str]] = field(default_factory=dict)
    """requestId of a refund -> its amount and status."""

    @property
    def given_back(self) -> int:
        return sum(amount for amount, status in self.refunds.values() if status != "FAILED")


class QiCardStandIn(StandIn):
    """signing_key: which of the terminal's keys signs now. in_use: the status and code for a requestId used before.

    missing: the same for a payment that is not there.
    """

    name = "qicard"
    order_path, status_path, refund_path = "/payment", "/status", "/refund"

    def __init__(self) -> None:
        super().__init__()
        self.payments: dict[str, Payment] = {}
        self.passwords = {"merchant": "pa:ss-w0rd"}
        self.terminal = "237984"
        self.signing_key = 1
        self.in_use = 400, 10
        self.next_refund = "SUCCESS"
        self.missing = 403, 12
        self._used: set[str] = set()

    @property
    def base(self) -> str:
        return f"{self.url}/api/v1"

    def keys(self) -> dict[str, str]:
        (username,) = self.passwords
        return {
            "username": username,
            "password": self.passwords[username],
            "terminal_id": self.terminal,
            "public_key": pem(self.signing_key),
        }

    def changes_keys(self) -> None:
        self.passwords, self.signing_key = {"merchant-2": "new"}, 2

    # ------------------------------------------------------------------ the customer, and time

    def ids(self) -> list[str]:
        return list(self.payments)

    def begins(self, gateway_id: str) -> None:
        self.payments[gateway_id].status = "AUTHENTICATION_STARTED"

    def ends(self, gateway_id: str, how: str) -> None:
        """A payment comes to an end: ``paid``, ``failed`` or ``expired``; a notification is owed."""
        payment = self.payments[gateway_id]
        assert not payment.canceled
        payment.status = {"paid": "SUCCESS", "failed": "AUTHENTICATION_FAILED", "expired": "EXPIRED"}[how]
        self.owed.append(self.notification(payment))

    def given_back(self, gateway_id: str) -> int:
        return self.payments[gateway_id].given_back

    def finish_refund(self, gateway_id: str) -> None:
        payment = self.payments[gateway_id]
        payment.refunds = {each: (amount, "SUCCESS") for each, (amount, _) in payment.refunds.items()}
        payment.canceled = payment.given_back == payment.amount

    def notification(self, payment: Payment, **changes: Any) -> Post:
        body = {**self._view(payment), **changes}
        text = "|".join(
            (
                str(body.get("paymentId") or "-"),
                f"{Decimal(str(body['amount'])):.3f}",
                str(body.get("currency") or "-"),
                str(body.get("creationDate") or "-"),
                str(body.get("status") or "-"),
            )
        )
        headers = {"Content-Type": "application/json", "X-Signature": signed(self.signing_key, text)}
        return Post("POST", payment.notification_url, headers, says(200, body).body)

    # ------------------------------------------------------------------ API v1

    def route(self, request: Request) -> Reply:
        scheme, value = basic_or_bearer(request.headers)
        name, _, password = base64.b64decode(value).decode().partition(":") if scheme == "basic" else ("", "", "")
        if self.passwords.get(name) != password:
            return _error(401, 27)
        if request.headers.get("x-terminal-id") != self.terminal:
            return _error(400, 9)
        match request.method, request.path.removeprefix("/api/v1/").split("/"):
            case "POST", ["payment"]:
                return self._create(request.json())
            case "GET", ["payment", "status", "by", "request", request_id]:
                return self._shown(self._by_request(request_id))
            case "GET", ["payment", payment_id, "status"]:
                return self._shown(self.payments.get(payment_id))
            case "POST", ["payment", "cancel", "by", "request", request_id]:
                return self._cancel(self._by_request(request_id), request.json())
            case "POST", ["payment", payment_id, "refund"]:
                return self._refund(self.payments.get(payment_id), request.json())
        return Reply(404, b"<html>Not Found</html>", "text/html")

    def _create(self, body: Mapping[str, Any]) -> Reply:
        if not _is_valid(body):
            return _error(400, 21)
        if self._by_request(body["requestId"]):
            return _error(*self.in_use, body["requestId"])
        payment = Payment(
            f"{secrets.token_hex(4)}-a488-4281-977b-{secrets.token_hex(6)}",
            body["requestId"],
            body["amount"],
            body["currency"],
            body["notificationUrl"],
            datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        )
        self.payments[payment.payment_id] = payment
        return says(200, {**self._view(payment), "formUrl": f"{self.url}/api/v1/payment/{payment.payment_id}"})

    def _cancel(self, payment: Payment | None, body: Mapping[str, Any]) -> Reply:
        request_id = body["requestId"]
        if request_id in self._used or not 0 < len(request_id) <= 36:
            return _error(*self.in_use, request_id)
        self._used.add(request_id)
        if payment is None:
            return _error(*self.missing)
        if payment.status not in ("CREATED", "FORM_SHOWED"):
            return _error(400, 15)
        payment.canceled = True
        return says(200, self._view(payment))

    def _refund(self, payment: Payment | None, body: Mapping[str, Any]) -> Reply:
        if payment is None:
            return _error(*self.missing)
        amount = body.get("amount", payment.amount)
        if body["requestId"] in payment.refunds:
            return _error(*self.in_use, body["requestId"])
        if payment.status != "SUCCESS" or payment.given_back + amount > payment.amount:
            return _error(403, 18)
        payment.refunds[body["requestId"]] = amount, self.next_refund
        payment.canceled = self.next_refund == "SUCCESS" and payment.given_back == payment.amount
        view = {"refundId": secrets.token_hex(8), "paymentId": payment.payment_id, "currency": "IQD"}
        return says(200, {**view, "requestId": body["requestId"], "amount": amount, "status": self.next_refund})

    def _by_request(self, request_id: str) -> Payment | None:
        return next((each for each in self.payments.values() if each.request_id == request_id), None)

    def _shown(self, payment: Payment | None) -> Reply:
        return says(200, self._view(payment)) if payment else _error(*self.missing)

    def _view(self, payment: Payment) -> dict[str, Any]:
        return {
            "requestId": payment.request_id,
            "paymentId": payment.payment_id,
            "status": payment.status,
            "canceled": payment.canceled,
            "amount": payment.amount,
            "confirmedAmount": payment.amount - payment.given_back if payment.status == "SUCCESS" else 0,
            "currency": payment.currency,
            "paymentType": "CARD",
            "creationDate": payment.created,
            "details": {"resultCode": "00", "maskedPan": "521372******8574", "paymentSystem": "QI"},
            "additionalInfo": {},
        }


def _is_valid(body: Mapping[str, Any]) -> bool:
    texts = ("requestId", "currency", "locale", "finishPaymentUrl", "notificationUrl")
    more = body.get("additionalInfo", {})
    return (
        all(isinstance(body.get(name), str) for name in texts)
        and 0 < len(body["requestId"]) <= 36
        and type(body.get("amount")) is int
        and body["amount"] > 0
        and body["currency"] == "IQD"
        and body["locale"] in ("ar_IQ", "en_US")
        and len(more) <= 10
        and all(isinstance(value, str) for value in more.values())
    )


def _error(status: int, code: int, about: str = "") -> Reply:
    return says(status, {"error": {"code": code, "description": NAMES[code].format(about)}})
