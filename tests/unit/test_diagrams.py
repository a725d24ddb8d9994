"""The page about payments draws their states as the code has them."""

from __future__ import annotations

import pytest

from infra.diagrams import PAGE, drawn
from shared.domain import payment


def test_the_page_is_as_the_code_is() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert drawn(text) == text, "run `make diagrams`"


def test_a_drift_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(payment.TRANSITIONS[payment.PaymentStatus.PAID], payment.PaymentStatus.FAILED, "never")
    text = PAGE.read_text(encoding="utf-8")
    assert "paid --> failed" in drawn(text)
    assert "paid --> failed" not in text
