"""What is published of the texts is what is sent."""

from __future__ import annotations

import json

from infra.sms_texts import CONSOLE, README, SENDER, in_readme, published
from shared.domain.sms_texts import VERSION
from tests.support.aws import template


def test_the_console_shows_the_texts_as_they_are() -> None:
    assert json.loads(CONSOLE.read_text(encoding="utf-8")) == published(), "run `make texts`"


def test_so_does_the_readme() -> None:
    readme = README.read_text(encoding="utf-8")
    assert in_readme(readme) == readme, "run `make texts`"
    assert f"(edition {VERSION})" in readme
    assert readme.count("Gharama: plate ending 418<br>") == 3


def test_the_sender_is_the_one_that_phones_show() -> None:
    assert template()["Parameters"]["SmsSenderId"]["Default"] == SENDER
    assert f"the sender **{SENDER}**" in README.read_text(encoding="utf-8")
