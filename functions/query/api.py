"""The citizens' API: asking by plate, linking vehicles, health, and whatever no other route takes."""

from __future__ import annotations

import secrets
from functools import cache
from typing import Any

from query import lookup, vehicles
from query.lookup import LARGEST_PAGE, PAGE, Stores
from query.plates import requested_plate
from shared.aws_json import FastClient
from shared.clock import now
from shared.http import Event, Handler, Reply, Request, answer, invalid, router
from shared.identity import citizen
from shared.observability import count
from shared.settings import setting
from shared.stores.citizens import Citizens
from shared.stores.messages import Messages
from shared.stores.violations import Violations


@cache
def _stores() -> Stores:
    call = FastClient()
    return Stores(
        Violations(call, setting("VIOLATIONS_TABLE")),
        Citizens(call, setting("CITIZENS_TABLE")),
        Messages(call, setting("MESSAGES_TABLE")),
    )


def _new_id() -> str:
    return secrets.token_hex(16)


def _flag(body: dict[str, Any], name: str, default: bool) -> bool:
    value = body.get(name, default)
    if not isinstance(value, bool):
        raise invalid(name, "wrong_type")
    return value


def ask(request: Request) -> Reply:
    """POST /v1/queries"""
    body = request.json()
    found = lookup.ask(
        _stores(),
        citizen(request.event),
        requested_plate(request, body),
        by_sms=_flag(body, "sms", True),
        language=request.language,
        now=now(),
        new_id=_new_id,
    )
    count("LookUps")
    return answer(200, found)


def read_on(request: Request) -> Reply:
    """GET /v1/queries/{query_id}"""
    limit = request.query.get("limit", str(PAGE))
    if not (limit.isascii() and limit.isdigit() and len(limit) <= 3 and 1 <= int(limit) <= LARGEST_PAGE):
        raise invalid("limit", "wrong_value")
    page = lookup.read_on(
        _stores(),
        citizen(request.event),
        request.path["query_id"],
        request.query.get("cursor"),
        int(limit),
        language=request.language,
        now=now(),
    )
    return answer(200, page)


def link(request: Request) -> Reply:
    """POST /v1/vehicles"""
    body = request.json()
    relation = body.get("relation")
    if relation is None:
        raise invalid("relation", "missing")
    if relation not in vehicles.RELATIONS:
        raise invalid("relation", "wrong_value")
    view, new = vehicles.link(
        _stores(),
        citizen(request.event),
        requested_plate(request, body),
        relation=relation,
        notify=_flag(body, "notify", False),
        language=request.language,
        now=now(),
        new_id=_new_id,
    )
    return answer(201 if new else 200, view)


def health(_: Request) -> Reply:
    """GET /v1/health: the function answers. It touches no table, so that nobody can cost us anything by asking."""
    return answer(200, {"status": "ok"})


@cache
def _app() -> Handler:
    return router(
        {
            "POST /v1/queries": ask,
            "GET /v1/queries/{query_id}": read_on,
            "POST /v1/vehicles": link,
            "GET /v1/health": health,
        }
    )


def handler(event: Event, context: object) -> Reply:
    """Lambda's entry point."""
    return _app()(event, context)
