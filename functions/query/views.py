"""What the API shows of plates and violations. Shapes: the API's description, version 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shared.domain.governorates import GOVERNORATES
from shared.domain.money import CURRENCY
from shared.domain.plate import Reading
from shared.domain.violation import IN_PAYMENT, UNPAID, Violation


def plate_view(reading: Reading, language: str) -> dict[str, Any]:
    """A plate with the words of its governorate; ``text`` is as people write it."""
    plate = reading.plate
    return {
        "family": plate.family,
        "governorate": governorate_view(plate.governorate, language),
        "category": reading.category,
        "letter": plate.letter,
        "number": plate.number,
        "text": plate.text(language),
    }


def governorate_view(code: str, language: str) -> dict[str, str]:
    """A governorate's code and name."""
    return {"code": code, "name": GOVERNORATES[code].name(language)}


def violation_view(violation: Violation, reading: Reading, at: str, language: str) -> dict[str, Any]:
    """A violation at an instant, for somebody who has not proved the vehicle theirs: no place and no time of day."""
    due = violation.due(at)
    state = violation.state
    paid_at = violation.paid_at or violation.counter_paid_at
    return {
        "violation_no": violation.violation_no,
        "plate": plate_view(Reading(reading.plate, violation.category), language),
        "code": violation.code,
        "title": violation.title,
        "legal_ref": violation.legal_ref,
        "occurred_at": violation.occurred_at[:10],
        "recorded_at": violation.recorded_at[:10],
        "place": None,
        "sector": {
            "code": violation.sector_code,
            "name": violation.sector_name,
            "governorate": violation.sector_governorate and governorate_view(violation.sector_governorate, language),
        },
        "base_amount": violation.amount,
        "due": {
            "amount": due.amount,
            "currency": CURRENCY,
            "stage": due.stage,
            "changes_at": due.changes_at and due.changes_at[:10],
            "next_amount": due.next_amount,
        }
        if state in (UNPAID, IN_PAYMENT)
        else None,
        "status": state,
        "paid_at": paid_at and paid_at[:10],
        "receipt_no": violation.receipt_no or violation.counter_receipt_no,
    }


def totals_view(violations: Sequence[Violation], at: str) -> dict[str, Any]:
    """How many there are on the whole plate, how many are owed, and how much in all."""
    owed = [violation.due(at).amount for violation in violations if violation.owed]
    return {"count": len(violations), "unpaid_count": len(owed), "amount": sum(owed), "currency": CURRENCY}
