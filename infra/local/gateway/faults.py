"""Misbehaviour of the sandbox gateway, at random and on request, for whoever wants to see paying survive it."""

import random
import threading
import time

FAILS = "fails"
FALLS_SILENT = "falls silent"
IS_SLOW = "is slow"
LIES = "lies"
IS_LOST = "is lost"
COMES_AGAIN = "comes again"
COMES_LATE = "comes late"

_OF_CALLS = (FAILS, FALLS_SILENT, IS_SLOW, LIES)
_OF_CALLBACKS = (IS_LOST, COMES_AGAIN, COMES_LATE)
_SLOW = 0.3  # seconds
_LATE = 10.0


class Faults:
    """None until :meth:`set`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.set(0, 0)

    def set(self, rate: float, seed: int) -> None:
        """From now on this share of calls and callbacks goes wrong, 0 to 1, the same ones for the same seed."""
        with self._lock:
            self._rate = rate
            self._chance = random.Random(seed)  # noqa: S311 (chance, not a secret)

    def of_call(self) -> str | None:
        """What happens to a merchant's call: fails without effect, falls silent after it, is slow, or lies."""
        return self._one(_OF_CALLS)

    def of_callback(self) -> str | None:
        """What happens to a callback: it is lost, comes again, or comes late, after others."""
        return self._one(_OF_CALLBACKS)

    def be_slow(self) -> None:
        time.sleep(_SLOW)

    def delay(self) -> float:
        """By how many seconds a late callback comes late."""
        with self._lock:
            return self._chance.uniform(0, _LATE)

    def _one(self, kinds: tuple[str, ...]) -> str | None:
        with self._lock:
            return self._chance.choice(kinds) if self._chance.random() < self._rate else None
