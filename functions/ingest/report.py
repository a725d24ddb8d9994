"""What the directorate is told of a file: the report, written once, and laid where it looks for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import orjson

from ingest import rejects
from ingest.errors import FileError
from ingest.feed import Notice, Notices
from ingest.layout import Layout
from ingest.objects import Objects
from ingest.page import page
from ingest.words import message
from shared.domain.time import from_text, to_text
from shared.stores.files import FAILED, LOADED, MANY_REJECTS, OUTCOMES, DoneChunk, File, Files, Plan

MANY: Final = 0.05
"""A file of which a larger share of rows was rejected is worth a look."""

Json = dict[str, Any]


def notes(warnings: Notices, rejected: Notices) -> str:
    """What is to be told of a chunk's rows, as its ledger entry keeps it."""
    told = {"warnings": warnings.listed(), "rejected": rejected.listed()}
    return orjson.dumps({name: [list(notice) for notice in notices] for name, notices in told.items()}).decode()


def end_without_rows(
    files: Files, objects: Objects, file: File, state: str, error: FileError, at: datetime, rejected: Notices
) -> None:
    """End a file that was refused, or failed: nothing of it counts. rejected: the reasons found in its first rows."""
    report = _report(file, state, dict.fromkeys(OUTCOMES, 0), at, error=error, rejected=rejected)
    files.end(file.version.file_id, state, _text(report))
    publish(files, objects, file.version.file_id)


def finish(files: Files, objects: Objects, file: File, plan: Plan, at: datetime) -> None:
    """End a file whose chunks are all done: merge what came of them, write its rejects and its report."""
    counts = dict.fromkeys(OUTCOMES, 0)
    layout = Layout(plan.separator, plan.header, plan.columns)
    warnings = Notices(Notice(column, "column_unknown", 1, 1) for column in layout.unknown)
    rejected = Notices()
    chunks = list(files.chunks(file.version.file_id))
    for chunk in chunks:
        _merge(chunk, counts, warnings, rejected)
    rows = sum(counts.values())
    state, error = LOADED, None
    if rows != plan.rows:
        state, error = FAILED, FileError("counts_differ")
    elif counts["rejected"] > MANY * rows:
        state = MANY_REJECTS
    report = _report(file, state, counts, at, error=error, warnings=warnings, rejected=rejected)
    if counts["rejected"]:
        report["rejects"]["key"] = key = _rejects_key(files, file)
        rejects.write(objects, key, file, plan, chunks)
    if file.version.origin == "live" and state in (LOADED, MANY_REJECTS):
        files.note_feed(plan.last_modified)
    files.end(file.version.file_id, state, _text(report))
    publish(files, objects, file.version.file_id)


def publish(files: Files, objects: Objects, file_id: str) -> None:
    """Lay the report of a file that has ended where the directorate looks for it; harmless to do again.

    Under the key alone lies the report of the key's newest version. Whoever writes there looks afterwards whether a
    newer one has ended meanwhile, and then puts that one's back: so the newest stays, whoever is slow.
    """
    file = files.file(file_id)
    if file.report is None:
        raise ValueError("the file has not ended")
    version = file.version
    objects.put(f"reports/{version.key}.{version.version_id}.json", file.report.encode(), "application/json")
    shown = None
    newest = files.newest(version.bucket, version.key)
    while newest and newest != shown and (shown or newest == file_id):
        latest = files.file(newest)
        if latest.report is None:
            break
        _lay(objects, version.key, latest.report)
        shown, newest = newest, files.newest(version.bucket, version.key)
    files.all_published(file_id)


def _lay(objects: Objects, key: str, report: str) -> None:
    objects.put(f"reports/{key}.json", report.encode(), "application/json")
    objects.put(f"reports/{key}.html", page(orjson.loads(report)).encode(), "text/html; charset=utf-8")


def _text(report: Json) -> str:
    return orjson.dumps(report, option=orjson.OPT_INDENT_2).decode()


def _merge(chunk: DoneChunk, counts: dict[str, int], warnings: Notices, rejected: Notices) -> None:
    for outcome, count in chunk.counts.items():
        counts[outcome] += count
    told = orjson.loads(chunk.notes)
    for notices, merged in ((told["warnings"], warnings), (told["rejected"], rejected)):
        for notice in notices:
            merged.add(*notice)


def _rejects_key(files: Files, file: File) -> str:
    """Where a file's rejects lie; an older version's never in the place of the newest's."""
    version = file.version
    newest = files.newest(version.bucket, version.key) == version.file_id
    return f"rejects/{version.key}" if newest else f"rejects/{version.key}.{version.version_id}.csv"


def _report(
    file: File,
    state: str,
    counts: Mapping[str, int],
    at: datetime,
    *,
    error: FileError | None = None,
    warnings: Notices | None = None,
    rejected: Notices | None = None,
) -> Json:
    plan = file.plan
    reasons = [_notice(notice) for notice in (rejected or Notices()).listed()]
    return {
        "status": state,
        "key": file.version.key,
        "version_id": file.version.version_id,
        "counts": {"rows": sum(counts.values()), **counts},
        "error": _error(error) if error else None,
        "rejects": {"key": None, "reasons": reasons} if reasons else None,
        "warnings": [_notice(notice) for notice in (warnings or Notices()).listed()],
        "timings": {
            "uploaded_at": plan.last_modified if plan else None,
            "started_at": file.claimed_at,
            "ended_at": to_text(at),
            "seconds": int((at - from_text(file.claimed_at)).total_seconds()),
        },
        "size": plan.size if plan else None,
        "checksum": f"sha256:{plan.checksum}" if plan else None,
    }


def _error(error: FileError) -> Json:
    said = message(error.code, error.column, error.value)
    return {
        "code": error.code,
        "column": error.column,
        "line": error.line,
        "value": error.value,
        "message": said.ar,
        "message_en": said.en,
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
