"""Whatever is wrong with a call is told with the field's name, changes nothing, and none of it is logged."""

from __future__ import annotations

import base64
import copy
import json
from typing import Any, Final

import pytest

from infra.openapi.operations import OPERATIONS
from query.api import ROUTES
from shared.aws_json import Json
from shared.http import MAX_BODY_BYTES
from tests.support.asking import TYPED
from tests.support.build import PHONE, PLATE, SUB, store, violation
from tests.support.functions import PERSONAL, Functions, Reply, forget

PARTS: Final[Json] = {"family": "german", "governorate": "11", "category": "private", "letter": "ز", "number": "5"}
LINK: Final[Json] = {"plate": PARTS, "relation": "self", "notify": True}
PROVEN: Final[Json] = {**LINK, "proof": {"type": "registration", "number": "AB12345"}}
ME: Final[Json] = {"language": "en", "sms": True}
CHANGE: Final[Json] = {"relation": "self", "notify": True, "renew": True}

MISSING: Final = object()
NO_TEXT = (7, 1.5, True, ["a"], {"a": "b"})
NO_FLAG = (0, 1, 1.5, "true", [], {})
NO_OBJECT = (7, 1.5, True, "text", [])

# Of each field of each call: a good body, and what is answered to values that are none.
Refusals = dict[str, tuple[Any, ...]]
OF_THE_PLATE: Final[dict[str, Refusals]] = {
    "plate": {
        "missing": (MISSING, None),
        "wrong_type": (7, 1.5, True, ["a"]),
        "plate_too_long": ("1" * 81, "ز" * 10_000),
        "plate_unreadable": ("بغداد ز 12\u000056", "\x7f", "<script>"),
        "number_missing": ("", " "),
        "word_unknown": ("بغدات ز 12456",),
    },
    "plate.family": {
        "missing": (MISSING, None),
        "wrong_type": NO_TEXT,
        "too_long": ("x" * 41,),
        "family_unknown": ("", "x", "german\u0000"),
        "family_new": ("جديد",),
    },
    "plate.governorate": {
        "missing": (MISSING, None, {}, {"name": "Baghdad"}),
        "wrong_type": (11, 1.5, True, ["11"], {"code": 11}),
        "too_long": ("x" * 41, {"code": "1" * 41}),
        "governorate_unknown": ("", "10", "30", "1\u00001"),
    },
    "plate.category": {
        "wrong_type": NO_TEXT,
        "too_long": ("x" * 41,),
        "category_unknown": ("x", "private\u0000"),
    },
    "plate.letter": {
        "letter_missing": (MISSING, None, ""),
        "wrong_type": NO_TEXT,
        "too_long": ("ز" * 41,),
        "letter_not_arabic": ("زز", "Z", "ز\u0000", "گ"),
    },
    "plate.number": {
        "missing": (MISSING, None),
        "wrong_type": NO_TEXT,
        "too_long": ("1" * 41,),
        "number_missing": ("",),
        "number_not_digits": ("x", "1\u00002", "1e5", "½", "१"),
        "number_zero": ("0", "000"),
        "number_too_long": ("1234567",),
    },
}
OF_A_LINK: Final[dict[str, Refusals]] = {
    "relation": {
        "missing": (MISSING, None),
        "wrong_type": NO_TEXT,
        "wrong_value": ("", "friend", "SELF", "self\u0000", "x" * 10_000),
    },
    "notify": {"wrong_type": NO_FLAG},
    "proof": {"wrong_type": NO_OBJECT},
    "proof.type": {"missing": (MISSING, None), "wrong_value": (*NO_TEXT, "", "passport", "x" * 10_000)},
    "proof.number": {
        "missing": (MISSING, None),
        "wrong_type": NO_TEXT,
        "too_long": ("1" * 41, "1" * 10_000),
        "wrong_value": ("", "1", "12\u000045", "?" * 10),
    },
}
CALLS: Final[dict[str, tuple[Json, dict[str, Refusals]]]] = {
    "POST /v1/queries": ({"plate": PARTS, "sms": True}, {**OF_THE_PLATE, "sms": {"wrong_type": NO_FLAG}}),
    "POST /v1/vehicles": (PROVEN, {**OF_THE_PLATE, **OF_A_LINK}),
    "PATCH /v1/vehicles/{vehicle_id}": (
        CHANGE,
        {
            "relation": {"wrong_type": NO_TEXT, "wrong_value": ("", "friend", "self\u0000")},
            "notify": {"wrong_type": NO_FLAG},
            "renew": {"wrong_type": NO_FLAG, "wrong_value": (False,)},
        },
    ),
    "PATCH /v1/me": (
        ME,
        {
            "language": {"wrong_type": NO_TEXT, "wrong_value": ("", "fr", "AR", "ar\u0000", "x" * 10_000)},
            "sms": {"wrong_type": NO_FLAG},
        },
    ),
}


