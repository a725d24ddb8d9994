"""Violations stream: what ingest marked as news becomes messages for the plate's followers. No SMS is sent here."""

from __future__ import annotations

from functools import cache
from typing import Any

from notify.announce import News, announce, news
from shared.aws_json import sdk
from shared.clock import now
from shared.observability import count, logger
from shared.settings import setting
from shared.stores.citizens import Citizens
from shared.stores.messages import Messages


@cache
def _stores() -> tuple[Citizens, Messages]:
    call = sdk()
    return Citizens(call, setting("CITIZENS_TABLE")), Messages(call, setting("MESSAGES_TABLE"))


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point. A record that cannot be read is reported; the others are announced all the same."""
    logger().append_keys(request_id=context.aws_request_id)
    found: list[News] = []
    failed: list[dict[str, str]] = []
    for record in event["Records"]:
        try:
            found += news(record)
        except (LookupError, TypeError, AttributeError, ValueError) as error:
            logger().error("a record is not a violation's", extra={"error": type(error).__name__})
            failed.append({"itemIdentifier": record["dynamodb"]["SequenceNumber"]})
    announce(found, *_stores(), now())
    count("Announced", len(found))
    return {"batchItemFailures": failed}
