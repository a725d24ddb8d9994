"""A file that is only checked, under the roles of the template: what it would come to is what the load then does."""

from __future__ import annotations

import secrets

import pytest

from tests.e2e import files
from tests.support.cloud import Cloud, wait_for

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("cloud")]


def test_a_check_tells_nobody_and_the_load_does_what_it_said(cloud: Cloud) -> None:
    number, phone = files.plate_number(), files.phone()
    token = cloud.token(f"ur-{secrets.token_hex(4)}", phone)
    vehicle = {"plate": f"بغداد ز {number}", "relation": "self", "notify": True}
    linked = cloud.request("POST", "/v1/vehicles", vehicle, token=token).body["vehicle_id"]
    content = files.csv([files.row(number), files.row(number, amount="5e4")])

    version = cloud.upload(f"check/live/{number}.csv", content)

    checked = cloud.report(f"check/live/{number}.csv", version)
    assert (checked["status"], checked["check"]["people"]) == ("checked", 1)
    assert cloud.read_object(f"rejects/check/live/{number}.csv")
    page = wait_for(lambda: cloud.read_object(f"reports/check/live/{number}.csv.html"), 20, "the page of the report")
    assert "This was only a check" in page.decode()
    asked = cloud.request("GET", f"/v1/vehicles/{linked}/violations", token=token)
    assert asked.body["totals"]["count"] == 0

    version = cloud.upload(f"live/{number}.csv", content)
    assert cloud.report(f"live/{number}.csv", version)["counts"] == checked["counts"]
    assert len(wait_for(lambda: cloud.sms(phone), 20, "the SMS of the new violation")) == 1
