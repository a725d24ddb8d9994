"""What a row of a registry file makes of the card of its vehicle: the number that stands, since when, and what stood.

Attributes: ``number`` (a fingerprint), ``version``, ``began`` (the instant of the row with which this number first
stood here; kept when a newer row repeats it), ``first`` (no other number is known here), ``known_from`` (when the file
of the first row was uploaded), ``replaced`` (fingerprints of numbers that stood before), ``changed_by`` and, where
another line inserted it, ``inserted_by`` (refs). While somebody is still to hear that another number stands:
``to_walk`` and ``sealed_plate``.

Files may come in any order. What an older row tells of the past is kept; where it cannot be known any more since when
a number stands, ``began`` is the later of what it may be: an owner sees the places of what happened after it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from shared.domain.registration import Registration
from shared.stores import versioned
from shared.stores.items import Item, pack, text
from shared.stores.versioned import RETURNS_UNDATED, STALE, WAITING, file_of, hurting, hurts_of_stale

TO_WALK: Final = "1"
"""What stands in ``to_walk``, the key of the index of what is looked at after each file of registrations."""

_AS_READ: Final = "version = :seen AND (attribute_not_exists(began) OR began = :was)"


class Change(NamedTuple):
    """An update of a card that stands, and the condition on which it was decided."""

    expression: str
    condition: str
    values: Item


def insertion(row: Registration, number: str) -> Item:
    """Give the attributes of the first card of a vehicle."""
    return {
        "number": {"S": number},
        "version": {"S": row.version},
        "began": {"S": _instant(row.version)},
        "first": {"BOOL": True},
        "known_from": {"S": row.uploaded_at},
        "changed_by": {"S": row.ref},
    }


def decide(
    row: Registration, number: str, known: Item, *, moves: bool, seal: Callable[[str], str]
) -> tuple[str, Change | None]:
    """Decide what becomes of a row beside the card that stands, and what of the card.

    number: the row's fingerprint. moves: it may replace the number of another file, and else waits. seal: encrypts a
    plate.
    """
    same = known["number"]["S"] == number
    outcome, needed = versioned.decide(row, known, same=same)
    if outcome == STALE:
        hurts = hurts_of_stale(row, known, same=same)
        return hurting(outcome, hurts), _stood_already(row, known) if same else _stood(row, number, known)
    if not needed:
        return outcome, None
    if same:
        return outcome, _change(row, known)
    # Lines of one file are told apart by where they stand, whichever was loaded first.
    of_another = not known["changed_by"]["S"].startswith(file_of(row.ref))
    undated = of_another and not row.dated
    if undated and number in _replaced(known):
        return hurting(STALE, ((RETURNS_UNDATED, row.ref),)), None
    if of_another and not moves:
        return WAITING, None
    return outcome, _replacement(row, number, known, seal(row.plate_key), undated=undated)


def _change(row: Registration, known: Item, sets: str = "") -> Change:
    inserted = "inserted_by = if_not_exists(inserted_by, changed_by)"
    values = pack({":version": row.version, ":ref": row.ref})
    expression = f"SET version = :version, {inserted}, changed_by = :ref{sets}"
    return Change(expression, "version = :seen", {**values, ":seen": known["version"]})


def _replacement(row: Registration, number: str, known: Item, plate: str, *, undated: bool) -> Change:
    """Let another number stand.

    plate: sealed. undated: the row may not bring back a number that stood before, as another run may find.
    """
    walk = "to_walk = :walk, sealed_plate = :plate"
    sets = f", #number = :number, began = :began, #first = :no, {walk} ADD replaced :former"
    expression, condition, values = _change(row, known, sets)
    values |= pack({":number": number, ":began": _instant(row.version), ":no": False})
    values |= pack({":walk": TO_WALK, ":plate": plate})
    values[":former"] = {"SS": [known["number"]["S"]]}
    return Change(expression, f"{condition} AND NOT contains(replaced, :number)" if undated else condition, values)


def _stood(row: Registration, number: str, known: Item) -> Change | None:
    """Keep that another number stood before."""
    was = _began(known)
    began = was if was > _instant(row.version) else _instant(known["version"]["S"])
    if began == was and number in _replaced(known):
        return None
    values = pack({":began": began, ":was": was, ":no": False})
    return Change(
        "SET began = :began, #first = :no ADD replaced :former",
        _AS_READ,
        {**values, ":former": {"SS": [number]}, ":seen": known["version"]},
    )


def _stood_already(row: Registration, known: Item) -> Change | None:
    """Keep that the number stood earlier than was known, where no other one is known that could have come between."""
    was, began = _began(known), _instant(row.version)
    if not row.dated or began >= was or "replaced" in known:
        return None
    values = pack({":began": began, ":was": was})
    return Change(
        "SET began = :began",
        f"{_AS_READ} AND attribute_not_exists(replaced)",
        {**values, ":seen": known["version"]},
    )


def _replaced(known: Item) -> list[str]:
    found: list[str] = known["replaced"]["SS"] if "replaced" in known else []
    return found


def _began(known: Item) -> str:
    return text(known, "began") or _instant(known["version"]["S"])


def _instant(version: str) -> str:
    return version.partition("#")[0]
