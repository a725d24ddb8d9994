"""What tests are about: a citizen, a plate, violations and rows, each with the values that a test does not care for."""

from __future__ import annotations

import itertools
from datetime import datetime
from typing import Any

from shared.aws_json import Call
from shared.domain.citizen import Follower, Vehicle
from shared.domain.plate import GERMAN, Plate
from shared.domain.registration import Registration
from shared.domain.time import BAGHDAD
from shared.domain.violation import Violation, make_version
from shared.stores.items import transact
from shared.stores.messaging.caps import Caps, Reservation
from shared.stores.people.citizens import Citizens
from shared.stores.violation_rows import Row
from shared.stores.violations import Violations

PLATE = Plate(GERMAN, "11", "ز", "739418")
OTHER_PLATE = Plate(GERMAN, "12", "ز", "846295")
PHONE = "+9647719283746"
OTHER_PHONE = "+9647809182736"
SUB = "ur-5f0c2e"
NOON = datetime(2026, 11, 20, 12, tzinfo=BAGHDAD)
PAID_AT = "2026-11-20T12:00:00+03:00"
CAPS = Caps(citizen_day=10, spend_day=500_000_000, other_share=40, part_price=50_000)

_NUMBERS = itertools.count(1)


def violation(violation_no: str = "", **fields: Any) -> Violation:
    """An open violation of yesterday's over 50,000 dinars; its number is new unless given."""
    values = {
        "violation_no": violation_no or f"V{next(_NUMBERS)}",
        "plate_key": PLATE.key,
        "code": "101",
        "amount": 50_000,
        "occurred_at": "2026-11-19T08:00:00+03:00",
        "recorded_at": "2026-11-19T09:00:00+03:00",
        "sector_code": "7",
        "version": make_version(None, "2026-11-19T10:00:00+03:00", 2),
        **fields,
    }
    return Violation(**values)


def row(subject: Violation, **fields: Any) -> Row:
    """An accepted live row that holds a violation, on a line of its own; its content is what the violation holds."""
    values = {
        "content": str(subject._replace(version="")),
        "dated": False,
        "ref": f"live/a.csv@{subject.version}",
        "origin": "live",
        "recent": True,
        **fields,
    }
    return Row(subject, **values)


def registration(number: str, plate: Plate = PLATE, *, at: str = "2026-11-01", **fields: Any) -> Registration:
    """A row of a registration file: a plate and the number on its card, in its normal form. at: its version's date."""
    instant = f"{at}T00:00:00+03:00"
    version = make_version(None, instant, 2)
    values = {
        "plate_key": plate.key,
        "category": None,
        "dated": False,
        "ref": f"registry-{at}#2",
        "uploaded_at": instant,
        **fields,
    }
    return Registration(number=number, version=version, **values)


def store(violations: Violations, *subjects: Violation) -> None:
    """Bring violations into the table as ingest does."""
    for start in range(0, len(subjects), 100):
        violations.write([row(subject) for subject in subjects[start : start + 100]])


def hold(call: Call, violations: Violations, subject: Violation, payment_id: str = "p1") -> None:
    """Hold a violation for a payment."""
    transact(call, [violations.hold(subject, payment_id)])


def settle(call: Call, violations: Violations, subject: Violation, amount: int = 1) -> None:
    """Hold a violation for the payment ``p1`` and settle it, with the receipt ``GH-1``."""
    hold(call, violations, subject)
    transact(call, [violations.settle(subject.violation_no, "p1", amount, PAID_AT, "GH-1")])


def later(subject: Violation, at: str = "2026-11-20T08:00:00+03:00", **fields: Any) -> Violation:
    """What a newer file says of a violation."""
    return subject._replace(version=make_version(None, at, 2), **fields)


def follower(citizens: Citizens, plate_key: str = PLATE.key, sub: str = SUB) -> Follower | None:
    """A citizen as the plate's own list knows them, if it does."""
    return next((each for each in citizens.followers(plate_key) if each.sub == sub), None)


def follow(
    citizens: Citizens,
    sub: str = SUB,
    plate: Plate = PLATE,
    *,
    category: str | None = None,
    notify: bool = True,
    phone: str | None = PHONE,
    language: str = "en",
    proven: bool = False,
) -> None:
    """A citizen who links a plate."""
    citizens.seen_in_person(sub, phone, language)
    citizens.link(sub, Vehicle(f"vehicle-{sub}", plate.key, category, "self", notify, proven), NOON)


def reservation(at: datetime = NOON, **fields: Any) -> Reservation:
    """What a message of one part takes of the caps."""
    values = {"who": SUB, "phone": PHONE, "text": "text", "cost": 50_000, "at": at, "kind": "refund", "attempt": 0}
    return Reservation(**(values | fields))
