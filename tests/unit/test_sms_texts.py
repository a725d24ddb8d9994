"""What is published of the texts is what is sent."""

from __future__ import annotations

import json
import re

from infra.sms_texts import CONSOLE, EXAMPLES, PAGE, SENDER, published, shown
from pay.payments import refund as refunding
from pay.payments import settle as settling
from shared.domain.sms_texts import VERSION
from tests.support.aws import template


def test_the_console_shows_the_texts_as_they_are() -> None:
    assert json.loads(CONSOLE.read_text(encoding="utf-8")) == published(), "run `make texts`"


def test_so_does_the_page_on_messages() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert shown(page) == page, "run `make texts`"
    assert f"(edition {VERSION})" in page
    assert page.count("Gharama (Ur): plate ..418. Unpaid 2: 150,000 IQD.") == 5


def test_the_sender_is_the_one_that_phones_show() -> None:
    assert template()["Parameters"]["SmsSenderId"]["Default"] == SENDER
    assert f"the sender **{SENDER}**" in PAGE.read_text(encoding="utf-8")


def test_the_numbers_are_of_the_form_that_citizens_get() -> None:
    """Whoever looks up whether an SMS is ours takes a number of another form for a fraud's."""
    receipt_no = re.compile(rf"GH-[{settling._CROCKFORD}]{{13}}")
    assert receipt_no.fullmatch(settling.new_receipt_no())
    assert receipt_no.fullmatch(EXAMPLES["receipt_no"])
    assert re.fullmatch(rf"[0-9a-f]{{{refunding.SHOWN_OF_ID}}}", EXAMPLES["payment_no"])
    texts = published()["texts"]
    for name, number in {"receipt": EXAMPLES["receipt_no"], "refund": EXAMPLES["payment_no"]}.items():
        assert all(number in text for text in texts[name].values()), name
