"""A file becomes violations, a follower's phone gets an SMS, a citizen asks, pays, and has a receipt."""

from __future__ import annotations

import csv as csv_module
import io
import re
import secrets
from urllib.parse import urljoin

import pytest
import requests

from tests.e2e import files
from tests.support.asking import UNDISPUTED
from tests.support.cloud import Cloud, wait_for

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("cloud")]


def test_every_row_of_a_file_is_accounted_for(cloud: Cloud) -> None:
    rows = [files.row(files.plate_number()) for _ in range(198)]
    bad = [files.row("12345", plate_governorate="30"), files.row("12345", amount="5e4")]
    rows[50:50] = bad[:1]
    rows[150:150] = bad[1:]
    version = cloud.upload("live/counted.csv", files.csv(rows))

    report = cloud.report("live/counted.csv", version)

    assert report["status"] == "loaded"
    assert report["counts"] == {
        "rows": 200,
        "inserted": 198,
        "updated": 0,
        "unchanged": 0,
        "stale": 0,
        "rejected": 2,
    }
    raw = wait_for(lambda: cloud.read_object("rejects/live/counted.csv"), 20, "the rejects")
    rejected = list(csv_module.DictReader(io.StringIO(raw.decode("utf-8-sig"))))
    assert [(reject["line"], reject["violation_no"]) for reject in rejected] == [
        ("52", bad[0]["violation_no"]),
        ("152", bad[1]["violation_no"]),
    ]
    assert all(reject["error_code"] and reject["error"] for reject in rejected)

    version = cloud.upload("live/counted.csv", files.csv([row for row in rows if row not in bad]))
    assert cloud.report("live/counted.csv", version)["counts"]["unchanged"] == 198
    wait_for(lambda: cloud.read_object("rejects/live/counted.csv") is None, 20, "no rejects of an older version")


def test_a_reason_of_a_report_leads_to_the_guide(cloud: Cloud) -> None:
    version = cloud.upload(
        "live/2026-11-25/explained.csv", files.csv([files.row("12345", amount="5e4"), files.row("12345")])
    )
    cloud.report("live/2026-11-25/explained.csv", version)
    page = wait_for(
        lambda: cloud.read_object("reports/live/2026-11-25/explained.csv.html"), 20, "the page of the report"
    )
    (link,) = re.findall(r'href="([^"]+#amount_e_notation)"', page.decode())
    key, _, section = urljoin("/reports/live/2026-11-25/explained.csv.html", link).partition("#")
    guide = wait_for(lambda: cloud.read_object(key.lstrip("/")), 20, "the guide")
    assert f'id="{section}"' in guide.decode()


@pytest.mark.parametrize(
    ("origin", "check"), [("live", False), ("backlog", False), ("registry", False), ("live", True)]
)
def test_a_clerk_sends_a_file_of_each_origin(cloud: Cloud, origin: str, check: bool) -> None:
    clerk = cloud.token(f"clerk-{secrets.token_hex(4)}", "", scope="directorate")
    number = files.plate_number()
    content = files.csv([files.row(number)]) if origin != "registry" else files.card(number, f"R{number}")
    asked = {"origin": origin, "format": "csv", "encoding": "utf-8", "size": len(content), "check": check}
    slot = cloud.request("POST", "/v1/uploads", asked, token=clerk).body

    sent = requests.post(slot["url"], data=slot["fields"], files={"file": ("new.csv", content)}, timeout=30)

    assert sent.ok
    assert slot["fields"]["key"].startswith(f"check/{origin}/" if check else f"{origin}/")
    loaded = wait_for(
        lambda: (
            (found := cloud.request("GET", f"/v1/uploads/{slot['upload_id']}", token=clerk).body)["report"] and found
        ),
        30,
        "the file is loaded",
    )
    assert (loaded["status"], loaded["report"]["counts"]["inserted"]) == ("checked" if check else "loaded", 1)


