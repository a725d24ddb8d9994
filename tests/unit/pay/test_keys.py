"""A gateway's keys: read once in a while, two pairs good at once, and what was read outlives a failed reading."""

from __future__ import annotations

import hmac
import json
from datetime import timedelta
from typing import Any

import pytest

from pay.gateways import CallbackError, Delivery, Keys, NotAskedError
from pay.gateways.keys import FRESH_FOR, SecretKeys
from pay.gateways.sandbox import Sandbox
from shared.aws_json import AwsError, Json
from tests.support.build import NOON


class Secrets:
    """Secrets Manager with one secret. versions: by stage."""

    def __init__(self, **versions: dict[str, str]) -> None:
        self.versions = versions
        self.asked: list[str] = []
        self.failure: Exception | None = None

    def __call__(self, service: str, operation: str, request: Json) -> Json:
        assert (service, operation, request["SecretId"]) == ("secretsmanager", "GetSecretValue", "arn")
        stage = request.get("VersionStage", "AWSCURRENT")
        self.asked.append(stage)
        if self.failure:
            raise self.failure
        if stage not in self.versions:
            raise AwsError("ResourceNotFoundException", "no such version")
        return {"SecretString": json.dumps(self.versions[stage])}

    def rotate(self, new: dict[str, str]) -> None:
        self.versions = {"AWSCURRENT": new, "AWSPREVIOUS": self.versions["AWSCURRENT"]}


class Clock:
    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> Any:
        return self.at


OLD, NEW = {"callback_key": "old"}, {"callback_key": "new"}


@pytest.fixture
def secrets() -> Secrets:
    return Secrets(AWSCURRENT=OLD)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(secrets: Secrets, clock: Clock) -> SecretKeys:
    return SecretKeys(secrets, "arn", clock)


def test_they_are_read_once_in_a_while_and_not_for_each_use(keys: SecretKeys, secrets: Secrets, clock: Clock) -> None:
    assert secrets.asked == []
    for _ in range(3):
        assert keys() == Keys(OLD)
    assert secrets.asked == ["AWSCURRENT", "AWSPREVIOUS"]
    clock.at += FRESH_FOR
    keys()
    assert len(secrets.asked) == 4


def test_new_ones_are_found_without_a_deployment_and_the_previous_stay_good(
    keys: SecretKeys, secrets: Secrets, clock: Clock
) -> None:
    keys()
    secrets.rotate(NEW)
    clock.at += FRESH_FOR - timedelta(seconds=1)
    assert keys() == Keys(OLD)
    clock.at += timedelta(seconds=1)
    assert keys() == Keys(NEW, OLD)


def test_those_that_were_read_outlive_a_failed_reading(keys: SecretKeys, secrets: Secrets, clock: Clock) -> None:
    keys()
    secrets.rotate(NEW)
    secrets.failure = AwsError("InternalServiceError", "")
    clock.at += FRESH_FOR
    assert keys() == Keys(OLD)
    secrets.failure = None
    assert keys() == Keys(OLD)
    clock.at += FRESH_FOR
    assert keys() == Keys(NEW, OLD)


@pytest.mark.parametrize("failure", [AwsError("AccessDeniedException", ""), ValueError("no JSON: hush")])
def test_without_any_nothing_is_asked_and_the_next_use_reads_again(
    keys: SecretKeys, secrets: Secrets, failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    secrets.failure = failure
    with pytest.raises(NotAskedError, match=r"^no keys$"):
        keys()
    secrets.failure = None
    assert keys() == Keys(OLD)
    assert "hush" not in str([vars(record) for record in caplog.records])


@pytest.mark.parametrize(("key", "good"), [("new", True), ("old", True), ("older", False)])
def test_a_callback_under_either_key_is_genuine(key: str, good: bool) -> None:
    body = b'{"reference": "p1", "id": "g1", "status": "paid"}'
    stamp = str(int(NOON.timestamp()))
    signature = hmac.digest(key.encode(), f"{stamp}.".encode() + body, "sha256").hex()
    delivery = Delivery({"x-sandbox-signature": f"t={stamp},v1={signature}"}, {}, body)
    sandbox = Sandbox("http://127.0.0.1:9", lambda: Keys(NEW, OLD))
    if good:
        assert sandbox.callback(delivery, NOON) == ("p1", "g1", "paid")
    else:
        with pytest.raises(CallbackError, match="bad signature"):
            sandbox.callback(delivery, NOON)
