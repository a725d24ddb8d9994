"""Sending one message: check that it may go and is still true, claim it, send it once, say how it ended."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from notify.providers import PermanentError, Provider, TemporaryError, UnknownOutcomeError
from notify.quiet import QuietHours, is_quiet
from notify.wording import NotTrueError, Stores, UnreadableError, compose
from shared.domain import message as texts
from shared.domain.message import Message, MessageKind, MessageStatus
from shared.domain.text import digest
from shared.domain.time import BAGHDAD, to_text
from shared.stores.kept_lines import CLAIM, keep
from shared.stores.messaging.caps import FOLLOWER_CAP, SAME_TEXT, SAME_TEXT_FOR, SPEND_CAP, Caps, Reservation
from shared.stores.messaging.messages import TAKEN, TOLD_TOGETHER

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
    """What may go out when."""

    quiet: QuietHours | None
    caps: Caps


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
    becomes ``unknown`` when it comes by again, and is not sent again. Table calls of a message that is sent: one
    GetItem, one to six BatchGetItem, one TransactWriteItems (two more at most where shares of the day's dollars are
    spent), one UpdateItem.
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
        if is_quiet(rules.quiet, now) and message.kind not in _AT_ANY_HOUR:
            messages.hold_quiet(message_id)
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
    if parts > texts.MAX_PARTS:
        messages.give_up(message_id, MessageStatus.FAILED, TOO_LONG, now)
        return Outcome(MessageStatus.FAILED, TOO_LONG)
    cost = parts * rules.caps.part_price
    reservation = Reservation(
        wording.who, wording.phone, wording.text, cost, now, message.kind, attempt=message.attempts
    )
    refusal = messages.claim(message_id, reservation, rules.caps, wording.violations)
    if refusal == TAKEN:
        return None
    if refusal == FOLLOWER_CAP and messages.fold(message, _together(message, now), now, _tomorrow(now)):
        return Outcome(MessageStatus.DROPPED, TOLD_TOGETHER)
    if refusal:
        messages.hold(message_id, _after(refusal, now))
        return Outcome(HELD, refusal)
    # A sub may name somebody to whoever knows Ur's; a fingerprint does not.
    who = wording.who if wording.who != message.sub else None
    about = {"message_id": message_id, "kind": message.kind, "attempt": message.attempts + 1, "who": who}
    keep(CLAIM, at=to_text(now), created_at=message.created_at, violations=message.violations, **about)
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


def _after(cap: str, now: datetime) -> datetime:
    """Until when a message waits that a cap refused."""
    if cap == SAME_TEXT:
        return now + SAME_TEXT_FOR
    if cap == SPEND_CAP:
        return min(now + SPEND_CAP_RECHECK, _tomorrow(now))  # the operator may raise it any time
    return _tomorrow(now)


def _together(message: Message, now: datetime) -> Message:
    """The message of the next day that tells of all new followers of a plate whom no message of today told of."""
    kind, tomorrow = MessageKind.FOLLOWERS_ADDED, to_text(_tomorrow(now))[:10]
    message_id = digest(kind, message.sub, message.plate_key or "", tomorrow)
    return Message(message_id, message.sub, kind, to_text(now), plate_key=message.plate_key)


def _tomorrow(now: datetime) -> datetime:
    """When the next day begins in Baghdad."""
    return datetime.combine(now.astimezone(BAGHDAD).date() + timedelta(days=1), datetime.min.time(), BAGHDAD)
