"""SNS's delivery logs: whether an SMS reached its phone becomes the message's status.

The log lines hold phone numbers: nothing of a line is ever logged here.
https://docs.aws.amazon.com/sns/latest/dg/sms_stats_cloudwatch.html
"""

from __future__ import annotations

import base64
import gzip
import json
import math
from functools import cache
from typing import Any, Final, NamedTuple

from shared.aws_json import FastClient
from shared.clock import now
from shared.domain.message import MessageStatus
from shared.observability import count, log_with, logger
from shared.settings import setting
from shared.stores.messaging.messages import Messages

_REASONS: Final = {
    "blocked as spam by phone carrier": "blocked_as_spam",
    "destination is on a blocked list": "blocked_number",
    "invalid phone number": "invalid_number",
    "message body is invalid": "invalid_text",
    "no quota left for account": "spend_limit",
    "phone carrier has blocked this message": "blocked_by_carrier",
    "phone carrier is currently unreachable/unavailable": "carrier_unreachable",
    "phone has blocked sms": "blocked_by_phone",
    "phone is on a blocked list": "blocked_number",
    "phone is currently unreachable/unavailable": "phone_unreachable",
    "phone number is opted out": "opted_out",
    "rate exceeded.": "throttled",
    "this delivery would exceed max price": "max_price",
    "unknown error attempting to reach phone": "unknown",
}


class Report(NamedTuple):
    """What a line says. reference: SNS's id of the message. reason: a code, for what did not arrive.

    price: what the message cost, in millionths of a dollar; None where the line does not say.
    """

    reference: str
    status: MessageStatus
    reason: str | None
    price: int | None = None


@cache
def _messages() -> Messages:
    return Messages(FastClient(), setting("MESSAGES_TABLE"))


def handler(event: dict[str, Any], context: Any) -> None:
    """Lambda's entry point, of a CloudWatch Logs subscription. A line that cannot be read holds up no other."""
    log_with(request_id=context.aws_request_id)
    payload = json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"])))
    if payload["messageType"] != "DATA_MESSAGE":
        return
    for line in payload["logEvents"]:
        try:
            report = read(line["message"])
        except (LookupError, TypeError, AttributeError, ValueError) as error:
            logger().error("a delivery log's line cannot be read", extra={"error": type(error).__name__})
            count("SmsReportUnreadable")
            continue
        known = _messages().report(report.reference, report.status, report.reason, now(), report.price)
        count(f"Sms{report.status.capitalize()}" if known else "SmsReportUnknown")


def read(line: str) -> Report:
    """One line. Raises LookupError, TypeError, AttributeError or ValueError for what is not SNS's."""
    entry = json.loads(line)
    reference: str = entry["notification"]["messageId"]
    price = _price(entry["delivery"].get("priceInUSD"))
    if entry["status"] == "SUCCESS":
        return Report(reference, MessageStatus.DELIVERED, None, price)
    if entry["status"] != "FAILURE":
        raise ValueError("neither success nor failure")
    said: str = entry["delivery"]["providerResponse"]
    return Report(reference, MessageStatus.UNDELIVERED, _REASONS.get(said.strip().lower(), "unknown"), price)


def _price(dollars: float | None) -> int | None:
    if dollars is None:
        return None
    if not 0 <= dollars < math.inf:
        raise ValueError("a price that is none")
    return round(dollars * 1_000_000)
