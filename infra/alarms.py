"""`make alarms`: infra/alarms.yaml, the alarms and the dashboard, written whole from infra/objectives.toml."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter
from textwrap import indent
from typing import Any, Final, NamedTuple

from infra.template import ALARMS, ROOT, TEMPLATE, Template, loaded

OBJECTIVES: Final = ROOT / "infra" / "objectives.toml"

WAKE: Final = "WakeTopic"
"""Where what cannot wait speaks."""
MORNING: Final = "OperatorTopic"
"""Where all else does."""

_HEADER: Final = (
    "# Written by `make alarms` from infra/objectives.toml: change it there. It is joined to template.yaml.\n"
)
_OWN: Final = "Gharama"
_STACK: Final = {"Name": "service", "Value": {"Ref": "AWS::StackName"}}
"""By what our metrics are told apart from those of another stack in the account."""

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
    """The text of alarms.yaml. template: template.yaml, joined or alone."""
    found = alarms(template)
    return "\n".join([f"{_HEADER}Resources:", *map(_resource, found), _dashboard(found)])


def main() -> None:
    """Write them."""
    ALARMS.write_text(written(loaded(TEMPLATE)), encoding="utf-8")


# ---------------------------------------------------------------- what an objective is about


def _of_objective(name: str, objective: Json, template: Template) -> Iterator[Alarm]:
    resources = template["Resources"]
    kind = objective.get("each")
    if kind is None:
        dimensions = [_dimension(key, resources, about) for key, about in _about(objective)]
        about = objective.get("by") or next((about for _, about in _about(objective)), None)
        condition = resources[about].get("Condition") if about else None
        told_apart = [_STACK] if objective["metric"][0] == _OWN else dimensions
        yield Alarm(f"{name}Alarm", name, about, _properties(name, objective, told_apart), condition)
        return
    for about, dimension in sorted(_KINDS[kind](template), key=itemgetter(0)):
        alarm = f"{about}Alarm" if kind == "dead letters" else f"{about}{name}Alarm"
        properties = _properties(name, objective, [dimension])
        if kind == VERSIONS:
            properties = _of_version(about, objective, properties)
        yield Alarm(alarm, name, about, properties, resources[about].get("Condition"))


def _about(objective: Json) -> list[tuple[str, str]]:
    return list(objective.get("of", {}).items())


def _dimension(key: str, resources: Json, name: str) -> Json:
    """A resource as a dimension of a metric."""
    is_queue = resources[name]["Type"] == "AWS::SQS::Queue"
    return {"Name": key, "Value": {"Fn::GetAtt": [name, "QueueName"]} if is_queue else {"Ref": name}}


def _dead_letters(template: Template) -> Iterator[tuple[str, Json]]:
    resources = template["Resources"]
    for name, resource in resources.items():
        if resource["Type"] == "AWS::SQS::Queue" and "RedrivePolicy" not in resource["Properties"]:
            yield name, _dimension("QueueName", resources, name)


def _events(template: Template, kind: str) -> Iterator[tuple[str, str, Json]]:
    """Every event of a kind: its function, its name and its properties."""
    for name, resource in template["Resources"].items():
        events = resource.get("Properties", {}).get("Events", {}) if "Function" in resource["Type"] else {}
        yield from ((name, event, one["Properties"]) for event, one in events.items() if one["Type"] == kind)


def _streams(template: Template) -> Iterator[tuple[str, Json]]:
    for name, _, _ in _events(template, "DynamoDB"):
        yield name, _dimension("FunctionName", template["Resources"], name)


def _mappings(template: Template) -> Iterator[tuple[str, Json]]:
    for name, event, _ in _events(template, "DynamoDB"):
        yield name, {"Name": "EventSourceMappingUUID", "Value": {"Ref": f"{name}{event}"}}  # as SAM names it


def _schedules(template: Template) -> Iterator[tuple[str, Json]]:
    for name, _, properties in _events(template, "Schedule"):
        if not is_daily(template, properties["Schedule"]):
            yield name, _dimension("FunctionName", template["Resources"], name)


def is_daily(template: Template, schedule: str | Json) -> bool:
    """Whether a schedule, or the default of the parameter that gives it, names one hour of the day."""
    text = template["Parameters"][schedule["Ref"]]["Default"] if isinstance(schedule, dict) else schedule
    return re.match(r"cron\(\d+ \d+ ", text) is not None


def _behind_api(template: Template) -> Iterator[tuple[str, Json]]:
    for name, resource in template["Resources"].items():
        if "DeploymentPreference" in resource.get("Properties", {}):
            yield name, _dimension("FunctionName", template["Resources"], name)


VERSIONS: Final = "new versions"
_KINDS: Final[dict[str, Callable[[Template], Iterator[tuple[str, Json]]]]] = {
    "dead letters": _dead_letters,
    "streams": _streams,
    "stream mappings": _mappings,
    "schedules": _schedules,
    VERSIONS: _behind_api,
}
"""What an objective may be about each of: a resource's name, and the dimension by which its metrics are told apart."""


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
        # A percentile of a few calls is one call: at night one slow look-up would ring.
        **({"EvaluateLowSampleCountPercentile": "ignore"} if which == "ExtendedStatistic" else {}),
        "AlarmActions": [{"Ref": WAKE if "wake" in objective else MORNING}],
    }
    return properties


