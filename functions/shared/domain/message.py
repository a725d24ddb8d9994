"""A message to a citizen by SMS: its kind and states; which text it bears, with which values, in how many parts."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from shared.domain.money import grouped
from shared.domain.plate import Plate
from shared.domain.sms_texts import TEXTS
from shared.domain.violation import Violation


class MessageKind(StrEnum):
    """What a message is about."""

    REFUND = "refund"
    QUERY_RESULT = "query_result"
    NEW_VIOLATION = "new_violation"
    DOUBLING_SOON = "doubling_soon"
    CANCELLED = "cancelled"
    RECEIPT = "receipt"
    FOLLOWER_ADDED = "follower_added"


class MessageStatus(StrEnum):
    """How far a message is. Those from delivered on are final."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    UNKNOWN = "unknown"
    DROPPED = "dropped"
    FAILED = "failed"


OUT: Final = frozenset(
    {
        MessageStatus.SENDING,
        MessageStatus.SENT,
        MessageStatus.DELIVERED,
        MessageStatus.UNDELIVERED,
        MessageStatus.UNKNOWN,
    }
)
"""The states of a message that its citizen has, or may have."""

MAX_PARTS: Final = 2

_GSM: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_TWICE: Final = frozenset("^{}\\[~]|€\f")


class Message(NamedTuple):
    """An SMS. Either its text stands already, or it tells of violations and is written when it is sent."""

    message_id: str
    sub: str
    kind: MessageKind | str
    created_at: str
    phone: str | None = None
    language: str = "ar"
    text: str | None = None
    plate_key: str | None = None
    violations: tuple[str, ...] = ()
    status: MessageStatus | str = MessageStatus.WAITING
    not_before: str = ""
    attempts: int = 0


def parts(text: str) -> int:
    """Count the SMS that carry a text: GSM 03.38 in 160 (153 when split), anything else in 70 (67) UTF-16 units.

    https://docs.aws.amazon.com/sms-voice/latest/userguide/sms-limitations-character.html
    """
    if all(letter in _GSM or letter in _GSM_TWICE for letter in text):
        length, one, split = len(text) + sum(letter in _GSM_TWICE for letter in text), 160, 153
    else:
        length, one, split = len(text.encode("utf-16-le", "surrogatepass")) // 2, 70, 67
    return 1 if length <= one else -(-length // split)


def _render(name: str, language: str, values: dict[str, str]) -> str:
    text = TEXTS[name][language].format_map(values)
    while parts(text) > MAX_PARTS and "\n" in text:
        text = text.rpartition("\n")[0]
    return text


def day(instant: str) -> str:
    """Write a stored instant's day as people do: ``28/12/2026``."""
    return f"{instant[8:10]}/{instant[5:7]}/{instant[:4]}"


def query_result(language: str, plate: Plate, unpaid: int, amount: int, rises: str | None, as_of: str) -> str:
    """Write the answer to a look-up. rises: when the next amount rises; as_of: up to when the data goes."""
    values = {
        "plate_tail": plate.tail,
        "count": grouped(unpaid),
        "total": grouped(amount),
        "date": day(rises) if rises else "",
        "as_of": f"{day(as_of)} {as_of[11:16]}",
    }
    if not unpaid:
        return _render("query_result_none", language, values)
    return _render("query_result" if rises else "query_result_no_increase", language, values)


def new_violations(language: str, plate: Plate, violations: Sequence[Violation], at: str) -> str:
    """Tell the news of one or several violations on a plate, at the amounts owed at an instant."""
    dues = [violation.due(at) for violation in violations]
    rises = [due for due in dues if due.changes_at]
    soonest = min((due.changes_at for due in rises if due.changes_at), default=None)
    values = {
        "plate_tail": plate.tail,
        "count": grouped(len(violations)),
        "total": grouped(sum(due.amount for due in dues)),
        "amount": grouped(dues[0].amount),
        "occurred": day(violations[0].occurred_at),
        "date": day(soonest) if soonest else "",
        "next_amount": grouped(rises[0].next_amount or 0) if rises else "",
    }
    name = "new_violation" if len(violations) == 1 else "new_violations"
    return _render(name if soonest else f"{name}_no_increase", language, values)


def doubling_soon(language: str, plate: Plate, violations: Sequence[Violation], at: str) -> str:
    """Say that amounts on a plate rise soon: what they come to at an instant, and from the first rise on.

    Raises ValueError where none of them rises any more.
    """
    dues = [violation.due(at) for violation in violations]
    soonest = min(due.changes_at for due in dues if due.changes_at)
    values = {
        "plate_tail": plate.tail,
        "count": grouped(len(violations)),
        "total": grouped(sum(due.amount for due in dues)),
        "date": day(soonest),
        "next_total": grouped(sum(violation.due(soonest).amount for violation in violations)),
    }
    return _render("doubling_soon", language, values)


def cancelled(language: str, plate: Plate, violations: Sequence[Violation]) -> str:
    """Say of violations once announced that nothing is owed of them any more on this plate."""
    oldest = min(violation.occurred_at for violation in violations)
    values = {"plate_tail": plate.tail, "count": grouped(len(violations)), "occurred": day(oldest)}
    return _render("cancelled", language, values)


def receipt(language: str, count: int, amount: int, paid_at: str, receipt_no: str) -> str:
    """Say what was paid, when, and the number that proves it."""
    values = {"total": grouped(amount), "date": day(paid_at), "count": grouped(count), "receipt_no": receipt_no}
    return _render("receipt", language, values)


def refund(language: str, amount: int, payment_no: str) -> str:
    """Say which amount goes back to the citizen, and the number of the payment that it comes from."""
    return _render("refund", language, {"total": grouped(amount), "receipt_no": payment_no})


def follower_added(language: str, plate: Plate, at: str) -> str:
    """Say to who has proved a vehicle theirs that another account follows its plate since an instant."""
    return _render("follower_added", language, {"plate_tail": plate.tail, "date": day(at)})
