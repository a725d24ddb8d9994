"""What an operator has given back of settled money: each violation once, each dinar once, and everybody is told."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pay.gateways import OrderStatus, UnknownError
from pay.payments.manual_refund import CLAIMED, OTHER_AMOUNT, REFUNDED, claim_manual_refund
from pay.payments.refund import OTHER_MONEY, complete_refund
from pay.payments.returning import differences, return_difference, return_lines, reverse
from pay.payments.settle import PaymentStores
from shared.domain.payment import Payment, Return
from shared.domain.violation import CANCELLED, Violation
from shared.stores.items import read_rows
from tests.support.build import OTHER_PLATE, later, row
from tests.support.functions import Functions
from tests.support.payment_requests import metrics, state, status

Read = Callable[[], Payment]


@pytest.fixture
def read(functions: Functions, started: str) -> Read:
    """Reads the payment of both violations."""

    def read() -> Payment:
        found = functions.payments.get(started)
        assert found is not None
        return found

    return read


@pytest.fixture(params=[False, True], ids=["amount stays", "amount shrinks"])
def paid(functions: Functions, started: str, request: pytest.FixtureRequest) -> str:
    """The id of a payment that was settled a month ago."""
    functions.gateway.shrinks = request.param
    functions.gateway.says(started)
    functions.callback(started)
    functions.clock.forward(days=30)
    return started


def polled(functions: Functions) -> None:
    functions.clock.forward(minutes=3)
    functions.poll_gateways()


def returns(functions: Functions, payment: Payment) -> list[tuple[int, str, str, int]]:
    return [(each.n, each.state, each.cause, each.amount) for each in functions.returns.of(payment)]


def entries(functions: Functions) -> list[tuple[str, list[tuple[str, int]]]]:
    """What the sectors are told: kinds with their violations and dinars."""
    found = sorted(functions.tables.items("Settlements"), key=lambda item: item["sk"]["S"], reverse=True)
    return [
        (item["sk"]["S"].partition("#")[0], [(number, amount) for number, amount, *_ in read_rows(item["shares"])])
        for item in found
    ]


def newest(functions: Functions, payment: Payment) -> Return:
    last = functions.returns.last(payment)
    assert last is not None
    return last


class TestLines:
    def test_one_goes_back_and_then_the_other(
        self, functions: Functions, stores: PaymentStores, subjects: list[Violation], paid: str, read: Read
    ) -> None:
        first, second = (each.violation_no for each in subjects)
        functions.violations.write([row(later(subjects[0], status=CANCELLED))])
        assert return_lines(read(), stores, functions.clock.at, [first])
        assert status(functions, paid) == "refund_due"
        assert functions.payment(paid).body["refund"] == {"amount": 50_000, "status": "due", "violations": [first]}
        assert [state(functions, each) for each in subjects] == ["cancelled", "paid"]
        receipt = functions.receipt(str(read().receipt_no)).body
        assert (receipt["paid"], receipt["amount"]) == (True, 25_000)
        polled(functions)
        assert (status(functions, paid), read().settled, read().given_back) == ("paid", 25_000, 50_000)

        assert return_lines(read(), stores, functions.clock.at, [second])
        assert functions.receipt(str(read().receipt_no)).body["paid"] is False
        polled(functions)
        assert (status(functions, paid), read().given_back) == ("refunded", 75_000)
        given = sorted(refund.amount for refund in functions.gateway.refunds.values())
        assert given == [25_000, 50_000]
        assert returns(functions, read()) == [
            (1, "given", "lines_returned", 50_000),
            (2, "given", "lines_returned", 25_000),
        ]
        assert entries(functions) == [
            ("settled", [(first, 50_000), (second, 25_000)]),
            ("reversed", [(second, 25_000)]),
            ("reversed", [(first, 50_000)]),
        ]
        functions.send_due()
        assert len([text for text in functions.phones.texts if "was returned to you" in text]) == 2

    def test_one_that_was_moved_is_owed_by_whose_it_is(
        self, functions: Functions, stores: PaymentStores, subjects: list[Violation], paid: str, read: Read
    ) -> None:
        functions.violations.write([row(later(subjects[0], plate_key=OTHER_PLATE.key))])
        assert return_lines(read(), stores, functions.clock.at, [subjects[0].violation_no])
        assert state(functions, subjects[0]) == "unpaid"

    def test_none_goes_back_twice(
        self, functions: Functions, stores: PaymentStores, subjects: list[Violation], paid: str, read: Read
    ) -> None:
        number, as_it_was = subjects[0].violation_no, read()
        assert return_lines(as_it_was, stores, functions.clock.at, [number, number])
        assert not return_lines(as_it_was, stores, functions.clock.at, [number])  # by another operator
        with pytest.raises(ValueError, match="gives nothing back just now"):
            return_lines(read(), stores, functions.clock.at, [subjects[1].violation_no])
        polled(functions)
        with pytest.raises(ValueError, match="not settled by it"):
            return_lines(read(), stores, functions.clock.at, [number])
        assert read().given_back == 50_000

    def test_only_what_it_has_settled(
        self, functions: Functions, stores: PaymentStores, subjects: list[Violation], started: str, read: Read
    ) -> None:
        with pytest.raises(ValueError, match="settled something"):
            return_lines(read(), stores, functions.clock.at, [subjects[0].violation_no])
        functions.violations.write([row(later(subjects[1], status=CANCELLED))])
        functions.gateway.says(started)
        functions.callback(started)
        polled(functions)
        for number in (subjects[1].violation_no, "another"):
            with pytest.raises(ValueError, match="not settled by it"):
                return_lines(read(), stores, functions.clock.at, [number])

    def test_none_of_money_that_the_gateway_says_is_back(
        self, functions: Functions, stores: PaymentStores, subjects: list[Violation], paid: str, read: Read
    ) -> None:
        functions.gateway.says(paid, OrderStatus.REFUNDED)
        functions.callback(paid)
        functions.violations.write([row(later(subjects[0], amount=10_000))])
        for decide in (return_lines, return_difference):
            with pytest.raises(ValueError, match="is back already"):
                decide(read(), stores, functions.clock.at, [subjects[0].violation_no])

    @pytest.mark.parametrize("there", [(OrderStatus.REFUNDED, 75_000), (OrderStatus.PAID, 60_000)])
    def test_the_gateway_is_not_asked_where_it_has_other_money(
        self,
        functions: Functions,
        stores: PaymentStores,
        subjects: list[Violation],
        paid: str,
        read: Read,
        there: tuple[str, int],
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """Its office is giving it back by itself, and we have not heard of it."""
        assert return_lines(read(), stores, functions.clock.at, [subjects[0].violation_no])
        functions.gateway.says(paid, there[0], amount=there[1])
        capsys.readouterr()
        polled(functions)
        assert functions.gateway.refunds == {}
        assert (newest(functions, read()).state, newest(functions, read()).refused) == ("refused", OTHER_MONEY)
        assert metrics(capsys)["RefundsStuck"] == [1]

    def test_a_silence_before_it_is_asked_leaves_it_to_be_asked_for(
        self, functions: Functions, stores: PaymentStores, subjects: list[Violation], paid: str, read: Read
    ) -> None:
        assert return_lines(read(), stores, functions.clock.at, [subjects[0].violation_no])
        functions.gateway.silence = UnknownError("ReadTimeoutError")
        polled(functions)
        assert newest(functions, read()).state == "due"
        functions.gateway.silence = None
        polled(functions)
        assert status(functions, paid) == "paid"


class TestDifferences:
    @pytest.fixture
    def cheaper(self, functions: Functions, subjects: list[Violation], paid: str) -> str:
        """The number of a violation that was 30,000 all the time, as is known now."""
        functions.violations.write([row(later(subjects[0], amount=30_000))])
        return subjects[0].violation_no

    def test_go_back_once_and_the_violation_stays_paid(
        self,
        functions: Functions,
        stores: PaymentStores,
        subjects: list[Violation],
        paid: str,
        cheaper: str,
        read: Read,
    ) -> None:
        assert differences(read(), stores) == ((cheaper, 20_000),)
        assert return_difference(read(), stores, functions.clock.at)
        assert (status(functions, paid), state(functions, subjects[0])) == ("refund_due", "paid")
        assert functions.payment(paid).body["refund"]["violations"] == [cheaper]
        polled(functions)
        assert (status(functions, paid), read().settled) == ("paid", 55_000)
        assert functions.receipt(str(read().receipt_no)).body["amount"] == 55_000
        assert functions.violations.get([cheaper])[cheaper].paid_amount == 30_000
        assert [refund.amount for refund in functions.gateway.refunds.values()] == [20_000]
        assert entries(functions)[1:] == [("reversed", [(cheaper, 20_000)])]
        with pytest.raises(ValueError, match="no price was higher"):
            return_difference(read(), stores, functions.clock.at)

    def test_the_rest_of_such_a_violation_may_go_back_too(
        self, functions: Functions, stores: PaymentStores, paid: str, cheaper: str, read: Read
    ) -> None:
        return_difference(read(), stores, functions.clock.at, [cheaper])
        polled(functions)
        assert return_lines(read(), stores, functions.clock.at, [cheaper])
        polled(functions)
        assert (status(functions, paid), read().settled, read().given_back) == ("paid", 25_000, 50_000)
        assert [share for kind, shares in entries(functions) if kind == "reversed" for share in shares] == [
            (cheaper, 30_000),
            (cheaper, 20_000),
        ]

    def test_what_became_dearer_has_none(
        self, functions: Functions, stores: PaymentStores, subjects: list[Violation], paid: str, read: Read
    ) -> None:
        functions.violations.write([row(later(subjects[0], amount=90_000))])
        with pytest.raises(ValueError, match="no price was higher"):
            return_difference(read(), stores, functions.clock.at)


class TestReversingSome:
    @pytest.fixture
    def marked(self, functions: Functions, paid: str) -> str:
        """The id of a payment of which 25,000 are back with the payer, as its gateway says."""
        functions.gateway.says(paid, amount=50_000)
        functions.callback(paid)
        return paid

    def test_they_are_owed_again_and_the_rest_stays_paid(
        self, functions: Functions, stores: PaymentStores, subjects: list[Violation], marked: str, read: Read
    ) -> None:
        assert reverse(read(), stores, functions.clock.at, [subjects[1].violation_no])
        assert [state(functions, each) for each in subjects] == ["paid", "unpaid"]
        assert (status(functions, marked), read().money_returned, read().settled) == ("paid", 0, 50_000)
        receipt = functions.receipt(str(read().receipt_no)).body
        assert (receipt["paid"], receipt["amount"], receipt["money_returned_since"]) == (True, 50_000, None)
        assert entries(functions)[1:] == [("reversed", [(subjects[1].violation_no, 25_000)])]
        functions.callback(marked)
        assert read().money_returned == 0
        polled(functions)
        assert functions.gateway.refunds == {}

    def test_no_more_of_them_than_is_back(
        self, functions: Functions, stores: PaymentStores, subjects: list[Violation], marked: str, read: Read
    ) -> None:
        with pytest.raises(ValueError, match="only 25,000 IQD are back"):
            reverse(read(), stores, functions.clock.at, [subjects[0].violation_no])
        assert [state(functions, each) for each in subjects] == ["paid"] * 2


class TestManually:
    """The gateway refused a part: what an operator may give, by what the gateway says it has."""

    @pytest.fixture
    def refused(
        self, functions: Functions, stores: PaymentStores, subjects: list[Violation], paid: str, read: Read
    ) -> Payment:
        """Of two returns the first was given by the gateway, and the second it refuses."""
        functions.violations.write([row(later(subjects[0], amount=30_000))])
        return_difference(read(), stores, functions.clock.at)
        polled(functions)
        return_lines(read(), stores, functions.clock.at, [subjects[1].violation_no])
        functions.gateway.says(paid, amount=1)
        polled(functions)
        functions.clock.forward(minutes=3)
        return read()

    @pytest.mark.parametrize("amount", [75_000, 55_000], ids=["stays", "shrank"])
    def test_what_it_should_have_may_be_given_manually(
        self, functions: Functions, stores: PaymentStores, refused: Payment, amount: int
    ) -> None:
        functions.gateway.says(refused.payment_id, amount=amount)
        at = functions.clock.at
        assert claim_manual_refund(refused, functions.gateway, stores, at, confirmed=False) == CLAIMED
        done = complete_refund(refused, newest(functions, refused), stores, at)
        assert (done.status, done.settled, done.given_back) == ("paid", 30_000, 45_000)

    @pytest.mark.parametrize(("confirmed", "outcome"), [(False, OTHER_AMOUNT), (True, CLAIMED)])
    def test_of_another_amount_nothing_may_unless_its_office_says_so(
        self, functions: Functions, stores: PaymentStores, refused: Payment, confirmed: bool, outcome: str
    ) -> None:
        functions.gateway.says(refused.payment_id, amount=54_000)
        at = functions.clock.at
        assert claim_manual_refund(refused, functions.gateway, stores, at, confirmed=confirmed) == outcome

    def test_what_is_less_by_it_has_been_given(
        self, functions: Functions, stores: PaymentStores, refused: Payment, read: Read
    ) -> None:
        functions.gateway.says(refused.payment_id, amount=30_000)
        at = functions.clock.at
        assert claim_manual_refund(refused, functions.gateway, stores, at, confirmed=True) == REFUNDED
        assert (read().status, newest(functions, refused).state) == ("paid", "given")
