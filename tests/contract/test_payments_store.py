"""The Payments table: a payment is made once a key, ends once, and its receipt is known from then on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from shared.domain.payment import CREATED, EXPIRED, FAILED, PAID, PENDING, REVIEW, Line, Payment
from shared.domain.time import to_text
from shared.stores.payments import KeyUse, Payments, Receipt
from shared.stores.violations import Violations
from tests.aws import Engine, Tables
from tests.build import NOON, PHONE, PLATE, SUB, store, violation

KEY = "key-00000001"
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


@pytest.fixture
def payments(engine: Engine, tables: Tables) -> Payments:
    return Payments(engine.fast(), tables["Payments"])


@pytest.fixture
def violations(engine: Engine, tables: Tables) -> Violations:
    return Violations(engine.fast(), tables["Violations"])


def payment(payment_id: str = "p1", **fields: str) -> Payment:
    made = Payment(
        payment_id=payment_id,
        sub=SUB,
        gateway="sandbox",
        status=CREATED,
        lines=(Line("V1", 50_000, PLATE.key, "7", "11"), Line("V2", 25_000, PLATE.key, "قاطع", "")),
        amount=75_000,
        created_at=to_text(NOON),
        expires_at=to_text(NOON + timedelta(minutes=15)),
        return_url="https://tf.ur.gov.iq/paid",
        phone=PHONE,
        language="ckb",
    )
    return made._replace(**fields)


class TestCreating:
    def test_a_payment_is_read_as_it_was_made(self, payments: Payments) -> None:
        assert payments.create(payment(), KEY, "r", [], NOON) is None
        assert payments.get("p1") == payment()
        assert payments.get("p2") is None

    def test_a_payment_without_a_phone_is_one_too(self, payments: Payments) -> None:
        without = payment()._replace(phone=None)
        payments.create(without, KEY, "r", [], NOON)
        assert payments.get("p1") == without

    def test_a_key_makes_one_payment_a_day(self, payments: Payments) -> None:
        payments.create(payment(), KEY, "r", [], NOON)
        assert payments.key_use(SUB, KEY, NOON + DAY - SECOND) == KeyUse("r", "p1")
        assert payments.create(payment("p2"), KEY, "r", [], NOON + DAY - SECOND) == []
        assert payments.get("p2") is None

    def test_a_key_of_yesterday_makes_a_new_one(self, payments: Payments) -> None:
        payments.create(payment(), KEY, "r", [], NOON)
        assert payments.key_use(SUB, KEY, NOON + DAY) is None
        assert payments.create(payment("p2"), KEY, "other", [], NOON + DAY) is None
        assert payments.key_use(SUB, KEY, NOON + DAY) == KeyUse("other", "p2")

    def test_a_key_is_its_citizens_own(self, payments: Payments) -> None:
        payments.create(payment(), KEY, "r", [], NOON)
        assert payments.key_use("another", KEY, NOON) is None
        assert payments.create(payment("p2", sub="another"), KEY, "r", [], NOON) is None

    def test_one_of_several_threads_with_one_key_makes_a_payment(self, engine: Engine, tables: Tables) -> None:
        stores = [Payments(engine.fast(), tables["Payments"]) for _ in range(8)]
        with ThreadPoolExecutor(len(stores)) as threads:
            made = list(
                threads.map(lambda pair: pair[1].create(payment(f"p{pair[0]}"), KEY, "r", [], NOON), enumerate(stores))
            )
        assert made.count(None) == 1
        assert [each for each in made if each is not None] == [[]] * 7

    def test_the_violations_that_others_hold_are_named_and_nothing_is_written(
        self, payments: Payments, violations: Violations, tables: Tables
    ) -> None:
        subjects = [violation() for _ in range(4)]
        store(violations, *subjects)
        others = [violations.hold(subjects[index], "p1") for index in (1, 3)]
        payments.create(payment(), KEY, "r", others, NOON)
        before = tables.items("Payments")
        holds = [violations.hold(subject, "p2") for subject in subjects]
        assert payments.create(payment("p2"), "key-00000002", "r", holds, NOON) == [1, 3]
        assert len(tables.items("Payments")) == len(before)
        held = violations.get(subject.violation_no for subject in subjects)
        assert [held[subject.violation_no].held_by for subject in subjects] == [None, "p1", None, "p1"]


class TestEnding:
    @pytest.fixture
    def payments(self, payments: Payments) -> Payments:
        payments.create(payment(), KEY, "r", [], NOON)
        return payments

    def test_an_ordered_payment_knows_its_page(self, payments: Payments) -> None:
        assert payments.ordered("p1", PENDING, "g1", "https://gateway/p", NOON)
        ordered = payment(status=PENDING, gateway_id="g1", redirect_url="https://gateway/p")
        assert payments.get("p1") == ordered
        assert not payments.ordered("p1", PENDING, "g2", "https://other", NOON)
        assert payments.get("p1") == ordered

    @pytest.mark.parametrize("status", [PAID, FAILED, EXPIRED, REVIEW])
    def test_it_ends_once_from_created_or_pending(self, payments: Payments, status: str) -> None:
        if status in (PAID, FAILED):
            payments.ordered("p1", PENDING, "g1", "https://gateway/p", NOON)
        assert payments.end(payment(), status, NOON, [])
        assert not payments.end(payment(), PAID, NOON, [])
        assert not payments.end(payment(), FAILED, NOON, [])
        assert not payments.ordered("p1", PENDING, "g1", "https://gateway/p", NOON)
        ended = payments.get("p1")
        assert ended is not None
        assert ended.status == status

    def test_one_of_many_threads_ends_it(self, engine: Engine, tables: Tables, payments: Payments) -> None:
        stores = [Payments(engine.fast(), tables["Payments"]) for _ in range(16)]
        statuses = [PAID, FAILED, EXPIRED, REVIEW] * 4
        with ThreadPoolExecutor(len(stores)) as threads:
            ended = list(
                threads.map(lambda pair: pair[0].end(payment(), pair[1], NOON, []), zip(stores, statuses, strict=True))
            )
        assert ended.count(True) == 1
        kept = payments.get("p1")
        assert kept is not None
        assert kept.status == statuses[ended.index(True)]

    def test_it_does_not_end_without_what_must_happen_with_it(
        self, payments: Payments, violations: Violations, tables: Tables
    ) -> None:
        before = len(tables.items("Payments"))
        assert not payments.end(payment(), FAILED, NOON, [violations.release("none", "p1")])
        assert payments.get("p1") == payment()
        assert len(tables.items("Payments")) == before

    def test_an_unknown_payment_does_not_end(self, payments: Payments, tables: Tables) -> None:
        assert not payments.end(payment("none"), PAID, NOON, [])
        assert payments.get("none") is None

    def test_a_receipt_is_known_with_its_payment(self, payments: Payments) -> None:
        receipt = Receipt("GH-1", "p1", 75_000, to_text(NOON))
        assert payments.receipt("GH-1") is None
        paid = payment(paid_at=to_text(NOON), receipt_no="GH-1")
        assert payments.end(paid, PAID, NOON, [payments.receipt_action(receipt)])
        assert payments.receipt("GH-1") == receipt
        assert payments.get("p1") == paid._replace(status=PAID)

    def test_a_receipt_number_is_given_once(self, payments: Payments) -> None:
        action = payments.receipt_action(Receipt("GH-1", "p1", 75_000, to_text(NOON)))
        payments.end(payment(), PAID, NOON, [action])
        payments.create(payment("p2"), "key-00000002", "r", [], NOON)
        assert not payments.end(payment("p2"), PAID, NOON, [action])

    def test_its_trail_tells_what_happened(self, payments: Payments, tables: Tables) -> None:
        payments.note("p1", "callback", NOON + SECOND)
        payments.note("p1", "callback", NOON + SECOND)
        payments.end(payment(), FAILED, NOON + 2 * SECOND, [], reason="gateway_failed")
        events = [item for item in tables.items("Payments") if item["sk"]["S"].startswith("EVENT#")]
        trail = [(item["what"]["S"], item.get("reason")) for item in sorted(events, key=lambda item: item["sk"]["S"])]
        assert trail == [
            ("created", None),
            ("callback", None),
            ("callback", None),
            ("failed", {"S": "gateway_failed"}),
        ]


class TestLive:
    def test_it_is_asked_about_until_it_ends(self, payments: Payments) -> None:
        for number in range(12):
            payments.create(payment(f"p{number}"), f"key-{number:08}", "r", [], NOON)
        assert list(payments.live(NOON)) == []
        everything = {f"p{number}" for number in range(12)}
        assert sorted(payments.live(NOON + SECOND)) == sorted(everything)
        payments.ordered("p1", PENDING, "g1", "https://gateway/p", NOON)
        payments.end(payment("p2"), REVIEW, NOON, [])
        payments.end(payment("p3"), PAID, NOON, [])
        assert set(payments.live(NOON + SECOND)) == everything - {"p2", "p3"}
