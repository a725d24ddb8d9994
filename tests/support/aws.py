"""AWS for tests: engines that speak its JSON, and tables made as template.yaml describes them."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import itertools
import os
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import cache, cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import boto3

from infra.local.aws.emulator import Emulator
from infra.local.config import ACCESS_KEY_ID, REGION, ROOT, SECRET_ACCESS_KEY, Config
from infra.template import Template, read
from shared.aws_json import Call, FastClient, Json, sdk, sign

_TABLE_PROPERTIES = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")
_NUMBERS = itertools.count(1)


class Engine:
    """An endpoint that speaks DynamoDB, reached with the local cloud's identity."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self._fast: list[FastClient] = []

    def environment(self) -> dict[str, str]:
        """What Lambda puts into the environment of a function, for this endpoint."""
        return {
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
            "AWS_ENDPOINT_URL": self.endpoint,
        }

    def fast(self) -> FastClient:
        """The port without the SDK; a new one each time, since one is not for several threads."""
        client = FastClient(self.environment())
        self._fast.append(client)
        return client

    def sdk(self) -> Call:
        """The port over boto3."""
        return sdk(
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=ACCESS_KEY_ID,
            aws_secret_access_key=SECRET_ACCESS_KEY,
        )

    @cached_property
    def session(self) -> boto3.Session:
        """The identity of :meth:`environment` for boto3's own clients; it keeps what it has loaded of their models."""
        return boto3.Session(ACCESS_KEY_ID, SECRET_ACCESS_KEY, region_name=REGION)

    @cached_property
    def sqs(self) -> Any:
        """A client of queues."""
        return self.session.client("sqs", endpoint_url=self.endpoint)

    def hang_up(self) -> None:
        """Close the connections of every fast client."""
        while self._fast:
            client = self._fast.pop()
            for service in list(client._connections):
                client._forget(service)


class _Near(FastClient):
    """The port to an emulator of this process: signed, checked and retried as ever, but without a network between."""

    _ONE_AT_A_TIME = threading.Lock()

    def __init__(self, environment: dict[str, str], application: Any) -> None:
        super().__init__(environment)
        self._application = application

    def _post(self, service: str, target: str, content_type: str, body: bytes) -> tuple[int, bytes]:
        headers = sign(
            body,
            host="127.0.0.1",
            target=target,
            content_type=content_type,
            service=service,
            region=self._region,
            credentials=self._credentials,
            at=time.gmtime(),
        )
        fields = [(name.encode(), value.encode()) for name, value in headers.items()]
        request = {"type": "http.request", "body": body}
        answers: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return request

        async def send(message: dict[str, Any]) -> None:
            answers.append(message)

        scope = {"type": "http", "method": "POST", "path": "/", "headers": fields}
        with self._ONE_AT_A_TIME, contextlib.suppress(StopIteration):
            self._application(scope, receive, send).send(None)  # it waits for nothing
        start, content = answers
        return start["status"], content["body"]


class _Here(Engine):
    """An emulator in this process."""

    def __init__(self, endpoint: str, application: Any) -> None:
        super().__init__(endpoint)
        self._application = application

    def fast(self) -> FastClient:
        return _Near(self.environment(), self._application)


class Watched:
    """A port that counts its calls by operation."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self.operations: list[str] = []

    def __call__(self, service: str, operation: str, request: Json) -> Json:
        self.operations.append(operation)
        return self._call(service, operation, request)


class Tables(dict[str, str]):
    """Names of fresh tables by their logical id in template.yaml, each made when first asked for."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def __missing__(self, logical_id: str) -> str:
        properties = template()["Resources"][logical_id]["Properties"]
        request: Json = {name: properties[name] for name in _TABLE_PROPERTIES if name in properties}
        self[logical_id] = f"{logical_id}-{next(_NUMBERS)}"
        self._call("dynamodb", "CreateTable", {"TableName": self[logical_id], **request})
        return self[logical_id]

    def delete(self) -> None:
        for name in self.values():
            self._call("dynamodb", "DeleteTable", {"TableName": name})

    def items(self, logical_id: str) -> list[Json]:  # type: ignore[override]  # a table's, not the mapping's
        """Everything in a table, in no order."""
        request: Json = {"TableName": self[logical_id], "ConsistentRead": True}
        found: list[Json] = []
        while True:
            page = self._call("dynamodb", "Scan", request)
            found += page["Items"]
            if not page.get("LastEvaluatedKey"):
                return found
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def before(call: Call, operation: str, act: Callable[[], Any]) -> Call:
    """A call before whose first request of an operation something else happens."""
    acts = iter((act,))

    def interrupted(service: str, asked: str, request: Json) -> Json:
        if asked == operation:
            for each in acts:
                each()
        return call(service, asked, request)

    return interrupted


@cache
def template() -> Template:
    """The template, read once."""
    return read()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on, and that the system gives to no connection meanwhile.

    Linux draws those from 32768 upwards: a port of that range may be gone before it is listened on.
    """
    while True:
        port = random.SystemRandom().randrange(20_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


@contextlib.contextmanager
def ministack(folder: Path) -> Iterator[Engine]:
    """The local cloud's emulator, as the local cloud runs it."""
    emulator = Emulator(Config(aws_port=(port := free_port()), state=folder))
    emulator.start()
    engine = Engine(f"http://127.0.0.1:{port}")
    try:
        emulator.wait_until_ready()
        yield engine
    finally:
        engine.hang_up()
        emulator.stop()


@contextlib.contextmanager
def ministack_here(folder: Path) -> Iterator[Engine]:
    """The same emulator in this process, where a call costs a fifth: its application, at an endpoint for the SDK."""
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    environment = Emulator(Config(aws_port=port, state=folder)).environment()
    (packages,) = (ROOT / ".venv" / "emulator" / "lib").glob("python*/site-packages")
    with mock.patch.dict(os.environ, environment), mock.patch.object(sys, "path", [*sys.path, str(packages)]):
        application = importlib.import_module("ministack.app").app
        for service in ("dynamodb", "s3", "secretsmanager", "sqs"):
            importlib.import_module(f"ministack.services.{service}")
        hypercorn = importlib.import_module("hypercorn.asyncio")
    # The one place that reads the environment at every call.
    importlib.import_module("ministack.core.iam_evaluator").os = SimpleNamespace(environ=environment)
    config = hypercorn.Config()
    config.bind = [f"fd://{listening.detach()}"]
    loop, over = asyncio.new_event_loop(), asyncio.Event()
    serving = hypercorn.serve(application, config, shutdown_trigger=over.wait)
    thread = threading.Thread(target=loop.run_until_complete, args=[serving])
    thread.start()
    engine = _Here(f"http://127.0.0.1:{port}", application)
    try:
        yield engine
    finally:
        engine.hang_up()
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()


@contextlib.contextmanager
def dynamodb_local(folder: Path) -> Iterator[Engine]:
    """DynamoDB Local in memory, from a folder that holds DynamoDBLocal.jar and DynamoDBLocal_lib."""
    port = free_port()
    command = ["java", "-Djava.library.path=./DynamoDBLocal_lib", "-jar", "DynamoDBLocal.jar"]
    options = ["-inMemory", "-sharedDb", "-disableTelemetry", "-port", str(port)]
    process = subprocess.Popen(
        command + options, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    engine = Engine(f"http://127.0.0.1:{port}")
    try:
        _wait_for(port, process)
        yield engine
    finally:
        engine.hang_up()
        process.kill()
        process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise RuntimeError("DynamoDB Local does not answer")
