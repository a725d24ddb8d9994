"""Objectives, alarms, the dashboard, queues and the runbook belong together: none without the others."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

import pytest

from infra import alarms
from infra.template import ALARMS, TEMPLATE, loaded, read
from tests.infra.reading import ROOT, Template, events, functions, of_type

RUNBOOK: Final = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
PARTS: Final = ("**Means:**", "**Look at:**", "**Mend:**")


@pytest.fixture(scope="module")
def template() -> Template:
    return read()


def sections() -> dict[str, str]:
    """The text of each of the runbook's sections by its title."""
    parts = re.split(r"^### (.+)$", RUNBOOK, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_the_alarms_are_what_the_objectives_say() -> None:
    assert ALARMS.read_text(encoding="utf-8") == alarms.written(loaded(TEMPLATE)), "`make alarms` writes them anew"


def test_alarms_of_other_objectives_are_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = tmp_path / "objectives.toml"
    changed.write_text(alarms.OBJECTIVES.read_text(encoding="utf-8").replace("above = 500", "above = 600"))
    monkeypatch.setattr(alarms, "OBJECTIVES", changed)
    monkeypatch.setattr(alarms, "ALARMS", tmp_path / "alarms.yaml")
    alarms.main()
    anew = (tmp_path / "alarms.yaml").read_text(encoding="utf-8")
    assert anew == alarms.written(loaded(TEMPLATE)) != ALARMS.read_text(encoding="utf-8")
    assert read(TEMPLATE, tmp_path / "alarms.yaml")["Resources"]["LookUpsSlowAlarm"]["Properties"]["Threshold"] == 600


def test_alarms_of_other_queues_are_caught() -> None:
    template = loaded(TEMPLATE)
    del template["Resources"]["SmsDeadLetters"]
    assert ALARMS.read_text(encoding="utf-8") != alarms.written(template)


def test_every_alarm_is_of_an_objective(template: Template) -> None:
    known = {alarm.name for alarm in alarms.alarms(template)}
    strangers = of_type(template, "AWS::CloudWatch::Alarm").keys() - known
    assert not strangers, "describe it in infra/objectives.toml and run `make alarms`"


def test_every_objective_has_an_alarm(template: Template) -> None:
    assert {alarm.objective for alarm in alarms.alarms(template)} == alarms.objectives().keys()


def test_an_alarm_exists_where_what_it_watches_exists(template: Template) -> None:
    for alarm in alarms.alarms(template):
        watched = template["Resources"][alarm.about] if alarm.about else {}
        assert alarm.condition == watched.get("Condition"), alarm.name


def test_every_metric_of_ours_is_counted_somewhere() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "functions").rglob("*.py"))
    counted = set(re.findall(r'count\(\s*"(\w+)"', source))
    outcomes = {
        f"Sms{status.title().replace('_', '')}" for status in re.findall(r'^[A-Z_]+: Final = "(\w+)"', source, re.M)
    }
    named = {one["metric"][1] for one in alarms.objectives().values() if one["metric"][0] == "Gharama"}
    assert named <= counted | outcomes


def test_an_alarm_that_silence_rings_is_there_only_with_who_would_speak(template: Template) -> None:
    for name, objective in alarms.objectives().items():
        assert (objective.get("silence") == "breaching") == ("by" in objective), name
        assert "by" not in objective or objective["by"] in functions(template), name


def test_silence_is_heard_within_hours() -> None:
    """CloudWatch decides by older data points while there are any within some more periods than the alarm's own.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
    """
    for name, objective in alarms.objectives().items():
        if "by" in objective:
            assert objective["period"] <= 3600, f"{name} would ring days too late"
            assert objective["times"] == objective["of_last"] != 1, name


def test_a_function_that_runs_once_a_day_is_missed_by_an_alarm(template: Template) -> None:
    """It fails but once a day; and it may also not run at all."""
    missed = {one["by"]: one["metric"][1] for one in alarms.objectives().values() if "by" in one}
    daily = {name for name, event in events(template, "Schedule") if alarms.is_daily(template, event["Schedule"])}
    assert daily
    assert daily <= missed.keys()
    for name in daily:
        module = functions(template)[name]["Handler"].rpartition(".")[0].replace(".", "/")
        source = (ROOT / "functions" / f"{module}.py").read_text(encoding="utf-8")
        assert f'count("{missed[name]}"' in source, f"nobody hears where {name} does not run"


