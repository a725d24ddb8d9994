"""Checks of whoever signs citizens in: API Gateway reads the issuer's discovery document while it deploys."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from infra.operator.preflight.account import Account, Fetch
from infra.operator.preflight.lines import LOOK, OK, STOP, Line

DISCOVERY: Final = "/.well-known/openid-configuration"
_WAY_OUT: Final = (
    "ask whoever runs the issuer, or correct JwtIssuer: without it the API is not made, and the stack goes back"
)


class IssuerError(Exception):
    """Tokens of an issuer could not be checked; the message says why."""


def sign_in(account: Account) -> Iterator[Line]:
    """What answers at the issuer's address, or at Ur's."""
    values = account.settings.parameters
    if account.settings.holds()["SignInByUr"]:
        yield _ur(account, values["UrUserUrl"])
        return
    issuer = values["JwtIssuer"]
    try:
        keys = _keys(account.fetch, issuer)
    except IssuerError as error:
        yield Line(STOP, "issuer", str(error), _WAY_OUT)
    else:
        yield Line(OK, "issuer", f"{issuer} names itself and {keys} keys of RSA")


def _keys(fetch: Fetch, issuer: str) -> int:
    """How many keys an issuer has that API Gateway takes. Raises IssuerError."""
    if not issuer.startswith("https://"):
        raise IssuerError(f"JwtIssuer={issuer} is no https address")
    document = _read(fetch, issuer.rstrip("/") + DISCOVERY)
    if document.get("issuer") != issuer:
        raise IssuerError(f"it names itself {document.get('issuer')!r}, not {issuer!r}: to the last sign, as tokens do")
    address = document.get("jwks_uri")
    if not (isinstance(address, str) and address.startswith("https://")):
        raise IssuerError(f"its discovery document names no https address of keys: {address!r}")
    keys = _read(fetch, address).get("keys")
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html: RSA alone
    usable = (
        [one for one in keys if isinstance(one, dict) and one.get("kty") == "RSA"] if isinstance(keys, list) else []
    )
    if not usable:
        raise IssuerError(f"{address} holds no key of RSA, and API Gateway takes no other")
    return len(usable)


def _read(fetch: Fetch, address: str) -> Mapping[str, Any]:
    try:
        status, body = fetch(address)
    except OSError as error:
        raise IssuerError(f"{address} does not answer ({error})") from None
    if status != 200:
        raise IssuerError(f"{address} answers {status}")
    try:
        document = json.loads(body)
    except ValueError:
        raise IssuerError(f"{address} answers no JSON") from None
    if not isinstance(document, dict):
        raise IssuerError(f"{address} answers no JSON object")
    return document


def _ur(account: Account, address: str) -> Line:
    """Ur's endpoint must refuse whoever shows no token."""
    try:
        status, _ = account.fetch(address)
    except OSError as error:
        return account.hinders("Ur", f"{address} does not answer ({error})", "ask Ur's operators, or correct UrUserUrl")
    if status in (401, 403):
        return Line(OK, "Ur", f"{address} answers, and refuses whoever shows no token")
    return Line(LOOK, "Ur", f"{address} answers {status} without a token; 401 or 403 was awaited", "ask Ur's operators")
