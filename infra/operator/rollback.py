"""What undoing one version of a file comes to, by what earlier files said (:mod:`infra.operator.undoing` does it).

Of a violation that the file inserted nothing stays, unless money is bound to it. One that it changed says again what
the last line of another file said: the item names that line (``changed_before``), and the bucket keeps all versions of
all files.
Nobody is told of it, and what pay wrote stays as it is. Limits: what another file changed since is left alone; so is a
violation whose earlier line cannot be read again; one step back is known of each violation, not two; SMS that went out
cannot be called back.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from tempfile import TemporaryFile
from typing import Final, NamedTuple

import orjson

from infra.operator.deployment import Deployment
from ingest.errors import FileError
from ingest.format.header import Layout
from ingest.format.origins import REGISTRY
from ingest.format.parser import Source
from ingest.format.violations import ViolationParser
from ingest.objects import Objects
from ingest.reading.csv_records import records
from ingest.reading.csv_text import as_csv_text
from shared.domain.file import FINAL, File
from shared.stores.files import Files
from shared.stores.items import MAX_ACTIONS, Item, number, text
from shared.stores.violation_rows import Row
from shared.stores.violations import Violations

AT_ONCE: Final = 8
"""Batches that are read, or written, at a time."""
MAX_LISTED: Final = 50
"""Payments that are shown to the operator."""
MAX_KEPT: Final = 5_000
"""Ids of payments that are kept with what the operator did: an event of the log holds 256 kB."""


class RollbackError(Exception):
    """A file cannot be undone; the message says why."""


class Undo(NamedTuple):
    """What undoing a file comes to.

    inserted: numbers to be forgotten, with their lines. changed: former rows, with the lines that are undone. kept: why
    how many others stay as they are. bound: by payments that hold or settled a price of the file, or may have done so
    before another file changed it: the numbers of these violations, each with the dinars paid, None while it is held.
    """

    inserted: list[tuple[str, str]]
    changed: list[tuple[Row, str]]
    kept: dict[str, int]
    bound: dict[str, dict[str, int | None]]


class Reader:
    """Reads the rows of file versions again, as ingest read them."""

    def __init__(self, deployment: Deployment) -> None:
        self._files = Files(deployment.call, deployment.physical["Files"])
        self._objects = Objects(deployment.clients("s3"), deployment.physical["Uploads"])

    def file(self, file_id: str) -> File:
        """A file version. Raises KeyError."""
        return self._files.file(file_id)

    def rows(self, file: File) -> Iterator[Row]:
        """The accepted rows of a file version. Raises FileError where it cannot be read any more."""
        version, plan = file.version, file.plan
        if plan is None:
            return
        opened = self._objects.open(version.key, version.version_id)
        # What was accepted when it was loaded, whatever the bound is now.
        source = Source(version.file_id, version.origin, plan.last_modified, plan.last_modified, 1, plan.as_of)
        parser = ViolationParser(Layout(plan.separator, plan.header, plan.columns), source)
        with as_csv_text(opened.blocks, opened.size, plan.encoding) as content, TemporaryFile() as copy:
            copy.writelines(content.blocks)
            copy.seek(0)
            lines = io.TextIOWrapper(copy, "utf-8-sig", newline="")
            found = records(lines, plan.separator)
            next(found)  # the header
            for line, record in found:
                row = parser.parse(line, record)
                if isinstance(row, Row):
                    yield row


def plan(deployment: Deployment, file: File) -> Undo:
    """What undoing a file comes to. Changes nothing. Raises RollbackError."""
    if file.version.check:
        raise RollbackError("the file was only checked: it loaded nothing that could be undone")
    if file.version.origin == REGISTRY:
        raise RollbackError("a registration file is not undone: put the right numbers, each with a newer updated_at")
    if file.state not in FINAL:
        raise RollbackError("the file is still being loaded: wait, or pause ingest first")
    reader = Reader(deployment)
    violations = Violations(deployment.call, deployment.physical["Violations"])
    inserted: list[tuple[str, str]] = []
    former: dict[str, str] = {}
    kept: dict[str, int] = {}
    bound: dict[str, dict[str, int | None]] = {}
    read = 0
    for row, item in _traced(reader.rows(file), violations):
        read += 1
        payment_id = text(item, "paid_by") or text(item, "held_by")
        if payment_id and _is_written(item, row.ref):
            bound.setdefault(payment_id, {})[row.identity] = number(item, "paid_amount")
        if not item:
            _keep(kept, "not there any more")
        elif text(item, "changed_by") != row.ref:
            _keep(kept, "not as this file left it")
        elif before := text(item, "changed_before"):
            former[before] = row.ref
        elif (text(item, "inserted_by") or row.ref).startswith(f"{file.version.file_id}#"):
            if "held_by" in item or "paid_by" in item:
                _keep(kept, "inserted here, and paid or being paid")
            else:
                inserted.append((row.identity, row.ref))
        else:
            _keep(kept, "former line unknown")
    if (others := _accepted(file) - read) > 0:
        kept["accepted when they were loaded, and by today's rules no more"] = others
    changed = list(_former_rows(reader, former, kept))
    return Undo(inserted, changed, kept, bound)


def _is_written(item: Item, ref: str) -> bool:
    """Whether a line wrote a violation, or did before one of another file: as far back as the item tells."""
    return ref in {text(item, name) for name in ("changed_by", "changed_before", "inserted_by")}


def of_payments(undo: Undo) -> Iterator[str]:
    """What is said of payments that hold or settled a price of a file: how many, what was paid, the first of them."""
    if not undo.bound:
        return
    paid = sum(amount or 0 for fines in undo.bound.values() for amount in fines.values())
    yield f"{len(undo.bound):,} payments hold or settled a price of it, {paid:,} IQD are paid:"
    for payment_id, fines in islice(sorted(undo.bound.items()), MAX_LISTED):
        yield f"  {payment_id}: " + ", ".join(
            f"{fine} held" if amount is None else f"{fine} {amount:,} IQD" for fine, amount in fines.items()
        )
    if (more := len(undo.bound) - MAX_LISTED) > 0:
        yield f"  and {more:,} more: with APPLY=1 the log of operators keeps the first {MAX_KEPT:,} ids"
    yield "DECISION=return-difference gives back by how much one of them was too high"


def _traced(rows: Iterator[Row], violations: Violations) -> Iterator[tuple[Row, Item]]:
    """The rows of a file, each with what its violation says of the lines that wrote it. Raises RollbackError."""

    def traces(batch: list[Row]) -> dict[str, Item]:
        return violations.traces(list({row.identity for row in batch}))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        while some := _some(rows):
            batches = [some[start : start + MAX_ACTIONS] for start in range(0, len(some), MAX_ACTIONS)]
            for batch, found in zip(batches, pool.map(traces, batches), strict=True):
                yield from ((row, found.get(row.identity, {})) for row in batch)


def _some(rows: Iterator[Row]) -> list[Row]:
    """The next rows of a file. Raises RollbackError where it cannot be read any more."""
    try:
        return list(islice(rows, AT_ONCE * MAX_ACTIONS))
    except FileError as error:
        raise RollbackError(f"the file cannot be read any more: {error.code}") from None


def _accepted(file: File) -> int:
    """How many rows of a file were accepted when it was loaded."""
    counts = orjson.loads(file.report or "{}").get("counts", {})
    accepted: int = counts.get("rows", 0) - counts.get("rejected", 0)
    return accepted


def _former_rows(reader: Reader, former: dict[str, str], kept: dict[str, int]) -> Iterator[tuple[Row, str]]:
    """The rows on the wanted lines of earlier files, each with the line that is undone."""
    missing = dict(former)
    for file_id in sorted({ref.partition("#")[0] for ref in former}):
        try:
            for row in reader.rows(reader.file(file_id)):
                if undone := missing.pop(row.ref, None):
                    yield row, undone
        except (FileError, KeyError):
            continue
    for _ in missing:
        _keep(kept, "former line not to be read again")


def _keep(kept: dict[str, int], why: str) -> None:
    kept[why] = kept.get(why, 0) + 1
