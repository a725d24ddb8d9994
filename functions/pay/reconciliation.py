"""Every night: our payments of the last two days beside what their gateways say; the report lies in the bucket."""

from __future__ import annotations

from typing import Any

import orjson

from pay.payments.compare import compare
from pay.ports import gateway, payments
from shared import uploads
from shared.domain.time import from_text
from shared.observability import count, log_with
from shared.uploads import JSON


def handler(event: dict[str, Any], context: Any) -> None:
    """Lambda's entry point. The event's time is the night; run again with it, this writes the night's report over."""
    log_with(request_id=context.aws_request_id)
    at = from_text(event["time"])
    report = compare(payments(), gateway, at)
    uploads.put(f"comparisons/{at.date().isoformat()}.json", orjson.dumps(report.as_json()), JSON)
    count("PaymentsCompared", report.compared)
    count("PaymentDifferences", len(report.differences))
    count("PaymentsNotCompared", len(report.silent) + len(report.unaskable))
