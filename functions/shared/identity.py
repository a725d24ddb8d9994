"""Who is asking: the claims that the API's authorizer has verified. Nothing in a body ever says who a citizen is."""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

from shared.domain.phone import to_e164
from shared.http import Problem
from shared.observability import count

DIRECTORATE: Final = "directorate"

_SUB: Final = re.compile(r"[!-\"$-~]{1,255}")
"""As OpenID Connect has it, but for the ``#`` that parts the keys of our tables."""


class Citizen(NamedTuple):
    """sub: the stable Ur id. phone: E.164, None where the token has none that an SMS could reach."""

    sub: str
    phone: str | None
    scopes: frozenset[str]


def citizen(event: dict[str, Any]) -> Citizen:
    """The caller of an HTTP API event (payload 2.0), whichever authorizer let them in: a JWT's claims, or a Lambda's.

    Raises Problem 403 for a token that names nobody, KeyError on a route without an authorizer.
    """
    authorizer = event["requestContext"]["authorizer"]
    claims: dict[str, str] = authorizer["jwt"]["claims"] if "jwt" in authorizer else authorizer["lambda"]
    sub, phone = claims.get("sub", ""), claims.get("phone_number")
    if not _SUB.fullmatch(sub):
        raise Problem(403, "token_unusable")
    return Citizen(sub, to_e164(phone) if phone else None, frozenset(claims.get("scope", "").split()))


def staff(event: dict[str, Any]) -> Citizen:
    """The caller, one of the directorate's staff. Raises Problem 403 for others, which is counted."""
    caller = citizen(event)
    if DIRECTORATE not in caller.scopes:
        count("ScopeRefused")
        raise Problem(403, "scope_missing")
    return caller
