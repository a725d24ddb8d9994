"""How a payment starts: what is wished is held at today's price, kept, and ordered from the gateway once."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from pay.gateways import Gateway, Order, RefusedError, UnknownError
from pay.payments.settle import Books, release
from shared.domain.money import CURRENCY
from shared.domain.payment import CREATED, FAILED, MINUTES_TO_PAY, PENDING, Line, Payment
from shared.domain.text import digest
from shared.domain.time import from_text, to_text
from shared.domain.violation import UNPAID, Violation
from shared.http import FieldError, Problem, invalid
from shared.identity import Citizen
from shared.stores.look_ups import LookUps

MAX_START_TIME: Final = timedelta(seconds=20)
"""A start that has not come to its end after this long never will: the function's own timeout."""
REFUSED_ORDER: Final = "order_refused"


class Wish(NamedTuple):
    """What a citizen wants to pay, by which gateway, and where to return to."""

    violations: tuple[str, ...]
    gateway: str
    return_url: str
    key: str


class Terms(NamedTuple):
    """This deployment's own. known: a gateway by name; opened: the same unless it is closed to new payments."""

    known: Callable[[str], Gateway | None]
    opened: Callable[[str], Gateway | None]
    most_live: int
    callback_url: Callable[[str], str]


def start(
    citizen: Citizen, wish: Wish, terms: Terms, *, books: Books, look_ups: LookUps, language: str, now: datetime
) -> Payment:
    """Hold the violations at today's price, keep the payment, and order it from the gateway.

    The same key and wish again give the first answer again, with the payment as it is by then; a wish that was refused
    uses no key up. The answer is ``created`` without a page to pay on where the gateway did not answer: reconcile finds
    out. Raises Problem: 409 for a key used otherwise or still at work, and for too many live payments; 422 naming each
    violation that cannot be paid or is not the citizen's to see; 502 where the gateway refuses.
    """
    request = digest(*wish.violations, wish.gateway, wish.return_url)
    if earlier := _earlier(citizen, wish, request, books, now):
        return earlier
    gateway = terms.opened(wish.gateway)
    if gateway is None:
        raise invalid("gateway", "gateway_closed" if terms.known(wish.gateway) else "gateway_unknown")
    try:
        chosen = _payable(citizen, wish.violations, books, look_ups, now)
    except Problem:
        # The same request, a moment ahead of this one, may be what holds them.
        if earlier := _earlier(citizen, wish, request, books, now):
            return earlier
        raise
    payment = _quoted(citizen, wish, chosen, language, now)
    holds = [books.violations.hold(violation, payment.payment_id) for violation in chosen]
    refusal = books.payments.create(payment, wish.key, request, terms.most_live, holds, now)
    if refusal is not None:
        if refusal.own and (earlier := _earlier(citizen, wish, request, books, now)):
            return earlier
        if refusal.full:
            raise Problem(409, "payments_full")
        _payable(citizen, wish.violations, books, look_ups, now)
        raise _not_payable([(position, "changed_meanwhile") for position in refusal.others])
    return _order(payment, gateway, terms.callback_url(payment.gateway), books, now)


def is_starting(payment: Payment, now: datetime) -> bool:
    """Whether the call that orders it may still be under way."""
    return payment.status == CREATED and not payment.unanswered and now < from_text(payment.created_at) + MAX_START_TIME


def still_starting() -> Problem:
    """The answer to whoever comes while the gateway is being asked for the order."""
    return Problem(409, "still_starting", headers={"retry-after": "5"})


def _earlier(citizen: Citizen, wish: Wish, request: str, books: Books, now: datetime) -> Payment | None:
    """The payment that this key has made, if any. Raises Problem as the first answer was one."""
    use = books.payments.key_use(citizen.sub, wish.key, now)
    if use is None:
        return None
    if use.request != request:
        raise Problem(409, "key_reused")
    payment = books.payments.get(use.payment_id)
    if payment and is_starting(payment, now):
        raise still_starting()
    if payment and payment.reason == REFUSED_ORDER:
        raise _refused(payment)
    return payment


def _payable(
    citizen: Citizen, numbers: Sequence[str], books: Books, look_ups: LookUps, now: datetime
) -> list[Violation]:
    """The violations as they stand. Raises Problem 422; one on a plate not the citizen's to see does not exist."""
    found = books.violations.get(numbers)
    visible = look_ups.may_see(citizen.sub, (violation.plate_key for violation in found.values()), now)
    at = to_text(now)
    errors: list[tuple[int, str]] = []
    for index, violation_no in enumerate(numbers):
        violation = found.get(violation_no)
        if violation is None or violation.plate_key not in visible:
            errors.append((index, "violation_not_found"))
        elif violation.state != UNPAID:
            errors.append((index, f"violation_{violation.state}"))
        elif not violation.due(at).amount:
            errors.append((index, "violation_nothing_due"))
    if errors:
        raise _not_payable(errors)
    return [found[violation_no] for violation_no in numbers]


def _not_payable(errors: Sequence[tuple[int, str]]) -> Problem:
    return Problem(422, "not_payable", *(FieldError(f"violations.{index}", code) for index, code in errors))


def _quoted(citizen: Citizen, wish: Wish, chosen: Sequence[Violation], language: str, now: datetime) -> Payment:
    at = to_text(now)
    lines = tuple(_line(violation, at) for violation in chosen)
    return Payment(
        payment_id=secrets.token_hex(16),
        sub=citizen.sub,
        gateway=wish.gateway,
        status=CREATED,
        lines=lines,
        amount=sum(line.amount for line in lines),
        created_at=at,
        expires_at=to_text(now + timedelta(minutes=MINUTES_TO_PAY)),
        return_url=wish.return_url,
        phone=citizen.phone,
        language=language,
    )


def _line(violation: Violation, at: str) -> Line:
    return Line(
        violation.violation_no,
        violation.due(at).amount,
        violation.plate_key,
        violation.sector_code,
        violation.sector_governorate or "",
    )


def _order(payment: Payment, gateway: Gateway, callback_url: str, books: Books, now: datetime) -> Payment:
    order = Order(
        payment.payment_id,
        payment.amount,
        CURRENCY,
        f"Gharama {len(payment.lines)}",
        payment.language,
        callback_url,
        payment.return_url,
        payment.expires_at,
    )
    try:
        page = gateway.order(order)
    except RefusedError as error:
        failed = payment._replace(status=FAILED, reason=REFUSED_ORDER)
        release(books, payment, failed, now)
        raise _refused(payment) from error
    except UnknownError:
        after = payment._replace(unanswered=True)
        books.payments.change(payment, after, now, what="order_unanswered")
    else:
        after = payment._replace(status=PENDING, gateway_id=page.gateway_id, redirect_url=page.redirect_url)
        books.payments.change(payment, after, now, [books.payments.bind_action(payment, page.gateway_id)])
    # A callback may have been quicker than the gateway's answer: what is kept is what counts.
    return books.payments.get(payment.payment_id) or after


def _refused(payment: Payment) -> Problem:
    return Problem(502, "gateway_refused", members={"payment_id": payment.payment_id})
