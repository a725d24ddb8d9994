"""Two providers as one: the second stands in while the first is out of order."""

from __future__ import annotations

from notify.outages import Outages
from notify.providers import Accepted, Provider, TemporaryError, UnknownOutcomeError
from shared.clock import Clock
from shared.observability import count


class Failover:
    """first: asked unless it is away. second: asked then, unless it is away too. What is known of outages is shared."""

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
            if self._outages.failed(provider.name, self._clock()):
                count("SmsProviderAway")
            raise

    def _choose(self) -> Provider:
        at = self._clock()
        if self._outages.away(self._first.name, at) and not self._outages.away(self._second.name, at):
            return self._second
        return self._first
