"""Where the emulator sends what it would run: `POST /<LogicalId>` with the event, answered with the outcome.

What the emulator (ministack's `MINISTACK_LAMBDA_PROXY_URL`) makes of an answer: 2xx is the function's result; anything
else is a failed invocation, which SQS delivers again and asynchronous callers repeat.
"""

import contextlib
import http.server
import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from infra.local.lambdas.environment import Invocation, Outcome

# The emulator gives up after the function's timeout, of at least a second, counted from the last thing it heard. Time
# spent waiting for an environment or importing a handler is not the function's, so it hears something in between.
REASSURE_EVERY = 0.4  # seconds
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

# https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-lambda.html
_HTTP_API_FAILURE = json.dumps(
    {
        "statusCode": 500,
        "headers": {"content-type": "application/json"},
        "body": json.dumps({"message": "Internal Server Error"}),
    }
).encode()

Invoke = Callable[[str, Invocation], Outcome]


class InvocationServer:
    """Listens on 127.0.0.1 from the start; calls wait until `open` says what runs them."""

    def __init__(self, port_file: Path) -> None:
        """Takes the same port as last time where it can.

        The emulator's saved state holds the address, and what it wants to run while it starts must not be refused.
        """
        self._invoke: Invoke | None = None
        self._opened = threading.Event()
        self._waiting: set[_Handler] = set()
        self._lock = threading.Lock()
        self._http = _listen(port_file, self)
        self._stopped = threading.Event()
        self._threads = [
            threading.Thread(target=self._http.serve_forever, args=[0.05], name="invocations", daemon=True),
            threading.Thread(target=self._reassure, name="reassure", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def open(self, invoke: Invoke) -> None:
        """Run calls with `invoke`, those included that have been waiting."""
        self._invoke = invoke
        self._opened.set()

    def close(self) -> None:
        """Free the port. Calls in progress are not waited for."""
        self._stopped.set()
        self._opened.set()
        self._http.shutdown()
        self._http.server_close()
        for thread in self._threads:
            thread.join()

    def run(self, logical_id: str, invocation: Invocation) -> Outcome:
        """Raises KeyError where there is no such function."""
        self._opened.wait()
        if self._invoke is None:
            raise KeyError(logical_id)
        return self._invoke(logical_id, invocation)

    @contextlib.contextmanager
    def waiting(self, handler: "_Handler") -> Iterator[None]:
        with self._lock:
            self._waiting.add(handler)
        try:
            yield
        finally:
            with self._lock:
                self._waiting.discard(handler)

    def _reassure(self) -> None:
        while not self._stopped.wait(REASSURE_EVERY):
            with self._lock:
                for handler in self._waiting:
                    with contextlib.suppress(OSError):
                        handler.connection.sendall(_CONTINUE)


class _Listener(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, port: int, invocations: InvocationServer) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.invocations = invocations


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Listener
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    connection: socket.socket

    def do_POST(self) -> None:
        event = self.rfile.read(int(self.headers["Content-Length"]))
        ids = {
            name: value
            for name, header in (("request_id", "X-Amzn-Lambda-Request-Id"), ("trace_id", "X-Amzn-Trace-Id"))
            if (value := self.headers[header])
        }
        try:
            with self.server.invocations.waiting(self):
                outcome = self.server.invocations.run(self.path.strip("/"), Invocation(event, **ids))
        except Exception as error:  # noqa: BLE001  whatever it is, the invocation failed
            outcome = Outcome(
                json.dumps({"errorType": type(error).__name__, "errorMessage": str(error)}).encode(), True
            )
        status, body = _answer(event, outcome)
        head = f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        with contextlib.suppress(OSError):
            self.wfile.write(head.encode() + body)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: the functions' logs tell what happened."""


def _answer(event: bytes, outcome: Outcome) -> tuple[int, bytes]:
    if not outcome.failed:
        return 200, outcome.payload
    # The emulator would tell an API's caller the error with status 502.
    return (200, _HTTP_API_FAILURE) if _is_http_api_request(json.loads(event)) else (500, outcome.payload)


def _is_http_api_request(event: Any) -> bool:
    if not isinstance(event, dict) or event.get("version") != "2.0" or "type" in event:
        return False
    context = event.get("requestContext")
    return isinstance(context, dict) and "http" in context


def _listen(port_file: Path, invocations: InvocationServer) -> _Listener:
    with contextlib.suppress(OSError, ValueError):
        return _Listener(int(port_file.read_text()), invocations)
    listener = _Listener(0, invocations)
    port_file.parent.mkdir(parents=True, exist_ok=True)
    port_file.write_text(str(listener.server_address[1]))
    return listener
