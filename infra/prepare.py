"""A file of the directorate is checked on the clerk's own machine, by the code that will load it, and cut for upload.

``make prepare FILE=export.csv``, or ``python -m infra.prepare export.csv`` where there is no make, leaves in a folder
beside the file what would be rejected, to be mended, and all else in parts that are ready for upload. Nothing leaves
the machine.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from datetime import datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, Final, NamedTuple

import click

# Where the functions are: whoever runs this alone need not say so.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "functions"))

from ingest.api import ENCODINGS
from ingest.chunking import MAX_CHUNK_ROWS, RULES, Scan, scan
from ingest.errors import FileError
from ingest.format.accepting import read_accepted
from ingest.format.header import Names, read_names
from ingest.format.instant import declared_instant
from ingest.format.judging import Criteria, judged
from ingest.format.notices import Notices
from ingest.format.origins import BACKLOG, ORIGINS
from ingest.format.parser import Reject, Source
from ingest.format.parsers import PARSERS
from ingest.reading.csv_records import records
from ingest.reading.csv_text import as_csv_text
from ingest.reporting import rejects
from ingest.reporting.report import of_file
from ingest.reporting.texts import message
from shared.clock import now
from shared.domain.time import to_text
from shared.domain.violation import OPEN
from shared.spreadsheet import neutral
from shared.stores.violation_rows import Row

MAX_PART_ROWS: Final = 500_000
"""Rows of one part: a report each, and minutes to load."""

ANNOUNCE_WITHIN: Final = timedelta(days=45)
"""AnnounceWithinDays of template.yaml, at its default."""

_MAX_NAME_BYTES: Final = 150
"""Of a file system's 255: what is made of a name has more behind it."""

_UNSAFE: Final = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f\ud800-\udfff]')
_RESERVED: Final = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])\s*(\.|$)", re.IGNORECASE)
"""What Windows lets no file be called, nor any with an ending:
https://learn.microsoft.com/en-us/windows/win32/fileio/naming-a-file
"""

_BLOCK: Final = 1024 * 1024

Progress = Callable[[str, int], AbstractContextManager[Any]]
"""``with progress(label, length) as bar``: a bar that ``bar.update(n)`` moves on."""


class Prepared(NamedTuple):
    """What a file came to. told: how many rows followers would hear of. rejected_rows: where they lie, if any."""

    rows: int
    told: int
    rejected: Notices
    warnings: Notices
    parts: list[Path]
    rejected_rows: Path | None


class Declared(NamedTuple):
    """What is declared of a file that is to be uploaded.

    origin: the folder of the bucket. encoding: where no byte order mark says. accepted:
    :mod:`ingest.format.accepting`. names: further ones of columns, as the platform knows them. as_of: when what it says
    was so, where that is known.
    """

    origin: str
    encoding: str = ENCODINGS[0]
    accepted: tuple[str, ...] = ()
    names: Names = RULES.names
    as_of: str = ""


def prepare(path: Path, out: Path, declared: Declared, at: datetime, progress: Progress) -> Prepared:
    """Check a file that is to be uploaded to a folder of the bucket, and cut it. out: a folder that is empty or new.

    Its columns are judged on all its rows, and however many are bad they are rejected one by one, to be mended.
    Raises FileError where the file would be refused as a whole.
    """
    origin, encoding, accepted, names, as_of = declared
    criteria = Criteria(ANNOUNCE_WITHIN, accepted)
    rules = RULES._replace(criteria=criteria, max_bad_share=1.0, names=names, judged_rows=MAX_CHUNK_ROWS)
    came = to_text(at)
    instant = declared_instant(as_of, came)
    source = Source(path.name, origin, came, to_text(at - ANNOUNCE_WITHIN), as_of=instant)
    size = path.stat().st_size
    with TemporaryFile() as kept:
        with (
            path.open("rb") as file,
            progress("reading", size) as bar,
            as_csv_text(_read(file, bar), size, encoding) as text,
        ):
            found = scan(text.blocks, source, rules, unproven=text.unproven, keep=lambda _, part: _keep(kept, part))
        kept.seek(0)
        with progress("checking", found.rows) as bar:
            parts = _Out(out, safe_name(path.name.partition(".")[0]), found, instant or came)
            prepared = _cut(found, kept, source, criteria, parts, bar)
    for notice in of_file(found.layout, text.sheets_unread, text.hidden.rows, text.hidden.first):
        prepared.warnings.add(*notice)
    return prepared


