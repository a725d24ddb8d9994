"""Every night: the figures of the day that is over, as ``statistics/<date>.json`` in the bucket of uploads.

The operator gives another day, in Baghdad, as ``day`` of the event. Violations are counted as they stand now.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any, Final

import orjson

from shared.aws_json import FastClient
from shared.clock import now
from shared.domain.time import BAGHDAD
from shared.observability import count, log_with, logger
from shared.settings import setting
from shared.stores.violations import Violations
from stats import figures
from stats.figures import Figures

SEGMENTS: Final = 8
"""Shares of the table that are read at a time. A share's client is its own: connections are not shared by threads."""

METRICS: Final = {"look_ups": "LookUps", "sms": "SmsSent", "sms_parts": "SmsParts", "payments_begun": "PaymentsStarted"}


def _share(segment: int, day: str) -> Figures:
    violations = Violations(FastClient(), setting("VIOLATIONS_TABLE"))
    return figures.count(violations.walk(segment, SEGMENTS), day)


def services(cloudwatch: Any, begins: datetime) -> Mapping[str, int | None]:
    """What the metrics counted from an instant on for a day; None where CloudWatch has nothing. cloudwatch: boto3's."""
    found: dict[str, int | None] = {}
    for name, metric in METRICS.items():
        points = cloudwatch.get_metric_statistics(
            Namespace=setting("POWERTOOLS_METRICS_NAMESPACE"),
            MetricName=metric,
            Dimensions=[{"Name": "service", "Value": setting("POWERTOOLS_SERVICE_NAME")}],
            StartTime=begins,
            EndTime=begins + timedelta(days=1),
            Period=86_400,
            Statistics=["Sum"],
        )["Datapoints"]
        found[name] = int(points[0]["Sum"]) if points else None
    return found


def handler(event: dict[str, Any], context: Any) -> None:
    """Lambda's entry point."""
    import boto3

    log_with(request_id=context.aws_request_id)
    day = event.get("day") or (now().astimezone(BAGHDAD) - timedelta(days=1)).date().isoformat()
    begins = datetime.fromisoformat(day).replace(tzinfo=BAGHDAD)
    with ThreadPoolExecutor(SEGMENTS) as pool:
        counted = figures.together(pool.map(_share, range(SEGMENTS), [day] * SEGMENTS))
    document = figures.published(counted, day, services(boto3.client("cloudwatch"), begins))
    boto3.client("s3").put_object(
        Bucket=setting("UPLOADS_BUCKET"),
        Key=f"statistics/{day}.json",
        Body=orjson.dumps(document, option=orjson.OPT_INDENT_2),
        ContentType="application/json",
    )
    logger().info("figures written", extra={"cells": len(counted.cells)})
    count("FiguresWritten")
