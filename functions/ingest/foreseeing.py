"""A file that is only checked: what loading it would come to is decided as for a load, and nothing is written.

Who would be told is kept of each chunk until the file is finished, as fingerprints that nobody without the key of
plates can compare: somebody may hear of rows of several chunks, and is counted once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, NamedTuple, Protocol

import orjson

from ingest.objects import Objects
from shared.aws_json import Call
from shared.plate_crypto import PlateCrypto
from shared.stores.messaging.messages import Messages
from shared.stores.messaging.news import Group, News, concerns_of, grouped, markers, news_of, to_tell
from shared.stores.people.citizens import Citizens
from shared.stores.versioned import Foreseen

AT_ONCE: Final = 8
"""Plates whose followers are read at a time: there is a Query for each, and a chunk may have thousands."""


class Told(NamedTuple):
    """How many would be told. people: each once. messages: of one kind to one person about one plate, each once."""

    people: int = 0
    messages: int = 0


Audience = Callable[[Sequence[News]], Iterable[tuple[str, str]]]
"""``audience(news)`` gives fingerprints of each person who would be told, with one of what."""


class _Store(Protocol):
    def foresee(self, rows: Sequence[Any]) -> list[Foreseen]: ...


class Foreseer:
    """A store's stand-in that writes nothing. news: what followers would hear of, so far."""

    def __init__(self, store: _Store) -> None:
        self._store = store
        self.news: list[News] = []

    def write(self, rows: Sequence[Any]) -> list[str]:
        """Return what would become of rows of distinct things, up to 100."""
        foreseen = self._store.foresee(rows)
        for row, (_, tell, before, episode) in zip(rows, foreseen, strict=True):
            if tell:
                self.news += news_of(tell, row.identity, row.plate_key, before, row.violation.category, episode)
        return [each.outcome for each in foreseen]


def audience(calls: Sequence[Call], citizens: str, messages: str, crypto: PlateCrypto) -> Audience:
    """Make an audience that asks the tables of citizens and messages, over as many ports at once as it is given."""
    stores = [(Citizens(call, citizens), Messages(call, messages)) for call in calls]

    def told(groups: Sequence[Group], store: tuple[Citizens, Messages]) -> list[tuple[str, str]]:
        return [
            (crypto.person_fingerprint(sub), crypto.person_fingerprint(sub, kind, plate_key))
            for sub, kind, plate_key in _told(groups, *store)
        ]

    def of(news: Sequence[News]) -> Iterator[tuple[str, str]]:
        groups = list(grouped(news))
        with ThreadPoolExecutor(len(stores)) as pool:
            for part in pool.map(told, (groups[start :: len(stores)] for start in range(len(stores))), stores):
                yield from part

    return of


def _told(groups: Iterable[Group], citizens: Citizens, messages: Messages) -> Iterator[tuple[str, str, str]]:
    for group in groups:
        concerned = [(each.sub, concerns_of(each, group)) for each in citizens.followers(group.plate_key)]
        known = messages.marked(marker for _, concerns in concerned for marker in markers(concerns))
        for sub, concerns in concerned:
            if to_tell(group.kind, concerns, known):
                yield sub, group.kind, group.plate_key


def keep(objects: Objects, file_id: str, chunk: int, audience: Audience, news: Sequence[News]) -> None:
    """Keep who would be told of the news in a chunk."""
    objects.put(_key(file_id, chunk), orjson.dumps([*audience(news)]), "application/json")


def told(objects: Objects, file_id: str, chunks: Iterable[int]) -> Told:
    """Count who would be told of a file whose chunks are all done."""
    people: set[str] = set()
    messages: set[str] = set()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for content in pool.map(objects.read, (_key(file_id, chunk) for chunk in chunks)):
            for person, message in orjson.loads(content):
                people.add(person)
                messages.add(message)
    return Told(len(people), len(messages))


def _key(file_id: str, chunk: int) -> str:
    return f"rejects/.parts/{file_id}/{chunk:06d}-told.json"
