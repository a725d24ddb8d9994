"""From a message to an SMS: queued, checked that it is still so, sent once, and marked with how it went."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from notify.delivery import MAX_ATTEMPTS
from notify.providers import PermanentError, TemporaryError, UnknownOutcomeError
from shared.aws_json import AwsError, Json
from shared.domain.message import MessageStatus
from shared.domain.violation import CANCELLED, DISPUTED, PAID, Violation
from shared.stores.messaging.messages import CLAIMED_FOR
from tests.support import lambda_events as events
from tests.support.aws import Engine
from tests.support.build import (
    CAPS,
    NOON,
    OTHER_PHONE,
    OTHER_PLATE,
    PLATE,
    SUB,
    follow,
    hold,
    later,
    reservation,
    row,
    settle,
    violation,
)
from tests.support.functions import Functions, run


class TestDelivering:
    @pytest.fixture
    def subject(self, functions: Functions) -> Violation:
        follow(functions.citizens)
        subject = violation()
        functions.announce(functions.opened(subject))
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
        settle(engine.fast(), functions.violations, subject)
        functions.send_due()
        assert functions.reasons() == ["no_longer_true"]

    def test_what_somebody_is_about_to_pay_is_still_so(
        self, functions: Functions, engine: Engine, subject: Violation
    ) -> None:
        """Not every payment that is begun is paid, and nobody would tell of it another time."""
        hold(engine.fast(), functions.violations, subject)
        functions.send_due()
        assert len(functions.phones.sent) == 1

    def test_of_several_those_that_are_still_so_are_sent(
        self, functions: Functions, engine: Engine, subject: Violation
    ) -> None:
        second, third = violation(amount=7_000), violation(amount=900)
        functions.announce(functions.opened(second, third))
        settle(engine.fast(), functions.violations, third)
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
        functions.citizens.seen_in_person(SUB, OTHER_PHONE, "ar")
        functions.send_due()
        ((phone, text),) = functions.phones.sent
        assert phone == OTHER_PHONE
        assert text.startswith("غرامة")

    def test_a_text_made_for_a_phone_goes_to_no_other(self, functions: Functions) -> None:
        functions.ask({"plate": f"11 ز {PLATE.number}"})
        functions.citizens.seen_in_person(SUB, OTHER_PHONE, "en")
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
        assert functions.statuses() == [MessageStatus.SENT]

    def test_a_temporary_error_comes_back_later_each_time(self, functions: Functions, subject: Violation) -> None:
        functions.phones.outcomes.extend([TemporaryError("Throttled"), TemporaryError("Throttled")])
        functions.send_due()
        assert functions.statuses() == [MessageStatus.WAITING]
        functions.clock.forward(seconds=59)
        functions.send_due()
        assert len(functions.phones.outcomes) == 1
        functions.clock.forward(seconds=1)
        functions.send_due()
        assert functions.statuses() == [MessageStatus.WAITING]
        functions.clock.forward(seconds=119)
        functions.send_due()
        assert functions.phones.sent == []
        functions.clock.forward(seconds=1)
        functions.send_due()
        assert functions.statuses() == [MessageStatus.SENT]
        assert len(functions.phones.sent) == 1

    def test_a_temporary_error_is_not_tried_for_ever(self, functions: Functions, subject: Violation) -> None:
        functions.phones.outcomes.extend([TemporaryError("Throttled")] * 20)
        for _ in range(20):
            functions.send_due()
            functions.clock.forward(hours=1)
        assert functions.statuses() == [MessageStatus.FAILED]
        assert functions.reasons() == ["Throttled"]
        assert len(functions.phones.outcomes) == 20 - MAX_ATTEMPTS

    def test_a_permanent_error_ends_it(self, functions: Functions, subject: Violation) -> None:
        functions.phones.outcomes.append(PermanentError("InvalidParameter"))
        functions.send_due()
        functions.clock.forward(days=1)
        functions.send_due()
        assert functions.phones.sent == []
        assert functions.statuses() == [MessageStatus.FAILED]
        assert functions.reasons() == ["InvalidParameter"]

    def test_an_unknown_outcome_is_never_sent_again(self, functions: Functions, subject: Violation) -> None:
        functions.phones.outcomes.append(UnknownOutcomeError("ReadTimeoutError"))
        functions.send_due()
        functions.clock.forward(days=1)
        functions.send_due()
        assert functions.phones.sent == []
        assert functions.statuses() == [MessageStatus.UNKNOWN]

    def test_a_claim_that_was_never_ended_becomes_unknown(self, functions: Functions, subject: Violation) -> None:
        message_id = json.loads(self.body(functions))["message_id"]
        functions.messages.claim(message_id, reservation(functions.clock.at), CAPS)
        functions.clock.at += CLAIMED_FOR - timedelta(seconds=1)
        functions.send_due()
        assert functions.statuses() == [MessageStatus.SENDING]
        functions.clock.forward(seconds=1)
        functions.send_due()
        functions.send_due()
        assert functions.statuses() == [MessageStatus.UNKNOWN]
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

        monkeypatch.setattr("notify.send_sms.FastClient", lambda: once)
        assert functions.send(body)
        assert functions.statuses() == [MessageStatus.WAITING]
        assert not functions.send(body)
        assert functions.statuses() == [MessageStatus.SENT]
        assert len(functions.phones.sent) == 1

    @pytest.mark.parametrize("body", ["", "{}", "[]", '{"message_id": 5}', "not json"])
    def test_a_message_of_the_queue_that_is_none_comes_back(self, functions: Functions, body: str) -> None:
        assert functions.send(body)

    def test_an_unknown_message_is_dealt_with(self, functions: Functions) -> None:
        assert not functions.send('{"message_id": "none"}')


class TestQueueing:
    def test_a_new_message_is_queued_at_once(self, functions: Functions) -> None:
        follow(functions.citizens)
        functions.announce(functions.opened(violation()))
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
        functions.announce(functions.opened(violation()))
        functions.clock.at = NOON - timedelta(seconds=1)
        run("notify.sweep", events.schedule())
        assert functions.received() == []
        functions.clock.at = NOON
        for _ in range(2):
            run("notify.sweep", events.schedule())
        assert len(functions.received()) == 2
