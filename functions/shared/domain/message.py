"""A message to a citizen by SMS: its kind and states; which text it bears, with which values, in how many parts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from shared.domain.fine import Outlook
from shared.domain.money import grouped
from shared.domain.plate import Plate
from shared.domain.sms_texts import TEXTS


class MessageKind(StrEnum):
    """What a message is about."""

    REFUND = "refund"
    QUERY_RESULT = "query_result"
    NEW_VIOLATION = "new_violation"
    DOUBLING_SOON = "doubling_soon"
    CANCELLED = "cancelled"
    RECEIPT = "receipt"
    FOLLOWER_ADDED = "follower_added"
    FOLLOWERS_ADDED = "followers_added"
    DISPUTED = "disputed"
    DISPUTE_REFUSED = "dispute_refused"
    DISPUTE_ACCEPTED = "dispute_accepted"
    ERASED = "erased"
    PROOF_RIGHT = "proof_right"
    PROOF_WRONG = "proof_wrong"
    PROOF_ENDED = "proof_ended"
    LINK_LAPSES = "link_lapses"


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

MAX_PARTS: Final = 1
"""Of one message: a longer text is not sent."""

_GSM: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_TWICE: Final = frozenset("^{}\\[~]|€\f")


SHORTER: Final = {
    "query_result": "query_result_large",
    "query_result_earliest": "query_result_large",
    "query_result_soon": "query_result_large",
    "query_result_no_increase": "query_result_large",
    "query_result_large": "query_result_brief",
    "new_violation": "new_violation_large",
    "new_violation_earliest": "new_violation_may_rise",
    "new_violation_soon": "new_violation_no_increase",
    "new_violation_no_increase": "new_violation_brief",
    "new_violation_of_day": "new_violation_large",
    "new_violation_of_day_earliest": "new_violation_may_rise",
    "new_violation_of_day_soon": "new_violation_soon",
    "new_violation_of_day_no_increase": "new_violation_no_increase",
    "new_violation_large": "new_violation_rises",
    "new_violation_rises": "new_violation_no_increase",
    "new_violation_may_rise": "new_violation_no_increase",
    "new_violations": "new_violations_large",
    "new_violations_large": "new_violations_no_increase",
    "new_violations_may_rise": "new_violations_brief",
    "new_violations_earliest": "new_violations_may_rise",
    "new_violations_soon": "new_violations_no_increase",
    "new_violations_no_increase": "new_violations_brief",
    "doubling_soon": "doubling_soon_large",
    "doubling_soon_earliest": "doubling_soon_large",
    "doubling_soon_large": "doubling_soon_brief",
    "doubling_soon_soon": "doubling_soon_soon_large",
    "doubling_soon_soon_large": "doubling_soon_soon_brief",
    "doubling_soon_disputed": "doubling_soon_disputed_brief",
    "doubling_soon_disputed_soon": "doubling_soon_disputed_soon_brief",
    "cancelled": "cancelled_brief",
    "disputed": "disputed_brief",
    "disputed_soon": "disputed_brief",
    "disputed_no_increase": "disputed_brief",
    "dispute_refused": "dispute_refused_no_increase",
    "dispute_refused_earliest": "dispute_refused_no_increase",
    "dispute_refused_soon": "dispute_refused_no_increase",
    "dispute_refused_no_increase": "dispute_refused_brief",
    "disputes_refused": "disputes_refused_no_increase",
    "disputes_refused_earliest": "disputes_refused_no_increase",
    "disputes_refused_soon": "disputes_refused_no_increase",
    "disputes_refused_no_increase": "dispute_refused_brief",
    "dispute_accepted": "dispute_accepted_brief",
    "receipt": "receipt_large",
    "receipt_of_several": "receipt_large",
    "receipt_large": "receipt_brief",
    "receipt_of_part": "receipt_of_part_brief",
    "refund": "refund_brief",
}
"""By the name of a text: the one that says less, where figures make it longer than a part. The last holds no sum."""

_SILENT: Final = {"disputed": "disputed_brief"}
"""The forms that say nothing of an increase, where the form of no increase says that there is none."""


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


class Increase(NamedTuple):
    """The next increase of an amount, as far as a text may tell it.

    rises_on: its day in Baghdad; None where that is not to be told. certain: False where the day is the earliest of
    several that are plausible, or is not told.
    """

    rises_on: date | None
    certain: bool


class Owed(NamedTuple):
    """What is owed for violations of one plate at an instant. number: how many they are.

    increase: None where none rises any more. next_amount: what it comes to from the next increase on; None where no
    text of it says so.
    """

    number: int
    amount: int
    increase: Increase | None
    next_amount: int | None = None


def owed(outlooks: Sequence[Outlook], at: str) -> Owed:
    """Work out what violations come to at an instant (a stored text), and on the day of the first increase among them.

    outlooks: theirs of that instant. Where readings of the rules differ on that day, or one of them has it behind us,
    it is not certain.
    """
    amount = sum(outlook.due.amount for outlook in outlooks)
    notices = [outlook.notice() for outlook in outlooks]
    rising = [notice for notice in notices if notice]
    if not rising:
        return Owed(len(outlooks), amount, None)
    day = min((notice.day for notice in rising), key=lambda day: day or "")
    certain = all(notice.is_certain for notice in rising if notice.day == day)
    next_amount = sum(
        notice.amount if notice and notice.day == day else outlook.amount_on(day) if day else outlook.due.amount
        for outlook, notice in zip(outlooks, notices, strict=True)
    )
    return Owed(len(outlooks), amount, Increase(date.fromisoformat(day) if day else None, certain), next_amount)


def day(instant: str) -> str:
    """Write a stored instant's day as people do: ``28/12/2026``."""
    return f"{instant[8:10]}/{instant[5:7]}/{instant[:4]}"


