"""A gateway's callback: verified, recorded, and then the gateway is asked. The callback itself proves nothing paid."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import NamedTuple

from pay.gateways import CallbackError, Delivery, Gateway, Notice, UnknownError, UntimelyError
from pay.payments.sync import sync_with_gateway
from pay.ports import gateway, stores
from shared.clock import now
from shared.domain.payment import Payment
from shared.edge import admission
from shared.http import MAX_BODY_BYTES, Event, Handler, Problem, Reply, Request, answer, router
from shared.observability import count, logger


class _Call(NamedTuple):
    """A callback whose origin is proved, and the payment that it is about."""

    gateway: Gateway
    notice: Notice
    payment: Payment
    at: datetime
    is_timely: bool


def receive(request: Request) -> Reply:
    """POST /v1/callbacks/{gateway}: 200 when acted on, also for repeats; 503 asks the gateway to come again."""
    if not _act(_proved(request)):
        raise _silent()
    return answer(200, {"status": "received"})


def send_on(request: Request) -> Reply:
    """GET /v1/callbacks/{gateway}: a gateway sends the citizen's browser; it goes on to where the citizen came from.

    Whatever became of the payment, and also where the gateway could not be asked: the page there reads the payment. A
    browser that comes at another time than its proof is of (a tab of yesterday) is sent on too, and nothing else is
    done.
    """
    call = _proved(request, of_any_time=True)
    if call.is_timely:
        _act(call)
    return {"statusCode": 303, "headers": {"location": call.payment.return_url, "cache-control": "no-store"}}


def _proved(request: Request, *, of_any_time: bool = False) -> _Call:
    """Raises Problem 401, 404, 413, or 503 where it cannot be found out whom the callback is about."""
    name, at = request.path["gateway"], now()
    known = gateway(name)
    if known is None:
        raise Problem(404, "gateway_unknown")
    if len(request.body) > MAX_BODY_BYTES:
        raise Problem(413, "body_too_large")
    try:
        notice, is_timely = _notice(known, request, at, of_any_time)
        payment_id = notice.payment_id or _owner(name, known, notice.gateway_id)
    except CallbackError as error:
        logger().warning("callback refused", extra={"gateway": name, "reason": str(error)})
        count("CallbacksRefused")
        raise Problem(401, "callback_refused") from None
    except UnknownError as error:
        _note_silence(name, error)
        raise _silent() from None
    payment = stores().payments.get(payment_id) if payment_id else None
    if payment is None or payment.gateway != name:
        raise Problem(404, "no_such_payment")
    return _Call(known, notice, payment, at, is_timely)


def _notice(known: Gateway, request: Request, at: datetime, of_any_time: bool) -> tuple[Notice, bool]:
    """Whom a callback is about, and whether it is of this time."""
    try:
        return known.callback(Delivery(request.headers, request.query, request.body), at), True
    except UntimelyError as error:
        if not of_any_time:
            raise
        return error.notice, False


def _owner(name: str, known: Gateway, gateway_id: str | None) -> str | None:
    """Return whose an order is by the gateway's id: as our own order call learned, or else as the gateway says."""
    if gateway_id is None:
        return None
    if payment_id := stores().payments.of_order(name, gateway_id):
        return payment_id
    order = known.get_order(None, gateway_id)
    return order.payment_id if order else None


def _act(call: _Call) -> bool:
    """Record the callback, and do what follows from what the gateway says now. False where it cannot be asked.

    A repeat too, whatever became of the payment: not every gateway signs that money went back, so that the callback
    that says it may look like an earlier one; and who was asked to come again does.
    """
    payment = call.payment
    stores().payments.record_callback(payment.payment_id, call.notice.event, call.at)
    try:
        after = sync_with_gateway(payment, call.gateway, stores(), call.at, gateway_id=call.notice.gateway_id)
    except UnknownError as error:
        _note_silence(payment.gateway, error)
        return False
    logger().info("callback", extra={"payment_id": payment.payment_id, "status": after.status})
    return True


def _note_silence(name: str, error: UnknownError) -> None:
    count("GatewaySilent")
    logger().warning("gateway not to be asked", extra={"gateway": name, "reason": str(error)})


def _silent() -> Problem:
    return Problem(503, "gateway_silent", headers={"retry-after": "30"})


@cache
def _app() -> Handler:
    return router({"POST /v1/callbacks/{gateway}": receive, "GET /v1/callbacks/{gateway}": send_on}, admission())


def handler(event: Event, context: object) -> Reply:
    """Lambda's entry point."""
    return _app()(event, context)
