"""What happened after the instant of a restore does not happen twice: the lines of the log bring it back."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from click.testing import CliRunner

from infra.operator import __main__ as commands
from infra.operator.deployment import Deployment
from infra.operator.recovery.replaying import NOBODY
from pay.gateways import OrderStatus
from shared.domain.message import MessageStatus
from shared.domain.payment import PaymentStatus
from shared.stores.items import Item, item_key, pages
from shared.stores.kept_lines import KEPT
from tests.support.aws import Engine
from tests.support.build import PLATE, SUB, follow, store, violation
from tests.support.functions import Functions, run

SINCE = "2026-01-01T00:00:00"
Run = Callable[..., str]


class Stand(Deployment):
    """A stack of the functions' tables, with one log, whose items can be set back to what they were."""

    def __init__(self, engine: Engine, functions: Functions) -> None:
        super().__init__("stand", lambda _: self, clock=lambda: functions.clock.at)
        self.physical = {  # type: ignore[assignment]
            **{name: functions.tables[name] for name in ("Violations", "Payments", "Settlements", "Messages")},
            "OperatorActions": "actions",
            "PayPollGateways": "pay.poll_gateways",
            "PayApiLogs": "log",
        }
        self.call = engine.fast()  # type: ignore[assignment]
        self.events: list[str] = []

    def items(self, table: str) -> list[Item]:
        found = pages(self.call, "Scan", {"TableName": self.physical[table], "ConsistentRead": True})
        return [item for page in found for item in page["Items"]]

    def instant(self) -> dict[str, list[Item]]:
        return {name: self.items(name) for name in ("Violations", "Payments", "Settlements", "Messages")}

    def restore(self, instant: Mapping[str, list[Item]]) -> None:
        """As point-in-time recovery and copying back leave the tables."""
        for table, before in instant.items():
            for item in self.items(table):
                key = {name: item[name] for name in ("pk", "sk") if name in item}
                self.call("dynamodb", "DeleteItem", {"TableName": self.physical[table], "Key": key})
            for item in before:
                self.call("dynamodb", "PutItem", {"TableName": self.physical[table], "Item": item})

    # What is asked of STS, CloudWatch Logs and Lambda.

    def get_caller_identity(self) -> Mapping[str, str]:
        return {"Arn": "operator"}

    def create_log_stream(self, **_: str) -> None: ...

    def put_log_events(self, **_: Any) -> None: ...

    def get_paginator(self, name: str) -> Any:
        assert name == "filter_log_events"
        return self

    def paginate(self, *, filterPattern: str, **_: Any) -> Iterator[Any]:  # noqa: N803
        assert filterPattern == f'{{ $.{KEPT} = "*" }}'
        yield {"events": [{"message": event} for event in self.events]}

    def invoke(self, *, FunctionName: str, Payload: bytes) -> Mapping[str, Any]:  # noqa: N803
        return {"Payload": io.BytesIO(json.dumps(run(FunctionName, json.loads(Payload))).encode())}


@pytest.fixture
def stand(engine: Engine, functions: Functions) -> Stand:
    follow(functions.citizens)
    for key in (item_key(SUB, "PROFILE"), item_key(f"P#{PLATE.key}", SUB)):
        request = {"TableName": functions.tables["Citizens"], "Key": key, "UpdateExpression": "SET who = :who"}
        engine.fast()("dynamodb", "UpdateItem", request | {"ExpressionAttributeValues": {":who": {"S": "fingerprint"}}})
    return Stand(engine, functions)


@pytest.fixture
def cross_check(stand: Stand, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setattr(commands, "Deployment", lambda *_, **__: stand)

    def command(*words: str, code: int = 0) -> str:
        stand.events = [line for line in capsys.readouterr().out.splitlines() if f'"{KEPT}"' in line]
        result = CliRunner().invoke(commands.app, ["--stack", "stand", "check-books", *words])
        assert result.exit_code == code, result.output
        return result.output

    return command


def start(functions: Functions, stand: Stand) -> tuple[str, str, dict[str, list[Item]]]:
    """A payment that is made after an instant: its id, its violation's, and the tables at that instant."""
    fine = violation()
    store(functions.violations, fine)
    instant = stand.instant()
    body = {"violations": [fine.violation_no], "gateway": "sandbox", "return_url": "https://tf.ur.gov.iq/paid"}
    payment_id: str = functions.pay(body).body["payment_id"]
    return payment_id, fine.violation_no, instant


def test_money_of_a_forgotten_payment_comes_under_review_and_holds_its_violation(
    functions: Functions, stand: Stand, cross_check: Run
) -> None:
    payment_id, number, instant = start(functions, stand)
    functions.gateway.says(payment_id)
    functions.callback(payment_id)
    stand.restore(instant)
    assert functions.payments.get(payment_id) is None
    said = cross_check("--since", SINCE, "--apply")
    assert f"payment {payment_id}: review" in said
    assert "nothing contradicts" in said
    back = functions.payments.get(payment_id)
    assert back
    assert (back.status, back.sub, back.received) == (PaymentStatus.REVIEW, NOBODY, back.amount)
    assert functions.violations.get([number])[number].held_by == payment_id


@pytest.mark.parametrize(
    ("says", "status"),
    [(None, PaymentStatus.EXPIRED), (OrderStatus.REFUNDED, PaymentStatus.REFUNDED)],
)
def test_a_forgotten_payment_without_money_holds_nothing(
    functions: Functions, stand: Stand, cross_check: Run, says: OrderStatus | None, status: PaymentStatus
) -> None:
    payment_id, number, instant = start(functions, stand)
    if says:
        functions.gateway.says(payment_id, says)
    stand.restore(instant)
    assert f"payment {payment_id}: {status}" in cross_check("--since", SINCE, "--apply")
    assert functions.violations.get([number])[number].held_by is None


def test_nothing_is_done_that_is_not_to_be(functions: Functions, stand: Stand, cross_check: Run) -> None:
    payment_id, _, instant = start(functions, stand)
    stand.restore(instant)
    assert "1 payments and 0 claimed" in cross_check("--since", SINCE)
    assert functions.payments.get(payment_id) is None


def test_what_was_sent_after_the_instant_is_not_sent_again(
    functions: Functions, stand: Stand, cross_check: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    new = violation()
    news = functions.opened(new)
    without_message = stand.instant()
    functions.announce(news)
    with_message = stand.instant()
    functions.send_due()
    assert len(functions.phones.sent) == 1
    kept: list[str] = []
    for instant in (with_message, without_message):
        stand.restore(instant)
        kept = kept or [line for line in capsys.readouterr().out.splitlines() if f'"{KEPT}"' in line]
        print("\n".join(kept))  # as the log still holds them
        assert "1 messages unknown" in cross_check("--since", SINCE, "--apply")
        functions.announce(news)
        functions.send_due()
        assert functions.statuses() == [MessageStatus.UNKNOWN]
        assert len(functions.phones.sent) == 1


def test_a_message_that_waits_for_its_next_try_is_left_alone(
    functions: Functions, stand: Stand, cross_check: Run
) -> None:
    functions.announce(functions.opened(violation()))
    functions.send_due()
    assert "1 messages known" in cross_check("--since", SINCE, "--apply")
    assert functions.statuses() == [MessageStatus.SENT]
