"""The report of a file: what became of its rows, as JSON that the directorate reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

import orjson

from ingest.errors import FileError
from ingest.format.header import Layout
from ingest.format.notices import Notice, Notices
from ingest.reporting.texts import message
from shared.domain.file import OUTCOMES, DoneChunk, File, FileStatus, Plan
from shared.domain.time import from_text, to_text

REPLAY: Final = {
    "file_not_read": "make replay QUEUE=FileDeadLetters APPLY=1",
    "rows_not_loaded": "make replay QUEUE=ChunkDeadLetters APPLY=1",
}
"""What the operator does about a file that failed, by the error's code."""

Json = dict[str, Any]


def notes(warnings: Notices, rejected: Notices) -> str:
    """Write what is to be told of a chunk's rows, as its ledger entry keeps it."""
    told = {"warnings": warnings.listed(), "rejected": rejected.listed()}
    return orjson.dumps({name: [list(notice) for notice in notices] for name, notices in told.items()}).decode()


def of_file(layout: Layout, sheets_unread: int, rows_hidden: int, first_hidden: int) -> Iterator[Notice]:
    """Give what is to be told of a file, whatever its rows are. The counts: of :class:`shared.domain.file.Plan`."""
    for column in layout.unknown:
        yield Notice(column, "column_unknown", 1, 1)
    if sheets_unread:
        yield Notice("", "sheets_unread", 1, 1)
    if rows_hidden:
        yield Notice("", "rows_hidden", rows_hidden, first_hidden)


def _of_plan(plan: Plan) -> Iterator[Notice]:
    layout = Layout(plan.separator, plan.header, plan.columns)
    return of_file(layout, plan.sheets_unread, plan.rows_hidden, plan.first_hidden)


class Tally:
    """What came of a file's rows so far, its done chunks taken together."""

    def __init__(self, file: File, chunks: Iterable[DoneChunk] = ()) -> None:
        plan = file.plan
        self.counts = dict.fromkeys(OUTCOMES, 0)
        self.warnings = Notices(_of_plan(plan) if plan else ())
        self.rejected = Notices()
        for chunk in chunks:
            self._add(chunk)

    @property
    def rows(self) -> int:
        return sum(self.counts.values())

    def _add(self, chunk: DoneChunk) -> None:
        for outcome, count in chunk.counts.items():
            self.counts[outcome] += count
        told = orjson.loads(chunk.notes)
        for notices, merged in ((told["warnings"], self.warnings), (told["rejected"], self.rejected)):
            for notice in notices:
                merged.add(*notice)


def report(
    file: File,
    state: FileStatus,
    tally: Tally,
    at: datetime,
    *,
    error: FileError | None = None,
    rejects_key: str | None = None,
) -> Json:
    """The report of a file that ended in a state. rejects_key: where its rejected rows lie."""
    plan = file.plan
    reasons = [_notice(notice) for notice in tally.rejected.listed()]
    return {
        "status": state,
        "key": file.version.key,
        "version_id": file.version.version_id,
        "counts": {"rows": tally.rows, **tally.counts},
        "error": _error(error) if error else None,
        "rejects": {"key": rejects_key, "reasons": reasons} if reasons else None,
        "warnings": [_notice(notice) for notice in tally.warnings.listed()],
        "timings": {
            "uploaded_at": plan.last_modified if plan else None,
            "started_at": file.claimed_at,
            "ended_at": to_text(at),
            "seconds": int((at - from_text(file.claimed_at)).total_seconds()),
        },
        "size": plan.size if plan else None,
        "checksum": f"sha256:{plan.checksum}" if plan else None,
    }


def text(report: Mapping[str, Any]) -> str:
    """A report as it is kept and laid in the bucket."""
    return orjson.dumps(report, option=orjson.OPT_INDENT_2).decode()


def _error(error: FileError) -> Json:
    said = message(error.code, error.column, error.value)
    return {
        "code": error.code,
        "column": error.column,
        "line": error.line,
        "value": error.value,
        "message": said.ar,
        "message_en": said.en,
        "replay": REPLAY.get(error.code),
    }


def _notice(notice: Notice) -> Json:
    said = message(notice.code, notice.column)
    return {
        "code": notice.code,
        "column": notice.column or None,
        "rows": notice.rows,
        "first_line": notice.first_line,
        "message": said.ar,
        "message_en": said.en,
    }
