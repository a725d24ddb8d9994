"""Erasing all that is kept of a citizen: a mark first, then what is theirs in two passes, at last the profile itself.

While the mark stands every call of theirs is refused. The first pass begins when no call can be under way any more that
was let in before the mark. It ends their links: from then on no news finds them. The second begins when nobody can be
telling them news any more who found them before, and takes their messages. Each step may be cut off and repeated: what
is gone is the place that is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from shared.domain import message
from shared.domain.message import Message, MessageKind
from shared.domain.payment import LIVE, PaymentStatus
from shared.domain.text import digest
from shared.domain.time import from_text, to_text
from shared.http import Problem, report
from shared.stores.paying.payments import Payments
from shared.stores.people.citizens import Citizens
from shared.stores.privacy.erasing import Erasing, Erasures
from shared.stores.privacy.exporting import Person
from shared.stores.registry import Registry

MAX_CALL: Final = timedelta(seconds=30)
"""No call of the API takes longer."""
MAX_TELLING: Final = timedelta(seconds=120)
"""No run that found followers of a plate tells them of it later than this."""
_OWING: Final = LIVE | {PaymentStatus.REVIEW, PaymentStatus.REFUND_DUE}
_PAGE: Final = 50


class Stores(NamedTuple):
    """What an erasure reads and writes."""

    erasures: Erasures
    citizens: Citizens
    payments: Payments
    registry: Registry


def begin(sub: str, stores: Stores, now: datetime, later: Callable[[str, timedelta], None]) -> None:
    """Begin to erase a citizen. later: has :func:`go_on` called of a citizen after a while.

    It is called before the mark is set: a mark that nobody comes back to would stand for ever, and a call without a
    mark does nothing. Raises Problem 409 while a payment is under way or money is due back, and ErasingError.
    """
    if _owes(sub, stores.payments):
        raise Problem(409, "payment_live")
    later(sub, MAX_CALL)
    if not stores.erasures.begin(sub, now):
        raise Problem(409, "payment_live")


def _owes(sub: str, payments: Payments) -> bool:
    """Whether a payment of theirs is not at its end, or may not be: it cannot be read. Raises ErasingError."""
    after, unreadable = None, list[Exception]()
    while True:
        found, after = payments.of_citizen(sub, _PAGE, after, unreadable)
        report(unreadable)
        if unreadable or any(payment.status in _OWING for payment in found):
            return True
        if after is None:
            return False


def go_on(person: Person, stores: Stores, now: datetime, may_go_on: Callable[[], bool]) -> timedelta | None:
    """Go on erasing a citizen; returns after how long to come again, or None when nothing is left to be done.

    may_go_on: asked between pages.
    """
    erasing = stores.erasures.erasing(person.sub)
    if erasing is None:
        return None
    if wait := _left(erasing.since, MAX_CALL, now):
        return wait
    if erasing.unlinked_at is None:
        if not (_unlink(person.sub, stores, may_go_on) and _all(_rest(person.sub, stores), may_go_on)):
            return timedelta()
        stores.erasures.erase_contests(person.sub)
        stores.erasures.unlinked(person.sub, now)
        return MAX_TELLING
    if wait := _left(erasing.unlinked_at, MAX_TELLING, now):
        return wait
    if not _all(stores.erasures.erase_messages(person.sub), may_go_on):
        return timedelta()
    stores.erasures.end(person, erasing, _farewell(person, erasing, now), now)
    return None


def _left(since: str, needed: timedelta, now: datetime) -> timedelta:
    """How much of a time is left."""
    return max(timedelta(), from_text(since) + needed - now)


def _unlink(sub: str, stores: Stores, may_go_on: Callable[[], bool]) -> bool:
    """End every link that can be read, with the proof that waits. False where it was not to be done to the end."""
    citizens, unreadable = stores.citizens, list[Exception]()
    vehicles = citizens.vehicles(sub, unreadable)
    report(unreadable)
    for vehicle in vehicles:
        if not may_go_on():
            return False
        plate_key, waits = vehicle.plate_key, stores.registry.forget_actions(vehicle.plate_key, sub)
        if citizens.unlink(sub, vehicle.vehicle_id, plate_key, proven=vehicle.proven, others=waits, erasing=True):
            continue
        if vehicle not in citizens.vehicles(sub, []):
            return False  # it was proved or removed meanwhile
    return True


def _rest(sub: str, stores: Stores) -> Iterable[None]:
    return stores.erasures.erase_rest(sub, lambda plate_key: stores.registry.forget_actions(plate_key, sub))


def _all(pages: Iterable[None], may_go_on: Callable[[], bool]) -> bool:
    return all(may_go_on() for _ in pages)


def _farewell(person: Person, erasing: Erasing, now: datetime) -> Message | None:
    """The SMS that says it is done, under the citizen's fingerprint; none where they want or get no SMS."""
    if erasing.phone is None:
        return None
    return Message(
        message_id=digest(MessageKind.ERASED, person.who, erasing.since),
        sub=person.who,
        kind=MessageKind.ERASED,
        created_at=to_text(now),
        phone=erasing.phone,
        language=erasing.language,
        text=message.erased(erasing.language),
    )
