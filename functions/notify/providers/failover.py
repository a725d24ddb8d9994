"""Two providers as one: the second stands in while the first is out of order."""

from __future__ import annotations

from contextlib import suppress

from notify.providers import Accepted, Provider, TemporaryError, UnknownOutcomeError
from shared.aws_json import AwsError
from shared.clock import Clock
from shared.observability import count
from shared.stores.outages import Outages


class Failover:
    """first: asked unless it is away. second: asked then, unless it is away too. What is known of outages is shared.

    Where it cannot be read or written, nobody is taken for away: what becomes of a message hangs on its provider alone.
    """

    def __init__(self, first: Provider, second: Provider, outages: Outages, clock: Clock) -> None:
        self._first = first
        self._second = second
        self._outages = outages
        self._clock = clock

    @property
    def name(self) -> str:
        """The first choice's."""
        return self._first.name

    def send(self, phone: str, text: str) -> Accepted:
        """Send by whichever is in order. One GetItem, two where the first is away; writes only after a failure."""
        provider = self._choose()
        try:
            return provider.send(phone, text)
        except (TemporaryError, UnknownOutcomeError):
            with suppress(AwsError):
                if self._outages.failed(provider.name, self._clock()):
                    count("SmsProviderAway")
            raise

    def _choose(self) -> Provider:
        at = self._clock()
        with suppress(AwsError):
            if self._outages.away(self._first.name, at) and not self._outages.away(self._second.name, at):
                return self._second
        return self._first
