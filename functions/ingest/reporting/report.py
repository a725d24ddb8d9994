"""The report of a file: what became of its rows, as JSON that the directorate reads."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

import orjson

from ingest.errors import FileError
from ingest.format.header import Layout
from ingest.format.notices import NEWS_HELD, Notice, Notices
from ingest.format.origins import REGISTRY
from ingest.reporting.texts import ONLY_CHECKED, message
from shared.domain.file import OUTCOMES, REGISTERED, TAKEN, DoneChunk, File, FileStatus, Plan, is_check
from shared.domain.time import from_text, to_text
from shared.stores.hurts import MOVED, REOPENED
from shared.stores.versioned import WAITING

REPLAY: Final = {
    "file_not_read": "make replay QUEUE=FileDeadLetters APPLY=1",
    "rows_not_loaded": "make replay QUEUE=ChunkDeadLetters APPLY=1",
}
"""What the operator does about a file that failed, by the error's code."""

REOPENS_UNDATED: Final = "reopens_undated"
"""Why a row was rejected that only the operator lets open again what was paid or cancelled."""
HARMLESS: Final = frozenset(("column_unknown", "recorded_at_defaulted", "category_other", "header_repeated"))
"""Warnings about which there is nothing to do."""

Json = dict[str, Any]


def notes(warnings: Notices, rejected: Notices, waiting: str | None = None) -> str:
    """Write what is to be told of a chunk's rows, as its ledger entry keeps it. waiting: where those lie that wait."""
    told = {"warnings": warnings.listed(), "rejected": rejected.listed()}
    kept: Json = {name: [list(notice) for notice in notices] for name, notices in told.items()}
    return orjson.dumps(kept | {WAITING: waiting} if waiting else kept).decode()


def of_file(layout: Layout, sheets_unread: int, rows_hidden: int, first_hidden: int) -> Iterator[Notice]:
    """Give what is to be told of a file, whatever its rows are. The counts: of :class:`shared.domain.file.Plan`."""
    for column in layout.unknown:
        yield Notice(column, "column_unknown", 1, 1)
    if sheets_unread:
        yield Notice("", "sheets_unread", 1, 1)
    if rows_hidden:
        yield Notice("", "rows_hidden", rows_hidden, first_hidden)


def _of_plan(plan: Plan) -> Iterator[Notice]:
    return of_file(_layout(plan), plan.sheets_unread, plan.rows_hidden, plan.first_hidden)


class Tally:
    """What came of a file's rows so far, its done chunks taken together."""

    def __init__(self, file: File, chunks: Iterable[DoneChunk] = ()) -> None:
        plan = file.plan
        self.counts = dict.fromkeys(REGISTERED if file.version.origin == REGISTRY else OUTCOMES, 0)
        self.warnings = Notices(_of_plan(plan) if plan else ())
        self.rejected = Notices()
        for chunk in chunks:
            self._add(chunk)

    @property
    def rows(self) -> int:
        return sum(self.counts.values())

    @property
    def headers(self) -> int:
        """How often the header came again: those are no rows, and in no count."""
        return self.warned("header_repeated")

    def warned(self, code: str) -> int:
        """How many rows a warning is told of."""
        return sum(notice.rows for notice in self.warnings.listed() if notice.code == code)

    @property
    def news_held(self) -> bool:
        """Whether followers are still to hear of rows."""
        return any(notice.code == NEWS_HELD for notice in self.warnings.listed())

    @property
    def reopening(self) -> int:
        """How many rows were rejected only because nobody said when they were so."""
        return sum(notice.rows for notice in self.rejected.listed() if notice.code == REOPENS_UNDATED)

    @property
    def waiting(self) -> int:
        """How many rows wait until somebody lets them replace a number."""
        return self.counts.get(WAITING, 0)

    def settle_waiting(self, came: Mapping[str, int]) -> None:
        """Count rows that waited as what came of them since."""
        for outcome, count in came.items():
            self.counts[outcome] += count
            self.counts[WAITING] -= count

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
    people: int = 0,
    messages: int = 0,
) -> Json:
    """The report of a file that ended in a state, or would have.

    rejects_key: where its rejected rows lie. people, messages: of a file that was only checked, how many would be told.
    """
    plan, check = file.plan, file.version.check
    reasons = [_notice(notice) for notice in tally.rejected.listed()]
    return {
        "status": FileStatus.CHECKED if check and state in TAKEN else state,
        "check": _check(state, tally, people, messages) if check else None,
        "key": file.version.key,
        "version_id": file.version.version_id,
        "counts": {"rows": tally.rows, **tally.counts},
        "error": _error(error) if error else None,
        "rejects": {"key": rejects_key, "reasons": reasons} if reasons else None,
        "warnings": [_notice(notice) for notice in tally.warnings.listed()],
        "timings": {
            "as_of": plan.instant if plan else None,
            "uploaded_at": plan.last_modified if plan else None,
            "started_at": file.claimed_at,
            "ended_at": to_text(at),
            "seconds": int((at - from_text(file.claimed_at)).total_seconds()),
        },
        "size": plan.size if plan else None,
        "checksum": f"sha256:{plan.checksum}" if plan else None,
        "accepted": list(plan.accept) if plan else [],
        "named": _layout(plan).named if plan else {},
    }


