"""The authorizer that asks Ur's user endpoint, against a stand-in of that endpoint."""

from __future__ import annotations

import json
from collections.abc import Iterator
from traceback import format_exception
from typing import Any

import pytest

from query import authorizer
from shared.identity import DIRECTORATE, Citizen, citizen
from tests.support.functions import forget
from tests.support.ur import Ur, serving

TOKEN = "eyJ0b2tlbg.opaque-1|x"
USER = {"ur_id": 48213, "first_name": "First", "middle_name": "", "last_name": "Last", "phone_num": "07701234567"}
REFUSED = {"isAuthorized": False}


@pytest.fixture
def ur(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ur]:
    with serving() as server:
        server.users[TOKEN] = USER
        monkeypatch.setenv("UR_USER_URL", server.url)
        monkeypatch.setenv("DIRECTORATE_UR_IDS", "7,99")
        monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", f"ur-{server.server_port}")
        monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Gharama")
        forget()
        yield server
        authorizer._http().clear()
        forget()


def ask(header: str | None = f"Bearer {TOKEN}") -> dict[str, Any]:
    headers = {} if header is None else {"authorization": header}
    return authorizer.handler({"version": "2.0", "headers": headers}, None)


def test_the_user_of_a_token_becomes_its_claims(ur: Ur) -> None:
    answer = ask()
    assert answer == {
        "isAuthorized": True,
        "context": {"sub": "48213", "phone_number": "07701234567", "name": "First Last", "scope": ""},
    }
    event = {"requestContext": {"authorizer": {"lambda": answer["context"]}}}
    assert citizen(event) == Citizen("48213", "+9647701234567", frozenset())


def test_both_authorizers_give_the_same_citizen(ur: Ur) -> None:
    claims = ask()["context"]
    by_jwt = {"requestContext": {"authorizer": {"jwt": {"claims": claims}}}}
    by_lambda = {"requestContext": {"authorizer": {"lambda": claims}}}
    assert citizen(by_jwt) == citizen(by_lambda)


def test_the_directorates_staff_have_its_scope(ur: Ur) -> None:
    ur.users[TOKEN] = {**USER, "ur_id": 99}
    assert ask()["context"]["scope"] == DIRECTORATE


def test_a_revoked_token_is_refused(ur: Ur) -> None:
    assert ask()["isAuthorized"]
    del ur.users[TOKEN]
    assert ask() == REFUSED


def test_a_user_without_a_phone_may_ask(ur: Ur) -> None:
    ur.users[TOKEN] = {"ur_id": "48213"}
    assert ask()["context"] == {"sub": "48213", "phone_number": "", "name": "", "scope": ""}


@pytest.mark.parametrize(
    "answer",
    [
        (404, b"{}"),
        (500, b"{}"),
        (302, b"{}"),
        (200, b""),
        (200, b"<html>"),
        (200, b"[]"),
        (200, b'{"data": null}'),
        (200, b'{"data": []}'),
        (200, b'{"data": {"first_name": "x"}}'),
        (200, b'{"data": {"ur_id": null}}'),
        (200, b'{"data": {"ur_id": true}}'),
        (200, b'{"data": {"ur_id": ""}}'),
        (200, b'{"data": {"ur_id": "P#OLD#11#5"}}'),
        (200, b'{"data": {"ur_id": 1}, "x": "' + b"x" * 70_000 + b'"}'),
    ],
)
def test_any_other_answer_lets_nobody_in_and_is_no_refusal(ur: Ur, answer: tuple[int, bytes]) -> None:
    ur.answer = answer
    with pytest.raises(authorizer.UnclearError):
        ask()


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_is_told_from_an_endpoint_that_is_away(ur: Ur, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    ur.answer = (status, b"{}")
    assert ask() == REFUSED
    monkeypatch.setenv("UR_USER_URL", "http://127.0.0.1:9/")
    with pytest.raises(authorizer.UnclearError):
        ask()


NO_TOKENS = ["", "Bearer", "Bearer ", "Basic abcdefghij", "Bearer short", "Bearer a b c d", "Bearer abcdefgh\r\nx: y"]


@pytest.mark.parametrize("header", [None, *NO_TOKENS, f"Bearer {'x' * 5000}"])
def test_what_is_no_token_is_not_even_asked_about(ur: Ur, header: str | None) -> None:
    assert ask(header) == REFUSED
    assert ur.asked == 0


def test_nothing_personal_is_logged(ur: Ur, capsys: pytest.CaptureFixture[str]) -> None:
    ask()
    ur.answer = (200, json.dumps({"data": {**USER, "ur_id": None}}).encode())
    with pytest.raises(authorizer.UnclearError) as unclear:
        ask()
    logged = "".join(capsys.readouterr()) + "".join(format_exception(unclear.value))
    assert "SignInUnclear" in logged
    for personal in (TOKEN, "First", "07701234567", "48213"):
        assert personal not in logged
