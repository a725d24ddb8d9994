"""A link without proof over the months: looked at, told of its end, renewed, proved, ended; whatever fails between."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from notify.links import lapse, lapsing
from shared.aws_json import Json
from shared.domain.citizen import Vehicle
from shared.domain.message import MessageStatus
from shared.domain.time import to_text
from shared.stores.people.lapses import Lapses
from tests.support import lambda_events as events
from tests.support.asking import ASKED, call, on_vehicle
from tests.support.build import OTHER_PHONE, OTHER_PLATE, PLATE, SUB, registration
from tests.support.functions import Functions, run

CARD = {"type": "registration", "number": "AB-12345"}


def link(functions: Functions, **fields: Any) -> str:
    reply = functions.link({**ASKED, "notify": True, **fields})
    assert reply.status == 201, reply.body
    vehicle_id: str = reply.body["vehicle_id"]
    return vehicle_id


def register(functions: Functions, number: str = "AB12345", **fields: Any) -> None:
    at = to_text(functions.clock.at)
    functions.registry.write([registration(number, at=at[:10], uploaded_at=at, **fields)])


def pass_days(functions: Functions, days: int) -> None:
    """So many days go by; each night's job runs on every fifth, and what it puts is sent."""
    for day in range(days):
        functions.clock.forward(days=1)
        if day % 5 == 4 or day == days - 1:
            run("notify.links.lapse", events.schedule())
            functions.send_due()


def vehicle(functions: Functions) -> Json:
    (found,) = call(functions, "GET /v1/vehicles").body["items"]
    return dict(found)


def linked(number: int) -> Vehicle:
    return Vehicle(f"{number:032}", PLATE._replace(number=str(1 + number)).key, None, "self", False)


def told(functions: Functions) -> list[str]:
    return [text for text in functions.phones.texts if "stop following" in text]


def test_it_ends_half_a_year_after_it_was_linked_and_never_untold(functions: Functions) -> None:
    register(functions)
    link(functions)
    pass_days(functions, 165)
    assert told(functions) == []
    assert vehicle(functions)["lapses_on"] is None
    pass_days(functions, 5)
    (text,) = told(functions)
    ends = date.fromisoformat(vehicle(functions)["lapses_on"])
    assert f"{ends:%d/%m/%Y}" in text
    assert ends >= functions.clock.at.date() + timedelta(days=10), "told of it fourteen days before, at most five ago"
    pass_days(functions, 9)
    assert vehicle(functions)["lapses_on"] == ends.isoformat()
    pass_days(functions, 10)
    assert call(functions, "GET /v1/vehicles").body["items"] == []
    assert functions.citizens.vehicles(SUB) == list(functions.citizens.followers(PLATE.key)) == []
    assert len(told(functions)) == 1


def test_before_anything_is_registered_it_never_ends(functions: Functions) -> None:
    link(functions)
    pass_days(functions, 400)
    assert (vehicle(functions)["lapses_on"], told(functions)) == (None, [])
    register(functions)
    pass_days(functions, 160)
    assert (vehicle(functions)["lapses_on"], told(functions)) == (None, [])
    pass_days(functions, 400)
    assert call(functions, "GET /v1/vehicles").body["items"] == []
    assert len(told(functions)) == 1


def test_who_renews_it_keeps_it_for_another_half_year(functions: Functions) -> None:
    register(functions)
    vehicle_id = link(functions)
    pass_days(functions, 170)
    assert vehicle(functions)["lapses_on"]
    renewed = on_vehicle(functions, "PATCH", vehicle_id, body={"renew": True})
    assert (renewed.status, renewed.body["lapses_on"]) == (200, None)
    pass_days(functions, 160)
    assert vehicle(functions)["lapses_on"] is None
    pass_days(functions, 30)
    assert call(functions, "GET /v1/vehicles").body["items"] == []
    assert len(told(functions)) == 2


