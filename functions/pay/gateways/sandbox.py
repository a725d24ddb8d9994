"""The sandbox gateway: the protocol of the local cloud's own gateway, in which no money moves.

Callbacks are signed with HMAC-SHA256 over ``<unix seconds>.<raw body>`` in ``X-Sandbox-Signature: t=…,v1=…``.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final
from urllib.parse import quote, urlencode

from pay.gateways import (
    CallbackError,
    Closing,
    Delivery,
    Notice,
    Order,
    OrderRequest,
    OrderStatus,
    Page,
    ReadKeys,
    Refund,
    UnknownError,
)
from pay.gateways.client import (
    Answer,
    AuthenticatedClient,
    Client,
    asking,
    closing,
    currency,
    current_then_previous,
    dinars,
    is_name,
    map_status,
    ordering,
    parse,
    reading,
    require_same_order,
)

_ROOT: Final = "/v1/payments"
TOLERANCE: Final = 300
"""Seconds by which a callback's time may differ from ours, either way."""
_STAMP: Final = re.compile("[0-9]{1,12}")
_STATUSES: Final = {
    "created": OrderStatus.UNPAID,
    "paid": OrderStatus.PAID,
    "failed": OrderStatus.FAILED,
    "expired": OrderStatus.EXPIRED,
    "refunded": OrderStatus.REFUNDED,
}


class Sandbox:
    """keys: ``api_key`` and ``callback_key``."""

    def __init__(self, url: str, keys: ReadKeys) -> None:
        client = Client(url)
        self._keys = keys
        self._page = client.page
        self._call = AuthenticatedClient(client, keys, ("api_key",), _headers)

    def order(self, order: OrderRequest) -> Page:
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
        with ordering():
            taken = self._call("POST", _ROOT, body).accepted()
        with reading():
            if taken["reference"] != order.payment_id or dinars(taken["amount"]) != order.amount:
                raise UnknownError("the answer is another order's")
            return Page(str(taken["id"]), self._page(taken["pay_url"]))

    def get_order(self, payment_id: str | None, gateway_id: str | None) -> Order | None:
        """``GET /v1/payments?reference=``, or by the gateway's id where ours is not known."""
        path = f"{_ROOT}?{urlencode({'reference': payment_id})}" if payment_id else _path(gateway_id or "")
        answer = self._call("GET", path)
        if _is_missing(answer):
            return None
        with asking():
            told = answer.accepted()
        with reading():
            order = Order(
                str(told["reference"]),
                str(told["id"]),
                map_status(_STATUSES, told["status"]),
                dinars(told["amount"]),
                currency(told["currency"]),
            )
        return require_same_order(order, payment_id, gateway_id)

    def close(self, payment_id: str, gateway_id: str | None) -> Closing:
        """``POST /v1/payments/cancel?reference=``; what is not there (404) nobody can pay."""

        def cancel() -> None:
            answer = self._call("POST", f"{_ROOT}/cancel?{urlencode({'reference': payment_id})}")
            if not _is_missing(answer):
                answer.accepted()

        return closing(cancel)

    def refund(self, refund: Refund) -> OrderStatus:
        """``POST /v1/payments/{id}/refunds``; the gateway knows a repeat by its reference."""
        body = {"reference": refund.refund_id, "amount": refund.amount}
        told = self._call("POST", f"{_path(refund.gateway_id)}/refunds", body).accepted()
        with reading():
            return map_status({"refunded": OrderStatus.REFUNDED}, told["status"])

    def callback(self, delivery: Delivery, now: datetime) -> Notice:
        """Signature, time and form of a callback, in this order; the time is part of what is signed."""
        header = delivery.headers.get("x-sandbox-signature", "")
        parts = dict(part.strip().partition("=")[::2] for part in header.split(","))
        stamp, signature = parts.get("t", ""), parts.get("v1", "")
        if not signature:
            raise CallbackError("no signature")
        signed = f"{stamp}.".encode("utf-8", "surrogatepass") + delivery.body
        known = current_then_previous(self._keys(), "callback_key")
        if not any(_is_signature(signature, signed, keys["callback_key"]) for keys in known):
            raise CallbackError("bad signature")
        if not _STAMP.fullmatch(stamp) or abs(now.timestamp() - int(stamp)) > TOLERANCE:
            raise CallbackError("time out of bounds")
        told = parse(delivery.body) or {}
        reference, gateway_id, status = (told.get(name) for name in ("reference", "id", "status"))
        if not (is_name(reference) and is_name(gateway_id) and is_name(status)):
            raise CallbackError("not a callback's body")
        return Notice(reference, gateway_id, status)


def _headers(secret: Mapping[str, str]) -> Mapping[str, str]:
    return {"authorization": f"Bearer {secret['api_key']}"}


def _is_missing(answer: Answer) -> bool:
    return answer.status == 404 and answer.refuses


def _path(gateway_id: str) -> str:
    return f"{_ROOT}/{quote(gateway_id, safe='')}"


def _is_signature(signature: str, signed: bytes, key: str) -> bool:
    expected = hmac.digest(key.encode(), signed, "sha256").hex()
    return hmac.compare_digest(expected.encode(), signature.encode("utf-8", "surrogatepass"))
