"""The rows of one chunk of a file, read as its plan says."""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from typing import NamedTuple

from ingest.chunking import Chunk
from ingest.format.header import Layout
from ingest.format.judging import Criteria, Parse, judged
from ingest.format.notices import Lines, Notices
from ingest.format.parser import Reject, Source
from ingest.format.parsers import PARSERS
from ingest.objects import Objects
from ingest.reading.csv_records import records
from shared.domain.file import File, FileVersion, Plan
from shared.domain.time import to_text
from shared.stores.versioned import Line


class ChunkRows(NamedTuple):
    """A chunk as it was read."""

    lines: Lines
    rows: list[Line]
    rejected: list[Reject]
    warnings: Notices


def read_chunk(
    file: File, plan: Plan, chunk: Chunk, objects: Objects, at: datetime, announce_within: timedelta, min_amount: int
) -> ChunkRows:
    """Read a chunk. min_amount: of a fine, in dinars. Raises FileError where it is no longer there."""
    version = file.version
    announce_from = to_text(at - announce_within)
    source = Source(version.file_id, version.origin, plan.last_modified, announce_from, min_amount, plan.as_of)
    layout = Layout(plan.separator, plan.header, plan.columns)
    parser = PARSERS[version.origin](layout, source)
    text = _content(version, plan, chunk, objects).decode()
    lines = list(records(io.StringIO(text, newline=""), plan.separator, chunk.line))
    parse = judged(parser, lines, layout, source, Criteria(announce_within, plan.accept))
    return ChunkRows(lines, *_parse(lines, parse), parser.warnings)


def _content(version: FileVersion, plan: Plan, chunk: Chunk, objects: Objects) -> bytes:
    if plan.rewritten:
        return objects.chunk(version.file_id, chunk.number)
    return objects.part(version.key, version.version_id, chunk.start, chunk.end)


def _parse(lines: Lines, parse: Parse) -> tuple[list[Line], list[Reject]]:
    rows: list[Line] = []
    rejected: list[Reject] = []
    for line, record in lines:
        outcome = parse(line, record)
        if isinstance(outcome, Reject):
            rejected.append(outcome)
        elif outcome:
            rows.append(outcome)
    return rows, rejected
