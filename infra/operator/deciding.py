"""An operator's word on a payment's money, where no machine can have it."""

from __future__ import annotations

from typing import Final

from infra.operator.deployment import Deployment
from pay.refunding import give_back_reviewed, given_back, settle_reviewed
from pay.settling import Books
from shared.domain.payment import REFUND_DUE, REVIEW
from shared.stores.messages import Messages
from shared.stores.payments import Payments
from shared.stores.settlements import Settlements
from shared.stores.violations import Violations

SETTLE: Final = "settle"
GIVE_BACK: Final = "give-back"
GIVEN_BACK: Final = "given-back"

WAYS: Final = {
    SETTLE: "the money of a payment under review is good: what it pays is settled, what is left over goes back",
    GIVE_BACK: "the money of a payment under review goes back",
    GIVEN_BACK: "money that was due back is with the citizen: it was given back by hand, which the citizen is told",
}


def decide(deployment: Deployment, payment_id: str, way: str) -> str:
    """Act on a decision; returns the payment's status after it.

    Raises KeyError where there is no such payment, ValueError where it does not wait for this.
    """
    books = _books(deployment)
    payment = books.payments.get(payment_id)
    if payment is None:
        raise KeyError(payment_id)
    if payment.status != (REFUND_DUE if way == GIVEN_BACK else REVIEW):
        raise ValueError(f"it is {payment.status}")
    if way == SETTLE:
        settle_reviewed(payment, books, deployment.clock())
    elif way == GIVE_BACK:
        give_back_reviewed(payment, books, deployment.clock())
    else:
        given_back(payment, books, deployment.clock())
    return (books.payments.get(payment_id) or payment).status


def _books(deployment: Deployment) -> Books:
    call, tables = deployment.call, deployment.physical
    return Books(
        Violations(call, tables["Violations"]),
        Payments(call, tables["Payments"]),
        Messages(call, tables["Messages"]),
        Settlements(call, tables["Settlements"]),
    )
