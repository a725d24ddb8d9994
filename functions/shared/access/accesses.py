"""Who is what to which plate, asked of the tables anew on each use."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from shared.access.grant import Access, Grant, grant_of
from shared.aws_json import Call
from shared.domain.citizen import Follower, Profile
from shared.domain.registration import Card
from shared.plate_crypto import PlateCrypto
from shared.settings import setting
from shared.stores.items import Item, batch_get_of, epoch, item_key
from shared.stores.people.links import follower_of
from shared.stores.people.profiles import profile_of
from shared.stores.registry import card_keys, cards_of, pending_key

REGISTRATION: Final = "registration"
"""The value of the parameter ``Proof`` under which a link without proof sees and hears nothing."""

_PROFILE: Final = "PROFILE"


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

    def access(self, sub: str, plate_key: str, at: datetime) -> Grant:
        """Say what a citizen is to a plate. One BatchGetItem."""
        return self.accesses(sub, [plate_key], at)[plate_key]

    def accesses(self, sub: str, plate_keys: Iterable[str], at: datetime) -> dict[str, Grant]:
        """Say what a citizen is to each of some plates. One BatchGetItem for eight of them."""
        return self._grants(sub, list(dict.fromkeys(plate_keys)), at)[1]

    def addressee(self, sub: str, plate_key: str | None, at: datetime) -> tuple[Profile | None, Grant]:
        """Give a citizen's profile, and what they are to a plate, if it is about one. One BatchGetItem."""
        profile, grants = self._grants(sub, [plate_key] if plate_key else [], at, item_key(sub, _PROFILE))
        return profile, grants[plate_key] if plate_key else Grant(Access.NONE)

    def cards(self, plate_key: str) -> dict[str, Card]:
        """Read a plate's cards. One BatchGetItem."""
        keys = card_keys(self._crypto.plate_fingerprint(plate_key))
        return cards_of(batch_get_of(self._call, {self._registry: keys})[self._registry])

    def of_followers(self, plate_key: str, followers: Iterable[Follower]) -> list[tuple[Follower, Grant]]:
        """Say of each follower of a plate what they are to it now. One BatchGetItem where any of them has proved it."""
        found = list(followers)
        cards = self.cards(plate_key) if any(each.proven for each in found) else {}
        return [(each, grant_of(each, cards, needs_proof=self.needs_proof)) for each in found]

    def _grants(
        self, sub: str, plate_keys: Sequence[str], at: datetime, *others: Item
    ) -> tuple[Profile | None, dict[str, Grant]]:
        marks = {self._crypto.plate_fingerprint(plate_key): plate_key for plate_key in plate_keys}
        own = [key for plate in plate_keys for key in (item_key(f"P#{plate}", sub), item_key(sub, f"SEEN#{plate}"))]
        registered = [key for mark in marks for key in (*card_keys(mark), pending_key(mark, sub))]
        found = batch_get_of(self._call, {self._citizens: [*own, *others], self._registry: registered})
        kept = {(item["pk"]["S"], item["sk"]["S"]): item for item in found[self._citizens]}
        by_mark: dict[str, list[Item]] = {mark: [] for mark in marks}
        for item in found[self._registry]:
            by_mark[item["pk"]["S"]].append(item)
        grants: dict[str, Grant] = {}
        for mark, plate_key in marks.items():
            link, seen = kept.get((f"P#{plate_key}", sub)), kept.get((sub, f"SEEN#{plate_key}"))
            pending = next((item for item in by_mark[mark] if item["sk"] == pending_key(mark, sub)["sk"]), None)
            grants[plate_key] = grant_of(
                follower_of(link) if link else None,
                cards_of(by_mark[mark]),
                is_seen=seen is not None and int(seen["expires"]["N"]) > epoch(at),
                pending=pending["number"]["S"] if pending else None,
                needs_proof=self.needs_proof,
            )
        profile = kept.get((sub, _PROFILE))
        return profile_of(profile) if profile else None, grants
