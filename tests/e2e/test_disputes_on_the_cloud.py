"""The lives of a dispute through the local cloud, as who follows the plate reads them on the phone."""

from __future__ import annotations

import secrets

import pytest

from tests.e2e import files
from tests.support.cloud import Cloud, wait_for

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("cloud")]

NEW = "مخالفة جديدة لوحة ..{tail}\n50,000 دينار تصبح 100,000 من {day}"
OBJECTED = "تسجيل اعتراض لوحة ..{tail}\nالعدد 1، وقد يزيد المبلغ {day}"
REFUSED = "رفض الاعتراض ..{tail}\n50,000 دينار تصبح 100,000 من {day}"
ACCEPTED = "قبول الاعتراض لوحة ..{tail}\nإلغاء 1، لا مبلغ عليها"

REFUSED_LIFE = (("live", "open", NEW), ("live", "disputed", OBJECTED), ("live", "open", REFUSED))
ACCEPTED_LIFE = (("live", "open", NEW), ("live", "disputed", OBJECTED), ("live", "cancelled", ACCEPTED))
NEVER_NEW = (("live", "disputed", OBJECTED), ("live", "open", REFUSED))
KNOWN_BEFORE = (("backlog", "open", None), ("live", "disputed", OBJECTED), ("live", "cancelled", ACCEPTED))


@pytest.mark.parametrize(
    "life",
    [REFUSED_LIFE, ACCEPTED_LIFE, NEVER_NEW, KNOWN_BEFORE],
    ids=["refused", "accepted", "never told of as new", "known from a backlog"],
)
def test_who_follows_reads_how_an_objection_goes(cloud: Cloud, life: tuple[tuple[str, str, str | None], ...]) -> None:
    number, phone = files.plate_number(), files.phone()
    token = cloud.token(f"ur-{secrets.token_hex(4)}", phone)
    vehicle = {"plate": f"بغداد ز {number}", "relation": "self", "notify": True}
    vehicle_id = cloud.request("POST", "/v1/vehicles", vehicle, token=token).body["vehicle_id"]
    first = files.row(number)
    read: list[str] = []
    for step, (folder, status, text) in enumerate(life):
        key = f"{folder}/{number}-{step}.csv"
        row = {**first, "status": status, "updated_at": files.now(step * 0.01 - 0.1)}
        version = cloud.upload(key, files.csv([row]))
        counts = cloud.report(key, version)["counts"]
        assert counts["inserted"] + counts["updated"] == 1
        seen = cloud.request("GET", f"/v1/vehicles/{vehicle_id}/violations", token=token).body
        (shown,), totals = seen["items"], seen["totals"]
        disputed, owed = status == "disputed", status == "open"
        assert (totals["disputed_count"], totals["disputed_amount"]) == (int(disputed), 50_000 * disputed)
        assert (totals["unpaid_count"], totals["amount"]) == (int(owed), 50_000 * owed)
        if disputed or owed:
            due = shown["due"]
            assert (due["amount"], due["next_amount"]) == (50_000, 100_000)
            day = f"{due['changes_at'][8:10]}/{due['changes_at'][5:7]}"
        else:
            assert shown["due"] is None
        if text:
            read.append("غرامة-أور: " + text.format(tail=number[-3:], day=day))
            wait_for(lambda: len(cloud.sms(phone)) >= len(read), 20, f"the SMS after {status}")
        assert cloud.sms(phone) == read
