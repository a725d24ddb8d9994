"""Who is let in behind the edge: what brings its secret, the present or the previous one; all where there is none."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.aws_json import AwsError, Json
from shared.edge import HEADER, READ_ANEW_AFTER, Edge, admission, everybody
from shared.http import answer, router
from tests.support.build import NOON


class Secrets:
    """Secrets Manager with one secret. versions: by stage. reads: how often the present value was asked for."""

    def __init__(self, *versions: str) -> None:
        self.versions = dict(zip(("AWSCURRENT", "AWSPREVIOUS"), versions, strict=False))
        self.reads = 0
        self.failure: AwsError | None = None

    def __call__(self, service: str, operation: str, request: Json) -> Json:
        assert (service, operation, request["SecretId"]) == ("secretsmanager", "GetSecretValue", "arn")
        stage = request.get("VersionStage", "AWSCURRENT")
        self.reads += stage == "AWSCURRENT"
        if self.failure:
            raise self.failure
        if stage not in self.versions:
            raise AwsError("ResourceNotFoundException", "no such version")
        return {"SecretString": self.versions[stage]}

    def renew(self, value: str) -> None:
        self.versions = {"AWSCURRENT": value, "AWSPREVIOUS": self.versions["AWSCURRENT"]}


class Clock:
    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> datetime:
        return self.at

    def advance(self, duration: timedelta) -> None:
        self.at += duration


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.mark.parametrize(
    ("headers", "admitted"),
    [
        ({HEADER: "new"}, True),
        ({HEADER: "old"}, True),
        ({HEADER: "older"}, False),
        ({HEADER: ""}, False),
        ({HEADER: "new\ud800"}, False),
        ({HEADER: "نعم"}, False),
        ({}, False),
    ],
)
def test_the_present_and_the_previous_value_are_let_in(headers: dict[str, str], admitted: bool, clock: Clock) -> None:
    assert Edge(Secrets("new", "old"), "arn", clock).admits(headers) is admitted


def test_a_secret_that_was_never_changed_has_one_value(clock: Clock) -> None:
    edge = Edge(Secrets("only"), "arn", clock)
    assert edge.admits({HEADER: "only"})
    assert not edge.admits({HEADER: "other"})


def test_it_is_read_once_and_never_for_a_request_without_it(clock: Clock) -> None:
    secrets = Secrets("new", "old")
    edge = Edge(secrets, "arn", clock)
    assert not edge.admits({})
    assert secrets.reads == 0
    for _ in range(3):
        assert edge.admits({HEADER: "new"})
        clock.advance(timedelta(days=1))
    assert secrets.reads == 1


def test_a_change_is_noticed_by_the_first_request_that_brings_it(clock: Clock) -> None:
    secrets = Secrets("first")
    edge = Edge(secrets, "arn", clock)
    assert edge.admits({HEADER: "first"})
    secrets.renew("second")
    clock.advance(READ_ANEW_AFTER)
    assert edge.admits({HEADER: "first"})
    assert edge.admits({HEADER: "second"})
    assert edge.admits({HEADER: "first"})
    secrets.renew("third")
    clock.advance(READ_ANEW_AFTER)
    assert edge.admits({HEADER: "third"})
    assert not edge.admits({HEADER: "first"})


def test_wrong_values_cost_a_reading_only_once_in_a_while(clock: Clock) -> None:
    secrets = Secrets("good")
    edge = Edge(secrets, "arn", clock)
    for number in range(50):
        assert not edge.admits({HEADER: f"wrong {number}"})
    assert secrets.reads == 1
    clock.advance(READ_ANEW_AFTER)
    assert not edge.admits({HEADER: "wrong"})
    assert secrets.reads == 2


def test_nobody_is_let_in_while_it_cannot_be_read_and_the_next_request_reads_it(clock: Clock) -> None:
    secrets = Secrets("good")
    secrets.failure = AwsError("Unreachable", "TimeoutError")
    edge = Edge(secrets, "arn", clock)
    with pytest.raises(AwsError):
        edge.admits({HEADER: "good"})
    secrets.failure = None
    assert edge.admits({HEADER: "good"})


def test_a_previous_value_that_cannot_be_read_is_not_one_that_is_not_there(clock: Clock) -> None:
    def call(service: str, operation: str, request: Json) -> Json:
        if "VersionStage" in request:
            raise AwsError("AccessDeniedException", "no")
        return {"SecretString": "good"}

    with pytest.raises(AwsError, match="AccessDenied"):
        Edge(call, "arn", clock).admits({HEADER: "good"})


def test_where_there_is_no_edge_everybody_is_let_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_SECRET", "")
    assert admission() is everybody
    assert everybody({})


def test_where_there_is_one_the_setting_closes_the_door(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "any")
    monkeypatch.setenv("EDGE_SECRET", "arn")
    assert not admission()({})


def event(headers: dict[str, str] | None) -> dict[str, Any]:
    return {"routeKey": "GET /v1/health", "headers": headers, "requestContext": {"requestId": "id"}}


@pytest.mark.parametrize(("headers", "status"), [({HEADER: "good"}, 200), ({HEADER: "bad"}, 403), (None, 403)])
def test_a_request_past_the_edge_reaches_no_route(headers: dict[str, str] | None, status: int, clock: Clock) -> None:
    reached = []

    def health(request: Any) -> dict[str, Any]:
        reached.append(request)
        return answer(200, {})

    reply = router({"GET /v1/health": health}, Edge(Secrets("good"), "arn", clock).admits)(event(headers), None)
    assert reply["statusCode"] == status
    assert bool(reached) == (status == 200)
    assert ('"not_by_edge"' in reply["body"]) == (status == 403)
