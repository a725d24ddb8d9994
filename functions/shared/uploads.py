"""The bucket of uploads, as paying writes into it: settlement files, reports and comparisons."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final

from shared.settings import setting

CSV: Final = "text/csv; charset=utf-8"
JSON: Final = "application/json"

Put = Callable[[str, bytes, str], None]
"""``put(key, content, content_type)`` writes an object."""


@cache
def s3() -> Any:
    """The client, one for the life of the function."""
    import boto3

    return boto3.client("s3")


def put(key: str, content: bytes, content_type: str) -> None:
    """Write an object."""
    s3().put_object(Bucket=setting("UPLOADS_BUCKET"), Key=key, Body=content, ContentType=content_type)


def read(key: str, version_id: str) -> bytes:
    """A version of an object."""
    content: bytes = s3().get_object(Bucket=setting("UPLOADS_BUCKET"), Key=key, VersionId=version_id)["Body"].read()
    return content
