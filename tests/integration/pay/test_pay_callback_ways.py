"""The ways in which a callback comes: signed, by a browser, by the gateway's own id; others are refused."""

from __future__ import annotations

import json
from datetime import datetime

import pytest

from pay.gateways import CallbackError, Delivery, Notice, UnknownError
from shared.domain.violation import Violation
from shared.http import MAX_BODY_BYTES
from tests.support.fakes import FakeGateway, callback_body
from tests.support.functions import Functions, Reply
from tests.support.payment_requests import RETURN_URL, payment_body, status


class TestBrowser:
    def come_by(self, functions: Functions, **query: str) -> Reply:
        """The browser that a gateway sends, in the sandbox's own scheme."""
        body = b""
        return functions.call(
            "pay.on_callback",
            "GET /v1/callbacks/{gateway}",
            path={"gateway": "sandbox"},
            query=query,
            headers={"x-sandbox-signature": functions.gateway.signed(body, functions.clock.at)},
        )

    @pytest.fixture(autouse=True)
    def by_token(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A gateway whose browser brings the payment's id as its token."""

        def callback(gateway: FakeGateway, delivery: Delivery, now: datetime) -> Notice:
            if "token" not in delivery.query:
                raise CallbackError("no token")
            return Notice(delivery.query["token"], None, "browser")

        monkeypatch.setattr(FakeGateway, "callback", callback)

    def test_it_goes_on_to_where_the_citizen_came_from(self, functions: Functions, started: str) -> None:
        functions.gateway.says(started)
        reply = self.come_by(functions, token=started)
        assert (reply.status, reply.headers["location"]) == (303, RETURN_URL)
        assert status(functions, started) == "paid"

    def test_also_where_the_gateway_is_silent(self, functions: Functions, started: str) -> None:
        functions.gateway.silence = UnknownError("ReadTimeoutError")
        reply = self.come_by(functions, token=started)
        assert (reply.status, reply.headers["location"]) == (303, RETURN_URL)
        assert status(functions, started) == "pending"

    def test_one_that_proves_nothing_goes_nowhere(self, functions: Functions, started: str) -> None:
        reply = self.come_by(functions)
        assert (reply.status, reply.body["code"]) == (401, "callback_refused")
        assert "location" not in reply.headers


class TestByTheGatewaysId:
    """A gateway whose callback proves its own id of the order, and not ours."""

    @pytest.fixture(autouse=True)
    def by_its_own_id(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def callback(gateway: FakeGateway, delivery: Delivery, now: datetime) -> Notice:
            return Notice(None, json.loads(delivery.body)["id"], "paid")

        monkeypatch.setattr(FakeGateway, "callback", callback)

    def test_it_is_known_since_the_order(self, functions: Functions, started: str) -> None:
        functions.gateway.says(started)
        asked = functions.gateway.asked
        assert functions.callback(started).status == 200
        assert functions.gateway.asked == asked + 1
        assert status(functions, started) == "paid"

    def test_before_the_order_call_returns_the_gateway_says_whose_it_is(
        self, functions: Functions, subjects: list[Violation]
    ) -> None:
        def paid_at_once(payment_id: str) -> None:
            functions.gateway.says(payment_id)
            assert functions.callback(payment_id, headers={}).status == 200

        functions.gateway.while_ordering = paid_at_once
        assert functions.pay(payment_body(*subjects)).body["status"] == "paid"

    def test_nobody_elses_order_is_taken_for_ours(self, functions: Functions, started: str) -> None:
        assert functions.callback("none", headers={}).status == 404
        functions.gateway.silence = UnknownError("ReadTimeoutError")
        assert functions.callback("none", headers={}).status == 503


class TestCallbackRefusals:
    def refused(self, functions: Functions, started: str, headers: dict[str, str], body: bytes | None = None) -> None:
        functions.gateway.says(started)
        asked = functions.gateway.asked
        reply = functions.callback(started, headers=headers, body=body)
        assert (reply.status, reply.body["code"]) == (401, "callback_refused")
        assert functions.gateway.asked == asked
        assert functions.payment(started).body["status"] == "pending"

    @pytest.mark.parametrize(
        "signature",
        ["", "nonsense", "t=1", "v1=", "t=,v1=", "t=1,v1=00", "=,=,=", "t=1,v1=é", "v1=" + "0" * 64],
    )
    def test_an_absent_or_bad_signature_is_refused(self, functions: Functions, started: str, signature: str) -> None:
        self.refused(functions, started, {"x-sandbox-signature": signature} if signature else {})

    def test_another_key_is_refused(self, functions: Functions, started: str) -> None:
        signed = functions.gateway.signed(callback_body(started), functions.clock.at, "another key")
        self.refused(functions, started, {"x-sandbox-signature": signed})

    def test_a_signature_of_another_body_is_refused(self, functions: Functions, started: str) -> None:
        functions.payment("warm")
        functions.callback("none")
        signed = functions.gateway.signed(callback_body("another"), functions.clock.at)
        self.refused(functions, started, {"x-sandbox-signature": signed})

    @pytest.mark.parametrize("seconds", [-301, 301, -86_400])
    def test_a_stale_or_early_one_is_refused(self, functions: Functions, started: str, seconds: int) -> None:
        functions.callback(started)
        signed = functions.gateway.signed(callback_body(started), functions.clock.at)
        functions.clock.forward(seconds=-seconds)
        self.refused(functions, started, {"x-sandbox-signature": signed})

    @pytest.mark.parametrize("seconds", [-300, 300])
    def test_clocks_may_differ_by_five_minutes(self, functions: Functions, started: str, seconds: int) -> None:
        functions.callback(started)
        signed = functions.gateway.signed(callback_body(started), functions.clock.at)
        functions.clock.forward(seconds=seconds)
        assert functions.callback(started, headers={"x-sandbox-signature": signed}).status == 200

    @pytest.mark.parametrize(
        "body",
        [b"", b"{", b"[]", b"{}", b'{"reference": 5}', b"\xff\xfe", b'{"reference": null}', b'{"reference": "p"}'],
    )
    def test_a_signed_body_that_is_no_callback_is_refused(
        self, functions: Functions, started: str, body: bytes
    ) -> None:
        functions.callback(started)
        signed = functions.gateway.signed(body, functions.clock.at)
        self.refused(functions, started, {"x-sandbox-signature": signed}, body)

    def test_an_overlong_reference_is_refused(self, functions: Functions, started: str) -> None:
        functions.callback(started)
        signed = functions.gateway.signed(callback_body("x" * 3000), functions.clock.at)
        self.refused(functions, started, {"x-sandbox-signature": signed}, callback_body("x" * 3000))

    def test_an_unknown_payment_is_not_found(self, functions: Functions, started: str) -> None:
        functions.callback(started)
        reply = functions.callback("none")
        assert (reply.status, reply.body["code"]) == (404, "no_such_payment")

    def test_an_unknown_gateway_is_not_found(self, functions: Functions, started: str) -> None:
        functions.callback(started)
        reply = functions.callback(started, gateway="paypal")
        assert (reply.status, reply.body["code"]) == (404, "gateway_unknown")

    def test_a_body_beyond_bounds_is_refused(self, functions: Functions, started: str) -> None:
        functions.callback(started)
        reply = functions.callback(started, body=b" " * (MAX_BODY_BYTES + 1))
        assert (reply.status, reply.body["code"]) == (413, "body_too_large")