def _check(state: FileStatus, tally: Tally, people: int, messages: int) -> Json:
    """What the report of a file says that was only checked."""
    return {
        "would_be": state if state != FileStatus.FAILED else None,
        "moved": tally.warned(MOVED),
        "reopened": tally.warned(REOPENED),
        "people": people,
        "messages": messages,
        "message": ONLY_CHECKED.ar,
        "message_en": ONLY_CHECKED.en,
    }


def would_be(report: Mapping[str, Any]) -> str:
    """How the file of a report ended; one that was only checked, how it would have."""
    check = report.get("check") or {}
    return str(check.get("would_be") or report["status"])


def _layout(plan: Plan) -> Layout:
    return Layout(plan.separator, plan.header, plan.columns)


def to_look_at(report: Mapping[str, Any]) -> list[Json]:
    """The warnings of a report that somebody should look at."""
    return [warning for warning in report.get("warnings", ()) if warning["code"] not in HARMLESS]


def accept_reopened(report: Mapping[str, Any]) -> str | None:
    """What the operator does where rows should open again what was paid or cancelled; None where there are none.

    Nor of a file that was only checked: they are still to be loaded.
    """
    reasons = (report.get("rejects") or {}).get("reasons", ())
    if is_check(report["key"]) or all(reason["code"] != REOPENS_UNDATED for reason in reasons):
        return None
    return f"make accept-reopened KEY={shlex.quote(report['key'])} REASON='...' APPLY=1"


def news_held(report: Mapping[str, Any]) -> int:
    """Of how many rows followers hear only when the operator lets them."""
    return sum(each["rows"] for each in report.get("warnings", ()) if each["code"] == NEWS_HELD)


def release_news(report: Mapping[str, Any]) -> str | None:
    """What the operator does to let a file's news go; None where none are held, or rows of it are still to come."""
    if not news_held(report) or report["status"] == FileStatus.FAILED:
        return None
    return f"make release-news KEY={shlex.quote(report['key'])} REASON='...' APPLY=1"


def release_registry(report: Mapping[str, Any]) -> str | None:
    """What the operator does to let a file replace numbers; None where none wait."""
    if report["status"] != FileStatus.NUMBERS_WAIT:
        return None
    return f"make release-registry KEY={shlex.quote(report['key'])} REASON='...' APPLY=1"


def text(report: Mapping[str, Any]) -> str:
    """A report as it is kept and laid in the bucket."""
    return orjson.dumps(report, option=orjson.OPT_INDENT_2).decode()


def _error(error: FileError) -> Json:
    said = message(error.code, error.column, error.value, error.accept)
    return {
        "code": error.code,
        "column": error.column,
        "line": error.line,
        "value": error.value,
        "accept": error.accept,
        "message": said.ar,
        "message_en": said.en,
        "replay": REPLAY.get(error.code),
    }


def _notice(notice: Notice) -> Json:
    said = message(notice.code, notice.column, ", ".join(notice.examples))
    return {
        "code": notice.code,
        "column": notice.column or None,
        "rows": notice.rows,
        "first_line": notice.first_line,
        "examples": notice.examples,
        "message": said.ar,
        "message_en": said.en,
    }
