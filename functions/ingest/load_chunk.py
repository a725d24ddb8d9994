"""Load one chunk of a file into the Violations table; whoever does the last one finishes the file."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from itertools import compress
from typing import Any, Final, NamedTuple, Protocol

import orjson

from ingest import ending, foreseeing, held_news, moving, seen
from ingest.chunk_rows import ChunkRows, read_chunk
from ingest.chunking import Chunk
from ingest.doubles import sort_out
from ingest.ending import EndingPorts
from ingest.errors import FileError
from ingest.foreseeing import Audience, Foreseer, audience
from ingest.format.notices import Lines, Notices
from ingest.format.origins import LIVE, REGISTRY
from ingest.format.parser import MIN_AMOUNT, Reject
from ingest.held_news import Brake
from ingest.moving import Moves
from ingest.ports import ending_ports
from ingest.reporting import rejects
from ingest.reporting.report import REOPENS_UNDATED, notes
from shared.aws_json import FastClient
from shared.batch import take_each
from shared.clock import Clock, now
from shared.domain.file import FINAL, OUTCOMES, DoneChunk, File, Plan
from shared.observability import count, logger
from shared.plate_crypto import PlateCrypto
from shared.settings import number, setting
from shared.stores.hurts import REOPENED, TENFOLD, TWO_PLATES
from shared.stores.registry import Registry
from shared.stores.versioned import (
    BEATEN,
    REJECTED,
    RETURNS_UNDATED,
    STALE,
    UNCHANGED,
    UPDATED,
    WAITING,
    Foreseen,
    Hurting,
    Line,
    line_of,
)
from shared.stores.violations import Violations

BATCH: Final = 100
"""Rows of one transaction."""

_NOTED: Final = 10 * BATCH
"""After how many rows of a chunk the ledger is told how far it is."""

SPARE_SECONDS: Final = 3.0
"""What a batch, or finishing a file, must have left before the function's deadline."""


_ABOUT: Final = {
    TWO_PLATES: "violation_no",
    REOPENS_UNDATED: "status",
    REOPENED: "status",
    TENFOLD: "amount",
    RETURNS_UNDATED: "registration_no",
}
"""The columns that what is told of rows is about."""


class LaterError(Exception):
    """The chunk's message must come again: time is short, or another run is finishing the file just now."""


class Writer(Protocol):
    """Where rows of a kind go: up to 100 at once, each answered with its outcome."""

    def write(self, rows: Sequence[Any]) -> list[str]: ...


class Store(Writer, Protocol):
    """A writer that can also say what it would do."""

    def foresee(self, rows: Sequence[Any]) -> list[Foreseen]: ...


class Ports(NamedTuple):
    """What loading a chunk needs of the outside.

    store: for an origin's rows. seconds_left: until it is cut off. audience: finds who would be told of the news in a
    file that is only checked. min_amount: of a fine, in dinars. brake, moves: what a file may not do at once, None
    where it may.
    """

    ending: EndingPorts
    store: Callable[[str], Store]
    clock: Clock
    seconds_left: Callable[[], float]
    announce_within: timedelta
    audience: Audience
    min_amount: int = MIN_AMOUNT
    brake: Brake | None = None
    moves: Moves | None = None


def load(file_id: str, chunk: Chunk, ports: Ports) -> dict[str, int]:
    """Load a chunk, count it once, and finish the file if it was the last. Can be interrupted anywhere and done again.

    Returns the counts by outcome of what was loaded: empty where it was done before, or only checked. Raises
    LaterError.
    """
    files = ports.ending.files
    file = files.file(file_id)
    counts: dict[str, int] = {}
    if file.state not in FINAL and not files.is_done(file_id, chunk.number):
        try:
            with _counted_only():
                plan = _plan(file)
                if file.version.check:
                    done = _foresee(file, plan, chunk, ports)
                else:
                    done = _load(file, plan, chunk, ports, _writer(file, plan, ports))
        except FileError as error:
            ending.fail(ports.ending, file, error, ports.clock())
            return {}
        if files.chunk_done(file_id, done, ports.clock()) and not file.version.check:
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


def _foresee(file: File, plan: Plan, chunk: Chunk, ports: Ports) -> DoneChunk:
    """Say what loading a chunk would come to; nothing is written but that, and who would be told."""
    version = file.version
    foreseer = Foreseer(ports.store(version.origin))
    done = _load(file, plan, chunk, ports, foreseer)
    if version.origin == LIVE:
        foreseeing.keep(ports.ending.objects, version.file_id, chunk.number, ports.audience, foreseer.news)
    return done


