"""How a file ends: refused, failed or finished; and how that is told, to the directorate and to the operator."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import orjson

from ingest import foreseeing
from ingest.errors import FileError
from ingest.foreseeing import Told
from ingest.format.header import is_of_rejects
from ingest.format.notices import NEWS_HELD, Notices
from ingest.format.origins import LIVE, REGISTRY
from ingest.format.parser import Sample
from ingest.objects import Objects
from ingest.reporting import rejects
from ingest.reporting.operator_mail import Operator
from ingest.reporting.report import Tally, report, text, would_be
from ingest.reporting.report_page import page
from shared.domain.file import LOADED, DoneChunk, File, FileStatus, told_under
from shared.stores.files import Files

MANY: Final = 0.05
"""A file of which a larger share of rows was rejected is worth a look."""


class EndingPorts(NamedTuple):
    """What ending a file needs of the outside: the ledger, the bucket, and somebody to tell.

    lay_guide: puts the guide beside the reports, and never fails. walk: has the cards looked at that a file of
    registrations changed.
    """

    files: Files
    objects: Objects
    operator: Operator
    lay_guide: Callable[[], None]
    walk: Callable[[], None]


def refuse(
    ports: EndingPorts,
    file: File,
    error: FileError,
    at: datetime,
    sample: Sample | None = None,
) -> None:
    """End a file of which nothing was loaded, and nothing will be. sample: those of its first rows that are bad."""
    tally, rejects_key = Tally(file), None
    if sample:
        rejects_key = rejects.key_of_version(file.version)
        rejects.write_sample(ports.objects, rejects_key, sample)
        for reject in sample.rejects:
            tally.rejected.add(reject.column, reject.code, 1, reject.line)
    _end(ports, file, report(file, FileStatus.REFUSED, tally, at, error=error, rejects_key=rejects_key))
    publish(ports, file.version.file_id)


def fail(ports: EndingPorts, file: File, error: FileError, at: datetime) -> None:
    """End a file of which rows are missing, with the counts of those that are not; it may be taken up again.

    A file that fails again for the same reason has its counts brought up to date, and nobody is told a second time.
    """
    tally = Tally(file, ports.files.chunks(file.version.file_id))
    told = orjson.loads(file.report) if file.state == FileStatus.FAILED and file.report else {}
    same_reason = bool(told) and told["error"]["code"] == error.code
    if not same_reason or told["counts"]["rows"] != tally.rows:
        _end(ports, file, report(file, FileStatus.FAILED, tally, at, error=error))
    elif file.published:
        return
    publish(ports, file.version.file_id, tell=not (same_reason and file.published))


def finish(
    ports: EndingPorts,
    file: File,
    at: datetime,
    more: Notices,
    came: Mapping[str, int],
    let_go: Callable[[Sequence[DoneChunk]], bool],
) -> None:
    """End a file whose chunks are all done: take together what came of them, write its rejects and its report.

    more: what is to be told beside what the chunks tell. came: how many of the rows that waited came to what. let_go:
    lets the news go that the file holds back, and returns whether it may.
    """
    version, plan = file.version, file.plan
    if plan is None:
        raise ValueError("the file has not been read through")
    chunks = list(ports.files.chunks(version.file_id))
    tally = Tally(file, chunks)
    if tally.rows + tally.headers != plan.rows:
        fail(ports, file, FileError("counts_differ", value=f"{tally.rows:,} / {plan.rows:,}"), at)
        return
    for notice in more.listed():
        tally.warnings.add(*notice)
    tally.settle_waiting(came)
    if tally.news_held and let_go(chunks):
        tally.warnings.drop(NEWS_HELD)
    rejects_key = None
    if tally.counts["rejected"]:
        rejects_key = rejects.key_of_version(version)
        rejects.write(ports.objects, rejects_key, file, plan, chunks)
    state = _state(tally)
    told = Told()
    if version.check:
        if version.origin == LIVE:
            told = foreseeing.told(ports.objects, version.file_id, (chunk.number for chunk in chunks))
    elif version.origin == LIVE and state != FileStatus.NOTHING_LOADED and not is_of_rejects(plan.header):
        ports.files.note_feed(plan.instant)
    _end(ports, file, report(file, state, tally, at, rejects_key=rejects_key, **told._asdict()))
    publish(ports, version.file_id)


def _state(tally: Tally) -> FileStatus:
    """How a file ended whose rows are all accounted for."""
    counts = tally.counts
    if tally.waiting:
        return FileStatus.NUMBERS_WAIT
    if not counts["inserted"] + counts["updated"] + counts["unchanged"]:
        return FileStatus.NOTHING_LOADED
    bad = counts["rejected"] - tally.reopening
    return FileStatus.MANY_REJECTS if bad > MANY * tally.rows else FileStatus.LOADED


def _end(ports: EndingPorts, file: File, said: dict[str, Any]) -> None:
    ports.files.end(file.version.file_id, said["status"], text(said))


def publish(ports: EndingPorts, file_id: str, *, tell: bool = True) -> None:
    """Lay the report of a file that has ended where the directorate looks for it; harmless to do again.

    Under the key alone lies what the key's newest version ended with: whoever writes there looks afterwards whether
    that has changed meanwhile, and then puts it right. So the newest stays, whoever is slow. tell: the operator too,
    but not of what was only checked.
    """
    files, objects = ports.files, ports.objects
    version = files.file(file_id).version
    own = f"reports/{told_under(version.key)}.{version.version_id}.json"
    told = _lay(lambda: files.file(file_id).report, lambda said: objects.put(own, said.encode(), "application/json"))
    if told is None:
        raise ValueError("the file has not ended")
    if files.newest(version.bucket, version.key) == file_id:
        _lay(lambda: _newest_report(files, version.bucket, version.key), lambda said: _lay_newest(objects, said))
    if version.origin == REGISTRY and not version.check:
        ports.walk()
    if tell and not version.check:
        ports.operator(orjson.loads(told))
    files.all_published(file_id, told)
    ports.lay_guide()


def _lay(read: Callable[[], str | None], write: Callable[[str], None]) -> str | None:
    """Write what ``read`` returns, again if it changed meanwhile. Returns what was written; None if nothing."""
    laid = None
    while (said := read()) != laid and said is not None:
        write(said)
        laid = said
    return laid


def _newest_report(files: Files, bucket: str, key: str) -> str | None:
    newest = files.newest(bucket, key)
    return files.file(newest).report if newest else None


def _lay_newest(objects: Objects, said: str) -> None:
    told = orjson.loads(said)
    key, rejected = told_under(told["key"]), told["rejects"]
    if rejected and rejected["key"]:
        objects.copy(rejected["key"], rejects.key_of(key))
    elif would_be(told) in LOADED:  # else those of a version before may still wait to be mended
        objects.remove(rejects.key_of(key))
    objects.put(f"reports/{key}.json", said.encode(), "application/json")
    objects.put(f"reports/{key}.html", page(told).encode(), "text/html; charset=utf-8")
