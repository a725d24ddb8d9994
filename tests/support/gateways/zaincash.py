"""ZainCash's stand-in, version 2: OAuth 2, transactions by its own id, tokens under HS256, reversals that add up.

Its tokens are made by PyJWT, which the product does not use.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlencode

import jwt

from tests.support.gateways.stand_in import Post, Reply, Request, StandIn, basic_or_bearer, says

ROOT = "/api/v2/payment-gateway/transaction"
SCOPES = {"payment:read", "payment:write", "reverse:read", "reverse:write"}


@dataclass
class Transaction:
    transaction_id: str
    reference: str
    order_id: str
    value: str
    success_url: str
    failure_url: str
    status: str = "PENDING"
    reversed: int = 0
    """How often: each time the whole amount goes back."""


class ZainCashStandIn(StandIn):
    """webhook_url: what ZainCash's staff have registered, None in UAT. next_reversal: how the next reversal ends.

    now: what its tokens are dated by. page_size: how many reversals its list shows at once. lag: how many of the newest
    it does not show yet.
    """

    name = "zaincash"
    order_path, status_path, refund_path = "/init", "/inquiry", "/reverse"

    def __init__(self) -> None:
        super().__init__()
        self.transactions: dict[str, Transaction] = {}
        self.clients = {"gharama": "client-secret-of-zaincash"}
        self.api_key = secrets.token_hex(24)
        self.tokens: dict[str, set[str]] = {}
        self.webhook_url: str | None = None
        self.next_reversal = "COMPLETED"
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.reversals: list[dict[str, Any]] = []
        self.page_size, self.lag = 20, 0

    def keys(self) -> dict[str, str]:
        (client_id,) = self.clients
        return {
            "client_id": client_id,
            "client_secret": self.clients[client_id],
            "callback_key": self.api_key,
            "service_type": "Government",
        }

    def changes_keys(self) -> None:
        self.clients, self.tokens = {"gharama-2": "new secret"}, {}
        self.api_key = secrets.token_hex(24)

    # ------------------------------------------------------------------ the customer, and time

    def ids(self) -> list[str]:
        return list(self.transactions)

    def begins(self, gateway_id: str) -> None:
        self.transactions[gateway_id].status = "OTP_SENT"

    def ends(self, gateway_id: str, how: str) -> None:
        """A transaction comes to an end; the browser goes back, and a webhook is owed where one is registered."""
        transaction = self.transactions[gateway_id]
        before, transaction.status = transaction.status, {"paid": "SUCCESS"}.get(how, how.upper())
        claims = self.claims(transaction, before)
        back = transaction.success_url if how == "paid" else transaction.failure_url
        self.owed.append(self.browser(back, claims))
        if self.webhook_url:
            self.owed.append(self.webhook(self.webhook_url, claims))

    def given_back(self, gateway_id: str) -> int:
        transaction = self.transactions[gateway_id]
        return transaction.reversed * int(transaction.value)

    def finish_refund(self, gateway_id: str) -> None:
        self.transactions[gateway_id].status = "REFUNDED"

    def claims(self, transaction: Transaction, before: str = "PENDING", **changes: Any) -> dict[str, Any]:
        return {
            "eventId": str(uuid.uuid4()),
            "eventType": "STATUS_CHANGED",
            "timestamp": self.now().isoformat(timespec="milliseconds"),
            "data": {
                "transactionId": transaction.transaction_id,
                "customerMsisdn": "9647802999569",
                "orderId": transaction.order_id,
                "serviceType": "Government",
                "errorMessage": None,
                "previousStatus": before,
                "currentStatus": transaction.status,
                "amount": {"currency": "IQD", "value": int(transaction.value), "feeValue": 0},
            },
            **changes,
        }

    def token(self, claims: Mapping[str, Any]) -> str:
        return jwt.encode(dict(claims), self.api_key, "HS256")

    def browser(self, url: str, claims: Mapping[str, Any]) -> Post:
        return Post("GET", f"{url}?{urlencode({'token': self.token(claims)})}", {}, b"")

    def webhook(self, url: str, claims: Mapping[str, Any]) -> Post:
        body = says(200, {"webhook_token": self.token(claims)}).body
        return Post("POST", url, {"Content-Type": "application/json"}, body)

    # ------------------------------------------------------------------ API v2

    def route(self, request: Request) -> Reply:
        if (request.method, request.path) == ("POST", "/oauth2/token"):
            return self._grant({name: values[0] for name, values in parse_qs(request.body.decode()).items()})
        scopes = self.tokens.get(basic_or_bearer(request.headers)[1], set())
        if not scopes:
            return says(401, {"status": "ERROR", "message": "Unauthorized"})
        match request.method, request.path.removeprefix(f"{ROOT}/").split("/"):
            case "POST", ["init"] if "payment:write" in scopes:
                return self._init(request.json())
            case "GET", ["inquiry", transaction_id] if "payment:read" in scopes:
                return self._shown(self.transactions.get(transaction_id))
            case "POST", ["reverse"] if "reverse:write" in scopes:
                return self._reverse(request.json())
            case "GET", ["reversals"] if "reverse:read" in scopes:
                return self._listed()
        return says(403, {"status": "ERROR", "message": "Forbidden"})

    def _grant(self, form: Mapping[str, str]) -> Reply:
        asked = set(form.get("scope", "").split())
        if form.get("grant_type") != "client_credentials" or not asked <= SCOPES:
            return says(400, {"error": "invalid_request"})
        if self.clients.get(form.get("client_id", "")) != form.get("client_secret"):
            return says(401, {"error": "invalid_client"})
        token = secrets.token_urlsafe(24)
        self.tokens[token] = asked
        return says(200, {"access_token": token, "token_type": "Bearer", "expires_in": 3600})

    def _init(self, body: Mapping[str, Any]) -> Reply:
        uuid.UUID(body["externalReferenceId"])
        amount = body["amount"]
        if not (isinstance(amount["value"], str) and amount["value"].isdecimal() and amount["currency"] == "IQD"):
            return says(400, {"status": "ERROR", "message": "VALIDATION_ERROR"})
        if body["language"] not in ("en", "ar", "ku") or not body["serviceType"]:
            return says(400, {"status": "ERROR", "message": "VALIDATION_ERROR"})
        known = [each for each in self.transactions.values() if each.reference == body["externalReferenceId"]]
        if known:
            details = {"transactionId": known[0].transaction_id}
            return says(409, {"status": "ERROR", "message": "DUPLICATE_REFERENCE", "transactionDetails": details})
        urls = body["redirectUrls"]
        transaction = Transaction(
            str(uuid.uuid4()),
            body["externalReferenceId"],
            body["orderId"],
            amount["value"],
            urls["successUrl"],
            urls["failureUrl"],
        )
        self.transactions[transaction.transaction_id] = transaction
        return self._shown(transaction, redirectUrl=f"{self.url}/pay?id={transaction.transaction_id}")

    def _reverse(self, body: Mapping[str, Any]) -> Reply:
        transaction = self.transactions.get(body["transactionId"])
        if transaction is None or transaction.status not in ("SUCCESS", "REFUNDED") or not body["reason"]:
            return says(422, {"status": "ERROR", "message": "NOT_REVERSIBLE"})
        if self.next_reversal != "FAILED":
            transaction.reversed += 1
        reversal = {
            "status": self.next_reversal,
            "reversalReferenceId": secrets.token_hex(8),
            "referenceId": secrets.token_hex(8),
            "transactionId": transaction.transaction_id,
            "amount": int(transaction.value),
            "reason": body["reason"],
        }
        self.reversals.insert(0, reversal)
        return says(200, reversal)

    def _listed(self) -> Reply:
        """Its first page, whatever it is asked for: no document says that a transaction's own can be had alone."""
        entries = self.reversals[self.lag :]
        pages = -(-len(entries) // self.page_size)
        shown = {"number": 0, "size": self.page_size, "totalElements": len(entries), "totalPages": pages}
        return says(200, {"content": entries[: self.page_size], **shown, "last": pages <= 1})

    def _shown(self, transaction: Transaction | None, **more: Any) -> Reply:
        if transaction is None:
            return says(404, {"status": "ERROR", "message": "TRANSACTION_NOT_FOUND"})
        return says(
            200,
            {
                "status": transaction.status,
                "transactionDetails": {
                    "transactionId": transaction.transaction_id,
                    "externalReferenceId": transaction.reference,
                    "orderId": transaction.order_id,
                    "amount": {"value": transaction.value, "currency": "IQD"},
                },
                "expiryTime": self.now().isoformat(),
                **more,
            },
        )
