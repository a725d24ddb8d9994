"""The citizens' API of paying: start, read, give up and list payments; a receipt's check and a counter's question."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache, lru_cache
from typing import Annotated, Any, Final
from urllib.parse import urlsplit
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pay import counter
from pay.gateways import OrderRequest, UnknownError, offers
from pay.payments.start import PaymentRequest, StartPorts, is_starting, still_starting
from pay.payments.start import start as start_payment
from pay.payments.sync import BY_CITIZEN, TAKEN_OVER, sync_with_gateway
from pay.ports import gateway, open_gateway, port, stores
from pay.receipt.addresses import public_url
from shared.access.accesses import Accesses
from shared.clock import now
from shared.domain.money import CURRENCY
from shared.domain.payment import LIVE, MAX_LINES, MINUTES_TO_PAY, TRANSITIONS, Payment, PaymentStatus, WaysToPay
from shared.domain.time import to_text
from shared.edge import admission
from shared.http import (
    PROBE,
    Event,
    FieldError,
    Handler,
    Problem,
    Reply,
    Request,
    answer,
    invalid,
    known_or_other,
    marked,
    router,
)
from shared.identity import citizen, staff
from shared.observability import count, logger
from shared.pagination import Cursors, asked_limit
from shared.plate_crypto import PlateCrypto
from shared.problem_texts import NOTES
from shared.settings import listed, number, setting
from shared.stores.items import readable
from shared.stores.outages import Outages
from shared.stores.pausing import PAYMENTS, Pausing, away_key
from shared.stores.people.who_looked import WhoLooked

_KEY: Final = re.compile(r"[A-Za-z0-9_-]{8,64}")
_URL: Final = re.compile(r"[!-~]+")
_LINKS: Final = ("personal", "business", "corporate")
"""Whose app each of the links opens."""
_PAUSE_SECONDS: Final = 600
"""After which a citizen may ask again whether payments are begun."""

_CODES: Final = {
    "missing": "missing",
    "string_too_long": "too_long",
    "too_long": "too_many",
    "too_short": "empty",
    "string_too_short": "empty",
}


class PaymentBody(BaseModel):
    """The body of ``POST /v1/payments``."""

    model_config = ConfigDict(strict=True)

    violations: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=32)]], Field(min_length=1, max_length=MAX_LINES)
    ]
    gateway: Annotated[str, Field(max_length=20)]
    return_url: Annotated[str, Field(max_length=500)]


@cache
def _plate_crypto() -> PlateCrypto:
    return PlateCrypto.from_secret(port(), setting("PLATE_KEY_SECRET"))


@cache
def _who_looked() -> WhoLooked:
    return WhoLooked(port(), setting("CITIZENS_TABLE"), _plate_crypto())


@cache
def _accesses() -> Accesses:
    return Accesses.from_settings(port(), _plate_crypto())


@cache
def _pausing() -> Pausing:
    return Pausing(port(), setting("PAYMENTS_TABLE"))


def start(request: Request) -> Reply:
    """POST /v1/payments"""
    at = now()
    closed = _pausing().closed(at)
    if PAYMENTS in closed:
        raise Problem(503, "payments_paused", headers={"retry-after": str(_PAUSE_SECONDS)})
    ports = StartPorts(
        gateway=gateway,
        open_gateway=lambda name: None if name in closed else open_gateway(name),
        silent=lambda name: _silent(name, at),
        max_live=number("MAX_LIVE_PAYMENTS"),
        max_started=number("STARTS_A_DAY"),
        price_kept_for=_price_kept_for(),
        callback_url=lambda name: f"{public_url(request)}/v1/callbacks/{name}",
    )
    payment = start_payment(
        citizen(request.event),
        _payment_request(request),
        ports,
        stores=stores(),
        accesses=_accesses(),
        who_looked=_who_looked(),
        language=request.language,
        now=at,
    )
    count("PaymentsStarted")
    return _answer(202 if payment.status == PaymentStatus.CREATED else 201, payment, request)


def _price_kept_for() -> timedelta:
    return timedelta(hours=number("HELD_PRICE_HOURS"))


def _silent(name: str, at: datetime) -> None:
    """Take note that a gateway did not answer to an order: after some, it is closed for a while."""
    count("GatewaySilent")
    if Outages(port(), setting("PAYMENTS_TABLE"), away_key).failed(name, at):
        logger().error("a gateway is closed for a while", extra={"gateway": name})
        count("GatewaysAway")


def gateways(request: Request) -> Reply:
    """GET /v1/gateways: for anybody. What is closed is read once a minute."""
    names = listed("GATEWAYS")
    closed = _closed(int(now().timestamp() // 60))
    return answer(200, {"items": offers.listed(names, names if PAYMENTS in closed else closed)})


@lru_cache(maxsize=1)
def _closed(minute: int) -> frozenset[str]:
    return _pausing().closed(now())


def _payment_request(request: Request) -> PaymentRequest:
    key = request.headers.get("idempotency-key")
    if not key:
        raise Problem(400, "key_missing")
    if not _KEY.fullmatch(key):
        raise Problem(400, "key_malformed")
    try:
        body = PaymentBody.model_validate(request.json())
    except ValidationError as error:
        raise Problem(
            422,
            "invalid_input",
            *(
                FieldError(".".join(map(str, problem["loc"])), _CODES.get(problem["type"], "wrong_type"))
                for problem in error.errors(include_url=False, include_context=False, include_input=False)
            ),
        ) from None
    if len(set(body.violations)) < len(body.violations):
        raise invalid("violations", "repeated")
    if not _may_return_to(body.return_url):
        raise invalid("return_url", "return_url_refused")
    return PaymentRequest(tuple(body.violations), body.gateway, body.return_url, key)


def _may_return_to(url: str) -> bool:
    if not _URL.fullmatch(url):
        return False  # urlsplit passes over what would end a header's line
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return f"{parts.scheme}://{parts.netloc}" in listed("RETURN_ORIGINS")


def view(payment: Payment, language: str, ways: WaysToPay | None = None) -> dict[str, Any]:
    """A payment as its citizen sees it. ways: how else it can be paid than on its page."""
    return {
        "payment_id": payment.payment_id,
        "status": known_or_other(payment.status, TRANSITIONS),
        "gateway": payment.gateway,
        "amount": payment.amount,
        "currency": CURRENCY,
        "items": [
            {
                "violation_no": line.violation_no,
                "amount": line.amount,
                "rule": line.rule or None,
                "window": line.window or None,
            }
            for line in payment.lines
        ],
        "redirect_url": payment.redirect_url,
        "pay": _pay(payment, ways),
        "note": NOTES[TAKEN_OVER.reason][language] if payment.reason == TAKEN_OVER.reason else None,
        "closing": payment.is_closing,
        "created_at": payment.created_at,
        "expires_at": payment.expires_at,
        "paid_at": payment.paid_at,
        "receipt_no": payment.receipt_no,
        "refund": _refund(payment) if payment.surplus and payment.status in TRANSITIONS else None,
    }


def _pay(payment: Payment, ways: WaysToPay | None) -> dict[str, Any] | None:
    """Where and how it can be paid; None for one that cannot."""
    if payment.status not in LIVE or payment.redirect_url is None:
        return None
    qr, code, links = ways or WaysToPay(None, None, {})
    return {"url": payment.redirect_url, "qr": qr, "code": code, "links": {name: links.get(name) for name in _LINKS}}


def _views(
    payments: Sequence[Payment], language: str, unreadable: list[Exception] | None = None
) -> list[dict[str, Any]]:
    """Payments as their citizen sees them. Asks for the ways to pay of those that have more than a page."""
    several = [payment.payment_id for payment in payments if payment.has_ways and payment.status in LIVE]
    ways = stores().payments.ways(several) if several else {}
    return [*readable(payments, lambda payment: view(payment, language, ways.get(payment.payment_id)), unreadable)]


def _answer(status: int, payment: Payment, request: Request) -> Reply:
    (shown,) = _views([payment], request.language)
    return answer(status, shown)


def _refund(payment: Payment) -> dict[str, Any]:
    """Money that pays nothing: under review, due, or given back; and the violations that it was meant for."""
    states: dict[str, str] = {PaymentStatus.REVIEW: "review", PaymentStatus.REFUND_DUE: "due"}
    meant_for = [*payment.returned, *dict.fromkeys(number for number, _ in payment.differences)]
    if not payment.receipt_no:
        meant_for = [line.violation_no for line in payment.lines]
    return {"amount": payment.surplus, "status": states.get(payment.status, "done"), "violations": meant_for}


def _own(request: Request) -> Payment:
    payment = stores().payments.own(citizen(request.event).sub, request.path["payment_id"])
    if payment is None:
        raise Problem(404, "no_such_payment")
    return payment


def read(request: Request) -> Reply:
    """GET /v1/payments/{payment_id}"""
    return _answer(200, _own(request), request)


def cancel(request: Request) -> Reply:
    """POST /v1/payments/{payment_id}/cancel: the payment as it is then; paid, where the money was quicker.

    Its violations can be paid otherwise as soon as the gateway has said that nobody can pay it any more; until that is
    known the answer is 202, and poll_gateways goes on about it.
    """
    payment, at = _own(request), now()
    if payment.status == PaymentStatus.CANCELLED:
        return _answer(200, payment, request)
    if payment.status not in LIVE:
        raise Problem(409, "payment_over" if payment.status in TRANSITIONS else "payment_other")
    if is_starting(payment, at):
        raise still_starting()
    known = gateway(payment.gateway)
    try:
        if known is None:
            raise UnknownError("the gateway is not known any more")
        payment = sync_with_gateway(payment, known, stores(), at, closing=BY_CITIZEN)
    except UnknownError as error:
        logger().warning("gateway not to be asked", extra={"gateway": payment.gateway, "reason": str(error)})
        payment = _own(request)
        if not payment.is_closing:
            raise Problem(503, "gateway_silent", headers={"retry-after": "30"}) from None
    return _answer(202 if payment.is_closing else 200, payment, request)


def list_payments(request: Request) -> Reply:
    """GET /v1/payments: newest first."""
    sub, cursor, limit = citizen(request.event).sub, request.query.get("cursor"), asked_limit(request)
    cursors = Cursors(_plate_crypto(), sub, "payments")
    after = cursors.open(cursor) if cursor else None
    if after is not None and len(after) != 2:
        raise invalid("cursor", "cursor_invalid")
    unreadable: list[Exception] = []
    found, following = stores().payments.of_citizen(sub, limit, (after[0], after[1]) if after else None, unreadable)
    items = _views(found, request.language, unreadable)
    page = {"items": items, "next_cursor": cursors.seal(following) if following else None}
    return answer(200, marked(page, unreadable, request.language))


def check_receipt(request: Request) -> Reply:
    """GET /v1/receipts/{receipt_no}: for anybody who holds the number; nothing in it tells of a person or a plate."""
    receipt = stores().payments.receipt(request.path["receipt_no"])
    if receipt is None:
        raise Problem(404, "no_such_receipt")
    return answer(
        200,
        {
            "receipt_no": receipt.receipt_no,
            "paid": receipt.is_good,
            "money_returned_since": receipt.money_returned_since,
            "amount": receipt.amount,
            "currency": CURRENCY,
            "paid_at": receipt.paid_at,
        },
    )


def check_settlements(request: Request) -> Reply:
    """POST /v1/settlements/check: for counters of the directorate."""
    clerk = staff(request.event)
    numbers = counter.asked(request.json())
    return answer(
        200, {"items": counter.check(clerk, numbers, stores().violations, _who_looked(), _price_kept_for(), now())}
    )


def probe(request: Request) -> Reply:
    """What a new version is tried by: all of a start but what it writes; an order only where there is a sandbox."""
    at = now()
    stores().violations.get([PROBE])
    stores().payments.begun(PROBE, PROBE, at)
    if known := open_gateway("sandbox"):
        url, made = f"{listed('RETURN_ORIGINS')[0]}/", uuid4().hex
        expires_at = to_text(at + timedelta(minutes=MINUTES_TO_PAY))
        known.order(OrderRequest(made, 1_000, CURRENCY, PROBE, "en", url, url, expires_at))
        known.close(made, None)
    return gateways(request)


@cache
def _app() -> Handler:
    return router(
        {
            "POST /v1/payments": start,
            "GET /v1/payments": list_payments,
            "GET /v1/payments/{payment_id}": read,
            "POST /v1/payments/{payment_id}/cancel": cancel,
            "GET /v1/gateways": gateways,
            "GET /v1/receipts/{receipt_no}": check_receipt,
            "POST /v1/settlements/check": check_settlements,
            PROBE: probe,
        },
        admission(),
    )


def handler(event: Event, context: object) -> Reply:
    """Lambda's entry point."""
    return _app()(event, context)
