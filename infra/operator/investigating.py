"""Looking for somebody else: who looked at a plate, and what a caller asks of a payment, receipt, violation or phone.

What is shown to an operator is masked, but for the Ur ids of those who looked. It is kept that the operator looked at
each plate of it, and why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

import click

from infra.operator.deployment import Deployment
from infra.operator.options import REASON, named, refusing, say
from query.plate_text import read
from shared.domain import message
from shared.domain.payment import Payment
from shared.domain.phone import masked, to_e164
from shared.domain.plate import AmbiguousPlateError, Plate, PlateError
from shared.domain.text import clean
from shared.domain.time import to_text
from shared.domain.violation import Violation
from shared.plate_crypto import PlateCrypto
from shared.policies import RULES
from shared.stores.messaging.messages import Messages
from shared.stores.paying.payments import Payments
from shared.stores.people.citizens import Citizens
from shared.stores.people.who_looked import STAFF, Entry, What, WhoLooked
from shared.stores.violations import Violations

NEWEST: Final = 10
"""Of a citizen's payments and SMS, as many are shown."""


class PlateUnclearError(ValueError):
    """A text is not one plate; the message says why."""


def named_plate(text: str) -> str:
    """Return the plate that a text names, as citizens may type it. Raises PlateUnclearError."""
    try:
        return read(text).plate.key
    except PlateError as error:
        raise PlateUnclearError(f"no plate: {error.code}") from None
    except AmbiguousPlateError as error:
        raise PlateUnclearError("; or ".join(each.plate.text("en") for each in error.candidates)) from None


def crypto(deployment: Deployment) -> PlateCrypto:
    """The key under which plates and people are named."""
    return PlateCrypto.from_secret(deployment.call, deployment.physical["PlateKeySecret"])


def enter(deployment: Deployment, what: What, plate_keys: Iterable[str]) -> None:
    """Keep that the operator looked at some plates, once for the whole command."""
    store, who, (began, run) = _store(deployment), deployment.who, deployment.run
    store.enter([store.entry_action(key, what, who, began, run) for key in dict.fromkeys(plate_keys)])


def entries(deployment: Deployment, plate_key: str) -> list[str]:
    """Say who looked at a plate, newest first, a line each, and keep that this was asked."""
    found = [_line(entry) for entry in _store(deployment).entries(plate_key, deployment.clock())]
    enter(deployment, What.INVESTIGATION, [plate_key])
    return found


def _line(entry: Entry) -> str:
    return f"{entry.at}  {entry.what}  {'staff' if entry.what in STAFF else 'citizen'} {entry.who}"


def _store(deployment: Deployment) -> WhoLooked:
    return WhoLooked(deployment.call, deployment.physical["Citizens"], crypto(deployment))


class NotFoundError(LookupError):
    """There is no such thing; the message says what."""


def shown(name: str, value: str) -> str:
    """Return what may be kept of what is looked for: a phone is masked. Raises NotFoundError for one that is none."""
    return masked(_phone(value)) if name == "phone" else value


def of_receipt(deployment: Deployment, receipt_no: str) -> list[str]:
    """A receipt and its payment. Raises NotFoundError."""
    receipt = _payments(deployment).receipt(receipt_no)
    if receipt is None:
        raise NotFoundError("there is no such receipt")
    state = "good"
    if receipt.void_since:
        state = f"void since {receipt.void_since}"
    elif receipt.money_returned_since:
        state = f"its money is back with its payer since {receipt.money_returned_since}"
    said = f"receipt {receipt.receipt_no}: {state}, {receipt.amount:,} IQD paid at {receipt.paid_at}"
    return [said, *of_payment(deployment, receipt.payment_id)]


def of_payment(deployment: Deployment, payment_id: str) -> list[str]:
    """A payment with its violations, and the newest SMS to its payer. Raises NotFoundError."""
    payment = _payments(deployment).get(payment_id)
    if payment is None:
        raise NotFoundError("there is no such payment")
    found = _violations(deployment).get(line.violation_no for line in payment.lines)
    enter(deployment, What.INVESTIGATION, [line.plate_key for line in payment.lines])
    return [
        *_of_payment(payment),
        f"payer {masked(payment.phone) if payment.phone else 'without a phone'}",
        *(_of_violation(deployment, each) for each in found.values()),
        *_messages(deployment, payment.sub),
    ]


def of_violation(deployment: Deployment, violation_no: str) -> list[str]:
    """A violation, and the payment that holds or has paid it. Raises NotFoundError."""
    number = clean(violation_no).strip()
    violation = _violations(deployment).get([number]).get(number)
    if violation is None:
        raise NotFoundError("there is no such violation")
    enter(deployment, What.INVESTIGATION, [violation.plate_key])
    payment_id = violation.paid_by or violation.held_by
    payment = _payments(deployment).get(payment_id) if payment_id else None
    return [_of_violation(deployment, violation), *(_of_payment(payment) if payment else ())]


def of_phone(deployment: Deployment, phone: str) -> list[str]:
    """Everybody who was last seen with a phone: vehicles with what they owe, newest payments and SMS.

    Raises NotFoundError.
    """
    subs = _citizens(deployment).of_phone(_phone(phone))
    if not subs:
        raise NotFoundError("nobody was last seen with this phone")
    return [line for sub in subs for line in _of_citizen(deployment, sub)]


