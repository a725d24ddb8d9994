"""A counter of the directorate asks, before it takes money, whether violations are paid already."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from pay.payments.holding import keep_price
from shared.domain.text import clean
from shared.domain.violation import OTHER, Violation
from shared.http import FieldError, Problem, report
from shared.identity import Citizen
from shared.stores.people.who_looked import What, WhoLooked
from shared.stores.violations import Violations

MAX_VIOLATIONS: Final = 100
"""Violations in one question: as many as one BatchGetItem reads."""
MAX_NUMBER_CHARACTERS: Final = 32
UNKNOWN: Final = "unknown"


def asked(body: dict[str, Any]) -> list[str]:
    """The numbers that a good request asks about, as they were typed. Raises Problem naming what is wrong."""
    numbers = body.get("violations")
    if numbers is None:
        raise _invalid(("violations", "missing"))
    if not isinstance(numbers, list):
        raise _invalid(("violations", "wrong_type"))
    if not numbers:
        raise _invalid(("violations", "empty"))
    if len(numbers) > MAX_VIOLATIONS:
        raise _invalid(("violations", "too_many"))
    errors = [(f"violations.{index}", code) for index, each in enumerate(numbers) if (code := _fault(each))]
    if errors:
        raise _invalid(*errors)
    if len(set(map(_number, numbers))) < len(numbers):
        raise _invalid(("violations", "repeated"))
    return numbers


def _number(typed: str) -> str:
    """A violation's number as it is stored: digits of any script as ASCII."""
    return clean(typed).strip()


def _fault(number: object) -> str | None:
    if not isinstance(number, str):
        return "wrong_type"
    if len(number) > MAX_NUMBER_CHARACTERS:
        return "too_long"
    return None if _number(number) else "empty"


def _invalid(*errors: tuple[str, str]) -> Problem:
    return Problem(422, "invalid_input", *(FieldError(*error) for error in errors))


def check(
    clerk: Citizen,
    numbers: Sequence[str],
    violations: Violations,
    who_looked: WhoLooked,
    price_kept_for: timedelta,
    now: datetime,
) -> list[dict[str, Any]]:
    """How each violation stands at this moment, consistently read.

    One that nobody has recorded is ``unknown``; one that cannot be read is ``other``, for it may be paid. It is kept
    that the clerk looked at the plate of each. price_kept_for: of what a payment holds that doubles soon.
    """
    unreadable: list[Exception] = []
    found = violations.get(map(_number, numbers), unreadable)
    report(unreadable)
    missing = [number for number in numbers if unreadable and _number(number) not in found]
    damaged = {number for number in missing if not _is_readable(_number(number), violations)}
    keep_price(found.values(), violations, price_kept_for, now)
    plate_keys, check_id = dict.fromkeys(each.plate_key for each in found.values()), secrets.token_hex(16)
    who_looked.enter([who_looked.entry_action(key, What.COUNTER, clerk.sub, now, check_id) for key in plate_keys])
    return [_view(number, found.get(_number(number)), OTHER if number in damaged else UNKNOWN) for number in numbers]


def _is_readable(number: str, violations: Violations) -> bool:
    """Whether a violation, if it is recorded, can be read."""
    unreadable: list[Exception] = []
    violations.get([number], unreadable)
    return not unreadable


def _view(violation_no: str, violation: Violation | None, otherwise: str) -> dict[str, Any]:
    """What a counter needs to know, and nothing about a plate or a person. otherwise: its status where none is read."""
    return {
        "violation_no": violation_no,
        "status": violation.state if violation else otherwise,
        "paid_here": bool(violation and violation.paid_by),
        "paid_amount": violation.paid_amount if violation else None,
        "paid_at": (violation.paid_at or violation.counter_paid_at) if violation else None,
        "receipt_no": (violation.receipt_no or violation.counter_receipt_no) if violation else None,
    }
