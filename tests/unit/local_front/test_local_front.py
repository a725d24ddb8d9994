"""The front over HTTP: what it passes on, what it answers itself, and to whom."""

import http.client
import json
import socket
from pathlib import Path
from typing import Any

import pytest
from local_servers import Client, Local, Seen, Upstream, eventually
from test_local_issuer import read

from infra.local.front import Front
from infra.local.web.server import MAX_HEAD_BYTES

PREFIX = "/_aws/execute-api/api/$default"
MIB = 1024 * 1024


# Passing on


def test_request_reaches_the_api_as_it_was_sent(local: Local, upstream: Upstream) -> None:
    body = bytes(range(256)) * 8
    headers = {"Authorization": "Bearer x", "Accept-Language": "ckb", "X-Amz": "a, b", "Content-Type": "a/b"}
    local.client("PATCH", "/v1/me?a=1&a=%2F&b=%D8%A7&c", body, headers)
    (seen,) = upstream.seen
    assert (seen.method, seen.target, seen.body) == ("PATCH", f"{PREFIX}/v1/me?a=1&a=%2F&b=%D8%A7&c", body)
    assert headers.items() <= dict(seen.headers).items()
    assert seen.headers["Host"] == upstream.url.removeprefix("http://")
    assert seen.headers["X-Forwarded-For"] == "127.0.0.1"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"])
def test_every_method_passes(local: Local, upstream: Upstream, method: str) -> None:
    upstream.answer = lambda _: (200, [], b"body")
    answer = local.client(method, "/v1/health")
    assert upstream.seen[0].method == method
    assert answer.headers["Content-Length"] == "4"
    assert answer.body == (b"" if method == "HEAD" else b"body")


