"""Checks of what the account may take at once: Lambda's concurrency, and SMS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from infra import cost
from infra.operator.preflight.account import Account
from infra.operator.preflight.lines import LOOK, OK, Line
from infra.operator.preflight.settings import template

SHARDS: Final = 4
"""Of the stream of a table that is new and paid by request: so many partitions it begins with.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html"""
IRAQ: Final = "IQ"


def taken(conditions: Mapping[str, bool]) -> dict[str, int]:
    """How many runs each function may have at once of what calls it by itself: queues, streams, schedules and logs."""
    found: dict[str, int] = {}
    for name, resource in template()["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function" and conditions.get(resource.get("Condition", ""), True):
            events = resource["Properties"].get("Events", {}).values()
            if at_once := sum(_at_once(one["Type"], one.get("Properties", {})) for one in events):
                found[name] = at_once
    return found


def _at_once(kind: str, properties: Mapping[str, Any]) -> int:
    match kind:
        case "SQS":
            return int(properties["ScalingConfig"]["MaximumConcurrency"])
        case "DynamoDB":
            return SHARDS * int(properties.get("ParallelizationFactor", 1))
        case "Schedule" | "CloudWatchLogs":
            return 1
        case "HttpApi":
            return 0
    raise ValueError(f"how many runs an event of type {kind} may begin at once is not known")


def concurrency(account: Account) -> Iterator[Line]:
    """What is left for citizens of the account's concurrent runs."""
    limit = account.client("lambda").get_account_settings()["AccountLimit"]
    quota, free = limit["ConcurrentExecutions"], limit["UnreservedConcurrentExecutions"]
    functions = taken(account.settings.holds())
    own = sum(functions.values())
    burst = template()["Resources"]["Api"]["Properties"]["DefaultRouteSettings"]["ThrottlingBurstLimit"]
    of_quota = f"{quota:,} runs at once, {free:,} of them unreserved"
    why = f"{of_quota}; queues, streams and schedules may take {own}, the API {burst}"
    way_out = f"ask for {max(1_000, 2 * (own + burst)):,} (Service Quotas, Lambda, Concurrent executions: days)"
    if free <= own:
        yield account.hinders("concurrency", f"{why}: citizens would be answered 503", way_out)
    elif free < own + burst:
        yield Line(LOOK, "concurrency", why, way_out)
    else:
        yield Line(OK, "concurrency", why)


def _needed(account: Account, what: str, why: str, way_out: str) -> Line:
    """SMS are the point from phase 2 on; before, answers are shown on the page as well."""
    return account.hinders(what, why, way_out) if account.settings.phase > 1 else Line(LOOK, what, why, way_out)


def sandbox(account: Account) -> Iterator[Line]:
    """Whether SMS leave the account at all."""
    if account.client("sns").get_sms_sandbox_account_status()["IsInSandbox"]:
        way_out = "ask AWS to move the account out of it (days); till then only phones verified in SNS get any"
        yield _needed(account, "SMS sandbox", "the account is in it", way_out)
    else:
        yield Line(OK, "SMS sandbox", "the account is out of it")


def spend(account: Account) -> Iterator[Line]:
    """For how much SMS may leave it in a month."""
    answer = account.client("sns").get_sms_attributes(attributes=["MonthlySpendLimit"])
    limit = float(answer["attributes"].get("MonthlySpendLimit", 1))
    limits = account.client("pinpoint-sms-voice-v2").describe_spend_limits()["SpendLimits"]
    quota = max((one["MaxLimit"] for one in limits if one["Name"] == "TEXT_MESSAGE_MONTHLY_SPEND_LIMIT"), default=0)
    month = 30 * cost.sms_of_a_day(float(account.settings.parameters["SmsPartPrice"]))
    why = f"${limit:,.0f} a month is set, AWS lets you set up to ${quota:,}; an average month is ${month:,.0f}"
    if limit >= month:
        yield Line(OK, "SMS spend", why)
        return
    set_it = f"aws sns set-sms-attributes --attributes MonthlySpendLimit={month:.0f}"
    way_out = set_it if quota >= month else f"ask AWS for a higher spend quota (days), then {set_it}"
    yield _needed(account, "SMS spend", f"{why}: SNS stops within minutes of reaching it", way_out)


def sender(account: Account) -> Iterator[Line]:
    """Under which name they leave it."""
    name = account.settings.parameters["SmsSenderId"]
    answer = account.client("pinpoint-sms-voice-v2").describe_sender_ids()
    known = [one for one in answer["SenderIds"] if (one["SenderId"], one["IsoCountryCode"]) == (name, IRAQ)]
    if any(one.get("Registered") for one in known):
        yield Line(OK, "SMS sender", f"{name} is registered for {IRAQ}")
        return
    why = f"{name} {'is there, and not registered,' if known else 'is not registered'} for {IRAQ}"
    way_out = "ask AWS whether Iraq's operators want it; they may show another sender meanwhile"
    yield Line(LOOK, "SMS sender", why, way_out)
