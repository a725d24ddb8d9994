"""`make alarms`: the alarms and the dashboard of template.yaml, written from infra/objectives.toml.

They stand between two comments near the end of the template. A test holds that what stands there is what this writes.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from infra.local.localize import Template, parse

ROOT: Final = Path(__file__).resolve().parents[1]
OBJECTIVES: Final = ROOT / "infra" / "objectives.toml"
TEMPLATE: Final = ROOT / "template.yaml"
BEGIN: Final = "  # -------- written by `make alarms` from infra/objectives.toml: change it there\n"
END: Final = "  # -------- up to here\n"

_OWN: Final = "Gharama"
_COLUMNS: Final = 3
_WIDTH: Final = 8
_HEIGHT: Final = 5

Json = dict[str, Any]


class Alarm(NamedTuple):
    """An alarm of the template. name: its logical id; objective: what it is of; about: the resource that it watches."""

    name: str
    objective: str
    about: str | None
    properties: Json
    condition: str | None


def objectives() -> dict[str, Json]:
    """The objectives by name."""
    return tomllib.loads(OBJECTIVES.read_text(encoding="utf-8"))


def alarms(template: Template) -> list[Alarm]:
    """An alarm for each objective, and for each of its resources where it is about a kind of them."""
    return [alarm for name, objective in objectives().items() for alarm in _of_objective(name, objective, template)]


def section(objective: str) -> str:
    """The anchor of an objective's section in the runbook."""
    return objective.lower()


def written(template: Template) -> str:
    """The lines of the template that say all this."""
    found = alarms(template)
    return "\n".join([*map(_resource, found), _dashboard(found), ""])


def main() -> None:
    """Write them into the template."""
    text = TEMPLATE.read_text(encoding="utf-8")
    pattern = f"(?<={re.escape(BEGIN)}).*(?={re.escape(END)})"
    TEMPLATE.write_text(re.sub(pattern, lambda _: written(parse(text)), text, flags=re.DOTALL), encoding="utf-8")


# ---------------------------------------------------------------- what an objective is about


def _of_objective(name: str, objective: Json, template: Template) -> Iterator[Alarm]:
    resources = template["Resources"]
    kind = objective.get("each")
    if kind is None:
        dimensions = [{"Name": key, "Value": _value(resources[about], about)} for key, about in _about(objective)]
        about = next((about for _, about in _about(objective)), None)
        condition = resources[about].get("Condition") if about else None
        own = [{"Name": "service", "Value": _OWN.lower()}] if objective["metric"][0] == _OWN else dimensions
        yield Alarm(f"{name}Alarm", name, about, _properties(name, objective, own), condition)
        return
    dimension = "QueueName" if kind == "dead letters" else "FunctionName"
    for about in sorted(_KINDS[kind](resources)):
        own = [{"Name": dimension, "Value": _value(resources[about], about)}]
        alarm = f"{about}Alarm" if kind == "dead letters" else f"{about}{name}Alarm"
        yield Alarm(alarm, name, about, _properties(name, objective, own), resources[about].get("Condition"))


def _about(objective: Json) -> list[tuple[str, str]]:
    return list(objective.get("of", {}).items())


def _value(resource: Json, name: str) -> Json:
    return {"Fn::GetAtt": [name, "QueueName"]} if resource["Type"] == "AWS::SQS::Queue" else {"Ref": name}


def _dead_letters(resources: Json) -> Iterator[str]:
    for name, resource in resources.items():
        if resource["Type"] == "AWS::SQS::Queue" and "RedrivePolicy" not in resource["Properties"]:
            yield name


def _with_event(resources: Json, kind: str) -> Iterator[str]:
    for name, resource in resources.items():
        events = resource.get("Properties", {}).get("Events", {}) if "Function" in resource["Type"] else {}
        if any(event["Type"] == kind for event in events.values()):
            yield name


_KINDS: Final[dict[str, Callable[[Json], Iterator[str]]]] = {
    "dead letters": _dead_letters,
    "streams": lambda resources: _with_event(resources, "DynamoDB"),
    "schedules": lambda resources: _with_event(resources, "Schedule"),
}


# ---------------------------------------------------------------- how it is written


