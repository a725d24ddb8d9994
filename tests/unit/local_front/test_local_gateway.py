"""The sandbox gateway over HTTP, as a merchant and its customer meet it."""

import hashlib
import hmac
import json
import re
from datetime import UTC, datetime, timedelta
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from local_servers import SECRET, Answer, Local, Seen, Upstream, eventually

from infra.local.gateway.server import Gateway
from infra.local.web.messages import Request

GATEWAY = "/_local/gateway"
KEY = {"Authorization": f"Bearer {SECRET['api_key']}"}


def order(upstream: Upstream, **changes: Any) -> dict[str, Any]:
    expires_at = datetime.now(UTC) + timedelta(minutes=15)
    return {
        "reference": "pay-1",
        "amount": 150_000,
        "currency": "IQD",
        "description": "3 مخالفات",
        "callback_url": f"{upstream.url}/v1/callbacks/sandbox",
        "return_url": "http://127.0.0.1:9/back?a=1&b=2",
        "expires_at": expires_at.isoformat(),
    } | changes


def create(local: Local, upstream: Upstream, **changes: Any) -> dict[str, Any]:
    answer = local.client("POST", f"{GATEWAY}/v1/payments", order(upstream, **changes), KEY)
    assert answer.status == 201, answer.body
    return dict(answer.json())


def look(local: Local, payment: dict[str, Any]) -> dict[str, Any]:
    return dict(local.client("GET", f"{GATEWAY}/v1/payments/{payment['id']}", headers=KEY).json())


def submit(local: Local, payment: dict[str, Any], outcome: str) -> Answer:
    form = {"Content-Type": "application/x-www-form-urlencoded", "Origin": local.base}
    return local.client("POST", urlsplit(payment["pay_url"]).path, f"outcome={outcome}".encode(), form)


def callbacks(upstream: Upstream) -> list[Seen]:
    return [seen for seen in upstream.seen if seen.target == "/v1/callbacks/sandbox"]


def test_a_created_payment_says_what_was_asked(local: Local, upstream: Upstream) -> None:
    asked = order(upstream)
    answer = local.client("POST", f"{GATEWAY}/v1/payments", asked, KEY)
    assert answer.status == 201
    payment = answer.json()
    assert asked.items() <= payment.items()
    assert payment["status"] == "created"
    assert payment["paid_at"] is None
    assert payment["pay_url"] == f"http://127.0.0.1:8080{GATEWAY}/pay/{payment['id']}"
    assert datetime.fromisoformat(payment["created_at"]).tzinfo
    assert look(local, payment) == payment
    by_reference = local.client("GET", f"{GATEWAY}/v1/payments?reference=pay-1", headers=KEY)
    assert by_reference.json() == payment


def test_the_same_reference_gives_the_first_payment(local: Local, upstream: Upstream) -> None:
    payment = create(local, upstream)
    again = local.client("POST", f"{GATEWAY}/v1/payments", order(upstream, amount=1), KEY)
    assert (again.status, again.json()) == (200, payment)


@pytest.mark.parametrize("key", [None, "Bearer wrong", SECRET["api_key"], "Bearer ", "Bearer مفتاح"])
def test_without_the_key_the_merchant_api_is_shut(local: Local, upstream: Upstream, key: str | None) -> None:
    headers = {"Authorization": key.encode().decode("latin-1")} if key is not None else {}
    for method, path in (("POST", ""), ("GET", "?reference=pay-1"), ("GET", "/sgw_1"), ("POST", "/sgw_1/refunds")):
        answer = local.client(method, f"{GATEWAY}/v1/payments{path}", order(upstream), headers)
        assert (answer.status, answer.json()["error"]["code"]) == (401, "unauthorized")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("reference", ""),
        ("reference", "a/b"),
        ("reference", "x" * 65),
        ("amount", 0),
        ("amount", True),
        ("amount", 10.5),
        ("amount", "100"),
        ("amount", 10_000_000_001),
        ("currency", "USD"),
        ("description", ""),
        ("description", None),
        ("callback_url", "ftp://127.0.0.1/"),
        ("return_url", "javascript:alert(1)"),
        ("return_url", 'http://127.0.0.1/"onclick='),
        ("return_url", "https://"),
        ("expires_at", "tomorrow"),
        ("expires_at", "2030-01-01T00:00:00"),
    ],
)
def test_a_bad_order_names_its_field(local: Local, upstream: Upstream, field: str, value: Any) -> None:
    answer = local.client("POST", f"{GATEWAY}/v1/payments", order(upstream, **{field: value}), KEY)
    assert answer.status == 422
    assert answer.json()["error"]["message"].startswith(field)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff"])