def test_answer_comes_back_as_it_was_given(local: Local, upstream: Upstream) -> None:
    body = bytes(range(256)) * 40
    headers = [("Content-Type", "image/x"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("Content-Encoding", "gzip")]
    upstream.answer = lambda _: (418, headers, body)
    answer = local.client("GET", "/v1/x")
    assert (answer.status, answer.body) == (418, body)
    assert [item for item in answer.headers.items() if item in headers] == headers


def test_answer_without_a_body_has_none(local: Local, upstream: Upstream) -> None:
    upstream.answer = lambda _: (204, [], b"")
    assert local.client("DELETE", "/v1/vehicles/1").body == b""
    assert local.client("DELETE", "/v1/vehicles/1").status == 204


def test_chunked_answer_is_put_together(local: Local, upstream: Upstream) -> None:
    upstream.answer = lambda _: (200, [("Transfer-Encoding", "chunked")], b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
    answer = local.client("GET", "/v1/x")
    assert answer.body == b"abcde"
    assert "Transfer-Encoding" not in answer.headers


def test_headers_of_one_connection_stay_there(local: Local, upstream: Upstream) -> None:
    upstream.answer = lambda _: (200, [("Connection", "X-Hop"), ("X-Hop", "1"), ("Keep-Alive", "timeout=5")], b"")
    sent = {
        "Connection": "X-Mine",
        "X-Mine": "1",
        "Keep-Alive": "timeout=9",
        "TE": "trailers",
        "X-Forwarded-For": "::1",
    }
    answer = local.client("GET", "/v1/x", headers=sent)
    assert not {"x-mine", "keep-alive", "te", "connection"} & {name.lower() for name in upstream.seen[0].headers}
    assert upstream.seen[0].headers["X-Forwarded-For"] == "::1, 127.0.0.1"
    assert not {"x-hop", "keep-alive"} & {name.lower() for name in answer.headers}


@pytest.mark.parametrize(
    "path", ["/v1/queries", "/nothing", "/_localx", "/console", "/v1/../_local/stack", "/%5Flocal"]
)
def test_any_other_path_is_the_apis(local: Local, upstream: Upstream, path: str) -> None:
    assert local.client("GET", path).status == 200
    assert upstream.seen[0].target == PREFIX + path


def test_connections_are_kept_on_both_sides(local: Local, upstream: Upstream) -> None:
    for _ in range(3):
        local.client("GET", "/v1/x")
    other = Client(local.front.port)
    other("GET", "/v1/x")
    other.connection.close()
    assert len({seen.connection for seen in upstream.seen}) == 1


def test_connection_that_the_api_dropped_is_not_used_again(local: Local, upstream: Upstream) -> None:
    upstream.drops = True
    for number in (1, 2, 3):
        assert local.client("POST", "/v1/x", b"1").status == 200
        eventually(lambda number=number: upstream.closed == number)
    assert len(upstream.seen) == 3


def test_connection_that_the_api_ends_is_not_used_again(local: Local, upstream: Upstream) -> None:
    upstream.answer = lambda _: (200, [("Connection", "close")], b"")
    assert [local.client("POST", "/v1/x", b"1").status for _ in range(3)] == [200, 200, 200]
    assert len(upstream.seen) == 3


def test_api_that_is_down_is_502(local: Local) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    local.api_url[0] = f"http://127.0.0.1:{port}"
    answer = local.client("GET", "/v1/x")
    assert (answer.status, answer.json()) == (502, {"message": "The API cannot be reached"})


def test_api_that_breaks_off_is_502(local: Local) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        local.api_url[0] = f"http://127.0.0.1:{listener.getsockname()[1]}"
        local.client.connection.request("GET", "/v1/x")
        listener.accept()[0].close()
        assert local.client.connection.getresponse().status == 502


def test_api_that_is_not_there_yet_is_503(local: Local) -> None:
    local.api_url[0] = ""
    answer = local.client("GET", "/v1/x")
    assert (answer.status, answer.json()) == (503, {"message": "The API is not ready yet"})


def test_a_head_of_10_kib_passes_and_more_is_431(local: Local, upstream: Upstream) -> None:
    line = "GET /v1/x HTTP/1.1"
    rest = MAX_HEAD_BYTES - len(line) - len(f"127.0.0.1:{local.front.port}") - len("identity")

    assert local.client("GET", "/v1/x", headers={"X-Much": "x" * rest}).status == 200
    seen = len(upstream.seen)
    assert local.client("GET", "/v1/x", headers={"X-Much": "x" * (rest + 1)}).status == 431
    assert len(upstream.seen) == seen


def test_body_of_10_mib_passes_and_more_is_413(local: Local, upstream: Upstream) -> None:
    assert local.client("POST", "/v1/x", bytes(10 * MIB)).status == 200
    assert len(upstream.seen[0].body) == 10 * MIB
    answer = local.client("POST", "/v1/x", bytes(10 * MIB + 1))
    assert (answer.status, answer.json()) == (413, {"message": "Request Entity Too Large"})
    assert len(upstream.seen) == 1


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"POST /v1/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411),
        (b"POST /v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST /v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\nExpect: 100-continue\r\n\r\n", 413),
        (b"BREW /v1/x HTTP/1.1\r\nHost: a\r\n\r\n", 501),
        (b"GET /v1/\xd8\xa7 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET http://elsewhere.test/v1/x HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET\r\n\r\n", 400),
    ],
)
def test_what_is_not_http_as_we_speak_it_is_refused(local: Local, upstream: Upstream, head: bytes, status: int) -> None:
    with socket.create_connection(("127.0.0.1", local.front.port), timeout=10) as connection:
        connection.sendall(head)
        response = http.client.HTTPResponse(connection)
        response.begin()
        assert response.status == status
        assert json.loads(response.read())["message"]
    assert not upstream.seen


# The console


def test_console_is_served_with_a_strict_policy(local: Local, upstream: Upstream) -> None:
    answer = local.client("GET", "/")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
    assert f"connect-src 'self' {upstream.url};" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert not upstream.seen


def test_console_files_have_their_types(local: Local) -> None:
    script, style = local.client("GET", "/console/app.js"), local.client("GET", "/console/style.css")
    assert script.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert style.headers["Content-Type"] == "text/css; charset=utf-8"
    head = local.client("HEAD", "/console/app.js")
    assert (head.body, head.headers["Content-Length"]) == (b"", str(len(script.body)))


@pytest.mark.parametrize(
    "path", ["/console/", "/console/../front.py", "/console/%2e%2e/front.py", "/console//etc/passwd", "/console/x.js"]
)
def test_nothing_else_is_served(local: Local, upstream: Upstream, path: str) -> None:
    assert local.client("GET", path).status == 404
    assert not upstream.seen


