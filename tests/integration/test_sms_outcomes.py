"""Whatever is wrong with a message or happens to it has its status, its reason and its metric."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from notify.delivery import MAX_ATTEMPTS
from notify.providers import PermanentError, TemporaryError, UnknownOutcomeError
from shared.aws_json import Json
from shared.domain.message import Message, MessageKind, MessageStatus
from shared.stores.messaging.messages import CLAIMED_FOR
from tests.support.aws import Engine
from tests.support.build import CAPS, OTHER_PHONE, OTHER_PLATE, PHONE, PLATE, SUB, follow, reservation
from tests.support.fault_server import FaultServer, says
from tests.support.functions import Functions, forget
from tests.support.metrics import counted

WITH_TEXT = Message(
    "m", SUB, MessageKind.REFUND, "2026-11-20T12:00:00+03:00", phone=PHONE, language="en", text="refund"
)
NEWS = WITH_TEXT._replace(kind="new_violation", phone=None, text=None, plate_key=PLATE.key, violations=("V-none",))


def put(functions: Functions, *messages: Message) -> None:
    follow(functions.citizens)
    for message in messages:
        functions.messages.put(message, functions.clock.at)


def metrics(capsys: pytest.CaptureFixture[str]) -> Counter[str]:
    """How much was counted since the last time."""
    return Counter({name: sum(values) for name, values in counted(capsys.readouterr().out).items()})


def change(functions: Functions, engine: Engine, table: str, pk: str, **attributes: Json | None) -> None:
    """Change an item behind the store's back; None takes an attribute away."""
    (item,) = [
        each
        for each in functions.tables.items(table)
        if each["pk"]["S"] == pk and each.get("sk", {"S": "PROFILE"})["S"] == "PROFILE"
    ]
    item = {name: value for name, value in {**item, **attributes}.items() if value is not None}
    engine.fast()("dynamodb", "PutItem", {"TableName": functions.tables[table], "Item": item})


@pytest.mark.parametrize(
    ("message", "status", "reason", "metric"),
    [
        (WITH_TEXT._replace(text="غ" * 135), MessageStatus.FAILED, "too_long", "SmsFailed"),
        (WITH_TEXT._replace(phone=OTHER_PHONE), MessageStatus.DROPPED, "phone_changed", "SmsDropped"),
        (NEWS._replace(kind="whispered"), MessageStatus.FAILED, "unknown_kind", "SmsFailed"),
        (NEWS._replace(plate_key=None), MessageStatus.FAILED, "no_plate", "SmsFailed"),
        (NEWS._replace(plate_key=OTHER_PLATE.key), MessageStatus.DROPPED, "not_followed", "SmsDropped"),
        (NEWS, MessageStatus.DROPPED, "no_longer_true", "SmsDropped"),
        (NEWS._replace(sub="nobody"), MessageStatus.DROPPED, "sms_off", "SmsDropped"),
    ],
)
def test_a_message_that_cannot_go_out(
    functions: Functions,
    capsys: pytest.CaptureFixture[str],
    message: Message,
    status: str,
    reason: str,
    metric: str,
) -> None:
    put(functions, message)
    functions.send_due()
    assert functions.statuses() == [status]
    assert functions.reasons() == [reason]
    assert metrics(capsys)[metric] == 1
    assert functions.phones.sent == []


@pytest.mark.parametrize(
    "later",
    [
        {"kind": {"L": []}},
        {"attempts": {"S": "a few"}},
        {"language": None},
        {"violations": {"L": [{"N": "1"}]}, "text": None},
    ],
)
def test_an_item_of_another_version_ends_and_does_not_come_by_for_ever(
    functions: Functions, engine: Engine, later: dict[str, Json | None]
) -> None:
    put(functions, WITH_TEXT)
    change(functions, engine, "Messages", "m", **later)
    assert not functions.send('{"message_id": "m"}')
    assert functions.statuses() == [MessageStatus.FAILED]
    assert functions.reasons() == ["unreadable"]


@pytest.mark.parametrize("phone", ["+96477192837", "+9647192837461", "+971501234567", "+9641234567890", "phone", ""])
def test_a_phone_that_is_no_iraqi_mobile(functions: Functions, engine: Engine, phone: str) -> None:
    put(functions, WITH_TEXT._replace(phone=phone))
    change(functions, engine, "Citizens", SUB, phone={"S": phone})
    functions.send_due()
    assert functions.reasons() == ["invalid_phone"]
    assert functions.statuses() == [MessageStatus.FAILED]


def test_sms_off_on_the_portal_is_at_once_effective(functions: Functions) -> None:
    put(functions, WITH_TEXT)
    assert functions.call("query.api", "PATCH /v1/me", body={"sms": False}).status == 200
    functions.send_due()
    assert functions.phones.sent == []
    assert functions.reasons() == ["sms_off"]


