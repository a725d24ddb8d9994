"""`make drill`: three links are broken on the local cloud; alarms' metrics show it, the runbook's commands mend it.

In the end nothing is lost. What an alarm watches is read from the deployed alarm itself, and the commands from the
runbook's section of its name.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.e2e import files
from tests.e2e.cloud import ROOT, Cloud, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.cloud, pytest.mark.xdist_group("cloud")]

Say = Callable[[str], None]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    def printed(line: str) -> None:
        with capsys.disabled():
            print(f"\n  {line}", end="")

    return printed


class Operator:
    """The operator, who has the runbook, a terminal and the alarms."""

    def __init__(self, cloud: Cloud, say: Say) -> None:
        self._cloud = cloud
        self._say = say
        self._runbook = (ROOT / "docs" / "runbook.md").read_text()

    def command(self, objective: str, beginning: str) -> str:
        """The command of an objective's section that begins so."""
        section = re.split(r"^### ", self._runbook.partition(f"### {objective}\n")[2], flags=re.MULTILINE)[0]
        return next(one for one in re.findall(r"`(make [^`]+)`", section) if one.startswith(beginning))

    def run(self, command: str, code: int = 0) -> str:
        """What a command says."""
        done = self._cloud.operate(command)
        assert (done.returncode == 0) == (code == 0), done.stdout + done.stderr
        self._say(f"$ {command}\n    " + done.stdout.strip().replace("\n", "\n    "))
        return done.stdout

    def sees(self, objective: str, about: str = "") -> float:
        """What the metric of a deployed alarm stands at, once it is beyond the threshold."""
        alarms = self._cloud.aws("cloudwatch").get_paginator("describe_alarms").paginate()
        (alarm,) = (
            one
            for page in alarms
            for one in page["MetricAlarms"]
            if one["AlarmDescription"].endswith(f"#{objective.lower()}")
            and any(about in dimension["Value"] for dimension in one["Dimensions"])
        )
        value = wait_for(
            lambda: (found := self._metric(alarm)) > alarm["Threshold"] and found, 400, f"{objective} rings"
        )
        self._say(f"{objective}: {alarm['MetricName']} is {value:g}, the alarm rings above {alarm['Threshold']:g}")
        return value

    def _metric(self, alarm: dict[str, Any]) -> float:
        """Queues are asked; what the functions counted stands in their logs, in CloudWatch's embedded format."""
        if alarm["Namespace"] == "AWS/SQS":
            (queue,) = (one["Value"] for one in alarm["Dimensions"] if one["Name"] == "QueueName")
            sqs = self._cloud.aws("sqs")
            url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
            attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
            return float(attributes["Attributes"]["ApproximateNumberOfMessages"])
        values = re.findall(rf'"{alarm["MetricName"]}":\[([0-9.]+)\]', self._cloud.logged().replace(" ", ""))
        return sum(map(float, values))


@pytest.fixture
def operator(cloud: Cloud, say: Say) -> Operator:
    return Operator(cloud, say)


def follower(cloud: Cloud) -> tuple[str, str, str]:
    """Somebody who follows a plate: its number, the phone, a token."""
    number, phone = files.plate_number(), files.phone()
    token = cloud.token(f"ur-{secrets.token_hex(6)}", phone)
    body = {"plate": f"بغداد ز {number}", "relation": "self", "notify": True}
    assert cloud.request("POST", "/v1/vehicles", body, token=token).status == 201
    return number, phone, token


# ---------------------------------------------------------------- a right that is missing


@pytest.fixture
def hasty_sms(cloud: Cloud) -> Iterator[None]:
    """The SMS queue with two tries a second apart, so that what dies dies soon."""
    assert cloud.stack is not None
    sqs, url = cloud.aws("sqs"), cloud.stack["queues"]["SmsQueue"]
    names = ["VisibilityTimeout", "RedrivePolicy"]
    before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    policy = json.dumps({**json.loads(before["RedrivePolicy"]), "maxReceiveCount": 2})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "1", "RedrivePolicy": policy})
    yield
    sqs.set_queue_attributes(QueueUrl=url, Attributes=before)


def test_a_right_is_missing(cloud: Cloud, operator: Operator, hasty_sms: None, say: Say) -> None:
    number, phone, _ = follower(cloud)
    say("the sender of SMS may not read any more")
    with cloud.denied("notify.send_sms.handler", "dynamodb:GetItem"):
        cloud.upload(f"live/{number}-drill.csv", files.csv([files.row(number)]))
        operator.sees("DeadLetters", "SmsDeadLetters")
        assert cloud.sms(phone) == []
    say("the right is back")

    operator.run(operator.command("DeadLetters", "make replay QUEUE="))

    texts = wait_for(lambda: cloud.sms(phone), 90, "the SMS")
    assert len(texts) == 1
    assert number[-3:] in texts[0]
    say("the follower has the SMS, once")


