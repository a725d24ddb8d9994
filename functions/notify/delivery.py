"""Sending one message: claim it, check that it is still true, send it once, say how it ended."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from notify.providers import PermanentError, Provider, TemporaryError, UnknownOutcomeError
from shared.aws_json import AwsError
from shared.domain import message as texts
from shared.domain.message import CANCELLED, DROPPED, FAILED, NEW_VIOLATION, SENT, UNKNOWN
from shared.domain.plate import Plate
from shared.domain.time import to_text
from shared.domain.violation import CANCELLED as CANCELLED_STATE
from shared.domain.violation import UNPAID
from shared.stores.citizens import Citizens
from shared.stores.messages import Message, Messages
from shared.stores.profiles import Profile
from shared.stores.violations import Violations

MOST_ATTEMPTS: Final = 10
LONGEST_DELAY: Final = timedelta(hours=1)


class Stores(NamedTuple):
    """What the sender reads and writes."""

    messages: Messages
    citizens: Citizens
    violations: Violations


class NotTrueError(Exception):
    """The message should not be sent any more. The text is a code for why."""


def deliver(message_id: str, claim_id: str, stores: Stores, provider: Provider, now: datetime) -> str | None:
    """Send a message that is due. Returns its status after that; None where it was not to be had.

    Repeats are harmless: only one claim is given. A claim that was never ended becomes ``unknown`` when it comes by
    again, and is not sent again. Raises AwsError where the tables cannot be reached; before sending, it is due again.
    """
    message = stores.messages.claim(message_id, claim_id, now)
    if message is None:
        return UNKNOWN if stores.messages.abandon(message_id, now) else None
    try:
        phone, text = compose(message, stores, now)
    except NotTrueError as reason:
        stores.messages.end(message_id, DROPPED, now, reason=str(reason))
        return DROPPED
    except AwsError:
        stores.messages.retry_later(message_id, now)  # nothing has been sent: its end is no unknown one
        raise
    try:
        provider_id = provider.send(phone, text)
    except TemporaryError as error:
        if message.attempts >= MOST_ATTEMPTS:
            stores.messages.end(message_id, FAILED, now, reason=str(error))
            return FAILED
        delay = min(timedelta(minutes=2 ** (message.attempts - 1)), LONGEST_DELAY)
        stores.messages.retry_later(message_id, now + delay)
        return message.status
    except PermanentError as error:
        stores.messages.end(message_id, FAILED, now, reason=str(error))
        return FAILED
    except UnknownOutcomeError as error:
        stores.messages.end(message_id, UNKNOWN, now, reason=str(error))
        return UNKNOWN
    stores.messages.end(message_id, SENT, now, provider_id=provider_id)
    return SENT


def compose(message: Message, stores: Stores, now: datetime) -> tuple[str, str]:
    """The phone and the text of a message as things stand now. Raises NotTrueError where it should not be sent."""
    profile = stores.citizens.profile(message.sub)
    if profile is None or not profile.sms:
        raise NotTrueError("sms_off")
    if profile.phone is None:
        raise NotTrueError("no_phone")
    if message.text is not None:
        if message.phone != profile.phone:
            raise NotTrueError("phone_changed")
        return profile.phone, message.text
    return profile.phone, _news(message, profile, stores, now)


def _news(message: Message, profile: Profile, stores: Stores, now: datetime) -> str:
    """The text of a message about violations, of those that it still holds for."""
    if message.plate_key is None:
        raise NotTrueError("no_plate")
    follower = stores.citizens.follower(message.plate_key, message.sub)
    if follower is None or not follower.notify:
        raise NotTrueError("not_followed")
    plate = Plate.from_key(message.plate_key)
    found = stores.violations.get(message.violations)
    violations = [found[violation_no] for violation_no in message.violations if violation_no in found]
    if message.kind == NEW_VIOLATION:
        current = [v for v in violations if v.plate_key == message.plate_key and v.state == UNPAID]
        if current:
            return texts.new_violations(profile.language, plate, current, to_text(now))
    elif message.kind == CANCELLED:
        gone = [v for v in violations if v.plate_key != message.plate_key or v.state == CANCELLED_STATE]
        if gone:
            return texts.cancelled(profile.language, plate, gone)
    raise NotTrueError("no_longer_true")
