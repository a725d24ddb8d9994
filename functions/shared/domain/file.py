"""A file of the directorate: its version in the bucket, its states, how it is loaded and what became of its rows."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from hashlib import blake2b
from typing import Final, NamedTuple


class FileStatus(StrEnum):
    """How far a file is, or how it ended."""

    CHECKING = "checking"
    LOADING = "loading"
    LOADED = "loaded"
    MANY_REJECTS = "loaded_with_many_rejects"
    NOTHING_LOADED = "nothing_loaded"
    NUMBERS_WAIT = "numbers_wait"
    FAILED = "failed"
    REFUSED = "refused"
    CHECKED = "checked"


LOADED: Final = frozenset((FileStatus.LOADED, FileStatus.MANY_REJECTS))
TAKEN: Final = LOADED | {FileStatus.NOTHING_LOADED, FileStatus.NUMBERS_WAIT}
"""What a file ends as whose rows are all accounted for; one that was only to be checked ends as checked instead."""
FINAL: Final = TAKEN | {FileStatus.REFUSED, FileStatus.CHECKED}
ENDED: Final = FINAL | {FileStatus.FAILED}
"""What a file can end as. One that failed is taken up again where what it lacks is loaded after all."""

OUTCOMES: Final = ("inserted", "updated", "unchanged", "stale", "rejected")
"""What can become of a row: every row is in exactly one of these counts."""
REGISTERED: Final = (*OUTCOMES, "waiting")
"""The same of a row of a registration file: one that would replace a number may wait until somebody lets it."""


CHECK: Final = "check"
"""The folder around the others whose files are only checked: no row of them is written, and nobody is told."""

MAX_KEY_BYTES: Final = 1024 - len("reports/..json") - 32
"""Of a key whose reports can be laid under it: S3's longest key, less what stands around it and a version's id.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
"""


def is_too_long(key: str) -> bool:
    """True if the reports of a key cannot be laid under it."""
    return len(key.encode("utf-8", "surrogatepass")) > MAX_KEY_BYTES


def is_check(key: str) -> bool:
    """True if the file of a key is only checked."""
    return key.startswith(f"{CHECK}/")


def origin_of(key: str) -> str:
    """The folder that says what a file means, also within that of checks; empty where there is none."""
    return key.removeprefix(f"{CHECK}/").rpartition("/")[0].partition("/")[0]


def told_under(key: str) -> str:
    """The name under which lies what is said of a key: itself, or in its folder a digest where it is too long."""
    if not is_too_long(key):
        return key
    digest = blake2b(key.encode("utf-8", "surrogatepass"), digest_size=10).hexdigest()
    return f"{key.partition('/')[0]}/key-too-long-{digest}"


class FileVersion(NamedTuple):
    """One version of one object, as S3's event names it. order: grows from each version of a key to the next."""

    bucket: str
    key: str
    version_id: str
    order: str

    @property
    def origin(self) -> str:
        """The folder it lies in: live, backlog or registry, also within that of checks."""
        return origin_of(self.key)

    @property
    def check(self) -> bool:
        """Whether it is only checked."""
        return is_check(self.key)

    @property
    def file_id(self) -> str:
        """The one id of this version: what its rows are known by."""
        named = "\x1f".join((self.bucket, self.key, self.version_id))
        return blake2b(named.encode("utf-8", "surrogatepass"), digest_size=10).hexdigest()


class Plan(NamedTuple):
    """How a file is to be loaded. chunks, rows: how many it holds. last_modified: a stored text.

    rewritten: its chunks were kept apart, because they are no ranges of plain text in it. sheets_unread: of a workbook,
    those beside the one that is loaded which are shown and hold anything. rows_hidden, first_hidden: how many rows with
    values its sheet hides, and the first one's line. encoding: the one that was declared for it. accept: what was
    accepted of its columns (:mod:`ingest.format.accepting`). as_of: when what it says was so, where that was declared,
    as a stored text; else empty.
    """

    separator: str
    header: tuple[str, ...]
    columns: tuple[str, ...]
    chunks: int
    rows: int
    last_modified: str
    size: int
    checksum: str
    rewritten: bool
    sheets_unread: int = 0
    rows_hidden: int = 0
    first_hidden: int = 0
    encoding: str = ""
    accept: tuple[str, ...] = ()
    as_of: str = ""

    @property
    def instant(self) -> str:
        """When what the file says was so, as far as its rows do not say it themselves."""
        return self.as_of or self.last_modified


class File(NamedTuple):
    """A file version in the ledger.

    queued: all its chunks were put on the queue. plan: None until it was read through. report: JSON, once it has ended.
    published: that report lies where the directorate looks for it. released: its rows may replace registration numbers,
    however many they are.
    """

    version: FileVersion
    state: FileStatus | str
    claimed_at: str
    queued: bool = False
    published: bool = False
    plan: Plan | None = None
    chunks_done: int = 0
    rows_done: int = 0
    report: str | None = None
    released: bool = False

    @property
    def all_done(self) -> bool:
        """Whether every chunk was loaded."""
        return self.plan is not None and self.chunks_done == self.plan.chunks


class DoneChunk(NamedTuple):
    """What came of a chunk. notes: JSON, what is to be told of its rows."""

    number: int
    counts: Mapping[str, int]
    notes: str


class Upload(NamedTuple):
    """An upload that the API prepared. sub: who asked for it."""

    upload_id: str
    sub: str
    bucket: str
    key: str
