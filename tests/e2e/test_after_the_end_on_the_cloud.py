"""What becomes of a payment's money after its end, on the cloud: told by SMS, on the list, in the sector's file."""

from __future__ import annotations

import csv
import io
import secrets
from typing import Any, NamedTuple

import pytest

from tests.e2e import files
from tests.support.cloud import Cloud, wait_for
from tests.support.lambda_events import schedule

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("cloud")]


class Walk(NamedTuple):
    """A citizen's payment of two fines, begun, and the sector that is owed it."""

    cloud: Cloud
    token: str
    phone: str
    sector: str
    rows: list[dict[str, str]]
    payment_id: str

    def gateway(self, outcome: str) -> None:
        assert self.cloud.request("POST", f"/_local/gateway/{self.payment_id}/{outcome}").status == 200, outcome

    def payment(self) -> dict[str, Any]:
        found: dict[str, Any] = self.cloud.request("GET", f"/v1/payments/{self.payment_id}", token=self.token).body
        return found

    def becomes(self, status: str) -> dict[str, Any]:
        return wait_for(
            lambda: found if (found := self.payment())["status"] == status else None, 20, f"the payment is {status}"
        )

    def check(self) -> dict[str, Any]:
        found: dict[str, Any] = self.cloud.request("GET", f"/v1/receipts/{self.payment()['receipt_no']}").body
        return found

    def polled(self) -> None:
        """The gateways are asked, as every few minutes; whoever asked before is gone by then."""
        self.cloud.backdate(self.payment_id, 3)
        self.cloud.invoke("pay.poll_gateways.handler", schedule())

    def says(self, **change: str) -> None:
        """What the directorate's next file says of the first fine."""
        key = f"backlog/{secrets.token_hex(4)}.csv"
        content = files.csv([{**self.rows[0], **change, "updated_at": files.now()}])
        assert self.cloud.report(key, self.cloud.upload(key, content))["counts"]["updated"] == 1

    def listed(self) -> list[str]:
        """What the operator's list says of the payment."""
        said = self.cloud.operate("make refunds")
        assert said.returncode == 0, said.stderr
        lines = said.stdout.splitlines()
        return [line for line in lines if self.payment_id in line]

    def decide(self, decision: str, lines: str = "") -> None:
        command = f"make decide-payment ID={self.payment_id} DECISION={decision} LINES='{lines}' REASON=walk APPLY=1"
        said = self.cloud.operate(command)
        assert said.returncode == 0, said.stdout + said.stderr

    def told(self, text: str) -> None:
        wait_for(lambda: any(text in each for each in self.cloud.sms(self.phone)), 30, f"an SMS says {text}")

    def sector_is_told(self) -> list[tuple[str, int]]:
        """Kinds and dinars of the lines of the sector's file."""
        assert self.cloud.stack is not None
        # The schedule may have made this hour's files already: as if that had been another hour.
        cursor = {"pk": {"S": "CURSOR"}, "sk": {"S": "CURSOR"}}
        self.cloud.aws("dynamodb").delete_item(TableName=self.cloud.stack["tables"]["Settlements"], Key=cursor)
        self.cloud.invoke("remit.hourly.handler")
        s3, bucket = self.cloud.aws("s3"), self.cloud.stack["upload_bucket"]
        found = s3.list_objects_v2(Bucket=bucket, Prefix="settlements/")["Contents"]
        (key,) = [each["Key"] for each in found if each["Key"].endswith(f"/11-{self.sector}.csv")]
        text = (self.cloud.read_object(key) or b"").decode("utf-8-sig")
        return sorted((line["entry"], int(line["amount"])) for line in csv.DictReader(io.StringIO(text, newline="")))


@pytest.fixture
def walk(cloud: Cloud) -> Walk:
    number, phone, sector = files.plate_number(), files.phone(), secrets.token_hex(4)
    token = cloud.token(f"ur-{secrets.token_hex(4)}", phone)
    rows = [files.row(number, sector_code=sector, amount=amount) for amount in ("50000", "25000")]
    cloud.report(f"backlog/{number}.csv", cloud.upload(f"backlog/{number}.csv", files.csv(rows)))
    cloud.request("POST", "/v1/queries", {"plate": f"بغداد ز {number}", "sms": False}, token=token)
    body = {
        "violations": [row["violation_no"] for row in rows],
        "gateway": "sandbox",
        "return_url": f"{cloud.url}/",
    }
    headers = {"idempotency-key": secrets.token_hex(8)}
    started = cloud.request("POST", "/v1/payments", body, token=token, headers=headers)
    assert started.status == 201, started
    return Walk(cloud, token, phone, sector, rows, started.body["payment_id"])


def test_money_that_the_gateway_gives_back_by_itself(walk: Walk) -> None:
    walk.gateway("pay")
    walk.becomes("paid")
    walk.gateway("return_money")
    wait_for(lambda: not walk.check()["paid"], 20, "the receipt's check says that the money is back")
    assert walk.payment()["status"] == "paid"
    assert any("money_returned=75000" in line for line in walk.listed())
    walk.decide("reverse")
    assert (walk.payment()["status"], walk.listed()) == ("refunded", [])
    walk.told("75,000")
    assert walk.sector_is_told() == [
        ("reversed", -50_000),
        ("reversed", -25_000),
        ("settled", 25_000),
        ("settled", 50_000),
    ]


def test_money_that_comes_late(walk: Walk) -> None:
    walk.gateway("fail")
    walk.becomes("failed")
    walk.gateway("late")
    receipt_no = walk.becomes("paid")["receipt_no"]
    walk.told(receipt_no)
    assert walk.sector_is_told() == [("settled", 25_000), ("settled", 50_000)]


def test_an_order_that_will_not_close(walk: Walk) -> None:
    walk.gateway("refuse_close")
    path = f"/v1/payments/{walk.payment_id}/cancel"
    given_up = walk.cloud.request("POST", path, token=walk.token)
    assert (given_up.status, given_up.body["closing"]) == (202, True)
    walk.gateway("pay")
    walk.told(walk.becomes("paid")["receipt_no"])
    assert walk.listed() == []


def test_a_refund_that_bounces(walk: Walk) -> None:
    for row in walk.rows:
        walk._replace(rows=[row]).says(status="cancelled")
    walk.gateway("pay")
    walk.becomes("refund_due")
    walk.polled()
    walk.becomes("refunded")
    walk.told("75,000")
    walk.gateway("bounce")
    wait_for(walk.listed, 20, "the refund is on the list")
    walk.decide("given-back")
    assert (walk.payment()["status"], walk.listed()) == ("refunded", [])


def test_a_gateway_that_falls_silent_and_speaks_again(walk: Walk) -> None:
    walk.gateway("silent")
    walk.gateway("pay")
    walk.polled()
    assert walk.payment()["status"] == "pending"
    walk.gateway("speak")
    walk.polled()
    walk.told(walk.becomes("paid")["receipt_no"])


def test_a_fine_that_is_cancelled_after_it_was_paid(walk: Walk) -> None:
    walk.gateway("pay")
    walk.becomes("paid")
    walk.says(status="cancelled")
    (wanted,) = wait_for(walk.listed, 30, "it is on the list")
    assert f"violation_no={walk.rows[0]['violation_no']}" in wanted
    assert "cause=cancelled" in wanted
    walk.decide("return-lines", walk.rows[0]["violation_no"])
    walk.polled()
    walk.becomes("paid")
    assert (walk.check()["amount"], walk.listed()) == (25_000, [])
    walk.told("50,000")
    assert walk.sector_is_told() == [("reversed", -50_000), ("settled", 25_000), ("settled", 50_000)]