def test_only_true_renews(functions: Functions) -> None:
    vehicle_id = link(functions)
    for value, code in ((False, "wrong_value"), ("yes", "wrong_type")):
        reply = on_vehicle(functions, "PATCH", vehicle_id, body={"renew": value})
        assert (reply.status, reply.errors) == (422, [("renew", code)])
    assert on_vehicle(functions, "PATCH", "0" * 32, body={"renew": True}).status == 404


def test_who_proves_it_after_being_told_keeps_it(functions: Functions) -> None:
    register(functions)
    link(functions)
    pass_days(functions, 170)
    assert functions.link({**ASKED, "proof": CARD}).body["proven"] is True
    assert vehicle(functions)["lapses_on"] is None
    pass_days(functions, 400)
    assert vehicle(functions)["proven"] is True
    assert len(told(functions)) == 1


def test_a_proof_that_ends_leaves_a_link_that_ends_and_is_told_so(functions: Functions) -> None:
    register(functions)
    assert functions.link({**ASKED, "proof": CARD}).body["proven"] is True
    functions.clock.forward(days=300)
    register(functions, "NEW54321")
    run("notify.links.on_registry", events.records([events.queued("{}")]))
    assert vehicle(functions)["proven"] is False
    pass_days(functions, 30)
    assert len(told(functions)) == 1
    assert call(functions, "GET /v1/vehicles").body["items"] == []


def test_one_is_told_on_the_portal_alone_who_wants_no_sms(functions: Functions) -> None:
    register(functions)
    link(functions)
    call(functions, "PATCH /v1/me", body={"sms": False})
    pass_days(functions, 170)
    assert vehicle(functions)["lapses_on"]
    pass_days(functions, 20)
    assert call(functions, "GET /v1/vehicles").body["items"] == []
    assert functions.phones.sent == []


