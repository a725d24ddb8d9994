"""Every change of a violation's status is told once to whom it concerns, and never as what it is not.

Rows of live files and backlogs say anything in any order, some of them held back; records come again, processes die,
the clock goes on. What the SMS said is laid beside a model that knows statuses and plates and nothing of the code's own
ideas.
"""

from __future__ import annotations

import contextlib
import random
from collections import Counter
from collections.abc import Iterator
from typing import Final, NamedTuple

import pytest

from shared.aws_json import Json
from shared.domain.message import OUT
from shared.domain.violation import CANCELLED, DISPUTED, OPEN, PAID, make_version
from tests.support.aws import Engine
from tests.support.build import OTHER_PHONE, OTHER_PLATE, PHONE, PLATE, follow, row, settle, violation
from tests.support.notify_world import PORT_FAULTS, World, surviving, world

NEW, GONE, OBJECTED, REFUSED, ACCEPTED = (
    "new_violation", "cancelled", "disputed", "dispute_refused", "dispute_accepted",
)  # fmt: skip
BEGINS: Final = {
    NEW: "new violation",
    GONE: "violations cancelled, ",
    OBJECTED: "objection recorded, ",
    REFUSED: "objection refused, ",
    ACCEPTED: "objection accepted, ",
}
OF_A_DISPUTE: Final = (OBJECTED, REFUSED, ACCEPTED)
PLATES: Final = (PLATE.key, OTHER_PLATE.key)
FOLLOWED: Final = {
    "both": {*PLATES},
    "here": {PLATE.key},
    "there": {OTHER_PLATE.key},
}
PHONES: Final = {"both": PHONE, "here": OTHER_PHONE, "there": "+9647509182736", "silent": "+9647509182737"}
NUMBERS: Final = ("RECENT", "OLD")
"""Of two violations: one was recorded lately, one long ago; followers hear of that as new no more."""
FILE: Final = "f"
"""The one file whose news are held back."""


class Known(NamedTuple):
    """What the directorate said last of a violation. day: which of its rows that was."""

    day: int
    status: str
    plate: str
    amount: int


class Due(NamedTuple):
    """News that everybody concerned should have, while nothing newer is known. dispute: the how manieth it is about."""

    kind: str
    plate: str
    dispute: int


class Life:
    """One violation in the model. public: what anybody can have heard of it; held: news of it wait for their file."""

    def __init__(self) -> None:
        self.known: Known | None = None
        self.public: Known | None = None
        self.held = False
        self.dispute = 0
        self.due: list[Due] = []
        self.told: list[str] = []
        self.paid = False
        self.knew: set[str] = set()
        self.is_noted = False

    def says(self, new: Known, *, live: bool, held: bool, recent: bool) -> None:
        """A row is the newest."""
        was = self.known
        self.known = new
        if new.status == DISPUTED and not any(each and each.status == DISPUTED for each in (was, self.public)):
            self.dispute += 1
        news = self.news(self.public, new, recent=recent) if live else []
        if news and held:
            self.held, self.due = True, []
            return
        self.out(news)

    def out(self, news: list[Due]) -> None:
        """What is known becomes public."""
        before, self.public, self.held = self.public, self.known, False
        same = before and self.known and before[1:3] == self.known[1:3]
        if news or not same:
            self.due = news
        self.told += [due.kind for due in news]

    def news(self, before: Known | None, new: Known, *, recent: bool) -> list[Due]:
        """What is to be told: at most once for the plate where it is, and for that where it was."""
        was, where = (before.status, before.plate) if before else (None, None)
        moved = where is not None and where != new.plate
        if was == DISPUTED and new.status == CANCELLED and where:
            return [Due(ACCEPTED, where, self.dispute)]
        if self.paid:
            return []
        told = []
        if new.status == DISPUTED and (was != DISPUTED or moved) and (before or recent):
            told.append(Due(OBJECTED, new.plate, self.dispute))
        elif new.status == OPEN and was == DISPUTED and not moved:
            told.append(Due(REFUSED, new.plate, self.dispute))
        elif new.status == OPEN and (was != OPEN or moved) and recent:
            told.append(Due(NEW, new.plate, self.dispute))
        if where and (moved or new.status == CANCELLED) and (was in (OPEN, DISPUTED) or told):
            told.append(Due(GONE, where, self.dispute))
        return told


