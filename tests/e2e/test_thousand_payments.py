"""A thousand payments under random faults of the gateway: the books agree with it, and the files to the dinar."""

from __future__ import annotations

import csv
import io
import json
import random
import secrets
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest

from tests.e2e import files
from tests.support.cloud import Answer, Cloud, wait_for

pytestmark = [pytest.mark.cloud, pytest.mark.slow, pytest.mark.timeout(3600)]

PAYMENTS = 1_000
A_CITIZEN = 3
RETURNED = 20
"""Payments whose money the gateway's office gives back."""
AT_ONCE = 4
RATE = 0.25
SEED = 20261126


class Citizen(NamedTuple):
    """Someone with a plate of their own; rows: its violations, one or two a payment."""

    token: str
    plate: str
    rows: list[dict[str, str]]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A cloud of its own: what others pay is not in its sums."""
    started = Cloud.at(tmp_path_factory.mktemp("thousand")).start()
    yield started
    started.stop()


def citizens(cloud: Cloud) -> list[Citizen]:
    """As many as are needed, each with twice as many violations as payments."""
    made = []
    for number in range(-(-PAYMENTS // A_CITIZEN)):
        plate = f"{500_000 + number}"
        rows = [
            files.row(plate, sector_code=f"S{number % 7}", amount=str(25_000 + 250 * index))
            for index in range(2 * A_CITIZEN)
        ]
        made.append(Citizen(cloud.token(f"ur-{number}", ""), plate, rows))
    for number, some in enumerate(_batches([row for citizen in made for row in citizen.rows], 1_000)):
        key = f"backlog/thousand-{number}.csv"
        report = cloud.report(key, cloud.upload(key, files.csv(some)), within=300)
        assert report["counts"]["inserted"] == len(some)
    return made


def _batches(rows: list[dict[str, str]], size: int) -> Iterator[list[dict[str, str]]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def pay(cloud: Cloud, citizen: Citizen, rows: list[dict[str, str]], chance: random.Random) -> str:
    """A payment by a citizen who asks again where an answer says so, and then pays, declines or gives up.

    Or pays late: after declining, or after giving up an order that does not close.
    """
    body = {
        "violations": [row["violation_no"] for row in rows],
        "gateway": "sandbox",
        "return_url": f"{cloud.url}/",
    }
    headers = {"idempotency-key": secrets.token_hex(8)}
    started = _patiently(lambda: cloud.request("POST", "/v1/payments", body, token=citizen.token, headers=headers))
    assert started.status in (201, 202), started
    payment_id: str = started.body["payment_id"]
    steps = [("pay",), ("fail",), ("cancel",), (), ("fail", "late"), ("refuse_close", "cancel", "pay")]
    for step in chance.choices(steps, [60, 10, 10, 10, 5, 5])[0]:
        if step == "cancel":
            cancel(cloud, citizen, payment_id)
        else:
            cloud.request("POST", f"/_local/gateway/{payment_id}/{step}")
    return payment_id


def cancel(cloud: Cloud, citizen: Citizen, payment_id: str) -> Answer:
    path = f"/v1/payments/{payment_id}/cancel"
    return _patiently(lambda: cloud.request("POST", path, token=citizen.token))


def _patiently(call: Any) -> Answer:
    for _ in range(10):
        answer: Answer = call()
        if answer.status not in (409, 500, 503) or answer.body["code"] in ("payment_over", "payments_full"):
            break
        time.sleep(0.2)
    return answer


def invoke(cloud: Cloud, logical_id: str, event: dict[str, Any]) -> None:
    """Run a scheduled function now."""
    resources = cloud.aws("cloudformation").describe_stack_resources(StackName="gharama")["StackResources"]
    name = next(one["PhysicalResourceId"] for one in resources if one["LogicalResourceId"] == logical_id)
    answer = cloud.aws("lambda").invoke(FunctionName=name, Payload=json.dumps(event).encode())
    assert "FunctionError" not in answer, answer["Payload"].read()


def kept(cloud: Cloud) -> list[dict[str, Any]]:
    """Every payment as it lies in the table."""
    assert cloud.stack is not None
    pages = cloud.aws("dynamodb").get_paginator("scan").paginate(TableName=cloud.stack["tables"]["Payments"])
    return [item for page in pages for item in page["Items"] if item["sk"]["S"] == "PAYMENT"]


def statuses(cloud: Cloud) -> dict[str, int]:
    found: dict[str, int] = {}
    for item in kept(cloud):
        found[item["status"]["S"]] = found.get(item["status"]["S"], 0) + 1
    return found


def given_back_by_the_office(cloud: Cloud, payment_ids: list[str]) -> None:
    """The gateway's office gives back what is settled; we are told, and an operator decides."""
    for payment_id in payment_ids:
        assert cloud.request("POST", f"/_local/gateway/{payment_id}/return_money").status == 200

    def marked() -> bool:
        found = {item["pk"]["S"] for item in kept(cloud) if item.get("money_returned", {"N": "0"})["N"] != "0"}
        return found == set(payment_ids)

    wait_for(marked, 120, "what is back is on the list")
    for payment_id in payment_ids:
        decide(cloud, payment_id, "reverse")


