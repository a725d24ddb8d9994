"""Who is shown what of a violation: each answer, SMS and receipt varies with the fields alone that are for its reader.

A field that an answer should show and does not, or shows and should not, is named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, Final

import pytest

from pay import counter
from pay.payments import start
from query.views import Teller
from shared.domain import message
from shared.domain.plate import Plate
from shared.domain.violation import ALL, FIELDS, PROVEN, Violation
from shared.identity import Citizen
from shared.policies import RULES
from shared.stores.people.who_looked import WhoLooked
from shared.stores.violations import Violations
from tests.support.build import NOON, OTHER_PLATE, PAID_AT, violation

AT: Final = "2026-11-21T12:00:00+03:00"
SAID: Final = violation(
    "V1",
    title="تجاوز الإشارة الضوئية",
    category="private",
    legal_ref="25/3/هـ",
    sector_name="قاطع الكرخ",
    sector_governorate="11",
    place="ساحة النسور",
)
FILLED: Final = SAID._replace(
    **{
        name: name
        for name, field in FIELDS.items()
        if getattr(SAID, name) is None and not field.instant and name not in {"amount_due", "held_by", "paid_by"}
    }
)
SAMPLES: Final = (
    FILLED,
    FILLED._replace(amount_due=75_000, doubled_at="2026-12-24T08:00:00+03:00", notified_at="2026-11-19T12:00:00+03:00"),
    FILLED._replace(held_by="p1"),
    FILLED._replace(status="paid", counter_paid_at=PAID_AT, receipt_no=None),
    FILLED._replace(paid_by="p1", paid_amount=50_000, paid_at=PAID_AT),
    FILLED._replace(
        occurred_at="2026-10-20T08:00:00+03:00",
        recorded_at="2026-10-20T08:00:00+03:00",
        held_price_until="2026-11-22T08:00:00+03:00",
    ),
)
"""One in each state, in which every field is filled somewhere."""

OTHER: Final = {
    "plate_key": OTHER_PLATE.key,
    "version": "2026-11-19T10:30:00+03:00#2026-11-19T11:00:00+03:00#000000007",
    "status": "cancelled",
    "category": "cargo",
    "legal_ref": "25/1",
    "sector_governorate": "12",
}
"""Another value for each field that not any word will do for."""

EVERYBODY: Final = {name for name, field in FIELDS.items() if field.audience == ALL}
OWNERS: Final = {name for name, field in FIELDS.items() if field.audience in (ALL, PROVEN)}


def varied(subject: Violation) -> Iterator[tuple[str, Violation]]:
    """Give each filled field of a violation another value, one at a time, and name it."""
    for name, value in subject._asdict().items():
        if value is None:
            continue
        other = OTHER.get(name, value + 1 if isinstance(value, int) else f"{value}-x")
        yield name, subject._replace(**{name: f"2026-11-15{value[10:]}" if FIELDS[name].instant else other})


def shown(show: Callable[[Violation], Any]) -> set[str]:
    """Find the fields that what is shown varies with."""
    return {name for subject in SAMPLES for name, other in varied(subject) if show(other) != show(subject)}


def answer(*, proven: bool) -> Callable[[Violation], Any]:
    return lambda subject: Teller(Plate.from_key(subject.plate_key), AT, "en", is_whole=lambda _: proven).tell(subject)


class Holding(Violations):
    """A table that holds one violation, under whatever number."""

    def __init__(self, subject: Violation) -> None:
        self._subject = subject

    def get(self, numbers: Any, unreadable: list[Exception] | None = None) -> dict[str, Violation]:
        return dict.fromkeys(numbers, self._subject)


class Forgetting(WhoLooked):
    """Keeps of nobody that they looked."""

    def __init__(self) -> None:
        pass

    def entry_action(self, *_: Any) -> Any:
        return {}

    def enter(self, entries: Any) -> None:
        pass


def at_the_counter(subject: Violation) -> Any:
    clerk = Citizen("clerk", None, frozenset())
    return counter.check(clerk, [subject.violation_no], Holding(subject), Forgetting(), timedelta(), NOON)


def sms(kind: Callable[..., str], *, day_of_act: bool = False) -> Callable[[Violation], Any]:
    def text(subject: Violation) -> str | None:
        further = [subject.occurred_at] if day_of_act else []
        try:
            return kind(
                "en",
                Plate.from_key(subject.plate_key),
                message.owed([subject.outlook(AT, RULES)], AT),
                AT,
                *further,
            )
        except ValueError:  # it rises no more
            return None

    return text


SMS: Final = {
    "new": sms(message.new_violations),
    "new to its owner": sms(message.new_violations, day_of_act=True),
    "doubling": sms(message.doubling_soon),
    "disputed": sms(message.disputed),
    "refused": sms(message.dispute_refused),
}


def test_every_field_is_tried() -> None:
    assert {name for subject in SAMPLES for name, _ in varied(subject)} == set(FIELDS)


def test_what_is_shown_is_seen() -> None:
    assert shown(lambda subject: None) == set()
    assert shown(lambda subject: subject.place) == {"place"}
    assert shown(lambda subject: (subject.paid_at, subject.state)) == {"paid_at", "status"}


def test_whoever_asks_sees_what_is_for_all() -> None:
    assert shown(answer(proven=False)) == EVERYBODY


def test_a_proven_owner_sees_what_is_for_owners_too() -> None:
    assert shown(answer(proven=True)) == OWNERS
    assert OWNERS > EVERYBODY


@pytest.mark.parametrize("name", [name for name, field in FIELDS.items() if field.instant])
def test_the_time_of_day_is_for_proven_owners(name: str) -> None:
    subject = next(each for each in SAMPLES if getattr(each, name))
    other = subject._replace(**{name: f"{getattr(subject, name)[:10]}T11:11:11+03:00"})
    assert answer(proven=False)(other) == answer(proven=False)(subject)
    assert answer(proven=True)(other) != answer(proven=True)(subject)
    assert [kind for kind, text in SMS.items() if text(other) != text(subject)] == []


@pytest.mark.parametrize("kind", SMS)
def test_an_sms_shows_only_what_is_for_all(kind: str) -> None:
    assert "occurred_at" in shown(SMS["new to its owner"])
    assert shown(SMS[kind]) <= EVERYBODY


def test_a_payment_and_its_receipt_show_only_what_is_for_all() -> None:
    assert {"sector_code", "amount"} <= shown(lambda subject: start._line(subject, AT)) <= EVERYBODY


def test_the_directorates_counter_is_shown_also_what_was_paid_here() -> None:
    assert {"status", "receipt_no"} <= shown(at_the_counter) <= EVERYBODY | {"paid_amount"}
