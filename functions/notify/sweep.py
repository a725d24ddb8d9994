"""Every minute: what is due and not sent goes to the SMS queue, whatever kept it from there before."""

from __future__ import annotations

from functools import cache
from typing import Any

from notify.queueing import enqueue
from shared.aws_json import sdk
from shared.clock import now
from shared.observability import count, logger
from shared.settings import setting
from shared.stores.messages import Messages


@cache
def _ports() -> tuple[Messages, Any]:
    import boto3

    return Messages(sdk(), setting("MESSAGES_TABLE")), boto3.client("sqs")


def handler(event: dict[str, Any], context: Any) -> None:
    """Lambda's entry point."""
    logger().append_keys(request_id=context.aws_request_id)
    messages, sqs = _ports()
    refused = enqueue(sqs, setting("SMS_QUEUE_URL"), messages.due(now()))
    if refused:
        count("MessagesNotQueued", len(refused))
