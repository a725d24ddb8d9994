"""The citizens' API of asking, from event to answer, over real tables."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from query.api import handler
from shared.access.grant import Access
from shared.aws_json import AwsError
from shared.domain.plate import KURDISTAN, Plate
from shared.domain.rules import Rules, Window
from shared.domain.violation import CANCELLED, DISPUTED, PAID, make_version
from shared.http import FieldError, Problem
from shared.policies import RULES
from tests.support import lambda_events as events
from tests.support.asking import TYPED, UNDISPUTED
from tests.support.build import OTHER_PLATE, PHONE, PLATE, SUB, row, store, violation
from tests.support.functions import Functions, forget

PARTS = {"family": "german", "governorate": "11", "letter": "ز", "number": PLATE.number}
SHOWN = {
    "family": "german",
    "governorate": {"code": "11", "name": "Baghdad"},
    "category": None,
    "letter": "ز",
    "number": PLATE.number,
    "text": f"Baghdad ز {PLATE.number}",
}


def kept(functions: Functions) -> set[str]:
    """The kinds of what is kept of citizens."""
    items = functions.tables.items("Citizens")
    return {"LOOKED" if item["pk"]["S"].startswith("L#") else item["sk"]["S"].partition("#")[0] for item in items}


def dated(day: int, **fields: Any) -> Any:
    return violation(recorded_at=f"2026-11-{day:02}T09:00:00+03:00", **fields)


class TestAnswer:
    def test_it_is_everything_on_the_plate_newest_first_with_totals(self, functions: Functions) -> None:
        old = dated(1, amount=30_000, legal_ref="25/3/هـ", category="private", place="secret place")
        new = dated(19, amount=50_000, sector_name="الكرخ", sector_governorate="11", title="سرعة")
        store(functions.violations, old, new, dated(2, plate_key=OTHER_PLATE.key))
        functions.files.note_feed("2026-11-20T11:00:00+03:00")
        reply = functions.ask({"plate": TYPED})
        assert reply.status == 200
        assert reply.body["plate"] == SHOWN
        assert reply.body["as_of"] == "2026-11-20T11:00:00+03:00"
        assert reply.body["note"] is None
        assert reply.body["totals"] == {
            "count": 2,
            "unpaid_count": 2,
            "amount": 80_000,
            **UNDISPUTED,
            "currency": "IQD",
        }
        assert reply.body["next_cursor"] is None
        assert reply.body["violations"][0] == {
            "violation_no": new.violation_no,
            "plate": SHOWN,
            "code": "101",
            "title": "سرعة",
            "legal_ref": None,
            "occurred_at": "2026-11-19",
            "recorded_at": "2026-11-19",
            "notified_at": None,
            "place": None,
            "sector": {"code": "7", "name": "الكرخ", "governorate": {"code": "11", "name": "Baghdad"}},
            "base_amount": 50_000,
            "due": {
                "amount": 50_000,
                "currency": "IQD",
                "stage": "base",
                "changes_at": "2026-12-19",
                "next_amount": 100_000,
                "window": None,
            },
            "status": "unpaid",
            "paid_at": None,
            "receipt_no": None,
        }
        assert [each["violation_no"] for each in reply.body["violations"]] == [new.violation_no, old.violation_no]
        assert "secret place" not in str(reply.body)

    def test_what_is_settled_is_shown_and_not_owed(self, functions: Functions) -> None:
        store(
            functions.violations,
            dated(3, status=PAID, counter_paid_at="2026-11-05T10:00:00+03:00", counter_receipt_no="C-1"),
            dated(2, status=CANCELLED),
            dated(1),
        )
        body = functions.ask({"plate": PARTS}).body
        assert body["totals"] == {"count": 3, "unpaid_count": 1, "amount": 50_000, **UNDISPUTED, "currency": "IQD"}
        shown = [(each["status"], each["due"] and each["due"]["amount"]) for each in body["violations"]]
        assert shown == [("paid", None), ("cancelled", None), ("unpaid", 50_000)]
        assert (body["violations"][0]["paid_at"], body["violations"][0]["receipt_no"]) == ("2026-11-05", "C-1")

    def test_what_is_disputed_shows_its_amount_and_counts_apart(self, functions: Functions) -> None:
        store(functions.violations, dated(3, status=DISPUTED, amount=30_000), dated(2, status=DISPUTED), dated(1))
        body = functions.ask({"plate": PARTS}).body
        assert body["totals"] == {
            "count": 3,
            "unpaid_count": 1,
            "amount": 50_000,
            "disputed_count": 2,
            "disputed_amount": 80_000,
            "currency": "IQD",
            "complete": True,
        }
        shown = body["violations"][0]
        assert (shown["status"], shown["due"]["amount"], shown["due"]["next_amount"]) == ("disputed", 30_000, 60_000)
        assert shown["due"]["changes_at"] == "2026-12-03"
        functions.send_due()
        (text,) = functions.phones.texts
        assert "Unpaid 1: 50,000 IQD" in text

    def test_the_amount_is_the_doubled_one_after_a_month(self, functions: Functions) -> None:
        store(functions.violations, dated(19))
        functions.clock.forward(days=40)
        body = functions.ask({"plate": PARTS}).body
        assert body["totals"]["amount"] == 100_000
        assert body["violations"][0]["due"] == {
            "amount": 100_000,
            "currency": "IQD",
            "stage": "doubled",
            "changes_at": None,
            "next_amount": None,
            "window": None,
        }

    def test_it_says_which_window_holds_and_where_one_objects(
        self, functions: Functions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        begins, ends = "2026-11-20T00:00:00+03:00", "2026-11-22T00:00:00+03:00"
        half = Window("half", begins, ends, "2026-11-21", percent_off=50)
        monkeypatch.setattr("query.views.RULES", Rules(RULES.policies, [half]))
        store(functions.violations, dated(19, notified_at="2026-11-19T15:00:00+03:00"))
        body = functions.ask({"plate": PARTS}).body
        assert body["objections_where"] == "Object at the traffic directorate of the sector that recorded it."
        assert body["totals"]["amount"] == 25_000
        (shown,) = body["violations"]
        assert shown["notified_at"] == "2026-11-19"
        assert shown["due"] == {
            "amount": 25_000,
            "currency": "IQD",
            "stage": "discounted",
            "changes_at": "2026-11-22",
            "next_amount": 50_000,
            "window": {"id": "half", "until": "2026-11-21", "was": 50_000},
        }
        functions.send_due()
        (text,) = functions.phones.texts
        assert "Unpaid 1: 25,000 IQD. Next increase 22/11/2026." in text

    def test_the_plate_of_an_answer_can_be_asked_with(self, functions: Functions) -> None:
        plate = functions.ask({"plate": TYPED}).body["plate"]
        assert functions.ask({"plate": plate}).body["plate"] == plate

    @pytest.mark.parametrize(("language", "name"), [("ar", "بغداد"), ("ckb-IQ,en;q=0.5", "بەغدا"), ("fr", "بغداد")])
    def test_it_is_in_the_callers_language(self, functions: Functions, language: str, name: str) -> None:
        reply = functions.ask({"plate": TYPED}, headers={"accept-language": language})
        assert reply.body["plate"]["governorate"]["name"] == name

    def test_a_plate_without_violations_is_no_different_from_none(self, functions: Functions) -> None:
        reply = functions.ask({"plate": TYPED})
        assert reply.status == 200
        assert reply.body["violations"] == []
        assert reply.body["totals"] == {"count": 0, "unpaid_count": 0, "amount": 0, **UNDISPUTED, "currency": "IQD"}


class TestSms:
    def test_the_result_is_queued_for_the_tokens_phone(self, functions: Functions) -> None:
        store(functions.violations, dated(19))
        assert functions.ask({"plate": TYPED}).body["sms"] == {"status": "queued", "parts": 1}
        functions.send_due()
        said = "plate ..418. Unpaid 1: 50,000 IQD. Next increase 19/12/2026. Details: Ur portal. We never send links."
        assert functions.phones.sent == [(PHONE, f"Gharama (Ur): {said}")]

    def test_it_tells_the_earliest_day_that_may_be_meant_as_that(self, functions: Functions) -> None:
        """On plates of the Region: 30 days from the commission, or a month from the recording."""
        plate = Plate(KURDISTAN, "21", "", "12345")
        store(functions.violations, dated(19, plate_key=plate.key, occurred_at="2026-11-10T12:00:00+03:00"))
        typed = {"family": KURDISTAN, "governorate": "21", "letter": "", "number": "12345"}
        functions.ask({"plate": typed})
        functions.send_due()
        (text,) = functions.phones.texts
        assert "Unpaid 1: 50,000 IQD. May rise from 10/12/2026." in text

    def test_that_there_is_none_is_told_with_how_far_the_records_go(self, functions: Functions) -> None:
        functions.ask({"plate": "11 1"})
        functions.files.note_feed("2026-11-20T11:00:00+03:00")
        functions.clock.forward(minutes=2)
        functions.ask({"plate": "11 2"})
        functions.send_due()
        texts = sorted(functions.phones.texts)
        assert "plate ..1. No unpaid violation in the records received so far. " in texts[0]
        assert "plate ..2. No unpaid violation recorded as of 20/11/2026 11:00. " in texts[1]

    def test_the_same_result_soon_after_is_not_sent_again(self, functions: Functions) -> None:
        functions.ask({"plate": TYPED})
        assert functions.ask({"plate": TYPED}).body["sms"] == {"status": "same_as_recent", "parts": 0}
        functions.clock.forward(minutes=11)
        assert functions.ask({"plate": TYPED}).body["sms"]["status"] == "queued"

    def test_none_is_queued_beyond_the_days_cap(self, functions: Functions, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SMS_CITIZEN_DAY_CAP", "2")
        forget()
        for number in (1, 2):
            assert functions.ask({"plate": f"11 {number}"}).body["sms"]["status"] == "queued"
        functions.send_due()
        assert functions.ask({"plate": "11 1"}).body["sms"] == {"status": "same_as_recent", "parts": 0}
        assert functions.ask({"plate": "11 3"}).body["sms"] == {"status": "limit", "parts": 0}
        assert functions.access("OLD#11#3") == Access.LOOKED_UP
        functions.clock.forward(hours=12)
        assert functions.ask({"plate": "11 3"}).body["sms"]["status"] == "queued"

    def test_a_changed_result_is(self, functions: Functions) -> None:
        functions.ask({"plate": TYPED})
        store(functions.violations, dated(19))
        assert functions.ask({"plate": TYPED}).body["sms"]["status"] == "queued"

    def test_none_is_sent_where_none_is_wanted(self, functions: Functions) -> None:
        assert functions.ask({"plate": TYPED, "sms": False}).body["sms"] == {"status": "off", "parts": 0}
        assert functions.statuses() == []

    def test_a_look_up_lets_its_citizen_pay_whatever_becomes_of_the_sms(self, functions: Functions) -> None:
        functions.ask({"plate": TYPED, "sms": False})
        assert functions.access() == Access.LOOKED_UP


class TestRefusals:
    def test_a_problem_is_a_document_in_the_callers_language(self, functions: Functions) -> None:
        body = functions.ask({"plate": 5}, headers={"accept-language": "ar"}).body
        assert body["title"] == "بعض الحقول غير صحيح"
        assert body["errors"][0]["message"] == "نوع القيمة غير صحيح"
        assert set(body) == {"type", "title", "status", "code", "request_id", "errors"}

    def test_a_plate_with_two_readings_is_answered_with_both(self, functions: Functions) -> None:
        reply = functions.ask({"plate": "Baghdad A 12345"})
        assert (reply.status, reply.body["code"]) == (409, "plate_ambiguous")
        assert {each["family"] for each in reply.body["candidates"]} == {"german", "unified"}
        again = [functions.ask({"plate": each}).status for each in reply.body["candidates"]]
        assert again == [200, 200]

    def test_a_number_found_in_several_categories_is_answered_with_them(self, functions: Functions) -> None:
        store(functions.violations, dated(1, category="hire"), dated(2, category="private"), dated(3, category=None))
        reply = functions.ask({"plate": TYPED})
        assert reply.status == 409
        assert [each["category"] for each in reply.body["candidates"]] == ["hire", "private"]
        chosen = functions.ask({"plate": reply.body["candidates"][1]}).body
        assert [each["recorded_at"] for each in chosen["violations"]] == ["2026-11-03", "2026-11-02"]
        assert chosen["totals"]["count"] == 2

    def test_an_unexpected_error_tells_nothing(self, functions: Functions, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("VIOLATIONS_TABLE", "no-such-table")
        reply = functions.ask({"plate": TYPED})
        assert (reply.status, reply.body["code"]) == (500, "internal")
        assert "errors" not in reply.body
        assert "no-such-table" not in str(reply.body)

    @pytest.mark.parametrize(
        ("error", "answered"),
        [
            (AwsError("ProvisionedThroughputExceededException", "slow down"), (503, "busy", "2")),
            (AwsError("TransactionConflictException", "in the way"), (503, "busy", "2")),
            (AwsError("TransactionCanceledException", "no", [{"Code": "ThrottlingError"}]), (503, "busy", "2")),
            (AwsError("ValidationException", "no"), (500, "internal", None)),
        ],
    )
    def test_tables_too_busy_to_the_end_are_no_error_of_ours(
        self,
        functions: Functions,
        monkeypatch: pytest.MonkeyPatch,
        error: AwsError,
        answered: tuple[int, str, str | None],
    ) -> None:
        def fail(*_: object) -> None:
            raise error

        monkeypatch.setattr("shared.stores.violations.Violations.of_plate", fail)
        reply = functions.ask({"plate": TYPED})
        assert (reply.status, reply.body["code"], reply.headers.get("retry-after")) == answered

    def test_a_status_of_a_later_version_is_told_as_other_and_owes_nothing(self, functions: Functions) -> None:
        store(functions.violations, dated(2, status="appealed"))
        body = functions.ask({"plate": PARTS}).body
        assert [(each["status"], each["due"]) for each in body["violations"]] == [("other", None)]
        assert (body["totals"]["count"], body["totals"]["unpaid_count"], body["totals"]["amount"]) == (1, 0, 0)

    def test_a_code_without_words_is_still_a_refusal(
        self, functions: Functions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object) -> None:
            raise Problem(422, "of_a_later_version", FieldError("plate", "of_a_later_version"))

        monkeypatch.setattr("query.api.requested_plate", refuse)
        assert functions.ask({"plate": TYPED}).status == 422

    def test_health_needs_nothing(self, functions: Functions) -> None:
        reply = functions.call("query.api", "GET /v1/health")
        assert (reply.status, reply.body) == (200, {"status": "ok"})


class TestFurtherPages:
    @pytest.fixture
    def first(self, functions: Functions) -> dict[str, Any]:
        # Many of one instant: the number decides among them.
        store(functions.violations, *(dated(1 + number // 30) for number in range(70)))
        body: dict[str, Any] = functions.ask({"plate": TYPED}).body
        return body

    def read_all(self, functions: Functions, first: dict[str, Any], limit: str) -> list[str]:
        found, cursor = [], first["next_cursor"]
        while cursor:
            page = functions.read_on(first["query_id"], query={"cursor": cursor, "limit": limit}).body
            assert len(page["items"]) <= int(limit)
            found += [each["violation_no"] for each in page["items"]]
            cursor = page["next_cursor"]
        return found

    @pytest.mark.parametrize("limit", ["3", "7", "20", "100"])
    def test_they_hold_every_violation_once(self, functions: Functions, first: dict[str, Any], limit: str) -> None:
        assert first["totals"]["count"] == 70
        numbers = [each["violation_no"] for each in first["violations"]] + self.read_all(functions, first, limit)
        assert len(numbers) == len(set(numbers)) == 70

    def test_a_cursor_tells_nothing_of_where_it_stands(self, functions: Functions, first: dict[str, Any]) -> None:
        """An unproven answer has no time of day, and by pages of one its cursors would give away every violation's."""
        cursor = functions.read_on(first["query_id"], query={"limit": "1"}).body["next_cursor"]
        told = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        last = first["violations"][0]
        assert all(hidden.encode() not in told for hidden in (last["recorded_at"], last["violation_no"]))

    def test_a_violation_that_comes_between_moves_nothing(self, functions: Functions, first: dict[str, Any]) -> None:
        store(functions.violations, dated(20))
        numbers = [each["violation_no"] for each in first["violations"]] + self.read_all(functions, first, "50")
        assert len(numbers) == len(set(numbers)) == 70

    def test_they_are_read_from_the_start_without_a_cursor(self, functions: Functions, first: dict[str, Any]) -> None:
        page = functions.read_on(first["query_id"]).body
        assert [each["violation_no"] for each in page["items"]] == [
            each["violation_no"] for each in first["violations"]
        ]

    def test_they_send_no_sms(self, functions: Functions, first: dict[str, Any]) -> None:
        before = len(functions.tables.items("Messages"))
        self.read_all(functions, first, "100")
        assert len(functions.tables.items("Messages")) == before

    def test_they_are_another_citizens_not_at_all(self, functions: Functions, first: dict[str, Any]) -> None:
        reply = functions.read_on(first["query_id"], query={"cursor": first["next_cursor"]}, claims={"sub": "another"})
        assert (reply.status, reply.body["code"]) == (404, "no_such_query")

    def test_they_are_over_after_a_day(self, functions: Functions, first: dict[str, Any]) -> None:
        functions.clock.forward(hours=23)
        assert functions.read_on(first["query_id"]).status == 200
        functions.clock.forward(hours=1)
        assert functions.read_on(first["query_id"]).status == 404


