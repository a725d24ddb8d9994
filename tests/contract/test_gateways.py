"""One contract for every gateway: orders, standings, closing, giving back, callbacks and keys, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from pay import ports
from pay.gateways import (
    CallbackError,
    Closing,
    Delivery,
    Keys,
    Notice,
    Order,
    OrderStatus,
    RefusedError,
    UnaskableError,
    UnknownError,
)
from tests.support.gateways.merchant import AMOUNT, GATEWAYS, Merchant
from tests.support.gateways.stand_in import loses_its_answer

KEEPS_OUR_ID = {"qicard", "zaincash", "sandbox"}
ASKED_BY_OUR_ID = {"qicard", "sandbox"}
GIVES_BACK_PARTS = {"qicard", "sandbox"}
CLOSES = {"qicard", "fib", "sandbox"}


@pytest.fixture(params=GATEWAYS)
def merchant(request: pytest.FixtureRequest) -> Iterator[Merchant]:
    merchant = Merchant(request.param)
    with merchant.gateway:
        yield merchant


def test_every_gateway_that_can_be_opened_is_held_to_it() -> None:
    assert set(GATEWAYS) == set(ports._GATEWAYS)


def now() -> datetime:
    return datetime.now(UTC)


def told(merchant: Merchant, payment_id: str, gateway_id: str, state: str) -> Order:
    return Order(payment_id if merchant.name in KEEPS_OUR_ID else None, gateway_id, state, AMOUNT, "IQD")


class TestOrders:
    @pytest.mark.parametrize("language", ["ar", "ckb", "en"])
    def test_an_order_is_placed_and_has_a_page(self, merchant: Merchant, language: str) -> None:
        page = merchant.adapter.order(merchant.order(language=language))
        assert page.gateway_id
        assert page.redirect_url.startswith(merchant.gateway.url)
        assert page.gateway_id in page.redirect_url

    @pytest.mark.parametrize(
        ("how", "state"),
        [
            (None, OrderStatus.UNPAID),
            ("paid", OrderStatus.PAID),
            ("failed", OrderStatus.FAILED),
            ("expired", OrderStatus.EXPIRED),
        ],
    )
    def test_how_it_stands_is_told(self, merchant: Merchant, how: str | None, state: str) -> None:
        order, gateway_id = merchant.placed(how)
        expected = told(merchant, order.payment_id, gateway_id, state)
        assert merchant.adapter.get_order(order.payment_id, gateway_id) == expected
        assert merchant.adapter.get_order(None, gateway_id) == expected

    def test_by_our_own_id_where_the_gateway_keeps_it_for_that(self, merchant: Merchant) -> None:
        order, gateway_id = merchant.placed()
        if merchant.name in ASKED_BY_OUR_ID:
            assert merchant.adapter.get_order(order.payment_id, None) == told(
                merchant, order.payment_id, gateway_id, OrderStatus.UNPAID
            )
        else:
            with pytest.raises(UnaskableError):
                merchant.adapter.get_order(order.payment_id, None)

    def test_an_order_whose_answer_is_lost_is_not_sent_again_and_its_callback_leads_to_it(
        self, merchant: Merchant
    ) -> None:
        order = merchant.order()
        merchant.gateway.meets(merchant.gateway.order_path, loses_its_answer)
        with pytest.raises(UnknownError):
            merchant.adapter.order(order)
        assert len(merchant.gateway.asked(merchant.gateway.order_path)) == 1
        (gateway_id,) = merchant.gateway.ids()
        merchant.gateway.ends(gateway_id, "paid")
        notice = merchant.adapter.callback(merchant.gateway.owed[-1].delivery(), now())
        assert notice.gateway_id == gateway_id
        found = merchant.adapter.get_order(notice.payment_id, notice.gateway_id)
        assert found == told(merchant, order.payment_id, gateway_id, OrderStatus.PAID)

    def test_an_order_that_the_gateway_does_not_know(self, merchant: Merchant) -> None:
        """Where the documents do not say how it is told it is no answer, and nothing may be concluded from it."""
        if merchant.name in ASKED_BY_OUR_ID:
            assert merchant.adapter.get_order(merchant.order().payment_id, None) is None
        else:
            with pytest.raises(UnknownError):
                merchant.adapter.get_order(merchant.order().payment_id, "00000000-0000-0000-0000-000000000000")


class TestClosing:
    def test_an_unpaid_order_is_closed_where_the_gateway_can(self, merchant: Merchant) -> None:
        order, gateway_id = merchant.placed()
        said = merchant.adapter.close(order.payment_id, gateway_id)
        assert said == (Closing.CLOSED if merchant.name in CLOSES else Closing.OPEN)
        found = merchant.adapter.get_order(None, gateway_id)
        assert found == told(
            merchant,
            order.payment_id,
            gateway_id,
            OrderStatus.FAILED if merchant.name in CLOSES else OrderStatus.UNPAID,
        )

    def test_a_paid_one_stays_paid(self, merchant: Merchant) -> None:
        order, gateway_id = merchant.placed("paid")
        assert merchant.adapter.close(order.payment_id, gateway_id) == Closing.OPEN
        assert merchant.adapter.get_order(None, gateway_id) == told(
            merchant, order.payment_id, gateway_id, OrderStatus.PAID
        )

    @pytest.mark.parametrize("merchant", ["qicard", "zaincash", "fib"], indirect=True)
    def test_one_whose_customer_is_in_the_midst_of_paying_stays_open(self, merchant: Merchant) -> None:
        order, gateway_id = merchant.placed()
        merchant.gateway.begins(gateway_id)
        assert [merchant.adapter.close(order.payment_id, gateway_id) for _ in "12"] == [Closing.OPEN] * 2
        assert merchant.adapter.get_order(None, gateway_id) == told(
            merchant, order.payment_id, gateway_id, OrderStatus.UNPAID
        )

    def test_one_that_never_came_to_be_nobody_can_pay(self, merchant: Merchant) -> None:
        said = merchant.adapter.close(merchant.order().payment_id, None)
        assert said == (Closing.CLOSED if merchant.name in CLOSES else Closing.OPEN)


class TestGivingBack:
    def test_all_of_it_once_however_often_it_is_asked(self, merchant: Merchant) -> None:
        order, gateway_id = merchant.placed("paid")
        refund = merchant.refund_of(order, gateway_id)
        first = merchant.adapter.refund(refund)
        assert first in (OrderStatus.REFUNDING, OrderStatus.REFUNDED)
        assert merchant.adapter.refund(refund) == first
        assert merchant.gateway.given_back(gateway_id) == AMOUNT
        merchant.gateway.finish_refund(gateway_id)
        assert merchant.adapter.refund(refund) == OrderStatus.REFUNDED
        assert merchant.gateway.given_back(gateway_id) == AMOUNT
        assert merchant.adapter.get_order(None, gateway_id) == told(
            merchant, order.payment_id, gateway_id, OrderStatus.REFUNDED
        )

    def test_once_when_the_answer_is_lost(self, merchant: Merchant) -> None:
        order, gateway_id = merchant.placed("paid")
        refund = merchant.refund_of(order, gateway_id)
        merchant.gateway.meets(merchant.gateway.refund_path, loses_its_answer)
        with pytest.raises(UnknownError):
            merchant.adapter.refund(refund)
        assert merchant.adapter.refund(refund) in (OrderStatus.REFUNDING, OrderStatus.REFUNDED)
        assert merchant.gateway.given_back(gateway_id) == AMOUNT

    @pytest.mark.parametrize("how", [None, "failed", "expired"])
    def test_not_what_was_never_paid(self, merchant: Merchant, how: str | None) -> None:
        order, gateway_id = merchant.placed(how)
        with pytest.raises(RefusedError):
            merchant.adapter.refund(merchant.refund_of(order, gateway_id))
        assert merchant.gateway.given_back(gateway_id) == 0

    def test_a_part_where_the_gateway_gives_back_parts(self, merchant: Merchant) -> None:
        order, gateway_id = merchant.placed("paid")
        part = merchant.refund_of(order, gateway_id, amount=25_000)
        if merchant.name in GIVES_BACK_PARTS:
            assert merchant.adapter.refund(part) == OrderStatus.REFUNDED
            assert merchant.gateway.given_back(gateway_id) == 25_000
        else:
            with pytest.raises(RefusedError, match="only_all"):
                merchant.adapter.refund(part)
            assert merchant.gateway.given_back(gateway_id) == 0


class TestCallbacks:
    @pytest.mark.parametrize("how", ["paid", "failed", "expired"])
    def test_a_genuine_one_says_whom_it_is_about(self, merchant: Merchant, how: str) -> None:
        order, gateway_id = merchant.placed(how)
        notice = merchant.adapter.callback(merchant.gateway.owed[-1].delivery(), now())
        assert notice == Notice(None if merchant.name == "qicard" else order.payment_id, gateway_id, notice.event)

    @pytest.mark.parametrize("merchant", ["qicard", "zaincash", "fib"], indirect=True)
    def test_a_repeat_is_the_same_event_and_another_is_not(self, merchant: Merchant) -> None:
        _, gateway_id = merchant.placed("failed")
        merchant.gateway.ends(gateway_id, "paid")
        notices = [merchant.adapter.callback(post.delivery(), now()) for post in merchant.gateway.owed for _ in "12"]
        assert notices[0] == notices[1]
        assert notices[-1] == notices[-2]
        assert notices[0].event != notices[-1].event

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"[]",
            b"null",
            b"\xff",
            b'{"id": "' + b"x" * 65 + b'", "status": "PAID"}',
            b'{"webhook_token": 5}',
            b'{"webhook_token": "' + b"x" * 9000 + b'"}',
            b'{"paymentId": "p", "amount": NaN, "status": "SUCCESS"}',
            b'{"paymentId": "p", "amount": 1e999999, "status": "SUCCESS"}',
            b'{"paymentId": 5, "amount": "5", "status": true}',
            b"{}" + b" " * 60_000,
        ],
    )
    def test_a_body_that_is_none_is_refused(self, merchant: Merchant, body: bytes) -> None:
        merchant.placed("paid")
        genuine = merchant.gateway.owed[-1].delivery()
        query = {} if merchant.name == "zaincash" else genuine.query
        with pytest.raises(CallbackError):
            merchant.adapter.callback(Delivery(genuine.headers, query, body), now())

    def test_without_any_proof_it_is_refused(self, merchant: Merchant) -> None:
        merchant.placed("paid")
        genuine = merchant.gateway.owed[-1].delivery()
        with pytest.raises(CallbackError, match=r"^no (signature|token|proof)$"):
            merchant.adapter.callback(Delivery({}, {}, genuine.body), now())

    def test_of_another_merchant_it_is_refused(self, merchant: Merchant) -> None:
        other = Merchant(merchant.name)
        other.gateway.changes_keys()
        with other.gateway:
            other.adapter = merchant.adapter.__class__(other.gateway.base, lambda: Keys(other.gateway.keys()))
            other.placed("paid")
            foreign = other.gateway.owed[-1].delivery()
            assert other.adapter.callback(foreign, now())
        with pytest.raises(CallbackError, match=r"^bad (signature|proof)$"):
            merchant.adapter.callback(foreign, now())


class TestChangeOfKeys:
    def test_the_gateway_changes_over_before_us(self, merchant: Merchant) -> None:
        before = merchant.keys.current
        merchant.gateway.changes_keys()
        with pytest.raises(RefusedError):
            merchant.adapter.order(merchant.order())
        merchant.keys = Keys(merchant.gateway.keys(), before)
        assert merchant.adapter.order(merchant.order())

    def test_the_gateway_changes_over_after_us(self, merchant: Merchant) -> None:
        before = merchant.keys.current
        new = {**before, **dict.fromkeys(("username", "password", "client_id", "client_secret", "api_key"), "not yet")}
        merchant.keys = Keys(new, before)
        order, gateway_id = merchant.placed("paid")
        assert merchant.adapter.get_order(order.payment_id, gateway_id)

    def test_callbacks_under_either_are_genuine_and_under_the_ones_before_no_more(self, merchant: Merchant) -> None:
        merchant.placed("paid")
        old = merchant.gateway.owed[-1].delivery()
        before = merchant.keys.current
        merchant.gateway.changes_keys()
        merchant.keys = Keys(merchant.gateway.keys(), before)
        merchant.placed("paid")
        new = merchant.gateway.owed[-1].delivery()
        assert merchant.adapter.callback(old, now())
        assert merchant.adapter.callback(new, now())
        merchant.keys = Keys(merchant.gateway.keys())
        assert merchant.adapter.callback(new, now())
        with pytest.raises(CallbackError, match=r"^bad (signature|proof)$"):
            merchant.adapter.callback(old, now())

    def test_a_first_value_that_holds_nothing_is_passed_over(self, merchant: Merchant) -> None:
        merchant.keys = merchant.keys._replace(previous={"placeholder": "x"})
        merchant.placed("paid")
        assert merchant.adapter.callback(merchant.gateway.owed[-1].delivery(), now())