def test_every_threshold_that_is_a_parameter_is_there(template: Template) -> None:
    for objective in alarms.objectives().values():
        for name in ("above", "below", "times", "of_last"):
            value = objective.get(name)
            assert not isinstance(value, str) or value in template["Parameters"]


def behind_api(template: Template) -> set[str]:
    """The functions that a request can reach: those with a route, and the authorizer."""
    routed = {name for name, _ in events(template, "HttpApi")}
    return routed | {name for name in functions(template) if name.endswith("Authorizer")}


def test_what_is_behind_the_api_is_tried_first_and_undone_by_its_own_alarm(template: Template) -> None:
    """And nothing else is: what reads queues, streams and schedules changes at once."""
    shifted = {name: each for name, each in functions(template).items() if "DeploymentPreference" in each}
    assert shifted.keys() == behind_api(template)
    for name, function in shifted.items():
        preference = function["DeploymentPreference"]
        watched, undoing, otherwise = preference["Alarms"]["Fn::If"]
        assert template["Conditions"][watched] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "Rollout"}, "AllAtOnce"]}]}
        assert otherwise == [], "without a list, those of the deployment before would stay"
        assert undoing == [{"Ref": f"{name}NewVersionFailingAlarm"}]
        assert preference["Hooks"] == {"PreTraffic": {"Ref": "RolloutBeforeTraffic"}}
        assert (preference["Type"], preference["PassthroughCondition"]) == ({"Ref": "Rollout"}, True)


def test_each_new_version_is_tried(template: Template) -> None:
    _, versions = functions(template)["RolloutBeforeTraffic"]["Environment"]["Variables"]["VERSIONS"]["Fn::Join"]
    tried = {}
    for version in versions:
        condition, choice, none = version.get("Fn::If", (None, version, ""))
        tried[choice["Ref"].removesuffix(".Version")] = condition
        assert none == ""
    conditions = {name: template["Resources"][name].get("Condition") for name in behind_api(template)}
    assert tried == conditions


@pytest.mark.parametrize("holds", [True, False])
def test_the_dashboard_shows_every_alarm_that_is_there(template: Template, holds: bool) -> None:
    """holds: whether the conditions do, under which some alarms are made."""
    text, parts = of_type(template, "AWS::CloudWatch::Dashboard")["Dashboard"]["DashboardBody"]["Fn::Sub"]
    for name, choice in parts.items():
        _, then, otherwise = choice["Fn::If"]
        text = text.replace(f"${{{name}}}", then["Fn::Sub"] if holds else otherwise)
    states, *graphs = json.loads(text)["widgets"]
    there = [alarm for alarm in alarms.alarms(template) if holds or alarm.condition is None]
    assert sorted(states["properties"]["alarms"]) == sorted(f"${{{alarm.name}.Arn}}" for alarm in there)
    titles = {graph["properties"]["title"].partition(":")[0] for graph in graphs}
    assert titles == {alarm.objective for alarm in there}
    assert sum(len(graph["properties"]["metrics"]) for graph in graphs) == len(there)


# ---------------------------------------------------------------- the runbook


def test_what_wakes_somebody_is_little(template: Template) -> None:
    waking = {name for name, objective in alarms.objectives().items() if "wake" in objective}
    assert 0 < len(waking) <= 10
    for alarm in alarms.alarms(template):
        expected = alarms.WAKE if alarm.objective in waking else alarms.MORNING
        assert template["Resources"][alarm.name]["Properties"]["AlarmActions"] == [{"Ref": expected}]
    assert RUNBOOK.index("<!-- wake -->") < RUNBOOK.index("## Commands")


@pytest.mark.parametrize("objective", alarms.objectives())
def test_the_runbook_says_what_to_do(objective: str) -> None:
    section = sections().get(objective)
    assert section is not None, f"docs/runbook.md has no section `### {objective}`"
    places = [section.find(part) for part in PARTS]
    assert -1 not in places, f"{objective} lacks one of {PARTS}"
    assert places == sorted(places)
    assert "make " in section[places[2] :], f"{objective} names no command that mends it"


def test_the_runbook_speaks_of_nothing_that_is_not_there() -> None:
    assert sections().keys() - alarms.objectives().keys() == set()
