"""Before a new version of what is behind the API gets its first call: it is tried, and a failure ends the rollout.

CodeDeploy calls this for each function whose alias is to be shifted, and waits for the answer.
https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any, Final

from shared.http import PROBE
from shared.observability import log_with, logger
from shared.settings import listed

SUCCEEDED: Final = "Succeeded"
FAILED: Final = "Failed"
RESERVE: Final = 25_000
"""Milliseconds that a version may need to answer or to time out, and that saying so takes."""


@cache
def _client(service: str) -> Any:
    import boto3
    from botocore.config import Config

    return boto3.client(service, config=Config(read_timeout=22, connect_timeout=2, retries={"total_max_attempts": 1}))


def handler(event: dict[str, Any], context: Any) -> None:
    """Lambda's entry point. All new versions are tried each time, for they take over together."""
    log_with(request_id=context.aws_request_id)
    status = FAILED
    try:
        # Up to the first that fails, and while there is time to say so.
        good = all(
            context.get_remaining_time_in_millis() > RESERVE and _answers(version) for version in listed("VERSIONS")
        )
        status = SUCCEEDED if good else FAILED
    finally:
        _client("codedeploy").put_lifecycle_event_hook_execution_status(
            deploymentId=event["DeploymentId"],
            lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
            status=status,
        )


def _answers(version: str) -> bool:
    """Whether a version answers a probe as it should."""
    answer = _client("lambda").invoke(FunctionName=version, Payload=json.dumps(_probe()).encode())
    told = json.loads(answer["Payload"].read())
    good = "FunctionError" not in answer and (told.get("statusCode") == 200 or told == {"isAuthorized": False})
    if not good:
        logger().error("a new version does not answer as it should", extra={"version": version.rpartition(":")[2]})
    return good


def _probe() -> dict[str, Any]:
    context = {"requestId": PROBE, "http": {"method": "GET", "path": "/"}}
    return {"version": "2.0", "routeKey": PROBE, "rawPath": "/", "headers": {}, "requestContext": context}
