"""The Lambda Runtime API of one execution environment, over the one connection that its runtime keeps.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html

A runtime asks for the next event, posts its outcome, and asks again: strictly one request after the other. So no
server with threads is needed: whoever wants something of the environment reads and answers its requests.
"""

import select
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_VERSION = "/2018-06-01"
NEXT = f"{_VERSION}/runtime/invocation/next"
INIT_ERROR = f"{_VERSION}/runtime/init/error"

_REASONS = {200: "OK", 202: "Accepted", 404: "Not Found", 413: "Request Entity Too Large"}
_LOOK_FOR_EXIT_EVERY = 0.05  # seconds


class RuntimeEndedError(Exception):
    """The runtime's process is gone."""


@dataclass(frozen=True)
class RuntimeRequest:
    """What the runtime sent."""

    method: str
    path: str
    body: bytes


class RuntimeApi:
    """Listens for one runtime. Not for use by several threads at once."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=4)
        self._connection: socket.socket | None = None

    @property
    def address(self) -> str:
        """Value of AWS_LAMBDA_RUNTIME_API."""
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def receive(self, deadline: float, running: Callable[[], bool]) -> RuntimeRequest:
        """The runtime's next request.

        Args:
            deadline: on the monotonic clock, in seconds.
            running: whether the runtime's process still runs.

        Raises:
            TimeoutError: nothing came in time.
            RuntimeEndedError: the process ended.
        """
        while True:
            request = self._read(deadline) if self._wait(deadline) else None
            if request:
                return request
            if not running():
                raise RuntimeEndedError
            if time.monotonic() >= deadline:
                raise TimeoutError

    def answer(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Answer the request that was received last.

        Raises:
            RuntimeEndedError: the runtime is no longer there to read it.
        """
        lines = [f"HTTP/1.1 {status} {_REASONS[status]}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        try:
            if self._connection is None:
                raise RuntimeEndedError
            self._connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        except OSError as error:
            raise RuntimeEndedError from error

    def close(self) -> None:
        self._listener.close()
        self._hang_up()

    def _wait(self, deadline: float) -> bool:
        """Whether there is a connection with something to read. Takes a new connection in place of the old one."""
        left = max(0.0, deadline - time.monotonic())
        if self._connection is None:
            left = min(left, _LOOK_FOR_EXIT_EVERY)
        watched = [one for one in (self._connection, self._listener) if one is not None]
        readable, _, _ = select.select(watched, [], [], left)
        if self._connection in readable:
            return True
        if self._listener in readable:
            self._hang_up()
            self._connection, _ = self._listener.accept()
            self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return False

    def _read(self, deadline: float) -> RuntimeRequest | None:
        """One whole request; None where the runtime closed the connection instead."""
        connection = self._connection
        if connection is None:
            return None
        connection.settimeout(max(0.001, deadline - time.monotonic()))
        try:
            received = bytearray()
            while (end := received.find(b"\r\n\r\n")) < 0:
                received += _more(connection)
            method, path, length, expects = _head(bytes(received[:end]))
            if expects and len(received) == end + 4:
                connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            while len(received) < end + 4 + length:
                received += _more(connection)
        except TimeoutError:
            raise
        except OSError:
            self._hang_up()
            return None
        finally:
            if self._connection is not None:
                connection.settimeout(None)
        return RuntimeRequest(method, path, bytes(received[end + 4 :]))

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _more(connection: socket.socket) -> bytes:
    data = connection.recv(1 << 18)
    if not data:
        raise ConnectionResetError
    return data


def _head(head: bytes) -> tuple[str, str, int, bool]:
    """Method, path, length of the body, and whether the client waits to be told to send the body."""
    first, *fields = head.decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
    return method, path, int(headers.get("content-length", "0")), "expect" in headers