def _load(file: File, plan: Plan, chunk: Chunk, ports: Ports, writer: Writer) -> DoneChunk:
    version, objects = file.version, ports.ending.objects
    read = _read(file, plan, chunk, ports)
    found, warnings = sort_out(read.rows), read.warnings
    for row in found.beaten:
        _tell(warnings, BEATEN, row.ref)
    refused = {line_of(row.ref): TWO_PLATES for row in found.contradicted}

    def note(rows: int) -> None:
        if rows % _NOTED == 0:
            ports.ending.files.note_rows(version.file_id, chunk.number, rows, ports.clock())

    outcomes, held = _write(found.rows, writer, warnings, ports, note)
    if ports.moves and version.origin == REGISTRY and not version.check:
        ports.moves.note_past(found.beaten, lambda: _require_time(ports))
    held_news.keep(objects, version.file_id, chunk.number, held, warnings)
    counted = Counter(outcomes)
    if counted[REJECTED]:
        pairs = zip(found.rows, outcomes, strict=True)
        refused |= {line_of(row.ref): REOPENS_UNDATED for row, outcome in pairs if outcome == REJECTED}
    rejected = [*read.rejected, *_rejects(read.lines, refused)]
    rejected.sort()
    rejects.keep(objects, version.file_id, chunk.number, rejected)
    if plan.chunks > 1 and (counted[UPDATED] or counted[UNCHANGED] or counted[WAITING]):
        seen.keep(objects, version.file_id, chunk, found.identities, outcomes)
    counts = {outcome: counted[outcome] for outcome in OUTCOMES}
    counts[STALE] += len(found.beaten)
    counts[REJECTED] = len(rejected)
    kept = None
    if counted[WAITING]:
        counts[WAITING] = counted[WAITING]
        rows = [row for row, outcome in zip(found.rows, outcomes, strict=True) if outcome == WAITING]
        kept = moving.keep(objects, version.file_id, chunk, rows)
    reasons = Notices()
    for reject in rejected:
        reasons.add(reject.column, reject.code, 1, reject.line)
    return DoneChunk(chunk.number, counts, notes(warnings, reasons, kept))


def _read(file: File, plan: Plan, chunk: Chunk, ports: Ports) -> ChunkRows:
    return read_chunk(file, plan, chunk, ports.ending.objects, ports.clock(), ports.announce_within, ports.min_amount)


def _writer(file: File, plan: Plan, ports: Ports) -> Writer:
    """What writes the rows of a file, up to 100 at once."""
    if ports.brake and ports.brake.holds(file.version, plan):
        return ports.brake
    if ports.moves and ports.moves.holds(file, plan):
        return ports.moves
    return ports.store(file.version.origin)


def _write(
    rows: list[Line], writer: Writer, warnings: Notices, ports: Ports, note: Callable[[int], None] = lambda _: None
) -> tuple[list[str], list[Line]]:
    """Write rows of distinct things; returns their outcomes, and those whose news are held back.

    warnings: hear of what hurts. note: of how far it is.
    """
    outcomes: list[str] = []
    held: list[Line] = []
    for start in range(0, len(rows), BATCH):
        _require_time(ports)
        outcomes += writer.write(rows[start : start + BATCH])
        note(len(outcomes))
    if Hurting in set(map(type, outcomes)):
        for row, outcome in zip(rows, outcomes, strict=True):
            if isinstance(outcome, Hurting):
                for code, ref in outcome.hurts:
                    _tell(warnings, code, ref)
                if outcome.held:
                    held.append(row)
    return outcomes, held


def _tell(warnings: Notices, code: str, ref: str) -> None:
    warnings.add(_ABOUT.get(code, ""), code, 1, line_of(ref))


def _rejects(lines: Lines, refused: Mapping[int, str]) -> Iterator[Reject]:
    """Rows that were read and are rejected after all. refused: why, by line."""
    for line, cells in lines if refused else ():
        if code := refused.get(line):
            yield Reject(line, _ABOUT[code], code, cells)


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
        return
    try:
        more, came = _write_what_is_left(file, _plan(file), ports)
    except FileError as error:
        ending.fail(ports.ending, file, error, at)
        return
    ending.finish(ports.ending, file, at, more, came, lambda chunks: _let_go(file_id, chunks, ports))


