"""What a message says as things stand now, or why it should not be sent any more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from shared.access.accesses import Accesses
from shared.access.grant import Access, Grant
from shared.access.proofs import Proofs
from shared.domain import fine
from shared.domain import message as texts
from shared.domain.citizen import Profile
from shared.domain.message import Message, MessageKind
from shared.domain.phone import to_e164
from shared.domain.plate import Plate
from shared.domain.time import from_text, to_text
from shared.domain.violation import CANCELLED, Violation
from shared.policies import RULES
from shared.stores.messaging.messages import Messages
from shared.stores.messaging.news import DISPUTE_KINDS, dispute_markers, told_marker
from shared.stores.violations import Violations

ANSWER_GOOD_FOR: Final = timedelta(hours=1)
"""The citizen read the answer on the portal; an SMS of it that comes later may name an amount that is paid."""

_OF_A_LINK: Final = (MessageKind.LINK_LAPSES,)
"""Written beforehand, and true as long as the link is there without proof."""
_WRITTEN_WHEN_SENT: Final = (
    *(MessageKind.NEW_VIOLATION, MessageKind.DOUBLING_SOON, MessageKind.CANCELLED),
    *DISPUTE_KINDS,
)


class Stores(NamedTuple):
    """What the sender reads and writes."""

    messages: Messages
    violations: Violations
    accesses: Accesses
    proofs: Proofs


class NotTrueError(Exception):
    """The message should not be sent any more. The text is a code for why."""


class UnreadableError(Exception):
    """The message cannot be sent by this version, or at all. The text is a code for why."""


class Wording(NamedTuple):
    """A message as it goes out. violations: the numbers of those that the text is about.

    who: under which name it counts for the citizen's day.
    """

    phone: str
    text: str
    who: str
    violations: tuple[str, ...] = ()


def compose(message: Message, stores: Stores, now: datetime) -> Wording:
    """Write what a message says now, to which phone. Raises NotTrueError or UnreadableError."""
    if message.kind == MessageKind.ERASED:
        return _farewell(message)
    about = message.plate_key if message.kind in (*_WRITTEN_WHEN_SENT, *_OF_A_LINK) else None
    profile, grant = stores.accesses.addressee(message.sub, about, now)
    if profile and grant.turn and message.plate_key:
        grant = stores.proofs.settle(message.sub, message.plate_key, grant, now)
    if profile is None or not profile.sms:
        raise NotTrueError("sms_off")
    if profile.phone is None:
        raise NotTrueError("no_phone")
    if to_e164(profile.phone) != profile.phone:
        raise UnreadableError("invalid_phone")
    who = profile.who or message.sub
    if message.text is not None:
        if message.phone != profile.phone:
            raise NotTrueError("phone_changed")
        if message.kind == MessageKind.QUERY_RESULT and from_text(message.created_at) < now - ANSWER_GOOD_FOR:
            raise NotTrueError("too_old")
        if message.kind in _OF_A_LINK and (grant.link is None or grant.is_proven):
            raise NotTrueError("no_longer_true")
        return Wording(profile.phone, message.text, who)
    if message.kind == MessageKind.FOLLOWERS_ADDED:
        return Wording(profile.phone, texts.followers_added(profile.language, _plate(message)), who)
    text, violations = _news(message, profile, grant, stores, now)
    return Wording(profile.phone, text, who, tuple(violation.violation_no for violation in violations))


def _farewell(message: Message) -> Wording:
    """The message after an erasure: there is no profile to ask, and its item names nobody but by phone."""
    if message.text is None or message.phone is None or to_e164(message.phone) != message.phone:
        raise UnreadableError("invalid_phone")
    return Wording(message.phone, message.text, message.sub)


def _news(
    message: Message, profile: Profile, grant: Grant, stores: Stores, now: datetime
) -> tuple[str, Sequence[Violation]]:
    """The text of a message about violations, and those that it still holds for."""
    if message.kind not in _WRITTEN_WHEN_SENT:
        raise UnreadableError("unknown_kind")
    if message.plate_key is None:
        raise UnreadableError("no_plate")
    if grant.link is None or not grant.link.notify:
        raise NotTrueError("not_followed")
    if grant.access not in (Access.PROVEN, Access.LINKED):
        raise NotTrueError("not_proven")
    plate = _plate(message)
    found = stores.violations.get(message.violations)
    violations = [found[violation_no] for violation_no in message.violations if violation_no in found]
    here = [violation for violation in violations if violation.plate_key == message.plate_key]
    language, at = profile.language, to_text(now)
    if message.kind == MessageKind.CANCELLED:
        gone = [each for each in violations if each not in here or each.state == CANCELLED]
        if gone := _announced(gone, message, grant.link.told_as, stores):
            return texts.cancelled(language, plate, len(gone)), gone
    elif message.kind == MessageKind.NEW_VIOLATION:
        if current := [violation for violation in here if violation.owed]:
            is_whole = grant.sees_whole(current)(current[0])
            occurred_at = current[0].occurred_at if is_whole else None
            is_silent = _is_silent(current, grant)
            text = texts.new_violations(language, plate, _owed(current, at), at, occurred_at, is_silent=is_silent)
            return text, current
    elif message.kind == MessageKind.DOUBLING_SOON:
        if rising := [violation for violation in here if _still_rises(violation, at)]:
            disputed = any(violation.is_disputed for violation in rising)
            return texts.doubling_soon(language, plate, _owed(rising, at), at, disputed=disputed), rising
    elif message.kind == MessageKind.DISPUTE_ACCEPTED:
        gone = [violation for violation in violations if violation.status == CANCELLED]
        if gone := _of_their_last_dispute(gone, message, grant.link.told_as, stores):
            return texts.dispute_accepted(language, plate, len(gone)), gone
    else:
        refused = message.kind == MessageKind.DISPUTE_REFUSED
        current = [violation for violation in here if (violation.owed if refused else violation.is_disputed)]
        if current := _of_their_last_dispute(current, message, grant.link.told_as, stores):
            write = texts.dispute_refused if refused else texts.disputed
            is_silent = _is_silent(current, grant)
            return write(language, plate, _owed(current, at), at, is_silent=is_silent), current
    raise NotTrueError("no_longer_true")


def _owed(violations: Sequence[Violation], at: str) -> texts.Owed:
    return texts.owed([violation.outlook(at, RULES) for violation in violations], at)


def _is_silent(violations: Sequence[Violation], grant: Grant) -> bool:
    """Whether the day of a rise may tell that of an act to whom not every one of them is shown whole."""
    is_whole = grant.sees_whole(violations)
    return any(not is_whole(each) and fine.tells_the_act(each.facts, RULES) for each in violations)


def _still_rises(violation: Violation, at: str) -> bool:
    """Whether it rises by the rules, and has not doubled yet by any plausible reading of them."""
    if not (violation.owed or violation.is_disputed) or violation.due(at, RULES).changes_at is None:
        return False
    doubles_at = fine.earliest(violation.facts, RULES, violation.held_price_until)
    return doubles_at is not None and at < doubles_at


def _of_their_last_dispute(
    violations: Sequence[Violation], message: Message, who: str, stores: Stores
) -> list[Violation]:
    """Keep those of whose last dispute the message tells: of a later one another message does."""
    plate_key = message.plate_key or ""
    episodes = stores.violations.episodes(violation.violation_no for violation in violations)
    markers = [told_marker(each, who, message.kind, plate_key, episode) for each, episode in episodes.items()]
    told = stores.messages.marked(markers)
    current = {each for each, pk in zip(episodes, markers, strict=True) if told.get(pk) == message.message_id}
    return [violation for violation in violations if violation.violation_no in current]


def _announced(violations: Sequence[Violation], message: Message, who: str, stores: Stores) -> list[Violation]:
    """Keep those of which something went out: nobody hears that something is cancelled that they never heard of."""
    numbers = [violation.violation_no for violation in violations]
    plate_key = message.plate_key or ""
    announced = stores.messages.sent_about(who, MessageKind.NEW_VIOLATION, numbers)
    episodes = stores.violations.episodes(number for number in numbers if number not in announced)
    announced |= stores.messages.sent_under(
        {pk: number for number, episode in episodes.items() for pk in dispute_markers(number, who, plate_key, episode)}
    )
    return [violation for violation in violations if violation.violation_no in announced]


def _plate(message: Message) -> Plate:
    """The plate that a message is about. Raises UnreadableError."""
    try:
        return Plate.from_key(message.plate_key or "")
    except (KeyError, ValueError):
        raise UnreadableError("no_plate") from None
