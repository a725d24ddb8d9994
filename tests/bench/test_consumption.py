"""What operations consume of DynamoDB, measured on the emulator, which counts as AWS does. `infra/cost.py` prices it.

Units go by what is written and not by the machine, so this is held to the unit: after a change that means to consume
more or less, write the printed figures into infra/consumption.toml.
"""

from __future__ import annotations

import importlib
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shared.aws_json import Call, Json, sdk
from shared.domain.violation import Violation
from shared.stores.violation_rows import Row
from tests.support.build import PLATE, follow, later, row, store, violation
from tests.support.functions import Functions

pytestmark = pytest.mark.bench

FIGURES = Path(__file__).parents[2] / "infra" / "consumption.toml"
_READS = frozenset({"GetItem", "BatchGetItem", "Query", "Scan"})
TYPICAL: dict[str, Any] = {
    "category": "private",
    "title": "عدم ارتداء حزام الأمان",
    "legal_ref": "25/3/هـ",
    "sector_name": "قاطع مرور الكرخ",
    "sector_governorate": "11",
    "place": "شارع حيفا",
}


class Meter:
    """Counts the units of the calls that go through it."""

    def __init__(self) -> None:
        self.reads = self.writes = 0.0

    def through(self, call: Call) -> Call:
        def metered(service: str, operation: str, request: Json) -> Json:
            if service != "dynamodb":
                return call(service, operation, request)
            answer = call(service, operation, {**request, "ReturnConsumedCapacity": "TOTAL"})
            consumed = answer.get("ConsumedCapacity") or []
            units = sum(one["CapacityUnits"] for one in (consumed if isinstance(consumed, list) else [consumed]))
            if operation == "BatchGetItem":
                # The emulator does not say: a unit a key, consistently read and under 4 KB.
                self.reads += sum(len(keys["Keys"]) for keys in request["RequestItems"].values())
            elif operation in _READS:
                self.reads += units
            else:
                self.writes += units
            return answer

        return metered


@pytest.fixture
def measured(
    functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Callable[[], object]], dict[str, float]]:
    """Runs something; the units that it consumed."""
    meter = Meter()
    for name in ("notify.on_violation", "notify.sweep", "notify.send_sms"):
        importlib.import_module(name)
    functions.violations = type(functions.violations)(meter.through(sdk()), functions.tables["Violations"])
    fast = functions._fast
    for module in ("query.ports", "notify.on_violation", "notify.sweep", "notify.send_sms"):
        monkeypatch.setattr(f"{module}.FastClient", lambda: meter.through(fast()))
    for name, found in list(sys.modules.items()):
        if name.partition(".")[0] == "pay" and getattr(found, "sdk", None) is sdk:
            monkeypatch.setattr(found, "sdk", lambda: meter.through(sdk()))

    def run(what: Callable[[], object]) -> dict[str, float]:
        meter.reads = meter.writes = 0.0
        what()
        return {"reads": meter.reads, "writes": meter.writes}

    return run


def _line(subject: Violation, number: int) -> Row:
    """A row as ingest makes it: with a digest of its content and the line of a file."""
    return row(subject, content=f"{number:022}", ref=f"{number:020}#{number}")


def test_what_operations_consume(
    functions: Functions,
    measured: Callable[[Callable[[], object]], dict[str, float]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    follow(functions.citizens)
    subject, another = violation(**TYPICAL), violation(**TYPICAL)
    store(functions.violations, another, violation(**TYPICAL))
    found: dict[str, dict[str, float]] = {}
    line = _line(subject, 1)
    found["row_inserted"] = measured(lambda: functions.violations.write([line]))
    found["row_unchanged"] = measured(lambda: functions.violations.write([line._replace(ref=_line(subject, 2).ref)]))
    found["row_updated"] = measured(lambda: functions.violations.write([_line(later(subject, amount=60_000), 3)]))
    plate = {"plate": f"بغداد ز {PLATE.number}", "sms": False}
    functions.ask(plate)
    found["look_up"] = measured(lambda: functions.ask(plate))
    news = functions.ingest(_line(violation(**TYPICAL), 4))
    found["announcement"] = measured(lambda: functions.announce(news))
    found["sms"] = measured(functions.send_due)

    with capsys.disabled():
        for name, units in found.items():
            print(f"\n[{name}]\n" + "\n".join(f"{kind} = {number}" for kind, number in units.items()))
    figures = tomllib.loads(FIGURES.read_text())
    assert figures.pop("payment"), "tests/integration/pay/test_pay_cost.py holds it"
    assert found == figures
