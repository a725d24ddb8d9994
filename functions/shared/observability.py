"""Structured logs and metrics, made on first use. Neither ever holds a plate, a phone number, a name or a token."""

from __future__ import annotations

from functools import cache

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit


@cache
def logger() -> Logger:
    """The function's logger: JSON lines with the request's id. Events are never logged whole: they hold plates."""
    return Logger(use_rfc3339=True)


@cache
def metrics() -> Metrics:
    """Metrics in CloudWatch's embedded format, written to the log by :func:`count`."""
    return Metrics()


def count(name: str, value: float = 1) -> None:
    """Add to a metric without dimensions beyond the service, and write it out."""
    store = metrics()
    store.add_metric(name, MetricUnit.Count, value)
    store.flush_metrics()
