"""Reminders while the rules of money change under way, the days that violations are found by half brought up to them.

Rows, followers, windows, deployments of other sets, pieces of reindexing and crashes come in any order, day by day.
What is put and sent is laid beside a model that reads the file's rows as dates and knows nothing of the code's ideas.
"""

from __future__ import annotations

import json
import random
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from infra.operator import rules as operator
from infra.operator.deployment import Deployment
from notify.announce import news
from shared.aws_json import Json
from shared.domain.citizen import Vehicle
from shared.domain.message import MessageKind, MessageStatus
from shared.domain.plate import KURDISTAN, Plate
from shared.domain.time import BAGHDAD, to_text
from shared.domain.violation import CANCELLED, DISPUTED, OPEN, PAID, make_version
from shared.policies import RULES, rules_of
from shared.stores import violation_rows
from shared.stores.items import text
from shared.stores.violation_rows import Row
from tests.support import lambda_events as events
from tests.support.aws import Engine
from tests.support.build import PLATE, follow, row, settle, violation
from tests.support.notify_world import Death, World, surviving, world
from tests.support.rules_model import DAY, KINDS, NOW_IN_FORCE, POLICIES, Fine, Model

FIRST_RUN: Final = datetime(2026, 12, 1, 9, tzinfo=BAGHDAD)
DAYS: Final = 24
PLATES: Final = {plate.key: plate for plate in (PLATE, Plate(KURDISTAN, "21", "", "12345"))}
FOLLOWED: Final = {"a": PLATE.key, "b": PLATE.key, "c": [*PLATES][1]}
PHONES: Final = {sub: f"+96477192837{number}" for number, sub in enumerate(FOLLOWED, start=10)}
NUMBERS: Final = [f"V{number}" for number in range(48)]


class Stand(Deployment):
    """The operator's view of a stack of two tables."""

    def __init__(self, machine: Machine) -> None:
        super().__init__("stand", clock=lambda: machine.here.now)
        tables = machine.here.tables
        self.physical = {name: tables[name] for name in ("Violations", "Files")}  # type: ignore[assignment]


