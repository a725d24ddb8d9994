"""The National Data Center's SMS gateway on Ur as the provider.

One POST with HTTP Basic (the Ur client's id and secret) and the fields ``phone_num``, ``content`` and ``reliable``; its
clients handle the answers 200, 401 and 500. It gives no id of its own.
"""

from __future__ import annotations

import http.client
import json
import ssl
from base64 import b64encode
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from notify.providers import (
    PROVIDER_ERROR,
    REFUSED,
    THROTTLED,
    TIMED_OUT,
    UNAUTHORIZED,
    UNREACHABLE,
    Accepted,
    PermanentError,
    TemporaryError,
    UnknownOutcomeError,
)
from shared.aws_json import AwsError

CONNECT_TIMEOUT: Final = 2.0
READ_TIMEOUT: Final = 8.0

Secret = Callable[[], tuple[str, str]]
"""Reads the client's id and secret."""


class Ur:
    """url: the gateway's whole address. secret: asked on the first message, and again after a 401."""

    name: Final = "ur"

    def __init__(self, url: str, secret: Secret) -> None:
        self._url = urlsplit(url)
        self._secret = secret
        self._authorization: str | None = None

    def send(self, phone: str, text: str) -> Accepted:
        """One POST on a connection of its own, so that a connection gone stale never leaves an outcome unknown."""
        body = json.dumps({"phone_num": phone, "content": text, "reliable": 1}).encode()
        headers = {"authorization": self._basic(), "content-type": "application/json"}
        connection = self._connect()
        try:
            connection.request("POST", self._url.path or "/", body, headers)
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException):
            raise UnknownOutcomeError(TIMED_OUT) from None
        finally:
            connection.close()
        if status == 401:
            self._authorization = None  # the secret may have been changed
        if not 200 <= status < 300:
            raise _failure(status)
        return Accepted(self.name, None)

    def _connect(self) -> http.client.HTTPConnection:
        netloc = self._url.netloc
        connection = (
            http.client.HTTPSConnection(netloc, timeout=CONNECT_TIMEOUT, context=ssl.create_default_context())
            if self._url.scheme == "https"
            else http.client.HTTPConnection(netloc, timeout=CONNECT_TIMEOUT)
        )
        try:
            connection.connect()
        except OSError:
            connection.close()
            raise TemporaryError(UNREACHABLE) from None
        connection.sock.settimeout(READ_TIMEOUT)
        return connection

    def _basic(self) -> str:
        if self._authorization is None:
            try:
                client_id, client_secret = self._secret()
            except (AwsError, LookupError, TypeError, ValueError):  # not there, or not what it should be
                raise TemporaryError(UNAUTHORIZED) from None
            self._authorization = "Basic " + b64encode(f"{client_id}:{client_secret}".encode()).decode()
        return self._authorization


def _failure(status: int) -> TemporaryError | PermanentError:
    if status in (401, 403):
        return TemporaryError(UNAUTHORIZED)
    if status == 429:
        return TemporaryError(THROTTLED)
    return PermanentError(REFUSED) if 400 <= status < 500 else TemporaryError(PROVIDER_ERROR)
