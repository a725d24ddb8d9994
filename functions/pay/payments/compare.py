"""Compare our payments with a gateway's orders, and report where the two differ."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from pay.gateways import Gateway, Order, OrderStatus, UnaskableError, UnknownError
from shared.domain.money import CURRENCY
from shared.domain.payment import LIVE, Payment, PaymentStatus
from shared.domain.time import to_text
from shared.http import report as tell_operator
from shared.stores.items import readable
from shared.stores.paying.payments import Payments

DAYS: Final = 2
SETTLED_AFTER: Final = timedelta(hours=1)
"""Younger payments are still on their way: poll_gateways has had no time for them."""

AT_ONCE: Final = 8
"""Questions to gateways under way at once, so that two days of a country fit into the function's time."""

_HERE: Final[frozenset[OrderStatus | None]] = frozenset({OrderStatus.PAID})
_GOING_BACK: Final[frozenset[OrderStatus | None]] = frozenset({OrderStatus.REFUNDING, OrderStatus.REFUNDED})
_NO_MONEY: Final = frozenset({OrderStatus.UNPAID, OrderStatus.FAILED, OrderStatus.EXPIRED, None})
_EXPECTED: Final[Mapping[str, frozenset[OrderStatus | None]]] = {
    PaymentStatus.PAID: _HERE,
    PaymentStatus.REVIEW: _HERE,
    PaymentStatus.REFUND_DUE: _HERE | _GOING_BACK,
    PaymentStatus.REFUNDED: _GOING_BACK,
}
"""What a gateway says of an order in each of our states; of all others, that it has no money."""


@dataclass
class Report:
    """What a comparison found. silent: payments of which the gateway did not speak. unaskable: those of which it can't.

    The latter are to be looked for in the gateway's own list of takings: no id of the gateway's is known of them.
    """

    compared_at: str
    compared: int = 0
    received: dict[str, int] = field(default_factory=dict)
    differences: list[dict[str, Any]] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)
    unaskable: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """For the bucket. received: dinars that both sides know of, by gateway."""
        return asdict(self)


def difference(payment: Payment, order: Order | None) -> str | None:
    """Return in what we and the gateway differ, as a code; None where we agree."""
    status = order.status if order else None
    if payment.status in LIVE:
        return "unfinished"
    expected = _EXPECTED.get(payment.status, _NO_MONEY)
    if payment.status == PaymentStatus.PAID and payment.surplus:
        expected = _HERE | _GOING_BACK  # gateways call an order refunded of which a part went back, or still paid
    if status not in expected:
        return "state"
    if order is None or status in _NO_MONEY:
        return None
    if order.payment_id not in (None, payment.payment_id) or order.gateway_id != payment.gateway_id:
        return "identity"
    if order.currency != CURRENCY or order.amount not in _amounts(payment):
        return "amount"
    return None


def _amounts(payment: Payment) -> set[int]:
    """What a gateway may say of a payment's money: some take off what went back of it, others do not."""
    return {payment.received, payment.received - payment.given_back}


def compare(payments: Payments, known: Callable[[str], Gateway | None], now: datetime) -> Report:
    """Ask about every payment of the last days, and report each on which we differ. Nothing is changed by it."""
    report = Report(to_text(now))
    with ThreadPoolExecutor(AT_ONCE) as threads:
        asked = [(each, threads.submit(_order, each, known(each.gateway))) for each in _recent(payments, now)]
        for payment, answer in asked:
            try:
                order = answer.result()
            except UnaskableError:
                report.unaskable.append(payment.payment_id)
            except UnknownError:
                report.silent.append(payment.payment_id)
            else:
                _compare(report, payment, order)
    return report


def _recent(payments: Payments, now: datetime) -> Iterable[Payment]:
    """Payments of the last days; one that this version cannot read is passed over, and the operator hears of it."""
    unreadable: list[Exception] = []
    for back in range(DAYS, -1, -1):
        day = payments.of_day(to_text(now - timedelta(days=back))[:10])
        for payment in readable(day, payments.get, unreadable):
            if payment and payment.created_at <= to_text(now - SETTLED_AFTER):
                yield payment
    tell_operator(unreadable)


def _order(payment: Payment, gateway: Gateway | None) -> Order | None:
    if gateway is None:
        raise UnknownError("the gateway is not known any more")
    return gateway.get_order(payment.payment_id, payment.gateway_id)


def _compare(report: Report, payment: Payment, order: Order | None) -> None:
    report.compared += 1
    differs = difference(payment, order)
    if differs is None:
        report.received[payment.gateway] = report.received.get(payment.gateway, 0) + payment.received
        return
    report.differences.append(
        {
            "payment_id": payment.payment_id,
            "gateway": payment.gateway,
            "gateway_id": payment.gateway_id,
            "differs": differs,
            "ours": {"status": payment.status, "received": payment.received},
            "theirs": {"state": order.status, "amount": order.amount, "currency": order.currency} if order else None,
        }
    )