class Machine:
    """The model beside the tables, and what chance lets happen to both."""

    def __init__(self, here: World, engine: Engine, patch: pytest.MonkeyPatch, file: Path, seed: int) -> None:
        self.here, self.patch, self.file = here, patch, file
        self.port = engine.fast()
        self.chance = random.Random(seed)
        self.readers = [module for module in [*sys.modules.values()] if getattr(module, "RULES", None) is RULES]
        self.stand = Stand(self)
        self.sets = [NOW_IN_FORCE]
        self.model, self.indexed = Model(NOW_IN_FORCE), True
        self.fines: dict[str, Fine] = {}
        self.rows: dict[str, Row] = {}
        self.links = dict.fromkeys(FOLLOWED, True)
        self.passed: set[tuple[date, int]] = set()
        self.reminded: set[tuple[str, str, date, int]] = set()
        self.seen: set[str] = set()
        self.did: Counter[str] = Counter()
        file.write_text(json.dumps({"sets": self.sets}), encoding="utf-8")
        patch.setattr(operator, "FILE", file)
        patch.setattr(operator, "SEGMENTS", 3)
        patch.setattr(operator, "ThreadPoolExecutor", lambda _: ThreadPoolExecutor(1))  # so that a seed says all
        here.now = FIRST_RUN - DAY
        for sub, plate in FOLLOWED.items():
            follow(here.citizens, sub, PLATES[plate], phone=PHONES[sub])
        for number in NUMBERS:
            self.row_comes(number)

    def live(self) -> None:
        """Let days go by, each with a night in which things happen, and all come to its end."""
        pick = self.chance.choice
        nightly = [self.row_comes] * 8 + [self.row_comes_again, self.citizen_pays, *[self.follower_changes_mind] * 2]
        nightly += [self.other_rules] * 3 + [self.reindexes] * 2
        for day in range(DAYS):
            self.here.now = FIRST_RUN + day * DAY - timedelta(hours=pick((1, 2, 9)))
            for _ in range(self.chance.randrange(1, 6)):
                pick(nightly)()
            self.here.now = FIRST_RUN + day * DAY
            if pick((True, True, True, True, False)):
                self.day_is_run()
            if pick((True, False)):
                self.here.now += timedelta(hours=pick((0, 1, 14)))
                self.queue_comes()

    # ------------------------------------------------------------------ what happens

    def row_comes(self, number: str = "") -> None:
        """Say something of a violation that is known or not, newer than all before or as old as can be."""
        pick, now = self.chance.choice, self.here.now
        number = number or pick(NUMBERS)
        recorded = now.replace(hour=pick((0, 8, 9, 10, 23))) - self.chance.randrange(2, 34) * DAY
        new = Fine(
            number,
            pick([*PLATES]),
            pick((50_000, 30_000, 200_000)),
            recorded - timedelta(hours=pick((0, 1, 50))),
            recorded,
            pick((None, recorded + 3 * DAY)),
            pick((*[None] * 9, now + 5 * DAY)),
            pick((*[OPEN] * 6, *[DISPUTED] * 3, PAID, CANCELLED)),
            number in self.fines and self.fines[number].paid,
        )
        if number in self.fines and pick((True, True, False)):  # only its status or amount is another
            new = self.fines[number]._replace(status=new.status, amount=new.amount)
        is_newer = number not in self.fines or pick((True, True, True, False))
        # Each is said a second after all before it: no two of them are equally new.
        self.did["row"] += 1
        said = (now - DAY if is_newer else FIRST_RUN - 99 * DAY) + timedelta(seconds=self.did["row"])
        dates = {f"{name}_at": at and to_text(at) for name in ("occurred", "recorded", "notified", "doubled")
                 for at in (getattr(new, name),)}  # fmt: skip
        version = make_version(None, to_text(said), 2)
        subject = violation(number, plate_key=new.plate, amount=new.amount, status=new.status, version=version, **dates)
        made = row(subject)
        self.here.ingest(made)
        if is_newer:
            self.fines[number], self.rows[number] = new, made

    def row_comes_again(self) -> None:
        if self.rows:
            self.here.ingest(self.chance.choice([*self.rows.values()]))

    def citizen_pays(self) -> None:
        number = self.chance.choice(NUMBERS)
        if number in self.fines and self.fines[number].status == OPEN and not self.fines[number].paid:
            settle(self.port, self.here.violations, self.here.violations.get([number])[number])
            self.fines[number] = self.fines[number]._replace(paid=True)

    def follower_changes_mind(self) -> None:
        sub = self.chance.choice([*FOLLOWED])
        before = Vehicle(f"vehicle-{sub}", FOLLOWED[sub], None, "self", self.links[sub])
        self.links[sub] = not self.links[sub]
        assert self.here.citizens.change(sub, before, before._replace(notify=self.links[sub]))

    def other_rules(self) -> None:
        """Deploy another set, or one that was in force before, and begin to reindex.

        What knows the rules by name knows the new ones at once.
        """
        today, windows = self.here.now.date(), []
        for number in range(self.chance.randrange(1, 3)):
            begins = today + self.chance.randrange(7) * DAY
            today = begins + self.chance.randrange(2, 10) * DAY
            limits = self.chance.choice([{}, {}, {"recorded_before": str(self.here.now.date() - 25 * DAY)}])
            days = {"pay_from": str(begins), "pay_until": str(today - DAY)}
            windows.append({"id": f"w{number}", **days, **self.chance.choice(KINDS), **limits})
        new = {"warn_by": "earliest", "policies": self.chance.choice(POLICIES), "windows": windows}
        said = self.chance.choice([new, new, self.chance.choice(self.sets)])
        self.did["set again"] += said in self.sets[:-1]
        self.sets.append(said)
        self.file.write_text(json.dumps({"sets": self.sets}), encoding="utf-8")
        made = rules_of(said)
        for module in self.readers:
            self.patch.setattr(module, "RULES", made)
        self.patch.setattr(violation_rows.doubling_day, "__defaults__", (made,))
        self.model, self.indexed = Model(said), False
        self.reindexes()

    def reindexes(self) -> None:
        """Bring some days, or all, up to the rules; rows come between the reading of a page and its writes."""
        calls = iter(range(self.chance.choice((10, 20, 50, 999))))
        dies_after, meanwhile = self.chance.choice((True, False)), set[str]()

        def call(service: str, operation: str, request: Json) -> Json:
            goes_on = next(calls, None) is not None
            if not goes_on and not dies_after:
                raise Death
            if operation == "UpdateItem" and self.chance.random() < 0.3:
                meanwhile.add(request["Key"]["pk"]["S"])
                self.row_comes(request["Key"]["pk"]["S"])
            answer = self.port(service, operation, {**request, "Limit": 3} if operation == "Scan" else request)
            if not goes_on:
                raise Death
            return answer

        self.stand.call = call  # type: ignore[assignment]
        before = self._items()
        with surviving():
            operator.reindex(self.stand, {})
            self.did["reindexed"] += not self.indexed
            self.indexed = True
        for number, after in self._items().items():
            was = before[number]
            if number not in meanwhile and was != after:
                self.did["found on another day"] += 1
                assert {name for name in {*was, *after} if was.get(name) != after.get(name)} == {"doubling_day"}
                assert news(events.change(was, after)) == []
        if self.indexed:
            self._is_found_where_it_rises()

    def day_is_run(self) -> None:
        """Run the day's reminders: a process dies in it, days are brought up to date meanwhile, it comes twice."""
        was_indexed = self.indexed
        self.did["run while half done"] += not was_indexed
        if self.chance.random() < 0.3:
            self.here.port.fault = (len(self.here.port.calls) + self.chance.randrange(90), "dies after")
            with surviving():
                self.here.remind()
            self.here.port.fault = None
            self._only_true_reminders_are_put()
            if self.chance.random() < 0.3:
                self.reindexes()
        for _ in range(self.chance.choice((1, 1, 1, 2))):
            self.here.remind()
            self._only_true_reminders_are_put()
        if was_indexed:
            self._everybody_is_reminded()
        today = self.here.now.date()
        self.passed |= {(today + left * DAY, 7 if left > 1 else 1) for left in range(8)}

    def queue_comes(self) -> None:
        """All that waits goes out as things stand now, or is dropped; what says the same to one waits."""
        expected, dropped, sent = set[tuple[str, str]](), 0, len(self.here.sender.sent)
        for item in self.here.all_messages():
            if item["status"]["S"] == MessageStatus.WAITING:
                numbers = [each["S"] for each in item["violations"]["L"]]
                sub, plate = item["sub"]["S"], item["plate"]["S"]
                fines = [self.fines[number] for number in numbers if self.fines[number].plate == plate]
                ends = self.model.reminder(fines, self.here.now) if self.links[sub] else None
                expected |= {(PHONES[sub], f"reminder, plate ..{PLATES[plate].tail}{ends}")} if ends else set()
                dropped += not ends
        self.here.send_due()
        assert sorted((phone, text[14:].partition(" Details")[0]) for phone, text in self.here.sender.sent[sent:]) == (
            sorted(expected)
        )
        self.did["sent"] += len(expected)
        self.did["dropped"] += dropped

    # ------------------------------------------------------------------ what must hold

    def _items(self) -> dict[str, Json]:
        return {item["pk"]["S"]: item for item in self.here.tables.items("Violations")}

    def _is_found_where_it_rises(self) -> None:
        for number, item in self._items().items():
            if rises := self.model.earliest(self.fines[number], self.here.now):
                assert (text(item, "doubling_day") or "")[:10] == str(rises.date()), number

    def _stages(self, number: str, plate: str) -> Iterator[tuple[str, str, date, int]]:
        """Who of a plate is to hear today of a violation's rise, and at which stage."""
        fine, today = self.fines[number], self.here.now.date()
        rises = self.model.earliest(fine, self.here.now)
        if rises and fine.plate == plate and rises.date() <= today + 7 * DAY:
            stage = rises.date(), 7 if rises.date() > today + DAY else 1
            yield from (
                (number, sub, *stage) for sub, notify in self.links.items() if notify and FOLLOWED[sub] == plate
            )

    def _only_true_reminders_are_put(self) -> None:
        for item in self.here.all_messages():
            if item["pk"]["S"] not in self.seen:
                self.seen.add(item["pk"]["S"])
                assert item["kind"]["S"] == MessageKind.DOUBLING_SOON
                for number in (each["S"] for each in item["violations"]["L"]):
                    stages = {each[1]: each for each in self._stages(number, item["plate"]["S"])}
                    stage = stages[item["sub"]["S"]]
                    assert stage not in self.reminded
                    self.reminded.add(stage)

    def _everybody_is_reminded(self) -> None:
        for number, fine in self.fines.items():
            for stage in self._stages(number, fine.plate):
                assert stage[2:] in self.passed or stage in self.reminded, stage


@pytest.fixture
def here(emulator: Engine) -> Iterator[World]:
    with world(emulator) as made:
        yield made


@pytest.mark.parametrize("seed", [2, 5, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(100, 137))])
def test_reminders_are_true_while_the_rules_change(
    seed: int, here: World, emulator: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    machine = Machine(here, emulator, monkeypatch, tmp_path / "policies.json", seed)
    machine.live()
    assert machine.did["sent"] > 0
    assert machine.did["found on another day"] > 0