def _let_go(file_id: str, chunks: Sequence[DoneChunk], ports: Ports) -> bool:
    if ports.brake is None:
        return False
    return held_news.let_go(ports.ending.objects, file_id, chunks, ports.brake, lambda: _require_time(ports))


def _write_what_is_left(file: File, plan: Plan, ports: Ports) -> tuple[Notices, Counter[str]]:
    """Write the rows that wait, where they are few, and again those that another line of the file overtook.

    The latter wrote nothing, and another line made something else of what they say. Returns what is to be told, and how
    many of the rows that waited came to what.
    """
    file_id, objects, warnings = file.version.file_id, ports.ending.objects, Notices()
    chunks = list(ports.ending.files.chunks(file_id))
    waits = moving.waiting(chunks)
    are_few = ports.moves is not None and 0 < waits <= ports.moves.max_moved
    if file.version.check:
        return warnings, Counter({UPDATED: waits} if are_few else {})
    waiting: list[Line] = [*moving.kept_rows(objects, chunks)] if are_few else []
    things = {row.identity for row in waiting}
    rivals: list[Line] = []
    held: list[Line] = []
    if plan.chunks > 1:
        for chunk, names in seen.overlooked(objects, file_id, chunks):
            found = sort_out(_read(file, plan, chunk, ports).rows)
            rows = list(compress(found.rows, (name in names for name in seen.names_of(found.identities))))
            rivals += (row for row in rows if row.identity in things)
            rows = [row for row in rows if row.identity not in things]
            held += _write(rows, _writer(file, plan, ports), warnings, ports)[1]
        held_news.keep(objects, file_id, held_news.OVERLOOKED, held, warnings)
    return warnings, _write_waiting(waiting, rivals, warnings, ports)


def _write_waiting(waiting: list[Line], rivals: list[Line], warnings: Notices, ports: Ports) -> Counter[str]:
    """Write rows that waited, but for those that one of their rivals outdoes. Returns how many came to what."""
    refs = {row.ref for row in waiting}
    found = sort_out([*waiting, *rivals])
    outcomes, _ = _write(found.rows, ports.store(REGISTRY), warnings, ports) if waiting else ([], [])
    came = Counter(compress(outcomes, (row.ref in refs for row in found.rows)))
    for row in found.beaten:
        if row.ref in refs:
            _tell(warnings, BEATEN, row.ref)
            came[STALE] += 1
    return came


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
def _crypto() -> PlateCrypto:
    return PlateCrypto.from_secret(_port(), setting("PLATE_KEY_SECRET"))


@cache
def _audience() -> Audience:
    """Made for the first file that is checked: the others need none of it."""
    tables = setting("CITIZENS_TABLE"), setting("MESSAGES_TABLE")
    return audience([FastClient() for _ in range(foreseeing.AT_ONCE)], *tables, _crypto())


@cache
def _store(origin: str) -> Store:
    return _registry() if origin == REGISTRY else _violations()


@cache
def _registry() -> Registry:
    return Registry(_port(), setting("REGISTRY_TABLE"), _crypto())


@cache
def _violations() -> Violations:
    return Violations(_port(), setting("VIOLATIONS_TABLE"))


def _load_message(body: str, context: Any) -> bool:
    message = orjson.loads(body)
    file_id = message.pop("file")
    ports = Ports(
        _ending_ports(),
        _store,
        now,
        lambda: context.get_remaining_time_in_millis() / 1000,
        timedelta(days=number("ANNOUNCE_WITHIN_DAYS")),
        lambda news: _audience()(news),
        number("MIN_AMOUNT"),
        Brake(_violations, number("MAX_NEWS")),
        Moves(_registry, number("MAX_MOVED_PLATES")),
    )
    try:
        counts = load(file_id, Chunk(**message), ports)
    except LaterError as later:
        logger().info("a chunk is left for later", extra={"reason": str(later)})
        return False
    if counts:
        count("RowsLoaded", sum(counts.values()) - counts[REJECTED] - counts.get(WAITING, 0))
        count("RowsRejected", counts[REJECTED])
    return True


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Lambda's entry point. A chunk that could not be loaded to its end comes again."""
    return take_each(event, context, lambda body: _load_message(body, context), "a chunk could not be loaded")
