"""What an operator decides about settled money: that it is back with its payer, that it goes back, or that it stays."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from pay.payments.refund import tell_of_return
from pay.payments.settle import PaymentStores
from shared.aws_json import Json
from shared.domain.payment import (
    DIFFERENCE,
    LINES_RETURNED,
    MONEY_RETURNED,
    RETURN_DECIDED,
    Difference,
    Line,
    Payment,
    PaymentStatus,
    Return,
    ReturnState,
    next_return,
)
from shared.domain.settlement import reversal
from shared.domain.time import to_text
from shared.policies import RULES
from shared.stores.items import MAX_ACTIONS

_ROOM: Final = MAX_ACTIONS - 6
"""Actions about violations in one transaction; the others: payment, event, receipt, sectors' entry, return, SMS."""


def reverse(payment: Payment, stores: PaymentStores, now: datetime, numbers: Collection[str] = ()) -> bool:
    """Record that settled money is back with its payer: all of it, or that of the violations named.

    They are owed again, the receipt says so, and the sectors are told to take off what they were told, in one
    transaction. Returns False where the payment has moved on. Raises ValueError for what it has not settled, and for
    violations of more money than the gateway says is back.
    """
    lines, at = _settled(payment, numbers), to_text(now)
    amount = sum(line.amount for line in lines)
    if numbers and 0 < payment.money_returned < amount:
        raise ValueError(f"only {payment.money_returned:,} IQD are back, and these are {amount:,}")
    left = max(0, payment.money_returned - amount)
    after = _without(payment, lines)._replace(
        reason=MONEY_RETURNED,
        money_returned=left,
        money_returned_since=payment.money_returned_since if left else None,
        money_kept=min(payment.money_kept, left),
    )
    after = after._replace(status=PaymentStatus.PAID if after.settled else PaymentStatus.REFUNDED)
    after, made = next_return(after, _numbers(lines), MONEY_RETURNED, at)
    unheard = payment.money_returned < amount  # only an operator knows: the gateway's word of that money tells nothing
    made = made._replace(state=ReturnState.GIVEN, ended_at=at, manual_since=at if unheard else None)
    others = [*_unsettling(payment, lines, "reverse", stores, now), *_amending(after, lines, made, stores, now)]
    others += tell_of_return(payment, made, stores, now)
    correction = MONEY_RETURNED if after.status == PaymentStatus.REFUNDED else None
    return stores.payments.change(payment, after, now, others, what=MONEY_RETURNED, correction=correction) is None


def return_lines(payment: Payment, stores: PaymentStores, now: datetime, numbers: Collection[str]) -> bool:
    """Give back the money of the violations named, which are then owed or not as the directorate says.

    The gateway is asked for it; the receipt and the sectors are told at once. Returns False where the payment has moved
    on. Raises ValueError for what it has not settled, and while money of it is back by itself.
    """
    lines = _settled(payment, numbers)
    after, made = _going_back(payment, _without(payment, lines), lines, LINES_RETURNED, now)
    others = [*_unsettling(payment, lines, "return-lines", stores, now), *_amending(after, lines, made, stores, now)]
    return stores.payments.change(payment, after, now, others, correction=RETURN_DECIDED) is None


def keep_lines(payment: Payment, stores: PaymentStores, now: datetime, numbers: Collection[str]) -> bool:
    """Take violations of a payment off the list of what may be wanted back. False where the payment has moved on.

    Also one that went back while it was entered there. Raises ValueError where nothing of it is wanted.
    """
    lines = [line for line in payment.lines if line.violation_no in numbers]
    wanted = _deciding(payment, lines, "keep", stores, now)
    if not wanted:
        raise ValueError("none of them is wanted back")
    return stores.payments.change(payment, payment, now, wanted, what="return_not_made") is None


