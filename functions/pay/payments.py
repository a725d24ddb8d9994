"""The use cases of paying: start, and conclude by what the gateway says. Money moves on conditional writes alone."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from pay import gateways
from pay.gateways import Gateway, Order, RefusedError, Standing, UnknownError
from shared.domain import message
from shared.domain.message import identity
from shared.domain.money import CURRENCY
from shared.domain.payment import (
    CREATED,
    EXPIRED,
    FAILED,
    LIVE,
    MINUTES_TO_PAY,
    PAID,
    PENDING,
    REVIEW,
    Line,
    Payment,
)
from shared.domain.settlement import settled
from shared.domain.time import from_text, to_text
from shared.domain.violation import UNPAID, Violation
from shared.http import FieldError, Problem
from shared.identity import Citizen
from shared.observability import count
from shared.stores.citizens import Citizens
from shared.stores.messages import Message, Messages
from shared.stores.payments import Payments, Receipt
from shared.stores.settlements import Settlements
from shared.stores.violations import Violations

_GIVEN_UP: Final = frozenset({FAILED, EXPIRED})
_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class Wish(NamedTuple):
    """What a citizen wants to pay, by which gateway, and where to return to."""

    violations: tuple[str, ...]
    gateway: str
    return_url: str
    key: str


def start(
    citizen: Citizen,
    wish: Wish,
    *,
    violations: Violations,
    citizens: Citizens,
    payments: Payments,
    open_gateways: Mapping[str, Gateway],
    callback_url: Callable[[str], str],
    language: str,
    now: datetime,
) -> Payment:
    """Hold the violations at today's price, keep the payment, and order it from the gateway.

    The same key and wish again give the first payment again. The answer is ``created`` without a page to pay on where
    the gateway did not answer: reconcile finds out. Raises Problem: 409 for a key used otherwise, 422 naming each
    violation that cannot be paid or is not the citizen's to see, 502 where the gateway refuses.
    """
    request = identity(*wish.violations, wish.gateway, wish.return_url)
    if earlier := _earlier(citizen, wish, request, payments, now):
        return earlier
    gateway = open_gateways.get(wish.gateway)
    if gateway is None:
        raise Problem(422, "invalid_input", FieldError("gateway", "gateway_unknown"))
    try:
        chosen = _payable(citizen, wish.violations, violations, citizens, now)
    except Problem:
        # The same request, a moment ahead of this one, may be what holds them.
        if earlier := _earlier(citizen, wish, request, payments, now):
            return earlier
        raise
    at = to_text(now)
    lines = tuple(_line(violation, at) for violation in chosen)
    payment = Payment(
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
    holds = [violations.hold(violation, payment.payment_id) for violation in chosen]
    refused = payments.create(payment, wish.key, request, holds, now)
    if refused is not None:
        if not refused and (earlier := _earlier(citizen, wish, request, payments, now)):
            return earlier
        _payable(citizen, wish.violations, violations, citizens, now)
        raise _not_payable([(index, "changed_meanwhile") for index in refused])
    return _order(payment, gateway, callback_url(wish.gateway), violations, payments, now)


def _earlier(citizen: Citizen, wish: Wish, request: str, payments: Payments, now: datetime) -> Payment | None:
    use = payments.key_use(citizen.sub, wish.key, now)
    if use is None:
        return None
    if use.request != request:
        raise Problem(409, "key_reused")
    return payments.get(use.payment_id)


def _payable(
    citizen: Citizen, numbers: Sequence[str], violations: Violations, citizens: Citizens, now: datetime
) -> list[Violation]:
    """The violations as they stand. Raises Problem 422; one on a plate not the citizen's to see does not exist."""
    found = violations.get(numbers)
    visible = citizens.may_see(citizen.sub, (violation.plate_key for violation in found.values()), now)
    errors: list[tuple[int, str]] = []
    for index, violation_no in enumerate(numbers):
        violation = found.get(violation_no)
        if violation is None or violation.plate_key not in visible:
            errors.append((index, "violation_not_found"))
        elif violation.state != UNPAID:
            errors.append((index, f"violation_{violation.state}"))
    if errors:
        raise _not_payable(errors)
    return [found[violation_no] for violation_no in numbers]


def _line(violation: Violation, at: str) -> Line:
    return Line(
        violation.violation_no,
        violation.due(at).amount,
        violation.plate_key,
        violation.sector_code,
        violation.sector_governorate or "",
    )


