"""The API's authorizer where the portal is no OIDC issuer: Ur's own user endpoint says whose token it is.

API Gateway keeps an answer for at most 60 seconds (the API's definition), so a token that was revoked is refused soon.
Whatever goes wrong, nobody is let in. A token that is refused is answered with 403, which the portal takes for "sign in
again"; where Ur gives no clear answer the function fails, which API Gateway answers with 500 and does not keep: "try
again later". An authorizer of an HTTP API can say no more than these two.
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html

The endpoint, as clients of other Ur services use it: ``GET`` with the token, answered with ``{"data": {"ur_id",
"phone_num", "first_name", "middle_name", "last_name", …}}``.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache
from typing import Any, Final

import orjson
import urllib3

from shared.identity import DIRECTORATE
from shared.observability import count, logger
from shared.settings import listed, setting

_TOKEN: Final = re.compile(r"[Bb]earer ([A-Za-z0-9._~+/=|-]{8,4096})")
_SUB: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_MAX_ANSWER_BYTES: Final = 64 * 1024
_TIMEOUT: Final = urllib3.Timeout(connect=1.5, read=3.0)


class RefusedError(Exception):
    """The endpoint does not know the token."""


class UnclearError(Exception):
    """The endpoint did not answer, or not as it should. The text is a code for why."""


def claims_of(token: str, url: str, http: urllib3.PoolManager, directorate: Collection[str]) -> dict[str, str]:
    """The claims of a token's user, as a JWT would hold them: ``sub``, ``phone_number``, ``name``, ``scope``.

    directorate: Ur ids of the staff who have the scope of that name. Raises RefusedError or UnclearError.
    """
    headers = {"authorization": f"Bearer {token}", "accept": "application/json"}
    try:
        response = http.request(
            "GET", url, headers=headers, timeout=_TIMEOUT, retries=False, redirect=False, preload_content=False
        )
        body = response.read(_MAX_ANSWER_BYTES)
        response.release_conn()
    except urllib3.exceptions.HTTPError as error:
        raise UnclearError(type(error).__name__) from None
    if response.status in (401, 403):
        raise RefusedError
    if response.status != 200:
        raise UnclearError(f"status {response.status}")
    return _claims(body, directorate)


def _claims(body: bytes, directorate: Collection[str]) -> dict[str, str]:
    try:
        user = orjson.loads(body)["data"]
        sub = str(user["ur_id"])
        phone = str(user.get("phone_num") or "")
        names = [str(user.get(part) or "") for part in ("first_name", "middle_name", "last_name")]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UnclearError("not a user") from None
    if type(user["ur_id"]) not in (int, str) or not _SUB.fullmatch(sub):
        raise UnclearError("not an id")
    return {
        "sub": sub,
        "phone_number": phone,
        "name": " ".join(filter(None, names)),
        "scope": DIRECTORATE if sub in directorate else "",
    }


@cache
def _http() -> urllib3.PoolManager:
    return urllib3.PoolManager(maxsize=1)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Lambda's entry point: an HTTP API's request (payload 2.0), answered in the simple form.

    Raises UnclearError where Ur gives no clear answer.
    """
    given = _TOKEN.fullmatch((event.get("headers") or {}).get("authorization", ""))
    if given is None:
        return {"isAuthorized": False}
    try:
        claims = claims_of(given[1], setting("UR_USER_URL"), _http(), listed("DIRECTORATE_UR_IDS"))
    except RefusedError:
        return {"isAuthorized": False}
    except UnclearError as error:
        logger().warning("the user endpoint gives no clear answer", extra={"reason": str(error)})
        count("SignInUnclear")
        raise
    return {"isAuthorized": True, "context": claims}
