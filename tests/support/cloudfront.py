"""What CloudFront refuses and does by itself, for the rules of our templates and for its stand-in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

_REFUSED: Final = frozenset(
    {
        "cache-control", "connection", "content-length", "cookie", "host", "if-match", "if-modified-since",
        "if-none-match", "if-range", "if-unmodified-since", "max-forwards", "pragma", "proxy-authorization",
        "proxy-connection", "range", "request-range", "te", "trailer", "transfer-encoding", "upgrade", "via",
        "x-real-ip",
    }
)  # fmt: skip
_REFUSED_PREFIXES: Final = ("x-amz-", "x-edge-")

CACHED_ERRORS: Final = frozenset({400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504})
"""Statuses of which CloudFront lets one say how long it keeps them; some it keeps for ten seconds unless one does."""


def refuses_header(name: str) -> bool:
    """Return whether CloudFront refuses to add a header to what it passes on to an origin.

    Source: the list of headers that it cannot add, in Amazon CloudFront's developer guide under custom headers.
    """
    return name.lower() in _REFUSED or name.lower().startswith(_REFUSED_PREFIXES)


def refuses_request(method: str, target: str, headers: Iterable[tuple[str, str]], body: bytes) -> int | None:
    """Return the status with which CloudFront itself answers a request; None where it passes it on.

    Source: "Request and response behavior for custom origins" in Amazon CloudFront's developer guide: a GET with a body
    is forbidden; of an address it takes 8,192 bytes, of a request without its body 20,480.
    """
    if method == "GET" and body:
        return 403
    head = len(target) + sum(len(name) + len(value) for name, value in headers)
    return 413 if len(target) > 8192 or head > 20_480 else None
