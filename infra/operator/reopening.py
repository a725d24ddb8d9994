"""Rows that open again what was paid or cancelled, of a file that does not say when they were so: taken all the same.

Ingest rejects them (``reopens_undated``), since an old export would undo a payment. The operator takes those of one
file once somebody has said why. Nobody is told of them; the report of the file stays as it is.
"""

from __future__ import annotations

import csv
import io
import json
from itertools import islice

from infra.operator.deployment import Deployment
from infra.operator.rollback import Reader
from ingest.errors import FileError
from ingest.format.origins import REGISTRY
from ingest.objects import Objects
from ingest.reporting.report import REOPENS_UNDATED
from shared.domain.file import File
from shared.stores.items import MAX_ACTIONS
from shared.stores.versioned import line_of
from shared.stores.violation_rows import Row
from shared.stores.violations import Violations


class ReopeningError(Exception):
    """The rows cannot be taken; the message says why."""


def rejected(deployment: Deployment, file: File) -> list[Row]:
    """The rows of a file version that ingest rejected for this, the newest of each number. Raises ReopeningError."""
    if file.version.check:
        raise ReopeningError("the file was only checked: upload it to be loaded, then take its rows")
    lines = _lines(deployment, file)
    if not lines:
        raise ReopeningError("no row of the file was rejected for opening again what is paid or cancelled")
    newest: dict[str, Row] = {}
    try:
        for row in Reader(deployment).rows(file):
            known = newest.get(row.identity)
            if line_of(row.ref) in lines and (known is None or known.version < row.version):
                newest[row.identity] = row
    except FileError as error:
        raise ReopeningError(f"the file cannot be read any more: {error.code}") from None
    return list(newest.values())


def _lines(deployment: Deployment, file: File) -> set[int]:
    report = json.loads(file.report or "{}")
    if file.plan is None or file.version.origin == REGISTRY or not report.get("rejects"):
        return set()
    objects = Objects(deployment.clients("s3"), deployment.physical["Uploads"])
    try:
        content = objects.read(report["rejects"]["key"]).decode("utf-8-sig")
    except FileError:
        raise ReopeningError("the rejects of the file are no longer there") from None
    found = csv.DictReader(io.StringIO(content, newline=""), delimiter=file.plan.separator)
    return {int(each["line"]) for each in found if each["error_code"] == REOPENS_UNDATED}


def accept(deployment: Deployment, rows: list[Row]) -> dict[str, int]:
    """Take rows; returns how many came to which outcome. A newer word that came meanwhile stays."""
    violations = Violations(deployment.call, deployment.physical["Violations"])
    outcomes: dict[str, int] = {}
    waiting = iter(rows)
    while batch := list(islice(waiting, MAX_ACTIONS)):
        for outcome in violations.write([row._replace(declared=True) for row in batch]):
            outcomes[outcome] = outcomes.get(outcome, 0) + 1
    return outcomes
