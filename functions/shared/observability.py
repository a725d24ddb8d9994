"""Structured logs and metrics. Neither ever holds a plate, a phone number, a name or a token.

The logger is imported with the first line that is logged: it is half of what a function imports, and most calls log
nothing. Every look-up is counted, and so a metric is written without it.
"""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING, Final

import orjson

from shared.settings import setting

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

_about: Final[dict[str, str]] = {}
"""What the lines that are logged from now on name."""


def log_with(**keys: str) -> None:
    """Name what is being handled, in each line that is logged from now on: ``request_id`` or ``correlation_id``."""
    _about.update(keys)


def logger() -> Logger:
    """The function's logger: JSON lines with the request's id. Events are never logged whole: they hold plates."""
    made = _logger()
    made.append_keys(**_about)
    return made


@cache
def _logger() -> Logger:
    from aws_lambda_powertools import Logger

    return Logger(use_rfc3339=True)


def count(name: str, value: float = 1, *, by_version: bool = False) -> None:
    """Add to a metric without dimensions beyond the service: a line of the log in CloudWatch's embedded format.

    by_version: to a second one too, which tells this version of the function from others: its rollout is undone by it.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    metric = {
        "Namespace": setting("POWERTOOLS_METRICS_NAMESPACE"),
        "Dimensions": [["service"], *([["service", "function", "version"]] if by_version else [])],
        "Metrics": [{"Name": name, "Unit": "Count"}],
    }
    line = {
        "_aws": {"Timestamp": time.time_ns() // 1_000_000, "CloudWatchMetrics": [metric]},
        "service": setting("POWERTOOLS_SERVICE_NAME"),
        name: [float(value)],
    }
    if by_version:
        line |= {"function": setting("AWS_LAMBDA_FUNCTION_NAME"), "version": setting("AWS_LAMBDA_FUNCTION_VERSION")}
    print(orjson.dumps(line).decode())
