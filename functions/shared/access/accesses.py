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
from shared.stores.items import Item, batch_get_of, epoch, item_key, readable
from shared.stores.people.links import follower_of
from shared.stores.people.profiles import ERASING, profile_of
from shared.stores.registry import card_keys, cards_of, is_card, pending_key

REGISTRATION: Final = "registration"
"""The value of the parameter ``Proof`` under which a link without proof sees and hears nothing."""

_PROFILE: Final = "PROFILE"


class Accesses:
    """Who is what to which plate, through the port. needs_proof: a link without proof sees and hears nothing.

    unreadable, where a call takes it: as :func:`shared.stores.items.readable` does. What cannot be read gives no right,
    and ends none: a link whose proof or card cannot be read is one without proof for as long.
    """

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

    def access(self, sub: str, plate_key: str, at: datetime, unreadable: list[Exception] | None = None) -> Grant:
        """Say what a citizen is to a plate. One BatchGetItem."""
        return self.accesses(sub, [plate_key], at, unreadable)[plate_key]

    def accesses(
        self, sub: str, plate_keys: Iterable[str], at: datetime, unreadable: list[Exception] | None = None
    ) -> dict[str, Grant]:
        """Say what a citizen is to each of some plates. One BatchGetItem for eight of them."""
        return self._grants(sub, list(dict.fromkeys(plate_keys)), at, unreadable=unreadable)[1]

    def addressee(self, sub: str, plate_key: str | None, at: datetime) -> tuple[Profile | None, Grant]:
        """Give a citizen's profile, and what they are to a plate, if it is about one. One BatchGetItem."""
        profile, grants = self._grants(sub, [plate_key] if plate_key else [], at, item_key(sub, _PROFILE))
        return profile, grants[plate_key] if plate_key else Grant(Access.NONE)

    def cards(self, plate_key: str) -> dict[str, Card]:
        """Read a plate's cards. One BatchGetItem."""
        return self.cards_of([plate_key]).get(plate_key, {})

    def cards_of(
        self, plate_keys: Iterable[str], unreadable: list[Exception] | None = None
    ) -> dict[str, dict[str, Card]]:
        """Read the cards of some plates, each plate's by category. One BatchGetItem for nine of them.

        A plate whose cards cannot be read is left out; one without is not.
        """
        wanted = list(dict.fromkeys(plate_keys))
        marks = {mark: plate_key for plate_key in wanted for mark in self._crypto.registry_marks(plate_key)}
        keys = [key for mark in marks for key in card_keys(mark)]
        by_plate: dict[str, list[Item]] = {plate_key: [] for plate_key in wanted}
        for item in batch_get_of(self._call, {self._registry: keys})[self._registry]:
            by_plate[marks[item["pk"]["S"]]].append(item)
        return dict(readable(by_plate.items(), lambda one: (one[0], cards_of(one[1], self._crypto)), unreadable))

    def of_followers(
        self, plate_key: str, followers: Iterable[Follower], unreadable: list[Exception] | None = None
    ) -> list[tuple[Follower, Grant]]:
        """Say of each follower of a plate what they are to it now. One BatchGetItem where any of them has proved it."""
        found = list(followers)
        proven = [plate_key] if any(each.proven for each in found) else []
        cards = next(readable(proven, self.cards, unreadable), None if proven else {})
        if cards is None:
            found, cards = [each._replace(proven=False) for each in found], {}
        wrap = self._crypto.wrap
        return [(each, grant_of(each, cards, needs_proof=self.needs_proof, wrap=wrap)) for each in found]

    def _grants(
        self,
        sub: str,
        plate_keys: Sequence[str],
        at: datetime,
        *others: Item,
        unreadable: list[Exception] | None = None,
    ) -> tuple[Profile | None, dict[str, Grant]]:
        marks = {mark: plate_key for plate_key in plate_keys for mark in self._crypto.registry_marks(plate_key)}
        own = [key for plate in plate_keys for key in (item_key(f"P#{plate}", sub), item_key(sub, f"SEEN#{plate}"))]
        registered = [key for mark in marks for key in (*card_keys(mark), pending_key(mark, sub))]
        found = batch_get_of(self._call, {self._citizens: [*own, *others], self._registry: registered})
        kept = {(item["pk"]["S"], item["sk"]["S"]): item for item in found[self._citizens]}
        by_plate: dict[str, list[Item]] = {plate_key: [] for plate_key in plate_keys}
        for item in found[self._registry]:
            by_plate[marks[item["pk"]["S"]]].append(item)
        grants: dict[str, Grant] = {}
        for plate_key, items in by_plate.items():
            links = [kept[key] for key in [(f"P#{plate_key}", sub)] if key in kept]
            seen = [kept[key] for key in [(sub, f"SEEN#{plate_key}")] if key in kept]
            link = next(readable(links, follower_of, unreadable), None)
            decided = next(readable([items], self._registered, unreadable), None)
            if decided is None and link:
                link = link._replace(proven=False)
            cards, pending = decided or ({}, None)
            grants[plate_key] = grant_of(
                link,
                cards,
                is_seen=next(readable(seen, _expires, unreadable), 0) > epoch(at),
                pending=pending,
                needs_proof=self.needs_proof,
                wrap=self._crypto.wrap,
            )
        profile = kept.get((sub, _PROFILE))
        there = profile if profile and ERASING not in profile else None
        return profile_of(there) if there else None, grants

    def _registered(self, items: Sequence[Item]) -> tuple[dict[str, Card], str | None]:
        """The cards among a plate's items, and the number of a proof that waits for one."""
        waiting = [item["number"]["S"] for item in items if not is_card(item)]
        return cards_of(items, self._crypto), waiting[0] if waiting else None


def _expires(item: Item) -> int:
    return int(item["expires"]["N"])