def test_console_is_only_read(local: Local) -> None:
    answer = local.client("POST", "/", b"")
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_console_has_one_origin(local: Local) -> None:
    answer = local.client("GET", "/?x=1", headers={"Host": f"localhost:{local.front.port}"})
    assert (answer.status, answer.headers["Location"]) == (307, f"{local.base}/?x=1")


# Local only


def test_token_says_what_was_asked(local: Local) -> None:
    asked = {"sub": "ur-1", "phone": "+9647700000001", "name": "مواطن", "scope": "directorate"}
    token = local.client("POST", "/_local/token", asked).json()["token"]
    claims = read(token, local.client("GET", "/_local/issuer/jwks").json())
    assert {name: claims[name] for name in ("sub", "phone_number", "name", "scope")} == {
        "sub": "ur-1",
        "phone_number": "+9647700000001",
        "name": "مواطن",
        "scope": "directorate",
    }


def test_token_needs_a_subject_only(local: Local) -> None:
    token = local.client("POST", "/_local/token", {"sub": "ur-1"}).json()["token"]
    assert set(read(token, local.issuer.jwks())) == {"sub", "iss", "aud", "iat", "nbf", "exp"}


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        (b"", "JSON"),
        (b"[]", "object"),
        ({}, "sub"),
        ({"sub": ""}, "sub"),
        ({"sub": 1}, "sub"),
        ({"sub": "x" * 201}, "sub"),
        ({"sub": "a", "phone": "07700000001"}, "phone"),
        ({"sub": "a", "phone": "+0647700000001"}, "phone"),
        ({"sub": "a", "phone": "+964٧٧٠٠٠٠٠٠٠١"}, "phone"),
        ({"sub": "a", "phone": "+9647700000001\n"}, "phone"),
        ({"sub": "a", "scope": None}, "scope"),
        ({"sub": "a", "iss": "b"}, "iss"),
    ],
)
def test_token_checks_what_is_asked(local: Local, asked: Any, named: str) -> None:
    answer = local.client("POST", "/_local/token", asked)
    assert answer.status == 422
    assert named in answer.json()["message"]


def test_discovery_is_published(local: Local) -> None:
    answer = local.client("GET", "/_local/issuer/.well-known/openid-configuration")
    assert (answer.status, answer.json()) == (200, local.issuer.discovery())


def test_stack_is_told_once_it_is_ready(local: Local) -> None:
    before = local.client("GET", "/_local/stack")
    assert (before.status, before.json()) == (503, {"message": "Not ready yet"})
    local.front.ready({"region": "eu-west-1"})
    after = local.client("GET", "/_local/stack")
    assert (after.status, after.json()) == (200, {"region": "eu-west-1"})


def sns(*messages: tuple[str, str]) -> bytes:
    sent: dict[str, list[dict[str, Any]]] = {}
    for number, (phone, text) in enumerate(messages):
        record = {"PhoneNumber": phone, "Message": text, "MessageId": f"{phone}-{number}", "TopicArn": None}
        sent.setdefault(phone, []).append(record)
    return json.dumps({"sms_messages": sent, "region": "eu-west-1"}).encode()


def test_sms_are_oldest_first_and_keep_their_time(local: Local, upstream: Upstream) -> None:
    upstream.answer = lambda _: (200, [], sns(("+9647700000002", "الثاني ب")))
    first = local.client("GET", "/_local/sms").json()
    upstream.answer = lambda _: (
        200,
        [],
        sns(("+9647700000002", "الثاني ب"), ("+9647700000001", "أ"), ("+9647700000001", "ب")),
    )
    messages = local.client("GET", "/_local/sms").json()
    assert [(message["phone"], message["text"]) for message in messages] == [
        ("+9647700000002", "الثاني ب"),
        ("+9647700000001", "أ"),
        ("+9647700000001", "ب"),
    ]
    assert messages[0] == first[0]
    assert messages[0]["at"] <= messages[1]["at"]
    assert [seen.target for seen in upstream.seen] == ["/_ministack/sns/sms-messages"] * 2


