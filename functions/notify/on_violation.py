"""Violations stream: what ingest marked as news becomes messages for the plate's followers. No SMS is sent here."""

from __future__ import annotations

from functools import cache
from typing import Any

from notify.announce import announce, news
from shared.access.accesses import REGISTRATION
from shared.aws_json import FastClient, Json
from shared.clock import now
from shared.failed_records import lay_aside
from shared.observability import count, log_with, logger
from shared.settings import setting
from shared.stores.items import UNREADABLE
from shared.stores.messaging.messages import Messages
from shared.stores.messaging.news import News
from shared.stores.people.citizens import Citizens


@cache
def _stores() -> tuple[Citizens, Messages]:
    call = FastClient()
    return Citizens(call, setting("CITIZENS_TABLE")), Messages(call, setting("MESSAGES_TABLE"))


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point. First all that can be announced; then what cannot is laid aside and stops nothing."""
    log_with(request_id=context.aws_request_id)
    readable: list[tuple[Json, list[News]]] = []
    poison: list[Json] = []
    for record in event["Records"]:
        try:
            readable.append((record, news(record)))
        except UNREADABLE as error:
            logger().error("a record is not a violation's", extra=_of(record, error))
            poison.append(record)
    everything = [each for _, its_news in readable for each in its_news]
    untold = announce(everything, *_stores(), now(), needs_proof=setting("PROOF") == REGISTRATION)
    for record, its_news in readable if untold else ():
        reasons = [untold[each.violation_no] for each in its_news if each.violation_no in untold]
        if reasons:
            logger().error("followers of a record's plate cannot be read", extra=_of(record, reasons[0]))
            poison.append(record)
    count("Announced", len(everything))
    return {"batchItemFailures": lay_aside(poison, event, context.invoked_function_arn)}


def _of(record: Json, error: Exception) -> dict[str, str]:
    return {"error": type(error).__name__, "event_id": record["eventID"]}