def safe_name(name: str) -> str:
    """The name of a file as every file system takes it, Windows' too; a long one is cut and ends in a digest of it."""
    safe = _UNSAFE.sub("_", name)
    if len(safe.encode()) > _MAX_NAME_BYTES:
        digest = blake2b(safe.encode(), digest_size=4).hexdigest()
        # Room for the digest and an underscore in front, so that the name of a name is itself.
        safe = f"{safe.encode()[: _MAX_NAME_BYTES - 10].decode(errors='ignore')}-{digest}"
    safe = safe.strip(". ")
    return f"_{safe}" if not safe or _RESERVED.match(safe) else safe


def _read(file: IO[bytes], bar: Any) -> Iterator[bytes]:
    while block := file.read(_BLOCK):
        yield block
        bar.update(len(block))


def _keep(file: IO[bytes], content: bytes) -> None:
    file.write(content)


def _cut(found: Scan, kept: IO[bytes], source: Source, criteria: Criteria, out: _Out, bar: Any) -> Prepared:
    parser = PARSERS[source.origin](found.layout, source)
    reasons, told = Notices(), 0
    with out:
        for chunk in found.chunks:
            good: list[list[str]] = []
            bad: list[Reject] = []
            text = io.StringIO(kept.read(chunk.end).decode(), newline="")
            lines = list(records(text, found.layout.separator, chunk.line))
            parse = judged(parser, lines, found.layout, source, criteria)
            for line, record in lines:
                outcome = parse(line, record)
                if isinstance(outcome, Reject):
                    bad.append(outcome)
                    reasons.add(outcome.column, outcome.code, 1, line)
                elif outcome:
                    good.append(record)
                    told += _is_news(outcome)
            out.write(good, bad)
            bar.update(len(good) + len(bad))
    return Prepared(found.rows, told, reasons, parser.warnings, out.parts, out.rejected_rows)


def _is_news(row: Any) -> bool:
    return isinstance(row, Row) and row.origin == "live" and row.recent and row.violation.status == OPEN


class _Out:
    """The folder of parts and rejects, whose files are begun when there is something to write into them.

    instant: when what the file says was so.
    """

    def __init__(self, folder: Path, name: str, found: Scan, instant: str) -> None:
        self.parts: list[Path] = []
        self.rejected_rows: Path | None = None
        self._folder, self._name, self._layout, self._instant = folder, name, found.layout, instant
        self._rejects_open, self._part_open = ExitStack(), ExitStack()
        self._part: Any = None
        self._rejects: Any = None
        self._left = 0

    def __enter__(self) -> _Out:
        self._folder.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._rejects_open.close()
        self._part_open.close()

    def write(self, good: Sequence[Sequence[str]], bad: Sequence[Reject]) -> None:
        """Add the rows of a chunk."""
        while good:
            if not self._left:
                self._begin_part()
            fitting, good = good[: self._left], good[self._left :]
            self._part.writerows(map(neutral, row) for row in fitting)
            self._left -= len(fitting)
        if bad:
            self._begun_rejects().write(rejects.lines(self._layout.header, self._layout.separator, self._instant, bad))

    def _begin_part(self) -> None:
        self._part_open.close()
        path = self._folder / f"{self._name}-{len(self.parts) + 1:03d}.csv.gz"
        self.parts.append(path)
        packed = self._part_open.enter_context(gzip.GzipFile(path, "wb"))
        self._part = csv.writer(self._part_open.enter_context(io.TextIOWrapper(packed, "utf-8-sig", newline="")))
        self._part.writerow(map(neutral, self._layout.header))
        self._left = MAX_PART_ROWS

    def _begun_rejects(self) -> Any:
        if self._rejects is None:
            self.rejected_rows = self._folder / f"{self._name}-rejects.csv"
            self._rejects = self._rejects_open.enter_context(self.rejected_rows.open("wb"))
            self._rejects.write(rejects.head(self._layout.header, self._layout.separator))
        return self._rejects


