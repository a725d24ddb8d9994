"""Each gateway's stand-in behind the whole stack: pay by it, lose its callback, pay twice and have one payment back."""

from __future__ import annotations

import json
import secrets
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest

from tests.e2e import files
from tests.support.cloud import Cloud, wait_for
from tests.support.gateways.fib import FibStandIn
from tests.support.gateways.qicard import QiCardStandIn
from tests.support.gateways.stand_in import Post, StandIn
from tests.support.gateways.zaincash import ZainCashStandIn
from tests.support.lambda_events import schedule

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("cloud")]

AMOUNT = 50_000
PARAMETERS = {"qicard": "QiCard", "zaincash": "ZainCash", "fib": "Fib"}


class City(NamedTuple):
    """A cloud whose stack has the three gateways, and these."""

    cloud: Cloud
    gateways: Mapping[str, StandIn]

    def physical(self, logical_id: str) -> str:
        found = self.cloud.aws("cloudformation").describe_stack_resource(
            StackName="gharama", LogicalResourceId=logical_id
        )
        physical_id: str = found["StackResourceDetail"]["PhysicalResourceId"]
        return physical_id

    def poll_gateways(self) -> None:
        """What happens every few minutes, now."""
        self.cloud.invoke("pay.poll_gateways.handler", schedule())


