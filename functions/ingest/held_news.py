"""The brake: a large live file announces nothing while it is loaded. Its news are held back, and let go when it ends.

So a file that is wrong as a whole wakes nobody before somebody could look at it. Which violations hold news back is
kept beside the file's rejects, by chunk, since the table is not to be searched for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple, Protocol

import orjson

from ingest.errors import FileError
from ingest.format.notices import NEWS_HELD, Notices
from ingest.format.origins import LIVE
from ingest.objects import Objects
from shared.domain.file import DoneChunk, FileVersion, Plan
from shared.stores.items import MAX_ACTIONS
from shared.stores.versioned import Line, line_of

OVERLOOKED: Final = 0
"""In the place of a chunk's number: the rows that were written again when the file ended."""


class NewsStore(Protocol):
    """Where live rows go, by up to 100 at once; each is answered with its outcome. let_go: of how many it was."""

    def write(self, rows: Sequence[Any], *, holds: bool) -> list[str]: ...
    def let_go(self, numbers: Sequence[str], file_id: str) -> int: ...


class Brake(NamedTuple):
    """max_news: of a live file of more rows the news are held; with more news, until a person lets them go."""

    store: Callable[[], NewsStore]
    max_news: int

    def holds(self, version: FileVersion, plan: Plan) -> bool:
        """Whether the news of a file are held back while it is loaded."""
        return version.origin == LIVE and plan.rows > self.max_news

    def write(self, rows: Sequence[Any]) -> list[str]:
        """Write rows whose news are held back."""
        return self.store().write(rows, holds=True)


def keep(objects: Objects, file_id: str, number: int, held: Sequence[Line], warnings: Notices) -> None:
    """Keep which violations a chunk's rows hold news of, if any. warnings: hear of it."""
    if held:
        names = [str(row.identity) for row in held]
        objects.put(_key(file_id, number), orjson.dumps(names), "application/json")
        warnings.add("", NEWS_HELD, len(held), min(line_of(row.ref) for row in held))


def kept(objects: Objects, file_id: str, chunks: Iterable[DoneChunk]) -> Iterator[list[str]]:
    """Give the numbers of a file's violations that held news back, chunk by chunk; a number may stand in several.

    Raises FileError where the bucket has forgotten them.
    """
    for chunk in chunks:
        told = orjson.loads(chunk.notes)["warnings"]
        if any(code == NEWS_HELD for _, code, *_ in told):
            yield orjson.loads(objects.read(_key(file_id, chunk.number)))
    try:
        again = objects.read(_key(file_id, OVERLOOKED))
    except FileError:
        return
    yield orjson.loads(again)


def let_go(
    objects: Objects, file_id: str, chunks: Iterable[DoneChunk], brake: Brake, require_time: Callable[[], None]
) -> bool:
    """Let a file's news go, if they are not too many. Can be interrupted anywhere and done again: each is told once.

    require_time: raises where there is none for a further batch.
    """
    numbers: dict[str, None] = {}
    for found in kept(objects, file_id, chunks):
        numbers.update(dict.fromkeys(found))
        if len(numbers) > brake.max_news:
            return False
    store, waiting = brake.store(), list(numbers)
    for start in range(0, len(waiting), MAX_ACTIONS):
        require_time()
        store.let_go(waiting[start : start + MAX_ACTIONS], file_id)
    require_time()
    return True


def _key(file_id: str, number: int) -> str:
    return f"rejects/.parts/{file_id}/{number:06d}-held.json"
