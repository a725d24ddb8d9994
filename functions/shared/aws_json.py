"""The port to AWS services that speak JSON over one POST, and its two adapters.

Requests and responses are the service's own JSON, so that nothing stands between an item and an answer::

    call("dynamodb", "GetItem", {"TableName": "t", "Key": {"pk": {"S": "1"}}})["Item"]

:func:`sdk` is boto3, the default everywhere. :class:`FastClient` signs and posts by itself, without boto3 or botocore,
for the functions whose cold start or cost a row is held to a goal. Both raise :class:`AwsError` and retry what the
SDK's standard mode retries, and a single write that met a transaction. One contract suite holds them equal.
"""

from __future__ import annotations

import hmac
import os
import random
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Any, BinaryIO, Final
from urllib.parse import urlsplit
from zlib import crc32

import orjson

Json = dict[str, Any]
Call = Callable[[str, str, Json], Json]
"""``call(service, operation, request) -> response``; raises :class:`AwsError`.

A part of a request may be text that is ready: an ``orjson.Fragment``.
"""

ATTEMPTS: Final = 4
CONNECT_TIMEOUT: Final = 2.0
READ_TIMEOUT: Final = 8.0
MAX_PAUSE_SECONDS: Final = 2.0

# https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html, standard mode
THROTTLED: Final = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
        "Throttling",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
# A single write that met a transaction on its item: over in milliseconds, and yet the SDK does not try it again.
CONFLICT: Final = "TransactionConflictException"
# Reasons of a cancelled transaction that say "again" rather than "no".
PASSING_REASONS: Final = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})

_MAX_LINE_BYTES: Final = 65_536
_MAX_HEADERS: Final = 100


