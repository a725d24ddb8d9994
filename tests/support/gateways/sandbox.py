"""The sandbox gateway as a stand-in: the local cloud's own, behind the server that lets a test spoil its answers."""

from __future__ import annotations

import json
import tempfile
from email.message import Message
from pathlib import Path
from typing import Self

from infra.local.gateway.server import Gateway
from infra.local.web.messages import Request as LocalRequest
from tests.support.cloud import wait_for
from tests.support.gateways.stand_in import Post, Reply, Request, StandIn


class SandboxStandIn(StandIn):
    """Its callbacks come to the stand-in itself, which owes them on."""

    name = "sandbox"
    order_path, status_path, refund_path = "/v1/payments", "/v1/payments", "/refunds"

    def __init__(self) -> None:
        super().__init__()
        self._secret = {"api_key": "merchant", "callback_key": "callbacks"}
        self._ids: list[str] = []
        self._refunds: dict[str, tuple[str, int]] = {}

    def __enter__(self) -> Self:
        self._state = tempfile.TemporaryDirectory()
        self._gateway = Gateway(Path(self._state.name), self.url, lambda: self._secret)
        return super().__enter__()

    def __exit__(self, *_: object) -> None:
        self._gateway.close()
        super().__exit__(*_)
        self._state.cleanup()

    def keys(self) -> dict[str, str]:
        return self._secret

    def changes_keys(self) -> None:
        self._secret = {"api_key": "merchant-2", "callback_key": "callbacks-2"}

    def ids(self) -> list[str]:
        return self._ids

    def begins(self, gateway_id: str) -> None:
        """Its customer pays in one step."""

    def ends(self, gateway_id: str, how: str) -> None:
        owed = len(self.owed)
        outcome = {"paid": "pay", "failed": "fail", "expired": "expire"}[how]
        self._hand_on(Request("POST", f"/pay/{gateway_id}", {}, {}, f"outcome={outcome}".encode()))
        wait_for(lambda: len(self.owed) > owed, 10, "the sandbox gateway's callback")

    def given_back(self, gateway_id: str) -> int:
        return sum(amount for of, amount in self._refunds.values() if of == gateway_id)

    def finish_refund(self, gateway_id: str) -> None:
        """It is finished at once."""

    def route(self, request: Request) -> Reply:
        if request.path.startswith("/v1/callbacks/"):
            self.owed.append(Post("POST", self.url + request.path, request.headers, request.body))
            return Reply(200)
        reply = self._hand_on(request)
        if reply.status == 201:
            self._ids.append(json.loads(reply.body)["id"])
        elif request.path.endswith("/refunds") and reply.status == 200:
            refund = request.json()
            self._refunds[refund["reference"]] = request.path.split("/")[-2], refund["amount"]
        return reply

    def _hand_on(self, request: Request) -> Reply:
        headers = Message()
        for name, value in request.headers.items():
            headers[name] = value
        query = "&".join(f"{name}={value}" for name, value in request.query.items())
        target = f"{request.path}?{query}" if query else request.path
        answer = self._gateway.handle(LocalRequest(request.method, target, headers, request.body, "127.0.0.1"))
        return Reply(answer.status, answer.body)