class Disputes:
    """The model beside the tables, and what chance lets happen to both."""

    def __init__(self, here: World, engine: Engine, seed: int) -> None:
        self.here = here
        self.engine = engine
        self.chance = random.Random(seed)
        self.lives = {number: Life() for number in NUMBERS}
        self.batches: list[list[Json]] = []
        self.announced = 0
        self.said: Counter[tuple[str, str, str, str, int]] = Counter()
        self.seen: set[str] = set()
        for sub, plates in FOLLOWED.items():
            for plate in (PLATE, OTHER_PLATE):
                if plate.key in plates:
                    follow(self.here.citizens, sub, plate, phone=PHONES[sub])
        follow(self.here.citizens, "silent", PLATE, notify=False, phone=PHONES["silent"])

    # ------------------------------------------------------------------ what happens

    def happen(self, steps: int) -> None:
        """Let so many things happen, and all come to its end after every few."""
        happenings = (
            *[self.row_comes] * 6, self.file_lets_its_news_go, self.citizen_pays, self.records_come_again,
            *[self.stream_comes, self.queue_comes] * 2, *[self.all_is_quiet] * 3,
        )  # fmt: skip
        for _ in range(steps):
            self.chance.choice(happenings)()
            self._note_who_knows()
            self._nothing_false_is_said_and_nothing_twice()
        self.all_is_quiet()

    def row_comes(self) -> None:
        """Most often live and newer than what is known, of the plate where it is."""
        pick = self.chance.choice
        number, amount = pick(NUMBERS), pick((50_000, 60_000))
        ahead, status = pick((1, 1, 1, 2, -1)), pick((OPEN, OPEN, DISPUTED, DISPUTED, DISPUTED, CANCELLED, PAID))
        plate, live, held = (
            pick((*[PLATE.key] * 4, OTHER_PLATE.key)),
            pick((True, True, True, False)),
            pick((True, False, False)),
        )
        life = self.lives[number]
        known = life.known
        live = live or life.held  # how a backlog leaves what is held has its own tests
        day = max((known.day if known else 0) + ahead, 1)
        new = Known(day, status, plate, amount)
        version = make_version(None, f"2026-11-{19 + day // 24}T{day % 24:02}:00:00+03:00", 2)
        subject = violation(number, status=status, plate_key=plate, amount=amount, version=version)
        ref = f"{FILE}#{day}" if held else f"{number}{day}#1"
        origin = "live" if live else "backlog"
        made = row(subject, ref=ref, origin=origin, recent=number == "RECENT")
        self.batches.append(self.here.ingest(made, holds=held and live))
        if known is None or (day > known.day and new[1:] != known[1:]):
            life.says(new, live=live, held=held, recent=number == "RECENT")

    def file_lets_its_news_go(self) -> None:
        self.batches.append(self.here.let_go(NUMBERS, FILE))
        for number, life in self.lives.items():
            if life.held and life.known:
                life.out(life.news(life.public, life.known, recent=number == "RECENT"))

    def citizen_pays(self) -> None:
        number = self.chance.choice(NUMBERS)
        life = self.lives[number]
        if life.known and life.known.status == OPEN and not life.paid:
            settle(self.engine.fast(), self.here.violations, self.here.violations.get([number])[number])
            life.paid = True
            life.due = []

    def stream_comes(self) -> None:
        with self.fault(10):
            self._announce()

    def records_come_again(self) -> None:
        if self.announced:
            self.here.announce(self.batches[self.chance.randrange(self.announced)])

    def queue_comes(self) -> None:
        with self.fault(13):
            self.here.send_due()

    def all_is_quiet(self) -> None:
        """Everything comes to its end: what should be told now has been."""
        self._announce()
        for _ in range(4):
            self.here.send_due()
            self._hear()
            self.here.forward(minutes=61)
        for number, life in self.lives.items():
            for due in () if life.held else life.due:
                for sub, plates in FOLLOWED.items():
                    if due.plate in plates and self._is_for(sub, number, due):
                        assert self._times(sub, number, due), (sub, number, due)

    def _announce(self) -> None:
        while self.announced < len(self.batches):
            with surviving():
                self.here.announce(self.batches[self.announced])
                self.announced += 1

    @contextlib.contextmanager
    def fault(self, calls: int) -> Iterator[None]:
        """Let one of the next calls go wrong, every other time."""
        if self.chance.random() < 0.5:
            at = len(self.here.port.calls) + self.chance.randrange(calls)
            self.here.port.fault = (at, self.chance.choice(PORT_FAULTS))
        yield
        self.here.port.fault = None

    # ------------------------------------------------------------------ what must hold

    def _is_for(self, sub: str, number: str, due: Due) -> bool:
        life = self.lives[number]
        if due.kind == NEW:  # told once a violation, were it not true any more when it would have gone out
            return life.told == [NEW]
        return due.kind != GONE or (sub in life.knew and life.told.count(GONE) == 1)

    def _note_who_knows(self) -> None:
        """Keep who has heard of a violation before the news that came just now."""
        for number, life in self.lives.items():
            for due in life.due:
                if due.kind == GONE and life.told.count(GONE) == 1 and not life.is_noted:
                    life.knew = {sub for sub in FOLLOWED if self._knows(sub, number, due)}
                    life.is_noted = True

    def _knows(self, sub: str, number: str, gone: Due) -> bool:
        return bool(self._times(sub, number, gone._replace(kind=NEW))) or any(
            self._times(sub, number, gone._replace(kind=kind)) for kind in OF_A_DISPUTE
        )

    def _times(self, sub: str, number: str, due: Due) -> int:
        """How often somebody was told so: of a dispute for each of them, else once for all."""
        return self.said[(sub, number, *(due if due.kind in OF_A_DISPUTE else (due.kind, "", 0)))]

    def _nothing_false_is_said_and_nothing_twice(self) -> None:
        self._hear()
        texts = Counter(
            (phone, kind)
            for phone, text in self.here.sender.sent
            for kind, begin in BEGINS.items()
            if text.removeprefix("Gharama (Ur): ").startswith(begin)
        )
        assert texts.total() == len(self.here.sender.sent)
        out = Counter((PHONES[item["sub"]["S"]], item["kind"]["S"]) for item in self._out())
        assert not texts - out

    def _out(self) -> list[Json]:
        return [item for item in self.here.all_messages() if item["status"]["S"] in OUT]

    def _hear(self) -> None:
        """Look at what has gone out since, before anything else changes."""
        # Whoever is told of both at once has heard of it before it was cancelled.
        for item in sorted(self._out(), key=lambda item: item["kind"]["S"] == GONE):
            if item["pk"]["S"] in self.seen:
                continue
            self.seen.add(item["pk"]["S"])
            sub, kind, plate = (item[name]["S"] for name in ("sub", "kind", "plate"))
            assert plate in FOLLOWED[sub]
            for each in item["said"]["L"]:
                self._is_true(sub, kind, plate, each["S"])

    def _is_true(self, sub: str, kind: str, plate: str, number: str) -> None:
        life = self.lives[number]
        assert life.known
        _, status, where, _ = life.known
        due = Due(kind, plate, life.dispute)
        assert not self._times(sub, number, due)
        if kind == GONE:
            assert where != plate or status == CANCELLED
            assert self._knows(sub, number, due)
        elif kind == ACCEPTED:
            assert status == CANCELLED
        else:
            assert (status, where) == (DISPUTED if kind == OBJECTED else OPEN, plate)
            assert not life.paid
        if kind == NEW:
            assert number == "RECENT"
            assert not self._knows(sub, number, due)
        self.said[(sub, number, *(due if kind in OF_A_DISPUTE else (kind, "", 0)))] += 1


@pytest.mark.parametrize("seed", range(12))
def test_every_change_of_status_is_told_once_and_never_as_what_it_is_not(seed: int, emulator: Engine) -> None:
    with world(emulator) as here:
        Disputes(here, emulator, seed).happen(60)
