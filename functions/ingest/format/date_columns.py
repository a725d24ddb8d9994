"""Judging columns of dates by many of their values: whether day and month stand where they are read.

A date that a spreadsheet of another country took for its own has day and month changed over, if both are up to 12;
else it stays the text that it was. So the days tell: each value that can be read in one way only speaks for all.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple

from ingest.format.header import Layout
from ingest.format.notices import Finding, Lines
from ingest.format.origins import LIVE
from ingest.format.parser import Source
from ingest.format.spreadsheet_made import bare
from shared.domain.text import clean
from shared.domain.time import from_text

_COLUMNS: Final[tuple[str, ...]] = ("occurred_at", "recorded_at", "updated_at", "paid_at", "doubled_at", "notified_at")
_IN_ORDER: Final[tuple[str, ...]] = ("occurred_at", "recorded_at", "updated_at")
"""What happens, is recorded and is then changed, in this order."""
_BEHIND: Final = (*_IN_ORDER, "paid_at", "notified_at")
"""Never ahead of the file; a doubling may be."""

_MONTHS: Final = 12
_FEW: Final = 3
_MAX_US_SHARE: Final = 0.1
_MIN_SWAPPED_SHARE: Final = 0.75

_ISO_FORM: Final = re.compile(r"([0-9]{4})[-/]([0-9]{1,2})[-/]([0-9]{1,2})(?![0-9])")
_ISO: Final = _ISO_FORM.match
_DAY_FIRST: Final = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})(?![0-9])").match
_DAY_CHARACTERS: Final = 10
_MAX_CHARACTERS: Final = 60
_REMEMBERED: Final = 8192


class _Day(NamedTuple):
    """A day as it is read. iso: its year stands first, as in a sheet's own dates.

    read, swapped: in ISO 8601, as it stands and with day and month in each other's place; empty for none of the
    calendar. swappable: these are two. certain: it can be read in this way only. turned: or in the other only.
    """

    iso: bool
    read: str
    swapped: str
    swappable: bool
    certain: bool
    turned: bool


@lru_cache(_REMEMBERED)
def _day(text: str) -> _Day | None:
    """Read how a cell begins; None for what is no date of digits."""
    if found := _ISO(text):
        year, month, day = map(int, found.groups())
    elif found := _DAY_FIRST(text):
        day, month, year = map(int, found.groups())
    else:
        return None
    iso = found.re is _ISO_FORM
    return _Day(
        iso,
        _calendar(year, month, day),
        _calendar(year, day, month),
        day != month and max(day, month) <= _MONTHS,
        day > _MONTHS >= month,
        month > _MONTHS >= day,
    )


def _calendar(year: int, month: int, day: int) -> str:
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return ""


def _days_of(rows: Lines, at: int) -> list[str]:
    """Return the days of a column as they are written: of many instants, days are few."""
    days = [record[at][:_DAY_CHARACTERS] for _, record in rows]
    if all(map(_day, filter(None, set(days)))):
        return days
    return [clean(bare(record[at][:_MAX_CHARACTERS].strip())).lstrip()[:_DAY_CHARACTERS] for _, record in rows]


class _Tally:
    """How many values of a column are of each kind. lines: where each kind was first seen."""

    def __init__(self) -> None:
        self.month_first = self.day_first = 0
        self.iso_turned = self.iso = self.iso_certain = self.texts = 0
        self.swappable = self.swapped = self.certain = self.certain_near = 0
        self.lines: dict[str, int] = {}

    def count(self, day: _Day, times: int) -> None:
        iso, _, _, swappable, certain, turned = day
        if swappable:
            self.swappable += times
        elif certain:
            self.certain += times
            if iso:
                self.iso_certain += times
            else:
                self.day_first += times
        elif turned and iso:
            self.iso_turned += times
        elif turned:
            self.month_first += times
        if iso:
            self.iso += times
        else:
            self.texts += times

    @property
    def order_us(self) -> bool:
        """Whether its texts are written month first."""
        return _outweigh(self.month_first, self.day_first)

    @property
    def is_turned(self) -> bool:
        """Whether the day stands before the month in those that begin with the year."""
        return _outweigh(self.iso_turned, self.iso_certain)

    @property
    def mixed(self) -> bool:
        return self.iso > 0 and self.texts > 0

    @property
    def kinds_mixed(self) -> bool:
        """Whether a spreadsheet made dates of exactly those texts that it could read month first."""
        return self.iso >= _FEW <= self.texts and not self.iso_certain and self.day_first == self.texts

    @property
    def is_swapped(self) -> bool:
        """Whether most of its days are right only with day and month in each other's place."""
        if self.swapped < _FEW:
            return False
        if self.certain < _FEW:
            return 2 * self.swapped > self.swappable
        # Those that are certain are of these weeks, and few of the others are.
        return self.swapped > _MIN_SWAPPED_SHARE * self.swappable and 2 * self.certain_near > self.certain

    @property
    def is_perhaps_swapped(self) -> bool:
        """Whether it is so of too few days to be sure, which are all that can be read in two ways."""
        return 0 < self.swapped < _FEW and self.swapped == self.swappable


def _outweigh(others: int, usual: int) -> bool:
    """Whether values that are dates in the other order only are more than a few typing errors among the usual ones."""
    return others > _FEW and others > _MAX_US_SHARE * usual if usual else others > 1


