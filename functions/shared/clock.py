"""The only place that reads the clock. Use cases take a ``Clock`` so that a test can stand at any second."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from shared.domain.time import BAGHDAD

Clock = Callable[[], datetime]


def now() -> datetime:
    """This second in Baghdad: aware, without microseconds, as every stored time is."""
    return datetime.now(BAGHDAD).replace(microsecond=0)
