"""Demo data: a generated backlog file that goes the directorate's own way through the upload bucket."""

import json
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from botocore.exceptions import ClientError

from infra.local.aws.clients import Clients
from infra.local.demo import files as demo

KEY = "backlog/demo.csv"
LOAD_WITHIN = 120.0  # seconds
_POLL = 0.1  # seconds
_BAGHDAD = ZoneInfo("Asia/Baghdad")


class SeedError(Exception):
    """The demo data was not loaded; the message says how far it came."""


def seed(clients: Clients, bucket: str, rows: int, progress: Callable[[str], None]) -> None:
    """Upload a file of that many rows and wait for its report, unless an earlier start did.

    Raises:
        SeedError: the file was refused or failed, or there is no report in time.
    """
    s3 = clients.get("s3")
    if _report(s3, bucket, f"reports/{KEY}.json"):
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "demo.csv")
        demo.write(path, rows, until=datetime.now(_BAGHDAD).date())
        version = s3.put_object(Bucket=bucket, Key=KEY, Body=path.read_bytes())["VersionId"]
    report = _wait(s3, bucket, f"reports/{KEY}.{version}.json")
    if report["status"] != "loaded":
        raise SeedError(f"The demo data was not loaded: {report['status']}, {report.get('error')}")
    progress(f"{report['counts']['inserted']} demo violations loaded")


def _wait(s3: Any, bucket: str, key: str) -> dict[str, Any]:
    deadline = time.monotonic() + LOAD_WITHIN
    while not (report := _report(s3, bucket, key)):
        if time.monotonic() > deadline:
            raise SeedError(f"No report of the demo data after {LOAD_WITHIN:.0f} s; the functions' logs say more")
        time.sleep(_POLL)
    return report


def _report(s3: Any, bucket: str, key: str) -> dict[str, Any] | None:
    try:
        report: dict[str, Any] = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchKey":
            raise
        return None
    return report
