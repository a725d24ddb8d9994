"""Quotas that stop harvesting: what is used up is refused until midnight in Baghdad."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from query.ports import Ports
from shared.domain.citizen import QuotaError
from shared.domain.time import BAGHDAD
from shared.http import Problem, report
from shared.identity import Citizen
from shared.observability import count
from shared.stores.people.profile_table import Admission
from shared.stores.people.profiles import Subject

HARVESTING: Final = 3
"""Days on end on which who uses up the plates of each looks like somebody who harvests."""
_FULL: Final = {"vehicles": "vehicles_full", "pending": "proofs_full"}


def admit(ports: Ports, citizen: Citizen, subject: Subject | None, language: str, now: datetime) -> Admission:
    """Count a look-up. subject: None for a text that could not be read. Raises Problem 429.

    Who used up the plates of so many days on end (``HARVESTING``) is counted for the operator.
    """
    unreadable: list[Exception] = []
    try:
        admission = ports.citizens.admit(citizen.sub, citizen.phone, language, subject, ports.limits, now, unreadable)
    except QuotaError as error:
        raise refused(error.quota, now) from None
    report(unreadable)
    if admission.full_days >= HARVESTING:
        count("Harvesters")
    return admission


def refused(quota: str, now: datetime) -> Problem:
    """A quota is used up: 409 where only removing a vehicle or time helps, else 429 with the seconds to wait.

    It is counted for the operator.
    """
    count("QuotaRefused")
    if quota in _FULL:
        return Problem(409, _FULL[quota])
    code = "proofs_quota" if quota == "proofs" else f"quota_{quota}"
    return Problem(429, code, headers={"retry-after": str(seconds_to_midnight(now))})


def seconds_to_midnight(now: datetime) -> int:
    """Until the day ends in Baghdad, where quotas start anew."""
    today = now.astimezone(BAGHDAD).replace(hour=0, minute=0, second=0, microsecond=0)
    return int((today + timedelta(days=1) - now).total_seconds())
