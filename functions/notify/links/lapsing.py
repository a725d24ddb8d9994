"""Links without proof end, told before: half a year after the latest of linking, renewing and the plate's registration.

Before anything is registered for a plate none ends: nobody could prove it theirs. Safe to run twice and at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from shared.access.accesses import Accesses
from shared.domain import message
from shared.domain.citizen import Profile
from shared.domain.message import OUT, Message, MessageKind
from shared.domain.plate import Plate
from shared.domain.registration import Card, asked_of
from shared.domain.text import digest
from shared.domain.time import to_text
from shared.stores.items import UNREADABLE
from shared.stores.messaging.messages import Messages
from shared.stores.people.citizens import Citizens
from shared.stores.people.lapses import Check, Lapses
from shared.stores.registry import Registry

TOLD_BEFORE: Final = timedelta(days=14)
MAX_WARNINGS: Final = 3
"""An SMS that did not go out is put again so often in all; by then the portal has shown the day for six weeks."""


class Ports(NamedTuple):
    """What lapsing reads and writes."""

    lapses: Lapses
    citizens: Citizens
    accesses: Accesses
    registry: Registry
    messages: Messages


class Run(NamedTuple):
    """What a run came to. unreadable: why an item could not be read."""

    warned: int
    ended: int
    unreadable: list[Exception]


def lapses_on(check: Check, cards: Mapping[str, Card], kept_for: timedelta) -> str | None:
    """The day on which a link without proof ends by the rule; None where nothing is registered for its vehicle.

    kept_for: after the latest of linking, renewing and the first row that its vehicle was registered by.
    """
    asked = [card.known_from for card, _ in asked_of(cards, check.category).values()]
    if not asked:
        return None
    return _days_after(max(check.linked_at, check.renewed_at or "", min(asked))[:10], kept_for)


def lapse(ports: Ports, kept_for: timedelta, now: datetime, may_go_on: Callable[[], bool]) -> Run:
    """Look at the links that are due. may_go_on: asked before each page; what is left then is due the next time."""
    warned, ended, unreadable = 0, 0, list[Exception]()
    for page in ports.lapses.due(to_text(now)[:10], unreadable):
        if not may_go_on():
            break
        told, gone = _look_at(page, ports, kept_for, now, unreadable)
        warned, ended = warned + told, ended + gone
    return Run(warned, ended, unreadable)


def _look_at(
    page: Sequence[Check], ports: Ports, kept_for: timedelta, now: datetime, unreadable: list[Exception]
) -> tuple[int, int]:
    """Deal with a page: how many were warned and how many ended.

    A BatchGetItem for each eleven plates, a transaction for each fifty links that are only looked at again.
    """
    today, later = to_text(now)[:10], _days_after(to_text(now)[:10], kept_for - TOLD_BEFORE)
    open_links = [check for check in page if not check.proven]
    cards = ports.accesses.cards_of([check.plate_key for check in open_links], unreadable)
    again = [(check, later) for check in page if check.proven or check.plate_key not in cards]
    profiles = ports.citizens.profiles((check.sub for check in open_links), unreadable)
    warned = ended = 0
    for check in open_links:
        if check.plate_key not in cards:
            continue
        ends = lapses_on(check, cards[check.plate_key], kept_for)
        profile = profiles.get(check.sub)
        try:
            if ends is None:
                again.append((check, later))
            elif check.lapses_on is None and _days_after(ends, -TOLD_BEFORE) > today:
                again.append((check, _days_after(ends, -TOLD_BEFORE)))
            elif check.lapses_on is None or not _was_told(check, profile, ports.messages):
                warned += _warn(check, max(ends, _days_after(today, TOLD_BEFORE)), profile, ports, now)
            elif check.lapses_on <= today:
                ended += _end(check, ports)
        except UNREADABLE as error:
            unreadable.append(error)
    ports.lapses.look_again(again)
    return warned, ended


def _was_told(check: Check, profile: Profile | None, messages: Messages) -> bool:
    """Whether the citizen was told of the day: by SMS, or by the portal alone where they want or get none."""
    if profile is None or not profile.sms or profile.phone is None or check.warned >= MAX_WARNINGS:
        return True
    said = messages.get(_message_id(check.sub, check.vehicle_id, check.lapses_on or ""))
    return said is not None and said.status in OUT


def _warn(check: Check, day: str, profile: Profile | None, ports: Ports, now: datetime) -> bool:
    """Tell a citizen on which day a link ends; in one transaction with the day. False where the link has changed."""
    actions = [ports.lapses.change_action(check, {"lapses_on": day, "check_on": day, "warned": check.warned + 1})]
    if profile and profile.sms and profile.phone:
        plate = Plate.from_key(check.plate_key)
        said = Message(
            message_id=_message_id(check.sub, check.vehicle_id, day),
            sub=check.sub,
            kind=MessageKind.LINK_LAPSES,
            created_at=to_text(now),
            phone=profile.phone,
            language=profile.language,
            text=message.link_lapses(profile.language, plate, day, to_text(now)),
            plate_key=check.plate_key,
        )
        actions.append(ports.messages.put_action(said, now))
    return ports.lapses.make(actions)


def _end(check: Check, ports: Ports) -> bool:
    """End a link, with a proof that waits. False where it was renewed, proved or ended meanwhile."""
    waits = ports.registry.forget_actions(check.plate_key, check.sub)
    return ports.citizens.unlink(
        check.sub, check.vehicle_id, check.plate_key, proven=False, others=waits, lapsed_on=check.lapses_on
    )


def _message_id(sub: str, vehicle_id: str, day: str) -> str:
    return digest(MessageKind.LINK_LAPSES, sub, vehicle_id, day)


def _days_after(day: str, days: timedelta) -> str:
    return (date.fromisoformat(day) + days).isoformat()
