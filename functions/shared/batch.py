"""A batch of an SQS queue: each message is taken by itself, and only those that could not be come again.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting
Powertools' own utility for it would import 100 modules more, asyncio among them: 40 ms of a cold start.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shared.observability import log_with, logger


def take_each(event: dict[str, Any], context: Any, take: Callable[[str], bool], failing: str) -> dict[str, Any]:
    """Take every message of a batch; returns those that come again, as Lambda wants them reported.

    take: given a message's body, does what it asks for; False leaves it for later. Whatever it raises is logged as
    ``failing`` and holds up no other message; one that fails again and again ends in the dead letters.
    """
    log_with(request_id=context.aws_request_id)
    return {
        "batchItemFailures": [
            {"itemIdentifier": record["messageId"]}
            for record in event["Records"]
            if not _is_taken(record["body"], take, failing)
        ]
    }


def _is_taken(body: str, take: Callable[[str], bool], failing: str) -> bool:
    try:
        return take(body)
    except Exception:  # noqa: BLE001 (whatever it was, the message comes again, and in the end lies in the dead letters)
        logger().exception(failing)
        return False
