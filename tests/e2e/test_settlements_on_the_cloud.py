"""What follows a payment on the local cloud: receipt, counter's check, the sector's file and its acknowledgement."""

from __future__ import annotations

import csv
import io
import json
import secrets
import urllib.request
from hashlib import sha256
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pypdfium2 as pdfium
import pytest
import zxingcpp

from tests.e2e import files
from tests.support.cloud import Cloud, wait_for

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("cloud")]


class Paid(NamedTuple):
    """A payment of one violation that was paid, and its citizen's token."""

    token: str
    payment: dict[str, Any]
    row: dict[str, str]


@pytest.fixture
def paid(cloud: Cloud) -> Paid:
    number = files.plate_number()
    token = cloud.token(f"ur-{secrets.token_hex(4)}", files.phone())
    row = files.row(number, sector_code=f"E/{secrets.token_hex(3)}")
    cloud.report(f"backlog/{number}.csv", cloud.upload(f"backlog/{number}.csv", files.csv([row])))
    cloud.request("POST", "/v1/queries", {"plate": f"بغداد ز {number}", "sms": False}, token=token)
    body = {"violations": [row["violation_no"]], "gateway": "sandbox", "return_url": f"{cloud.url}/"}
    started = cloud.request(
        "POST", "/v1/payments", body, token=token, headers={"idempotency-key": secrets.token_hex(8)}
    )
    payment_id = started.body["payment_id"]
    assert cloud.request("POST", f"/_local/gateway/{payment_id}/pay").status == 200

    def done() -> dict[str, Any] | None:
        payment: dict[str, Any] = cloud.request("GET", f"/v1/payments/{payment_id}", token=token).body
        return payment if payment["status"] == "paid" else None

    return Paid(token, wait_for(done, 10, "the payment is paid"), row)


def test_the_receipt_is_a_page_that_leads_to_the_check(cloud: Cloud, paid: Paid) -> None:
    path = f"/v1/payments/{paid.payment['payment_id']}/receipt"
    receipt = cloud.request("GET", path, token=paid.token)
    assert receipt.status == 200, receipt
    with urllib.request.urlopen(receipt.body["pdf"]["url"], timeout=20) as response:  # noqa: S310 (the local cloud's own)
        document = pdfium.PdfDocument(response.read())
    assert len(document) == 1
    (code,) = zxingcpp.read_barcodes(document[0].render(scale=2).to_pil())
    assert code.text == receipt.body["check_url"]
    check = cloud.request("GET", urlsplit(code.text).path)
    assert (check.status, check.body["amount"]) == (200, 50_000)
    assert cloud.request("GET", path, token=cloud.token("ur-another", files.phone())).status == 404


def test_a_counter_sees_at_once_that_it_is_paid(cloud: Cloud, paid: Paid) -> None:
    clerk = cloud.token("ur-clerk", files.phone(), scope="directorate")
    body = {"violations": [paid.row["violation_no"], "unheard-of"]}
    check = cloud.request("POST", "/v1/settlements/check", body, token=clerk)
    assert [(item["status"], item["receipt_no"]) for item in check.body["items"]] == [
        ("paid", paid.payment["receipt_no"]),
        ("unknown", None),
    ]
    assert cloud.request("POST", "/v1/settlements/check", body, token=paid.token).status == 403


def test_the_sector_gets_its_file_and_acknowledges_it(cloud: Cloud, paid: Paid) -> None:
    assert cloud.stack is not None
    # The schedule may have made this hour's files already: as if that had been another hour.
    cursor = {"pk": {"S": "CURSOR"}, "sk": {"S": "CURSOR"}}
    cloud.aws("dynamodb").delete_item(TableName=cloud.stack["tables"]["Settlements"], Key=cursor)
    cloud.invoke("remit.hourly.handler")

    listed = cloud.aws("s3").list_objects_v2(Bucket=cloud.stack["upload_bucket"], Prefix="settlements/")["Contents"]
    place = paid.row["sector_code"].replace("/", "_2F")
    (key,) = [each["Key"] for each in listed if each["Key"].endswith(f"/11-{place}.csv")]
    content = cloud.read_object(key)
    assert content is not None
    (line,) = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    assert (line["violation_no"], line["amount"], line["receipt_no"]) == (
        paid.row["violation_no"], "50000", paid.payment["receipt_no"],
    )  # fmt: skip

    acknowledgement = key.replace("settlements/", "settlements-ack/").replace(".csv", ".json")
    cloud.upload(acknowledgement, json.dumps({"sha256": sha256(content).hexdigest()}).encode())
    raw = wait_for(
        lambda: cloud.read_object(f"reports/{acknowledgement}.json"), 20, "the report of the acknowledgement"
    )
    assert json.loads(raw)["status"] == "acknowledged"
