"""Amazon SNS as the provider of SMS: what it takes, and what each of its errors means for the message."""

from __future__ import annotations

import json
import urllib.request

import boto3
import pytest

from notify.providers import PermanentError, TemporaryError, UnknownOutcomeError
from notify.providers.sns import Sns
from tests.aws import Engine
from tests.fault_server import HANGS_UP_AFTER_READING, FaultServer, Step, says

PHONE = "+9647719283746"


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch, emulator: Engine) -> pytest.MonkeyPatch:
    """The environment of a function; the endpoint is set by the test."""
    for name, value in emulator.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", emulator.session)
    return monkeypatch


def fails(status: int, code: str) -> Step:
    body = f"<ErrorResponse><Error><Code>{code}</Code><Message>because</Message></Error></ErrorResponse>"
    return says(status, body.encode(), {"content-type": "text/xml"})


def test_an_sms_is_taken_with_its_text_as_it_is(at: pytest.MonkeyPatch, emulator: Engine) -> None:
    text = "غرامة: لوحة تنتهي بـ418\nالمجموع: 50,000 دينار"
    assert Sns("Gharama").send(PHONE, text)
    with urllib.request.urlopen(f"{emulator.endpoint}/_ministack/sns/sms-messages") as answer:  # noqa: S310
        assert json.load(answer)["sms_messages"][PHONE][-1]["Message"] == text


@pytest.mark.parametrize(
    ("step", "error"),
    [
        (fails(429, "Throttled"), TemporaryError),
        (fails(400, "Throttling"), TemporaryError),
        (fails(500, "InternalError"), TemporaryError),
        (fails(503, "ServiceUnavailable"), TemporaryError),
        (fails(400, "InvalidParameter"), PermanentError),
        (fails(403, "AuthorizationError"), PermanentError),
        (HANGS_UP_AFTER_READING, UnknownOutcomeError),
    ],
)
def test_each_failure_means_what_it_means_and_nothing_is_sent_twice(
    at: pytest.MonkeyPatch, step: Step, error: type[Exception]
) -> None:
    with FaultServer([step, step]) as server:
        at.setenv("AWS_ENDPOINT_URL", server.url)
        with pytest.raises(error):
            Sns("Gharama").send(PHONE, "غرامة")
        assert len(server.received) == 1


def test_a_service_that_is_not_there_is_tried_again_later(at: pytest.MonkeyPatch) -> None:
    with FaultServer([]) as gone:
        pass
    at.setenv("AWS_ENDPOINT_URL", gone.url)
    with pytest.raises(TemporaryError):
        Sns("Gharama").send(PHONE, "غرامة")