def test_a_name_with_hidden_marks_reaches_no_sms(functions: Functions) -> None:
    """No name does: a text holds the end of a plate, amounts, dates and numbers of our own."""
    functions.ask({"plate": f"11 ز {PLATE.number}"}, claims={"name": "\u202eeman\u2066\u200f"})
    functions.send_due()
    (text,) = functions.phones.texts
    assert not {"\u202e", "\u2066", "\u200f"} & set(text)
    assert "eman" not in text


@pytest.mark.parametrize(
    ("error", "status", "metric"),
    [
        (None, MessageStatus.SENT, "SmsSent"),
        (TemporaryError("throttled"), MessageStatus.WAITING, "SmsRetrying"),
        (TemporaryError("sandbox"), MessageStatus.WAITING, "SmsRetrying"),
        (TemporaryError("spend_limit"), MessageStatus.WAITING, "SmsRetrying"),
        (PermanentError("opted_out"), MessageStatus.FAILED, "SmsFailed"),
        (UnknownOutcomeError("timed_out"), MessageStatus.UNKNOWN, "SmsUnknown"),
    ],
)
def test_what_a_provider_says(
    functions: Functions, capsys: pytest.CaptureFixture[str], error: Exception | None, status: str, metric: str
) -> None:
    put(functions, WITH_TEXT)
    functions.phones.outcomes.append(error)
    functions.send_due()
    assert functions.statuses() == [status]
    told = metrics(capsys)
    assert told[metric] == 1
    went_out = status in (MessageStatus.SENT, MessageStatus.UNKNOWN)
    assert (told["SmsParts"], told["SmsCost"]) == ((1, 0.05) if went_out else (0, 0))


def test_hours_of_temporary_errors_end_with_an_alarm(functions: Functions, capsys: pytest.CaptureFixture[str]) -> None:
    put(functions, WITH_TEXT)
    functions.phones.outcomes.extend([TemporaryError("throttled")] * MAX_ATTEMPTS)
    began = functions.clock.at
    while functions.statuses() == [MessageStatus.WAITING]:
        functions.send_due()
        functions.clock.forward(minutes=1)
    assert functions.statuses() == [MessageStatus.FAILED]
    assert 4 <= (functions.clock.at - began).total_seconds() / 3600 < 5
    told = metrics(capsys)
    assert (told["SmsRetrying"], told["SmsGivenUp"]) == (MAX_ATTEMPTS - 1, 1)


def test_a_crash_between_sending_and_marking_is_counted_and_not_sent_again(
    functions: Functions, capsys: pytest.CaptureFixture[str]
) -> None:
    put(functions, WITH_TEXT)
    functions.messages.claim("m", reservation(functions.clock.at), CAPS)
    functions.clock.at += CLAIMED_FOR
    assert functions.statuses() == [MessageStatus.SENDING]
    functions.send_due()
    assert functions.statuses() == [MessageStatus.UNKNOWN]
    assert metrics(capsys)["SmsUnknown"] == 1
    assert functions.phones.sent == []


def test_the_spend_cap_holds_all_but_receipts_and_tells_the_operator(
    functions: Functions, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMS_SPEND_DAY_CAP", "0.05")
    forget()
    receipt = WITH_TEXT._replace(kind=MessageKind.RECEIPT, text="receipt")
    put(functions, *(WITH_TEXT._replace(message_id=f"m{number}", text=f"text {number}") for number in range(3)))
    functions.send_due()
    put(functions, receipt._replace(message_id="r"))
    functions.send_due()
    assert functions.statuses() == [
        MessageStatus.SENT,
        MessageStatus.SENT,
        MessageStatus.WAITING,
        MessageStatus.WAITING,
    ]
    assert (PHONE, "receipt") in functions.phones.sent
    assert metrics(capsys)["SmsHeldBySpendCap"] == 2


def test_a_citizens_cap_comes_from_the_template(functions: Functions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMS_CITIZEN_DAY_CAP", "2")
    forget()
    put(functions, *(WITH_TEXT._replace(message_id=f"m{number}", text=f"text {number}") for number in range(3)))
    functions.send_due()
    assert functions.statuses() == [MessageStatus.SENT, MessageStatus.SENT, MessageStatus.WAITING]


@pytest.mark.parametrize("first", ["ur", "sns"])
def test_the_first_provider_is_the_templates_choice(
    functions: Functions, engine: Engine, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    name = f"{functions.failed_records}-ur"
    secret = {"Name": name, "SecretString": json.dumps({"client_id": "gharama", "client_secret": "s3"})}
    engine.fast()("secretsmanager", "CreateSecret", secret)
    with FaultServer([says(200, b"{}")]) as ur:
        for variable, value in {
            "SMS_FIRST_PROVIDER": first,
            "UR_SMS_URL": f"{ur.url}/send",
            "UR_SMS_SECRET": name,
        }.items():
            monkeypatch.setenv(variable, value)
        forget()
        put(functions, WITH_TEXT)
        functions.send_due()
    assert functions.statuses() == [MessageStatus.SENT]
    assert (len(ur.received), len(functions.phones.sent)) == ((1, 0) if first == "ur" else (0, 1))
