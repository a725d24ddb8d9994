"""Whole files read as the functions of the ingest read them, in memory and without a store."""

from __future__ import annotations

import io
from collections import Counter
from typing import Any, NamedTuple
from unittest import mock

from ingest import chunking
from ingest.chunking import RULES, scan
from ingest.doubles import sort_out
from ingest.errors import FileError
from ingest.format.judging import judged
from ingest.format.parser import Reject, Source
from ingest.format.parsers import PARSERS
from ingest.reading.csv_records import records
from ingest.reading.csv_text import as_csv_text
from ingest.reporting.report import of_file
from shared.stores.violation_rows import Row


class Outcome(NamedTuple):
    """What became of a file: refused, or its rows by line and what was told of them.

    rows: as they would be written; rejected: the others, and why. told: of how many rows, by column and code.
    """

    refused: FileError | None
    rows: dict[int, Row]
    rejected: dict[int, Reject]
    told: Counter[tuple[str, str]]


def take(content: bytes, source: Source, *, chunk_rows: int = chunking.MAX_CHUNK_ROWS) -> Outcome:
    """Read a file of whichever type in chunks of so many rows."""
    kept: dict[int, bytes] = {}
    outcome = Outcome(None, {}, {}, Counter())
    try:
        with (
            mock.patch.object(chunking, "MAX_CHUNK_ROWS", chunk_rows),
            as_csv_text(iter((content,)), len(content), "utf-8") as text,
        ):
            found = scan(text.blocks, source, unproven=text.unproven, keep=kept.__setitem__)
    except FileError as error:
        return outcome._replace(refused=error)
    for notice in of_file(found.layout, text.sheets_unread, text.hidden.rows, text.hidden.first):
        outcome.told[notice.column, notice.code] += notice.rows
    for chunk in found.chunks:
        lines = list(records(io.StringIO(kept[chunk.number].decode(), newline=""), found.layout.separator, chunk.line))
        parser: Any = PARSERS[source.origin](found.layout, source)
        parse = judged(parser, lines, found.layout, source, RULES.criteria)
        parsed = {line: parse(line, record) for line, record in lines}
        outcome.rejected.update({line: row for line, row in parsed.items() if isinstance(row, Reject)})
        at = {row.ref: line for line, row in parsed.items() if isinstance(row, Row)}
        sorted_out: Any = sort_out([row for row in parsed.values() if isinstance(row, Row)])
        outcome.rows.update({at[row.ref]: row for row in sorted_out.rows})
        for row in sorted_out.contradicted:
            line = at[row.ref]
            outcome.rejected[line] = Reject(line, "violation_no", "number_on_two_plates", ())
        outcome.told["violation_no", "beaten_in_file"] += len(sorted_out.beaten)
        for notice in parser.warnings.listed():
            outcome.told[notice.column, notice.code] += notice.rows
    return outcome
