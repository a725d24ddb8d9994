"""Requests and answers as the parts of the front see them, free of the server beneath."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from email.message import Message
from urllib.parse import parse_qsl

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. `target` is the path and query exactly as they were sent."""

    method: str
    target: str
    headers: Message
    body: bytes
    client: str

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP answer with its whole body; the server adds `Content-Length` where none is given."""

    status: int
    headers: Headers = ()
    body: bytes = b""


def json_response(status: int, value: object, headers: Iterable[tuple[str, str]] = ()) -> Response:
    """`value` as UTF-8 JSON, never cached."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(status, (("Content-Type", "application/json"), ("Cache-Control", "no-store"), *headers), body)


def message(status: int, text: str) -> Response:
    """The shape in which API Gateway itself reports an error: `{"message": …}`."""
    return json_response(status, {"message": text})


def method_not_allowed(*allowed: str) -> Response:
    return json_response(405, {"message": "Method Not Allowed"}, [("Allow", ", ".join(allowed))])
