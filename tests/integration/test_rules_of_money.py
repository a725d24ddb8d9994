"""Another set of rules over the local engine: previewed first; the days of violations follow it, also after a crash."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from infra.operator import __main__ as commands
from infra.operator import rules
from infra.operator.deployment import Deployment
from shared.aws_json import Call
from shared.domain.plate import KURDISTAN, Plate
from shared.domain.rules import Period, Rules
from shared.domain.violation import DISPUTED, PAID, Violation, make_version
from shared.policies import FILE, RULES
from shared.stores import violation_rows
from shared.stores.items import text, transact
from shared.stores.violation_rows import read
from shared.stores.violations import Violations
from tests.support.aws import Engine, Tables
from tests.support.build import NOON, OTHER_PLATE, later, store, violation
from tests.support.crashes import Crash, Faults

REGION_PLATE = Plate(KURDISTAN, "21", "", "12345")
DAYS_20 = Rules([policy._replace(period=Period("occurred", days=20), readings=()) for policy in RULES.policies])
"""Rules by which what was recorded on 19 November doubles on 9 December, and not on the 19th."""

Run = Callable[..., str]


class Stand(Deployment):
    """A stack of two tables, whose operators leave no log."""

    def __init__(self, call: Call, tables: Tables) -> None:
        super().__init__("stand", clock=lambda: NOON)
        self.call = call  # type: ignore[assignment]
        self.physical = {name: tables[name] for name in ("Violations", "Files")}  # type: ignore[assignment]

    @contextmanager
    def audited(self, action: str, **about: object) -> Iterator[dict[str, object]]:
        yield {}


@pytest.fixture
def stand(engine: Engine, tables: Tables) -> Stand:
    return Stand(engine.sdk(), tables)


@pytest.fixture
def violations(stand: Stand) -> Violations:
    return Violations(stand.call, stand.physical["Violations"])


@pytest.fixture
def command(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(commands, "Deployment", lambda stack, clock: stand)

    def run(*words: str, code: int = 0) -> str:
        result = CliRunner().invoke(commands.app, ["--stack", "stand", *words])
        assert result.exit_code == code, result.output
        return result.output

    return run


# ---------------------------------------------------------------- preview


def candidate(folder: Path, **fields: Any) -> str:
    """A file whose newest set has other fields than the one in force."""
    document = json.loads(Path(FILE).read_bytes())
    newest = copy.deepcopy(document["sets"][-1]) | {"released": "2026-11-30", **fields}
    document["sets"].append(newest)
    path = folder / "new.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return str(path)


def window(**fields: Any) -> dict[str, Any]:
    times = {"pay_from": "2026-12-25", "pay_until": "2026-12-31"}
    return {"id": "w", "legal_basis": "law 9/2026", **times, **fields}


def doubled(number: str, **fields: Any) -> Violation:
    at = "2026-09-01T09:00:00+03:00"
    return violation(number, recorded_at=at, occurred_at=at, **fields)


def test_a_window_is_previewed_by_governorate_and_article(violations: Violations, command: Run, tmp_path: Path) -> None:
    store(
        violations,
        violation("V1", legal_ref="25/3/هـ"),
        doubled("V2", legal_ref="25/3/هـ"),
        doubled("V3", legal_ref="25/1", amount=200_000, plate_key=OTHER_PLATE.key),
        doubled("V4", status="disputed"),
        doubled("V5", status="paid"),
        doubled("V6", amount_due=100_000),
    )
    amnesty = candidate(tmp_path, windows=[window(undo_doubling=True)])
    assert command("preview-policy", amnesty).splitlines() == [
        "6 violations looked at",
        "raised: 0 fines, 0 dinars",
        "lowered: 4 fines, 350,000 dinars",
        "  Baghdad, 25/3: 2 fines, 100,000 dinars",
        "  Baghdad, no article: 1 fines, 50,000 dinars",
        "  Nineveh, 25/1: 1 fines, 200,000 dinars",
    ]
    early = candidate(tmp_path, windows=[window(pay_from="2026-12-01", pay_until="2026-12-05", percent_off=20)])
    assert "lowered: 5 fines, 150,000 dinars" in command("preview-policy", early)


def test_what_would_be_dearer_is_previewed_too(violations: Violations, command: Run, tmp_path: Path) -> None:
    store(violations, violation("V1"), doubled("V2"), violation("V3", plate_key=REGION_PLATE.key))
    rows = json.loads(Path(FILE).read_bytes())["sets"][-1]["policies"]
    new = {**rows[0], "id": "new", "valid_from": "2026-12-03", "factor": 3}
    path = candidate(tmp_path, policies=[*rows, new], raises="yes")
    assert "raised: 0 fines" in command("preview-policy", path), "for fines that are yet to be recorded"
    fines = violation(), violation(status=DISPUTED), doubled("V"), violation(status=PAID)
    dearer = [rules.touched(one, RULES, DAYS_20, "2026-11-20T12:00:00+03:00") for one in fines]
    assert dearer == [(50_000, 0), (50_000, 0), (0, 0), (0, 0)]


def test_a_bad_file_is_not_previewed(command: Run, tmp_path: Path) -> None:
    bad = candidate(tmp_path, windows=[window(percent_off=101)])
    assert "sets.1.windows.0.percent_off" in command("preview-policy", bad, code=1)
    Path(bad).write_text("[", encoding="utf-8")
    assert "no JSON" in command("preview-policy", bad, code=1)


# ---------------------------------------------------------------- reindex


def days(tables: Tables) -> dict[str, str | None]:
    return {item["pk"]["S"]: (text(item, "doubling_day") or "")[:10] or None for item in tables.items("Violations")}


def apart_from_days(tables: Tables) -> list[Any]:
    return sorted(
        sorted((name, str(value)) for name, value in item.items() if name != "doubling_day")
         for item in tables.items("Violations")
    )  # fmt: skip


NUMBERS = [f"V{number}" for number in range(40)]


@pytest.fixture
def changed(violations: Violations, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forty violations that double on a day of the rules before, four others, and new rules. NOON is of 20 November."""
    store(violations, *map(violation, NUMBERS), doubled("old"), violation("paid", status="paid"))
    store(violations, violation("dated", doubled_at="2026-12-24T00:00:00+03:00"))
    over = "2026-10-15T09:00:00+03:00"
    store(violations, violation("over", recorded_at=over, occurred_at=over, version=make_version(None, over, 2)))
    monkeypatch.setattr(rules, "RULES", DAYS_20)


