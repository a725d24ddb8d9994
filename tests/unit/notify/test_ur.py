"""The SMS gateway on Ur, played by a server that answers as a script says."""

from __future__ import annotations

import json
from base64 import b64encode

import pytest

from notify.providers import Accepted, PermanentError, TemporaryError, UnknownOutcomeError, ur
from notify.providers.ur import Ur
from shared.aws_json import AwsError
from tests.support.fault_server import HANGS_UP_AFTER_READING, STAYS_SILENT, FaultServer, Step, says

PHONE = "+9647719283746"
TEXT = "غرامة-أور: مخالفة جديدة لوحة ..418"
PATH = "/api/client/mobile_message/send/basic"
OK = says(200, b"{}")


class Secret:
    """Counts how often it is asked for."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self) -> tuple[str, str]:
        self.asked += 1
        return "client", f"secret-{self.asked}"


def basic(secret: str) -> str:
    return "Basic " + b64encode(f"client:{secret}".encode()).decode()


def test_an_sms_is_one_post_with_its_text_as_it_is() -> None:
    with FaultServer([OK]) as server:
        assert Ur(server.url + PATH, Secret()).send(PHONE, TEXT) == Accepted("ur", None)
    (request,) = server.received
    assert json.loads(request.body) == {"phone_num": PHONE, "content": TEXT, "reliable": 1}
    assert request.headers["authorization"] == basic("secret-1")


@pytest.mark.parametrize(
    ("step", "error", "reason"),
    [
        (says(401, b""), TemporaryError, "unauthorized"),
        (says(403, b""), TemporaryError, "unauthorized"),
        (says(429, b""), TemporaryError, "throttled"),
        (says(500, b"oops"), TemporaryError, "provider_error"),
        (says(302, b""), TemporaryError, "provider_error"),
        (says(400, b""), PermanentError, "refused"),
        (says(422, b""), PermanentError, "refused"),
        (HANGS_UP_AFTER_READING, UnknownOutcomeError, "timed_out"),
    ],
)
def test_each_failure_means_what_it_means_and_nothing_is_sent_twice(
    step: Step, error: type[Exception], reason: str
) -> None:
    with FaultServer([step, OK]) as server, pytest.raises(error, match=f"^{reason}$"):
        Ur(server.url + PATH, Secret()).send(PHONE, TEXT)
    assert len(server.received) == 1


def test_silence_after_the_message_was_read_leaves_it_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ur, "READ_TIMEOUT", 0.05)
    with FaultServer([STAYS_SILENT]) as server, pytest.raises(UnknownOutcomeError):
        Ur(server.url + PATH, Secret()).send(PHONE, TEXT)


def test_a_gateway_that_is_not_there_is_tried_again_later() -> None:
    with FaultServer([]) as gone:
        pass
    with pytest.raises(TemporaryError, match=r"^unreachable$"):
        Ur(gone.url + PATH, Secret()).send(PHONE, TEXT)


@pytest.mark.parametrize(
    "trouble",
    [AwsError("Unreachable", ""), KeyError("client_id"), ValueError("not JSON")],
    ids=["not to be read", "without an id", "not JSON"],
)
def test_without_its_secret_nothing_was_sent_and_it_is_tried_again_later(trouble: Exception) -> None:
    def secret() -> tuple[str, str]:
        raise trouble

    with FaultServer([]) as server, pytest.raises(TemporaryError, match=r"^unauthorized$"):
        Ur(server.url + PATH, secret).send(PHONE, TEXT)
    assert server.received == []


def test_the_secret_is_read_once_and_again_after_it_was_refused() -> None:
    secret = Secret()
    with FaultServer([OK, OK, says(401, b""), OK]) as server:
        provider = Ur(server.url + PATH, secret)
        assert secret.asked == 0
        provider.send(PHONE, TEXT)
        provider.send(PHONE, TEXT)
        assert secret.asked == 1
        with pytest.raises(TemporaryError):
            provider.send(PHONE, TEXT)
        provider.send(PHONE, TEXT)
    assert [each.headers["authorization"] for each in server.received] == [basic("secret-1")] * 3 + [basic("secret-2")]
