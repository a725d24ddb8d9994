"""The build's check of the rules of money: what is wrong is named with its field, and dearer is said or refused."""

from __future__ import annotations

import copy
import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from infra import policies
from shared.domain.time import BAGHDAD
from shared.policies import FILE, rules_of

DOCUMENT: Final[dict[str, Any]] = json.loads(Path(FILE).read_bytes())
WINDOW: Final[dict[str, Any]] = {
    "id": "w",
    "legal_basis": "law 9/2027",
    "pay_from": "2027-02-01",
    "pay_until": "2027-02-28",
    "percent_off": 20,
}
KURDISTAN: Final = {
    "id": "kurdistan",
    "law": "86/2004",
    "valid_from": "2027-02-01",
    "articles": ["25/1", "25/2", "25/3"],
    "families": ["kurdistan"],
    "days": 30,
    "basis": "occurred",
    "factor": 2,
    "times": 1,
    "readings": [],
}
NOTICE: Final = {
    **KURDISTAN,
    "id": "notice",
    "law": "8/2019",
    "families": ["german", "old", "unified"],
    "basis": "notified",
    "days": 30,
}


TODAY: Final = date(2027, 3, 1)


def faults(document: Any, today: date = TODAY) -> list[str]:
    return policies.faults(document, today)


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policies, "now", lambda: datetime(TODAY.year, TODAY.month, TODAY.day, 9, tzinfo=BAGHDAD))


def changed(*, windows: Any = (), policies: Any = (), **fields: Any) -> dict[str, Any]:
    """The file with one more set: the newest one with more rows, and with fields of its own."""
    document = copy.deepcopy(DOCUMENT)
    newest = copy.deepcopy(document["sets"][-1])
    newest |= {"released": "2027-01-20", **fields}
    newest["windows"] += windows
    newest["policies"] += policies
    document["sets"].append(newest)
    return document


def test_the_rules_in_force_are_good() -> None:
    assert faults(DOCUMENT) == []
    assert policies.main([]) == 0


@pytest.mark.parametrize(
    "good",
    [
        changed(windows=[WINDOW]),
        changed(windows=[{**WINDOW, "pay_from": "2027-01-20"}]),
        changed(windows=[WINDOW, {**WINDOW, "id": "next", "pay_from": "2027-03-01", "pay_until": "2027-03-01"}]),
        changed(windows=[{**WINDOW, "families": ["german"]}, {**WINDOW, "id": "x", "families": ["old"]}]),
        changed(windows=[{**WINDOW, "articles": ["25/1"]}, {**WINDOW, "id": "x", "articles": ["25/2", "26"]}]),
        changed(policies=[KURDISTAN], raises="yes"),
        changed(policies=[{**KURDISTAN, "valid_from": "2027-01-23"}], raises="yes"),
        changed(policies=[{**KURDISTAN, "days": 60, "basis": "recorded"}]),
        changed(warn_by="rule"),
    ],
)
def test_what_may_be_meant_is_let_through(good: dict[str, Any]) -> None:
    assert faults(good) == []


def test_another_reading_of_a_known_row_is_no_new_row() -> None:
    document = changed()
    document["sets"][-1]["policies"][0]["readings"] = [{"months": 1, "basis": "occurred"}]
    assert faults(document) == []


def without(row: dict[str, Any], name: str) -> dict[str, Any]:
    return {field: value for field, value in row.items() if field != name}


