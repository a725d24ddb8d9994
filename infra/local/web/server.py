"""A threading HTTP/1.1 server on 127.0.0.1 that reads whole requests and writes whole answers.

Its limits are those of an HTTP API ("Quotas for configuring and running an HTTP API" in API Gateway's developer guide).
"""

import contextlib
import http.server
import logging
import socket
import threading
from collections.abc import Callable
from typing import Any

from infra.local.web.messages import Request, Response, message

MAX_BODY_BYTES = 10 * 1024 * 1024  # bytes: the HTTP API's own limit
MAX_HEAD_BYTES = 10_240  # bytes: of the request line and the headers' values, the HTTP API's own limit too
_DISCARD_AT_MOST = 10 * MAX_BODY_BYTES
_IDLE = 75.0  # seconds before a connection that says nothing is closed

logger = logging.getLogger(__name__)


class Server:
    """Answers each request with `answer(request)`, from a thread for each connection, which is kept open."""

    def __init__(self, port: int, answer: Callable[[Request], Response]) -> None:
        """Takes the port. Raises OSError where it is in use."""
        self._http = _Listener(port, answer)
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.1}, name="front", daemon=True
        )

    @property
    def port(self) -> int:
        return int(self._http.server_address[1])

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Frees the port and ends every open connection."""
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


class _Listener(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, port: int, answer: Callable[[Request], Response]) -> None:
        self.answer = answer
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", port), _Connection)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        super().server_close()
        with self._lock:
            for connection in self._open:
                # Wakes the thread that reads from it, which then closes it.
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        logger.debug("Connection lost", exc_info=True)


class _RefusedError(Exception):
    def __init__(self, response: Response) -> None:
        self.response = response


class _Connection(http.server.BaseHTTPRequestHandler):
    server: _Listener
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = _IDLE

    def _serve(self) -> None:
        try:
            body = self._body()
        except _RefusedError as refused:
            self.close_connection = True
            self._write(refused.response)
            return
        request = Request(self.command, self.path, self.headers, body, self.client_address[0])
        try:
            response = self.server.answer(request)
        except Exception:
            logger.exception("%s %s failed", self.command, request.path)
            response = message(500, "Internal Server Error")
        self._write(response)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve  # noqa: N815

    def handle_expect_100(self) -> bool:
        return self._length() > MAX_BODY_BYTES or super().handle_expect_100()

    def send_error(self, code: int, text: str | None = None, explain: str | None = None) -> None:
        self.close_connection = True
        self._write(message(code, text or self.responses[code][0]))

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: the functions' logs tell what happened."""

    def _body(self) -> bytes:
        if len(self.requestline) + sum(map(len, self.headers.values())) > MAX_HEAD_BYTES:
            raise _RefusedError(message(431, "Request Header Fields Too Large"))
        if self.headers.get("Transfer-Encoding"):
            raise _RefusedError(message(411, "Length Required"))
        length = self._length()
        if length < 0:
            raise _RefusedError(message(400, "Bad Request"))
        if length > MAX_BODY_BYTES:
            self._discard(length)
            raise _RefusedError(message(413, "Request Entity Too Large"))
        return self.rfile.read(length)

    def _length(self) -> int:
        """The declared length of the body; -1 where it makes no sense."""
        declared = self.headers.get("Content-Length", "0")
        return int(declared) if declared.isascii() and declared.isdigit() and len(declared) <= 12 else -1

    def _discard(self, length: int) -> None:
        """Reads a refused body away, since a client that is still sending would not see the answer."""
        if self.headers.get("Expect", "").lower() == "100-continue":
            return
        left = min(length, _DISCARD_AT_MOST)
        while left and (piece := self.rfile.read(min(left, 1 << 16))):
            left -= len(piece)

    def _write(self, response: Response) -> None:
        reason = self.responses.get(response.status, ("",))[0]
        lines = [f"HTTP/1.1 {response.status} {reason}"]
        lines += [f"{name}: {value}" for name, value in response.headers]
        has_body = response.status not in (204, 304) and response.status >= 200
        if has_body and not any(name.lower() == "content-length" for name, _ in response.headers):
            lines.append(f"Content-Length: {len(response.body)}")
        if self.close_connection:
            lines.append("Connection: close")
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        self.wfile.write(head if self.command == "HEAD" else head + response.body)