def broken(body: Json, field: str, value: Any) -> Json:
    """A body with another value of a field."""
    body = copy.deepcopy(body)
    *parents, name = field.split(".")
    holder = body
    for parent in parents:
        holder = holder[parent]
    if value is MISSING:
        del holder[name]
    else:
        holder[name] = value
    return body


CASES = [
    pytest.param(route, body, field, refusals, id=f"{route} {field}")
    for route, (body, fields) in CALLS.items()
    for field, refusals in fields.items()
]


@pytest.fixture
def vehicle_id(functions: Functions) -> str:
    found: str = functions.link({"plate": TYPED, "relation": "self"}).body["vehicle_id"]
    return found


def call(functions: Functions, route: str, vehicle_id: str = "", **request: Any) -> Reply:
    path = {"vehicle_id": vehicle_id} if "{vehicle_id}" in route else None
    return functions.call("query.api", route, path=path, **request)


@pytest.mark.parametrize(("route", "body", "field", "refusals"), CASES)
def test_the_field_that_is_wrong_is_named(
    functions: Functions, vehicle_id: str, route: str, body: Json, field: str, refusals: Refusals
) -> None:
    before = functions.tables.items("Messages"), functions.citizens.vehicles(SUB)
    for code, values in refusals.items():
        for value in values:
            reply = call(functions, route, vehicle_id, body=broken(body, field, value))
            assert reply.status == 422, (code, str(value)[:40])
            told = [(at if at.startswith(field) else "another field", why) for at, why in reply.errors]
            assert told == [(field, code)], str(value)[:40]
    assert (functions.tables.items("Messages"), functions.citizens.vehicles(SUB)) == before


def test_every_field_of_every_body_is_in_the_table() -> None:
    ours = {route for route, operation in OPERATIONS.items() if operation.body and route in ROUTES}
    assert ours == set(CALLS)
    for route, (_, fields) in CALLS.items():
        operation = OPERATIONS[route]
        assert set(fields) == operation.fields.keys() | operation.unreadable.keys()


NO_BODIES: Final[list[tuple[bytes, int, str]]] = [
    (b"", 400, "body_not_json"),
    (b"{", 400, "body_not_json"),
    (b"plate=11+12345", 400, "body_not_json"),
    (b"NaN", 400, "body_not_json"),
    (b'{"plate": "\xff\xfe"}', 400, "body_not_json"),
    (b'{"plate": "\xed\xa0\x80"}', 400, "body_not_json"),
    (b'{"plate": "\\ud800"}', 400, "body_not_json"),
    (b'{"plate": ' + b"[" * 30_000 + b"]" * 30_000 + b"}", 400, "body_not_json"),
    (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, 400, "body_not_json"),
    (b'{"plate": ' + b"1" * 1_000_000 + b"}", 413, "body_too_large"),
    (b'{"plate": "' + b"1" * MAX_BODY_BYTES + b'"}', 413, "body_too_large"),
    (b"[]", 422, "body_not_object"),
    (b"null", 422, "body_not_object"),
    (b'"text"', 422, "body_not_object"),
    (b"7", 422, "body_not_object"),
]


