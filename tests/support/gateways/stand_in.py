"""What the stand-ins of the gateways share: a real HTTP server that can be slow, fail, lie, repeat and reorder.

A stand-in is written from its gateway's documents and knows nothing of the adapter. It does what it is asked, unless a
fault stands in the way. Callbacks that it owes are kept until they are sent, so that a test can lose some, send them
twice or in another order.
"""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qsl, urlsplit

from pay.gateways import Delivery

ANSWERS_WITHIN = 20  # seconds; the first answer may be a cold start


class Request(NamedTuple):
    """What a stand-in was sent."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.body)
        return value


class Reply(NamedTuple):
    """What it answers."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    location: str = ""


def says(status: int, value: Any) -> Reply:
    return Reply(status, json.dumps(value).encode())


class Post(NamedTuple):
    """A callback that a gateway owes, or a browser that it sends back."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes

    def delivery(self) -> Delivery:
        """As it arrives at a function."""
        headers = {name.lower(): value for name, value in self.headers.items()}
        return Delivery(headers, dict(parse_qsl(urlsplit(self.url).query)), self.body)

    def send(self) -> int:
        """Over HTTP; the status of the answer."""
        data = self.body if self.method == "POST" else None
        request = urllib.request.Request(self.url, data, self.headers, method=self.method)  # noqa: S310 (our own)
        opener = urllib.request.build_opener(_StaysHere)
        try:
            with opener.open(request, timeout=ANSWERS_WITHIN) as response:
                status: int = response.status
        except urllib.error.HTTPError as error:
            status = error.code
            error.close()
        return status


class _StaysHere(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


Fault = Callable[[Callable[[], Reply], threading.Event], Iterator[bytes]]
"""Stands between a request and its answer. Takes what does as it is asked, and what says that the server closes; yields
the bytes that go out, after which the connection ends."""


def rendered(reply: Reply) -> bytes:
    head = f"HTTP/1.1 {reply.status} -\r\ncontent-type: {reply.content_type}\r\ncontent-length: {len(reply.body)}\r\n"
    head += f"location: {reply.location}\r\n" if reply.location else ""
    return f"{head}connection: close\r\n\r\n".encode() + reply.body


def answers(reply: Reply) -> Fault:
    """Does nothing, and says this."""
    return lambda act, closing: iter([rendered(reply)])


def lies(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Fault:
    """Does as it is asked, and says something else of it."""

    def fault(act: Callable[[], Reply], closing: threading.Event) -> Iterator[bytes]:
        reply = act()
        yield rendered(reply._replace(body=json.dumps(change(json.loads(reply.body))).encode()))

    return fault


def hangs_up(act: Callable[[], Reply], closing: threading.Event) -> Iterator[bytes]:
    """Does nothing and says nothing."""
    return iter(())


def loses_its_answer(act: Callable[[], Reply], closing: threading.Event) -> Iterator[bytes]:
    """Does as it is asked, and the line breaks."""
    act()
    return iter(())


def fails_after(reply: Reply) -> Fault:
    """Does as it is asked, and says that it failed."""

    def fault(act: Callable[[], Reply], closing: threading.Event) -> Iterator[bytes]:
        act()
        yield rendered(reply)

    return fault


def stays_silent(act: Callable[[], Reply], closing: threading.Event) -> Iterator[bytes]:
    """Does as it is asked, and keeps the line without a word."""
    act()
    closing.wait()
    return iter(())


def drips(act: Callable[[], Reply], closing: threading.Event) -> Iterator[bytes]:
    """Does as it is asked, and says so a byte at a time, without end."""
    act()
    yield b"HTTP/1.1 200 -\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n"
    while not closing.wait(0.01):
        yield b" "


def breaks_off(act: Callable[[], Reply], closing: threading.Event) -> Iterator[bytes]:
    """Does as it is asked, and the line breaks in the middle of the answer."""
    whole = rendered(act())
    yield whole[: -len(whole) // 5]


def truncates(act: Callable[[], Reply], closing: threading.Event) -> Iterator[bytes]:
    """Does as it is asked, and its JSON ends before it should."""
    reply = act()
    yield rendered(reply._replace(body=reply.body[: len(reply.body) // 2]))


def floods(act: Callable[[], Reply], closing: threading.Event) -> Iterator[bytes]:
    """Does as it is asked, and says too much."""
    reply = act()
    yield rendered(reply._replace(body=reply.body + b" " * 1_000_000))


def goes_well(act: Callable[[], Reply], closing: threading.Event) -> Iterator[bytes]:
    return iter([rendered(act())])


PAGE = Reply(200, b"<!doctype html><title>Maintenance</title>", "text/html")


class StandIn(ABC):
    """A gateway on a free port while it is entered. Subclasses answer requests in ``route``.

    received: all requests. owed: callbacks and browsers on their way, in the order in which they came about.
    order_path, status_path, refund_path: what the paths of those calls hold.
    """

    name: str
    order_path: str
    status_path: str
    refund_path: str

    def __init__(self) -> None:
        self.received: list[Request] = []
        self.owed: deque[Post] = deque()
        self._faults: list[tuple[str, Fault]] = []
        self._lock = threading.RLock()
        self._closing = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    # ------------------------------------------------------------------ what a test makes of it

    def meets(self, path: str, *faults: Fault) -> None:
        """The next requests whose path holds ``path`` meet these faults, one each."""
        with self._lock:
            self._faults.extend((path, fault) for fault in faults)

    def asked(self, path: str) -> list[Request]:
        """The requests so far whose path holds ``path``."""
        return [request for request in self.received if path in request.path]

    def deliver(self) -> list[int]:
        """Send all that is owed, oldest first; the statuses of the answers."""
        statuses = []
        while self.owed:
            statuses.append(self.owed.popleft().send())
        return statuses

    # ------------------------------------------------------------------ what it is

    @property
    def base(self) -> str:
        """The address that its merchant is given."""
        return self.url

    @abstractmethod
    def keys(self) -> dict[str, str]:
        """The secrets that its merchant is given."""

    @abstractmethod
    def changes_keys(self) -> None:
        """It gives its merchant new ones, and takes and signs by these alone."""

    @abstractmethod
    def ids(self) -> list[str]:
        """Its own ids of the orders that it has taken."""

    @abstractmethod
    def begins(self, gateway_id: str) -> None:
        """The customer is in the midst of paying: it is too late to close the order."""

    @abstractmethod
    def ends(self, gateway_id: str, how: str) -> None:
        """The customer, or time: an order ends ``paid``, ``failed`` or ``expired``, and who waits for it is told."""

    @abstractmethod
    def finish_refund(self, gateway_id: str) -> None:
        """What was asked to be given back has been."""

    @abstractmethod
    def given_back(self, gateway_id: str) -> int:
        """Dinars that have gone back to the customer or are on their way."""

    @abstractmethod
    def route(self, request: Request) -> Reply:
        """Do as a request asks."""

    # ------------------------------------------------------------------ HTTP

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                parts = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Request(self.command, parts.path, dict(parse_qsl(parts.query)), headers, body)
                self.close_connection = True
                try:
                    for chunk in stand_in._answer(request):
                        self.wfile.write(chunk)
                        self.wfile.flush()
                except OSError:
                    return  # the client has gone

            do_GET = do_POST = answer  # noqa: N815 (the base class's names)

            def log_message(self, *_: Any) -> None:
                pass

        return Handler

    def _answer(self, request: Request) -> Iterator[bytes]:
        def act() -> Reply:
            with self._lock:
                return self.route(request)

        with self._lock:
            self.received.append(request)
            fault = next(((path, fault) for path, fault in self._faults if path in request.path), None)
            if fault:
                self._faults.remove(fault)
        return (fault[1] if fault else goes_well)(act, self._closing)


def basic_or_bearer(headers: Mapping[str, str]) -> tuple[str, str]:
    """The scheme and the value of an Authorization header."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    return scheme.lower(), value
