"""Each gateway's own words: what it is sent, and what every status and error code of its documents means."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest

from pay.gateways import Closing, NotAskedError, OrderStatus, RefusedError, UnknownError, UnpayableError
from pay.gateways.client import Client
from pay.gateways.fib import _TOKENS as TOKENS
from pay.gateways.oauth import OAuth
from shared.domain.payment import WaysToPay
from tests.support.gateways.fib import FibStandIn
from tests.support.gateways.merchant import AMOUNT, Merchant
from tests.support.gateways.qicard import QiCardStandIn
from tests.support.gateways.stand_in import Fault, answers, lies, loses_its_answer, says
from tests.support.gateways.zaincash import ZainCashStandIn


def entered(name: str) -> Iterator[Merchant]:
    merchant = Merchant(name)
    with merchant.gateway:
        yield merchant


@pytest.fixture
def qicard() -> Iterator[Merchant]:
    yield from entered("qicard")


@pytest.fixture
def zaincash() -> Iterator[Merchant]:
    yield from entered("zaincash")


@pytest.fixture
def fib() -> Iterator[Merchant]:
    yield from entered("fib")


def changed(**changes: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda answer: {**answer, **changes}


class TestQiCard:
    @staticmethod
    def stand_in(merchant: Merchant) -> QiCardStandIn:
        assert isinstance(merchant.gateway, QiCardStandIn)
        return merchant.gateway

    @pytest.mark.parametrize(("language", "locale"), [("ar", "ar_IQ"), ("ckb", "ar_IQ"), ("en", "en_US")])
    def test_what_an_order_is_sent_as(self, qicard: Merchant, language: str, locale: str) -> None:
        order = qicard.order(language=language)
        qicard.adapter.order(order)
        (request,) = qicard.gateway.received
        assert (request.method, request.path) == ("POST", "/api/v1/payment")
        assert request.headers["x-terminal-id"] == "237984"
        assert request.json() == {
            "requestId": order.payment_id,
            "amount": AMOUNT,
            "currency": "IQD",
            "locale": locale,
            "finishPaymentUrl": order.return_url,
            "notificationUrl": order.callback_url,
            "additionalInfo": {"description": order.description},
        }

    @pytest.mark.parametrize("in_use", [(400, 1), (400, 10), (403, 5)])
    def test_a_reference_in_use_leads_to_its_order(self, qicard: Merchant, in_use: tuple[int, int]) -> None:
        self.stand_in(qicard).in_use = in_use
        order = qicard.order()
        first = qicard.adapter.order(order)
        assert qicard.adapter.order(order) == first
        assert list(self.stand_in(qicard).payments) == [first.gateway_id]

    def test_one_in_use_for_another_amount_is_not_taken_for_this_order(self, qicard: Merchant) -> None:
        order = qicard.order()
        qicard.adapter.order(order)
        with pytest.raises(UnknownError, match="another order"):
            qicard.adapter.order(order._replace(amount=AMOUNT + 1))

    def test_one_in_use_that_cannot_be_asked_about_is_unknown(self, qicard: Merchant) -> None:
        order = qicard.order()
        qicard.adapter.order(order)
        qicard.gateway.meets("/status/by/request", loses_its_answer)
        with pytest.raises(UnknownError):
            qicard.adapter.order(order)

    @pytest.mark.parametrize("code", [2, 4, 5, 9, 12, 21, 22, 26, 27, 28])
    @pytest.mark.parametrize("status", [400, 403])
    def test_an_error_of_its_own_refuses_an_order(self, qicard: Merchant, status: int, code: int) -> None:
        error = {"error": {"code": code, "message": "no"}}
        qicard.gateway.meets("/payment", answers(says(status, error)))
        with pytest.raises(RefusedError, match=f"^code_{code}$"):
            qicard.adapter.order(qicard.order())

    @pytest.mark.parametrize("code", [14, 20, 23, 24])
    def test_a_failure_of_its_own_system_leaves_it_unknown(self, qicard: Merchant, code: int) -> None:
        qicard.gateway.meets("/payment", answers(says(400, {"error": {"code": code}})))
        with pytest.raises(UnknownError, match=f"^code_{code}$"):
            qicard.adapter.order(qicard.order())

    def test_an_order_is_closed_when_it_can_be_however_often_that_was_refused(self, qicard: Merchant) -> None:
        order, gateway_id = qicard.placed()
        for status, said in (("AUTHENTICATION_STARTED", Closing.OPEN), ("FORM_SHOWED", Closing.CLOSED)):
            self.stand_in(qicard).payments[gateway_id].status = status
            assert qicard.adapter.close(order.payment_id, gateway_id) == said

    @pytest.mark.parametrize("missing", [(400, 2), (403, 2), (403, 12), (404, 12)])
    def test_what_is_not_there_is_said_in_two_ways(self, qicard: Merchant, missing: tuple[int, int]) -> None:
        self.stand_in(qicard).missing = missing
        payment_id = qicard.order().payment_id
        assert qicard.adapter.get_order(payment_id, None) is None
        assert qicard.adapter.close(payment_id, None) == Closing.CLOSED

    @pytest.mark.parametrize("code", [2, 12])
    def test_a_failing_server_does_not_know_what_is_there(self, qicard: Merchant, code: int) -> None:
        self.stand_in(qicard).missing = 500, code
        payment_id = qicard.order().payment_id
        with pytest.raises(UnknownError):
            qicard.adapter.get_order(payment_id, None)
        assert qicard.adapter.close(payment_id, None) == Closing.UNKNOWN

    @pytest.mark.parametrize(
        ("status", "state"),
        [
            ("CREATED", OrderStatus.UNPAID),
            ("FORM_SHOWED", OrderStatus.UNPAID),
            ("THREE_DS_METHOD_CALL_REQUIRED", OrderStatus.UNPAID),
            ("AUTHENTICATION_REQUIRED", OrderStatus.UNPAID),
            ("AUTHENTICATION_STARTED", OrderStatus.UNPAID),
            ("AUTHENTICATED", OrderStatus.UNPAID),
            ("INITIALIZED", OrderStatus.UNPAID),
            ("STARTED", OrderStatus.UNPAID),
            ("SUCCESS", OrderStatus.PAID),
            ("FAILED", OrderStatus.FAILED),
            ("AUTHENTICATION_FAILED", OrderStatus.FAILED),
            ("ERROR", OrderStatus.FAILED),
            ("EXPIRED", OrderStatus.EXPIRED),
        ],
    )
    def test_its_thirteen_statuses(self, qicard: Merchant, status: str, state: str) -> None:
        order, gateway_id = qicard.placed()
        self.stand_in(qicard).payments[gateway_id].status = status
        found = qicard.adapter.get_order(order.payment_id, gateway_id)
        assert found is not None
        assert (found.status, found.amount) == (state, AMOUNT)

    @pytest.mark.parametrize(
        ("how", "confirmed", "state"),
        [
            (None, 0, OrderStatus.FAILED),
            (None, None, OrderStatus.FAILED),
            ("paid", 0, OrderStatus.REFUNDED),
            ("failed", 0, OrderStatus.FAILED),
            ("expired", 0, OrderStatus.EXPIRED),
        ],
    )
    def test_what_canceled_makes_of_them(
        self, qicard: Merchant, how: str | None, confirmed: int | None, state: str
    ) -> None:
        _, gateway_id = qicard.placed(how)
        qicard.gateway.meets("/status", lies(changed(canceled=True, confirmedAmount=confirmed)))
        found = qicard.adapter.get_order(None, gateway_id)
        assert found is not None
        assert (found.status, found.amount) == (state, AMOUNT)

    @pytest.mark.parametrize("confirmed", [AMOUNT, 1, None])
    def test_one_that_is_paid_and_canceled_with_money_confirmed_is_unknown(
        self, qicard: Merchant, confirmed: int | None
    ) -> None:
        _, gateway_id = qicard.placed("paid")
        qicard.gateway.meets("/status", lies(changed(canceled=True, confirmedAmount=confirmed)))
        with pytest.raises(UnknownError, match="paid and canceled"):
            qicard.adapter.get_order(None, gateway_id)

    def test_what_was_paid_is_the_confirmed_amount(self, qicard: Merchant) -> None:
        _, gateway_id = qicard.placed("paid")
        qicard.gateway.meets("/status", *(lies(changed(confirmedAmount=amount)) for amount in (74_999, None)))
        for expected in (74_999, AMOUNT):
            found = qicard.adapter.get_order(None, gateway_id)
            assert found is not None
            assert (found.status, found.amount) == (OrderStatus.PAID, expected)

    def test_a_success_that_is_not_confirmed_waits(self, qicard: Merchant) -> None:
        _, gateway_id = qicard.placed("paid")
        qicard.gateway.meets("/status", lies(changed(confirmedAmount=0)))
        found = qicard.adapter.get_order(None, gateway_id)
        assert found is not None
        assert (found.status, found.amount) == (OrderStatus.UNPAID, AMOUNT)

    def test_a_refund_on_its_way_is_not_asked_for_again(self, qicard: Merchant) -> None:
        self.stand_in(qicard).next_refund = "PROCESSING"
        order, gateway_id = qicard.placed("paid")
        refund = qicard.refund_of(order, gateway_id)
        assert [qicard.adapter.refund(refund) for _ in range(3)] == [OrderStatus.REFUNDING] * 3
        qicard.gateway.finish_refund(gateway_id)
        assert qicard.adapter.refund(refund) == OrderStatus.REFUNDED

    def test_a_failed_refund_is_refused(self, qicard: Merchant) -> None:
        self.stand_in(qicard).next_refund = "FAILED"
        order, gateway_id = qicard.placed("paid")
        with pytest.raises(RefusedError, match="refund_failed"):
            qicard.adapter.refund(qicard.refund_of(order, gateway_id))

    @pytest.mark.parametrize("changes", [{"amount": 1}, {"paymentId": "another"}])
    def test_another_refunds_answer_is_none(self, qicard: Merchant, changes: dict[str, Any]) -> None:
        order, gateway_id = qicard.placed("paid")
        qicard.gateway.meets("/refund", lies(changed(**changes)))
        with pytest.raises(UnknownError, match="another refund"):
            qicard.adapter.refund(qicard.refund_of(order, gateway_id))


class TestZainCash:
    @staticmethod
    def stand_in(merchant: Merchant) -> ZainCashStandIn:
        assert isinstance(merchant.gateway, ZainCashStandIn)
        return merchant.gateway

    @pytest.mark.parametrize(("language", "said"), [("ar", "ar"), ("ckb", "ku"), ("en", "en")])
    def test_what_an_order_is_sent_as(self, zaincash: Merchant, language: str, said: str) -> None:
        order = zaincash.order(language=language)
        zaincash.adapter.order(order)
        token, request = zaincash.gateway.received
        assert token.headers["content-type"] == "application/x-www-form-urlencoded"
        assert b"scope=payment%3Aread+payment%3Awrite" in token.body
        assert request.json() == {
            "language": said,
            "externalReferenceId": str(UUID(order.payment_id)),
            "orderId": order.payment_id,
            "serviceType": "Government",
            "amount": {"value": "75000", "currency": "IQD"},
            "redirectUrls": {"successUrl": order.callback_url, "failureUrl": order.callback_url},
        }

    def test_a_reference_in_use_leads_to_its_transaction(self, zaincash: Merchant) -> None:
        order = zaincash.order()
        first = zaincash.adapter.order(order)
        zaincash.gateway.meets("/inquiry", lies(changed(redirectUrl=first.redirect_url)))
        assert zaincash.adapter.order(order) == first
        assert list(self.stand_in(zaincash).transactions) == [first.gateway_id]

    def test_one_in_use_whose_page_is_not_told_is_unknown(self, zaincash: Merchant) -> None:
        order = zaincash.order()
        zaincash.adapter.order(order)
        with pytest.raises(UnknownError, match="not understood"):
            zaincash.adapter.order(order)

    @pytest.mark.parametrize(
        ("status", "state"),
        [
            ("PENDING", OrderStatus.UNPAID),
            ("OTP_SENT", OrderStatus.UNPAID),
            ("CUSTOMER_AUTHENTICATION_REQUIRED", OrderStatus.UNPAID),
            ("SUCCESS", OrderStatus.PAID),
            ("FAILED", OrderStatus.FAILED),
            ("EXPIRED", OrderStatus.EXPIRED),
            ("REFUNDED", OrderStatus.REFUNDED),
        ],
    )
    def test_its_seven_statuses(self, zaincash: Merchant, status: str, state: str) -> None:
        order, gateway_id = zaincash.placed()
        self.stand_in(zaincash).transactions[gateway_id].status = status
        found = zaincash.adapter.get_order(order.payment_id, gateway_id)
        assert found is not None
        assert (found.payment_id, found.status) == (order.payment_id, state)

    @pytest.mark.parametrize(
        "wrapped",
        [
            lambda entries: entries,
            lambda entries: {"reversals": entries},
            lambda entries: {"status": "OK", "data": entries, "page": 0},
            lambda entries: {"content": [{**entry, "transaction": {"id": entry["referenceId"]}} for entry in entries]},
        ],
    )
    def test_a_reversal_is_found_however_the_list_is_wrapped(
        self, zaincash: Merchant, wrapped: Callable[[list[Any]], Any]
    ) -> None:
        order, gateway_id = zaincash.placed("paid")
        entries = [
            {"status": "COMPLETED", "referenceId": "another"},
            {"status": "COMPLETED", "referenceId": gateway_id},
        ]
        zaincash.gateway.meets("/reversals", answers(says(200, wrapped(entries))))
        assert zaincash.adapter.refund(zaincash.refund_of(order, gateway_id)) == OrderStatus.REFUNDED
        assert zaincash.gateway.asked("/reverse") == []

    @pytest.mark.parametrize(
        "said",
        [
            {},
            {"a": [], "b": []},
            [{"status": "ODD", "referenceId": "{}"}],
            [{"referenceId": "{}"}],
            ["{}"],
            [{"status": "FAILED"}, 5],
        ],
    )
    def test_a_list_that_is_not_understood_reverses_nothing(self, zaincash: Merchant, said: Any) -> None:
        order, gateway_id = zaincash.placed("paid")
        body = says(200, said)
        named = body._replace(
            body=body.body.replace(b"{}", gateway_id.encode()) if isinstance(said, list) else body.body
        )
        zaincash.gateway.meets("/reversals", answers(named))
        with pytest.raises(UnknownError):
            zaincash.adapter.refund(zaincash.refund_of(order, gateway_id))
        assert zaincash.gateway.given_back(gateway_id) == 0

    def test_a_list_that_has_more_than_it_shows_proves_nothing(self, zaincash: Merchant) -> None:
        order, gateway_id = zaincash.placed("paid")
        others = [{"status": "COMPLETED", "transactionId": f"another {number}"} for number in range(45)]
        self.stand_in(zaincash).reversals = [*others]
        with pytest.raises(UnknownError, match="more than it shows"):
            zaincash.adapter.refund(zaincash.refund_of(order, gateway_id))
        assert zaincash.gateway.given_back(gateway_id) == 0

    @pytest.mark.parametrize(
        "more",
        [
            {"totalElements": 45, "totalPages": 3},
            {"totalPages": 2},
            {"total": 1},
            {"count": 7},
            {"page": {"size": 20, "number": 0, "totalElements": 1}},
            {"pageable": {"pageNumber": 2}},
            {"last": False},
            {"hasNext": True},
            {"hasMore": True},
            {"next": "/reversals?page=2"},
            {"nextPage": 2},
            {"size": 0},
            {"totalElements": "many"},
        ],
    )
    def test_however_it_says_so(self, zaincash: Merchant, more: dict[str, Any]) -> None:
        order, gateway_id = zaincash.placed("paid")
        zaincash.gateway.meets("/reversals", answers(says(200, {"content": [], **more})))
        with pytest.raises(UnknownError, match="more than it shows"):
            zaincash.adapter.refund(zaincash.refund_of(order, gateway_id))
        assert zaincash.gateway.given_back(gateway_id) == 0

    @pytest.mark.parametrize(
        "whole",
        [
            {"totalElements": 0, "totalPages": 0, "number": 0, "size": 20, "last": True, "numberOfElements": 0},
            {"page": {"size": 20, "number": 0, "totalElements": 0, "totalPages": 0}},
            {"pageable": {"pageNumber": 0, "offset": 0}, "hasNext": False, "next": None, "empty": True},
        ],
    )
    def test_an_empty_list_that_is_whole_says_never(self, zaincash: Merchant, whole: dict[str, Any]) -> None:
        order, gateway_id = zaincash.placed("paid")
        zaincash.gateway.meets("/reversals", answers(says(200, {"content": [], **whole})))
        assert zaincash.adapter.refund(zaincash.refund_of(order, gateway_id)) == OrderStatus.REFUNDED
        assert zaincash.gateway.given_back(gateway_id) == AMOUNT

    def test_a_reversal_on_the_first_of_several_pages_is_one(self, zaincash: Merchant) -> None:
        order, gateway_id = zaincash.placed("paid")
        entries = [{"status": "COMPLETED", "transactionId": gateway_id}]
        zaincash.gateway.meets("/reversals", answers(says(200, {"content": entries, "totalElements": 45})))
        assert zaincash.adapter.refund(zaincash.refund_of(order, gateway_id)) == OrderStatus.REFUNDED
        assert zaincash.gateway.given_back(gateway_id) == 0

    def test_an_entry_is_found_by_its_fields_and_not_by_what_it_happens_to_hold(self, zaincash: Merchant) -> None:
        order, gateway_id = zaincash.placed("paid")
        another = {"status": "COMPLETED", "transactionId": "another", "reason": f"not {gateway_id}", gateway_id: 1}
        zaincash.gateway.meets("/reversals", answers(says(200, {"content": [another]})))
        assert zaincash.adapter.refund(zaincash.refund_of(order, gateway_id)) == OrderStatus.REFUNDED
        assert zaincash.gateway.given_back(gateway_id) == AMOUNT

    def test_by_our_own_id_too(self, zaincash: Merchant) -> None:
        order, gateway_id = zaincash.placed("paid")
        refund = zaincash.refund_of(order, gateway_id)
        for ours in (order.payment_id, str(UUID(order.payment_id))):
            entries = [{"status": "PENDING", "of": {"reference": ours}}]
            zaincash.gateway.meets("/reversals", answers(says(200, entries)))
            assert zaincash.adapter.refund(refund) == OrderStatus.REFUNDING
        assert zaincash.gateway.given_back(gateway_id) == 0

    @pytest.mark.parametrize(
        "entry",
        [{"id": "77"}, {"note": "reversal of {}"}, {"referenceId": "77", "operationId": "78"}, {"transaction": "5"}],
    )
    def test_an_entry_that_does_not_say_what_it_is_of_proves_nothing(
        self, zaincash: Merchant, entry: dict[str, Any]
    ) -> None:
        order, gateway_id = zaincash.placed("paid")
        entries = [{"status": "COMPLETED", **{name: f"{value}".format(gateway_id) for name, value in entry.items()}}]
        zaincash.gateway.meets("/reversals", answers(says(200, {"content": entries})))
        with pytest.raises(UnknownError, match="does not say what it is of"):
            zaincash.adapter.refund(zaincash.refund_of(order, gateway_id))
        assert zaincash.gateway.given_back(gateway_id) == 0

    def test_what_was_asked_for_before_is_only_looked_for(self, zaincash: Merchant) -> None:
        stand_in = self.stand_in(zaincash)
        order, gateway_id = zaincash.placed("paid")
        refund = zaincash.refund_of(order, gateway_id)
        zaincash.gateway.meets("/reverse", loses_its_answer)
        with pytest.raises(UnknownError):
            zaincash.adapter.refund(refund)
        again, stand_in.lag = refund._replace(asked_before=True), 1
        with pytest.raises(UnknownError, match="asked for before"):
            zaincash.adapter.refund(again)
        stand_in.lag = 0
        assert zaincash.adapter.refund(again) == OrderStatus.REFUNDED
        assert zaincash.gateway.given_back(gateway_id) == AMOUNT

    @pytest.mark.parametrize("path", ["/inquiry", "/reversals"])
    def test_where_it_cannot_look_it_has_not_asked(self, zaincash: Merchant, path: str) -> None:
        order, gateway_id = zaincash.placed("paid")
        zaincash.gateway.meets(path, loses_its_answer)
        with pytest.raises(NotAskedError):
            zaincash.adapter.refund(zaincash.refund_of(order, gateway_id))
        assert zaincash.gateway.given_back(gateway_id) == 0

    def test_a_reversal_that_failed_is_refused_and_may_be_tried_again(self, zaincash: Merchant) -> None:
        self.stand_in(zaincash).next_reversal = "FAILED"
        order, gateway_id = zaincash.placed("paid")
        refund = zaincash.refund_of(order, gateway_id)
        with pytest.raises(RefusedError, match="refund_failed"):
            zaincash.adapter.refund(refund)
        self.stand_in(zaincash).next_reversal = "COMPLETED"
        assert zaincash.adapter.refund(refund) == OrderStatus.REFUNDED
        assert zaincash.gateway.given_back(gateway_id) == AMOUNT

    def test_one_on_its_way_is_not_asked_for_again(self, zaincash: Merchant) -> None:
        self.stand_in(zaincash).next_reversal = "PENDING"
        order, gateway_id = zaincash.placed("paid")
        refund = zaincash.refund_of(order, gateway_id)
        assert [zaincash.adapter.refund(refund) for _ in range(3)] == [OrderStatus.REFUNDING] * 3
        assert zaincash.gateway.given_back(gateway_id) == AMOUNT

    def test_payments_do_not_hang_on_the_leave_to_reverse(self, zaincash: Merchant) -> None:
        order, gateway_id = zaincash.placed("paid")
        zaincash.gateway.meets("/oauth2/token", *[answers(says(400, {"error": "invalid_scope"}))] * 2)
        with pytest.raises(UnknownError, match="no token"):
            zaincash.adapter.refund(zaincash.refund_of(order, gateway_id))
        assert zaincash.adapter.order(zaincash.order())


class TestFib:
    @staticmethod
    def stand_in(merchant: Merchant) -> FibStandIn:
        assert isinstance(merchant.gateway, FibStandIn)
        return merchant.gateway

    def test_what_an_order_is_sent_as(self, fib: Merchant) -> None:
        order = fib.order(description="مخالفات مرورية " * 10)
        fib.adapter.order(order)
        body = fib.gateway.received[1].json()
        address = body.pop("statusCallbackUrl")
        assert address.startswith(f"{order.callback_url}?payment={order.payment_id}&proof=")
        assert body == {
            "monetaryValue": {"amount": AMOUNT, "currency": "IQD"},
            "description": order.description[:50],
            "redirectUri": order.return_url,
            "expiresIn": "PT15M",
            "refundableFor": "P7D",
            "category": "GOVERNMENT",
        }

    @pytest.mark.parametrize(
        ("status", "reason", "state"),
        [
            ("UNPAID", None, OrderStatus.UNPAID),
            ("PAID", None, OrderStatus.PAID),
            ("DECLINED", "PAYMENT_EXPIRATION", OrderStatus.EXPIRED),
            ("DECLINED", "PAYMENT_CANCELLATION", OrderStatus.FAILED),
            ("DECLINED", "SERVER_FAILURE", OrderStatus.FAILED),
            ("DECLINED", None, OrderStatus.FAILED),
            ("REFUND_REQUESTED", None, OrderStatus.REFUNDING),
            ("REFUNDED", None, OrderStatus.REFUNDED),
        ],
    )
    def test_its_five_statuses(self, fib: Merchant, status: str, reason: str | None, state: str) -> None:
        order, gateway_id = fib.placed()
        payment = self.stand_in(fib).payments[gateway_id]
        payment.status, payment.reason = status, reason
        found = fib.adapter.get_order(order.payment_id, gateway_id)
        assert found is not None
        assert (found.payment_id, found.status) == (None, state)

    def test_an_amount_in_text_with_decimals_is_the_same(self, fib: Merchant) -> None:
        order, gateway_id = fib.placed()
        fib.gateway.meets("/status", lies(changed(amount={"amount": "75000.00", "currency": "IQD"})))
        found = fib.adapter.get_order(order.payment_id, gateway_id)
        assert found is not None
        assert found.amount == AMOUNT

    def test_an_app_on_another_phone_or_of_a_business_can_pay_it_too(self, fib: Merchant) -> None:
        page = fib.adapter.order(fib.order())
        assert page.ways is not None
        assert (page.ways.qr or "").startswith("data:image/png;base64,")
        assert page.ways.code == "ABCD-EFGH"
        assert page.ways.links == {
            whose: f"{fib.gateway.url}/{whose}/{page.gateway_id}" for whose in ("personal", "business", "corporate")
        }
        assert page.redirect_url == page.ways.links["personal"]

    @pytest.mark.parametrize("none", [None, 5, "", "javascript:alert(1)", "data:text/html;base64,AAAA", "x" * 100])
    def test_what_is_no_picture_code_or_link_is_left_out(self, fib: Merchant, none: object) -> None:
        odd = {"qrCode": none, "readableCode": [none], "businessAppLink": none, "corporateAppLink": none}
        fib.gateway.meets("/payments", lies(changed(**odd)))
        page = fib.adapter.order(fib.order())
        assert page.ways == WaysToPay(None, None, {"personal": page.redirect_url})

    @pytest.mark.parametrize("fault", [loses_its_answer, answers(says(500, {})), lies(lambda answer: {})])
    def test_nobody_can_pay_an_order_whose_answer_is_lost(self, fib: Merchant, fault: Fault) -> None:
        fib.gateway.meets("/payments", fault)
        with pytest.raises(UnpayableError):
            fib.adapter.order(fib.order())
        with pytest.raises(UnpayableError):
            fib.adapter.get_order(fib.order().payment_id, None)

    def test_its_official_clients_leave_out_what_is_optional(self, fib: Merchant) -> None:
        """The stand-in takes what FIB's own SDKs send."""
        exchange = OAuth(Client(fib.gateway.url), TOKENS, lambda: fib.keys)
        money = {"amount": AMOUNT, "currency": "IQD"}
        least: dict[str, Any] = {"monetaryValue": money, "statusCallbackUrl": "https://shop.example/fib"}
        for more in ({}, {"expiresIn": "P7D"}, {"description": "a chair", "category": "ERP"}):
            assert exchange("POST", "/protected/v1/payments", {**least, **more}).status == 201

    def test_a_refund_asked_for_by_hand_counts_too(self, fib: Merchant) -> None:
        order, gateway_id = fib.placed("paid")
        self.stand_in(fib).payments[gateway_id].status = "REFUNDED"
        assert fib.adapter.refund(fib.refund_of(order, gateway_id)) == OrderStatus.REFUNDED
        assert fib.gateway.asked("/refund") == []
