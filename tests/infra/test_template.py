"""The structure of ``template.yaml`` keeps every rule, and every rule is shown to catch templates that break it."""

from __future__ import annotations

import ast
import copy
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from infra.template import read
from pay.payments.refund import MAX_REFUND_TIME
from pay.payments.start import MAX_START_TIME
from shared.stores.messaging.news import KINDS
from tests.infra import reading, rules
from tests.infra.mutations import MUTATIONS, grant
from tests.infra.reading import Template, as_list, events, functions, of_type
from tests.infra.rules import ANY_RESOURCE, OPEN_ROUTES, READ_BY_POWERTOOLS, RULES, statements
from tests.support.source_tree import SourceTree


@pytest.fixture(scope="module")
def template() -> Template:
    return read()


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
        if statement["Effect"] == "Allow" and any(rules.wildcards(statement))
    }
    assert used == set(ANY_RESOURCE)


def test_an_sms_goes_out_by_sns_alone(template: Template) -> None:
    """SNS hands it on in the sender's name: https://docs.aws.amazon.com/sns/latest/dg/sns-sms-access-management.html"""
    (sending,) = (one for _, one in statements(template) if one["Action"] == "sms-voice:SendTextMessage")
    assert sending["Condition"] == {"StringEquals": {"aws:CalledViaLast": "sns.amazonaws.com"}}


def test_all_that_ingest_tells_passes_the_filter_and_nothing_else(template: Template) -> None:
    (mapping,) = template["Resources"]["NotifyOnViolation"]["Properties"]["Events"].values()
    (pattern,) = mapping["Properties"]["FilterCriteria"]["Filters"]
    assert json.loads(pattern["Pattern"]) == {"dynamodb": {"NewImage": {"tell": {"S": [*KINDS]}}}}


def test_sns_may_write_its_delivery_logs(template: Template) -> None:
    """Under no condition that SNS is not said to meet, and with all the rights that it asks for.

    https://docs.aws.amazon.com/sns/latest/dg/topics-attrib-prereq.html
    """
    role = template["Resources"]["SmsDeliveryRole"]["Properties"]
    assert role["AssumeRolePolicyDocument"]["Statement"] == [
        {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ]
    (writing,) = (one for name, one in statements(template) if name == "SmsDeliveryRole")
    assert set(writing["Action"]) == {"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"}


def test_who_is_taken_for_gone_is_cut_off_by_then(template: Template) -> None:
    """A start or a refund is left to whoever began it only while that function can still run."""
    longest = {"PayApi": MAX_START_TIME, "PayPollGateways": MAX_REFUND_TIME}
    assert {name: timedelta(seconds=functions(template)[name]["Timeout"]) for name in longest} == longest


def test_a_page_may_read_and_send_every_header_that_the_description_names(template: Template) -> None:
    """Of another origin's answer a browser shows a page only the plainest headers, but for those that are exposed."""
    described = json.loads((reading.ROOT / "functions/query/openapi.json").read_text(encoding="utf-8"))
    answers = [
        answer
        for methods in described["paths"].values()
        for operation in methods.values()
        for answer in operation["responses"].values()
    ]
    cors = of_type(template, "AWS::Serverless::HttpApi")["Api"]["CorsConfiguration"]
    headers = {name.lower() for answer in answers for name in answer.get("headers", ())}
    assert headers == set(cors["ExposeHeaders"])
    asked = {
        parameter["name"].lower()
        for methods in described["paths"].values()
        for operation in methods.values()
        for parameter in operation.get("parameters", ())
        if parameter["in"] == "header"
    }
    assert asked <= set(cors["AllowHeaders"])


# ---------------------------------------------------------------- a broken template is caught


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_broken_template_is_caught(broken: Template, name: str) -> None:
    mutation = MUTATIONS[name]
    mutation.change(broken)
    assert set(RULES[mutation.rule](broken)) == mutation.found


def test_every_rule_is_shown_to_catch_something() -> None:
    assert {mutation.rule for mutation in MUTATIONS.values()} == RULES.keys()


def test_everything_that_a_rule_can_say_is_shown() -> None:
    """Each sentence of the rules, and each thing that they hold of a resource, is found in some broken template."""
    found = [text for mutation in MUTATIONS.values() for text in mutation.found]
    sentences = list(_sentences(ast.parse(Path(rules.__file__).read_text(encoding="utf-8"))))
    assert len(sentences) > 50
    assert [one for one in sentences if not any(re.fullmatch(one, text) for text in found)] == []


def _sentences(source: ast.Module) -> Iterator[str]:
    """What the rules yield, as patterns."""
    functions = [node for node in source.body if isinstance(node, ast.FunctionDef)]
    for node in (each for function in functions for each in ast.walk(function)):
        match node:
            case ast.Yield(value=ast.Constant(value=str(text))):
                yield re.escape(text)
            case ast.Yield(value=ast.JoinedStr(values=parts)) | ast.GeneratorExp(elt=ast.JoinedStr(values=parts)):
                yield "".join(re.escape(part.value) if isinstance(part, ast.Constant) else ".+" for part in parts)
            case ast.Assign(targets=[ast.Name(id="faults")], value=ast.Dict(keys=keys)):
                yield from (f".+: not {re.escape(key.value)}" for key in keys if isinstance(key, ast.Constant))


def test_rights_to_the_objects_of_a_bucket_are_no_wildcard(broken: Template) -> None:
    grant("s3:GetObject", {"Fn::Sub": "${Uploads.Arn}/live/*"})(broken)
    assert not list(RULES["rights"](broken))


def test_a_policy_that_is_not_written_out_is_caught(broken: Template) -> None:
    broken["Resources"]["QueryApi"]["Properties"]["Policies"].append("AdministratorAccess")
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
