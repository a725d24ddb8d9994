"""First Iraqi Bank's online payments (as its own SDKs have them): a link that opens the bank's app.

OAuth 2, with tokens of a minute. It keeps no reference of ours and takes the same order twice. So an order whose answer
was lost cannot be asked about; nor can anybody pay it, since only that answer told where. Its callbacks are unsigned;
they come to an address that holds a proof of ours, which only the bank has been told.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, Final
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
    RefusedError,
    UnknownError,
    UnpayableError,
)
from pay.gateways.client import (
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
)
from pay.gateways.oauth import OAuth
from shared.domain.payment import MINUTES_TO_PAY, WaysToPay

_TOKENS: Final = "/auth/realms/fib-online-shop/protocol/openid-connect/token"
_ROOT: Final = "/protected/v1/payments"
_STATUSES: Final = {
    "UNPAID": OrderStatus.UNPAID,
    "PAID": OrderStatus.PAID,
    "DECLINED": OrderStatus.FAILED,
    "REFUND_REQUESTED": OrderStatus.REFUNDING,
    "REFUNDED": OrderStatus.REFUNDED,
}
_TIME_OVER: Final = "PAYMENT_EXPIRATION"
MAX_DESCRIPTION_CHARACTERS: Final = 50
_PICTURE: Final = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/]{4,40000}={0,2}")
REFUNDABLE_FOR: Final = "P7D"
"""The longest that it takes."""


class Fib:
    """keys: ``client_id``, ``client_secret``."""

    def __init__(self, url: str, keys: ReadKeys) -> None:
        client = Client(url)
        self._keys = keys
        self._page = client.page
        self._call = OAuth(client, _TOKENS, keys)

    def order(self, order: OrderRequest) -> Page:
        """``POST /protected/v1/payments``."""
        try:
            with ordering():
                secret = current_then_previous(self._keys(), "client_secret")[0]["client_secret"]
                proved = urlencode({"payment": order.payment_id, "proof": _proof(order.payment_id, secret)})
                body = {
                    "monetaryValue": {"amount": order.amount, "currency": order.currency},
                    "statusCallbackUrl": f"{order.callback_url}?{proved}",
                    "description": order.description[:MAX_DESCRIPTION_CHARACTERS],
                    "redirectUri": order.return_url,
                    "expiresIn": f"PT{MINUTES_TO_PAY}M",
                    "refundableFor": REFUNDABLE_FOR,
                    "category": "GOVERNMENT",
                }
                taken = self._call("POST", _ROOT, body).accepted()
            with reading():
                return Page(str(taken["paymentId"]), self._page(taken["personalAppLink"]), self._ways(taken))
        except UnknownError as error:
            raise UnpayableError(str(error)) from None

    def _ways(self, taken: Mapping[str, Any]) -> WaysToPay:
        """What of an answer shows the order to an app on another phone, or of a business; what is none is left out."""
        qr, code = taken.get("qrCode"), taken.get("readableCode")
        links = {}
        for whose in ("personal", "business", "corporate"):
            with suppress(ValueError):
                links[whose] = self._page(taken.get(f"{whose}AppLink"))
        is_picture = isinstance(qr, str) and _PICTURE.fullmatch(qr)
        return WaysToPay(qr if is_picture else None, code if is_name(code) else None, links)

    def get_order(self, payment_id: str | None, gateway_id: str | None) -> Order | None:
        """``GET …/{paymentId}/status``. Who paid is in the answer and goes no further."""
        if gateway_id is None:
            raise UnpayableError("no paymentId")
        with asking():
            told = self._call("GET", f"{_path(gateway_id)}/status").accepted()
        if told.get("paymentId") != gateway_id:
            raise UnknownError("the answer is another order's")
        with reading():
            status = map_status(_STATUSES, told["status"])
            if status == OrderStatus.FAILED and told.get("decliningReason") == _TIME_OVER:
                status = OrderStatus.EXPIRED
            return Order(
                None, gateway_id, status, dinars(told["amount"]["amount"]), currency(told["amount"]["currency"])
            )

    def close(self, payment_id: str, gateway_id: str | None) -> Closing:
        """``POST …/{paymentId}/cancel``, refused (``NOT_CANCELABLE``) once the customer is at it."""
        if gateway_id is None:
            return Closing.CLOSED  # nobody was told where to pay it

        def cancel() -> None:
            answer = self._call("POST", f"{_path(gateway_id)}/cancel")
            if answer.status == 200:
                answer.accepted()  # a page would be nobody's word
            answer.require_good()

        return closing(cancel)

    def refund(self, refund: Refund) -> OrderStatus:
        """``POST …/{paymentId}/refund``, of all, unless that has been asked for before."""
        order = self.get_order(refund.payment_id, refund.gateway_id)
        if order is None or order.status not in (OrderStatus.PAID, OrderStatus.REFUNDING, OrderStatus.REFUNDED):
            raise RefusedError("not_paid")
        if order.status != OrderStatus.PAID:
            return order.status
        if refund.amount != order.amount:
            raise RefusedError("only_all")
        self._call("POST", f"{_path(refund.gateway_id)}/refund").require_good()
        return OrderStatus.REFUNDING

    def callback(self, delivery: Delivery, now: datetime) -> Notice:
        """The proof in the address shows that it comes from whom we gave that address to."""
        payment_id, proof = delivery.query.get("payment", ""), delivery.query.get("proof", "")
        if not proof:
            raise CallbackError("no proof")
        secrets = [secret["client_secret"] for secret in current_then_previous(self._keys(), "client_secret")]
        if not any(hmac.compare_digest(_proof(payment_id, secret).encode(), _bytes(proof)) for secret in secrets):
            raise CallbackError("bad proof")
        told = parse(delivery.body) or {}
        gateway_id, status = told.get("id"), told.get("status")
        if not is_name(gateway_id) or not is_name(status):
            raise CallbackError("not a callback's body")
        return Notice(payment_id, gateway_id, f"{gateway_id}:{status}")


def _path(gateway_id: str) -> str:
    return f"{_ROOT}/{quote(gateway_id, safe='')}"


def _proof(payment_id: str, secret: str) -> str:
    return hmac.digest(secret.encode(), _bytes(f"callback of {payment_id}"), "sha256").hex()


def _bytes(text: str) -> bytes:
    """A query's text, which may be no Unicode."""
    return text.encode("utf-8", "surrogatepass")
