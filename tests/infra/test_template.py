"""The structure of ``template.yaml``: doors, retries, queues, logs, settings and rights.

Each rule is a function over the template that answers with what breaks it, and is shown to catch a broken template.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from samtranslator.yaml_helper import yaml_parse

from tests.source_tree import Place, SourceTree

ROOT = Path(__file__).parents[2]
Template = dict[str, Any]

OPEN_ROUTES: Final = {
    "GET /v1/health": "says only that the function answers",
    "GET /v1/openapi.json": "documents the API",
    "GET /v1/callbacks/{gateway}": "the gateway's own scheme proves the caller",
    "POST /v1/callbacks/{gateway}": "the gateway's own scheme proves the caller",
    "GET /v1/receipts/{receipt_no}": "the number is the secret; the answer holds no personal data",
    "$default": "answers 404",
}
ANY_RESOURCE: Final = {
    ("NotifySendSms", "sns:Publish"): "an SMS to a phone number has no resource to name; topics are denied",
}
READ_BY_POWERTOOLS: Final = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_LOG_LEVEL"}


@pytest.fixture(scope="module")
def template() -> Template:
    parsed: Template = yaml_parse((ROOT / "template.yaml").read_text(encoding="utf-8"))
    return parsed


@pytest.fixture
def broken(template: Template) -> Template:
    """A copy to break."""
    return copy.deepcopy(template)


# ---------------------------------------------------------------- reading the template


def of_type(template: Template, kind: str) -> dict[str, dict[str, Any]]:
    """The properties of all resources of a type, by logical id."""
    return {
        name: resource.get("Properties", {})
        for name, resource in template["Resources"].items()
        if resource["Type"] == kind
    }


def functions(template: Template) -> dict[str, dict[str, Any]]:
    """The properties of all functions, those that they have in common among them."""
    common = template["Globals"]["Function"]
    return {name: {**common, **own} for name, own in of_type(template, "AWS::Serverless::Function").items()}


def events(template: Template, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every event of a type: its function and its properties."""
    for name, function in functions(template).items():
        for event in function.get("Events", {}).values():
            if event["Type"] == kind:
                yield name, event.get("Properties", {})


def target(value: Any) -> str:
    """The logical id that a Ref or GetAtt names."""
    if "Ref" in value:
        return str(value["Ref"])
    names = value["Fn::GetAtt"]
    return str(names.split(".")[0] if isinstance(names, str) else names[0])


def number(template: Template, value: Any) -> int:
    """A number, or the default of the parameter that gives it."""
    return int(template["Parameters"][value["Ref"]]["Default"] if isinstance(value, dict) else value)


def as_list(value: Any) -> list[Any]:
    """One or several, as policies write them."""
    return value if isinstance(value, list) else [value]


# ---------------------------------------------------------------- rules


def open_doors(template: Template) -> Iterator[str]:
    """Routes without an authorizer that are not known to need none, and the other way round."""
    authorizer = of_type(template, "AWS::Serverless::HttpApi")["Api"].get("Auth", {}).get("DefaultAuthorizer")
    seen = set()
    for name, route in events(template, "HttpApi"):
        key = f"{route['Method'].upper()} {route['Path']}" if "Path" in route else "$default"
        chosen = route.get("Auth", {}).get("Authorizer", authorizer)
        if target(route["ApiId"]) != "Api":
            yield f"{key} is not on the API"
        if key in seen:
            yield f"{key} is there twice"
        if chosen in ("NONE", None) and key not in OPEN_ROUTES:
            yield f"{name} {key} is open"
        if chosen not in ("NONE", None) and key in OPEN_ROUTES:
            yield f"{name} {key} is closed"
        seen.add(key)


def lossy_streams(template: Template) -> Iterator[str]:
    """Stream mappings that could lose a record, or try one for ever."""
    for name, mapping in events(template, "DynamoDB"):
        faults = {
            "reports its failures": mapping.get("FunctionResponseTypes") == ["ReportBatchItemFailures"],
            "bisects": mapping.get("BisectBatchOnFunctionError") is True,
            "bounds its retries": 0 < mapping.get("MaximumRetryAttempts", -1) <= 10,
            "bounds the age": 60 <= mapping.get("MaximumRecordAgeInSeconds", -1) <= 86_400,
            "starts at the oldest record": mapping.get("StartingPosition") == "TRIM_HORIZON",
            "keeps what failed": "Destination" in mapping.get("DestinationConfig", {}).get("OnFailure", {}),
            "filters": bool(mapping.get("FilterCriteria", {}).get("Filters")),
        }
        yield from (f"{name}: not {what}" for what, holds in faults.items() if not holds)


