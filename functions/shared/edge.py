"""Whether a request came by the edge (``infra/edge.yaml``), which adds a secret to all that it passes on.

An HTTP API has an address of its own, and neither a firewall nor a policy can stand before it: only this tells who
comes past the edge.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from shared.aws_json import Call, FastClient
from shared.clock import now
from shared.secret import current_then_previous
from shared.settings import setting

HEADER: Final = "x-gharama-edge"
"""CloudFront adds none that begins with ``X-Edge-``: tests/infra/services.py."""
READ_ANEW_AFTER: Final = timedelta(seconds=30)
"""Less than a change takes to reach the edge; more than anybody could make us pay for by wrong secrets."""

Admits = Callable[[Mapping[str, str]], bool]
"""Whether a request with these headers is let in."""


def admission() -> Admits:
    """Who is let in: what came by the edge; everybody where there is none."""
    secret_id = setting("EDGE_SECRET")
    return Edge(FastClient(), secret_id, now).admits if secret_id else everybody


def everybody(_: Mapping[str, str]) -> bool:
    """There is no edge."""
    return True


class Edge:
    """The secret as Secrets Manager holds it: the current value and the previous one, for the edge learns of a change
    minutes later.

    It is read once, and anew only when a request brings another value: that is how a change is noticed, so an ordinary
    request costs a comparison.
    """

    def __init__(self, call: Call, secret_id: str, now: Callable[[], datetime]) -> None:
        self._call = call
        self._secret_id = secret_id
        self._now = now
        self._values: list[bytes] = []
        self._read_at: datetime | None = None

    def admits(self, headers: Mapping[str, str]) -> bool:
        """Return whether a request brings a good value. Raises AwsError where the values are needed and not read."""
        given = headers.get(HEADER, "").encode("utf-8", "surrogatepass")
        if not given:
            return False
        if self._is_good(given):
            return True
        at = self._now()
        if self._read_at is not None and at < self._read_at + READ_ANEW_AFTER:
            return False
        self._values, self._read_at = (
            [value.encode() for value in current_then_previous(self._call, self._secret_id)],
            at,
        )
        return self._is_good(given)

    def _is_good(self, given: bytes) -> bool:
        return any(hmac.compare_digest(given, value) for value in self._values)
