"""One HTTP exchange with a gateway: TLS verified, time and size bounded, no redirect followed, nothing sent twice."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, Final, NamedTuple, TypeGuard
from urllib.parse import urlencode, urlsplit

import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError
from urllib3.util.ssl_ import create_urllib3_context

from pay.gateways import (
    Closing,
    Keys,
    NotAskedError,
    NotReachedError,
    Order,
    OrderStatus,
    ReadKeys,
    RefusedError,
    UnknownError,
)
from shared.domain.money import CURRENCY
from shared.http import MAX_ID_CHARACTERS

CONNECT_TIMEOUT: Final = 2.0
READ_TIMEOUT: Final = 6.0
"""Seconds that an answer may take to begin, and then to end."""
MAX_ANSWER_BYTES: Final = 256 * 1024
MAX_AMOUNT_DINARS: Final = 10**12
_DINAR_NUMBER: Final = "368"


class Answer(NamedTuple):
    """What a gateway answered. body: as :func:`parse` reads it."""

    status: int
    body: dict[str, Any] | None

    @property
    def refuses(self) -> bool:
        """Whether the gateway says no in its own form, and so did nothing.

        A page of HTML is nobody's refusal, and what fails inside a gateway (5xx) may have been done, whatever it says.
        """
        return self.status == 401 or (400 <= self.status < 500 and self.body is not None)

    def accepted(self, code: str = "", *, in_doubt: bool = False) -> dict[str, Any]:
        """The object of a good answer. Raises as ``require_good``."""
        self.require_good(code, in_doubt=in_doubt)
        if self.body is None:
            raise UnknownError(f"http_{self.status}, not JSON")
        return self.body

    def require_good(self, code: str = "", *, in_doubt: bool = False) -> None:
        """For an answer that need not say anything. code: the gateway's own name of what went wrong.

        Raises RefusedError for a refusal, but for one of which the gateway's documents leave it in doubt whether
        anything was done; UnknownError for that and whatever else is not good.
        """
        if 200 <= self.status < 300:
            return
        said = code or f"http_{self.status}"
        if self.refuses and not in_doubt:
            raise RefusedError(said)
        raise UnknownError(said)


class Client:
    """Send single requests to one gateway. url: its base address.

    Each request has a connection of its own, so that a stale one never leaves an outcome unknown.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._timeout = urllib3.Timeout(connect=CONNECT_TIMEOUT, read=READ_TIMEOUT)
        self._tls = _tls() if self.url.startswith("https:") else None

    def __call__(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        form: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request, with a JSON body or a form. Raises UnknownError: NotAskedError where it was never sent."""
        sent = {"accept": "application/json", **(headers or {})}
        content: bytes | None = None
        if body is not None:
            sent["content-type"], content = "application/json", json.dumps(body, ensure_ascii=False).encode()
        elif form is not None:
            sent["content-type"], content = "application/x-www-form-urlencoded", urlencode(form).encode()
        try:
            # A pool of its own: a shared one would keep the connection for the next exchange.
            with urllib3.PoolManager(timeout=self._timeout, retries=False, ssl_context=self._tls) as http:
                response = http.request(
                    method, self.url + path, headers=sent, body=content, redirect=False, preload_content=False
                )
                try:
                    text = _read(response)
                finally:
                    response.close()
        except (NewConnectionError, ConnectTimeoutError):
            raise NotAskedError("unreachable") from None
        except HTTPError as error:
            raise UnknownError(type(error).__name__) from None
        return Answer(response.status, parse(text))

    def page(self, url: object) -> str:
        """An address to send a citizen to: https, but for a gateway that is itself without. Raises ValueError."""
        if not isinstance(url, str):
            raise ValueError("not a page")
        parts = urlsplit(url)
        if parts.scheme not in {"https", urlsplit(self.url).scheme} or not parts.hostname:
            raise ValueError("not a page")
        return url


def _tls() -> ssl.SSLContext:
    """Kept for all exchanges: reading the authorities' certificates costs more than the rest of one."""
    context = create_urllib3_context()
    context.load_default_certs()
    return context


def _read(response: urllib3.BaseHTTPResponse) -> bytes:
    deadline = time.monotonic() + READ_TIMEOUT
    text = b""
    while chunk := response.read1(MAX_ANSWER_BYTES, decode_content=False):
        text += chunk
        if len(text) > MAX_ANSWER_BYTES:
            raise UnknownError("the answer is too large")
        if time.monotonic() > deadline:
            raise UnknownError("the answer is too slow")
    return text


def parse(text: bytes) -> dict[str, Any] | None:
    """A JSON object with its decimals exact, a list as the ``items`` of one; None for anything else."""
    try:
        value = json.loads(text, parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, ArithmeticError, RecursionError):
        return None
    if isinstance(value, list):
        return {"items": value}
    return value if isinstance(value, dict) else None


def _no_number(name: str) -> None:
    raise ValueError(name)


@contextmanager
def reading() -> Iterator[None]:
    """While an answer is read: whatever is missing or of another kind in it makes it one not understood."""
    try:
        yield
    except (LookupError, TypeError, ValueError, ArithmeticError):
        raise UnknownError("the answer is not understood") from None


@contextmanager
def ordering() -> Iterator[None]:
    """While an order is sent: what never reached the gateway has placed no order there."""
    try:
        yield
    except NotAskedError as error:
        raise NotReachedError(str(error)) from None


def closing(close: Callable[[], object]) -> Closing:
    """Close an order, and say what came of it: a refusal did nothing, and so leaves it open."""
    try:
        close()
    except RefusedError:
        return Closing.OPEN
    except UnknownError:
        return Closing.UNKNOWN
    return Closing.CLOSED


@contextmanager
def asking() -> Iterator[None]:
    """While a gateway is asked how something stands: a refusal to say tells nothing."""
    try:
        yield
    except RefusedError as error:
        raise UnknownError(str(error)) from None


def dinars(value: object) -> int:
    """Whole dinars of an amount on the wire: 75000, 75000.0, "75000.00". Raises ValueError, ArithmeticError."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise ValueError("not an amount")
    amount = Decimal(value)
    if not 0 <= amount <= MAX_AMOUNT_DINARS or amount % 1:
        raise ValueError("not whole dinars")
    return int(amount)


def currency(value: object) -> str:
    """A currency's letters of ISO 4217, also where a gateway writes them small or writes the dinar's number, 368."""
    said = str(value).strip().upper()
    return CURRENCY if said == _DINAR_NUMBER else said


def is_name(value: object) -> TypeGuard[str]:
    """Return whether a callback's id, status or event is one that can be kept: short, printable text."""
    return isinstance(value, str) and 0 < len(value) <= MAX_ID_CHARACTERS and value.isprintable()


def current_then_previous(keys: Keys, *names: str) -> list[Mapping[str, str]]:
    """Return the current keys, then the previous ones where they hold what is named; a first value holds nothing.

    Raises NotAskedError where the current ones do not.
    """
    good = [each for each in (keys.current, keys.previous or {}) if each.keys() >= set(names)]
    if not good or good[0] is not keys.current:
        raise NotAskedError("the keys lack what is needed")
    return good


def is_unauthorized(answer: Answer) -> bool:
    """Return whether keys were turned away, before anything was done."""
    return answer.status == 401


def try_each_key(
    secrets: Iterable[Mapping[str, str]],
    ask: Callable[[Mapping[str, str]], Answer],
    turned_away: Callable[[Answer], bool],
) -> Answer:
    """Return the answer to the first keys that are not turned away, which happens before anything is done."""
    answer = Answer(401, None)
    for secret in secrets:
        answer = ask(secret)
        if not turned_away(answer):
            break
    return answer


class AuthenticatedClient:
    """Send requests with the merchant's keys, those of ``names``, in their headers.

    Where they are turned away the previous ones are tried, since the gateway may change over later than we do.
    """

    def __init__(
        self,
        client: Client,
        keys: ReadKeys,
        names: Collection[str],
        headers: Callable[[Mapping[str, str]], Mapping[str, str]],
        turned_away: Callable[[Answer], bool] = is_unauthorized,
    ) -> None:
        self._client = client
        self._keys = keys
        self._names = names
        self._headers = headers
        self._turned_away = turned_away

    def __call__(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        """Send one request. Raises UnknownError: NotAskedError where it was never sent."""
        return try_each_key(
            current_then_previous(self._keys(), *self._names),
            lambda secret: self._client(method, path, headers=self._headers(secret), body=body),
            self._turned_away,
        )


def require_same_order(order: Order, payment_id: str | None, gateway_id: str | None) -> Order:
    """Return an order if it is the one asked about. Raises UnknownError for another's."""
    if payment_id not in (None, order.payment_id) or gateway_id not in (None, order.gateway_id):
        raise UnknownError("the answer is another order's")
    return order


def map_status(statuses: Mapping[str, OrderStatus], status: object) -> OrderStatus:
    """Map a gateway's status to ours. Raises UnknownError, naming it, for one that its documents do not have."""
    if not isinstance(status, str) or status not in statuses:
        raise UnknownError(f"status unknown to us: {status!r:.40}")
    return statuses[status]