class DateColumns:
    """The columns of dates of a file. announce_within: so long before its file a live row may be recorded."""

    def __init__(self, layout: Layout, source: Source, announce_within: timedelta) -> None:
        self._at = {name: layout.columns.index(name) for name in _COLUMNS if name in layout.columns}
        self._tallies = {name: _Tally() for name in self._at}
        self._in_order = [name for name in _IN_ORDER if name in self._at]
        uploaded = from_text(source.last_modified)
        self._earliest = (uploaded - announce_within).date().isoformat()
        self._latest = (uploaded + timedelta(days=1)).date().isoformat()
        self._live = source.origin == LIVE

    def look(self, rows: Lines) -> None:
        """Take further rows into account, each as wide as the header."""
        days = {name: _days_of(rows, at) for name, at in self._at.items()}
        doubted = False
        for name, column in days.items():
            tally = _Tally()
            self._count(tally, Counter(column), name)
            self._note_lines(name, tally, rows, column)
            doubted = doubted or (name in self._in_order and tally.swappable > 0 and tally.certain < _FEW)
            self._add(name, tally)
        if doubted and len(self._in_order) > 1:
            self._look_at_order(days)

    def findings(self) -> Iterator[Finding]:
        """Give what is wrong with the columns so far, the worst of each."""
        for name, tally in self._tallies.items():
            at, lines = self._at[name], tally.lines
            if tally.order_us:
                yield Finding("date_order_us", name, at, tally.month_first, lines["month_first"])
            elif tally.kinds_mixed:
                yield Finding("date_kinds_mixed", name, at, tally.iso, lines["iso"])
            elif tally.is_turned:
                yield Finding("dates_swapped", name, at, tally.iso_turned, lines["iso_turned"], refuses=self._live)
            elif tally.is_swapped:
                yield Finding("dates_swapped", name, at, tally.swapped, lines["swappable"], refuses=self._live)
            elif tally.mixed:
                fewer = "iso" if tally.iso <= tally.texts else "texts"
                yield Finding("dates_of_two_kinds", name, at, getattr(tally, fewer), lines[fewer], refuses=False)
            elif tally.is_perhaps_swapped:
                yield Finding("dates_perhaps_swapped", name, at, tally.swapped, lines["swappable"], refuses=False)

    def _count(self, tally: _Tally, days: Counter[str], name: str) -> None:
        behind = name in _BEHIND
        for text, times in days.items():
            if day := _day(text):
                tally.count(day, times)
                if not behind:
                    continue
                if day.swappable:
                    tally.swapped += times * self._is_out_of_time(day)
                elif day.certain:
                    tally.certain_near += times * self._is_near(day.read)

    def _is_near(self, day: str) -> bool:
        return self._earliest <= day <= self._latest

    def _is_out_of_time(self, day: _Day) -> bool:
        """Whether a day lies in the weeks before the file only where day and month change places."""
        return not self._is_near(day.read) and self._is_near(day.swapped)

    def _look_at_order(self, days: dict[str, list[str]]) -> None:
        """Count further values that break the order of their row, and keep to it where day and month change places."""
        names = self._in_order
        for texts, times in Counter(zip(*(days[name] for name in names), strict=True)).items():
            for name, day in _out_of_order([(name, _day(text)) for name, text in zip(names, texts, strict=True)]):
                if not self._is_out_of_time(day):  # else it was counted
                    self._tallies[name].swapped += times

    def _note_lines(self, name: str, tally: _Tally, rows: Lines, column: Sequence[str]) -> None:
        """Note the first line of each kind that was not seen before."""
        noted = self._tallies[name].lines
        kinds: dict[str, Callable[[_Day], bool]] = {
            "month_first": lambda day: day.turned and not day.iso,
            "iso_turned": lambda day: day.turned and day.iso,
            "iso": lambda day: day.iso,
            "texts": lambda day: not day.iso,
            "swappable": lambda day: day.swappable,
        }
        for kind, is_of_it in kinds.items():
            if kind not in noted and getattr(tally, kind):
                places = (place for place, text in enumerate(column) if (day := _day(text)) and is_of_it(day))
                noted[kind] = rows[next(places)][0]

    def _add(self, name: str, tally: _Tally) -> None:
        sum_ = self._tallies[name]
        for kind, counted in vars(tally).items():
            if kind != "lines":
                setattr(sum_, kind, getattr(sum_, kind) + counted)


def _out_of_order(days: Sequence[tuple[str, _Day | None]]) -> Iterator[tuple[str, _Day]]:
    """Give the days of a row that stand in order only with day and month in each other's place."""
    known = [(name, day) for name, day in days if day]
    read = [day.read for _, day in known]
    if _stand_in_order(read):
        return
    turned = [day.swapped if day.swappable else day.read for _, day in known]
    alone = [
        each
        for place, each in enumerate(known)
        if each[1].swappable and _stand_in_order([*read[:place], turned[place], *read[place + 1 :]])
    ]
    if alone:
        yield from alone
    elif _stand_in_order(turned):
        yield from (each for each in known if each[1].swappable)


def _stand_in_order(days: Iterable[str]) -> bool:
    return all(before <= after for before, after in pairwise(filter(None, days)))
