"""What a citizen is to a plate: proven, linked, looked up or none. It is decided here alone, and anew on each use.

A link keeps the fingerprint of the number that proved it. It is held against the plate's cards each time: a proof ends
when the newest card of its vehicle bears another number, and never comes back by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from shared.domain.citizen import Follower
from shared.domain.registration import Card, Proof, compare, still_proves
from shared.domain.violation import Violation


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


class Grant(NamedTuple):
    """A citizen's access to a plate.

    link: theirs as it is written. proof: what the registry says of the number that it was proved with, or is to be.
    turn: what of that is not written yet (:mod:`shared.access.proofs`). number: the fingerprint that waits for its
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


def grant_of(
    link: Follower | None,
    cards: Mapping[str, Card],
    *,
    is_seen: bool = False,
    pending: str | None = None,
    needs_proof: bool = False,
    wrap: Callable[[str], str] = str,
) -> Grant:
    """Work out what a citizen is to a plate.

    wrap: brings what is kept of a number to the version of the key in which those of the cards are.

    is_seen: they looked it up in the last 24 hours. pending: the fingerprint of a proof that waits for its card.
    needs_proof: whether a link without proof is none.
    """
    seen = Access.LOOKED_UP if is_seen else Access.NONE
    if link is None:
        return Grant(seen)
    without = seen if needs_proof else Access.LINKED
    if link.proven:
        proof = still_proves(cards, link.category, wrap(link.card or ""), link.proved_at or "")
        if proof.right:
            return Grant(Access.PROVEN, link, proof)
        return Grant(without, link, proof, Turn.ENDED)
    if pending is None:
        return Grant(without, link)
    proof = compare(cards, link.category, wrap(pending))
    turn = (Turn.RIGHT if proof.right else Turn.WRONG) if proof.known else None
    return Grant(without, link, proof, turn, pending)