def short_day(instant: str, language: str, at: str) -> str:
    """Write a stored instant's day: ``28/12`` within a year of another instant's, else with its year; so in English."""
    year = timedelta(days=365)
    is_near = abs(date.fromisoformat(instant[:10]) - date.fromisoformat(at[:10])) < year
    return day(instant)[:5] if is_near and language != "en" else day(instant)


def query_result(language: str, plate: Plate, owed: Owed, as_of: str | None, at: str) -> str:
    """Write the answer to a look-up. as_of: up to when the data goes; None where that is not known."""
    if owed.number:
        return _rising("query_result", language, plate, owed, at)
    if as_of is None:
        return _render("query_result_none_undated", language, {"plate_tail": plate.tail})
    values = {"plate_tail": plate.tail, "as_of": f"{day(as_of)} {as_of[11:16]}"}
    return _render("query_result_none", language, values)


def new_violations(
    language: str, plate: Plate, owed: Owed, at: str, occurred_at: str | None = None, *, is_silent: bool = False
) -> str:
    """Tell the news of one or several violations on a plate.

    occurred_at: when one was committed, for whom the vehicle is proved to be theirs; of several it is not told.
    is_silent: nothing is said of an increase, for its day would tell that of an act.
    """
    if owed.number > 1:
        return _rising("new_violations", language, plate, owed, at, is_silent=is_silent)
    if occurred_at is None:
        return _rising("new_violation", language, plate, owed, at, is_silent=is_silent)
    return _rising("new_violation_of_day", language, plate, owed, at, occurred=short_day(occurred_at, language, at))


def doubling_soon(language: str, plate: Plate, owed: Owed, at: str, *, disputed: bool = False) -> str:
    """Say that amounts on a plate rise soon. disputed: whether an objection to any of them is recorded.

    Raises ValueError where none of them rises any more.
    """
    if owed.increase is None:
        raise ValueError("no amount rises any more")
    return _rising("doubling_soon_disputed" if disputed else "doubling_soon", language, plate, owed, at)


def cancelled(language: str, plate: Plate, count: int) -> str:
    """Say of violations once announced that nothing is owed of them any more on this plate."""
    return _render("cancelled", language, {"plate_tail": plate.tail, "count": grouped(count)})


