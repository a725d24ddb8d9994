"""A stand-in of Ur's user endpoint, which says whose token one is, as clients of other Ur services know it."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Ur(ThreadingHTTPServer):
    """The stand-in. users: by token. answer: what it says instead to whoever asks. asked: how often it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.users: dict[str, dict[str, Any]] = {}
        self.answer: tuple[int, bytes] | None = None
        self.asked = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/api/client/user/show/allInfo"


class _Handler(BaseHTTPRequestHandler):
    server: Ur

    def do_GET(self) -> None:
        self.server.asked += 1
        user = self.server.users.get(self.headers["authorization"].removeprefix("Bearer "))
        status, body = (200, json.dumps({"data": user}).encode()) if user else (401, b'{"message":"Unauthenticated."}')
        if self.server.answer:
            status, body = self.server.answer
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        if status == 302:
            self.send_header("location", self.server.url)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def serving() -> Iterator[Ur]:
    """The stand-in on a free port of this machine."""
    server = Ur()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
