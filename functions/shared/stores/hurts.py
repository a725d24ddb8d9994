"""What a row does to a violation that may hurt somebody, and so is told: in the report, and to the operator."""

from __future__ import annotations

from typing import Final

from shared.domain.violation import CANCELLED, OPEN, PAID
from shared.stores.items import Item, number, text
from shared.stores.versioned import BEATEN, Hurts, file_of
from shared.stores.violation_rows import Row

MOVED: Final = "moved"
"""To another plate."""
REOPENED: Final = "reopened"
"""Paid or cancelled, and open again."""
TENFOLD: Final = "amount_tenfold"
"""Its amount became ten times what it was or more, or a tenth or less."""
TWO_PLATES: Final = "number_on_two_plates"
"""Its file says as much of another plate."""

_ENDED: Final = (PAID, CANCELLED)
_TENFOLD: Final = 10


def reopens(row: Row, known: Item) -> bool:
    """Whether a row of another file would make open what the directorate called paid or cancelled."""
    opens = row.violation.status == OPEN and text(known, "status") in _ENDED
    return opens and not known["changed_by"]["S"].startswith(file_of(row.ref))


def contradicts(row: Row, known: Item) -> bool:
    """Whether a line of a row's own file said the same moment's truth of another plate."""
    if known["plate"]["S"] == row.violation.plate_key:
        return False
    if not known["changed_by"]["S"].startswith(file_of(row.ref)):
        return False
    moment: str = known["version"]["S"].partition("#")[0]
    return moment == row.violation.as_of


def of_contradiction(row: Row, known: Item) -> Hurts:
    """What should be told where two lines of a file name two plates: both of them."""
    return ((TWO_PLATES, row.ref), (TWO_PLATES, known["changed_by"]["S"])) if contradicts(row, known) else ()


def of_change(row: Row, known: Item) -> Hurts:
    """What of a change of a known violation should be told."""
    violation, former = row.violation, known["changed_by"]["S"]
    hurts = list(of_contradiction(row, known))
    if not hurts and known["plate"]["S"] != violation.plate_key:
        hurts.append((MOVED, row.ref))
    if former.startswith(file_of(row.ref)):
        hurts.append((BEATEN, former))
    if violation.status == OPEN and text(known, "status") in _ENDED:
        hurts.append((REOPENED, row.ref))
    amounts = (number(known, "amount"), violation.amount), (number(known, "amount_due"), violation.amount_due)
    if any(_is_tenfold(*pair) for pair in amounts):
        hurts.append((TENFOLD, row.ref))
    return tuple(hurts)


def _is_tenfold(before: int | None, after: int | None) -> bool:
    if not before or not after:
        return False
    return max(before, after) >= _TENFOLD * min(before, after)


def kept(hurts: Hurts) -> str | None:
    """What should be told, as the changed item keeps it for a line that comes again; None for nothing."""
    return " ".join(f"{code}@{ref}" for code, ref in hurts) or None


def told_before(known: Item) -> Hurts:
    """What the last change of a violation should be told for."""
    told = (each.partition("@") for each in (text(known, "was") or "").split())
    return tuple((code, ref) for code, _, ref in told)
