"""The operator in a drill: has the alarms as they are deployed, the runbook and a terminal, and says what is seen.

The metrics of queues are asked for at each look, those of the functions read from their logs; the deployed alarm's own
expression judges both. Its minutes pass in seconds, or a drill would last hours.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any, Final

from tests.support.cloud import ROOT, Cloud, wait_for
from tests.support.metrics import ALARM, OK, Datum, Evaluation, Metric, embedded, evaluate

PACE: Final = 60
"""How many seconds of an alarm pass in one of the drill."""

_BEYOND: Final = {"GreaterThanThreshold": "above", "LessThanThreshold": "below"}


class Alarms:
    """The deployed alarms, and what their metrics have stood at."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._depths: list[Datum] = []

    def find(self, objective: str, about: str) -> dict[str, Any]:
        """The alarm of an objective. about: part of the name of what it watches, where there are several."""
        pages = self._cloud.aws("cloudwatch").get_paginator("describe_alarms").paginate()
        found = [
            alarm
            for page in pages
            for alarm in page["MetricAlarms"]
            if alarm["AlarmDescription"].endswith(f"#{objective.lower()}")
            and any(about in dimension["Value"] for dimension in alarm["Dimensions"])
        ]
        (alarm,) = found
        return dict(alarm)

    def evaluation(self, alarm: dict[str, Any]) -> Evaluation:
        """How an alarm stands now."""
        if alarm["Namespace"] == "AWS/SQS":
            self._depths.append(Datum(Metric.of(alarm), time.time(), [self._depth(alarm)]))
        return evaluate(alarm, [*self._depths, *embedded(self._cloud.logged())], time.time(), pace=PACE)

    def _depth(self, alarm: dict[str, Any]) -> float:
        (queue,) = (one["Value"] for one in alarm["Dimensions"] if one["Name"] == "QueueName")
        sqs = self._cloud.aws("sqs")
        url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
        return float(attributes["Attributes"]["ApproximateNumberOfMessages"])


class Operator:
    """say: where what is done and seen is told."""

    def __init__(self, cloud: Cloud, say: Callable[[str], None]) -> None:
        self._cloud = cloud
        self._alarms = Alarms(cloud)
        self._say = say
        self._runbook = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")

    def tells(self, what: str, text: str) -> None:
        """Say a line of the drill under a word of its margin."""
        self._say(f"  {what:8} {text}")

    def is_called(self, objective: str, about: str = "", meanwhile: Callable[[], object] | None = None) -> None:
        """An alarm rings. meanwhile: what goes on between two looks at it."""
        self._awaits(ALARM, objective, about, meanwhile)
        self.tells("Runbook", f"docs/runbook.md#{objective.lower()}")

    def is_not_called_any_more(self, objective: str, about: str = "") -> None:
        """An alarm is quiet again."""
        self._awaits(OK, objective, about, None)

    def follows(self, objective: str, beginning: str) -> str:
        """Run the command of an objective's section that begins so; returns what it says."""
        section = re.split(r"^### ", self._runbook.partition(f"### {objective}\n")[2], flags=re.MULTILINE)[0]
        return self.run(next(one for one in re.findall(r"`(make [^`]+)`", section) if one.startswith(beginning)))

    def run(self, command: str) -> str:
        """What a command says."""
        done = self._cloud.operate(command)
        assert done.returncode == 0, done.stdout + done.stderr
        self._say(f"  $ {command}")
        for line in done.stdout.splitlines():
            self._say(f"      {line}")
        return done.stdout

    def finds_nothing_left(self) -> None:
        """Nothing lies among the dead letters and failed records."""
        lying = [line for line in self.run("make replay").splitlines() if not line.endswith(": 0")]
        assert lying == []

    def _awaits(self, state: str, objective: str, about: str, meanwhile: Callable[[], object] | None) -> None:
        alarm = self._alarms.find(objective, about)

        def look() -> Evaluation | None:
            if meanwhile:
                meanwhile()
            evaluation = self._alarms.evaluation(alarm)
            return evaluation if evaluation.state == state else None

        evaluation = wait_for(look, 240, f"{objective} is {state}", every=1)
        name = alarm["AlarmName"].removeprefix("gharama-").partition("-")[0]
        points = ", ".join("none" if point is None else f"{point:g}" for point in evaluation.points)
        rings = f"rings {_BEYOND[alarm['ComparisonOperator']]} {alarm['Threshold']:g}"
        periods = f"{alarm['DatapointsToAlarm']} of {alarm['EvaluationPeriods']} periods of {alarm['Period']} s"
        self.tells("Alarm", f"{name}: {alarm['MetricName']} {points}; {rings} in {periods}: {state}")
