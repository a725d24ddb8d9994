"""A new version is tried as nobody: nothing is counted, kept or told of it, and no request can pass for a trial."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from rollout import before_traffic
from shared.http import PROBE
from tests.support.functions import Functions, run

API = ("query.api", "query.mine.api", "ingest.api", "pay.api", "pay.receipts", "pay.on_callback")


def everything(functions: Functions) -> dict[str, list[Any]]:
    return {name: list(functions.tables.items(name)) for name in ("Citizens", "Messages", "Payments", "Violations")}


@pytest.mark.parametrize("module", API)
def test_each_function_behind_the_api_answers_a_trial_and_writes_nothing(
    functions: Functions, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECEIPTS_BUCKET", "none")
    before = everything(functions)
    assert run(module, before_traffic._probe())["statusCode"] == 200
    assert everything(functions) == before


def test_an_authorizer_lets_no_trial_in() -> None:
    assert run("query.authorizer", before_traffic._probe()) == {"isAuthorized": False}


def test_an_order_is_placed_only_in_a_sandbox(functions: Functions, monkeypatch: pytest.MonkeyPatch) -> None:
    run("pay.api", before_traffic._probe())
    (order,) = functions.gateway.orders.values()
    assert order.status == "failed", "and closed at once"
    functions.gateway.orders.clear()
    monkeypatch.setenv("GATEWAYS", "")
    run("pay.api", before_traffic._probe())
    assert functions.gateway.orders == {}


@pytest.mark.parametrize("claimed", [{"headers": {"routekey": PROBE}}, {"body": {"routeKey": PROBE}}])
def test_no_request_passes_for_a_trial(functions: Functions, claimed: dict[str, Any]) -> None:
    """API Gateway gives the route, whatever is asked for."""
    reply = functions.call("query.api", "$default", path={}, **claimed)
    assert (reply.status, reply.body["code"]) == (404, "no_such_path")


class Aws:
    """Lambda and CodeDeploy, as far as the trial asks them. answers: by version."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers = answers
        self.said: list[dict[str, str]] = []

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803
        assert json.loads(Payload)["routeKey"] == PROBE
        answer = self.answers[FunctionName]
        error = {"FunctionError": "Unhandled"} if "errorMessage" in answer else {}
        return {"Payload": io.BytesIO(json.dumps(answer).encode()), **error}

    def put_lifecycle_event_hook_execution_status(self, **said: str) -> None:
        self.said.append(said)


GOOD = {"statusCode": 200}


@pytest.mark.parametrize(
    ("answers", "status"),
    [
        ({"a:1": GOOD, "b:2": {"isAuthorized": False}}, "Succeeded"),
        ({"a:1": GOOD, "b:2": {"statusCode": 500}}, "Failed"),
        ({"a:1": {"errorMessage": "Task timed out"}}, "Failed"),
        ({"a:1": {"errorMessage": "x", "statusCode": 200}}, "Failed"),
        ({"a:1": {"isAuthorized": True}}, "Failed"),
        ({"a:1": None}, "Failed"),
    ],
)
def test_codedeploy_hears_whether_all_answer(
    functions: Functions, monkeypatch: pytest.MonkeyPatch, answers: dict[str, Any], status: str
) -> None:
    aws = Aws(answers)
    monkeypatch.setattr(before_traffic, "_client", lambda service: aws)
    monkeypatch.setenv("VERSIONS", ",".join([*answers, ""]))
    try:
        run("rollout.before_traffic", {"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "e-1"})
    except TypeError:
        assert None in answers.values(), "what is broken ends the rollout all the same"
    assert aws.said == [{"deploymentId": "d-1", "lifecycleEventHookExecutionId": "e-1", "status": status}]