@pytest.mark.parametrize(
    ("bad", "named"),
    [
        (
            changed(windows=[WINDOW, {**WINDOW, "id": "x", "pay_from": "2027-02-28"}]),
            "sets.1.windows.1.pay_from: overlaps w",
        ),
        (changed(windows=[WINDOW, {**WINDOW, "id": "x", "articles": ["25"]}]), "sets.1.windows.1.pay_from: overlaps w"),
        (
            changed(windows=[{**WINDOW, "articles": ["25/1"]}, {**WINDOW, "id": "x", "articles": ["25"]}]),
            "sets.1.windows.1.pay_from: overlaps w",
        ),
        (
            changed(windows=[WINDOW, {**WINDOW, "pay_from": "2027-04-01", "pay_until": "2027-04-01"}]),
            "sets.1.windows.1.id: w",
        ),
        (changed(windows=[{**WINDOW, "percent_off": 101}]), "sets.1.windows.0.percent_off: "),
        (changed(windows=[{**WINDOW, "percent_off": 0}]), "sets.1.windows.0.percent_off: "),
        (changed(windows=[{**WINDOW, "pay_until": "2027-01-31"}]), "sets.1.windows.0.pay_until: before pay_from"),
        (changed(windows=[{**WINDOW, "pay_until": "2027-02-29"}]), "sets.1.windows.0.pay_until: no day"),
        (changed(windows=[{**WINDOW, "pay_until": "9999-12-31"}]), "sets.1.windows.0.pay_until: "),
        (changed(released="9999-12-30"), "sets.1.released: "),
        (changed(windows=[without(WINDOW, "legal_basis")]), "sets.1.windows.0.legal_basis: "),
        (changed(windows=[{**WINDOW, "legal_basis": ""}]), "sets.1.windows.0.legal_basis: "),
        (changed(windows=[{**WINDOW, "legal_basis": "  "}]), "sets.1.windows.0.legal_basis: "),
        (changed(windows=[without(WINDOW, "percent_off")]), "sets.1.windows.0: "),
        (changed(windows=[{**WINDOW, "undo_doubling": True}]), "sets.1.windows.0: "),
        (changed(windows=[{**WINDOW, "raise_by": 5}]), "sets.1.windows.0.raise_by: "),
        (changed(windows=[{**WINDOW, "families": ["temporary"]}]), "sets.1.windows.0.families.0: "),
        (changed(policies=[{**KURDISTAN, "basis": "delivered"}]), "sets.1.policies.2.basis: "),
        (
            changed(policies=[{**KURDISTAN, "readings": [{"days": 1, "basis": "x"}]}]),
            "sets.1.policies.2.readings.0.basis: ",
        ),
        (changed(policies=[{**KURDISTAN, "months": 1}]), "sets.1.policies.2: "),
        (changed(policies=[without(KURDISTAN, "days")]), "sets.1.policies.2: "),
        (changed(policies=[{**KURDISTAN, "times": 2}]), "sets.1.policies.2.times: "),
        (changed(policies=[{**KURDISTAN, "factor": 1}]), "sets.1.policies.2.factor: "),
        (
            changed(policies=[{**KURDISTAN, "valid_from": "2027-01-21"}], raises="yes"),
            "sets.1.policies.2.valid_from: a new row",
        ),
        (
            changed(policies=[{**KURDISTAN, "valid_from": "2027-01-22"}], raises="yes"),
            "sets.1.policies.2.valid_from: a new row",
        ),
        (
            changed(policies=[{**KURDISTAN, "law": "8/2019", "valid_from": "2019-10-06"}]),
            "sets.1.policies.2.valid_from: IQ-TRAFFIC-2019-KURDISTAN begins",
        ),
        (changed(policies=[KURDISTAN]), "sets.1.raises: must be yes"),
        (changed(policies=[{**without(KURDISTAN, "days"), "months": 1, "factor": 3}]), "sets.1.raises: must be yes"),
        (changed(policies=[NOTICE], released="2026-11-29"), "sets.1.released: before"),
        (changed(raises="no"), "sets.1.raises: "),
        ({**DOCUMENT, "objections_where": {"ar": "هنا", "en": "here"}}, "objections_where.ckb: missing"),
        ({**DOCUMENT, "sets": []}, "sets: "),
    ],
)
def test_what_is_wrong_is_named_with_its_field(bad: dict[str, Any], named: str) -> None:
    found = faults(bad)
    assert any(fault.startswith(named) for fault in found), found


def three(**fields: Any) -> dict[str, Any]:
    """A set with a window, and one after it in which the window is another."""
    document = changed(windows=[WINDOW])
    newest = copy.deepcopy(document["sets"][-1])
    newest |= {"released": fields.pop("released", "2027-02-10")}
    newest["windows"] = [{**WINDOW, **fields}] if fields else []
    document["sets"].append(newest)
    return document


@pytest.mark.parametrize("fields", [{}, {"pay_until": "2027-02-20"}, {"percent_off": 10}, {"families": ["old"]}])
def test_to_end_a_window_or_to_narrow_it_makes_dearer(fields: dict[str, Any]) -> None:
    document = three(**fields)
    assert any(fault.startswith("sets.2.raises: must be yes") for fault in faults(document))
    document["sets"][-1]["raises"] = "yes"
    assert faults(document) == []


def test_to_narrow_a_window_from_an_article_to_some_clauses_makes_dearer() -> None:
    """Also where no row names another clause: a fine may."""
    document = three(articles=["30/1"])
    document["sets"][1]["windows"] = [{**WINDOW, "articles": ["30"]}]
    assert any("30/9999" in fault for fault in faults(document)), faults(document)


