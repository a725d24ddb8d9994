"""The console in headless Chromium, before a fake of the cloud: every pane, both languages, phone and desktop width."""

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from console_page import ConsolePage
from fake_cloud import PREFIX, SECRET, FakeCloud
from playwright.sync_api import Page, expect

from infra.local.front import Front
from infra.local.gateway.server import Gateway
from infra.local.issuer import Issuer
from infra.sms_texts import published

PHONE = "+9647700000001"
PLATE = "بغداد ب 12345"

pytestmark = pytest.mark.browser


FIGURES = json.dumps(
    {
        "date": "2026-11-25",
        "violations": [
            {"family": "DE", "governorate": "11", "status": "unpaid", "count": 12},
            {"family": "OLD", "governorate": "12", "status": "paid", "count": None},
        ],
        "settled": {"violations": 20, "dinars": 1_500_000, "before_doubling": 10},
        "day": {},
    }
).encode()


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Issuer:
    return Issuer(tmp_path_factory.mktemp("issuer"), "http://127.0.0.1:8080/_local/issuer")


@pytest.fixture
def cloud() -> Iterator[FakeCloud]:
    cloud = FakeCloud()
    yield cloud
    cloud.close()


@pytest.fixture
def base_url(cloud: FakeCloud, issuer: Issuer, tmp_path: Path) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    cloud.front = f"http://127.0.0.1:{port}"
    gateway = Gateway(tmp_path, f"{cloud.front}/_local/gateway", lambda: SECRET)
    front = Front(port, lambda: cloud.url + PREFIX, cloud.url, issuer, gateway, lambda: FIGURES)
    front.start()
    yield cloud.front
    front.close()
    gateway.close()


@pytest.fixture
def console(page: Page, base_url: str) -> ConsolePage:
    console = ConsolePage(page, base_url)
    console.open()
    return console


def load_sample(console: ConsolePage) -> None:
    console.choose_sample()
    console.send_file()


def test_from_a_file_to_a_receipt(console: ConsolePage, cloud: FakeCloud) -> None:
    console.sign_in_as_demo(1)
    console.ask_until_found(PLATE)
    expect(console.summary).to_contain_text("لا مخالفات مسجلة")
    console.follow()
    load_sample(console)
    assert console.report_status() == "loaded"
    assert console.counts() == {"rows": 3, "inserted": 3, "updated": 0, "unchanged": 0, "stale": 0, "rejected": 0}
    assert cloud.uploads[0]["asked"].items() >= {"origin": "live", "format": "csv", "encoding": "utf-8"}.items()
    expect(console.messages).to_have_count(4)
    expect(console.messages.nth(1)).to_contain_text("مخالفة جديدة")

    console.ask_until_found(PLATE)
    expect(console.summary).to_contain_text("350,000 دينار")
    expect(console.summary).to_contain_text("3 مخالفات غير مسددة")
    expect(console.violations).to_have_count(2)
    expect(console.violation(0)).to_contain_text("200,000 دينار")
    expect(console.violation(0)).to_contain_text("تصبح 400,000 دينار يوم")
    console.show_more()
    expect(console.violations).to_have_count(3)

    console.choose_violation(1)
    expect(console.page.locator(".pay-bar")).to_contain_text("مخالفة واحدة مختارة100,000 دينار")
    console.choose_all()
    expect(console.page.locator(".pay-bar")).to_contain_text("350,000 دينار")
    console.page.locator(".list-head input").uncheck()
    console.choose_violation(2)
    console.pay()
    expect(console.page.locator("main")).to_contain_text("50,000 دينار")
    console.at_the_gateway("pay")

    console.expect_payment("paid")
    assert console.receipt_no() == "GH-7K3M9QXW4TR2D"
    assert console.open_receipt() == f"{cloud.url}/receipts/p0.pdf"
    expect(console.payment).to_contain_text("50,000 دينار")
    expect(console.payment).to_contain_text(re.compile(r"\d\d/\d\d/20\d\d \d\d:\d\d"))
    expect(console.summary).to_contain_text("300,000 دينار")
    expect(console.messages.last).to_contain_text("تم تسديد 50,000 دينار")