class AwsError(Exception):
    """A service answered with an error, or (``code == "Unreachable"``) did not answer.

    code: the service's own, such as ``ConditionalCheckFailedException``.
    reasons: ``CancellationReasons`` of a TransactWriteItems, one an action, else empty.
    item: the item that failed the condition, where the request asked for it.
    """

    def __init__(self, code: str, message: str, reasons: list[Json] | None = None, item: Json | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.reasons = reasons or []
        self.item = item

    @property
    def condition_failed(self) -> bool:
        """The write was refused by a condition: alone, or one of a transaction's, none of which may pass by itself."""
        if self.code == "ConditionalCheckFailedException":
            return True
        return any(reason.get("Code") == "ConditionalCheckFailed" for reason in self.reasons)

    @property
    def is_throttling(self) -> bool:
        """The service has too much to do for now: the same call may go well in a second."""
        return self.code in THROTTLED or self.code == CONFLICT or self.transaction_conflict

    @property
    def transaction_conflict(self) -> bool:
        """The transaction was cancelled only by others at work on the same items, or by throttling: try again."""
        codes = {reason.get("Code") for reason in self.reasons} - {"None", None}
        return bool(codes) and codes <= PASSING_REASONS


def sdk(**options: Any) -> Call:
    """The adapter over boto3's clients, one a service, made on first use.

    options: passed to each client (a test's endpoint, say).
    """
    import boto3
    from botocore import xform_name
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    config = Config(
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUT,
    )
    clients: dict[str, Any] = {}

    def call(service: str, operation: str, request: Json) -> Json:
        client = clients.get(service)
        if client is None:
            client = clients[service] = boto3.client(service, config=config, **options)
            client.meta.events.register("needs-retry", _wait_after_conflict)
        parameters = orjson.loads(orjson.dumps(request))  # the SDK takes no text that is ready
        try:
            response: Json = getattr(client, xform_name(operation))(**parameters)
        except ClientError as error:
            answer: Any = error.response
            raise AwsError(
                answer["Error"]["Code"],
                answer["Error"].get("Message", ""),
                answer.get("CancellationReasons"),
                answer.get("Item"),
            ) from None
        except BotoCoreError as error:
            raise AwsError("Unreachable", type(error).__name__) from error
        response.pop("ResponseMetadata", None)
        return response

    return call


def _wait_after_conflict(attempts: int, response: Any = None, **_: Any) -> float | None:
    """Seconds until botocore tries a write again that met a transaction; None for whatever it decides by itself."""
    code = response[1].get("Error", {}).get("Code") if response else None
    return _pause(attempts) if code == CONFLICT and attempts < ATTEMPTS else None


def _pause(attempt: int) -> float:
    """Seconds to wait after an attempt, with full jitter."""
    return random.uniform(0, min(MAX_PAUSE_SECONDS, 0.05 * 2**attempt))  # noqa: S311 (jitter, not a secret)


class Credentials:
    """Access key, secret and session token as Lambda puts them into the environment of a function."""

    __slots__ = ("access_key", "secret_key", "token")

    def __init__(self, access_key: str, secret_key: str, token: str | None) -> None:
        self.access_key = access_key
        self.secret_key = secret_key
        self.token = token

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Credentials:
        """Raises KeyError where they are not in the environment (SnapStart, containers): the SDK knows those."""
        return cls(
            environment["AWS_ACCESS_KEY_ID"],
            environment["AWS_SECRET_ACCESS_KEY"],
            environment.get("AWS_SESSION_TOKEN"),
        )


def sign(
    body: bytes,
    *,
    host: str,
    target: str,
    content_type: str,
    service: str,
    region: str,
    credentials: Credentials,
    at: time.struct_time,
) -> dict[str, str]:
    """The headers of ``POST /`` with this body under Signature Version 4.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html; a property test holds
    it equal to botocore's signer.
    """
    stamp = time.strftime("%Y%m%dT%H%M%SZ", at)
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    headers = {"content-type": content_type, "host": host, "x-amz-date": stamp}
    if credentials.token:
        headers["x-amz-security-token"] = credentials.token
    headers["x-amz-target"] = target
    names = ";".join(headers)
    canonical = "".join(f"{name}:{value}\n" for name, value in headers.items())
    request = f"POST\n/\n\n{canonical}\n{names}\n{sha256(body).hexdigest()}"
    key = _signing_key(credentials.secret_key, stamp[:8], region, service)
    to_sign = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{sha256(request.encode()).hexdigest()}"
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return headers


@lru_cache(maxsize=4)
def _signing_key(secret_key: str, day: str, region: str, service: str) -> bytes:
    key = ("AWS4" + secret_key).encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


class BrokenAnswerError(Exception):
    """What came is no answer of HTTP, or not the whole of one."""


def read_answer(stream: BinaryIO) -> tuple[int, dict[str, str], bytes, bool]:
    """Read one answer of HTTP/1.1: status, headers (names in small letters), body, and whether the connection ends.

    RFC 9112, as far as it is about answers to POST. Python's own client takes the parser of e-mails for it, at a tenth
    of a cold start and of a look-up. Raises BrokenAnswerError, or OSError.
    """
    version, _, rest = _line(stream).partition(b" ")
    if version not in (b"HTTP/1.1", b"HTTP/1.0") or not rest[:3].isdigit():
        raise BrokenAnswerError("no answer of HTTP")
    headers = _headers(stream)
    ends = version == b"HTTP/1.0" or headers.get("connection", "").lower() == "close"
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return int(rest[:3]), headers, b"".join(_chunks(stream)), ends
    length = headers.get("content-length")
    if length is None:
        return int(rest[:3]), headers, stream.read(), True
    if not length.isdecimal():
        raise BrokenAnswerError("no length")
    return int(rest[:3]), headers, _exactly(stream, int(length)), ends


def _headers(stream: BinaryIO) -> dict[str, str]:
    headers: dict[str, str] = {}
    for _ in range(_MAX_HEADERS):
        if not (line := _line(stream)):
            return headers
        name, colon, value = line.partition(b":")
        if not colon:
            raise BrokenAnswerError("a header without a value")
        headers[name.lower().decode("latin-1")] = value.strip().decode("latin-1")
    raise BrokenAnswerError("headers without an end")


def _line(stream: BinaryIO) -> bytes:
    line = stream.readline(_MAX_LINE_BYTES)
    if not line.endswith(b"\n"):
        raise BrokenAnswerError("a line without an end")
    return line.rstrip(b"\r\n")


def _exactly(stream: BinaryIO, length: int) -> bytes:
    body = stream.read(length)
    if len(body) < length:
        raise BrokenAnswerError("less than was announced")
    return body


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    while True:
        try:
            length = int(_line(stream).partition(b";")[0], 16)
        except ValueError:
            raise BrokenAnswerError("no length of a chunk") from None
        if length < 0:
            raise BrokenAnswerError("no length of a chunk")
        if not length:
            break
        yield _exactly(stream, length)
        _line(stream)
    _headers(stream)  # which may come behind the last chunk too


class FastClient:
    """The adapter without the SDK. An instance keeps one connection a service alive and is not for several threads.

    Endpoint as the SDK finds it: ``AWS_ENDPOINT_URL_<SERVICE>``, ``AWS_ENDPOINT_URL``, else the Region's own.
    Retries, at most three, with full jitter: throttling, a transaction in the way, 5xx, a connection that breaks.
    DynamoDB's checksum is checked.
    A write that is sent again after a broken connection may have happened the first time; every write of ours carries
    a condition or is the same twice, so that is harmless, as it is under the SDK.
    """

    _PROTOCOLS: Final = {
        "dynamodb": ("DynamoDB_20120810.", "application/x-amz-json-1.0"),
        "secretsmanager": ("secretsmanager.", "application/x-amz-json-1.1"),
    }

    def __init__(
        self, environment: Mapping[str, str] = os.environ, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._region = environment["AWS_REGION"]
        self._credentials = Credentials.from_environment(environment)
        self._environment = environment
        self._sleep = sleep
        self._connections: dict[str, tuple[socket.socket, str]] = {}

    def __call__(self, service: str, operation: str, request: Json) -> Json:
        prefix, content_type = self._PROTOCOLS[service]
        body = orjson.dumps(request)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                status, answer = self._post(service, prefix + operation, content_type, body)
            except (OSError, BrokenAnswerError) as error:
                self._forget(service)
                failure = AwsError("Unreachable", type(error).__name__)
                again = True
            else:
                if status == 200:
                    return _result(answer)
                failure = _error(status, answer)
                again = status >= 500 or failure.code in THROTTLED or failure.code == CONFLICT
            if not again or attempt == ATTEMPTS:
                raise failure
            self._sleep(_pause(attempt))
        raise AssertionError  # the last attempt has returned or raised

    def _post(self, service: str, target: str, content_type: str, body: bytes) -> tuple[int, bytes]:
        connection, host = self._connections.get(service) or self._connect(service)
        headers = sign(
            body,
            host=host,
            target=target,
            content_type=content_type,
            service=service,
            region=self._region,
            credentials=self._credentials,
            at=time.gmtime(),
        )
        # Head and body at once: each sending costs as much as signing.
        fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"POST / HTTP/1.1\r\naccept-encoding: identity\r\ncontent-length: {len(body)}\r\n{fields}\r\n"
        connection.sendall(head.encode("latin-1") + body)
        with connection.makefile("rb") as stream:
            status, answered, answer, ends = read_answer(stream)
        if ends:
            self._forget(service)
        expected = answered.get("x-amz-crc32")
        if expected is not None and expected != str(crc32(answer)):
            raise BrokenAnswerError("the answer does not match its checksum")
        return status, answer

    def _connect(self, service: str) -> tuple[socket.socket, str]:
        name = f"AWS_ENDPOINT_URL_{'SECRETS_MANAGER' if service == 'secretsmanager' else service.upper()}"
        url = self._environment.get(name) or self._environment.get("AWS_ENDPOINT_URL")
        parts = urlsplit(url or f"https://{service}.{self._region}.amazonaws.com")
        is_secret, host = parts.scheme == "https", parts.hostname or ""
        connection = socket.create_connection((host, parts.port or (443 if is_secret else 80)), CONNECT_TIMEOUT)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if is_secret:
                import ssl

                context = ssl.create_default_context(cafile=self._environment.get("AWS_CA_BUNDLE"))
                connection = context.wrap_socket(connection, server_hostname=host)
        except OSError:
            connection.close()
            raise
        connection.settimeout(READ_TIMEOUT)
        self._connections[service] = connection, parts.netloc
        return self._connections[service]

    def _forget(self, service: str) -> None:
        known = self._connections.pop(service, None)
        if known:
            known[0].close()


def _result(answer: bytes) -> Json:
    try:
        result: Json = orjson.loads(answer) if answer else {}
    except orjson.JSONDecodeError:
        raise _error(200, answer) from None
    return result


def _error(status: int, answer: bytes) -> AwsError:
    """The error of an answer; one that is not the service's JSON (a proxy's page, say) keeps its status."""
    try:
        body = orjson.loads(answer)
        code = str(body["__type"]).rpartition("#")[2]
    except (ValueError, KeyError, TypeError):
        return AwsError(f"Http{status}", "the answer is not the service's")
    message = body.get("message") or body.get("Message") or ""
    return AwsError(code, message, body.get("CancellationReasons"), body.get("Item"))
