"""Who is asking: the claims that the API's authorizer has verified. Nothing in a body ever says who a citizen is."""

from __future__ import annotations

from typing import Any, NamedTuple

from shared.domain.phone import to_e164

DIRECTORATE: str = "directorate"


class Citizen(NamedTuple):
    """sub: the stable Ur id. phone: E.164, None where the token has none that an SMS could reach."""

    sub: str
    phone: str | None
    scopes: frozenset[str]


def citizen(event: dict[str, Any]) -> Citizen:
    """The caller of an HTTP API event (payload 2.0). Raises KeyError on a route without an authorizer."""
    claims: dict[str, str] = event["requestContext"]["authorizer"]["jwt"]["claims"]
    phone = claims.get("phone_number")
    return Citizen(claims["sub"], to_e164(phone) if phone else None, frozenset(claims.get("scope", "").split()))
