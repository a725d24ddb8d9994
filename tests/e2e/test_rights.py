"""Least privilege from both sides: what a role lacks is refused (test_roles), what it never uses is not granted.

`make rights`: the emulator notes every right that lets a function through, in every test of the run. A right that the
template grants and no function used is an offence, unless it stands below with the reason why this run cannot use it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from tests.support.cloud import RIGHTS_USED, Cloud, without_suffixes

pytestmark = [pytest.mark.cloud, pytest.mark.looks_back, pytest.mark.xdist_group("cloud")]


class Right(NamedTuple):
    """An action that a function's role may do on resources of a name."""

    function: str
    action: str
    resource: str


POLLING: Final = frozenset({"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"})
"""Lambda reads a function's queue under the function's role; the emulator does it under none."""

_NO_DELIVERY_LOGS: Final = "the emulator's SNS writes no delivery logs, so this function is never called"
_LOOKS_FOR_WHAT_IS_MISSING: Final = "asked for by S3 itself, to tell what is missing from what is forbidden"
_DESTINATION: Final = (
    "asked for by Lambda of a function whose stream records it lays into a bucket; the emulator does not"
)
_IN_PARTS: Final = "rejects of more than 8 MB are written in parts; only a part that fails abandons those before it"
_BETWEEN_TWO_STEPS: Final = (
    "a failed file has none: laid only where a newer version of its key ends at that very moment"
)
_HANDED_ON: Final = "asked for by SNS, which hands an SMS to End User Messaging; the emulator's keeps it"
_BEFORE_THE_WALK: Final = (
    "only where the registry decides of a proof between the making of a message and its sending, before the walk comes"
)
_ENDED_BY_ANOTHER: Final = "only where this function ends a file or goes on with many; here another did, and few were"
_MONTHS_LATER: Final = "only of a link that ends: half a year after it was made"
_MINUTES_LATER: Final = "asked for two minutes after the first pass of an erasure: longer than this run waits"
_NO_ROLLOUT: Final = "called by CodeDeploy alone, and here nothing shifts from version to version"
CANNOT_BE_USED_HERE: Final[dict[Right, str]] = {
    Right("QueryOnErasure", "dynamodb:PutItem", "*Citizens*"): _MINUTES_LATER,
    Right("QueryOnErasure", "dynamodb:Query", "*Messages*"): _MINUTES_LATER,
    Right("QueryOnErasure", "dynamodb:PutItem", "*Messages*"): _MINUTES_LATER,
    Right("QueryOnErasure", "dynamodb:DeleteItem", "*Messages*"): _MINUTES_LATER,
    Right("QueryOnErasure", "dynamodb:DeleteItem", "*Payments*"): _MINUTES_LATER,
    Right("NotifySendSms", "dynamodb:UpdateItem", "*Citizens*"): _BEFORE_THE_WALK,
    Right("NotifySendSms", "dynamodb:DeleteItem", "*Registry*"): _BEFORE_THE_WALK,
    Right("NotifyLapse", "dynamodb:BatchGetItem", "*Citizens*"): _MONTHS_LATER,
    Right("NotifyLapse", "dynamodb:DeleteItem", "*"): _MONTHS_LATER,
    Right("NotifyLapse", "dynamodb:GetItem", "*Messages*"): _MONTHS_LATER,
    Right("NotifyLapse", "dynamodb:PutItem", "*Messages*"): _MONTHS_LATER,
    Right("IngestOnFile", "s3:DeleteObject", "*/rejects/*"): _ENDED_BY_ANOTHER,
    Right("IngestSweep", "s3:DeleteObject", "*/rejects/*"): _ENDED_BY_ANOTHER,
    Right("IngestSweep", "s3:GetObject", "*/rejects/*"): _ENDED_BY_ANOTHER,
    Right("IngestSweep", "sqs:SendMessage", "*ProofQueue"): _ENDED_BY_ANOTHER,
    Right("NotifyOnRegistry", "sqs:SendMessage", "*ProofQueue"): _ENDED_BY_ANOTHER,
    Right("NotifyOnDelivery", "dynamodb:GetItem", "*"): _NO_DELIVERY_LOGS,
    Right("NotifyOnDelivery", "dynamodb:Query", "*"): _NO_DELIVERY_LOGS,
    Right("NotifyOnDelivery", "dynamodb:UpdateItem", "*"): _NO_DELIVERY_LOGS,
    Right("NotifyOnDelivery", "sqs:SendMessage", "*"): _NO_DELIVERY_LOGS,
    Right("NotifySendSms", "sms-voice:SendTextMessage", "*"): _HANDED_ON,
    Right("RolloutBeforeTraffic", "lambda:InvokeFunction", "*"): _NO_ROLLOUT,
    Right("RolloutBeforeTraffic", "codedeploy:PutLifecycleEventHookExecutionStatus", "*"): _NO_ROLLOUT,
    Right("PayOnViolation", "s3:ListBucket", "*"): _DESTINATION,
    Right("IngestOnFile", "s3:ListBucket", "*"): _LOOKS_FOR_WHAT_IS_MISSING,
    Right("IngestOnFile", "s3:ListBucketVersions", "*"): _LOOKS_FOR_WHAT_IS_MISSING,
    Right("IngestLoadChunk", "s3:ListBucket", "*"): _LOOKS_FOR_WHAT_IS_MISSING,
    Right("IngestLoadChunk", "s3:ListBucketVersions", "*"): _LOOKS_FOR_WHAT_IS_MISSING,
    Right("IngestLoadChunk", "s3:AbortMultipartUpload", "*/rejects/*"): _IN_PARTS,
    Right("IngestSweep", "s3:ListBucket", "*"): _LOOKS_FOR_WHAT_IS_MISSING,
    Right("IngestSweep", "s3:PutObject", "*/rejects/*"): _BETWEEN_TWO_STEPS,
    Right("NotifyOnViolation", "s3:ListBucket", "*"): _DESTINATION,
    Right("NotifyOnMessage", "s3:ListBucket", "*"): _DESTINATION,
    Right("PayReceipts", "s3:ListBucket", "*"): _LOOKS_FOR_WHAT_IS_MISSING,
}
"""Rights by function, action and pattern of the resource's name, each with the reason."""


