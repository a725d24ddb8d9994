"""A citizen's payments on the local cloud, each function under its own role: listed, given up, begun anew, compared."""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime, timedelta

import pytest

from tests.e2e import files
from tests.e2e.cloud import Cloud, wait_for

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("cloud")]


def test_a_payment_is_given_up_and_begun_again_and_both_are_listed(cloud: Cloud) -> None:
    number = files.plate_number()
    token = cloud.token(f"ur-{secrets.token_hex(4)}", files.phone())
    row = files.row(number)
    cloud.report(f"backlog/{number}.csv", cloud.upload(f"backlog/{number}.csv", files.csv([row])))
    cloud.request("POST", "/v1/queries", {"plate": f"بغداد ز {number}", "sms": False}, token=token)
    wish = {"violations": [row["violation_no"]], "gateway": "sandbox", "return_url": f"{cloud.url}/"}

    def start() -> str:
        headers = {"idempotency-key": secrets.token_hex(8)}
        started = cloud.request("POST", "/v1/payments", wish, token=token, headers=headers)
        assert started.status == 201, started
        payment_id: str = started.body["payment_id"]
        return payment_id

    first = start()
    given_up = cloud.request("POST", f"/v1/payments/{first}/cancel", token=token)
    assert (given_up.status, given_up.body["status"]) == (200, "cancelled")
    assert cloud.request("POST", f"/_local/gateway/{first}/pay").status == 409
    second = start()
    assert cloud.request("POST", f"/_local/gateway/{second}/pay").status == 200

    def listed() -> list[str]:
        items = cloud.request("GET", "/v1/payments?limit=100", token=token).body["items"]
        return sorted(f"{item['payment_id']} {item['status']}" for item in items)

    wait_for(lambda: listed() == sorted([f"{first} cancelled", f"{second} paid"]), 10, "both have ended")


def test_a_night_is_compared(cloud: Cloud) -> None:
    night = datetime.now(UTC) + timedelta(days=30)
    resources = cloud.aws("cloudformation").describe_stack_resources(StackName="gharama")["StackResources"]
    name = next(one["PhysicalResourceId"] for one in resources if one["LogicalResourceId"] == "PayNightly")
    event = {"time": night.isoformat(timespec="seconds")}
    answer = cloud.aws("lambda").invoke(FunctionName=name, Payload=json.dumps(event).encode())
    assert "FunctionError" not in answer
    report = cloud.read_object(f"comparisons/{(night + timedelta(hours=3)).date().isoformat()}.json")
    assert json.loads(report or b"")["differences"] == []
