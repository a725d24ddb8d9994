"""The functions in this process: their environment, their tables in the emulator, fakes for what stands outside."""

from __future__ import annotations

import base64
import importlib
import io
import itertools
import json
import secrets
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import boto3
import pytest

from pay.gateways import OrderStatus
from pay.payments.settle import PaymentStores
from shared.access.accesses import Accesses
from shared.access.grant import Access
from shared.aws_json import Call, Json
from shared.domain.violation import Violation
from shared.observability import logger
from shared.plate_crypto import PlateCrypto
from shared.stores.files import Files
from shared.stores.messaging.messages import Messages
from shared.stores.paying.payments import Payments
from shared.stores.paying.returns import Returns
from shared.stores.paying.settlements import Settlements
from shared.stores.paying.wants import Wants
from shared.stores.people.citizens import Citizens
from shared.stores.people.look_ups import LookUps
from shared.stores.registry import Registry
from shared.stores.violation_rows import Row
from shared.stores.violations import Violations
from tests.support import lambda_events as events
from tests.support.aws import Engine, Tables
from tests.support.build import OTHER_PLATE, PHONE, PLATE, SUB, row
from tests.support.description import require_described
from tests.support.fakes import Clock, FakeGateway, Phones, callback_body

_OURS = ("query", "stats", "notify", "pay", "remit", "shared")
_NOTIFYING = tuple(
    f"notify.{name}"
    for name in ("links.lapse", "links.on_registry", "on_delivery", "on_violation", "remind", "send_sms", "sweep")
)
_NAMES = itertools.count(1)
PERSONAL = (PLATE.number, OTHER_PLATE.number, PLATE.key, PHONE[4:], "Name-In-The-Token")
"""What no log may hold."""


class _Output(io.TextIOBase):
    """Where pytest listens just now: it opens anew for each phase of a test, and a logger lives through all of them."""

    def write(self, text: str) -> int:
        return sys.stdout.write(text)

    def flush(self) -> None:
        sys.stdout.flush()


class _PerThread:
    """The port for tests that call a function from several threads at once, as Lambda never does."""

    def __init__(self, make: Callable[[], Call]) -> None:
        self._make = make
        self._own = threading.local()

    def __call__(self, service: str, operation: str, request: Json) -> Json:
        if not hasattr(self._own, "call"):
            self._own.call = self._make()
        answer: Json = self._own.call(service, operation, request)
        return answer


class Reply(NamedTuple):
    """An answer of the API, its body read."""

    status: int
    body: Any
    headers: dict[str, str]

    @property
    def errors(self) -> list[tuple[str, str]]:
        return [(error["field"], error["code"]) for error in self.body["errors"]]


