"""Ask about settled payments again, oldest first: what a gateway gives back weeks later may never be told to us."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from pay.gateways import Gateway, Order, UnknownError
from pay.payments.after_end import hear_after_end
from pay.payments.settle import PaymentStores
from shared.domain.payment import Payment, PaymentStatus
from shared.domain.time import from_text, to_text
from shared.http import report
from shared.observability import count, logger
from shared.stores.items import readable
from shared.stores.paying.rounds import Round, Rounds

AT_ONCE: Final = 8
"""Questions to a gateway under way at once."""
PAGE: Final = 3 * AT_ONCE
"""Payments that are read at a time, of all gateways. A silent gateway costs a run three times its time-out."""
MAX_PAGES: Final = 100
"""Pages that a run reads for one gateway: most of a day may be another's."""
MAX_EMPTY_DAYS: Final = 10
"""Days without a payment that a run passes for one gateway: it has more to do than to ask for them."""
MAX_SILENCES: Final = 5
"""After so many silences of a gateway in one run, its other payments wait for the next."""

_SETTLED: Final = frozenset({PaymentStatus.PAID, PaymentStatus.REFUNDED})


class Asked(NamedTuple):
    """A gateway, and for how long after a payment's making what it says of it counts."""

    name: str
    gateway: Gateway
    listened_to_for: timedelta


def ask_again(
    asked: Asked, stores: PaymentStores, rounds: Rounds, now: datetime, asks: int, has_time: Callable[[], bool]
) -> timedelta:
    """Go on with a gateway's round over the payments that it settled, by at most so many questions.

    A round ends with yesterday's payments, and the next begins on another day. Its place is kept after each page with
    an answer, so that a run that dies repeats little. After :data:`MAX_SILENCES` without an answer between them the
    gateway is silent: the place stays before them. Fewer are passed over until the next round: none stops a round for
    ever. Returns for how long the round has been going on; nothing where it is over. O(payments of the days), a Query
    and a BatchGetItem for a page.
    """
    kept = going = rounds.last(asked.name)
    if going is None or (going.ended_at and going.ended_at[:10] < to_text(now)[:10]):
        going = Round(asked.name, to_text(now), to_text(now - asked.listened_to_for)[:10])
    silences, empty_days, answered = 0, 0, going
    for _ in range(MAX_PAGES):
        if going.ended_at or asks <= 0 or empty_days > MAX_EMPTY_DAYS or not has_time():
            break
        ids, after = stores.payments.page_of_day(going.day, min(PAGE, asks), going.after)
        questions = _settled_by(asked.name, ids, stores)
        if questions:
            silences = 0 if _ask(questions, asked.gateway, stores, now) else silences + len(questions)
        if silences >= MAX_SILENCES:
            going = answered
            break
        asks -= len(questions)
        empty_days += not ids
        going = _gone_on(going._replace(after=after), now)
        answered = answered if silences else going
        if questions and not silences:
            rounds.put(going)
            kept = going
    if going != kept:
        rounds.put(going)
    return timedelta() if going.ended_at else now - from_text(going.began)


def _gone_on(going: Round, now: datetime) -> Round:
    """A round whose page is done: it goes on with the day, with the next, or is over."""
    if going.after:
        return going
    following = (date.fromisoformat(going.day) + timedelta(days=1)).isoformat()
    if following >= to_text(now)[:10]:
        return going._replace(ended_at=to_text(now))
    return going._replace(day=following)


def _settled_by(name: str, payment_ids: Iterable[str], stores: PaymentStores) -> list[Payment]:
    unreadable: list[Exception] = []
    found = stores.payments.several(payment_ids, unreadable)
    report(unreadable)
    return [each for each in found.values() if each.gateway == name and each.status in _SETTLED and each.gateway_id]


def _ask(payments: list[Payment], gateway: Gateway, stores: PaymentStores, now: datetime) -> int:
    """Ask about payments, several at once, and keep what is said. Returns how many were answered."""
    with ThreadPoolExecutor(AT_ONCE) as threads:
        answers = [*threads.map(lambda payment: _order(payment, gateway), payments)]
    answered: list[tuple[Payment, Order | None]] = []
    for payment, answer in zip(payments, answers, strict=True):
        if isinstance(answer, Exception):
            about = {"payment_id": payment.payment_id, "gateway": payment.gateway, "reason": str(answer)}
            logger().warning("settled payment not to be asked about", extra=about)
        else:
            answered.append((payment, answer))
    unreadable: list[Exception] = []
    # What has moved on meanwhile is asked about in the next round; so is one whose returns cannot be read.
    for _ in readable(answered, lambda each: hear_after_end(*each, stores, now), unreadable):
        pass
    report(unreadable)
    count("SettledAskedAgain", len(answered))
    return len(answered)


def _order(payment: Payment, gateway: Gateway) -> Order | Exception | None:
    try:
        order = gateway.get_order(payment.payment_id, payment.gateway_id)
    except Exception as error:  # noqa: BLE001 (whatever it is: the others are asked about)
        return error
    if order and (order.payment_id not in (None, payment.payment_id) or order.gateway_id != payment.gateway_id):
        return UnknownError("the answer is about another order")
    return order
