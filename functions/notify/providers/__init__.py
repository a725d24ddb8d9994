"""Sending one SMS. A provider takes a phone number and a text, and answers with its own id of the message."""

from __future__ import annotations

from typing import NamedTuple, Protocol

THROTTLED = "throttled"
SPEND_LIMIT = "spend_limit"
UNAUTHORIZED = "unauthorized"
UNREACHABLE = "unreachable"
PROVIDER_ERROR = "provider_error"
OPTED_OUT = "opted_out"
SANDBOX = "sandbox"
REFUSED = "refused"
TIMED_OUT = "timed_out"


class TemporaryError(Exception):
    """Not sent; worth trying again later. The text is one of the codes above."""


class PermanentError(Exception):
    """Not sent, and never will be. The text is one of the codes above."""


class UnknownOutcomeError(Exception):
    """The provider may have taken it before the line broke: it must not be sent again."""


class Accepted(NamedTuple):
    """A message that a provider took. reference: the provider's own id, where it gives one."""

    provider: str
    reference: str | None


class Provider(Protocol):
    """What sends."""

    @property
    def name(self) -> str:
        """What it is called in records and parameters."""

    def send(self, phone: str, text: str) -> Accepted:
        """Send to an E.164 number. Raises one of the three errors above."""
