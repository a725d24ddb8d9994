"""Daily: links without proof that nobody renews end, and their citizens are told before. Later runs finish the rest."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import Any, Final

from notify.links.lapsing import Ports, lapse
from shared.access.accesses import Accesses
from shared.aws_json import FastClient
from shared.clock import now
from shared.observability import count, log_with
from shared.plate_crypto import PlateCrypto
from shared.settings import number, setting
from shared.stores.messaging.messages import Messages
from shared.stores.people.citizens import Citizens
from shared.stores.people.lapses import Lapses
from shared.stores.registry import Registry

_TIME_LEFT_MS: Final = 20_000


@cache
def _ports() -> Ports:
    call, citizens = FastClient(), setting("CITIZENS_TABLE")
    crypto = PlateCrypto.from_secret(call, setting("PLATE_KEY_SECRET"))
    return Ports(
        Lapses(call, citizens),
        Citizens(call, citizens),
        Accesses.from_settings(call, crypto),
        Registry(call, setting("REGISTRY_TABLE"), crypto),
        Messages(call, setting("MESSAGES_TABLE")),
    )


def handler(event: dict[str, Any], context: Any) -> None:
    """Lambda's entry point. Fails, for the alarm, once all that can be looked at are."""
    log_with(request_id=context.aws_request_id)
    kept_for = timedelta(days=number("UNPROVEN_DAYS"))
    done = lapse(_ports(), kept_for, now(), lambda: context.get_remaining_time_in_millis() > _TIME_LEFT_MS)
    count("LinksWarned", done.warned)
    count("LinksLapsed", done.ended)
    if done.unreadable:
        kinds = sorted({type(error).__name__ for error in done.unreadable})
        raise RuntimeError(f"{len(done.unreadable)} links cannot be read: {', '.join(kinds)}")
