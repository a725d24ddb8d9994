"""Another set of the rules of money: what it would touch; and the days that violations are found by, brought to it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

from infra.cost import ITEM_BYTES, READ, WRITE
from infra.operator.deployment import Deployment
from infra.policies import steps
from shared.domain.fine import due
from shared.domain.governorates import GOVERNORATES
from shared.domain.plate import Plate
from shared.domain.rules import Rules, article
from shared.domain.text import digest
from shared.domain.time import to_text
from shared.domain.violation import Violation
from shared.policies import FILE, RULES
from shared.stores.items import Item, text
from shared.stores.violation_rows import doubling_day, read
from shared.stores.violations import Reindexing, Violations

SEGMENTS: Final = 8
"""Shares of the table that are read at a time."""
WRITES_A_DAY: Final = 4
"""Units at most: the item, its copy in ByPlate, its place in ByDoublingDay taken away and put."""

LOOKED_AT: Final = "looked at"
CHANGED: Final = "days changed"
MEANWHILE: Final = "changed meanwhile"


class Touched(NamedTuple):
    """By how many dinars at most a fine gets dearer and cheaper, at whatever moment from now on."""

    raised: int
    lowered: int


def touched(violation: Violation, before: Rules, after: Rules, at: str) -> Touched:
    """Compare what two sets ask of a violation from an instant on."""
    if not (violation.owed or violation.is_disputed):  # what is disputed is not settled, and rises all the same
        return Touched(0, 0)
    fine = violation.facts
    instants = {at, *(step.at for rules in (before, after) for step in steps(fine, rules) if step.at > at)}
    by = [due(fine, each, after).amount - due(fine, each, before).amount for each in instants]
    return Touched(max(0, *by), max(0, *(-each for each in by)))


def preview(deployment: Deployment, after: Rules) -> Iterator[str]:
    """Say how many fines and dinars a set would touch beside the one in force. One walk through the table."""
    at = to_text(deployment.clock())

    def share(segment: int) -> tuple[int, Counter[tuple[str, str, str]]]:
        looked_at, counts = 0, Counter[tuple[str, str, str]]()
        for items in _violations(deployment).read_through(segment, SEGMENTS):
            for violation in map(read, items):
                looked_at += 1
                for what, dinars in touched(violation, RULES, after, at)._asdict().items():
                    if dinars:
                        counts[(*_cell(violation), what)] += 1
                        counts[(*_cell(violation), f"{what} dinars")] += dinars
        return looked_at, counts

    total, counts = 0, Counter[tuple[str, str, str]]()
    with ThreadPoolExecutor(SEGMENTS) as pool:
        for looked_at, found in pool.map(share, range(SEGMENTS)):
            total += looked_at
            counts.update(found)
    yield f"{total:,} violations {LOOKED_AT}"
    for what in Touched._fields:
        fines = sum(n for cell, n in counts.items() if cell[2] == what)
        dinars = sum(n for cell, n in counts.items() if cell[2] == f"{what} dinars")
        yield f"{what}: {fines:,} fines, {dinars:,} dinars"
        for cell in sorted(cell for cell in counts if cell[2] == what):
            governorate, of, _ = cell
            in_cell = counts[governorate, of, f"{what} dinars"]
            yield f"  {governorate}, {of}: {counts[cell]:,} fines, {in_cell:,} dinars"


def _cell(violation: Violation) -> tuple[str, str]:
    """The governorate of the plate, and the article."""
    governorate = GOVERNORATES[Plate.from_key(violation.plate_key).governorate].name("en")
    return governorate, (violation.legal_ref and article(violation.legal_ref)) or "no article"


# ---------------------------------------------------------------------- days


def another_day(item: Item, today: str) -> tuple[str | None, bool]:
    """The ``doubling_day`` of an item by the rules in force, and whether it must be written.

    Days that are over stay as they are: nobody looks for them.
    """
    day, stored = doubling_day(read(item), RULES), text(item, "doubling_day")
    return day, day != stored and max(day or "", stored or "")[:10] >= today


class Outlook(NamedTuple):
    """What is still to be done: violations to be read, days to be changed."""

    reads: int
    changes: int

    def lines(self) -> Iterator[str]:
        """Say it, with units and dollars."""
        reads, writes = self.reads * ITEM_BYTES // 8192 + 1, self.changes * WRITES_A_DAY
        yield f"{self.reads:,} violations to be read again, {self.changes:,} days to be changed"
        yield f"{reads:,} read units, at most {writes:,} write units: ${reads * READ + writes * WRITE:,.2f}"


def ledger(deployment: Deployment) -> Reindexing:
    """How far the days are those of the rules in force."""
    newest = json.loads(Path(FILE).read_bytes())["sets"][-1]
    return Reindexing(deployment.call, deployment.physical["Files"], digest(json.dumps(newest, sort_keys=True)))


def outlook(deployment: Deployment) -> Outlook | None:
    """Read through what is not done yet, and count; None where everything is done."""
    places = {segment: ledger(deployment).place(segment) for segment in range(SEGMENTS)}
    todo = {segment: after for segment, (after, done) in places.items() if not done}
    if not todo:
        return None
    today = to_text(deployment.clock())[:10]

    def share(segment: int) -> Outlook:
        reads = changes = 0
        for items in _violations(deployment).read_through(segment, SEGMENTS, todo[segment]):
            reads += len(items)
            changes += sum(another_day(item, today)[1] for item in items)
        return Outlook(reads, changes)

    with ThreadPoolExecutor(SEGMENTS) as pool:
        found = list(pool.map(share, todo))
    return Outlook(sum(one.reads for one in found), sum(one.changes for one in found))


def reindex(deployment: Deployment, counts: dict[str, object]) -> None:
    """Bring the days up to date, by pages: the place of each is kept once it is done, and a second run goes on there.

    counts: brought up to date also where this is broken off. A violation that another write changes meanwhile has its
    day by that.
    """
    done: Counter[str] = Counter()
    places = ledger(deployment)
    for segment in range(SEGMENTS):
        if places.place(segment) == (None, False):
            places.keep(segment, None)  # before any day changes: whoever goes back to another set begins anew
    try:
        with ThreadPoolExecutor(SEGMENTS) as pool:
            for each in [pool.submit(partial(_segment, deployment, segment, done)) for segment in range(SEGMENTS)]:
                each.result()
    finally:
        counts |= _counted(done)


def _counted(done: Mapping[str, int]) -> dict[str, Any]:
    return {what: done.get(what, 0) for what in (LOOKED_AT, CHANGED, MEANWHILE)}


def _segment(deployment: Deployment, segment: int, counts: Counter[str]) -> None:
    violations, places = _violations(deployment), ledger(deployment)
    today = to_text(deployment.clock())[:10]
    after, done = places.place(segment)
    if done:
        return
    for items in violations.read_through(segment, SEGMENTS, after):
        for item in items:
            day, changes = another_day(item, today)
            if changes:
                counts[CHANGED if violations.find_on(item, day) else MEANWHILE] += 1
        counts[LOOKED_AT] += len(items)
        if items:
            after = items[-1]["pk"]["S"]
            places.keep(segment, after)
    places.keep(segment, after, done=True)


def _violations(deployment: Deployment) -> Violations:
    return Violations(deployment.call, deployment.physical["Violations"])
