"""A gateway's keys from Secrets Manager, read anew after a while, so that changing them needs no deployment."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from pay.gateways import Keys, NotAskedError
from shared.aws_json import AwsError, Call
from shared.observability import logger
from shared.secret import current_then_previous

FRESH_FOR: Final = timedelta(minutes=5)


class SecretKeys:
    """Reads the keys under ``AWSCURRENT``, and those under ``AWSPREVIOUS`` where there are any.

    Secrets Manager moves the former to the latter when a new version becomes current, so both are good until the next
    change. Where a reading fails, what was read before is good a while longer. For several threads, as a gateway is;
    call: therefore a port of its own.
    """

    def __init__(self, call: Call, secret_id: str, now: Callable[[], datetime]) -> None:
        self._call = call
        self._secret_id = secret_id
        self._now = now
        self._keys: Keys | None = None
        self._until: datetime | None = None
        self._reading = Lock()

    def __call__(self) -> Keys:
        """The keys, at most :data:`FRESH_FOR` old. Raises NotAskedError where they were never read."""
        at = self._now()
        with self._reading:
            if self._keys is None or self._until is None or at >= self._until:
                try:
                    self._keys = Keys(*map(json.loads, current_then_previous(self._call, self._secret_id)))
                except (AwsError, LookupError, ValueError) as error:
                    # An error of what the secret holds would tell it.
                    logger().warning("keys not read", extra={"error": getattr(error, "code", type(error).__name__)})
                    if self._keys is None:
                        raise NotAskedError("no keys") from None
                self._until = at + FRESH_FOR
            return self._keys
