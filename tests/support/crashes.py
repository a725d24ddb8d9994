"""A process that dies, or a service that fails, at any one of the calls that a function makes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Crash(BaseException):
    """The end of a process. Not an Exception, so that nothing in it can deal with its own death."""


class Faults:
    """Counts the calls that pass through it and fails at one of them, before it is made or after.

    after: the call has its effect, and nobody hears of it.
    """

    def __init__(self) -> None:
        self.calls = 0
        self._at = 0
        self._after = False
        self._error: BaseException = Crash()

    def through(self, call: Callable[P, T]) -> Callable[P, T]:
        """The same call, counted."""

        def counted(*arguments: P.args, **named: P.kwargs) -> T:
            self.calls += 1
            if self.calls == self._at and not self._after:
                raise self._error
            result = call(*arguments, **named)
            if self.calls == self._at and self._after:
                raise self._error
            return result

        return counted

    @contextmanager
    def fail(self, at: int, *, after: bool, error: BaseException) -> Iterator[None]:
        """Fail at the n-th call from here on, from 1."""
        self.calls, self._at, self._after, self._error = 0, at, after, error
        try:
            yield
        finally:
            self._at = 0