@pytest.mark.parametrize("route", CALLS)
@pytest.mark.parametrize("in_base64", [True, False])
def test_a_body_that_is_no_request_is_refused(
    functions: Functions, vehicle_id: str, route: str, in_base64: bool
) -> None:
    for body, status, code in NO_BODIES:
        raw = base64.b64encode(body).decode() if in_base64 else body.decode("utf-8", "surrogateescape")
        reply = call(functions, route, vehicle_id, raw=raw, base64=in_base64)
        assert (reply.status, reply.body["code"]) == (status, code), body[:40]
    assert call(functions, route, vehicle_id, raw="{}!", base64=True).body["code"] == "body_not_json"


@pytest.mark.parametrize("digits", [400, 60_000])
def test_a_number_of_many_digits_is_refused(functions: Functions, digits: int) -> None:
    for body in ('{"plate": %s}', '{"plate": {"family": "german", "governorate": %s}}', '{"plate": "11 5", "sms": %s}'):
        assert functions.ask(raw=body % ("9" * digits)).status in (400, 422)
    assert functions.ask({"plate": "9" * digits}).errors == [("plate", "plate_too_long")]


def test_a_body_in_base64_is_read_as_any_other(functions: Functions) -> None:
    raw = base64.b64encode(json.dumps({"plate": TYPED, "sms": False}).encode()).decode()
    assert functions.ask(raw=raw, base64=True).status == 200


LISTS = (
    "GET /v1/queries/{query_id}",
    "GET /v1/vehicles",
    "GET /v1/vehicles/{vehicle_id}/violations",
    "GET /v1/messages",
)
LIMITS = ("0", "101", "-1", "1.5", "ten", "", "٥", "1e1", "0010", "1" * 1_000_000, "1\u00000", "1,2")
CURSORS = ("a", "abcd", "é", "=", "A" * 100_000, "🚗", "a,b", "\x00", "../..", "MTIz")


@pytest.fixture
def ids(functions: Functions, vehicle_id: str) -> dict[str, str]:
    return {"vehicle_id": vehicle_id, "query_id": functions.ask({"plate": TYPED}).body["query_id"]}


@pytest.mark.parametrize("route", LISTS)
def test_a_page_that_nobody_can_ask_for_is_refused(functions: Functions, ids: dict[str, str], route: str) -> None:
    """Parameters that are repeated come joined by a comma."""
    for name, code, values in (("limit", "wrong_value", LIMITS), ("cursor", "cursor_invalid", CURSORS)):
        for value in values:
            reply = functions.call("query.api", route, path=ids, query={name: value})
            assert (reply.status, reply.errors) == (422, [(name, code)]), value[:20]
    assert functions.call("query.api", route, path=ids, query={"unknown": "1", "limit": "1"}).status == 200


def test_a_cursor_opens_no_list_but_its_own(functions: Functions) -> None:
    def page(route: str, ids: dict[str, str], sub: str = SUB, **query: str) -> Reply:
        return functions.call("query.api", route, path=ids, query={"limit": "1", **query}, claims={"sub": sub})

    store(functions.violations, violation(), violation(), violation())
    ids: dict[str, dict[str, str]] = {}
    for sub in (SUB, "ur-another"):
        functions.link({"plate": "11 5", "relation": "self"}, claims={"sub": sub})
        linked = functions.link({"plate": TYPED, "relation": "self"}, claims={"sub": sub}).body["vehicle_id"]
        functions.ask({"plate": "11 5"}, claims={"sub": sub})
        asked = functions.ask({"plate": TYPED}, claims={"sub": sub}).body["query_id"]
        ids[sub] = {"vehicle_id": linked, "query_id": asked}
    cursors = {(route, sub): page(route, ids[sub], sub).body["next_cursor"] for route in LISTS for sub in ids}
    assert len(set(cursors.values())) == len(cursors) == 8
    for (route, sub), cursor in cursors.items():
        for other in LISTS:
            for reader in ids:
                status = page(other, ids[reader], reader, cursor=cursor).status
                assert status == (200 if (other, reader) == (route, sub) else 422)
        for index in range(0, len(cursor) - 1, 7):
            tampered = cursor[:index] + ("A" if cursor[index] != "A" else "B") + cursor[index + 1 :]
            assert page(route, ids[sub], sub, cursor=tampered).errors == [("cursor", "cursor_invalid")]


