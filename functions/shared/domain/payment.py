"""The states of a payment and the only ways between them. Unknown is a state to ask about, never a failure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from typing import Final, NamedTuple


class PaymentStatus(StrEnum):
    """Where a payment stands. :data:`TRANSITIONS` and :data:`CORRECTIONS` are the only ways between them."""

    CREATED = "created"
    PENDING = "pending"
    PAID = "paid"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REVIEW = "review"
    REFUND_DUE = "refund_due"
    REFUNDED = "refunded"


MINUTES_TO_PAY: Final = 15
MAX_LINES: Final = 50
"""Violations that one payment may hold: with payment, key, receipt and message they fit one transaction of 100."""

# state -> {next state: what causes it}
TRANSITIONS: Final[dict[str, dict[str, str]]] = {
    PaymentStatus.CREATED: {
        PaymentStatus.PENDING: "the gateway took the order and gave a page to pay on",
        PaymentStatus.PAID: "the gateway says paid before our own order call returned",
        PaymentStatus.REFUND_DUE: "the gateway says paid, but not everything can be settled any more",
        PaymentStatus.REVIEW: "the gateway says paid, but another amount or currency",
        PaymentStatus.FAILED: "the gateway refused the order, says failed, or its answer is lost and nobody can pay it",
        PaymentStatus.CANCELLED: "the citizen gave it up and the gateway has no money, or does not close it in time",
        PaymentStatus.EXPIRED: "the time to pay is over and the gateway has no money, or does not close it in time",
    },
    PaymentStatus.PENDING: {
        PaymentStatus.PAID: "the gateway says paid, with our amount, currency and id",
        PaymentStatus.REFUND_DUE: "the gateway says paid, but not everything can be settled any more",
        PaymentStatus.REVIEW: "the gateway says paid, but another amount or currency",
        PaymentStatus.FAILED: "the gateway says failed, or an operator says that it never will say anything",
        PaymentStatus.CANCELLED: "the citizen gave it up and the gateway has no money, or does not close it in time",
        PaymentStatus.EXPIRED: "the time to pay is over and the gateway has no money, or does not close it in time",
    },
    PaymentStatus.REVIEW: {
        PaymentStatus.PAID: "an operator has it settled",
        PaymentStatus.REFUND_DUE: "an operator has it given back, or not everything can be settled any more",
    },
    PaymentStatus.REFUND_DUE: {
        PaymentStatus.PAID: "what was to be given back was, the rest is settled",
        PaymentStatus.REFUNDED: "all of it was given back",
    },
    PaymentStatus.PAID: {},
    PaymentStatus.FAILED: {},
    PaymentStatus.CANCELLED: {},
    PaymentStatus.EXPIRED: {},
    PaymentStatus.REFUNDED: {},
}
LIVE: Final = frozenset({PaymentStatus.CREATED, PaymentStatus.PENDING})
"""The gateway is still asked about it, and it holds its violations."""
GIVEN_UP: Final = frozenset({PaymentStatus.FAILED, PaymentStatus.CANCELLED, PaymentStatus.EXPIRED})
"""It ended without money and let its violations go."""


class Correction(NamedTuple):
    """A way out of an end, because the gateway says otherwise than we believed."""

    sources: frozenset[str]
    target: str
    cause: str


LATE_MONEY: Final = "late_money"
LATE_SETTLED: Final = "late_settled"
LATE_OTHER_MONEY: Final = "late_other_money"
RETURN_DECIDED: Final = "return_decided"
MONEY_RETURNED: Final = "money_returned"

CORRECTIONS: Final = {
    LATE_MONEY: Correction(
        GIVEN_UP,
        PaymentStatus.REFUND_DUE,
        "the gateway says paid after the payment was given up, and not everything can still be settled",
    ),
    LATE_SETTLED: Correction(GIVEN_UP, PaymentStatus.PAID, "as late_money, but everything can still be settled"),
    LATE_OTHER_MONEY: Correction(GIVEN_UP, PaymentStatus.REVIEW, "as late_money, but another amount or currency"),
    RETURN_DECIDED: Correction(
        frozenset({PaymentStatus.PAID}),
        PaymentStatus.REFUND_DUE,
        "an operator has settled money given back: of some violations, or what was too much of their prices",
    ),
    MONEY_RETURNED: Correction(
        frozenset({PaymentStatus.PAID}),
        PaymentStatus.REFUNDED,
        "an operator knows that settled money is back with its payer",
    ),
}
"""By name, which stands in the payment's trail."""


def may_change(before: str, after: str, correction: str | None = None) -> bool:
    """Return whether one state may follow another, by the table or by a named correction."""
    if correction is None:
        return after in TRANSITIONS[before]
    return before in CORRECTIONS[correction].sources and after == CORRECTIONS[correction].target


class Line(NamedTuple):
    """One violation in a payment, as it was when the payment was made: price, plate, and the sector that is owed it.

    sector_governorate: a code, "" where the directorate named none. rule, window: the ids of those that made the price,
    "" for none. held_until: until when the earlier amount is asked because another held it, "" where that makes none.
    """

    violation_no: str
    amount: int
    plate_key: str
    sector_code: str
    sector_governorate: str
    rule: str = ""
    window: str = ""
    held_until: str = ""


class Difference(NamedTuple):
    """What of the price of a settled violation, in dinars, is given back because it was too high."""

    violation_no: str
    amount: int


class WaysToPay(NamedTuple):
    """How an order can be paid without its page. qr: a picture as a data address. links: addresses by who opens them:
    ``personal``, ``business``, ``corporate``."""

    qr: str | None
    code: str | None
    links: dict[str, str]


