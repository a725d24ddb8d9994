"""Catching text that was read in another encoding than it was written in, before it makes plausible plates.

Windows-1256 and ISO-8859-6 share half of the alphabet and part silently over the rest, so that one's م is the other's
ه; UTF-8 read as Windows-1256 gives runs of ط and ظ. Words that the format knows tell: names of governorates, families,
categories, statuses and columns. A word that is none of them, and becomes one once a misreading is undone, is proof.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Final, NamedTuple

from ingest.errors import FileError
from ingest.format.cells import STATUSES
from ingest.format.header import Layout, is_column
from shared.domain.governorates import find_code
from shared.domain.plate import PlateError, find_category, find_family
from shared.domain.text import fold_name

MAX_MISREAD_SHARE: Final = 0.05
"""Of the known words, the share that may be misread: beyond it is the file's encoding, up to it are a few bad rows."""

MAX_UNREAD_SHARE: Final = 0.50
"""Of the governorates' names, the share that may be none."""

MAX_LOST_SHARE: Final = 0.01
"""Of the rows, the share whose plate may hold a ``?`` in the place of what an export could not write."""

# Written in the one, read in the other.
_MISREADINGS: Final = (
    ("utf-8", "cp1256"),
    ("utf-8", "latin-1"),
    ("utf-8", "cp1252"),
    ("cp1256", "iso8859-6"),
    ("iso8859-6", "cp1256"),
    ("cp1256", "latin-1"),
    ("cp1256", "cp1252"),
)
_LOST: Final = re.compile("[?\ufffd]").search
_PLATE: Final = ("plate_governorate", "plate_letter", "plate_number")
_REMEMBERED: Final = 8192

Knows = Callable[[str], bool]
"""Whether a text is a word of a column."""


def _is_family(word: str) -> bool:
    try:
        return find_family(word) is not None
    except PlateError:  # "new", a word all the same
        return True


_WORDS: Final[dict[str, Knows]] = {
    "plate_governorate": lambda word: find_code(word) is not None,
    "sector_governorate": lambda word: find_code(word) is not None,
    "plate_family": _is_family,
    "plate_category": lambda word: find_category(word) is not None,
    "status": lambda word: fold_name(word) in STATUSES,
}


class _Tally(NamedTuple):
    """How the words of some cells read. proven: those that would read otherwise in the other Arabic code page."""

    known: int = 0
    misread: int = 0
    proven: int = 0
    unread: int = 0

    def __add__(self, other: tuple[int, ...]) -> _Tally:  # type: ignore[override]
        return _Tally(*map(sum, zip(self, other, strict=True)))


def require_readable_header(cells: Iterable[str]) -> None:
    """Raises FileError where a column's name was misread."""
    if any(_reads(cell, is_column).misread for cell in cells):
        raise FileError("encoding_wrong", line=1)


def require_readable(layout: Layout, rows: Sequence[Sequence[str]], *, unproven: bool) -> None:
    """Raises FileError where the first rows of a file were read in a wrong encoding, or lost letters before.

    unproven: nothing but a declaration says that the encoding is right, and every byte would read in it.
    """
    at = {column: position for position, column in enumerate(layout.columns) if column}
    whole = [row for row in rows if len(row) >= len(layout.columns)]  # others are rejected, whatever they say
    tallies = {
        column: _tally(map(itemgetter(at[column]), whole), knows) for column, knows in _WORDS.items() if column in at
    }
    words = sum(tallies.values(), _Tally())
    if words.misread > MAX_MISREAD_SHARE * (words.known + words.misread):
        raise FileError("encoding_wrong")
    governorates = tallies["plate_governorate"]
    if governorates.unread > MAX_UNREAD_SHARE * (governorates.known + governorates.unread):
        raise FileError("governorates_unreadable")
    plates = map(itemgetter(*(at[column] for column in _PLATE if column in at)), whole)
    lost = sum(1 for _ in filter(_LOST, map("".join, plates)))
    if lost > max(1, MAX_LOST_SHARE * len(rows)):
        raise FileError("characters_lost")
    proven = words.proven + _tally(layout.header, is_column).proven
    if unproven and not proven and any(not cell.isascii() for row in rows for cell in row):
        raise FileError("encoding_unproven")


def _tally(cells: Iterable[str], knows: Knows) -> _Tally:
    tally = _Tally()
    for cell, times in Counter(cells).items():
        if not cell.isascii():
            tally += tuple(times * part for part in _reads(cell, knows))
    return tally


@lru_cache(_REMEMBERED)
def _reads(word: str, knows: Knows) -> _Tally:
    """Tell how one word reads."""
    if knows(word):
        return _Tally(known=1, proven=int(_undone(word, "iso8859-6", "cp1256") != word))
    misread = any(knows(_undone(word, written, read)) for written, read in _MISREADINGS)
    return _Tally(misread=int(misread), unread=int(not misread))


def _undone(word: str, written: str, read: str) -> str:
    """A word as it was before it was written in one encoding and read in another."""
    return word.encode(read, "replace").decode(written, "replace")
