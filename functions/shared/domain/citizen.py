"""A citizen: how they want to be told, how much they may do in a day, and the vehicles that they linked."""

from __future__ import annotations

from typing import Final, NamedTuple


class Profile(NamedTuple):
    """How a citizen wants to be told. phone: E.164 as last seen in a token. sms: False switches every SMS off.

    who: the citizen's fingerprint, under which their SMS of a day are counted; None in a profile older than it.
    """

    phone: str | None
    language: str = "ar"
    sms: bool = True
    who: str | None = None


class Limits(NamedTuple):
    """What a citizen may do in a day; ``vehicles`` in all. plates: distinct ones that are not linked. sms: received.

    followers: how many may follow one plate, in all, who have not proved it theirs. proofs: tries at registration
    numbers, right or wrong. pending: how many proofs may wait for their card, in all. unreadable: texts that cannot be
    read as one plate; they are no queries, and more of them than anybody types.
    """

    queries: int = 50
    plates: int = 10
    links: int = 5
    vehicles: int = 10
    sms: int = 10
    followers: int = 50
    proofs: int = 10
    pending: int = 5
    unreadable: int = 200


DEFAULT_LIMITS: Final = Limits()


class QuotaError(Exception):
    """A citizen has used up a quota. quota: which, as :class:`Limits` names it."""

    def __init__(self, quota: str) -> None:
        super().__init__(quota)
        self.quota = quota


class ErasingError(Exception):
    """A citizen has asked for all that is kept of them to be erased, and that is under way."""


class FollowersFullError(Exception):
    """A plate has as many followers as one may who have not proved it theirs."""


class Vehicle(NamedTuple):
    """A plate that a citizen linked. relation: self or family. notify: the consent to SMS about it.

    proven: whether it was when the link was last written; what it is now, :mod:`shared.access` says. card: the
    fingerprint of the number that proved it, and proved_at when. pending_at: since when a proof waits for its card.
    lapses_on: the day (ISO) on which the link ends without proof unless it is renewed, as its citizen was told.
    """

    vehicle_id: str
    plate_key: str
    category: str | None
    relation: str
    notify: bool
    proven: bool = False
    card: str | None = None
    proved_at: str | None = None
    pending_at: str | None = None
    lapses_on: str | None = None


class Follower(NamedTuple):
    """A citizen who linked a plate, as the plate's own list knows them. since: a stored text. See :class:`Vehicle`.

    who: the citizen's fingerprint as it was when they linked it; None in a link older than it.
    """

    sub: str
    vehicle_id: str
    category: str | None
    notify: bool
    proven: bool
    relation: str
    since: str
    card: str | None = None
    proved_at: str | None = None
    pending_at: str | None = None
    who: str | None = None

    @property
    def told_as(self) -> str:
        """Under which name it is kept what they were told: one that says nobody's, and outlives an erasure."""
        return self.who or self.sub
