"""The Messages table: each SMS put once, told of once, claimed by one, and never lost between."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.domain.message import Message, MessageKind, MessageStatus
from shared.domain.sms_texts import VERSION
from shared.domain.time import to_text
from shared.stores.messaging.caps import CITIZEN_CAP, FOLLOWER_CAP, SAME_TEXT, SAME_TEXT_FOR, SPEND_CAP, Caps
from shared.stores.messaging.messages import CLAIMED_FOR, MAX_VIOLATIONS, TAKEN, Messages, Telling, marker
from tests.support.aws import Engine, Tables
from tests.support.build import CAPS, NOON, PHONE, PLATE, SUB, reservation

SECOND = timedelta(seconds=1)


@pytest.fixture
def messages(engine: Engine, tables: Tables) -> Messages:
    return Messages(engine.fast(), tables["Messages"])


def said(message_id: str = "m1") -> Message:
    return Message(
        message_id,
        SUB,
        MessageKind.RECEIPT,
        to_text(NOON),
        phone=PHONE,
        language="ckb",
        text="دراوە",
        plate_key=PLATE.key,
    )


def news(message_id: str, violations: Sequence[str], kind: str = MessageKind.NEW_VIOLATION, sub: str = SUB) -> Message:
    return Message(message_id, sub, kind, to_text(NOON), plate_key=PLATE.key, violations=tuple(violations))


def status(tables: Tables, message_id: str = "m1") -> str:
    found: str = next(i["status"]["S"] for i in tables.items("Messages") if i["pk"]["S"] == message_id)
    return found


def tell(messages: Messages, message: Message) -> bool:
    return messages.tell([telling(message)], NOON)


def telling(message: Message) -> Telling:
    return Telling(message, [marker(each, message.sub, message.kind) for each in message.violations])


def claim(messages: Messages, message_id: str = "m1", at: datetime = NOON) -> bool:
    """Claim a message whose text no other has."""
    return messages.claim(message_id, reservation(at, text=message_id), CAPS) is None


class TestPutting:
    def test_a_message_is_put_once(self, messages: Messages) -> None:
        assert messages.put(said(), NOON)
        assert not messages.put(said()._replace(text="other"), NOON)
        assert messages.get("m1") == said()._replace(not_before=to_text(NOON))

    def test_it_is_put_only_with_what_must_happen_with_it(self, messages: Messages) -> None:
        messages.put(said(), NOON)
        refused = messages.put_action(said(), NOON)
        assert not messages.put(said("m2"), NOON, refused)
        assert messages.get("m2") is None
        assert messages.put(said("m2"), NOON, messages.put_action(said("m3"), NOON))
        assert sorted(messages.due(NOON, 100)) == ["m1", "m2", "m3"]

    def test_it_is_due_at_once(self, messages: Messages) -> None:
        messages.put(said(), NOON)
        assert list(messages.due(NOON - SECOND, 100)) == []
        assert list(messages.due(NOON, 100)) == ["m1"]

    def test_every_message_is_found_when_it_is_due(self, messages: Messages) -> None:
        expected = {f"m{number}" for number in range(20)}
        for message_id in expected:
            messages.put(said(message_id), NOON)
        assert sorted(messages.due(NOON, 100)) == sorted(expected)


class TestTelling:
    def test_a_message_and_its_markers_are_put_together(self, messages: Messages) -> None:
        assert tell(messages, news("m1", ["1", "2"]))
        assert messages.told(SUB, MessageKind.NEW_VIOLATION, ["1", "2", "3"]) == {"1", "2"}
        assert messages.get("m1") == news("m1", ["1", "2"])._replace(not_before=to_text(NOON))

    def test_a_marker_is_of_one_citizen_and_kind(self, messages: Messages) -> None:
        tell(messages, news("m1", ["1"]))
        assert messages.told("another", MessageKind.NEW_VIOLATION, ["1"]) == set()
        assert messages.told(SUB, MessageKind.CANCELLED, ["1"]) == set()

    def test_what_is_put_is_sent_about_only_when_it_may_have_gone_out(self, messages: Messages) -> None:
        ends = {
            "sent": MessageStatus.SENT,
            "unknown": MessageStatus.UNKNOWN,
            "dropped": MessageStatus.DROPPED,
            "failed": MessageStatus.FAILED,
        }
        for number in ("waiting", "sending", *ends):
            tell(messages, news(number, [number, f"{number} too"]))
            if number != "waiting":
                assert messages.claim(number, reservation(text=number), CAPS, [number, f"{number} too"]) is None
        messages.sent("sent", "sns", "sns-1", NOON)
        for number in ("unknown", "dropped", "failed"):
            messages.end(number, ends[number], "why", NOON)
        asked = [*ends, "waiting", "sending", "sent too", "dropped too", "never told"]
        told = messages.sent_about(SUB, MessageKind.NEW_VIOLATION, asked)
        assert told == {"sent", "sent too", "unknown", "sending"}
        assert messages.told(SUB, MessageKind.NEW_VIOLATION, asked) == {*asked} - {"never told"}

    def test_nothing_is_sent_about_what_a_text_left_out(self, messages: Messages) -> None:
        tell(messages, news("m1", ["1", "2"]))
        messages.claim("m1", reservation(), CAPS, ["2"])
        assert messages.sent_about(SUB, MessageKind.NEW_VIOLATION, ["1", "2"]) == {"2"}

    def test_nobody_is_told_where_one_was_told_of_already(self, messages: Messages, tables: Tables) -> None:
        tell(messages, news("m1", ["1"]))
        assert not tell(messages, news("m2", ["2", "1", "3"]))
        assert messages.told(SUB, MessageKind.NEW_VIOLATION, ["1", "2", "3"]) == {"1"}
        assert {item["pk"]["S"] for item in tables.items("Messages")} == {
            "m1",
            f"TOLD#1#{SUB}#{MessageKind.NEW_VIOLATION}",
        }

    def test_a_message_can_tell_of_98(self, messages: Messages) -> None:
        numbers = [str(number) for number in range(MAX_VIOLATIONS)]
        assert tell(messages, news("m1", numbers))
        assert messages.told(SUB, MessageKind.NEW_VIOLATION, [*numbers, "x"]) == set(numbers)

    def test_markers_are_never_due(self, messages: Messages) -> None:
        tell(messages, news("m1", ["1", "2"]))
        assert list(messages.due(NOON, 100)) == ["m1"]

    def test_one_of_several_threads_tells(self, engine: Engine, tables: Tables) -> None:
        stores = [Messages(engine.fast(), tables["Messages"]) for _ in range(8)]
        with ThreadPoolExecutor(len(stores)) as threads:
            told = list(threads.map(lambda pair: tell(pair[1], news(f"m{pair[0]}", ["1", "2"])), enumerate(stores)))
        assert told.count(True) == 1


class TestClaiming:
    @pytest.fixture
    def messages(self, messages: Messages) -> Messages:
        messages.put(said(), NOON)
        return messages

    def test_a_claim_is_given_once(self, messages: Messages) -> None:
        assert claim(messages)
        assert messages.claim("m1", reservation(NOON + 2 * CLAIMED_FOR), CAPS) == TAKEN

    def test_the_edition_of_the_texts_is_kept_from_when_the_text_is_written(
        self, messages: Messages, tables: Tables, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tell(messages, news("m2", ["1"]))
        monkeypatch.setattr("shared.stores.messaging.messages.VERSION", 7)
        assert messages.claim("m2", reservation(text="written now"), CAPS, ["1"]) is None
        assert claim(messages)
        versions = {item["pk"]["S"]: item.get("texts_version") for item in tables.items("Messages")}
        assert (versions["m1"], versions["m2"]) == ({"N": str(VERSION)}, {"N": "7"})

    def test_a_status_of_a_later_version_is_kept_and_claimed_by_nobody(
        self, engine: Engine, messages: Messages, tables: Tables
    ) -> None:
        later = {**tables.items("Messages")[0], "status": {"S": "held_for_review"}}
        engine.fast()("dynamodb", "PutItem", {"TableName": tables["Messages"], "Item": later})
        assert (messages.get("m1") or said()).status == "held_for_review"
        assert not claim(messages)
        assert status(tables) == "held_for_review"

    def test_a_message_is_not_claimed_before_its_time(self, messages: Messages) -> None:
        assert messages.claim("m1", reservation(NOON - SECOND), CAPS) == TAKEN
        assert messages.claim("no such", reservation(), CAPS) == TAKEN

    def test_one_of_many_threads_claims(self, engine: Engine, tables: Tables, messages: Messages) -> None:
        stores = [Messages(engine.fast(), tables["Messages"]) for _ in range(4)]
        with ThreadPoolExecutor(len(stores)) as threads:
            claims = list(threads.map(claim, stores))
        assert claims.count(True) == 1

    def test_a_claim_that_nobody_ends_is_found_later(self, messages: Messages) -> None:
        claim(messages)
        assert list(messages.due(NOON + CLAIMED_FOR - SECOND, 100)) == []
        assert list(messages.due(NOON + CLAIMED_FOR, 100)) == ["m1"]

    def test_it_is_given_up_only_then(self, messages: Messages, tables: Tables) -> None:
        assert not messages.abandon("m1", NOON)
        claim(messages)
        assert not messages.abandon("m1", NOON + CLAIMED_FOR - SECOND)
        assert status(tables) == MessageStatus.SENDING
        assert messages.abandon("m1", NOON + CLAIMED_FOR)
        assert status(tables) == MessageStatus.UNKNOWN
        assert list(messages.due(NOON + timedelta(days=1), 100)) == []

    def test_a_message_that_ended_is_over(self, messages: Messages, tables: Tables) -> None:
        claim(messages)
        messages.sent("m1", "sns", "sns-1", NOON)
        assert status(tables) == MessageStatus.SENT
        ended = sorted(map(str, tables.items("Messages")))
        later = NOON + timedelta(days=1)
        assert list(messages.due(later, 100)) == []
        assert not claim(messages, at=later)
        assert not messages.abandon("m1", later)
        messages.end("m1", MessageStatus.FAILED, "why", later)
        messages.retry_later("m1", later, reservation(later))
        messages.hold("m1", later)
        messages.give_up("m1", MessageStatus.DROPPED, "why", later)
        assert sorted(map(str, tables.items("Messages"))) == ended

    def test_only_a_claimed_message_ends(self, messages: Messages, tables: Tables) -> None:
        messages.sent("m1", "sns", None, NOON)
        messages.end("m1", MessageStatus.FAILED, "why", NOON)
        assert status(tables) == MessageStatus.WAITING

    def test_why_it_was_given_up_is_kept(self, messages: Messages, tables: Tables) -> None:
        messages.give_up("m1", MessageStatus.DROPPED, "sms_off", NOON)
        assert status(tables) == MessageStatus.DROPPED
        assert tables.items("Messages")[0]["reason"] == {"S": "sms_off"}
        assert list(messages.due(NOON, 100)) == []

    def test_one_that_is_held_waits_for_its_time(self, messages: Messages) -> None:
        messages.hold("m1", NOON + SECOND)
        assert not claim(messages)
        assert list(messages.due(NOON, 100)) == []
        assert claim(messages, at=NOON + SECOND)

    def test_one_put_back_waits_for_its_time(self, messages: Messages, tables: Tables) -> None:
        claim(messages)
        messages.retry_later("m1", NOON + timedelta(minutes=1), reservation(text="m1"))
        assert status(tables) == MessageStatus.WAITING
        assert not claim(messages)
        assert list(messages.due(NOON + timedelta(minutes=1), 100)) == ["m1"]
        assert claim(messages, at=NOON + timedelta(minutes=1))
        again = messages.get("m1")
        assert again is not None
        assert again.attempts == 2


class TestCaps:
    """What goes out is counted with the claim, and released where nothing went out."""

    @pytest.fixture
    def messages(self, messages: Messages) -> Messages:
        for number in range(6):
            messages.put(said(f"m{number}"), NOON)
        return messages

    def reserve(self, messages: Messages, number: int, caps: Caps, **fields: Any) -> str | None:
        return messages.claim(f"m{number}", reservation(**{"text": str(number), **fields}), caps)

    def test_a_citizen_has_so_many_a_day(self, messages: Messages) -> None:
        caps = CAPS._replace(citizen_day=2)
        assert [self.reserve(messages, number, caps) for number in range(3)] == [None, None, CITIZEN_CAP]
        assert self.reserve(messages, 3, caps, who="another") is None
        assert self.reserve(messages, 4, caps, at=NOON + timedelta(days=1)) is None

    def test_a_day_costs_so_much(self, messages: Messages) -> None:
        caps = CAPS._replace(spend_day=100_000)
        assert self.reserve(messages, 0, caps, cost=60_000) is None
        assert self.reserve(messages, 1, caps, cost=60_000, who="another") == SPEND_CAP
        assert self.reserve(messages, 2, caps, cost=40_000) is None
        assert self.reserve(messages, 3, caps, cost=100_001, at=NOON + timedelta(days=1)) == SPEND_CAP

    def test_a_text_goes_to_a_number_once_an_hour(self, messages: Messages) -> None:
        assert self.reserve(messages, 0, CAPS, text="same") is None
        assert self.reserve(messages, 1, CAPS, text="same", at=NOON + SAME_TEXT_FOR - SECOND) == SAME_TEXT
        assert self.reserve(messages, 2, CAPS, text="same", phone="+9647719283747") is None
        assert self.reserve(messages, 1, CAPS, text="same", at=NOON + SAME_TEXT_FOR) is None

    def test_a_receipt_is_counted_and_never_held(self, messages: Messages) -> None:
        caps = CAPS._replace(citizen_day=1, spend_day=50_000)
        assert [self.reserve(messages, number, caps, kind=MessageKind.RECEIPT) for number in range(3)] == [None] * 3
        assert self.reserve(messages, 3, caps._replace(spend_day=10**9)) == CITIZEN_CAP
        assert self.reserve(messages, 3, caps._replace(citizen_day=10)) == SPEND_CAP

    def test_one_that_is_refused_reserves_nothing_and_still_waits(self, messages: Messages, tables: Tables) -> None:
        caps = CAPS._replace(citizen_day=1)
        self.reserve(messages, 0, caps)
        assert self.reserve(messages, 1, caps) == CITIZEN_CAP
        assert status(tables, "m1") == MessageStatus.WAITING
        assert self.reserve(messages, 1, CAPS) is None

    @pytest.mark.parametrize("ended", [MessageStatus.FAILED, MessageStatus.WAITING])
    def test_one_that_did_not_go_out_releases_what_it_reserved(self, messages: Messages, ended: str) -> None:
        caps = CAPS._replace(citizen_day=1, spend_day=50_000)
        assert self.reserve(messages, 0, caps, text="same") is None
        if ended == MessageStatus.FAILED:
            messages.end("m0", MessageStatus.FAILED, "refused", NOON, reservation(text="same"))
        else:
            messages.retry_later("m0", NOON + SECOND, reservation(text="same"))
        assert self.reserve(messages, 1, caps, text="same") is None

    def test_nothing_is_released_twice(self, messages: Messages) -> None:
        caps = CAPS._replace(citizen_day=1)
        self.reserve(messages, 0, caps)
        for _ in range(2):
            messages.end("m0", MessageStatus.FAILED, "refused", NOON, reservation(text="0"))
        assert [self.reserve(messages, number, caps) for number in (1, 2)] == [None, CITIZEN_CAP]

    def test_counters_are_never_due_and_are_forgotten(self, messages: Messages, tables: Tables) -> None:
        self.reserve(messages, 0, CAPS)
        counters = [item for item in tables.items("Messages") if item["pk"]["S"].startswith("CAP#")]
        assert len(counters) == 3
        assert all("expires" in item and "due" not in item for item in counters)

    def test_threads_together_keep_to_the_cap(self, engine: Engine, tables: Tables, messages: Messages) -> None:
        caps = CAPS._replace(citizen_day=3)
        stores = [Messages(engine.fast(), tables["Messages"]) for _ in range(4)]
        with ThreadPoolExecutor(len(stores)) as threads:
            refusals = list(threads.map(lambda number: self.reserve(stores[number % 4], number, caps), range(4)))
        assert (refusals.count(None), refusals.count(CITIZEN_CAP)) == (3, 1)


class TestTheDaysDollars:
    """Its shards: shares that sum to the cap, two counts in each, and what is given back or put right."""

    CAPS = CAPS._replace(citizen_day=10**6, spend_day=20_000_000, other_share=40)
    """Of four hundred parts: four shards."""

    def claim(self, messages: Messages, message_id: str, caps: Caps, **fields: Any) -> str | None:
        messages.put(said(message_id), NOON)
        return messages.claim(message_id, reservation(**{"text": message_id, "who": message_id, **fields}), caps)

    def spent(self, tables: Tables, name: str = "reserved") -> list[int]:
        items = [item for item in tables.items("Messages") if item["pk"]["S"].startswith("CAP#SPEND#")]
        return [int(item[name]["N"]) for item in sorted(items, key=str) if name in item]

    @pytest.mark.parametrize("parts", [0, 1, 99, 100, 101, 199, 200, 399, 400, 799, 800, 801, 10_000])
    @pytest.mark.parametrize("rest", [0, 1, 49_999])
    def test_the_shares_sum_to_the_cap_exactly(self, parts: int, rest: int) -> None:
        caps = self.CAPS._replace(spend_day=parts * 50_000 + rest)
        shares = [caps.share(shard) for shard in range(caps.shards)]
        assert caps.shards == min(8, max(1, parts // 100))
        assert sum(all_ for all_, _ in shares) == caps.spend_day
        assert sum(others for _, others in shares) == caps.spend_day * 40 // 100
        assert all(0 <= others <= all_ for all_, others in shares)

    @pytest.mark.parametrize(("parts", "tried"), [(1, 1), (200, 2), (300, 3), (400, 3), (800, 3)])
    def test_an_attempt_tries_up_to_three_shards_each_once(self, parts: int, tried: int) -> None:
        caps = self.CAPS._replace(spend_day=parts * 50_000)
        firsts = set()
        for number in range(200):
            shards = caps.tried("m", number)
            assert len(set(shards)) == len(shards) == tried
            assert set(shards) <= set(range(caps.shards))
            firsts.add(shards[0])
        assert len(firsts) == caps.shards, "another attempt begins elsewhere"

    def test_each_count_stops_where_it_should(self, messages: Messages, tables: Tables) -> None:
        caps = self.CAPS._replace(spend_day=500_000)  # ten parts, one shard
        answers = [self.claim(messages, f"a{n}", caps, kind=MessageKind.QUERY_RESULT) for n in range(6)]
        assert answers == [None] * 4 + [SPEND_CAP] * 2
        news = [self.claim(messages, f"n{n}", caps) for n in range(7)]
        assert news == [None] * 6 + [SPEND_CAP]
        assert self.claim(messages, "r", caps, kind=MessageKind.RECEIPT) is None
        assert (self.spent(tables), self.spent(tables, "for_others")) == ([550_000], [200_000])

    def test_answers_stop_at_the_whole_too(self, messages: Messages) -> None:
        caps = self.CAPS._replace(spend_day=500_000)
        for number in range(10):
            assert self.claim(messages, f"n{number}", caps) is None
        assert self.claim(messages, "a", caps, kind=MessageKind.QUERY_RESULT) == SPEND_CAP

    def test_a_refused_shard_is_not_the_end_of_the_day(self, messages: Messages, tables: Tables) -> None:
        caps = self.CAPS._replace(spend_day=10_500_000)  # two shards; 5.25 dollars each
        first, second = caps.tried("m", 0)
        assert self.claim(messages, "m", caps, cost=5_250_000) is None
        other = next(f"x{n}" for n in range(99) if caps.tried(f"x{n}", 0)[0] == first)
        assert self.claim(messages, other, caps, cost=5_250_000) is None
        third = self.claim(messages, "y", caps, cost=1)
        assert third == SPEND_CAP
        assert self.spent(tables) == [5_250_000, 5_250_000]
        assert second != first

    def test_it_is_given_back_to_the_shard_that_the_claim_names(self, messages: Messages, tables: Tables) -> None:
        caps = self.CAPS
        for number in range(8):
            self.claim(messages, f"m{number}", caps, kind=MessageKind.QUERY_RESULT)
        before = self.spent(tables)
        assert len(before) > 1
        for number in range(8):
            fields = {"text": f"m{number}", "who": f"m{number}", "kind": MessageKind.QUERY_RESULT}
            messages.end(f"m{number}", MessageStatus.FAILED, "why", NOON, reservation(**fields))
        assert self.spent(tables) == self.spent(tables, "for_others") == [0] * len(before)

    def test_a_price_puts_the_day_right_once(self, messages: Messages, tables: Tables) -> None:
        self.claim(messages, "a", self.CAPS, kind=MessageKind.QUERY_RESULT)
        messages.sent("a", "sns", "sns-a", NOON)
        messages.get("a")
        for _ in range(2):
            assert messages.report("sns-a", MessageStatus.DELIVERED, None, NOON, 64_500)
        # The item says what kind it is of: a receipt here, however it was claimed.
        assert self.spent(tables) == [64_500]

    @pytest.mark.parametrize("price", [None, 50_000])
    def test_a_price_that_is_not_told_or_as_reserved_changes_nothing(
        self, messages: Messages, tables: Tables, price: int | None
    ) -> None:
        self.claim(messages, "a", self.CAPS)
        messages.sent("a", "sns", "sns-a", NOON)
        assert messages.report("sns-a", MessageStatus.UNDELIVERED, "why", NOON, price)
        assert self.spent(tables) == [50_000]
        assert status(tables, "a") == MessageStatus.UNDELIVERED

    def test_senders_together_keep_to_it(self, engine: Engine, tables: Tables, messages: Messages) -> None:
        caps = self.CAPS._replace(spend_day=150_000)
        stores = [Messages(engine.fast(), tables["Messages"]) for _ in range(8)]  # a client is one thread's
        with ThreadPoolExecutor(len(stores)) as threads:
            found = list(threads.map(lambda number: self.claim(stores[number], f"m{number}", caps), range(8)))
        assert (found.count(None), found.count(SPEND_CAP)) == (3, 5)


class TestFollowersOfADay:
    """Three an owner and day by themselves; further ones share one message of the next."""

    TOGETHER = Message("together", SUB, MessageKind.FOLLOWERS_ADDED, to_text(NOON), plate_key=PLATE.key)

    def follower(self, messages: Messages, number: int) -> Message:
        message = said(f"f{number}")._replace(kind=MessageKind.FOLLOWER_ADDED)
        messages.put(message, NOON)
        return message

    def claim(self, messages: Messages, number: int) -> str | None:
        fields = {"text": str(number), "kind": MessageKind.FOLLOWER_ADDED}
        return messages.claim(f"f{number}", reservation(**fields), CAPS)

    def test_the_fourth_is_refused_and_told_with_the_others(self, messages: Messages, tables: Tables) -> None:
        followers = [self.follower(messages, number) for number in range(6)]
        assert [self.claim(messages, number) for number in range(6)] == [None] * 3 + [FOLLOWER_CAP] * 3
        tomorrow = NOON + timedelta(days=1)
        for message in followers[3:]:
            assert messages.fold(message, self.TOGETHER, NOON, tomorrow)
            assert not messages.fold(message, self.TOGETHER, NOON, tomorrow), "each is told once"
        assert "together" in messages.due(tomorrow, 100)
        assert list(messages.due(NOON, 100)) == []
        together = messages.get("together")
        assert together
        assert together == self.TOGETHER._replace(not_before=to_text(tomorrow))
        assert [status(tables, f"f{number}") for number in (3, 4, 5)] == [MessageStatus.DROPPED] * 3

    def test_one_that_went_out_takes_no_more(self, messages: Messages) -> None:
        followers = [self.follower(messages, number) for number in range(2)]
        messages.fold(followers[0], self.TOGETHER, NOON, NOON)
        fields = {"text": "together", "kind": MessageKind.FOLLOWERS_ADDED}
        assert messages.claim("together", reservation(**fields), CAPS) is None
        assert not messages.fold(followers[1], self.TOGETHER, NOON, NOON)
        assert (messages.get("f1") or said()).status == MessageStatus.WAITING


class TestReports:
    """What a provider reports of a message that it took."""

    @pytest.fixture
    def messages(self, messages: Messages) -> Messages:
        messages.put(said(), NOON)
        claim(messages)
        messages.sent("m1", "sns", "sns-1", NOON)
        return messages

    def test_it_becomes_the_messages_status(self, messages: Messages, tables: Tables) -> None:
        assert messages.report("sns-1", MessageStatus.UNDELIVERED, "opted_out", NOON)
        assert status(tables) == MessageStatus.UNDELIVERED
        found = next(item for item in tables.items("Messages") if item["pk"]["S"] == "m1")
        assert found["reason"] == {"S": "opted_out"}

    def test_what_is_final_stays(self, messages: Messages, tables: Tables) -> None:
        messages.report("sns-1", MessageStatus.DELIVERED, None, NOON)
        assert messages.report("sns-1", MessageStatus.UNDELIVERED, "unknown", NOON)
        assert status(tables) == MessageStatus.DELIVERED

    def test_an_id_of_nobodys(self, messages: Messages, tables: Tables) -> None:
        assert not messages.report("sns-2", MessageStatus.DELIVERED, None, NOON)
        assert status(tables) == MessageStatus.SENT