def test_a_fleet_of_five_thousand_violations_on_one_plate(functions: Functions) -> None:
    fleet = [dated(1 + number % 28, amount=1_000 + number) for number in range(5_000)]
    store(functions.violations, *fleet)
    functions.clock.at = functions.clock.at.replace(day=28)

    asked = functions.ask({"plate": TYPED})

    assert asked.body["totals"] == {
        "count": 5_000,
        "unpaid_count": 5_000,
        **UNDISPUTED,
        "amount": sum(each.amount for each in fleet),
        "currency": "IQD",
    }
    assert len(asked.body["violations"]) == 50
    assert asked.body["sms"]["parts"] == 1
    cursor, pages = asked.body["next_cursor"], [asked.body["violations"]]
    for _ in range(3):
        page = functions.read_on(asked.body["query_id"], query={"cursor": cursor, "limit": "100"}).body
        pages.append(page["items"])
        cursor = page["next_cursor"]
    shown = [each["violation_no"] for page in pages for each in page]
    newest = sorted(fleet, key=lambda each: (each.recorded_at, each.violation_no), reverse=True)
    assert shown == [each.violation_no for each in newest[:350]]


class TestLinking:
    def test_a_link_is_made_once_and_answers_what_is_owed(self, functions: Functions) -> None:
        store(functions.violations, dated(19))
        reply = functions.link({"plate": TYPED, "relation": "self", "notify": True})
        assert reply.status == 201
        assert reply.body == {
            "vehicle_id": reply.body["vehicle_id"],
            "plate": SHOWN,
            "relation": "self",
            "notify": True,
            "proven": False,
            "proof_pending": False,
            "lapses_on": None,
            "totals": {"count": 1, "unpaid_count": 1, "amount": 50_000, **UNDISPUTED, "currency": "IQD"},
        }
        again = functions.link({"plate": PARTS, "relation": "family"})
        assert again.status == 200
        assert again.body == reply.body

    def test_no_consent_is_assumed(self, functions: Functions) -> None:
        assert functions.link({"plate": TYPED, "relation": "self"}).body["notify"] is False

    def test_a_number_found_in_several_categories_is_answered_with_them(self, functions: Functions) -> None:
        store(functions.violations, dated(1, category="hire"), dated(2, category="private"))
        assert functions.link({"plate": TYPED, "relation": "self"}).status == 409
        assert kept(functions) == {"LOOKED", "PROFILE"}
        reply = functions.link({"plate": {**PARTS, "category": "hire"}, "relation": "self"})
        assert reply.status == 201
        assert reply.body["plate"]["category"] == "hire"
        assert reply.body["totals"]["count"] == 1

    def test_the_totals_are_of_the_vehicle_that_the_answer_names(self, functions: Functions) -> None:
        store(functions.violations, dated(1, category="hire"), dated(2, category="private"), dated(3, category="hire"))
        functions.link({"plate": {**PARTS, "category": "hire"}, "relation": "self"})
        again = functions.link({"plate": {**PARTS, "category": "private"}, "relation": "self"}).body
        assert again["plate"]["category"] == "hire"
        assert again["totals"]["count"] == 2

    def test_linking_keeps_the_phone_to_tell(self, functions: Functions) -> None:
        functions.link({"plate": TYPED, "relation": "self", "notify": True})
        profile = functions.citizens.profile(SUB)
        assert profile is not None
        assert (profile.phone, profile.language) == (PHONE, "en")


def test_a_correction_of_the_plate_moves_the_violation_in_answers(functions: Functions) -> None:
    subject = dated(19)
    store(functions.violations, subject)
    functions.ask({"plate": TYPED})
    moved = subject._replace(plate_key=OTHER_PLATE.key, version=make_version(None, "2026-11-20T08:00:00+03:00", 2))
    functions.violations.write([row(moved)])
    assert functions.ask({"plate": TYPED}).body["violations"] == []
    other = {**PARTS, "governorate": "12", "number": OTHER_PLATE.number}
    assert functions.ask({"plate": other}).body["violations"][0]["violation_no"] == subject.violation_no


def test_the_description_is_served_to_anybody(functions: Functions) -> None:
    reply = handler(events.http("GET /v1/openapi.json"), events.context())
    assert reply["statusCode"] == 200
    assert json.loads(reply["body"])["openapi"] == "3.1.0"
    assert PHONE not in reply["body"]