class Payment(NamedTuple):
    """A payment and its frozen quote. Amounts in dinars, instants as stored texts."""

    payment_id: str
    sub: str
    gateway: str
    status: PaymentStatus | str
    lines: tuple[Line, ...]
    amount: int
    created_at: str
    expires_at: str
    return_url: str
    phone: str | None = None
    language: str = "ar"
    unanswered: bool = False
    """The gateway's answer to our order never came."""
    gateway_id: str | None = None
    redirect_url: str | None = None
    received: int = 0
    """What the gateway says it took from the citizen; 0 where that is no dinars."""
    returned: tuple[str, ...] = ()
    """The violations whose money goes back instead of settling them."""
    paid_at: str | None = None
    receipt_no: str | None = None
    reason: str | None = None
    """The code of why it is in its status."""
    returns: int = 0
    """How many returns of its money there are."""
    given_back: int = 0
    """What of its money goes back to its payer or has: the sum of its returns, without one that bounced. In dinars."""
    differences: tuple[Difference, ...] = ()
    """What of its settled violations' prices goes back or has, because they were too high."""
    has_ways: bool = False
    """There are more ways to pay it than its page: they stand in an item of their own."""
    closing_since: str | None = None
    """Since when it is given up while its order is not known to be closed: it lives on until that is."""
    closing_for: str | None = None
    """The code of why."""
    ended_at: str | None = None
    """When it was given up."""
    money_returned: int = 0
    """What of its settled money the gateway says is back with its payer, in dinars, though we gave nothing of it."""
    money_returned_since: str | None = None
    """When the gateway first said so."""
    money_kept: int = 0
    """Of how much of that an operator has decided that the violations stay paid."""
    bounced_since: str | None = None
    """When the gateway first said that money which it had given back is with us again."""

    @property
    def is_closing(self) -> bool:
        """Whether it is given up, and lives on because its order may still be paid."""
        return self.status in LIVE and self.closing_since is not None

    @property
    def is_money_returned(self) -> bool:
        """Whether settled money is back with its payer, and no operator has decided about it."""
        return self.status == PaymentStatus.PAID and self.money_returned > self.money_kept

    @property
    def settled_lines(self) -> tuple[Line, ...]:
        """The violations that the money has paid, each with what of its price does not go back."""
        lines = [line for line in self.lines if self.receipt_no and line.violation_no not in self.returned]
        back = Counter[str]()
        for number, amount in self.differences:
            back[number] += amount
        return tuple(line._replace(amount=line.amount - back[line.violation_no]) for line in lines)

    @property
    def settled(self) -> int:
        """What of the money has paid violations."""
        return sum(line.amount for line in self.settled_lines)

    @property
    def surplus(self) -> int:
        """What of the money pays nothing: under review, or given back with its returns, or bounced."""
        return self.received - self.settled


class ReturnState(StrEnum):
    """Where a return stands.

    due: the gateway is to be asked. asked: it may have heard. refused: it said no. manual: an operator gives it by
    hand. given: the payer has it. bounced: the gateway says that it is with us again.
    """

    DUE = "due"
    ASKED = "asked"
    REFUSED = "refused"
    MANUAL = "manual"
    GIVEN = "given"
    BOUNCED = "bounced"


LINES_RETURNED: Final = "lines_returned"
DIFFERENCE: Final = "difference"
BOUNCED_BEFORE: Final = "bounced_before"
"""Causes of returns, beside a payment's reason and :data:`MONEY_RETURNED`."""
AFTER_SETTLEMENT: Final = frozenset({LINES_RETURNED, DIFFERENCE})
"""Those by which settled money goes back through the gateway, which may have given it back by itself meanwhile."""


class Return(NamedTuple):
    """One giving back of money that pays nothing; of a payment one is open at a time, while it is ``refund_due``.

    n: which of its payment's, from 1. lines: the violations whose money it is. amount in dinars.

    Instants as stored texts. cause: a code: the payment's reason, or one of this module. asked_at: when the gateway was
    first asked, which it may have heard. refused: its code for not giving it. manual_since: since when an operator sees
    to it, so that the gateway is neither asked nor knows of it. ended_at: when it was given.
    """

    payment_id: str
    n: int
    lines: tuple[str, ...]
    amount: int
    cause: str
    at: str
    state: ReturnState | str = ReturnState.DUE
    asked_at: str | None = None
    refused: str | None = None
    manual_since: str | None = None
    ended_at: str | None = None


def next_return(payment: Payment, lines: tuple[str, ...], cause: str, at: str) -> tuple[Payment, Return]:
    """Return a payment with one more return of all its money that pays nothing and is in no other, and that return."""
    amount = payment.surplus - payment.given_back
    made = Return(payment.payment_id, payment.returns + 1, lines, amount, cause, at)
    return payment._replace(returns=made.n, given_back=payment.given_back + amount), made


def through_gateway(returns: Iterable[Return]) -> int:
    """Return what has gone back by a gateway that knows of it, in dinars: not what was given by hand."""
    return sum(each.amount for each in returns if each.state == ReturnState.GIVEN and not each.manual_since)


class Receipt(NamedTuple):
    """What a receipt number stands for. amount in dinars. void_since: when the money went back after all.

    money_returned_since: since when it is back with its payer, as long as no operator has decided what follows.
    """

    receipt_no: str
    payment_id: str
    amount: int
    paid_at: str
    void_since: str | None = None
    money_returned_since: str | None = None

    @property
    def is_good(self) -> bool:
        """Whether it proves that its violations are paid."""
        return self.void_since is None and self.money_returned_since is None
