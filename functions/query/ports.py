"""What the citizens' use cases need of the outside, and the limits of this deployment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from shared.domain.citizen import Limits
from shared.plate_crypto import PlateCrypto
from shared.stores.citizens import Citizens
from shared.stores.look_ups import LookUps
from shared.stores.messaging.messages import Messages
from shared.stores.registry import Registry
from shared.stores.violations import Violations

KEPT_FOR: Final = timedelta(seconds=60)


class Feed:
    """Up to when the directorate's data goes, asked for at most once a minute."""

    def __init__(self, read: Callable[[], str | None]) -> None:
        self._read = read
        self._known: str | None = None
        self._until: datetime | None = None

    def as_of(self, now: datetime) -> str | None:
        """A stored text; None before the first live file."""
        if self._until is None or now >= self._until:
            self._known = self._read()
            self._until = now + KEPT_FOR
        return self._known


class Ports(NamedTuple):
    """registry: None where links need no proof. crypto: fingerprints of plates, and cursors."""

    violations: Violations
    citizens: Citizens
    look_ups: LookUps
    messages: Messages
    feed: Feed
    crypto: PlateCrypto
    limits: Limits
    registry: Registry | None