def _of_version(function: str, objective: Json, properties: Json) -> Json:
    """Errors of the version that is being tried, and its answers with 500, as a part of its calls.

    Lambda tells versions apart behind an alias by ExecutedVersion, while the alias points to two of them.
    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-view.html
    """
    version = {"Fn::GetAtt": [function, "Version.Version"]}
    of_lambda = [
        {"Name": "FunctionName", "Value": {"Ref": function}},
        {"Name": "Resource", "Value": {"Fn::Sub": f"${{{function}}}:live"}},
        {"Name": "ExecutedVersion", "Value": version},
    ]
    ours = [_STACK, {"Name": "function", "Value": {"Ref": function}}, {"Name": "version", "Value": version}]
    sums = [
        _sum("calls", "AWS/Lambda", "Invocations", of_lambda, objective),
        _sum("errors", "AWS/Lambda", "Errors", of_lambda, objective),
        _sum("answers", _OWN, "ServerErrors", ours, objective),
    ]
    # Of a version that never answered with 500 there is no such metric at all: SUM passes over it.
    part = {"Id": "part", "Expression": "SUM([errors, answers]) / calls", "Label": "part of the calls that fail"}
    left_out = {"Namespace", "MetricName", "Dimensions", "Statistic", "Period"}
    return {
        **{name: value for name, value in properties.items() if name not in left_out},
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "Metrics": [part, *sums],
    }


def _sum(name: str, namespace: str, metric: str, dimensions: list[Json], objective: Json) -> Json:
    about = {"Namespace": namespace, "MetricName": metric, "Dimensions": dimensions}
    stat = {"Metric": about, "Period": objective["period"], "Stat": "Sum"}
    return {"Id": name, "ReturnData": False, "MetricStat": stat}


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
        case {"Fn::Sub": str(text)}:
            return f"!Sub {_json(text)}"
        case dict():
            return "{" + ", ".join(f"{key}: {_flow(inner)}" for key, inner in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_flow, value)) + "]"
        case str() if re.fullmatch(r"[A-Za-z][A-Za-z0-9/]*", value):
            return value
    return _json(value)


# ---------------------------------------------------------------- the dashboard


def _dashboard(found: list[Alarm]) -> str:
    """All alarms, and one widget an objective, its threshold drawn in; what is made under a condition is shown so."""
    conditions = sorted({alarm.condition for alarm in found if alarm.condition})
    always = [alarm for alarm in found if alarm.condition is None]
    alarms = _arns(always) + "".join(f"${{{name}Alarms}}" for name in conditions)
    graphs = _graphs(always) + "".join(f"${{{name}Graphs}}" for name in conditions)
    states = _widget("alarm", _COLUMNS * _WIDTH, 4, ['"title": "Alarms"', _block('"alarms": [', [alarms], "]")])
    lines = [
        "  Dashboard:",
        "    Type: AWS::CloudWatch::Dashboard",
        "    Properties:",
        "      DashboardName: !Ref AWS::StackName",
        "      DashboardBody: !Sub",
        "        - |-",
        indent(_block('{"widgets": [', [states, graphs], "]}"), " " * 10),
    ]
    dash = "-"
    for name in conditions:
        only = [alarm for alarm in found if alarm.condition == name]
        for part, text in (("Alarms", _arns(only)), ("Graphs", _graphs(only))):
            lines += [
                f"        {dash} {name}{part}: !If",
                f"            - {name}",
                "            - !Sub |-",
                indent(",\n" + text, " " * 14),
                '            - ""',
            ]
            dash = " "
    return "\n".join([*lines, ""])


def _arns(alarms: list[Alarm]) -> str:
    """Alarms as elements of a JSON array."""
    return ",\n".join(f'"${{{alarm.name}.Arn}}"' for alarm in alarms)


def _graphs(alarms: list[Alarm]) -> str:
    """The widgets of alarms, one an objective, as elements of a JSON array."""
    names = dict.fromkeys(alarm.objective for alarm in alarms)
    return ",\n".join(_graph(name, [alarm for alarm in alarms if alarm.objective == name]) for name in names)


def _graph(name: str, of_it: list[Alarm]) -> str:
    objective = objectives()[name]
    namespace, metric, statistic = objective["metric"]
    threshold = objective.get("above", objective.get("below"))
    properties: Json = {
        "title": f"{name}: {objective['says']}",
        "region": "${AWS::Region}",
        "stat": statistic,
        "period": objective["period"],
    }
    if isinstance(threshold, int):
        properties["annotations"] = {"horizontal": [{"value": threshold}]}
    members = [f'"{key}": {_json(value)}' for key, value in properties.items()]
    series = _block('"metrics": [', [_json(_series(alarm, namespace, metric)) for alarm in of_it], "]")
    return _widget("metric", _WIDTH, _HEIGHT, [*members, series])


def _widget(kind: str, width: int, height: int, properties: list[str]) -> str:
    head = f'{{"type": "{kind}", "width": {width}, "height": {height}, "properties": {{'
    return _block(head, properties, "}}")


def _block(opening: str, members: Iterable[str], closing: str) -> str:
    """JSON over several lines, its members set in."""
    return "\n".join([opening, indent(",\n".join(members), "  "), closing])


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _series(alarm: Alarm, namespace: str, metric: str) -> list[str]:
    of_version = alarm.properties.get("Metrics", [])
    dimensions = of_version[1]["MetricStat"]["Metric"]["Dimensions"] if of_version else alarm.properties["Dimensions"]
    named = [text for dimension in dimensions for text in (dimension["Name"], _substituted(dimension["Value"]))]
    return [namespace, metric, *named]


def _substituted(value: str | Json) -> str:
    match value:
        case {"Ref": str(name)}:
            return f"${{{name}}}"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"${{{name}.{attribute}}}"
        case {"Fn::Sub": str(text)}:
            return text
    return str(value)


if __name__ == "__main__":
    main()
