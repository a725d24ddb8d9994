"""Exchanges with a bearer token of OAuth 2's client credentials (RFC 6749, section 4.4)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from pay.gateways import NotAskedError, ReadKeys, RefusedError, UnknownError
from pay.gateways.client import Answer, Client, current_then_previous, dinars, reading, try_each_key

MARGIN: Final = 10
"""Seconds before its end from which a token is not used any more."""


class OAuth:
    """path: the token endpoint's. keys: ``client_id`` and ``client_secret``; those before them are tried too, since
    the gateway may change over later than we do. A token is kept until shortly before it ends."""

    def __init__(
        self,
        client: Client,
        path: str,
        keys: ReadKeys,
        *,
        scope: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._path = path
        self._keys = keys
        self._asked = {"scope": scope} if scope else {}
        self._clock = clock
        self._kept = ("", 0.0)  # a token, and until when it is used

    def __call__(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        """One exchange; a second one with a new token where the first was turned away at the door (401).

        Raises UnknownError: NotAskedError where there is no token to be had.
        """
        answer = self._ask(method, path, body)
        if answer.status == 401:
            self._kept = ("", 0.0)
            answer = self._ask(method, path, body)
        return answer

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None) -> Answer:
        token, until = self._kept
        if self._clock() >= until:
            try:
                token, lifetime = self._fetch()
            except (UnknownError, RefusedError) as error:
                raise NotAskedError(f"no token: {error}") from None
            self._kept = token, self._clock() + lifetime - MARGIN
        return self._client(method, path, headers={"authorization": f"Bearer {token}"}, body=body)

    def _fetch(self) -> tuple[str, int]:
        def ask(secret: Mapping[str, str]) -> Answer:
            client = {"client_id": secret["client_id"], "client_secret": secret["client_secret"]}
            form = {"grant_type": "client_credentials", **client, **self._asked}
            return self._client("POST", self._path, form=form)

        secrets = current_then_previous(self._keys(), "client_id", "client_secret")
        granted = try_each_key(secrets, ask, lambda answer: answer.status in (400, 401)).accepted()
        with reading():
            return _token(granted["access_token"]), dinars(granted["expires_in"])


def _token(value: object) -> str:
    if not isinstance(value, str) or not value.isascii() or not value.isprintable():
        raise ValueError("not a token")
    return value
