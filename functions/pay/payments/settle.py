"""End a payment: it, its violations, its receipt and the receipt's message change in one transaction, or nothing.

Where some violations can no longer be settled (cancelled, moved or paid at the counter meanwhile), the others are, and
the money of those goes back: the citizen owes what is settled, and has paid it, whatever became of the rest. So no
gateway's terms decide what is settled; only how the rest is given back depends on them.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from shared.aws_json import Json
from shared.domain import message
from shared.domain.message import Message, MessageKind
from shared.domain.payment import GIVEN_UP, LATE_MONEY, LATE_SETTLED, Payment, PaymentStatus, Receipt, next_return
from shared.domain.plate import Plate
from shared.domain.settlement import settled as entry_of
from shared.domain.text import digest
from shared.domain.time import to_text
from shared.domain.violation import Violation
from shared.observability import count
from shared.stores.messaging.messages import Messages
from shared.stores.paying.payments import Payments
from shared.stores.paying.returns import Returns
from shared.stores.paying.settlements import Settlements
from shared.stores.paying.wants import Wants
from shared.stores.violations import Violations

_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

NOT_SETTLEABLE: Final = "not_settleable"
PAID_LATE: Final = "paid_late"
_OF_LATE_MONEY: Final[dict[str, str]] = {PaymentStatus.PAID: LATE_SETTLED, PaymentStatus.REFUND_DUE: LATE_MONEY}


class PaymentStores(NamedTuple):
    """The tables that a payment ends in."""

    violations: Violations
    payments: Payments
    messages: Messages
    settlements: Settlements
    returns: Returns
    wants: Wants


class _SettlementActions:
    """The actions on a payment's violations, by number: each is settled if it can be, else released if still held."""

    def __init__(self, settling: dict[str, Json], releasing: dict[str, Json]) -> None:
        self._settling = settling
        self._releasing = releasing

    @property
    def settled(self) -> frozenset[str]:
        return frozenset(self._settling)

    def actions(self) -> list[Json]:
        return list((self._releasing | self._settling).values())

    def refuse(self, positions: Sequence[int]) -> None:
        """Conditions of these actions said no: what cannot be settled is released, what is not held is left alone."""
        numbers = list(self._releasing | self._settling)
        for position in positions:
            refused = self._settling if numbers[position] in self._settling else self._releasing
            del refused[numbers[position]]


def _releasing(stores: PaymentStores, payment: Payment) -> dict[str, Json]:
    numbers = [line.violation_no for line in payment.lines]
    return {number: stores.violations.release(number, payment.payment_id) for number in numbers}


def release(stores: PaymentStores, payment: Payment, after: Payment, now: datetime) -> bool:
    """Move a payment on and end its holds. Returns False where the payment is no longer as it was read."""
    actions = _SettlementActions({}, _releasing(stores, payment))
    if _move(stores, payment, actions, lambda _: after, now) is None:
        return False
    if after.status in (PaymentStatus.CANCELLED, PaymentStatus.EXPIRED):
        count("HoldsEndedUnpaid", len(payment.lines))
    return True


def settle(stores: PaymentStores, payment: Payment, received: int, now: datetime) -> Payment | None:
    """Settle what can be settled with the money that a payment brought, in dinars.

    Returns the payment as it is now: paid, or refund_due where some of the money is left. None where it is no longer
    as it was read.
    """
    at, receipt_no = to_text(now), new_receipt_no()
    settling = {
        line.violation_no: stores.violations.settle(line.violation_no, payment.payment_id, line.amount, at, receipt_no)
        for line in payment.lines
    }

    def after(settled: frozenset[str]) -> Payment:
        new = _settled(payment, settled, received, at, receipt_no)
        return new._replace(reason=NOT_SETTLEABLE) if new.surplus else new

    return _move(stores, payment, _SettlementActions(settling, _releasing(stores, payment)), after, now)


