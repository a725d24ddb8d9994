"""Gateways that are slow, fail or lie: nothing is concluded from what is no answer, and nothing is sent twice."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pay.gateways import Closing, Gateway, Keys, NotAskedError, ReadKeys, RefusedError, UnknownError
from pay.gateways import client as exchanges
from pay.gateways.client import Client, dinars
from pay.gateways.oauth import OAuth
from tests.support import fault_server
from tests.support.authority import Authority
from tests.support.fault_server import FaultServer
from tests.support.gateways.merchant import AMOUNT, GATEWAYS, Merchant
from tests.support.gateways.stand_in import (
    PAGE,
    Fault,
    Reply,
    answers,
    breaks_off,
    drips,
    fails_after,
    floods,
    hangs_up,
    lies,
    loses_its_answer,
    says,
    stays_silent,
    truncates,
)

NO_ANSWER: dict[str, Fault] = {
    "500": answers(says(500, {"message": "oops"})),
    "500 page": answers(PAGE._replace(status=500)),
    "502 empty": answers(Reply(502)),
    "200 page": answers(PAGE),
    "403 page": answers(PAGE._replace(status=403)),
    "404 page": answers(PAGE._replace(status=404)),
    "200 empty": answers(Reply(200)),
    "a redirect": answers(Reply(307, location="/elsewhere")),
    "another shape": answers(says(200, {})),
    "a list": answers(says(200, [])),
    "a number": answers(says(200, 5)),
    "not a number": answers(Reply(200, b'{"amount": NaN}')),
    "no number that is borne": answers(Reply(200, b'{"amount": 1e99999999999999999999}')),
    "hangs up": hangs_up,
    "does it and hangs up": loses_its_answer,
    "breaks off": breaks_off,
    "truncated JSON": truncates,
    "too much": floods,
}
SLOW: dict[str, Fault] = {"silent": stays_silent, "a byte at a time": drips}
no_answer = pytest.mark.parametrize("fault", [pytest.param(fault, id=name) for name, fault in NO_ANSWER.items()])
slow = pytest.mark.parametrize("fault", [pytest.param(fault, id=name) for name, fault in SLOW.items()])


@pytest.fixture(params=GATEWAYS)
def merchant(request: pytest.FixtureRequest) -> Iterator[Merchant]:
    merchant = Merchant(request.param)
    with merchant.gateway:
        yield merchant


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch, merchant: Merchant) -> Merchant:
    """Waits a second where it would wait six."""
    monkeypatch.setattr(exchanges, "READ_TIMEOUT", 1.0)
    merchant.adapter = adapter_of(merchant, merchant.gateway.base)
    return merchant


def assert_order_unknown(merchant: Merchant, fault: Fault) -> None:
    merchant.adapter.get_order(*ids(merchant))  # it has a token now, where it needs one
    before = len(merchant.gateway.asked(merchant.gateway.order_path))
    merchant.gateway.meets(merchant.gateway.order_path, fault)
    with pytest.raises(UnknownError):
        merchant.adapter.order(merchant.order())
    assert len(merchant.gateway.asked(merchant.gateway.order_path)) == before + 1


def ids(merchant: Merchant) -> tuple[str, str]:
    order, gateway_id = merchant.placed()
    return order.payment_id, gateway_id


class TestOrders:
    @no_answer
    def test_what_is_no_answer_leaves_an_order_unknown(self, merchant: Merchant, fault: Fault) -> None:
        assert_order_unknown(merchant, fault)

    @pytest.mark.parametrize("code", [2, 5, 9, 10, 12, 14, 21])
    def test_so_does_a_server_that_fails_whatever_it_says(self, merchant: Merchant, code: int) -> None:
        said = {"error": {"code": code, "message": "already used"}, "errors": [{"code": "NO"}], "message": "no"}
        assert_order_unknown(merchant, fails_after(says(500, said)))

    @slow
    def test_so_does_what_takes_too_long(self, impatient: Merchant, fault: Fault) -> None:
        assert_order_unknown(impatient, fault)

    @pytest.mark.parametrize("status", [400, 403, 406, 409, 422])
    def test_a_refusal_in_the_gateways_own_form_is_one(self, merchant: Merchant, status: int) -> None:
        merchant.gateway.meets(merchant.gateway.order_path, answers(says(status, {"message": "no"})))
        with pytest.raises(RefusedError, match=f"^http_{status}$"):
            merchant.adapter.order(merchant.order())

    def test_nobody_there_has_taken_no_order(self, merchant: Merchant) -> None:
        with Merchant(merchant.name).gateway as gone:
            pass
        with pytest.raises(RefusedError, match="unreachable"):
            adapter_of(merchant, gone.base).order(merchant.order())

    def test_without_keys_none_is_taken_either(self, merchant: Merchant) -> None:
        order, gateway_id = merchant.placed("paid")
        before = len(merchant.gateway.received)
        merchant.keys = Keys({}, merchant.keys.current)
        adapter = adapter_of(merchant, merchant.gateway.base)
        with pytest.raises(RefusedError, match="keys"):
            adapter.order(merchant.order())
        with pytest.raises(UnknownError, match="keys"):
            adapter.get_order(order.payment_id, gateway_id)
        with pytest.raises(UnknownError, match="keys"):
            adapter.callback(merchant.gateway.owed[-1].delivery(), datetime.now(UTC))
        assert len(merchant.gateway.received) == before

    @pytest.mark.parametrize("url", ["javascript:alert(1)", "//evil.example/", "ftp://a/", "https://", "", 5, None])
    def test_a_page_that_is_none_is_not_handed_on(self, merchant: Merchant, url: object) -> None:
        place = {"qicard": "formUrl", "zaincash": "redirectUrl", "fib": "personalAppLink", "sandbox": "pay_url"}[
            merchant.name
        ]
        merchant.gateway.meets(merchant.gateway.order_path, lies(lambda answer: {**answer, place: url}))
        if merchant.name == "qicard" and not url:
            assert merchant.adapter.order(merchant.order()).redirect_url.startswith(merchant.gateway.base)
        else:
            with pytest.raises(UnknownError):
                merchant.adapter.order(merchant.order())

    @pytest.mark.parametrize("merchant", ["qicard", "zaincash", "sandbox"], indirect=True)
    def test_another_orders_answer_is_none(self, merchant: Merchant) -> None:
        """FIB's answer names nothing of ours."""
        change = {"requestId": "another", "transactionDetails": {"orderId": "another"}, "reference": "another"}
        merchant.gateway.meets(merchant.gateway.order_path, lies(lambda answer: {**answer, **change}))
        with pytest.raises(UnknownError, match="another order"):
            merchant.adapter.order(merchant.order())


