"""A citizen's payments on the local cloud, each function under its own role: listed, given up, begun anew, compared."""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime, timedelta

import pytest

from tests.e2e import files
from tests.support.cloud import Cloud, wait_for

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("cloud")]


class Debtor:
    """A citizen who has asked about a plate with one violation, and may pay it."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self.token = cloud.token(f"ur-{secrets.token_hex(4)}", files.phone())
        number = files.plate_number()
        self._row = files.row(number)
        cloud.report(f"backlog/{number}.csv", cloud.upload(f"backlog/{number}.csv", files.csv([self._row])))
        cloud.request("POST", "/v1/queries", {"plate": f"بغداد ز {number}", "sms": False}, token=self.token)

    def start(self) -> str:
        body = {
            "violations": [self._row["violation_no"]],
            "gateway": "sandbox",
            "return_url": f"{self._cloud.url}/",
        }
        headers = {"idempotency-key": secrets.token_hex(8)}
        started = self._cloud.request("POST", "/v1/payments", body, token=self.token, headers=headers)
        assert started.status == 201, started
        payment_id: str = started.body["payment_id"]
        return payment_id

    def status(self, payment_id: str) -> str:
        found: str = self._cloud.request("GET", f"/v1/payments/{payment_id}", token=self.token).body["status"]
        return found


def test_a_payment_is_given_up_and_begun_again_and_both_are_listed(cloud: Cloud) -> None:
    debtor = Debtor(cloud)
    first = debtor.start()
    given_up = cloud.request("POST", f"/v1/payments/{first}/cancel", token=debtor.token)
    assert (given_up.status, given_up.body["status"]) == (200, "cancelled")
    assert cloud.request("POST", f"/_local/gateway/{first}/pay").status == 409
    second = debtor.start()
    assert cloud.request("POST", f"/_local/gateway/{second}/pay").status == 200

    def listed() -> list[str]:
        items = cloud.request("GET", "/v1/payments?limit=100", token=debtor.token).body["items"]
        return sorted(f"{item['payment_id']} {item['status']}" for item in items)

    wait_for(lambda: listed() == sorted([f"{first} cancelled", f"{second} paid"]), 10, "both have ended")


def test_what_is_never_paid_expires(cloud: Cloud) -> None:
    debtor = Debtor(cloud)
    payment_id = debtor.start()
    cloud.backdate(payment_id, 20)
    cloud.invoke("pay.poll_gateways.handler")
    assert debtor.status(payment_id) == "expired"


def test_a_night_is_compared(cloud: Cloud) -> None:
    debtor = Debtor(cloud)
    payment_id = debtor.start()
    assert cloud.request("POST", f"/_local/gateway/{payment_id}/pay").status == 200
    wait_for(lambda: debtor.status(payment_id) == "paid", 10, "the payment is paid")
    night = datetime.now(UTC) + timedelta(hours=2)
    cloud.invoke("pay.reconciliation.handler", {"time": night.isoformat(timespec="seconds")})
    raw = cloud.read_object(f"comparisons/{(night + timedelta(hours=3)).date().isoformat()}.json")
    report = json.loads(raw or b"")
    assert report["received"]["sandbox"] >= 50_000
    assert payment_id not in [each["payment_id"] for each in report["differences"]]
