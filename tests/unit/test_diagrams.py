"""The README draws the states of a payment as the code has them."""

from __future__ import annotations

import pytest

from infra.diagrams import README, in_readme
from shared.domain import payment


def test_the_readme_is_as_the_code_is() -> None:
    text = README.read_text(encoding="utf-8")
    assert in_readme(text) == text, "run `make diagrams`"


def test_a_drift_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(payment.TRANSITIONS[payment.PaymentStatus.PAID], payment.PaymentStatus.FAILED, "never")
    text = README.read_text(encoding="utf-8")
    assert "paid --> failed" in in_readme(text)
    assert "paid --> failed" not in text
