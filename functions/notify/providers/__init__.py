"""Sending one SMS. A provider takes a phone number and a text, and answers with its own id of the message."""

from __future__ import annotations

from typing import Protocol


class TemporaryError(Exception):
    """Not sent; worth trying again later. The text is the provider's code."""


class PermanentError(Exception):
    """Not sent, and never will be. The text is the provider's code."""


class UnknownOutcomeError(Exception):
    """The provider may have taken it before the line broke: it must not be sent again."""


class Provider(Protocol):
    """What sends."""

    def send(self, phone: str, text: str) -> str:
        """Send to an E.164 number; returns the provider's id. Raises one of the three errors above."""
