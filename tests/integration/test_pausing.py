"""Payments are paused by the operator: none is begun, and all else goes on."""

from __future__ import annotations

import pytest

from shared.clock import now
from shared.stores.pausing import Pausing
from tests.support.build import follow, store, violation
from tests.support.functions import Functions


@pytest.fixture
def switch(functions: Functions) -> Pausing:
    return Pausing(functions.violations._call, functions.tables["Payments"])


def test_a_pause_stops_what_is_not_begun_and_nothing_else(functions: Functions, switch: Pausing) -> None:
    follow(functions.citizens)
    first, second = violation(), violation()
    store(functions.violations, first, second)

    def body_of(violation_no: str) -> dict[str, object]:
        return {"violations": [violation_no], "gateway": "sandbox", "return_url": "https://tf.ur.gov.iq/paid"}

    begun = functions.pay(body_of(first.violation_no), "key-00000001")
    assert begun.status == 201
    switch.pause(now(), "the gateway is away")

    refused = functions.pay(body_of(second.violation_no), "key-00000002")

    assert (refused.status, refused.body["code"], refused.headers["retry-after"]) == (503, "payments_paused", "600")
    payment_id = begun.body["payment_id"]
    assert functions.payment(payment_id).body["status"] == "pending"
    functions.gateway.says(payment_id)
    assert functions.callback(payment_id).status == 200
    assert functions.payment(payment_id).body["status"] == "paid"
    switch.resume()
    assert functions.pay(body_of(second.violation_no), "key-00000002").status == 201