def disputed(language: str, plate: Plate, owed: Owed, at: str, *, is_silent: bool = False) -> str:
    """Say that an objection to violations is recorded, and when their amount may rise all the same."""
    return _rising("disputed", language, plate, owed, at, is_silent=is_silent)


def dispute_refused(language: str, plate: Plate, owed: Owed, at: str, *, is_silent: bool = False) -> str:
    """Say that an objection to violations was refused, and what is owed for them."""
    name = "dispute_refused" if owed.number == 1 else "disputes_refused"
    return _rising(name, language, plate, owed, at, is_silent=is_silent)


def dispute_accepted(language: str, plate: Plate, count: int) -> str:
    """Say that an objection to violations was accepted: they are cancelled, and nothing is owed for them."""
    return _render("dispute_accepted", language, {"plate_tail": plate.tail, "count": grouped(count)})


def receipt(
    language: str, plates: Sequence[Plate], amount: int, paid_at: str, receipt_no: str, goes_back: int = 0
) -> str:
    """Say what was paid, for which plate or else when, and the number that proves it; or what of the money goes back.

    amount, goes_back: dinars.
    """
    values = {"total": grouped(amount), "receipt_no": receipt_no}
    if goes_back:
        return _render("receipt_of_part", language, {**values, "rest": grouped(goes_back)})
    if len(plates) == 1:
        return _render("receipt", language, {**values, "plate_tail": plates[0].tail})
    return _render("receipt_of_several", language, {**values, "date": short_day(paid_at, language, paid_at)})


def refund(language: str, amount: int, payment_no: str) -> str:
    """Say which amount is back with the citizen, and the number of the payment that it comes from."""
    return _render("refund", language, {"total": grouped(amount), "payment_no": payment_no})


def follower_added(language: str, plate: Plate) -> str:
    """Say to who has proved a vehicle theirs that another account follows its plate."""
    return _render("follower_added", language, {"plate_tail": plate.tail})


def followers_added(language: str, plate: Plate) -> str:
    """Say to who has proved a vehicle theirs that it has new followers, one or several."""
    return _render("followers_added", language, {"plate_tail": plate.tail})


def of_proof(kind: MessageKind, language: str, plate: Plate) -> str:
    """Say what became of a proof: it is right, it is wrong, or it has ended."""
    return _render(kind, language, {"plate_tail": plate.tail})


def link_lapses(language: str, plate: Plate, on: str, at: str) -> str:
    """Say on which day (ISO) a link without proof ends unless it is renewed."""
    return _render("link_lapses", language, {"plate_tail": plate.tail, "date": short_day(on, language, at)})


def erased(language: str) -> str:
    """Say that what was kept of a citizen is erased, to the phone that was theirs."""
    return _render("erased", language, {})


def _rising(
    name: str, language: str, plate: Plate, owed: Owed, at: str, *, is_silent: bool = False, **others: str
) -> str:
    """Write the text of an amount that may rise, in the form that fits what is known of its increase."""
    amount, next_amount = grouped(owed.amount), grouped(owed.next_amount or owed.amount)
    values = {"plate_tail": plate.tail, "count": grouped(owed.number), "amount": amount, "total": amount, **others}
    values |= {"next_amount": next_amount, "next_total": next_amount}
    if is_silent:
        return _render(_SILENT.get(name, f"{name}_no_increase"), language, values)
    if owed.increase is None:
        return _render(f"{name}_no_increase", language, values)
    rises_on, certain = owed.increase
    if rises_on is None:
        return _render(f"{name}_soon", language, values)
    values["date"] = short_day(rises_on.isoformat(), language, at)
    earliest = f"{name}_earliest"
    return _render(name if certain or earliest not in TEXTS else earliest, language, values)


def _render(name: str, language: str, values: dict[str, str]) -> str:
    """Write a text in the first of its forms that is within the limit; no figure is ever cut."""
    text = TEXTS[name][language].format_map(values)
    while parts(text) > MAX_PARTS and name in SHORTER:
        name = SHORTER[name]
        text = TEXTS[name][language].format_map(values)
    return text