def test_an_order_must_be_a_json_object(local: Local, body: bytes) -> None:
    assert local.client("POST", f"{GATEWAY}/v1/payments", body, KEY).status == 422


def test_unknown_payments_are_not_found(local: Local) -> None:
    assert local.client("GET", f"{GATEWAY}/v1/payments/sgw_1", headers=KEY).status == 404
    assert local.client("GET", f"{GATEWAY}/v1/payments?reference=none", headers=KEY).status == 404
    assert local.client("GET", f"{GATEWAY}/v1/payments", headers=KEY).status == 404
    assert local.client("POST", f"{GATEWAY}/v1/payments/sgw_1/refunds", headers=KEY).status == 404
    assert local.client("GET", f"{GATEWAY}/pay/sgw_1").status == 404
    assert local.client("POST", f"{GATEWAY}/none/pay").status == 404
    assert local.client("POST", f"{GATEWAY}/none/dance").status == 404


@pytest.mark.parametrize(("outcome", "status"), [("pay", "paid"), ("fail", "failed"), ("expire", "expired")])
def test_outcome_changes_the_payment_and_calls_back(
    local: Local, upstream: Upstream, outcome: str, status: str
) -> None:
    payment = create(local, upstream)
    answer = local.client("POST", f"{GATEWAY}/pay-1/{outcome}")
    assert answer.status == 200
    assert answer.json() == look(local, payment)
    assert answer.json()["status"] == status
    assert (answer.json()["paid_at"] is not None) == (status == "paid")
    (callback,) = eventually(lambda: callbacks(upstream))
    assert json.loads(callback.body) == {
        "id": payment["id"],
        "reference": "pay-1",
        "status": status,
        "amount": 150_000,
        "currency": "IQD",
        "created_at": payment["created_at"],
    }


def test_callback_is_signed_over_its_time_and_raw_body(local: Local, upstream: Upstream) -> None:
    create(local, upstream)
    local.client("POST", f"{GATEWAY}/pay-1/pay")
    (callback,) = eventually(lambda: callbacks(upstream))
    match = re.fullmatch(r"t=(\d+),v1=([0-9a-f]{64})", callback.headers["X-Sandbox-Signature"])
    assert match
    expected = hmac.digest(SECRET["callback_key"].encode(), match[1].encode() + b"." + callback.body, hashlib.sha256)
    assert match[2] == expected.hex()
    assert abs(int(match[1]) - datetime.now(UTC).timestamp()) < 60


def test_a_repeated_outcome_changes_nothing_and_another_is_refused(local: Local, upstream: Upstream) -> None:
    create(local, upstream)
    first = local.client("POST", f"{GATEWAY}/pay-1/pay")
    again = local.client("POST", f"{GATEWAY}/pay-1/pay")
    assert (again.status, again.json()) == (200, first.json())
    for outcome in ("fail", "expire"):
        assert local.client("POST", f"{GATEWAY}/pay-1/{outcome}").status == 409
    create(local, upstream, reference="pay-2")
    local.client("POST", f"{GATEWAY}/pay-2/expire")
    eventually(lambda: len(callbacks(upstream)) == 2)
    assert [json.loads(callback.body)["status"] for callback in callbacks(upstream)] == ["paid", "expired"]