def lossy_queues(template: Template) -> Iterator[str]:
    """Queues that feed a function and could lose a message, or give it to two runs at once."""
    queues = of_type(template, "AWS::SQS::Queue")
    for name, mapping in events(template, "SQS"):
        queue_name = target(mapping["Queue"])
        queue = queues[queue_name]
        redrive = queue.get("RedrivePolicy", {})
        dead_letters = queues.get(target(redrive["deadLetterTargetArn"]), {}) if redrive else {}
        timeout = number(template, functions(template)[name]["Timeout"])
        faults = {
            "has dead letters": bool(redrive) and 2 <= redrive["maxReceiveCount"] <= 10,
            "keeps dead letters for two weeks": dead_letters.get("MessageRetentionPeriod") == 14 * 86_400,
            "hides a message six times as long as its function runs": (
                number(template, queue.get("VisibilityTimeout", 30)) >= 6 * timeout
            ),
            "reports its failures": mapping.get("FunctionResponseTypes") == ["ReportBatchItemFailures"],
        }
        yield from (f"{queue_name}: not {what}" for what, holds in faults.items() if not holds)


def endless_logs(template: Template) -> Iterator[str]:
    """Functions without a log group of their own, and log groups that are kept for ever."""
    groups = of_type(template, "AWS::Logs::LogGroup")
    used = [target(f["LoggingConfig"]["LogGroup"]) for f in functions(template).values() if "LoggingConfig" in f]
    for name, function in functions(template).items():
        group = function.get("LoggingConfig", {}).get("LogGroup")
        if group is None or target(group) not in groups:
            yield f"{name} has no log group"
        elif used.count(target(group)) > 1:
            yield f"{name} shares its log group"
    yield from (f"{name} is kept for ever" for name, group in groups.items() if "RetentionInDays" not in group)


def unset_and_unread(template: Template, source: SourceTree) -> Iterator[str]:
    """Settings that a function can come to read and that are not set for it, and those that are set in vain."""
    common = set(template["Globals"]["Function"]["Environment"]["Variables"])
    if common != READ_BY_POWERTOOLS:
        yield f"set for all functions: {sorted(common)}"
    for name, function in of_type(template, "AWS::Serverless::Function").items():
        module, _, entry = function["Handler"].rpartition(".")
        read = source.settings(Place(module, entry))
        given = set(function.get("Environment", {}).get("Variables", {}))
        yield from (f"{name} reads {variable}, which is not set" for variable in sorted(read - given))
        yield from (f"{name} never reads {variable}" for variable in sorted(given - read))


