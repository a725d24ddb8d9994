"""What the adapters of the port make of a service that fails: the same retries, the same errors, no endless tries."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from shared import aws_json
from shared.aws_json import ATTEMPTS, AwsError, Call, FastClient, Json, sdk
from tests.support.aws import REGION, Engine
from tests.support.fault_server import (
    HANGS_UP_AFTER_READING,
    HANGS_UP_AT_ONCE,
    OK,
    STAYS_SILENT,
    FaultServer,
    Step,
    fails,
    says,
)

REQUEST: Json = {"TableName": "t", "Key": {"pk": {"S": "1"}}}
ANSWER = {"Item": {"pk": {"S": "1"}}}
PAGE = b"<html>502 Bad Gateway</html>"
HTML = {"content-type": "text/html"}
Connect = Callable[[FaultServer], Call]


@pytest.fixture(params=["sdk", "fast"])
def connect(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Connect:
    """Makes an adapter for a server; pauses between its tries take no time."""
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))

    def connected(server: FaultServer) -> Call:
        engine = Engine(server.url)
        if request.param == "sdk":
            return engine.sdk()
        client = FastClient(engine.environment(), sleep=lambda _: None)
        request.addfinalizer(lambda: client._forget("dynamodb"))
        return client

    return connected


def get(call: Call) -> Json:
    return call("dynamodb", "GetItem", REQUEST)


def failure(call: Call) -> AwsError:
    with pytest.raises(AwsError) as caught:
        get(call)
    return caught.value


PASSING = {
    "500": fails(500, "InternalServerError"),
    "503": fails(503, "ServiceUnavailable"),
    "a proxy's page": says(502, PAGE, HTML),
    "throttled": fails(400, "ThrottlingException"),
    "over capacity": fails(400, "ProvisionedThroughputExceededException"),
    "a transaction in progress": fails(400, "TransactionInProgressException"),
    "a transaction on the item": fails(400, "TransactionConflictException"),
    "hangs up at once": HANGS_UP_AT_ONCE,
    "hangs up after reading": HANGS_UP_AFTER_READING,
}
# The SDK asks again for these too, but takes the last one as it is.
BROKEN = {
    "wrong checksum": says(200, b"{}", {"x-amz-crc32": "1"}),
    "half an answer": says(200, b'{"Item"', {"content-length": "400", "x-amz-crc32": "1"}, close=True),
}


@pytest.mark.parametrize("step", [*PASSING.values(), *BROKEN.values()], ids=[*PASSING, *BROKEN])
def test_what_may_pass_is_tried_again_until_it_passes(connect: Connect, step: Step) -> None:
    with FaultServer([step] * (ATTEMPTS - 1)) as server:
        assert get(connect(server)) == ANSWER


@pytest.mark.parametrize("step", PASSING.values(), ids=PASSING)
def test_what_does_not_pass_is_given_up_after_four_tries(connect: Connect, step: Step) -> None:
    with FaultServer([step] * ATTEMPTS) as server:
        call = connect(server)
        failure(call)
        assert get(call) == ANSWER  # the fifth try is the first of the next call


@pytest.mark.parametrize("code", ["ValidationException", "AccessDeniedException", "ResourceNotFoundException"])
def test_what_will_not_pass_is_not_tried_again(connect: Connect, code: str) -> None:
    with FaultServer([fails(400, code)]) as server:
        error = failure(connect(server))
        assert (error.code, error.message) == (code, "because")
        assert len(server.received) == 1


def test_each_try_sends_the_same_body(connect: Connect) -> None:
    with FaultServer([fails(500, "InternalServerError"), HANGS_UP_AFTER_READING]) as server:
        get(connect(server))
        assert [json.loads(request.body) for request in server.received] == [REQUEST] * 3


def test_a_connection_is_kept(connect: Connect) -> None:
    with FaultServer([]) as server:
        call = connect(server)
        assert [get(call) for _ in range(3)] == [ANSWER] * 3
        assert {request.connection for request in server.received} == {1}


def test_a_kept_connection_that_the_service_has_closed_is_replaced(connect: Connect) -> None:
    with FaultServer([says(200, json.dumps(ANSWER).encode(), close=True)]) as server:
        call = connect(server)
        assert [get(call), get(call)] == [ANSWER] * 2


def test_an_answer_that_does_not_come_is_given_up(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws_json, "READ_TIMEOUT", 0.1)
    with FaultServer([STAYS_SILENT] * ATTEMPTS) as server:
        assert failure(connect(server)).code == "Unreachable"
        assert len(server.received) == ATTEMPTS


def test_an_answer_that_does_not_come_is_asked_for_again(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws_json, "READ_TIMEOUT", 0.1)
    with FaultServer([STAYS_SILENT]) as server:
        assert get(connect(server)) == ANSWER


def test_nobody_at_the_address_is_unreachable(connect: Connect) -> None:
    with FaultServer([]) as server:
        gone = server
    assert failure(connect(gone)).code == "Unreachable"


class TestFastClient:
    """What only the adapter without the SDK has to hold."""

    @pytest.mark.parametrize("step", BROKEN.values(), ids=BROKEN)
    def test_a_broken_answer_is_never_taken(self, step: Step) -> None:
        with FaultServer([step] * ATTEMPTS) as server:
            error = failure(FastClient(Engine(server.url).environment(), sleep=lambda _: None))
        assert error.code == "Unreachable"

    def test_a_page_that_is_not_the_services_keeps_its_status(self) -> None:
        with FaultServer([says(403, PAGE, HTML)]) as server:
            client = FastClient(Engine(server.url).environment())
            error = failure(client)
            client._forget("dynamodb")
        assert error.code == "Http403"

    def test_a_good_status_with_a_page_is_an_error_too(self) -> None:
        with FaultServer([says(200, PAGE, HTML)]) as server:
            client = FastClient(Engine(server.url).environment())
            error = failure(client)
            client._forget("dynamodb")
        assert error.code == "Http200"

    def test_it_waits_between_tries_longer_each_time_but_never_long(self) -> None:
        longest = [0.0] * (ATTEMPTS - 1)
        for _ in range(50):
            pauses: list[float] = []
            with FaultServer([fails(500, "InternalServerError")] * ATTEMPTS) as server:
                client = FastClient(Engine(server.url).environment(), sleep=pauses.append)
                failure(client)
                client._forget("dynamodb")
            assert len(pauses) == ATTEMPTS - 1
            longest = [max(pair) for pair in zip(longest, pauses, strict=True)]
        assert longest == sorted(longest)
        assert 0 < longest[0] <= 0.1
        assert longest[-1] <= aws_json.MAX_PAUSE_SECONDS

    def test_it_waits_as_long_on_a_connection_opened_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(aws_json, "CONNECT_TIMEOUT", 0.3)
        closing = says(200, json.dumps(ANSWER).encode(), {"connection": "close"}, close=True)
        with FaultServer([closing]) as server:
            client = FastClient(Engine(server.url).environment())
            get(client)
            get(client)
            assert client._connections["dynamodb"][0].gettimeout() == aws_json.READ_TIMEOUT
            client._forget("dynamodb")

    @pytest.mark.parametrize(
        ("variables", "expected"),
        [
            ({"AWS_ENDPOINT_URL_DYNAMODB": "here", "AWS_ENDPOINT_URL": "nowhere"}, True),
            ({"AWS_ENDPOINT_URL_DYNAMODB": "", "AWS_ENDPOINT_URL": "here"}, True),
            ({"AWS_ENDPOINT_URL_SECRETS_MANAGER": "nowhere", "AWS_ENDPOINT_URL": "here"}, True),
            ({"AWS_ENDPOINT_URL_DYNAMODB": "nowhere", "AWS_ENDPOINT_URL": "here"}, False),
        ],
    )
    def test_it_finds_its_endpoint_as_the_sdk_does(
        self, variables: dict[str, str], expected: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with FaultServer([]) as gone:
            pass
        with FaultServer([]) as server:
            urls = {"here": server.url, "nowhere": gone.url, "": ""}
            environment = {
                **Engine("").environment(),
                "AWS_ENDPOINT_URL": "",
                **{name: urls[value] for name, value in variables.items()},
            }
            monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))
            for name, value in environment.items():
                monkeypatch.setenv(name, value)
            fast = FastClient(environment, sleep=lambda _: None)
            for call in (fast, sdk(region_name=REGION)):
                if expected:
                    assert get(call) == ANSWER
                else:
                    assert failure(call).code == "Unreachable"
            fast._forget("dynamodb")

    def test_it_refuses_to_start_without_credentials(self) -> None:
        environment = Engine("http://127.0.0.1:1").environment()
        del environment["AWS_ACCESS_KEY_ID"]
        with pytest.raises(KeyError, match="AWS_ACCESS_KEY_ID"):
            FastClient(environment)

    def test_ok_is_what_the_other_tests_take_it_for(self) -> None:
        with FaultServer([OK]) as server:
            client = FastClient(Engine(server.url).environment())
            assert get(client) == ANSWER
            client._forget("dynamodb")