def settle_late(
    stores: PaymentStores, payment: Payment, free: Mapping[str, Violation], received: int, now: datetime
) -> Payment | None:
    """Settle, of a payment that was given up, the violations that are ``free``, by number; the rest goes back.

    Returns as ``settle``.
    """
    at, receipt_no = to_text(now), new_receipt_no()
    settling = {
        line.violation_no: stores.violations.settle(
            line.violation_no, payment.payment_id, line.amount, at, receipt_no, free[line.violation_no]
        )
        for line in payment.lines
        if line.violation_no in free
    }

    def after(settled: frozenset[str]) -> Payment:
        return _settled(payment, settled, received, at, receipt_no)._replace(reason=PAID_LATE)

    return _move(stores, payment, _SettlementActions(settling, {}), after, now)


def _settled(payment: Payment, settled: frozenset[str], received: int, at: str, receipt_no: str) -> Payment:
    """The payment of which these violations are settled with the money that it brought."""
    returned = tuple(line.violation_no for line in payment.lines if line.violation_no not in settled)
    number = receipt_no if settled else None
    new = payment._replace(
        status=PaymentStatus.PAID, received=received, paid_at=at, receipt_no=number, returned=returned
    )
    return new._replace(status=PaymentStatus.REFUND_DUE) if new.surplus else new


def _move(
    stores: PaymentStores,
    payment: Payment,
    settlement: _SettlementActions,
    after: Callable[[frozenset[str]], Payment],
    now: datetime,
) -> Payment | None:
    while True:
        new, returning = _returning(stores, after(settlement.settled), now)
        lines = settlement.actions()
        correction = _OF_LATE_MONEY.get(new.status) if payment.status in GIVEN_UP else None
        others = [*lines, *returning, *_receipt_actions(stores, new, now)]
        refusal = stores.payments.change(payment, new, now, others, correction=correction)
        if refusal is None:
            return new
        if refusal.own or not refusal.others or max(refusal.others) >= len(lines):
            return None
        settlement.refuse(refusal.others)


def _returning(stores: PaymentStores, payment: Payment, now: datetime) -> tuple[Payment, list[Json]]:
    """A payment whose money goes back is given a return of it."""
    if payment.status != PaymentStatus.REFUND_DUE:
        return payment, []
    meant_for = payment.returned if payment.receipt_no else tuple(line.violation_no for line in payment.lines)
    new, due = next_return(payment, meant_for, payment.reason or "", to_text(now))
    return new, [stores.returns.put_action(due)]


def _receipt_actions(stores: PaymentStores, paid: Payment, now: datetime) -> list[Json]:
    """Return the actions that record a settlement: receipt, SMS to the payer, entry for the sectors' file."""
    if paid.receipt_no is None or paid.paid_at is None:
        return []
    actions = [stores.payments.receipt_action(Receipt(paid.receipt_no, paid.payment_id, paid.settled, paid.paid_at))]
    actions.append(stores.settlements.due_action(entry_of(paid)))
    if paid.phone:
        plates = [Plate.from_key(key) for key in {line.plate_key for line in paid.settled_lines}]
        text = message.receipt(paid.language, plates, paid.settled, paid.paid_at, paid.receipt_no, paid.surplus)
        actions.append(stores.messages.put_action(to_payer(paid, MessageKind.RECEIPT, text, now), now))
    return actions


def to_payer(payment: Payment, kind: MessageKind, text: str, now: datetime, *about: str) -> Message:
    """A message about a payment to who pays it, said once of a kind and of what else it is about."""
    return Message(
        message_id=digest(kind, payment.payment_id, *about),
        sub=payment.sub,
        kind=kind,
        created_at=to_text(now),
        phone=payment.phone,
        language=payment.language,
        text=text,
    )


def new_receipt_no() -> str:
    """A receipt's number: 65 random bits, in letters and digits that are not mistaken for one another."""
    return "GH-" + "".join(secrets.choice(_CROCKFORD) for _ in range(13))
