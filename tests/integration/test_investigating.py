"""What is found for somebody else, a citizen who calls or an investigator: enough, masked, audited with its reason."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from click.testing import CliRunner

from infra.operator import __main__ as commands
from shared.domain.violation import Violation
from shared.stores.people.who_looked import What
from tests.integration.test_operator_decisions import Stand
from tests.support.asking import OWN, TYPED, entries
from tests.support.aws import Engine
from tests.support.build import OTHER_PLATE, PHONE, PLATE, SUB, follow, store, violation
from tests.support.functions import Functions
from tests.support.payment_requests import payment_body

Run = Callable[..., str]


@pytest.fixture
def log() -> list[Mapping[str, Any]]:
    """What the operators' log came to hold."""
    return []


@pytest.fixture
def command(engine: Engine, functions: Functions, log: list[Mapping[str, Any]], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command; its output, in which no phone and no plate stands whole. code: what it must end with."""

    def run(*words: str, code: int = 0) -> str:
        stand = Stand(engine, functions)
        monkeypatch.setattr(commands, "Deployment", lambda stack, clock: stand)
        result = CliRunner().invoke(commands.app, ["--stack", "stand", *words])
        log.extend(map(json.loads, stand.log))
        assert result.exit_code == code, result.output
        assert not [each for each in (PHONE[4:], PLATE.key, PLATE.number) if each in result.output + str(log)]
        return result.output

    return run


@pytest.fixture
def find(command: Run) -> Run:
    return lambda name, value, code=0: command("find", f"--{name}", value, "--reason", "a call", code=code)


@pytest.fixture
def subject(functions: Functions) -> Violation:
    follow(functions.citizens)
    made = violation()
    store(functions.violations, made)
    return made


@pytest.fixture
def paid(functions: Functions, subject: Violation) -> Mapping[str, Any]:
    """A payment of the violation, as its citizen sees it."""
    payment_id = functions.pay(payment_body(subject)).body["payment_id"]
    functions.gateway.says(payment_id)
    functions.callback(payment_id)
    functions.send_due()
    found: Mapping[str, Any] = functions.payment(payment_id).body
    return found


def kept(functions: Functions) -> list[str]:
    """What the operators' own looks were."""
    by_operators = (What.OPERATOR, What.INVESTIGATION)
    return [item["what"]["S"] for item in entries(functions) if item["what"]["S"] in by_operators]


class TestFind:
    def test_a_violation_says_what_is_owed_and_when_it_rises(
        self, functions: Functions, find: Run, subject: Violation
    ) -> None:
        assert find("violation", subject.violation_no) == (
            f"violation {subject.violation_no} on …{PLATE.tail}: unpaid, 50,000 IQD,"
            " 100,000 IQD from 2026-12-19T09:00:00+03:00\n"
        )
        assert kept(functions) == ["investigation"]

    def test_a_payment_and_its_receipt_say_what_became_of_the_money(
        self, functions: Functions, find: Run, subject: Violation, paid: Mapping[str, Any]
    ) -> None:
        lines = find("payment", paid["payment_id"]).splitlines()
        assert lines == [
            f"payment {paid['payment_id']} by sandbox of 2026-11-20T12:00:00+03:00: paid",
            "  50,000 IQD asked, 50,000 received, 50,000 settled",
            f"  receipt {paid['receipt_no']}, paid at 2026-11-20T12:00:00+03:00",
            "payer +964*******746",
            f"violation {subject.violation_no} on …{PLATE.tail}: paid, receipt {paid['receipt_no']}",
            "SMS receipt of 2026-11-20T12:00:00+03:00: sent",
        ]
        said = f"receipt {paid['receipt_no']}: good, 50,000 IQD paid at 2026-11-20T12:00:00+03:00"
        assert find("receipt", paid["receipt_no"]).splitlines() == [said, *lines]
        assert find("violation", subject.violation_no).splitlines() == [lines[4], *lines[:3]]
        assert kept(functions) == ["investigation"] * 3

    def test_a_phone_leads_to_vehicles_payments_and_sms(
        self, functions: Functions, find: Run, paid: Mapping[str, Any]
    ) -> None:
        more = [violation(plate_key=OTHER_PLATE.key), violation(plate_key=OTHER_PLATE.key, amount=25_000)]
        store(functions.violations, *more)
        follow(functions.citizens, "ur-another", OTHER_PLATE, proven=True)
        said = find("phone", f"0{PHONE[4:]}")
        assert f"vehicle …{PLATE.tail} (linked): 0 unpaid, 0 IQD\n" in said
        assert f"vehicle …{OTHER_PLATE.tail} (proven): 2 unpaid, 75,000 IQD, more from 2026-12-19\n" in said
        assert f"payment {paid['payment_id']} by sandbox" in said
        assert "SMS receipt of 2026-11-20T12:00:00+03:00: sent" in said
        assert said.count("citizen ur-…: SMS on") == 2
        assert SUB not in said
        assert kept(functions) == ["investigation"] * 2

    def test_a_phone_that_was_changed_leads_no_more_to_its_citizen(self, functions: Functions, find: Run) -> None:
        follow(functions.citizens)
        functions.citizens.seen_in_person(SUB, "+9647801234567", "ar")
        assert "nobody was last seen with this phone" in find("phone", PHONE, code=1)
        assert "citizen ur-" in find("phone", "07801234567")

    def test_it_is_audited_with_its_reason_and_the_phone_masked(self, find: Run, log: list[Mapping[str, Any]]) -> None:
        assert "there is no such receipt" in find("receipt", "R-1", code=1)
        assert "nobody was last seen" in find("phone", PHONE, code=1)
        assert "no Iraqi mobile number" in find("phone", "12", code=1)
        assert [(each["action"], each["reason"], each["state"]) for each in log] == [
            ("find", "a call", "begun"),
            ("find", "a call", "broken off"),
        ] * 2
        assert (log[0]["receipt"], log[2]["phone"], log[2]["who"]) == ("R-1", "+964*******746", "operator")

    @pytest.mark.parametrize("words", [(), ("--receipt", "R-1", "--phone", PHONE), ("--receipt", " ")])
    def test_one_thing_is_looked_for(self, command: Run, log: list[Mapping[str, Any]], words: tuple[str, ...]) -> None:
        assert "name one receipt, payment, violation or phone" in command("find", *words, "--reason", "x", code=2)
        assert log == []

    @pytest.mark.parametrize("words", [("find", "--receipt", "R-1"), ("who-looked", TYPED)])
    def test_a_reason_is_asked_for(self, command: Run, words: tuple[str, ...]) -> None:
        assert "--reason" in command(*words, code=2)
        assert "must not be empty" in command(*words, "--reason", " ", code=2)


class TestWhoLooked:
    def ask(self, command: Run, plate: str = TYPED, code: int = 0) -> str:
        return command("who-looked", plate, "--reason", "a complaint", code=code)

    def test_it_names_who_looked_newest_first(self, functions: Functions, command: Run, subject: Violation) -> None:
        functions.ask({"plate": TYPED}, claims=OWN)
        functions.clock.forward(minutes=1)
        clerk = {"sub": "ur-clerk", "scope": "directorate"}
        body = {"violations": [subject.violation_no]}
        functions.call("pay.api", "POST /v1/settlements/check", body=body, claims=clerk)
        functions.clock.forward(minutes=1)
        assert self.ask(command).splitlines() == [
            "2026-11-20T12:01:00+03:00  counter  staff ur-clerk",
            "2026-11-20T12:00:00+03:00  look_up  citizen ur-owner",
        ]
        functions.clock.forward(minutes=1)
        assert self.ask(command).splitlines()[0] == "2026-11-20T12:02:00+03:00  investigation  staff operator"

    def test_it_is_audited_and_the_plate_a_fingerprint(
        self, functions: Functions, command: Run, log: list[Mapping[str, Any]]
    ) -> None:
        assert self.ask(command) == "nobody\n"
        assert [(each["reason"], each["state"]) for each in log] == [("a complaint", "begun"), ("a complaint", "done")]
        (entry,) = entries(functions)
        assert entry["pk"]["S"] == f"L#{log[0]['plate']}"

    def test_what_is_not_one_plate_is_said(self, command: Run, log: list[Mapping[str, Any]]) -> None:
        assert "no plate: governorate_missing" in self.ask(command, "12345", code=1)
        assert "; or " in self.ask(command, "Baghdad A 12345", code=1)
        assert log == []


def test_one_command_is_one_entry_however_often_it_looks(
    functions: Functions, command: Run, paid: Mapping[str, Any]
) -> None:
    command("payment-trail", paid["payment_id"])
    assert kept(functions) == ["operator"]
    words = ("decide-payment", "reverse", paid["payment_id"], "--reason", "x")
    command(*words)
    assert kept(functions) == ["operator"] * 2
    command(*words, "--apply")
    assert kept(functions) == ["operator"] * 3
    command("refunds")
    assert kept(functions) == ["operator"] * 3
