"""Registrations: which number stands on the registration card (السنوية) of which vehicle, however it is written."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from shared.domain.text import SEPARATORS, fold

MAX_NUMBER_CHARACTERS: Final = 40
_BETWEEN: Final = dict.fromkeys(map(ord, SEPARATORS))
_NUMBER: Final = re.compile(r"[^\W_]{4,32}")


def normal(text: str) -> str | None:
    """One form for every way to write the number: folded, without separators. None where it cannot be one."""
    if len(text) > MAX_NUMBER_CHARACTERS:
        return None
    number = fold(text).translate(_BETWEEN)
    return number if _NUMBER.fullmatch(number) else None


class Registration(NamedTuple):
    """One accepted row of a file: a vehicle and the number on its card, in its normal form.

    version: what tells which writing is newer. dated: whether the row named its own ``updated_at``. ref: the file
    version and line it stands on. uploaded_at: when that file was uploaded, as a stored text.
    """

    plate_key: str
    category: str | None
    number: str
    version: str
    dated: bool
    ref: str
    uploaded_at: str

    @property
    def identity(self) -> tuple[str, str | None]:
        """The vehicle: its plate and category."""
        return self.plate_key, self.category


class Card(NamedTuple):
    """What the registry knows under one key, a plate's with a category or with none: the fingerprint of a number.

    began: the instant at which this number first stood here; of the first one known, not what it replaced.
    known_from: when the first row under this key was loaded. Instants as stored texts.
    """

    number: str
    version: str
    began: str
    is_first: bool
    known_from: str


class Proof(NamedTuple):
    """What comes of a number that is held against a vehicle's cards.

    known: whether there is a card to hold it against. category: that of the card, where the plate's number is
    registered in several. since: from when on the number has stood for the vehicle; None where none is known before it.
    """

    right: bool
    known: bool = True
    category: str | None = None
    since: str | None = None


def asked_of(cards: Mapping[str, Card], category: str | None) -> dict[str | None, tuple[Card, str | None]]:
    """Find the cards that a vehicle is asked for, by their category, each with since when its number stands.

    cards: all of a plate, by category, "" for the one that names none. It speaks of the vehicle of any category, as
    long as no newer one names that. category: the vehicle's; None where it is not known: then every one counts.
    """
    named: list[str | None] = [*sorted(name for name in cards if name)]
    found: dict[str | None, tuple[Card, str | None]] = {}
    for asked in [category] if category else named or [None]:
        counting = [card for card in (cards.get(""), cards.get(asked or "") if asked else None) if card]
        if counting:
            newest = max(counting, key=lambda card: card.version)
            others = [card for card in counting if card is not newest]
            found[asked] = newest, _since(newest, others[0] if others else None)
    return found


def _since(card: Card, older: Card | None) -> str | None:
    """Since when a card's number has stood for its vehicle; the later instant where two are plausible."""
    if older is None:
        return None if card.is_first else card.began
    if older.number == card.number:
        return _since(older, None) if card.is_first else card.began
    return card.began if card.began >= _instant(older) else _instant(card)


def _instant(card: Card) -> str:
    """Of which instant a card's newest row speaks."""
    return card.version.partition("#")[0]


def compare(cards: Mapping[str, Card], category: str | None, number: str) -> Proof:
    """Hold the fingerprint of a number against the cards that its vehicle is asked for: for proving and asking anew."""
    asked = asked_of(cards, category)
    right = {name: since for name, (card, since) in asked.items() if hmac.compare_digest(card.number, number)}
    if not right:
        return Proof(right=False, known=bool(asked))
    since = max((since for since in right.values() if since), default=None)
    return Proof(right=True, category=category if len(right) == len(asked) else next(iter(right)), since=since)


def still_proves(cards: Mapping[str, Card], category: str | None, number: str, proved_at: str) -> Proof:
    """Ask anew whether a number that proved a vehicle at an instant still does.

    It does where nothing is registered any more: unknown is not another's. It never does again once another number
    stood between, though it be the number of today.
    """
    proof = compare(cards, category, number)
    if not proof.known:
        return Proof(right=True, known=False, category=category, since=proved_at)
    if proof.right and proof.since and proof.since > proved_at:
        return proof._replace(right=False)
    return proof