@pytest.mark.parametrize(("outcome", "status"), [("fail", "failed"), ("expire", "expired")])
def test_a_payment_that_fails_says_so_and_can_be_tried_again(console: ConsolePage, outcome: str, status: str) -> None:
    load_sample(console)
    console.sign_in("0770 000 0001")
    console.ask_until_found(PLATE)
    console.choose_violation(0)
    console.pay()
    console.at_the_gateway(outcome)
    console.expect_payment(status)
    expect(console.page.locator(".receipt-no")).to_have_count(0)
    console.choose_violation(0)
    console.pay()
    console.at_the_gateway("pay")
    console.expect_payment("paid")


def test_a_plate_with_two_readings_is_a_choice(console: ConsolePage) -> None:
    console.sign_in(PHONE)
    console.ask("بغداد B 12345")
    expect(console.candidates).to_have_count(2)
    expect(console.candidates.nth(1)).to_contain_text("لوحة موحدة")
    console.candidates.nth(1).click()
    expect(console.summary).to_contain_text("11 B 12345")
    expect(console.candidates).to_have_count(0)


def test_a_plate_that_cannot_be_read_gets_its_reason(console: ConsolePage) -> None:
    console.sign_in(PHONE)
    console.ask("abc")
    expect(console.ask_error).to_have_text("تعذرت قراءة رقم اللوحة: رقم اللوحة مطلوب")
    expect(console.page.locator("#plate")).to_be_focused()
    console.ask_until_found(PLATE)
    expect(console.ask_error).to_be_empty()
    console.ask("  ")
    expect(console.ask_error).to_have_text("اكتب رقم اللوحة.")


def test_a_phone_number_is_checked(console: ConsolePage) -> None:
    console.sign_in("123")
    expect(console.page.locator("#signin-error")).to_contain_text("07700000001")
    console.sign_in("٠٧٧٠٠٠٠٠٠٠٩")
    expect(console.page.locator(".signed-in")).to_contain_text("+9647700000009")
    console.sign_out()
    expect(console.page.locator(".signin")).to_be_visible()


def test_a_file_that_is_loading_shows_how_far_it_is(console: ConsolePage, cloud: FakeCloud) -> None:
    cloud.is_busy = True
    console.choose_sample()
    console.page.locator("#send").click()
    bar = console.page.locator("#upload-state progress")
    expect(console.page.locator("#upload-state")).to_contain_text("تُحمَّل الصفوف: 1 من 3")
    expect(bar).to_have_attribute("value", "1")
    expect(bar).to_have_attribute("max", "3")
    cloud.is_busy = False
    expect(console.report).to_be_visible(timeout=20_000)
    expect(bar).to_have_count(0)


def test_a_file_with_bad_rows_and_a_refused_file(console: ConsolePage, cloud: FakeCloud, tmp_path: Path) -> None:
    (tmp_path / "some.csv").write_text(
        "violation_no,plate_governorate,amount,violation_code,violation_title,legal_ref,occurred_at,sector_code,"
        "sector_name\n1,11,50000,1,أ,25,2026-10-01,K,ك\n2,99,50000,1,أ,25,2026-10-01,K,ك\n"
    )
    console.choose_file(tmp_path / "some.csv")
    expect(console.page.locator("#chosen")).to_contain_text("some.csv")
    console.choose_origin("backlog")
    console.send_file()
    assert console.counts() == {"rows": 2, "inserted": 1, "updated": 0, "unchanged": 0, "stale": 0, "rejected": 1}
    assert cloud.uploads[0]["asked"]["origin"] == "backlog"
    expect(console.report).to_contain_text("المحافظة غير معروفة plate_governorateصف واحد، ابتداءً من السطر 3")

    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    console.choose_file(tmp_path / "other.csv")
    console.send_file()
    assert console.report_status() == "refused"
    expect(console.report).to_contain_text("عمود مطلوب غير موجود violation_no")
    console.switch_language()
    expect(console.report).to_contain_text("A required column is missing")
    console.switch_language()

    (tmp_path / "empty.csv").touch()
    console.choose_file(tmp_path / "empty.csv")
    console.page.locator("#send").click()
    expect(console.page.locator("#upload-state")).to_contain_text("الملف فارغ")


