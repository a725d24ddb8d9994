"""`make drill`: three links are broken on the local cloud; alarms ring, the runbook's commands mend it.

In the end nothing is lost. It prints what was broken, what the alarm said, the commands, and what was seen after.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from tests.e2e import files
from tests.e2e.operating import Operator
from tests.support.cloud import Cloud, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.cloud, pytest.mark.xdist_group("cloud")]


@pytest.fixture
def operator(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> Operator:
    def say(line: str) -> None:
        with capsys.disabled():
            print(line)

    say("")
    return Operator(cloud, say)


class Follower(NamedTuple):
    """Somebody who follows a plate."""

    plate_number: str
    sub: str
    phone: str
    token: str

    @classmethod
    def of(cls, cloud: Cloud, plate_number: str) -> Follower:
        sub, phone = f"ur-{secrets.token_hex(6)}", files.phone()
        token = cloud.token(sub, phone)
        body = {"plate": f"بغداد ز {plate_number}", "relation": "self", "notify": True}
        assert cloud.request("POST", "/v1/vehicles", body, token=token).status == 201
        return cls(plate_number, sub, phone, token)

    def hears(self, cloud: Cloud) -> None:
        """Has an SMS about the plate, or will."""
        wait_for(lambda: cloud.sms(self.phone), 90, "the SMS")
        self.has_one_sms(cloud)

    def has_one_sms(self, cloud: Cloud) -> None:
        (text,) = cloud.sms(self.phone)
        assert self.plate_number[-3:] in text


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


def test_a_right_is_missing(cloud: Cloud, operator: Operator, hasty_sms: None) -> None:
    follower = Follower.of(cloud, files.plate_number())
    operator.tells("Broken", "who sends SMS may not read any more (dynamodb:GetItem is denied); a live file comes")
    with cloud.denied("notify.send_sms.handler", "dynamodb:GetItem"):
        cloud.upload(f"live/{follower.plate_number}-drill.csv", files.csv([files.row(follower.plate_number)]))
        operator.is_called("DeadLetters", "SmsDeadLetters")
        operator.follows("DeadLetters", "make replay")
        assert cloud.sms(follower.phone) == []
    operator.tells("Mended", "the right is back")

    operator.follows("DeadLetters", "make replay QUEUE=SmsDeadLetters")

    follower.hears(cloud)
    operator.is_not_called_any_more("DeadLetters", "SmsDeadLetters")
    operator.finds_nothing_left()
    follower.has_one_sms(cloud)
    operator.tells("Seen", "the follower has the SMS, once")


# ---------------------------------------------------------------- a record that cannot be read


def test_a_record_is_poison(cloud: Cloud, operator: Operator) -> None:
    assert cloud.stack is not None
    first, second = files.plate_number(), files.plate_number()
    followers, other = [Follower.of(cloud, first) for _ in range(2)], Follower.of(cloud, second)
    table, plate_key = cloud.stack["tables"]["Citizens"], f"DE#11#ز#{first}"
    dynamodb = cloud.aws("dynamodb")
    key = {"pk": {"S": f"P#{plate_key}"}, "sk": {"S": followers[0].sub}}
    item = dynamodb.get_item(TableName=table, Key=key)["Item"]
    operator.tells(
        "Broken", "the item of a plate's follower cannot be read; a live file is about this plate and another"
    )
    dynamodb.put_item(TableName=table, Item={**item, "notify": {"S": "?"}})
    cloud.upload(f"live/{first}-poison.csv", files.csv([files.row(first), files.row(second)]))

    operator.is_called("RecordsLaidAside")
    other.hears(cloud)
    operator.tells("Seen", "it held up nobody: the follower of the other plate has the SMS")
    assert "FailedRecords: 1" in operator.follows("RecordsLaidAside", "make replay")
    dynamodb.put_item(TableName=table, Item=item)
    operator.tells("Mended", "the item is as it was")

    operator.follows("RecordsLaidAside", "make replay QUEUE=FailedRecords")

    for follower in followers:
        follower.hears(cloud)
    operator.is_not_called_any_more("RecordsLaidAside")
    operator.finds_nothing_left()
    for follower in (*followers, other):
        follower.has_one_sms(cloud)
    operator.tells("Seen", "all followers of the plate have the SMS, once each")


# ---------------------------------------------------------------- a gateway that is away


class SandboxAddress:
    """Where the functions look for the sandbox gateway."""

    HANDLERS = ("pay.api.handler", "pay.on_callback.handler", "pay.poll_gateways.handler")

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        functions = cloud.aws("lambda").list_functions()["Functions"]
        self._before = {
            one["FunctionName"]: one["Environment"]["Variables"] for one in functions if one["Handler"] in self.HANDLERS
        }

    def move(self, url: str) -> None:
        """Let them look elsewhere from now on."""
        self._set(SANDBOX_GATEWAY_URL=url)

    def back(self) -> None:
        self._set()

    def _set(self, **changes: str) -> None:
        for name, variables in self._before.items():
            environment = {"Variables": {**variables, **changes}}
            self._cloud.aws("lambda").update_function_configuration(FunctionName=name, Environment=environment)
        for handler in self.HANDLERS:
            for pid in self._cloud.function_processes(handler):
                os.kill(pid, signal.SIGKILL)


def test_a_gateway_is_away(cloud: Cloud, operator: Operator) -> None:
    follower = Follower.of(cloud, files.plate_number())
    violation = files.row(follower.plate_number)
    key = f"backlog/{follower.plate_number}.csv"
    cloud.report(key, cloud.upload(key, files.csv([violation])))

    def start() -> Any:
        body = {"violations": [violation["violation_no"]], "gateway": "sandbox", "return_url": f"{cloud.url}/"}
        headers = {"idempotency-key": secrets.token_hex(8)}
        return cloud.request("POST", "/v1/payments", body, token=follower.token, headers=headers)

    def payment() -> Any:
        return cloud.request("GET", f"/v1/payments/{payment_id}", token=follower.token).body

    def poll_gateways() -> None:
        cloud.invoke("pay.poll_gateways.handler")

    payment_id = start().body["payment_id"]
    cloud.backdate(payment_id, 5)  # a younger one is left to its callback
    address = SandboxAddress(cloud)
    operator.tells("Broken", "the gateway is away; a citizen had its page open and pays; the callback is in vain")
    address.move("http://127.0.0.1:9")
    try:
        assert cloud.request("POST", f"/_local/gateway/{payment_id}/pay").status == 200
        operator.is_called("PaymentsPending", meanwhile=poll_gateways)
        assert payment()["status"] == "pending"
        operator.follows("PaymentsPending", "make pause")
        assert start().body["code"] == "payments_paused"
        operator.tells("Seen", "no payment is begun; the one under way is neither lost nor called failed")
    finally:
        address.back()
    operator.tells("Mended", "the gateway is back")

    operator.follows("PaymentsPending", "make resume")

    poll_gateways()
    paid = payment()
    assert paid["status"] == "paid"
    assert cloud.request("GET", f"/v1/receipts/{paid['receipt_no']}").body["amount"] == 50_000
    operator.is_not_called_any_more("PaymentsPending")
    operator.run(f"make payment-trail ID={payment_id}")
    operator.finds_nothing_left()
    operator.tells("Seen", "paid, with its receipt")
