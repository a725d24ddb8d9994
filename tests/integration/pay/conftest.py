"""A citizen who follows a plate with two violations, and a payment of both."""

from __future__ import annotations

import pytest

from shared.domain.violation import Violation
from tests.build import follow, store, violation
from tests.functions import Functions
from tests.integration.pay.wishes import wish


@pytest.fixture
def subjects(functions: Functions) -> list[Violation]:
    """Two unpaid violations on a plate that the citizen follows."""
    follow(functions.citizens)
    made = [violation(), violation(amount=25_000)]
    store(functions.violations, *made)
    return made


@pytest.fixture
def started(functions: Functions, subjects: list[Violation]) -> str:
    """The id of a payment of both, pending."""
    payment_id: str = functions.pay(wish(*subjects)).body["payment_id"]
    return payment_id
