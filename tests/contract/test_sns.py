"""Amazon SNS as the provider of SMS: what it takes, and what each of its errors means for the message."""

from __future__ import annotations

import json
import urllib.request
from urllib.parse import parse_qsl

import boto3
import pytest

from notify.providers import Accepted, PermanentError, TemporaryError, UnknownOutcomeError
from notify.providers.sns import Sns, failure
from tests.support.aws import Engine
from tests.support.fault_server import HANGS_UP_AFTER_READING, FaultServer, Step, says

PHONE = "+9647719283746"


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch, emulator: Engine) -> pytest.MonkeyPatch:
    """The environment of a function; the endpoint is set by the test."""
    for name, value in emulator.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", emulator.session)
    return monkeypatch


def fails(status: int, code: str, message: str = "because") -> Step:
    body = f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
    return says(status, body.encode(), {"content-type": "text/xml"})


def test_an_sms_is_taken_with_its_text_as_it_is(at: pytest.MonkeyPatch, emulator: Engine) -> None:
    text = "غرامة-أور: مخالفة جديدة لوحة ..418\nالمبلغ 50,000 دينار"
    assert Sns("Gharama").send(PHONE, text)
    with urllib.request.urlopen(f"{emulator.endpoint}/_ministack/sns/sms-messages") as answer:  # noqa: S310
        assert json.load(answer)["sms_messages"][PHONE][-1]["Message"] == text


def test_the_sender_is_named_and_the_message_transactional(at: pytest.MonkeyPatch) -> None:
    answer = b"<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>"
    with FaultServer([says(200, answer, {"content-type": "text/xml"})]) as server:
        at.setenv("AWS_ENDPOINT_URL", server.url)
        assert Sns("Gharama").send(PHONE, "غرامة") == Accepted("sns", "1")
    fields = dict(parse_qsl(server.received[0].body.decode()))
    names = [value for field, value in sorted(fields.items()) if field.endswith(".Name")]
    values = [value for field, value in sorted(fields.items()) if field.endswith(".StringValue")]
    assert dict(zip(names, values, strict=True)) == {
        "AWS.SNS.SMS.SenderID": "Gharama",
        "AWS.SNS.SMS.SMSType": "Transactional",
    }
    assert (fields["PhoneNumber"], fields["Message"]) == (PHONE, "غرامة")


@pytest.mark.parametrize(
    ("step", "error", "reason"),
    [
        (fails(429, "Throttled"), TemporaryError, "throttled"),
        (fails(500, "InternalError"), TemporaryError, "provider_error"),
        (fails(403, "AuthorizationError"), TemporaryError, "unauthorized"),
        (fails(400, "UserError"), TemporaryError, "sandbox"),
        (fails(400, "InvalidParameter", "No quota left for account"), TemporaryError, "spend_limit"),
        (fails(400, "InvalidParameter"), PermanentError, "refused"),
        (fails(400, "OptedOut"), PermanentError, "opted_out"),
        (HANGS_UP_AFTER_READING, UnknownOutcomeError, "timed_out"),
    ],
)
def test_each_failure_is_told_by_its_answer_and_nothing_is_sent_twice(
    at: pytest.MonkeyPatch, step: Step, error: type[Exception], reason: str
) -> None:
    with FaultServer([step, step]) as server:
        at.setenv("AWS_ENDPOINT_URL", server.url)
        with pytest.raises(error, match=f"^{reason}$"):
            Sns("Gharama").send(PHONE, "غرامة")
        assert len(server.received) == 1


def test_a_service_that_is_not_there_is_tried_again_later(at: pytest.MonkeyPatch) -> None:
    with FaultServer([]) as gone:
        pass
    at.setenv("AWS_ENDPOINT_URL", gone.url)
    with pytest.raises(TemporaryError):
        Sns("Gharama").send(PHONE, "غرامة")


T, P = TemporaryError, PermanentError