FINDERS: Final[dict[str, Callable[[Deployment, str], list[str]]]] = {
    "receipt": of_receipt,
    "payment": of_payment,
    "violation": of_violation,
    "phone": of_phone,
}
"""What can be looked for, and what finds it."""


def _of_citizen(deployment: Deployment, sub: str) -> Iterator[str]:
    profile, vehicles = _citizens(deployment).profile(sub), _citizens(deployment).vehicles(sub)
    enter(deployment, What.INVESTIGATION, [vehicle.plate_key for vehicle in vehicles])
    yield f"citizen {sub[:3]}…: SMS {'on' if profile and profile.sms else 'off'}"
    for vehicle in vehicles:
        known = "proven" if vehicle.proven else "linked"
        yield f"vehicle {_plate(vehicle.plate_key)} ({known}): {_owed(deployment, vehicle.plate_key)}"
    payments, _ = _payments(deployment).of_citizen(sub, NEWEST, None)
    for payment in payments:
        yield from _of_payment(payment)
    yield from _messages(deployment, sub)


def _owed(deployment: Deployment, plate_key: str) -> str:
    """What a plate owes, and when that rises."""
    at = to_text(deployment.clock())
    owed = [each.outlook(at, RULES) for each in _violations(deployment).of_plate(plate_key) if each.owed]
    all_of_it = message.owed(owed, at)
    rises = all_of_it.increase and all_of_it.increase.rises_on
    return f"{all_of_it.number} unpaid, {all_of_it.amount:,} IQD" + (f", more from {rises}" if rises else "")


def _of_payment(payment: Payment) -> Iterator[str]:
    reason = f" ({payment.reason})" if payment.reason else ""
    yield f"payment {payment.payment_id} by {payment.gateway} of {payment.created_at}: {payment.status}{reason}"
    yield f"  {payment.amount:,} IQD asked, {payment.received:,} received, {payment.settled:,} settled"
    if payment.receipt_no:
        yield f"  receipt {payment.receipt_no}, paid at {payment.paid_at}"
    if payment.surplus:
        yield f"  {payment.surplus:,} IQD pays nothing: given back or to be, by the payment's state"


def _of_violation(deployment: Deployment, violation: Violation) -> str:
    said = f"violation {violation.violation_no} on {_plate(violation.plate_key)}: {violation.state}"
    if violation.owed or violation.is_disputed:
        due = violation.due(to_text(deployment.clock()), RULES)
        said += f", {due.amount:,} IQD"
        if due.changes_at and due.next_amount is not None:
            said += f", {due.next_amount:,} IQD from {due.changes_at}"
    receipt_no = violation.receipt_no or violation.counter_receipt_no
    return said + (f", receipt {receipt_no}" if receipt_no else "")


def _messages(deployment: Deployment, sub: str) -> Iterator[str]:
    messages, _ = Messages(deployment.call, deployment.physical["Messages"]).of_citizen(sub, NEWEST, None)
    for each in messages:
        yield f"SMS {each.kind} of {each.created_at}: {each.status}"


def _plate(plate_key: str) -> str:
    return f"…{Plate.from_key(plate_key).tail}"


def _phone(text: str) -> str:
    phone = to_e164(text)
    if phone is None:
        raise NotFoundError("that is no Iraqi mobile number")
    return phone


def _payments(deployment: Deployment) -> Payments:
    return Payments(deployment.call, deployment.physical["Payments"])


def _violations(deployment: Deployment) -> Violations:
    return Violations(deployment.call, deployment.physical["Violations"])


def _citizens(deployment: Deployment) -> Citizens:
    return Citizens(deployment.call, deployment.physical["Citizens"])


@click.command()
@click.argument("plate", callback=named)
@REASON
@click.pass_obj
def who_looked(deployment: Deployment, plate: str, reason: str) -> None:
    """Say for an investigator who looked at a PLATE, by their Ur ids, newest first."""
    with refusing(PlateUnclearError):
        plate_key = named_plate(plate)
    mark = crypto(deployment).plate_fingerprint(plate_key)
    with deployment.audited("who-looked", plate=mark, reason=reason):
        found = entries(deployment, plate_key)
    say(found or ["nobody"])


@click.command()
@click.option("--receipt", default="", help="a receipt's number")
@click.option("--payment", default="", help="a payment's id")
@click.option("--violation", default="", help="a violation's number")
@click.option("--phone", default="", help="the phone of somebody who calls")
@REASON
@click.pass_obj
def find(deployment: Deployment, /, reason: str, **sought: str) -> None:
    """Say what whoever answers the phone needs to know of one receipt, payment, violation or phone."""
    given = [(name, value) for name, value in sought.items() if value.strip()]
    if len(given) != 1:
        raise click.UsageError("name one receipt, payment, violation or phone")
    ((name, value),) = given
    with refusing(NotFoundError):
        about = shown(name, value)
        with deployment.audited("find", reason=reason, **{name: about}):
            found = FINDERS[name](deployment, value)
    say(found)