def _properties(name: str, objective: Json, dimensions: list[Json]) -> Json:
    namespace, metric, statistic = objective["metric"]
    which = "ExtendedStatistic" if statistic.startswith("p") else "Statistic"
    above = "above" in objective
    times: int | str = objective.get("times", 1)
    threshold: int | str = objective["above" if above else "below"]
    last: int | str = objective.get("of_last", 1)
    properties: Json = {
        "AlarmDescription": f"{objective['says']}: docs/runbook.md#{section(name)}",
        "Namespace": namespace,
        "MetricName": metric,
        "Dimensions": dimensions,
        which: statistic,
        "Period": objective["period"],
        "EvaluationPeriods": _parameter(last),
        "DatapointsToAlarm": _parameter(times),
        "Threshold": _parameter(threshold),
        "ComparisonOperator": "GreaterThanThreshold" if above else "LessThanThreshold",
        "TreatMissingData": objective.get("silence", "notBreaching"),
        "AlarmActions": [{"Ref": "OperatorTopic"}],
    }
    return properties


def _parameter(value: int | str) -> int | Json:
    return {"Ref": value} if isinstance(value, str) else value


def _resource(alarm: Alarm) -> str:
    lines = [f"  {alarm.name}:", "    Type: AWS::CloudWatch::Alarm"]
    if alarm.condition:
        lines.append(f"    Condition: {alarm.condition}")
    lines.append("    Properties:")
    lines += [f"      {name}: {_flow(value)}" for name, value in alarm.properties.items()]
    return "\n".join([*lines, ""])


def _flow(value: Any) -> str:
    """A value in YAML's flow style, which is JSON with fewer quotes."""
    match value:
        case {"Ref": str(name)}:
            return f"!Ref {name}"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"!GetAtt {name}.{attribute}"
        case dict():
            return "{" + ", ".join(f"{key}: {_flow(inner)}" for key, inner in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_flow, value)) + "]"
        case str() if re.fullmatch(r"[A-Za-z][A-Za-z0-9/]*", value):
            return value
    return json.dumps(value, ensure_ascii=False)


# ---------------------------------------------------------------- the dashboard


def _dashboard(found: list[Alarm]) -> str:
    """One widget an objective, its threshold drawn in; what exists only under a condition is left out."""
    shown = [alarm for alarm in found if alarm.condition is None]
    names = list(dict.fromkeys(alarm.objective for alarm in shown))
    states = {
        "type": "alarm",
        "width": _COLUMNS * _WIDTH,
        "height": 4,
        "properties": {"title": "Alarms", "alarms": [f"${{{alarm.name}.Arn}}" for alarm in shown]},
    }
    graphs = [_widget(name, [alarm for alarm in shown if alarm.objective == name]) for name in names]
    body = json.dumps({"widgets": [states, *graphs]}, ensure_ascii=False).replace("'", "''")
    return "\n".join(
        [
            "  Dashboard:",
            "    Type: AWS::CloudWatch::Dashboard",
            "    Properties:",
            "      DashboardName: !Ref AWS::StackName",
            f"      DashboardBody: !Sub '{body}'",
            "",
        ]
    )


def _widget(name: str, of_it: list[Alarm]) -> Json:
    objective = objectives()[name]
    namespace, metric, statistic = objective["metric"]
    threshold = objective.get("above", objective.get("below"))
    properties: Json = {
        "title": f"{name}: {objective['says']}",
        "region": "${AWS::Region}",
        "stat": statistic,
        "period": objective["period"],
        "metrics": [_series(alarm, namespace, metric) for alarm in of_it],
    }
    if isinstance(threshold, int):
        properties["annotations"] = {"horizontal": [{"value": threshold}]}
    return {"type": "metric", "width": _WIDTH, "height": _HEIGHT, "properties": properties}


def _series(alarm: Alarm, namespace: str, metric: str) -> list[str]:
    dimensions = alarm.properties["Dimensions"]
    named = [text for dimension in dimensions for text in (dimension["Name"], _substituted(dimension["Value"]))]
    return [namespace, metric, *named]


def _substituted(value: str | Json) -> str:
    match value:
        case {"Ref": str(name)}:
            return f"${{{name}}}"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"${{{name}.{attribute}}}"
    return str(value)


if __name__ == "__main__":
    main()