def test_to_drop_a_window_that_is_over_makes_nothing_dearer() -> None:
    assert faults(three(released="2027-03-01")) == []


def test_the_dearer_cells_are_named() -> None:
    before, after = (rules_of(one) for one in changed(policies=[KURDISTAN])["sets"])
    found = list(policies.dearer("2027-01-20", before, after))
    assert {cell.split(", ")[1] for cell in found} == {"kurdistan"}
    assert "100,000 to 200,000" in found[0]
    assert list(policies.dearer("2027-01-20", before, before)) == []


def test_a_file_that_is_no_json_is_said_to_be_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "new.json"
    bad.write_text("{", encoding="utf-8")
    assert policies.main([str(bad)]) == 1
    assert "new.json: no JSON" in capsys.readouterr().err
    bad.write_text(json.dumps(changed(policies=[KURDISTAN])), encoding="utf-8")
    assert policies.main([str(bad)]) == 1
    assert "sets.1.raises" in capsys.readouterr().err


@pytest.mark.parametrize(
    "slower",
    [
        {**NOTICE, "days": 0, "months": 1},
        {**NOTICE, "basis": "notified", "days": 60},
        {**NOTICE, "basis": "occurred", "days": 35},
        {**NOTICE, "basis": "occurred", "days": 60},
    ],
    ids=["a month from notice", "60 days from notice", "35 days from commission", "60 days from commission"],
)
def test_a_longer_period_that_begins_before_the_recording_makes_dearer(slower: dict[str, Any]) -> None:
    """A fine that was told on the spot, or is recorded long after the commission, doubles sooner by it."""
    row = {name: value for name, value in slower.items() if value != 0}
    document = changed(policies=[row])
    assert any(fault.startswith("sets.1.raises: must be yes") for fault in faults(document))


@pytest.mark.parametrize("field", ["families", "articles", "recorded_before", "undo_doubling"])
def test_a_null_is_refused_also_where_the_set_raises(field: str) -> None:
    assert any("windows.0" in fault for fault in faults(changed(windows=[{**WINDOW, field: None}], raises="yes")))


def test_a_set_that_is_locked_stays_as_it_is() -> None:
    """Else what is dearer could be written into the one before, and nothing would be dearer than that."""
    document = changed(policies=[KURDISTAN])
    document["sets"][0]["policies"].append(KURDISTAN)
    assert faults(document) == ["sets.0: not as it is locked in policies.txt; leave it as it was, and add a set"]
    assert faults({**DOCUMENT, "sets": document["sets"][:1]}) == faults(document), "also the newest"


def test_a_set_that_is_locked_is_not_taken_away(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    locked = changed(windows=[WINDOW], raises="yes")
    monkeypatch.setattr(policies, "LOCK", tmp_path / "policies.txt")
    policies.LOCK.write_text("\n".join(policies.lock(locked)), encoding="ascii")
    assert faults(locked) == []
    assert faults(DOCUMENT) == ["sets: 2 are locked in policies.txt, and stay"]


def test_fields_may_stand_in_any_order_in_a_locked_set() -> None:
    turned = [dict(reversed(one.items())) for one in DOCUMENT["sets"]]
    assert faults({**DOCUMENT, "sets": turned}) == []


def test_the_build_asks_for_the_lock_of_a_new_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new, new_set = tmp_path / "new.json", changed(windows=[WINDOW], raises="yes")
    new.write_text(json.dumps(new_set), encoding="utf-8")
    assert policies.main([str(new)]) == 1
    line = policies.lock(new_set)[1]
    assert capsys.readouterr().err == f"new.json: sets: not locked, add the line {line} to infra/locks/policies.txt\n"


def test_a_set_is_not_released_far_ahead() -> None:
    """Its deployment puts it in force: people would hear of new rows long after that."""
    document = changed(windows=[WINDOW], raises="yes")
    released = date(2027, 1, 20)
    assert faults(document, released - timedelta(days=14)) == []
    assert faults(document, released - timedelta(days=15)) == ["sets.1.released: 14 days from today at the latest"]


def test_what_gets_dearer_before_the_release_is_dearer_too() -> None:
    """A window that is over by then is ended early where the set is deployed before."""
    document = three(released="2027-03-01")  # of which nothing is dearer from that day on
    assert any(fault.startswith("sets.2.raises: must be yes") for fault in faults(document, date(2027, 2, 27)))
