"""SMS queue: each message is claimed, checked again, sent, and marked."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from notify.delivery import Stores, deliver
from notify.providers import Provider
from shared.aws_json import sdk
from shared.clock import now
from shared.observability import count, logger
from shared.settings import setting
from shared.stores.citizens import Citizens
from shared.stores.messages import Messages
from shared.stores.violations import Violations


@cache
def _ports() -> tuple[Stores, Provider]:
    from notify.providers.sns import Sns

    call = sdk()
    stores = Stores(
        Messages(call, setting("MESSAGES_TABLE")),
        Citizens(call, setting("CITIZENS_TABLE")),
        Violations(call, setting("VIOLATIONS_TABLE")),
    )
    return stores, Sns(setting("SMS_SENDER_ID"))


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point. A message whose tables cannot be reached comes back; no other is held up by it."""
    logger().append_keys(request_id=context.aws_request_id)
    failed: list[dict[str, str]] = []
    for record in event["Records"]:
        try:
            message_id = json.loads(record["body"])["message_id"]
            status = deliver(message_id, f"{context.aws_request_id}/{record['messageId']}", *_ports(), now())
        except Exception:  # noqa: BLE001 (whatever it is: the message comes back, and ends where it can be looked at)
            logger().exception("a message was not handled")
            failed.append({"itemIdentifier": record["messageId"]})
        else:
            if status:
                count(f"Sms{status.capitalize()}")
    return {"batchItemFailures": failed}
