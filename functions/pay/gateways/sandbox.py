"""The sandbox gateway: the protocol of the local cloud's own gateway, in which no money moves.

Callbacks are signed with HMAC-SHA256 over ``<unix seconds>.<raw body>`` in ``X-Sandbox-Signature: t=…,v1=…``.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

import urllib3

from pay.gateways import EXPIRED, FAILED, PAID, UNPAID, CallbackError, Order, Page, RefusedError, Standing, UnknownError
from shared.http import LONGEST_ID

TOLERANCE: Final = 300
"""Seconds by which a callback's time may differ from ours, either way."""
_STATES: Final = {"created": UNPAID, "paid": PAID, "failed": FAILED, "expired": EXPIRED}


class Sandbox:
    """url: the gateway's base address. secret: reads ``api_key`` and ``callback_key`` when they are needed."""

    def __init__(self, url: str, secret: Callable[[], Mapping[str, str]]) -> None:
        self._url = url
        self._secret = secret
        self._http = urllib3.PoolManager(timeout=urllib3.Timeout(connect=2, read=6), retries=False)

    def order(self, order: Order) -> Page:
        """``POST /v1/payments``; the gateway gives a known reference its first order back."""
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

    def standing(self, payment_id: str) -> Standing | None:
        """``GET /v1/payments?reference=``."""
        status, answer = self._call("GET", f"/v1/payments?{urlencode({'reference': payment_id})}")
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

    def callback(self, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
        """Signature, time and form of a callback, in this order; the time is part of what is signed."""
        parts = dict(part.strip().partition("=")[::2] for part in headers.get("x-sandbox-signature", "").split(","))
        stamp, signature = parts.get("t", ""), parts.get("v1", "")
        if not signature:
            raise CallbackError("no signature")
        key = self._secret()["callback_key"].encode()
        expected = hmac.digest(key, f"{stamp}.".encode() + body, "sha256").hex()
        if not hmac.compare_digest(expected.encode(), signature.encode()):
            raise CallbackError("bad signature")
        if not stamp.isdecimal() or abs(now.timestamp() - int(stamp)) > TOLERANCE:
            raise CallbackError("time out of bounds")
        try:
            reference = json.loads(body)["reference"]
        except (ValueError, KeyError, TypeError):
            raise CallbackError("not a callback's body") from None
        if not (isinstance(reference, str) and 0 < len(reference) <= LONGEST_ID):
            raise CallbackError("not a callback's body")
        return reference

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
        try:
            headers = {"authorization": f"Bearer {self._secret()['api_key']}"}
            response = self._http.request(method, self._url + path, json=body, headers=headers)
        except urllib3.exceptions.HTTPError as error:
            raise UnknownError(type(error).__name__) from None
        if response.status >= 500:
            raise UnknownError(f"http_{response.status}")
        try:
            return response.status, response.json()
        except ValueError:
            raise UnknownError("the answer is not JSON") from None
