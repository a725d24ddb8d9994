"""Amazon SNS as the provider. https://docs.aws.amazon.com/sns/latest/api/API_Publish.html"""

from __future__ import annotations

from typing import Any, Final

from notify.providers import PermanentError, TemporaryError, UnknownOutcomeError

_TEMPORARY: Final = frozenset({"Throttled", "Throttling", "ThrottlingException", "InternalError", "ServiceUnavailable"})


class Sns:
    """sender_id: the name that phones show. No retries of its own: Publish is not the same twice."""

    def __init__(self, sender_id: str) -> None:
        import boto3
        from botocore.config import Config

        config = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=8)
        self._client: Any = boto3.client("sns", config=config)
        self._attributes = {
            "AWS.SNS.SMS.SenderID": {"DataType": "String", "StringValue": sender_id},
            "AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"},
        }

    def send(self, phone: str, text: str) -> str:
        """One Publish to a phone number."""
        from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, EndpointConnectionError

        try:
            response = self._client.publish(PhoneNumber=phone, Message=text, MessageAttributes=self._attributes)
        except ClientError as error:
            code: str = error.response["Error"]["Code"]
            status: int = error.response["ResponseMetadata"]["HTTPStatusCode"]
            raise (TemporaryError if code in _TEMPORARY or status >= 500 else PermanentError)(code) from None
        except (ConnectTimeoutError, EndpointConnectionError) as error:
            raise TemporaryError(type(error).__name__) from None
        except BotoCoreError as error:
            raise UnknownOutcomeError(type(error).__name__) from None
        message_id: str = response["MessageId"]
        return message_id
