"""From a changed violation to an SMS: who is told of what, once, and who is not."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from notify.delivery import MOST_ATTEMPTS
from notify.providers import PermanentError, TemporaryError, UnknownOutcomeError
from shared.aws_json import AwsError, Json
from shared.domain.message import FAILED, SENDING, SENT, UNKNOWN, WAITING
from shared.domain.violation import CANCELLED, DISPUTED, PAID, Violation
from shared.stores.items import transact
from shared.stores.messages import CLAIMED_FOR
from tests import lambda_events as events
from tests.aws import Engine
from tests.build import CAPS, NOON, OTHER_PLATE, PHONE, PLATE, SUB, follow, later, row, taking, violation
from tests.functions import Functions, run

SECOND_PHONE = "+9647809182736"


def open_(functions: Functions, *subjects: Violation) -> list[Json]:
    return functions.ingest(*(row(subject) for subject in subjects))


def told_of(functions: Functions, subject: Violation, **changes: Any) -> Violation:
    """Announce a violation and send its SMS; returns it as a newer file has it."""
    functions.announce(open_(functions, subject))
    functions.send_due()
    functions.phones.sent.clear()
    return later(subject, **changes)


class TestAnnouncing:
    def test_followers_are_told_in_their_language(self, functions: Functions) -> None:
        follow(functions.citizens)
        follow(functions.citizens, "second", phone=SECOND_PHONE, language="ar")
        functions.announce(open_(functions, violation()))
        functions.send_due()
        texts = dict(functions.phones.sent)
        assert set(texts) == {PHONE, SECOND_PHONE}
        assert texts[PHONE].startswith("Gharama: ")
        assert texts[SECOND_PHONE].startswith("غرامة: ")
        assert all("418" in text and "50,000" in text for text in texts.values())
        assert functions.statuses() == [SENT, SENT]

    def test_two_violations_are_one_sms(self, functions: Functions) -> None:
        follow(functions.citizens)
        functions.announce(open_(functions, violation(), violation(amount=25_000)))
        functions.send_due()
        (text,) = functions.phones.texts
        assert "75,000" in text

    def test_more_than_one_sms_can_hold_are_several(self, functions: Functions) -> None:
        follow(functions.citizens)
        subjects = [violation() for _ in range(100)]
        functions.announce(open_(functions, *subjects))
        functions.send_due()
        assert len(functions.phones.sent) == 2
        assert functions.messages.told(SUB, "new_violation", [each.violation_no for each in subjects]) == {
            each.violation_no for each in subjects
        }

    def test_two_plates_are_two_sms(self, functions: Functions) -> None:
        follow(functions.citizens)
        follow(functions.citizens, plate=OTHER_PLATE)
        functions.announce(open_(functions, violation(), violation(plate_key=OTHER_PLATE.key)))
        functions.send_due()
        assert len(functions.phones.sent) == 2
        assert sorted("418" in text for text in functions.phones.texts) == [False, True]
        assert sorted("295" in text for text in functions.phones.texts) == [False, True]

    def test_nobody_else_is_told(self, functions: Functions) -> None:
        follow(functions.citizens, plate=OTHER_PLATE)
        follow(functions.citizens, "without consent", notify=False)
        functions.announce(open_(functions, violation()))
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
        functions.announce(open_(functions, violation(category=recorded)))
        assert functions.statuses() == ([WAITING] if told else [])

    def test_a_hold_or_settlement_is_no_news(self, functions: Functions, engine: Engine) -> None:
        follow(functions.citizens)
        subject = violation()
        (opened,) = open_(functions, subject)
        before = opened["dynamodb"]["NewImage"]
        transact(engine.fast(), [functions.violations.hold(subject, "p1")])
        (after,) = functions.tables.items("Violations")
        assert functions.announce([events.change(before, after)]) == []
        assert functions.statuses() == []


class TestRepeats:
    """Records come again, overlap, and come in parts: nothing is repeated, nothing lost."""

    @pytest.fixture
    def records(self, functions: Functions) -> list[Json]:
        follow(functions.citizens)
        follow(functions.citizens, "second", phone=SECOND_PHONE)
        return open_(functions, *(violation(amount=2**power) for power in range(6)))

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
        assert self.total(functions, PHONE) == self.total(functions, SECOND_PHONE) == 63
        functions.send_due()
        functions.send_due()
        assert functions.statuses() == [SENT] * len(functions.phones.sent)

    def test_a_plate_that_cannot_be_read_holds_up_no_other_sms(self, functions: Functions, records: list[Json]) -> None:
        broken = {**records[0]["dynamodb"]["NewImage"], "pk": {"S": "V-x"}, "plate": {"S": "XX#11#1"}}
        functions.announce([events.change(None, broken), *records])
        functions.send_due()
        assert functions.statuses() == [SENT, SENT]


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
        functions.announce(open_(functions, subject))
        follow(functions.citizens)
        functions.announce(functions.ingest(row(later(subject, status=CANCELLED))))
        assert functions.statuses() == []

    def test_one_cancelled_before_its_sms_went_out_is_not_spoken_of_at_all(self, functions: Functions) -> None:
        follow(functions.citizens)
        subject = violation()
        records = open_(functions, subject)
        functions.announce(records)
        records += functions.ingest(row(later(subject, status=CANCELLED)))
        functions.announce(records[1:])
        functions.send_due()
        assert functions.phones.sent == []

    def test_nor_is_one_opened_and_cancelled_in_one_batch(self, functions: Functions) -> None:
        follow(functions.citizens)
        subject = violation()
        records = open_(functions, subject)
        records += functions.ingest(row(later(subject, status=CANCELLED)))
        for _ in range(2):
            functions.announce(records)
        functions.send_due()
        assert functions.phones.sent == []

    def test_one_moved_to_another_plate_is_news_there_and_over_here(self, functions: Functions) -> None:
        follow(functions.citizens)
        follow(functions.citizens, "second", OTHER_PLATE, phone=SECOND_PHONE)
        moved = told_of(functions, violation(), plate_key=OTHER_PLATE.key)
        records = functions.ingest(row(moved))
        for _ in range(2):
            functions.announce(records)
        functions.send_due()
        texts = dict(functions.phones.sent)
        assert len(functions.phones.sent) == 2
        assert "cancelled" in texts[PHONE].lower()
        assert "418" in texts[PHONE]
        assert "295" in texts[SECOND_PHONE]
        assert "50,000" in texts[SECOND_PHONE]

    def test_a_cancellation_that_was_taken_back_is_not_sent(self, functions: Functions) -> None:
        follow(functions.citizens)
        cancelled = told_of(functions, violation(), status=CANCELLED)
        functions.announce(functions.ingest(row(cancelled)))
        functions.ingest(row(later(cancelled, "2026-11-20T09:00:00+03:00", status="open")))
        functions.send_due()
        assert functions.phones.sent == []
        assert functions.reasons() == ["no_longer_true"]


def pay_for(functions: Functions, engine: Engine, subject: Violation) -> None:
    call = engine.fast()
    transact(call, [functions.violations.hold(subject, "p1")])
    transact(call, [functions.violations.settle(subject.violation_no, "p1", 1, "2026-11-20T12:00:00+03:00", "GH-1")])


class TestDelivering:
    @pytest.fixture
    def subject(self, functions: Functions) -> Violation:
        follow(functions.citizens)
        subject = violation()
        functions.announce(open_(functions, subject))
        return subject

    def body(self, functions: Functions) -> str:
        run("notify.sweep", events.schedule())
        (body,) = functions.received()
        return body

    @pytest.mark.parametrize(
        "changes",
        [{"status": PAID}, {"status": CANCELLED}, {"status": DISPUTED}, {"plate_key": OTHER_PLATE.key}],
    )
    def test_what_is_no_longer_so_is_not_sent(
        self, functions: Functions, subject: Violation, changes: dict[str, Any]
    ) -> None:
        functions.violations.write([row(later(subject, **changes))])
        functions.send_due()
        assert functions.phones.sent == []
        assert functions.reasons() == ["no_longer_true"]

    def test_what_was_paid_here_is_not_sent(self, functions: Functions, engine: Engine, subject: Violation) -> None:
        pay_for(functions, engine, subject)
        functions.send_due()
        assert functions.reasons() == ["no_longer_true"]

    def test_of_several_those_that_are_still_so_are_sent(
        self, functions: Functions, engine: Engine, subject: Violation
    ) -> None:
        second, third = violation(amount=7_000), violation(amount=900)
        functions.announce(open_(functions, second, third))
        pay_for(functions, engine, third)
        functions.send_due()
        assert len(functions.phones.sent) == 2
        assert "7,000" in functions.phones.texts[0] + functions.phones.texts[1]
        assert "7,900" not in "".join(functions.phones.texts)

    @pytest.mark.parametrize(
        ("key", "change", "reason"),
        [
            ((SUB, "PROFILE"), {"sms": {"BOOL": False}}, "sms_off"),
            ((SUB, "PROFILE"), None, "sms_off"),
            ((f"P#{PLATE.key}", SUB), {"notify": {"BOOL": False}}, "not_followed"),
            ((f"P#{PLATE.key}", SUB), None, "not_followed"),
        ],
    )
    def test_who_does_not_want_it_any_more_is_not_told(
        self,
        functions: Functions,
        engine: Engine,
        subject: Violation,
        key: tuple[str, str],
        change: Json | None,
        reason: str,
    ) -> None:
        table, call = functions.tables["Citizens"], engine.fast()
        item = next(i for i in functions.tables.items("Citizens") if (i["pk"]["S"], i["sk"]["S"]) == key)
        if change:
            call("dynamodb", "PutItem", {"TableName": table, "Item": {**item, **change}})
        else:
            call("dynamodb", "DeleteItem", {"TableName": table, "Key": {"pk": item["pk"], "sk": item["sk"]}})
        functions.send_due()
        assert functions.phones.sent == []
        assert functions.reasons() == [reason]

    def test_who_has_no_phone_any_more_is_not_told(self, functions: Functions, subject: Violation) -> None:
        functions.citizens.seen_in_person(SUB, None, "en")
        functions.send_due()
        assert functions.reasons() == ["no_phone"]

    def test_news_goes_to_the_phone_of_now(self, functions: Functions, subject: Violation) -> None:
        functions.citizens.seen_in_person(SUB, SECOND_PHONE, "ar")
        functions.send_due()
        ((phone, text),) = functions.phones.sent
        assert phone == SECOND_PHONE
        assert text.startswith("غرامة")

    def test_a_text_made_for_a_phone_goes_to_no_other(self, functions: Functions) -> None:
        functions.ask({"plate": f"11 ز {PLATE.number}"})
        functions.citizens.seen_in_person(SUB, SECOND_PHONE, "en")
        functions.send_due()
        assert functions.phones.sent == []
        assert functions.reasons() == ["phone_changed"]

    def test_the_amount_is_that_of_the_moment_of_sending(self, functions: Functions, subject: Violation) -> None:
        functions.clock.forward(days=31)
        functions.send_due()
        assert "100,000" in functions.phones.texts[0]

    def test_a_message_queued_twice_is_sent_once(self, functions: Functions, subject: Violation) -> None:
        body = self.body(functions)
        assert [functions.send(body) for _ in range(3)] == [False] * 3
        assert len(functions.phones.sent) == 1
        assert functions.statuses() == [SENT]

    def test_a_temporary_error_comes_back_later_each_time(self, functions: Functions, subject: Violation) -> None:
        functions.phones.outcomes.extend([TemporaryError("Throttled"), TemporaryError("Throttled")])
        functions.send_due()
        assert functions.statuses() == [WAITING]
        functions.clock.forward(seconds=59)
        functions.send_due()
        assert len(functions.phones.outcomes) == 1
        functions.clock.forward(seconds=1)
        functions.send_due()
        assert functions.statuses() == [WAITING]
        functions.clock.forward(seconds=119)
        functions.send_due()
        assert functions.phones.sent == []
        functions.clock.forward(seconds=1)
        functions.send_due()
        assert functions.statuses() == [SENT]
        assert len(functions.phones.sent) == 1

    def test_a_temporary_error_is_not_tried_for_ever(self, functions: Functions, subject: Violation) -> None:
        functions.phones.outcomes.extend([TemporaryError("Throttled")] * 20)
        for _ in range(20):
            functions.send_due()
            functions.clock.forward(hours=1)
        assert functions.statuses() == [FAILED]
        assert functions.reasons() == ["Throttled"]
        assert len(functions.phones.outcomes) == 20 - MOST_ATTEMPTS

    def test_a_permanent_error_ends_it(self, functions: Functions, subject: Violation) -> None:
        functions.phones.outcomes.append(PermanentError("InvalidParameter"))
        functions.send_due()
        functions.clock.forward(days=1)
        functions.send_due()
        assert functions.phones.sent == []
        assert functions.statuses() == [FAILED]
        assert functions.reasons() == ["InvalidParameter"]

    def test_an_unknown_outcome_is_never_sent_again(self, functions: Functions, subject: Violation) -> None:
        functions.phones.outcomes.append(UnknownOutcomeError("ReadTimeoutError"))
        functions.send_due()
        functions.clock.forward(days=1)
        functions.send_due()
        assert functions.phones.sent == []
        assert functions.statuses() == [UNKNOWN]

    def test_a_claim_that_was_never_ended_becomes_unknown(self, functions: Functions, subject: Violation) -> None:
        message_id = json.loads(self.body(functions))["message_id"]
        functions.messages.claim(message_id, taking(functions.clock.at), CAPS)
        functions.clock.at += CLAIMED_FOR - timedelta(seconds=1)
        functions.send_due()
        assert functions.statuses() == [SENDING]
        functions.clock.forward(seconds=1)
        functions.send_due()
        functions.send_due()
        assert functions.statuses() == [UNKNOWN]
        assert functions.phones.sent == []

    @pytest.mark.parametrize("operation", ["GetItem", "BatchGetItem"])
    def test_one_that_could_not_be_checked_comes_back_and_is_sent(
        self,
        functions: Functions,
        engine: Engine,
        subject: Violation,
        operation: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        body, call = self.body(functions), engine.fast()
        failing = [operation]

        def once(service: str, operation: str, request: Json) -> Json:
            if operation in failing:
                failing.remove(operation)
                raise AwsError("InternalServerError", "")
            return call(service, operation, request)

        monkeypatch.setattr("notify.send_sms.sdk", lambda: once)
        assert functions.send(body)
        assert functions.statuses() == [WAITING]
        assert not functions.send(body)
        assert functions.statuses() == [SENT]
        assert len(functions.phones.sent) == 1

    @pytest.mark.parametrize("body", ["", "{}", "[]", '{"message_id": 5}', "not json"])
    def test_a_message_of_the_queue_that_is_none_comes_back(self, functions: Functions, body: str) -> None:
        assert functions.send(body)

    def test_an_unknown_message_is_dealt_with(self, functions: Functions) -> None:
        assert not functions.send('{"message_id": "none"}')


class TestQueueing:
    def test_a_new_message_is_queued_at_once(self, functions: Functions) -> None:
        follow(functions.citizens)
        functions.announce(open_(functions, violation()))
        (item,) = [item for item in functions.tables.items("Messages") if "status" in item]
        answer = run("notify.on_message", events.records([events.change(None, item)]))
        assert answer == {"batchItemFailures": []}
        (body,) = functions.received()
        functions.send(body)
        assert len(functions.phones.sent) == 1

    def test_many_are_queued_in_tens(self, functions: Functions) -> None:
        these = [events.change(None, {"pk": {"S": f"m{number}"}}) for number in range(25)]
        assert run("notify.on_message", events.records(these)) == {"batchItemFailures": []}
        assert {json.loads(body)["message_id"] for body in functions.received()} == {f"m{n}" for n in range(25)}

    def test_those_that_the_queue_refuses_are_reported(
        self, functions: Functions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Refusing:
            def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, str]]) -> Json:  # noqa: N803
                return {"Failed": [{"Id": Entries[1]["Id"]}, {"Id": Entries[-1]["Id"]}]}

        monkeypatch.setattr("notify.on_message._sqs", Refusing)
        these = [events.change(None, {"pk": {"S": f"m{number}"}}) for number in range(12)]
        answer = run("notify.on_message", events.records(these))
        expected = {these[index]["dynamodb"]["SequenceNumber"] for index in (1, 9, 11)}
        assert {each["itemIdentifier"] for each in answer["batchItemFailures"]} == expected

    def test_the_sweep_queues_what_is_due_and_nothing_else(self, functions: Functions) -> None:
        follow(functions.citizens)
        functions.announce(open_(functions, violation()))
        functions.clock.at = NOON - timedelta(seconds=1)
        run("notify.sweep", events.schedule())
        assert functions.received() == []
        functions.clock.at = NOON
        for _ in range(2):
            run("notify.sweep", events.schedule())
        assert len(functions.received()) == 2