class TestGettingAnOrder:
    @no_answer
    def test_what_is_no_answer_tells_nothing(self, merchant: Merchant, fault: Fault) -> None:
        known = ids(merchant)
        merchant.gateway.meets(merchant.gateway.status_path, fault)
        with pytest.raises(UnknownError):
            merchant.adapter.get_order(*known)
        assert merchant.adapter.get_order(*known)

    @slow
    def test_nor_does_what_takes_too_long(self, impatient: Merchant, fault: Fault) -> None:
        known = ids(impatient)
        impatient.gateway.meets(impatient.gateway.status_path, fault)
        with pytest.raises(UnknownError):
            impatient.adapter.get_order(*known)

    @pytest.mark.parametrize("status", [400, 403, 429])
    def test_nor_does_a_refusal_to_say(self, merchant: Merchant, status: int) -> None:
        known = ids(merchant)
        merchant.gateway.meets(merchant.gateway.status_path, answers(says(status, {"message": "no"})))
        with pytest.raises(UnknownError):
            merchant.adapter.get_order(*known)

    @pytest.mark.parametrize("merchant", ["qicard", "zaincash", "fib"], indirect=True)
    def test_nor_does_not_finding_it_where_the_documents_do_not_say_how_that_is_told(self, merchant: Merchant) -> None:
        known = ids(merchant)
        merchant.gateway.meets(merchant.gateway.status_path, answers(says(404, {"message": "no"})))
        with pytest.raises(UnknownError):
            merchant.adapter.get_order(*known)

    def test_nor_does_being_turned_away_at_the_door(self, merchant: Merchant) -> None:
        known = ids(merchant)
        merchant.gateway.meets("", *[answers(Reply(401))] * 8)
        with pytest.raises(UnknownError):
            merchant.adapter.get_order(*known)

    @pytest.mark.parametrize("status", ["PARTIALLY_PAID", "Paid", "", None, 5, ["PAID"], "x" * 500])
    def test_a_status_unknown_to_us_is_named_and_tells_nothing(self, merchant: Merchant, status: object) -> None:
        known = ids(merchant)
        merchant.gateway.meets(merchant.gateway.status_path, lies(lambda answer: {**answer, "status": status}))
        with pytest.raises(UnknownError, match="status unknown to us") as raised:
            merchant.adapter.get_order(*known)
        assert len(str(raised.value)) < 80

    def test_another_orders_answer_is_not_taken_for_this_ones(self, merchant: Merchant) -> None:
        _, other = merchant.placed("paid")
        known = ids(merchant)
        stolen: dict[str, Any] = {}

        def take(answer: dict[str, Any]) -> dict[str, Any]:
            stolen.update(answer)
            return answer

        merchant.gateway.meets(merchant.gateway.status_path, lies(take), lies(lambda answer: stolen))
        merchant.adapter.get_order(None, other)
        with pytest.raises(UnknownError, match="another order"):
            merchant.adapter.get_order(*known)

    @pytest.mark.parametrize("merchant", ["qicard", "zaincash", "sandbox"], indirect=True)
    def test_nor_is_one_under_another_reference(self, merchant: Merchant) -> None:
        known = ids(merchant)

        def renamed(answer: dict[str, Any]) -> dict[str, Any]:
            details = {**answer.get("transactionDetails", {}), "orderId": "another"}
            return {**answer, "requestId": "another", "reference": "another", "transactionDetails": details}

        merchant.gateway.meets(merchant.gateway.status_path, lies(renamed))
        with pytest.raises(UnknownError, match="another order"):
            merchant.adapter.get_order(*known)

    @pytest.mark.parametrize("off", [-1, 1])
    def test_an_amount_off_by_one_dinar_is_told_as_it_is(self, merchant: Merchant, off: int) -> None:
        known = ids(merchant)
        merchant.gateway.meets(merchant.gateway.status_path, lies(amount(merchant, AMOUNT + off)))
        found = merchant.adapter.get_order(*known)
        assert found is not None
        assert found.amount == AMOUNT + off

    @pytest.mark.parametrize("wrong", [-1, 0.5, 75_000.001, True, None, [], "", "x", "NaN", 10**13, "1e99999999"])
    def test_an_amount_that_is_none_tells_nothing(self, merchant: Merchant, wrong: object) -> None:
        known = ids(merchant)
        merchant.gateway.meets(merchant.gateway.status_path, lies(amount(merchant, wrong)))
        with pytest.raises(UnknownError, match="not understood"):
            merchant.adapter.get_order(*known)

    @pytest.mark.parametrize("spelled", ["iqd", "Iqd", " IQD ", "368", 368])
    def test_the_dinar_is_the_dinar_however_it_is_spelled(self, merchant: Merchant, spelled: Any) -> None:
        known = ids(merchant)
        merchant.gateway.meets(merchant.gateway.status_path, lies(money(merchant, AMOUNT, spelled)))
        found = merchant.adapter.get_order(*known)
        assert found is not None
        assert (found.amount, found.currency) == (AMOUNT, "IQD")

    def test_another_currency_is_told_as_it_is(self, merchant: Merchant) -> None:
        known = ids(merchant)
        merchant.gateway.meets(merchant.gateway.status_path, lies(money(merchant, AMOUNT, "USD")))
        found = merchant.adapter.get_order(*known)
        assert found is not None
        assert found.currency == "USD"


