"""What the citizens' use cases need of the outside, and the limits of this deployment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from typing import Final, NamedTuple

from shared.access.accesses import Accesses
from shared.access.proofs import Proofs
from shared.aws_json import FastClient
from shared.domain.citizen import Limits
from shared.plate_crypto import PlateCrypto
from shared.settings import number, setting
from shared.stores.files import Files
from shared.stores.items import readable
from shared.stores.messaging.messages import Messages
from shared.stores.people.citizens import Citizens
from shared.stores.people.lapses import Lapses
from shared.stores.people.look_ups import LookUps
from shared.stores.people.who_looked import WhoLooked
from shared.stores.registry import Registry
from shared.stores.violations import Violations

KEPT_FOR: Final = timedelta(seconds=60)


class Feed:
    """Up to when the directorate's data goes, asked for at most once a minute."""

    def __init__(self, read: Callable[[], str | None]) -> None:
        self._read = read
        self._known: str | None = None
        self._until: datetime | None = None

    def as_of(self, now: datetime, unreadable: list[Exception]) -> str | None:
        """A stored text; None before the first live file, and where it cannot be read (``unreadable`` takes why)."""
        if self._until is None or now >= self._until:
            self._known = next(readable([None], lambda _: self._read(), unreadable), None)
            self._until = now + KEPT_FOR
        return self._known


class Ports(NamedTuple):
    """What the use cases speak with. crypto: fingerprints of plates, and cursors."""

    violations: Violations
    citizens: Citizens
    look_ups: LookUps
    who_looked: WhoLooked
    messages: Messages
    feed: Feed
    crypto: PlateCrypto
    limits: Limits
    registry: Registry
    accesses: Accesses
    proofs: Proofs
    lapses: Lapses

    @property
    def needs_proof(self) -> bool:
        """Whether a link without proof sees and hears nothing."""
        return self.accesses.needs_proof


@cache
def made_ports() -> Ports:
    """The ports of the citizens' API, made of this deployment's settings, once for the life of the function."""
    call = FastClient()
    crypto = PlateCrypto.from_secret(call, setting("PLATE_KEY_SECRET"))
    citizens = Citizens(call, setting("CITIZENS_TABLE"), crypto.citizen_fingerprint)
    messages = Messages(call, setting("MESSAGES_TABLE"))
    registry = Registry(call, setting("REGISTRY_TABLE"), crypto)
    accesses = Accesses.from_settings(call, crypto)
    return Ports(
        Violations(call, setting("VIOLATIONS_TABLE")),
        citizens,
        LookUps(call, setting("CITIZENS_TABLE")),
        WhoLooked(call, setting("CITIZENS_TABLE"), crypto),
        messages,
        Feed(Files(call, setting("FILES_TABLE")).feed),
        crypto,
        Limits(
            number("QUERIES_A_DAY"),
            number("PLATES_A_DAY"),
            number("LINKS_A_DAY"),
            number("MAX_VEHICLES"),
            number("SMS_CITIZEN_DAY_CAP"),
            number("MAX_FOLLOWERS"),
            number("PROOFS_A_DAY"),
        ),
        registry,
        accesses,
        Proofs(accesses, citizens, registry, messages),
        Lapses(call, setting("CITIZENS_TABLE")),
    )
