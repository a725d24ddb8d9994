"""The HTTP API's requests and answers: routing by route key, JSON bodies, problem documents (RFC 9457), languages."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any, Final, NamedTuple

import orjson

from shared.aws_json import AwsError
from shared.domain.citizen import ErasingError
from shared.domain.violation import OTHER
from shared.edge import Admits
from shared.observability import count, log_with, logger
from shared.problem_texts import NOTES, PROBLEMS

Event = dict[str, Any]
Reply = dict[str, Any]
Handler = Callable[[Event, Any], Reply]

MAX_BODY_BYTES: Final = 64 * 1024
PROBE: Final = "PROBE"
"""The route by which a new version is tried before citizens come to it. API Gateway gives each request one of the API's
routes or ``$default``, so none that came by it can name this one."""
MAX_ID_CHARACTERS: Final = 64
"""Characters of an id in a path; none of ours has more, and DynamoDB refuses keys without end."""
LANGUAGES: Final = ("ar", "ckb", "en")
_BUSY_SECONDS: Final = 2


class FieldError(NamedTuple):
    """What is wrong with one field of the input. code: a key of ``PROBLEMS``. value: the part of it that is wrong."""

    field: str
    code: str
    value: str | None = None


class Problem(Exception):  # noqa: N818 (the RFC's word)
    """An error that the caller is told of, as a problem document.

    code: a key of ``PROBLEMS``. members: further members of the document. headers: such as Retry-After.
    """

    def __init__(
        self,
        status: int,
        code: str,
        *errors: FieldError,
        members: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.errors = errors
        self.members = members or {}
        self.headers = headers or {}


def invalid(field: str, code: str) -> Problem:
    """One field of the input is wrong: 422."""
    return Problem(422, "invalid_input", FieldError(field, code))


class Request(NamedTuple):
    """One call of the API. path: the values of the route's parameters. body: raw bytes, base64 undone."""

    event: Event
    route: str
    path: dict[str, str]
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    language: str
    request_id: str

    def json(self) -> dict[str, Any]:
        """The body as a JSON object. Raises Problem 413, 400 or 422."""
        if len(self.body) > MAX_BODY_BYTES:
            raise Problem(413, "body_too_large")
        try:
            value = orjson.loads(self.body)
        except orjson.JSONDecodeError:
            raise Problem(400, "body_not_json") from None
        if not isinstance(value, dict):
            raise Problem(422, "body_not_object")
        return value


Route = Callable[[Request], Reply]


def answer(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Reply:
    """A JSON answer. Nothing of ours may be kept by a cache: answers are about a person."""
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json", "cache-control": "no-store", **(headers or {})},
        "body": orjson.dumps(body).decode(),
    }


def report(unreadable: Sequence[Exception]) -> None:
    """Let the operator know of what could not be read, if anything: nothing of it is logged but the kinds of error."""
    if unreadable:
        count("ItemsUnreadable", len(unreadable))
        logger().error("items cannot be read", extra={"kinds": sorted({type(error).__name__ for error in unreadable})})


def marked(view: dict[str, Any], unreadable: Sequence[Exception], language: str) -> dict[str, Any]:
    """An answer that says so where something is left out of it, and of which the operator knows."""
    report(unreadable)
    return {**view, "incomplete": True, "note": NOTES["incomplete"][language]} if unreadable else view


def known_or_other(word: str, known: Container[str]) -> str:
    """A stored word if this version knows it, else ``other``."""
    return word if word in known else OTHER


def no_content() -> Reply:
    """The answer of what has nothing to say."""
    return {"statusCode": 204, "headers": {"cache-control": "no-store"}}


def _arrived(_: Request) -> Reply:
    return answer(200, {"status": "ok"})


def router(routes: Mapping[str, Route], admits: Admits) -> Handler:
    """The handler of a function with several routes, keyed as API Gateway names them (``POST /v1/queries``).

    What ``admits`` does not let in is refused by its headers alone. API Gateway has matched the path already; the rest
    arrives as ``$default``. A probe, which cannot come by it, is answered by its own route, or else that it arrived. A
    Problem becomes its document; tables that are too busy to the end of all retries a 503; any other exception a 500
    that tells nothing and is logged with its stack.
    """

    def handle(event: Event, context: Any) -> Reply:
        log_with(correlation_id=event["requestContext"]["requestId"])
        try:
            is_probe = event.get("routeKey") == PROBE
            if not is_probe and not admits(event.get("headers") or {}):
                raise Problem(403, "not_by_edge")
            request = parse(event)
            route = routes.get(request.route, _arrived if is_probe else None)
            if route is None or any(len(value) > MAX_ID_CHARACTERS for value in request.path.values()):
                raise Problem(404, "no_such_path")
            return route(request)
        except Problem as problem:
            return _problem(event, problem)
        except ErasingError:
            return _problem(event, Problem(409, "erasing"))
        except AwsError as error:
            if error.is_throttling:
                logger().warning("a service is too busy", extra={"error": error.code})
                return _problem(event, Problem(503, "busy", headers={"retry-after": str(_BUSY_SECONDS)}))
            return _unexpected(event)
        except Exception:  # noqa: BLE001 (the last resort: logged with its stack, answered with nothing)
            return _unexpected(event)

    return handle


def _unexpected(event: Event) -> Reply:
    logger().exception("unexpected error")
    count("ServerErrors", by_version=True)
    return _problem(event, Problem(500, "internal"))


def parse(event: Event) -> Request:
    """The request of an HTTP API event (payload 2.0). Raises Problem 400 for a body that is not the base64 it says."""
    text = event.get("body") or ""
    if event.get("isBase64Encoded"):
        try:
            body = base64.b64decode(text, validate=True)
        except binascii.Error:
            raise Problem(400, "body_not_json") from None
    else:
        body = text.encode("utf-8", "surrogatepass")
    headers = event.get("headers") or {}
    return Request(
        event,
        event["routeKey"],
        event.get("pathParameters") or {},
        event.get("queryStringParameters") or {},
        headers,
        body,
        language(headers.get("accept-language", "")),
        event["requestContext"]["requestId"],
    )


def language(accept: str) -> str:
    """The best of our languages for an Accept-Language header; Arabic where it names none of them."""
    best, weight = LANGUAGES[0], 0.0
    for choice in accept.lower().split(","):
        tag, _, quality = choice.strip().partition(";q=")
        name = {"ku": "ckb"}.get(tag.split("-")[0], tag.split("-")[0])
        try:
            value = float(quality or 1)
        except ValueError:
            continue
        if name in LANGUAGES and value > weight:
            best, weight = name, value
    return best


def _words(code: str, language: str) -> str:
    """What people are told of a code. One that has no words must not turn a refusal into a failure."""
    return PROBLEMS.get(code, PROBLEMS["internal"])[language]


def _problem(event: Event, problem: Problem) -> Reply:
    headers = event.get("headers") or {}
    chosen = language(headers.get("accept-language", ""))
    document: dict[str, Any] = {
        "type": "about:blank",
        "title": _words(problem.code, chosen),
        "status": problem.status,
        "code": problem.code,
        "request_id": event["requestContext"]["requestId"],
        **problem.members,
    }
    if problem.errors:
        document["errors"] = [
            {"field": field, "code": code, "message": _words(code, chosen), **({"value": value} if value else {})}
            for field, code, value in problem.errors
        ]
    reply = answer(problem.status, document, problem.headers)
    reply["headers"]["content-type"] = "application/problem+json"
    return reply
