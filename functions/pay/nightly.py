"""Every night: our payments of the last two days beside what their gateways say; the report lies in the bucket."""

from __future__ import annotations

from typing import Any

import orjson

from pay.comparing import compare
from pay.wiring import gateway, payments
from shared.aws_json import sdk
from shared.domain.time import from_text
from shared.observability import count, logger
from shared.settings import setting


def handler(event: dict[str, Any], context: Any) -> None:
    """Lambda's entry point. The event's time is the night; run again with it, this writes the night's report over."""
    logger().append_keys(request_id=context.aws_request_id)
    at = from_text(event["time"])
    report = compare(payments(), gateway, at)
    sdk()(
        "s3",
        "PutObject",
        {
            "Bucket": setting("UPLOADS_BUCKET"),
            "Key": f"comparisons/{at.date().isoformat()}.json",
            "Body": orjson.dumps(report.as_json()),
            "ContentType": "application/json",
        },
    )
    count("PaymentsCompared", report.compared)
    count("PaymentDifferences", len(report.differences))
    count("PaymentsNotCompared", len(report.silent) + len(report.unaskable))