def differences(payment: Payment, stores: PaymentStores, numbers: Collection[str] = ()) -> tuple[Difference, ...]:
    """By how much violations that a payment settled were too dear, as they are known now and priced when it began."""
    lines = _settled(payment, numbers)
    known = stores.violations.get(_numbers(lines))
    prices = {number: each.due(payment.created_at, RULES).amount for number, each in known.items()}
    found = (Difference(line.violation_no, line.amount - prices.get(line.violation_no, line.amount)) for line in lines)
    return tuple(each for each in found if each.amount > 0)


def return_difference(payment: Payment, stores: PaymentStores, now: datetime, numbers: Collection[str] = ()) -> bool:
    """Give back by how much violations were too dear; they stay paid. As :func:`return_lines`.

    Raises ValueError also where none was.
    """
    found = differences(payment, stores, numbers)
    if not found:
        raise ValueError("no price was higher than it is known to be now")
    paid = {line.violation_no: line for line in payment.settled_lines}
    back = tuple(paid[each.violation_no]._replace(amount=each.amount) for each in found)
    after = payment._replace(differences=(*payment.differences, *found))
    after, made = _going_back(payment, after, back, DIFFERENCE, now)
    others = [
        stores.violations.reprice(each.violation_no, payment.payment_id, paid[each.violation_no].amount - each.amount)
        for each in found
    ]
    others += _amending(after, back, made, stores, now)
    return stores.payments.change(payment, after, now, others, correction=RETURN_DECIDED) is None


def _settled(payment: Payment, numbers: Collection[str]) -> tuple[Line, ...]:
    """The lines of these violations, each once, or all that a payment has settled. Raises ValueError."""
    if payment.status != PaymentStatus.PAID or payment.receipt_no is None:
        raise ValueError("only a payment that has settled something, and gives nothing back just now, can be undone")
    settled = {line.violation_no: line for line in payment.settled_lines}
    if missing := [number for number in numbers if number not in settled]:
        raise ValueError(f"not settled by it: {', '.join(missing)}")
    return tuple(settled[number] for number in dict.fromkeys(numbers or settled))


def _numbers(lines: Sequence[Line]) -> tuple[str, ...]:
    return tuple(line.violation_no for line in lines)


def _without(payment: Payment, lines: Sequence[Line]) -> Payment:
    return payment._replace(returned=(*payment.returned, *_numbers(lines)))


def _going_back(
    payment: Payment, after: Payment, lines: Sequence[Line], cause: str, now: datetime
) -> tuple[Payment, Return]:
    """A payment with a return that its gateway is to be asked for. Raises ValueError."""
    if payment.is_money_returned:
        raise ValueError("the gateway says that money of it is back already: reverse or keep that first")
    due = after._replace(status=PaymentStatus.REFUND_DUE, reason=cause)
    return next_return(due, _numbers(lines), cause, to_text(now))


def _unsettling(
    payment: Payment, lines: Sequence[Line], decision: str, stores: PaymentStores, now: datetime
) -> list[Json]:
    """The actions by which these are owed again and leave the list of what is wanted back. Raises ValueError."""
    owed = [stores.violations.unsettle(line.violation_no, payment.payment_id) for line in lines]
    decided = _deciding(payment, lines, decision, stores, now)
    if len(owed) + len(decided) > _ROOM:
        raise ValueError(f"too many of them are wanted back for one decision: name at most {_ROOM // 2} by LINES")
    return [*owed, *decided]


def _amending(after: Payment, lines: Sequence[Line], made: Return, stores: PaymentStores, now: datetime) -> list[Json]:
    """The actions by which receipt and sectors say so much less, and the return is entered."""
    receipt = stores.payments.correct_receipt_action(after, now)
    entry = stores.settlements.due_action(reversal(after, lines, made.n, to_text(now)))
    return [receipt, entry, stores.returns.put_action(made)]


def _deciding(
    payment: Payment, lines: Sequence[Line], decision: str, stores: PaymentStores, now: datetime
) -> list[Json]:
    """The actions by which what is wanted back of these leaves the list."""
    known = stores.wants.known([(line.violation_no, payment.payment_id) for line in lines])
    return [stores.wants.decided_action(*pair, decision, now) for pair in sorted(known)]
