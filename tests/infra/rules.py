"""The rules that ``template.yaml`` keeps: each is a function over a template that answers with what breaks it.

What is allowed to differ stands here, each with its reason; a reason that no longer applies is an offence too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import product
from typing import Any, Final

from infra.alarms import MORNING, WAKE
from tests.infra.reading import ROOT, Template, as_list, events, functions, number, of_type, target
from tests.support.source_tree import Place, SourceTree

OPEN_ROUTES: Final = {
    "GET /v1/health": "says only that the function answers",
    "GET /v1/openapi.json": "documents the API",
    "GET /v1/callbacks/{gateway}": "the gateway's own scheme proves the caller",
    "POST /v1/callbacks/{gateway}": "the gateway's own scheme proves the caller",
    "GET /v1/gateways": "which gateways there are is no secret; no table is read more than once a minute",
    "GET /v1/receipts/{receipt_no}": "the number is the secret; the answer holds no personal data",
    "$default": "answers 404",
}
ANY_RESOURCE: Final = {
    ("StatsOnNight", "cloudwatch:GetMetricStatistics"): "reading metrics has no resource to name",
    ("RolloutBeforeTraffic", "codedeploy:PutLifecycleEventHookExecutionStatus"): "SAM names the groups of deployments",
    ("NotifySendSms", "sns:Publish"): "an SMS to a phone number has no resource to name; topics are denied",
    ("NotifySendSms", "sms-voice:SendTextMessage"): "which sender or number sends is SNS's choice; by SNS alone",
}
OWN_MEMORY: Final = {
    "StatsOnNight": "reads millions of items through once a night: a whole processor, for minutes",
    "IngestOnFile": "reads the largest workbook through in two minutes of a whole processor, of its fifteen",
    "PayReceipts": "shapes Arabic and draws a page while a citizen waits: more memory is more processor",
}
"""Functions whose MemorySize is not everybody's, and why."""

NO_CLIENT_WAITS: Final = {
    "StatsOnNight": "reads the whole table through once a night",
    "NotifyLapse": "looks at a day's links; the next hour's run goes on where it was cut off",
    "NotifyRemind": "walks a day's doublings; the next hour's run goes on where it was cut off",
    "RemitHourly": "writes the files of every sector; the next hour's run goes on where it was cut off",
    "PayReconciliation": "asks the gateways about the payments of two days",
    "IngestOnFile": "reads a file of gigabytes through once",
}
"""Functions that may run longer than two minutes, and why."""

READ_BY_POWERTOOLS: Final = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_LOG_LEVEL"}
SET_BY_LAMBDA: Final = {"AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION"}
"""https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html"""
MAX_ANSWER_SECONDS: Final = 29
"""Seconds; an HTTP API gives up after 30."""

MAX_RUN_SECONDS: Final = 120


def open_doors(template: Template) -> Iterator[str]:
    """Routes without an authorizer that are not known to need none, and the other way round.

    Where API Gateway cannot make the authorizer, for which it reads what the issuer publishes, it warns and leaves out
    the routes that need it: https://github.com/aws/serverless-application-model/issues/1727
    """
    api = of_type(template, "AWS::Serverless::HttpApi")["Api"]
    if api.get("FailOnWarnings") is not True:
        yield "the API is deployed without the paths that it cannot guard"
    paths = api["DefinitionBody"]["paths"]
    closed = {
        f"{method.upper()} {path}"
        for path, methods in paths.items()
        for method, operation in methods.items()
        if operation.get("security") == [{"Citizen": []}]
    }
    seen = set()
    for name, route in events(template, "HttpApi"):
        key = f"{route['Method'].upper()} {route['Path']}" if "Path" in route else "$default"
        if target(route["ApiId"]) != "Api":
            yield f"{key} is not on the API"
        if key in seen:
            yield f"{key} is there twice"
        if "Auth" in route:
            yield f"{name} {key} says otherwise than the API's definition"
        if key not in closed and key not in OPEN_ROUTES:
            yield f"{name} {key} is open"
        if key in closed and key in OPEN_ROUTES:
            yield f"{name} {key} is closed"
        seen.add(key)
    yield from (f"{key} is answered by nobody" for key in sorted(closed - seen))


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
            "counts what it gives up": mapping.get("MetricsConfig") == {"Metrics": ["EventCount"]},
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