def statements(template: Template) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every statement of every function's role, with the function's name."""
    for name, function in functions(template).items():
        for policy in function.get("Policies", []):
            if not isinstance(policy, dict) or "Statement" not in policy:
                raise TypeError(f"{name} takes {policy}, which is not written out")
            yield from ((name, statement) for statement in policy["Statement"])


def wide_rights(template: Template) -> Iterator[str]:
    """Rights with a wildcard: in an action never; in a resource only for the objects of a bucket, or with a reason."""
    for name, statement in statements(template):
        actions = as_list(statement["Action"])
        yield from (f"{name} may {action}" for action in actions if "*" in action)
        if "NotAction" in statement or "NotResource" in statement:
            yield f"{name} has rights by exception"
        if statement["Effect"] == "Deny":
            continue
        for resource in as_list(statement["Resource"]):
            text = resource.get("Fn::Sub", "") if isinstance(resource, dict) else resource
            objects = text.startswith("${") and text.endswith("/*") and all(a.startswith("s3:") for a in actions)
            if "*" in text and not objects:
                yield from (f"{name} may {a} on {text}" for a in actions if (name, a) not in ANY_RESOURCE)


# ---------------------------------------------------------------- the template keeps them

RULES: Final[list[Callable[[Template], Iterable[str]]]] = [
    open_doors,
    lossy_streams,
    lossy_queues,
    endless_logs,
    wide_rights,
    lambda template: unset_and_unread(template, SourceTree(ROOT / "functions")),
]


@pytest.mark.parametrize("rule", RULES, ids=["doors", "streams", "queues", "logs", "rights", "settings"])
def test_the_template_keeps_every_rule(template: Template, rule: Callable[[Template], Iterable[str]]) -> None:
    assert not list(rule(template))


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


def _function(template: Template, name: str) -> dict[str, Any]:
    properties: dict[str, Any] = template["Resources"][name]["Properties"]
    return properties


def _event(template: Template, function: str, event: str) -> dict[str, Any]:
    properties: dict[str, Any] = _function(template, function)["Events"][event]["Properties"]
    return properties


def test_an_open_door_is_caught(broken: Template) -> None:
    _event(broken, "QueryApi", "AskByPlate")["Auth"] = {"Authorizer": "NONE"}
    assert list(open_doors(broken)) == ["QueryApi POST /v1/queries is open"]


def test_an_api_without_a_default_authorizer_is_caught(broken: Template) -> None:
    del _function(broken, "Api")["Auth"]["DefaultAuthorizer"]
    assert "QueryApi POST /v1/queries is open" in list(open_doors(broken))


def test_a_closed_door_for_the_gateway_is_caught(broken: Template) -> None:
    del _event(broken, "PayOnCallback", "Callback")["Auth"]
    assert list(open_doors(broken)) == ["PayOnCallback POST /v1/callbacks/{gateway} is closed"]


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("FunctionResponseTypes", None),
        ("BisectBatchOnFunctionError", None),
        ("MaximumRetryAttempts", None),
        ("MaximumRetryAttempts", -1),
        ("MaximumRecordAgeInSeconds", None),
        ("MaximumRecordAgeInSeconds", -1),
        ("StartingPosition", "LATEST"),
        ("DestinationConfig", None),
        ("FilterCriteria", None),
        ("FilterCriteria", {"Filters": []}),
    ],
)
def test_a_lossy_stream_is_caught(broken: Template, part: str, value: object) -> None:
    mapping = _event(broken, "NotifyOnViolation", "Violation")
    mapping.pop(part)
    if value is not None:
        mapping[part] = value
    assert len(list(lossy_streams(broken))) == 1


def test_lossy_queues_are_caught(broken: Template) -> None:
    del _function(broken, "SmsQueue")["RedrivePolicy"]
    del _function(broken, "FileDeadLetters")["MessageRetentionPeriod"]
    del _event(broken, "NotifySendSms", "Due")["FunctionResponseTypes"]
    broken["Parameters"]["ChunkVisibility"]["Default"] = 359
    assert set(lossy_queues(broken)) == {
        "SmsQueue: not has dead letters",
        "SmsQueue: not keeps dead letters for two weeks",
        "SmsQueue: not reports its failures",
        "FileQueue: not keeps dead letters for two weeks",
        "ChunkQueue: not hides a message six times as long as its function runs",
    }


def test_endless_logs_are_caught(broken: Template) -> None:
    del _function(broken, "PayApiLogs")["RetentionInDays"]
    del _function(broken, "QueryApi")["LoggingConfig"]
    _function(broken, "NotifySweep")["LoggingConfig"] = {"LogGroup": {"Ref": "NotifySendSmsLogs"}}
    assert set(endless_logs(broken)) == {
        "PayApiLogs is kept for ever",
        "QueryApi has no log group",
        "NotifySweep shares its log group",
        "NotifySendSms shares its log group",
    }


def test_wide_rights_are_caught(broken: Template) -> None:
    policies = _function(broken, "QueryApi")["Policies"]
    policies[0]["Statement"] += [
        {"Effect": "Allow", "Action": "dynamodb:*", "Resource": {"Fn::GetAtt": ["Files", "Arn"]}},
        {"Effect": "Allow", "Action": ["sqs:SendMessage"], "Resource": "*"},
        {"Effect": "Allow", "Action": "sns:Publish", "Resource": {"Fn::Sub": "arn:${AWS::Partition}:sns:*:*:x"}},
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": {"Fn::Sub": "${Uploads.Arn}/live/*"}},
    ]
    assert set(wide_rights(broken)) == {
        "QueryApi may dynamodb:*",
        "QueryApi may sqs:SendMessage on *",
        "QueryApi may sns:Publish on arn:${AWS::Partition}:sns:*:*:x",
    }


def test_a_policy_that_is_not_written_out_is_caught(broken: Template) -> None:
    _function(broken, "QueryApi")["Policies"].append("AdministratorAccess")
    with pytest.raises(TypeError, match="AdministratorAccess"):
        list(wide_rights(broken))


SOURCE = {
    "shared/settings.py": "import os\ndef setting(name):\n    return os.environ[name]\n",
    "query/api.py": "from query.deep import Stores, other\nfrom query import far\n"
    "def handler(event, context):\n    return Stores(), far.away()\n",
    "query/deep.py": "from shared.settings import setting\n"
    "class Stores:\n    def __init__(self):\n        self.table = setting('DEEP')\n"
    "def other():\n    return setting('ANOTHERS')\n",
    "query/far.py": "from shared.settings import setting as setting\ndef away():\n    return setting('FAR')\n",
}


def test_unset_and_unread_settings_are_caught(tmp_path: Path) -> None:
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
    found = list(unset_and_unread(small, SourceTree(tmp_path)))
    assert found[1:] == ["QueryApi reads FAR, which is not set", "QueryApi never reads ANOTHERS"]
    assert "DEBUG" in found[0]
