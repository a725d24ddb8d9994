"""From a changed violation to messages for followers: who is told of what, once, and who is not."""

from __future__ import annotations

from typing import Any

import pytest

from shared.aws_json import Json
from shared.domain.message import MessageStatus
from shared.domain.violation import CANCELLED, Violation
from tests.support import lambda_events as events
from tests.support.aws import Engine
from tests.support.build import OTHER_PHONE, OTHER_PLATE, PHONE, SUB, follow, hold, later, row, settle, violation
from tests.support.functions import Functions


def told_of(functions: Functions, subject: Violation, **changes: Any) -> Violation:
    """Announce a violation and send its SMS; returns it as a newer file has it."""
    functions.announce(functions.opened(subject))
    functions.send_due()
    functions.phones.sent.clear()
    return later(subject, **changes)


class TestAnnouncing:
    def test_followers_are_told_in_their_language(self, functions: Functions) -> None:
        follow(functions.citizens)
        follow(functions.citizens, "second", phone=OTHER_PHONE, language="ar")
        functions.announce(functions.opened(violation()))
        functions.send_due()
        texts = dict(functions.phones.sent)
        assert set(texts) == {PHONE, OTHER_PHONE}
        assert texts[PHONE].startswith("Gharama: ")
        assert texts[OTHER_PHONE].startswith("غرامة: ")
        assert all("418" in text and "50,000" in text for text in texts.values())
        assert functions.statuses() == [MessageStatus.SENT, MessageStatus.SENT]

    def test_two_violations_are_one_sms(self, functions: Functions) -> None:
        follow(functions.citizens)
        functions.announce(functions.opened(violation(), violation(amount=25_000)))
        functions.send_due()
        (text,) = functions.phones.texts
        assert "75,000" in text

    def test_more_than_one_sms_can_hold_are_several(self, functions: Functions) -> None:
        follow(functions.citizens)
        subjects = [violation() for _ in range(100)]
        functions.announce(functions.opened(*subjects))
        functions.send_due()
        assert len(functions.phones.sent) == 2
        assert functions.messages.told(SUB, "new_violation", [each.violation_no for each in subjects]) == {
            each.violation_no for each in subjects
        }

    def test_two_plates_are_two_sms(self, functions: Functions) -> None:
        follow(functions.citizens)
        follow(functions.citizens, plate=OTHER_PLATE)
        functions.announce(functions.opened(violation(), violation(plate_key=OTHER_PLATE.key)))
        functions.send_due()
        assert len(functions.phones.sent) == 2
        assert sorted("418" in text for text in functions.phones.texts) == [False, True]
        assert sorted("295" in text for text in functions.phones.texts) == [False, True]

    def test_nobody_else_is_told(self, functions: Functions) -> None:
        follow(functions.citizens, plate=OTHER_PLATE)
        follow(functions.citizens, "without consent", notify=False)
        functions.announce(functions.opened(violation()))
        assert functions.statuses() == []

    @pytest.mark.parametrize(
        ("followed", "recorded", "told"),
        [
            ("private", "private", True),
            ("private", "hire", False),
            ("private", None, True),
            (None, "hire", True),
        ],
    )
    def test_a_followers_category_counts(
        self, functions: Functions, followed: str | None, recorded: str | None, told: bool
    ) -> None:
        follow(functions.citizens, category=followed)
        functions.announce(functions.opened(violation(category=recorded)))
        assert functions.statuses() == ([MessageStatus.WAITING] if told else [])

    def test_a_hold_or_settlement_is_no_news(self, functions: Functions, engine: Engine) -> None:
        follow(functions.citizens)
        subject = violation()
        (opened,) = functions.opened(subject)
        before = opened["dynamodb"]["NewImage"]
        hold(engine.fast(), functions.violations, subject)
        (after,) = functions.tables.items("Violations")
        assert functions.announce([events.change(before, after)]) == []
        assert functions.statuses() == []


