"""Daily: followers hear of violations whose amount rises soon. Later runs of the day only finish what is left."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from notify.reminding import Stores, remind
from shared.access.accesses import REGISTRATION
from shared.aws_json import FastClient
from shared.clock import now
from shared.observability import count, log_with
from shared.settings import listed, setting
from shared.stores.messaging.messages import Messages
from shared.stores.messaging.reminders import Reminders
from shared.stores.people.citizens import Citizens
from shared.stores.violations import Violations

_TIME_LEFT_MS: Final = 20_000


@cache
def _stores() -> Stores:
    call = FastClient()
    return Stores(
        Messages(call, setting("MESSAGES_TABLE")),
        Citizens(call, setting("CITIZENS_TABLE")),
        Violations(call, setting("VIOLATIONS_TABLE")),
        Reminders(call, setting("MESSAGES_TABLE")),
        needs_proof=setting("PROOF") == REGISTRATION,
    )


def handler(event: dict[str, Any], context: Any) -> None:
    """Lambda's entry point. Fails, for the alarm, once all that can be reminded are."""
    log_with(request_id=context.aws_request_id)
    days_ahead = [int(days) for days in listed("REMIND_DAYS")]
    done = remind(days_ahead, _stores(), now(), lambda: context.get_remaining_time_in_millis() > _TIME_LEFT_MS)
    count("Reminded", done.put)
    if done.unreadable:
        kinds = sorted({type(error).__name__ for error in done.unreadable})
        raise RuntimeError(f"{len(done.unreadable)} of the plates or shards cannot be read: {', '.join(kinds)}")
