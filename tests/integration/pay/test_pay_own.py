"""A citizen's own payments: given up, and listed."""

from __future__ import annotations

import pytest

from pay.gateways import OrderStatus, UnknownError
from shared.domain.violation import Violation
from shared.stores.items import item_key, pack
from tests.support.aws import Engine
from tests.support.build import follow, store, violation
from tests.support.functions import Functions, Reply, forget
from tests.support.payment_requests import payment_body, state, status


class TestCancelling:
    def test_it_lets_the_violations_go_and_closes_the_order(
        self, functions: Functions, subjects: list[Violation], started: str
    ) -> None:
        reply = functions.cancel(started)
        assert (reply.status, reply.body["status"]) == (200, "cancelled")
        assert functions.gateway.orders[started].status == OrderStatus.FAILED
        assert [state(functions, subject) for subject in subjects] == ["unpaid"] * 2
        assert functions.pay(payment_body(*subjects), "key-00000002").status == 201

    def test_again_is_the_same(self, functions: Functions, started: str) -> None:
        assert functions.cancel(started) == functions.cancel(started)

    @pytest.mark.parametrize("said", [OrderStatus.FAILED, OrderStatus.EXPIRED])
    def test_what_has_ended_at_the_gateway_is_cancelled(self, functions: Functions, started: str, said: str) -> None:
        functions.gateway.says(started, said)
        assert functions.cancel(started).body["status"] == "cancelled"

    def test_money_that_was_quicker_is_settled(
        self, functions: Functions, subjects: list[Violation], started: str
    ) -> None:
        functions.gateway.says(started)
        reply = functions.cancel(started)
        assert (reply.status, reply.body["status"]) == (200, "paid")
        assert state(functions, subjects[0]) == "paid"

    def test_a_silent_gateway_leaves_it_closing_until_it_speaks(
        self, functions: Functions, subjects: list[Violation], started: str
    ) -> None:
        functions.gateway.silence = UnknownError("ReadTimeoutError")
        reply = functions.cancel(started)
        assert (reply.status, reply.body["status"], reply.body["closing"]) == (202, "pending", True)
        assert state(functions, subjects[0]) == "in_payment"
        functions.clock.forward(hours=3)
        functions.poll_gateways()
        assert status(functions, started) == "pending"
        functions.gateway.silence = None
        functions.poll_gateways()
        assert status(functions, started) == "cancelled"
        assert state(functions, subjects[0]) == "unpaid"

    def test_a_gateway_that_is_gone_gives_nothing_up(
        self, functions: Functions, started: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SANDBOX_GATEWAY_URL", "")
        forget()
        reply = functions.cancel(started)
        assert (reply.status, reply.body["code"], reply.headers["retry-after"]) == (503, "gateway_silent", "30")

    def test_an_order_that_will_not_close_stays_until_its_customer_has_had_time(
        self, functions: Functions, subjects: list[Violation], started: str
    ) -> None:
        functions.gateway.under_way.add(started)
        functions.clock.forward(minutes=5)
        for _ in "12":
            reply = functions.cancel(started)
            assert (reply.status, reply.body["status"], reply.body["closing"]) == (202, "pending", True)
        functions.clock.forward(minutes=25)  # 15 from its time's end
        functions.poll_gateways()
        assert state(functions, subjects[0]) == "in_payment"
        functions.clock.forward(seconds=1)
        functions.poll_gateways()
        body = functions.payment(started).body
        assert (body["status"], body["closing"]) == ("cancelled", False)
        assert state(functions, subjects[0]) == "unpaid"

    def test_its_money_may_still_come(self, functions: Functions, subjects: list[Violation], started: str) -> None:
        functions.gateway.under_way.add(started)
        functions.cancel(started)
        functions.gateway.says(started)
        functions.callback(started)
        body = functions.payment(started).body
        assert (body["status"], body["closing"]) == ("paid", False)
        assert state(functions, subjects[0]) == "paid"

    def test_who_begins_anew_need_not_wait_for_it(
        self, functions: Functions, subjects: list[Violation], started: str
    ) -> None:
        functions.gateway.under_way.add(started)
        refused = functions.pay(payment_body(subjects[0]), "key-00000002")
        assert (refused.status, refused.errors) == (422, [("violations.0", "violation_in_payment")])
        functions.cancel(started)
        anew = functions.pay(payment_body(subjects[0]), "key-00000002")
        assert anew.status == 201
        assert status(functions, started) == "cancelled"
        assert [state(functions, subject) for subject in subjects] == ["in_payment", "unpaid"]
        functions.gateway.says(started)
        functions.callback(started)
        late = functions.payment(started).body
        assert late["refund"] == {"amount": 50_000, "status": "due", "violations": [subjects[0].violation_no]}
        assert [state(functions, subject) for subject in subjects] == ["in_payment", "paid"]

    def test_nobody_else_can(self, functions: Functions, subjects: list[Violation], started: str) -> None:
        functions.gateway.under_way.add(started)
        functions.cancel(started)
        follow(functions.citizens, sub="another")
        refused = functions.pay(payment_body(*subjects), "key-00000002", claims={"sub": "another"})
        assert refused.errors == [(f"violations.{index}", "violation_in_payment") for index in (0, 1)]
        assert status(functions, started) == "pending"

    def test_it_is_closed_as_soon_as_the_gateway_does(
        self, functions: Functions, subjects: list[Violation], started: str
    ) -> None:
        functions.gateway.under_way.add(started)
        functions.cancel(started)
        functions.gateway.under_way.clear()
        functions.clock.forward(minutes=3)
        functions.poll_gateways()
        assert status(functions, started) == "cancelled"
        assert state(functions, subjects[0]) == "unpaid"

    def test_one_that_is_given_up_late_is_waited_for_from_then_on(
        self, functions: Functions, subjects: list[Violation], started: str
    ) -> None:
        functions.gateway.under_way.add(started)
        functions.clock.forward(minutes=40)
        functions.poll_gateways()
        functions.clock.forward(minutes=15)
        functions.poll_gateways()
        assert state(functions, subjects[0]) == "in_payment"
        functions.clock.forward(seconds=1)
        functions.poll_gateways()
        assert status(functions, started) == "expired"
        assert state(functions, subjects[0]) == "unpaid"

    def test_one_that_is_over_cannot_be_cancelled(self, functions: Functions, started: str) -> None:
        functions.gateway.says(started)
        functions.callback(started)
        reply = functions.cancel(started)
        assert (reply.status, reply.body["code"]) == (409, "payment_over")

    def test_of_one_whose_status_is_of_a_later_version_it_is_not_said_that_it_is_over(
        self, engine: Engine, functions: Functions, started: str
    ) -> None:
        engine.fast()(
            "dynamodb",
            "UpdateItem",
            {
                "TableName": functions.tables["Payments"],
                "Key": item_key(started, "PAYMENT"),
                "UpdateExpression": "SET #status = :status",
                "ExpressionAttributeNames": {"#status": "status"},
                "ExpressionAttributeValues": pack({":status": "authorised"}),
            },
        )
        reply = functions.cancel(started)
        assert (reply.status, reply.body["code"]) == (409, "payment_other")
        assert status(functions, started) == "other"

    def test_one_that_is_being_started_cannot_yet(self, functions: Functions, subjects: list[Violation]) -> None:
        answers: list[Reply] = []
        functions.gateway.while_ordering = lambda payment_id: answers.append(functions.cancel(payment_id))
        assert functions.pay(payment_body(*subjects)).status == 201
        assert [(reply.status, reply.body["code"]) for reply in answers] == [(409, "still_starting")]

    def test_one_whose_order_was_never_answered_can(self, functions: Functions, subjects: list[Violation]) -> None:
        functions.gateway.refusal = UnknownError("ReadTimeoutError")
        payment_id = functions.pay(payment_body(*subjects)).body["payment_id"]
        assert functions.cancel(payment_id).body["status"] == "cancelled"

    def test_another_citizens_does_not_exist(self, functions: Functions, started: str) -> None:
        assert functions.cancel(started, claims={"sub": "another"}).status == 404
        assert status(functions, started) == "pending"


class TestListing:
    @pytest.fixture
    def made(self, functions: Functions) -> list[str]:
        """The ids of three payments, newest first."""
        follow(functions.citizens)
        subjects = [violation() for _ in range(3)]
        store(functions.violations, *subjects)
        ids = []
        for each in subjects:
            functions.clock.forward(seconds=1)
            ids.append(functions.pay(payment_body(each), f"key-{each.violation_no:0>8}").body["payment_id"])
        return ids[::-1]

    def test_they_come_newest_first_as_they_are(self, functions: Functions, made: list[str]) -> None:
        reply = functions.list_payments()
        assert reply.body == {"items": [functions.payment(each).body for each in made], "next_cursor": None}

    def test_they_come_page_by_page(self, functions: Functions, made: list[str]) -> None:
        first = functions.list_payments(query={"limit": "2"}).body
        second = functions.list_payments(query={"limit": "2", "cursor": first["next_cursor"]}).body
        assert [each["payment_id"] for each in first["items"] + second["items"]] == made
        assert second["next_cursor"] is None

    def test_nobody_sees_anothers(self, functions: Functions, made: list[str]) -> None:
        assert functions.list_payments(claims={"sub": "another"}).body == {"items": [], "next_cursor": None}

    def test_a_cursor_is_its_citizens_own(self, functions: Functions, made: list[str]) -> None:
        cursor = functions.list_payments(query={"limit": "1"}).body["next_cursor"]
        reply = functions.list_payments(query={"cursor": cursor}, claims={"sub": "another"})
        assert (reply.status, reply.errors) == (422, [("cursor", "cursor_invalid")])

    @pytest.mark.parametrize("query", [{"cursor": "x"}, {"limit": "0"}, {"limit": "101"}, {"limit": "x"}])
    def test_a_bad_page_is_refused(self, functions: Functions, query: dict[str, str]) -> None:
        reply = functions.list_payments(query=query)
        assert (reply.status, [field for field, _ in reply.errors]) == (422, list(query))
