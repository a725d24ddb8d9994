"""The sandbox gateway: the protocol of the local cloud's own gateway, in which no money moves.

Callbacks are signed with HMAC-SHA256 over ``<unix seconds>.<raw body>`` in ``X-Sandbox-Signature: t=…,v1=…``.
"""

from __future__ import annotations

import hmac
import json
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote, urlencode

import urllib3

from pay.gateways import (
    EXPIRED,
    FAILED,
    PAID,
    REFUNDED,
    UNPAID,
    CallbackError,
    Delivery,
    Notice,
    Order,
    Page,
    ReadKeys,
    Refund,
    RefusedError,
    Standing,
    UnknownError,
)
from shared.http import LONGEST_ID

TOLERANCE: Final = 300
"""Seconds by which a callback's time may differ from ours, either way."""
_STATES: Final = {"created": UNPAID, "paid": PAID, "failed": FAILED, "expired": EXPIRED, "refunded": REFUNDED}


class Sandbox:
    """url: the gateway's base address. keys: reads ``api_key`` and ``callback_key`` when they are needed."""

    def __init__(self, url: str, keys: ReadKeys) -> None:
        self._url = url
        self._keys = keys
        self._http = urllib3.PoolManager(timeout=urllib3.Timeout(connect=2, read=6), retries=False)

    def order(self, order: Order) -> Page:
        """``POST /v1/payments``."""
        body = {
            "reference": order.payment_id,
            "amount": order.amount,
            "currency": order.currency,
            "description": order.description,
            "callback_url": order.callback_url,
            "return_url": order.return_url,
            "expires_at": order.expires_at,
        }
        status, answer = self._call("POST", "/v1/payments", body)
        if status not in (200, 201):
            raise RefusedError(f"http_{status}")
        try:
            return Page(str(answer["id"]), str(answer["pay_url"]))
        except (KeyError, TypeError):
            raise UnknownError("the answer is not an order") from None

    def standing(self, payment_id: str | None, gateway_id: str | None) -> Standing | None:
        """``GET /v1/payments?reference=``, or by the gateway's id where ours is not known."""
        path = f"?{urlencode({'reference': payment_id})}" if payment_id else f"/{quote(gateway_id or '')}"
        status, answer = self._call("GET", f"/v1/payments{path}")
        if status == 404:
            return None
        try:
            return Standing(
                str(answer["reference"]),
                str(answer["id"]),
                _STATES[answer["status"]],
                int(answer["amount"]),
                str(answer["currency"]),
            )
        except (KeyError, TypeError, ValueError):
            raise UnknownError("the answer is not an order") from None

    def cancel(self, payment_id: str, gateway_id: str | None) -> None:
        """``POST /v1/payments/cancel?reference=``."""
        self._call("POST", f"/v1/payments/cancel?{urlencode({'reference': payment_id})}")

    def refund(self, refund: Refund) -> str:
        """``POST /v1/payments/{id}/refunds``; the gateway knows a repeat by its reference."""
        body = {"reference": refund.refund_id, "amount": refund.amount}
        status, answer = self._call("POST", f"/v1/payments/{quote(refund.gateway_id)}/refunds", body)
        if status in (404, 409, 422):
            raise RefusedError(f"http_{status}")
        try:
            return _STATES[answer["status"]]
        except (KeyError, TypeError):
            raise UnknownError("the answer is not a refund") from None

    def callback(self, delivery: Delivery, now: datetime) -> Notice:
        """Signature, time and form of a callback, in this order; the time is part of what is signed."""
        header = delivery.headers.get("x-sandbox-signature", "")
        parts = dict(part.strip().partition("=")[::2] for part in header.split(","))
        stamp, signature = parts.get("t", ""), parts.get("v1", "")
        if not signature:
            raise CallbackError("no signature")
        signed = f"{stamp}.".encode() + delivery.body
        if not any(_is_signature(signature, signed, keys["callback_key"]) for keys in filter(None, self._keys())):
            raise CallbackError("bad signature")
        if not stamp.isdecimal() or abs(now.timestamp() - int(stamp)) > TOLERANCE:
            raise CallbackError("time out of bounds")
        try:
            told = json.loads(delivery.body)
            notice = Notice(told["reference"], told["id"], told["status"])
        except (ValueError, KeyError, TypeError):
            raise CallbackError("not a callback's body") from None
        if not all(isinstance(value, str) and 0 < len(value) <= LONGEST_ID for value in notice):
            raise CallbackError("not a callback's body")
        return notice

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
        try:
            headers = {"authorization": f"Bearer {self._keys().current['api_key']}"}
            response = self._http.request(method, self._url + path, json=body, headers=headers)
        except urllib3.exceptions.HTTPError as error:
            raise UnknownError(type(error).__name__) from None
        if response.status >= 500:
            raise UnknownError(f"http_{response.status}")
        try:
            return response.status, response.json()
        except ValueError:
            raise UnknownError("the answer is not JSON") from None


def _is_signature(signature: str, signed: bytes, key: str) -> bool:
    expected = hmac.digest(key.encode(), signed, "sha256").hex()
    return hmac.compare_digest(expected.encode(), signature.encode())
