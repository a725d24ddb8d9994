"""Amazon SNS as the provider. https://docs.aws.amazon.com/sns/latest/api/API_Publish.html"""

from __future__ import annotations

from typing import Any, Final

from notify.providers import (
    OPTED_OUT,
    PROVIDER_ERROR,
    REFUSED,
    SANDBOX,
    SPEND_LIMIT,
    THROTTLED,
    TIMED_OUT,
    UNAUTHORIZED,
    UNREACHABLE,
    Accepted,
    PermanentError,
    TemporaryError,
    UnknownOutcomeError,
)

# https://docs.aws.amazon.com/sns/latest/api/API_Publish.html and CommonErrors.html. What is the message's own fault.
_PERMANENT: Final = {
    "OptedOut": OPTED_OUT,
    **dict.fromkeys(
        (
            "InvalidParameter",
            "InvalidParameterCombination",
            "InvalidParameterValue",
            "InvalidQueryParameter",
            "MalformedQueryString",
            "MissingParameter",
            "ParameterValueInvalid",
            "RequestEntityTooLargeException",
            "ValidationError",
            "ValidationException",
        ),
        REFUSED,
    ),
}
# All else passes by itself, or once the operator has put the account right: worth another try, or the other provider.
_TEMPORARY: Final = {
    **dict.fromkeys(
        ("Throttled", "Throttling", "ThrottlingException", "KMSThrottling", "RequestLimitExceeded"), THROTTLED
    ),
    **dict.fromkeys(("QuotaExceeded", "ServiceQuotaExceededException"), SPEND_LIMIT),
    **dict.fromkeys(("UserError", "VerificationException"), SANDBOX),
    **dict.fromkeys(
        (
            "AccessDenied",
            "AccessDeniedException",
            "AuthorizationError",
            "ExpiredToken",
            "ExpiredTokenException",
            "IncompleteSignature",
            "InvalidClientTokenId",
            "InvalidSecurity",
            "MissingAuthenticationToken",
            "NotAuthorized",
            "OptInRequired",
            "RequestExpired",
            "SignatureDoesNotMatch",
            "UnrecognizedClientException",
        ),
        UNAUTHORIZED,
    ),
}


class Sns:
    """sender_id: the name that phones show. No retries of its own: Publish is not the same twice."""

    name: Final = "sns"

    def __init__(self, sender_id: str) -> None:
        import boto3
        from botocore.config import Config

        config = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=8)
        self._client: Any = boto3.client("sns", config=config)
        self._attributes = {
            "AWS.SNS.SMS.SenderID": {"DataType": "String", "StringValue": sender_id},
            "AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"},
        }

    def send(self, phone: str, text: str) -> Accepted:
        """One Publish to a phone number."""
        from botocore.exceptions import (
            BotoCoreError,
            ClientError,
            ConnectTimeoutError,
            EndpointConnectionError,
            HTTPClientError,
        )

        try:
            response = self._client.publish(PhoneNumber=phone, Message=text, MessageAttributes=self._attributes)
        except ClientError as error:
            status: int = error.response["ResponseMetadata"]["HTTPStatusCode"]
            raise failure(error.response["Error"]["Code"], error.response["Error"].get("Message", ""), status) from None
        except (ConnectTimeoutError, EndpointConnectionError):
            raise TemporaryError(UNREACHABLE) from None
        except HTTPClientError:
            raise UnknownOutcomeError(TIMED_OUT) from None
        except BotoCoreError:
            raise TemporaryError(PROVIDER_ERROR) from None  # nothing went out: no credentials, say
        return Accepted(self.name, response["MessageId"])


def failure(code: str, message: str, status: int) -> TemporaryError | PermanentError:
    """Return the error that an error of Publish is for the message.

    Some refusals share the code InvalidParameter, and only their message tells them apart.
    """
    said = message.lower()
    if "quota left" in said or "spend limit" in said:
        return TemporaryError(SPEND_LIMIT)
    if "sandbox" in said:
        return TemporaryError(SANDBOX)
    if "opted out" in said:
        return PermanentError(OPTED_OUT)
    if code in _PERMANENT and status < 500:
        return PermanentError(_PERMANENT[code])
    return TemporaryError(_TEMPORARY.get(code, THROTTLED if status == 429 else PROVIDER_ERROR))
