"""The edge: its template keeps every rule, each rule catches a broken one, and the API is closed behind it."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from infra import edge, regions
from infra.local.aws.conditions import choose, decide
from infra.template import read
from shared.edge import HEADER
from tests.infra.reading import ROOT, Template, events, of_type, target

CACHING_DISABLED: Final = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
ALL_VIEWER_EXCEPT_HOST: Final = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
MANAGED: Final = {
    "AWSManagedRulesAmazonIpReputationList",
    "AWSManagedRulesKnownBadInputsRuleSet",
    "AWSManagedRulesCommonRuleSet",
}
COUNTED: Final = {
    "SizeRestrictions_BODY": "the API refuses by a bound of its own",
    "NoUserAgent_HEADER": "a gateway's callback may name none",
}
"""Managed rules that do not block, and why."""


@pytest.fixture(scope="module")
def template() -> Template:
    return read(ROOT / "infra" / "edge.yaml")


@pytest.fixture(scope="module")
def platform() -> Template:
    return read()


def firewall(template: Template) -> dict[str, Any]:
    (properties,) = of_type(template, "AWS::WAFv2::WebACL").values()
    return properties


def distribution(template: Template) -> dict[str, Any]:
    (properties,) = of_type(template, "AWS::CloudFront::Distribution").values()
    config: dict[str, Any] = properties["DistributionConfig"]
    return config


def rule(template: Template, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in firewall(template)["Rules"] if one["Name"] == name)
    return found


def faults(template: Template) -> Iterator[str]:
    """What an edge must be and this one is not."""
    acl, config = firewall(template), distribution(template)
    (origin,), behaviour = config["Origins"], config["DefaultCacheBehavior"]
    blocking = {
        group["Name"]: {override["Name"] for override in group.get("RuleActionOverrides", [])}
        for one in acl["Rules"]
        if (group := one["Statement"].get("ManagedRuleGroupStatement")) and one.get("OverrideAction") == {"None": {}}
    }
    rates = [
        one for one in acl["Rules"] if "RateBasedStatement" in one["Statement"] and "Block" in one.get("Action", {})
    ]
    shows = [one["VisibilityConfig"]["SampledRequestsEnabled"] for one in [acl, *acl["Rules"]]]
    added = {one["HeaderName"]: one["HeaderValue"] for one in origin.get("OriginCustomHeaders", [])}
    resolved = {"Fn::Sub": "{{resolve:secretsmanager:${SecretArn}:SecretString:::${SecretVersion}}}"}
    held = {
        "stands before CloudFront": acl["Scope"] == "CLOUDFRONT"
        and config.get("WebACLId") == {"Fn::GetAtt": ["Firewall", "Arn"]},
        "bounds the rate of an address": [one["Statement"]["RateBasedStatement"]["AggregateKeyType"] for one in rates]
        == ["IP"],
        "blocks by AWS's rules": blocking.keys() == MANAGED,
        "blocks by each of them without a reason not to": set().union(*blocking.values()) <= COUNTED.keys(),
        "samples nothing": shows == [False] * len(shows),
        "asks citizens for TLS 1.2": config["ViewerCertificate"].get("MinimumProtocolVersion") == "TLSv1.2_2021",
        "refuses plain HTTP": behaviour["ViewerProtocolPolicy"] == "https-only",
        "asks the API by TLS 1.2 alone": origin["CustomOriginConfig"]
        == {"OriginProtocolPolicy": "https-only", "OriginSSLProtocols": ["TLSv1.2"]},
        "keeps no answer": behaviour["CachePolicyId"] == CACHING_DISABLED and not config.get("CacheBehaviors"),
        "passes tokens on": behaviour["OriginRequestPolicyId"] == ALL_VIEWER_EXCEPT_HOST,
        "shows the secret": added == {HEADER: resolved},
    }
    yield from (f"not {what}" for what, holds in held.items() if not holds)


def test_the_edge_keeps_every_rule(template: Template) -> None:
    assert not list(faults(template))


_BREAKS: Final[dict[str, Callable[[Template], object]]] = {
    "stands before CloudFront": lambda template: distribution(template).pop("WebACLId"),
    "bounds the rate of an address": lambda template: rule(template, "Rate").update(Action={"Count": {}}),
    "blocks by AWS's rules": lambda template: rule(template, "Common").update(OverrideAction={"Count": {}}),
    "blocks by each of them without a reason not to": lambda template: rule(template, "KnownBadInputs")["Statement"][
        "ManagedRuleGroupStatement"
    ].update(RuleActionOverrides=[{"Name": "Log4JRCE_BODY", "ActionToUse": {"Count": {}}}]),
    "samples nothing": lambda template: rule(template, "Rate")["VisibilityConfig"].update(SampledRequestsEnabled=True),
    "asks citizens for TLS 1.2": lambda template: distribution(template)["ViewerCertificate"].pop(
        "MinimumProtocolVersion"
    ),
    "refuses plain HTTP": lambda template: distribution(template)["DefaultCacheBehavior"].update(
        ViewerProtocolPolicy="allow-all"
    ),
    "asks the API by TLS 1.2 alone": lambda template: distribution(template)["Origins"][0]["CustomOriginConfig"].update(
        OriginProtocolPolicy="match-viewer"
    ),
    "keeps no answer": lambda template: distribution(template)["DefaultCacheBehavior"].update(
        CachePolicyId="658327ea-f89d-4fab-a63d-7e88639e58f6"
    ),
    "passes tokens on": lambda template: distribution(template)["DefaultCacheBehavior"].update(
        OriginRequestPolicyId="88a5eaf4-2fd4-4709-b370-b4c650ea3fcf"
    ),
    "shows the secret": lambda template: distribution(template)["Origins"][0]["OriginCustomHeaders"][0].update(
        HeaderValue="in the open"
    ),
}


@pytest.mark.parametrize("name", _BREAKS)
def test_a_broken_edge_is_caught(template: Template, name: str) -> None:
    broken = copy.deepcopy(template)
    _BREAKS[name](broken)
    assert list(faults(broken)) == [f"not {name}"]


def open_behind_the_edge(platform: Template) -> Iterator[str]:
    """Functions that the API calls and that do not look for the edge's secret, or may not read it."""
    resources = platform["Resources"]
    readers = resources["EdgeSecretReaders"]["Properties"]
    conditions = decide(
        platform["Conditions"], {name: one.get("Default", "") for name, one in platform["Parameters"].items()}
    )
    roles = {target(role) for role in choose(readers["Roles"], conditions)}
    for name in sorted({name for name, _ in events(platform, "HttpApi")}):
        variables = resources[name]["Properties"]["Environment"]["Variables"]
        if variables.get("EDGE_SECRET") != {"Fn::If": ["BehindEdge", {"Ref": "EdgeSecret"}, ""]}:
            yield f"{name} does not look for the secret"
        if f"{name}Role" not in roles:
            yield f"{name} may not read the secret"