def test_a_callback_is_tried_until_it_is_acknowledged(local: Local, upstream: Upstream) -> None:
    upstream.answer = lambda _: (503 if len(upstream.seen) < 3 else 204, [], b"")
    create(local, upstream)
    local.client("POST", f"{GATEWAY}/pay-1/pay")
    eventually(lambda: len(callbacks(upstream)) == 3)
    create(local, upstream, reference="pay-2")
    local.client("POST", f"{GATEWAY}/pay-2/pay")
    eventually(lambda: len(callbacks(upstream)) == 4)
    assert json.loads(callbacks(upstream)[3].body)["reference"] == "pay-2"


def test_a_callback_is_given_up_after_five_tries(local: Local, upstream: Upstream) -> None:
    upstream.answer = lambda seen: (500 if b'"pay-1"' in seen.body else 200, [], b"")
    create(local, upstream)
    local.client("POST", f"{GATEWAY}/pay-1/pay")
    eventually(lambda: len(callbacks(upstream)) == 5)
    create(local, upstream, reference="pay-2")
    local.client("POST", f"{GATEWAY}/pay-2/pay")
    eventually(lambda: len(callbacks(upstream)) == 6)
    assert json.loads(callbacks(upstream)[5].body)["reference"] == "pay-2"


def test_time_runs_out_by_itself(local: Local, upstream: Upstream) -> None:
    past = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    payment = create(local, upstream, expires_at=past)
    assert look(local, payment)["status"] == "expired"
    assert local.client("POST", f"{GATEWAY}/pay-1/pay").status == 409
    (callback,) = eventually(lambda: callbacks(upstream))
    assert json.loads(callback.body)["status"] == "expired"


def refund(local: Local, payment: dict[str, Any], reference: str, amount: object) -> Answer:
    body = {"reference": reference, "amount": amount}
    return local.client("POST", f"{GATEWAY}/v1/payments/{payment['id']}/refunds", body, KEY)


def test_only_a_paid_payment_is_refunded_and_once_for_each_reference(local: Local, upstream: Upstream) -> None:
    payment = create(local, upstream)
    refused = refund(local, payment, "back-1", 150_000)
    assert (refused.status, refused.json()["error"]["code"]) == (409, "not_paid")
    local.client("POST", f"{GATEWAY}/pay-1/pay")
    for _ in range(2):
        answer = refund(local, payment, "back-1", 150_000)
        assert (answer.status, answer.json()["status"]) == (200, "refunded")
    assert look(local, payment)["status"] == "refunded"
    assert look(local, payment)["paid_at"]
    assert refund(local, payment, "back-2", 1).status == 409


def test_a_payment_is_given_back_in_parts_and_never_more_than_all_of_it(local: Local, upstream: Upstream) -> None:
    payment = create(local, upstream)
    local.client("POST", f"{GATEWAY}/pay-1/pay")
    assert refund(local, payment, "back-1", 50_000).status == 200
    assert look(local, payment)["status"] == "paid"
    assert refund(local, payment, "back-2", 100_001).status == 409
    assert refund(local, payment, "back-2", 100_000).status == 200
    assert look(local, payment)["status"] == "refunded"


@pytest.mark.parametrize(
    ("reference", "amount", "field"), [("", 1, "reference"), ("back-1", 0, "amount"), ("back-1", "1", "amount")]
)
def test_a_refund_that_cannot_be_read_names_the_field(
    local: Local, upstream: Upstream, reference: str, amount: object, field: str
) -> None:
    payment = create(local, upstream)
    local.client("POST", f"{GATEWAY}/pay-1/pay")
    answer = refund(local, payment, reference, amount)
    assert (answer.status, answer.json()["error"]["code"]) == (422, "invalid")
    assert answer.json()["error"]["message"].startswith(field)


def test_a_merchant_closes_an_open_payment_and_no_other(local: Local, upstream: Upstream) -> None:
    payment = create(local, upstream)
    cancel = f"{GATEWAY}/v1/payments/cancel?reference="
    assert local.client("POST", f"{cancel}pay-1", headers=KEY).json()["status"] == "failed"
    assert local.client("POST", f"{GATEWAY}/pay-1/pay").status == 409
    assert local.client("POST", f"{cancel}pay-2", headers=KEY).status == 404
    create(local, upstream, reference="pay-2")
    local.client("POST", f"{GATEWAY}/pay-2/pay")
    refused = local.client("POST", f"{cancel}pay-2", headers=KEY)
    assert (refused.status, refused.json()["error"]["code"]) == (409, "over")
    assert look(local, payment)["status"] == "failed"


