"""What the API shows of plates and violations. Shapes: the API's description, version 1."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from query.texts import NOTES
from shared.domain.fine import Due, Outlook
from shared.domain.governorates import GOVERNORATES
from shared.domain.message import day
from shared.domain.money import CURRENCY
from shared.domain.plate import CATEGORIES, Plate, Reading
from shared.domain.violation import MAY_BE_OWED, Violation
from shared.policies import RULES
from shared.stores.items import readable


def plate_view(reading: Reading, language: str) -> dict[str, Any]:
    """A plate with the words of its governorate; ``text`` is as people write it.

    Raises LookupError for a governorate or category that this version does not know.
    """
    plate = reading.plate
    require_known(reading.category)
    return {
        "family": plate.family,
        "governorate": governorate_view(plate.governorate, language),
        "category": reading.category,
        "letter": plate.letter,
        "number": plate.number,
        "text": plate.text(language),
    }


def require_known(category: str | None) -> None:
    """Raise LookupError for a category that this version does not know."""
    if category is not None and category not in CATEGORIES:
        raise LookupError("category")


def governorate_view(code: str, language: str) -> dict[str, str]:
    """A governorate's code and name."""
    return {"code": code, "name": GOVERNORATES[code].name(language)}


def note_of_none(as_of: str, language: str) -> str:
    """Say that nothing unpaid is known: never that nothing is owed. as_of: up to when the data goes, a stored text."""
    return NOTES["none"][language].format(f"{day(as_of)} {as_of[11:16]}")


_Instant = Callable[[str | None], str | None]


def _whole(instant: str | None) -> str | None:
    return instant


def _day_of(instant: str | None) -> str | None:
    return instant[:10] if instant else None


def assess(
    violations: Sequence[Violation], at: str, unreadable: list[Exception]
) -> tuple[list[Violation], dict[str, Outlook]]:
    """Work out what is owed at an instant (a stored text) for each that may have to be paid; return it by number.

    Before it stand the violations of which that can be told, and their category: ``unreadable`` takes why others are
    left out.
    """
    outlooks: dict[str, Outlook] = {}

    def assessed(violation: Violation) -> Violation:
        require_known(violation.category)
        if violation.state in MAY_BE_OWED:
            outlooks[violation.violation_no] = violation.outlook(at, RULES)
        return violation

    return [*readable(violations, assessed, unreadable)], outlooks


class Teller:
    """Tells of one plate's violations at an instant, in a language.

    is_whole: which are told whole, to who has proved the vehicle theirs; of others no place and no time of day.
    outlooks: what is known already of what is owed, by number.
    """

    def __init__(
        self,
        plate: Plate,
        at: str,
        language: str,
        *,
        is_whole: Callable[[Violation], bool],
        outlooks: dict[str, Outlook] | None = None,
    ) -> None:
        self._plate = plate
        self._at = at
        self._language = language
        self._is_whole = is_whole
        self._plates: dict[str | None, dict[str, Any]] = {}
        self._outlooks = {} if outlooks is None else outlooks

    def outlook(self, violation: Violation) -> Outlook:
        """Work out what is owed for a violation and what comes of it, once."""
        known = self._outlooks.get(violation.violation_no)
        if known is None:
            known = self._outlooks[violation.violation_no] = violation.outlook(self._at, RULES)
        return known

    def due(self, violation: Violation) -> Due:
        """Work out what is owed for a violation."""
        return self.outlook(violation).due

    def tell(self, violation: Violation) -> dict[str, Any]:
        """A violation as the API shows it: each field to those alone whom its declaration names as audience."""
        is_whole, state = self._is_whole(violation), violation.state
        instant = _whole if is_whole else _day_of
        return {
            "violation_no": violation.violation_no,
            "plate": self._plate_of(violation.category),
            "code": violation.code,
            "title": violation.title,
            "legal_ref": violation.legal_ref,
            "occurred_at": instant(violation.occurred_at),
            "recorded_at": instant(violation.recorded_at),
            "notified_at": instant(violation.notified_at),
            "place": violation.place if is_whole else None,
            "sector": {
                "code": violation.sector_code,
                "name": violation.sector_name,
                "governorate": violation.sector_governorate
                and governorate_view(violation.sector_governorate, self._language),
            },
            "base_amount": violation.amount,
            "due": self._due_view(violation, instant) if state in MAY_BE_OWED else None,
            "status": state,
            "paid_at": instant(violation.paid_at or violation.counter_paid_at),
            "receipt_no": violation.receipt_no or violation.counter_receipt_no,
        }

    def _due_view(self, violation: Violation, instant: _Instant) -> dict[str, Any]:
        due = self.due(violation)
        return {
            "amount": due.amount,
            "currency": CURRENCY,
            "stage": due.stage,
            "changes_at": instant(due.changes_at),
            "next_amount": due.next_amount,
            "window": due.window and due.window._asdict(),
        }

    def _plate_of(self, category: str | None) -> dict[str, Any]:
        known = self._plates.get(category)
        if known is None:
            known = self._plates[category] = plate_view(Reading(self._plate, category), self._language)
        return known


def totals_view(violations: Sequence[Violation], due: Callable[[Violation], Due], *, complete: bool) -> dict[str, Any]:
    """Count how many there are on the whole plate, and how many are owed, and how much in all; apart, what is disputed.

    amount: of what is owed alone. complete: False where some could not be read, and all this may be too little.
    """
    owed: list[int] = []
    disputed: list[int] = []
    for violation in violations:
        if violation.owed:
            owed.append(due(violation).amount)
        elif violation.is_disputed:
            disputed.append(due(violation).amount)
    return {
        "count": len(violations),
        "unpaid_count": len(owed),
        "amount": sum(owed),
        "disputed_count": len(disputed),
        "disputed_amount": sum(disputed),
        "currency": CURRENCY,
        "complete": complete,
    }
