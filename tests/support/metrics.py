"""What the functions counted, and what CloudWatch would say of an alarm, by the alarm's own expression over it.

Metrics are read as CloudWatch reads them, from lines of the functions' logs in the embedded format. An alarm is taken
as it stands in the template or as DescribeAlarms answers: both have the same names. Left out: CloudWatch looks some
periods further back where it misses data points; here what is missing counts at once as the alarm says.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
"""

from __future__ import annotations

import json
import operator
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

ALARM: Final = "ALARM"
OK: Final = "OK"

_STATISTICS: Final[dict[str, Callable[[Sequence[float]], float]]] = {"Sum": sum, "Maximum": max, "SampleCount": len}
_BEYOND: Final[dict[str, Callable[[float, float], bool]]] = {
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
}
_MISSING: Final = {"breaching": True, "notBreaching": False}


class Metric(NamedTuple):
    """A metric: another set of dimensions is another metric."""

    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, alarm: Mapping[str, Any]) -> Metric:
        """What an alarm watches."""
        dimensions = frozenset((one["Name"], one["Value"]) for one in alarm["Dimensions"])
        return cls(alarm["Namespace"], alarm["MetricName"], dimensions)


class Datum(NamedTuple):
    """Values of a metric at an instant, in seconds since 1970."""

    metric: Metric
    at: float
    values: Sequence[float]


class Evaluation(NamedTuple):
    """state: ALARM or OK. points: the metric's statistic of each period, the latest first; None where there is none."""

    state: str
    points: list[float | None]


def embedded(log: str) -> Iterator[Datum]:
    """What the lines of a log count."""
    for line in log.splitlines():
        if not line.startswith('{"_aws"'):
            continue
        entry = json.loads(line)
        for directive in entry["_aws"]["CloudWatchMetrics"]:
            for names in directive["Dimensions"]:
                dimensions = frozenset((name, entry[name]) for name in names)
                for one in directive["Metrics"]:
                    metric, value = Metric(directive["Namespace"], one["Name"], dimensions), entry[one["Name"]]
                    values = value if isinstance(value, list) else [value]
                    yield Datum(metric, entry["_aws"]["Timestamp"] / 1000, values)


def counted(log: str) -> defaultdict[str, list[float]]:
    """The values of each metric in a log by its name, oldest first."""
    found: defaultdict[str, list[float]] = defaultdict(list)
    for datum in embedded(log):
        if len(datum.metric.dimensions) <= 1:  # what is told apart by version is there twice
            found[datum.metric.name] += datum.values
    return found


def evaluate(alarm: Mapping[str, Any], data: Iterable[Datum], now: float, *, pace: float = 1) -> Evaluation:
    """An alarm's state at an instant. pace: how many of the alarm's seconds go by in one."""
    period, last = alarm["Period"] / pace, int(alarm["EvaluationPeriods"])
    watched = Metric.of(alarm)
    values: list[list[float]] = [[] for _ in range(last)]
    for datum in data:
        back = int((now - datum.at) // period)
        if datum.metric == watched and 0 <= back < last:
            values[back] += datum.values
    statistic, beyond = _STATISTICS[alarm["Statistic"]], _BEYOND[alarm["ComparisonOperator"]]
    points = [statistic(each) if each else None for each in values]
    missing = _MISSING[alarm["TreatMissingData"]]
    breaching = sum(missing if point is None else beyond(point, alarm["Threshold"]) for point in points)
    return Evaluation(ALARM if breaching >= int(alarm["DatapointsToAlarm"]) else OK, points)
