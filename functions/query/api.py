"""The citizens' API: asking by plate, vehicles, messages, choices, health, and whatever no other route takes."""

from __future__ import annotations

import secrets
from functools import cache
from typing import Any, Final

from query import account, lookup, vehicles, who_looked
from query.plates import requested_plate
from query.ports import made_ports
from query.quotas import admit
from query.vehicles import RELATIONS, LinkRequest
from shared.clock import now
from shared.domain import registration
from shared.domain.plate import Reading
from shared.edge import admission
from shared.http import (
    LANGUAGES,
    PROBE,
    Event,
    Handler,
    Problem,
    Reply,
    Request,
    Route,
    answer,
    invalid,
    no_content,
    router,
)
from shared.identity import citizen
from shared.observability import count
from shared.pagination import asked_limit

PROOF_TYPE: Final = "registration"
"""The proof that a vehicle is one's own: the number on its registration card."""
DESCRIPTION: Final = f"{__file__.rpartition('/')[0]}/openapi.json"


def _new_id() -> str:
    return secrets.token_hex(16)


def _flag(body: dict[str, Any], name: str) -> bool | None:
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise invalid(name, "wrong_type")
    return value


def _renewal(body: dict[str, Any]) -> bool:
    asked = _flag(body, "renew")
    if asked is False:
        raise invalid("renew", "wrong_value")
    return bool(asked)


def _choice(body: dict[str, Any], name: str, allowed: tuple[str, ...]) -> str | None:
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise invalid(name, "wrong_type")
    if value not in allowed:
        raise invalid(name, "wrong_value")
    return value


def _proof(body: dict[str, Any]) -> str | None:
    """The registration number that a body offers as proof, in its normal form."""
    proof = body.get("proof")
    if proof is None:
        return None
    if not isinstance(proof, dict):
        raise invalid("proof", "wrong_type")
    if proof.get("type") is None:
        raise invalid("proof.type", "missing")
    if proof["type"] != PROOF_TYPE:
        raise invalid("proof.type", "wrong_value")
    text = proof.get("number")
    if text is None:
        raise invalid("proof.number", "missing")
    if not isinstance(text, str):
        raise invalid("proof.number", "wrong_type")
    if len(text) > registration.MAX_NUMBER_CHARACTERS:
        raise invalid("proof.number", "too_long")
    normal = registration.normal(text)
    if normal is None:
        raise invalid("proof.number", "wrong_value")
    return normal


def _plate(request: Request, body: dict[str, Any]) -> Reading:
    """The plate to look up. A text that cannot be read as one plate counts too, apart from queries."""
    try:
        return requested_plate(request, body)
    except Problem as problem:
        if problem.code in ("plate_unreadable", "plate_ambiguous"):
            admit(made_ports(), citizen(request.event), None, request.language, now())
        raise


def ask(request: Request) -> Reply:
    """POST /v1/queries"""
    body = request.json()
    by_sms = _flag(body, "sms")
    found = lookup.ask(
        made_ports(),
        citizen(request.event),
        _plate(request, body),
        by_sms=by_sms is not False,
        language=request.language,
        now=now(),
        new_id=_new_id,
    )
    count("LookUps")
    return answer(200, found)


def read_on(request: Request) -> Reply:
    """GET /v1/queries/{query_id}"""
    page = lookup.read_on(
        made_ports(),
        citizen(request.event),
        request.path["query_id"],
        request.query.get("cursor"),
        asked_limit(request),
        language=request.language,
        now=now(),
    )
    return answer(200, page)


def link(request: Request) -> Reply:
    """POST /v1/vehicles"""
    body = request.json()
    relation = _choice(body, "relation", RELATIONS)
    if relation is None:
        raise invalid("relation", "missing")
    asked = LinkRequest(requested_plate(request, body), relation, bool(_flag(body, "notify")), _proof(body))
    view, new = vehicles.link(
        made_ports(), citizen(request.event), asked, language=request.language, now=now(), new_id=_new_id
    )
    return answer(201 if new else 200, view)


def list_vehicles(request: Request) -> Reply:
    """GET /v1/vehicles"""
    cursor, limit = request.query.get("cursor"), asked_limit(request)
    return answer(
        200, vehicles.listed(made_ports(), citizen(request.event), cursor, limit, language=request.language, now=now())
    )


