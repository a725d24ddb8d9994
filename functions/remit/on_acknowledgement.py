"""A sector says that it has a settlement file: an object under ``settlements-ack/`` closes it, and gets a report."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache
from typing import Any, Final, NamedTuple
from urllib.parse import unquote_plus

import orjson

from remit.files import FOLDER
from remit.texts import MAX_ACKNOWLEDGEMENT_BYTES, WORDS
from shared import uploads
from shared.aws_json import sdk
from shared.batch import take_each
from shared.clock import now
from shared.domain.file import told_under
from shared.observability import count, logger
from shared.settings import setting
from shared.stores.paying.settlements import Settlements
from shared.uploads import JSON, Put

ACKNOWLEDGEMENTS: Final = "settlements-ack"


class AcknowledgementError(ValueError):
    """An acknowledgement that closes nothing. code: a key of WORDS."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Arrived(NamedTuple):
    """One version of an object under ``settlements-ack/``. size: bytes."""

    key: str
    version_id: str
    size: int


class Bucket(NamedTuple):
    """What acknowledging needs of the bucket: ``read(key, version_id)`` and ``put(key, content, content_type)``."""

    read: Callable[[str, str], bytes]
    put: Put


def acknowledge(arrived: Arrived, ledger: Settlements, bucket: Bucket, at: datetime) -> str | None:
    """Close the file that an acknowledgement names, and lay a report. Returns why not, or None. May be done again."""
    key = f"{FOLDER}{arrived.key.removeprefix(ACKNOWLEDGEMENTS).removesuffix('.json')}.csv"
    code = None
    try:
        _check(arrived, key, ledger, bucket)
        ledger.acknowledge(key, at)
    except AcknowledgementError as error:
        code = error.code
    known = ledger.file(key)
    report = {
        "status": "refused" if code else "acknowledged",
        "key": arrived.key,
        "version_id": arrived.version_id,
        "file": key if known else None,
        "acknowledged_at": known.acknowledged_at if known else None,
        "error": {"code": code, "message": WORDS[code][0], "message_en": WORDS[code][1]} if code else None,
    }
    bucket.put(f"reports/{told_under(arrived.key)}.json", orjson.dumps(report, option=orjson.OPT_INDENT_2), JSON)
    return code


def _check(arrived: Arrived, key: str, ledger: Settlements, bucket: Bucket) -> None:
    """Raises AcknowledgementError where an acknowledgement is not of the file under this key, as we wrote it."""
    file = ledger.file(key)
    if file is None or not arrived.key.endswith(".json"):
        raise AcknowledgementError("file_unknown")
    if arrived.size > MAX_ACKNOWLEDGEMENT_BYTES:
        raise AcknowledgementError("too_large")
    try:
        said = orjson.loads(bucket.read(arrived.key, arrived.version_id).removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError:
        raise AcknowledgementError("not_json") from None
    if not isinstance(said, dict):
        raise AcknowledgementError("not_json")
    checksum = said.get("sha256")
    if not isinstance(checksum, str):
        raise AcknowledgementError("checksum_missing")
    if checksum.strip().lower() != file.sha256:
        raise AcknowledgementError("checksum_differs")


def arrivals(message: str) -> Iterator[Arrived]:
    """The objects that an S3 notification tells of: none for S3's own test."""
    for record in orjson.loads(message).get("Records", ()):
        stored = record["s3"]["object"]
        yield Arrived(unquote_plus(stored["key"]), stored["versionId"], stored["size"])


@cache
def _ledger() -> Settlements:
    return Settlements(sdk(), setting("SETTLEMENTS_TABLE"))


def _take_message(body: str) -> bool:
    for arrived in arrivals(body):
        if code := acknowledge(arrived, _ledger(), Bucket(uploads.read, uploads.put), now()):
            logger().warning("acknowledgement refused", extra={"reason": code})
            count("AcknowledgementsRefused")
    return True


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point. A message whose acknowledgements could not be taken comes again."""
    return take_each(event, context, _take_message, "an acknowledgement could not be taken")
