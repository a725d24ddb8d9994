"""Paying under whatever may happen in any order, with a crash at any call: every dinar is settled or goes back."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from pay.gateways import OrderStatus, RefusedError, UnknownError
from pay.payments.compare import compare
from pay.payments.manual_refund import CLAIMED, claim_manual_refund
from pay.payments.refund import complete_refund, refund_reviewed, settle_reviewed
from pay.payments.returning import reverse
from pay.payments.settle import PaymentStores
from shared.aws_json import Json
from shared.domain import violation as violations
from shared.domain.payment import LIVE, TRANSITIONS, Payment, PaymentStatus
from shared.domain.settlement import SETTLED
from shared.domain.violation import Violation
from shared.stores.paying.settlements import Settlements
from tests.support.aws import Engine, Tables
from tests.support.build import OTHER_PLATE, follow, later, row, store, violation
from tests.support.crashes import Crash, Faults
from tests.support.functions import Functions, forget
from tests.support.payment_requests import payment_body

RETURN_URL = "https://tf.ur.gov.iq/paid"
ENDS = {state for state, following in TRANSITIONS.items() if not following}
POOL = 6

crashes = st.none() | st.tuples(st.integers(1, 12), st.booleans())
"""At which call a process dies, and whether the call had its effect."""


class Paying(RuleBasedStateMachine):
    """The functions, a gateway whose money is known, and what must hold between them."""

    payments = Bundle("payments")

    def __init__(self, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self.tables = Tables(engine.fast())
        self.functions = Functions(engine, self.tables, monkeypatch)
        self.gateway = self.functions.gateway
        self.faults = Faults()
        monkeypatch.setattr("pay.ports.FastClient", lambda: self.faults.through(engine.fast()))
        for name in ("order", "get_order", "close", "refund"):
            monkeypatch.setattr(self.gateway, name, self.faults.through(getattr(self.gateway, name)))
        self.stores = PaymentStores(
            self.functions.violations,
            self.functions.payments,
            self.functions.messages,
            Settlements(engine.fast(), self.tables["Settlements"]),
            self.functions.returns,
        )
        self.version = 0
        self.keys = 0
        self.last: dict[str, str] = {}
        self.manual_refunds: set[str] = set()
        self.refunded_manually: set[str] = set()

    def teardown(self) -> None:
        try:
            self.everything_comes_to_its_end()
        finally:
            self.functions.close()
            self.tables.delete()

    # ------------------------------------------------------------------ what happens

    @initialize(
        target=payments,
        amounts=st.lists(st.sampled_from([25_000, 50_000, 75_001]), min_size=POOL, max_size=POOL),
        state=st.sampled_from([OrderStatus.UNPAID, OrderStatus.PAID, "concluded", "late"]),
    )
    def a_payment_is_under_way(self, amounts: list[int], state: str) -> str:
        """Of the first two violations; without it, most of what may happen would happen to nothing."""
        follow(self.functions.citizens)
        self.subjects = [violation(amount=amount) for amount in amounts]
        store(self.functions.violations, *self.subjects)
        payment_id: str = self.functions.pay(payment_body(*self.subjects[:2]), "key-of-first").body["payment_id"]
        if state == "late":
            self.functions.cancel(payment_id)
        if state != OrderStatus.UNPAID:
            self.gateway.says(payment_id, OrderStatus.PAID)
        if state in ("concluded", "late"):
            self.functions.callback(payment_id)
        return payment_id

    @rule(
        target=payments,
        chosen=st.sets(st.integers(0, POOL - 1), min_size=1, max_size=3),
        answer=st.sampled_from(["taken", "taken", "taken", "refused", "never came", "came too late"]),
        crash=crashes,
    )
    def create(self, chosen: set[int], answer: str, crash: tuple[int, bool] | None) -> Any:
        self.keys += 1
        known = {payment.payment_id for payment in self.all_payments()}
        self.gateway.refusal = {"refused": RefusedError("http_422"), "never came": UnknownError("away")}.get(answer)
        if answer == "came too late":
            self.gateway.while_ordering = _timed_out
        body = {
            "violations": [self.subjects[index].violation_no for index in sorted(chosen)],
            "gateway": "sandbox",
            "return_url": RETURN_URL,
        }
        with self.dying(crash):
            self.functions.pay(body, f"key-{self.keys:08}")
        self.gateway.refusal, self.gateway.while_ordering = None, _answered
        return multiple(*(each.payment_id for each in self.all_payments() if each.payment_id not in known))

    @rule(payment_id=payments, difference=st.sampled_from([0, 0, 0, 0, -1, 1]))
    def the_citizen_pays(self, payment_id: str, difference: int) -> None:
        if self.state_there(payment_id) == OrderStatus.UNPAID:
            amount = self.gateway.requests[payment_id].amount + difference
            self.gateway.says(payment_id, OrderStatus.PAID, amount=amount)

    @rule(payment_id=payments, difference=st.sampled_from([0, -1, 1]))
    def the_citizen_pays_in_spite_of_all(self, payment_id: str, difference: int) -> None:
        """A gateway that cannot close an order, or takes money for one that it called over."""
        if self.state_there(payment_id) in (OrderStatus.UNPAID, OrderStatus.FAILED, OrderStatus.EXPIRED):
            amount = self.gateway.requests[payment_id].amount + difference
            self.gateway.says(payment_id, OrderStatus.PAID, amount=amount)

    @rule(payment_id=payments, state=st.sampled_from([OrderStatus.FAILED, OrderStatus.EXPIRED]))
    def the_gateway_gives_up(self, payment_id: str, state: str) -> None:
        if self.state_there(payment_id) == OrderStatus.UNPAID:
            self.gateway.says(payment_id, state)

    @rule(payment_id=payments, under_way=st.booleans())
    def the_customer_is_in_the_midst_of_paying(self, payment_id: str, under_way: bool) -> None:
        """The gateway closes no such order."""
        (self.gateway.under_way.add if under_way else self.gateway.under_way.discard)(payment_id)

    @rule(
        payment_id=payments,
        told=st.sampled_from([OrderStatus.PAID, OrderStatus.FAILED, OrderStatus.UNPAID]),
        times=st.integers(1, 2),
        crash=crashes,
    )
    def callback(self, payment_id: str, told: str, times: int, crash: tuple[int, bool] | None) -> None:
        """Of any event, in any order, again and again."""
        for _ in range(times):
            with self.dying(crash):
                self.functions.callback(payment_id, status=told)

    @rule(minutes=st.sampled_from([1, 3, 16]), silent=st.sampled_from(["never", "always", "of refunds"]), crash=crashes)
    def poll(self, minutes: int, silent: str, crash: tuple[int, bool] | None) -> None:
        """silent: the gateway; of refunds that it makes, after it has made them."""
        self.functions.clock.forward(minutes=minutes)
        self.gateway.silence = UnknownError("away") if silent == "always" else None
        self.gateway.refund_silence = UnknownError("ReadTimeoutError") if silent == "of refunds" else None
        with self.dying(crash):
            self.functions.poll_gateways()
        self.gateway.silence = self.gateway.refund_silence = None

    @rule(payment_id=payments, silent=st.booleans(), crash=crashes)
    def cancel(self, payment_id: str, silent: bool, crash: tuple[int, bool] | None) -> None:
        self.functions.clock.forward(seconds=20)
        self.gateway.silence = UnknownError("away") if silent else None
        with self.dying(crash):
            self.functions.cancel(payment_id)
        self.gateway.silence = None

    @rule(
        index=st.integers(0, POOL - 1),
        change=st.sampled_from(
            [
                {"status": violations.CANCELLED},
                {"status": violations.PAID},
                {"plate_key": OTHER_PLATE.key},
                {"amount": 90_000},
                {"amount": 1_000},
            ]
        ),
    )
    def the_directorate_changes_its_mind(self, index: int, change: dict[str, Any]) -> None:
        self.version += 1
        at = f"2026-11-20T08:00:{self.version % 60:02}+03:00"
        self.functions.violations.write([row(later(self.subjects[index], at, **change))])

    @rule()
    def a_day_passes(self) -> None:
        """In which late money still settles what has risen since."""
        self.functions.clock.forward(hours=24)

    @rule(refused=st.booleans())
    def refunds_are_refused(self, refused: bool) -> None:
        self.gateway.refund_refusal = RefusedError("only_whole") if refused else None

    @rule(settling=st.booleans(), silent=st.sampled_from(["always", "of refunds"]))
    def an_operator_decides(self, settling: bool, silent: str) -> None:
        """After a last try to have refunds made, of which no answer came, by when whoever asked is gone."""
        self.poll(3, silent, None)
        self.functions.clock.forward(minutes=3)
        for payment in self.all_payments():
            if payment.status == PaymentStatus.REVIEW and settling and payment.received >= payment.amount:
                settle_reviewed(payment, self.stores, self.functions.clock.at)
            elif payment.status == PaymentStatus.REVIEW:
                refund_reviewed(payment, self.stores, self.functions.clock.at)
            elif payment.status == PaymentStatus.REFUND_DUE:
                self.refunds_manually(payment)

    def refunds_manually(self, payment: Payment) -> None:
        """What the operator may; the gateway's office says what it has done."""
        now, office_denies = self.functions.clock.at, not self.gone(payment)
        if claim_manual_refund(payment, self.gateway, self.stores, now, confirmed=office_denies) == CLAIMED:
            self.manual_refunds.add(payment.payment_id)
            self.refunded_manually.add(payment.payment_id)
            due = self.stores.returns.last(payment)
            assert due is not None
            complete_refund(payment, due, self.stores, now)

    @rule(payment_id=payments)
    def the_gateways_office_gives_back_what_is_settled(self, payment_id: str) -> None:
        payment = self.functions.payments.get(payment_id)
        if payment and payment.status == OrderStatus.PAID:
            self.manual_refunds.add(payment_id)
            self.gateway.says(payment_id, OrderStatus.REFUNDED)
            assert reverse(payment, self.stores, self.functions.clock.at)

    # ------------------------------------------------------------------ what holds, always

    @invariant()
    def what_is_received_is_settled_or_goes_back(self) -> None:
        settled = self.settled_by()
        receipts = [item for item in self.items("RECEIPT") if "void_since" not in item]
        assert sum(int(item["amount"]["N"]) for item in receipts) == sum(settled.values())
        assert len({item["payment_id"]["S"] for item in receipts}) == len(receipts)
        for payment in self.all_payments():
            assert payment.settled == settled.get(payment.payment_id, 0)
            assert payment.received == payment.settled + payment.surplus
            assert payment.surplus >= 0
            if payment.received:
                assert payment.received == self.gateway.orders[payment.payment_id].amount
            owed = payment.status in (PaymentStatus.REVIEW, PaymentStatus.REFUND_DUE)
            gone = self.gone(payment)
            assert gone == 0 or payment.payment_id not in self.refunded_manually
            if payment.status in ENDS:
                assert payment.surplus == gone or payment.payment_id in self.manual_refunds
            assert owed or gone == 0 or gone == payment.surplus

    @invariant()
    def the_sectors_are_told_what_is_settled(self) -> None:
        told: dict[str, int] = {}
        for item in self.tables.items("Settlements"):
            kind, _, payment_id = item["sk"]["S"].partition("#")
            amount = sum(int(share["L"][1]["N"]) for share in item["shares"]["L"])
            told[payment_id] = told.get(payment_id, 0) + (amount if kind == SETTLED else -amount)
        assert {payment_id: amount for payment_id, amount in told.items() if amount} == self.settled_by()

    @invariant()
    def no_end_is_left_but_by_a_named_correction(self) -> None:
        events = [item for item in self.tables.items("Payments") if item["sk"]["S"].startswith("EVENT#")]
        for payment in self.all_payments():
            before = self.last.get(payment.payment_id)
            if before in ENDS and before != payment.status:
                assert any(
                    item["pk"]["S"] == payment.payment_id and item["before"]["S"] == before and "correction" in item
                    for item in events
                    if "before" in item
                )
            self.last[payment.payment_id] = payment.status

    @invariant()
    def a_hold_ends_only_with_its_payment(self) -> None:
        held = {(each.held_by, each.violation_no) for each in self.all_violations() if each.held_by}
        wanted = {
            (payment.payment_id, line.violation_no)
            for payment in self.all_payments()
            for line in payment.lines
            if payment.status in LIVE
        }
        reviewed = {payment.payment_id for payment in self.all_payments() if payment.status == PaymentStatus.REVIEW}
        assert wanted <= held
        assert {payment_id for payment_id, _ in held - wanted} <= reviewed

    @invariant()
    def the_live_ones_are_counted(self) -> None:
        live = {payment.payment_id for payment in self.all_payments() if payment.status in LIVE}
        counted = [item for item in self.tables.items("Payments") if item["sk"]["S"] == "LIVE"]
        assert {each for item in counted for each in item.get("payments", {"SS": []})["SS"]} == live
        assert len(live) <= 3

    # ------------------------------------------------------------------ the end

    def everything_comes_to_its_end(self) -> None:
        """Without further faults nothing stays open, and our books say what the gateway's do."""
        if not hasattr(self, "subjects"):
            return
        functions, self.gateway.refund_refusal = self.functions, None
        forget()
        functions.clock.forward(hours=2)
        for payment_id in self.gateway.requests:
            assert functions.callback(payment_id, status="at last").status == 200
        for _ in range(2):
            functions.poll_gateways()
            functions.clock.forward(minutes=16)  # what would not close has had its time
            self.an_operator_decides(settling=False, silent="always")
        functions.poll_gateways()
        assert {payment.status for payment in self.all_payments()} <= ENDS
        assert not any(each.held_by for each in self.all_violations())
        taken = {
            payment_id: order.amount
            for payment_id, order in self.gateway.orders.items()
            if order.status not in (OrderStatus.UNPAID, OrderStatus.FAILED, OrderStatus.EXPIRED)
        }
        assert taken == {each.payment_id: each.received for each in self.all_payments() if each.received}
        functions.clock.forward(hours=2)
        report = compare(functions.payments, lambda _: self.gateway, functions.clock.at)
        unexplained = {each["payment_id"] for each in report.differences} - self.manual_refunds
        assert (unexplained, report.silent, report.unaskable) == (set(), [], [])
        for check in (
            self.what_is_received_is_settled_or_goes_back,
            self.the_sectors_are_told_what_is_settled,
            self.no_end_is_left_but_by_a_named_correction,
            self.the_live_ones_are_counted,
        ):
            check()

    # ------------------------------------------------------------------ looking

    @contextlib.contextmanager
    def dying(self, crash: tuple[int, bool] | None) -> Iterator[None]:
        """A process that dies at a call; the next one starts cold."""
        at, after = crash or (0, False)
        with self.faults.fail(at, after=after, error=Crash()), contextlib.suppress(Crash):
            yield
        if crash:
            forget()

    def gone(self, payment: Payment) -> int:
        """What the gateway has given back."""
        return sum(each.amount for each in self.gateway.refunds.values() if each.payment_id == payment.payment_id)

    def all_payments(self) -> list[Payment]:
        ids = [item["pk"]["S"] for item in self.items("PAYMENT")]
        return [payment for payment in map(self.functions.payments.get, ids) if payment]

    def items(self, sk: str) -> list[Json]:
        return [item for item in self.tables.items("Payments") if item["sk"]["S"] == sk]

    def all_violations(self) -> list[Violation]:
        return list(self.functions.violations.get(each.violation_no for each in self.subjects).values())

    def settled_by(self) -> dict[str, int]:
        settled: dict[str, int] = {}
        for each in self.all_violations():
            if each.paid_by:
                settled[each.paid_by] = settled.get(each.paid_by, 0) + (each.paid_amount or 0)
        return settled

    def state_there(self, payment_id: str) -> str | None:
        order = self.gateway.orders.get(payment_id)
        return order.status if order else None


def _answered(_: str) -> None:
    """The gateway's answer comes."""


def _timed_out(_: str) -> None:
    raise UnknownError("ReadTimeoutError")


def hold(engine: Engine, monkeypatch: pytest.MonkeyPatch, examples: int, steps: int) -> None:
    """Run the machine."""
    run_state_machine_as_test(
        lambda: Paying(engine, monkeypatch),
        settings=settings(max_examples=examples, stateful_step_count=steps, parent=settings()),
    )


def test_every_dinar_is_settled_or_goes_back(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    hold(engine, monkeypatch, examples=15, steps=20)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_every_dinar_is_settled_or_goes_back_whatever_happens(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    hold(engine, monkeypatch, examples=100, steps=30)