def test_page_shows_the_payment_in_arabic_or_english(local: Local, upstream: Upstream) -> None:
    payment = create(local, upstream)
    path = urlsplit(payment["pay_url"]).path
    arabic = local.client("GET", path)
    assert arabic.headers["Content-Type"] == "text/html; charset=utf-8"
    text = arabic.body.decode()
    assert '<html lang="ar" dir="rtl">' in text
    for shown in ("تجريبية", "150,000 دينار", "3 مخالفات", 'value="pay"', 'value="fail"', 'value="expire"'):
        assert shown in text
    english = local.client("GET", f"{path}?lang=en").body.decode()
    assert '<html lang="en" dir="ltr">' in english
    assert "sandbox" in english
    assert "150,000 IQD" in english


def test_page_escapes_what_the_merchant_wrote(local: Local, upstream: Upstream) -> None:
    description = "<script>alert('x')</script>\"&"
    payment = create(local, upstream, description=description, return_url="http://127.0.0.1:9/?a='&b=1")
    local.client("POST", f"{GATEWAY}/pay-1/fail")
    page = local.client("GET", urlsplit(payment["pay_url"]).path).body.decode()
    assert "<script" not in page
    assert "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;&quot;&amp;" in page
    assert 'href="http://127.0.0.1:9/?a=&#x27;&amp;b=1"' in page


@pytest.mark.parametrize(("outcome", "status"), [("pay", "paid"), ("fail", "failed"), ("expire", "expired")])
def test_page_acts_and_leads_back(local: Local, upstream: Upstream, outcome: str, status: str) -> None:
    payment = create(local, upstream)
    answer = submit(local, payment, outcome)
    assert (answer.status, answer.headers["Location"]) == (303, "http://127.0.0.1:9/back?a=1&b=2")
    assert look(local, payment)["status"] == status
    assert eventually(lambda: callbacks(upstream))
    page = local.client("GET", urlsplit(payment["pay_url"]).path).body.decode()
    assert "<form" not in page
    assert f'class="status {status}"' in page
    assert 'href="http://127.0.0.1:9/back?a=1&amp;b=2"' in page


def test_page_of_an_ended_payment_shows_how_it_ended(local: Local, upstream: Upstream) -> None:
    payment = create(local, upstream)
    submit(local, payment, "fail")
    late = submit(local, payment, "pay")
    assert (late.status, late.headers["Location"]) == (303, payment["pay_url"])
    assert submit(local, payment, "dance").status == 422
    assert look(local, payment)["status"] == "failed"


def test_payments_and_unsent_callbacks_outlive_a_restart(tmp_path: Path, upstream: Upstream) -> None:
    upstream.answer = lambda _: (503, [], b"")
    base = f"http://127.0.0.1:8080{GATEWAY}"
    first = Gateway(tmp_path, base, lambda: SECRET, retry_delays=[3600] * 4)
    first.handle(Request("POST", f"{GATEWAY}/v1/payments", merchant(), json.dumps(order(upstream)).encode(), ""))
    first.handle(Request("POST", f"{GATEWAY}/pay-1/pay", Message(), b"", ""))
    eventually(lambda: callbacks(upstream))
    first.close()
    second = Gateway(tmp_path, base, lambda: SECRET, retry_delays=[3600] * 4)
    eventually(lambda: len(callbacks(upstream)) == 2)
    found = second.handle(Request("GET", f"{GATEWAY}/v1/payments?reference=pay-1", merchant(), b"", ""))
    second.close()
    assert json.loads(found.body)["status"] == "paid"


def merchant() -> Message:
    headers = Message()
    headers["Authorization"] = KEY["Authorization"]
    return headers