def _not_payable(errors: Sequence[tuple[int, str]]) -> Problem:
    return Problem(422, "not_payable", *(FieldError(f"violations.{index}", code) for index, code in errors))


def _order(
    payment: Payment, gateway: Gateway, callback_url: str, violations: Violations, payments: Payments, now: datetime
) -> Payment:
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
        release(payment, FAILED, violations, payments, now, reason=str(error))
        raise Problem(502, "gateway_refused", members={"payment_id": payment.payment_id}) from None
    except UnknownError:
        return payment
    payments.ordered(payment.payment_id, PENDING, page.gateway_id, page.redirect_url, now)
    # A callback may have been quicker than the gateway's answer: what is kept is what counts.
    return payments.get(payment.payment_id) or payment


def release(
    payment: Payment, status: str, violations: Violations, payments: Payments, now: datetime, *, reason: str
) -> bool:
    """End a payment that brought no money, and its holds with it."""
    holds = [violations.release(line.violation_no, payment.payment_id) for line in payment.lines]
    return payments.end(payment, status, now, holds, reason=reason)


def conclude(
    payment: Payment,
    gateway: Gateway,
    *,
    violations: Violations,
    payments: Payments,
    messages: Messages,
    settlements: Settlements,
    now: datetime,
) -> str:
    """Ask the gateway how a live payment stands and act on it; returns the payment's status after that.

    Paid with our id, amount and currency: the payment, every violation, the receipt and its message, and what the
    sectors are to be told change in one transaction. Money that does not match goes to ``review``. Repeats and overlaps
    end the same: the transition is conditional. Money for a payment that was given up is kept in its trail and counted,
    for the operator to give back.
    Raises UnknownError where the gateway cannot be asked.
    """
    if payment.status not in LIVE | _GIVEN_UP:
        return payment.status
    standing = gateway.standing(payment.payment_id, payment.gateway_id)
    if payment.status in LIVE:
        _act(payment, standing, violations, payments, messages, settlements, now)
    after = payments.get(payment.payment_id) or payment
    if after.status in _GIVEN_UP and standing is not None and standing.state == gateways.PAID:
        payments.note(payment.payment_id, "paid_late", now)
        count("PaymentsPaidLate")
    return after.status


def _act(
    payment: Payment,
    standing: Standing | None,
    violations: Violations,
    payments: Payments,
    messages: Messages,
    settlements: Settlements,
    now: datetime,
) -> None:
    if standing is None or standing.state == gateways.UNPAID:
        if now > from_text(payment.expires_at):
            release(payment, EXPIRED, violations, payments, now, reason="time_over")
    elif standing.state != gateways.PAID:
        status = EXPIRED if standing.state == gateways.EXPIRED else FAILED
        release(payment, status, violations, payments, now, reason=f"gateway_{standing.state}")
    elif not _matches(payment, standing):
        payments.end(payment, REVIEW, now, (), reason="money_differs")
    elif not _settle(payment, violations, payments, messages, settlements, now):
        # Either it has ended meanwhile, and nothing leads on from there, or the violations are not as we hold them.
        payments.end(payment, REVIEW, now, (), reason="not_settleable")


def _matches(payment: Payment, standing: Standing) -> bool:
    ours = payment.payment_id, payment.amount, CURRENCY
    return ours == (standing.payment_id, standing.amount, standing.currency)


def _settle(
    payment: Payment,
    violations: Violations,
    payments: Payments,
    messages: Messages,
    settlements: Settlements,
    now: datetime,
) -> bool:
    at = to_text(now)
    receipt_no = new_receipt_no()
    paid = payment._replace(status=PAID, paid_at=at, receipt_no=receipt_no)
    others = [
        violations.settle(line.violation_no, payment.payment_id, line.amount, at, receipt_no) for line in payment.lines
    ]
    others.append(payments.receipt_action(Receipt(receipt_no, payment.payment_id, payment.amount, at)))
    others.append(settlements.due_action(settled(paid)))
    if payment.phone:
        said = Message(
            message_id=identity(message.RECEIPT, payment.payment_id),
            sub=payment.sub,
            kind=message.RECEIPT,
            created_at=at,
            phone=payment.phone,
            language=payment.language,
            text=message.receipt(payment.language, len(payment.lines), payment.amount, at, receipt_no),
        )
        others.append(messages.put_action(said, now))
    return payments.end(paid, PAID, now, others)


def new_receipt_no() -> str:
    """A receipt's number: 65 random bits, in letters and digits that are not mistaken for one another."""
    return "GH-" + "".join(secrets.choice(_CROCKFORD) for _ in range(13))
