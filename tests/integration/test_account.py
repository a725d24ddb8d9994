"""What a citizen chose, and the SMS that were sent to them, from event to answer, over real tables."""

from __future__ import annotations

import pytest

from tests.support.asking import OWN, TYPED, call
from tests.support.functions import Functions


class TestMe:
    def test_a_new_citizen_has_the_calls_language_and_sms(self, functions: Functions) -> None:
        assert call(functions, "GET /v1/me").body == {"language": "en", "sms": True, "phone": "+964*******746"}

    def test_what_is_chosen_stays(self, functions: Functions) -> None:
        chosen = call(functions, "PATCH /v1/me", body={"language": "ckb", "sms": False}).body
        assert chosen == {"language": "ckb", "sms": False, "phone": "+964*******746"}
        assert functions.ask({"plate": TYPED}).body["sms"]["status"] == "off"
        assert call(functions, "GET /v1/me").body == chosen
        assert call(functions, "PATCH /v1/me", body={"sms": True}).body["language"] == "ckb"

    def test_the_sms_is_in_the_chosen_language(self, functions: Functions) -> None:
        call(functions, "PATCH /v1/me", body={"language": "ckb"})
        functions.ask({"plate": TYPED})
        functions.send_due()
        assert functions.phones.sent[0][1].startswith("غەرامە")

    @pytest.mark.parametrize("phone", [None, "+14155550100", "07"])
    def test_a_token_without_an_iraqi_mobile_has_no_phone(self, functions: Functions, phone: str | None) -> None:
        assert call(functions, "GET /v1/me", claims={"phone_number": phone}).body["phone"] is None


class TestMessages:
    def test_they_are_mine_newest_first_with_their_status(self, functions: Functions) -> None:
        for number in (101, 102, 103):
            functions.ask({"plate": f"11 {number}"})
            functions.clock.forward(minutes=1)
        functions.ask({"plate": TYPED}, claims=OWN)
        functions.send_due()
        first = call(functions, "GET /v1/messages", query={"limit": "2"}).body
        second = call(functions, "GET /v1/messages", query={"cursor": first["next_cursor"]}).body
        assert [each["plate"]["number"] for each in first["items"] + second["items"]] == ["103", "102", "101"]
        assert {each["status"] for each in first["items"]} == {"sent"}
        assert first["items"][0]["text"].startswith("Gharama (Ur): plate ..103. ")
        assert second["next_cursor"] is None
