"""Who is asking: the claims that the API's authorizer has verified. Nothing in a body ever says who a citizen is."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from shared.domain.phone import to_e164

DIRECTORATE: Final = "directorate"


class Citizen(NamedTuple):
    """sub: the stable Ur id. phone: E.164, None where the token has none that an SMS could reach."""

    sub: str
    phone: str | None
    scopes: frozenset[str]


def citizen(event: dict[str, Any]) -> Citizen:
    """The caller of an HTTP API event (payload 2.0), whichever authorizer let them in: a JWT's claims, or a Lambda's.

    Raises KeyError on a route without an authorizer.
    """
    authorizer = event["requestContext"]["authorizer"]
    claims: dict[str, str] = authorizer["jwt"]["claims"] if "jwt" in authorizer else authorizer["lambda"]
    phone = claims.get("phone_number")
    return Citizen(claims["sub"], to_e164(phone) if phone else None, frozenset(claims.get("scope", "").split()))