def change_vehicle(request: Request) -> Reply:
    """PATCH /v1/vehicles/{vehicle_id}"""
    body = request.json()
    view = vehicles.change(
        made_ports(),
        citizen(request.event),
        request.path["vehicle_id"],
        relation=_choice(body, "relation", RELATIONS),
        notify=_flag(body, "notify"),
        renew=_renewal(body),
        language=request.language,
        now=now(),
    )
    return answer(200, view)


def unlink(request: Request) -> Reply:
    """DELETE /v1/vehicles/{vehicle_id}"""
    vehicles.unlink(made_ports(), citizen(request.event), request.path["vehicle_id"])
    return no_content()


def violations_of(request: Request) -> Reply:
    """GET /v1/vehicles/{vehicle_id}/violations"""
    page = lookup.of_vehicle(
        made_ports(),
        citizen(request.event),
        request.path["vehicle_id"],
        request.query.get("cursor"),
        asked_limit(request),
        language=request.language,
        now=now(),
    )
    return answer(200, page)


def followers_of(request: Request) -> Reply:
    """GET /v1/vehicles/{vehicle_id}/followers"""
    view = vehicles.followers(
        made_ports(), citizen(request.event), request.path["vehicle_id"], language=request.language, now=now()
    )
    return answer(200, view)


def remove_follower(request: Request) -> Reply:
    """DELETE /v1/vehicles/{vehicle_id}/followers/{follower_id}"""
    path = request.path
    vehicles.remove_follower(made_ports(), citizen(request.event), path["vehicle_id"], path["follower_id"], now())
    return no_content()


def look_ups_of(request: Request) -> Reply:
    """GET /v1/vehicles/{vehicle_id}/look-ups"""
    vehicle_id, cursor, limit = request.path["vehicle_id"], request.query.get("cursor"), asked_limit(request)
    days = who_looked.of_vehicle(made_ports(), citizen(request.event), vehicle_id, cursor, limit, now=now())
    return answer(200, days)


def me(request: Request) -> Reply:
    """GET /v1/me"""
    return answer(200, account.me(made_ports(), citizen(request.event), language=request.language))


def change_me(request: Request) -> Reply:
    """PATCH /v1/me"""
    body = request.json()
    chosen, sms = _choice(body, "language", LANGUAGES), _flag(body, "sms")
    view = account.choose(made_ports(), citizen(request.event), chosen=chosen, sms=sms, language=request.language)
    return answer(200, view)


def messages(request: Request) -> Reply:
    """GET /v1/messages"""
    cursor, limit = request.query.get("cursor"), asked_limit(request)
    return answer(200, account.messages(made_ports(), citizen(request.event), cursor, limit, language=request.language))


def health(_: Request) -> Reply:
    """GET /v1/health: the function answers. It touches no table, so that nobody can cost us anything by asking."""
    return answer(200, {"status": "ok"})


@cache
def _description() -> str:
    with open(DESCRIPTION, encoding="utf-8") as file:
        return file.read()


def describe(_: Request) -> Reply:
    """GET /v1/openapi.json: this API's description, the same for everybody."""
    headers = {"content-type": "application/json", "cache-control": "public, max-age=300"}
    return {"statusCode": 200, "headers": headers, "body": _description()}


def probe(_: Request) -> Reply:
    """What a new version is tried by: a look-up that is counted, kept and told to nobody."""
    lookup.probe(made_ports(), now())
    return answer(200, {"status": "ok"})


ROUTES: Final[dict[str, Route]] = {
    "POST /v1/queries": ask,
    "GET /v1/queries/{query_id}": read_on,
    "POST /v1/vehicles": link,
    "GET /v1/vehicles": list_vehicles,
    "PATCH /v1/vehicles/{vehicle_id}": change_vehicle,
    "DELETE /v1/vehicles/{vehicle_id}": unlink,
    "GET /v1/vehicles/{vehicle_id}/violations": violations_of,
    "GET /v1/vehicles/{vehicle_id}/followers": followers_of,
    "DELETE /v1/vehicles/{vehicle_id}/followers/{follower_id}": remove_follower,
    "GET /v1/vehicles/{vehicle_id}/look-ups": look_ups_of,
    "GET /v1/me": me,
    "PATCH /v1/me": change_me,
    "GET /v1/messages": messages,
    "GET /v1/health": health,
    "GET /v1/openapi.json": describe,
}


@cache
def _app() -> Handler:
    return router({**ROUTES, PROBE: probe}, admission())


def handler(event: Event, context: object) -> Reply:
    """Lambda's entry point."""
    return _app()(event, context)
