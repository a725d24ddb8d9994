"""The templates keep what the services demand in no schema, and each rule catches a template that does not."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import pytest

from infra.template import read
from tests.infra.reading import ROOT, Template
from tests.infra.services import SERVICE_RULES
from tests.support.cloudfront import refuses_request

EDGE: Final = ROOT / "infra" / "edge.yaml"
OF_THE_EDGE: Final = frozenset({"headers", "cached errors"})
"""Rules that speak of the edge's template; the others of the platform's."""


class Mutation(NamedTuple):
    """A way to break a template. rule: which catches it. found: what it says."""

    rule: str
    change: Callable[[Template], object]
    found: str


def _of(template: Template, name: str) -> dict[str, Any]:
    properties: dict[str, Any] = template["Resources"][name]["Properties"]
    return properties


def _distribution(template: Template) -> dict[str, Any]:
    config: dict[str, Any] = _of(template, "Distribution")["DistributionConfig"]
    return config


def _header(name: str) -> Callable[[Template], object]:
    return lambda template: _distribution(template)["Origins"][0]["OriginCustomHeaders"][0].update(HeaderName=name)


def _by_version(template: Template) -> None:
    schemes = _of(template, "Api")["DefinitionBody"]["components"]["securitySchemes"]
    authorizer = schemes["Citizen"]["Fn::If"][1]["x-amazon-apigateway-authorizer"]
    authorizer["authorizerUri"]["Fn::Sub"] = authorizer["authorizerUri"]["Fn::Sub"].replace("Aliaslive", ".Arn")


MUTATIONS: Final = {
    "a header of CloudFront's own": Mutation("headers", _header("X-Edge-Secret"), "Distribution adds X-Edge-Secret"),
    "a header of AWS": Mutation("headers", _header("x-amz-meta"), "Distribution adds x-amz-meta"),
    "a header of the connection": Mutation("headers", _header("Via"), "Distribution adds Via"),
    "an error that is kept": Mutation(
        "cached errors",
        lambda template: _distribution(template)["CustomErrorResponses"].pop(),
        "Distribution keeps 504 for ten seconds",
    ),
    "an error that is kept for a second": Mutation(
        "cached errors",
        lambda template: _distribution(template)["CustomErrorResponses"][0].update(ErrorCachingMinTTL=1),
        "Distribution keeps 400 for ten seconds",
    ),
    "an access log without a name": Mutation(
        "access logs",
        lambda template: _of(template, "ApiLogs").pop("LogGroupName"),
        "Api writes to ApiLogs, which is not under /aws/vendedlogs/",
    ),
    "a name that stays in the way": Mutation(
        "names",
        lambda template: template["Resources"]["ApiLogs"].update(DeletionPolicy="Retain"),
        "ApiLogs has a name of its own and is kept when it could not be made",
    ),
    "a mapping without a bound": Mutation(
        "mappings",
        lambda template: _of(template, "IngestOnFile")["Events"]["File"]["Properties"].pop("ScalingConfig"),
        "IngestOnFile has no MaximumConcurrency of 2 to 1,000",
    ),
    "dead letters that are as short-lived": Mutation(
        "dead letters",
        lambda template: _of(template, "ChunkQueue").update(MessageRetentionPeriod=1_209_600),
        "what waited 14 days in ChunkQueue lies 0 days in its dead letters",
    ),
    "an authorizer of the newest version": Mutation("aliases", _by_version, "Api asks QueryAuthorizer.Arn"),
    "a permission for the newest version": Mutation(
        "aliases",
        lambda template: _of(template, "QueryAuthorizerPermission").update(FunctionName={"Ref": "QueryAuthorizer"}),
        "QueryAuthorizerPermission is for QueryAuthorizer",
    ),
    "a percentile of one call": Mutation(
        "percentiles",
        lambda template: _of(template, "LookUpsSlowAlarm").pop("EvaluateLowSampleCountPercentile"),
        "LookUpsSlowAlarm evaluates a percentile of few samples",
    ),
    "a variable too long": Mutation(
        "environments",
        lambda template: _of(template, "QueryApi")["Environment"]["Variables"].update(TEXT="x" * 3_200),
        "QueryApi has",
    ),
    "a policy too long": Mutation(
        "policies",
        lambda template: _of(template, "QueryApi")["Policies"][0]["Statement"].append(
            {"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": [f"arn:{n:099}" for n in range(80)]}
        ),
        "QueryApi has",
    ),
}


@pytest.fixture(scope="module")
def templates() -> dict[str, Template]:
    return {"platform": read(), "edge": read(EDGE)}


@pytest.mark.parametrize("name", SERVICE_RULES)
def test_the_templates_keep_it(templates: dict[str, Template], name: str) -> None:
    assert not [*SERVICE_RULES[name].offences(templates["edge" if name in OF_THE_EDGE else "platform"])]


@pytest.mark.parametrize("what", MUTATIONS)
def test_a_template_that_breaks_it_is_caught(templates: dict[str, Template], what: str) -> None:
    mutation = MUTATIONS[what]
    broken = copy.deepcopy(templates["edge" if mutation.rule in OF_THE_EDGE else "platform"])
    mutation.change(broken)
    offences = [*SERVICE_RULES[mutation.rule].offences(broken)]
    assert len(offences) == 1
    assert offences[0].startswith(mutation.found)


def test_each_rule_has_its_mutation_and_its_source() -> None:
    assert {mutation.rule for mutation in MUTATIONS.values()} == SERVICE_RULES.keys()
    assert all(rule.source.startswith("https://docs.aws.amazon.com/") for rule in SERVICE_RULES.values())


@pytest.mark.parametrize(
    ("method", "target", "value", "body", "status"),
    [
        ("GET", "/v1/me", "x", b"", None),
        ("POST", "/v1/queries", "x", b"{}", None),
        ("GET", "/v1/me", "x", b"{}", 403),
        ("GET", "/" + "x" * 8191, "x", b"", None),
        ("GET", "/" + "x" * 8192, "x", b"", 413),
        ("POST", "/v1/queries", "x" * (20_480 - len("/v1/queries") - 1), b"{}", None),
        ("POST", "/v1/queries", "x" * (20_480 - len("/v1/queries")), b"{}", 413),
    ],
)
def test_the_edges_stand_in_refuses_what_cloudfront_does(
    method: str, target: str, value: str, body: bytes, status: int | None
) -> None:
    assert refuses_request(method, target, [("a", value)], body) == status
