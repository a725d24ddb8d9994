"""A citizen's receipt: as JSON, and as a PDF that is drawn when it is first asked for and kept in a private bucket."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import cache
from typing import Any, Final, NamedTuple

from pay.receipt.addresses import check_url
from shared.aws_json import sdk
from shared.clock import now
from shared.domain.money import CURRENCY
from shared.domain.payment import Payment
from shared.domain.plate import Plate
from shared.domain.time import to_text
from shared.edge import admission
from shared.http import Event, Handler, Problem, Reply, Request, answer, router
from shared.identity import citizen
from shared.settings import setting
from shared.stores.paying.payments import Payments

VALID_FOR: Final = timedelta(minutes=5)
"""How long an address of the PDF works. Whoever has it can read the plates on it."""

_EXISTS: Final = frozenset(("PreconditionFailed", "ConditionalRequestConflict"))


class ReceiptBucket(NamedTuple):
    """The bucket of receipts.

    holds: whether a key is there. add: ``add(key, content, file_name)`` puts a PDF where none is; the first stays.
    address: where a key can be read for a while.
    """

    holds: Callable[[str], bool]
    add: Callable[[str, bytes, str], None]
    address: Callable[[str], str]


def read(request: Request) -> Reply:
    """GET /v1/payments/{payment_id}/receipt"""
    payment = _payments().own(citizen(request.event).sub, request.path["payment_id"])
    if payment is None:
        raise Problem(404, "no_such_payment")
    if payment.receipt_no is None or not payment.settled_lines:
        raise Problem(409, "not_paid")
    url = check_url(request, payment.receipt_no)
    pdf = keep(payment, url, request.language, _bucket())
    expires_at = to_text(now() + VALID_FOR)
    return answer(200, {**view(payment, url, request.language), "pdf": {"url": pdf, "expires_at": expires_at}})


def view(payment: Payment, url: str, language: str) -> dict[str, Any]:
    """What is on a receipt."""
    return {
        "receipt_no": payment.receipt_no,
        "payment_id": payment.payment_id,
        "paid_at": payment.paid_at,
        "gateway": payment.gateway,
        "amount": payment.settled,
        "currency": CURRENCY,
        "items": [
            {
                "violation_no": line.violation_no,
                "plate": Plate.from_key(line.plate_key).text(language),
                "amount": line.amount,
            }
            for line in payment.settled_lines
        ],
        "check_url": url,
    }


def keep(payment: Payment, url: str, language: str, bucket: ReceiptBucket) -> str:
    """Where the PDF of a receipt can be read for a while; drawn if it is not there yet, and the same for ever after."""
    key = f"{payment.payment_id}/{language}.pdf"
    if not bucket.holds(key):
        # Fonts, shaping and PDF are a second of work to import: only for whom there is no PDF yet.
        from pay.receipt.pdf import Receipt, draw

        bucket.add(key, draw(Receipt(payment, url, language)), f"{payment.receipt_no}.pdf")
    return bucket.address(key)


@cache
def _payments() -> Payments:
    return Payments(sdk(), setting("PAYMENTS_TABLE"))


@cache
def _bucket() -> ReceiptBucket:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import ClientError

    # The bucket's regional address: the global one redirects, which a signature does not survive.
    s3 = boto3.client("s3", config=Config(signature_version="s3v4", s3={"addressing_style": "virtual"}))
    bucket = setting("RECEIPTS_BUCKET")

    def holds(key: str) -> bool:
        try:
            s3.head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                return False
            raise
        return True

    def add(key: str, content: bytes, file_name: str) -> None:
        try:
            s3.put_object(
                Bucket=bucket,
                Key=key,
                Body=content,
                ContentType="application/pdf",
                ContentDisposition=f'inline; filename="{file_name}"',
                IfNoneMatch="*",
            )
        except ClientError as error:
            # Another request is as far, with the same bytes.
            if error.response["Error"]["Code"] not in _EXISTS:
                raise

    def address(key: str) -> str:
        expires = int(VALID_FOR.total_seconds())
        url: str = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": key}, ExpiresIn=expires)
        return url

    return ReceiptBucket(holds, add, address)


@cache
def _app() -> Handler:
    return router({"GET /v1/payments/{payment_id}/receipt": read}, admission())


def handler(event: Event, context: object) -> Reply:
    """Lambda's entry point."""
    return _app()(event, context)
