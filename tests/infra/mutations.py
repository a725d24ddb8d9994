"""Ways to break ``template.yaml``, each with the rule that catches it and what is found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from tests.infra.reading import Template
from tests.infra.rules import READ_BY_POWERTOOLS


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


def grant(action: str | list[str], resource: object) -> Callable[[Template], object]:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    return lambda template: _of(template, "QueryApi")["Policies"][0]["Statement"].append(statement)


def _drop_common(part: str) -> Callable[[Template], object]:
    return lambda template: template["Globals"]["Function"].pop(part)


def _set_common(part: str, value: object) -> Callable[[Template], object]:
    return lambda template: template["Globals"]["Function"].__setitem__(part, value)


_CLOSED: Final = {"security": [{"Citizen": []}]}

MUTATIONS: Final = {
    "an API whose warnings nobody sees": Mutation(
        "doors", _drop("Api", "FailOnWarnings"), {"the API is deployed without the paths that it cannot guard"}
    ),
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
        lambda template: template["Resources"]["NotifyRemind"].pop("Condition"),
        {"NotifyRemind is not only there where Tells holds"},
    ),
    "money that nobody asks about any more": Mutation(
        "phases",
        lambda template: template["Resources"]["PayPollGateways"].update(Condition="Pays"),
        {"PayPollGateways is not there in every phase"},
    ),
    "all actions of a service": Mutation(
        "rights", grant("dynamodb:*", {"Fn::GetAtt": ["Files", "Arn"]}), {"QueryApi may dynamodb:*"}
    ),
    "any resource": Mutation("rights", grant(["sqs:SendMessage"], "*"), {"QueryApi may sqs:SendMessage on *"}),
    "any topic": Mutation(
        "rights",
        grant("sns:Publish", {"Fn::Sub": "arn:${AWS::Partition}:sns:*:*:x"}),
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
    "a route on another API": Mutation(
        "doors",
        lambda template: _event(template, "QueryApi", "AskByPlate").update(ApiId={"Ref": "Other"}),
        {"POST /v1/queries is not on the API"},
    ),
    "a route twice": Mutation(
        "doors",
        lambda template: _of(template, "QueryApi")["Events"].update(
            Again=dict(_of(template, "QueryApi")["Events"]["AskByPlate"])
        ),
        {"POST /v1/queries is there twice"},
    ),
    "a queue without dead letters": Mutation(
        "ends",
        _drop("SmsQueue", "RedrivePolicy"),
        {
            "SmsQueue feeds a function and has no dead letters",
            "SmsDeadLetters feeds no function and nothing ends there",
        },
    ),
    "dead letters that go round in a circle": Mutation(
        "ends",
        lambda template: _of(template, "SmsQueue")["RedrivePolicy"].update(
            deadLetterTargetArn={"Fn::GetAtt": ["FileQueue", "Arn"]}
        ),
        {"FileQueue is dead letters and feeds a function", "SmsDeadLetters feeds no function and nothing ends there"},
    ),
    "a schedule that tries again": Mutation(
        "calls",
        lambda template: _of(template, "NotifySweep")["EventInvokeConfig"].update(MaximumRetryAttempts=1),
        {"NotifySweep: retries a schedule whose next run is the retry"},
    ),
    "an alarm that does not know silence": Mutation(
        "alarms",
        _drop("SmsDeadLettersAlarm", "TreatMissingData"),
        {"SmsDeadLettersAlarm does not say what no data means"},
    ),
    "memory that nobody names": Mutation(
        "limits", _drop_common("MemorySize"), {"MemorySize is not named for all functions"}
    ),
    "another processor": Mutation(
        "limits", _set_common("Architectures", ["x86_64"]), {"not all functions run on arm64"}
    ),
    "calls without traces": Mutation("limits", _drop_common("Tracing"), {"not all functions are traced"}),
    "a run of minutes without a reason": Mutation(
        "limits", _set("NotifyOnViolation", "Timeout", 121), {"NotifyOnViolation may run 121 s without a reason"}
    ),
    "a function of another Python": Mutation(
        "limits", _set("QueryApi", "Runtime", "python3.12"), {"QueryApi has a Runtime of its own"}
    ),
    "a reason for nobody": Mutation(
        "limits",
        lambda template: template["Resources"].pop("StatsOnNight"),
        {"StatsOnNight is no function any more"},
    ),
    "a table under a key of the account's": Mutation(
        "data",
        _set("Payments", "SSESpecification", {"SSEEnabled": True}),
        {"Payments: not is encrypted under the key that AWS owns"},
    ),
    "a table of fixed capacity": Mutation(
        "data", _set("Payments", "BillingMode", "PROVISIONED"), {"Payments: not grows with its use"}
    ),
    "a table that anybody deletes": Mutation(
        "data",
        _set("Payments", "DeletionProtectionEnabled", False),
        {"Payments: not is protected from deletion in production"},
    ),
    "a table that goes with its replacement": Mutation(
        "data",
        lambda template: template["Resources"]["Payments"].pop("UpdateReplacePolicy"),
        {"Payments: UpdateReplacePolicy is not Retain"},
    ),
    "a name that stays taken where the first deployment fails": Mutation(
        "data",
        lambda template: template["Resources"]["Uploads"].update(DeletionPolicy="Retain"),
        {"Uploads: DeletionPolicy is not RetainExceptOnCreate"},
    ),
    "a bucket in plain text": Mutation(
        "data", _drop("Uploads", "BucketEncryption"), {"Uploads: not is encrypted"}
    ),
    "a bucket that forgets nothing": Mutation(
        "data", _drop("Uploads", "LifecycleConfiguration"), {"Uploads: not says what it forgets"}
    ),
    "a queue in plain text": Mutation(
        "data", _drop("SmsQueue", "SqsManagedSseEnabled"), {"SmsQueue: not is encrypted"}
    ),
    "all but some rights": Mutation(
        "rights",
        lambda template: _of(template, "QueryApi")["Policies"][0]["Statement"].append(
            {"Effect": "Allow", "NotAction": "iam:*", "Resource": {"Fn::GetAtt": ["Files", "Arn"]}}
        ),
        {"QueryApi has rights by exception"},
    ),
    "any resource by a managed policy": Mutation(
        "rights",
        lambda template: _of(template, "EdgeSecretReaders")["PolicyDocument"]["Statement"][0].update(Resource="*"),
        {"EdgeSecretReaders may secretsmanager:GetSecretValue on *"},
    ),
    "any resource by a role": Mutation(
        "rights",
        lambda template: _of(template, "SmsDeliveryRole")["Policies"][0]["PolicyDocument"]["Statement"][0].update(
            Action="logs:*", Resource="*"
        ),
        {"SmsDeliveryRole may logs:*", "SmsDeliveryRole may logs:* on *"},
    ),
    "a setting for all": Mutation(
        "settings",
        lambda template: template["Globals"]["Function"]["Environment"]["Variables"].update(DEBUG="1"),
        {f"set for all functions: {sorted(READ_BY_POWERTOOLS | {'DEBUG'})}"},
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
