"""The one port that a person, a browser and a client of the API meet: console, API, and what is local only."""

import http.client
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from infra.local.aws.sms import Inbox
from infra.local.gateway.server import Gateway
from infra.local.issuer import Issuer
from infra.local.web.messages import Request, Response, json_response, message, method_not_allowed
from infra.local.web.proxy import Proxy
from infra.local.web.server import Server
from infra.local.web.static import Console

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


class Front:
    """Serves `127.0.0.1:port`.

    - `/` and `/console/…`: the console;
    - `/_local/…`: tokens, the issuer's keys, SMS, the sandbox gateway and the stack's description, which all work
      without a sign-in and so answer only to this machine's own names and pages;
    - anything else: the HTTP API at `api_url()`.
    """

    def __init__(
        self,
        port: int,
        api_url: Callable[[], str],
        emulator_url: str,
        issuer: Issuer,
        gateway: Gateway,
        figures: Callable[[], bytes],
    ) -> None:
        """Takes the port. figures: the night's figures, counted now. Raises OSError where the port is in use."""
        self._count_figures = figures
        self._issuer = issuer
        self._gateway = gateway
        self._inbox = Inbox(emulator_url)
        self._console = Console(_origin(emulator_url))
        self._proxy = Proxy(api_url)
        self._stack: dict[str, Any] | None = None
        self._server = Server(port, self._answer)
        self.port = self._server.port
        self._hosts = {f"127.0.0.1:{self.port}", f"localhost:{self.port}"}
        if self.port == 80:
            self._hosts |= {"127.0.0.1", "localhost"}

    def start(self) -> None:
        """Begins to answer."""
        self._server.start()

    def ready(self, stack_description: dict[str, Any]) -> None:
        """Says that everything works; `GET /_local/stack` gives `stack_description` from now on."""
        self._stack = stack_description

    def close(self) -> None:
        """Ends every connection and frees the port."""
        self._server.close()
        self._proxy.close()

    def _answer(self, request: Request) -> Response:
        if request.path == "/_local" or request.path.startswith("/_local/"):
            return self._local(request)
        if request.path == "/" or request.path.startswith("/console/"):
            return self._console_page(request)
        return self._proxy.forward(request)

    def _console_page(self, request: Request) -> Response:
        # One origin for all: the API takes its own address back as a place to return to after paying.
        if request.path == "/" and request.headers.get("Host") == f"localhost:{self.port}":
            return Response(307, (("Location", f"http://127.0.0.1:{self.port}{request.target}"),))
        return self._console.answer(request)

    def _local(self, request: Request) -> Response:
        if request.headers.get("Host") not in self._hosts:
            return message(403, "Only for requests to 127.0.0.1 or localhost")
        origin = request.headers.get("Origin")
        if request.method != "GET" and origin is not None and origin not in {f"http://{host}" for host in self._hosts}:
            return message(403, "Only for pages of this origin")
        path = request.path.removeprefix("/_local")
        if path.startswith("/gateway/"):
            return self._gateway.handle(request)
        route = {
            "/issuer/.well-known/openid-configuration": ("GET", self._discovery),
            "/issuer/jwks": ("GET", self._jwks),
            "/token": ("POST", self._token),
            "/sms": ("GET", self._sms),
            "/stack": ("GET", self._stack_description),
            "/figures": ("POST", self._figures),
        }.get(path)
        if route is None:
            return message(404, "Not Found")
        method, answer = route
        return answer(request) if request.method == method else method_not_allowed(method)

    def _discovery(self, _: Request) -> Response:
        return json_response(200, self._issuer.discovery())

    def _jwks(self, _: Request) -> Response:
        return json_response(200, self._issuer.jwks())

    def _token(self, request: Request) -> Response:
        try:
            claims = _claims(request.body)
        except ValueError as error:
            return message(422, str(error))
        return json_response(200, {"token": self._issuer.token(claims)})

    def _sms(self, request: Request) -> Response:
        phone = request.query.get("phone")
        if phone is not None and not _E164.fullmatch(phone):
            return message(422, "phone must be in E.164 form, such as +9647700000001, its + written %2B")
        try:
            return json_response(200, self._inbox.messages(phone))
        except (OSError, http.client.HTTPException, ValueError):
            return message(502, "The AWS endpoint cannot be reached")

    def _figures(self, _: Request) -> Response:
        return Response(200, (("Content-Type", "application/json"),), self._count_figures())

    def _stack_description(self, _: Request) -> Response:
        return json_response(200, self._stack) if self._stack else message(503, "Not ready yet")


def _claims(body: bytes) -> dict[str, str]:
    """The claims that `{"sub", "phone", "name", "scope"}` asks for; all but `sub` may be absent or empty.

    Raises ValueError that says what is wrong.
    """
    try:
        asked = json.loads(body)
    except ValueError:
        raise ValueError("The body must be JSON") from None
    if not isinstance(asked, dict):
        raise ValueError("The body must be a JSON object")
    for name in asked.keys() - {"sub", "phone", "name", "scope"}:
        raise ValueError(f"{name[:40]!r} is not known; sub, phone, name and scope are")
    for name, value in asked.items():
        if not isinstance(value, str) or len(value) > 200:
            raise ValueError(f"{name} must be a text of at most 200 characters")
    if not asked.get("sub"):
        raise ValueError("sub is missing")
    if asked.get("phone") and not _E164.fullmatch(asked["phone"]):
        raise ValueError("phone must be in E.164 form, such as +9647700000001")
    return {"phone_number" if name == "phone" else name: value for name, value in asked.items() if value}


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
