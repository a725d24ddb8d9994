"""What an HTTP API's JWT authorizer asks of a token and the emulator does not.

Source: "Control access to HTTP APIs with JWT authorizers" in API Gateway's developer guide: the algorithm is one of
RSA's, and `exp` lies after now, so that a token without it, or with one that is no time, is refused.
"""

import base64
import json
from typing import Any

_ALGORITHMS = ("RS256", "RS384", "RS512")
_TIMES = ("exp", "nbf", "iat")


def is_refused(token: str) -> bool:
    """Whether the service refuses a token whatever its signature; one that cannot be read too."""
    try:
        header, claims = (_part(part) for part in token.split(".")[:2])
    except ValueError:
        return True
    times = [claims[name] for name in _TIMES if name in claims]
    return header.get("alg") not in _ALGORITHMS or "exp" not in claims or not all(map(_is_time, times))


def _part(text: str) -> dict[str, Any]:
    value = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def _is_time(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
