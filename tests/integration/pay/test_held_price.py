"""Nobody pays more because another held: who is refused shortly before a fine doubles pays the earlier amount after."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.domain.time import to_text
from shared.domain.violation import Violation
from tests.support.asking import TYPED
from tests.support.build import NOON, later, row, store, violation
from tests.support.functions import Functions, Reply
from tests.support.metrics import counted
from tests.support.payment_requests import payment_body

RISES = timedelta(hours=10)
"""After the tests' noon: a month after it was recorded."""
CLERK = {"sub": "clerk", "scope": "directorate"}


@pytest.fixture
def subject(functions: Functions) -> Violation:
    """A fine of 50,000 that doubles ten hours from now."""
    recorded = (NOON + RISES).replace(month=NOON.month - 1)
    subject = violation(recorded_at=to_text(recorded), occurred_at=to_text(recorded), amount=50_000)
    store(functions.violations, subject)
    return subject


def ask(functions: Functions, sub: str) -> int:
    body = functions.ask({"plate": TYPED, "sms": False}, claims={"sub": sub}).body
    amount: int = body["violations"][0]["due"]["amount"]
    return amount


def pay(functions: Functions, subject: Violation, sub: str, key: str = "key-00000001") -> Reply:
    functions.ask({"plate": TYPED, "sms": False}, claims={"sub": sub})
    return functions.pay(payment_body(subject), key, claims={"sub": sub})


def held(functions: Functions, subject: Violation, sub: str = "hostile") -> str:
    """Another holds it; returns the payment's id."""
    reply = pay(functions, subject, sub, f"key-{sub:>08}".replace(" ", "0"))
    assert reply.status == 201, reply.body
    payment_id: str = reply.body["payment_id"]
    return payment_id


def let_go(functions: Functions, payment_id: str, sub: str = "hostile") -> None:
    assert functions.cancel(payment_id, claims={"sub": sub}).body["status"] == "cancelled"


def test_who_was_refused_pays_the_earlier_amount_after_the_rise(
    functions: Functions, subject: Violation, capsys: pytest.CaptureFixture[str]
) -> None:
    payment_id = held(functions, subject)
    refused = pay(functions, subject, "honest")
    assert refused.errors == [("violations.0", "violation_in_payment")]
    functions.clock.forward(hours=11)
    let_go(functions, payment_id)
    assert ask(functions, "anybody") == 50_000, "everybody is asked the earlier amount"
    capsys.readouterr()
    paid = pay(functions, subject, "honest", "key-00000002")
    assert (paid.status, paid.body["amount"]) == (201, 50_000)
    assert counted(capsys.readouterr().out)["HeldPriceDinars"] == [50_000]
    functions.gateway.says(paid.body["payment_id"])
    functions.callback(paid.body["payment_id"])
    (entry,) = [item for item in functions.tables.items("Settlements") if item["pk"]["S"].startswith("DUE#")]
    assert to_text(NOON + RISES + timedelta(hours=24)) in str(entry["shares"]), "the sector is told why"


def test_the_price_is_kept_for_a_day_after_the_rise_and_once(functions: Functions, subject: Violation) -> None:
    first = held(functions, subject)
    assert pay(functions, subject, "friend").status == 422
    functions.clock.forward(hours=9)
    let_go(functions, first)
    second = held(functions, subject, "friend")
    assert pay(functions, subject, "hostile", "key-00000009").status == 422, "the friends hold in turn"
    functions.clock.forward(hours=24)
    let_go(functions, second, "friend")
    assert ask(functions, "anybody") == 50_000
    functions.clock.forward(hours=1)
    assert ask(functions, "anybody") == 100_000, "one day was gained, whoever held it however often"


def test_who_was_refused_long_before_the_rise_gains_nothing(functions: Functions, subject: Violation) -> None:
    functions.clock.forward(hours=-15)
    payment_id = held(functions, subject)
    assert pay(functions, subject, "honest").status == 422
    let_go(functions, payment_id)
    functions.clock.forward(hours=26)
    assert ask(functions, "anybody") == 100_000


def test_a_counter_that_must_wait_keeps_the_price_too(functions: Functions, subject: Violation) -> None:
    payment_id = held(functions, subject)
    asked = {"violations": [subject.violation_no]}
    reply = functions.call("pay.api", "POST /v1/settlements/check", body=asked, claims=CLERK)
    assert reply.body["items"][0]["status"] == "in_payment"
    functions.clock.forward(hours=11)
    let_go(functions, payment_id)
    assert ask(functions, "anybody") == 50_000


def test_who_is_refused_by_their_own_payment_gains_nothing(functions: Functions, subject: Violation) -> None:
    payment_id = held(functions, subject)
    assert pay(functions, subject, "hostile", "key-00000007").status == 422
    functions.clock.forward(hours=11)
    let_go(functions, payment_id)
    assert ask(functions, "anybody") == 100_000


def test_without_hours_no_price_is_kept(
    functions: Functions, subject: Violation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELD_PRICE_HOURS", "0")
    payment_id = held(functions, subject)
    assert pay(functions, subject, "honest").status == 422
    functions.clock.forward(hours=11)
    let_go(functions, payment_id)
    assert ask(functions, "anybody") == 100_000


@pytest.mark.parametrize("stated", [{"amount_due": 100_000}, {}], ids=["with the amount", "the day alone"])
def test_a_doubling_that_the_directorate_dates_wins(
    functions: Functions, subject: Violation, stated: dict[str, int]
) -> None:
    payment_id = held(functions, subject)
    assert pay(functions, subject, "honest").status == 422
    functions.clock.forward(hours=11)
    let_go(functions, payment_id)
    newer = later(subject, to_text(functions.clock.at), doubled_at=to_text(NOON + RISES), **stated)
    functions.violations.write([row(newer)])
    assert ask(functions, "anybody") == 100_000
