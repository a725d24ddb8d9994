"""Erasure queue: each message names a citizen whose erasure goes on, or goes on later."""

from __future__ import annotations

import json
from typing import Any, Final

from query.mine import made
from query.mine.erasing import go_on
from shared.batch import take_each
from shared.clock import now

_TIME_LEFT_MS: Final = 15_000


def _erase(body: str, context: Any) -> bool:
    sub = json.loads(body)["sub"]
    wait = go_on(made.person(sub), made.stores(), now(), lambda: context.get_remaining_time_in_millis() > _TIME_LEFT_MS)
    if wait is not None:
        made.come_again(sub, wait)
    return True


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point. What fails comes again: every step of an erasure can be repeated."""
    return take_each(event, context, lambda body: _erase(body, context), "an erasure did not go on")
