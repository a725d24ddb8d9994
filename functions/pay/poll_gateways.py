"""Every few minutes: the gateways are asked about what is neither paid nor over, and give back what is due.

Then, as far as there is time, they are asked about what is settled: its money may be back with its payer. An operator's
claim of a manual refund is made here too, where the gateways can be asked; so are they about an order of which the
tables know nothing.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, Final

from pay.gateways import Gateway, UnaskableError, UnknownError
from pay.gateways.offers import LISTENED_TO_FOR, OFFERS
from pay.payments.ask_again import MAX_SILENCES, Asked, ask_again
from pay.payments.manual_refund import claim_manual_refund
from pay.payments.refund import is_stuck, refund
from pay.payments.sync import give_up, is_overdue, sync_with_gateway
from pay.ports import gateway, rounds, stores
from shared.clock import now
from shared.domain.payment import Payment, PaymentStatus
from shared.http import report
from shared.observability import count, log_with, logger
from shared.settings import number
from shared.stores.items import readable
from shared.stores.paying.payment_items import MOVED, TO_ASK, WANTED

GRACE: Final = timedelta(minutes=2)
"""How long a payment is left to its citizen and its callback before it is asked about."""
MINUTES: Final = 3
"""From one run to the next."""
RESERVE: Final = 20_000
"""Milliseconds before the function's end in which no further gateway is asked."""

Step = Callable[[Payment, Gateway], Payment]


def handler(event: dict[str, Any], context: Any) -> str | dict[str, Any] | None:
    """Lambda's entry point: a run, or an operator's ``{"manual_refund": payment_id, "confirmed"}`` or ``{"give_up":
    payment_id}``, answered by its outcome or by the payment's status then.

    Or ``{"order": payment_id, "gateway", "gateway_id"}``, answered by what the gateway says: its ``status`` (None where
    it has no such order, ``unknown`` where it does not say), amount and currency.
    """
    log_with(request_id=context.aws_request_id)
    if "order" in event:
        return _order(event["order"], event["gateway"], event["gateway_id"])
    if "give_up" in event:
        payment = _payment(event["give_up"])
        return give_up(payment, gateway(payment.gateway), stores(), now()).status
    if "manual_refund" in event:
        return _manual_refund(event["manual_refund"], confirmed=event["confirmed"])
    _poll(context)
    return None


def _payment(payment_id: str) -> Payment:
    payment = stores().payments.get(payment_id)
    if payment is None:
        raise KeyError(payment_id)
    return payment


def _manual_refund(payment_id: str, *, confirmed: bool) -> str:
    payment = _payment(payment_id)
    outcome = claim_manual_refund(payment, gateway(payment.gateway), stores(), now(), confirmed=confirmed)
    about = {"payment_id": payment_id, "gateway": payment.gateway, "outcome": outcome}
    logger().info("an operator claims a refund", extra=about)
    return outcome


def _order(payment_id: str, name: str, gateway_id: str | None) -> dict[str, Any]:
    known = gateway(name)
    if known is None:
        return {"status": "unknown"}
    try:
        order = known.get_order(payment_id, gateway_id)
    except UnknownError:
        return {"status": "unknown"}
    return order._asdict() if order else {"status": None}


def _poll(context: Any) -> None:
    run, asks = _Run(lambda: context.get_remaining_time_in_millis() > RESERVE), number("ASKS_A_MINUTE") * MINUTES
    payments = stores().payments
    asked = run.each(
        payments.unfinished(TO_ASK, now() - GRACE), lambda one, at: sync_with_gateway(one, at, stores(), now())
    )
    due = run.each(
        payments.unfinished(PaymentStatus.REFUND_DUE, now()), lambda one, at: refund(one, at, stores(), now())
    )
    reviewed = run.each(
        payments.unfinished(PaymentStatus.REVIEW, now()), lambda one, at: sync_with_gateway(one, at, stores(), now())
    )
    count("PaymentsOverdue", sum(is_overdue(payment, now()) for payment in asked))
    unreadable: list[Exception] = []
    returns = stores().returns.last_of(due, unreadable)
    report(unreadable)
    count("RefundsStuck", sum(is_stuck(payment, returns.get(payment.payment_id), now()) for payment in due))
    count("PaymentsInReview", len(reviewed))
    count("MoneyMovedAfterEnd", sum(1 for _ in payments.unfinished(MOVED, now())))
    count("ReturnsWanted", sum(1 for _ in payments.unfinished(WANTED, now())))
    ages = [
        ask_again(Asked(name, known, LISTENED_TO_FOR[offer.kind]), stores(), rounds(), now(), asks, run.asks(name))
        for name, offer in OFFERS.items()
        if (known := gateway(name))
    ]
    count("SettledUnaskedDays", max((age.days for age in ages), default=0))


class _Run:
    """One run over what waits. Neither a payment that cannot be dealt with nor a silent gateway holds up others."""

    def __init__(self, has_time: Callable[[], bool]) -> None:
        self._has_time = has_time
        self._silences: Counter[str] = Counter()

    def asks(self, name: str) -> Callable[[], bool]:
        """Whether a gateway is still to be asked in this run."""
        return lambda: self._silences[name] < MAX_SILENCES and self._has_time()

    def each(self, payment_ids: Iterable[str], step: Step) -> list[Payment]:
        """Take a step with each payment, in any order, so that none is always last; returns them as they then are.

        One that this version cannot read is passed over, and the operator hears of it.
        """
        waiting, unreadable = list(payment_ids), list[Exception]()
        random.shuffle(waiting)
        found = readable(waiting, stores().payments.get, unreadable)
        stepped = [self._stepped(payment, step) for payment in found if payment]
        report(unreadable)
        return stepped

    def _stepped(self, payment: Payment, step: Step) -> Payment:
        name, about = payment.gateway, {"payment_id": payment.payment_id, "gateway": payment.gateway}
        known = gateway(name)
        if known is None:
            count("PaymentsWithoutGateway")
            return payment
        if not self.asks(name)():
            return payment
        try:
            payment = step(payment, known)
        except UnknownError as error:
            self._silences[name] += not isinstance(error, UnaskableError)
            count("PaymentsUnknown")
            logger().warning("gateway not to be asked", extra={**about, "reason": str(error)})
        except Exception:  # noqa: BLE001 (whatever it is: the next payment is dealt with, and this one again next time)
            count("PaymentsUnknown")
            logger().exception("a payment was not dealt with", extra=about)
        else:
            logger().info("dealt with", extra={**about, "status": payment.status})
        return payment
