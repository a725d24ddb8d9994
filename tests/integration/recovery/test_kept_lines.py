"""What must not happen twice stands in the log before anybody outside hears of it, and names nobody."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.stores.kept_lines import CLAIM, KEPT, PAYMENT
from tests.infra.reading import of_type
from tests.support.aws import template
from tests.support.build import SUB, follow, store, violation
from tests.support.functions import PERSONAL, Functions

RETURN_URL = "https://tf.ur.gov.iq/paid"
DAYS_OF_RESTORING = 35
WRITERS = ("PayApi", "PayOnCallback", "PayPollGateways", "NotifySendSms")


def kept(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The lines that were kept since they were last looked at."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    found = [line for line in lines if KEPT in line]
    assert not [word for word in (*PERSONAL, SUB) if word in json.dumps(found, ensure_ascii=False)]
    return found


def test_an_order_and_an_end_are_kept(functions: Functions, capsys: pytest.CaptureFixture[str]) -> None:
    follow(functions.citizens)
    fine = violation()
    store(functions.violations, fine)
    body = {"violations": [fine.violation_no], "gateway": "sandbox", "return_url": RETURN_URL}
    payment_id = functions.pay(body).body["payment_id"]
    begun = kept(capsys)
    assert [line["what"] for line in begun] == ["created", "pending"]
    assert {line[KEPT] for line in begun} == {PAYMENT}
    assert begun[0]["violations"] == [[fine.violation_no, begun[0]["amount"]]]
    functions.gateway.says(payment_id)
    functions.callback(payment_id)
    (ended,) = [line for line in kept(capsys) if line["what"] == "paid"]
    assert (ended["payment_id"], ended["received"]) == (payment_id, ended["amount"])
    assert ended["gateway_id"] == begun[1]["gateway_id"]


def test_a_claim_is_kept(functions: Functions, capsys: pytest.CaptureFixture[str]) -> None:
    follow(functions.citizens)
    new = violation()
    functions.announce(functions.opened(new))
    assert not kept(capsys)
    functions.send_due()
    (line,) = kept(capsys)
    assert (line[KEPT], line["kind"], line["violations"]) == (CLAIM, "new_violation", [new.violation_no])
    assert functions.messages.get(line["message_id"])


@pytest.mark.parametrize("writer", WRITERS)
def test_the_logs_of_who_writes_them_are_kept_for_longer_than_tables_can_be_restored(writer: str) -> None:
    whole = template()["Resources"][f"{writer}Logs"]
    assert (whole["DeletionPolicy"], whole["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    assert of_type(template(), "AWS::Logs::LogGroup")[f"{writer}Logs"]["RetentionInDays"] > DAYS_OF_RESTORING