@pytest.mark.parametrize(
    ("code", "status", "message", "error", "reason"),
    [
        # Publish's own
        ("AuthorizationError", 403, "", T, "unauthorized"),
        ("EndpointDisabled", 400, "", T, "provider_error"),
        ("InternalError", 500, "", T, "provider_error"),
        ("InvalidParameter", 400, "Invalid parameter: PhoneNumber Reason: not valid to publish to", P, "refused"),
        ("InvalidParameter", 400, "Invalid parameter: PhoneNumber Reason: opted out", P, "opted_out"),
        ("InvalidParameter", 400, "No quota left for account", T, "spend_limit"),
        ("InvalidParameter", 400, "the SMS sandbox: the number is not verified", T, "sandbox"),
        ("InvalidSecurity", 403, "", T, "unauthorized"),
        ("KMSAccessDenied", 400, "", T, "provider_error"),
        ("KMSDisabled", 400, "", T, "provider_error"),
        ("KMSInvalidState", 400, "", T, "provider_error"),
        ("KMSNotFound", 400, "", T, "provider_error"),
        ("KMSOptInRequired", 403, "", T, "provider_error"),
        ("KMSThrottling", 400, "", T, "throttled"),
        ("NotFound", 404, "", T, "provider_error"),
        ("ParameterValueInvalid", 400, "", P, "refused"),
        ("PlatformApplicationDisabled", 400, "", T, "provider_error"),
        ("ValidationException", 400, "", P, "refused"),
        # SNS's others about SMS
        ("OptedOut", 400, "", P, "opted_out"),
        ("QuotaExceeded", 400, "", T, "spend_limit"),
        ("ServiceQuotaExceededException", 402, "", T, "spend_limit"),
        ("Throttled", 429, "", T, "throttled"),
        ("UserError", 400, "", T, "sandbox"),
        ("VerificationException", 400, "", T, "sandbox"),
        # common to all of AWS
        ("AccessDenied", 403, "", T, "unauthorized"),
        ("AccessDeniedException", 403, "", T, "unauthorized"),
        ("ExpiredToken", 403, "", T, "unauthorized"),
        ("ExpiredTokenException", 403, "", T, "unauthorized"),
        ("IncompleteSignature", 400, "", T, "unauthorized"),
        ("InternalFailure", 500, "", T, "provider_error"),
        ("InvalidClientTokenId", 403, "", T, "unauthorized"),
        ("InvalidParameterCombination", 400, "", P, "refused"),
        ("InvalidParameterValue", 400, "", P, "refused"),
        ("InvalidQueryParameter", 400, "", P, "refused"),
        ("MalformedHttpRequestException", 400, "", T, "provider_error"),
        ("MalformedQueryString", 404, "", P, "refused"),
        ("MissingAuthenticationToken", 403, "", T, "unauthorized"),
        ("MissingParameter", 400, "", P, "refused"),
        ("NotAuthorized", 401, "", T, "unauthorized"),
        ("OptInRequired", 403, "", T, "unauthorized"),
        ("RequestAbortedException", 400, "", T, "provider_error"),
        ("RequestEntityTooLargeException", 413, "", P, "refused"),
        ("RequestExpired", 400, "", T, "unauthorized"),
        ("RequestLimitExceeded", 503, "", T, "throttled"),
        ("RequestTimeoutException", 408, "", T, "provider_error"),
        ("ServiceUnavailable", 503, "", T, "provider_error"),
        ("SignatureDoesNotMatch", 403, "", T, "unauthorized"),
        ("Throttling", 400, "", T, "throttled"),
        ("ThrottlingException", 400, "", T, "throttled"),
        ("UnknownOperationException", 404, "", T, "provider_error"),
        ("UnrecognizedClientException", 403, "", T, "unauthorized"),
        ("ValidationError", 400, "", P, "refused"),
        # whatever comes later
        ("SomethingNew", 400, "", T, "provider_error"),
        ("SomethingNew", 429, "", T, "throttled"),
        ("SomethingNew", 502, "", T, "provider_error"),
    ],
)
def test_each_code_means_what_it_means(
    code: str, status: int, message: str, error: type[Exception], reason: str
) -> None:
    """Permanent is what is the message's own fault; all else may pass, and what is unknown is taken to."""
    found = failure(code, message, status)
    assert type(found) is error
    assert str(found) == reason


def test_without_credentials_nothing_went_out(at: pytest.MonkeyPatch) -> None:
    provider = Sns("Gharama")
    at.setattr(provider._client._request_signer, "_credentials", None)
    with pytest.raises(TemporaryError, match=r"^provider_error$"):
        provider.send(PHONE, "غرامة")