# ---------------------------------------------------------------------- the command


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--folder", type=click.Choice(ORIGINS), default=BACKLOG, show_default=True, help="of the bucket")
@click.option("--encoding", type=click.Choice(ENCODINGS), default=ENCODINGS[0], show_default=True)
@click.option("--as-of", default="", help="when what the file says was so, such as 2026-11-25T07:30")
@click.option("--accept", default="", help="columns that are right as they stand, in the words of their refusal")
@click.option("--names", default="", help="the platform's ColumnNames")
def main(file: Path, folder: str, encoding: str, as_of: str, accept: str, names: str) -> None:
    """Check FILE as the cloud would and cut it for upload to a FOLDER of the bucket: live tells followers.

    A folder beside FILE then holds the parts to upload, and the rows that would be rejected, to be mended. Ends with 0
    where all rows are good, with 1 where some are rejected, with 2 where the whole file would be refused.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # where a terminal has no Arabic letters, the English words suffice
    out = file.with_name(f"{safe_name(file.name)}.{folder}")
    if out.exists():
        raise click.UsageError(f"{click.format_filename(out)} is there already")
    try:
        declared = Declared(folder, encoding, read_accepted(accept), read_names(names), as_of)
        prepared = prepare(file, out, declared, now(), _bar)
    except FileError as error:
        said = message(error.code, error.column, error.value, error.accept)
        line = f" ({error.line})" if error.line else ""
        click.echo(f"{said.ar}{line}\n{said.en}{line}", err=True)
        sys.exit(2)
    for line in _summary(prepared, declared):
        click.echo(line)
    sys.exit(1 if prepared.rejected_rows else 0)


def _bar(label: str, length: int) -> AbstractContextManager[Any]:
    bar: AbstractContextManager[Any] = click.progressbar(label=label, length=length, file=sys.stderr)
    return bar


def _summary(prepared: Prepared, declared: Declared) -> Iterator[str]:
    folder = declared.origin
    rejected = sum(notice.rows for notice in prepared.rejected.listed())
    yield f"{prepared.rows:,} rows: {prepared.rows - rejected:,} good, {rejected:,} rejected"
    if prepared.told:
        yield f"Uploaded to {folder}/, {prepared.told:,} would be told to those who follow their plates"
    yield from _told("Rejected", prepared.rejected)
    yield from _told("Warnings", prepared.warnings)
    if len(prepared.parts) > 1:
        # A number that stands twice without dates of its own is what the later row says, which the later part holds.
        yield "Upload the parts in their order, each when the one before it is there"
    for part in prepared.parts:
        yield f"To upload to {folder}/: {click.format_filename(part)}"
    if declared.accepted:
        yield f"To be declared with each: accept={','.join(declared.accepted)}"
    if declared.as_of and prepared.parts:
        yield f"Upload each with --metadata as-of={declared.as_of}"
    if prepared.rejected_rows:
        yield f"To be mended and uploaded too: {click.format_filename(prepared.rejected_rows)}"


def _told(title: str, notices: Notices) -> Iterable[str]:
    for notice in notices.listed():
        said = message(notice.code, notice.column, ", ".join(notice.examples))
        yield f"{title}: {notice.rows:,} rows, first in line {notice.first_line:,}: {said.ar} | {said.en}"


if __name__ == "__main__":
    main()