def granted(cloud: Cloud) -> Iterator[Right]:
    """Every right of every function's role, as deployed."""
    iam = cloud.aws("iam")
    for function in cloud.aws("lambda").list_functions()["Functions"]:
        role = function["Role"].rpartition("/")[2]
        for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
            for statement in document["Statement"]:
                if statement["Effect"] == "Allow":
                    yield from _rights(_logical(role), statement)


def _rights(function: str, statement: dict[str, Any]) -> Iterator[Right]:
    actions, resources = (
        value if isinstance(value := statement[part], list) else [value] for part in ("Action", "Resource")
    )
    for action in actions:
        # Here a batch is an action of its own; on AWS it is not.
        if not action.endswith("Batch"):
            for resource in resources:
                yield Right(function, action, _as_noted(without_suffixes(resource)))


def _as_noted(resource: str) -> str:
    """A resource as the witness notes its use: of a single object only the folder."""
    return re.sub(r"^(arn:aws:s3:::[^/]+/(?:.+/)?)[^/*]+$", r"\1object", resource)


def _covers(wide: Right, narrow: Right) -> bool:
    """Whether a right, whose resource may be a pattern, holds another."""
    return wide[:2] == narrow[:2] and fnmatchcase(narrow.resource, wide.resource)


def _logical(role: str) -> str:
    return without_suffixes(role).removeprefix("gharama-").removesuffix("Role")


def used() -> set[Right]:
    rights = (Right(*line.split("\t")) for line in RIGHTS_USED)
    return {Right(_logical(right.function), right.action.removesuffix("Batch"), right.resource) for right in rights}


def _is_slow(path: Path) -> bool:
    """Whether all of a module's tests take more than a minute, and so are not of this run."""
    marks = re.search(r"^pytestmark = .*$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return marks is not None and "mark.slow" in marks[0]


def test_every_right_is_used(cloud: Cloud, request: pytest.FixtureRequest) -> None:
    ran = {Path(item.path) for item in request.session.items}
    missing = {path.name for path in Path(__file__).parent.glob("test_*.py") if not _is_slow(path)} - {
        path.name for path in ran
    }
    assert not missing, "only a whole run says it: make rights"
    cloud.note_rights()
    seen = used()

    unused = {
        right
        for right in granted(cloud)
        if right.action not in POLLING
        and not any(_covers(excused, right) for excused in CANNOT_BE_USED_HERE)
        and not any(_covers(right, one) or one == right._replace(resource="*") for one in seen)
    }

    assert not unused, "\n".join(map(str, sorted(unused)))


def test_every_reason_is_still_needed(cloud: Cloud) -> None:
    rights = list(granted(cloud))
    needless = [each for each in CANNOT_BE_USED_HERE if not any(_covers(each, right) for right in rights)]
    assert not needless
