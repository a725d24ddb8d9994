"""What a gateway says after a payment has ended: nothing of it is lost, and only an operator decides what follows."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pay.gateways import OrderStatus
from pay.payments.after_end import give_back_bounced, keep
from pay.payments.returning import reverse
from pay.payments.settle import PaymentStores
from shared.domain.payment import Payment
from shared.domain.violation import CANCELLED, Violation
from shared.stores.paying.payment_items import MOVED
from tests.support.build import later, row
from tests.support.functions import Functions
from tests.support.payment_requests import metrics, state, status, trail

Listed = Callable[[str], list[str]]


@pytest.fixture
def listed(functions: Functions) -> Listed:
    """The payments on a list of what waits."""
    return lambda kind: [*functions.payments.unfinished(kind, functions.clock.at)]


@pytest.fixture
def paid(functions: Functions, started: str) -> str:
    """The id of a payment that was settled four days ago."""
    functions.gateway.says(started)
    functions.callback(started)
    functions.clock.forward(minutes=4 * 24 * 60)
    return started


def payment_of(functions: Functions, payment_id: str) -> Payment:
    payment = functions.payments.get(payment_id)
    assert payment is not None
    return payment


def check(functions: Functions, payment_id: str) -> tuple[bool, bool]:
    """What a receipt's public check says: whether it is paid, and whether the money is back."""
    body = functions.receipt(str(payment_of(functions, payment_id).receipt_no)).body
    return body["paid"], body["money_returned_since"] is not None


