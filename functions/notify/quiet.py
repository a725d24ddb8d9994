"""Quiet hours: when citizens are left alone."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import NamedTuple

from shared.domain.time import BAGHDAD

OFF = "off"


class QuietHours(NamedTuple):
    """From ``start`` until just before ``end``, each day in Baghdad; over midnight where the end is the earlier."""

    start: time
    end: time

    @classmethod
    def parse(cls, text: str) -> QuietHours | None:
        """``21:00-08:00``, or ``off``. Raises ValueError for anything else, and where both times are the same."""
        if text == OFF:
            return None
        start, end = (datetime.strptime(part, "%H:%M").time() for part in text.split("-"))  # noqa: DTZ007 (a time of day)
        if start == end:
            raise ValueError("quiet hours must end at another time than they begin")
        return cls(start, end)

    def until(self, at: datetime) -> datetime | None:
        """Return when the quiet hours end that an instant lies in; None where it lies in none."""
        local = at.astimezone(BAGHDAD)
        clock = local.time()
        over_midnight = self.end < self.start
        late, early = clock >= self.start, clock < self.end
        if not (late or early if over_midnight else late and early):
            return None
        day = local.date() + timedelta(days=int(over_midnight and late))
        return datetime.combine(day, self.end, BAGHDAD)
