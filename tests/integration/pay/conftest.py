"""A citizen who follows a plate with two violations, and a payment of both."""

from __future__ import annotations

import pytest

from pay.payments.settle import PaymentStores
from shared.domain.violation import Violation
from tests.support.functions import Functions
from tests.support.payment_requests import payment_body, two_violations


@pytest.fixture
def stores(functions: Functions) -> PaymentStores:
    return functions.stores


@pytest.fixture
def subjects(functions: Functions) -> list[Violation]:
    return two_violations(functions)


@pytest.fixture
def started(functions: Functions, subjects: list[Violation]) -> str:
    """The id of a payment of both, pending."""
    payment_id: str = functions.pay(payment_body(*subjects)).body["payment_id"]
    return payment_id