class TestSettledMoneyThatIsBack:
    @pytest.mark.parametrize("word", [OrderStatus.REFUNDED, OrderStatus.REFUNDING])
    def test_is_marked_listed_and_said_by_the_receipt(
        self,
        functions: Functions,
        subjects: list[Violation],
        paid: str,
        listed: Listed,
        word: str,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        assert check(functions, paid) == (True, False)
        functions.gateway.says(paid, word)
        assert functions.callback(paid, status=word).status == 200
        marked = payment_of(functions, paid)
        assert (marked.status, marked.money_returned) == ("paid", 75_000)
        assert marked.money_returned_since is not None
        assert check(functions, paid) == (False, True)
        assert [state(functions, each) for each in subjects] == ["paid"] * 2
        functions.clock.forward(minutes=3)
        assert listed(MOVED) == [paid]
        capsys.readouterr()
        functions.poll_gateways()
        assert metrics(capsys)["MoneyMovedAfterEnd"] == [1]

    def test_is_seen_though_its_callback_looks_like_an_earlier_one(self, functions: Functions, paid: str) -> None:
        functions.gateway.says(paid, OrderStatus.REFUNDED)
        assert functions.callback(paid).status == 200
        assert payment_of(functions, paid).money_returned == 75_000

    def test_is_marked_once(self, functions: Functions, paid: str) -> None:
        functions.gateway.says(paid, OrderStatus.REFUNDED)
        functions.callback(paid)
        before = trail(functions)
        functions.clock.forward(minutes=60)
        functions.callback(paid)
        assert trail(functions) == before

    def test_more_of_it_leaves_since_when(self, functions: Functions, paid: str) -> None:
        functions.gateway.says(paid, amount=60_000)
        functions.callback(paid)
        since = payment_of(functions, paid).money_returned_since
        functions.clock.forward(minutes=60)
        functions.gateway.says(paid, amount=50_000)
        functions.callback(paid)
        more = payment_of(functions, paid)
        assert (more.money_returned, more.money_returned_since) == (25_000, since)

    def test_a_part_is_marked_with_its_amount(self, functions: Functions, paid: str) -> None:
        functions.gateway.says(paid, amount=60_000)
        functions.callback(paid)
        assert payment_of(functions, paid).money_returned == 15_000

    def test_that_is_here_again_is_marked_no_longer(self, functions: Functions, paid: str, listed: Listed) -> None:
        functions.gateway.says(paid, OrderStatus.REFUNDED)
        functions.callback(paid)
        functions.gateway.says(paid, OrderStatus.PAID)
        functions.callback(paid)
        assert payment_of(functions, paid).money_returned == 0
        assert check(functions, paid) == (True, False)
        assert listed(MOVED) == []

    @pytest.mark.parametrize("told", [75_000, 50_000], ids=["whole", "what is left"])
    @pytest.mark.parametrize("word", [OrderStatus.PAID, OrderStatus.REFUNDED])
    def test_what_we_gave_back_ourselves_never_marks(
        self, functions: Functions, subjects: list[Violation], started: str, told: int, word: str
    ) -> None:
        functions.violations.write([row(later(subjects[1], status=CANCELLED))])
        functions.gateway.says(started)
        functions.callback(started)
        functions.clock.forward(minutes=3)
        functions.poll_gateways()
        assert (status(functions, started), payment_of(functions, started).surplus) == ("paid", 25_000)
        functions.gateway.says(started, word, amount=told)
        functions.callback(started)
        assert payment_of(functions, started).money_returned == 0
        functions.gateway.says(started, word, amount=10_000)
        functions.callback(started)
        assert payment_of(functions, started).money_returned == 40_000

    @pytest.mark.parametrize("word", [OrderStatus.UNPAID, OrderStatus.FAILED, OrderStatus.EXPIRED])
    def test_other_words_and_currencies_tell_nothing_of_it(self, functions: Functions, paid: str, word: str) -> None:
        functions.gateway.says(paid, word)
        functions.callback(paid)
        functions.gateway.says(paid, OrderStatus.PAID, amount=1, currency="USD")
        functions.callback(paid)
        assert (payment_of(functions, paid).money_returned, status(functions, paid)) == (0, "paid")


class TestDeciding:
    @pytest.fixture
    def marked(self, functions: Functions, paid: str) -> str:
        functions.gateway.says(paid, amount=60_000)
        functions.callback(paid)
        return paid

    def test_kept_is_answered_until_more_goes_back(
        self, functions: Functions, stores: PaymentStores, marked: str, listed: Listed
    ) -> None:
        assert keep(payment_of(functions, marked), stores, functions.clock.at)
        functions.callback(marked)
        assert (check(functions, marked), listed(MOVED)) == ((True, False), [])
        functions.gateway.says(marked, amount=50_000)
        functions.callback(marked)
        assert (check(functions, marked), listed(MOVED)) == ((False, True), [marked])

    def test_what_came_here_again_and_goes_back_anew_is_not_kept(
        self, functions: Functions, stores: PaymentStores, marked: str, listed: Listed
    ) -> None:
        keep(payment_of(functions, marked), stores, functions.clock.at)
        for amount in (75_000, 60_000):
            functions.gateway.says(marked, amount=amount)
            functions.callback(marked)
        assert listed(MOVED) == [marked]

    def test_what_goes_back_meanwhile_is_not_kept(
        self, functions: Functions, stores: PaymentStores, marked: str, listed: Listed
    ) -> None:
        read = payment_of(functions, marked)
        functions.gateway.says(marked, amount=0)
        functions.callback(marked)
        assert not keep(read, stores, functions.clock.at)
        assert not reverse(read, stores, functions.clock.at)
        assert listed(MOVED) == [marked]

    def test_reversed_leaves_the_list(
        self, functions: Functions, stores: PaymentStores, marked: str, listed: Listed
    ) -> None:
        assert reverse(payment_of(functions, marked), stores, functions.clock.at)
        assert (status(functions, marked), listed(MOVED)) == ("refunded", [])
        assert functions.receipt(str(payment_of(functions, marked).receipt_no)).body["paid"] is False

    def test_nothing_is_kept_that_is_not_marked(self, functions: Functions, stores: PaymentStores, paid: str) -> None:
        with pytest.raises(ValueError, match="nothing is decided"):
            keep(payment_of(functions, paid), stores, functions.clock.at)


class TestARefundThatBounced:
    @pytest.fixture
    def refunded(self, functions: Functions, subjects: list[Violation], started: str) -> str:
        """The id of a payment that was given back by its gateway."""
        functions.violations.write([row(later(each, status=CANCELLED)) for each in subjects])
        functions.gateway.says(started)
        functions.callback(started)
        functions.clock.forward(minutes=3)
        functions.poll_gateways()
        assert status(functions, started) == "refunded"
        return started

    def test_is_listed_and_not_asked_for_again(
        self, functions: Functions, refunded: str, listed: Listed, capsys: pytest.CaptureFixture[str]
    ) -> None:
        functions.gateway.says(refunded)
        functions.callback(refunded)
        functions.clock.forward(minutes=3)
        asked = dict(functions.gateway.refunds)
        capsys.readouterr()
        functions.poll_gateways()
        assert metrics(capsys)["MoneyMovedAfterEnd"] == [1]
        assert (listed(MOVED), status(functions, refunded)) == ([refunded], "refunded")
        assert functions.gateway.refunds == asked

    def test_that_stands_after_all_leaves_the_list(self, functions: Functions, refunded: str, listed: Listed) -> None:
        for word in (OrderStatus.PAID, OrderStatus.REFUNDED):
            functions.gateway.says(refunded, word)
            functions.callback(refunded)
        assert listed(MOVED) == []

    def test_given_by_hand_is_over_for_good(
        self, functions: Functions, stores: PaymentStores, refunded: str, listed: Listed
    ) -> None:
        functions.gateway.says(refunded)
        functions.callback(refunded)
        assert give_back_bounced(payment_of(functions, refunded), stores, functions.clock.at)
        functions.callback(refunded)
        assert listed(MOVED) == []

    def test_what_only_an_operator_heard_of_is_no_bounce(
        self, functions: Functions, stores: PaymentStores, paid: str, listed: Listed
    ) -> None:
        reverse(payment_of(functions, paid), stores, functions.clock.at)
        functions.callback(paid)
        assert listed(MOVED) == []


class TestUnderReview:
    def test_it_takes_the_amount_that_is_said_now(self, functions: Functions, started: str) -> None:
        functions.gateway.says(started, amount=0)
        functions.callback(started)
        functions.gateway.says(started, amount=75_000)
        functions.clock.forward(minutes=3)
        functions.poll_gateways()
        reviewed = payment_of(functions, started)
        assert (reviewed.status, reviewed.received) == ("review", 75_000)

    def test_what_is_no_payment_leaves_the_amount(self, functions: Functions, started: str) -> None:
        functions.gateway.says(started, amount=80_000)
        functions.callback(started)
        functions.gateway.says(started, OrderStatus.REFUNDED, amount=0)
        functions.callback(started)
        assert payment_of(functions, started).received == 80_000