def test_what_is_down_is_said(console: ConsolePage, cloud: FakeCloud) -> None:
    console.sign_in(PHONE)
    cloud.close()
    console.ask(PLATE)
    expect(console.page.locator("#answer")).to_contain_text("تعذر الاتصال بالخدمة")
    console.choose_sample()
    console.page.locator("#send").click()
    expect(console.page.locator("#upload-state")).to_contain_text("تعذر الاتصال بالخدمة")


def test_messages_are_text(console: ConsolePage, cloud: FakeCloud) -> None:
    console.sign_in(PHONE)
    expect(console.page.locator("#messages .empty")).to_be_visible()
    cloud.send(PHONE, "<img src=x onerror=alert(1)>")
    expect(console.messages).to_have_text(re.compile(r"^<img src=x onerror=alert\(1\)>"))


def test_language_is_switched_and_remembered(console: ConsolePage) -> None:
    html = console.page.locator("html")
    expect(html).to_have_attribute("dir", "rtl")
    console.switch_language()
    expect(html).to_have_attribute("dir", "ltr")
    expect(console.page.locator("#citizen-title")).to_have_text("Citizen services")
    console.open()
    expect(html).to_have_attribute("lang", "en")
    console.switch_language()
    expect(console.page.locator("#citizen-title")).to_have_text("خدمات المواطن")


def test_no_plate_and_no_token_in_an_address(console: ConsolePage, cloud: FakeCloud) -> None:
    load_sample(console)
    console.sign_in(PHONE)
    console.ask_until_found(PLATE)
    console.choose_violation(0)
    console.pay()
    console.at_the_gateway("pay")
    console.expect_payment("paid")
    for _, address in cloud.requests:
        assert not re.search(r"12345|%D8|eyJ", address)


@pytest.mark.parametrize("width", [360, 768, 1280])
@pytest.mark.parametrize("language", ["ar", "en"])
def test_the_whole_page_fits(console: ConsolePage, width: int, language: str) -> None:
    console.page.set_viewport_size({"width": width, "height": 800})
    if language == "en":
        console.switch_language()
    assert console.overflow() <= 0
    load_sample(console)
    console.sign_in(PHONE)
    console.ask_until_found(PLATE)
    expect(console.violations).to_have_count(2)
    assert console.overflow() <= 0
    console.choose_violation(0)
    console.pay()
    assert console.overflow() <= 0
    console.at_the_gateway("pay")
    console.expect_payment("paid")
    assert console.overflow() <= 0


def test_every_text_is_there_in_both_languages(console: ConsolePage) -> None:
    missing = console.page.evaluate(
        """async () => {
          const { TEXTS } = await import("/console/texts.js");
          return Object.keys({ ...TEXTS.ar, ...TEXTS.en }).filter((key) => !(key in TEXTS.ar && key in TEXTS.en));
        }"""
    )
    assert missing == []


def test_every_control_has_a_name(console: ConsolePage) -> None:
    load_sample(console)
    console.sign_in(PHONE)
    console.ask_until_found(PLATE)
    expect(console.violations).to_have_count(2)
    for role in ("button", "textbox", "checkbox", "radio", "combobox", "link"):
        for control in console.page.get_by_role(role).all():
            assert re.search(r'"[^"]+"', control.aria_snapshot().splitlines()[0]), control


def test_the_texts_of_the_sms_are_published_with_how_to_tell_them_from_a_fraud(console: ConsolePage) -> None:
    console.published.locator("summary").click()
    expect(console.published).to_contain_text("اسم المرسل في كل رسالة منا هو Gharama. لا نرسل رابطًا أبدًا")
    for language in ("ar", "ckb", "en"):
        texts = console.published.locator(f"section[lang={language}] .sms")
        expect(texts).to_have_count(len(published()["texts"]))
        expect(texts.first).to_be_visible()
    expect(console.published.locator("section[lang=en] .sms").first).to_contain_text("Gharama (Ur): plate ..418")
    console.page.locator("#language").click()
    expect(console.published).to_contain_text("from the sender Gharama. We never send a link")


def test_the_figures_are_counted_at_once_and_few_are_not_told(console: ConsolePage) -> None:
    page = console.published.page
    page.locator("#figures summary").click()
    page.locator("#figures-count").click()
    expect(page.locator("#figures-about")).to_contain_text("1,500,000")
    rows = page.locator("#figures-table tr")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_contain_text("12")
    expect(rows.nth(1)).to_contain_text("أقل من عشرة")
