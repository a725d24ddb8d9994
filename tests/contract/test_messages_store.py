"""The Messages table: each SMS put once, told of once, claimed by one, and never lost between."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from shared.domain import message as texts
from shared.domain.message import DROPPED, FAILED, SENDING, SENT, UNKNOWN, WAITING
from shared.domain.time import to_text
from shared.stores.messages import CLAIMED_FOR, MOST_VIOLATIONS, Message, Messages
from tests.aws import Engine, Tables
from tests.build import NOON, PHONE, PLATE, SUB

SECOND = timedelta(seconds=1)


@pytest.fixture
def messages(engine: Engine, tables: Tables) -> Messages:
    return Messages(engine.fast(), tables["Messages"])


def said(message_id: str = "m1") -> Message:
    return Message(
        message_id, SUB, texts.RECEIPT, to_text(NOON), phone=PHONE, language="ckb", text="دراوە", plate_key=PLATE.key
    )


def news(message_id: str, violations: Sequence[str], kind: str = texts.NEW_VIOLATION, sub: str = SUB) -> Message:
    return Message(message_id, sub, kind, to_text(NOON), plate_key=PLATE.key, violations=tuple(violations))


def status(tables: Tables, message_id: str = "m1") -> str:
    found: str = next(i["status"]["S"] for i in tables.items("Messages") if i["pk"]["S"] == message_id)
    return found


class TestPutting:
    def test_a_message_is_put_once(self, messages: Messages) -> None:
        assert messages.put(said(), NOON)
        assert not messages.put(said()._replace(text="other"), NOON)
        assert messages.claim("m1", "c", NOON) == said()._replace(status=SENDING, attempts=1)

    def test_it_is_put_only_with_what_must_happen_with_it(self, messages: Messages) -> None:
        messages.put(said(), NOON)
        refused = messages.put_action(said(), NOON)
        assert not messages.put(said("m2"), NOON, refused)
        assert messages.claim("m2", "c", NOON) is None
        assert messages.put(said("m2"), NOON, messages.put_action(said("m3"), NOON))
        assert sorted(messages.due(NOON)) == ["m1", "m2", "m3"]

    def test_it_is_due_at_once(self, messages: Messages) -> None:
        messages.put(said(), NOON)
        assert list(messages.due(NOON - SECOND)) == []
        assert list(messages.due(NOON)) == ["m1"]

    def test_every_message_is_found_when_it_is_due(self, messages: Messages) -> None:
        expected = {f"m{number}" for number in range(20)}
        for message_id in expected:
            messages.put(said(message_id), NOON)
        assert sorted(messages.due(NOON)) == sorted(expected)


class TestTelling:
    def test_a_message_and_its_markers_are_put_together(self, messages: Messages) -> None:
        assert messages.tell(news("m1", ["1", "2"]), NOON)
        assert messages.told(SUB, texts.NEW_VIOLATION, ["1", "2", "3"]) == {"1", "2"}
        assert messages.claim("m1", "c", NOON) == news("m1", ["1", "2"])._replace(status=SENDING, attempts=1)

    def test_a_marker_is_of_one_citizen_and_kind(self, messages: Messages) -> None:
        messages.tell(news("m1", ["1"]), NOON)
        assert messages.told("another", texts.NEW_VIOLATION, ["1"]) == set()
        assert messages.told(SUB, texts.CANCELLED, ["1"]) == set()

    def test_what_is_told_is_heard_only_when_it_may_have_gone_out(self, messages: Messages) -> None:
        ends = {"sent": SENT, "unknown": UNKNOWN, "dropped": DROPPED, "failed": FAILED}
        for number in ("waiting", "sending", *ends):
            messages.tell(news(number, [number, f"{number} too"]), NOON)
            if number != "waiting":
                messages.claim(number, "c", NOON)
        for number, ended in ends.items():
            messages.end(number, ended, NOON)
        asked = [*ends, "waiting", "sending", "sent too", "dropped too", "never told"]
        heard = messages.heard(SUB, texts.NEW_VIOLATION, asked)
        assert heard == {"sent", "sent too", "unknown", "sending"}
        assert messages.told(SUB, texts.NEW_VIOLATION, asked) == {*asked} - {"never told"}

    def test_nobody_is_told_where_one_was_told_of_already(self, messages: Messages, tables: Tables) -> None:
        messages.tell(news("m1", ["1"]), NOON)
        assert not messages.tell(news("m2", ["2", "1", "3"]), NOON)
        assert messages.told(SUB, texts.NEW_VIOLATION, ["1", "2", "3"]) == {"1"}
        assert {item["pk"]["S"] for item in tables.items("Messages")} == {
            "m1",
            f"TOLD#1#{SUB}#{texts.NEW_VIOLATION}",
        }

    def test_a_message_can_tell_of_98(self, messages: Messages) -> None:
        numbers = [str(number) for number in range(MOST_VIOLATIONS)]
        assert messages.tell(news("m1", numbers), NOON)
        assert messages.told(SUB, texts.NEW_VIOLATION, [*numbers, "x"]) == set(numbers)

    def test_markers_are_never_due(self, messages: Messages) -> None:
        messages.tell(news("m1", ["1", "2"]), NOON)
        assert list(messages.due(NOON)) == ["m1"]

    def test_one_of_several_threads_tells(self, engine: Engine, tables: Tables) -> None:
        stores = [Messages(engine.fast(), tables["Messages"]) for _ in range(8)]
        with ThreadPoolExecutor(len(stores)) as threads:
            told = list(
                threads.map(lambda pair: pair[1].tell(news(f"m{pair[0]}", ["1", "2"]), NOON), enumerate(stores))
            )
        assert told.count(True) == 1


class TestClaiming:
    @pytest.fixture
    def messages(self, messages: Messages) -> Messages:
        messages.put(said(), NOON)
        return messages

    def test_a_claim_is_given_once(self, messages: Messages) -> None:
        assert messages.claim("m1", "c1", NOON)
        assert messages.claim("m1", "c2", NOON + 2 * CLAIMED_FOR) is None

    def test_the_same_claim_again_knows_itself(self, messages: Messages) -> None:
        messages.claim("m1", "c1", NOON)
        assert messages.claim("m1", "c1", NOON)

    def test_a_message_is_not_claimed_before_its_time(self, messages: Messages) -> None:
        assert messages.claim("m1", "c1", NOON - SECOND) is None
        assert messages.claim("no such", "c1", NOON) is None

    def test_one_of_many_threads_claims(self, engine: Engine, tables: Tables, messages: Messages) -> None:
        stores = [Messages(engine.fast(), tables["Messages"]) for _ in range(16)]
        with ThreadPoolExecutor(len(stores)) as threads:
            claims = list(threads.map(lambda pair: pair[1].claim("m1", f"c{pair[0]}", NOON), enumerate(stores)))
        assert sum(claim is not None for claim in claims) == 1

    def test_a_claim_that_nobody_ends_is_found_later(self, messages: Messages) -> None:
        messages.claim("m1", "c1", NOON)
        assert list(messages.due(NOON + CLAIMED_FOR - SECOND)) == []
        assert list(messages.due(NOON + CLAIMED_FOR)) == ["m1"]

    def test_it_is_given_up_only_then(self, messages: Messages, tables: Tables) -> None:
        assert messages.abandon("m1", NOON) is None
        messages.claim("m1", "c1", NOON)
        assert messages.abandon("m1", NOON + CLAIMED_FOR - SECOND) is None
        assert status(tables) == SENDING
        assert messages.abandon("m1", NOON + CLAIMED_FOR)
        assert status(tables) == UNKNOWN
        assert list(messages.due(NOON + timedelta(days=1))) == []

    def test_a_message_that_ended_is_over(self, messages: Messages, tables: Tables) -> None:
        messages.claim("m1", "c1", NOON)
        messages.end("m1", SENT, NOON, provider_id="sns-1")
        assert status(tables) == SENT
        later = NOON + timedelta(days=1)
        assert list(messages.due(later)) == []
        assert messages.claim("m1", "c1", later) is None
        assert messages.abandon("m1", later) is None
        messages.end("m1", DROPPED, later)
        messages.retry_later("m1", later)
        assert status(tables) == SENT

    def test_only_a_claimed_message_ends(self, messages: Messages, tables: Tables) -> None:
        messages.end("m1", SENT, NOON)
        assert status(tables) == WAITING

    def test_why_it_ended_is_kept(self, messages: Messages, tables: Tables) -> None:
        messages.claim("m1", "c1", NOON)
        messages.end("m1", DROPPED, NOON, reason="sms_off")
        assert tables.items("Messages")[0]["reason"] == {"S": "sms_off"}

    def test_one_put_back_waits_for_its_time(self, messages: Messages, tables: Tables) -> None:
        messages.claim("m1", "c1", NOON)
        messages.retry_later("m1", NOON + timedelta(minutes=1))
        assert status(tables) == WAITING
        assert messages.claim("m1", "c2", NOON) is None
        assert list(messages.due(NOON + timedelta(minutes=1))) == ["m1"]
        again = messages.claim("m1", "c2", NOON + timedelta(minutes=1))
        assert again is not None
        assert again.attempts == 2
