"""What a message says as things stand now, or why it should not be sent any more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from shared.domain import message as texts
from shared.domain.citizen import Profile
from shared.domain.message import Message, MessageKind
from shared.domain.phone import to_e164
from shared.domain.plate import Plate
from shared.domain.time import from_text, to_text
from shared.domain.violation import CANCELLED, Violation
from shared.stores.citizens import Citizens
from shared.stores.messaging.messages import Messages
from shared.stores.violations import Violations

ANSWER_GOOD_FOR: Final = timedelta(hours=1)
"""The citizen read the answer on the portal; an SMS of it that comes later may name an amount that is paid."""


class Stores(NamedTuple):
    """What the sender reads and writes."""

    messages: Messages
    citizens: Citizens
    violations: Violations


class NotTrueError(Exception):
    """The message should not be sent any more. The text is a code for why."""


class UnreadableError(Exception):
    """The message cannot be sent by this version, or at all. The text is a code for why."""


class Wording(NamedTuple):
    """A message as it goes out. violations: the numbers of those that the text is about."""

    phone: str
    text: str
    violations: tuple[str, ...] = ()


def compose(message: Message, stores: Stores, now: datetime) -> Wording:
    """Write what a message says now, to which phone. Raises NotTrueError or UnreadableError."""
    profile = stores.citizens.profile(message.sub)
    if profile is None or not profile.sms:
        raise NotTrueError("sms_off")
    if profile.phone is None:
        raise NotTrueError("no_phone")
    if to_e164(profile.phone) != profile.phone:
        raise UnreadableError("invalid_phone")
    if message.text is not None:
        if message.phone != profile.phone:
            raise NotTrueError("phone_changed")
        if message.kind == MessageKind.QUERY_RESULT and from_text(message.created_at) < now - ANSWER_GOOD_FOR:
            raise NotTrueError("too_old")
        return Wording(profile.phone, message.text)
    text, violations = _news(message, profile, stores, now)
    return Wording(profile.phone, text, tuple(violation.violation_no for violation in violations))


def _news(message: Message, profile: Profile, stores: Stores, now: datetime) -> tuple[str, Sequence[Violation]]:
    """The text of a message about violations, and those that it still holds for."""
    if message.kind not in (MessageKind.NEW_VIOLATION, MessageKind.DOUBLING_SOON, MessageKind.CANCELLED):
        raise UnreadableError("unknown_kind")
    if message.plate_key is None:
        raise UnreadableError("no_plate")
    follower = stores.citizens.follower(message.plate_key, message.sub)
    if follower is None or not follower.notify:
        raise NotTrueError("not_followed")
    try:
        plate = Plate.from_key(message.plate_key)
    except (KeyError, ValueError):
        raise UnreadableError("no_plate") from None
    found = stores.violations.get(message.violations)
    violations = [found[violation_no] for violation_no in message.violations if violation_no in found]
    here = [violation for violation in violations if violation.plate_key == message.plate_key]
    language = profile.language
    if message.kind == MessageKind.CANCELLED:
        gone = [each for each in violations if each not in here or each.state == CANCELLED]
        if gone := _announced(gone, message.sub, stores.messages):
            return texts.cancelled(language, plate, gone), gone
    elif message.kind == MessageKind.NEW_VIOLATION:
        if current := [violation for violation in here if violation.owed]:
            return texts.new_violations(language, plate, current, to_text(now)), current
    elif rising := [violation for violation in here if violation.owed and violation.due(to_text(now)).changes_at]:
        return texts.doubling_soon(language, plate, rising, to_text(now)), rising
    raise NotTrueError("no_longer_true")


def _announced(violations: Sequence[Violation], sub: str, messages: Messages) -> list[Violation]:
    """Keep those whose announcement went out: nobody hears that something is cancelled that they never heard of."""
    numbers = [violation.violation_no for violation in violations]
    announced = messages.sent_about(sub, MessageKind.NEW_VIOLATION, numbers)
    return [violation for violation in violations if violation.violation_no in announced]
