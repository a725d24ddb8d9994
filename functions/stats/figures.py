"""The country's figures: counted item by item, and published so that no figure speaks of fewer than ten."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from shared.domain.violation import IN_PAYMENT, OPEN, PAID, UNPAID
from shared.stores.items import Item, number, text

FEWEST: Final = 10
"""A smaller count is left out: it may tell of somebody."""

Cell = tuple[str, str, str]
"""Family, governorate and state."""


class Figures(NamedTuple):
    """What was counted.

    cells: violations. paid, dinars: settled here, ever; undoubled: of them, at no more than the base amount. day_paid,
    day_dinars: the same on the day that the figures are of.
    """

    cells: Counter[Cell]
    totals: Counter[str]


def count(items: Iterable[Item], day: str) -> Figures:
    """Count items of the violations table. day: ISO, Baghdad."""
    cells: Counter[Cell] = Counter()
    totals: Counter[str] = Counter()
    for item in items:
        family, governorate = item["plate"]["S"].split("#", 2)[:2]
        cells[family, governorate, _state(item)] += 1
        if "paid_by" not in item:
            continue
        dinars = number(item, "paid_amount") or 0
        totals["paid"] += 1
        totals["dinars"] += dinars
        totals["undoubled"] += dinars <= int(item["amount"]["N"])
        if (text(item, "paid_at") or "").startswith(day):
            totals["day_paid"] += 1
            totals["day_dinars"] += dinars
    return Figures(cells, totals)


def _state(item: Item) -> str:
    if "paid_by" in item:
        return PAID
    status: str = item["status"]["S"]
    if status != OPEN:
        return status
    return IN_PAYMENT if "held_by" in item else UNPAID


def together(parts: Iterable[Figures]) -> Figures:
    """The figures of several shares of the table."""
    cells: Counter[Cell] = Counter()
    totals: Counter[str] = Counter()
    for part in parts:
        cells.update(part.cells)
        totals.update(part.totals)
    return Figures(cells, totals)


def published(figures: Figures, day: str, services: Mapping[str, int | None]) -> dict[str, Any]:
    """The document of a day. Null: fewer than ten, or not known.

    No sum stands beside the cells that it sums, so that a hidden one cannot be computed. services: look-ups and SMS of
    the day.
    """
    totals = figures.totals
    return {
        "date": day,
        "violations": [
            {"family": family, "governorate": governorate, "status": state, "count": _shown(found)}
            for (family, governorate, state), found in sorted(figures.cells.items())
        ],
        "settled": {
            "violations": _shown(totals["paid"]),
            "dinars": _shown(totals["dinars"], of=totals["paid"]),
            "before_doubling": _shown(totals["undoubled"]),
        },
        "day": {
            "violations_paid": _shown(totals["day_paid"]),
            "dinars": _shown(totals["day_dinars"], of=totals["day_paid"]),
            **{name: None if value is None else _shown(value) for name, value in services.items()},
        },
    }


def _shown(value: int, *, of: int | None = None) -> int | None:
    """A figure, where it speaks of nobody or of ten or more."""
    counted = value if of is None else of
    return value if counted == 0 or counted >= FEWEST else None
