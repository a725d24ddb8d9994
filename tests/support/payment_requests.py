"""What is asked for and looked at by the tests of paying."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from shared.aws_json import Json
from shared.domain.violation import Violation
from tests.support.build import follow, store, violation
from tests.support.functions import Functions
from tests.support.metrics import counted

RETURN_URL = "https://tf.ur.gov.iq/paid?from=gharama"


def payment_body(*subjects: Violation, **fields: Any) -> dict[str, Any]:
    """The body of a start."""
    numbers = [subject.violation_no for subject in subjects]
    return {"violations": numbers, "gateway": "sandbox", "return_url": RETURN_URL, **fields}


def two_violations(functions: Functions) -> list[Violation]:
    """Two unpaid violations on a plate that the citizen follows."""
    follow(functions.citizens)
    made = [violation(), violation(amount=25_000)]
    store(functions.violations, *made)
    return made


def state(functions: Functions, subject: Violation) -> str:
    """How a violation stands."""
    return functions.violations.get([subject.violation_no])[subject.violation_no].state


def status(functions: Functions, payment_id: str) -> str:
    """How a payment stands."""
    found: str = functions.payment(payment_id).body["status"]
    return found


def trail(functions: Functions) -> list[Json]:
    """The events of all payments, oldest first."""
    events = [item for item in functions.tables.items("Payments") if item["sk"]["S"].startswith("EVENT#")]
    return sorted(events, key=lambda item: item["sk"]["S"])


def corrections(functions: Functions) -> list[str]:
    """The names of the corrections in the trails."""
    return [item["correction"]["S"] for item in trail(functions) if "correction" in item]


def metrics(capsys: pytest.CaptureFixture[str]) -> Mapping[str, list[float]]:
    """The values of each metric since the last look, oldest first."""
    return counted(capsys.readouterr().out)
