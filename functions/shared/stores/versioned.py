"""Bringing the rows of files into a table: the newest version wins, and a line that comes again counts as it did."""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable, Iterable
from typing import Final, NamedTuple, Protocol

from shared.aws_json import AwsError, Call, Json
from shared.stores.items import Item, transact

INSERTED: Final = "inserted"
UPDATED: Final = "updated"
UNCHANGED: Final = "unchanged"
STALE: Final = "stale"
REJECTED: Final = "rejected"
WAITING: Final = "waiting"
"""A line that is not written until somebody lets it."""

Hurts = tuple[tuple[str, str], ...]
"""What of a write should be told, because it may hurt somebody: codes, each with the ref of the line it is about."""

BEATEN: Final = "beaten_in_file"
"""A line that another of its own file outdid."""
STALE_DIFFERS: Final = "stale_differs"
"""A line that is older than what is known, and says something else."""
RETURNS_UNDATED: Final = "returns_undated"
"""A line without a date of its own that would bring back what another replaced."""

_ATTEMPTS: Final = 12


class Hurting(str):
    """An outcome of which something should be told. held: followers will hear of the write later, if at all."""

    hurts: Hurts = ()
    held: bool = False


class Foreseen(NamedTuple):
    """What a write would come to.

    tell: followers would hear of it. before: the plate that is known, if any is. episode: of its last dispute.
    """

    outcome: str
    tell: str | None = None
    before: str | None = None
    episode: str | None = None


class Line(Protocol):
    """An accepted row of a file.

    identity: what rows about the same thing share. plate_key: the plate that it speaks of. version: tells which of them
    is newer. dated: whether the row named its own ``updated_at``. ref: the file version and line it stands on.
    """

    @property
    def identity(self) -> Hashable: ...
    @property
    def plate_key(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def dated(self) -> bool: ...
    @property
    def ref(self) -> str: ...


def decide(line: Line, known: Item | None, *, same: bool) -> tuple[str, bool]:
    """Decide what becomes of a line beside the item that is known of it, and whether it must be written.

    known: with ``version``, ``changed_by`` and, where another line inserted it, ``inserted_by`` (refs). same: the item
    says what the line says.
    """
    if known is None:
        return INSERTED, True
    ref, inserted_by = line.ref, known["inserted_by"]["S"] if "inserted_by" in known else None
    if ref in (known["changed_by"]["S"], inserted_by):
        return UPDATED if inserted_by not in (None, ref) else INSERTED, False
    version, known_version = line.version, known["version"]["S"]
    if same and (not line.dated or version.startswith(known_version.partition("#")[0])):
        return UNCHANGED, False
    if version <= known_version:
        return STALE, False
    return UPDATED, True


def file_of(ref: str) -> str:
    """Return what the refs of all lines of a file begin with."""
    return ref.partition("#")[0] + "#"


def line_of(ref: str) -> int:
    """Return the line of a ref in its file."""
    return int(ref.rpartition("#")[2])


def hurting(outcome: str, hurts: Hurts, *, held: bool = False) -> str:
    """Return an outcome with what should be told of it, if there is anything."""
    if not hurts:
        return HELD[outcome] if held else outcome
    told = Hurting(outcome)
    told.hurts, told.held = hurts, held
    return told


def _held(outcome: str) -> Hurting:
    told = Hurting(outcome)
    told.held = True
    return told


HELD: Final = {outcome: _held(outcome) for outcome in (INSERTED, UPDATED)}
"""Outcomes that are held and nothing else: one of each for all rows, of which there are many."""


def hurts_of_stale(line: Line, known: Item, *, same: bool) -> Hurts:
    """Tell what is lost with a line that is older than what is known. same: as for :func:`decide`."""
    if known["changed_by"]["S"].startswith(file_of(line.ref)):
        return ((BEATEN, line.ref),)
    return () if same else ((STALE_DIFFERS, line.ref),)


def write(
    call: Call, decisions: Callable[[], Iterable[tuple[str, Json | None]]], sleep: Callable[[float], None]
) -> list[str]:
    """Make the writes that were decided on, all or none; where others came between, decide anew.

    decisions: on a fresh reading, the outcome of each row and its conditional write, up to 100. Returns the outcomes.
    Raises AwsError where others do not stop interfering.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        decided = list(decisions())
        actions = [action for _, action in decided if action]
        if not actions:
            break
        try:
            transact(call, actions, sleep=sleep)
            break
        except AwsError as error:
            if not (error.condition_failed or error.transaction_conflict) or attempt == _ATTEMPTS:
                raise
            sleep(random.uniform(0, 0.01 * 2 ** min(attempt, 6)))  # noqa: S311 (jitter, not a secret)
    return [outcome for outcome, _ in decided]