class TestRepeats:
    """Records come again, overlap, and come in parts: nothing is repeated, nothing lost."""

    @pytest.fixture
    def records(self, functions: Functions) -> list[Json]:
        follow(functions.citizens)
        follow(functions.citizens, "second", phone=OTHER_PHONE)
        return functions.opened(*(violation(amount=2**power) for power in range(6)))

    def total(self, functions: Functions, phone: str) -> int:
        """The sum that a phone was told of: powers of two, so that a repeat or a loss shows."""
        amounts = [item for item in functions.tables.items("Messages") if "violations" in item]
        sub = SUB if phone == PHONE else "second"
        known = {item["pk"]["S"]: int(item["amount"]["N"]) for item in functions.tables.items("Violations")}
        return sum(known[each["S"]] for item in amounts if item["sub"]["S"] == sub for each in item["violations"]["L"])

    @pytest.mark.parametrize(
        "parts",
        [
            [(0, 6), (0, 6)],
            [(0, 3), (0, 6)],
            [(0, 4), (2, 6), (1, 5)],
            [(3, 6), (0, 3)],
            [(0, 3), (3, 6), (0, 6)],
            [(number, number + 1) for number in range(6)],
        ],
    )
    def test_each_follower_is_told_of_each_once(
        self, functions: Functions, records: list[Json], parts: list[tuple[int, int]]
    ) -> None:
        for start, end in parts:
            assert functions.announce(records[start:end]) == []
            functions.clock.forward(minutes=1)
        assert self.total(functions, PHONE) == self.total(functions, OTHER_PHONE) == 63
        functions.send_due()
        functions.send_due()
        assert functions.statuses() == [MessageStatus.SENT] * len(functions.phones.sent)

    def test_a_plate_that_cannot_be_read_holds_up_no_other_sms(self, functions: Functions, records: list[Json]) -> None:
        broken = {**records[0]["dynamodb"]["NewImage"], "pk": {"S": "V-x"}, "plate": {"S": "XX#11#1"}}
        functions.announce([events.change(None, broken), *records])
        functions.send_due()
        assert functions.statuses() == [MessageStatus.SENT, MessageStatus.SENT]


class TestCancelling:
    def test_those_who_were_told_are_told_that_it_is_over(self, functions: Functions) -> None:
        follow(functions.citizens)
        subject = told_of(functions, violation(), status=CANCELLED)
        functions.announce(functions.ingest(row(subject)))
        functions.send_due()
        (text,) = functions.phones.texts
        assert "cancelled" in text.lower()

    def test_those_who_were_not_told_are_not(self, functions: Functions) -> None:
        subject = violation()
        functions.announce(functions.opened(subject))
        follow(functions.citizens)
        functions.announce(functions.ingest(row(later(subject, status=CANCELLED))))
        assert functions.statuses() == []

    def test_one_cancelled_before_its_sms_went_out_is_not_spoken_of_at_all(self, functions: Functions) -> None:
        follow(functions.citizens)
        subject = violation()
        records = functions.opened(subject)
        functions.announce(records)
        records += functions.ingest(row(later(subject, status=CANCELLED)))
        functions.announce(records[1:])
        functions.send_due()
        assert functions.phones.sent == []

    def test_nor_is_one_opened_and_cancelled_in_one_batch(self, functions: Functions) -> None:
        follow(functions.citizens)
        subject = violation()
        records = functions.opened(subject)
        records += functions.ingest(row(later(subject, status=CANCELLED)))
        for _ in range(2):
            functions.announce(records)
        functions.send_due()
        assert functions.phones.sent == []

    def test_one_moved_to_another_plate_is_news_there_and_over_here(self, functions: Functions) -> None:
        follow(functions.citizens)
        follow(functions.citizens, "second", OTHER_PLATE, phone=OTHER_PHONE)
        moved = told_of(functions, violation(), plate_key=OTHER_PLATE.key)
        records = functions.ingest(row(moved))
        for _ in range(2):
            functions.announce(records)
        functions.send_due()
        texts = dict(functions.phones.sent)
        assert len(functions.phones.sent) == 2
        assert "cancelled" in texts[PHONE].lower()
        assert "418" in texts[PHONE]
        assert "295" in texts[OTHER_PHONE]
        assert "50,000" in texts[OTHER_PHONE]

    def test_a_cancellation_that_was_taken_back_is_not_sent(self, functions: Functions) -> None:
        follow(functions.citizens)
        cancelled = told_of(functions, violation(), status=CANCELLED)
        functions.announce(functions.ingest(row(cancelled)))
        functions.ingest(row(later(cancelled, "2026-11-20T09:00:00+03:00", status="open")))
        functions.send_due()
        assert functions.phones.sent == []
        assert functions.reasons() == ["no_longer_true"]