def test_from_a_followed_plate_to_a_receipt(cloud: Cloud) -> None:
    number, phone, sub = files.plate_number(), files.phone(), f"ur-{secrets.token_hex(4)}"
    token = cloud.token(sub, phone)
    first = files.row(number, recorded_at=files.now(-10), occurred_at=files.now(-11))
    version = cloud.upload(f"backlog/{number}-1.csv", files.csv([first]))
    assert cloud.report(f"backlog/{number}-1.csv", version)["counts"]["inserted"] == 1

    linked = cloud.request(
        "POST",
        "/v1/vehicles",
        {"plate": f"بغداد ز {number}", "relation": "self", "notify": True},
        token=token,
    )
    assert linked.status == 201
    assert linked.body["totals"] == {"count": 1, "unpaid_count": 1, "amount": 50000, **UNDISPUTED, "currency": "IQD"}

    second = files.row(number, amount="100000", legal_ref="25/2/أ")
    cloud.upload(f"live/{number}-2.csv", files.csv([second]))
    texts = wait_for(lambda: cloud.sms(phone), 10, "the SMS of the new violation")
    assert len(texts) == 1
    assert number[-3:] in texts[0]
    assert "100,000" in texts[0]

    asked = cloud.request("POST", "/v1/queries", {"plate": f"{number} ز بغداد"}, token=token)
    assert asked.status == 200
    assert asked.body["totals"]["amount"] == 150_000
    assert [violation["violation_no"] for violation in asked.body["violations"]] == [
        second["violation_no"],
        first["violation_no"],
    ]
    wait_for(lambda: len(cloud.sms(phone)) == 2, 10, "the SMS of the answer")

    numbers = [first["violation_no"], second["violation_no"]]
    started = cloud.request(
        "POST",
        "/v1/payments",
        {"violations": numbers, "gateway": "sandbox", "return_url": f"{cloud.url}/"},
        token=token,
        headers={"idempotency-key": secrets.token_hex(8)},
    )
    assert started.status == 201, started
    assert started.body["status"] == "pending"
    assert started.body["amount"] == 150_000
    payment_id = started.body["payment_id"]
    page = cloud.request("GET", started.body["redirect_url"].removeprefix(cloud.url))
    assert page.status == 200

    assert cloud.request("POST", f"/_local/gateway/{payment_id}/pay").status == 200
    paid = wait_for(
        lambda: (
            (answer := cloud.request("GET", f"/v1/payments/{payment_id}", token=token)).body["status"] == "paid"
            and answer.body
        ),
        10,
        "the payment is paid",
    )
    again = cloud.request("POST", "/v1/queries", {"plate": f"بغداد ز {number}", "sms": False}, token=token)
    assert {violation["status"] for violation in again.body["violations"]} == {"paid"}
    assert again.body["totals"]["amount"] == 0
    receipt = cloud.request("GET", f"/v1/receipts/{paid['receipt_no']}")
    assert (receipt.status, receipt.body["amount"]) == (200, 150_000)
    texts = wait_for(lambda: len(found := cloud.sms(phone)) == 3 and found, 10, "the SMS of the receipt")
    assert paid["receipt_no"] in texts[2]


def test_a_follower_hears_that_the_amount_rises_soon_and_that_a_violation_is_cancelled(cloud: Cloud) -> None:
    assert cloud.stack is not None
    number, phone = files.plate_number(), files.phone()
    token = cloud.token(f"ur-{secrets.token_hex(4)}", phone)
    vehicle = {"plate": f"بغداد ز {number}", "relation": "self", "notify": True}
    assert cloud.request("POST", "/v1/vehicles", vehicle, token=token).status == 201
    row = files.row(number, recorded_at=files.now(-26), occurred_at=files.now(-27))
    cloud.upload(f"live/{number}.csv", files.csv([row]))
    wait_for(lambda: len(cloud.sms(phone)) == 1, 20, "the SMS of the new violation")

    # The schedule may have reminded of this day already: as if it had not.
    dynamodb, table = cloud.aws("dynamodb"), cloud.stack["tables"]["Messages"]
    for page in dynamodb.get_paginator("scan").paginate(TableName=table, ProjectionExpression="pk"):
        for key in page["Items"]:
            if key["pk"]["S"].startswith("REMINDED#"):
                dynamodb.delete_item(TableName=table, Key=key)
    cloud.invoke("notify.remind.handler")
    texts = wait_for(lambda: len(found := cloud.sms(phone)) == 2 and found, 20, "the SMS of the rise")
    assert "100,000" in texts[1]

    cloud.upload(f"live/{number}.csv", files.csv([{**row, "status": "cancelled", "updated_at": files.now()}]))
    texts = wait_for(lambda: len(found := cloud.sms(phone)) == 3 and found, 20, "the SMS of the cancellation")
    assert number[-3:] in texts[2]


def test_a_backlog_load_announces_nothing(cloud: Cloud) -> None:
    number, phone = files.plate_number(), files.phone()
    token = cloud.token(f"ur-{secrets.token_hex(4)}", phone)
    cloud.request(
        "POST", "/v1/vehicles", {"plate": f"بغداد ز {number}", "relation": "self", "notify": True}, token=token
    )
    version = cloud.upload(f"backlog/{number}.csv", files.csv([files.row(number)]))
    cloud.report(f"backlog/{number}.csv", version)
    live = files.row(number)
    cloud.upload(f"live/{number}.csv", files.csv([live]))

    texts = wait_for(lambda: cloud.sms(phone), 10, "the SMS of the live violation")

    assert len(texts) == 1


def test_tokens_are_checked_by_the_api_itself(cloud: Cloud) -> None:
    body = {"plate": "بغداد ز 12345"}
    good = cloud.token("ur-tokens", files.phone())
    head, payload, signature = good.split(".")
    assert cloud.request("POST", "/v1/queries", body).status == 401
    assert cloud.request("POST", "/v1/queries", body, token=f"{head}.{payload}.{signature[:-4]}AAAA").status == 401
    assert cloud.request("POST", "/v1/queries", body, token=good).status == 200
    assert cloud.request("GET", "/v1/health").status == 200
    assert cloud.request("GET", "/v1/nothing", token=good).body["code"] == "no_such_path"


def test_a_callback_without_a_good_signature_is_refused(cloud: Cloud) -> None:
    body = b'{"reference": "0", "status": "paid"}'
    assert cloud.request("POST", "/v1/callbacks/sandbox", body).status == 401
    forged = {"x-sandbox-signature": "t=1,v1=00"}
    assert cloud.request("POST", "/v1/callbacks/sandbox", body, headers=forged).status == 401
    assert cloud.request("POST", "/v1/callbacks/unheard-of", body).status == 404
