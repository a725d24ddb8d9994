"""The Payments table: a payment is made once a key, changes by the table of its states, and is found while it waits."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from shared.domain.payment import LATE_MONEY, Line, Payment, PaymentStatus, Receipt
from shared.domain.time import to_text
from shared.stores.items import transact
from shared.stores.paying.payment_items import TO_ASK, KeyUse, Refusal
from shared.stores.paying.payments import Payments
from shared.stores.violations import Violations
from tests.support.aws import Engine, Tables
from tests.support.build import NOON, PHONE, PLATE, SUB, store, violation

KEY = "key-00000001"
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
MAX_LIVE = 3
OWN = Refusal(own=True, full=False, others=())
FULL = Refusal(own=False, full=True, others=())


@pytest.fixture
def payments(engine: Engine, tables: Tables) -> Payments:
    return Payments(engine.fast(), tables["Payments"])


@pytest.fixture
def violations(engine: Engine, tables: Tables) -> Violations:
    return Violations(engine.fast(), tables["Violations"])


def payment(payment_id: str = "p1", **fields: Any) -> Payment:
    made = Payment(
        payment_id=payment_id,
        sub=SUB,
        gateway="sandbox",
        status=PaymentStatus.CREATED,
        lines=(Line("V1", 50_000, PLATE.key, "7", "11"), Line("V2", 25_000, PLATE.key, "قاطع", "")),
        amount=75_000,
        created_at=to_text(NOON),
        expires_at=to_text(NOON + timedelta(minutes=15)),
        return_url="https://tf.ur.gov.iq/paid",
        phone=PHONE,
        language="ckb",
    )
    return made._replace(**fields)


def make(payments: Payments, made: Payment, key: str = "") -> Payment:
    """Put a payment under a key of its own."""
    assert payments.create(made, key or f"key-{made.payment_id}", "r", 100, [], NOON, most_started=100) is None
    return made


def moved(payments: Payments, before: Payment, **fields: Any) -> Payment:
    """The payment after a change."""
    after = before._replace(**fields)
    assert payments.change(before, after, NOON) is None
    return after


class TestCreating:
    def test_a_payment_is_read_as_it_was_made(self, payments: Payments) -> None:
        make(payments, payment())
        assert payments.get("p1") == payment()
        assert payments.get("p2") is None

    def test_a_payment_without_a_phone_is_one_too(self, payments: Payments) -> None:
        without = make(payments, payment(phone=None))
        assert payments.get("p1") == without

    def test_a_key_makes_one_payment_a_day(self, payments: Payments) -> None:
        make(payments, payment(), KEY)
        assert payments.begun(SUB, KEY, NOON + DAY - SECOND)[0] == KeyUse("r", "p1")
        assert payments.create(payment("p2"), KEY, "r", MAX_LIVE, [], NOON + DAY - SECOND) == OWN
        assert payments.get("p2") is None

    def test_a_key_of_yesterday_makes_a_new_one(self, payments: Payments) -> None:
        make(payments, payment(), KEY)
        assert payments.begun(SUB, KEY, NOON + DAY)[0] is None
        assert payments.create(payment("p2"), KEY, "other", MAX_LIVE, [], NOON + DAY) is None
        assert payments.begun(SUB, KEY, NOON + DAY)[0] == KeyUse("other", "p2")

    def test_a_key_is_its_citizens_own(self, payments: Payments) -> None:
        make(payments, payment(), KEY)
        assert payments.begun("another", KEY, NOON)[0] is None
        make(payments, payment("p2", sub="another"), KEY)

    def test_one_of_several_threads_with_one_key_makes_a_payment(self, engine: Engine, tables: Tables) -> None:
        stores = [Payments(engine.fast(), tables["Payments"]) for _ in range(8)]
        with ThreadPoolExecutor(len(stores)) as threads:
            made = list(
                threads.map(
                    lambda pair: pair[1].create(payment(f"p{pair[0]}"), KEY, "r", 100, [], NOON), enumerate(stores)
                )
            )
        assert made.count(None) == 1
        assert made.count(OWN) == 7

    def test_the_violations_that_others_hold_are_named_and_nothing_is_written(
        self, payments: Payments, violations: Violations, tables: Tables
    ) -> None:
        subjects = [violation() for _ in range(4)]
        store(violations, *subjects)
        others = [violations.hold(subjects[index], "p1") for index in (1, 3)]
        payments.create(payment(), KEY, "r", MAX_LIVE, others, NOON)
        before = tables.items("Payments")
        holds = [violations.hold(subject, "p2") for subject in subjects]
        refusal = payments.create(payment("p2"), "key-00000002", "r", MAX_LIVE, holds, NOON)
        assert refusal == Refusal(own=False, full=False, others=(1, 3))
        assert len(tables.items("Payments")) == len(before)
        held = violations.get(subject.violation_no for subject in subjects)
        assert [held[subject.violation_no].held_by for subject in subjects] == [None, "p1", None, "p1"]


class TestLiveOnes:
    def create(self, payments: Payments, payment_id: str, sub: str = SUB) -> Refusal | None:
        return payments.create(payment(payment_id, sub=sub), f"key-{payment_id}", "r", MAX_LIVE, [], NOON)

    def test_a_citizen_has_no_more_than_may_be(self, payments: Payments) -> None:
        assert [self.create(payments, f"p{number}") for number in range(4)] == [None, None, None, FULL]
        assert self.create(payments, "p9", "another") is None

    @pytest.mark.parametrize(
        "status",
        [
            PaymentStatus.PAID,
            PaymentStatus.FAILED,
            PaymentStatus.CANCELLED,
            PaymentStatus.EXPIRED,
            PaymentStatus.REVIEW,
            PaymentStatus.REFUND_DUE,
        ],
    )
    def test_one_that_is_live_no_more_makes_room_for_one(self, payments: Payments, status: str) -> None:
        for number in range(3):
            self.create(payments, f"p{number}")
        moved(payments, payment("p1"), status=status)
        assert [self.create(payments, "p3"), self.create(payments, "p4")] == [None, FULL]

    def test_there_is_room_again_after_all_have_ended(self, payments: Payments) -> None:
        for number in range(3):
            self.create(payments, f"p{number}")
            moved(payments, payment(f"p{number}"), status=PaymentStatus.FAILED)
        assert self.create(payments, "p3") is None

    def test_a_change_that_leaves_it_live_makes_no_room(self, payments: Payments) -> None:
        for number in range(3):
            self.create(payments, f"p{number}")
        moved(payments, payment("p0"), status=PaymentStatus.PENDING, gateway_id="g1")
        moved(payments, payment("p1"), unanswered=True)
        assert self.create(payments, "p3") == FULL

    def test_many_at_once_are_counted_one_by_one(self, engine: Engine, tables: Tables) -> None:
        stores = [Payments(engine.fast(), tables["Payments"]) for _ in range(8)]
        with ThreadPoolExecutor(len(stores)) as threads:
            made = list(threads.map(lambda pair: self.create(pair[1], f"p{pair[0]}"), enumerate(stores)))
        assert (made.count(None), made.count(FULL)) == (3, 5)


class TestChanging:
    @pytest.fixture
    def payments(self, payments: Payments) -> Payments:
        make(payments, payment())
        return payments

    def test_an_ordered_payment_knows_its_page_and_its_order(self, payments: Payments) -> None:
        ordered = payment(status=PaymentStatus.PENDING, gateway_id="g1", redirect_url="https://gateway/p")
        assert payments.change(payment(), ordered, NOON, [payments.bind_action(payment(), "g1")]) is None
        assert payments.get("p1") == ordered
        assert payments.of_order("sandbox", "g1") == "p1"
        assert payments.of_order("fib", "g1") is None
        assert payments.of_order("sandbox", "g2") is None

    def test_an_order_is_one_payments_and_no_others(self, payments: Payments) -> None:
        assert (
            payments.change(payment(), payment(gateway_id="g1"), NOON, [payments.bind_action(payment(), "g1")]) is None
        )
        again = payment(gateway_id="g1", status=PaymentStatus.PENDING)
        assert payments.change(payment(), again, NOON, [payments.bind_action(payment(), "g1")]) is None
        other = make(payments, payment("p2"))
        refusal = payments.change(other, other._replace(gateway_id="g1"), NOON, [payments.bind_action(other, "g1")])
        assert refusal == Refusal(own=False, full=False, others=(0,))
        assert payments.of_order("sandbox", "g1") == "p1"

    def test_an_order_once_known_is_not_exchanged(self, payments: Payments) -> None:
        moved(payments, payment(), gateway_id="g1")
        assert payments.change(payment(), payment(gateway_id="g2"), NOON) == OWN
        kept = payments.get("p1")
        assert kept is not None
        assert kept.gateway_id == "g1"

    @pytest.mark.parametrize(
        "status",
        [
            PaymentStatus.PAID,
            PaymentStatus.FAILED,
            PaymentStatus.CANCELLED,
            PaymentStatus.EXPIRED,
            PaymentStatus.REVIEW,
            PaymentStatus.REFUND_DUE,
        ],
    )
    def test_it_changes_only_from_as_it_was_read(self, payments: Payments, status: str) -> None:
        ended = moved(payments, payment(), status=status, reason="why")
        assert payments.change(payment(), payment(status=PaymentStatus.PAID), NOON) == OWN
        assert payments.change(payment(), payment(status=PaymentStatus.PENDING), NOON) == OWN
        assert payments.get("p1") == ended

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            (PaymentStatus.PAID, PaymentStatus.FAILED),
            (PaymentStatus.EXPIRED, PaymentStatus.PAID),
            (PaymentStatus.EXPIRED, PaymentStatus.REFUND_DUE),
            (PaymentStatus.REFUNDED, PaymentStatus.REFUND_DUE),
        ],
    )
    def test_there_is_no_way_but_the_tables(self, payments: Payments, before: str, after: str) -> None:
        with pytest.raises(ValueError, match=f"no way from {before} to {after}"):
            payments.change(payment(status=before), payment(status=after), NOON)

    def test_a_named_correction_leads_out_of_an_end_and_is_kept(self, payments: Payments, tables: Tables) -> None:
        ended = moved(payments, payment(), status=PaymentStatus.EXPIRED)
        due = ended._replace(status=PaymentStatus.REFUND_DUE, received=75_000, reason="paid_late")
        assert payments.change(ended, due, NOON, correction=LATE_MONEY) is None
        assert payments.get("p1") == due
        (event,) = [item for item in tables.items("Payments") if "correction" in item]
        assert [event[name]["S"] for name in ("what", "before", "correction", "reason")] == [
            PaymentStatus.REFUND_DUE,
            PaymentStatus.EXPIRED,
            LATE_MONEY,
            "paid_late",
        ]

    def test_a_value_can_be_taken_away_again(self, payments: Payments) -> None:
        refused = moved(payments, payment(), status=PaymentStatus.REFUND_DUE, reason="no")
        again = moved(payments, refused, reason=None)
        assert payments.get("p1") == again

    def test_one_of_many_threads_changes_it(self, engine: Engine, tables: Tables, payments: Payments) -> None:
        stores = [Payments(engine.fast(), tables["Payments"]) for _ in range(16)]
        statuses = [PaymentStatus.PAID, PaymentStatus.FAILED, PaymentStatus.EXPIRED, PaymentStatus.REVIEW] * 4
        with ThreadPoolExecutor(len(stores)) as threads:
            refusals = list(
                threads.map(
                    lambda pair: pair[0].change(payment(), payment(status=pair[1]), NOON),
                    zip(stores, statuses, strict=True),
                )
            )
        assert (refusals.count(None), refusals.count(OWN)) == (1, 15)
        kept = payments.get("p1")
        assert kept is not None
        assert kept.status == statuses[refusals.index(None)]

    def test_it_does_not_change_without_what_must_happen_with_it(
        self, payments: Payments, violations: Violations, tables: Tables
    ) -> None:
        before = len(tables.items("Payments"))
        refusal = payments.change(
            payment(), payment(status=PaymentStatus.FAILED), NOON, [violations.release("none", "p1")]
        )
        assert refusal == Refusal(own=False, full=False, others=(0,))
        assert payments.get("p1") == payment()
        assert len(tables.items("Payments")) == before

    def test_an_unknown_payment_does_not_change(self, payments: Payments) -> None:
        assert payments.change(payment("none"), payment("none", status=PaymentStatus.PAID), NOON) == OWN
        assert payments.get("none") is None

    def test_a_receipt_is_known_with_its_payment(self, payments: Payments) -> None:
        receipt = Receipt("GH-1", "p1", 75_000, to_text(NOON))
        assert payments.receipt("GH-1") is None
        paid = payment(
            status=PaymentStatus.PAID, paid_at=to_text(NOON), receipt_no="GH-1", received=75_000, returned=("V1",)
        )
        assert payments.change(payment(), paid, NOON, [payments.receipt_action(receipt)]) is None
        assert payments.receipt("GH-1") == receipt
        assert payments.get("p1") == paid

    def test_a_receipt_number_is_given_once(self, payments: Payments) -> None:
        action = payments.receipt_action(Receipt("GH-1", "p1", 75_000, to_text(NOON)))
        payments.change(payment(), payment(status=PaymentStatus.PAID), NOON, [action])
        make(payments, payment("p2"))
        refusal = payments.change(payment("p2"), payment("p2", status=PaymentStatus.PAID), NOON, [action])
        assert refusal == Refusal(own=False, full=False, others=(0,))

    def test_a_callback_is_recorded_once(self, payments: Payments) -> None:
        assert payments.record_callback("p1", "paid", NOON)
        assert not payments.record_callback("p1", "paid", NOON + SECOND)
        assert payments.record_callback("p1", "refunded", NOON)
        assert payments.record_callback("p2", "paid", NOON)
        assert payments.record_callback("p1", "x" * 5000, NOON)

    def test_its_trail_tells_what_happened(self, payments: Payments, tables: Tables) -> None:
        amended = payment(unanswered=True)
        payments.change(payment(), amended, NOON + SECOND, what="order_unanswered")
        payments.change(
            amended, amended._replace(status=PaymentStatus.FAILED, reason="gateway_failed"), NOON + 2 * SECOND
        )
        events = [item for item in tables.items("Payments") if item["sk"]["S"].startswith("EVENT#")]
        trail = [(item["what"]["S"], item.get("reason")) for item in sorted(events, key=lambda item: item["sk"]["S"])]
        assert trail == [("created", None), ("order_unanswered", None), ("failed", {"S": "gateway_failed"})]


class TestFinding:
    def test_it_waits_for_whoever_has_to_do_something(self, payments: Payments) -> None:
        for number in range(12):
            make(payments, payment(f"p{number}"))
        assert list(payments.unfinished(TO_ASK, NOON)) == []
        everything = {f"p{number}" for number in range(12)}
        assert sorted(payments.unfinished(TO_ASK, NOON + SECOND)) == sorted(everything)
        moved(payments, payment("p1"), status=PaymentStatus.PENDING)
        moved(payments, payment("p2"), status=PaymentStatus.REVIEW)
        moved(payments, payment("p3"), status=PaymentStatus.PAID)
        due = moved(payments, payment("p4"), status=PaymentStatus.REFUND_DUE)
        assert set(payments.unfinished(TO_ASK, NOON + SECOND)) == everything - {"p2", "p3", "p4"}
        assert list(payments.unfinished(PaymentStatus.REVIEW, NOON + SECOND)) == ["p2"]
        assert list(payments.unfinished(PaymentStatus.REFUND_DUE, NOON + SECOND)) == ["p4"]
        moved(payments, due, status=PaymentStatus.REFUNDED)
        assert list(payments.unfinished(PaymentStatus.REFUND_DUE, NOON + SECOND)) == []

    def test_it_is_found_by_the_day_it_was_made(self, payments: Payments) -> None:
        make(payments, payment("p1", created_at="2026-11-20T23:59:59+03:00"))
        make(payments, payment("p2", created_at="2026-11-21T00:00:00+03:00"))
        make(payments, payment("p3", created_at="2026-11-20T00:00:00+03:00"))
        assert list(payments.of_day("2026-11-20")) == ["p3", "p1"]
        assert list(payments.of_day("2026-11-22")) == []

    def test_a_citizens_are_found_newest_first_page_by_page(self, payments: Payments) -> None:
        made = [make(payments, payment(f"p{n}", created_at=to_text(NOON + n * SECOND))) for n in range(5)]
        make(payments, payment("p9", sub="another"))
        first, after = payments.of_citizen(SUB, 2, None)
        second, after_second = payments.of_citizen(SUB, 2, after)
        third, end = payments.of_citizen(SUB, 2, after_second)
        assert first + second + third == made[::-1]
        assert end is None


class TestHolding:
    """What a payment writes on its violations, and on what conditions."""

    @pytest.fixture
    def call(self, engine: Engine) -> Any:
        return engine.fast()

    def test_a_settled_one_is_held_no_more(self, violations: Violations, call: Any, tables: Tables) -> None:
        subject = violation()
        store(violations, subject)
        transact(call, [violations.hold(subject, "p1")])
        transact(call, [violations.settle(subject.violation_no, "p1", 50_000, to_text(NOON), "GH-1")])
        (item,) = tables.items("Violations")
        assert not {"held_by", "held_plate"} & set(item)

    def test_a_released_one_is_as_it_was(self, violations: Violations, call: Any, tables: Tables) -> None:
        subject = violation()
        store(violations, subject)
        before = tables.items("Violations")
        transact(call, [violations.hold(subject, "p1")])
        transact(call, [violations.release(subject.violation_no, "p1")])
        assert tables.items("Violations") == before
