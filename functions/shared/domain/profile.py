"""A citizen's profile: how they want to be told, and how much they may do in a day."""

from __future__ import annotations

from typing import Final, NamedTuple


class Profile(NamedTuple):
    """How a citizen wants to be told. phone: E.164 as last seen in a token. sms: False switches every SMS off."""

    phone: str | None
    language: str = "ar"
    sms: bool = True


class Limits(NamedTuple):
    """What a citizen may do in a day; ``vehicles`` in all. plates: distinct ones that are not linked. sms: received."""

    queries: int = 50
    plates: int = 10
    links: int = 5
    vehicles: int = 10
    sms: int = 10


DEFAULT_LIMITS: Final = Limits()


class QuotaError(Exception):
    """A citizen has used up a quota. quota: which, as :class:`Limits` names it."""

    def __init__(self, quota: str) -> None:
        super().__init__(quota)
        self.quota = quota
