"""The structure of ``template.yaml`` keeps every rule, and every rule is shown to catch templates that break it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from tests.infra import reading, rules
from tests.infra.reading import Template, as_list, events, functions
from tests.infra.rules import ANY_RESOURCE, OPEN_ROUTES, READ_BY_POWERTOOLS, RULES, statements
from tests.source_tree import SourceTree


@pytest.fixture(scope="module")
def template() -> Template:
    return reading.read()


@pytest.fixture
def broken(template: Template) -> Template:
    """A copy to break."""
    return copy.deepcopy(template)


@pytest.mark.parametrize("name", RULES)
def test_the_template_keeps_every_rule(template: Template, name: str) -> None:
    assert not list(RULES[name](template))


def test_there_is_something_to_hold_to_the_rules(template: Template) -> None:
    assert len(list(events(template, "HttpApi"))) >= 9
    assert len(list(events(template, "DynamoDB"))) >= 2
    assert len(list(events(template, "SQS"))) >= 3
    assert len(list(statements(template))) >= len(functions(template))


def test_every_reviewed_wildcard_is_still_there(template: Template) -> None:
    used = {
        (name, action)
        for name, statement in statements(template)
        for action in as_list(statement["Action"])
        if statement["Effect"] == "Allow" and statement["Resource"] == "*"
    }
    assert used == set(ANY_RESOURCE)


# ---------------------------------------------------------------- a broken template is caught


def _of(template: Template, name: str) -> dict[str, Any]:
    """The properties of a resource."""
    properties: dict[str, Any] = template["Resources"][name]["Properties"]
    return properties


def _event(template: Template, function: str, event: str) -> dict[str, Any]:
    properties: dict[str, Any] = _of(template, function)["Events"][event]["Properties"]
    return properties


def _paths(template: Template) -> dict[str, Any]:
    paths: dict[str, Any] = _of(template, "Api")["DefinitionBody"]["paths"]
    return paths


class Mutation(NamedTuple):
    """A way to break the template: the rule that catches it, the change, and what is found."""

    rule: str
    change: Callable[[Template], object]
    found: set[str]


def _drop(name: str, part: str) -> Callable[[Template], object]:
    return lambda template: _of(template, name).pop(part)


def _set(name: str, part: str, value: object) -> Callable[[Template], object]:
    return lambda template: _of(template, name).__setitem__(part, value)


def _grant(action: str | list[str], resource: object) -> Callable[[Template], object]:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    return lambda template: _of(template, "QueryApi")["Policies"][0]["Statement"].append(statement)


_CLOSED: Final = {"security": [{"Citizen": []}]}

MUTATIONS: Final = {
    "a route without its authorizer": Mutation(
        "doors",
        lambda template: _paths(template)["/v1/queries"]["post"].update(security=[]),
        {"QueryApi POST /v1/queries is open"},
    ),
    "a route that the definition does not name": Mutation(
        "doors", lambda template: _paths(template)["/v1/me"].pop("patch"), {"QueryApi PATCH /v1/me is open"}
    ),
    "a named route without a function": Mutation(
        "doors",
        lambda template: _paths(template).update({"/v1/more": {"get": _CLOSED}}),
        {"GET /v1/more is answered by nobody"},
    ),
    "an event that opens a door by itself": Mutation(
        "doors",
        lambda template: _event(template, "QueryApi", "AskByPlate").update(Auth={"Authorizer": "NONE"}),
        {"QueryApi POST /v1/queries says otherwise than the API's definition"},
    ),
    "a closed door for the gateway": Mutation(
        "doors",
        lambda template: _paths(template).update({"/v1/callbacks/{gateway}": {"post": _CLOSED}}),
        {"PayOnCallback POST /v1/callbacks/{gateway} is closed"},
    ),
    "a queue that gives up nothing": Mutation(
        "queues",
        _drop("SmsQueue", "RedrivePolicy"),
        {"SmsQueue: not has dead letters", "SmsQueue: not keeps dead letters for two weeks"},
    ),
    "dead letters that are soon forgotten": Mutation(
        "queues",
        _drop("FileDeadLetters", "MessageRetentionPeriod"),
        {"FileQueue: not keeps dead letters for two weeks"},
    ),
    "a batch that fails as a whole": Mutation(
        "queues",
        lambda template: _event(template, "NotifySendSms", "Due").pop("FunctionResponseTypes"),
        {"SmsQueue: not reports its failures"},
    ),
    "a message shown again too soon": Mutation(
        "queues",
        lambda template: template["Parameters"]["ChunkVisibility"].update(Default=359),
        {"ChunkQueue: not hides a message six times as long as its function runs"},
    ),
    "a queue that nobody reads": Mutation(
        "ends",
        lambda template: template["Resources"].update(
            Forgotten={"Type": "AWS::SQS::Queue", "Properties": dict(_of(template, "SmsQueue"))}
        ),
        {"Forgotten feeds no function and nothing ends there"},
    ),
    "a schedule that is retried for hours": Mutation(
        "calls",
        _drop("NotifySweep", "EventInvokeConfig"),
        {"NotifySweep: not bounds its retries", "NotifySweep: not bounds the age"},
    ),
    "a subscription that drops what failed": Mutation(
        "calls",
        lambda template: _of(template, "NotifyOnDelivery")["EventInvokeConfig"].pop("DestinationConfig"),
        {"NotifyOnDelivery: not keeps what failed"},
    ),
    "dead letters that nobody hears of": Mutation(
        "alarms",
        lambda template: template["Resources"].pop("SmsDeadLettersAlarm"),
        {"SmsDeadLetters fills without an alarm; `make alarms` writes it"},
    ),
    "an alarm that calls nobody": Mutation(
        "alarms", _drop("SmsDeadLettersAlarm", "AlarmActions"), {"SmsDeadLettersAlarm calls nobody"}
    ),
    "logs that are kept for ever": Mutation(
        "logs", _drop("PayApiLogs", "RetentionInDays"), {"PayApiLogs is kept for ever"}
    ),
    "a function that logs where nobody set a limit": Mutation(
        "logs", _drop("QueryApi", "LoggingConfig"), {"QueryApi has no log group"}
    ),
    "two functions in one log": Mutation(
        "logs",
        _set("NotifySweep", "LoggingConfig", {"LogGroup": {"Ref": "NotifySendSmsLogs"}}),
        {"NotifySweep shares its log group", "NotifySendSms shares its log group"},
    ),
    "an answer later than the API waits": Mutation(
        "limits", _set("PayApi", "Timeout", 31), {"PayApi may run 31 s, longer than the API waits"}
    ),
    "a run that overtakes the next": Mutation(
        "limits", _set("NotifySweep", "Timeout", 61), {"NotifySweep may still run when its next run begins"}
    ),
    "memory without a reason": Mutation(
        "limits",
        _set("NotifySweep", "MemorySize", 1024),
        {"NotifySweep: a MemorySize of its own and the reason for it do not go together"},
    ),
    "a table that cannot be restored": Mutation(
        "data",
        _drop("Payments", "PointInTimeRecoverySpecification"),
        {"Payments: not can be restored to any second"},
    ),
    "a table that goes with its stack": Mutation(
        "data",
        lambda template: template["Resources"]["Payments"].pop("DeletionPolicy"),
        {"Payments: DeletionPolicy is not Retain"},
    ),
    "a bucket that answers plain HTTP": Mutation(
        "data",
        lambda template: template["Resources"].pop("FailedRecordsPolicy"),
        {"FailedRecords: not refuses plain HTTP"},
    ),
    "a bucket that anybody may read": Mutation(
        "data", _drop("Uploads", "PublicAccessBlockConfiguration"), {"Uploads: not is private"}
    ),
    "a function ahead of its phase": Mutation(
        "phases",
        lambda template: template["Resources"]["PayApi"].pop("Condition"),
        {"PayApi is not only there where Pays holds"},
    ),
    "all actions of a service": Mutation(
        "rights", _grant("dynamodb:*", {"Fn::GetAtt": ["Files", "Arn"]}), {"QueryApi may dynamodb:*"}
    ),
    "any resource": Mutation("rights", _grant(["sqs:SendMessage"], "*"), {"QueryApi may sqs:SendMessage on *"}),
    "any topic": Mutation(
        "rights",
        _grant("sns:Publish", {"Fn::Sub": "arn:${AWS::Partition}:sns:*:*:x"}),
        {"QueryApi may sns:Publish on arn:${AWS::Partition}:sns:*:*:x"},
    ),
    "a setting that nobody sets": Mutation(
        "settings",
        lambda template: _of(template, "QueryApi")["Environment"]["Variables"].pop("PROOF"),
        {"QueryApi reads PROOF, which is not set"},
    ),
    "a setting that nobody reads": Mutation(
        "settings",
        lambda template: _of(template, "QueryApi")["Environment"]["Variables"].update(DEBUG="1"),
        {"QueryApi never reads DEBUG"},
    ),
}  # fmt: skip

for _part, _value in {
    "FunctionResponseTypes": None,
    "BisectBatchOnFunctionError": None,
    "MaximumRetryAttempts": -1,
    "MaximumRecordAgeInSeconds": -1,
    "StartingPosition": "LATEST",
    "DestinationConfig": {},
    "MetricsConfig": {},
    "FilterCriteria": {"Filters": []},
}.items():
    _found = {
        "FunctionResponseTypes": "reports its failures",
        "BisectBatchOnFunctionError": "bisects",
        "MaximumRetryAttempts": "bounds its retries",
        "MaximumRecordAgeInSeconds": "bounds the age",
        "StartingPosition": "starts at the oldest record",
        "DestinationConfig": "keeps what failed",
        "MetricsConfig": "counts what it gives up",
        "FilterCriteria": "filters",
    }[_part]
    MUTATIONS[f"a stream mapping with {_part} {_value}"] = Mutation(
        "streams",
        lambda template, part=_part, value=_value: _event(template, "NotifyOnViolation", "Violation").update(
            {part: value}
        ),
        {f"NotifyOnViolation: not {_found}"},
    )


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_broken_template_is_caught(template: Template, broken: Template, name: str) -> None:
    mutation = MUTATIONS[name]
    rule = RULES[mutation.rule]
    mutation.change(broken)
    assert set(rule(broken)) - set(rule(template)) == mutation.found


def test_every_rule_is_shown_to_catch_something() -> None:
    assert {mutation.rule for mutation in MUTATIONS.values()} == RULES.keys()


def test_rights_to_the_objects_of_a_bucket_are_no_wildcard(broken: Template) -> None:
    _grant("s3:GetObject", {"Fn::Sub": "${Uploads.Arn}/live/*"})(broken)
    assert not list(RULES["rights"](broken))


def test_a_policy_that_is_not_written_out_is_caught(broken: Template) -> None:
    _of(broken, "QueryApi")["Policies"].append("AdministratorAccess")
    with pytest.raises(TypeError, match="AdministratorAccess"):
        list(RULES["rights"](broken))


def test_no_route_is_open_without_being_there(template: Template) -> None:
    routes = {
        f"{route['Method'].upper()} {route['Path']}" if "Path" in route else "$default"
        for _, route in events(template, "HttpApi")
    }
    assert set(OPEN_ROUTES) - routes <= {"GET /v1/callbacks/{gateway}"}


SOURCE = {
    "shared/settings.py": "import os\ndef setting(name):\n    return os.environ[name]\n",
    "query/api.py": "from query.deep import Stores, other\nfrom query import far\n"
    "def handler(event, context):\n    return Stores(), far.away()\n",
    "query/deep.py": "from shared.settings import setting\n"
    "class Stores:\n    def __init__(self):\n        self.table = setting('DEEP')\n"
    "def other():\n    return setting('ANOTHERS')\n",
    "query/far.py": "from shared.settings import setting as setting\ndef away():\n    return setting('FAR')\n",
}


def test_settings_are_followed_through_what_a_function_names(tmp_path: Path) -> None:
    for name, text in SOURCE.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    properties = {"Handler": "query.api.handler", "Environment": {"Variables": {"DEEP": "1", "ANOTHERS": "1"}}}
    small = {
        "Globals": {
            "Function": {"Environment": {"Variables": {**dict.fromkeys(READ_BY_POWERTOOLS, "1"), "DEBUG": "1"}}}
        },
        "Resources": {"QueryApi": {"Type": "AWS::Serverless::Function", "Properties": properties}},
    }
    found = list(rules.unset_and_unread(small, SourceTree(tmp_path)))
    assert found[1:] == ["QueryApi reads FAR, which is not set", "QueryApi never reads ANOTHERS"]
    assert "DEBUG" in found[0]