def test_an_sms_that_did_not_go_out_is_put_again_and_the_link_waits_for_it(
    functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(functions)
    link(functions)
    monkeypatch.setattr(functions, "send_due", lambda: None)
    pass_days(functions, 170)
    first = vehicle(functions)["lapses_on"]
    pass_days(functions, 15)
    again = vehicle(functions)["lapses_on"]
    assert again > first, "none ends untold"
    pass_days(functions, 60)
    assert call(functions, "GET /v1/vehicles").body["items"] == [], "three times is enough: the portal shows it"


def test_a_warning_is_not_sent_of_a_link_that_was_proved_meanwhile(functions: Functions) -> None:
    register(functions)
    link(functions)
    functions.clock.forward(days=170)
    run("notify.links.lapse", events.schedule())
    assert functions.link({**ASKED, "proof": CARD}).body["proven"] is True
    functions.send_due()
    assert told(functions) == []
    assert functions.statuses() == [MessageStatus.DROPPED]


def test_one_that_is_proved_while_it_is_looked_at_is_not_warned(
    functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(functions)
    link(functions)
    functions.clock.forward(days=170)
    ordinary = lapsing._warn

    def warn(*arguments: Any) -> bool:
        assert functions.link({**ASKED, "proof": CARD}).body["proven"] is True
        return ordinary(*arguments)

    monkeypatch.setattr(lapsing, "_warn", warn)
    run("notify.links.lapse", events.schedule())
    assert functions.statuses() == []


def test_one_that_is_renewed_while_it_is_looked_at_is_not_warned(
    functions: Functions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the very day on which it is due, so that the day on which it is looked at again is the one that was read."""
    register(functions)
    vehicle_id = link(functions)
    run("notify.links.lapse", events.schedule())
    functions.clock.forward(days=166)
    ordinary = lapsing._warn

    def warn(*arguments: Any) -> bool:
        assert on_vehicle(functions, "PATCH", vehicle_id, body={"renew": True}).status == 200
        return ordinary(*arguments)

    monkeypatch.setattr(lapsing, "_warn", warn)
    run("notify.links.lapse", events.schedule())
    assert functions.statuses() == []


def test_what_was_told_before_a_proof_does_not_count_after_it(functions: Functions) -> None:
    register(functions)
    link(functions)
    pass_days(functions, 170)
    assert functions.link({**ASKED, "proof": CARD}).body["proven"] is True
    pass_days(functions, 60)
    register(functions, "NEW54321")
    run("notify.links.on_registry", events.records([events.queued("{}")]))
    assert (vehicle(functions)["proven"], vehicle(functions)["lapses_on"]) == (False, None)
    pass_days(functions, 170)
    assert len(told(functions)) == 2


def test_two_runs_at_once_warn_and_end_once(functions: Functions, monkeypatch: pytest.MonkeyPatch) -> None:
    register(functions)
    link(functions)
    functions.clock.forward(days=170)
    inner: list[int] = []
    ordinary = lapsing._look_at

    def look_at(page: Any, *others: Any) -> tuple[int, int]:
        if not inner:
            inner.append(1)
            run("notify.links.lapse", events.schedule())
        return ordinary(page, *others)

    for days in (0, 20):
        functions.clock.forward(days=days)
        inner.clear()
        with monkeypatch.context() as racing:
            racing.setattr(lapsing, "_look_at", look_at)
            run("notify.links.lapse", events.schedule())
        functions.send_due()
    assert len(told(functions)) == 1
    assert call(functions, "GET /v1/vehicles").body["items"] == []


def test_a_link_that_is_renewed_while_it_ends_stays(functions: Functions, monkeypatch: pytest.MonkeyPatch) -> None:
    register(functions)
    vehicle_id = link(functions)
    pass_days(functions, 170)
    functions.clock.forward(days=20)
    ordinary = lapsing._end

    def end(*arguments: Any) -> bool:
        assert on_vehicle(functions, "PATCH", vehicle_id, body={"renew": True}).status == 200
        return ordinary(*arguments)

    monkeypatch.setattr(lapsing, "_end", end)
    run("notify.links.lapse", events.schedule())
    assert vehicle(functions)["vehicle_id"] == vehicle_id


def test_one_that_cannot_be_read_holds_up_nobody_and_the_run_has_failed(functions: Functions) -> None:
    register(functions)
    register(functions, plate=OTHER_PLATE)
    vehicle_id = link(functions)
    other = {"plate": f"12 ز {OTHER_PLATE.number}", "relation": "self", "notify": True}
    claims = {"sub": "second", "phone_number": OTHER_PHONE}
    assert functions.link(other, claims=claims).status == 201
    (item,) = [each for each in functions.tables.items("Citizens") if each["sk"]["S"] == f"VEHICLE#{vehicle_id}"]
    put = {"TableName": functions.tables["Citizens"], "Item": {**item, "linked_at": {"N": "5"}}}
    functions._fast()("dynamodb", "PutItem", put)
    functions.clock.forward(days=170)
    with pytest.raises(RuntimeError, match="1 links cannot be read"):
        run("notify.links.lapse", events.schedule())
    functions.send_due()
    assert [phone for phone, _ in functions.phones.sent] == [OTHER_PHONE]


def test_a_thousand_that_are_only_looked_at_again_cost_a_few_calls(functions: Functions) -> None:
    port, table = functions._fast(), functions.tables["Citizens"]
    for number in range(1_000):
        functions.citizens.make(functions.citizens._link_actions(f"sub-{number}", linked(number), functions.clock.at))
    calls: list[str] = []

    def counted(service: str, operation: str, request: Json) -> Json:
        calls.append(operation)
        return port(service, operation, request)

    ports = lapse._ports()
    done = lapsing.lapse(
        ports._replace(lapses=Lapses(counted, table)), timedelta(days=180), functions.clock.at, lambda: True
    )
    assert (done.warned, done.ended, done.unreadable) == (0, 0, [])
    assert calls.count("Query") <= 11
    assert calls.count("TransactWriteItems") == 20