@pytest.mark.usefixtures("changed")
def test_the_days_follow_the_rules_and_nothing_else_changes(command: Run, tables: Tables) -> None:
    before = apart_from_days(tables)
    said = command("reindex-rises")
    assert "44 violations to be read again, 40 days to be changed" in said
    assert "at most 160 write units: $0.00" in said
    assert days(tables)["V1"] == "2026-12-19"
    command("reindex-rises", "--apply")
    assert days(tables) == {
        **dict.fromkeys(NUMBERS, "2026-12-09"), "old": None, "paid": None, "dated": "2026-12-24", "over": "2026-11-15"
    }  # fmt: skip
    assert apart_from_days(tables) == before
    assert "those of the rules in force" in command("reindex-rises", "--apply")


@pytest.mark.usefixtures("changed")
def test_what_was_broken_off_goes_on_where_it_was(
    stand: Stand, tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is written once is not written again, and all is brought to its end."""
    monkeypatch.setattr(rules, "SEGMENTS", 1)
    faults = Faults()
    port = stand.call
    stand.call = faults.through(port)  # type: ignore[assignment]
    counts: dict[str, object] = {}
    with pytest.raises(Crash), faults.fail(25, after=True, error=Crash()):
        rules.reindex(stand, counts)
    found = list(days(tables).values())
    assert 0 < found.count("2026-12-09") < 40
    assert isinstance(counts[rules.CHANGED], int)
    again: dict[str, object] = {}
    rules.reindex(stand, again)
    assert list(days(tables).values()).count("2026-12-09") == 40
    assert again[rules.CHANGED] == 40 - found.count("2026-12-09")
    assert rules.outlook(stand) is None


def test_a_set_that_is_in_force_again_begins_anew(
    stand: Stand, violations: Violations, tables: Tables, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What it had done once says nothing, once another set has begun: not where it ended, and not where it died."""
    monkeypatch.setattr(rules, "SEGMENTS", 1)
    store(violations, *map(violation, NUMBERS))
    rules.reindex(stand, {})
    assert rules.outlook(stand) is None
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(rules, "RULES", DAYS_20)
        meanwhile.setattr(rules, "FILE", Path(candidate(tmp_path, warn_by="rule")))
        faults = Faults()
        port = stand.call
        stand.call = faults.through(port)  # type: ignore[assignment]
        with pytest.raises(Crash), faults.fail(20, after=True, error=Crash()):
            rules.reindex(stand, {})
        stand.call = port
    assert "2026-12-09" in days(tables).values()
    rules.reindex(stand, {})
    assert set(days(tables).values()) == {"2026-12-19"}
    assert rules.outlook(stand) is None


@pytest.mark.usefixtures("changed")
def test_a_place_is_kept_page_by_page(stand: Stand, tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "SEGMENTS", 1)
    port, scans = stand.call, []

    def paged(service: str, operation: str, request: Any) -> Any:
        if operation == "Scan":
            scans.append(request.get("ExclusiveStartKey"))
            request = {**request, "Limit": 10}
        if len(scans) == 3 and operation == "UpdateItem":
            raise Crash
        return port(service, operation, request)

    stand.call = paged  # type: ignore[assignment]
    with pytest.raises(Crash):
        rules.reindex(stand, {})
    scans.append(None)
    again: dict[str, object] = {}
    rules.reindex(stand, again)
    assert scans[4] is not None, "it begins after the two pages that were done"
    assert again[rules.LOOKED_AT] == 24
    assert list(days(tables).values()).count("2026-12-09") == 40


@pytest.mark.usefixtures("changed")
def test_a_violation_that_another_write_changes_meanwhile_keeps_that_ones_day(
    stand: Stand, violations: Violations, tables: Tables
) -> None:
    (item,) = [one for one in tables.items("Violations") if one["pk"]["S"] == "V1"]
    store(violations, later(read(item), recorded_at="2026-11-25T09:00:00+03:00"))
    day, needed = rules.another_day(item, "2026-11-20")
    assert needed
    assert not violations.find_on(item, day)
    assert days(tables)["V1"] == "2026-12-25"


def test_a_settlement_stays_and_the_write_is_no_news(stand: Stand, violations: Violations, tables: Tables) -> None:
    subject = violation("V1")
    store(violations, subject)
    transact(stand.call, [violations.hold(subject, "p1")])
    (item,) = tables.items("Violations")
    assert violations.find_on(item, None)
    (after,) = tables.items("Violations")
    assert {name for name in {*item, *after} if item.get(name) != after.get(name)} == {"doubling_day"}
    assert violation_rows.doubling_day(read(after)) == item["doubling_day"]["S"]
