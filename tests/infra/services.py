"""What the services refuse, or do by themselves, that stands in no schema: a rule each, with where it is written.

A template that breaks one passes every linter and fails, or does harm, on AWS.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from tests.infra.reading import Template, events, functions, number, of_type, target
from tests.support.cloudfront import CACHED_ERRORS, refuses_header

_CLOUDFRONT: Final = "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide"
_NAMES: Final = frozenset(
    {"BucketName", "DBInstanceIdentifier", "FunctionName", "LogGroupName", "Name", "QueueName", "RoleName", "TableName"}
)
"""Properties by which a resource has a name of its own."""
_UNNAMED: Final = frozenset({"AWS::Lambda::Permission", "AWS::Logs::SubscriptionFilter", "AWS::Logs::MetricFilter"})
"""Kinds of resources in which such a property names another."""

MAX_ENVIRONMENT_BYTES: Final = 3_200
"""Of the 4,096 that a function's variables may take; a reference is counted as :data:`REFERENCE_BYTES`."""
REFERENCE_BYTES: Final = 100
MAX_POLICY_BYTES: Final = 8_000
"""Of the 10,240 that the inline policies of a role may take together."""


class ServiceRule(NamedTuple):
    """source: where the service says so. offences: what in a template breaks it."""

    source: str
    offences: Callable[[Template], Iterator[str]]


def _distributions(template: Template) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, properties in of_type(template, "AWS::CloudFront::Distribution").items():
        yield name, properties["DistributionConfig"]


def refused_headers(template: Template) -> Iterator[str]:
    """Headers that CloudFront does not add to what it passes on: the distribution is not made."""
    for name, config in _distributions(template):
        for origin in config["Origins"]:
            for header in origin.get("OriginCustomHeaders", []):
                if refuses_header(header["HeaderName"]):
                    yield f"{name} adds {header['HeaderName']}"


def cached_errors(template: Template) -> Iterator[str]:
    """Errors that CloudFront keeps for everybody who asks the same path, whatever the answer's cache-control says."""
    for name, config in _distributions(template):
        stated = {
            one["ErrorCode"] for one in config.get("CustomErrorResponses", []) if one.get("ErrorCachingMinTTL") == 0
        }
        yield from (f"{name} keeps {code} for ten seconds" for code in sorted(CACHED_ERRORS - stated))


def access_logs(template: Template) -> Iterator[str]:
    """Groups of an API's access log whose names take room in the account's one policy of log delivery."""
    groups = of_type(template, "AWS::Logs::LogGroup")
    for name, api in of_type(template, "AWS::Serverless::HttpApi").items():
        group = target(api["AccessLogSettings"]["DestinationArn"])
        named = groups[group].get("LogGroupName", "")
        text = named.get("Fn::Sub", "") if isinstance(named, dict) else named
        if not text.startswith("/aws/vendedlogs/"):
            yield f"{name} writes to {group}, which is not under /aws/vendedlogs/"


def names_in_the_way(template: Template) -> Iterator[str]:
    """Resources with a name of their own that stay behind: the next stack cannot be made beside them."""
    for name, resource in template["Resources"].items():
        is_named = resource["Type"] not in _UNNAMED and _NAMES & resource.get("Properties", {}).keys()
        if is_named and resource.get("DeletionPolicy") == "Retain":
            yield f"{name} has a name of its own and is kept when it could not be made"


def unbounded_mappings(template: Template) -> Iterator[str]:
    """Queues that may take all the concurrency of the account for their function."""
    for name, mapping in events(template, "SQS"):
        bound = mapping.get("ScalingConfig", {}).get("MaximumConcurrency", 0)
        if not 2 <= bound <= 1_000:
            yield f"{name} has no MaximumConcurrency of 2 to 1,000"