def test_sms_of_one_phone(local: Local, upstream: Upstream) -> None:
    def answer(seen: Seen) -> tuple[int, list[tuple[str, str]], bytes]:
        wanted = seen.target.endswith("?phoneNumber=%2B9647700000001")
        return 200, [], sns(("+9647700000001", "أ")) if wanted else b""

    upstream.answer = answer
    (message,) = local.client("GET", "/_local/sms?phone=%2B9647700000001").json()
    assert (message["phone"], message["text"]) == ("+9647700000001", "أ")


@pytest.mark.parametrize("phone", ["", "abc", " 9647700000001"])
def test_sms_needs_a_whole_phone_number(local: Local, upstream: Upstream, phone: str) -> None:
    assert local.client("GET", f"/_local/sms?phone={phone.replace(' ', '+')}").status == 422
    assert not upstream.seen


def test_sms_without_the_emulator_is_502(local: Local, upstream: Upstream) -> None:
    upstream.answer = lambda _: (500, [], b"oops")
    answer = local.client("GET", "/_local/sms")
    assert (answer.status, answer.json()) == (502, {"message": "The AWS endpoint cannot be reached"})


LOCAL_CALLS = [
    ("POST", "/_local/token"),
    ("GET", "/_local/sms"),
    ("GET", "/_local/stack"),
    ("GET", "/_local/issuer/jwks"),
    ("POST", "/_local/gateway/pay-1/pay"),
]


@pytest.mark.parametrize(("method", "path"), LOCAL_CALLS)
@pytest.mark.parametrize("host", ["rebound.test", "127.0.0.1", "127.0.0.1:1", "127.0.0.1.rebound.test"])
def test_local_calls_answer_to_this_machines_names_only(local: Local, method: str, path: str, host: str) -> None:
    assert local.client(method, path, {"sub": "a"}, headers={"Host": host}).status == 403


@pytest.mark.parametrize(("method", "path"), [call for call in LOCAL_CALLS if call[0] == "POST"])
@pytest.mark.parametrize("origin", ["https://elsewhere.test", "null", "http://127.0.0.1:1"])
def test_pages_of_other_sites_may_not_act(local: Local, method: str, path: str, origin: str) -> None:
    assert local.client(method, path, {"sub": "a"}, headers={"Origin": origin}).status == 403


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_own_pages_may_act(local: Local, host: str) -> None:
    origin = f"http://{host}:{local.front.port}"
    headers = {"Host": f"{host}:{local.front.port}", "Origin": origin}
    assert local.client("POST", "/_local/token", {"sub": "a"}, headers=headers).status == 200


def test_local_calls_have_their_methods(local: Local, upstream: Upstream) -> None:
    assert local.client("GET", "/_local/token").headers["Allow"] == "POST"
    assert local.client("POST", "/_local/stack", b"").headers["Allow"] == "GET"
    for path in ("/_local", "/_local/", "/_local/x", "/_local/issuer"):
        assert local.client("GET", path).status == 404
    assert not upstream.seen


# The server


def test_fault_inside_is_500_and_the_connection_goes_on(local: Local, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local.issuer, "jwks", lambda: 1 / 0)
    answer = local.client("GET", "/_local/issuer/jwks")
    assert (answer.status, answer.json()) == (500, {"message": "Internal Server Error"})
    assert local.client("GET", "/_local/issuer/.well-known/openid-configuration").status == 200


def test_taken_port_is_an_oserror(local: Local, upstream: Upstream) -> None:
    with pytest.raises(OSError, match="in use"):
        Front(local.front.port, lambda: "", upstream.url, local.issuer, local.gateway, lambda: b"{}")


def test_close_ends_open_connections_and_frees_the_port(local: Local, upstream: Upstream, tmp_path: Path) -> None:
    front = Front(0, lambda: "", upstream.url, local.issuer, local.gateway, lambda: b"{}")
    front.start()
    client = Client(front.port)
    assert client("GET", "/_local/stack").status == 503
    assert client.connection.sock is not None
    front.close()
    assert client.connection.sock.recv(1) == b""
    client.connection.close()
    with socket.create_server(("127.0.0.1", front.port)):
        pass
