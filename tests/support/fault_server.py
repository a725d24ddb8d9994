"""An HTTP server that answers each request as a script says: errors, broken connections, silence."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import BinaryIO, NamedTuple
from zlib import crc32


class Step(NamedTuple):
    """What happens to one request. answer: the bytes that are sent. read: whether the request is read at all.

    close: whether the connection ends after it. An answer of None with ``close=False`` leaves the client waiting.
    """

    answer: bytes | None = None
    read: bool = True
    close: bool = False


def says(status: int, body: bytes, headers: Mapping[str, str] | None = None, *, close: bool = False) -> Step:
    """An HTTP answer, with DynamoDB's checksum unless the headers have one."""
    fields = {"content-type": "application/x-amz-json-1.0", "x-amz-crc32": str(crc32(body)), **(headers or {})}
    fields.setdefault("content-length", str(len(body)))
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return Step(f"HTTP/1.1 {status} -\r\n{head}\r\n".encode() + body, close=close)


def fails(status: int, code: str) -> Step:
    """An error as AWS words it."""
    return says(status, json.dumps({"__type": f"com.amazon#{code}", "message": "because"}).encode())


OK = says(200, b'{"Item":{"pk":{"S":"1"}}}')
HANGS_UP_AT_ONCE = Step(read=False, close=True)
HANGS_UP_AFTER_READING = Step(close=True)
STAYS_SILENT = Step()


class Received(NamedTuple):
    """A request that was read. connection: which one of the server's, counted from 1."""

    connection: int
    headers: dict[str, str]
    body: bytes


class FaultServer:
    """Listens on a free port while it is entered. Requests beyond the script are answered well."""

    def __init__(self, steps: Iterable[Step], tls: ssl.SSLContext | None = None) -> None:
        self.received: list[Received] = []
        self._steps = deque(steps)
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._listener.getsockname()[1]}"
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> FaultServer:
        self._run(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        for each in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join()

    def _run(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        number = 0
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                number += 1
                if self._tls:
                    try:
                        connection = self._tls.wrap_socket(connection, server_side=True)
                    except OSError:
                        connection.close()
                        continue
                self._open.append(connection)
                self._run(self._serve, connection, number)

    def _serve(self, connection: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError), connection, connection.makefile("rb") as stream:
            while True:
                if self._steps and not self._steps[0].read:
                    self._steps.popleft()
                    return
                received = _read(stream, number)
                if received is None:
                    return
                self.received.append(received)
                step = self._steps.popleft() if self._steps else OK
                if step.answer:
                    connection.sendall(step.answer)
                if step.close:
                    connection.shutdown(socket.SHUT_RDWR)
                    return


def _read(stream: BinaryIO, number: int) -> Received | None:
    lines: list[bytes] = []
    while (line := stream.readline()) not in (b"\r\n", b""):
        lines.append(line)
    if not lines:
        return None
    pairs = (line.decode().partition(":") for line in lines[1:])
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    body = stream.read(int(headers.get("content-length", 0)))
    return Received(number, headers, body)
