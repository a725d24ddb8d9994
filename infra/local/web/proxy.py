"""Passes requests on to the HTTP API, over connections that are kept open."""

import http.client
import logging
import re
import select
import threading
from collections.abc import Callable
from urllib.parse import urlsplit

from infra.local.web.messages import Headers, Request, Response, message

_TIMEOUT = 35.0  # seconds; an HTTP API answers or gives up within 30

# RFC 9110 section 7.6.1: these speak of one connection, not of the message. `host` and `content-length` are set anew.
_HOP_BY_HOP = frozenset(
    ("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection",
     "te", "trailer", "transfer-encoding", "upgrade")
)  # fmt: skip

_TARGET = re.compile(r"/[!-~]*")

logger = logging.getLogger(__name__)


class Proxy:
    """A reverse proxy to `api_url()`, asked at each request because the API comes later than its front.

    `api_url` gives an empty text while there is no API; requests are then answered with 503.
    """

    def __init__(self, api_url: Callable[[], str]) -> None:
        self._api_url = api_url
        self._pool = _Pool()

    def forward(self, request: Request) -> Response:
        """The API's answer as it is; 502 where the API cannot be reached, 504 where it does not answer in time."""
        url = urlsplit(self._api_url())
        if not url.netloc:
            return message(503, "The API is not ready yet")
        if not _TARGET.fullmatch(request.target):
            return message(400, "The path must be absolute and percent-encoded")
        connection = self._pool.take(url.netloc)
        try:
            response = _forward(connection, url.path.rstrip("/"), request)
        except TimeoutError:
            connection.close()
            return message(504, "The API did not answer in time")
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            logger.warning("The API cannot be reached: %r", error)
            return message(502, "The API cannot be reached")
        self._pool.give(url.netloc, connection)
        return response

    def close(self) -> None:
        """Closes the idle connections."""
        self._pool.close()


class _Pool:
    """Idle connections of each upstream, the one used last first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: dict[str, list[http.client.HTTPConnection]] = {}
        self._closed = False

    def take(self, netloc: str) -> http.client.HTTPConnection:
        while True:
            with self._lock:
                idle = self._idle.get(netloc)
                connection = idle.pop() if idle else None
            if connection is None:
                return http.client.HTTPConnection(netloc, timeout=_TIMEOUT)
            if not _dropped(connection):
                return connection
            connection.close()

    def give(self, netloc: str, connection: http.client.HTTPConnection) -> None:
        with self._lock:
            if connection.sock is not None and not self._closed:
                self._idle.setdefault(netloc, []).append(connection)
                return
        connection.close()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            idle = [connection for connections in self._idle.values() for connection in connections]
            self._idle.clear()
        for connection in idle:
            connection.close()


def _dropped(connection: http.client.HTTPConnection) -> bool:
    """Whether the upstream has closed an idle connection: it is then readable, which it never is otherwise."""
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return bool(poll.poll(0))


def _forward(connection: http.client.HTTPConnection, prefix: str, request: Request) -> Response:
    connection.putrequest(request.method, prefix + request.target, skip_accept_encoding=True)
    for name, value in _end_to_end(tuple(request.headers.items())):
        if name.lower() not in ("host", "x-forwarded-for", "content-length"):
            connection.putheader(name, value)
    forwarded_for = [*request.headers.get_all("X-Forwarded-For", []), request.client]
    connection.putheader("X-Forwarded-For", ", ".join(forwarded_for))
    if request.body or request.headers.get("Content-Length"):
        connection.putheader("Content-Length", str(len(request.body)))
    connection.endheaders(request.body or None)
    answer = connection.getresponse()
    body = answer.read()
    headers = _end_to_end(tuple(answer.getheaders()))
    return Response(answer.status, headers, body)


def _end_to_end(headers: Headers) -> Headers:
    named = {
        option.strip().lower() for name, value in headers if name.lower() == "connection" for option in value.split(",")
    }
    return tuple((name, value) for name, value in headers if name.lower() not in _HOP_BY_HOP | named)
