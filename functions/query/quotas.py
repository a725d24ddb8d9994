"""Quotas that stop harvesting: what is used up is refused until midnight in Baghdad."""

from __future__ import annotations

from datetime import datetime, timedelta

from query.ports import Ports
from shared.domain.citizen import QuotaError
from shared.domain.time import BAGHDAD
from shared.http import Problem, report
from shared.identity import Citizen
from shared.stores.citizens import Admission
from shared.stores.profiles import Subject


def admit(ports: Ports, citizen: Citizen, subject: Subject | None, language: str, now: datetime) -> Admission:
    """Count a look-up. subject: None for a text that could not be read. Raises Problem 429."""
    unreadable: list[Exception] = []
    try:
        admission = ports.citizens.admit(citizen.sub, citizen.phone, language, subject, ports.limits, now, unreadable)
    except QuotaError as error:
        raise refused(error.quota, now) from None
    report(unreadable)
    return admission


def refused(quota: str, now: datetime) -> Problem:
    """A quota is used up: 409 where only removing a vehicle helps, else 429 with the seconds to wait."""
    if quota == "vehicles":
        return Problem(409, "vehicles_full")
    return Problem(429, f"quota_{quota}", headers={"retry-after": str(seconds_to_midnight(now))})


def seconds_to_midnight(now: datetime) -> int:
    """Until the day ends in Baghdad, where quotas start anew."""
    today = now.astimezone(BAGHDAD).replace(hour=0, minute=0, second=0, microsecond=0)
    return int((today + timedelta(days=1) - now).total_seconds())
