"""The sandbox gateway tells the merchant of a payment: signed, retried, from a thread of its own."""

import hashlib
import hmac
import http.client
import json
import logging
import threading
import time
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from infra.local.gateway.faults import COMES_AGAIN, COMES_LATE, IS_LOST, Faults
from infra.local.gateway.payments import Callback, Payment, Payments

SIGNATURE_HEADER = "X-Sandbox-Signature"
MAX_TRIES = 5
_TIMEOUT = 15.0  # seconds; a merchant's first answer may be a cold start

logger = logging.getLogger(__name__)


def signature(callback_key: str, body: bytes, at: int) -> str:
    """`t=<unix seconds>,v1=<hex HMAC-SHA256 of "<t>." and the raw body>`."""
    digest = hmac.new(callback_key.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


class CallbackSender:
    """Sends what `payments` holds unacknowledged until the merchant answers 2xx, at most MAX_TRIES times.

    `delays` are the seconds between tries. What is unsent when it closes is sent after the next start.
    """

    def __init__(
        self, payments: Payments, callback_key: Callable[[], str], delays: Sequence[float], faults: Faults
    ) -> None:
        self._payments = payments
        self._faults = faults
        self._callback_key = callback_key
        self._delays = delays
        self._news = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="gateway-callbacks", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Says that a callback may have fallen due."""
        self._news.set()

    def close(self) -> None:
        """Returns once the thread has ended; a callback on its way is let finish."""
        self._closing = True
        self._news.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closing:
            self._news.clear()
            callback = self._payments.next_callback()
            wait = callback.due - time.time() if callback else None
            if callback and wait is not None and wait <= 0:
                self._try(callback)
            elif not self._closing:
                self._news.wait(wait)

    def _try(self, callback: Callback) -> None:
        payment = self._payments.by_id(callback.payment_id)
        fault = self._faults.of_callback()
        if fault == COMES_LATE:
            self._payments.delay(callback, time.time() + self._faults.delay())
        elif payment is None or fault == IS_LOST or self._sent(payment, callback.status):
            if fault == COMES_AGAIN:
                self._payments.delay(callback, time.time() + self._faults.delay())
            else:
                self._payments.forget(callback)
        elif callback.tries + 1 >= MAX_TRIES:
            logger.warning("Callback of payment %s given up after %d tries", payment.id, MAX_TRIES)
            self._payments.forget(callback)
        else:
            self._payments.postpone(callback, time.time() + self._delays[callback.tries])

    def _sent(self, payment: Payment, status: str) -> bool:
        body = json.dumps(
            {
                "id": payment.id,
                "reference": payment.reference,
                "status": status,
                "amount": payment.amount,
                "currency": "IQD",
                "created_at": payment.created_at,
            }
        ).encode()
        try:
            signed = signature(self._callback_key(), body, int(time.time()))
            answer = _post(payment.callback_url, body, signed)
        except Exception:
            logger.warning("Callback of payment %s failed", payment.id, exc_info=True)
            return False
        return 200 <= answer < 300


def _post(url: str, body: bytes, signed: str) -> int:
    parts = urlsplit(url)
    connect = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = connect(parts.netloc, timeout=_TIMEOUT)
    try:
        target = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
        connection.request("POST", target, body, {"Content-Type": "application/json", SIGNATURE_HEADER: signed})
        return connection.getresponse().status
    finally:
        connection.close()
