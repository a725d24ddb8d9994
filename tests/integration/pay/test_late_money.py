"""Money that comes after its payment was given up: line by line, what it settles and what goes back."""

from __future__ import annotations

from typing import Any

import pytest

from shared.domain.violation import CANCELLED, DISPUTED, Violation
from tests.support.build import later, row
from tests.support.functions import Functions
from tests.support.payment_requests import corrections, payment_body, state, status

OTHER_PLATE = "german:12:ز:99999"


def entries(functions: Functions) -> list[dict[str, Any]]:
    return [item for item in functions.tables.items("Settlements") if item["pk"]["S"].startswith("DUE#")]


def texts(functions: Functions) -> list[str]:
    return [item["text"]["S"] for item in functions.tables.items("Messages") if "text" in item]


def paid_late(functions: Functions, payment_id: str) -> dict[str, Any]:
    functions.gateway.says(payment_id)
    assert functions.callback(payment_id).status == 200
    found: dict[str, Any] = functions.payment(payment_id).body
    return found


@pytest.fixture
def ended(functions: Functions, started: str) -> str:
    """The payment of both, cancelled at noon."""
    assert functions.cancel(started).body["status"] == "cancelled"
    return started


@pytest.mark.parametrize("change", ["cancelled", "moved", "disputed", "paid at the counter", "in payment", "paid"])
def test_what_is_not_free_and_owed_on_its_plate_goes_back_and_the_rest_is_settled(
    functions: Functions, subjects: list[Violation], ended: str, change: str
) -> None:
    second = subjects[1]
    told: dict[str, dict[str, Any]] = {
        "cancelled": {"status": CANCELLED},
        "moved": {"plate_key": OTHER_PLATE},
        "disputed": {"status": DISPUTED},
        "paid at the counter": {"status": "paid"},
    }
    if change in told:
        functions.violations.write([row(later(second, **told[change]))])
    else:
        another = functions.pay(payment_body(second), "key-00000002").body["payment_id"]
        if change == "paid":
            functions.gateway.says(another)
            functions.callback(another)
    before = state(functions, second)
    payment = paid_late(functions, ended)
    assert payment["status"] == "refund_due"
    assert payment["refund"] == {"amount": 25_000, "status": "due", "violations": [second.violation_no]}
    assert corrections(functions) == ["late_money"]
    assert [state(functions, each) for each in subjects] == ["paid", before]
    assert functions.receipt(payment["receipt_no"]).body["amount"] == 50_000
    said = f": 50,000 IQD paid, 25,000 IQD goes back to you. Receipt {payment['receipt_no']}. "
    assert [text for text in texts(functions) if said in text]
    functions.clock.forward(minutes=3)
    functions.poll_gateways()
    assert status(functions, ended) == "paid"
    assert sum(refund.amount for refund in functions.gateway.refunds.values()) == 25_000


def test_where_nothing_is_owed_all_goes_back(functions: Functions, subjects: list[Violation], ended: str) -> None:
    functions.violations.write([row(later(each, status=CANCELLED)) for each in subjects])
    payment = paid_late(functions, ended)
    assert (payment["status"], payment["receipt_no"]) == ("refund_due", None)
    assert payment["refund"]["amount"] == 75_000
    assert entries(functions) == []
    assert texts(functions) == []


def test_one_that_another_takes_in_the_same_moment_goes_back(
    functions: Functions, subjects: list[Violation], ended: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    get = type(functions.violations).get
    others: list[str] = []

    def taken(self: Any, *arguments: Any) -> Any:
        found = get(self, *arguments)
        if not others:
            others.append("")
            others.append(functions.pay(payment_body(subjects[0]), "key-00000002").body["payment_id"])
        return found

    monkeypatch.setattr(type(functions.violations), "get", taken)
    payment = paid_late(functions, ended)
    assert payment["refund"] == {"amount": 50_000, "status": "due", "violations": [subjects[0].violation_no]}
    assert [state(functions, each) for each in subjects] == ["in_payment", "paid"]


@pytest.mark.parametrize(
    ("after", "settled"),
    [({"hours": 24}, True), ({"hours": 24, "seconds": 1}, False)],
)
def test_what_has_risen_is_settled_at_its_quote_for_a_day(
    functions: Functions, subjects: list[Violation], ended: str, after: dict[str, int], settled: bool
) -> None:
    functions.violations.write([row(later(subjects[0], amount=60_000))])
    functions.clock.forward(**after)
    payment = paid_late(functions, ended)
    assert state(functions, subjects[0]) == ("paid" if settled else "unpaid")
    assert state(functions, subjects[1]) == "paid"
    assert payment["status"] == ("paid" if settled else "refund_due")
    assert payment["refund"] == (
        None if settled else {"amount": 50_000, "status": "due", "violations": [subjects[0].violation_no]}
    )


def test_what_has_not_risen_is_settled_however_late(
    functions: Functions, subjects: list[Violation], ended: str
) -> None:
    functions.clock.forward(days=20)
    assert paid_late(functions, ended)["status"] == "paid"
    assert [state(functions, each) for each in subjects] == ["paid"] * 2


def test_one_that_cannot_be_read_goes_back_and_holds_up_no_other(
    functions: Functions, subjects: list[Violation], ended: str
) -> None:
    (item,) = [each for each in functions.tables.items("Violations") if each["pk"]["S"] == subjects[0].violation_no]
    damaged = {**item, "amount": {"S": "some"}}
    functions._fast()("dynamodb", "PutItem", {"TableName": functions.tables["Violations"], "Item": damaged})
    payment = paid_late(functions, ended)
    assert payment["refund"] == {"amount": 50_000, "status": "due", "violations": [subjects[0].violation_no]}
    assert state(functions, subjects[1]) == "paid"


def test_a_repeat_settles_nothing_again(functions: Functions, subjects: list[Violation], ended: str) -> None:
    first = paid_late(functions, ended)
    assert paid_late(functions, ended) == first
    assert len(entries(functions)) == 1
    assert len(texts(functions)) == 1