def amount(merchant: Merchant, value: object) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return money(merchant, value, "IQD")


def money(merchant: Merchant, value: object, currency: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def change(answer: dict[str, Any]) -> dict[str, Any]:
        if merchant.name in ("qicard", "sandbox"):
            return {**answer, "amount": value, "currency": currency}
        if merchant.name == "fib":
            return {**answer, "amount": {"amount": value, "currency": currency}}
        details = {**answer["transactionDetails"], "amount": {"value": value, "currency": currency}}
        return {**answer, "transactionDetails": details}

    return change


def of_refund(merchant: Merchant) -> str:
    """What the path of the call that gives back ends with; ZainCash's list of them begins the same."""
    return {"zaincash": "/reverse"}.get(merchant.name, merchant.gateway.refund_path)


def adapter_of(merchant: Merchant, url: str) -> Gateway:
    adapt: Callable[[str, ReadKeys], Gateway] = GATEWAYS[merchant.name][1]
    return adapt(url, lambda: merchant.keys)


class TestGivingBack:
    @pytest.mark.parametrize("name", ["500", "502 empty", "a redirect", "does it and hangs up", "hangs up"])
    def test_what_is_no_answer_leaves_it_unknown_and_asking_again_gives_back_once(
        self, merchant: Merchant, name: str
    ) -> None:
        order, gateway_id = merchant.placed("paid")
        refund = merchant.refund_of(order, gateway_id)
        merchant.gateway.meets(merchant.gateway.refund_path, NO_ANSWER[name])
        with pytest.raises(UnknownError):
            merchant.adapter.refund(refund)
        merchant.adapter.refund(refund)
        assert merchant.gateway.given_back(gateway_id) == AMOUNT

    @pytest.mark.parametrize("code", [1, 5, 10, 12, 14, 22])
    def test_a_server_that_fails_may_have_given_it_back_whatever_it_says(self, merchant: Merchant, code: int) -> None:
        order, gateway_id = merchant.placed("paid")
        refund = merchant.refund_of(order, gateway_id)
        said = {"error": {"code": code, "message": "already used"}, "message": "no"}
        merchant.gateway.meets(of_refund(merchant), fails_after(says(500, said)))
        with pytest.raises(UnknownError):
            merchant.adapter.refund(refund)
        assert merchant.gateway.given_back(gateway_id) == AMOUNT
        merchant.adapter.refund(refund)
        assert merchant.gateway.given_back(gateway_id) == AMOUNT

    def test_a_refusal_gives_back_nothing(self, merchant: Merchant) -> None:
        order, gateway_id = merchant.placed("paid")
        merchant.gateway.meets(merchant.gateway.refund_path, answers(says(422, {"message": "no"})))
        with pytest.raises(RefusedError):
            merchant.adapter.refund(merchant.refund_of(order, gateway_id))
        assert merchant.gateway.given_back(gateway_id) == 0

    @pytest.mark.parametrize("merchant", ["qicard", "fib", "sandbox"], indirect=True)
    @pytest.mark.parametrize("status", [200, 307, 403, 503])
    def test_closing_that_meets_no_answer_is_unknown(self, merchant: Merchant, status: int) -> None:
        order, gateway_id = merchant.placed()
        merchant.gateway.meets("cancel", answers(PAGE._replace(status=status)))
        assert merchant.adapter.close(order.payment_id, gateway_id) == Closing.UNKNOWN


class TestTokens:
    KEYS = Keys({"client_id": "gharama", "client_secret": "client-secret-of-fib"})

    def test_a_token_is_used_until_shortly_before_its_end(self) -> None:
        merchant = Merchant("fib")
        at = [1000.0]
        merchant.gateway.clock = lambda: at[0]  # type: ignore[attr-defined]
        with merchant.gateway as gateway:
            call = OAuth(
                Client(gateway.url),
                "/auth/realms/fib-online-shop/protocol/openid-connect/token",
                lambda: self.KEYS,
                clock=lambda: at[0],
            )
            for later, tokens in ((0, 1), (49, 1), (2, 2), (51, 3)):
                at[0] += later
                assert call("GET", "/protected/v1/payments/x/status").status == 404
                assert len(gateway.asked("/token")) == tokens

    @pytest.mark.parametrize("merchant", ["zaincash", "fib"], indirect=True)
    def test_one_that_is_turned_away_is_replaced_once(self, merchant: Merchant) -> None:
        known = ids(merchant)
        merchant.gateway.meets(merchant.gateway.status_path, answers(Reply(401)))
        assert merchant.adapter.get_order(*known)
        assert len(merchant.gateway.asked("/token")) == 2

    @pytest.mark.parametrize(
        "granted",
        [{}, {"access_token": "a"}, {"access_token": 5, "expires_in": 60}, {"access_token": "a", "expires_in": -1},
         {"access_token": "a\r\nx: y", "expires_in": 60}],
    )  # fmt: skip
    def test_a_grant_that_is_none_asks_nothing(self, granted: dict[str, Any]) -> None:
        with Merchant("fib").gateway as gateway:
            gateway.meets("/token", answers(says(200, granted)))
            call = OAuth(Client(gateway.url), "/token", lambda: self.KEYS)
            with pytest.raises(NotAskedError):
                call("GET", "/protected")
            assert gateway.asked("/protected") == []


def test_a_certificate_of_nobody_known_is_refused(tmp_path: Path) -> None:
    with FaultServer([], Authority(tmp_path).server()) as server:
        with pytest.raises(UnknownError, match="SSLError"):
            Client(server.url)("POST", "/payment", body={})
        assert server.received == []


def test_one_of_an_authority_that_is_known_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.bundle))
    with FaultServer([fault_server.says(200, b"{}")] * 2, authority.server()) as server:
        client = Client(server.url)
        assert [client("GET", "/payment").status for _ in range(2)] == [200] * 2
        assert [request.connection for request in server.received] == [1, 2]