@cache
def _our_source() -> SourceTree:
    return SourceTree(ROOT / "functions")


def unset_and_unread(template: Template, source: SourceTree) -> Iterator[str]:
    """Settings that a function can come to read and that are not set for it, and those that are set in vain."""
    common = set(template["Globals"]["Function"]["Environment"]["Variables"])
    if common != READ_BY_POWERTOOLS:
        yield f"set for all functions: {sorted(common)}"
    for name, function in of_type(template, "AWS::Serverless::Function").items():
        module, _, entry = function["Handler"].rpartition(".")
        read = source.settings(Place(module, entry)) - SET_BY_LAMBDA
        given = set(function.get("Environment", {}).get("Variables", {}))
        yield from (f"{name} reads {variable}, which is not set" for variable in sorted(read - given - common))
        yield from (f"{name} never reads {variable}" for variable in sorted(given - read))


def statements(template: Template) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every statement of every function's role, with the function's name; and those of other roles and policies."""
    for name, function in functions(template).items():
        for policy in function.get("Policies", []):
            if not isinstance(policy, dict) or "Statement" not in policy:
                raise TypeError(f"{name} takes {policy}, which is not written out")
            yield from ((name, statement) for statement in policy["Statement"])
    for name, policy in of_type(template, "AWS::IAM::ManagedPolicy").items():
        yield from ((name, statement) for statement in policy["PolicyDocument"]["Statement"])
    for name, role in of_type(template, "AWS::IAM::Role").items():
        for policy in role["Policies"]:
            yield from ((name, statement) for statement in policy["PolicyDocument"]["Statement"])


def wide_rights(template: Template) -> Iterator[str]:
    """Rights with a wildcard: in an action never; in a resource only for the objects of a bucket, or with a reason."""
    for name, statement in statements(template):
        if "NotAction" in statement or "NotResource" in statement:
            yield f"{name} has rights by exception"
            continue
        actions = as_list(statement["Action"])
        yield from (f"{name} may {action}" for action in actions if "*" in action)
        if statement["Effect"] == "Deny":
            continue
        for text in wildcards(statement):
            yield from (f"{name} may {a} on {text}" for a in actions if (name, a) not in ANY_RESOURCE)


def wildcards(statement: dict[str, Any]) -> Iterator[str]:
    """Resources of a statement that hold a wildcard, but for the objects of a bucket."""
    actions = as_list(statement["Action"])
    for resource in as_list(statement["Resource"]):
        text = resource.get("Fn::Sub", "") if isinstance(resource, dict) else resource
        objects = text.startswith("${") and text.endswith("/*") and all(a.startswith("s3:") for a in actions)
        if "*" in text and not objects:
            yield text


def unbounded_calls(template: Template) -> Iterator[str]:
    """Functions that are called without anybody waiting (schedules, log subscriptions) and whose retries have no bound.

    What fails is kept where it can be looked at; only a schedule needs no such place, since its next run is the retry.
    """
    scheduled = {name for name, _ in events(template, "Schedule")} | {
        name for name, _ in events(template, "ScheduleV2")
    }
    subscribed = {name for name, _ in events(template, "CloudWatchLogs")}
    for name in sorted(scheduled | subscribed):
        config = functions(template)[name].get("EventInvokeConfig", {})
        if not 0 <= config.get("MaximumRetryAttempts", -1) <= 2:
            yield f"{name}: not bounds its retries"
        if not 60 <= config.get("MaximumEventAgeInSeconds", -1) <= 21_600:
            yield f"{name}: not bounds the age"
        kept = "Destination" in config.get("DestinationConfig", {}).get("OnFailure", {})
        if name in subscribed and not kept:
            yield f"{name}: not keeps what failed"
        if name not in subscribed and config.get("MaximumRetryAttempts") and not kept:
            yield f"{name}: retries a schedule whose next run is the retry"


def lost_ends(template: Template) -> Iterator[str]:
    """Queues that neither feed a function with dead letters behind them, nor are where something else ends."""
    queues = of_type(template, "AWS::SQS::Queue")
    feeding = {target(mapping["Queue"]) for _, mapping in events(template, "SQS")}
    ends = {
        target(queue["RedrivePolicy"]["deadLetterTargetArn"]) for queue in queues.values() if "RedrivePolicy" in queue
    }
    for function in functions(template).values():
        on_failure = function.get("EventInvokeConfig", {}).get("DestinationConfig", {}).get("OnFailure", {})
        if on_failure.get("Type") == "SQS":
            ends.add(target(on_failure["Destination"]))
    yield from (f"{name} feeds no function and nothing ends there" for name in sorted(queues.keys() - feeding - ends))
    yield from (
        f"{name} feeds a function and has no dead letters"
        for name in sorted(feeding)
        if "RedrivePolicy" not in queues[name]
    )
    yield from (f"{name} is dead letters and feeds a function" for name in sorted(feeding & ends))


def unwatched(template: Template) -> Iterator[str]:
    """Dead letters without an alarm, and alarms that call nobody."""
    alarms = of_type(template, "AWS::CloudWatch::Alarm")
    watched = {
        target(dimension["Value"])
        for alarm in alarms.values()
        if alarm.get("MetricName") == "ApproximateNumberOfMessagesVisible"
        for dimension in alarm["Dimensions"]
    }
    queues = of_type(template, "AWS::SQS::Queue")
    ends = {name for name, queue in queues.items() if "RedrivePolicy" not in queue}
    yield from (f"{name} fills without an alarm; `make alarms` writes it" for name in sorted(ends - watched))
    for name, alarm in alarms.items():
        if alarm.get("AlarmActions") not in ([{"Ref": topic}] for topic in (WAKE, MORNING)):
            yield f"{name} calls nobody"
        if "TreatMissingData" not in alarm:
            yield f"{name} does not say what no data means"


def long_or_unnamed(template: Template) -> Iterator[str]:
    """Functions whose timeout is not under their caller's, and whose memory is not everybody's without a reason."""
    common = template["Globals"]["Function"]
    for name in ("MemorySize", "Timeout", "Runtime"):
        if name not in common:
            yield f"{name} is not named for all functions"
    if common.get("Architectures") != ["arm64"]:
        yield "not all functions run on arm64"
    if common.get("Tracing") != "Active":
        yield "not all functions are traced"
    behind_the_api = {name for name, _ in events(template, "HttpApi")} | {"QueryAuthorizer"}
    for name, own in of_type(template, "AWS::Serverless::Function").items():
        timeout = number(template, own.get("Timeout", common.get("Timeout", 3)))
        if name in behind_the_api and timeout > MAX_ANSWER_SECONDS:
            yield f"{name} may run {timeout} s, longer than the API waits"
        if timeout > MAX_RUN_SECONDS and name not in NO_CLIENT_WAITS:
            yield f"{name} may run {timeout} s without a reason"
        if ("MemorySize" in own) != (name in OWN_MEMORY):
            yield f"{name}: a MemorySize of its own and the reason for it do not go together"
        for part in ("Runtime", "Architectures", "Tracing", "CodeUri"):
            if part in own:
                yield f"{name} has a {part} of its own"
    for name, _, interval in scheduled_by_rate(template):
        if number(template, functions(template)[name]["Timeout"]) > interval:
            yield f"{name} may still run when its next run begins"
    known = of_type(template, "AWS::Serverless::Function").keys()
    yield from (
        f"{name} is no function any more" for name in sorted((NO_CLIENT_WAITS.keys() | OWN_MEMORY.keys()) - known)
    )


_SECONDS: Final = {"minute": 60, "hour": 3600, "day": 86_400}


def scheduled_by_rate(template: Template) -> Iterator[tuple[str, str, int]]:
    """Functions that run at a rate: their name, the rate, and it in seconds."""
    for name, event in events(template, "Schedule"):
        rate = event["Schedule"]
        if isinstance(rate, str) and rate.startswith("rate("):
            count, unit = rate.removeprefix("rate(").removesuffix(")").split()
            yield name, rate, int(count) * _SECONDS[unit.removesuffix("s")]


def perishable_data(template: Template) -> Iterator[str]:
    """Tables, buckets, secrets and queues that could be lost or read by others.

    Data: kept when the stack is deleted, restorable, encrypted, reachable by TLS alone. Buckets: private, and with a
    rule for what is forgotten when.
    """
    resources = template["Resources"]
    for name, table in of_type(template, "AWS::DynamoDB::Table").items():
        faults = {
            "can be restored to any second": table.get("PointInTimeRecoverySpecification", {}).get(
                "PointInTimeRecoveryEnabled"
            )
            is True,
            "is encrypted under the key that AWS owns": table.get("SSESpecification") == {"SSEEnabled": False},
            "grows with its use": table.get("BillingMode") == "PAY_PER_REQUEST",
            "is protected from deletion in production": table.get("DeletionProtectionEnabled")
            == {"Fn::If": ["Protected", True, False]},
        }
        yield from (f"{name}: not {what}" for what, holds in faults.items() if not holds)
    closed = {
        target(policy["Bucket"])
        for policy in of_type(template, "AWS::S3::BucketPolicy").values()
        if any(_refuses_plain_http(statement) for statement in policy["PolicyDocument"]["Statement"])
    }
    for name, bucket in of_type(template, "AWS::S3::Bucket").items():
        block = bucket.get("PublicAccessBlockConfiguration", {})
        faults = {
            "is private": len(block) == 4 and all(value is True for value in block.values()),
            "is encrypted": "BucketEncryption" in bucket,
            "says what it forgets": bool(bucket.get("LifecycleConfiguration", {}).get("Rules")),
            "refuses plain HTTP": name in closed,
        }
        yield from (f"{name}: not {what}" for what, holds in faults.items() if not holds)
    for name, queue in of_type(template, "AWS::SQS::Queue").items():
        if queue.get("SqsManagedSseEnabled") is not True:
            yield f"{name}: not is encrypted"
    for kind in ("AWS::DynamoDB::Table", "AWS::S3::Bucket"):
        for name, kept in of_type(template, kind).items():
            # What has a name of its own would be in the way of a second try to make the stack.
            deletion = "RetainExceptOnCreate" if kept.keys() & {"BucketName", "TableName"} else "Retain"
            for policy, wanted in {"DeletionPolicy": deletion, "UpdateReplacePolicy": "Retain"}.items():
                if resources[name].get(policy) != wanted:
                    yield f"{name}: {policy} is not {wanted}"


def _refuses_plain_http(statement: dict[str, Any]) -> bool:
    return (
        statement["Effect"] == "Deny"
        and statement["Principal"] == "*"
        and statement["Action"] == "s3:*"
        and statement.get("Condition") == {"Bool": {"aws:SecureTransport": False}}
    )


PHASES: Final = {"notify.on_violation.": "Tells", "notify.remind.": "Tells", "pay.": None, "remit.": None}
"""By how a handler begins: the condition under which it is there; None for what every phase needs.

Money that is under way when payments are closed is concluded, its receipts are checked and its sectors hear of it.
"""


def out_of_phase(template: Template) -> Iterator[str]:
    """Functions, and their logs, that are there in another phase than theirs."""
    for name, function in functions(template).items():
        phases = [phase for start, phase in PHASES.items() if function["Handler"].startswith(start)]
        for each, phase in product((name, target(function["LoggingConfig"]["LogGroup"])), phases):
            if template["Resources"][each].get("Condition") != phase:
                yield f"{each} is not {f'only there where {phase} holds' if phase else 'there in every phase'}"


RULES: Final[dict[str, Callable[[Template], Iterable[str]]]] = {
    "doors": open_doors,
    "streams": lossy_streams,
    "queues": lossy_queues,
    "ends": lost_ends,
    "calls": unbounded_calls,
    "alarms": unwatched,
    "logs": endless_logs,
    "limits": long_or_unnamed,
    "data": perishable_data,
    "phases": out_of_phase,
    "rights": wide_rights,
    "settings": lambda template: unset_and_unread(template, _our_source()),
}
