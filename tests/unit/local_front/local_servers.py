"""Small servers and a small client for tests of the front."""

import http.client
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from infra.local.front import Front
from infra.local.gateway.server import Gateway
from infra.local.issuer import Issuer

SECRET = {"api_key": "merchant-key", "callback_key": "callback-key"}


@dataclass
class Seen:
    """One request that an upstream got."""

    method: str
    target: str
    headers: Message
    body: bytes
    connection: tuple[str, int]


@dataclass
class Upstream:
    """A server that answers with `answer(seen)` -> (status, headers, body) and remembers what it was asked.

    With `drops` it closes each connection after an answer, without saying so; `closed` counts those.
    """

    answer: Callable[[Seen], tuple[int, list[tuple[str, str]], bytes]] = lambda _: (200, [], b"{}")
    seen: list[Seen] = field(default_factory=list)
    url: str = ""
    drops: bool = False
    closed: int = 0

    def start(self) -> ThreadingHTTPServer:
        upstream = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                seen = Seen(self.command, self.path, self.headers, body, self.client_address)
                upstream.seen.append(seen)
                status, headers, answer = upstream.answer(seen)
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                if not any(name == "Transfer-Encoding" for name, _ in headers):
                    self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(answer)
                self.close_connection = self.close_connection or upstream.drops

            do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = serve  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def shutdown_request(self, request: Any) -> None:
                super().shutdown_request(request)
                upstream.closed += 1

        server = Server(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        server.block_on_close = False
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return server


@dataclass
class Answer:
    status: int
    headers: Message
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Client:
    """Speaks to one port over one connection."""

    port: int

    def __post_init__(self) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)

    def __call__(self, method: str, target: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
        raw = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        self.connection.request(method, target, raw, headers or {})
        response = self.connection.getresponse()
        return Answer(response.status, response.headers, response.read())


@dataclass
class Local:
    """A front on a free port before `upstream`, which stands for the API and the emulator alike."""

    front: Front
    issuer: Issuer
    gateway: Gateway
    client: Client
    api_url: list[str]

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.front.port}"


def eventually(condition: Callable[[], Any], seconds: float = 10) -> Any:
    """Waits until `condition()` is true and gives what it returned."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)
    return value
