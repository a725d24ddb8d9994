"""The emulator's side is played by urllib, which is what it calls with."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.local.lambdas.environment import Invocation, Outcome
from infra.local.lambdas.invocations import InvocationServer

HTTP_API_REQUEST = {"version": "2.0", "routeKey": "GET /x", "requestContext": {"http": {"method": "GET"}}}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[InvocationServer]:
    started = InvocationServer(tmp_path / "port")
    yield started
    started.close()


def call(server: InvocationServer, event: Any, name: str = "Fn", timeout: float = 10) -> tuple[int, Any]:
    headers = {"X-Amzn-Lambda-Request-Id": "id-1", "X-Amzn-Trace-Id": "Root=1"}
    request = urllib.request.Request(f"{server.url}/{name}", json.dumps(event).encode(), headers)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=timeout) as response:  # noqa: S310
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def test_an_answer_is_handed_back(server: InvocationServer) -> None:
    asked = []

    def invoke(name: str, invocation: Invocation) -> Outcome:
        asked.append((name, json.loads(invocation.event), invocation.request_id, invocation.trace_id))
        return Outcome('{"said": "سلام"}'.encode())

    server.open(invoke)

    assert call(server, {"a": 1}) == (200, {"said": "سلام"})
    assert asked == [("Fn", {"a": 1}, "id-1", "Root=1")]


def test_a_failure_is_one_for_the_emulator(server: InvocationServer) -> None:
    server.open(lambda name, invocation: Outcome(b'{"errorType": "ValueError"}', failed=True))

    assert call(server, {"Records": []}) == (500, {"errorType": "ValueError"})


def test_a_failure_behind_the_http_api_is_its_own_answer(server: InvocationServer) -> None:
    server.open(lambda name, invocation: Outcome(b'{"errorType": "ValueError"}', failed=True))

    status, answer = call(server, HTTP_API_REQUEST)

    assert (status, answer["statusCode"]) == (200, 500)
    assert json.loads(answer["body"]) == {"message": "Internal Server Error"}


def test_an_authorizer_that_fails_is_a_failure(server: InvocationServer) -> None:
    server.open(lambda name, invocation: Outcome(b"{}", failed=True))

    assert call(server, {**HTTP_API_REQUEST, "type": "REQUEST"})[0] == 500


@pytest.mark.parametrize("error", [KeyError("Fn"), RuntimeError("no more processes")])
def test_what_cannot_be_run_is_a_failure(server: InvocationServer, error: Exception) -> None:
    def invoke(name: str, invocation: Invocation) -> Outcome:
        raise error

    server.open(invoke)

    status, answer = call(server, {})

    assert (status, answer["errorType"]) == (500, type(error).__name__)


def test_calls_wait_until_there_is_something_that_runs_them(server: InvocationServer) -> None:
    answers: list[tuple[int, Any]] = []
    # The caller's own patience is shorter than its wait: it must hear something in between.
    caller = threading.Thread(target=lambda: answers.append(call(server, {}, timeout=0.8)))
    caller.start()
    caller.join(1.5)
    assert caller.is_alive()

    server.open(lambda name, invocation: Outcome(b"1"))

    caller.join(10)
    assert answers == [(200, 1)]


def test_the_address_is_the_same_at_the_next_start(tmp_path: Path) -> None:
    first = InvocationServer(tmp_path / "port")
    url = first.url
    first.close()

    second = InvocationServer(tmp_path / "port")
    third = InvocationServer(tmp_path / "port")
    second.close()
    third.close()

    assert second.url == url
    assert third.url != url