class Functions:
    """All functions over one set of tables. ``stores`` of its own to set the scene and to look."""

    def __init__(self, engine: Engine, tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
        self.tables = tables
        self.clock = Clock()
        self.phones = Phones()
        self.gateway = FakeGateway()
        call = engine.fast()
        self.violations = Violations(call, tables["Violations"])
        self.citizens = Citizens(call, tables["Citizens"])
        self.look_ups = LookUps(call, tables["Citizens"])
        self.messages = Messages(call, tables["Messages"])
        self.payments = Payments(call, tables["Payments"])
        self.returns = Returns(call, tables["Payments"])
        self.wants = Wants(call, tables["Payments"])
        self._fast = engine.fast
        self._clients: list[Any] = []
        self.files = Files(call, tables["Files"])
        self._set_environment(engine, monkeypatch)
        self._set_outside(monkeypatch)
        forget()
        logger().registered_handler.setStream(_Output())

    def _set_environment(self, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in engine.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", engine.session)
        monkeypatch.setattr(boto3, "client", self._client)
        self.sqs = engine.sqs
        name = f"test-{next(_NAMES)}-{secrets.token_hex(4)}"
        self.queue: str = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        self.erasures: str = self.sqs.create_queue(QueueName=f"{name}-erasures")["QueueUrl"]
        self.failed_records = f"{name}-failed-records"  # made by the tests that need it
        secret = json.dumps({"api_key": "merchant", "callback_key": secrets.token_hex(16)})
        engine.fast()("secretsmanager", "CreateSecret", {"Name": name, "SecretString": secret})
        plate_key, key = f"{name}-plate-key", secrets.token_hex(32)
        engine.fast()("secretsmanager", "CreateSecret", {"Name": plate_key, "SecretString": key})
        self.crypto = PlateCrypto(key.encode())
        self.registry = Registry(engine.fast(), self.tables["Registry"], self.crypto)
        variables = {
            "POWERTOOLS_SERVICE_NAME": name,  # a logger of each test's own
            "POWERTOOLS_METRICS_NAMESPACE": "Gharama",
            "VIOLATIONS_TABLE": self.tables["Violations"],
            "CITIZENS_TABLE": self.tables["Citizens"],
            "MESSAGES_TABLE": self.tables["Messages"],
            "PAYMENTS_TABLE": self.tables["Payments"],
            "SETTLEMENTS_TABLE": self.tables["Settlements"],
            "FILES_TABLE": self.tables["Files"],
            "REGISTRY_TABLE": self.tables["Registry"],
            "PLATE_KEY_SECRET": plate_key,
            "PROOF_QUEUE_URL": self.queue,
            "EDGE_SECRET": "",
            "PROOF": "optional",
            "QUERIES_A_DAY": "50",
            "PLATES_A_DAY": "10",
            "LINKS_A_DAY": "5",
            "MAX_VEHICLES": "10",
            "MAX_FOLLOWERS": "50",
            "PROOFS_A_DAY": "10",
            "UNPROVEN_DAYS": "180",
            "SMS_QUEUE_URL": self.queue,
            "ERASURE_QUEUE_URL": self.erasures,
            "FAILED_RECORDS_BUCKET": self.failed_records,
            "ASKS_A_MINUTE": "60",
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "SMS_SENDER_ID": "Gharama",
            "QUIET_HOURS": "off",
            "SMS_CITIZEN_DAY_CAP": "10",
            "SMS_SPEND_DAY_CAP": "500",
            "SMS_OTHER_SHARE": "40",
            "SMS_PART_PRICE": "0.05",
            "SMS_FIRST_PROVIDER": "sns",
            "UR_SMS_URL": "",
            "UR_SMS_SECRET": name,
            "REMIND_DAYS": "7,1",
            "PUBLIC_URL": "https://api.example",
            "RETURN_ORIGINS": "https://tf.ur.gov.iq,http://127.0.0.1:8080",
            "GATEWAYS": "sandbox",
            "MAX_LIVE_PAYMENTS": "3",
            "HELD_PRICE_HOURS": "24",
            "STARTS_A_DAY": "10",
            "SANDBOX_GATEWAY_URL": "http://127.0.0.1:9",
            "SANDBOX_GATEWAY_SECRET": name,
            "QICARD_URL": "",
            "QICARD_SECRET": name,
            "ZAINCASH_URL": "",
            "ZAINCASH_SECRET": name,
            "FIB_URL": "",
            "FIB_SECRET": name,
        }
        for variable, value in variables.items():
            monkeypatch.setenv(variable, value)

    def _client(self, *arguments: Any, **named: Any) -> Any:
        """A client as boto3 makes it, that is closed when the test is over."""
        self._clients.append(boto3.DEFAULT_SESSION.client(*arguments, **named))
        return self._clients[-1]

    def _set_outside(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for module in (
            "query.ports",
            "pay.ports",
            "pay.gateways.sandbox",
            "notify.providers.sns",
            "shared.clock",
            "query.mine.made",
            *_NOTIFYING,
        ):
            importlib.import_module(module)
        monkeypatch.setattr("shared.clock.datetime", self.clock)
        for module in ("query.ports", "query.mine.made", *_NOTIFYING):
            monkeypatch.setattr(f"{module}.FastClient", self._fast)
        monkeypatch.setattr("notify.providers.sns.Sns", lambda sender_id: self.phones)
        monkeypatch.setattr("pay.ports.FastClient", lambda: _PerThread(self._fast))
        monkeypatch.setattr("pay.gateways.sandbox.Sandbox", self.gateway.opened)

    # ------------------------------------------------------------------ API

    def call(self, module: str, route: str, **request: Any) -> Reply:
        """Call a function of the API. request: as :func:`tests.support.lambda_events.http` takes it."""
        reply = importlib.import_module(module).handler(events.http(route, **request), events.context())
        assert reply["headers"]["cache-control"] == "no-store"
        require_described(route, reply)
        return Reply(reply["statusCode"], json.loads(reply.get("body", "null")), reply["headers"])

    def ask(self, body: object = None, **request: Any) -> Reply:
        return self.call("query.api", "POST /v1/queries", body=body, **request)

    def read_on(self, query_id: str, **request: Any) -> Reply:
        return self.call("query.api", "GET /v1/queries/{query_id}", path={"query_id": query_id}, **request)

    def link(self, body: object, **request: Any) -> Reply:
        return self.call("query.api", "POST /v1/vehicles", body=body, **request)

    def pay(self, body: object, key: str | None = "key-00000001", **request: Any) -> Reply:
        headers = {"idempotency-key": key} if key is not None else {}
        return self.call("pay.api", "POST /v1/payments", body=body, headers=headers, **request)

    def payment(self, payment_id: str, **request: Any) -> Reply:
        return self.call("pay.api", "GET /v1/payments/{payment_id}", path={"payment_id": payment_id}, **request)

    def cancel(self, payment_id: str, **request: Any) -> Reply:
        return self.call("pay.api", "POST /v1/payments/{payment_id}/cancel", path={"payment_id": payment_id}, **request)

    def list_payments(self, **request: Any) -> Reply:
        return self.call("pay.api", "GET /v1/payments", **request)

    def receipt(self, receipt_no: str) -> Reply:
        return self.call("pay.api", "GET /v1/receipts/{receipt_no}", path={"receipt_no": receipt_no})

    def callback(
        self,
        payment_id: object,
        *,
        status: str = OrderStatus.PAID,
        body: bytes | None = None,
        gateway: str = "sandbox",
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """What the gateway posts, signed now unless headers are given; base64 as API Gateway hands binary bodies on."""
        body = callback_body(payment_id, status) if body is None else body
        if headers is None:
            headers = {"x-sandbox-signature": self.gateway.signed(body, self.clock.at)}
        return self.call(
            "pay.on_callback",
            "POST /v1/callbacks/{gateway}",
            path={"gateway": gateway},
            headers=headers,
            raw=base64.b64encode(body).decode(),
            base64=True,
        )

    def access(self, plate_key: str = PLATE.key, sub: str = SUB, *, needs_proof: bool = False) -> Access:
        """What a citizen is to a plate now."""
        tables = self.tables["Citizens"], self.tables["Registry"]
        accesses = Accesses(self._fast(), *tables, self.crypto, needs_proof=needs_proof)
        return accesses.access(sub, plate_key, self.clock.at).access

    @property
    def stores(self) -> PaymentStores:
        """The tables that a payment ends in."""
        ledger = Settlements(self._fast(), self.tables["Settlements"])
        return PaymentStores(self.violations, self.payments, self.messages, ledger, self.returns, self.wants)

    def poll_gateways(self) -> None:
        run("pay.poll_gateways", events.schedule())

    def export(self, limit: int = 100, **request: Any) -> list[Json]:
        """All that is kept of a citizen, page by page."""
        found: list[Json] = []
        cursor = ""
        while True:
            query = {"limit": str(limit), **({"cursor": cursor} if cursor else {})}
            page = self.call("query.mine.api", "GET /v1/me/export", query=query, **request).body
            found += page["items"]
            cursor = page["next_cursor"]
            if not cursor:
                return found

    def erase(self, **request: Any) -> Reply:
        return self.call("query.mine.api", "DELETE /v1/me", **request)

    def go_on_erasing(self, sub: str) -> None:
        """Give an erasure to its function as often as it comes again, each time when it is due."""
        for _ in range(4):
            self.clock.forward(minutes=2)
            answer = run("query.mine.on_erasure", events.records([events.queued(json.dumps({"sub": sub}))]))
            assert answer == {"batchItemFailures": []}

    # ------------------------------------------------------------------ streams and queues

    def ingest(self, *rows: Row) -> list[Json]:
        """Bring rows into the table; returns the stream's records of that."""
        return self._records(lambda: self.violations.write(rows), [row.violation.violation_no for row in rows])

    def let_go(self, *rows: Row) -> list[Json]:
        """Let the news go that rows of one file hold back; returns the stream's records of that."""
        numbers = [row.violation.violation_no for row in rows]
        return self._records(lambda: self.violations.let_go(numbers, rows[0].ref.partition("#")[0]), numbers)

    def _records(self, write: Callable[[], object], changed: Iterable[str]) -> list[Json]:
        before = {item["pk"]["S"]: item for item in self.tables.items("Violations")}
        write()
        after = {item["pk"]["S"]: item for item in self.tables.items("Violations")}
        return [events.change(before.get(number), after[number]) for number in changed if "tell" in after[number]]

    def opened(self, *subjects: Violation) -> list[Json]:
        """Bring new violations of a live file into the table; returns the stream's records of that."""
        return self.ingest(*map(row, subjects))

    def announce(self, records: Iterable[Json]) -> list[str]:
        """Give a batch to ``on_violation``; returns the sequence numbers that it reports."""
        answer = run("notify.on_violation", events.records(records))
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def send_due(self) -> None:
        """The minute's sweep, and then the sender for all that it queued."""
        run("notify.sweep", events.schedule())
        for body in self.received():
            self.send(body)

    def received(self) -> list[str]:
        """Take everything from the queue."""
        bodies: list[str] = []
        while messages := self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages"):
            for each in messages:
                bodies.append(each["Body"])
                self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=each["ReceiptHandle"])
        return bodies

    def send(self, body: str) -> bool:
        """Give one message of the queue to the sender; returns whether it comes back."""
        record = events.queued(body)
        answer = run("notify.send_sms", events.records([record]))
        assert answer["batchItemFailures"] in ([], [{"itemIdentifier": record["messageId"]}])
        return bool(answer["batchItemFailures"])

    def statuses(self) -> list[str]:
        """The statuses of all messages, sorted."""
        return sorted(item["status"]["S"] for item in self.tables.items("Messages") if "status" in item)

    def reasons(self) -> list[str]:
        """Why messages were not sent."""
        return [item["reason"]["S"] for item in self.tables.items("Messages") if "reason" in item]

    def close(self) -> None:
        for client in self._clients:
            client.close()
        self.sqs.delete_queue(QueueUrl=self.queue)
        self.sqs.delete_queue(QueueUrl=self.erasures)
        forget()


def run(module: str, event: Json) -> Any:
    """Invoke a function."""
    return importlib.import_module(module).handler(event, events.context())


def forget() -> None:
    """Let every function start cold: what it made and kept for the next invocation is gone."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in _OURS:
            for value in vars(module).values():
                if hasattr(value, "cache_clear") and value.__module__ == name:
                    value.cache_clear()