class TestNewsThatWereHeldBack:
    """They are told when they are let go, as if they had been told when they were written."""

    def test_one_is_told_when_it_is_let_go(self, functions: Functions) -> None:
        follow(functions.citizens)
        subject = row(violation(), ref="large#2")
        functions.violations.write([subject], holds=True)
        records = functions.let_go(subject)
        for _ in range(2):
            functions.announce(records)
        functions.send_due()
        (text,) = functions.phones.texts
        assert "50,000" in text
        assert functions.let_go(subject)[0]["dynamodb"]["OldImage"]["tell"] == {"S": "opened"}
        functions.announce(functions.let_go(subject))
        assert functions.statuses() == [MessageStatus.SENT]

    def test_one_that_was_paid_while_it_waited_is_not_spoken_of(self, functions: Functions, engine: Engine) -> None:
        follow(functions.citizens)
        subject = row(violation(), ref="large#2")
        functions.violations.write([subject], holds=True)
        settle(engine.fast(), functions.violations, subject.violation)
        functions.announce(functions.let_go(subject))
        functions.send_due()
        assert functions.phones.sent == []
        assert functions.reasons() == ["no_longer_true"]

    def test_a_hold_of_a_payment_while_it_waits_is_no_news(self, functions: Functions, engine: Engine) -> None:
        follow(functions.citizens)
        subject = row(violation(), ref="large#2")
        functions.violations.write([subject], holds=True)
        functions.let_go(subject)
        (before,) = functions.tables.items("Violations")
        hold(engine.fast(), functions.violations, subject.violation)
        (after,) = functions.tables.items("Violations")
        assert functions.announce([events.change(before, after)]) == []
        assert functions.statuses() == []

    @pytest.mark.parametrize("again", [False, True], ids=["once", "written again while it waits"])
    def test_one_that_moved_is_news_there_and_over_where_it_was(self, functions: Functions, *, again: bool) -> None:
        follow(functions.citizens)
        follow(functions.citizens, "second", OTHER_PLATE, phone=OTHER_PHONE)
        moved = row(told_of(functions, violation(), plate_key=OTHER_PLATE.key), ref="large#2")
        functions.violations.write([moved], holds=True)
        if again:
            moved = row(later(moved.violation, "2026-11-20T09:00:00+03:00", amount=60_000), ref="large#3")
            functions.violations.write([moved], holds=True)
        functions.announce(functions.let_go(moved))
        functions.send_due()
        texts = dict(functions.phones.sent)
        assert len(functions.phones.sent) == 2
        assert "cancelled" in texts[PHONE].lower()
        assert "295" in texts[OTHER_PHONE]

    def test_one_that_a_small_file_moves_on_is_over_where_it_was_told_of(self, functions: Functions) -> None:
        """Nobody heard of the plate between."""
        follow(functions.citizens)
        moved = told_of(functions, violation(), plate_key=OTHER_PLATE.key)
        functions.violations.write([row(moved, ref="large#2")], holds=True)
        cancelled = later(moved, "2026-11-20T09:00:00+03:00", status=CANCELLED)
        functions.announce(functions.ingest(row(cancelled, ref="small#2")))
        functions.send_due()
        (text,) = functions.phones.texts
        assert "cancelled" in text.lower()
        assert "418" in text
