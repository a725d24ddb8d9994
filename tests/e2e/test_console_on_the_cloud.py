"""The console before the whole local cloud: what a clerk and a citizen do there, from a file to a receipt."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from console_page import ConsolePage
from playwright.sync_api import Page, expect

from tests.e2e import files
from tests.support.cloud import Cloud

pytestmark = [pytest.mark.browser, pytest.mark.cloud, pytest.mark.xdist_group("cloud")]


def test_from_a_file_to_a_receipt(page: Page, cloud: Cloud, tmp_path: Path) -> None:
    number = files.plate_number()
    plate = f"بغداد ز {number}"
    file = tmp_path / "new.csv"
    rows = [files.row(number) for _ in range(5)]
    rows[1] |= {"amount": "200000", "legal_ref": "25/1/هـ"}
    rows.append(files.row(number, amount="5e4"))
    file.write_bytes(files.csv(rows))
    console = ConsolePage(page, cloud.url)
    console.open()
    console.sign_in(files.phone())
    console.ask_until_found(plate)
    console.follow()

    console.choose_file(file)
    console.choose_origin("live")
    console.send_file()

    assert console.counts() == {"rows": 6, "inserted": 5, "updated": 0, "unchanged": 0, "stale": 0, "rejected": 1}
    expect(console.messages.last).to_contain_text("مخالفات جديدة", timeout=20_000)
    console.ask_until_found(plate)
    expect(console.summary).to_contain_text("400,000 دينار")
    console.choose_all()
    console.pay()
    console.at_the_gateway("pay")
    console.expect_payment("paid")
    assert console.receipt_no().startswith("GH-")
    assert re.search(r"/[0-9a-f]{32}/ar\.pdf\?.*X-Amz-Expires=300", console.open_receipt())
    expect(console.messages.last).to_contain_text(console.receipt_no(), timeout=20_000)
