"""Instants as Gharama keeps them: ISO 8601 in Asia/Baghdad, whole seconds, with the offset.

The law counts in Baghdad's calendar, so a stored instant starts with the day that counts, and strings sort as
instants do (Iraq has kept +03:00 without summer time since 2008).
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

BAGHDAD = ZoneInfo("Asia/Baghdad")


def to_text(instant: datetime) -> str:
    """An aware instant as it is stored: ``2026-11-23T20:48:00+03:00``."""
    return instant.astimezone(BAGHDAD).isoformat(timespec="seconds")


def from_text(text: str) -> datetime:
    """The instant of a stored text. Raises ValueError for one without an offset."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("an instant needs an offset")
    return instant.astimezone(BAGHDAD)
