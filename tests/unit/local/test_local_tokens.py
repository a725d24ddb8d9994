"""What API Gateway asks of a token beyond what the emulator does."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from infra.local.aws.tokens import is_refused

NOW = 1_790_000_000


def token(alg: str = "RS256", **changes: Any) -> str:
    claims = {"sub": "ur-1", "iat": NOW, "nbf": NOW, "exp": NOW + 3600, **changes}
    kept = {name: value for name, value in claims.items() if value is not None}
    parts = (json.dumps(part).encode() for part in ({"alg": alg, "kid": "k"}, kept))
    return ".".join([*(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts), "signature"])


@pytest.mark.parametrize("accepted", [token(), token("RS512"), token(nbf=None, iat=None), token(exp=NOW + 0.5)])
def test_a_token_as_the_portal_makes_it_passes(accepted: str) -> None:
    assert not is_refused(accepted)


@pytest.mark.parametrize(
    "refused",
    [
        token(exp=None),
        token(exp="tomorrow"),
        token(exp=True),
        token(iat="now"),
        token("none"),
        token("HS256"),
        token("ES256"),
        "",
        "a.b.c",
        "IiI.IiI.x",
    ],
)
def test_what_the_service_refuses_is_refused(refused: str) -> None:
    assert is_refused(refused)
