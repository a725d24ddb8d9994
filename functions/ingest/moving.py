"""Registration numbers that a file would replace by others. Each may end somebody's proof, so that many of them wait.

A first pass loads what is new and counts what would be replaced; what waits is kept beside the file's rejects, by
chunk. When the file ends and they are few, they are loaded from there. Many wait until somebody releases the file: then
its chunks that hold any are loaded a second time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from typing import Any, Final, NamedTuple, Protocol

import orjson

from ingest.chunking import Chunk
from ingest.format.origins import REGISTRY
from ingest.objects import Objects
from shared.domain.file import DoneChunk, File, Plan
from shared.domain.registration import Registration
from shared.stores.items import MAX_ACTIONS
from shared.stores.versioned import WAITING, Line

_READ_AT_ONCE: Final = 8


class CardStore(Protocol):
    """Where registrations go, by up to 100 at once; each is answered with its outcome."""

    def write(self, rows: Sequence[Any], *, moves: bool) -> list[str]: ...


class Moves(NamedTuple):
    """max_moved: a file that would replace more numbers replaces none of them until a person lets it."""

    store: Callable[[], CardStore]
    max_moved: int

    def holds(self, file: File, plan: Plan) -> bool:
        """Whether rows of a file that would replace a number wait while it is loaded."""
        return file.version.origin == REGISTRY and plan.rows > self.max_moved and not file.released

    def write(self, rows: Sequence[Any]) -> list[str]:
        """Write rows, but for those that would replace the number of another file."""
        return self.store().write(rows, moves=False)

    def note_past(self, beaten: Sequence[Line], require_time: Callable[[], None]) -> None:
        """Let cards know of rows that newer ones of their chunk outdid: what they say stood before."""
        while beaten:
            once = {row.identity: row for row in beaten}
            rows = list(once.values())
            for start in range(0, len(rows), MAX_ACTIONS):
                require_time()
                self.write(rows[start : start + MAX_ACTIONS])
            beaten = [row for row in beaten if once[row.identity] is not row]


def keep(objects: Objects, file_id: str, chunk: Chunk, rows: Sequence[Any]) -> str:
    """Keep the rows of a chunk that wait. Returns the key, which tells what this run kept from what another did."""
    content = orjson.dumps([[*chunk], [[*row] for row in rows]])
    digest = blake2b(content, digest_size=8).hexdigest()
    key = f"rejects/.parts/{file_id}/{chunk.number:06d}-waiting-{digest}.json"
    objects.put(key, content, "application/json")
    return key


def waiting(chunks: Iterable[DoneChunk]) -> int:
    """How many rows of chunks wait."""
    return sum(chunk.counts.get(WAITING, 0) for chunk in chunks)


def kept_rows(objects: Objects, chunks: Iterable[DoneChunk]) -> list[Registration]:
    """Give the rows of chunks that wait. Raises FileError where the bucket has forgotten them."""
    return [Registration(*row) for _, rows in _kept(objects, chunks) for row in rows]


def kept_chunks(objects: Objects, chunks: Iterable[DoneChunk]) -> list[Chunk]:
    """Give the chunks with rows that wait. Raises FileError where the bucket has forgotten them."""
    return [Chunk(*chunk) for chunk, _ in _kept(objects, chunks)]


def _kept(objects: Objects, chunks: Iterable[DoneChunk]) -> Iterator[tuple[list[int], list[list[Any]]]]:
    keys = [orjson.loads(chunk.notes)[WAITING] for chunk in chunks if chunk.counts.get(WAITING)]
    with ThreadPoolExecutor(_READ_AT_ONCE) as pool:
        for content in pool.map(objects.read, keys):
            yield orjson.loads(content)
