"""What the chunks of a file found unchanged, and what they changed, kept until the file is finished.

A row that says what is known writes nothing. So it leaves no trace to an earlier line of its file, about the same
thing, whose chunk runs after it and writes something else. When all chunks are done, such rows are found here.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import compress
from typing import Final, NamedTuple

import orjson

from ingest.chunking import Chunk
from ingest.errors import FileError
from ingest.objects import Objects
from shared.domain.file import DoneChunk
from shared.stores.versioned import UNCHANGED, UPDATED, WAITING

AT_ONCE: Final = 500_000
"""Things that are held in memory at a time, of some 100 bytes each."""
_READ_AT_ONCE: Final = 8


def names_of(identities: Iterable[Hashable]) -> Iterator[str]:
    """Give what things are called here."""
    return map(str, identities)


def keep(objects: Objects, file_id: str, chunk: Chunk, identities: Sequence[Hashable], outcomes: Sequence[str]) -> None:
    """Keep of which things a chunk changed something, or may yet, and of which its rows say what is known."""
    changed, unchanged, waiting = (_named(identities, outcomes, wanted) for wanted in (UPDATED, UNCHANGED, WAITING))
    changed += waiting
    objects.put(_key(file_id, chunk.number), orjson.dumps([[*chunk], changed, unchanged]), "application/json")


def _named(identities: Sequence[Hashable], outcomes: Sequence[str], wanted: str) -> list[str]:
    """What those of an outcome are called: of most chunks all, or none."""
    count = outcomes.count(wanted)
    if 0 < count < len(outcomes):
        identities = [*compress(identities, map(wanted.__eq__, outcomes))]
    return [*names_of(identities)] if count else []


class _Seen(NamedTuple):
    chunk: Chunk
    changed: list[str]
    unchanged: list[str]


def overlooked(objects: Objects, file_id: str, chunks: Iterable[DoneChunk]) -> Iterator[tuple[Chunk, set[str]]]:
    """Give the chunks with rows that wrote nothing, and of whose things another chunk changed something; their names.

    In bounded memory: the fewer of the two kinds are held, a part of them at a time.
    """
    done = [chunk for chunk in chunks if any(map(chunk.counts.get, (UPDATED, UNCHANGED, WAITING)))]
    changed = sum(chunk.counts[UPDATED] + chunk.counts.get(WAITING, 0) for chunk in done)
    unchanged = sum(chunk.counts[UNCHANGED] for chunk in done)
    if not changed or not unchanged:
        return
    keys = [_key(file_id, chunk.number) for chunk in done]
    parts = 1 + min(changed, unchanged) // AT_ONCE
    with ThreadPoolExecutor(_READ_AT_ONCE) as pool:

        def everything() -> Iterator[_Seen]:
            return filter(None, pool.map(lambda key: _read(objects, key), keys))

        for part in range(parts):
            held: set[str] = set()
            for seen in everything():
                fewer = seen.changed if changed <= unchanged else seen.unchanged
                held.update(name for name in fewer if hash(name) % parts == part)
            both: set[str] = set()
            for seen in everything():
                both |= held.intersection(seen.unchanged if changed <= unchanged else seen.changed)
            for seen in everything() if both else ():
                if names := both.intersection(seen.unchanged):
                    yield seen.chunk, names


def _read(objects: Objects, key: str) -> _Seen | None:
    try:
        chunk, changed, unchanged = orjson.loads(objects.read(key))
    except FileError:  # the bucket has forgotten it
        return None
    return _Seen(Chunk(*chunk), changed, unchanged)


def _key(file_id: str, number: int) -> str:
    return f"rejects/.parts/{file_id}/{number:06d}-seen.json"
