"""SNS's delivery logs become the status of messages. The lines are as SNS writes them, phone numbers and all."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pytest

from notify.on_delivery import read
from shared.aws_json import Json
from shared.domain.message import MessageStatus
from tests.support.build import PHONE, follow, row, violation
from tests.support.functions import Functions, run


def line(reference: str, **changes: Any) -> Json:
    """A line of the log of what arrived. https://docs.aws.amazon.com/sns/latest/dg/sms_stats_cloudwatch.html"""
    entry = {
        "notification": {"messageId": reference, "timestamp": "2026-11-20 09:00:01.217"},
        "delivery": {
            "phoneCarrier": "Zain Iraq",
            "mnc": 20,
            "numberOfMessageParts": 2,
            "destination": PHONE,
            "priceInUSD": 0.1,
            "smsType": "Transactional",
            "mcc": 418,
            "providerResponse": "Message has been accepted by phone carrier",
            "dwellTimeMs": 599,
            "dwellTimeMsUntilDeviceAck": 1344,
        },
        "status": "SUCCESS",
    }
    entry["delivery"] |= changes.pop("delivery", {})  # type: ignore[operator]
    return {"id": "38", "timestamp": 1795161600000, "message": json.dumps({**entry, **changes})}


def failed(reference: str, said: str) -> Json:
    return line(reference, status="FAILURE", delivery={"providerResponse": said})


def logged(*lines: Json, kind: str = "DATA_MESSAGE") -> Json:
    """The event of a subscription to the log."""
    payload = {
        "messageType": kind,
        "owner": "000000000000",
        "logGroup": "sns/me-south-1/000000000000/DirectPublishToPhoneNumber",
        "logStream": "1",
        "subscriptionFilters": ["delivered"],
        "logEvents": list(lines),
    }
    return {"awslogs": {"data": base64.b64encode(gzip.compress(json.dumps(payload).encode())).decode()}}


@pytest.fixture
def reference(functions: Functions) -> str:
    """SNS's id of an SMS that it took."""
    follow(functions.citizens)
    functions.announce(functions.ingest(row(violation())))
    functions.send_due()
    return "sns-1"


def report(*lines: Json) -> None:
    run("notify.on_delivery", logged(*lines))


def test_one_that_arrived(functions: Functions, reference: str) -> None:
    report(line(reference))
    assert functions.statuses() == [MessageStatus.DELIVERED]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("Blocked as spam by phone carrier", "blocked_as_spam"),
        ("Destination is on a blocked list", "blocked_number"),
        ("Invalid phone number", "invalid_number"),
        ("Message body is invalid", "invalid_text"),
        ("No quota left for account", "spend_limit"),
        ("Phone carrier has blocked this message", "blocked_by_carrier"),
        ("Phone carrier is currently unreachable/unavailable", "carrier_unreachable"),
        ("Phone has blocked SMS", "blocked_by_phone"),
        ("Phone is on a blocked list", "blocked_number"),
        ("Phone is currently unreachable/unavailable", "phone_unreachable"),
        ("Phone number is opted out", "opted_out"),
        ("Rate exceeded.", "throttled"),
        ("This delivery would exceed max price", "max_price"),
        ("Unknown error attempting to reach phone", "unknown"),
        ("Whatever SNS says next year", "unknown"),
    ],
)
def test_each_reason_why_one_did_not(said: str, reason: str) -> None:
    assert read(failed("sns-1", said)["message"]) == ("sns-1", MessageStatus.UNDELIVERED, reason, 100_000)


def test_one_that_did_not_arrive(functions: Functions, reference: str) -> None:
    report(failed(reference, "Phone number is opted out"))
    assert functions.statuses() == [MessageStatus.UNDELIVERED]
    assert functions.reasons() == ["opted_out"]


def test_what_is_final_stays(functions: Functions, reference: str) -> None:
    report(line(reference))
    report(failed(reference, "Phone has blocked SMS"), line(reference))
    assert functions.statuses() == [MessageStatus.DELIVERED]


@pytest.mark.parametrize(
    "bad",
    [
        {"message": "not json"},
        {"message": "[]"},
        {"message": "{}"},
        {"message": json.dumps({"notification": {"messageId": "sns-1"}, "status": "PERHAPS"})},
        {"message": json.dumps({"notification": {"messageId": "sns-1"}, "status": "FAILURE"})},
    ],
)
def test_a_line_that_cannot_be_read_holds_up_no_other(functions: Functions, reference: str, bad: Json) -> None:
    report(bad, line(reference))
    assert functions.statuses() == [MessageStatus.DELIVERED]


def test_one_that_nobody_knows_and_lambdas_own_test_message_change_nothing(
    functions: Functions, reference: str
) -> None:
    report(line("sns-of-another-stack"))
    run("notify.on_delivery", logged(line(reference), kind="CONTROL_MESSAGE"))
    assert functions.statuses() == [MessageStatus.SENT]


def test_the_citizen_sees_it(functions: Functions, reference: str) -> None:
    report(line(reference))
    (item,) = functions.call("query.api", "GET /v1/messages").body["items"]
    assert item["status"] == MessageStatus.DELIVERED
