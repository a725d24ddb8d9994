"""The nightly comparison: zero differences where all is well, and each kind of difference by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC
from typing import Any

import pytest

from infra.local.config import REGION
from pay.gateways import OrderStatus, UnaskableError, UnknownError
from shared.domain.violation import CANCELLED, Violation
from tests.support import lambda_events as events
from tests.support.aws import Engine
from tests.support.build import later, row, store, violation
from tests.support.functions import Functions, run
from tests.support.payment_requests import metrics, payment_body, status

Compare = Callable[[], dict[str, Any]]


@pytest.fixture
def compare(engine: Engine, functions: Functions, monkeypatch: pytest.MonkeyPatch) -> Compare:
    """Runs a night, and answers with its report as it lies in the bucket."""
    bucket = functions.tables["Payments"].lower()
    monkeypatch.setenv("UPLOADS_BUCKET", bucket)
    s3 = engine.session.client("s3", endpoint_url=engine.endpoint)
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})

    def compared() -> dict[str, Any]:
        run("pay.reconciliation", {**events.schedule(), "time": functions.clock.at.astimezone(UTC).isoformat()})
        key = f"comparisons/{functions.clock.at.date().isoformat()}.json"
        found: dict[str, Any] = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        return found

    return compared


def differences(report: dict[str, Any]) -> list[str]:
    return [each["differs"] for each in report["differences"]]


def test_where_all_is_well_nothing_differs(
    functions: Functions,
    subjects: list[Violation],
    started: str,
    compare: Compare,
    capsys: pytest.CaptureFixture[str],
) -> None:
    more = [violation() for _ in range(2)]
    store(functions.violations, *more)
    late = functions.pay(payment_body(more[0]), "key-00000002").body["payment_id"]
    partly = functions.pay(payment_body(more[1]), "key-00000003").body["payment_id"]
    functions.cancel(late)
    functions.violations.write([row(later(more[1], status=CANCELLED))])
    for each in (started, late, partly):
        functions.gateway.says(each)
        functions.callback(each)
    functions.clock.forward(minutes=3)
    functions.poll_gateways()
    functions.clock.forward(hours=15)
    capsys.readouterr()
    found = compare()
    assert (found["compared"], found["differences"], found["silent"], found["unaskable"]) == (3, [], [], [])
    assert found["received"] == {"sandbox": 75_000 + 50_000 + 50_000}
    told = metrics(capsys)
    assert (told["PaymentsCompared"], told["PaymentDifferences"], told["PaymentsNotCompared"]) == ([3], [0], [0])


def test_a_part_that_went_back_is_no_difference(
    functions: Functions, subjects: list[Violation], started: str, compare: Compare
) -> None:
    functions.violations.write([row(later(subjects[0], status=CANCELLED))])
    functions.gateway.says(started)
    functions.callback(started)
    functions.clock.forward(minutes=3)
    functions.poll_gateways()
    functions.clock.forward(hours=2)
    assert status(functions, started) == "paid"
    assert compare()["differences"] == []
    functions.gateway.says(started, OrderStatus.REFUNDED)
    assert compare()["differences"] == []


def test_a_young_payment_is_not_compared_yet_and_an_old_one_no_more(
    functions: Functions, started: str, compare: Compare
) -> None:
    functions.clock.forward(minutes=59)
    assert compare()["differences"] == []
    functions.clock.forward(minutes=1)
    assert differences(compare()) == ["unfinished"]
    functions.clock.forward(days=2)
    assert differences(compare()) == ["unfinished"]
    functions.clock.forward(days=1)
    assert compare()["compared"] == 0


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        ({"state": OrderStatus.FAILED}, "state"),
        ({"state": OrderStatus.REFUNDED}, "state"),
        ({"amount": 74_999}, "amount"),
        ({"currency": "USD"}, "amount"),
        ({"reference": "another"}, "identity"),
        ({"gateway_id": "g-another"}, "identity"),
    ],
)
def test_what_differs_from_a_paid_one_is_named(
    functions: Functions,
    started: str,
    compare: Compare,
    change: dict[str, Any],
    differs: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    functions.gateway.says(started)
    functions.callback(started)
    functions.gateway.says(started, **change)
    functions.clock.forward(hours=2)
    capsys.readouterr()
    (difference,) = compare()["differences"]
    order = functions.gateway.orders[started]
    assert difference == {
        "payment_id": started,
        "gateway": "sandbox",
        "gateway_id": f"g-{started}",
        "differs": differs,
        "ours": {"status": "paid", "received": 75_000},
        "theirs": {"state": order.status, "amount": order.amount, "currency": order.currency},
    }
    assert metrics(capsys)["PaymentDifferences"] == [1]


def test_a_paid_one_that_the_gateway_does_not_know_differs(
    functions: Functions, started: str, compare: Compare
) -> None:
    functions.gateway.says(started)
    functions.callback(started)
    del functions.gateway.orders[started]
    functions.clock.forward(hours=2)
    (difference,) = compare()["differences"]
    assert (difference["differs"], difference["theirs"]) == ("state", None)


def test_money_for_one_that_was_given_up_differs(functions: Functions, started: str, compare: Compare) -> None:
    functions.cancel(started)
    functions.gateway.says(started)
    functions.clock.forward(hours=2)
    assert differences(compare()) == ["state"]
    assert status(functions, started) == "cancelled"


@pytest.mark.parametrize(
    ("silence", "place"), [(UnknownError("away"), "silent"), (UnaskableError("no id"), "unaskable")]
)
def test_one_of_which_the_gateway_does_not_speak_is_listed(
    functions: Functions,
    started: str,
    compare: Compare,
    silence: Exception,
    place: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    functions.gateway.silence = silence
    functions.clock.forward(hours=2)
    capsys.readouterr()
    found = compare()
    assert (found[place], found["compared"]) == ([started], 0)
    assert metrics(capsys)["PaymentsNotCompared"] == [1]


def test_one_that_cannot_be_read_holds_up_nobody(
    engine: Engine,
    functions: Functions,
    subjects: list[Violation],
    compare: Compare,
    capsys: pytest.CaptureFixture[str],
) -> None:
    damaged, whole = (
        functions.pay(payment_body(each), f"key-0000000{n}").body["payment_id"] for n, each in enumerate(subjects)
    )
    functions.gateway.says(whole)
    functions.callback(whole)
    key = {"pk": {"S": damaged}, "sk": {"S": "PAYMENT"}}
    table = functions.tables["Payments"]
    remove = {"TableName": table, "Key": key, "UpdateExpression": "REMOVE expires_at"}
    engine.fast()("dynamodb", "UpdateItem", remove)
    functions.clock.forward(minutes=61)
    capsys.readouterr()
    report = compare()
    assert (report["compared"], differences(report)) == (1, [])
    assert metrics(capsys)["ItemsUnreadable"] == [1]
