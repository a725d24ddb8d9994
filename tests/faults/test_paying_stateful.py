"""Paying under whatever may happen in any order, with a crash at any call: every dinar is settled or goes back."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
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

from pay.gateways import Order, OrderStatus, Refund, RefusedError, UnknownError
from pay.payments.after_end import give_back_bounced, keep
from pay.payments.compare import compare
from pay.payments.manual_refund import CLAIMED, claim_manual_refund
from pay.payments.refund import complete_refund, refund_reviewed, settle_reviewed
from pay.payments.returning import return_difference, return_lines, reverse
from pay.payments.settle import PaymentStores
from shared.aws_json import Json
from shared.domain import violation as violations
from shared.domain.payment import LIVE, TRANSITIONS, Payment, PaymentStatus, Return, ReturnState, through_gateway
from shared.domain.settlement import SETTLED
from shared.domain.text import digest
from shared.domain.violation import Violation
from tests.support.aws import Engine, Tables
from tests.support.build import OTHER_PLATE, follow, later, row, store, violation
from tests.support.crashes import Crash, Faults
from tests.support.functions import Functions, forget
from tests.support.payment_requests import payment_body

Decide = Callable[[Payment, PaymentStores, datetime, list[str]], bool]
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
        monkeypatch.setattr(self.gateway, "get_order", self.shown(self.gateway.get_order))
        monkeypatch.setattr(self.gateway, "refund", self.given(self.gateway.refund))
        for name in ("order", "get_order", "close", "refund"):
            monkeypatch.setattr(self.gateway, name, self.faults.through(getattr(self.gateway, name)))
        self.stores = self.functions.stores
        self.version = 0
        self.keys = 0
        self.last: dict[str, str] = {}
        self.taken: dict[str, int] = {}
        self.by_office: Counter[str] = Counter()
        self.bounced: Counter[str] = Counter()
        self.manually: Counter[str] = Counter()
        self.lagging: dict[str, Order] = {}
        self.denies = False

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
        shrinks=st.booleans(),
    )
    def a_payment_is_under_way(self, amounts: list[int], state: str, shrinks: bool) -> str:
        """Of the first two violations; without it, most of what may happen would happen to nothing."""
        self.gateway.shrinks = shrinks
        follow(self.functions.citizens)
        self.subjects = [violation(amount=amount) for amount in amounts]
        store(self.functions.violations, *self.subjects)
        payment_id: str = self.functions.pay(payment_body(*self.subjects[:2]), "key-of-first").body["payment_id"]
        if state == "late":
            self.functions.cancel(payment_id)
        if state != OrderStatus.UNPAID:
            self.takes(payment_id, 0)
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
            self.takes(payment_id, difference)

    @rule(payment_id=payments, difference=st.sampled_from([0, -1, 1]))
    def the_citizen_pays_in_spite_of_all(self, payment_id: str, difference: int) -> None:
        """A gateway that cannot close an order, or takes money for one that it called over."""
        if self.state_there(payment_id) in (OrderStatus.UNPAID, OrderStatus.FAILED, OrderStatus.EXPIRED):
            self.takes(payment_id, difference)

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

    @rule(days=st.sampled_from([1, 31]))
    def days_pass(self, days: int) -> None:
        """In the first, late money still settles what has risen since."""
        self.functions.clock.forward(days=days)

    @rule(refused=st.sampled_from(["no", "before", "after"]))
    def refunds_are_refused(self, refused: str) -> None:
        """after: the gateway makes a refund and then says no."""
        self.gateway.refund_refusal = RefusedError("only_whole") if refused == "before" else None
        self.denies = refused == "after" and self.gateway.shrinks

    @rule(payment_id=payments, part=st.booleans())
    def the_office_gives_back_silently(self, payment_id: str, part: bool) -> None:
        """Or a card's bank does, a month later: nobody calls. Of an order whose amount stays only all of it shows."""
        left = self.left(payment_id)
        payment = self.functions.payments.get(payment_id)
        whole = left == self.taken.get(payment_id) and payment and payment.status in ENDS
        if left <= 1 or not (self.gateway.shrinks or whole):
            return
        self.by_office[payment_id] += left // 2 if part and self.gateway.shrinks else left
        self.show(payment_id)

    @rule(payment_id=payments)
    def a_refund_bounces(self, payment_id: str) -> None:
        """Money that went back through the gateway, all there was, is with us again."""
        gone = self.gone(payment_id)
        if gone and not self.left(payment_id) and not self.by_office[payment_id]:
            last = [each for each in self.gateway.refunds.values() if each.payment_id == payment_id][-1]
            self.bounced[payment_id] += last.amount
            self.show(payment_id)

    @rule(payment_id=payments)
    def the_listing_lags(self, payment_id: str) -> None:
        """What the gateway says of an order is what it was, until it is asked the next time but one."""
        if order := self.gateway.orders.get(payment_id):
            self.lagging[payment_id] = order

    @rule(settling=st.booleans(), keeping=st.booleans(), silent=st.sampled_from(["always", "of refunds"]))
    def an_operator_decides(self, settling: bool, keeping: bool, silent: str) -> None:
        """After a last try to have refunds made, of which no answer came, by when whoever asked is gone."""
        self.poll(3, silent, None)
        self.functions.clock.forward(minutes=3)
        self.lagging.clear()
        for payment in self.all_payments():
            if payment.status == PaymentStatus.REVIEW and settling and payment.received >= payment.amount:
                settle_reviewed(payment, self.stores, self.functions.clock.at)
            elif payment.status == PaymentStatus.REVIEW:
                refund_reviewed(payment, self.stores, self.functions.clock.at)
            elif payment.status == PaymentStatus.REFUND_DUE:
                self.refunds_manually(payment)
            elif payment.bounced_since:
                self.gives_bounced_back(payment)
            elif payment.is_money_returned:
                self.decides_about_returned(payment, keeping)

    def refunds_manually(self, payment: Payment) -> None:
        """What the operator may; the gateway's office says what it has done."""
        now, due = self.functions.clock.at, self.stores.returns.last(payment)
        assert due is not None
        made = digest("refund", payment.payment_id, str(due.n)) in self.gateway.refunds
        if not made and self.by_office[payment.payment_id] and self.gateway.shrinks:
            self.gives_the_rest(payment, due)
        outcome = claim_manual_refund(payment, self.gateway, self.stores, now, confirmed=not made)
        if outcome == CLAIMED:
            assert not made, "it went back through the gateway"
            self.manually[payment.payment_id] += due.amount
            claimed = self.stores.returns.last(payment)
            assert claimed is not None
            complete_refund(payment, claimed, self.stores, now)

    def gives_the_rest(self, payment: Payment, due: Return) -> None:
        """The office, asked, has begun to give it back by itself: it does not say that it never will, but gives all."""
        before = through_gateway(each for each in self.stores.returns.of(payment) if each.n < due.n)
        rest = self.left(payment.payment_id) - (payment.received - before - due.amount)
        self.by_office[payment.payment_id] += max(0, rest)
        self.show(payment.payment_id)

    def gives_bounced_back(self, payment: Payment) -> None:
        before = payment.given_back
        assert give_back_bounced(payment, self.stores, self.functions.clock.at)
        after = self.functions.payments.get(payment.payment_id)
        assert after is not None
        self.manually[payment.payment_id] += after.given_back - before

    def decides_about_returned(self, payment: Payment, keeping: bool) -> None:
        at = self.functions.clock.at
        if keeping or payment.money_returned < payment.settled:
            lines = [line for line in payment.settled_lines if line.amount == payment.money_returned]
            if lines and not keeping:
                assert reverse(payment, self.stores, at, [lines[0].violation_no])
                return
            assert keep(payment, self.stores, at)
        else:
            assert reverse(payment, self.stores, at)

    @rule(
        payment_id=payments,
        which=st.sets(st.integers(0, 2), min_size=1),
        decide=st.sampled_from([return_lines, return_difference]),
    )
    def an_operator_has_some_given_back(self, payment_id: str, which: set[int], decide: Decide) -> None:
        """Of a paid payment, and of another where nothing may happen; a line twice, and beyond what is left."""
        payment = self.functions.payments.get(payment_id)
        if payment:
            lines = [line.violation_no for index, line in enumerate(payment.lines) if index in which]
            with contextlib.suppress(ValueError):
                decide(payment, self.stores, self.functions.clock.at, lines)
                assert not decide(payment, self.stores, self.functions.clock.at, lines)

    @rule(payment_id=payments)
    def the_gateways_office_gives_back_what_is_settled_and_says_so(self, payment_id: str) -> None:
        payment = self.functions.payments.get(payment_id)
        if payment and payment.status == PaymentStatus.PAID and self.left(payment_id) == self.taken[payment_id]:
            self.by_office[payment_id] += self.left(payment_id)
            self.show(payment_id)
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
            assert payment.surplus >= payment.given_back >= 0
            assert payment.received <= self.taken.get(payment.payment_id, 0)
            returns = self.stores.returns.of(payment)
            assert sum(each.amount for each in returns if each.state != ReturnState.BOUNCED) == payment.given_back
            assert self.gone(payment.payment_id) + self.manually[payment.payment_id] <= (
                payment.given_back + self.bounced[payment.payment_id]
            ), "nothing goes back twice"
            if payment.status in ENDS and not payment.bounced_since:
                assert payment.given_back == payment.surplus

    @invariant()
    def the_sectors_are_told_what_is_settled(self) -> None:
        told: dict[str, int] = {}
        for item in self.tables.items("Settlements"):
            kind, payment_id, *_ = item["sk"]["S"].split("#")
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
        functions, self.gateway.refund_refusal, self.denies = self.functions, None, False
        forget()
        functions.clock.forward(hours=2)
        for _ in range(2):
            self.the_gateway_tells_of_all()
            functions.poll_gateways()
            functions.clock.forward(minutes=16)  # what would not close has had its time
            self.an_operator_decides(settling=False, keeping=False, silent="always")
        self.the_gateway_tells_of_all()
        functions.poll_gateways()
        assert {payment.status for payment in self.all_payments()} <= ENDS
        assert not any(each.held_by for each in self.all_violations())
        for payment in self.all_payments():
            there = self.left(payment.payment_id) - self.manually[payment.payment_id]
            assert there == payment.settled - payment.money_returned, self.what_is_where(payment)
        functions.clock.forward(hours=2)
        report = compare(functions.payments, lambda _: self.gateway, functions.clock.at)
        listed = {*self.manually, *self.by_office, *self.bounced}
        unexplained = [each for each in report.differences if each["payment_id"] not in listed]
        assert (unexplained, report.silent, report.unaskable) == ([], [], [])
        for check in (
            self.what_is_received_is_settled_or_goes_back,
            self.the_sectors_are_told_what_is_settled,
            self.no_end_is_left_but_by_a_named_correction,
            self.the_live_ones_are_counted,
        ):
            check()

    def the_gateway_tells_of_all(self) -> None:
        """And what it says by now is so."""
        self.lagging.clear()
        for payment_id in self.gateway.requests:
            assert self.functions.callback(payment_id, status="at last").status == 200

    # ------------------------------------------------------------------ looking

    @contextlib.contextmanager
    def dying(self, crash: tuple[int, bool] | None) -> Iterator[None]:
        """A process that dies at a call; the next one starts cold."""
        at, after = crash or (0, False)
        with self.faults.fail(at, after=after, error=Crash()), contextlib.suppress(Crash):
            yield
        if crash:
            forget()

    def takes(self, payment_id: str, difference: int) -> None:
        """The gateway takes a citizen's money."""
        self.taken[payment_id] = self.gateway.requests[payment_id].amount + difference
        self.gateway.says(payment_id, OrderStatus.PAID, amount=self.taken[payment_id])

    def what_is_where(self, payment: Payment) -> str:
        """What both sides have of a payment, for who looks into a failure."""
        counters = {"office": self.by_office, "manually": self.manually, "bounced": self.bounced, "taken": self.taken}
        theirs = {name: each.get(payment.payment_id) for name, each in counters.items()}
        ours = (payment.status, payment.received, payment.settled, payment.given_back, payment.money_returned)
        returns = [(each.amount, each.cause, str(each.state)) for each in self.stores.returns.of(payment)]
        return f"{theirs} gone {self.gone(payment.payment_id)}; {ours} {returns}"

    def gone(self, payment_id: str) -> int:
        """What the gateway has given back as we asked."""
        return sum(each.amount for each in self.gateway.refunds.values() if each.payment_id == payment_id)

    def left(self, payment_id: str) -> int:
        """What the gateway has of a payment's money."""
        there = self.taken.get(payment_id, 0) - self.gone(payment_id) - self.by_office[payment_id]
        return there + self.bounced[payment_id]

    def show(self, payment_id: str) -> None:
        """Let the gateway say of an order what is true, in its way."""
        left, taken = self.left(payment_id), self.taken[payment_id]
        state = OrderStatus.PAID if left else OrderStatus.REFUNDED
        self.gateway.says(payment_id, state, amount=left if self.gateway.shrinks else taken)

    def shown(self, get_order: Callable[..., Order | None]) -> Callable[..., Order | None]:
        """Orders as the gateway's listing has them, which may lag."""

        def shown(payment_id: str | None, gateway_id: str | None) -> Order | None:
            order = get_order(payment_id, gateway_id)
            return self.lagging.pop(order.payment_id or "", order) if order else None

        return shown

    def given(self, refund: Callable[[Refund], OrderStatus]) -> Callable[[Refund], OrderStatus]:
        """Refunds as the gateway makes them: never of more than it has, and perhaps denied when they are made."""

        def given(asked: Refund) -> OrderStatus:
            if asked.refund_id not in self.gateway.refunds and asked.amount > self.left(asked.payment_id):
                raise RefusedError("not_enough")
            try:
                status = refund(asked)
            finally:
                if asked.refund_id in self.gateway.refunds:
                    self.show(asked.payment_id)
            if self.denies:
                raise RefusedError("code_14")
            return status

        return given

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
