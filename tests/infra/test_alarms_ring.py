"""An alarm rings by what the functions write into their logs, as CloudWatch would read it."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import Any, Final

import pytest

from infra import alarms
from infra.template import read
from shared import observability
from tests.infra.reading import Template, number
from tests.support.metrics import ALARM, OK, Datum, Metric, embedded, evaluate

STACK: Final = "gharama-dev"
SERVICE: Final = [{"Name": "service", "Value": STACK}]
ONE_OF_ONE: Final[dict[str, Any]] = {
    "Namespace": "Gharama",
    "MetricName": "Refused",
    "Dimensions": SERVICE,
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 1,
    "DatapointsToAlarm": 1,
    "Threshold": 5,
    "ComparisonOperator": "GreaterThanThreshold",
    "TreatMissingData": "notBreaching",
}
REFUSED: Final = Metric.of(ONE_OF_ONE)
NOW: Final = 1_800_000_000.0


def seen(*ages_and_values: tuple[float, float]) -> list[Datum]:
    """A value of the metric for each pair: so many seconds ago, so much."""
    return [Datum(REFUSED, NOW - age, [value]) for age, value in ages_and_values]


@pytest.mark.parametrize(
    ("changes", "data", "state"),
    [
        ({}, [], OK),
        ({}, [(0, 5)], OK),
        ({}, [(0, 6)], ALARM),
        ({}, [(10, 3), (59, 3)], ALARM),
        ({}, [(10, 3), (60, 3)], OK),
        ({}, [(-1, 6)], OK),
        ({"Statistic": "Maximum"}, [(10, 3), (20, 3)], OK),
        ({"Statistic": "Maximum"}, [(10, 3), (20, 6)], ALARM),
        ({"TreatMissingData": "breaching"}, [], ALARM),
        ({"ComparisonOperator": "LessThanThreshold", "Statistic": "SampleCount", "Threshold": 1}, [(0, 0)], OK),
        ({"EvaluationPeriods": 3, "DatapointsToAlarm": 2}, [(0, 6), (100, 6)], ALARM),
        ({"EvaluationPeriods": 3, "DatapointsToAlarm": 2}, [(0, 6), (180, 6)], OK),
        ({"Dimensions": []}, [(0, 6)], OK),
        ({"Namespace": "Other"}, [(0, 6)], OK),
        ({"MetricName": "Other"}, [(0, 6)], OK),
    ],
)
def test_an_alarm_is_judged_by_its_own_expression(
    changes: dict[str, Any], data: list[tuple[float, float]], state: str
) -> None:
    assert evaluate({**ONE_OF_ONE, **changes}, seen(*data), NOW).state == state


def test_minutes_may_pass_in_seconds() -> None:
    three_of_three = {**ONE_OF_ONE, "EvaluationPeriods": 3, "DatapointsToAlarm": 3}
    data = seen((0.5, 6), (1.5, 7), (2.5, 8))
    assert evaluate(three_of_three, data, NOW).state == OK
    assert evaluate(three_of_three, data, NOW, pace=60) == (ALARM, [6, 7, 8])


def test_each_metric_of_a_line_is_read_under_each_set_of_its_dimensions() -> None:
    directive = {"Namespace": "Gharama", "Dimensions": [["service"], []], "Metrics": [{"Name": "A"}, {"Name": "B"}]}
    line = {"_aws": {"Timestamp": 2000, "CloudWatchMetrics": [directive]}, "service": "gharama", "A": [1, 2], "B": 3}
    found = list(embedded(f'START\n{{"level": "INFO"}}\n{json.dumps(line)}\nREPORT'))
    own, none = frozenset({("service", "gharama")}), frozenset[tuple[str, str]]()
    assert found == [
        Datum(Metric("Gharama", name, dimensions), 2.0, values)
        for dimensions in (own, none)
        for name, values in (("A", [1, 2]), ("B", [3]))
    ]


# ---------------------------------------------------------------- the template's own


def _of_ours() -> dict[str, dict[str, Any]]:
    template = read()
    return {
        alarm.name: {**_deployed(alarm.properties), **_numbers(template, alarm.properties)}
        for alarm in alarms.alarms(template)
        if alarm.properties.get("Namespace") == "Gharama"
    }


def _deployed(value: Any) -> Any:
    """A part of the template with the stack's name in it."""
    match value:
        case {"Ref": "AWS::StackName"}:
            return STACK
        case dict():
            return {name: _deployed(inner) for name, inner in value.items()}
        case list():
            return [_deployed(inner) for inner in value]
    return value


def _numbers(template: Template, properties: dict[str, Any]) -> dict[str, int]:
    names = ("Threshold", "EvaluationPeriods", "DatapointsToAlarm")
    return {name: number(template, properties[name]) for name in names}


OF_OURS: Final = _of_ours()


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, float], list[Datum]]:
    """What a function deployed by the template writes when it counts."""
    for name, value in _deployed(read()["Globals"]["Function"]["Environment"]["Variables"]).items():
        monkeypatch.setenv(name, value)

    def count(name: str, value: float) -> list[Datum]:
        log = io.StringIO()
        with redirect_stdout(log):
            observability.count(name, value)
        return list(embedded(log.getvalue()))

    return count


@pytest.mark.parametrize("name", OF_OURS)
def test_an_alarm_watches_what_the_functions_count(name: str, written: Callable[[str, float], list[Datum]]) -> None:
    """Namespace, name and dimensions are those that are written: else the alarm would be silent for ever."""
    alarm = OF_OURS[name]
    assert alarm["Dimensions"] == SERVICE, "another stack in the account would ring it, or keep it silent"
    now, silent_is_bad = time.time(), alarm["TreatMissingData"] == "breaching"
    counted = written(alarm["MetricName"], alarm["Threshold"] + (0 if silent_is_bad else 1))
    ages = [alarm["Period"] * (back + 0.5) for back in range(alarm["EvaluationPeriods"])]
    every_period = [datum._replace(at=now - age) for age in ages for datum in counted]
    assert evaluate(alarm, [], now).state == (ALARM if silent_is_bad else OK)
    assert evaluate(alarm, every_period, now).state == (OK if silent_is_bad else ALARM)
