"""The console as its tests handle it: what a person does there, and what a person sees."""

import re
from pathlib import Path

from playwright.sync_api import Locator, Page, expect


class ConsolePage:
    """The console at `base_url`, open in `page`."""

    def __init__(self, page: Page, base_url: str) -> None:
        self.page = page
        self.base_url = base_url
        self.report = page.locator(".report")
        self.violations = page.locator("[data-violation]")
        self.payment = page.locator(".payment")
        self.messages = page.locator("#messages .sms")
        self.candidates = page.locator(".candidates button")
        self.ask_error = page.locator("#ask-error")
        self.summary = page.locator(".summary")
        self.published = page.locator("#published")

    def open(self) -> None:
        self.page.goto(self.base_url)
        expect(self.page.locator("#directorate-title")).not_to_be_empty()

    # The directorate

    def choose_file(self, file: Path) -> None:
        self.page.locator("#file").set_input_files(file)

    def choose_sample(self) -> None:
        self.page.locator("#sample").click()

    def choose_origin(self, origin: str) -> None:
        self.page.locator(f"input[name=origin][value={origin}]").check()

    def send_file(self) -> None:
        """Uploads what was chosen and waits for the report."""
        self.page.locator("#send").click()
        expect(self.report).to_be_visible(timeout=60_000)

    def report_status(self) -> str:
        return self.report.get_attribute("data-status") or ""

    def counts(self) -> dict[str, int]:
        return {
            cell.get_attribute("data-count") or "": int(cell.inner_text().replace(",", ""))
            for cell in self.report.locator("[data-count]").all()
        }

    # The citizen

    def sign_in(self, phone: str) -> None:
        self.page.locator("#signin-phone").fill(phone)
        self.page.locator(".signin button[type=submit]").click()

    def sign_in_as_demo(self, number: int) -> None:
        self.page.locator(".demo button").nth(number - 1).click()

    def sign_out(self) -> None:
        self.page.locator(".signed-in button").click()

    def ask(self, plate: str) -> None:
        self.page.locator("#plate").fill(plate)
        self.page.locator("#ask button[type=submit]").click()

    def ask_until_found(self, plate: str) -> None:
        """Asks and waits for the answer about the plate."""
        self.ask(plate)
        expect(self.summary).to_be_visible()

    def follow(self) -> None:
        self.page.locator(".follow button").click()
        expect(self.page.locator(".following")).to_be_visible()

    def show_more(self) -> None:
        self.page.locator(".found > button.wide").click()

    def violation(self, number: int) -> Locator:
        return self.violations.nth(number)

    def choose_violation(self, number: int) -> None:
        self.violation(number).locator("input").check()

    def choose_all(self) -> None:
        self.page.locator(".list-head input").check()

    def pay(self) -> None:
        """Goes to the gateway's page."""
        self.page.locator(".pay-bar button").click()
        expect(self.page).to_have_url(re.compile("/_local/gateway/pay/"))

    def at_the_gateway(self, outcome: str) -> None:
        """pay, fail or expire on the gateway's page, which leads back."""
        self.page.locator(f"button[value={outcome}]").click()
        expect(self.page).to_have_url(re.compile(f"^{re.escape(self.base_url)}"))

    def expect_payment(self, status: str) -> None:
        expect(self.page.locator(f".payment[data-status={status}]")).to_be_visible(timeout=30_000)

    def open_receipt(self) -> str:
        """Opens the receipt's page; returns its address."""
        with self.page.expect_popup() as opened:
            self.page.locator(".payment .receipt").click()
        url = opened.value.url
        opened.value.close()
        return url

    def receipt_no(self) -> str:
        return self.page.locator(".receipt-no").inner_text()

    # The page

    def switch_language(self) -> None:
        self.page.locator("#language").click()

    def overflow(self) -> int:
        """By how many pixels the page is wider than its window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
