"""QiCard's payment gateway (developers-gate.qi.iq, API v1): cards and SuperQi on a page of its own.

HTTP Basic and ``X-Terminal-Id``. Our payment id is its ``requestId``, which it takes once. ``X-Signature`` of a
notification is RSA-SHA256 (PKCS #1 v1.5) over ``paymentId|amount|currency|creationDate|status``, by the terminal's key.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from secrets import token_hex
from typing import Any, Final
from urllib.parse import quote

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
    is_unauthorized,
    map_status,
    ordering,
    parse,
    reading,
    require_same_order,
)
from shared.observability import logger

_STATUSES: Final = {
    **dict.fromkeys(
        (
            "CREATED",
            "FORM_SHOWED",
            "THREE_DS_METHOD_CALL_REQUIRED",
            "AUTHENTICATION_REQUIRED",
            "AUTHENTICATION_STARTED",
            "AUTHENTICATED",
            "INITIALIZED",
            "STARTED",
        ),
        OrderStatus.UNPAID,
    ),
    **dict.fromkeys(("FAILED", "AUTHENTICATION_FAILED", "ERROR"), OrderStatus.FAILED),
    "SUCCESS": OrderStatus.PAID,
    "EXPIRED": OrderStatus.EXPIRED,
}
_LOCALES: Final = {"en": "en_US"}
_ALREADY_EXISTS: Final = {1, 10}
_CAN_NOT_PROCESS: Final = 5
_NOT_FOUND: Final = {2, 12}
_BAD_CREDENTIALS: Final = 27
_IN_DOUBT: Final = {14, 20, 23, 24}
"""Codes of failures inside its system: what it did before is not known."""


class QiCard:
    """keys: ``username``, ``password``, ``terminal_id``, ``public_key`` (the terminal's, PEM)."""

    def __init__(self, url: str, keys: ReadKeys) -> None:
        client = Client(url)
        self._url = client.url
        self._keys = keys
        self._page = client.page
        self._call = AuthenticatedClient(
            client, keys, ("username", "password", "terminal_id"), _headers, _is_unauthorized
        )

    def order(self, order: OrderRequest) -> Page:
        """``POST /payment``. Where the reference is in use, what it stands for is asked for."""
        body = {
            "requestId": order.payment_id,
            "amount": order.amount,
            "currency": order.currency,
            "locale": _LOCALES.get(order.language, "ar_IQ"),
            "finishPaymentUrl": order.return_url,
            "notificationUrl": order.callback_url,
            "additionalInfo": {"description": order.description},
        }
        with ordering():
            answer = self._call("POST", "/payment", body)
        if _is_in_use(answer):
            answer = self._call("GET", f"/payment/status/by/request/{order.payment_id}")
        taken = _accepted(answer)
        with reading():
            if taken["requestId"] != order.payment_id or dinars(taken["amount"]) != order.amount:
                raise UnknownError("the answer is another order's")
            gateway_id = str(taken["paymentId"])
            # A status has no formUrl; the page lies at the payment's own address.
            page = taken.get("formUrl") or f"{self._url}/payment/{quote(gateway_id, safe='')}"
            return Page(gateway_id, self._page(page))

    def get_order(self, payment_id: str | None, gateway_id: str | None) -> Order | None:
        """``GET /payment/status/by/request/{requestId}``, or ``/payment/{paymentId}/status``."""
        path = f"status/by/request/{payment_id}" if payment_id else f"{quote(gateway_id or '', safe='')}/status"
        answer = self._call("GET", f"/payment/{path}")
        if _is_missing(answer):
            return None
        with asking():
            told = _accepted(answer)
        with reading():
            status, amount = _status(told)
            order = Order(str(told["requestId"]), str(told["paymentId"]), status, amount, currency(told["currency"]))
        return require_same_order(order, payment_id, gateway_id)

    def close(self, payment_id: str, gateway_id: str | None) -> Closing:
        """``POST /payment/cancel/by/request/{requestId}``, under a requestId of its own each time it is asked.

        Refused (15, CAN_NOT_CANCEL) once the customer is at it.
        """

        def cancel() -> None:
            answer = self._call("POST", f"/payment/cancel/by/request/{payment_id}", {"requestId": f"c{token_hex(16)}"})
            if not _is_missing(answer):
                _accepted(answer)

        return closing(cancel)

    def refund(self, refund: Refund) -> OrderStatus:
        """``POST /payment/{paymentId}/refund``; a requestId that is in use has been refunded or is about to be."""
        body = {"requestId": refund.refund_id, "amount": refund.amount, "message": refund.reason}
        answer = self._call("POST", f"/payment/{quote(refund.gateway_id, safe='')}/refund", body)
        if _is_in_use(answer):
            order = self.get_order(refund.payment_id, refund.gateway_id)
            return OrderStatus.REFUNDED if order and order.status == OrderStatus.REFUNDED else OrderStatus.REFUNDING
        told = _accepted(answer)
        with reading():
            if told["paymentId"] != refund.gateway_id or dinars(told["amount"]) != refund.amount:
                raise UnknownError("the answer is another refund's")
            status = map_status(
                {"SUCCESS": OrderStatus.REFUNDED, "PROCESSING": OrderStatus.REFUNDING, "FAILED": OrderStatus.FAILED},
                told["status"],
            )
        if status == OrderStatus.FAILED:
            raise RefusedError("refund_failed")
        return status

    def callback(self, delivery: Delivery, now: datetime) -> Notice:
        """The signature proves paymentId and status; it leaves out requestId, so that is not taken from here."""
        header = delivery.headers.get("x-signature", "")
        if not header:
            raise CallbackError("no signature")
        told = parse(delivery.body)
        if told is None:
            raise CallbackError("not a callback's body")
        signature = _exact_base64(header)
        signed = list(_signed(told))
        keys = [secret["public_key"] for secret in current_then_previous(self._keys(), "public_key")]
        verified = next((places for places, text in signed if _is_signed(text, signature, keys)), None)
        if verified is None:
            raise CallbackError("bad signature")
        if verified != 3:
            logger().warning("signed with two decimals", extra={"gateway": "qicard"})
        gateway_id, status = told.get("paymentId"), told.get("status")
        if not is_name(gateway_id) or not is_name(status):
            raise CallbackError("not a callback's body")
        return Notice(None, gateway_id, f"{gateway_id}:{status}")


def _headers(secret: Mapping[str, str]) -> Mapping[str, str]:
    basic = b64encode(f"{secret['username']}:{secret['password']}".encode()).decode()
    return {"authorization": f"Basic {basic}", "x-terminal-id": secret["terminal_id"]}


def _is_unauthorized(answer: Answer) -> bool:
    return is_unauthorized(answer) or _code(answer) == _BAD_CREDENTIALS


def _status(told: Mapping[str, Any]) -> tuple[OrderStatus, int]:
    """The status of a payment and its dinars: those that were confirmed, once it is paid.

    One that is a success of which nothing is confirmed waits for that, and may still be cancelled: it is not paid yet.
    Raises UnknownError for one that is paid and canceled with money confirmed: its documents do not say who has it.
    """
    status, amount = map_status(_STATUSES, told["status"]), dinars(told["amount"])
    confirmed = None if told.get("confirmedAmount") is None else dinars(told["confirmedAmount"])
    if not told.get("canceled"):
        if status != OrderStatus.PAID or confirmed is None:
            return status, amount
        return (status, confirmed) if confirmed else (OrderStatus.UNPAID, amount)
    if status == OrderStatus.PAID and confirmed != 0:
        raise UnknownError("paid and canceled")
    return {OrderStatus.UNPAID: OrderStatus.FAILED, OrderStatus.PAID: OrderStatus.REFUNDED}.get(status, status), amount


def _is_in_use(answer: Answer) -> bool:
    """Whether a requestId has been used before: its documents have codes of their own for that, its sandbox has not."""
    if not answer.refuses:
        return False
    code = _code(answer)
    return code in _ALREADY_EXISTS or (code == _CAN_NOT_PROCESS and "already" in _description(answer))


def _is_missing(answer: Answer) -> bool:
    return answer.refuses and _code(answer) in _NOT_FOUND


def _code(answer: Answer) -> int | None:
    code = _error(answer).get("code")
    return code if type(code) is int else None


def _description(answer: Answer) -> str:
    error = _error(answer)
    return f"{error.get('description', '')!s:.500} {error.get('message', '')!s:.500}"


def _error(answer: Answer) -> dict[str, Any]:
    error = (answer.body or {}).get("error")
    return error if isinstance(error, dict) else {}


def _accepted(answer: Answer) -> dict[str, Any]:
    code = _code(answer)
    return answer.accepted("" if code is None else f"code_{code}", in_doubt=code in _IN_DOUBT)


def _signed(told: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    """The signed text with three decimals, as live notifications have it, and with two, as the documents say."""
    for places in (3, 2):
        amount = told.get("amount")
        values = [told.get("paymentId"), amount, told.get("currency"), told.get("creationDate"), told.get("status")]
        if amount is not None:
            if type(amount) not in (int, Decimal):
                return
            exact = Decimal(amount)
            if not -(10**12) < exact < 10**12 or exact != round(exact, places):
                return
            values[1] = f"{exact:.{places}f}"
        if not all(value is None or isinstance(value, str) for value in values):
            return
        yield places, "|".join("-" if value is None else value for value in values)


def _exact_base64(text: str) -> bytes:
    """What a header's base64 holds. Raises CallbackError for any spelling but the one that the bytes have."""
    try:
        value = b64decode(text, validate=True)
    except ValueError:
        value = b""
    if b64encode(value).decode() != text:
        raise CallbackError("bad signature")
    return value


def _is_signed(text: str, signature: bytes, keys: list[str]) -> bool:
    # Imported here: it costs tens of milliseconds, and the other gateways' callbacks do without.
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    for pem in keys:
        key = load_pem_public_key(pem.encode())
        if not isinstance(key, RSAPublicKey):
            raise ValueError("QiCard's public_key is not an RSA key")
        try:
            key.verify(signature, text.encode("utf-8", "surrogatepass"), PKCS1v15(), SHA256())
        except InvalidSignature:
            continue
        return True
    return False
