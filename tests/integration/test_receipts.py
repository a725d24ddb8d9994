"""A receipt: for its payer alone, as JSON and as one page of PDF that is made once and leads to the public check."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pypdfium2 as pdfium
import pytest
import zxingcpp

from pay import receipts
from shared.domain.violation import Violation
from tests.support.aws import Engine
from tests.support.build import PLATE, follow, later, row, store, violation
from tests.support.functions import Functions, Reply, forget

RETURN_URL = "https://tf.ur.gov.iq/paid"


@pytest.fixture
def bucket(engine: Engine, functions: Functions, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The bucket of receipts; called, it names what is in it."""
    s3 = engine.session.client("s3", endpoint_url=engine.endpoint)
    name = f"{functions.queue.rpartition('/')[2]}-receipts"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": engine.session.region_name})
    monkeypatch.setenv("RECEIPTS_BUCKET", name)
    yield lambda: {each["Key"] for each in s3.list_objects_v2(Bucket=name).get("Contents", [])}
    s3.close()


@pytest.fixture
def subjects(functions: Functions) -> list[Violation]:
    follow(functions.citizens)
    made = [violation(sector_governorate="11"), violation(amount=25_000)]
    store(functions.violations, *made)
    return made


@pytest.fixture
def started(functions: Functions, subjects: list[Violation]) -> str:
    body = {"violations": [each.violation_no for each in subjects], "gateway": "sandbox", "return_url": RETURN_URL}
    payment_id: str = functions.pay(body).body["payment_id"]
    return payment_id


@pytest.fixture
def paid(functions: Functions, started: str) -> str:
    functions.gateway.says(started)
    assert functions.callback(started).status == 200
    return started


def receipt(functions: Functions, payment_id: str, language: str = "ar", **request: Any) -> Reply:
    return functions.call(
        "pay.receipts",
        "GET /v1/payments/{payment_id}/receipt",
        path={"payment_id": payment_id},
        headers={"accept-language": language},
        **request,
    )


def fetch(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=20) as response:  # noqa: S310 (the emulator's own)
        assert response.headers["content-type"] == "application/pdf"
        content: bytes = response.read()
        return content


def test_a_receipt_says_what_was_paid(functions: Functions, bucket: Any, subjects: list[Violation], paid: str) -> None:
    reply = receipt(functions, paid, "en")
    payment = functions.payment(paid).body
    assert reply.status == 200
    pdf = reply.body.pop("pdf")
    assert reply.body == {
        "receipt_no": payment["receipt_no"],
        "payment_id": paid,
        "paid_at": payment["paid_at"],
        "gateway": "sandbox",
        "amount": 75_000,
        "currency": "IQD",
        "items": [
            {"violation_no": each.violation_no, "plate": PLATE.text("en"), "amount": each.amount} for each in subjects
        ],
        "check_url": f"https://api.example/v1/receipts/{payment['receipt_no']}",
    }
    assert pdf["expires_at"] == "2026-11-20T12:05:00+03:00"
    assert len(pdfium.PdfDocument(fetch(pdf["url"]))) == 1
    assert bucket() == {f"{paid}/en.pdf"}


def test_its_code_leads_to_the_public_check(functions: Functions, bucket: Any, paid: str) -> None:
    page = pdfium.PdfDocument(fetch(receipt(functions, paid).body["pdf"]["url"]))[0]
    (code,) = zxingcpp.read_barcodes(page.render(scale=2).to_pil())
    receipt_no = urlsplit(code.text).path.removeprefix("/v1/receipts/")
    assert code.text == f"https://api.example/v1/receipts/{receipt_no}"
    assert functions.receipt(receipt_no).body["amount"] == 75_000


def test_the_address_works_for_minutes_and_only_for_this(functions: Functions, bucket: Any, paid: str) -> None:
    url = receipt(functions, paid).body["pdf"]["url"]
    assert parse_qs(urlsplit(url).query)["X-Amz-Expires"] == ["300"]
    assert PLATE.number not in url
    for other in (url.replace("/ar.pdf", "/en.pdf"), url.partition("?")[0]):
        with pytest.raises(urllib.error.HTTPError) as refused:
            fetch(other)
        assert refused.value.code == 403
        refused.value.close()


def test_it_is_drawn_once(functions: Functions, bucket: Any, paid: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = fetch(receipt(functions, paid).body["pdf"]["url"])
    forget()
    monkeypatch.setattr("pay.receipt.pdf.draw", lambda _: pytest.fail("drawn again"))
    assert fetch(receipt(functions, paid).body["pdf"]["url"]) == first


def test_two_at_once_keep_the_first(
    functions: Functions, bucket: Any, paid: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both find nothing and draw; what differs between the two drawings tells whose is kept."""
    drawn = iter([b"%PDF first", b"%PDF second"])
    monkeypatch.setattr("pay.receipt.pdf.draw", lambda _: next(drawn))
    bucket = receipts._bucket()._replace(holds=lambda _: False)
    monkeypatch.setattr(receipts, "_bucket", lambda: bucket)
    urls = [receipt(functions, paid).body["pdf"]["url"] for _ in range(2)]
    assert [fetch(url) for url in urls] == [b"%PDF first"] * 2


def test_many_at_once_get_the_same_bytes(functions: Functions, bucket: Any, paid: str) -> None:
    receipt(functions, "none")  # makes the clients before the threads do
    receipts._bucket()
    with ThreadPoolExecutor(4) as threads:
        replies = list(threads.map(lambda _: receipt(functions, paid), range(4)))
    assert {reply.status for reply in replies} == {200}
    assert len({fetch(reply.body["pdf"]["url"]) for reply in replies}) == 1
    assert bucket() == {f"{paid}/ar.pdf"}


def test_a_plate_that_is_corrected_later_is_nobody_elses_on_the_receipt(
    functions: Functions, bucket: Any, subjects: list[Violation], paid: str
) -> None:
    functions.violations.write([row(later(each, plate_key="DE#12#ز#846295")) for each in subjects])
    reply = receipt(functions, paid)
    assert {item["plate"] for item in reply.body["items"]} == {PLATE.text("ar")}


def test_a_receipt_is_its_payers_own(functions: Functions, bucket: Any, paid: str) -> None:
    reply = receipt(functions, paid, claims={"sub": "another"})
    assert (reply.status, reply.body["code"]) == (404, "no_such_payment")
    assert receipt(functions, "none").status == 404
    assert bucket() == set()


def test_what_is_not_paid_has_none(functions: Functions, bucket: Any, started: str) -> None:
    reply = receipt(functions, started)
    assert (reply.status, reply.body["code"]) == (409, "not_paid")
    functions.clock.forward(minutes=16)
    functions.poll_gateways()
    assert receipt(functions, started).status == 409
    assert bucket() == set()


def test_a_bucket_that_refuses_is_an_error_that_tells_nothing(
    functions: Functions, bucket: Any, paid: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECEIPTS_BUCKET", "no-such-bucket")
    forget()
    reply = receipt(functions, paid)
    assert (reply.status, reply.body["code"]) == (500, "internal")
    assert "no-such-bucket" not in json.dumps(reply.body)
