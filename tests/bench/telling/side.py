"""Tells against the stand-in and prints the milliseconds of CPU that one more round took, table calls included.

``python -m tests.bench.telling.side announce FOLLOWERS`` announces a violation of a plate with so many followers;
``python -m tests.bench.telling.side send`` sends an SMS.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

from notify import on_violation, send_sms
from shared.stores.items import pack
from tests.support import lambda_events as events
from tests.support.build import violation

WARM, TRIES, ROUNDS = 30, 5, 60


def announcing(followers: int) -> Callable[[], object]:
    """A batch of one record."""
    values = violation("V", plate_key=f"OLD#11#{followers}")._asdict()
    values["pk"], values["plate"] = values.pop("violation_no"), values.pop("plate_key")
    image = pack({**values, "hash": "d41d8cd98f00b204", "origin": "live", "tell": "opened"})
    batch, context = events.records([events.change(None, image)]), events.context()

    def announce() -> None:
        assert on_violation.handler(batch, context) == {"batchItemFailures": []}

    return announce


def sending() -> Callable[[], object]:
    """A batch of one message."""
    batch = {"Records": [{"messageId": "1", "body": json.dumps({"message_id": "5f0c2e5f0c2e"})}]}
    context = events.context()

    def send() -> None:
        assert send_sms.handler(batch, context) == {"batchItemFailures": []}

    return send


def milliseconds(act: Callable[[], object]) -> float:
    """Of CPU a round: the quickest of some tries, since others' work on the machine only adds."""
    for _ in range(WARM):
        act()
    tries = []
    for _ in range(TRIES):
        before = time.process_time()
        for _ in range(ROUNDS):
            act()
        tries.append((time.process_time() - before) / ROUNDS * 1000)
    return min(tries)


if __name__ == "__main__":
    act = announcing(int(sys.argv[2])) if sys.argv[1] == "announce" else sending()
    print(milliseconds(act), file=sys.stderr)