class Debt(NamedTuple):
    """A citizen and the violations, as the directorate wrote them, on a plate that they follow."""

    city: City
    token: str
    rows: list[dict[str, str]]

    @classmethod
    def incurred(cls, city: City, fines: int = 1) -> Debt:
        number = files.plate_number()
        rows = [files.row(number, amount=str(AMOUNT)) for _ in range(fines)]
        version = city.cloud.upload(f"backlog/{number}.csv", files.csv(rows))
        assert city.cloud.report(f"backlog/{number}.csv", version)["counts"]["inserted"] == fines
        token = city.cloud.token(f"ur-{secrets.token_hex(4)}", files.phone())
        vehicle = {"plate": f"بغداد ز {number}", "relation": "self", "notify": True}
        assert city.cloud.request("POST", "/v1/vehicles", vehicle, token=token).status == 201
        return cls(city, token, rows)

    def start(self, gateway: StandIn) -> tuple[str, str]:
        """Start to pay all; our id and the gateway's of the payment."""
        numbers = [row["violation_no"] for row in self.rows]
        body = {"violations": numbers, "gateway": gateway.name, "return_url": f"{self.city.cloud.url}/"}
        headers = {"idempotency-key": secrets.token_hex(8)}
        started = self.city.cloud.request("POST", "/v1/payments", body, token=self.token, headers=headers)
        assert (started.status, started.body["status"]) == (201, "pending"), started
        assert started.body["redirect_url"].startswith(gateway.url)
        return started.body["payment_id"], gateway.ids()[-1]

    def payment(self, payment_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.city.cloud.request("GET", f"/v1/payments/{payment_id}", token=self.token).body
        return found


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with ExitStack() as entered:
        stand_ins = [QiCardStandIn(), ZainCashStandIn(), FibStandIn()]
        gateways = {each.name: entered.enter_context(each) for each in stand_ins}
        urls = " ".join(f"{PARAMETERS[name]}Url={gateway.base}" for name, gateway in gateways.items())
        parameters = f"Gateways=sandbox,{','.join(gateways)} {urls}"
        cloud = Cloud.at(tmp_path_factory.mktemp("city"), parameters=parameters).start()
        entered.callback(cloud.stop)
        started = City(cloud, gateways)
        for name, gateway in gateways.items():
            cloud.aws("secretsmanager").put_secret_value(
                SecretId=started.physical(f"{PARAMETERS[name]}Secret"), SecretString=json.dumps(gateway.keys())
            )
        stand_ins[1].webhook_url = f"{cloud.url}/v1/callbacks/zaincash"
        yield started


@pytest.fixture(params=PARAMETERS)
def gateway(request: pytest.FixtureRequest, city: City) -> StandIn:
    return city.gateways[request.param]


def test_a_fine_is_paid(city: City, gateway: StandIn) -> None:
    debt = Debt.incurred(city)
    payment_id, gateway_id = debt.start(gateway)
    gateway.ends(gateway_id, "paid")
    gateway.owed.extend(list(gateway.owed))  # each comes twice
    assert set(gateway.deliver()) <= {200, 303}
    paid = debt.payment(payment_id)
    assert (paid["status"], paid["amount"]) == ("paid", AMOUNT)
    receipt = city.cloud.request("GET", f"/v1/receipts/{paid['receipt_no']}")
    assert (receipt.status, receipt.body["amount"]) == (200, AMOUNT)


def test_a_lost_callback_is_found_out_by_asking_the_gateway(city: City, gateway: StandIn) -> None:
    debt = Debt.incurred(city)
    payment_id, gateway_id = debt.start(gateway)
    gateway.ends(gateway_id, "paid")
    gateway.owed.clear()
    assert debt.payment(payment_id)["status"] == "pending"
    city.cloud.backdate(payment_id, 5)
    city.poll_gateways()
    assert debt.payment(payment_id)["status"] == "paid"


def test_a_double_payment_goes_back(city: City, gateway: StandIn) -> None:
    debt = Debt.incurred(city)
    first, first_at_the_gateway = debt.start(gateway)
    gateway.begins(first_at_the_gateway)
    city.cloud.backdate(first, 20)
    city.poll_gateways()
    waiting = debt.payment(first)
    assert (waiting["status"], waiting["closing"]) == ("pending", True)
    second, second_at_the_gateway = debt.start(gateway)
    assert debt.payment(first)["status"] == "cancelled"
    gateway.ends(second_at_the_gateway, "paid")
    gateway.ends(first_at_the_gateway, "paid")
    assert set(gateway.deliver()) <= {200, 303}
    assert debt.payment(second)["status"] == "paid"
    city.poll_gateways()
    gateway.finish_refund(first_at_the_gateway)
    city.cloud.backdate(first, 3)
    city.poll_gateways()
    assert debt.payment(first)["status"] == "refunded"
    assert gateway.given_back(first_at_the_gateway) == AMOUNT
    assert gateway.given_back(second_at_the_gateway) == 0


def test_what_the_gateway_does_not_give_back_goes_back_by_hand(city: City) -> None:
    """FIB gives back only all of an order, and one of two violations is cancelled before the money comes."""
    gateway, debt = city.gateways["fib"], Debt.incurred(city, fines=2)
    payment_id, gateway_id = debt.start(gateway)
    cancelled = {**debt.rows[0], "status": "cancelled", "updated_at": files.now()}
    version = city.cloud.upload("backlog/cancelled.csv", files.csv([cancelled]))
    assert city.cloud.report("backlog/cancelled.csv", version)["counts"]["updated"] == 1
    gateway.ends(gateway_id, "paid")
    gateway.deliver()

    def decide(decision: str) -> subprocess.CompletedProcess[str]:
        command = f"make decide-payment ID={payment_id} DECISION={decision} REASON='FIB gives back only all' APPLY=1"
        return city.cloud.operate(command)

    def taken_over() -> bool:
        city.poll_gateways()
        city.cloud.backdate(payment_id, 3)
        return decide("manual").returncode == 0

    assert debt.payment(payment_id)["status"] == "refund_due"
    assert decide("given-back").returncode != 0  # it has not been taken over
    # Again where the schedule's own run is asking just then.
    wait_for(taken_over, 60, "what FIB refuses is taken over")
    given = decide("given-back")
    assert given.returncode == 0, given.stdout + given.stderr
    refund = {"amount": AMOUNT, "status": "done", "violations": [debt.rows[0]["violation_no"]]}
    assert debt.payment(payment_id)["refund"] == refund
    assert gateway.given_back(gateway_id) == 0


def test_what_is_paid_cannot_be_given_up(city: City, gateway: StandIn) -> None:
    debt = Debt.incurred(city)
    payment_id, gateway_id = debt.start(gateway)
    gateway.ends(gateway_id, "paid")
    gateway.owed.clear()
    given_up = city.cloud.request("POST", f"/v1/payments/{payment_id}/cancel", token=debt.token)
    assert (given_up.status, given_up.body["status"]) == (200, "paid")


def test_a_night_is_compared(city: City, gateway: StandIn) -> None:
    debt = Debt.incurred(city)
    payment_id, gateway_id = debt.start(gateway)
    gateway.ends(gateway_id, "paid")
    gateway.deliver()
    night = datetime.now(UTC) + timedelta(hours=2)
    city.cloud.invoke("pay.reconciliation.handler", {"time": night.isoformat(timespec="seconds")})
    raw = city.cloud.read_object(f"comparisons/{(night + timedelta(hours=3)).date().isoformat()}.json")
    report = json.loads(raw or b"")
    assert report["received"][gateway.name] >= AMOUNT
    assert payment_id not in [each["payment_id"] for each in report["differences"]]


def test_a_callback_without_its_proof_is_refused(city: City, gateway: StandIn) -> None:
    debt = Debt.incurred(city)
    payment_id, gateway_id = debt.start(gateway)
    gateway.ends(gateway_id, "paid")
    gateway.owed.clear()
    address = f"{city.cloud.url}/v1/callbacks/{gateway.name}"
    assert Post("POST", address, {"content-type": "application/json"}, b"{}").send() == 401
    assert debt.payment(payment_id)["status"] == "pending"
