"""What a citizen is to a plate: proven, linked, looked up or none. It is asked here alone, and anew on each use.

A link keeps the fingerprint of the number that proved it. It is held against the plate's cards each time: a proof ends
when the newest card of its vehicle bears another number, and never comes back by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from shared.aws_json import Call
from shared.domain.citizen import Follower, Profile
from shared.domain.registration import Card, Proof, judge, still_proves
from shared.domain.violation import Violation
from shared.plate_crypto import PlateCrypto
from shared.settings import setting
from shared.stores.citizens import follower_of
from shared.stores.items import Item, batch_get_of, epoch, item_key
from shared.stores.profiles import profile_of
from shared.stores.registry import card_keys, cards_of, pending_key

REGISTRATION: Final = "registration"
"""The value of the parameter ``Proof`` under which a link without proof sees and hears nothing."""

_PROFILE: Final = "PROFILE"


class Access(StrEnum):
    """What a citizen is to a plate, the most first. A proof that waits for its card is no more than a link."""

    PROVEN = "proven"
    LINKED = "linked"
    LOOKED_UP = "looked_up"
    NONE = "none"


class Turn(StrEnum):
    """What the registry has decided of a link since it was last written."""

    RIGHT = "right"
    WRONG = "wrong"
    ENDED = "ended"


class Standing(NamedTuple):
    """A citizen's access to a plate.

    link: theirs as it is written. proof: what the registry says of the number that it was proved with, or is to be.
    turn: what of that is not written yet (:class:`shared.proofs.Proofs`). number: the fingerprint that waits for its
    card, where one does.
    """

    access: Access
    link: Follower | None = None
    proof: Proof | None = None
    turn: Turn | None = None
    number: str | None = None

    @property
    def is_proven(self) -> bool:
        """Whether the vehicle is proved to be the citizen's, now."""
        return self.access is Access.PROVEN

    def sees_whole(self, violations: Sequence[Violation], category: str | None = None) -> Callable[[Violation], bool]:
        """Tell of which violations of the plate the citizen sees place and hour.

        Of those alone that occurred after the number of their card began to stand for the vehicle; of none where any
        of them may belong to another vehicle: one of another category can bear the same number. category: asked for.
        """
        if self.proof is None or not self.is_proven:
            return _never
        own, since = self.proof.category, self.proof.since
        categories = {category, *(violation.category for violation in violations)}
        if own is not None and not categories <= {own, None}:
            return _never
        return lambda violation: since is None or violation.occurred_at > since


def _never(_: Violation) -> bool:
    return False


def standing_of(
    link: Follower | None,
    cards: Mapping[str, Card],
    *,
    is_seen: bool = False,
    pending: str | None = None,
    needs_proof: bool = False,
) -> Standing:
    """Work out what a citizen is to a plate.

    is_seen: they looked it up in the last 24 hours. pending: the fingerprint of a proof that waits for its card.
    needs_proof: whether a link without proof is none.
    """
    seen = Access.LOOKED_UP if is_seen else Access.NONE
    if link is None:
        return Standing(seen)
    without = seen if needs_proof else Access.LINKED
    if link.proven:
        proof = still_proves(cards, link.category, link.card or "", link.proved_at or "")
        if proof.right:
            return Standing(Access.PROVEN, link, proof)
        return Standing(without, link, proof, Turn.ENDED)
    if pending is None:
        return Standing(without, link)
    proof = judge(cards, link.category, pending)
    turn = (Turn.RIGHT if proof.right else Turn.WRONG) if proof.known else None
    return Standing(without, link, proof, turn, pending)


class Accesses:
    """Who is what to which plate, through the port. needs_proof: a link without proof sees and hears nothing."""

    def __init__(self, call: Call, citizens: str, registry: str, crypto: PlateCrypto, *, needs_proof: bool) -> None:
        self._call = call
        self._citizens = citizens
        self._registry = registry
        self._crypto = crypto
        self.needs_proof = needs_proof

    @classmethod
    def from_settings(cls, call: Call, crypto: PlateCrypto) -> Accesses:
        """Make it of this function's settings."""
        needs_proof = setting("PROOF") == REGISTRATION
        return cls(call, setting("CITIZENS_TABLE"), setting("REGISTRY_TABLE"), crypto, needs_proof=needs_proof)

    def access(self, sub: str, plate_key: str, at: datetime) -> Standing:
        """Say what a citizen is to a plate. One BatchGetItem."""
        return self.accesses(sub, [plate_key], at)[plate_key]

    def accesses(self, sub: str, plate_keys: Iterable[str], at: datetime) -> dict[str, Standing]:
        """Say what a citizen is to each of some plates. One BatchGetItem for eight of them."""
        return self._standings(sub, list(dict.fromkeys(plate_keys)), at)[1]

    def addressee(self, sub: str, plate_key: str | None, at: datetime) -> tuple[Profile | None, Standing]:
        """Give a citizen's profile, and what they are to a plate, if it is about one. One BatchGetItem."""
        profile, standings = self._standings(sub, [plate_key] if plate_key else [], at, item_key(sub, _PROFILE))
        return profile, standings[plate_key] if plate_key else Standing(Access.NONE)

    def cards(self, plate_key: str) -> dict[str, Card]:
        """Read a plate's cards. One BatchGetItem."""
        keys = card_keys(self._crypto.plate_fingerprint(plate_key))
        return cards_of(batch_get_of(self._call, {self._registry: keys})[self._registry])

    def judged(self, plate_key: str, followers: Iterable[Follower]) -> list[tuple[Follower, Standing]]:
        """Say of each follower of a plate what they are to it now. One BatchGetItem where any of them has proved it."""
        found = list(followers)
        cards = self.cards(plate_key) if any(each.proven for each in found) else {}
        return [(each, standing_of(each, cards, needs_proof=self.needs_proof)) for each in found]

    def _standings(
        self, sub: str, plate_keys: Sequence[str], at: datetime, *others: Item
    ) -> tuple[Profile | None, dict[str, Standing]]:
        marks = {self._crypto.plate_fingerprint(plate_key): plate_key for plate_key in plate_keys}
        own = [key for plate in plate_keys for key in (item_key(f"P#{plate}", sub), item_key(sub, f"SEEN#{plate}"))]
        registered = [key for mark in marks for key in (*card_keys(mark), pending_key(mark, sub))]
        found = batch_get_of(self._call, {self._citizens: [*own, *others], self._registry: registered})
        kept = {(item["pk"]["S"], item["sk"]["S"]): item for item in found[self._citizens]}
        by_mark: dict[str, list[Item]] = {mark: [] for mark in marks}
        for item in found[self._registry]:
            by_mark[item["pk"]["S"]].append(item)
        standings: dict[str, Standing] = {}
        for mark, plate_key in marks.items():
            link, seen = kept.get((f"P#{plate_key}", sub)), kept.get((sub, f"SEEN#{plate_key}"))
            pending = next((item for item in by_mark[mark] if item["sk"] == pending_key(mark, sub)["sk"]), None)
            standings[plate_key] = standing_of(
                follower_of(link) if link else None,
                cards_of(by_mark[mark]),
                is_seen=seen is not None and int(seen["expires"]["N"]) > epoch(at),
                pending=pending["number"]["S"] if pending else None,
                needs_proof=self.needs_proof,
            )
        profile = kept.get((sub, _PROFILE))
        return profile_of(profile) if profile else None, standings
