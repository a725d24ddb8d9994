"""Sets of the rules of money, and what they ask of a fine by a slow model: the file's rows as dates and lists."""

from __future__ import annotations

import calendar
import json
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

from shared.domain.plate import PREFIXES
from shared.domain.time import BAGHDAD
from shared.domain.violation import DISPUTED, OPEN
from shared.policies import FILE

DAY: Final = timedelta(days=1)

Said = dict[str, Any]
"""Rows of the file."""

MONTH: Final[Said] = {"months": 1, "basis": "recorded"}
EARLY: Final[Said] = {"days": 24, "basis": "occurred"}
NOTICE: Final[Said] = {"days": 27, "basis": "notified"}
NOW_IN_FORCE: Final[Said] = json.loads(Path(FILE).read_bytes())["sets"][-1]


def policy(period: Said, *readings: Said, **fields: Any) -> Said:
    common = {"law": "8/2019", "articles": ["25/1"], "families": [*PREFIXES], "factor": 2, "times": 1}
    return {"id": str(period), "valid_from": "2019-10-06", **common, **period, "readings": [*readings], **fields}


POLICIES: Final[list[list[Said]]] = [
    NOW_IN_FORCE["policies"],
    [policy(MONTH)],
    [policy(MONTH, EARLY)],
    [policy(EARLY)],
    [policy({"days": 36, "basis": "recorded"}, MONTH, EARLY)],
    [policy(NOTICE, MONTH)],
    [policy(MONTH, EARLY), policy({"days": 27, "basis": "recorded"}, valid_from="2026-11-20", factor=3)],
    [policy(MONTH, families=["german"]), policy(MONTH, times=0, families=["kurdistan"])],
]
KINDS: Final[list[Said]] = [{"percent_off": 20}, {"undo_doubling": True}, {"suspend_doubling": True}]


class Fine(NamedTuple):
    """What the directorate said last. paid: here."""

    number: str
    plate: str
    amount: int
    occurred: datetime
    recorded: datetime
    notified: datetime | None = None
    doubled: datetime | None = None
    status: str = OPEN
    paid: bool = False

    @property
    def counts(self) -> bool:
        return self.status in (OPEN, DISPUTED) and not self.paid


Way = datetime | None
"""When a fine doubles by one reading."""


def midnight(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), time(), BAGHDAD)


class Model:
    """What a set of the file asks of a fine."""

    def __init__(self, said: Said) -> None:
        self._policies = said["policies"]
        self._windows = sorted(said["windows"], key=lambda window: str(window["pay_from"]))

    def _policy(self, fine: Fine) -> Said | None:
        family = next(name for name, prefix in PREFIXES.items() if fine.plate.startswith(prefix))
        rows = [
            row
            for row in self._policies
            if family in row["families"]
            and midnight(row["valid_from"]) <= (getattr(fine, row["basis"]) or fine.recorded)
        ]
        return max(rows, key=lambda row: str(row["valid_from"]), default=None)

    def _windows_for(self, fine: Fine) -> list[tuple[datetime, datetime, Said]]:
        return [
            (midnight(window["pay_from"]), midnight(window["pay_until"]) + DAY, window)
            for window in self._windows
            if fine.recorded < midnight(window.get("recorded_before", "9999-01-01"))
        ]

    def _ends(self, fine: Fine, period: Said) -> Way:
        start: Way = getattr(fine, period["basis"])
        if start is None:
            return None
        if days := period.get("days"):
            ends = start + timedelta(days=days)
        else:
            year, month = start.year + start.month // 12, start.month % 12 + 1
            ends = start.replace(year=year, month=month, day=min(start.day, calendar.monthrange(year, month)[1]))
        for begins, over, window in self._windows_for(fine):
            if begins <= ends < over and "percent_off" not in window:
                ends = over
        return ends

    def ways(self, fine: Fine) -> list[Way]:
        """When it doubles by the policy, then by each other reading that may be meant."""
        row = self._policy(fine)
        if fine.doubled:
            return [fine.doubled]
        if row is None or not row["times"]:
            return [None]
        return [self._ends(fine, row), *filter(None, (self._ends(fine, each) for each in row["readings"]))]

    def amount(self, fine: Fine, way: Way, at: datetime) -> int:
        policy = self._policy(fine)
        doubled = fine.amount * (policy["factor"] if policy else 2)
        asked = doubled if way and way <= at else fine.amount
        for begins, over, window in self._windows_for(fine):
            if begins <= at < over:
                asked = fine.amount if window.get("undo_doubling") else asked
                asked -= asked * window.get("percent_off", 0) // 100
        return asked

    def _next(self, fine: Fine, way: Way, at: datetime) -> tuple[date, int] | None:
        """On which day it next comes to more, and to what."""
        edges = [edge for window in self._windows_for(fine) for edge in window[:2]]
        after = sorted(edge for edge in [*edges, *([way] if way else [])] if edge > at)
        amounts = [(edge.date(), self.amount(fine, way, edge)) for edge in after]
        return next((each for each in amounts if each[1] > self.amount(fine, way, at)), None)

    def earliest(self, fine: Fine, at: datetime) -> Way:
        """When it doubles at the earliest; None where nobody is to be reminded of that, or not any more."""
        plausible = min(filter(None, self.ways(fine)), default=None)
        return plausible if fine.counts and plausible and at < plausible else None

    def reminder(self, fines: list[Fine], at: datetime) -> str | None:
        """How the text that reminds of fines ends; None where nothing is to be said. Of fines of one plate."""
        fines = [each for each in fines if self.earliest(each, at) and self._next(each, self.ways(each)[0], at)]
        if not fines:
            return None
        notices = [self._notice(each, at) for each in fines]
        day = min((notice[0] for notice in notices), key=lambda day: day or date.min)
        then = datetime.combine(day, at.timetz()) if day else at
        now = sum(self.amount(each, self.ways(each)[0], at) for each in fines)
        more = sum(
            notice[2] if notice[0] == day else self.amount(each, self.ways(each)[0], then)
            for each, notice in zip(fines, notices, strict=True)
        )
        when = f"from {day:%d/%m/%Y}." if day else "soon."
        if any(each.status == DISPUTED for each in fines):
            return f", objection recorded. {now:,} IQD may still rise {when}"
        certain = all(notice[1] for notice in notices if notice[0] == day)
        return f". {now:,} IQD now, {'' if certain else 'may become '}{more:,} {when}"

    def _notice(self, fine: Fine, at: datetime) -> tuple[date | None, bool, int]:
        every = [self._next(fine, way, at) for way in self.ways(fine)]
        day, amount = min(filter(None, every))
        if len({each and each[0] for each in every}) == 1:
            return day, True, amount
        return (day if day > at.date() + DAY else None), False, amount
