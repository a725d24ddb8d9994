"""Sending one message: check that it may go and is still true, claim it, send it once, say how it ended."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from notify.providers import PermanentError, Provider, TemporaryError, UnknownOutcomeError
from notify.quiet import QuietHours
from notify.wording import NotTrueError, Stores, UnreadableError, compose
from shared.domain import message as texts
from shared.domain.message import Message, MessageKind, MessageStatus
from shared.domain.time import BAGHDAD, to_text
from shared.stores.messaging.caps import CITIZEN_CAP, SAME_TEXT, SAME_TEXT_FOR, Caps, Reservation
from shared.stores.messaging.messages import TAKEN

MAX_ATTEMPTS: Final = 10
MAX_DELAY: Final = timedelta(hours=1)
"""With ten attempts, each delay twice the one before, a message is tried for some four hours."""
SPEND_CAP_RECHECK: Final = timedelta(hours=1)

HELD: Final = "held"
RETRYING: Final = "retrying"
GIVEN_UP: Final = "given_up"
QUIET: Final = "quiet_hours"
TOO_LONG: Final = "too_long"
UNREADABLE: Final = "unreadable"

_AT_ANY_HOUR: Final = frozenset({MessageKind.QUERY_RESULT, MessageKind.RECEIPT})


class Rules(NamedTuple):
    """What may go out when. part_price: millionths of a dollar. max_parts: of one message."""

    quiet: QuietHours | None
    caps: Caps
    part_price: int
    max_parts: int


class Outcome(NamedTuple):
    """How sending went. reason: a code. parts: what went out.

    status: one of a message's final ones; held; retrying; or given_up, which is failed after hours of trying.
    """

    status: str
    reason: str | None = None
    parts: int = 0


def deliver(message_id: str, stores: Stores, provider: Provider, rules: Rules, now: datetime) -> Outcome | None:
    """Send a message that is due. None where it was not to be had.

    Repeats are harmless: nothing is written before the claim, and only one claim is given. A claim that was never ended
    becomes ``unknown`` when it comes by again, and is not sent again. Table calls of a message that is sent: two or
    three GetItem, up to three BatchGetItem, one TransactWriteItems, one UpdateItem.
    """
    messages = stores.messages
    try:
        message = messages.get(message_id)
        if message is None:
            return None
        if message.status == MessageStatus.SENDING:
            return Outcome(MessageStatus.UNKNOWN, "claim_not_ended") if messages.abandon(message_id, now) else None
        if message.status != MessageStatus.WAITING or message.not_before > to_text(now):
            return None
        quiet_until = rules.quiet.until(now) if rules.quiet and message.kind not in _AT_ANY_HOUR else None
        if quiet_until:
            messages.hold(message_id, quiet_until)
            return Outcome(HELD, QUIET)
        wording = compose(message, stores, now)
    except NotTrueError as error:
        messages.give_up(message_id, MessageStatus.DROPPED, str(error), now)
        return Outcome(MessageStatus.DROPPED, str(error))
    except (UnreadableError, LookupError, TypeError, ValueError) as error:
        # An item of a later version, say. Left waiting, it would come by every minute and never go out.
        reason = str(error) if isinstance(error, UnreadableError) else UNREADABLE
        messages.give_up(message_id, MessageStatus.FAILED, reason, now)
        return Outcome(MessageStatus.FAILED, reason)
    parts = texts.parts(wording.text)
    if parts > rules.max_parts:
        messages.give_up(message_id, MessageStatus.FAILED, TOO_LONG, now)
        return Outcome(MessageStatus.FAILED, TOO_LONG)
    cost = parts * rules.part_price
    reservation = Reservation(
        message.sub, wording.phone, wording.text, cost, now, enforced=message.kind != MessageKind.RECEIPT
    )
    refusal = messages.claim(message_id, reservation, rules.caps, wording.violations)
    if refusal == TAKEN:
        return None
    if refusal:
        messages.hold(message_id, _after(refusal, rules.quiet, now))
        return Outcome(HELD, refusal)
    return _send(message, reservation, parts, stores, provider, now)


def _send(
    message: Message, reservation: Reservation, parts: int, stores: Stores, provider: Provider, now: datetime
) -> Outcome:
    """Send a claimed message and write how it went."""
    messages, message_id = stores.messages, message.message_id
    try:
        accepted = provider.send(reservation.phone, reservation.text)
    except TemporaryError as error:
        if message.attempts + 1 < MAX_ATTEMPTS:
            delay = min(timedelta(minutes=2**message.attempts), MAX_DELAY)
            messages.retry_later(message_id, now + delay, unused=reservation)
            return Outcome(RETRYING, str(error))
        messages.end(message_id, MessageStatus.FAILED, str(error), now, unused=reservation)
        return Outcome(GIVEN_UP, str(error))
    except PermanentError as error:
        messages.end(message_id, MessageStatus.FAILED, str(error), now, unused=reservation)
        return Outcome(MessageStatus.FAILED, str(error))
    except UnknownOutcomeError as error:
        messages.end(message_id, MessageStatus.UNKNOWN, str(error), now)
        return Outcome(MessageStatus.UNKNOWN, str(error), parts)
    messages.sent(message_id, accepted.provider, accepted.reference, now)
    return Outcome(MessageStatus.SENT, parts=parts)


def _after(cap: str, quiet: QuietHours | None, now: datetime) -> datetime:
    """Until when a message waits that a cap refused. What it held back is not worth waking anybody for."""
    tomorrow = datetime.combine(now.astimezone(BAGHDAD).date() + timedelta(days=1), datetime.min.time(), BAGHDAD)
    if cap == SAME_TEXT:
        later = now + SAME_TEXT_FOR
    elif cap == CITIZEN_CAP:
        later = tomorrow
    else:
        later = min(now + SPEND_CAP_RECHECK, tomorrow)  # the operator may raise it any time
    return (quiet.until(later) if quiet else None) or later
