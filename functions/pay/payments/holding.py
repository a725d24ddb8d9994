"""Nobody pays more because another held: who is refused shortly before a fine doubles keeps its price for a while."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from shared.domain import fine
from shared.domain.time import from_text, to_text
from shared.domain.violation import IN_PAYMENT, Violation
from shared.observability import count
from shared.policies import RULES
from shared.stores.violations import Violations

SOON: Final = timedelta(hours=24)
"""How long before a doubling who is refused keeps the price."""


def keep_price(held: Iterable[Violation], violations: Violations, kept_for: timedelta, now: datetime) -> None:
    """Let everybody pay the earlier amount of fines that another holds and that double soon.

    kept_for: after the doubling by the rule; none, and no price is kept. A fine gains that once, whoever holds it
    however often. One transaction, if anything is to be kept.
    """
    if not kept_for:
        return
    at, soon = to_text(now), to_text(now + SOON)
    until: dict[str, str] = {}
    for violation in held:
        if violation.state == IN_PAYMENT and violation.held_price_until is None:
            doubles_at = fine.doubles_next(violation.facts, at, RULES)
            if doubles_at and doubles_at <= soon:
                until[violation.violation_no] = to_text(from_text(doubles_at) + kept_for)
    if until:
        violations.keep_prices(until)
        count("PricesHeld", len(until))


def gained(violations: Iterable[Violation], at: str) -> int:
    """Dinars that citizens pay less at an instant because another held these violations."""
    return sum(
        fine.due(violation.facts, at, RULES).amount - violation.due(at, RULES).amount
        for violation in violations
        if is_held_price(violation, at)
    )


def is_held_price(violation: Violation, at: str) -> bool:
    """Whether less is asked for it at an instant because another held it."""
    until = violation.held_price_until
    if until is None or until <= at:
        return False
    return fine.due(violation.facts, at, RULES).amount > violation.due(at, RULES).amount