def early_dead_letters(template: Template) -> Iterator[str]:
    """Dead letters that are forgotten soon: they are kept from when the message was first sent."""
    queues = of_type(template, "AWS::SQS::Queue")
    for name, queue in queues.items():
        if redrive := queue.get("RedrivePolicy"):
            dead = queues[target(redrive["deadLetterTargetArn"])]
            days = [number(template, each.get("MessageRetentionPeriod", 345_600)) / 86_400 for each in (queue, dead)]
            if days[1] < days[0] + 7:
                yield f"what waited {days[0]:g} days in {name} lies {days[1] - days[0]:g} days in its dead letters"


def past_the_alias(template: Template) -> Iterator[str]:
    """Functions that the API asks in their newest version, before any rollout has tried it."""
    for name, api in of_type(template, "AWS::Serverless::HttpApi").items():
        for found in re.findall(r"functions/\$\{([\w.]+)\}/invocations", str(api)):
            if not found.endswith("Aliaslive"):
                yield f"{name} asks {found}"
    for name, permission in of_type(template, "AWS::Lambda::Permission").items():
        if permission["Principal"] == "apigateway.amazonaws.com" and not _is_alias(permission["FunctionName"]):
            yield f"{name} is for {target(permission['FunctionName'])}"


def _is_alias(named: Any) -> bool:
    return isinstance(named, dict) and str(named.get("Ref", "")).endswith("Aliaslive")


def single_calls(template: Template) -> Iterator[str]:
    """Alarms on a percentile that ring for one slow call of a quiet minute."""
    for name, alarm in of_type(template, "AWS::CloudWatch::Alarm").items():
        if "ExtendedStatistic" in alarm and alarm.get("EvaluateLowSampleCountPercentile") != "ignore":
            yield f"{name} evaluates a percentile of few samples"


def large_environments(template: Template) -> Iterator[str]:
    """Functions whose variables come near to what Lambda takes."""
    common = template["Globals"]["Function"]["Environment"]["Variables"]
    for name, function in functions(template).items():
        variables = {**common, **function.get("Environment", {}).get("Variables", {})}
        size = sum(len(key) + _size(value) for key, value in variables.items())
        if size > MAX_ENVIRONMENT_BYTES:
            yield f"{name} has {size:,} bytes of variables"


def _size(value: Any) -> int:
    return len(value.encode()) if isinstance(value, str) else REFERENCE_BYTES


def large_policies(template: Template) -> Iterator[str]:
    """Roles whose policies come near to what IAM takes."""
    for name, function in functions(template).items():
        size = sum(_weight(policy) for policy in function.get("Policies", []))
        if size > MAX_POLICY_BYTES:
            yield f"{name} has {size:,} bytes of policies"


def _weight(value: Any) -> int:
    """Characters of a policy as JSON without spaces, which IAM does not count."""
    if isinstance(value, list):
        return 2 + sum(_weight(item) + 1 for item in value)
    if isinstance(value, dict):
        if len(value) == 1 and next(iter(value)).startswith(("Fn::", "Ref")):
            return REFERENCE_BYTES
        return 2 + sum(len(key) + 4 + _weight(item) for key, item in value.items())
    return len(str(value)) + 2


SERVICE_RULES: Final = {
    "headers": ServiceRule(
        f"{_CLOUDFRONT}/add-origin-custom-headers.html#add-origin-custom-headers-denylist", refused_headers
    ),
    "cached errors": ServiceRule(f"{_CLOUDFRONT}/custom-error-pages-expiration.html", cached_errors),
    "access logs": ServiceRule(
        "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-and-resource-policy.html", access_logs
    ),
    "names": ServiceRule(
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-deletionpolicy.html",
        names_in_the_way,
    ),
    "mappings": ServiceRule(
        "https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html", unbounded_mappings
    ),
    "dead letters": ServiceRule(
        "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/"
        "setting-up-dead-letter-queue-retention.html",
        early_dead_letters,
    ),
    "aliases": ServiceRule(
        "https://docs.aws.amazon.com/lambda/latest/dg/configuration-aliases.html", past_the_alias
    ),
    "percentiles": ServiceRule(
        "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/percentiles-with-low-samples.html",
        single_calls,
    ),
    "environments": ServiceRule(
        "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html", large_environments
    ),
    "policies": ServiceRule(
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html", large_policies
    ),
}  # fmt: skip
