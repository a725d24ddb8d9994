"""The SMS that the emulator's SNS took, with the time at which they were first seen here."""

import http.client
import json
import threading
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

_PATH = "/_ministack/sns/sms-messages"
_TIMEOUT = 10.0  # seconds


class Inbox:
    """Reads messages from the emulator at `emulator_url`.

    The emulator keeps each phone's messages in order but no time, so a message's time is that of its first reading.
    """

    def __init__(self, emulator_url: str) -> None:
        self._netloc = urlsplit(emulator_url).netloc
        self._lock = threading.Lock()
        self._seen: dict[str, str] = {}

    def messages(self, phone: str | None) -> list[dict[str, str]]:
        """`{"phone", "text", "at"}` of each message, oldest first; those to `phone` alone where it is given.

        Raises OSError, http.client.HTTPException or ValueError where the emulator does not answer as it should.
        """
        with self._lock:
            records = [record for sent in self._read(phone).values() for record in sent]
            now = datetime.now(UTC).isoformat(timespec="milliseconds")
            messages = [
                {
                    "phone": record["PhoneNumber"],
                    "text": record["Message"],
                    "at": self._seen.setdefault(record["MessageId"], now),
                }
                for record in records
            ]
        # Stable: messages seen first in one reading stay in each phone's order.
        return sorted(messages, key=lambda message: message["at"])

    def _read(self, phone: str | None) -> dict[str, list[dict[str, Any]]]:
        connection = http.client.HTTPConnection(self._netloc, timeout=_TIMEOUT)
        try:
            query = "?" + urlencode({"phoneNumber": phone}) if phone else ""
            connection.request("GET", _PATH + query)
            sent: dict[str, list[dict[str, Any]]] = json.loads(connection.getresponse().read())["sms_messages"]
            return sent
        finally:
            connection.close()
