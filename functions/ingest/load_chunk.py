"""Load one chunk of a file into the Violations table; whoever does the last one finishes the file."""

from __future__ import annotations

import gc
import io
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from typing import Any, Final, NamedTuple, Protocol

import orjson

from ingest import ending
from ingest.chunking import Chunk
from ingest.ending import EndingPorts
from ingest.errors import FileError
from ingest.format.header import Layout
from ingest.format.notices import Notices
from ingest.format.origins import REGISTRY
from ingest.format.parser import Parser, Reject, Source
from ingest.format.parsers import PARSERS
from ingest.objects import Objects
from ingest.ports import ending_ports
from ingest.reading.csv_records import records
from ingest.reporting import rejects
from ingest.reporting.report import notes
from shared.aws_json import FastClient
from shared.batch import take_each
from shared.clock import Clock, now
from shared.domain.file import FINAL, OUTCOMES, DoneChunk, File, FileVersion, Plan
from shared.domain.time import to_text
from shared.observability import count, logger
from shared.plate_crypto import PlateCrypto
from shared.settings import number, setting
from shared.stores.registry import Registry
from shared.stores.versioned import STALE, Line
from shared.stores.violations import Violations

BATCH: Final = 100
"""Rows of one transaction."""

SPARE_SECONDS: Final = 3.0
"""What a batch, or finishing a file, must have left before the function's deadline."""


class LaterError(Exception):
    """The chunk's message must come again: time is short, or another run is finishing the file just now."""


class Store(Protocol):
    """Where rows of a kind go: up to 100 at once, each answered with its outcome."""

    def write(self, rows: Sequence[Any]) -> list[str]: ...


class Ports(NamedTuple):
    """What loading a chunk needs of the outside. store: for an origin's rows. seconds_left: until it is cut off."""

    ending: EndingPorts
    store: Callable[[str], Store]
    clock: Clock
    seconds_left: Callable[[], float]
    announce_within: timedelta


def load(file_id: str, chunk: Chunk, ports: Ports) -> dict[str, int]:
    """Load a chunk, count it once, and finish the file if it was the last. Can be interrupted anywhere and done again.

    Returns the chunk's counts by outcome; empty where it was done before. Raises LaterError.
    """
    files = ports.ending.files
    file = files.file(file_id)
    counts: dict[str, int] = {}
    if file.state not in FINAL and not files.is_done(file_id, chunk.number):
        try:
            with _counted_only():
                done = _load(file, _plan(file), chunk, ports)
        except FileError as error:
            ending.fail(ports.ending, file, error, ports.clock())
            return {}
        if files.chunk_done(file_id, done, ports.clock()):
            counts = dict(done.counts)
    _finish(file_id, ports)
    return counts


@contextmanager
def _counted_only() -> Iterator[None]:
    """Free objects by their counts alone: a chunk's rows make no cycles, and looking for some costs a twentieth."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _plan(file: File) -> Plan:
    if file.plan is None:
        raise LaterError("the file has not been read through")
    return file.plan


def _load(file: File, plan: Plan, chunk: Chunk, ports: Ports) -> DoneChunk:
    version, objects = file.version, ports.ending.objects
    content = _content(version, plan, chunk, objects)
    announce_from = to_text(ports.clock() - ports.announce_within)
    source = Source(version.file_id, version.origin, plan.last_modified, announce_from)
    parser = PARSERS[version.origin](Layout(plan.separator, plan.header, plan.columns), source)
    store = ports.store(version.origin)
    rows, rejected = _parse(content.decode(), plan.separator, chunk.line, parser)
    newest = _newest(rows)
    counts = dict.fromkeys(OUTCOMES, 0)
    counts[STALE] = len(rows) - len(newest)
    counts["rejected"] = len(rejected)
    for start in range(0, len(newest), BATCH):
        _require_time(ports)
        for outcome in store.write(newest[start : start + BATCH]):
            counts[outcome] += 1
    rejects.keep(objects, version.file_id, chunk.number, rejected)
    reasons = Notices()
    for reject in rejected:
        reasons.add(reject.column, reject.code, 1, reject.line)
    return DoneChunk(chunk.number, counts, notes(parser.warnings, reasons))


def _content(version: FileVersion, plan: Plan, chunk: Chunk, objects: Objects) -> bytes:
    if plan.rewritten:
        return objects.chunk(version.file_id, chunk.number)
    return objects.part(version.key, version.version_id, chunk.start, chunk.end)


def _parse(text: str, separator: str, first_line: int, parser: Parser[Any]) -> tuple[list[Line], list[Reject]]:
    rows: list[Line] = []
    rejected: list[Reject] = []
    for line, record in records(io.StringIO(text, newline=""), separator, first_line):
        outcome = parser.parse(line, record)
        if isinstance(outcome, Reject):
            rejected.append(outcome)
        else:
            rows.append(outcome)
    return rows, rejected


def _newest(rows: list[Line]) -> list[Line]:
    """The newest row of each identity; the others are stale before they are written."""
    newest: dict[Hashable, Line] = {row.identity: row for row in rows}
    if len(newest) < len(rows):
        for row in rows:
            if newest[row.identity].version < row.version:
                newest[row.identity] = row
    return list(newest.values())


def _finish(file_id: str, ports: Ports) -> None:
    """Finish a file whose chunks are all done, unless that has been done; repair a finish that was interrupted."""
    file = ports.ending.files.file(file_id)
    final = file.state in FINAL
    if file.published if final else not file.all_done:
        return
    _require_time(ports)
    at = ports.clock()
    if not ports.ending.files.take_finish(file_id, at, at + timedelta(seconds=ports.seconds_left())):
        raise LaterError("another run is finishing the file")
    if final:
        ending.publish(ports.ending, file_id)
    else:
        ending.finish(ports.ending, file, at)


def _require_time(ports: Ports) -> None:
    if ports.seconds_left() < SPARE_SECONDS:
        raise LaterError("no time left")


@cache
def _port() -> FastClient:
    return FastClient()


@cache
def _ending_ports() -> EndingPorts:
    return ending_ports(_port())


@cache
def _store(origin: str) -> Store:
    if origin == REGISTRY:
        return Registry(
            _port(), setting("REGISTRY_TABLE"), PlateCrypto.from_secret(_port(), setting("PLATE_KEY_SECRET"))
        )
    return Violations(_port(), setting("VIOLATIONS_TABLE"))


def _load_message(body: str, context: Any) -> bool:
    message = orjson.loads(body)
    file_id = message.pop("file")
    announce_within = timedelta(days=number("ANNOUNCE_WITHIN_DAYS"))
    ports = Ports(_ending_ports(), _store, now, lambda: context.get_remaining_time_in_millis() / 1000, announce_within)
    try:
        counts = load(file_id, Chunk(**message), ports)
    except LaterError as later:
        logger().info("a chunk is left for later", extra={"reason": str(later)})
        return False
    if counts:
        count("RowsLoaded", sum(counts.values()) - counts["rejected"])
        count("RowsRejected", counts["rejected"])
    return True


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point. A chunk that could not be loaded to its end comes again."""
    return take_each(event, context, lambda body: _load_message(body, context), "a chunk could not be loaded")