def test_each_exchange_has_a_connection_of_its_own() -> None:
    """One that was kept may have gone stale, and an order that is lost on it could have been placed."""
    with FaultServer([fault_server.says(200, b"{}")] * 3) as server:
        client = Client(server.url)
        assert [client("GET", "/payment").status for _ in range(3)] == [200] * 3
        assert [request.connection for request in server.received] == [1, 2, 3]


def test_a_redirect_is_not_followed() -> None:
    with Merchant("qicard").gateway as gateway:
        gateway.meets("/here", answers(Reply(307, location=f"{gateway.url}/there")))
        assert Client(gateway.url)("POST", "/here", body={"secret": 1}).status == 307
        assert [request.path for request in gateway.received] == ["/here"]


@pytest.mark.parametrize("text", ["75000", "75000.0", "75000.000", '"75000"', '"75000.00"', "7.5e4"])
def test_dinars_are_read_however_they_are_written(text: str) -> None:
    answer = exchanges.parse(b'{"amount": ' + text.encode() + b"}")
    assert answer is not None
    assert dinars(answer["amount"]) == AMOUNT


def test_what_nests_without_end_is_no_answer() -> None:
    gc.disable()  # a finalizer that ran amid the recursion would have no room for its own
    try:
        assert exchanges.parse(b"[" * 100_000) is None
        assert exchanges.parse(b'{"a":' * 20_000 + b"5" + b"}" * 20_000) is None
    finally:
        gc.enable()


def test_who_paid_goes_no_further(capsys: pytest.CaptureFixture[str]) -> None:
    """FIB tells the payer's name and account; neither is kept nor logged."""
    merchant = Merchant("fib")
    with merchant.gateway:
        _, gateway_id = merchant.placed("paid")
        found = merchant.adapter.get_order(None, gateway_id)
        raw = json.dumps([request.body.decode() for request in merchant.gateway.received])
    assert "Name-In-The-Answer" not in f"{found}{raw}{capsys.readouterr()}"
