"""Quiet hours: when citizens are left alone."""

from __future__ import annotations

from datetime import datetime, time
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

    def hold(self, at: datetime) -> bool:
        """Return whether an instant lies in them."""
        clock = at.astimezone(BAGHDAD).time()
        late, early = clock >= self.start, clock < self.end
        return late or early if self.end < self.start else late and early


def is_quiet(hours: QuietHours | None, at: datetime) -> bool:
    """Return whether citizens are to be left alone at an instant. hours: None where they are off."""
    return hours is not None and hours.hold(at)
