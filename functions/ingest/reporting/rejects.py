"""The rejected rows of a file: kept beside each chunk, then put together as a file to be mended and uploaded again."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import orjson

from ingest.format.columns import REPORTED
from ingest.format.header import Layout, is_reported
from ingest.format.parser import Reject, Sample
from ingest.objects import Objects
from ingest.reporting.texts import message
from shared.domain.file import DoneChunk, File, FileVersion, Plan
from shared.spreadsheet import neutral

CONTENT_TYPE: Final = "text/csv; charset=utf-8"
_PARTS: Final = "rejects/.parts"


def key_of(file_key: str) -> str:
    """Return where the rejects of a file's newest version lie: under its name, made to end in ``.csv``.

    The mended rejects of a workbook, uploaded under that name, take the place of those that they mend.
    """
    return f"rejects/{file_key}" if file_key.lower().endswith(".csv") else f"rejects/{file_key}.csv"


def key_of_version(version: FileVersion) -> str:
    """Return where the rejects of one version of a file lie, for good."""
    return f"rejects/{version.key}.{version.version_id}.csv"


def keep(objects: Objects, file_id: str, chunk: int, rejects: Sequence[Reject]) -> None:
    """Keep the rejects of a chunk until its file is finished."""
    if rejects:
        objects.put(_part(file_id, chunk), orjson.dumps([list(reject) for reject in rejects]), "application/json")


def write(objects: Objects, key: str, file: File, plan: Plan, chunks: Iterable[DoneChunk]) -> None:
    """Write the rejects of a file's chunks as CSV: UTF-8 with BOM, the reason, then the original cells."""
    objects.put_pieces(key, _pieces(objects, file, plan, chunks), CONTENT_TYPE)


def write_sample(objects: Objects, key: str, sample: Sample) -> None:
    """Write the rejects of a file of which nothing is loaded."""
    header, separator = sample.layout.header, sample.layout.separator
    objects.put(key, head(header, separator) + lines(header, separator, sample.instant, sample.rejects), CONTENT_TYPE)


def _pieces(objects: Objects, file: File, plan: Plan, chunks: Iterable[DoneChunk]) -> Iterator[bytes]:
    yield head(plan.header, plan.separator)
    for chunk in chunks:
        if chunk.counts["rejected"]:
            kept = orjson.loads(objects.read(_part(file.version.file_id, chunk.number)))
            yield lines(plan.header, plan.separator, plan.instant, (Reject(*reject) for reject in kept))


def head(header: Sequence[str], separator: str) -> bytes:
    """Return how a file of rejects begins. header: of the file that they come from."""
    names = [*REPORTED, *(neutral(header[position]) for position in _original(header))]
    return b"\xef\xbb\xbf" + _csv([names], separator)


def lines(header: Sequence[str], separator: str, instant: str, rejects: Iterable[Reject]) -> bytes:
    """Rejects as lines of CSV: the reason, then the original cells, none of which a spreadsheet takes for a formula.

    instant: when what the file says was so. A row that was a reject before keeps its own.
    """
    original, beyond = _original(header), len(header)
    as_of = Layout(separator, tuple(header), ()).as_of
    return _csv(
        (
            [
                *_reason(reject, _cell(reject, as_of) or instant),
                *(neutral(reject.cells[position]) for position in original if position < len(reject.cells)),
                *map(neutral, reject.cells[beyond:]),
            ]
            for reject in rejects
        ),
        separator,
    )


def _original(header: Sequence[str]) -> list[int]:
    """The columns that are the directorate's own; those of an earlier file of rejects are written anew."""
    return [position for position, name in enumerate(header) if not is_reported(name)]


def _cell(reject: Reject, position: int | None) -> str:
    return reject.cells[position].strip() if position is not None and position < len(reject.cells) else ""


def _reason(reject: Reject, as_of: str) -> tuple[str, str, str, str]:
    """What REPORTED names, of a reject."""
    said = message(reject.code, reject.column)
    return str(reject.line), neutral(as_of), reject.code, f"{said.ar} | {said.en}"


def _csv(rows: Iterable[Sequence[str]], separator: str) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=separator).writerows(rows)
    return buffer.getvalue().encode()


def _part(file_id: str, chunk: int) -> str:
    return f"{_PARTS}/{file_id}/{chunk:06d}.json"
