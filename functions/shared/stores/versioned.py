"""Bringing the rows of files into a table: the newest version wins, and a line that comes again counts as it did."""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable, Iterable
from typing import Final, Protocol

from shared.aws_json import AwsError, Call, Json
from shared.stores.items import Item, text, transact

INSERTED: Final = "inserted"
UPDATED: Final = "updated"
UNCHANGED: Final = "unchanged"
STALE: Final = "stale"

_ATTEMPTS: Final = 12


class Line(Protocol):
    """An accepted row of a file.

    identity: what rows about the same thing share. version: tells which of them is newer. dated: whether the row named
    its own ``updated_at``. ref: the file version and line it stands on.
    """

    @property
    def identity(self) -> Hashable: ...
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
    changed_by, inserted_by = text(known, "changed_by"), text(known, "inserted_by")
    if line.ref in (changed_by, inserted_by):
        return UPDATED if inserted_by not in (None, line.ref) else INSERTED, False
    known_version = known["version"]["S"]
    if same and (not line.dated or line.version.partition("#")[0] == known_version.partition("#")[0]):
        return UNCHANGED, False
    if line.version <= known_version:
        return STALE, False
    return UPDATED, True


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