# ---------------------------------------------------------------- a record that cannot be read


def test_a_record_is_poison(cloud: Cloud, operator: Operator, say: Say) -> None:
    assert cloud.stack is not None
    number, phone, _ = follower(cloud)
    item = {"pk": {"S": f"poison-{secrets.token_hex(4)}"}, "tell": {"S": "opened"}, "plate": {"S": "no plate"}}
    say("an item that nobody can read is in the table, and an ordinary violation comes after it")
    cloud.aws("dynamodb").put_item(TableName=cloud.stack["tables"]["Violations"], Item=item)
    cloud.upload(f"live/{number}-poison.csv", files.csv([files.row(number)]))

    operator.sees("RecordsLaidAside")
    assert len(wait_for(lambda: cloud.sms(phone), 60, "the SMS of the ordinary violation")) == 1
    say("it held up nobody: the follower of the other plate has the SMS")
    assert "FailedRecords: 1" in operator.run(operator.command("RecordsLaidAside", "make replay"))
    said = operator.run(operator.command("RecordsLaidAside", "make replay QUEUE="), code=1)
    assert "0 replayed, 1 left" in said
    say("it lies there with its body until what reads it is mended")


# ---------------------------------------------------------------- a gateway that is away


class SandboxAddress:
    """Where the functions look for the sandbox gateway."""

    HANDLERS = ("pay.api.handler", "pay.on_callback.handler", "pay.reconcile.handler")

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        functions = cloud.aws("lambda").list_functions()["Functions"]
        self._before = {
            one["FunctionName"]: one["Environment"]["Variables"] for one in functions if one["Handler"] in self.HANDLERS
        }

    def move(self, url: str) -> None:
        """Let them look elsewhere from now on."""
        for name, variables in self._before.items():
            changed = {"Variables": {**variables, "SANDBOX_GATEWAY_URL": url}}
            self._cloud.aws("lambda").update_function_configuration(FunctionName=name, Environment=changed)
        self._renew()

    def back(self) -> None:
        for name, variables in self._before.items():
            self._cloud.aws("lambda").update_function_configuration(
                FunctionName=name, Environment={"Variables": variables}
            )
        self._renew()

    def _renew(self) -> None:
        for handler in self.HANDLERS:
            for pid in self._cloud.function_processes(handler):
                os.kill(pid, signal.SIGKILL)


@pytest.mark.timeout(900)  # reconciliation runs every three minutes, and asks about nothing younger than two
def test_a_gateway_is_away(cloud: Cloud, operator: Operator, say: Say) -> None:
    number, _, token = follower(cloud)
    violation = files.row(number)
    version = cloud.upload(f"backlog/{number}.csv", files.csv([violation]))
    cloud.report(f"backlog/{number}.csv", version)

    def start(key: str) -> Any:
        body = {"violations": [violation["violation_no"]], "gateway": "sandbox", "return_url": f"{cloud.url}/"}
        return cloud.request("POST", "/v1/payments", body, token=token, headers={"idempotency-key": key})

    payment_id = start(secrets.token_hex(8)).body["payment_id"]
    address = SandboxAddress(cloud)
    say("a payment is begun, and then the gateway is away; the citizen had its page open and pays")
    address.move("http://127.0.0.1:9")
    try:
        assert cloud.request("POST", f"/_local/gateway/{payment_id}/pay").status == 200
        operator.sees("PaymentsPending")
        assert cloud.request("GET", f"/v1/payments/{payment_id}", token=token).body["status"] == "pending"
        operator.run(operator.command("PaymentsPending", "make pause"))
        assert start(secrets.token_hex(8)).body["code"] == "payments_paused"
        say("no payment is begun; the one under way is neither lost nor called failed")
    finally:
        address.back()
    operator.run(operator.command("PaymentsPending", "make resume"))

    def is_paid() -> Any:
        answer = cloud.request("GET", f"/v1/payments/{payment_id}", token=token).body
        return answer if answer["status"] == "paid" else None

    paid = wait_for(is_paid, 280, "reconciliation concludes the payment")
    assert cloud.request("GET", f"/v1/receipts/{paid['receipt_no']}").body["amount"] == 50_000
    operator.run(f"make payment-trail ID={payment_id}")
    say("paid, with its receipt")
