"""A gateway's callback: verified, noted, and then the gateway is asked. The callback itself proves nothing paid."""

from __future__ import annotations

from functools import cache

from pay.gateways import CallbackError, Delivery, UnknownError
from pay.payments import conclude
from pay.wiring import open_gateways, settlement
from shared.clock import now
from shared.http import LARGEST_BODY, Event, Handler, Problem, Reply, Request, answer, router
from shared.observability import count, logger


def receive(request: Request) -> Reply:
    """POST /v1/callbacks/{gateway}: 200 when acted on, also for repeats; 503 asks the gateway to come again."""
    name = request.path["gateway"]
    gateway = open_gateways().get(name)
    if gateway is None:
        raise Problem(404, "gateway_unknown")
    if len(request.body) > LARGEST_BODY:
        raise Problem(413, "body_too_large")
    at = now()
    try:
        notice = gateway.callback(Delivery(request.headers, request.query, request.body), at)
    except CallbackError as error:
        logger().warning("callback refused", extra={"gateway": name, "reason": str(error)})
        count("CallbacksRefused")
        raise Problem(401, "callback_refused") from None
    stores = settlement()
    payment = stores.payments.get(notice.payment_id) if notice.payment_id else None
    if payment is None or payment.gateway != name:
        raise Problem(404, "no_such_payment")
    stores.payments.note(payment.payment_id, "callback", at)
    try:
        status = conclude(payment, gateway, **stores._asdict(), now=at)
    except UnknownError as error:
        logger().warning("gateway not to be asked", extra={"gateway": name, "reason": str(error)})
        raise Problem(503, "gateway_silent", headers={"retry-after": "30"}) from None
    logger().info("callback", extra={"gateway": name, "payment_id": payment.payment_id, "status": status})
    return answer(200, {"status": "received"})


@cache
def _app() -> Handler:
    return router({"POST /v1/callbacks/{gateway}": receive})


def handler(event: Event, context: object) -> Reply:
    """Lambda's entry point."""
    return _app()(event, context)