def decide(cloud: Cloud, payment_id: str, decision: str, lines: str = "") -> None:
    command = f"make decide-payment ID={payment_id} DECISION={decision} LINES='{lines}' REASON=test APPLY=1"
    said = cloud.operate(command)
    assert said.returncode == 0, said.stdout + said.stderr


def wanted(cloud: Cloud) -> list[tuple[str, str]]:
    """Payments and violations whose money may have to go back, as the operator's list says."""
    lines = [line.split() for line in cloud.operate("make refunds").stdout.splitlines() if line.startswith("wanted")]
    found = [dict(word.split("=", 1) for word in words if "=" in word) for words in lines]
    return [(each["payment_id"], each["violation_no"]) for each in found]


def settled_by_sector(cloud: Cloud) -> int:
    """What the settlement files come to, in dinars."""
    assert cloud.stack is not None
    s3, bucket = cloud.aws("s3"), cloud.stack["upload_bucket"]
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="settlements/")
    keys = [each["Key"] for page in pages for each in page.get("Contents", []) if each["Key"].endswith(".csv")]
    total = 0
    for key in keys:
        text = s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode("utf-8-sig")
        total += sum(int(line["amount"]) for line in csv.DictReader(io.StringIO(text)))
    return total


def test_the_books_agree_with_the_gateway_and_the_sectors_files_to_the_dinar(cloud: Cloud) -> None:
    everybody = citizens(cloud)
    for citizen in everybody:
        asked = cloud.request("POST", "/v1/queries", {"plate": f"بغداد ز {citizen.plate}"}, token=citizen.token)
        assert asked.status == 200
    assert cloud.request("POST", "/_local/gateway/faults", {"rate": RATE, "seed": SEED}).status == 200
    chance = random.Random(SEED)

    def visit(citizen: Citizen) -> list[str]:
        return [pay(cloud, citizen, rows, chance) for rows in _batches(citizen.rows, 2)]

    with ThreadPoolExecutor(AT_ONCE) as threads:
        made = [payment_id for ids in threads.map(visit, everybody) for payment_id in ids]
    assert len(set(made)) == len(made) >= PAYMENTS

    changed = [{**citizen.rows[0], "status": "cancelled", "updated_at": files.now(0)} for citizen in everybody[::10]]
    cloud.report("backlog/changed.csv", cloud.upload("backlog/changed.csv", files.csv(changed)))
    cloud.request("POST", "/_local/gateway/faults", {"rate": 0, "seed": SEED})
    owners = {item["pk"]["S"]: item["sub"]["S"] for item in kept(cloud)}
    by_sub = {f"ur-{number}": citizen for number, citizen in enumerate(everybody)}

    def ended() -> bool:
        invoke(cloud, "PayPollGateways", {})
        open_ones = [item["pk"]["S"] for item in kept(cloud) if item["status"]["S"] in ("created", "pending")]
        for payment_id in open_ones:
            cancel(cloud, by_sub[owners[payment_id]], payment_id)
        return not set(statuses(cloud)) & {"created", "pending", "refund_due", "review"}

    wait_for(ended, 900, "every payment has come to its end")
    paid_whole = [item for item in kept(cloud) if item["status"]["S"] == "paid" and item["given_back"]["N"] == "0"]
    given_back_by_the_office(cloud, sorted(item["pk"]["S"] for item in paid_whole)[:RETURNED])
    for payment_id, violation_no in wanted(cloud):
        decide(cloud, payment_id, "return-lines", violation_no)
        wait_for(ended, 60, "its money is back")
    assert wanted(cloud) == []
    found = kept(cloud)
    received = sum(int(item["received"]["N"]) for item in found)
    night = datetime.now(UTC) + timedelta(hours=2)
    invoke(cloud, "PayReconciliation", {"time": night.isoformat(timespec="seconds")})
    local_day = (night + timedelta(hours=3)).date().isoformat()
    report = json.loads(cloud.read_object(f"comparisons/{local_day}.json") or b"{}")
    assert (report["differences"], report["silent"], report["unaskable"]) == ([], [], [])
    assert report["compared"] == len(found)
    assert report["received"] == {"sandbox": received}

    for _ in range(3):
        invoke(cloud, "RemitHourly", {})
    assert cloud.stack is not None
    pages = cloud.aws("dynamodb").get_paginator("scan").paginate(TableName=cloud.stack["tables"]["Violations"])
    paid = [int(item["paid_amount"]["N"]) for page in pages for item in page["Items"] if "paid_by" in item]
    receipts = sum(
        int(item["amount"]["N"])
        for page in cloud.aws("dynamodb").get_paginator("scan").paginate(TableName=cloud.stack["tables"]["Payments"])
        for item in page["Items"]
        if item["sk"]["S"] == "RECEIPT" and "void_since" not in item
    )
    assert settled_by_sector(cloud) == sum(paid) == receipts
    print(f"\n{len(found)} payments: {statuses(cloud)}; received {received:,}, settled {receipts:,}")