PATHS = [
    ("GET /v1/queries/{query_id}", "query_id"),
    ("PATCH /v1/vehicles/{vehicle_id}", "vehicle_id"),
    ("DELETE /v1/vehicles/{vehicle_id}", "vehicle_id"),
    ("GET /v1/vehicles/{vehicle_id}/violations", "vehicle_id"),
    ("GET /v1/vehicles/{vehicle_id}/followers", "vehicle_id"),
    ("DELETE /v1/vehicles/{vehicle_id}/followers/{follower_id}", "vehicle_id"),
]


@pytest.mark.parametrize(("route", "name"), PATHS)
def test_an_id_that_is_none_is_not_found(functions: Functions, ids: dict[str, str], route: str, name: str) -> None:
    ids["follower_id"] = "0" * 32
    for value in ("", "0" * 32, "x", "é", "\x00", "../me", "P#DE#11", "x" * 65, "x" * 100_000, " ", "%00"):
        reply = functions.call("query.api", route, path={**ids, name: value}, body={})
        assert reply.status == 404, value[:20]


@pytest.mark.parametrize("route", ["$default", "PUT /v1/queries", "PUT /v1/me", "GET /v1/queries", "GET /v2/me"])
def test_an_unknown_path_or_method_is_not_found(functions: Functions, route: str) -> None:
    assert functions.call("query.api", route).body["code"] == "no_such_path"


@pytest.mark.parametrize("sub", [None, "", "P#DE#11#ز#5", "a#b", "a b", "x" * 256, "a\x00", "é"])
def test_a_token_that_names_nobody_is_refused(functions: Functions, sub: str | None) -> None:
    for route, (body, _) in CALLS.items():
        reply = call(functions, route, "0" * 32, body=body, claims={"sub": sub})
        assert (reply.status, reply.body["code"]) == (403, "token_unusable")
    assert functions.tables.items("Citizens") == []


@pytest.mark.parametrize("phone", [None, "", "+14155550100", "07", "x" * 10_000, "+964770123456\u0000"])
def test_a_token_without_a_phone_of_iraq_asks_without_sms(functions: Functions, phone: str | None) -> None:
    reply = functions.ask({"plate": TYPED}, claims={"phone_number": phone})
    assert (reply.status, reply.body["sms"]) == (200, {"status": "no_phone", "parts": 0})
    assert functions.statuses() == []


@pytest.mark.parametrize("accept", ["", "*", "fr", "ar;q=x", "en;q=" + "9" * 400, ";;;,,,=", "x" * 10_000, "\x00"])
def test_any_language_may_be_asked_for(functions: Functions, accept: str) -> None:
    assert functions.call("query.api", "GET /v1/me", headers={"accept-language": accept}).status == 200


def test_nothing_that_a_citizen_typed_is_logged(
    functions: Functions, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of calls that go well, that are refused, and that fail inside."""
    monkeypatch.setenv("PROOF", "registration")
    forget()
    arabic_digits = PLATE.number.translate({ord(str(digit)): chr(0x660 + digit) for digit in range(10)})
    for typed in (TYPED, f"ز {arabic_digits} بغداد", {**PARTS, "number": PLATE.number}, f"بغدات ز {PLATE.number}"):
        functions.ask({"plate": typed})
        functions.link(
            {"plate": typed, "relation": "self", "proof": {"type": "registration", "number": "CARD-84619077"}}
        )
    functions.ask(raw=f'{{"plate": "{PLATE.number}')
    for table in ("VIOLATIONS_TABLE", "CITIZENS_TABLE", "MESSAGES_TABLE", "REGISTRY_TABLE"):
        with monkeypatch.context() as away:
            away.setenv(table, "no-such-table")
            forget()
            functions.ask({"plate": TYPED})
            functions.link(
                {"plate": TYPED, "relation": "self", "proof": {"type": "registration", "number": "CARD-84619077"}}
            )
            functions.call("query.api", "GET /v1/me")
    logged = "".join(capsys.readouterr())
    assert "unexpected error" in logged
    assert "LookUps" in logged
    secrets = (*PERSONAL, arabic_digits, "84619077", PHONE, SUB)
    assert [secret for secret in secrets if secret in logged] == []
