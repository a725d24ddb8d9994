"""From a changed violation to messages for followers: who is told of what, once, and who is not."""

from __future__ import annotations

from typing import Any

import pytest

from shared.aws_json import Json
from shared.domain.message import MessageStatus, day
from shared.domain.violation import CANCELLED, DISPUTED, OPEN, PAID, Violation
from shared.stores.items import transact
from tests.support import lambda_events as events
from tests.support.aws import Engine
from tests.support.build import (
    OTHER_PHONE,
    OTHER_PLATE,
    PAID_AT,
    PHONE,
    SUB,
    follow,
    hold,
    later,
    row,
    settle,
    violation,
)
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
        assert texts[PHONE].startswith("Gharama (Ur): ")
        assert texts[OTHER_PHONE].startswith("غرامة-أور: ")
        assert all("418" in text and "50,000" in text for text in texts.values())
        assert functions.statuses() == [MessageStatus.SENT, MessageStatus.SENT]

    def test_an_owner_is_told_the_day_of_the_act(self, functions: Functions) -> None:
        follow(functions.citizens, proven=True)
        follow(functions.citizens, "second", phone=OTHER_PHONE)
        subject = violation()
        functions.announce(functions.opened(subject))
        functions.send_due()
        texts = dict(functions.phones.sent)
        assert f": violation of {day(subject.occurred_at)}, plate ..418. 50,000 IQD now, " in texts[PHONE]
        assert ": new violation, plate ..418. 50,000 IQD now, " in texts[OTHER_PHONE]

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


class TestDisputes:
    """Who objected hears how it goes, and so does everybody else who follows the plate."""

    def says(self, functions: Functions, *subjects: Violation) -> list[str]:
        """Let rows come, be announced twice and sent; returns the texts."""
        functions.phones.sent.clear()
        records = functions.ingest(*map(row, subjects))
        for _ in range(2):
            functions.announce(records)
        functions.send_due()
        return [text.removeprefix("Gharama (Ur): ").partition(" Details")[0] for text in functions.phones.texts]

    def test_begin_and_refusal_are_told_once_each_time(self, functions: Functions) -> None:
        follow(functions.citizens)
        subject = violation(status=DISPUTED)
        objected = ["objection recorded, plate ..418. Number 1, the amount may still rise from 19/12/2026."]
        refused = ["objection refused, plate ..418. 50,000 IQD now, 100,000 from 19/12/2026."]
        assert self.says(functions, subject) == objected
        assert self.says(functions, later(subject, "2026-11-20T08:00:00+03:00", status=OPEN)) == refused
        functions.clock.forward(hours=2)  # the same text may go out again
        assert self.says(functions, later(subject, "2026-11-20T09:00:00+03:00")) == objected
        assert self.says(functions, later(subject, "2026-11-20T10:00:00+03:00", amount=60_000)) == []
        assert self.says(functions, later(subject, "2026-11-20T11:00:00+03:00", status=OPEN)) == refused

    def test_several_of_a_plate_are_one_sms(self, functions: Functions) -> None:
        follow(functions.citizens)
        subjects = [violation(status=DISPUTED), violation(status=DISPUTED)]
        (text,) = self.says(functions, *subjects)
        assert text.startswith("objection recorded, plate ..418. Number 2, ")
        (text,) = self.says(functions, *(later(each, status=CANCELLED) for each in subjects))
        assert text == "objection accepted, plate ..418. 2 cancelled, no amount is due for them."

    def test_who_heard_of_the_objection_alone_hears_that_it_is_cancelled(self, functions: Functions) -> None:
        follow(functions.citizens)
        subject = violation(status=DISPUTED)
        self.says(functions, subject)
        self.says(functions, later(subject, "2026-11-20T08:00:00+03:00", status=OPEN))
        (text,) = self.says(functions, later(subject, "2026-11-20T09:00:00+03:00", status=CANCELLED))
        assert text.startswith("violations cancelled, ")

    @pytest.mark.parametrize(
        ("told", "then"),
        [
            (DISPUTED, {"status": OPEN}),
            (DISPUTED, {"status": PAID}),
            (DISPUTED, {"plate_key": OTHER_PLATE.key}),
            (OPEN, {"status": PAID}),
            (OPEN, {"status": CANCELLED}),
            (CANCELLED, {"status": OPEN}),
        ],
    )
    def test_what_is_no_longer_so_when_it_would_go_out_is_not_sent(
        self, functions: Functions, told: str, then: dict[str, Any]
    ) -> None:
        follow(functions.citizens)
        subject = violation(status=OPEN if told == DISPUTED else DISPUTED)
        functions.violations.write([row(subject)])
        subject = later(subject, "2026-11-20T08:00:00+03:00", status=told)
        functions.announce(functions.ingest(row(subject)))
        functions.violations.write([row(later(subject, "2026-11-20T09:00:00+03:00", **then))])
        functions.send_due()
        assert functions.phones.sent == []
        assert functions.reasons() == ["no_longer_true"]

    def test_of_two_disputes_the_first_is_not_told_while_the_second_runs(self, functions: Functions) -> None:
        """Both say the same; the first one's SMS waited."""
        follow(functions.citizens)
        subject = violation()
        for hour, status in enumerate((OPEN, DISPUTED, OPEN, DISPUTED)):
            said = later(subject, f"2026-11-20T0{hour}:00:00+03:00", status=status)
            functions.announce(functions.ingest(row(said)))
        functions.send_due()
        assert functions.statuses() == [*[MessageStatus.DROPPED] * 3, MessageStatus.SENT]
        assert len(functions.phones.sent) == 1

    @pytest.mark.parametrize("status", [DISPUTED, OPEN])
    def test_what_was_paid_here_is_not_said_to_be_owed(self, functions: Functions, engine: Engine, status: str) -> None:
        follow(functions.citizens)
        subject = violation(status=OPEN if status == DISPUTED else DISPUTED)
        functions.violations.write([row(subject)])
        before = later(subject, "2026-11-20T08:00:00+03:00", status=status)
        if status == DISPUTED:
            hold(engine.fast(), functions.violations, subject)
        functions.announce(functions.ingest(row(before)))
        if status == OPEN:
            hold(engine.fast(), functions.violations, before)
        transact(engine.fast(), [functions.violations.settle(subject.violation_no, "p1", 1, PAID_AT, "GH-1")])
        functions.send_due()
        assert functions.reasons() == ["no_longer_true"]

    def test_what_was_held_back_is_told_when_it_is_let_go(self, functions: Functions) -> None:
        follow(functions.citizens)
        subject = violation()
        functions.violations.write([row(subject)])
        held = row(later(subject, status=DISPUTED), ref="large#2")
        functions.violations.write([held], holds=True)
        for _ in range(2):
            functions.announce(functions.let_go(held))
        functions.send_due()
        (text,) = functions.phones.texts
        assert ": objection recorded, plate ..418. " in text


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
