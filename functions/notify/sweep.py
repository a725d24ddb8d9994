"""Every minute: what is due and not sent goes to the SMS queue, whatever kept it from there before."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from notify.queueing import depth, enqueue
from shared.aws_json import sdk
from shared.clock import now
from shared.observability import count, logger
from shared.settings import setting
from shared.stores.messaging.messages import Messages

MAX_QUEUED_MESSAGES: Final = 5000
"""About as many as are sent in two minutes: more on the queue would only be queued again by the next runs."""


@cache
def _ports() -> tuple[Messages, Any]:
    import boto3

    return Messages(sdk(), setting("MESSAGES_TABLE")), boto3.client("sqs")


def handler(event: dict[str, Any], context: Any) -> None:
    """Lambda's entry point."""
    logger().append_keys(request_id=context.aws_request_id)
    messages, sqs = _ports()
    url = setting("SMS_QUEUE_URL")
    refused = enqueue(sqs, url, messages.due(now(), MAX_QUEUED_MESSAGES - depth(sqs, url)))
    if refused:
        count("MessagesNotQueued", len(refused))
