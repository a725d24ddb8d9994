"""Every minute: what is due and not sent goes to the SMS queue, oldest first, whatever kept it from there before.

What quiet hours held goes as soon as the hours that are set now are over, be they narrowed, moved or off.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from notify.queueing import depth, enqueue
from notify.quiet import QuietHours, is_quiet
from shared.aws_json import FastClient
from shared.clock import now
from shared.observability import count, log_with
from shared.settings import setting
from shared.stores.messaging.messages import Messages

MAX_QUEUED_MESSAGES: Final = 5000
"""About as many as are sent in two minutes: more on the queue would only be queued again by the next runs."""


@cache
def _ports() -> tuple[Messages, Any]:
    import boto3

    return Messages(FastClient(), setting("MESSAGES_TABLE")), boto3.client("sqs")


def handler(event: dict[str, Any], context: Any) -> None:
    """Lambda's entry point."""
    log_with(request_id=context.aws_request_id)
    messages, sqs = _ports()
    quiet, at = QuietHours.parse(setting("QUIET_HOURS")), now()
    url = setting("SMS_QUEUE_URL")
    refused = enqueue(sqs, url, messages.due(at, MAX_QUEUED_MESSAGES - depth(sqs, url), held=not is_quiet(quiet, at)))
    if refused:
        count("MessagesNotQueued", len(refused))
