"""Asking by plate on the local cloud: every family, linked and not, until the quota is used up."""

from __future__ import annotations

import secrets
from typing import NamedTuple

import pytest

from tests.e2e import files
from tests.support.asking import UNDISPUTED
from tests.support.cloud import Cloud, wait_for

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("cloud")]


class Family(NamedTuple):
    """A family in the directorate's words and in a citizen's. letter: what the answer shows."""

    name: str
    cells: dict[str, str]
    typed: str
    letter: str | None


FAMILIES = (
    Family("german", {"plate_family": "ألماني", "plate_governorate": "نينوى", "plate_letter": "ن"}, "نينوى ن {}", "ن"),
    Family("old", {"plate_family": "قديم", "plate_governorate": "البصرة", "plate_letter": ""}, "{} بصرة", None),
    Family("kurdistan", {"plate_family": "كردستان", "plate_governorate": "22", "plate_letter": ""}, "هەولێر {}", None),
    Family("unified", {"plate_family": "موحد", "plate_governorate": "سليمانية", "plate_letter": "B"}, "21 b {}", "B"),
)


@pytest.mark.parametrize("family", FAMILIES, ids=[family.name for family in FAMILIES])
def test_a_plate_of_each_family_linked_and_not(cloud: Cloud, family: Family) -> None:
    number, phone = str(10_000 + secrets.randbelow(90_000)), files.phone()
    rows = [files.row(number, **family.cells, recorded_at=files.now(-days), amount="25000") for days in (40, 2, 1)]
    key = f"backlog/{family.name}-{number}.csv"
    assert cloud.report(key, cloud.upload(key, files.csv(rows)))["counts"]["inserted"] == 3
    token = cloud.token(f"ur-{secrets.token_hex(6)}", phone)
    typed = {"plate": family.typed.format(number)}

    asked = cloud.request("POST", "/v1/queries", typed, token=token, headers={"accept-language": "en"})
    assert asked.status == 200, asked
    plate = asked.body["plate"]
    assert (plate["family"], plate["letter"], plate["number"]) == (family.name, family.letter, number)
    newest_first = [row["violation_no"] for row in reversed(rows)]
    assert [violation["violation_no"] for violation in asked.body["violations"]] == newest_first
    # The first was recorded more than a month ago: it has doubled.
    assert asked.body["totals"] == {"count": 3, "unpaid_count": 3, "amount": 100_000, **UNDISPUTED, "currency": "IQD"}
    assert asked.body["as_of"] is None or asked.body["as_of"].endswith("+03:00")
    wait_for(lambda: any("100,000" in text for text in cloud.sms(phone)), 15, "the SMS of the answer")
    again = cloud.request("POST", "/v1/queries", {"plate": plate}, token=token, headers={"accept-language": "en"}).body
    assert (again["plate"]["number"], again["sms"]["status"]) == (number, "same_as_recent")
    page = cloud.request("GET", f"/v1/queries/{asked.body['query_id']}?limit=2", token=token).body
    rest = cloud.request("GET", f"/v1/queries/{asked.body['query_id']}?cursor={page['next_cursor']}", token=token).body
    assert [violation["violation_no"] for violation in page["items"] + rest["items"]] == newest_first

    linked = cloud.request("POST", "/v1/vehicles", {**typed, "relation": "family", "notify": True}, token=token)
    assert (linked.status, linked.body["totals"]["amount"]) == (201, 100_000)
    vehicle = f"/v1/vehicles/{linked.body['vehicle_id']}"
    (mine,) = cloud.request("GET", "/v1/vehicles", token=token).body["items"]
    assert (mine["plate"]["number"], mine["relation"], mine["notify"]) == (number, "family", True)
    told = cloud.request("GET", f"{vehicle}/violations", token=token).body
    assert [violation["violation_no"] for violation in told["items"]] == newest_first
    stranger = cloud.token(f"ur-{secrets.token_hex(6)}", files.phone())
    assert cloud.request("GET", f"{vehicle}/violations", token=stranger).status == 404
    assert cloud.request("PATCH", vehicle, {"notify": False}, token=token).body["notify"] is False
    assert cloud.request("DELETE", vehicle, token=token).status == 204
    assert cloud.request("GET", f"{vehicle}/violations", token=token).status == 404

    for secret in (phone[4:], typed["plate"], linked.body["plate"]["text"]):
        assert secret not in cloud.logged()


def test_the_eleventh_plate_of_a_day_is_refused_until_midnight(cloud: Cloud) -> None:
    token = cloud.token(f"ur-{secrets.token_hex(6)}", files.phone())
    first = 1_000_000 + secrets.randbelow(8_000_000)
    for number in range(first, first + 10):
        assert cloud.request("POST", "/v1/queries", {"plate": f"11 {number}", "sms": False}, token=token).status == 200
    refused = cloud.request("POST", "/v1/queries", {"plate": f"11 {first + 10}"}, token=token)
    assert (refused.status, refused.body["code"]) == (429, "quota_plates")
    assert 0 <= int(refused.headers["retry-after"]) <= 24 * 3600
    known = cloud.request("POST", "/v1/queries", {"plate": f"11 {first}", "sms": False}, token=token)
    assert known.status == 200


def test_the_fifty_first_question_of_a_day_is_refused(cloud: Cloud) -> None:
    token = cloud.token(f"ur-{secrets.token_hex(6)}", files.phone())
    body = {"plate": f"11 {1_000_000 + secrets.randbelow(8_000_000)}", "sms": False}
    assert [cloud.request("POST", "/v1/queries", body, token=token).status for _ in range(50)] == [200] * 50
    refused = cloud.request("POST", "/v1/queries", body, token=token)
    assert (refused.status, refused.body["code"]) == (429, "quota_queries")
    assert refused.headers["retry-after"].isdecimal()


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", "/v1/queries", b'{"plate": ' + b"[" * 20_000, 400, "body_not_json"),
        ("POST", "/v1/queries", b'{"plate": ' + b"1" * 1_000_000 + b"}", 413, "body_too_large"),
        ("POST", "/v1/queries", b"", 400, "body_not_json"),
        ("GET", "/v1/vehicles?limit=1&limit=2", None, 422, "invalid_input"),
        ("GET", "/v1/messages?cursor=a&cursor=b", None, 422, "invalid_input"),
        ("GET", "/v1/queries/" + "x" * 2_000, None, 404, "no_such_path"),
        ("GET", "/v1/vehicles/%00/violations", None, 404, "no_such_vehicle"),
        ("PUT", "/v1/queries", b"{}", 404, "no_such_path"),
        ("GET", "/v1/queries", None, 404, "no_such_path"),
        ("POST", "/v1/", b"{}", 404, "no_such_path"),
    ],
)
def test_bad_requests_over_the_wire(
    cloud: Cloud, method: str, path: str, body: bytes | None, status: int, code: str
) -> None:
    answer = cloud.request(method, path, body, token=cloud.token("ur-bad-input", files.phone()))
    assert (answer.status, answer.body["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
