"""Quiet hours, caps and the second provider under a clock that is set: nothing lost, nothing early, nothing twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from notify.delivery import MAX_ATTEMPTS
from notify.providers import TemporaryError
from notify.providers.failover import Failover
from shared.domain.message import Message, MessageKind, MessageStatus, followers_added
from shared.domain.time import BAGHDAD, to_text
from shared.domain.violation import CANCELLED
from shared.stores.messaging.caps import FOLLOWERS_A_DAY
from shared.stores.outages import AWAY_FOR, MAX_FAILURES, Outages, provider_key
from tests.support.aws import Engine
from tests.support.build import NOON, OTHER_PHONE, PHONE, PLATE, SUB, follow, later, row, violation
from tests.support.notify_world import DIES_AFTER, IS_NOT_REACHED, NO_LIMITS, FaultSender, World, world

EVENING = datetime(2026, 11, 20, 21, tzinfo=BAGHDAD)
MORNING = datetime(2026, 11, 21, 8, tzinfo=BAGHDAD)
SECOND = timedelta(seconds=1)


@pytest.fixture
def here(emulator: Engine) -> Iterator[World]:
    with world(emulator) as made:
        follow(made.citizens)
        yield made


def say(here: World, kind: str, text: str, message_id: str = "m", sub: str = SUB, phone: str = PHONE) -> None:
    """Put a message whose text stands."""
    here.messages.put(Message(message_id, sub, kind, to_text(here.now), phone, "en", text, PLATE.key), here.now)


def times_of_sending(here: World, until: datetime, step: timedelta) -> list[datetime]:
    """Sweep again and again; returns when something went out."""
    times = []
    while here.now <= until:
        before = len(here.sender.sent)
        here.send_due()
        times += [here.now] * (len(here.sender.sent) - before)
        here.now += step
    return times


class TestQuietHours:
    @pytest.fixture(autouse=True)
    def quiet(self, here: World) -> None:
        here.quiet("21:00-08:00")

    @pytest.mark.parametrize("put_at", [EVENING, EVENING + timedelta(hours=5), MORNING - SECOND])
    def test_news_waits_until_they_end(self, here: World, put_at: datetime) -> None:
        here.now = put_at
        here.announce(here.ingest(row(violation())))
        assert times_of_sending(here, MORNING - SECOND, timedelta(minutes=30)) == []
        here.now = MORNING
        here.send_due()
        assert here.statuses() == {MessageStatus.SENT: 1}

    def test_just_before_they_begin_it_is_sent(self, here: World) -> None:
        here.now = EVENING - SECOND
        here.announce(here.ingest(row(violation())))
        here.send_due()
        assert here.statuses() == {MessageStatus.SENT: 1}

    @pytest.mark.parametrize("kind", [MessageKind.QUERY_RESULT, MessageKind.RECEIPT])
    def test_answers_and_receipts_do_not_wait(self, here: World, kind: str) -> None:
        here.now = EVENING
        say(here, kind, "asked for")
        here.send_due()
        assert here.statuses() == {MessageStatus.SENT: 1}

    def test_what_is_no_longer_true_in_the_morning_is_not_sent(self, here: World) -> None:
        here.now = EVENING
        subject = violation()
        here.announce(here.ingest(row(subject)))
        here.send_due()
        here.announce(here.ingest(row(later(subject, status=CANCELLED))))
        here.now = MORNING
        here.send_due()
        here.send_due()
        assert here.sender.sent == []
        assert here.statuses() == {MessageStatus.DROPPED: 2}

    @pytest.mark.parametrize(("hours", "at"), [("off", 0), ("23:00-08:00", 0), ("21:00-22:30", 2), ("03:00-04:00", 0)])
    def test_what_they_held_goes_out_once_they_are_narrowed_or_off_in_the_order_of_its_making(
        self, here: World, hours: str, at: int
    ) -> None:
        made = []
        for number in (7, 3, 5, 1, 6, 2, 4, 0):
            here.now = EVENING + timedelta(minutes=len(made))
            made.append(f"text {number}")
            say(here, MessageKind.REFUND, made[-1], f"m{number}")
            here.send_due()
        assert here.sender.sent == []
        here.quiet(hours)
        here.forward(hours=at)
        here.send_due()
        assert [text for _, text in here.sender.sent] == made

    def test_a_claim_of_what_they_held_that_nobody_ends_is_found_within_them(self, here: World) -> None:
        here.now = EVENING
        say(here, MessageKind.REFUND, "refund")
        here.send_due()
        here.now = datetime(2026, 11, 21, 20, 58, tzinfo=BAGHDAD)
        here.sender.fault = (0, DIES_AFTER)
        here.send_due()
        here.forward(minutes=10)
        here.send_due()
        assert here.statuses() == {MessageStatus.UNKNOWN: 1}

    def test_waiting_uses_up_no_attempt(self, here: World) -> None:
        here.now = EVENING
        say(here, MessageKind.REFUND, "refund")
        for _ in range(MAX_ATTEMPTS + 2):
            here.send_due()
            here.now += timedelta(minutes=1)
        here.now = MORNING
        here.send_due()
        assert here.statuses() == {MessageStatus.SENT: 1}


class TestCaps:
    def cap(self, here: World, citizen_day: int = 1000, spend_day: int = 10**9, other_share: int = 100) -> None:
        caps = NO_LIMITS.caps._replace(citizen_day=citizen_day, spend_day=spend_day, other_share=other_share)
        here.rules = NO_LIMITS._replace(caps=caps)

    def test_a_citizens_eleventh_waits_for_the_next_day(self, here: World) -> None:
        self.cap(here, citizen_day=10)
        for number in range(12):
            say(here, MessageKind.REFUND, f"text {number}", f"m{number}")
        here.send_due()
        assert here.statuses() == {MessageStatus.SENT: 10, MessageStatus.WAITING: 2}
        midnight = datetime(2026, 11, 21, tzinfo=BAGHDAD)
        assert times_of_sending(here, midnight - SECOND, timedelta(hours=1)) == []
        here.now = midnight
        here.send_due()
        assert here.statuses() == {MessageStatus.SENT: 12}
        assert len(set(here.sender.sent)) == 12

    def test_and_until_the_quiet_hours_of_that_day_are_over(self, here: World) -> None:
        self.cap(here, citizen_day=1)
        here.quiet("21:00-08:00")
        for number in range(2):
            say(here, MessageKind.REFUND, f"text {number}", f"m{number}")
        here.send_due()
        assert times_of_sending(here, MORNING + timedelta(hours=1), timedelta(minutes=30)) == [MORNING]

    def test_another_citizen_is_not_held(self, here: World) -> None:
        self.cap(here, citizen_day=1)
        follow(here.citizens, "second", phone=OTHER_PHONE)
        say(here, MessageKind.REFUND, "one", "m1")
        say(here, MessageKind.REFUND, "two", "m2", "second", OTHER_PHONE)
        here.send_due()
        assert here.statuses() == {MessageStatus.SENT: 2}

    def test_the_same_text_waits_for_an_hour(self, here: World) -> None:
        say(here, MessageKind.REFUND, "same", "m1")
        here.send_due()
        here.forward(minutes=30)
        say(here, MessageKind.REFUND, "same", "m2")
        sent = times_of_sending(here, NOON + timedelta(hours=3), timedelta(minutes=10))
        assert sent == [NOON + timedelta(minutes=90)]

    def test_a_day_that_costs_too_much_holds_all_but_receipts(self, here: World) -> None:
        self.cap(here, spend_day=100_000)  # two SMS at five cents
        for number in range(4):
            say(here, MessageKind.REFUND, f"text {number}", f"m{number}")
        say(here, MessageKind.RECEIPT, "receipt", "r")
        outcomes = here.send_due()
        assert here.statuses()[MessageStatus.SENT] in (2, 3)  # the receipt may have come first and counts
        assert (PHONE, "receipt") in here.sender.sent
        assert {outcome.reason for outcome in outcomes if outcome.status == "held"} == {"spend_cap"}
        for _ in range(3):
            here.forward(days=1)
            here.send_due()
        assert here.statuses() == {MessageStatus.SENT: 5}
        assert len(set(here.sender.sent)) == 5

    def test_a_day_of_one_sms(self, here: World) -> None:
        """The whole of it is for news; receipts go out beside it, and nothing is lost."""
        self.cap(here, spend_day=50_000, other_share=40)
        say(here, MessageKind.QUERY_RESULT, "answer", "a")
        say(here, MessageKind.FOLLOWER_ADDED, "follower", "f")
        here.send_due()
        assert here.sender.sent == []
        for number in range(2):
            say(here, MessageKind.REFUND, f"refund {number}", f"m{number}")
        here.send_due()
        say(here, MessageKind.RECEIPT, "receipt", "r")
        here.send_due()
        assert [text[:7] for _, text in here.sender.sent] == ["refund ", "receipt"]
        here.forward(days=1)
        here.send_due()
        assert len(here.sender.sent) == 3

    def test_answers_leave_room_for_news_reminders_and_receipts(self, here: World) -> None:
        """Show 5: two dollars a day; look-ups in plenty first."""
        self.cap(here, spend_day=2_000_000, other_share=40)
        for number in range(40):
            say(here, MessageKind.QUERY_RESULT, f"answer {number}", f"a{number}")
        here.send_due()
        assert here.statuses() == {MessageStatus.SENT: 16, MessageStatus.WAITING: 24}
        for number in range(25):
            say(here, MessageKind.REFUND, f"news {number}", f"m{number}")
        say(here, MessageKind.RECEIPT, "receipt", "r")
        here.send_due()
        sent = [text.split()[0] for _, text in here.sender.sent]
        assert (sent.count("answer"), sent.count("news"), sent.count("receipt")) in {(16, 24, 1), (16, 23, 1)}

    def test_the_fourth_new_follower_of_a_day_and_on_are_told_together_the_next(self, here: World) -> None:
        for number in range(8):
            say(here, MessageKind.FOLLOWER_ADDED, f"follower {number}", f"f{number}")
        here.send_due()
        assert len(here.sender.sent) == FOLLOWERS_A_DAY
        assert here.statuses() == {MessageStatus.SENT: 3, MessageStatus.DROPPED: 5, MessageStatus.WAITING: 1}
        here.now = datetime(2026, 11, 21, tzinfo=BAGHDAD) - SECOND
        here.send_due()
        assert len(here.sender.sent) == FOLLOWERS_A_DAY
        here.forward(seconds=1)
        here.send_due()
        here.forward(days=3)
        here.send_due()
        assert [text for _, text in here.sender.sent[3:]] == [followers_added("en", PLATE)]

    def test_new_followers_take_nothing_of_an_owners_ten(self, here: World) -> None:
        self.cap(here, citizen_day=1)
        for number in range(8):
            say(here, MessageKind.FOLLOWER_ADDED, f"follower {number}", f"f{number}")
        here.send_due()
        say(here, MessageKind.REFUND, "news", "m")
        here.send_due()
        assert here.sender.sent[-1] == (PHONE, "news")

    def test_a_cap_that_is_raised_counts_within_the_hour(self, here: World) -> None:
        self.cap(here, spend_day=50_000)
        for number in range(2):
            say(here, MessageKind.REFUND, f"text {number}", f"m{number}")
        here.send_due()
        self.cap(here, spend_day=500_000)
        here.forward(hours=1)
        here.send_due()
        assert here.statuses() == {MessageStatus.SENT: 2}

    def test_an_sms_that_did_not_go_out_counts_for_nothing(self, here: World) -> None:
        self.cap(here, citizen_day=1, spend_day=50_000)
        here.sender.away = True
        say(here, MessageKind.REFUND, "text")
        for _ in range(4):
            here.send_due()
            here.forward(hours=1)
        here.sender.away = False
        here.send_due()
        assert here.statuses() == {MessageStatus.SENT: 1}

    def test_an_answer_that_was_held_too_long_is_dropped(self, here: World) -> None:
        self.cap(here, citizen_day=1)
        say(here, MessageKind.QUERY_RESULT, "first", "m1")
        here.send_due()
        say(here, MessageKind.QUERY_RESULT, "second", "m2")
        here.send_due()
        here.forward(days=1)
        here.send_due()
        assert here.statuses() == {MessageStatus.SENT: 1, MessageStatus.DROPPED: 1}

    def test_a_text_of_too_many_parts_is_not_sent(self, here: World) -> None:
        say(here, MessageKind.REFUND, "غ" * 71)
        assert [outcome.reason for outcome in here.send_due()] == ["too_long"]
        assert here.statuses() == {MessageStatus.FAILED: 1}


class TestTwoProviders:
    @pytest.fixture
    def second(self) -> FaultSender:
        return FaultSender("ur")

    @pytest.fixture
    def counted(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """The metrics that were counted."""
        names: list[str] = []
        monkeypatch.setattr("notify.providers.failover.count", names.append)
        return names

    @pytest.fixture
    def both(self, here: World, second: FaultSender, counted: list[str]) -> Failover:
        outages = Outages(here.port, here.tables["Messages"], provider_key)
        return Failover(here.sender, second, outages, lambda: here.now)

    def fail(self, both: Failover, times: int) -> None:
        for _ in range(times):
            with pytest.raises(TemporaryError):
                both.send(PHONE, "text")

    def test_the_first_is_asked_while_it_is_in_order(self, both: Failover, second: FaultSender) -> None:
        assert both.send(PHONE, "text").provider == "sns"
        assert second.tried == 0

    def test_repeated_failures_within_a_minute_send_it_away(
        self, here: World, both: Failover, counted: list[str]
    ) -> None:
        here.sender.away = True
        self.fail(both, MAX_FAILURES - 1)
        assert counted == []
        self.fail(both, 1)
        assert counted == ["SmsProviderAway"]
        assert both.send(PHONE, "text").provider == "ur"
        here.now += AWAY_FOR - SECOND
        assert both.send(PHONE, "text").provider == "ur"

    def test_then_it_is_tried_again(self, here: World, both: Failover) -> None:
        here.sender.away = True
        self.fail(both, MAX_FAILURES)
        here.sender.away = False
        here.now += AWAY_FOR
        assert both.send(PHONE, "text").provider == "sns"

    def test_one_that_still_fails_then_is_sent_away_again(self, here: World, both: Failover) -> None:
        here.sender.away = True
        self.fail(both, MAX_FAILURES)
        here.now += AWAY_FOR
        self.fail(both, MAX_FAILURES)
        assert both.send(PHONE, "text").provider == "ur"

    def test_failures_far_apart_do_not(self, here: World, both: Failover, second: FaultSender) -> None:
        here.sender.away = True
        for _ in range(3 * MAX_FAILURES):
            self.fail(both, 1)
            here.now += timedelta(seconds=31)
        assert second.tried == 0

    def test_where_both_are_away_the_first_is_asked(self, here: World, both: Failover, second: FaultSender) -> None:
        here.sender.away = second.away = True
        self.fail(both, 2 * MAX_FAILURES)
        here.sender.away = False
        assert both.send(PHONE, "text").provider == "sns"

    def test_every_environment_knows(self, here: World, both: Failover, second: FaultSender) -> None:
        here.sender.away = True
        self.fail(both, MAX_FAILURES)
        another = Failover(
            here.sender, second, Outages(here.port, here.tables["Messages"], provider_key), lambda: here.now
        )
        assert another.send(PHONE, "text").provider == "ur"

    @pytest.mark.parametrize("call", range(3), ids=["reading it", "counting on", "counting anew"])
    def test_what_cannot_be_known_of_outages_decides_nothing(self, here: World, both: Failover, call: int) -> None:
        """The message is claimed by then: any other error than its provider's would leave it unknown, and unsent."""
        here.sender.away = True
        here.port.fault = (call, IS_NOT_REACHED)
        self.fail(both, 1)
        here.sender.away = False
        here.port.fault = (len(here.port.calls), IS_NOT_REACHED)
        assert both.send(PHONE, "text").provider == "sns"

    def test_messages_go_by_the_second_and_none_is_lost(self, here: World, both: Failover, second: FaultSender) -> None:
        here.sender.away = True
        for number in range(8):
            say(here, MessageKind.REFUND, f"text {number}", f"m{number}")
        first, here.sender = here.sender, both  # type: ignore[assignment]
        for _ in range(3):
            here.send_due()
            here.forward(minutes=2)
        assert here.statuses() == {MessageStatus.SENT: 8}
        assert first.sent == []
        assert sorted(second.sent) == sorted({(PHONE, f"text {number}") for number in range(8)})