def test_behind_the_edge_nothing_is_open(platform: Template) -> None:
    assert not list(open_behind_the_edge(platform))


def test_a_function_that_is_open_behind_the_edge_is_caught(platform: Template) -> None:
    broken = copy.deepcopy(platform)
    broken["Resources"]["PayApi"]["Properties"]["Environment"]["Variables"].pop("EDGE_SECRET")
    broken["Resources"]["EdgeSecretReaders"]["Properties"]["Roles"].pop(0)
    assert list(open_behind_the_edge(broken)) == [
        "PayApi does not look for the secret",
        "QueryApi may not read the secret",
    ]


@pytest.mark.parametrize("condition", ["BehindEdge", "Budgeted"])
def test_edge_and_budget_are_off_unless_asked_for(platform: Template, condition: str) -> None:
    defaults = {name: str(one.get("Default", "")) for name, one in platform["Parameters"].items()}
    assert decide(platform["Conditions"], defaults)[condition] is False
    assert decide(platform["Conditions"], {**defaults, "Edge": "on", "BudgetEmail": "a@b.example"})[condition] is True
    made = {name for name, one in platform["Resources"].items() if one.get("Condition") == condition}
    assert made == {"BehindEdge": {"EdgeSecret", "EdgeSecretReaders"}, "Budgeted": {"Budget"}}[condition]


def test_the_edge_is_deployed_where_the_secret_is_copied_and_certificates_are(platform: Template) -> None:
    configured = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    assert configured["edge"]["deploy"]["parameters"]["region"] == edge.EDGE
    assert regions.by_environment().keys() == {"dev", "staging", "prod"}
    secret = platform["Resources"]["EdgeSecret"]["Properties"]
    assert secret["ReplicaRegions"] == [{"Region": edge.EDGE}]


def test_samconfig_alone_names_the_regions_of_the_platform() -> None:
    named = set(regions.by_environment().values())
    files = [ROOT / "Makefile", *ROOT.glob("docs/*.md"), *ROOT.glob("infra/**/*.py"), *ROOT.glob("functions/**/*.py")]
    assert not [file for file in files if any(region in file.read_text(encoding="utf-8") for region in named)]
